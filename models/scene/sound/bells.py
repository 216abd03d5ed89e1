"""Struck, blown and plucked things: bells, a foghorn, a guitar."""

from __future__ import annotations

import numpy as np

from models.scene.sound.signal import RATE, Random, Wave, add, clip, moments, noise, ring, swell, wander
from models.scene.sound.voice import voiced

__all__ = ["bicycle_bell", "buoy", "church_bell", "clinks", "cowbells", "foghorn", "guitar"]

# Partials of a tuned church bell against its strike note: hum, prime, tierce, quint, nominal and above
# (N. H. Fletcher, T. D. Rossing, "The Physics of Musical Instruments", §21.2).
_BELL = (
    (0.5, 0.7, 9.0),
    (1.0, 1.0, 6.0),
    (1.2, 0.8, 4.5),
    (1.5, 0.4, 3.5),
    (2.0, 0.9, 3.0),
    (2.5, 0.35, 1.8),
    (2.67, 0.3, 1.5),
    (3.0, 0.3, 1.3),
    (4.1, 0.2, 0.8),
    (5.4, 0.12, 0.5),
)


def church_bell(rng: Random, length: int) -> Wave:
    """One bell that strikes every two to three seconds."""
    strike = rng.uniform(380, 520)
    every = rng.uniform(2.2, 3.0)
    blow = ring([(strike * r, level, seconds) for r, level, seconds in _BELL], clip(7.0))
    sound = np.zeros(length)
    for number in range(int(length / RATE / every) + 1):
        add(sound, int((0.3 + every * number) * RATE), rng.uniform(0.85, 1.0) * blow)
    return sound


def buoy(rng: Random, length: int) -> Wave:
    """A bell buoy, rung by the swell: irregular strokes of a small bell."""
    strike = rng.uniform(560, 720)
    blow = ring([(strike * r, level, 0.5 * seconds) for r, level, seconds in _BELL], clip(4.0))
    sound = np.zeros(length)
    for at in moments(rng, length, 0.9, gap=0.7, first=1.0):
        add(sound, at, rng.uniform(0.35, 1.0) * blow)
    return sound


def cowbells(rng: Random, length: int) -> Wave:
    """A herd on a slope: dull clanks of a few bells, all around."""
    sound = np.zeros((length, 2))
    for _ in range(4):
        ear, strike = rng.uniform(0, 1), rng.uniform(420, 900)
        partials = [
            (strike, 1.0, 0.5),
            (strike * 1.48, 0.7, 0.4),
            (strike * 2.31, 0.5, 0.25),
            (strike * 3.6, 0.3, 0.15),
        ]
        clank = ring(partials, clip(0.6))
        for at in moments(rng, length, 1.4, gap=0.25):
            add(sound, at, np.outer(rng.uniform(0.2, 1.0) * clank, [1 - ear, ear]))
    return sound


def bicycle_bell(rng: Random, length: int) -> Wave:
    """Trring-trring, and the ticking of the freewheel."""
    strike = rng.uniform(1900, 2300)
    ding = ring([(strike, 1.0, 0.9), (strike * 1.52, 0.6, 0.6), (strike * 2.76, 0.4, 0.35)], clip(1.0))
    tick = ring([(2900.0, 0.05, 0.02), (4700.0, 0.04, 0.015)], clip(0.03))
    sound = np.zeros(length)
    for at in range(0, length, clip(1 / 13)):
        add(sound, at + int(rng.integers(0, 200)), rng.uniform(0.6, 1.0) * tick)
    for at in moments(rng, length, 0.15, gap=4.0, first=2.0):
        for stroke in (0.0, 0.07, 0.14, 0.45, 0.52, 0.59):
            add(sound, at + clip(stroke), rng.uniform(0.7, 1.0) * ding)
    return sound


def clinks(rng: Random, length: int) -> Wave:
    """Halyards against a mast: light metal, oftener while the wind blows."""
    wind = wander(rng, length, 0.4)
    strike = rng.uniform(1300, 1900)
    sound = np.zeros(length)
    for at in moments(rng, length, 3.0, gap=0.12):
        partials = [(strike * r, a, s) for r, a, s in ((1.0, 1.0, 0.5), (2.41, 0.6, 0.3), (3.9, 0.35, 0.2))]
        add(sound, at, wind[at] * rng.uniform(0.2, 1.0) * ring(partials, clip(0.5)))
    return sound


def foghorn(rng: Random, length: int) -> Wave:
    """A long low blast, and a long wait."""
    sound = np.zeros(length)
    for number in range(int(length / RATE / 8.0) + 1):
        lasts = clip(2.6)
        pitch = rng.uniform(0.995, 1.005) * np.full(lasts, 118.0)
        throat = ((240.0, 130.0, 1.0), (480.0, 160.0, 0.5), (950.0, 300.0, 0.18))
        blast = voiced(pitch, throat, tilt=0.7, highest=3_000) + 0.04 * noise(rng, lasts, 100, 1500, slope=-4)
        add(sound, int((1.0 + 8.0 * number) * RATE), blast * swell(lasts, 0.25, 0.5))
    return sound


_CHORDS = (
    (110.0, 164.8, 220.0, 277.2, 329.6),
    (146.8, 220.0, 293.7, 370.0),
    (123.5, 185.0, 246.9, 329.6, 415.3),
)


def guitar(rng: Random, length: int) -> Wave:
    """Somebody picks chords on a guitar."""
    sound = np.zeros(length)
    for number, at in enumerate(range(clip(0.2), length, clip(0.27))):
        bar, step = divmod(number, 8)
        chord = _CHORDS[bar % len(_CHORDS)]
        string = chord[int(rng.integers(1, len(chord)))] if step else chord[0]
        add(sound, at + int(rng.integers(0, 400)), rng.uniform(0.6, 1.0) * _pluck(rng, string))
    return sound


def _pluck(rng: Random, hertz: float, seconds: float = 1.6) -> Wave:
    """A string: noise that runs round a delay line and loses its treble on the way (K. Karplus, A. Strong,
    "Digital Synthesis of Plucked-String and Drum Timbres", Computer Music Journal 7(2), 1983)."""
    period = round(RATE / hertz)
    line = noise(rng, period, 20, 5000)
    rounds = clip(seconds) // period
    string = np.empty((rounds, period))
    for number in range(rounds):
        string[number] = line
        line = 0.996 * 0.5 * (line + np.roll(line, 1))
    wave = string.ravel()
    return wave * swell(len(wave), 0.003, 0.3)
