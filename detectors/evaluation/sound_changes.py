"""What evaluation does to sounds: one random pipeline for both classes, harmless changes of real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from detectors.quality import opening
from guard.media import Artifact
from guard.media.stream import Samples

__all__ = ["CONTROLS", "MOST_SECONDS", "common"]

MOST_SECONDS = 10.0
_TELEPHONE = 8_000
_NOISE = 10 ** (-20 / 20)
_WAV, _MP3 = "audio/wav", "audio/mpeg"


def common(artifact: Artifact, rate: int, seconds: float, rng: np.random.Generator) -> Artifact:
    """A random stretch of `seconds`, or all of a shorter sound, mono, at `rate` hertz and a random level, as
    WAV or MP3."""
    sound = _at(artifact, rate)
    keep = round(seconds * rate)
    start = int(rng.integers(0, max(0, len(sound) - keep) + 1))
    sound = sound[start : start + keep]
    peak = float(np.abs(sound).max(initial=0)) or 1.0
    return _written(sound / peak * float(rng.uniform(0.3, 0.9)), rate, (_WAV, _MP3)[rng.integers(2)])


def _at(artifact: Artifact, rate: int) -> NDArray[np.float32]:
    import soxr

    sound, own = opening(artifact, 60.0)
    return sound if own == rate else np.asarray(soxr.resample(sound, own, rate), np.float32)


def _written(sound: NDArray[np.float32], rate: int, mime: str) -> Artifact:
    return Artifact.from_samples(Samples(rate, sound.astype(np.float32)[:, None]), mime)


def _narrow(artifact: Artifact, _: np.random.Generator) -> Artifact:
    return _written(_at(artifact, _TELEPHONE), _TELEPHONE, _WAV)


def _compressed(artifact: Artifact, _: np.random.Generator) -> Artifact:
    sound, rate = opening(artifact, MOST_SECONDS)
    return _written(sound, rate, _MP3)


def _noisy(artifact: Artifact, rng: np.random.Generator) -> Artifact:
    sound, rate = opening(artifact, MOST_SECONDS)
    level = float(np.sqrt(np.mean(sound**2, dtype=np.float64))) if len(sound) else 0.0
    noise = rng.standard_normal(len(sound)).astype(np.float32) * (level * _NOISE)
    return _written(np.clip(sound + noise, -1, 1), rate, _WAV)


CONTROLS: Mapping[str, Callable[[Artifact, np.random.Generator], Artifact]] = MappingProxyType(
    {"8 kHz": _narrow, "MP3": _compressed, "noise at 20 dB": _noisy}
)
"""What happens to honest recordings every day."""
