"""Undoing a geometric change, so that the tile measures 128×128 pixels again."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from guard.watermark.tile.picture import FloatImage
from guard.watermark.tile.residual import residual

__all__ = ["Plane", "unfold"]

Matrix: TypeAlias = NDArray[np.float64]

_MOST_AREA = 1 << 21
_SHRINK = 0.75
_BORDER = 4


class Plane(NamedTuple):
    """A whitened picture on which a tile may measure 128×128 pixels, and the linear map (2, 2) on (y, x) that
    takes displacements in the picture at hand to those in the picture as it was marked, if it does."""

    pixels: FloatImage
    undoing: Matrix


def unfold(luma: FloatImage, matrix: Matrix) -> FloatImage:
    """Undo y = matrix · x on pixel coordinates (y, x) and whiten what comes out, with 0 all around it."""
    luma, matrix = _shrunk(luma, matrix)
    corners = np.array([[0, 0], [0, 1], [1, 1], [1, 0]]) * (np.array(luma.shape) - 1)
    placed = corners @ np.linalg.inv(matrix).T
    low = placed.min(axis=0)
    height, width = (int(n) for n in np.ceil(placed.max(axis=0) - low) + 1)
    straight = cv2.warpAffine(
        luma,
        np.hstack([matrix[::-1, ::-1], (matrix @ low)[::-1, None]]),
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    host = residual(straight)
    return host.whitened(host.weight() * _inside(placed - low, (height, width)))


def _inside(corners: Matrix, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """1 well within the quadrangle, 0 elsewhere."""
    inside = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(inside, np.rint(corners[:, ::-1]).astype(np.int32), [1])
    eroded: NDArray[np.uint8] = cv2.erode(inside, np.ones((2 * _BORDER + 1,) * 2, np.uint8))
    return eroded


def _shrunk(luma: FloatImage, matrix: Matrix) -> tuple[FloatImage, Matrix]:
    """Average pixels first where undoing would skip some."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix))))
    if scale * _SHRINK <= 1:
        return _middle(luma, scale), matrix
    height, width = luma.shape
    size = max(1, round(width / scale)), max(1, round(height / scale))
    ratio = np.array([size[1] / height, size[0] / width])
    return cv2.resize(luma, size, interpolation=cv2.INTER_AREA), matrix * ratio[:, None]


def _middle(luma: FloatImage, scale: float) -> FloatImage:
    """The middle of a picture, as much as unfolds to the most area."""
    share = float(np.sqrt(_MOST_AREA * scale**2 / luma.size))
    if share >= 1:
        return luma
    height, width = (round(n * share) for n in luma.shape)
    top, left = (luma.shape[0] - height) // 2, (luma.shape[1] - width) // 2
    return luma[top : top + height, left : left + width]
