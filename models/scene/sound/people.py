"""People: their steps, wheels and sticks, and a talk too soft to follow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.scene.sound.signal import RATE, Random, Wave, add, clip, fade, noise, ring, swell, wander
from models.scene.sound.voice import curve, voiced

__all__ = ["crunching", "murmur", "steps", "tapping", "wheels"]

# First and second resonance of the mouth for a few vowels (G. E. Peterson, H. L. Barney, JASA 24(2), 1952).
_VOWELS = ((730, 1090), (530, 1840), (270, 2290), (570, 840), (300, 870), (440, 1020), (660, 1720))

Tread = Callable[[], Wave]


def steps(rng: Random, length: int) -> Wave:
    """Shoes on something hard: heel, then toe."""
    return _walk(rng, length, lambda: _tread(rng, 0.045, 180, 2600), 0.07)


def crunching(rng: Random, length: int) -> Wave:
    """Shoes on sand, grass, gravel or snow."""
    return _walk(rng, length, lambda: _crunch(rng), 0.11)


def _walk(rng: Random, length: int, tread: Tread, roll: float) -> Wave:
    sound = np.zeros(length)
    pace = rng.uniform(1.6, 2.0)
    for number in range(int(length / RATE * pace) + 1):
        at = int((number + rng.uniform(-0.03, 0.03)) / pace * RATE)
        loud = rng.uniform(0.75, 1.0)
        add(sound, at, loud * tread())
        add(sound, at + clip(roll), 0.55 * loud * tread())
    return sound


def _tread(rng: Random, seconds: float, low: float, high: float) -> Wave:
    length = clip(2 * seconds)
    thud = ring([(rng.uniform(85, 120), 1.2, 0.09)], length)
    return np.asarray(noise(rng, length, low, high, slope=-3) * fade(length, seconds) + thud)


def _crunch(rng: Random) -> Wave:
    length = clip(0.16)
    grains = np.maximum(0.0, wander(rng, length, 220.0, -0.5, 1.0)) ** 2
    return np.asarray(noise(rng, length, 500, 7000, slope=-2) * grains * swell(length, 0.02, 0.12))


def tapping(rng: Random, length: int) -> Wave:
    """A walking stick: a tap at every other step."""
    sound = np.zeros(length)
    pace = rng.uniform(0.75, 0.9)
    for number in range(int(length / RATE * pace) + 1):
        pitch = rng.uniform(0.96, 1.04)
        tap = ring(
            [(820 * pitch, 1.0, 0.07), (1730 * pitch, 0.5, 0.05), (2900 * pitch, 0.3, 0.03)], clip(0.15)
        )
        add(sound, int((number + rng.uniform(0.1, 0.15)) / pace * RATE), tap)
    return sound


def wheels(rng: Random, length: int) -> Wave:
    """A wheelchair: tyres that roll, pushed on about once a second."""
    push = 0.45 + 0.55 * np.sin(np.pi * np.arange(length) / RATE * rng.uniform(0.8, 1.0)) ** 2
    roll = noise(rng, length, 120, 2200, slope=-3.5) * wander(rng, length, 8.0, 0.6, 1.0)
    return np.asarray(roll * push)


def murmur(rng: Random, length: int) -> Wave:
    """A voice whose melody is heard but not its words: vowels glide into one another, without consonants.

    Its pitch is drawn from the whole range of speakers: the grammar's people have looks, not voices.
    """
    sound = np.zeros(length)
    hertz = rng.uniform(105, 235)
    at = clip(rng.uniform(0.1, 0.8))
    while at < length:
        phrase = _phrase(rng, hertz, int(rng.integers(4, 11)))
        add(sound, at, phrase)
        at += len(phrase) + clip(rng.uniform(0.4, 1.3))
    return sound


def _phrase(rng: Random, hertz: float, syllables: int) -> Wave:
    length = clip(0.21 * syllables)
    vowels = rng.choice(np.asarray(_VOWELS, float), syllables + 1)
    melody = hertz * rng.uniform(0.9, 1.15, syllables + 1) * np.linspace(1.1, 0.88, syllables + 1)
    mouth = ((curve(length, *vowels[:, 0]), 90.0, 1.0), (curve(length, *vowels[:, 1]), 130.0, 0.5))
    pulse = 0.35 + 0.65 * np.sin(np.pi * np.linspace(0, syllables, length)) ** 2
    breath = 0.04 * noise(rng, length, 400, 3000, slope=-3)
    voice = voiced(curve(length, *melody), (*mouth, (2700.0, 300.0, 0.12)), tilt=0.9, highest=5_000)
    return np.asarray((voice + breath) * pulse * swell(length, 0.06, 0.15))
