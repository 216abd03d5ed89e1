"""From a guess at where a mark's lines lie to the affine map that the picture went through."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from guard.watermark.tile.pattern import LINES, RADII
from guard.watermark.tile.spectrum import Levelled

__all__ = ["evidence", "refined"]

Matrix: TypeAlias = NDArray[np.float64]
Cells: TypeAlias = NDArray[np.int64]

# Step by step: share of the radius, since near lines move little under a wrong guess; half width of the
# window; and the evidence below which a guess is dropped. Noise rarely passes the last.
_STEPS = ((0.6, 2, 0.0), (0.85, 2, 1.5), (1.0, 1, 3.0), (1.0, 1, 4.0))
_MARGIN = 3


def _window(half: int) -> Cells:
    rows, columns = np.mgrid[-half : half + 1, -half : half + 1]
    return np.array([rows.ravel(), columns.ravel()]).T


_CENTRE = _window(0)
_WINDOWS = {half: _window(half) for _, half, _ in _STEPS}
_WITHIN: dict[float, Cells] = {share: LINES[share * float(RADII.max()) >= RADII] for share, _, _ in _STEPS}


def evidence(spectrum: Levelled, frequencies: Matrix, share: float = 1.0) -> float:
    """How far the excess power at the predicted lines stands above chance, in deviations.

    `share` leaves out lines beyond that part of the largest radius.
    """
    cells, _ = _cells(spectrum, frequencies, _WITHIN[share])
    values = _around(spectrum, cells, _CENTRE)
    return float(values.sum()) / float(np.sqrt(max(len(values), 1)))


def refined(spectrum: Levelled, frequencies: Matrix) -> Matrix | None:
    """Fit `frequencies`, which takes lines (ky, kx) to cycles per pixel, to the power around them.

    None if that leads nowhere.
    """
    for share, window, least in _STEPS:
        fitted = _fitted(spectrum, frequencies, _WITHIN[share], _WINDOWS[window])
        if fitted is None or evidence(spectrum, fitted, share) < least:
            return None
        frequencies = fitted
    return frequencies


def _fitted(spectrum: Levelled, frequencies: Matrix, lines: Cells, window: Cells) -> Matrix | None:
    """Weighted least squares over every bin around every line; a bin's weight is its squared excess."""
    cells, lines = _cells(spectrum, frequencies, lines)
    weights = np.square(np.maximum(_around(spectrum, cells, window), 0))
    total = weights.sum(axis=1)[:, None]
    moments = (lines * total).T @ lines
    if abs(np.linalg.det(moments)) < 1e-6:
        return None
    sums = (total * cells + weights @ window.astype(np.float32)) / spectrum.periods
    fitted: Matrix = sums.T @ lines @ np.linalg.inv(moments)
    return fitted


def _cells(spectrum: Levelled, frequencies: Matrix, lines: Cells) -> tuple[Cells, Cells]:
    """The bins (n, 2), relative to the origin, nearest to those lines that fall inside the spectrum.

    Second come the lines themselves, negated where it is their mirror image that lies on the half plane.
    """
    bins = lines @ frequencies.T * spectrum.periods
    signs = np.where(bins[:, 1] < 0, -1, 1)[:, None]
    cells = np.rint(bins * signs).astype(np.int64)
    limits = np.array(spectrum.excess.shape) // (2, 1) - _MARGIN
    inside = (np.abs(cells) < limits).all(axis=1) & (cells[:, 1] >= _MARGIN)
    return cells[inside], (lines * signs)[inside]


def _around(spectrum: Levelled, cells: Cells, window: Cells) -> NDArray[np.float32]:
    """Excess power (n, m) at every offset of a window around every cell."""
    columns = spectrum.excess.shape[1]
    start = (cells[:, 0] + spectrum.rows // 2) * columns + cells[:, 1]
    offsets = window[:, 0] * columns + window[:, 1]
    values: NDArray[np.float32] = spectrum.excess.reshape(-1)[start[:, None] + offsets]
    return values
