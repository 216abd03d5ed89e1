"""From arrays to the sound that is looked at: mono, at 8 kHz."""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from guard.errors import InputError, MarkError
from guard.watermark.dipole.cells import Floats
from guard.watermark.dipole.shape import RATE

__all__ = ["blend", "check", "check_room", "listened"]

_HIGHEST_RATE = 384_000
_MOST_CHANNELS = 8
_LOUDEST = 1e6
_WEAK = 0.01  # channels that cancel out to less of their energy are looked at by the first alone


def check(samples: NDArray[Any], rate: int) -> None:
    """Raise `InputError` unless `samples` are float32 (n, channels), finite, and `rate` is one of sound."""
    if not 0 < rate <= _HIGHEST_RATE:
        raise InputError(f"Sound cannot have a rate of {rate} Hz.", "Give 8000 to 192000 Hz.")
    if samples.ndim != 2 or samples.dtype != np.float32 or not samples.size:
        raise InputError(
            f"Sound cannot be {samples.dtype} of shape {samples.shape}.", "Give float32 (samples, channels)."
        )
    if not (samples.min() > -_LOUDEST and samples.max() < _LOUDEST):  # as NaN is not either
        raise InputError(
            "The sound holds samples that are no numbers or far over full scale.", "Decode it anew."
        )


def check_room(rate: int, channels: int) -> None:
    """Raise `MarkError` unless sound of that kind can be marked."""
    if not RATE <= rate <= _HIGHEST_RATE:
        raise MarkError(f"Sound of {rate} Hz cannot be marked.", "Give 8000 to 192000 Hz.")
    if not 1 <= channels <= _MOST_CHANNELS:
        raise MarkError(f"Sound of {channels} channels cannot be marked.", "Give 1 to 8 channels.")


def blend(channels: Floats) -> Floats:
    """The mean (n,) of channels (n, channels), or the first where they cancel out."""
    mean: Floats = channels.mean(axis=1, dtype=np.float32)
    energy = np.vdot(channels, channels) / channels.shape[1]
    return np.ascontiguousarray(channels[:, 0]) if np.vdot(mean, mean) < _WEAK * energy else mean


def listened(samples: Floats, rate: int) -> Floats:
    """What is looked at of `samples` (n, channels)."""
    mono: Floats = soxr.resample(blend(samples), rate, RATE)
    return mono
