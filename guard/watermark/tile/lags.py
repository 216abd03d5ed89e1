"""Where a tile may repeat: vectors at which the inverse transform of the levelled spectrum peaks.

Alattar and Meyer (2003) find a tile by its autocorrelation in the same way. Here only the band takes part in
which a mark of some scale has its lines, levelled, so that the picture's own structure cancels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from guard.watermark.tile.pattern import RADII, TILE
from guard.watermark.tile.picture import FloatImage
from guard.watermark.tile.spectrum import Levelled

__all__ = ["Lattice", "lattices"]

Vectors: TypeAlias = NDArray[np.float64]

_LOWEST, _HIGHEST = 0.98 * float(RADII.min()) / TILE, 1.02 * float(RADII.max()) / TILE
_MARGIN = 1.03
_OVERSAMPLING = 2.8
_PEAKS = 32
_KEPT = 5
_APART = 4
_MOST_COSINE = 0.25
_LENGTH_RATIO = 1.39
_QUARTER_TURN = np.array([[0.0, -1.0], [1.0, 0.0]])


@dataclass(frozen=True, slots=True)
class Lattice:
    """A guess at the tile's period vectors: the columns of `basis`, pixels (y, x); `score` in deviations."""

    basis: NDArray[np.float64]
    score: float


def lattices(spectrum: Levelled, scales: tuple[float, float]) -> list[Lattice]:
    """The likeliest period vectors of tiles enlarged by a factor within `scales`."""
    surface = _surface(spectrum, scales)
    return [] if surface is None else [*_similar(surface), *_affine(surface)]


@dataclass(frozen=True, slots=True)
class _Surface:
    """Deviations at lags of y ≥ 0 (rows) and any x (columns, the middle one being 0), `step` pixels apart.

    `widened` has the highest of every cell and its neighbours, `ring` (n, 2) the cells as far out as a
    period.
    """

    height: FloatImage
    widened: FloatImage
    step: NDArray[np.float64]
    ring: NDArray[np.int64]

    @property
    def middle(self) -> NDArray[np.int64]:
        """The cell of lag 0."""
        return np.array([0, self.height.shape[1] // 2])

    def lags(self, cells: NDArray[np.int64]) -> Vectors:
        """The lags of cells, in pixels (y, x)."""
        return np.asarray((cells - self.middle) * self.step, np.float64)

    def score(self, first: Vectors, second: Vectors) -> NDArray[np.float32]:
        """Evidence for period vectors: the deviations at both and at both diagonals."""
        return self._at(first) + self._at(second) + self._at(first + second) + self._at(first - second)

    def _at(self, lags: Vectors) -> NDArray[np.float32]:
        """Widened deviations at lags (n, 2) in pixels; lags outside count zero."""
        cells = np.rint(np.where(lags[:, :1] < 0, -lags, lags) / self.step).astype(np.int64) + self.middle
        inside: NDArray[np.bool_] = np.all((cells >= 0) & (cells < np.array(self.height.shape)), axis=1)
        y, x = np.where(inside[:, None], cells, 0).T
        values: NDArray[np.float32] = self.widened[y, x] * inside
        return values

    def sharpened(self, lag: Vectors) -> Vectors:
        """The highest point in the 5×5 cells around a lag, between cells by parabola."""
        sign = -1.0 if lag[0] < 0 else 1.0
        cell = np.rint(sign * lag / self.step).astype(np.int64) + self.middle
        low = np.clip(cell - 2, 1, np.array(self.height.shape) - 6)
        window = self.height[low[0] : low[0] + 5, low[1] : low[1] + 5]
        y, x = np.array(np.unravel_index(int(window.argmax()), window.shape)) + low
        vertex = np.array([_vertex(self.height[y - 1 : y + 2, x]), _vertex(self.height[y, x - 1 : x + 2])])
        return np.asarray(sign * (np.array([y, x]) - self.middle + vertex) * self.step, np.float64)


def _vertex(three: NDArray[np.float32]) -> float:
    """Where between three points their parabola is highest, relative to the middle one."""
    curvature = float(three[0] - 2 * three[1] + three[2])
    return float(np.clip((three[0] - three[2]) / (2 * curvature), -0.5, 0.5)) if curvature < 0 else 0.0


def _surface(spectrum: Levelled, scales: tuple[float, float]) -> _Surface | None:
    """Deviations at the lags of tiles at these scales; None where the picture is too small to hold two."""
    periods = spectrum.periods
    outer = min(0.5, _HIGHEST / scales[0])
    farthest = min(float(np.sqrt(2)) * TILE * scales[1] * _MARGIN, 0.475 * float(periods.min()))
    part = _annulus(spectrum, _LOWEST / scales[1], outer)
    power = float(cv2.norm(part))
    if power == 0 or farthest < TILE * scales[0]:
        return None
    size = [scipy.fft.next_fast_len(int(n), real=True) for n in np.ceil(periods * outer * _OVERSAMPLING)]
    step = periods / size
    reach = [int(n) for n in np.minimum(farthest / step, np.array(size) // 2 - 1)]
    height = _inverse(part, size, reach) * np.float32(1 / power / np.sqrt(2))
    ring = _ring(step, reach, (TILE * scales[0] / _MARGIN, TILE * scales[1] * _MARGIN))
    return _Surface(height, cv2.dilate(height, np.ones((3, 3), np.uint8)), step, ring)


def _annulus(spectrum: Levelled, inner: float, outer: float) -> FloatImage:
    """The part of a spectrum between two frequencies, in cycles per pixel; the middle row has frequency 0."""
    rows, columns = (int(n) for n in np.minimum(spectrum.periods * outer, spectrum.periods // 2 - 1))
    middle = spectrum.rows // 2
    y = (np.arange(-rows, rows + 1, dtype=np.float32) / spectrum.rows)[:, None]
    x = np.arange(columns + 1, dtype=np.float32) / spectrum.columns
    square = y * y + x * x
    part = spectrum.excess[middle - rows : middle + rows + 1, : columns + 1]
    return part * ((square >= inner**2) & (square <= outer**2))


def _inverse(part: FloatImage, size: list[int], reach: list[int]) -> FloatImage:
    """The sum over a spectrum's bins at lags of 0..reach rows and -reach..reach columns, and no others."""
    middle = len(part) // 2
    tall = np.zeros((size[0], part.shape[1]), np.complex64)
    tall[: middle + 1] = part[middle:]
    tall[-middle:] = part[:middle]
    rows = scipy.fft.ifft(tall, axis=0, overwrite_x=True)[: reach[0] + 1]
    lags = scipy.fft.irfft(rows, n=size[1], axis=1)
    wrapped: FloatImage = np.concatenate([lags[:, -reach[1] :], lags[:, : reach[1] + 1]], axis=1)
    return wrapped * np.float32(size[0] * size[1])


def _ring(step: Vectors, reach: list[int], lengths: tuple[float, float]) -> NDArray[np.int64]:
    """The cells whose lags have lengths in this range."""
    y, x = np.ogrid[: reach[0] + 1, -reach[1] : reach[1] + 1]
    square = (y * step[0]) ** 2 + (x * step[1]) ** 2
    return np.argwhere((square >= lengths[0] ** 2) & (square <= lengths[1] ** 2))


def _similar(surface: _Surface) -> Iterator[Lattice]:
    """Dense search over rotations and uniform scales: any vector with its perpendicular."""
    lags = surface.lags(surface.ring)
    lags = lags[lags[:, 1] >= 0]
    scores = surface.score(lags, lags @ _QUARTER_TURN)
    for _ in range(min(_KEPT, len(scores))):
        best = int(scores.argmax())
        first = lags[best]
        vectors = [surface.sharpened(first), surface.sharpened(first @ _QUARTER_TURN)]
        yield Lattice(np.array(vectors).T, float(scores[best]))
        scores[np.abs(lags - first).max(axis=1) <= _APART * surface.step.max()] = 0


def _affine(surface: _Surface) -> Iterator[Lattice]:
    """Pairs of the highest peaks, for pictures also sheared or stretched."""
    peaks = _peaks(surface)
    i, j = np.triu_indices(len(peaks), 1)
    first, second = peaks[i], peaks[j]
    lengths = np.linalg.norm(peaks, axis=1)
    cosine = np.abs((first * second).sum(axis=1)) / (lengths[i] * lengths[j] + 1e-9)
    ratio = np.abs(np.log(lengths[i] / lengths[j]))
    fits = (cosine < _MOST_COSINE) & (ratio < np.log(_LENGTH_RATIO))
    first, second = first[fits], second[fits]
    scores = surface.score(first, second)
    for best in np.argsort(-scores)[:_KEPT]:
        vectors = [surface.sharpened(first[best]), surface.sharpened(second[best])]
        yield Lattice(np.array(vectors).T, float(scores[best]))


def _peaks(surface: _Surface) -> Vectors:
    """The highest local maxima as far out as a period, one of each opposite pair."""
    y, x = surface.ring.T
    heights = surface.height[y, x]
    highest = (heights == surface.widened[y, x]) & ((y > 0) | (x >= surface.middle[1]))
    order = np.argsort(-heights[highest])[:_PEAKS]
    return surface.lags(surface.ring[highest][order])
