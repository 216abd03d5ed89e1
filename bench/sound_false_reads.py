"""Searches of sound that carries no mark: how often is one found, and do the p-values keep their promise?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from bench.sound_attacks import Attack, codec, crop, noise, speed, tempo, untouched
from bench.sound_ffmpeg import decoded, resampled
from guard.media.stream import Samples
from guard.watermark.base import ReadingState
from guard.watermark.dipole import read

__all__ = ["false_reads"]

Numbers = NDArray[np.float64]

_RATE = 16000
_LENGTHS = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
_RING = 8  # keys per sound: each key is a search of its own
_KEYS = 256
_LIMITS = (0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4)
_CHANGES: list[Attack] = [
    untouched,
    untouched,
    noise(20),
    codec("MP3", 64),
    codec("Opus", 24),
    speed(4),
    tempo(-4),
]
_PERIODS = (0.1, 0.25, 0.8, 1.0, 2.8, 4.8)


def false_reads(paths: list[Path], count: int, seed: int) -> None:
    """Search unmarked sound, pieces of clips and what no clip has, under several keys: `count` in all.

    Prints after each tenth how many were found and how often p-values were small: p ≤ x should hold for no
    more than a share x of the sounds.
    """
    rng = np.random.default_rng(seed)
    keys = [rng.bytes(32) for _ in range(_KEYS)]
    sounds = -(-count // _RING)
    p_values, found = [], 0
    with Progress() as progress:
        task = progress.add_task("searches", total=sounds)
        for done in range(1, sounds + 1):
            ring = [keys[i] for i in rng.choice(_KEYS, _RING, replace=False)]
            sound = _unmarked(paths, rng)
            reading = read(sound.data, sound.rate, keys=ring)
            found += reading.state is not ReadingState.ABSENT
            p_values.append(1.0 if reading.p_value is None else reading.p_value)
            progress.advance(task)
            if done % max(1, sounds // 10) == 0:
                progress.console.print(_report(done, found, np.array(p_values)))


def _report(sounds: int, found: int, p_values: Numbers) -> str:
    shares = "  ".join(f"p≤{limit:g}: {np.mean(p_values <= limit):.2g}" for limit in _LIMITS)
    return (
        f"{sounds * _RING} searches of {sounds} sounds, {found} found, least p {p_values.min():.2g}; {shares}"
    )


def _unmarked(paths: list[Path], rng: np.random.Generator) -> Samples:
    """A piece of a clip, sometimes repeated as a loop, or something made up; changed in one random way."""
    seconds = float(rng.choice(_LENGTHS))
    if rng.random() < 0.25:
        made = _MADE[int(rng.integers(len(_MADE)))](round(seconds * _RATE), rng)
        sound = Samples(_RATE, made.astype(np.float32)[:, None])
    else:
        sound = crop(seconds)(decoded(paths[int(rng.integers(len(paths)))]), rng)
        if rng.random() < 0.25:
            sound = _looped(resampled(sound, _RATE), rng)
    return _CHANGES[int(rng.integers(len(_CHANGES)))](sound, rng)


def _looped(sound: Samples, rng: np.random.Generator) -> Samples:
    """Its beginning over and over: what looks most like a mark, which repeats."""
    period = sound.data[: round(float(rng.choice(_PERIODS)) * sound.rate)]
    return Samples(sound.rate, np.tile(period, (-(-len(sound.data) // len(period)), 1))[: len(sound.data)])


def _tone(count: int, rng: np.random.Generator) -> Numbers:
    times = np.arange(count) / _RATE
    return 0.3 * np.sin(2 * np.pi * rng.uniform(80, 4000) * times)


def _silence(count: int, rng: np.random.Generator) -> Numbers:
    """Digital, or with a little noise in the last bit."""
    return np.zeros(count) if rng.random() < 0.5 else np.rint(rng.normal(0, 0.7, count)) / 32768


def _noise(count: int, rng: np.random.Generator) -> Numbers:
    return rng.normal(0, 0.1, count)


def _pulsed(count: int, rng: np.random.Generator) -> Numbers:
    """Noise that swells at the pace of the mark's cells or near it."""
    times = np.arange(count) / _RATE
    return rng.normal(0, 0.1, count) * (1 + 0.8 * np.sign(np.sin(2 * np.pi * rng.uniform(8, 12) * times)))


def _clicks(count: int, rng: np.random.Generator) -> Numbers:
    made = rng.normal(0, 1e-4, count)
    made[:: round(_RATE * float(rng.choice((0.05, 0.1, 0.2, 0.5))))] = 0.9
    return made


_MADE: list[Callable[[int, np.random.Generator], Numbers]] = [_tone, _silence, _noise, _pulsed, _clicks]
