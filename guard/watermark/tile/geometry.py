"""The geometric search: every tile that a picture may hold once some affine change of it is undone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from guard.watermark.tile.lags import Lattice, lattices
from guard.watermark.tile.pattern import TILE
from guard.watermark.tile.picture import FloatImage
from guard.watermark.tile.refine import evidence, refined
from guard.watermark.tile.residual import residual
from guard.watermark.tile.spectrum import Levelled, levelled
from guard.watermark.tile.upright import MOST_UPRIGHT, upright

__all__ = ["MOST_PLANES", "unfolded"]

Matrix: TypeAlias = NDArray[np.float64]

_BANDS = ((0.82, 1.32), (0.48, 0.86), (1.26, 2.1), (0.30, 0.50), (0.22, 0.31))
_REDUCED_BANDS = ((0.8, 1.32), (1.26, 2.1))
_REDUCTION = 0.4
_LEAST_REDUCED_SIDE = 400
_TRIED = (4, 12)  # guesses refined per band: more where refining costs little
_TRIED_AREA = 1.6e6
MOST_PLANES = 2 * MOST_UPRIGHT + _TRIED[1] * (len(_BANDS) + len(_REDUCED_BANDS))
_SCORE_WEIGHT = 0.25
_MOST_AREA = 1 << 21
_SHRINK = 0.75
_BORDER = 4


def unfolded(luma: FloatImage) -> Iterator[FloatImage]:
    """Whitened planes on which the tile measures 128×128 again, likeliest scales first."""
    yield from _search(luma, _BANDS)
    if min(luma.shape) >= _LEAST_REDUCED_SIDE:
        reduced = cv2.resize(luma, None, fx=_REDUCTION, fy=_REDUCTION, interpolation=cv2.INTER_AREA)
        yield from _search(reduced, _REDUCED_BANDS)


def _search(luma: FloatImage, bands: tuple[tuple[float, float], ...]) -> Iterator[FloatImage]:
    spectrum = levelled(residual(luma))
    guesses = chain([upright(spectrum, max(luma.shape))], (_guesses(spectrum, band) for band in bands))
    for frequencies in chain.from_iterable(guesses):
        better = refined(spectrum, frequencies)
        if better is not None:
            yield _unfold(luma, np.linalg.inv(better).T / TILE)


def _guesses(spectrum: Levelled, band: tuple[float, float]) -> list[Matrix]:
    """Maps from lines to frequencies that the lags of a band suggest, likeliest first."""
    guesses = [
        (np.linalg.inv(found.basis).T, found.score) for found in lattices(spectrum, band) if _proper(found)
    ]
    guesses.sort(key=lambda guess: -evidence(spectrum, guess[0]) - _SCORE_WEIGHT * guess[1])
    tried = int(np.clip(_TRIED_AREA / (spectrum.rows * spectrum.columns), *_TRIED))
    return [frequencies for frequencies, _ in guesses[:tried]]


def _proper(lattice: Lattice) -> bool:
    return abs(float(np.linalg.det(lattice.basis))) > 100.0


def _unfold(luma: FloatImage, matrix: Matrix) -> FloatImage:
    """Undo y = matrix · x on (y, x) pixel coordinates and whiten what comes out."""
    luma, matrix = _shrunk(luma, matrix)
    height, width = luma.shape
    corners = np.array([[0, 0], [0, width - 1], [height - 1, width - 1], [height - 1, 0]], np.float64)
    placed = corners @ np.linalg.inv(matrix).T
    low = placed.min(axis=0)
    size = np.ceil(placed.max(axis=0) - low).astype(int) + 1
    back = np.hstack([matrix[::-1, ::-1], (matrix @ low)[::-1, None]])
    straight = cv2.warpAffine(
        luma,
        back,
        (int(size[1]), int(size[0])),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    inside = np.zeros(straight.shape, np.uint8)
    cv2.fillConvexPoly(inside, np.rint((placed - low)[:, ::-1]).astype(np.int32), 1)
    inside = cv2.erode(inside, np.ones((2 * _BORDER + 1,) * 2, np.uint8))
    host = residual(straight)
    weight = host.weight()
    weight *= inside
    return host.whitened(weight)


def _shrunk(luma: FloatImage, matrix: Matrix) -> tuple[FloatImage, Matrix]:
    """Average pixels first where undoing would skip some."""
    scale = abs(float(np.linalg.det(matrix))) ** 0.5
    if scale * _SHRINK <= 1:
        return _middle(luma, scale), matrix
    height, width = luma.shape
    size = max(1, round(width / scale)), max(1, round(height / scale))
    ratio = np.array([size[1] / height, size[0] / width])
    return cv2.resize(luma, size, interpolation=cv2.INTER_AREA), matrix * ratio[:, None]


def _middle(luma: FloatImage, scale: float) -> FloatImage:
    """The middle of a picture, as much as unfolds to the most area."""
    share = (_MOST_AREA * scale**2 / luma.size) ** 0.5
    if share >= 1:
        return luma
    height, width = (round(n * share) for n in luma.shape)
    top, left = (luma.shape[0] - height) // 2, (luma.shape[1] - width) // 2
    return luma[top : top + height, left : left + width]
