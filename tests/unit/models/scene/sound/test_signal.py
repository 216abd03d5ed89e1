"""The parts that sounds are made of."""

from __future__ import annotations

import numpy as np
import pytest

from models.scene.sound.signal import (
    RATE,
    Wave,
    add,
    band,
    clip,
    fade,
    moments,
    noise,
    ring,
    swell,
    tone,
    tuned,
    wander,
)
from models.scene.sound.voice import curve, voiced


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def share(wave: Wave, low: float, high: float) -> float:
    """How much of a wave's energy lies between two frequencies."""
    power = np.abs(np.fft.rfft(wave, axis=0)) ** 2
    hertz = np.fft.rfftfreq(len(wave), 1 / RATE)
    return float(power[(hertz >= low) & (hertz <= high)].sum() / power.sum())


def level(wave: Wave) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(wave**2))))


@pytest.mark.parametrize("wide", [False, True])
def test_noise_keeps_to_its_band_at_an_rms_of_one(wide: bool) -> None:
    made = noise(rng(), RATE, 500, 2000, wide=wide)
    assert made.shape == ((RATE, 2) if wide else (RATE,))
    assert np.sqrt(np.mean(made**2)) == pytest.approx(1)
    assert share(made, 400, 2500) > 0.9


def test_wide_noise_differs_at_the_two_ears() -> None:
    left, right = noise(rng(), RATE, 100, 5000, wide=True).T
    assert abs(np.corrcoef(left, right)[0, 1]) < 0.1


def test_a_slope_tilts_noise_by_so_many_decibels_an_octave() -> None:
    made = noise(rng(), 4 * RATE, 50, 15_000, slope=-6)
    octaves = [share(made, low, 1.4 * low) for low in (500, 1000, 2000)]
    # Each band is twice as wide as the one before, hence 3 dB less of a fall.
    assert np.diff(10 * np.log10(octaves)) == pytest.approx([-3, -3], abs=0.6)


def test_tuning_does_not_ring_round_from_the_end_to_the_start() -> None:
    wave = np.zeros(RATE)
    wave[-200:] = tone(300, 200)
    assert np.abs(tuned(wave, band(100, 1000))[:1000]).max() < 1e-3


def test_a_wandering_curve_is_smooth_and_within_bounds() -> None:
    line = wander(rng(), 5 * RATE, 4.0, 10, 20)
    assert line.min() >= 10
    assert line.max() <= 20
    assert line.max() - line.min() > 3
    assert np.abs(np.diff(line)).max() < 20 * 4 / RATE


@pytest.mark.parametrize("length", [1, 7])
def test_a_curve_of_next_to_no_length(length: int) -> None:
    assert len(wander(rng(), length, 0.5)) == length


def test_moments_keep_their_distance_and_begin_in_time() -> None:
    found = moments(rng(), 60 * RATE, 2.0, gap=0.3, first=0.5)
    assert found[0] < 0.5 * RATE
    assert np.diff(found).min() >= 0.3 * RATE - 1
    assert 50 < len(found) < 100
    assert found[-1] < 60 * RATE


def test_there_may_be_no_moment_in_a_short_time() -> None:
    assert [moments(rng(seed), 10, 1.0) for seed in range(5)] == [[]] * 5


@pytest.mark.parametrize("at", [-30, -3, 0, 4, 8, 30])
def test_adding_leaves_out_what_lies_outside(at: int) -> None:
    whole = np.zeros(10)
    add(whole, at, np.ones(5))
    expected = [float(at <= i < at + 5) for i in range(10)]
    assert whole.tolist() == expected


def test_a_swell_begins_and_ends_in_silence() -> None:
    envelope = swell(RATE, 0.1, 0.3)
    assert envelope[0] == 0
    assert envelope[-1] == pytest.approx(0, abs=1e-9)
    assert envelope[RATE // 2] == 1
    assert np.abs(np.diff(envelope)).max() < 0.001


def test_a_fade_loses_sixty_decibels_in_its_time() -> None:
    envelope = fade(clip(2.0), 1.0)
    assert envelope[0] == 0
    assert 20 * np.log10(envelope[RATE]) == pytest.approx(-60)


@pytest.mark.parametrize("hertz", [100.0, 1000.0, 5000.0])
def test_a_tone_has_its_frequency(hertz: float) -> None:
    assert share(tone(hertz, RATE), hertz - 3, hertz + 3) > 0.99


def test_a_tone_can_glide() -> None:
    glide = tone(np.linspace(500, 2000, RATE), RATE)
    assert share(glide[: RATE // 4], 400, 1000) > 0.95
    assert share(glide[-RATE // 4 :], 1500, 2100) > 0.95


def test_a_bell_is_the_sum_of_its_partials() -> None:
    struck = ring([(400, 1.0, 2.0), (950, 0.5, 1.0)], RATE)
    assert share(struck, 380, 420) > share(struck, 930, 970) > 0.05
    assert level(struck[: RATE // 10]) > level(struck[-RATE // 10 :]) + 10


def test_a_curve_goes_through_its_points() -> None:
    line = curve(101, 1, 3, 2)
    assert [line[0], line[50], line[100]] == pytest.approx([1, 3, 2])


def test_a_voice_has_harmonics_where_its_formants_are() -> None:
    pitch = np.full(RATE, 200.0)
    spoken = voiced(pitch, ((800.0, 80.0, 1.0),), tilt=0.0)
    assert share(spoken, 790, 810) > share(spoken, 590, 610) > share(spoken, 190, 210)
    assert share(spoken, 210, 390) < 1e-6
    assert share(voiced(pitch, ((800.0, 80.0, 1.0),), highest=650), 650, 22_000) < 1e-6
