"""Pictures that were only rescaled: one unknown, so every scale is tried against all lines at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from guard.watermark.tile.pattern import LINES, RADII, TILE
from guard.watermark.tile.spectrum import Levelled

__all__ = ["MOST_UPRIGHT", "upright"]

MOST_UPRIGHT = 2
_SHRINK = (0.5, 5.0)
_STEP = 0.7  # of a frequency bin, by which the farthest line moves from one trial to the next
_LEAST_EVIDENCE = 3.5
_BATCH = 256


def upright(spectrum: Levelled, side: int) -> list[NDArray[np.float64]]:
    """The likeliest maps from lines (ky, kx) to cycles per pixel that only rescale, best first; `side` is the
    picture's longer side."""
    step = _STEP * TILE / float(RADII.max()) / side
    shrinks = np.arange(*_SHRINK, step)
    evidence = np.concatenate(
        [_evidence(spectrum, shrinks[start : start + _BATCH]) for start in range(0, len(shrinks), _BATCH)]
    )
    found = []
    for _ in range(MOST_UPRIGHT):
        best = int(evidence.argmax())
        if evidence[best] < _LEAST_EVIDENCE:
            break
        found.append(np.eye(2) * shrinks[best] / TILE)
        evidence[max(best - 3, 0) : best + 4] = 0
    return found


def _evidence(spectrum: Levelled, shrinks: NDArray[np.float64]) -> NDArray[np.float32]:
    """How far, per shrink, the excess power at the lines stands above chance, in deviations."""
    y = np.rint(np.outer(shrinks, LINES[:, 0] * (spectrum.rows / TILE))).astype(np.int32)
    x = np.rint(np.outer(shrinks, LINES[:, 1] * (spectrum.columns / TILE))).astype(np.int32)
    rows, columns = spectrum.excess.shape
    inside = (np.abs(y) < rows // 2) & (x < columns)
    cells = np.where(inside, (y + spectrum.rows // 2) * columns + x, 0)
    total = (spectrum.excess.reshape(-1).take(cells) * inside).sum(axis=1)
    evidence: NDArray[np.float32] = total / np.sqrt(np.maximum(inside.sum(axis=1), 1))
    return evidence
