"""Gates: when there is too little to go by, and how much of what is large is read."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import quality
from guard.media import Artifact
from guard.media.stream import Samples
from tests.pictures import encoded, natural, png

RATE = 16_000


def tone(hertz: float, seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate).astype(np.float32)


def test_the_first_reason_counts() -> None:
    assert quality.first("", "one", "two") == "one"
    assert quality.first("", "") == quality.first() == ""


@pytest.mark.parametrize(("size", "fine"), [((128, 128), True), ((127, 4_000), False), ((1, 1), False)])
def test_small_pictures(size: tuple[int, int], fine: bool) -> None:
    why = quality.small_picture(*size)
    assert (why == "") is fine
    assert fine or why == f"The picture is {size[0]} × {size[1]} pixels; 128 on the shorter side are needed."


def test_flat_pictures() -> None:
    assert quality.flat(np.full((9, 9, 3), 7, np.uint8)).startswith("The picture is a plain surface")
    assert quality.flat(natural(0, 64, 64)) == ""


@pytest.mark.parametrize("wanted", [1, 10, 35, 50, 75, 95])
def test_the_quality_of_a_jpeg_is_told_from_its_tables(wanted: int) -> None:
    artifact = Artifact.from_bytes(encoded(natural(0, 64, 64), "JPEG", quality=wanted))
    told = quality.jpeg_quality(artifact)
    assert told == pytest.approx(wanted, abs=16 if wanted < 20 else 2)
    assert (quality.recompressed(artifact) == "") is (wanted >= 40)


def test_other_files_have_no_such_quality() -> None:
    assert quality.jpeg_quality(png()) is None
    assert quality.recompressed(png()) == ""


def test_short_and_silent_sounds() -> None:
    assert quality.short_sound(1.0) == ""
    assert quality.short_sound(0.25, 2) == "The sound lasts 0.25 s; 2 s are needed."
    assert quality.silent(tone(440)) == quality.silent(-tone(440)[:, None]) == ""
    for nothing in (np.zeros(0, np.float32), np.zeros(99, np.float32), tone(440) * 5e-4):
        assert quality.silent(nothing) != ""


@pytest.mark.parametrize(("hertz", "least", "fine"), [(7_000, 6_000, True), (3_000, 6_000, False)])
def test_sounds_that_end_early(hertz: float, least: float, fine: bool) -> None:
    assert quality.edge(tone(hertz), RATE) == pytest.approx(hertz, abs=60)
    assert (quality.band_limited(tone(hertz), RATE, least) == "") is fine


def test_silence_has_no_edge() -> None:
    assert quality.edge(np.zeros(0, np.float32), RATE) == quality.edge(np.zeros(5_000, np.float32), RATE) == 0
    assert (
        quality.band_limited(np.zeros(9, np.float32), RATE, 100)
        == "The sound ends at 0 Hz; it must reach 100 Hz."
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("😀 🎉 !!! …", 0),
        ("one two three", 3),
        ("don't stop – now", 3),
        ("今日は天気がいい", 4),
        ("x" * 10_000_000, 1),
        ("word " * 2_000_000, 50),
    ],
)
def test_words_are_counted_as_far_as_it_matters(text: str, words: int) -> None:
    why = quality.short_text(text)
    assert why == ("" if words == 50 else f"The text has {words} words; 50 are needed.")


def test_only_the_opening_of_a_sound_is_decoded() -> None:
    data = np.stack([tone(440, 30), np.zeros(30 * RATE, np.float32)], axis=1)
    artifact = Artifact.from_samples(Samples(RATE, data), "audio/flac")
    sound, rate = quality.opening(artifact, 2.5)
    assert (sound.shape, rate, sound.dtype) == ((round(2.5 * RATE),), RATE, np.float32)
    assert np.abs(sound).max() == pytest.approx(0.5, abs=0.01)
    assert len(quality.opening(artifact, 99)[0]) == 30 * RATE


def test_the_middle_of_a_picture() -> None:
    pixels = np.arange(7 * 9, dtype=np.uint8).reshape(7, 9)
    assert quality.middle(pixels, 3).tolist() == pixels[2:5, 3:6].tolist()
    assert quality.middle(pixels, 100).shape == (7, 9)
    assert quality.middle(natural(0, 20, 10), 16).shape == (16, 10, 3)
