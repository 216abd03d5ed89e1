"""Whisper on a tiny checkpoint."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guard.errors import GenerationError, InputError, MissingExtraError, ModelNotFoundError
from guard.media import Artifact, Modality
from guard.media.stream import Samples
from models.base import Transcriber
from models.local.checkpoint import Checkpoint
from models.local.transcribe import LocalTranscriber
from models.registry import load_transcriber
from tests.unit.models.sounding import build_whisper

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    torch.manual_seed(0)
    return build_whisper(tmp_path_factory.mktemp("whisper"))


@pytest.fixture(scope="module")
def model(folder: Path) -> Transcriber:
    return load_transcriber(f"local:{folder}")


def sound(seconds: float, rate: int = 22050, channels: int = 2) -> Artifact:
    noise = np.random.default_rng(0).normal(0, 0.1, (round(seconds * rate), channels))
    return Artifact.from_samples(Samples(rate, noise.astype(np.float32)), "audio/wav")


def test_it_writes_down_words_with_their_times(model: Transcriber) -> None:
    found = model.transcribe(sound(2), language="de")
    assert found.language == "de"
    assert found.text
    assert set(found.text) <= set("boat ")
    assert found.text == " ".join(segment.text for segment in found.segments if segment.text)
    for segment in found.segments:
        assert 0 <= segment.start < segment.end <= 2


def test_sound_longer_than_a_window_is_read_to_its_end(model: Transcriber) -> None:
    found = model.transcribe(sound(40, 8000, 1), language="en")
    assert 30 < found.segments[-1].end <= 40
    starts = [segment.start for segment in found.segments]
    assert starts == sorted(starts)


def test_it_says_the_same_again_and_tells_the_language_by_itself(model: Transcriber) -> None:
    first, second = (model.transcribe(sound(1)) for _ in range(2))
    assert first == second
    assert first.language is None


@pytest.mark.parametrize("language", ["xx", "", "<|en|>"])
def test_a_language_it_does_not_know(model: Transcriber, language: str) -> None:
    with pytest.raises(InputError, match="does not know the language") as caught:
        model.transcribe(sound(1), language=language)
    assert "en, de" in caught.value.remedy


def test_a_model_of_english_alone(tmp_path: Path) -> None:
    model = load_transcriber(f"local:{build_whisper(tmp_path, multilingual=False)}")
    assert model.transcribe(sound(1), language="en").segments
    with pytest.raises(InputError, match="knows English alone, not de"):
        model.transcribe(sound(1), language="de")


def test_the_card_names_version_and_weights(model: Transcriber, folder: Path) -> None:
    assert (model.card.name, model.card.provider) == (folder.name, "local")
    assert model.card.sha256


def test_a_model_that_breaks_is_an_error_of_ours(model: Transcriber, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(**_: Any) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(model._model, "generate", breaks)  # type: ignore[attr-defined]
    with pytest.raises(GenerationError, match="failed: out of memory"):
        model.transcribe(sound(1))


@pytest.mark.parametrize("gone", ["model.safetensors", "tokenizer.json", "processor_config.json"])
def test_an_incomplete_checkpoint_does_not_load(folder: Path, tmp_path: Path, gone: str) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / gone).unlink()
    with pytest.raises(ModelNotFoundError, match="does not load as a transcriber"):
        load_transcriber(f"local:{copy}")


def test_a_checkpoint_of_another_kind(text_folder: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="does not load as a transcriber"):
        load_transcriber(f"local:{text_folder}")


@pytest.mark.parametrize("name", ["", "whisper", "local:", "upstream:whisper-1", "scene"])
def test_a_name_of_another_form(name: str) -> None:
    with pytest.raises(ModelNotFoundError, match="No transcriber goes by the name"):
        load_transcriber(name)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError):
        LocalTranscriber(Checkpoint("x", tmp_path, Modality.TEXT))
