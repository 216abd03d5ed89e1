"""Writing a mark: informed embedding, so that the picture itself helps every coded bit."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
from numpy.typing import NDArray

from guard.errors import MarkError
from guard.watermark.base import Payload, ReadingState, Strength
from guard.watermark.tile.code import CODED_BITS, encode
from guard.watermark.tile.mask import amplitude, is_flat
from guard.watermark.tile.pattern import LINES, RADII, SYNC_SHARE, TILE, Pattern, pattern
from guard.watermark.tile.picture import FloatImage, Pixels, add, alpha_plane, canonical_luma, check
from guard.watermark.tile.read import read_untouched
from guard.watermark.tile.residual import Residual, fold, halved, high_pass, residual
from guard.watermark.tile.sync import ORIENTATIONS, radial_mean

__all__ = ["MINIMUM_SIDE", "embed"]

MINIMUM_SIDE = 160
_HELP = 1.5
_SYNC_LIFT = 1.5
_SYNC_SHARE = 0.25  # of the tile's power
# Few tiles add up in a small picture: it is marked 1 dB louder, and more of that helps to find the mark at all.
_SMALL_AREA = 1 << 17
_SMALL_LOUDNESS, _SMALL_SYNC_SHARE = 1.12, 0.35
_HIGH_PASS = high_pass(RADII)


def embed(pixels: Pixels, payload: Payload, *, key: bytes, strength: Strength = Strength.DEFAULT) -> Pixels:
    """A copy of `pixels` that carries `payload` under `key`.

    Takes (H, W) or (H, W, 1..4) of uint8 or uint16: gray, gray+alpha, RGB or RGBA. Alpha stays as it is and
    fully transparent pixels stay unmarked. Raises `InputError` for other arrays and `MarkError` where the mark
    cannot be read back from the copy.
    """
    check(pixels)
    if min(pixels.shape[:2]) < MINIMUM_SIDE:
        raise MarkError(
            f"A picture of {pixels.shape[1]}×{pixels.shape[0]} pixels is too small to carry a mark.",
            f"Give at least {MINIMUM_SIDE} pixels on the shorter side.",
        )
    luma = canonical_luma(pixels)
    host = residual(luma)
    coarse = min(luma.shape) >= 2 * MINIMUM_SIDE and is_flat(host)
    if coarse:
        luma = halved(luma)
        host = residual(luma)
    mask = amplitude(host, strength, coarse=coarse)
    small = luma.size < _SMALL_AREA
    if small:
        mask *= np.float32(_SMALL_LOUDNESS)
    alpha = alpha_plane(pixels, luma.shape[::-1])
    if alpha is not None:
        mask *= alpha
    share = _SMALL_SYNC_SHARE if small else _SYNC_SHARE
    tile = _tile(host, mask, _Pose(luma, payload, key), _Message(encode(payload.value), pattern(key), share))
    marked = add(pixels, mask * _repeated(tile, mask.shape))
    reading = read_untouched(canonical_luma(marked), [key])
    if reading.state is not ReadingState.FOUND or reading.payload != payload:
        raise MarkError(
            "The picture cannot carry a mark that reads back: it is too small, too flat or saturated.",
            "Give a larger picture, or ask for the strength 'robust'.",
        )
    return marked


def _tile(luma: FloatImage, host: Residual, mask: FloatImage, payload: Payload, key: bytes) -> FloatImage:
    """The tile (128, 128) of unit deviation that carries the payload best through this picture under this mask."""
    weight = host.weight()
    pose = _Pose(luma, payload, key)
    spectrum = np.fft.fft2(fold(host.whitened(weight)))
    scale = float(cv2.multiply(weight, mask).sum()) * _HIGH_PASS / np.sqrt(2)
    seen = pose.lines(spectrum) / np.maximum(scale, 1e-6)
    return pose.tile(_coefficients(seen, encode(payload.value), pattern(key)))


def _repeated(tile: FloatImage, shape: tuple[int, ...]) -> FloatImage:
    rows, columns = (-(-n // TILE) for n in shape)
    return cv2.repeat(tile, rows, columns)[: shape[0], : shape[1]]


class _Pose:
    """Where and which way round the tile lies. It varies with picture and payload, which costs the reader nothing
    (it tries every pose) and keeps averages over many pictures from showing the pattern."""

    def __init__(self, luma: FloatImage, payload: Payload, key: bytes) -> None:
        thumbnail = cv2.resize(luma, (16, 16), interpolation=cv2.INTER_AREA).astype(np.uint8)
        digest = hashlib.blake2b(
            thumbnail.tobytes() + payload.value.to_bytes(8), key=hashlib.blake2b(key).digest()
        )
        draw = int.from_bytes(digest.digest()[:8])
        self._lines = LINES @ ORIENTATIONS[draw % 8].T % TILE
        shift = np.array([draw >> 3 & 127, draw >> 10 & 127])
        self._turn = np.exp(2j * np.pi / TILE * (LINES @ shift)).astype(np.complex64)

    def lines(self, spectrum: NDArray[np.complex128]) -> NDArray[np.complex64]:
        """The host at every line, as this pose presents it to the reader."""
        seen: NDArray[np.complex64] = spectrum[self._lines[:, 0], self._lines[:, 1]] * self._turn
        return seen

    def tile(self, coefficients: NDArray[np.complex64]) -> FloatImage:
        """The tile (128, 128) of unit deviation whose lines have these coefficients under this pose."""
        spectrum = np.zeros((TILE, TILE), np.complex64)
        spectrum[self._lines[:, 0], self._lines[:, 1]] = coefficients * self._turn.conj()
        tile = np.fft.ifft2(spectrum).real.astype(np.float32)
        return tile / tile.std()


def _coefficients(
    host: NDArray[np.complex64], code: NDArray[np.float32], key: Pattern
) -> NDArray[np.complex64]:
    """The mark's value at every line, given the host's in the same units (unit power over all lines)."""
    coefficients = np.zeros(len(LINES), np.complex64)
    coefficients[key.sync] = _sync(host[key.sync], key)
    chips = _chips(host, code, key)
    count = len(key.data)
    coefficients[key.data] = chips[:count] + 1j * chips[count:]
    return coefficients


def _sync(host: NDArray[np.complex64], key: Pattern) -> NDArray[np.complex64]:
    """Sync lines, raised where the host pulls the other way."""
    level = np.sqrt(SYNC_SHARE / len(key.sync))
    against = np.maximum(0, -(host * key.phases.conj()).real)
    raised: NDArray[np.complex64] = (level + np.minimum(against, _SYNC_LIFT * level)) * key.phases
    return raised


def _chips(host: NDArray[np.complex64], code: NDArray[np.float32], key: Pattern) -> NDArray[np.float32]:
    """Chips of equal size plus, per coded bit, what lifts the host's own share of that bit to +1.5 deviations
    (improved spread spectrum, Malvar and Florêncio 2003)."""
    level = np.sqrt((1 - SYNC_SHARE) / len(key.data) / 2)
    noise = radial_mean(np.square(np.abs(host)))[key.data] / 2 + level**2
    weights = np.tile(level / noise, 2)
    values = np.concatenate([host.real[key.data], host.imag[key.data]])
    direction = key.signs * code[key.bits]
    helping = np.bincount(key.bits, weights * values * direction, CODED_BITS)
    most = 2 * np.bincount(key.bits, weights * level, CODED_BITS)
    need = np.clip(_HELP * np.sqrt(np.square(helping).mean()) - helping, 0, most)
    lift = need / np.bincount(key.bits, weights**2, CODED_BITS)
    chips: NDArray[np.float32] = direction * (level + lift[key.bits] * weights)
    return chips
