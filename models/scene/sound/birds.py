"""Birds and insects."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.scene.sound.signal import RATE, Random, Wave, add, clip, moments, noise, swell, tone, wander
from models.scene.sound.voice import curve, voiced

__all__ = ["bees", "crickets", "gulls", "owl", "songbirds"]


def songbirds(rng: Random, length: int) -> Wave:
    """One bird that has one song, and sings it again and again with small changes."""
    songs: tuple[Callable[[Random, float], Wave], ...] = (_chirps, _trill, _whistle, _warble)
    song = songs[rng.integers(len(songs))]
    hertz = rng.uniform(2400, 4600)
    sound = np.zeros(length)
    for at in moments(rng, length, 0.8, gap=1.3, first=1.5):
        add(sound, at, rng.uniform(0.6, 1.0) * song(rng, hertz))
    return sound


def _note(hertz: Wave, rise: float = 0.012) -> Wave:
    """A note of a syrinx: nearly a pure tone."""
    whole = tone(hertz, len(hertz)) + 0.08 * tone(2 * hertz, len(hertz))
    return np.asarray(whole * swell(len(hertz), rise, len(hertz) / RATE * 0.5))


def _sung(notes: list[Wave], pauses: list[float]) -> Wave:
    gaps = [np.zeros(clip(pause)) for pause in pauses]
    return np.concatenate([part for pair in zip(notes, gaps, strict=True) for part in pair])


def _chirps(rng: Random, hertz: float) -> Wave:
    count = int(rng.integers(2, 6))
    notes = [
        _note(curve(clip(rng.uniform(0.06, 0.12)), hertz * 1.35, hertz, hertz * 1.2)) for _ in range(count)
    ]
    return _sung(notes, list(rng.uniform(0.05, 0.14, count)))


def _trill(rng: Random, hertz: float) -> Wave:
    count = int(rng.integers(10, 22))
    fall = np.linspace(1.1, 0.95, count)
    notes = [_note(curve(clip(0.035), hertz * f * 1.15, hertz * f * 0.9), 0.006) for f in fall]
    return _sung(notes, [0.012] * count)


def _whistle(rng: Random, hertz: float) -> Wave:
    steps = hertz * rng.choice([1.0, 0.89, 0.84, 0.75, 1.12], 3)
    notes = [_note(curve(clip(rng.uniform(0.18, 0.38)), step * 1.02, step)) for step in steps]
    return _sung(notes, [0.06] * len(notes))


def _warble(rng: Random, hertz: float) -> Wave:
    length = clip(rng.uniform(0.5, 1.1))
    middle = wander(rng, length, 7.0, hertz * 0.75, hertz * 1.3)
    shaken = middle * (1 + 0.06 * tone(rng.uniform(24, 34), length))
    return np.asarray(_note(shaken, 0.03) * wander(rng, length, 9.0, 0.3, 1.0))


def gulls(rng: Random, length: int) -> Wave:
    """Gulls: a long call, then shorter ones that fall, each rough and bright."""
    sound = np.zeros(length)
    for at in moments(rng, length, 0.22, gap=1.6, first=2.5):
        high = rng.uniform(0.85, 1.2)
        for number in range(int(rng.integers(2, 6))):
            lasts = clip(0.42 if number == 0 else 0.26)
            add(sound, at, 0.9**number * _cry(rng, lasts, high))
            at += lasts + clip(0.09)
    return sound


def _cry(rng: Random, length: int, high: float) -> Wave:
    pitch = high * curve(length, 720, 1120, 980, 690) * (1 + 0.02 * noise(rng, length, 30, 90))
    mouth = ((curve(length, 1500, 2600, 1700), 700.0, 1.0), (4100.0, 900.0, 0.4), (900.0, 400.0, 0.4))
    return voiced(pitch, mouth, tilt=0.3) * swell(length, 0.04, 0.14)


def owl(rng: Random, length: int) -> Wave:
    """A tawny owl's hoot: one, a pause, then a quavering one."""
    sound = np.zeros(length)
    hertz = rng.uniform(360, 460)
    for at in moments(rng, length, 0.12, gap=6.0, first=3.0):
        one = clip(0.7)
        add(sound, at, tone(curve(one, hertz * 0.93, hertz, hertz * 0.9), one) * swell(one, 0.15, 0.35))
        two = clip(1.3)
        quaver = 1 - 0.5 * (np.arange(two) > two * 0.3) * (0.5 + 0.5 * tone(11.0, two))
        hoot = tone(curve(two, hertz * 0.95, hertz * 1.02, hertz, hertz * 0.88), two)
        add(sound, at + clip(1.9), hoot * quaver * swell(two, 0.2, 0.4))
    return sound


def crickets(rng: Random, length: int) -> Wave:
    """Field crickets all around: each three or four pulses of its own high tone, several times a second."""
    sound = np.zeros((length, 2))
    for _ in range(5):
        ear, level = rng.uniform(0, 1), rng.uniform(0.3, 1.0)
        sound += np.outer(level * _cricket(rng, length), [np.sqrt(1 - ear), np.sqrt(ear)])
    return sound


def _cricket(rng: Random, length: int) -> Wave:
    at = np.arange(length) / RATE + rng.uniform(0, 1)
    rate, pulses = rng.uniform(1.8, 3.2), rng.integers(3, 5)
    within = (at * rate) % 1.0
    pulse = np.sin(np.pi * ((within * 30 / rate) % 1.0)) ** 2 * (within * 30 / rate < pulses)
    return np.asarray(pulse * tone(rng.uniform(3900, 5200), length))


def bees(rng: Random, length: int) -> Wave:
    """An insect that comes near and goes away again."""
    pitch = wander(rng, length, 2.0, 185, 230)
    nearness = wander(rng, length, 0.35) ** 3
    return voiced(pitch, ((400.0, 300.0, 1.0), (1500.0, 800.0, 0.25)), tilt=0.8, highest=4_000) * (
        0.03 + nearness
    )
