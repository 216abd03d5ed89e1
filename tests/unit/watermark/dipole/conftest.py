"""Sounds made up from numbers, with the pauses, pitch and hiss of speech: these tests need no files."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from guard.watermark.base import Payload
from guard.watermark.dipole import embed

Sound: TypeAlias = NDArray[np.float32]

KEY = b"a key for tests"
PAYLOAD = Payload(0x0123456789ABCDEF)
RATE = 16000


def voice(seconds: float, rate: int = RATE, seed: int = 0) -> Sound:
    """Syllables (n, 1): a gliding pitch whose harmonics come and go, hiss between, and short pauses."""
    rng = np.random.default_rng(seed)
    n = round(seconds * rate)
    knots = np.arange(0, seconds + 0.4, 0.2)
    time = np.arange(n) / rate

    def wander(low: float, high: float) -> NDArray[np.float64]:
        return np.interp(time, knots, rng.uniform(low, high, len(knots)))

    phase = np.cumsum(2 * np.pi * wander(95, 190) / rate)
    harmonics = range(1, min(3800, rate // 2 - 100) // 190)
    tone = sum(wander(-0.5, 1.5).clip(0.05) * np.sin(h * phase + h**2) / h**0.6 for h in harmonics)
    hiss = np.diff(rng.normal(size=n), prepend=0) * wander(-0.5, 0.6).clip(0)
    sound = (tone + 0.5 * hiss) * wander(-0.2, 1).clip(0) + 1e-4 * rng.normal(size=n)
    return np.asarray(0.5 * sound / abs(sound).max(), np.float32)[:, None]


def music(seconds: float, rate: int, channels: int = 2, seed: int = 1) -> Sound:
    """Struck chords over a rustle, placed differently in each channel."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    sound = 0.02 * rng.normal(size=(len(time), channels))
    for beat in np.arange(0, seconds, 0.35):
        since = np.maximum(time - beat, 0)
        root = 165 * 2 ** (rng.integers(0, 12) / 12)
        for interval in (1, 1.26, 1.5, 2.52, 4.01, 6.3, 9.1):
            string = np.exp(-4 * since) * (time >= beat) * np.sin(2 * np.pi * root * interval * since)
            sound += string[:, None] * rng.uniform(0.1, 1, channels) / interval**0.5
    return np.asarray(0.6 * sound / abs(sound).max(), np.float32)


def snr(host: NDArray[Any], marked: NDArray[Any]) -> float:
    """How far the mark lies under the sound, in dB."""
    change = marked.astype(np.float64) - host
    return float(10 * np.log10((host.astype(np.float64) ** 2).sum() / (change**2).sum()))


@pytest.fixture(scope="session")
def speech() -> Sound:
    return voice(8)


@pytest.fixture(scope="session")
def marked(speech: Sound) -> Sound:
    return embed(speech, RATE, PAYLOAD, key=KEY)
