"""From a guess at the tile's period vectors to the affine map that the picture went through."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from guard.watermark.tile.pattern import LINES, RADII
from guard.watermark.tile.spectrum import Levelled

__all__ = ["evidence", "refined"]

Matrix: TypeAlias = NDArray[np.float64]

# Share of the radius and half width of the window, step by step: near lines move little under a wrong guess.
_STEPS = ((0.6, 2), (0.85, 2), (1.0, 1), (1.0, 1))


def evidence(spectrum: Levelled, frequencies: Matrix) -> float:
    """How far the excess power at the predicted lines stands above chance, in deviations."""
    bins, _ = _bins(spectrum, frequencies, LINES)
    cells = np.rint(bins).astype(np.int64)
    values, inside = _sample(spectrum, cells)
    count = int(inside.sum())
    return float(values.sum()) / max(count, 1) ** 0.5


def refined(spectrum: Levelled, frequencies: Matrix) -> Matrix:
    """`frequencies` maps lines (ky, kx) to cycles per pixel; fit it to the power around the predicted lines."""
    for share, window in _STEPS:
        frequencies = _fitted(spectrum, frequencies, LINES[share * RADII.max() >= RADII], window)
    return frequencies


def _fitted(spectrum: Levelled, frequencies: Matrix, lines: NDArray[np.int64], window: int) -> Matrix:
    """Weighted least squares over every bin around every line; a bin's weight is its squared excess."""
    bins, signs = _bins(spectrum, frequencies, lines)
    around = np.arange(-window, window + 1)
    offsets = np.stack(np.meshgrid(around, around, indexing="ij"), axis=-1).reshape(-1, 2)
    cells = np.rint(bins).astype(np.int64)[:, None, :] + offsets
    values, _ = _sample(spectrum, cells)
    weights = np.square(np.maximum(values, 0)).astype(np.float64)
    total = weights.sum(axis=1)
    centroid = (weights[..., None] * cells).sum(axis=1) * signs[:, None] / spectrum.periods
    moments = (lines * total[:, None]).T @ lines
    if abs(np.linalg.det(moments)) < 1e-6:
        return frequencies
    fitted: Matrix = centroid.T @ lines @ np.linalg.inv(moments)
    return fitted


def _bins(
    spectrum: Levelled, frequencies: Matrix, lines: NDArray[np.int64]
) -> tuple[Matrix, NDArray[np.float64]]:
    """Predicted positions (n, 2) on the half plane, in bins from its origin, and the sign that put them there."""
    bins = lines @ frequencies.T * spectrum.periods
    signs = np.where(bins[:, 1] < 0, -1.0, 1.0)
    return bins * signs[:, None], signs


def _sample(spectrum: Levelled, cells: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Excess power at cells (..., 2) relative to the origin; zero outside the spectrum."""
    y, x = cells[..., 0] + spectrum.rows // 2, cells[..., 1]
    rows, columns = spectrum.excess.shape
    inside = (y >= 0) & (y < rows) & (x >= 0) & (x < columns)
    return spectrum.excess[np.where(inside, y, 0), np.where(inside, x, 0)] * inside, inside
