"""Following a mark through bends that no affine map undoes: perspective, paper, lens distortion."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from guard.watermark.tile.pattern import LINES, TILE, Pattern
from guard.watermark.tile.picture import FloatImage
from guard.watermark.tile.residual import fold
from guard.watermark.tile.sync import ORIENTATIONS, Pose, at, poses, transformed

__all__ = ["straightened"]

Field: TypeAlias = NDArray[np.float32]

_ROUNDS = 3
_LEAST_SIDE = 3 * TILE
_LEAST_ANCHOR = 4.9  # noise exceeds it in one picture of five
_LEAST_WEIGHT = 1.0  # of all blocks under a true pose; under a wrong one nearly every block weighs nothing
_BLOCK, _STRIDE = 2 * TILE, TILE
_REACH = 12
_LEAST_SCORE = 4.0
_SPREAD = 0.8  # of the smoothing between blocks, in strides
_ROWS, _COLUMNS = np.mgrid[-_REACH : _REACH + 1, -_REACH : _REACH + 1]
_GRID = np.array([_ROWS.ravel(), _COLUMNS.ravel()]).T


def straightened(plane: FloatImage, pattern: Pattern) -> FloatImage | None:
    """A whitened plane (H, W), moved block by block to where the key's sync lines agree.

    None where it is too small to bend or no part of it synchronises well enough to start from.
    """
    if min(plane.shape) < _LEAST_SIDE:
        return None
    pose = _anchor(plane, pattern)
    if pose is None:
        return None
    shifts, weights = _shifts(plane, pose, pattern)
    if weights.sum() < _LEAST_WEIGHT:
        return None
    field = _smoothed(shifts, weights)
    for _ in range(_ROUNDS):
        field += _smoothed(*_shifts(_moved(plane, field), pose, pattern))
    return _moved(plane, field)


def _anchor(plane: FloatImage, pattern: Pattern) -> Pose | None:
    """The best pose of the whole, the middle and the quarters: a part is bent less than the whole.

    Parts begin on a multiple of the tile, so that a pose found in one holds for the whole.
    """
    height, width = (n // 2 // TILE * TILE for n in plane.shape)
    middle = height // 2 // TILE * TILE, width // 2 // TILE * TILE
    parts = [plane]
    for top, left in [(0, 0), (0, width), (height, 0), (height, width), middle]:
        parts.append(plane[top : top + height + TILE, left : left + width + TILE])
    found = [pose for part in parts for pose in poses(fold(part), pattern)]
    best = max(found, key=lambda pose: pose.score, default=None)
    return best if best and best.score > _LEAST_ANCHOR else None


def _shifts(plane: FloatImage, pose: Pose, pattern: Pattern) -> tuple[Field, Field]:
    """How far the pattern has moved in every block, (rows, columns, 2) in pixels, and how sure that is."""
    tops, lefts = (range(0, max(n - TILE, 1), _STRIDE) for n in plane.shape)
    blocks = [fold(plane[top : top + _BLOCK, left : left + _BLOCK]) for top in tops for left in lefts]
    lines = LINES[pattern.sync] @ ORIENTATIONS[pose.orientation].T
    turn = pose.sign * _wave(LINES[pattern.sync] @ pose.shift) * pattern.phases.conj()
    seen = np.array([at(_flat(block), lines) for block in blocks]) * turn
    surfaces = (seen @ _wave(lines @ _GRID.T)).real
    surfaces /= np.sqrt(np.square(np.abs(seen)).sum(axis=1, keepdims=True) / 2 + 1e-12)
    weights = np.square(np.maximum(surfaces.max(axis=1) - _LEAST_SCORE, 0))
    shifts = _GRID[surfaces.argmax(axis=1)].reshape(len(tops), len(lefts), 2)
    return shifts.astype(np.float32), weights.reshape(len(tops), len(lefts)).astype(np.float32)


def _wave(cycles: NDArray[np.int64]) -> NDArray[np.complex64]:
    wave: NDArray[np.complex64] = np.exp(2j * np.pi / TILE * cycles).astype(np.complex64)
    return wave


def _flat(block: FloatImage) -> NDArray[np.complex64]:
    spectrum, local = transformed(block)
    return (spectrum / np.sqrt(local)).astype(np.complex64)


def _smoothed(shifts: Field, weights: Field) -> Field:
    """Shifts averaged over neighbouring blocks by their weights."""
    total = _blurred(weights) + np.float32(1e-6)
    return _blurred(shifts * weights[..., None]) / total[..., None]


def _blurred(cells: Field) -> Field:
    blurred: Field = cv2.GaussianBlur(cells, (5, 5), _SPREAD, borderType=cv2.BORDER_CONSTANT)
    return blurred


def _moved(plane: FloatImage, field: Field) -> FloatImage:
    """Take every pixel from where the field says it went; its cells lie a stride apart, centred on blocks."""
    rows, columns = np.mgrid[: plane.shape[0], : plane.shape[1]].astype(np.float32)
    y, x = ((n - TILE + 0.5) / _STRIDE for n in (rows, columns))
    shift = cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    moved: FloatImage = cv2.remap(plane, columns + shift[..., 1], rows + shift[..., 0], cv2.INTER_LINEAR)
    return moved
