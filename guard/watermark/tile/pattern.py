"""The frequencies a mark lives on and what a key makes of them.

A mark is one tile of 128×128 pixels, repeated over the picture: the sum of 1008 waves ("lines", bins of the
tile's Fourier transform). Which 60 of them synchronise, their phases, and how the others spell the coded bits
all follow from the key. Where the lines lie does not, so one geometric search serves every key.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from guard.watermark.tile.code import CODED_BITS

__all__ = ["LINES", "RADII", "TILE", "Pattern", "pattern"]

TILE = 128
_LOWEST, _HIGHEST = 8, 28
_SYNC_LINES = 60
_SYNC_RADII = (9, 25)
_SYNC_SPACING = 2.5


def _half_plane() -> NDArray[np.int64]:
    """Lines (1008, 2) as (ky, kx), one of each conjugate pair. The rows and columns next to the axes are left
    out: straight edges and the block grid of JPEG live there."""
    ky, kx = np.mgrid[-_HIGHEST : _HIGHEST + 1, 2 : _HIGHEST + 1]
    radius = np.hypot(ky, kx)
    inside = (radius >= _LOWEST) & (radius <= _HIGHEST) & (abs(ky) >= 2)
    return np.array([ky[inside], kx[inside]]).T.astype(np.int64)


LINES = _half_plane()
RADII = np.hypot(LINES[:, 0], LINES[:, 1]).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """What a key makes of the lines: `sync` and `data` index `LINES`, `phases` (60,) are on the unit circle.

    Every data line has two chips, its real and its imaginary part: 1896 in all, real parts first. Chip i
    carries coded bit `bits[i]` multiplied by `signs[i]`.
    """

    sync: NDArray[np.int64]
    phases: NDArray[np.complex64]
    data: NDArray[np.int64]
    bits: NDArray[np.int64]
    signs: NDArray[np.float32]


@lru_cache(maxsize=256)
def pattern(key: bytes) -> Pattern:
    """The pattern of a key of any length."""
    stream = _Stream(key)
    sync = _spread(stream.permutation(len(LINES)))
    data = np.setdiff1d(np.arange(len(LINES)), sync)
    chips = 2 * len(data)
    rounds = [stream.permutation(CODED_BITS) for _ in range(-(-chips // CODED_BITS))]
    return Pattern(
        sync=sync,
        phases=np.exp(2j * np.pi * stream.uniform(len(sync))).astype(np.complex64),
        data=data,
        bits=np.concatenate(rounds)[:chips],
        signs=np.where(stream.uniform(chips) < 0.5, -1, 1).astype(np.float32),
    )


def _spread(order: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first 60 lines of `order` that keep their distance from one another and their conjugates."""
    chosen: list[int] = []
    for line in order:
        if not _SYNC_RADII[0] <= RADII[line] <= _SYNC_RADII[1]:
            continue
        others = LINES[chosen]
        gaps = np.linalg.norm(np.concatenate([others, -others]) - LINES[line], axis=1)
        if not (gaps <= _SYNC_SPACING).any():
            chosen.append(int(line))
        if len(chosen) == _SYNC_LINES:
            break
    return np.array(chosen)


class _Stream:
    """Numbers drawn from SHAKE-256 of the key. What NumPy's generators draw may change from one release to
    the next; a mark must be readable for as long as its picture."""

    def __init__(self, key: bytes) -> None:
        self._key = hashlib.blake2b(key, person=b"guard-tile-1").digest()
        self._draws = 0

    def uniform(self, count: int) -> NDArray[np.float64]:
        """`count` numbers in [0, 1)."""
        self._draws += 1
        digest = hashlib.shake_256(self._key + self._draws.to_bytes(4)).digest(8 * count)
        return np.asarray((np.frombuffer(digest, ">u8") >> 11) * 2.0**-53, np.float64)

    def permutation(self, count: int) -> NDArray[np.int64]:
        """The numbers below `count` in random order."""
        return np.argsort(self.uniform(count), kind="stable").astype(np.int64)
