"""Speech-like sound out of numbers: bursts of hiss and hum, long enough for a mark."""

from __future__ import annotations

from functools import cache

import numpy as np

from guard.media import Artifact
from guard.media.soundstream import SoundWriter
from guard.media.stream import Samples

__all__ = ["RATE", "artifact", "babble", "streamed"]

RATE = 24_000


@cache
def babble(seconds: float, seed: int = 0, channels: int = 1) -> Samples:
    """Syllables: hiss under a contour that rises and falls five times a second, and hum with it."""
    random = np.random.default_rng(seed)
    count = round(seconds * RATE)
    time = np.arange(count) / RATE
    knots = np.arange(0, seconds + 0.4, 0.2)
    loud = np.interp(time, knots, random.uniform(-0.2, 1, len(knots)))
    pitch = np.interp(time, knots, random.uniform(95, 190, len(knots)))
    phase = np.cumsum(2 * np.pi * pitch / RATE)
    hum = sum(np.sin(harmonic * phase + harmonic**2) / harmonic**0.6 for harmonic in range(1, 20))
    hiss = np.diff(random.normal(size=count), prepend=0)
    sound = (hum + 0.5 * hiss) * loud.clip(0) + 1e-4 * random.normal(size=count)
    data = (0.5 * sound / abs(sound).max()).astype(np.float32)[:, None]
    return Samples(RATE, np.repeat(data, channels, axis=1))


@cache
def artifact(mime: str, seconds: float, seed: int = 0) -> Artifact:
    """A file of it."""
    return Artifact.from_samples(babble(seconds, seed), mime)


@cache
def streamed(mime: str, seconds: float, seed: int = 0) -> bytes:
    """A file of it that was written without ever going back."""
    writer = SoundWriter(mime, RATE, 1)
    return writer.write(babble(seconds, seed).data) + writer.finish()
