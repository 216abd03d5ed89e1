"""The power spectrum of a picture, levelled so that a mark's lines stand out whatever the picture shows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from guard.watermark.tile.picture import FloatImage
from guard.watermark.tile.residual import Residual

__all__ = ["Levelled", "levelled"]

# The search sees only power, not phases: it does best with the picture flattened harder than the demodulator.
_FLOOR, _EXPONENT = 2.0, -1.0
_RAYLEIGH = 4 / np.pi  # mean power over squared mean magnitude of complex noise
_LEVEL, _BACKGROUND = 13, 25  # sides of the neighbourhoods, in bins of a transform without padding
_LEAST_PERIOD = 768  # a period as long as the tile shows only in a transform of thrice that length or more
_CEILING = 5.0
_AXES = 2


@dataclass(frozen=True, slots=True)
class Levelled:
    """Excess power over its surroundings on the half plane fx ≥ 0, about zero mean and at most 5.

    `excess` has a row per vertical frequency, the middle one being 0, and a column per horizontal frequency
    from 0. `rows` and `columns` are the periods of the transform: bin (i, j) is (i - rows//2)/rows and
    j/columns cycles per pixel.
    """

    excess: FloatImage
    rows: int
    columns: int

    @property
    def periods(self) -> NDArray[np.float64]:
        """Rows and columns of the transform: bins per cycle and pixel."""
        return np.array([self.rows, self.columns], np.float64)


def levelled(host: Residual) -> Levelled:
    """The levelled spectrum of a picture's residual."""
    white = host.whitened(host.weight(_FLOOR, _EXPONENT))
    size = [scipy.fft.next_fast_len(max(n, _LEAST_PERIOD), real=True) for n in white.shape]
    transform = np.fft.fftshift(scipy.fft.rfft2(white, s=size), axes=0)
    magnitude = np.abs(transform)
    level = _mean(magnitude, _LEVEL, white.shape, size)
    ratio = magnitude / (level + np.float32(1e-9))
    excess = np.minimum(ratio * ratio * np.float32(1 / _RAYLEIGH), np.float32(_CEILING))
    excess -= _mean(excess, _BACKGROUND, white.shape, size)
    middle = size[0] // 2
    excess[middle - _AXES : middle + _AXES + 1] = 0
    excess[:, : _AXES + 1] = 0
    return Levelled(excess, *size)


def _mean(plane: FloatImage, bins: int, shape: tuple[int, ...], size: list[int]) -> FloatImage:
    """The mean over `bins` independent bins either way, padding having multiplied them."""
    rows, columns = (round(bins * padded / n) | 1 for n, padded in zip(shape, size, strict=True))
    mean: FloatImage = cv2.blur(plane, (columns, rows))
    return mean
