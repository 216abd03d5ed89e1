"""Dogs and cats."""

from __future__ import annotations

import numpy as np

from models.scene.sound.signal import Random, Wave, add, clip, fade, moments, noise, swell
from models.scene.sound.voice import curve, voiced

__all__ = ["barks", "meows"]


def barks(rng: Random, length: int) -> Wave:
    """A dog: one to three barks, then a pause."""
    sound = np.zeros(length)
    for at in moments(rng, length, 0.25, gap=2.0, first=2.0):
        for _ in range(int(rng.integers(1, 4))):
            add(sound, at, rng.uniform(0.7, 1.0) * _bark(rng))
            at += clip(rng.uniform(0.32, 0.5))
    return sound


def _bark(rng: Random) -> Wave:
    length = clip(rng.uniform(0.16, 0.22))
    pitch = rng.uniform(0.93, 1.07) * curve(length, 330, 520, 430, 260)
    pitch *= 1 + 0.04 * noise(rng, length, 40, 160)
    throat = ((650.0, 220.0, 1.0), (1350.0, 350.0, 0.8), (2700.0, 600.0, 0.35))
    breath = 0.25 * noise(rng, length, 500, 5000, slope=-3)
    return np.asarray((voiced(pitch, throat, tilt=0.5) + breath) * swell(length, 0.018, 0.09))


def meows(rng: Random, length: int) -> Wave:
    """A cat: a miaow now and then, and a purr beneath."""
    sound = 0.05 * _purr(rng, length)
    for at in moments(rng, length, 0.2, gap=2.8, first=2.5):
        lasts = clip(rng.uniform(0.55, 0.85))
        pitch = rng.uniform(0.9, 1.1) * curve(lasts, 480, 660, 640, 520, 400)
        first, second = curve(lasts, 450, 900, 1050, 700, 500), curve(lasts, 2600, 2300, 1700, 1200, 950)
        mouth = ((first, 180.0, 1.0), (second, 260.0, 0.8), (4200.0, 700.0, 0.15))
        add(sound, at, voiced(pitch, mouth, tilt=0.6) * swell(lasts, 0.09, 0.25))
    return sound


def _purr(rng: Random, length: int) -> Wave:
    beats = np.zeros(length)
    pulse = noise(rng, clip(0.03), 60, 900, slope=-3) * fade(clip(0.03), 0.03)
    for at in range(0, length, clip(1 / 26)):
        add(beats, at, pulse)
    return beats
