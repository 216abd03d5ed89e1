"""The geometric search: every plane that may hold a tile once some affine change of the picture is undone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from guard.watermark.tile.lags import lattices
from guard.watermark.tile.pattern import TILE
from guard.watermark.tile.picture import FloatImage
from guard.watermark.tile.refine import evidence, refined
from guard.watermark.tile.residual import residual
from guard.watermark.tile.spectrum import Levelled, levelled
from guard.watermark.tile.unfold import Plane, unfold
from guard.watermark.tile.upright import MOST_UPRIGHT, upright

__all__ = ["MOST_PLANES", "unfolded"]

Matrix: TypeAlias = NDArray[np.float64]

# Factors by which a tile may have been enlarged, likeliest first. Larger ones show in the reduced picture.
_BANDS = ((0.82, 1.32), (0.48, 0.86), (1.26, 2.1), (0.30, 0.50), (0.22, 0.31))
_REDUCED_BANDS = ((0.7, 1.32), (1.26, 2.1))
_REDUCTION = 0.4
_LEAST_REDUCED_SIDE = 400
_TRIED = (4, 12)  # guesses refined per band: more where refining costs little
_TRIED_AREA = 1.6e6
_SCORE_WEIGHT = 0.25
_LEAST_CELL = 100.0  # pixels between period vectors that are not all but parallel
MOST_PLANES = 2 * MOST_UPRIGHT + _TRIED[1] * (len(_BANDS) + len(_REDUCED_BANDS))


def unfolded(luma: FloatImage) -> Iterator[Plane]:
    """Planes on which a tile may measure 128×128 again, likeliest first; none depends on a key."""
    yield from _search(luma, _BANDS, 1.0)
    if min(luma.shape) >= _LEAST_REDUCED_SIDE:
        reduced = cv2.resize(luma, None, fx=_REDUCTION, fy=_REDUCTION, interpolation=cv2.INTER_AREA)
        yield from _search(reduced, _REDUCED_BANDS, _REDUCTION)


def _search(luma: FloatImage, bands: tuple[tuple[float, float], ...], reduction: float) -> Iterator[Plane]:
    spectrum = levelled(residual(luma))
    guesses = upright(spectrum, max(luma.shape))
    for band in bands:
        guesses += _guesses(spectrum, band)
        better = [fit for fit in (refined(spectrum, guess) for guess in guesses) if fit is not None]
        better.sort(key=lambda fit: -evidence(spectrum, fit))
        for frequencies in better:
            change = np.linalg.inv(frequencies).T.astype(np.float64) / TILE
            yield Plane(unfold(luma, change), reduction * np.linalg.inv(change).astype(np.float64))
        guesses = []


def _guesses(spectrum: Levelled, band: tuple[float, float]) -> list[Matrix]:
    """Maps from lines to cycles per pixel that the lags of a band suggest, likeliest first."""
    guesses: list[tuple[float, Matrix]] = []
    for found in lattices(spectrum, band):
        if abs(np.linalg.det(found.basis)) > _LEAST_CELL:
            frequencies = np.linalg.inv(found.basis).T.astype(np.float64)
            guesses.append((evidence(spectrum, frequencies) + _SCORE_WEIGHT * found.score, frequencies))
    guesses.sort(key=lambda guess: -guess[0])
    tried = int(np.clip(_TRIED_AREA / (spectrum.rows * spectrum.columns), *_TRIED))
    return [frequencies for _, frequencies in guesses[:tried]]
