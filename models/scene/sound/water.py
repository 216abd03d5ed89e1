"""Water: breakers, wavelets, rain."""

from __future__ import annotations

import numpy as np

from models.scene.sound.signal import RATE, Random, Wave, add, clip, fade, moments, noise, swell, tone, wander

__all__ = ["lapping", "rain", "splash", "waves"]

# A breaker by its bands: from and to Hz, seconds to rise and to fall, how late after the crest, level.
_BREAKER = (
    (60, 280, 2.2, 1.6, -0.4, 0.9),
    (280, 900, 1.6, 1.8, -0.1, 0.8),
    (900, 3000, 1.0, 2.4, 0.1, 0.5),
    (3000, 9000, 0.7, 3.4, 0.5, 0.28),
)
_EVERY = 6.5


def waves(rng: Random, length: int) -> Wave:
    """Breakers on a beach: a deep swell, the crash, and the long hiss of the water that runs back."""
    crests = _crests(rng, length)
    sound = 0.05 * noise(rng, length, 80, 4000, slope=-3, wide=True)
    for low, high, rise, fall, late, level in _BREAKER:
        water = noise(rng, length, low, high, slope=-2, wide=True)
        for ear in range(2):
            sound[:, ear] += level * water[:, ear] * _breaking(length, crests[ear] + late, rise, fall)
    return sound


def _crests(rng: Random, length: int) -> tuple[Wave, Wave]:
    """When waves break, in seconds, at each ear: a wave runs along the shore."""
    count = int(length / RATE / _EVERY) + 3
    at = (np.arange(count) - 0.6 + rng.uniform(-0.15, 0.15, count)) * _EVERY
    run = rng.uniform(-0.7, 0.7, count)
    return at, at + run


def _breaking(length: int, crests: Wave, rise: float, fall: float) -> Wave:
    """How loud the breakers are over time: each rises as a bell curve and dies away."""
    at = np.arange(length) / RATE
    loud = np.zeros(length)
    for crest in crests:
        past = at - crest
        loud += np.exp(-np.where(past < 0, (past / rise) ** 2 * 2, past / fall))
    return loud


def lapping(rng: Random, length: int) -> Wave:
    """Wavelets against a hull or a bank: soft swells, and bubbles that rise in pitch as they burst."""
    sound = 0.4 * noise(rng, length, 150, 1200, slope=-4, wide=True)
    sound *= (0.25 + wander(rng, length, 1.6) ** 3)[:, None]
    sound += (
        0.06 * noise(rng, length, 1200, 5000, slope=-3, wide=True) * wander(rng, length, 2.2)[:, None] ** 2
    )
    for at in moments(rng, length, 7.0):
        ear = rng.uniform(0.15, 0.85)
        add(sound, at, np.outer(_bubble(rng), [1 - ear, ear]))
    return sound


def _bubble(rng: Random) -> Wave:
    """A bubble rings at one pitch, a higher one as it nears the surface (M. Minnaert, 1933)."""
    length = clip(rng.uniform(0.03, 0.10))
    hertz = rng.uniform(350, 1300) * (1 + rng.uniform(0.1, 0.8) * np.linspace(0, 1, length) ** 2)
    return np.asarray(rng.exponential(0.35) * tone(hertz, length) * swell(length, 0.004, length / RATE * 0.8))


def rain(rng: Random, length: int) -> Wave:
    """A hiss of far drops, and near drops one by one."""
    heavy = 0.8 + wander(rng, length, 0.4, 0.0, 0.35)
    sound = 0.30 * noise(rng, length, 700, 13000, slope=-1.5, wide=True) * heavy[:, None]
    sound += 0.08 * noise(rng, length, 120, 700, wide=True)
    for ear in range(2):
        for _ in range(8):
            drop = _drop(rng)
            for at in rng.integers(0, length, rng.poisson(45 * length / RATE)):
                add(sound[:, ear], int(at), rng.exponential(0.8) * drop)
    for at in moments(rng, length, 9.0):
        side = rng.uniform(0, 1)
        add(sound, at, np.outer(0.8 * _bubble(rng), [1 - side, side]))
    return sound


def _drop(rng: Random) -> Wave:
    """A drop on a leaf or a stone: a patter too short to have a pitch."""
    length = clip(0.012)
    low = rng.uniform(900, 4500)
    return np.asarray(
        noise(rng, length, low, low * 1.8) * fade(length, rng.uniform(0.006, 0.012), rise=0.0006)
    )


def splash(rng: Random) -> Wave:
    """An oar dips into the water: under a second."""
    length = clip(0.9)
    water = noise(rng, length, 300, 5000, slope=-3) * swell(length, 0.08, 0.75) ** 2
    for at in moments(rng, length, 22.0, first=0.1):
        add(water, at, 1.4 * _bubble(rng))
    return water
