"""Every sound by itself: it is one, it is the one it is named after, and it can be made again."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from models.scene.sound.mix import PLAYERS
from models.scene.sound.score import Sound
from models.scene.sound.signal import RATE, Wave
from tests.unit.models.scene.sound.test_signal import share

SECONDS = 6


@cache
def play(sound: Sound, seed: int = 5, seconds: float = SECONDS) -> Wave:
    return PLAYERS[sound](np.random.default_rng(seed), round(seconds * RATE))


def mono(sound: Sound, seed: int = 5) -> Wave:
    wave = play(sound, seed)
    return wave if wave.ndim == 1 else wave.mean(axis=1)


def loudness(wave: Wave, step: float = 0.02) -> Wave:
    """The RMS of each `step` seconds."""
    block = round(step * RATE)
    return np.sqrt(np.mean(wave[: len(wave) // block * block].reshape(-1, block) ** 2, axis=1))


def centre(wave: Wave) -> float:
    """The frequency in whose middle the energy lies."""
    power = np.abs(np.fft.rfft(wave)) ** 2
    return float((power * np.fft.rfftfreq(len(wave), 1 / RATE)).sum() / power.sum())


def swing(wave: Wave) -> float:
    """How much louder the loudest fifth of a second is than the softest, in dB."""
    loud = loudness(wave, 0.2)
    return float(20 * np.log10(loud.max() / max(loud.min(), 1e-9)))


def beats(wave: Wave) -> float:
    """How many strokes there are a second, a fifth of a second apart at least."""
    loud = loudness(wave, 0.01)
    at = np.flatnonzero(loud > 0.3 * loud.max())
    return float(1 + np.sum(np.diff(at) > 20)) / SECONDS


def test_every_sound_has_a_player() -> None:
    assert set(PLAYERS) == set(Sound)


@pytest.mark.parametrize("sound", Sound)
def test_each_is_heard_and_has_its_length(sound: Sound) -> None:
    wave = play(sound)
    assert wave.shape in ((SECONDS * RATE,), (SECONDS * RATE, 2))
    assert np.isfinite(wave).all()
    assert np.sqrt(np.mean(wave**2)) > 1e-3


@pytest.mark.parametrize("sound", Sound)
def test_each_can_be_short_made_again_and_has_many_forms(sound: Sound) -> None:
    first, again, other = (PLAYERS[sound](np.random.default_rng(seed), RATE * 2) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    for length in (1, 1000):
        wave = PLAYERS[sound](np.random.default_rng(2), length)
        assert len(wave) == length
        assert np.isfinite(wave).all()


@pytest.mark.parametrize(
    "sound",
    [Sound.WAVES, Sound.WIND, Sound.ENGINE, Sound.MURMUR, Sound.OWL, Sound.FOGHORN, Sound.HUM, Sound.TRAFFIC],
)
def test_what_is_soft_has_no_clicks(sound: Sound) -> None:
    """A cut in a wave would be a step as high as its swings."""
    wave = mono(sound)
    assert np.abs(np.diff(wave)).max() < 0.35 * np.abs(wave).max()


def test_birds_have_several_songs() -> None:
    made = [play(Sound.SONGBIRDS, seed, 3) for seed in range(8)]
    notes = {int(np.sum(np.diff(loudness(wave) > 0.05) != 0)) for wave in made}
    assert len(notes) > 3


@pytest.mark.parametrize(
    ("sound", "low", "high", "least"),
    [
        (Sound.THUNDER, 20, 500, 0.8),
        (Sound.FOGHORN, 90, 1200, 0.9),
        (Sound.ENGINE, 20, 1500, 0.8),
        (Sound.HUM, 95, 1000, 0.99),
        (Sound.OWL, 300, 550, 0.95),
        (Sound.CHURCH_BELL, 150, 3000, 0.95),
        (Sound.MURMUR, 80, 3200, 0.95),
        (Sound.WIND, 40, 1500, 0.9),
        (Sound.GULLS, 600, 6000, 0.9),
        (Sound.CRICKETS, 3700, 5400, 0.95),
        (Sound.SONGBIRDS, 1700, 7500, 0.9),
        (Sound.RAIN, 700, 12_000, 0.7),
        (Sound.CLINKS, 1200, 9000, 0.9),
    ],
)
def test_each_sounds_in_its_register(sound: Sound, low: float, high: float, least: float) -> None:
    assert share(mono(sound), low, high) > least


def test_what_is_bright_and_what_is_dull() -> None:
    order = [Sound.THUNDER, Sound.HUSH, Sound.MURMUR, Sound.GULLS, Sound.CRICKETS]
    centres = [centre(mono(sound)) for sound in order]
    assert centres == sorted(centres)


@pytest.mark.parametrize("sound", [Sound.HUSH, Sound.BREEZE, Sound.RAIN, Sound.HUM])
def test_what_goes_on_and_on(sound: Sound) -> None:
    assert swing(mono(sound)) < 12


@pytest.mark.parametrize(
    "sound", [Sound.BARKS, Sound.GULLS, Sound.OWL, Sound.BURNER, Sound.THUNDER, Sound.FOGHORN]
)
def test_what_comes_and_goes(sound: Sound) -> None:
    assert swing(mono(sound)) > 25


def test_waves_swell_and_break() -> None:
    assert 6 < swing(mono(Sound.WAVES)) < 40
    slow = loudness(mono(Sound.WAVES), 0.5)
    assert np.abs(np.diff(20 * np.log10(slow))).max() < 12
    # The crash is brighter than the swell before it.
    wave = mono(Sound.WAVES)
    at = int(np.argmax(loudness(wave, 0.25))) * RATE // 4
    before = wave[max(0, at - 2 * RATE) : max(RATE, at - RATE)]
    assert centre(wave[at : at + RATE]) > centre(before)


def test_a_clock_beats_twice_a_second() -> None:
    assert beats(mono(Sound.CLOCK)) == pytest.approx(2, abs=0.2)


def test_people_walk_at_a_walking_pace() -> None:
    assert 1.4 < beats(mono(Sound.STEPS)) < 2.2


def test_bells_ring_out_between_strokes() -> None:
    loud = loudness(mono(Sound.CHURCH_BELL), 0.05)
    first = int(np.argmax(loud))
    falling = loud[first : first + 36]
    assert falling[-1] < 0.6 * falling[0]
    assert falling[-1] > 0.01 * falling[0]


def test_a_car_goes_by_from_one_side_to_the_other() -> None:
    balance = np.diff([loudness(ear, 0.25) for ear in play(Sound.TRAFFIC).T], axis=0)[0]
    assert balance.max() > 0
    assert balance.min() < 0


def test_a_guitar_plays_notes_in_tune() -> None:
    wave = mono(Sound.GUITAR)[: 2 * RATE]
    power = np.abs(np.fft.rfft(wave)) ** 2
    hertz = np.fft.rfftfreq(len(wave), 1 / RATE)
    lowest = hertz[(hertz > 80) & (hertz < 135)][np.argmax(power[(hertz > 80) & (hertz < 135)])]
    assert lowest == pytest.approx(110, abs=2)
