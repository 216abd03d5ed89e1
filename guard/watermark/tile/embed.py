"""Writing a mark and reading it back before it leaves the house."""

from __future__ import annotations

import hashlib
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from guard.errors import MarkError
from guard.watermark.base import Payload, Strength
from guard.watermark.tile.code import encode
from guard.watermark.tile.inform import coefficients
from guard.watermark.tile.mask import amplitude, is_flat
from guard.watermark.tile.pattern import LINES, RADII, TILE, pattern
from guard.watermark.tile.picture import FloatImage, Pixels, add, alpha_plane, canonical_luma, check
from guard.watermark.tile.read import read_untouched
from guard.watermark.tile.residual import Residual, fold, halved, high_pass, residual
from guard.watermark.tile.sync import ORIENTATIONS

__all__ = ["MINIMUM_SIDE", "embed"]

MINIMUM_SIDE = 160
# A mark that barely reads would not outlive its first copy: below this quality, try again, louder.
_COMFORT = 1.5
_GAINS = (1.0, 1.3)
_SYNC_SHARE = 0.25  # of the mark's power
# Few tiles add up in a small picture: it is marked 1 dB louder, and more of that helps to find the mark.
_SMALL_AREA = 1 << 17
_SMALL_LOUDNESS, _SMALL_SYNC_SHARE = 1.12, 0.35
_HIGH_PASS = high_pass(RADII) / np.sqrt(2)


def embed(pixels: Pixels, payload: Payload, *, key: bytes, strength: Strength = Strength.DEFAULT) -> Pixels:
    """A copy of `pixels` that carries `payload` under `key`.

    Takes (H, W) or (H, W, 1..4) of uint8 or uint16: gray, gray and alpha, RGB or RGBA. Alpha stays as it is
    and fully transparent pixels stay unmarked. Raises `InputError` for other arrays and `MarkError` where the
    mark cannot be read back from the copy.
    """
    check(pixels)
    if min(pixels.shape[:2]) < MINIMUM_SIDE:
        raise MarkError(
            f"A picture of {pixels.shape[1]}×{pixels.shape[0]} pixels is too small to carry a mark.",
            f"Give at least {MINIMUM_SIDE} pixels on the shorter side.",
        )
    for gain in _GAINS:
        marked = add(pixels, _increment(pixels, payload, key, strength, gain))
        reading = read_untouched(canonical_luma(marked), [key])
        if reading.payload == payload and (reading.quality or 0) >= _COMFORT:
            break
    if reading.payload != payload:
        raise MarkError(
            "The picture cannot carry a mark that reads back: it is too small, too busy or saturated.",
            "Give a larger picture, or ask for the strength 'robust'.",
        )
    return marked


def _increment(pixels: Pixels, payload: Payload, key: bytes, strength: Strength, gain: float) -> FloatImage:
    """Gray levels to add, at the size that the mark is worked out on."""
    luma = canonical_luma(pixels)
    host = residual(luma)
    coarse = min(luma.shape) >= 2 * MINIMUM_SIDE and is_flat(host)
    if coarse:
        luma = halved(luma)
        host = residual(luma)
    small = luma.size < _SMALL_AREA and not coarse
    mask = amplitude(host, strength, coarse=coarse) * np.float32(gain * (_SMALL_LOUDNESS if small else 1))
    alpha = alpha_plane(pixels, luma.shape[::-1])
    if alpha is not None:
        mask *= alpha
    pose = _Pose(luma, payload, key)
    seen = pose.lines(_presented(host, mask))
    share = _SMALL_SYNC_SHARE if small else _SYNC_SHARE
    return _repeated(pose.tile(coefficients(seen, encode(payload.value), pattern(key), share)), mask)


def _presented(host: Residual, mask: FloatImage) -> NDArray[np.complex64]:
    """The tile's spectrum as the reader would find it unmarked, in units of the mark to come."""
    weight = host.weight()
    spectrum = np.fft.fft2(fold(host.whitened(weight)))
    scale = max(float(cv2.sumElems(weight * mask)[0]), 1e-6)
    return np.asarray(spectrum / scale, np.complex64)


def _repeated(tile: FloatImage, mask: FloatImage) -> FloatImage:
    """The tile all over the picture, as loud as the mask says."""
    height, width = mask.shape
    mark = cv2.repeat(tile, -(-height // TILE), -(-width // TILE))[:height, :width]
    increment: FloatImage = mark * mask
    return increment


class _Pose:
    """Where and which way round the tile lies. It differs from picture to picture, which costs the reader
    nothing, as it tries every pose, and keeps an average over many pictures from showing the pattern."""

    def __init__(self, luma: FloatImage, payload: Payload, key: bytes) -> None:
        thumbnail = cv2.resize(luma, (16, 16), interpolation=cv2.INTER_AREA).astype(np.uint8)
        secret = hashlib.blake2b(key, person=b"guard-tile-pose").digest()
        digest = hashlib.blake2b(thumbnail.tobytes() + payload.value.to_bytes(8), key=secret).digest()
        self._lines = LINES @ ORIENTATIONS[digest[0] % len(ORIENTATIONS)].T % TILE
        shift = np.array([digest[1] % TILE, digest[2] % TILE])
        self._turn = np.exp(2j * np.pi / TILE * (LINES @ shift)).astype(np.complex64)

    def lines(self, spectrum: NDArray[np.complex64]) -> NDArray[np.complex64]:
        """The lines of a tile in this pose, from its spectrum, in the units of `coefficients`."""
        at: Any = self._lines[:, 0], self._lines[:, 1]
        seen: NDArray[np.complex64] = spectrum[at] * self._turn / _HIGH_PASS
        return seen

    def tile(self, values: NDArray[np.complex64]) -> FloatImage:
        """The tile (128, 128) of unit deviation whose lines have these values in this pose."""
        spectrum = np.zeros((TILE, TILE), np.complex64)
        spectrum[self._lines[:, 0], self._lines[:, 1]] = values * self._turn.conj()
        tile = np.fft.ifft2(spectrum).real.astype(np.float32)
        unit: FloatImage = tile / tile.std()
        return unit
