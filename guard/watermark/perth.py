"""PerTh, the mark of Resemble AI's speech models, read with their package `resemble-perth` where it is there.

It says that some model of theirs made the sound, not whose or when: one bit, without a key. Of 212 unmarked
clips eight, mostly of music, read as marked at a confidence of 0.5, and one at 0.9: it reached 0.96, the next
0.78. What counts here is 0.98. That is no measured rate of false readings, and a reading has no p-value.

The package is in no extra: it needs torchaudio, and a setuptools that still has pkg_resources. Where one of
them is missing, it imports without complaint and has no watermarker.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from guard.errors import ConfigurationError, MarkError
from guard.watermark.base import Payload, Reading, ReadingState, Strength

__all__ = ["ALG", "NAME", "embed", "read", "watermarker"]

NAME, ALG = "perth", "ai.resemble.perth.implicit"
Sound = NDArray[np.float32]

_RATE = 32000
_PIECE = 30  # seconds
_CONFIDENT = 0.98
_INSTALL = "Install it: pip install resemble-perth torchaudio 'setuptools<81'."


def embed(samples: Sound, rate: int, payload: Payload, *, key: bytes, strength: Strength) -> Sound:
    """Raises `MarkError`: PerTh carries no payload, so nothing is marked with it."""
    del samples, rate, payload, key, strength
    raise MarkError("PerTh carries no payload and is only read.", "Use the engine 'dipole'.")


def read(samples: Sound, rate: int, *, keys: Sequence[bytes]) -> Reading:
    """`FOUND`, without payload and p-value, where 30 s of the channels' mean read at 0.98 or more.

    `samples` are float32 (n, channels); `quality` is the highest confidence. Keys do nothing. Raises
    `ConfigurationError` where the package is missing or incomplete.
    """
    del keys
    package = watermarker()
    mono = np.asarray(soxr.resample(samples.mean(1), rate, _RATE), np.float32)
    pieces = (mono[start : start + _PIECE * _RATE] for start in range(0, len(mono), _PIECE * _RATE))
    sure = max((_confidence(package, piece) for piece in pieces if piece.any()), default=0.0)
    return Reading(ReadingState.FOUND if sure >= _CONFIDENT else ReadingState.ABSENT, NAME, quality=sure)


@cache
def watermarker() -> Any:
    """The package's watermarker with the weights that it brings. Raises `ConfigurationError`."""
    try:
        import perth
    except ImportError as error:
        raise ConfigurationError("PerTh is read by a package that is not installed.", _INSTALL) from error
    if perth.PerthImplicitWatermarker is None:
        raise ConfigurationError("The package perth is here, but not all that it needs.", _INSTALL)
    with redirect_stdout(StringIO()):  # it announces itself
        return perth.PerthImplicitWatermarker()


def _confidence(package: Any, mono: Sound) -> float:
    """In [0, 1]; what it cannot tell, as where a piece is all but silent, is 0."""
    sure = float(np.mean(package.get_watermark(mono, sample_rate=_RATE, round=False)))
    return sure if np.isfinite(sure) else 0.0
