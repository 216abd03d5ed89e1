"""Things with wheels, engines and oars."""

from __future__ import annotations

import numpy as np

from models.scene.sound.signal import (
    RATE,
    Random,
    Wave,
    add,
    band,
    clip,
    moments,
    noise,
    swell,
    tuned,
    wander,
)
from models.scene.sound.voice import curve, voiced
from models.scene.sound.water import splash

__all__ = ["engine", "rowing", "traffic"]


def engine(rng: Random, length: int) -> Wave:
    """A car's engine that idles, and revs up now and then."""
    revs = np.full(length, rng.uniform(24, 30))
    for at in moments(rng, length, 0.2, gap=3.0, first=2.5):
        lasts = clip(rng.uniform(1.2, 2.0))
        add(revs, at, rng.uniform(18, 40) * swell(lasts, 0.5, 0.8))
    load = revs / 28
    pitch = revs * (1 + 0.015 * noise(rng, length, 2, 25))
    body = ((95.0, 70.0, 1.0), (240.0, 120.0, 0.7), (620.0, 300.0, 0.3), (1700.0, 900.0, 0.12))
    exhaust = voiced(pitch, body, tilt=0.15, highest=2_000)
    hiss = 0.5 * noise(rng, length, 300, 4500, slope=-3)
    return np.asarray(exhaust * load**0.7 + hiss * load)


def traffic(rng: Random, length: int) -> Wave:
    """A street: a far rumble, and cars that pass from one side to the other."""
    sound = 0.25 * noise(rng, length, 40, 900, slope=-4.5, wide=True)
    sound *= wander(rng, length, 0.4, 0.6, 1.0)[:, None]
    for at in moments(rng, length, 0.35, gap=0.5, first=1.0):
        add(sound, at - clip(1.0), rng.uniform(0.5, 1.2) * _passing(rng))
    return sound


def _passing(rng: Random) -> Wave:
    """A car goes by in four seconds: tyres and engine, higher before it and lower behind (Doppler)."""
    length = clip(4.0)
    along = np.linspace(-1, 1, length) * 35  # metres, at nearly 20 m/s
    near = 1 / (1 + (along / 7) ** 2)
    pitch = rng.uniform(55, 85) * (1 - 0.055 * along / np.hypot(along, 7))
    tyres = noise(rng, length, 250, 5000, slope=-2.5) * near
    motor = voiced(pitch, ((120.0, 90.0, 1.0), (420.0, 250.0, 0.4)), tilt=0.4, highest=1_500) * near**0.7
    where = (along / 35 * (1 if rng.random() < 0.5 else -1) + 1) * np.pi / 4
    car = (0.5 * tyres + 0.35 * motor) * swell(length, 0.8, 0.8)
    return np.stack([car * np.cos(where), car * np.sin(where)], axis=1)


def rowing(rng: Random, length: int) -> Wave:
    """Oars: they creak in their locks, dip, and drip."""
    sound = np.zeros(length)
    every = rng.uniform(2.1, 2.6)
    for number in range(int(length / RATE / every) + 1):
        at = int((0.2 + number * every + rng.uniform(-0.1, 0.1)) * RATE)
        add(sound, at, 0.35 * _creak(rng))
        add(sound, at + clip(0.45), 0.5 * splash(rng))
    return sound


def _creak(rng: Random) -> Wave:
    """Wood on wood: it sticks and slips faster and slower again."""
    length = clip(rng.uniform(0.35, 0.55))
    slips = np.cumsum(curve(length, 30, 85, 40) * (1 + 0.1 * noise(rng, length, 5, 60))) / RATE
    clicks = np.diff(np.floor(slips), prepend=0.0) * rng.uniform(0.6, 1.0, length)
    wood = tuned(clicks * 25, band(rng.uniform(450, 700), 1600))
    return np.asarray(wood * swell(length, 0.1, 0.2))
