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

Shifts: TypeAlias = NDArray[np.float32]

_ROUNDS = 3
_LEAST_ANCHOR = 4.9  # noise exceeds it in one picture of five
_LEAST_WEIGHT = 1.0  # of all blocks under a true pose; under a wrong one nearly every block weighs nothing
_BLOCK, _STRIDE = 2 * TILE, TILE
_REACH = 12
_LEAST_SCORE = 4.0
_SPREAD = 0.8  # of the smoothing between blocks, in strides
_GRID = np.stack(np.mgrid[-_REACH : _REACH + 1, -_REACH : _REACH + 1], axis=-1).reshape(-1, 2)


def straightened(plane: FloatImage, pattern: Pattern) -> FloatImage | None:
    """A whitened plane (H, W), moved block by block to where the key's sync lines agree; None where no part of it
    synchronises well enough to start from."""
    pose = _anchor(plane, pattern)
    if pose is None:
        return None
    shifts, weights = _shifts(plane, pose, pattern)
    if weights.sum() < _LEAST_WEIGHT:
        return None
    field = _field(shifts, weights)
    for _ in range(_ROUNDS):
        field += _field(*_shifts(_moved(plane, field), pose, pattern))
    return _moved(plane, field)


def _anchor(plane: FloatImage, pattern: Pattern) -> Pose | None:
    """The best pose among the whole, the middle and the quarters: a part is bent less than the whole."""
    height, width = (n // 2 // TILE * TILE for n in plane.shape)
    corners = [(0, 0), (0, width), (height, 0), (height, width), (height // 2, width // 2)]
    windows = [
        plane[top // TILE * TILE :, left // TILE * TILE :][: height + TILE, : width + TILE]
        for top, left in corners
    ]
    found = [pose for part in [plane, *windows] for pose in poses(fold(part), pattern)]
    best = max(found, key=lambda pose: pose.score, default=None)
    return best if best and best.score > _LEAST_ANCHOR else None


def _shifts(plane: FloatImage, pose: Pose, pattern: Pattern) -> tuple[Shifts, Shifts]:
    """How far the pattern has moved in every block, (rows, columns, 2) pixels as (y, x), and how sure that is."""
    tops, lefts = (range(0, max(n - TILE, 1), _STRIDE) for n in plane.shape)
    blocks = [fold(plane[top : top + _BLOCK, left : left + _BLOCK]) for top in tops for left in lefts]
    shape = len(tops), len(lefts)
    turned = LINES[pattern.sync] @ ORIENTATIONS[pose.orientation].T
    turn = pose.sign * np.exp(2j * np.pi / TILE * (LINES[pattern.sync] @ pose.shift)) * pattern.phases.conj()
    seen = np.stack([at(_flat(block), turned) for block in blocks]) * turn
    waves = np.exp(2j * np.pi / TILE * (turned @ _GRID.T))
    surfaces = (seen @ waves).real / np.sqrt(np.square(np.abs(seen)).sum(axis=1, keepdims=True) / 2 + 1e-12)
    best = surfaces.argmax(axis=1)
    scores = surfaces[np.arange(len(blocks)), best]
    weights = np.square(np.maximum(scores - _LEAST_SCORE, 0))
    return _GRID[best].reshape(*shape, 2).astype(np.float32), weights.reshape(shape).astype(np.float32)


def _flat(block: FloatImage) -> NDArray[np.complex64]:
    spectrum, local = transformed(block)
    flat: NDArray[np.complex64] = spectrum / np.sqrt(local)
    return flat


def _field(shifts: Shifts, weights: Shifts) -> Shifts:
    """Shifts smoothed over neighbouring blocks by their weights."""
    options = {"sigmaX": _SPREAD, "borderType": cv2.BORDER_ISOLATED | cv2.BORDER_CONSTANT}
    total = cv2.GaussianBlur(weights, (5, 5), **options) + np.float32(1e-6)
    field: Shifts = cv2.GaussianBlur(shifts * weights[..., None], (5, 5), **options) / total[..., None]
    return field


def _moved(plane: FloatImage, field: Shifts) -> FloatImage:
    """Take every pixel from where the field says it went; the field's cells lie a stride apart, centred on blocks."""
    height, width = plane.shape
    y = (np.arange(height, dtype=np.float32) - TILE + 0.5) / _STRIDE
    x = (np.arange(width, dtype=np.float32) - TILE + 0.5) / _STRIDE
    grid = [np.broadcast_to(x, plane.shape).copy(), np.broadcast_to(y[:, None], plane.shape).copy()]
    dense = cv2.remap(field, *grid, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    return cv2.remap(plane, columns + dense[..., 1], rows + dense[..., 0], cv2.INTER_LINEAR)
