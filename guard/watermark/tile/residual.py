"""What a picture hides a mark under: its residual and local variance. Mask and reader both start here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from guard.watermark.tile.pattern import TILE
from guard.watermark.tile.picture import FloatImage

__all__ = ["Residual", "enlarge", "fold", "halved", "high_pass", "residual"]

Spectrum: TypeAlias = NDArray[np.complex64]

_SIGMA = 2.5
_FLOOR = 6.0
_EXPONENT = -0.62
_CLIP = 2.5


@dataclass(frozen=True, slots=True)
class Residual:
    """A luma plane without its low frequencies, (H, W); at half size, its variance and those frequencies."""

    plane: FloatImage
    variance: FloatImage
    low: FloatImage

    def weight(self, floor: float = _FLOOR, exponent: float = _EXPONENT) -> FloatImage:
        """(variance + floor) ** exponent at full size: loud where the picture is quiet."""
        return enlarge(np.exp(np.log(self.variance + np.float32(floor)) * np.float32(exponent)), self.plane)

    def whitened(self, weight: FloatImage) -> FloatImage:
        """The weighted residual without outliers."""
        white = self.plane * weight
        limit = _CLIP * float(cv2.norm(white)) / white.size**0.5
        np.minimum(white, np.float32(limit), out=white)
        np.maximum(white, np.float32(-limit), out=white)
        return white


def residual(luma: FloatImage) -> Residual:
    """Luma minus its Gaussian blur of σ 2.5 px, and the 5×5 mean of its square at half size."""
    height, width = luma.shape
    half = (max(1, (width + 1) // 2), max(1, (height + 1) // 2))
    low = cv2.GaussianBlur(cv2.resize(luma, half, interpolation=cv2.INTER_AREA), (0, 0), _SIGMA / 2)
    plane = luma - enlarge(low, luma)
    power = cv2.resize(cv2.multiply(plane, plane), half, interpolation=cv2.INTER_AREA)
    variance = np.maximum(cv2.blur(power, (5, 5)), 0)  # running sums may dip below zero
    return Residual(plane, variance, low)


def enlarge(small: FloatImage, like: FloatImage) -> FloatImage:
    """`small` stretched to the size of `like`."""
    large: FloatImage = cv2.resize(small, like.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return large


def halved(luma: FloatImage) -> FloatImage:
    """Luma at half the size, on which a coarse mark looks like a fine one."""
    height, width = luma.shape
    half: FloatImage = cv2.resize(luma, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return half


def fold(plane: FloatImage) -> FloatImage:
    """All tiles of a plane summed into one, (128, 128)."""
    height, width = plane.shape
    full = height // TILE * TILE
    columns = np.zeros((TILE, -(-width // TILE) * TILE), np.float32)
    if full:
        columns[:, :width] = plane[:full].reshape(-1, TILE, width).sum(axis=0)
    columns[: height - full, :width] += plane[full:]
    tile: FloatImage = columns.reshape(TILE, -1, TILE).sum(axis=1)
    return tile


def high_pass(radii: NDArray[np.float32]) -> NDArray[np.float32]:
    """What of a line at these radii (bins of the tile) is left in the residual."""
    return 1 - np.exp(-2 * (np.pi * _SIGMA * radii / TILE) ** 2)
