from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors.base import Context, Finding
from detectors.plugged import from_file
from detectors.registry import FILE, load, load_all
from guard.errors import ConfigurationError, DetectorError, MissingExtraError
from guard.media import Artifact
from guard.media.picture import Picture

pytestmark = pytest.mark.heavy

UPLOAD = Context("upload")


def noise(height: int = 300, width: int = 280, seed: int = 0) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def picture(pixels: Any) -> Artifact:
    return Artifact.from_picture(Picture.from_array(pixels), "image/png")


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def inspected(folder: Path, lines: str, artifact: Artifact) -> Finding:
    file = folder / "detectors.yaml"
    file.write_text("detectors:\n  - id: mine\n" + "".join(f"    {line}\n" for line in lines.splitlines()))
    return from_file(file)["mine"].inspect(artifact, UPLOAD)[0]


@pytest.fixture(scope="module")
def vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of two classes in the hub's format, with random weights."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("vit")
    config = ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        image_size=32, patch_size=8,
        id2label={0: "human", 1: "Artificial"}, label2id={"human": 0, "Artificial": 1},
    )  # fmt: skip
    ViTForImageClassification(config).save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small image encoder whose features are as wide as those of CLIP ViT-L/14, and a head for it."""
    import torch
    from safetensors.torch import save_file
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("clip")
    config = CLIPVisionConfig(
        hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=224,
        patch_size=56, projection_dim=768,
    )  # fmt: skip
    CLIPVisionModelWithProjection(config).save_pretrained(folder)
    save_file({"weight": torch.randn(1, 768), "bias": torch.zeros(1)}, folder / "head.safetensors")
    return folder


@pytest.fixture(scope="module")
def onnx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network whose two logits are the means of the red and of the green plane."""
    from onnx import TensorProto, checker, helper, save

    nodes = [
        helper.make_node("ReduceMean", ["x", "axes"], ["means"], keepdims=0),
        helper.make_node("Gather", ["means", "which"], ["y"], axis=1),
    ]
    graph = helper.make_graph(
        nodes, "means",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 64, 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
        [
            helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3]),
            helper.make_tensor("which", TensorProto.INT64, [2], [0, 1]),
        ],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    checker.check_model(model)
    path = tmp_path_factory.mktemp("onnx") / "means.onnx"
    save(model, path)
    return path


def test_a_classifier_of_the_hub_gives_its_label_s_probability(vit: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    pixels = noise()
    lines = f"kind: image-transformers\npath: {vit}\nsha256: {sha(vit / 'model.safetensors')}\nlabel: "
    finding = inspected(tmp_path, lines + "artificial", picture(pixels))
    model = AutoModelForImageClassification.from_pretrained(vit)
    inputs = AutoImageProcessor.from_pretrained(vit)(images=[pixels], return_tensors="pt")
    with torch.inference_mode():
        expected = model(**inputs).logits.softmax(-1)[0]
    assert finding.score == pytest.approx(float(expected[1]), abs=1e-5)
    assert finding.likelihood_ratio is None
    assert "not calibrated" in finding.message
    by_number = inspected(tmp_path, lines + "0", picture(pixels))
    assert by_number.score == pytest.approx(float(expected[0]), abs=1e-5)


def test_a_calibrated_entry_gives_a_likelihood_ratio(vit: Path, tmp_path: Path) -> None:
    lines = (
        f"kind: image-transformers\npath: {vit}\nsha256: {sha(vit / 'model.safetensors')}\nlabel: 1\n"
        "threshold: 0.8\ncalibration: {kind: platt, a: 0, b: 2}\n"
    )
    finding = inspected(tmp_path, lines, picture(noise()))
    assert finding.score == pytest.approx(1 / (1 + np.exp(-2)))
    assert finding.likelihood_ratio == pytest.approx(np.exp(2))
    assert finding.flagged


def test_a_linear_layer_on_clip(clip: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file
    from transformers import CLIPVisionModelWithProjection

    pixels = noise()
    finding = inspected(
        tmp_path,
        f"kind: clip-linear\npath: {clip}\nsha256: {sha(clip / 'model.safetensors')}\n"
        f"head: {clip / 'head.safetensors'}\nhead_sha256: {sha(clip / 'head.safetensors')}\n",
        picture(pixels),
    )
    middle = pixels[38:262, 28:252] / 255
    planes = (middle - (0.48145466, 0.4578275, 0.40821073)) / (0.26862954, 0.26130258, 0.27577711)
    head = load_file(clip / "head.safetensors")
    with torch.inference_mode():
        batch = torch.from_numpy(planes.transpose(2, 0, 1)[None].astype(np.float32))
        seen = CLIPVisionModelWithProjection.from_pretrained(clip)(pixel_values=batch).image_embeds[0]
        logit = float(head["weight"][0] @ seen)
    assert finding.score == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-5)


def test_the_published_head_fits_an_encoder_of_its_width(
    clip: Path, tmp_path: Path, shared_data: Path
) -> None:
    from detectors.deepfake.convert import convert

    source = shared_data / "universalfakedetect_fc/pretrained_weights/fc_weights.pth"
    digest = convert("universalfakedetect", source, tmp_path / "head.safetensors")
    finding = inspected(
        tmp_path,
        f"kind: clip-linear\npath: {clip}\nsha256: {sha(clip / 'model.safetensors')}\n"
        f"head: head.safetensors\nhead_sha256: {digest}\n",
        picture(noise()),
    )
    assert finding.state == "scored"


@pytest.mark.parametrize(("label", "sign"), [(0, 1), (1, -1)])
def test_an_onnx_network(onnx: Path, tmp_path: Path, label: int, sign: int) -> None:
    pixels = noise(100, 100)
    pixels[..., 0] //= 2
    pixels[..., 1] = 255 - pixels[..., 1] // 4
    lines = (
        f"kind: image-onnx\npath: {onnx}\nsha256: {sha(onnx)}\nlabel: {label}\nside: 64\n"
        "mean: [0, 0, 0]\nspread: [0.5, 0.5, 0.5]\n"
    )
    finding = inspected(tmp_path, lines, picture(pixels))
    odds = 2 * float(pixels[..., 0].mean() - pixels[..., 1].mean()) / 255
    assert finding.score == pytest.approx(1 / (1 + np.exp(-sign * odds)), abs=0.01)


def test_covering_the_telling_corner_shows_in_the_explanation(onnx: Path, tmp_path: Path) -> None:
    pixels = noise(120, 120) // 8
    pixels[:60, :60, 0] = 250
    file = tmp_path / "detectors.yaml"
    file.write_text(
        f"detectors:\n  - {{id: mine, kind: image-onnx, path: {onnx}, sha256: {sha(onnx)}, "
        "label: 0, side: 64}\n"
    )
    detector: Any = from_file(file)["mine"]
    explanation = detector.explain(picture(pixels), UPLOAD)
    assert explanation.heat.shape == (6, 6)
    assert explanation.heat[:3, :3].min() > 0 > explanation.heat[3:, 3:].max()
    assert detector.explain(picture(np.full((80, 80, 3), 9, np.uint8)), UPLOAD) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines, _: lines.replace("label: 1", "label: cat"), "has not"),
        (lambda lines, _: _other(lines), "SHA-256"),
        (lambda lines, folder: lines.replace(str(folder), str(folder / "none")), "cannot be read"),
        (lambda lines, _: _hub(lines), "does not load"),
    ],
)
def test_weights_that_are_not_those_that_were_meant(
    vit: Path, tmp_path: Path, change: Callable[[str, Path], str], message: str
) -> None:
    lines = f"kind: image-transformers\npath: {vit}\nsha256: {sha(vit / 'model.safetensors')}\nlabel: 1"
    with pytest.raises(DetectorError, match=message):
        inspected(tmp_path, change(lines, vit), picture(noise()))


def _other(lines: str) -> str:
    head, _, _ = lines.partition("sha256:")
    return f"{head}sha256: '{'0' * 64}'\nlabel: 1"


def _hub(lines: str) -> str:
    return "kind: image-transformers\npath: nobody/nothing\nrevision: abc\nlabel: 1"


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        ("ferretnet", b"nothing", "not a safetensors file"),
        ("image-onnx", b"nothing", "no ONNX network"),
        ("ferretnet", "others", "no weights of this network"),
        ("ferretnet", "thin", "weights of another shape"),
    ],
)
def test_files_of_another_kind(tmp_path: Path, kind: str, data: bytes | str, message: str) -> None:
    if isinstance(data, str):
        from safetensors.numpy import save

        from detectors.deepfake.ferretnet import FerretNet

        names = FerretNet().state_dict() if data == "thin" else ["weight"]
        data = save({name: np.zeros(2, np.float32) for name in names if "tracked" not in name})
    (tmp_path / "weights").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    with pytest.raises(DetectorError, match=message):
        inspected(tmp_path, f"kind: {kind}\npath: weights\nsha256: {digest}", picture(noise()))


def test_a_head_of_another_width_and_none_at_all(clip: Path, tmp_path: Path) -> None:
    from safetensors.numpy import save

    data = save({"weight": np.zeros((1, 512), np.float32), "bias": np.zeros(1, np.float32)})
    (tmp_path / "head").write_bytes(data)
    lines = f"kind: clip-linear\npath: {clip}\nsha256: {sha(clip / 'model.safetensors')}\n"
    with pytest.raises(DetectorError, match="no head for this encoder"):
        inspected(
            tmp_path, f"{lines}head: head\nhead_sha256: {hashlib.sha256(data).hexdigest()}", picture(noise())
        )
    with pytest.raises(DetectorError, match="has no head"):
        inspected(tmp_path, lines, picture(noise()))


def test_pickled_weights_are_not_loaded(vit: Path, tmp_path: Path) -> None:
    import torch

    folder = tmp_path / "pickled"
    folder.mkdir()
    (folder / "config.json").write_bytes((vit / "config.json").read_bytes())
    file = io.BytesIO()
    torch.save({}, file)
    (folder / "pytorch_model.bin").write_bytes(file.getvalue())
    with pytest.raises(DetectorError, match="cannot be read"):
        inspected(
            tmp_path,
            f"kind: image-transformers\npath: {folder}\nsha256: '{'0' * 64}'\nlabel: 1",
            picture(noise()),
        )


@pytest.mark.parametrize("pixels", [noise(100, 400), np.full((300, 300, 3), 128, np.uint8)])
def test_too_small_and_plain_pictures_are_inconclusive(tmp_path: Path, pixels: Any) -> None:
    finding = inspected(tmp_path, f"kind: ferretnet\npath: none\nsha256: '{'0' * 64}'", picture(pixels))
    assert finding.state == "inconclusive"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("detectors: [{id: a, kind: magic, path: x, sha256: '%s'}]" % ("0" * 64), "kind is one of"),
        ("detectors: [{id: a, kind: ferretnet, path: x}]", "either sha256"),
        ("detectors: [{id: a, kind: ferretnet, path: x, revision: b, sha256: '%s'}]" % ("0" * 64), "either"),
        ("detectors: [{id: a, kind: clip-linear, path: x, revision: b, head: y}]", "go together"),
        ("detectors: [{id: a, kind: image-onnx, path: x, revision: b, spread: [0, 1, 1]}]", "above 0"),
        ("detectors: [{id: a, kind: ferretnet, path: x, revision: b, colour: red}]", "not a key"),
        ("detectors: [{id: A!, kind: ferretnet, path: x, revision: b}]", ":1:"),
        (
            "detectors:\n  - {id: a, kind: ferretnet, path: x, revision: b}\n"
            "  - {id: a, kind: meso4, path: x, revision: b}",
            "twice",
        ),
        ("detectors: [", "not valid YAML"),
    ],
)
def test_a_file_that_cannot_be_used_says_where(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "detectors.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        from_file(file)


def test_nothing_is_loaded_before_it_is_asked(tmp_path: Path) -> None:
    file = tmp_path / "detectors.yaml"
    file.write_text("detectors:\n" + "".join(
        f"  - {{id: d{number}, kind: {kind}, path: none, revision: main}}\n"
        for number, kind in enumerate(("ferretnet", "meso4", "mesoinception", "clip-linear", "image-onnx"))
    ))  # fmt: skip
    found = from_file(file)
    assert sorted(found) == ["d0", "d1", "d2", "d3", "d4"]
    assert all("none" in detector.card.description for detector in found.values())
    assert str(tmp_path) not in repr([detector.card for detector in found.values()])


@pytest.mark.parametrize(
    ("more", "message"),
    [("label: 2\nside: 64", "2 outputs, none with the number 2"), ("label: 0\nside: 96", "does not run")],
)
def test_an_onnx_network_that_is_asked_for_what_it_cannot(
    onnx: Path, tmp_path: Path, more: str, message: str
) -> None:
    with pytest.raises(DetectorError, match=message):
        inspected(tmp_path, f"kind: image-onnx\npath: {onnx}\nsha256: {sha(onnx)}\n{more}", picture(noise()))


def test_an_onnx_network_of_one_output_gives_its_logit(onnx: Path, tmp_path: Path) -> None:
    from onnx import load_model, numpy_helper, save

    model = load_model(onnx)
    model.graph.initializer[1].CopyFrom(numpy_helper.from_array(np.array([0], np.int64), "which"))
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 1
    save(model, tmp_path / "one.onnx")
    pixels = noise(64, 64)
    lines = f"kind: image-onnx\npath: one.onnx\nsha256: {sha(tmp_path / 'one.onnx')}\nside: 64"
    finding = inspected(tmp_path, lines, picture(pixels))
    assert finding.score == pytest.approx(1 / (1 + np.exp(-pixels[..., 0].mean() / 255)), abs=1e-4)


def test_a_classifier_with_one_output(vit: Path, tmp_path: Path) -> None:
    import torch
    from transformers import ViTForImageClassification

    folder = tmp_path / "one"
    model = ViTForImageClassification.from_pretrained(vit, num_labels=1, ignore_mismatched_sizes=True)
    torch.nn.init.zeros_(model.classifier.weight)
    torch.nn.init.constant_(model.classifier.bias, 1.5)
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_bytes((vit / "preprocessor_config.json").read_bytes())
    lines = f"kind: image-transformers\npath: {folder}\nsha256: {sha(folder / 'model.safetensors')}"
    assert inspected(tmp_path, lines, picture(noise())).score == pytest.approx(
        1 / (1 + np.exp(-1.5)), abs=1e-5
    )


@pytest.mark.parametrize(
    ("module", "kind"), [("transformers", "image-transformers"), ("safetensors", "ferretnet")]
)
def test_missing_packages_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, kind: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / "weights").write_bytes(b"")
    digest = hashlib.sha256(b"").hexdigest()
    with pytest.raises(MissingExtraError, match=r"\[local\]"):
        inspected(tmp_path, f"kind: {kind}\npath: weights\nsha256: '{digest}'\nlabel: 1", picture(noise()))


def test_the_file_that_the_environment_names_adds_to_the_installed_detectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "detectors.yaml"
    file.write_text("detectors:\n  - {id: mine, kind: ferretnet, path: none, revision: main}\n")
    monkeypatch.setenv(FILE, str(file))
    assert load("mine").card.id == "mine"
    loaded = load_all()
    assert {"mine", "blocklist"} <= set(loaded.detectors)
    with pytest.raises(DetectorError, match=r"Installed: .*blocklist.*mine"):
        load("yours")
    file.write_text("detectors: [{id: mine}]")
    assert "blocklist" in load_all().detectors
    assert "detectors.yaml:1:" in str(load_all().broken[FILE])


def test_the_command_converts_and_tells_the_hash(tmp_path: Path, shared_data: Path) -> None:
    from typer.testing import CliRunner

    from guard.cli.detectors import app

    source = shared_data / "universalfakedetect_fc/pretrained_weights/fc_weights.pth"
    out = tmp_path / "head.safetensors"
    result = CliRunner().invoke(
        app, ["convert", "universalfakedetect", str(source), "--out", str(out), "--json"]
    )
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["sha256"] == sha(out)
