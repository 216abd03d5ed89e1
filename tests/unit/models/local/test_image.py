from __future__ import annotations

import os
import pickle
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guard.errors import (
    GenerationError,
    InputError,
    MissingExtraError,
    ModelNotFoundError,
    UnsupportedMediaError,
)
from guard.media import Artifact, Modality
from models.base import GenerationRequest
from models.local.checkpoint import locate
from models.local.image import LocalImage

pytestmark = [
    pytest.mark.heavy,
    # Kolors, a pipeline that diffusers imports beside the one asked for, compiles a function the old way.
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def model(image_folder: Path) -> LocalImage:
    return LocalImage(locate(str(image_folder)))


def asks(
    *, n: int = 1, seed: int | None = 3, mime: str | None = None, **parameters: Any
) -> GenerationRequest:
    return GenerationRequest("boat", Modality.IMAGE, n, seed, mime, parameters={"steps": 1, **parameters})


def pixels(artifact: Artifact) -> np.ndarray[Any, Any]:
    return artifact.picture.frames[0]


def test_the_card_names_version_and_weights(model: LocalImage) -> None:
    assert (model.card.modality, model.card.provider, model.card.licence) == (
        Modality.IMAGE,
        "local",
        "unknown",
    )
    assert model.card.sha256 is not None


def test_a_picture_comes_as_png_of_the_pipelines_own_size(model: LocalImage) -> None:
    [artifact] = model.generate(asks())
    assert artifact.mime == "image/png"
    assert Artifact.from_bytes(artifact.data) == artifact
    assert pixels(artifact).shape == (64, 64, 3)
    assert pixels(artifact).std() > 1


def test_each_picture_of_a_seed_can_be_made_again_alone(model: LocalImage) -> None:
    together = model.generate(asks(n=2, seed=3))
    assert len(together) == 2
    for seed, picture in zip((3, 4), together, strict=True):
        alone = pixels(model.generate(asks(seed=seed))[0]).astype(int)
        # A batch adds up in another order than a single picture, which may turn a last bit.
        assert np.abs(alone - pixels(picture)).max() <= 1
    assert together[0].data != together[1].data


def test_without_a_seed_pictures_differ(model: LocalImage) -> None:
    assert model.generate(asks(seed=None))[0].data != model.generate(asks(seed=None))[0].data


def test_size_steps_guidance_and_negative_prompt_have_an_effect(model: LocalImage) -> None:
    [plain] = model.generate(asks(steps=2))
    [wide] = model.generate(asks(size="80x48"))
    assert pixels(wide).shape == (48, 80, 3)
    for parameters in (
        {"steps": 3},
        {"steps": 2, "guidance": 1},
        {"steps": 2, "negative_prompt": "boa bo t"},
    ):
        assert model.generate(asks(**parameters))[0].data != plain.data


def test_without_parameters_the_pipelines_own_defaults_hold(model: LocalImage) -> None:
    [default] = model.generate(GenerationRequest("boat", Modality.IMAGE, seed=3))
    assert default.data == model.generate(asks(steps=50, guidance=7.5, size="64x64"))[0].data


def test_another_type_may_be_asked_for(model: LocalImage) -> None:
    assert model.generate(asks(mime="image/webp"))[0].mime == "image/webp"
    with pytest.raises(UnsupportedMediaError):
        model.generate(asks(mime="image/x-unheard-of"))


@pytest.mark.parametrize(
    "parameters",
    [
        {"size": "65x64"},
        {"size": "0x64"},
        {"size": "8192x64"},
        {"size": "large"},
        {"steps": 0},
        {"steps": 2.5},
        {"guidance": -1},
        {"quality": "hd"},
    ],
)
def test_wrong_parameters_are_the_callers_fault(model: LocalImage, parameters: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        model.generate(asks(**parameters))


def test_a_model_that_fails_is_a_generation_error(model: LocalImage) -> None:
    with pytest.raises(GenerationError, match="failed"):
        model.generate(
            GenerationRequest("boat", Modality.IMAGE, parameters={"steps": 1000, "size": "8x8"}, n=0)
        )


def test_numbers_that_are_none_are_no_black_picture(image_folder: Path) -> None:
    import torch

    model = LocalImage(locate(str(image_folder)))
    with torch.no_grad():
        model._pipeline.vae.post_quant_conv.weight.fill_(float("nan"))
    with pytest.raises(GenerationError, match="numbers that are none"):
        model.generate(asks())


def test_a_picture_that_the_models_own_checker_held_back_is_an_error(
    image_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = LocalImage(locate(str(image_folder)))
    pipeline = type(model._pipeline)
    monkeypatch.setattr(pipeline, "run_safety_checker", lambda self, image, *_: (image, [False, True]))
    with pytest.raises(GenerationError, match="safety checker"):
        model.generate(asks(n=2))


class Bomb:
    """A pickle that leaves a file behind where it is opened."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, Sequence[Any]]:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("unet", "diffusion_pytorch_model"),
        ("vae", "diffusion_pytorch_model"),
        ("text_encoder", "pytorch_model"),
    ],
)
def test_pickled_weights_are_never_opened(image_folder: Path, tmp_path: Path, part: str, name: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(image_folder, folder)
    [weights] = (folder / part).glob("*.safetensors")
    weights.unlink()
    (folder / part / f"{name}.bin").write_bytes(pickle.dumps(Bomb(tmp_path / "opened")))
    with pytest.raises(ModelNotFoundError, match="does not load"):
        LocalImage(locate(str(folder)))
    assert not (tmp_path / "opened").exists()


def test_a_pipeline_that_makes_no_pictures_from_text_is_refused(image_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(image_folder, tmp_path, dirs_exist_ok=True)
    index = tmp_path / "model_index.json"
    index.write_text(index.read_text().replace("StableDiffusionPipeline", "DDPMPipeline"))
    with pytest.raises(ModelNotFoundError, match="does not load as a text-to-image pipeline"):
        LocalImage(locate(str(tmp_path)))


def test_without_the_extra_it_says_what_to_install(
    image_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = locate(str(image_folder))
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(MissingExtraError, match=r"guard-provenance\[local\]"):
        LocalImage(checkpoint)
