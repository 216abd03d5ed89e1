"""Indoors and by the fire: flames, a clock, the hum of a lamp."""

from __future__ import annotations

import numpy as np

from models.scene.sound.signal import RATE, Random, Wave, add, clip, fade, moments, noise, ring, tone, wander

__all__ = ["clock", "fire", "hum"]

_TICK = ((610.0, 0.5), (1270.0, 0.7), (2350.0, 1.0), (3620.0, 0.6), (5100.0, 0.3))


def fire(rng: Random, length: int) -> Wave:
    """Flames that flutter, and wood that crackles: many faint snaps and few loud ones."""
    sound = 0.5 * noise(rng, length, 50, 350, slope=-3) * wander(rng, length, 9.0, 0.3, 1.0)
    sound += 0.08 * noise(rng, length, 600, 5000, slope=-3) * wander(rng, length, 5.0, 0.3, 1.0)
    for at in moments(rng, length, 28.0):
        add(sound, at, min(3.0, 0.12 * rng.pareto(1.3)) * _snap(rng))
    return sound


def _snap(rng: Random) -> Wave:
    length = clip(rng.uniform(0.004, 0.02))
    low = rng.uniform(500, 2200)
    return np.asarray(noise(rng, length, low, low * 4) * fade(length, length / RATE, rise=0.0004))


def clock(rng: Random, length: int) -> Wave:
    """A pendulum clock: a tick and a slightly lower tock, half a second apart."""
    sound = np.zeros(length)
    case = rng.uniform(0.9, 1.1)
    beats = [ring([(h * case * p, a, 0.05) for h, a in _TICK], clip(0.12)) for p in (1.0, 0.86)]
    first = rng.uniform(0, 0.5)
    for number in range(int(length / RATE * 2) + 1):
        add(sound, int((first + number / 2) * RATE), beats[number % 2])
    return sound


def hum(rng: Random, length: int) -> Wave:
    """A lamp on the mains of 50 Hz: the even harmonics, with a buzz that wavers."""
    levels = ((100, 1.0), (200, 0.5), (300, 0.25), (400, 0.2), (600, 0.12), (900, 0.06))
    parts = [level * tone(float(hertz), length) for hertz, level in levels]
    return np.asarray(sum(parts, np.zeros(length)) * wander(rng, length, 1.0, 0.85, 1.0))
