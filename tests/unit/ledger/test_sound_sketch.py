"""Sounds are known again after codecs, cuts and changes of speed, and other sounds are not."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, resample, sosfilt

from guard.errors import LedgerError
from guard.ledger.sound_sketch import energy_of, make_sketch, similarity
from guard.media.stream import Samples

RATE = 16_000
Sound = NDArray[np.float32]


@cache
def spoken(seed: int, seconds: float = 8.0, rate: int = RATE) -> Sound:
    """Something like speech (n,): a buzz through three formants that move from one sound to the next."""
    rng = np.random.default_rng(seed)
    count = round(seconds * rate)
    at = np.arange(count) / rate
    knots = np.arange(0, seconds + 0.3, 0.14)
    phase = 2 * np.pi * np.cumsum(np.interp(at, knots, rng.uniform(90, 180, len(knots)))) / rate
    loud = np.interp(at, knots, rng.uniform(0, 1, len(knots)) ** 2)
    tone = np.zeros(count)
    for low, high in ((300, 900), (900, 2200), (2200, 3400)):
        centre = np.interp(at, knots, rng.uniform(low, high, len(knots)))
        for harmonic in range(1, 24):
            pitch = harmonic * np.gradient(phase) * rate / (2 * np.pi)
            tone += np.exp(-(((pitch - centre) / 130) ** 2)) * np.sin(harmonic * phase)
    return (0.1 * loud * tone).astype(np.float32)


def heard(*channels: Sound, rate: int = RATE) -> NDArray[np.float32]:
    """The energy of a sound's channels."""
    return energy_of([Samples(rate, np.stack(channels, axis=1))])


def noisy(sound: Sound) -> Sound:
    level = np.sqrt(np.mean(sound**2)) / 10
    return (sound + np.random.default_rng(0).normal(0, level, len(sound))).astype(np.float32)


def filtered(kind: str, hertz: float) -> Callable[[Sound], Sound]:
    sections = butter(6, hertz, kind, fs=RATE, output="sos")
    return lambda sound: sosfilt(sections, sound).astype(np.float32)


def faster(by: float) -> Callable[[Sound], Sound]:
    return lambda sound: resample(sound, round(len(sound) / by)).astype(np.float32)


COPIES: dict[str, Callable[[Sound], Sound]] = {
    "untouched": lambda sound: sound,
    "quiet": lambda sound: sound * np.float32(0.05),
    "polarity": lambda sound: -sound,
    "noise 20 dB": noisy,
    "low-pass 4 kHz": filtered("lowpass", 4000),
    "high-pass 300 Hz": filtered("highpass", 300),
    "3 s of it": lambda sound: sound[RATE * 2 : RATE * 5],
    "speed +5 %": faster(1.05),
    "speed −5 %": faster(0.95),
    "8 bit": lambda sound: (np.rint(sound * 127) / 127).astype(np.float32),
    "clipped": lambda sound: np.clip(sound, -0.1, 0.1),
    "late": lambda sound: sound[1234:],
}


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_is_the_same(copy: str) -> None:
    likeness = similarity(make_sketch(heard(spoken(1))), heard(COPIES[copy](spoken(1))))
    assert likeness is not None
    assert likeness.same, likeness


@pytest.mark.parametrize("copy", ["untouched", "3 s of it", "speed +5 %"])
def test_another_sound_is_not(copy: str) -> None:
    for seed in (2, 3, 4):
        likeness = similarity(make_sketch(heard(spoken(1))), heard(COPIES[copy](spoken(seed))))
        assert likeness is not None
        assert not likeness.same, likeness


def test_rate_and_channels_do_not_matter() -> None:
    sketch = make_sketch(heard(spoken(1)))
    twice = resample(spoken(1), 2 * len(spoken(1))).astype(np.float32)
    for sound in (heard(twice, rate=2 * RATE), heard(spoken(1), spoken(1)), heard(spoken(1), -spoken(1))):
        likeness = similarity(sketch, sound)
        assert likeness is not None
        assert likeness.same


def test_pieces_of_any_length_make_the_same_sketch() -> None:
    sound = spoken(1)
    pieces = [Samples(RATE, part[:, None]) for part in np.array_split(sound, [7, 900, 50_000])]
    likeness = similarity(make_sketch(energy_of(pieces)), heard(sound))
    assert likeness is not None
    assert likeness.score > 0.98


def test_a_part_tells_how_much_of_the_release_it_is() -> None:
    likeness = similarity(make_sketch(heard(spoken(1))), heard(spoken(1)[: RATE * 4]))
    assert likeness is not None
    assert likeness.coverage == pytest.approx(0.5, abs=0.05)
    assert likeness.share == pytest.approx(1, abs=0.05)


def test_a_release_inside_another_sound_tells_how_much_of_it_it_is() -> None:
    inside = np.concatenate([spoken(2, 10), spoken(1), spoken(3, 14)])
    likeness = similarity(make_sketch(heard(spoken(1))), heard(inside))
    assert likeness is not None
    assert likeness.same
    assert likeness.coverage == pytest.approx(1, abs=0.05)
    assert likeness.share == pytest.approx(8 / 32, abs=0.03)


def test_half_a_copy_and_half_something_else_is_not_the_same() -> None:
    spliced = np.concatenate([spoken(1)[: RATE * 3], spoken(2)[RATE * 3 :]])
    likeness = similarity(make_sketch(heard(spoken(1))), heard(spliced))
    assert likeness is not None
    assert not likeness.same


def test_minutes_are_compared_by_pieces() -> None:
    long = np.concatenate([spoken(seed) for seed in range(10, 16)])
    sketch = make_sketch(heard(long))
    assert len(sketch) < 100 * 48
    copy = similarity(sketch, heard(faster(1.02)(long)))
    assert copy is not None
    assert copy.same
    other = similarity(sketch, heard(np.concatenate([spoken(seed) for seed in range(20, 26)])))
    assert other is not None
    assert not other.same


def test_hours_are_kept_at_fewer_frames_a_second() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 8000 * 60).astype(np.float32)
    minute = Samples(
        8000, (noise * np.repeat(np.random.default_rng(2).random(480), 1000)).astype(np.float32)[:, None]
    )
    half, whole = (make_sketch(energy_of([minute] * minutes)) for minutes in (25, 50))
    assert len(whole) < 1.2 * len(half)
    likeness = similarity(whole, energy_of([Samples(8000, minute.data[8000 * 5 : 8000 * 25])]))
    assert likeness is not None
    assert likeness.same


@pytest.mark.parametrize("count", [0, 1, 300, 600, RATE])
def test_what_is_too_short_cannot_be_told(count: int) -> None:
    short = heard(spoken(1)[:count])
    assert similarity(make_sketch(heard(spoken(1))), short) is None
    assert similarity(make_sketch(short), heard(spoken(1))) is None


def test_steady_tones_differ_by_their_spectrum_alone() -> None:
    at = np.arange(RATE * 5) / RATE
    low, high = (np.sin(2 * np.pi * hertz * at).astype(np.float32) for hertz in (440, 2000))
    same, other = (similarity(make_sketch(heard(low)), heard(tone)) for tone in (low * 0.3, high))
    assert same is not None
    assert same.same
    assert other is not None
    assert not other.same


def test_silence_is_like_nothing() -> None:
    silence = np.zeros(RATE * 4, np.float32)
    for a, b in ((silence, spoken(1)), (spoken(1), silence)):
        likeness = similarity(make_sketch(heard(a)), heard(b))
        assert likeness is not None
        assert not likeness.same


@pytest.mark.parametrize(
    "spoil",
    [lambda s: b"", lambda s: s[:5], lambda s: s[:-20], lambda s: b"\x09" + s[1:], lambda s: s[:6] + b"junk"],
)
def test_a_damaged_sketch_is_an_error_and_not_a_crash(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(LedgerError, match="damaged"):
        similarity(spoil(make_sketch(heard(spoken(1, 3)))), heard(spoken(1, 3)))
