"""Speech and music models on tiny checkpoints of each family."""

from __future__ import annotations

import json
import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guard.errors import GenerationError, InputError, MissingExtraError, ModelNotFoundError
from guard.media import Artifact, Modality
from models.base import GenerationRequest, Generator
from models.local.checkpoint import Checkpoint, card_of, locate
from models.local.sound import LocalSound
from models.registry import load
from tests.unit.models.sounding import (
    VOICE_SIZE,
    build_bark,
    build_musicgen,
    build_speecht5,
    build_vits,
    build_vocoder,
)

pytestmark = pytest.mark.heavy

BUILDERS: dict[str, Callable[[Path], Path]] = {
    "vits": build_vits,
    "speecht5": build_speecht5,
    "bark": build_bark,
    "musicgen": build_musicgen,
}
RATES = {"vits": 16000, "speecht5": 16000, "bark": 24000, "musicgen": 32000}
WORDS = "red boat"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One checkpoint of each family; SpeechT5's has two voices."""
    import torch

    torch.manual_seed(0)
    made = {name: build(tmp_path_factory.mktemp(name)) for name, build in BUILDERS.items()}
    add_voices(made["speecht5"])
    return made


@pytest.fixture(scope="module")
def models(folders: dict[str, Path]) -> dict[str, Generator]:
    return {name: load(f"local:{folder}") for name, folder in folders.items()}


def add_voices(folder: Path) -> None:
    from safetensors.numpy import save_file

    (folder / "voices").mkdir()
    vector = np.linspace(-1, 1, VOICE_SIZE, dtype=np.float32)
    np.save(folder / "voices" / "ann.npy", vector)
    save_file({"xvector": -vector[None]}, folder / "voices" / "bob.safetensors")


def asks(prompt: str = WORDS, *, n: int = 1, seed: int | None = 3, **parameters: Any) -> GenerationRequest:
    if parameters.pop("short", False):
        parameters["seconds"] = 1
    return GenerationRequest(prompt, Modality.AUDIO, n, seed, parameters=parameters)


def quick(family: str, **options: Any) -> GenerationRequest:
    """A request that takes no family long."""
    return asks(**options, short=family == "musicgen")


def heard(model: Generator, request: GenerationRequest) -> np.ndarray[Any, Any]:
    [artifact] = model.generate(request)
    return artifact.samples.data


@pytest.mark.parametrize("family", BUILDERS)
def test_each_family_makes_a_wav_at_its_own_rate(models: dict[str, Generator], family: str) -> None:
    [artifact] = models[family].generate(quick(family))
    assert (artifact.modality, artifact.mime) == (Modality.AUDIO, "audio/wav")
    assert Artifact.from_bytes(artifact.data) == artifact
    assert artifact.samples.rate == RATES[family]
    assert artifact.samples.data.shape[1] == 1
    assert artifact.samples.data.std() > 1e-4


@pytest.mark.parametrize("family", BUILDERS)
def test_the_card_names_version_and_weights(
    models: dict[str, Generator], folders: dict[str, Path], family: str
) -> None:
    card = models[family].card
    assert (card.modality, card.provider, card.name) == (Modality.AUDIO, "local", folders[family].name)
    assert card.sha256 == card_of(locate(str(folders[family]))).sha256
    assert ("vocoder" in card.description) is (family == "speecht5")


@pytest.mark.parametrize("family", ["vits", "bark", "musicgen"])
def test_each_sound_of_a_seed_can_be_made_again_alone(models: dict[str, Generator], family: str) -> None:
    together = models[family].generate(quick(family, n=2, seed=3))
    alone = [models[family].generate(quick(family, seed=seed))[0] for seed in (3, 4)]
    assert [one.sha256 for one in together] == [one.sha256 for one in alone]
    assert together[0] != together[1]


@pytest.mark.parametrize("family", ["vits", "bark", "musicgen"])
def test_without_a_seed_sounds_differ(models: dict[str, Generator], family: str) -> None:
    request = quick(family, seed=None)
    assert models[family].generate(request) != models[family].generate(request)


@pytest.mark.parametrize("family", BUILDERS)
@pytest.mark.parametrize("prompt", ["", " \n"])
def test_an_empty_text_is_refused(models: dict[str, Generator], family: str, prompt: str) -> None:
    with pytest.raises(InputError, match="text is empty"):
        models[family].generate(asks(prompt))


@pytest.mark.parametrize(
    ("family", "prompt"),
    [
        ("vits", "boat " * 2000),
        ("speecht5", "boat " * 30),
        ("bark", "boat " * 17),
        ("musicgen", "boat " * 513),
    ],
)
def test_a_text_too_long_is_refused_with_both_numbers(
    models: dict[str, Generator], family: str, prompt: str
) -> None:
    with pytest.raises(InputError, match=r"has \d+ tokens; the model takes \d+"):
        models[family].generate(asks(prompt))


@pytest.mark.parametrize("family", ["vits"])
def test_a_text_without_a_letter_the_model_knows_is_refused(
    models: dict[str, Generator], family: str
) -> None:
    with pytest.raises(InputError, match="nothing that this model can say"):
        models[family].generate(asks("!?…"))


@pytest.mark.parametrize(
    ("family", "parameters", "message"),
    [
        ("vits", {"speed": 9}, "speed must be a number from 0.25 to 4"),
        ("vits", {"speed": "fast"}, "speed must be a number"),
        ("vits", {"temperature": 1}, "no parameter temperature"),
        ("vits", {"voice": "3"}, "no voice '3'"),
        ("vits", {"voice": 0}, "no voice 0"),
        ("speecht5", {"voice": "../ann"}, "no voice"),
        ("speecht5", {"voice": ["ann"]}, "no voice"),
        ("speecht5", {"speed": 1}, "no parameter speed"),
        ("bark", {"voice": "v2/nobody"}, "no voice"),
        ("bark", {"voice": "/etc/passwd"}, "no voice"),
        ("bark", {"temperature": 0}, "temperature must be a number from 0.1 to 2"),
        ("musicgen", {"seconds": 0.5}, "seconds must be a number from 1 to 30"),
        ("musicgen", {"seconds": 31}, "seconds must be a number from 1 to 30"),
        ("musicgen", {"guidance": 0}, "guidance must be a number from 1 to 10"),
        ("musicgen", {"voice": "0"}, "no parameter voice"),
    ],
)
def test_wrong_parameters_are_told_plainly(
    models: dict[str, Generator], family: str, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        models[family].generate(asks(**parameters))


def test_speed_and_voice_have_an_effect_on_vits(models: dict[str, Generator]) -> None:
    plain, fast, other = (
        heard(models["vits"], asks(**options)) for options in ({}, {"speed": 4}, {"voice": "2"})
    )
    assert len(fast) < len(plain)
    assert np.array_equal(plain, heard(models["vits"], asks(voice="0")))
    assert plain.shape != other.shape or not np.array_equal(plain, other)


def test_a_vits_of_one_speaker_has_no_voices(tmp_path: Path) -> None:
    model = load(f"local:{build_vits(tmp_path, speakers=1)}")
    assert len(heard(model, asks()))
    with pytest.raises(InputError, match="has one voice"):
        model.generate(asks(voice="0"))


def test_speecht5_takes_its_first_voice_unless_told(models: dict[str, Generator]) -> None:
    model = models["speecht5"]
    first, ann, bob = (heard(model, asks(**told)) for told in ({}, {"voice": "ann"}, {"voice": "bob"}))
    assert np.array_equal(first, ann)
    assert ann.shape != bob.shape or not np.array_equal(ann, bob)


def test_speecht5_without_voices_says_where_they_go(tmp_path: Path) -> None:
    model = load(f"local:{build_speecht5(tmp_path)}")
    with pytest.raises(InputError, match="no voices") as caught:
        model.generate(asks())
    assert ".npy" in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("ann.npy", np.zeros(3), "not 8"),
        ("ann.npy", np.full(VOICE_SIZE, np.nan), "not 8"),
        ("ann.npy", np.array([{"a": 1}], dtype=object), "cannot be read"),
        ("ann.npy", pickle.dumps([1.0] * VOICE_SIZE), "cannot be read"),
        ("ann.safetensors", b"not a tensor", "cannot be read"),
    ],
)
def test_a_bad_voice_file_is_told_plainly(
    folders: dict[str, Path], tmp_path: Path, name: str, content: Any, message: str
) -> None:
    folder = shutil.copytree(folders["speecht5"], tmp_path / "copy")
    shutil.rmtree(folder / "voices")
    (folder / "voices").mkdir()
    if isinstance(content, bytes):
        (folder / "voices" / name).write_bytes(content)
    else:
        np.save(folder / "voices" / name, content, allow_pickle=True)
    with pytest.raises(InputError, match=message):
        load(f"local:{folder}").generate(asks(voice="ann"))


def test_voice_and_temperature_have_an_effect_on_bark(models: dict[str, Generator]) -> None:
    bark = models["bark"]
    made = [
        bark.generate(asks(**options))[0].sha256
        for options in ({}, {"voice": "v2/en_speaker_6"}, {"temperature": 0.1}, {"temperature": 2})
    ]
    assert len(set(made)) == 4


def test_a_bark_preset_of_the_wrong_shape(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(folders["bark"], tmp_path / "copy")
    np.save(folder / "speaker_embeddings" / "v2" / "en_speaker_6_coarse_prompt.npy", np.zeros(3))
    with pytest.raises(InputError, match="coarse_prompt of 1 dimensions and float64"):
        load(f"local:{folder}").generate(asks(voice="v2/en_speaker_6"))


@pytest.mark.parametrize("seconds", [1, 1.5])
def test_music_lasts_as_long_as_asked(models: dict[str, Generator], seconds: float) -> None:
    [artifact] = models["musicgen"].generate(asks(seconds=seconds))
    assert artifact.samples.duration == pytest.approx(seconds, abs=0.03)


def test_guidance_and_temperature_have_an_effect_on_music(models: dict[str, Generator]) -> None:
    made = {
        models["musicgen"].generate(asks(seconds=1, **options))[0].sha256
        for options in ({}, {"guidance": 9}, {"temperature": 0.1})
    }
    assert len(made) == 3


def test_another_format_can_be_asked_for(models: dict[str, Generator]) -> None:
    request = GenerationRequest(WORDS, Modality.AUDIO, 1, 3, "audio/flac")
    [artifact] = models["vits"].generate(request)
    assert artifact.mime == "audio/flac"


@pytest.mark.parametrize("wave", [[], [float("nan")] * 9, [float("inf")] * 9])
def test_a_model_that_makes_no_sound_is_an_error(
    models: dict[str, Generator], monkeypatch: pytest.MonkeyPatch, wave: list[float]
) -> None:
    import torch

    monkeypatch.setattr(models["vits"]._engine, "plan", lambda *_: lambda: torch.tensor([wave]))  # type: ignore[attr-defined]
    with pytest.raises(GenerationError, match="gave no sound"):
        models["vits"].generate(asks())


def test_a_model_louder_than_full_scale_is_turned_down(
    models: dict[str, Generator], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    loud = torch.linspace(-4, 4, 1600)
    monkeypatch.setattr(models["vits"]._engine, "plan", lambda *_: lambda: loud)  # type: ignore[attr-defined]
    wave = heard(models["vits"], asks())[:, 0]
    assert np.allclose(wave, np.linspace(-1, 1, 1600), atol=1e-4)


def test_a_model_that_breaks_is_an_error_of_ours(
    models: dict[str, Generator], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks() -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(models["vits"]._engine, "plan", lambda *_: breaks)  # type: ignore[attr-defined]
    with pytest.raises(GenerationError, match=r"failed: out of memory"):
        models["vits"].generate(asks())


@pytest.mark.parametrize("family", BUILDERS)
def test_without_a_tokenizer_it_does_not_load(folders: dict[str, Path], tmp_path: Path, family: str) -> None:
    folder = shutil.copytree(folders[family], tmp_path / "copy")
    for name in ("tokenizer.json", "vocab.json", "spm_char.model"):
        (folder / name).unlink(missing_ok=True)
    with pytest.raises(ModelNotFoundError, match="there is no tokenizer"):
        load(f"local:{folder}")


@pytest.mark.parametrize("family", BUILDERS)
def test_pickled_weights_are_not_loaded(folders: dict[str, Path], tmp_path: Path, family: str) -> None:
    import torch

    folder = shutil.copytree(folders[family], tmp_path / "copy")
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(ModelNotFoundError, match="does not load as a sound model"):
        load(f"local:{folder}")


def test_speecht5_finds_a_vocoder_in_the_hubs_cache(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    folder = shutil.copytree(folders["speecht5"], tmp_path / "copy")
    shutil.rmtree(folder / "vocoder")
    with pytest.raises(ModelNotFoundError, match="microsoft/speecht5_hifigan is not on this machine"):
        load(f"local:{folder}")
    home = tmp_path / "hub" / "models--microsoft--speecht5_hifigan"
    (home / "refs").mkdir(parents=True)
    commit = "0123456789abcdef0123456789abcdef01234567"
    (home / "refs" / "main").write_text(commit)
    build_vocoder(home / "snapshots" / commit)
    assert "microsoft/speecht5_hifigan" in load(f"local:{folder}").card.description


def test_a_checkpoint_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    with pytest.raises(ModelNotFoundError, match="does not load as a sound model"):
        LocalSound(Checkpoint("x", tmp_path, Modality.AUDIO))


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError):
        LocalSound(Checkpoint("x", tmp_path, Modality.AUDIO))
