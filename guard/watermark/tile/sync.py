"""Finding one key's tile in a folded picture, and its coded bits: 8 orientations, every shift, both signs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from guard.watermark.tile.code import CODED_BITS, Word, decode
from guard.watermark.tile.pattern import LINES, RADII, TILE, Pattern

__all__ = [
    "MOST_TRIES",
    "ORIENTATIONS",
    "Pose",
    "at",
    "poses",
    "radial_mean",
    "search",
    "transformed",
    "tries",
]

Number = TypeVar("Number", np.complex64, np.float32)

# The symmetries of the square, as matrices on (ky, kx).
ORIENTATIONS = np.array(
    [[[sy, 0], [0, sx]] for sy in (1, -1) for sx in (1, -1)]
    + [[[0, sy], [sx, 0]] for sy in (1, -1) for sx in (1, -1)]
)
MOST_TRIES = 16
_LEAST_TRIES = 2
_SYNC_LIMIT = 2.0
_TRIES_AREA = 1 << 20
_LEAST_SYNC = 3.4
_APART = 2
_SOFT_LIMIT = 2.2
_NOISE_EXPONENT = 0.75  # between matched (1) and equal (0) weights: noise is only known roughly
_LOCAL = (7, 7)
_RADIAL_LINES = 61
_GAIN_WIDTH = 3.0
_LEAST_GAIN = 0.05
_ORDER = np.argsort(RADII, kind="stable")
_RANK = np.argsort(_ORDER, kind="stable")


@dataclass(frozen=True, slots=True)
class Pose:
    """One way the tile may lie: `score` is the deviation of the sync surface at this shift and sign."""

    orientation: int
    shift: tuple[int, int]
    sign: int
    score: float


def search(tile: NDArray[np.float32], pattern: Pattern, tries: int) -> list[Word]:
    """The words read at the likeliest poses of a key's pattern in a folded, whitened picture (128, 128)."""
    found = poses(tile, pattern, tries)
    spectrum, local = transformed(tile)
    return decode(np.stack([_soft_bits(spectrum, local, pose, pattern) for pose in found])) if found else []


def tries(area: int) -> int:
    """How many poses of a picture with this many pixels are worth a Viterbi search.

    Where few tiles add up, the true pose is not always the one that synchronises best.
    """
    return int(np.clip(_TRIES_AREA / area, _LEAST_TRIES, MOST_TRIES))


def poses(tile: NDArray[np.float32], pattern: Pattern, count: int = 1) -> list[Pose]:
    """The likeliest poses by correlation with the sync lines, best first; none if nothing stands out."""
    spectrum, local = transformed(tile)
    flat = (spectrum / np.sqrt(local)).astype(np.complex64)
    lines = LINES[pattern.sync]
    seen = np.stack([at(flat, lines @ orientation.T) for orientation in ORIENTATIONS])
    seen *= pattern.phases.conj() / np.maximum(np.abs(seen) / _SYNC_LIMIT, 1)
    half = np.zeros((len(ORIENTATIONS), TILE, TILE // 2 + 1), np.complex64)
    half[:, lines[:, 0] % TILE, lines[:, 1]] = seen
    surface = scipy.fft.irfft2(half, s=(TILE, TILE))
    surface *= (TILE**2 / 2 / np.sqrt(np.square(np.abs(seen)).sum(axis=1) / 2 + 1e-12))[:, None, None]
    return [pose for pose in _peaks(surface, count) if pose.score > _LEAST_SYNC]


def transformed(tile: NDArray[np.float32]) -> tuple[NDArray[np.complex64], NDArray[np.float32]]:
    """The spectrum of a folded picture and the local mean of its power, both (128, 128)."""
    spectrum = scipy.fft.fft2(tile.astype(np.float32, copy=False))
    margin = _LOCAL[0] // 2
    power = np.pad(np.square(np.abs(spectrum)), margin, mode="wrap")
    mean = cv2.blur(power, _LOCAL)[margin:-margin, margin:-margin]
    # Running sums lose what is far below the largest power, down to a little less than nothing.
    return spectrum.astype(np.complex64, copy=False), np.maximum(mean, 1e-6 * mean.max() + 1e-12)


def radial_mean(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Running mean of a value per line over the 61 lines nearest in radius."""
    ordered = cv2.blur(power[_ORDER][None, :].astype(np.float32), (_RADIAL_LINES, 1)).reshape(-1)
    result: NDArray[np.float32] = ordered[_RANK]
    return result


def at(spectrum: NDArray[Number], lines: NDArray[np.int64]) -> NDArray[Number]:
    """The values of a tile's spectrum (..., 128, 128) at lines (n, 2)."""
    return spectrum[..., lines[:, 0] % TILE, lines[:, 1] % TILE]


def _peaks(surface: NDArray[np.float32], count: int) -> Iterator[Pose]:
    """The highest points of (orientations, 128, 128), no two of them neighbours, or the lowest where they are
    further out, as they are in inverted pictures."""
    height = np.abs(surface)
    for _ in range(count):
        orientation, y, x = (int(i) for i in np.unravel_index(int(height.argmax()), height.shape))
        value = float(surface[orientation, y, x])
        yield Pose(orientation, (y, x), 1 if value > 0 else -1, abs(value))
        near = np.arange(-_APART, _APART + 1)
        height[orientation, (y + near[:, None]) % TILE, (x + near) % TILE] = 0


def _soft_bits(
    spectrum: NDArray[np.complex64], local: NDArray[np.float32], pose: Pose, pattern: Pattern
) -> NDArray[np.float32]:
    """384 soft bits under one pose: chips weighted by the channel's gain over its noise."""
    lines = LINES @ ORIENTATIONS[pose.orientation].T
    turn = pose.sign * np.exp(2j * np.pi / TILE * (LINES @ pose.shift)).astype(np.complex64)
    seen = at(spectrum, lines) * turn
    noise = np.sqrt(radial_mean(np.square(np.abs(seen))) * at(local, lines))
    weight = _gain(seen[pattern.sync] * pattern.phases.conj(), RADII[pattern.sync]) / noise**_NOISE_EXPONENT
    values = (seen * weight)[pattern.data]
    chips = np.concatenate([values.real, values.imag]) * pattern.signs
    limit = _SOFT_LIMIT * np.sqrt(np.square(chips).mean()) + 1e-12
    return np.bincount(pattern.bits, np.clip(chips, -limit, limit), CODED_BITS).astype(np.float32)


def _gain(sync: NDArray[np.complex64], radii: NDArray[np.float32]) -> NDArray[np.float32]:
    """The channel's gain at every line, regressed over radius from the lines whose values are known."""
    kernel = np.exp(-0.5 * np.square((RADII[:, None] - radii) / _GAIN_WIDTH))
    gain = kernel @ sync.real / kernel.sum(axis=1)
    result: NDArray[np.float32] = np.maximum(gain, _LEAST_GAIN * max(float(gain.max()), 1e-9))
    return result
