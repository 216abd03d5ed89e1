from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from detectors.deepfake.convert import PUBLISHED, convert
from guard.errors import InputError, MissingExtraError
from tests.unit.detectors.deepfake.golden_images import OUT, crop

pytestmark = pytest.mark.heavy

GOLDEN = json.loads(OUT.read_text(encoding="utf-8"))["logits"]
SOURCES = {
    "ferretnet-s": "ferretnet/checkpoints/4cls_ckpt/ferretnet-s-median-3.pth",
    "meso4-df": "mesonet/weights/Meso4_DF.h5",
    "meso4-f2f": "mesonet/weights/Meso4_F2F.h5",
    "mesoinception-df": "mesonet/weights/MesoInception_DF.h5",
    "mesoinception-f2f": "mesonet/weights/MesoInception_F2F.h5",
    "universalfakedetect": "universalfakedetect_fc/pretrained_weights/fc_weights.pth",
}
SHA256 = {
    "ferretnet-s": "c08117f87e89278a7662d09676e114cb31947239837d95de3bb62c74c1a3b5fb",
    "meso4-df": "8ef7c1c06eac08de8e2e6f08082e1ad79e1debd2206c8431c8faec1f1d3e3834",
    "meso4-f2f": "2b62d7695831cc6ee58481662ee580293ae60773e0241ea79927fe7bff7141ec",
    "mesoinception-df": "421bd9f5401f4e1ba25ef8b144994808484e029ba12d14dde64e893e3519a31e",
    "mesoinception-f2f": "2fd40ae49d8deafa1ffb3c59f9b6f0afa28b5d317e8694944374f7068b917bde",
    "universalfakedetect": "8e65181a0dc19c0675945df9b0b088b7f17197bfb95738362df420e0b330aa8a",
}


def entry(name: str, path: Path) -> dict[str, str]:
    kind = "ferretnet" if name == "ferretnet-s" else name.partition("-")[0]
    return {"id": name, "kind": kind, "path": str(path), "sha256": SHA256[name]}


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_converted_weights_answer_as_the_second_computation_does(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    from detectors.deepfake.plugged_image import FerretNetImage, MesoNetFace
    from detectors.plugged import Entry

    target = tmp_path / "weights.safetensors"
    assert convert(name, shared_data / SOURCES[name], target) == SHA256[name]
    made = Entry.model_validate(entry(name, target))
    network = FerretNetImage(made) if name == "ferretnet-s" else MesoNetFace(made)
    sign = 1 if name == "ferretnet-s" else -1
    pictures = [crop(shared_data / "photos_kodak" / file) for file in GOLDEN[name]]
    np.testing.assert_allclose(
        network.raw(pictures), sign * np.array(list(GOLDEN[name].values())), rtol=0, atol=1e-4
    )


def test_faces_of_the_paper_are_told_apart(shared_data: Path, tmp_path: Path) -> None:
    from detectors.base import Context
    from detectors.deepfake.plugged_image import MesoNetFace
    from detectors.plugged import Entry
    from guard.media import Artifact

    target = tmp_path / "weights.safetensors"
    convert("meso4-df", shared_data / SOURCES["meso4-df"], target)
    detector = MesoNetFace(Entry.model_validate(entry("meso4-df", target)))
    scores = {
        path.parent.name: detector.inspect(Artifact.from_path(path), Context("upload"))[0].score or 0.0
        for path in sorted((shared_data / "mesonet/test_images").glob("*/*.jpg"))
    }
    assert scores["df"] > 0.5 > scores["real"]


def test_the_linear_head_comes_whole(shared_data: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    target = tmp_path / "head.safetensors"
    assert (
        convert("universalfakedetect", shared_data / SOURCES["universalfakedetect"], target)
        == SHA256["universalfakedetect"]
    )
    assert {key: value.shape for key, value in load_file(target).items()} == {
        "weight": (1, 768),
        "bias": (1,),
    }


def test_another_file_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    (tmp_path / "evil.pth").write_bytes(b"\x80\x02cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(InputError, match="has the SHA-256"):
        convert("ferretnet-s", tmp_path / "evil.pth", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        convert("ferretnet-s", tmp_path / "none.pth", tmp_path / "out")
    with pytest.raises(InputError, match=r"Known: .*ferretnet-s, meso4-df"):
        convert("xception", tmp_path / "none.pth", tmp_path / "out")


def test_a_missing_package_is_named(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match="h5py"):
        convert("meso4-df", shared_data / SOURCES["meso4-df"], tmp_path / "out")


def test_every_published_file_names_source_and_licence() -> None:
    assert set(PUBLISHED) >= set(SOURCES)
    for published in PUBLISHED.values():
        assert published.source.startswith("https://")
        assert published.licence.startswith(("Apache-2.0", "MIT"))
