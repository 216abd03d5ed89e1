"""What every sound is built from: noise, oscillators, envelopes and moments, as arrays at one rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "RATE",
    "Random",
    "Wave",
    "add",
    "band",
    "clip",
    "fade",
    "moments",
    "noise",
    "ring",
    "swell",
    "tone",
    "tuned",
    "wander",
]

RATE = 44_100
"""Samples a second."""

Random = np.random.Generator
Wave = NDArray[np.float64]
"""Sound without a unit: (n,) from one point, or (n, 2) from all around."""


def clip(seconds: float) -> int:
    """How many samples last `seconds`."""
    return max(1, round(seconds * RATE))


def tuned(wave: Wave, curve: Callable[[Wave], Wave]) -> Wave:
    """`wave` with each of its frequencies weighed by `curve` of it, in Hz; its phases stay."""
    size = 1 << (len(wave) + 2048).bit_length()  # room behind it, so that its end does not ring at its start
    gains = curve(np.asarray(np.fft.rfftfreq(size, 1 / RATE), np.float64))
    spectrum = np.fft.rfft(wave, size, axis=0)
    weighed = spectrum * (gains if wave.ndim == 1 else gains[:, None])
    return np.asarray(np.fft.irfft(weighed, size, axis=0)[: len(wave)])


def band(low: float, high: float) -> Callable[[Wave], Wave]:
    """A curve for `tuned` that passes `low` to `high` Hz, with the slopes of a third-order Butterworth."""

    def curve(hertz: Wave) -> Wave:
        below = (low / np.maximum(hertz, 1.0)) ** 6
        return np.asarray(1 / np.sqrt((1 + below) * (1 + (hertz / high) ** 6)))

    return curve


def noise(
    rng: Random, length: int, low: float, high: float, *, slope: float = 0.0, wide: bool = False
) -> Wave:
    """Noise from `low` to `high` Hz that rises by `slope` dB an octave, with an RMS of 1."""
    passes = band(low, high)
    white = rng.standard_normal((length, 2) if wide else length)
    wave = tuned(white, lambda hertz: passes(hertz) * np.maximum(hertz, 20.0) ** (slope / 6.02))
    return np.asarray(wave / np.sqrt(np.mean(wave**2)))


def wander(rng: Random, length: int, per_second: float, low: float = 0.0, high: float = 1.0) -> Wave:
    """A smooth curve between `low` and `high` that turns about `per_second` times a second."""
    along = np.arange(length) * (per_second / RATE)
    points = rng.uniform(low, high, int(along[-1]) + 2)
    step = along.astype(np.intp)
    part = along - step
    part = part * part * (3 - 2 * part)
    return np.asarray(points[step] * (1 - part) + points[step + 1] * part)


def moments(
    rng: Random, length: int, per_second: float, *, gap: float = 0.0, first: float = 1.0
) -> list[int]:
    """Sample numbers of events that come by chance (a Poisson process), at least `gap` seconds apart.

    The first comes within `first` seconds, so that a short clip has one too.
    """
    at = rng.uniform(0.0, first)
    found: list[int] = []
    while at * RATE < length:
        found.append(int(at * RATE))
        at += gap + rng.exponential(1 / per_second)
    return found


def add(whole: Wave, at: int, part: Wave) -> None:
    """Mix `part` into `whole` from sample `at` on; what lies outside is left out."""
    start, end = max(at, 0), min(at + len(part), len(whole))
    if start < end:
        whole[start:end] += part[start - at : end - at]


def swell(length: int, rise: float, fall: float) -> Wave:
    """An envelope that rises to 1 in `rise` seconds, stays, and falls to 0 in the last `fall` seconds."""
    at = np.arange(length) / RATE
    left = (length - 1) / RATE - at
    up, down = np.clip(at / rise, 0, 1), np.clip(left / fall, 0, 1)
    return np.asarray(np.sin(np.pi / 2 * up) ** 2 * np.sin(np.pi / 2 * down) ** 2)


def fade(length: int, seconds: float, *, rise: float = 0.002) -> Wave:
    """An envelope that rises at once and dies away by 60 dB in `seconds`."""
    at = np.arange(length) / RATE
    return np.asarray(10 ** (-3 * at / seconds) * np.clip(at / rise, 0, 1))


def tone(hertz: Wave | float, length: int) -> Wave:
    """A sine whose frequency is `hertz`, a number or a curve."""
    phase = np.cumsum(np.broadcast_to(hertz, length)) * (2 * np.pi / RATE)
    return np.asarray(np.sin(phase))


def ring(partials: Sequence[tuple[float, float, float]], length: int) -> Wave:
    """A struck body: the sum of its partials, each (Hz, level, seconds to die away)."""
    parts = (level * tone(hertz, length) * fade(length, seconds) for hertz, level, seconds in partials)
    return np.asarray(sum(parts, np.zeros(length)))
