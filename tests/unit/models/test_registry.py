from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from guard.errors import ConfigurationError, GenerationError, ModelNotFoundError
from guard.media import Modality
from models.registry import NAMES, load
from models.upstream import Upstream


@pytest.mark.parametrize(
    ("asked", "makes"),
    [
        (Modality.IMAGE, Modality.IMAGE),
        (Modality.AUDIO, Modality.AUDIO),
        (Modality.TEXT, Modality.IMAGE),
        (Modality.VIDEO, Modality.IMAGE),
    ],
)
def test_the_built_in_model_makes_pictures_unless_asked_for_sound(asked: Modality, makes: Modality) -> None:
    assert load("scene", modality=asked).card.modality is makes
    assert load("scene").card.modality is Modality.IMAGE


@pytest.mark.parametrize("modality", [Modality.TEXT, Modality.IMAGE])
def test_a_model_behind_an_api(modality: Modality) -> None:
    model = load(
        "upstream:org/m:free", modality=modality, upstream=partial(Upstream, "http://127.0.0.1:9/v1")
    )
    assert (model.card.name, model.card.modality) == ("org/m:free", modality)


def test_a_model_behind_an_api_that_is_not_set() -> None:
    with pytest.raises(ConfigurationError, match="none is set"):
        load("upstream:m")


def test_an_api_has_no_video() -> None:
    with pytest.raises(GenerationError):
        load("upstream:m", modality=Modality.VIDEO, upstream=partial(Upstream, "http://127.0.0.1:9/v1"))


@pytest.mark.heavy
def test_a_language_model_on_disk(text_folder: Path) -> None:
    assert load(f"local:{text_folder}").card.modality is Modality.TEXT


@pytest.mark.heavy
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_a_picture_model_on_disk(image_folder: Path) -> None:
    assert load(f"local:{image_folder}").card.modality is Modality.IMAGE


@pytest.mark.parametrize("name", ["", "nonesuch", "scene:", "Scene", "local:", "upstream:", "local", ":x"])
def test_an_unknown_name_is_told_what_there_is(name: str) -> None:
    with pytest.raises(ModelNotFoundError) as caught:
        load(name)
    assert all(known in caught.value.remedy for known in NAMES)


def test_a_folder_that_is_not_there() -> None:
    with pytest.raises(ModelNotFoundError, match="No model lies at /no/such/folder"):
        load("local:/no/such/folder")


def test_the_registry_alone_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'transformers', 'httpx2', 'cv2'}"
    code = f"import sys, models.registry; print(sorted({heavy} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "[]"
