"""Finding one key's tile in a folded picture, and its coded bits: 8 orientations, every shift, both signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from guard.watermark.tile.code import CODED_BITS, Word, decode
from guard.watermark.tile.pattern import LINES, RADII, TILE, Pattern

__all__ = ["ORIENTATIONS", "TRIES", "Pose", "at", "radial_mean", "search", "transformed"]

Number = TypeVar("Number", np.complex64, np.float32)

# The symmetries of the square, as matrices on (ky, kx).
ORIENTATIONS = np.array(
    [[[sy, 0], [0, sx]] for sy in (1, -1) for sx in (1, -1)]
    + [[[0, sy], [sx, 0]] for sy in (1, -1) for sx in (1, -1)]
)
TRIES = 2  # Viterbi searches per folded tile and key
_SYNC_LIMIT = 2.0
_LEAST_SYNC = 4.4
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


def search(tile: NDArray[np.float32], pattern: Pattern) -> list[tuple[Pose, Word]]:
    """The likeliest poses of a key's pattern in a folded, whitened picture (128, 128), best first, and the words
    read there; none if nothing synchronises."""
    spectrum, local = transformed(tile)
    found = _poses(spectrum / np.sqrt(local), pattern)
    if not found:
        return []
    words = decode(np.stack([_soft_bits(spectrum, local, pose, pattern) for pose in found]))
    return list(zip(found, words, strict=True))


def transformed(tile: NDArray[np.float32]) -> tuple[NDArray[np.complex64], NDArray[np.float32]]:
    """The spectrum of a folded picture and the local mean of its power, both (128, 128)."""
    spectrum = np.fft.fft2(tile).astype(np.complex64)
    margin = _LOCAL[0] // 2
    power = np.pad(np.square(np.abs(spectrum)), margin, mode="wrap")
    return spectrum, cv2.blur(power, _LOCAL)[margin:-margin, margin:-margin] + np.float32(1e-12)


def radial_mean(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Running mean of a value per line over the 61 lines nearest in radius."""
    ordered = cv2.blur(power[_ORDER][None, :].astype(np.float32), (_RADIAL_LINES, 1)).reshape(-1)
    result: NDArray[np.float32] = ordered[_RANK]
    return result


def at(spectrum: NDArray[Number], lines: NDArray[np.int64]) -> NDArray[Number]:
    """The values of a tile's spectrum (..., 128, 128) at lines (n, 2)."""
    return spectrum[..., lines[:, 0] % TILE, lines[:, 1] % TILE]


def _poses(flat: NDArray[np.complex64], pattern: Pattern) -> list[Pose]:
    """The likeliest poses by correlation of the flattened spectrum with the sync lines."""
    lines = LINES[pattern.sync]
    seen = np.stack([at(flat, lines @ orientation.T) for orientation in ORIENTATIONS])
    seen = seen / np.maximum(np.abs(seen) / _SYNC_LIMIT, 1) * pattern.phases.conj()
    half = np.zeros((len(ORIENTATIONS), TILE, TILE // 2 + 1), np.complex64)
    half[:, lines[:, 0] % TILE, lines[:, 1]] = seen
    surface = scipy.fft.irfft2(half, s=(TILE, TILE)).reshape(len(ORIENTATIONS), -1)
    surface *= (TILE**2 / 2 / np.sqrt(np.square(np.abs(seen)).sum(axis=1) / 2 + 1e-12))[:, None]
    found = [pose for o, row in enumerate(surface) for pose in _peaks(o, row)]
    found.sort(key=lambda pose: -pose.score)
    return [pose for pose in found[:TRIES] if pose.score > _LEAST_SYNC]


def _peaks(orientation: int, surface: NDArray[np.float32]) -> list[Pose]:
    """The two highest points and, for inverted pictures, the lowest."""
    top, lowest = np.argpartition(surface, -2)[-2:], int(surface.argmin())
    return [
        Pose(orientation, (int(i) // TILE, int(i) % TILE), sign, float(surface[i]) * sign)
        for i, sign in [(top[0], 1), (top[1], 1), (lowest, -1)]
    ]


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
