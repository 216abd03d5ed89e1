"""Where a tile may repeat: vectors at which the levelled spectrum's inverse transform peaks (Alattar and Meyer
2003 find template peaks the same way; here the payload's own lines serve as the template)."""

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

_MARGIN = 1.03
_OVERSAMPLING = 2.8
_PEAKS = 32
_KEPT = 5
_MOST_COSINE = 0.25
_LENGTH_RATIO = 1.39


@dataclass(frozen=True, slots=True)
class Lattice:
    """A guess at the tile's period vectors, the columns of `basis` in pixels (y, x), and its score in deviations."""

    basis: NDArray[np.float64]
    score: float


def lattices(spectrum: Levelled, scales: tuple[float, float]) -> list[Lattice]:
    """The likeliest period vectors of tiles enlarged by a factor within `scales`."""
    surface = _surface(spectrum, scales)
    if surface is None:
        return []
    return [*_similar(surface), *_affine(surface)]


@dataclass(frozen=True, slots=True)
class _Surface:
    """Deviations `map` at lags of y ≥ 0 (rows) and any x (columns, the middle one being 0), `step` pixels (y, x)
    apart. `widened` is the highest within a cell's reach; `ring` (n, 2) are the cells as long as a period vector."""

    map: FloatImage
    widened: FloatImage
    step: NDArray[np.float64]
    ring: NDArray[np.int64]

    def lags(self, cells: NDArray[np.int64]) -> Vectors:
        """The lags of cells, in pixels (y, x)."""
        lags: Vectors = (cells - (0, self.map.shape[1] // 2)) * self.step
        return lags

    def at(self, lags: Vectors) -> NDArray[np.float32]:
        """Widened deviations at lags (..., 2) in pixels; lags outside the map count zero."""
        cells = np.rint(np.where(lags[..., :1] < 0, -lags, lags) / self.step).astype(np.int64)
        y, x = cells[..., 0], cells[..., 1] + self.map.shape[1] // 2
        inside = (y < self.map.shape[0]) & (x >= 0) & (x < self.map.shape[1])
        values: NDArray[np.float32] = self.widened[np.where(inside, y, 0), np.where(inside, x, 0)] * inside
        return values

    def score(self, first: Vectors, second: Vectors) -> NDArray[np.float32]:
        """Evidence for period vectors: the deviations at both and at both diagonals."""
        return self.at(first) + self.at(second) + self.at(first + second) + self.at(first - second)

    def sharpened(self, lag: Vectors) -> Vectors:
        """The highest point in the 5×5 cells around a lag, between cells by parabola."""
        sign = -1.0 if lag[0] < 0 else 1.0
        cell = np.rint(sign * lag / self.step).astype(np.int64) + (0, self.map.shape[1] // 2)
        low = np.clip(cell - 2, 1, np.array(self.map.shape) - 6)
        window = self.map[low[0] : low[0] + 5, low[1] : low[1] + 5]
        y, x = np.array(np.unravel_index(int(window.argmax()), window.shape)) + low
        offset = np.array([_vertex(self.map[y - 1 : y + 2, x]), _vertex(self.map[y, x - 1 : x + 2])])
        result: Vectors = sign * (np.array([y, x - self.map.shape[1] // 2]) + offset) * self.step
        return result


def _vertex(three: NDArray[np.float32]) -> float:
    curvature = float(three[0] - 2 * three[1] + three[2])
    return float(np.clip((three[0] - three[2]) / (2 * curvature), -0.5, 0.5)) if curvature < 0 else 0.0


def _surface(spectrum: Levelled, scales: tuple[float, float]) -> _Surface | None:
    """The inverse transform of the annulus where marks of these scales have their lines."""
    inner = 0.98 * RADII.min() / TILE / scales[1]
    outer = min(0.5, 1.02 * RADII.max() / TILE / scales[0])
    most = np.sqrt(2) * TILE * scales[1] * _MARGIN
    periods = spectrum.periods
    if most >= periods.min() / 2 * 1.9:
        most = periods.min() / 2 * 0.95
    reach = np.minimum((periods * outer).astype(int), (periods // 2 - 1).astype(int))
    middle = spectrum.rows // 2
    part = spectrum.excess[middle - reach[0] : middle + reach[0] + 1, : reach[1] + 1]
    part = part * _annulus(reach, periods, inner, outer)
    power = float(cv2.norm(part))
    size = [scipy.fft.next_fast_len(int(n), real=True) for n in np.ceil(periods * outer * _OVERSAMPLING)]
    if power == 0 or most < TILE * scales[0]:
        return None
    step = periods / size
    ny, nx = (int(n) for n in np.minimum(most / step, np.array(size) // 2 - 1))
    tall = np.zeros((size[0], part.shape[1]), np.complex64)
    tall[: reach[0] + 1] = part[reach[0] :]
    tall[-reach[0] :] = part[: reach[0]]
    half = scipy.fft.ifft(tall, axis=0, overwrite_x=True)[: ny + 1]
    lags = scipy.fft.irfft(half, n=size[1], axis=1)
    lags = np.concatenate([lags[:, -nx:], lags[:, : nx + 1]], axis=1) * np.float32(
        size[0] * size[1] / power / np.sqrt(2)
    )
    shortest, longest = (TILE * scales[0] / _MARGIN, TILE * scales[1] * _MARGIN)
    y, x = np.ogrid[: ny + 1, -nx : nx + 1]
    length = (y * step[0]) ** 2 + (x * step[1]) ** 2
    ring = np.argwhere((length >= shortest**2) & (length <= longest**2))
    return _Surface(lags, cv2.dilate(lags, np.ones((3, 3), np.uint8)), step, ring)


def _annulus(
    reach: NDArray[np.int64], periods: NDArray[np.float64], inner: float, outer: float
) -> NDArray[np.bool_]:
    y = np.arange(-reach[0], reach[0] + 1)[:, None] / periods[0]
    x = np.arange(reach[1] + 1) / periods[1]
    square = (y * y).astype(np.float32) + (x * x).astype(np.float32)
    result: NDArray[np.bool_] = (square >= inner**2) & (square <= outer**2)
    return result


def _similar(surface: _Surface) -> Iterator[Lattice]:
    """Dense search over rotations and uniform scales: any vector with its perpendicular."""
    candidates = surface.lags(surface.ring)
    candidates = candidates[candidates[:, 1] >= 0]
    scores = surface.score(candidates, candidates @ [[0.0, -1.0], [1.0, 0.0]])
    for _ in range(min(_KEPT, len(scores))):
        best = int(scores.argmax())
        if scores[best] <= 0:
            return
        first = candidates[best]
        basis = np.stack(
            [surface.sharpened(first), surface.sharpened(np.array([first[1], -first[0]]))], axis=1
        )
        yield Lattice(basis, float(scores[best]))
        scores[np.abs(candidates - first).max(axis=1) <= 4 * surface.step.max()] = 0


def _affine(surface: _Surface) -> Iterator[Lattice]:
    """Pairs of the highest peaks, for pictures also sheared or stretched."""
    peaks = _peaks(surface)
    i, j = np.triu_indices(len(peaks), 1)
    first, second = peaks[i], peaks[j]
    lengths = np.hypot(first[:, 0], first[:, 1]), np.hypot(second[:, 0], second[:, 1])
    cosine = np.abs((first * second).sum(axis=1)) / (lengths[0] * lengths[1] + 1e-9)
    ratio = np.maximum(lengths[0], lengths[1]) / (np.minimum(lengths[0], lengths[1]) + 1e-9)
    fits = (cosine < _MOST_COSINE) & (ratio < _LENGTH_RATIO)
    first, second = first[fits], second[fits]
    scores = surface.score(first, second)
    for best in np.argsort(-scores)[:_KEPT]:
        basis = np.stack([surface.sharpened(first[best]), surface.sharpened(second[best])], axis=1)
        yield Lattice(basis, float(scores[best]))


def _peaks(surface: _Surface) -> Vectors:
    """The highest local maxima with lengths on the ring, one of each opposite pair."""
    y, x = surface.ring.T
    heights = surface.map[y, x]
    highest = (heights == surface.widened[y, x]) & ((y > 0) | (x >= surface.map.shape[1] // 2))
    order = np.argsort(-heights[highest])[:_PEAKS]
    return surface.lags(surface.ring[highest][order])
