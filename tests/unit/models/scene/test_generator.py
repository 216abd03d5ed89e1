"""The scene model as a Generator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from guard.errors import GuardError, InputError
from guard.media import Artifact, Modality
from models.base import GenerationRequest, Generator
from models.scene import SceneGenerator, caption, draw, parse, sample
from models.scene.sound import play


def _request(prompt: str = "a kite on a beach", **options: Any) -> GenerationRequest:
    given: dict[str, Any] = {"modality": Modality.IMAGE, "seed": 7, "parameters": {"size": "96x64"}}
    return GenerationRequest(prompt, **(given | options))


def _sound_request(prompt: str = "waves on a beach", **options: Any) -> GenerationRequest:
    given: dict[str, Any] = {"modality": Modality.AUDIO, "seed": 7, "parameters": {"seconds": 1}}
    return GenerationRequest(prompt, **(given | options))


SOUND = SceneGenerator(Modality.AUDIO)


@pytest.mark.parametrize("modality", [Modality.IMAGE, Modality.AUDIO])
def test_the_card_names_the_model(modality: Modality) -> None:
    model: Generator = SceneGenerator(modality)
    card = model.card
    assert (card.name, card.provider, card.licence) == ("scene", "guard", "Apache-2.0")
    assert card.modality is modality
    assert card.version
    assert card.sha256 is None


@pytest.mark.parametrize("modality", [Modality.TEXT, Modality.VIDEO])
def test_it_makes_nothing_else(modality: Modality) -> None:
    with pytest.raises(InputError, match=f"makes images and audio, not {modality}"):
        SceneGenerator(modality)


def test_it_makes_a_png_of_the_size_asked_for() -> None:
    [picture] = SceneGenerator().generate(_request())
    assert picture.mime == "image/png"
    assert Artifact.from_bytes(picture.data).mime == "image/png"
    assert picture.picture.frames[0].shape == (64, 96, 3)


def test_the_default_size_is_a_square_of_1024() -> None:
    for parameters in ({}, {"size": "auto"}):
        [picture] = SceneGenerator().generate(_request(parameters=parameters))
        assert picture.picture.frames[0].shape == (1024, 1024, 3)


def test_the_same_request_gives_the_same_bytes() -> None:
    first, second = (SceneGenerator().generate(_request(n=2)) for _ in range(2))
    assert [one.sha256 for one in first] == [one.sha256 for one in second]


@pytest.mark.parametrize(
    "change", [{"seed": 8}, {"prompt": "a kite on a meadow"}, {"parameters": {"size": "64x96"}}]
)
def test_seed_prompt_and_size_each_matter(change: dict[str, Any]) -> None:
    [one] = SceneGenerator().generate(_request())
    [other] = SceneGenerator().generate(_request(**change))
    assert one.sha256 != other.sha256


def test_each_of_several_can_be_made_again_alone() -> None:
    pictures = SceneGenerator().generate(_request(n=3, seed=7))
    assert len({picture.sha256 for picture in pictures}) == 3
    for step, picture in enumerate(pictures):
        [alone] = SceneGenerator().generate(_request(seed=7 + step))
        assert alone.sha256 == picture.sha256


def test_without_a_seed_pictures_differ() -> None:
    made = {SceneGenerator().generate(_request(seed=None))[0].sha256 for _ in range(3)}
    assert len(made) == 3


@pytest.mark.parametrize("seed", [0, -1, 2**63 - 1, 2**80])
def test_any_whole_number_is_a_seed(seed: int) -> None:
    assert SceneGenerator().generate(_request(seed=seed))


def test_another_format_can_be_asked_for() -> None:
    [picture] = SceneGenerator().generate(_request(mime="image/webp"))
    assert picture.mime == "image/webp"


def test_it_draws_what_the_prompt_says() -> None:
    prompt = caption(sample(3))
    [picture] = SceneGenerator().generate(_request(prompt, seed=11))
    assert np.array_equal(picture.picture.frames[0], draw(sample(3), (96, 64), 11))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompt": ""}, "prompt is empty"),
        ({"prompt": " \n\t"}, "prompt is empty"),
        ({"modality": Modality.TEXT}, "makes images, not text"),
        ({"modality": Modality.VIDEO}, "makes images, not video"),
        ({"n": 0}, "n is 0"),
        ({"n": -3}, "n is -3"),
        ({"n": 11}, "n is 11"),
        ({"parameters": {"size": "63x64"}}, "63x64 pixels cannot be drawn"),
        ({"parameters": {"size": "64x2049"}}, "64x2049 pixels cannot be drawn"),
        ({"parameters": {"size": "99999x99999"}}, "cannot be drawn"),
        ({"parameters": {"size": "0x0"}}, "cannot be drawn"),
        ({"parameters": {"size": "big"}}, "size must be WIDTHxHEIGHT"),
        ({"parameters": {"size": "64×64"}}, "size must be WIDTHxHEIGHT"),
        ({"parameters": {"size": None}}, "size must be WIDTHxHEIGHT"),
        ({"parameters": {"size": [64, 64]}}, "size must be WIDTHxHEIGHT"),
        ({"parameters": {"steps": 20}}, "no parameter steps"),
    ],
)
def test_a_bad_request_is_told_plainly(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SceneGenerator().generate(_request(**change))


@pytest.mark.parametrize(
    "prompt",
    ["🦄🌈", "\x00\x1b[2J", "x" * 100_000, "boat " * 30_000, "no " * 9_000, "\u202e\u200b.", "\ud800"],
)
def test_hostile_prompts_still_give_a_picture(prompt: str) -> None:
    [picture] = SceneGenerator().generate(_request(prompt))
    assert picture.picture.frames[0].shape == (64, 96, 3)


@pytest.mark.parametrize("size", [(63, 64), (64, 2049), (0, 64), (-64, 64)])
def test_draw_refuses_sizes_out_of_bounds(size: tuple[int, int]) -> None:
    with pytest.raises(GuardError, match="cannot be drawn") as caught:
        draw(sample(1), size)
    assert "64 to 2048" in caught.value.remedy


def test_a_negative_seed_draws() -> None:
    assert draw(sample(1), (64, 64), -5).shape == (64, 64, 3)


def test_importing_the_model_loads_no_picture_library() -> None:
    import subprocess
    import sys

    code = "import models.scene, sys; print(sorted({'cv2', 'scipy', 'PIL', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_prompt_of_the_readme_is_understood_whole() -> None:
    assert parse("a lighthouse on a beach at sunset, a red sailboat far away, a dog").unused == ()


def test_it_makes_a_wav_of_the_length_asked_for() -> None:
    [sound] = SOUND.generate(_sound_request())
    assert (sound.modality, sound.mime) == (Modality.AUDIO, "audio/wav")
    assert Artifact.from_bytes(sound.data) == sound
    assert (sound.samples.rate, sound.samples.data.shape) == (44_100, (44_100, 2))


def test_the_default_length_is_ten_seconds() -> None:
    [sound] = SOUND.generate(_sound_request("a desert at noon with nobody", parameters={}))
    assert sound.samples.duration == 10


def test_each_of_several_sounds_can_be_made_again_alone() -> None:
    together = SOUND.generate(_sound_request(n=2))
    alone = [SOUND.generate(_sound_request(seed=seed))[0] for seed in (7, 8)]
    assert [one.sha256 for one in together] == [one.sha256 for one in alone]
    assert together[0] != together[1]


@pytest.mark.parametrize("seed", [None, -1, 2**63 - 1, 2**80])
def test_any_seed_sounds(seed: int | None) -> None:
    assert SOUND.generate(_sound_request(seed=seed))


def test_another_format_of_sound_can_be_asked_for() -> None:
    [sound] = SOUND.generate(_sound_request(mime="audio/flac"))
    assert sound.mime == "audio/flac"


def test_it_plays_what_the_prompt_says() -> None:
    [sound] = SOUND.generate(_sound_request(caption(sample(3)), seed=11))
    assert np.allclose(sound.samples.data, play(sample(3), 1, 11), atol=1e-4)


def test_sounds_that_the_prompt_names_are_heard() -> None:
    plain, thunder = (
        SOUND.generate(_sound_request(f"a desert at noon with nobody{more}"))[0] for more in ("", ", thunder")
    )
    assert plain != thunder


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompt": " "}, "prompt is empty"),
        ({"modality": Modality.IMAGE}, "makes sound, not image"),
        ({"n": 0}, "n is 0"),
        ({"n": 11}, "n is 11"),
        ({"parameters": {"seconds": 0.5}}, "seconds must be a number from 1 to 120"),
        ({"parameters": {"seconds": 121}}, "seconds must be a number from 1 to 120"),
        ({"parameters": {"seconds": float("nan")}}, "seconds must be a number"),
        ({"parameters": {"seconds": "10"}}, "seconds must be a number"),
        ({"parameters": {"size": "64x64"}}, "no parameter size"),
        ({"mime": "image/png"}, "image/png"),
    ],
)
def test_a_bad_request_for_sound_is_told_plainly(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SOUND.generate(_sound_request(**change))


@pytest.mark.parametrize("prompt", ["🦄🌈", "\x00\x1b[2J", "dog " * 5_000, "thunder " * 900, "\ud800"])
def test_hostile_prompts_still_sound(prompt: str) -> None:
    [sound] = SOUND.generate(_sound_request(prompt))
    assert sound.samples.duration == 1


def test_the_built_in_sound_carries_the_mark_through_a_codec() -> None:
    from guard.watermark import Payload, Strength
    from guard.watermark.registry import engine

    marker, payload, key = engine("dipole"), Payload(0x0123456789ABCDEF), b"k" * 32
    [sound] = SOUND.generate(_sound_request(parameters={"seconds": 8}))
    marked = marker.embed(sound, payload, key=key, strength=Strength.DEFAULT)
    coded = Artifact.from_samples(marked.samples, "audio/mpeg")
    assert marker.read(coded, keys=[key]).payload == payload
