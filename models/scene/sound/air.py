"""Moving air: wind, leaves, cloth, and the roar of a balloon's burner."""

from __future__ import annotations

import numpy as np

from models.scene.sound.signal import RATE, Random, Wave, add, clip, fade, moments, noise, swell, wander

__all__ = ["breeze", "burner", "flutter", "hush", "leaves", "thunder", "wind"]


def breeze(rng: Random, length: int) -> Wave:
    """Air that hardly moves: what is heard outdoors when nothing is."""
    sound = noise(rng, length, 60, 5000, slope=-5, wide=True)
    return np.asarray(sound * wander(rng, length, 0.5, 0.6, 1.0)[:, None])


def hush(rng: Random, length: int) -> Wave:
    """The tone of a room: air and far machines."""
    return noise(rng, length, 50, 3500, slope=-5.5, wide=True)


def wind(rng: Random, length: int) -> Wave:
    """Gusts, the lower the steadier, and a howl whose pitch goes with them."""
    gust = 0.5 * wander(rng, length, 0.35) + 0.3 * wander(rng, length, 0.9) + 0.2 * wander(rng, length, 2.5)
    sound = np.zeros((length, 2))
    for low, high, level, power in ((60, 250, 0.9, 1.0), (250, 800, 0.7, 1.8), (800, 3000, 0.35, 2.6)):
        sound += level * noise(rng, length, low, high, slope=-3, wide=True) * (gust**power)[:, None]
    return sound + np.outer(0.5 * _howl(rng, gust) * gust**2.5, [1.0, 0.8])


def _howl(rng: Random, gust: Wave) -> Wave:
    """Narrow noise around a gliding pitch: a slow random amplitude for each of two phases of a carrier."""
    hertz = 260 + 420 * gust
    phase = np.cumsum(hertz) * (2 * np.pi / RATE)
    slow = [noise(rng, len(gust), 1, 22) for _ in range(2)]
    return np.asarray(slow[0] * np.cos(phase) + slow[1] * np.sin(phase))


def leaves(rng: Random, length: int) -> Wave:
    """A crown in the wind: a rustle made of many small ones."""
    gust = wander(rng, length, 0.5) ** 2
    fine = wander(rng, length, 14.0) ** 2
    sound = noise(rng, length, 1800, 9000, slope=-3) * (0.25 + fine) * (0.12 + gust)
    return np.asarray(sound + 0.5 * noise(rng, length, 500, 2500, slope=-3) * (0.05 + gust))


def flutter(rng: Random, length: int) -> Wave:
    """A kite's or a tent's cloth: it snaps as often as the wind is strong."""
    gust = wander(rng, length, 0.8)
    beat = np.cumsum(7 + 12 * gust) * (2 * np.pi / RATE)
    snap = np.maximum(0.0, np.sin(beat + 1.5 * np.sin(beat * 0.37))) ** 4
    sound = noise(rng, length, 150, 3500, slope=-3) * snap * (0.2 + gust)
    return np.asarray(sound + 0.05 * noise(rng, length, 300, 2500, slope=-3))


def burner(rng: Random, length: int) -> Wave:
    """A balloon's gas burner: a roar of two seconds every now and then."""
    sound = 0.02 * noise(rng, length, 200, 4000)
    for at in moments(rng, length, 0.2, gap=3.5, first=2.0):
        lasts = clip(rng.uniform(1.4, 2.4))
        roar = noise(rng, lasts, 90, 5000, slope=-2.5) * (0.8 + 0.2 * wander(rng, lasts, 25.0))
        add(sound, at, roar * swell(lasts, 0.12, 0.5))
    return sound


def thunder(rng: Random, length: int) -> Wave:
    """Far thunder: a crack, and the rumble that rolls after it for seconds."""
    sound = np.zeros((length, 2))
    for at in moments(rng, length, 0.1, gap=5.0, first=2.0):
        lasts = clip(rng.uniform(4.0, 6.0))
        roll = wander(rng, lasts, 5.0, 0.2, 1.0) ** 2 * swell(lasts, 0.3, 4.0)
        rumble = noise(rng, lasts, 30, 260, slope=-3, wide=True) * roll[:, None]
        crack = 0.35 * noise(rng, lasts, 200, 3000, slope=-5, wide=True)
        add(sound, at, rumble + crack * (roll * fade(lasts, 2.2, rise=0.06))[:, None])
    return sound
