"""Unsafe pictures: not screened until a checkpoint is plugged in, and then by the labels that it is given."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from detectors.base import Context, Finding
from detectors.plugged import from_file
from detectors.run import inspect_all
from detectors.unsafe import Unscreened
from guard.errors import ConfigurationError
from guard.media import Modality
from policies import Action, Facts, loads
from tests.pictures import png

CONTEXT = Context("output")
POLICY = loads(
    "name: p\nversion: 1\nrules:\n"
    "- {id: unsafe, when: 'scores[\"unsafe_image\"] >= 0.5', action: block, reason: unsafe}\n"
    "- {id: not-screened, when: '\"unsafe_image\" in inconclusive', action: review, reason: nobody looked}\n"
)


def decided(findings: list[Finding]) -> tuple[Action, str | None]:
    facts = Facts(
        "output",
        Modality.IMAGE,
        scores={f.signal: f.score for f in findings if f.score is not None},
        inconclusive={f.signal: f.inconclusive for f in findings if f.inconclusive},
    )
    decision = POLICY.decide(facts)
    return decision.action, decision.rule


def test_a_policy_is_told_that_nobody_looked() -> None:
    findings = inspect_all([Unscreened()], png(), CONTEXT)
    assert [f.state for f in findings] == ["inconclusive"]
    assert findings[0].inconclusive.startswith("Not screened")
    assert decided(findings) == (Action.REVIEW, "not-screened")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of four classes in the hub's format, with random weights."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("vit")
    config = ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=32,
        patch_size=16, id2label=dict(enumerate(("neutral", "drawing", "nude", "gore"))),
    )  # fmt: skip
    ViTForImageClassification(config).save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def plugged(folder: Path, checkpoint: Path | None, rest: str) -> Finding:
    weights = checkpoint / "model.safetensors" if checkpoint else None
    digest = hashlib.sha256(weights.read_bytes()).hexdigest() if weights else "0" * 64
    file = folder / "detectors.yaml"
    file.write_text(
        f"detectors:\n- id: mine\n  kind: unsafe-transformers\n  path: '{checkpoint or folder}'\n"
        f"  sha256: '{digest}'\n  {rest}\n"
    )
    return inspect_all([from_file(file)["mine"]], png(), CONTEXT)[0]


@pytest.mark.heavy
def test_the_probabilities_of_its_labels_add_up(tmp_path: Path, checkpoint: Path) -> None:
    nude, gore, both = (
        plugged(tmp_path, checkpoint, f"labels: {labels}").score
        for labels in ("[nude]", "[gore]", "[nude, 3]")
    )
    assert nude is not None
    assert gore is not None
    assert both == pytest.approx(nude + gore, abs=1e-5)
    finding = plugged(tmp_path, checkpoint, "labels: [nude]")
    assert (finding.signal, finding.likelihood_ratio) == ("unsafe_image", None)


@pytest.mark.heavy
def test_its_score_takes_the_place_of_the_stand_in(tmp_path: Path, checkpoint: Path) -> None:
    found = plugged(tmp_path, checkpoint, "labels: [nude, gore, drawing]")
    assert found.score is not None
    assert np.isclose(found.score, 0.75, atol=0.2)
    assert decided([*inspect_all([Unscreened()], png(), CONTEXT), found])[1] == "unsafe"


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("labels", "message"),
    [("[violence]", "violence"), ("[neutral, drawing, nude, gore]", "Every class")],
)
def test_labels_that_do_not_fit_are_a_failure_in_plain_words(
    tmp_path: Path, checkpoint: Path, labels: str, message: str
) -> None:
    finding = plugged(tmp_path, checkpoint, f"labels: {labels}")
    assert finding.error is not None
    assert message in finding.error


@pytest.mark.parametrize(
    ("rest", "message"),
    [("threshold: 0.5", "no class"), ("labels: [nude]\n  signal: synthetic", "signal")],
)
def test_an_entry_that_makes_no_sense_is_refused(tmp_path: Path, rest: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        plugged(tmp_path, None, rest)


@pytest.mark.parametrize(("label", "rule"), [(1, "unsafe"), (0, None)])
def test_a_network_in_onnx_takes_the_place_of_the_stand_in_too(
    tmp_path: Path, label: int, rule: str | None
) -> None:
    network = tmp_path / "network.onnx"
    network.write_bytes(bright_or_dark())
    (tmp_path / "detectors.yaml").write_text(
        f"detectors:\n- id: mine\n  kind: image-onnx\n  path: {network.name}\n  signal: unsafe_image\n"
        f"  sha256: '{hashlib.sha256(network.read_bytes()).hexdigest()}'\n  label: {label}\n  side: 64\n"
    )
    mine = from_file(tmp_path / "detectors.yaml")["mine"]
    findings = inspect_all([Unscreened(), mine], png(), CONTEXT)
    assert [f.signal for f in findings] == ["unsafe_image", "unsafe_image"]
    assert decided([finding for finding in findings if finding.state == "scored"])[1] == rule


def bright_or_dark() -> bytes:
    """An ONNX network with two classes: the second is likelier the brighter the picture is."""
    from onnx import TensorProto, helper

    weights = helper.make_tensor("weights", TensorProto.FLOAT, [3, 2], [-5.0, 5.0] * 3)
    nodes = [
        helper.make_node("ReduceMean", ["picture"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "bright",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 2])],
        [weights],
    )
    opset = [helper.make_opsetid("", 17)]
    return bytes(helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString())
