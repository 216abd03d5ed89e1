"""The 32-bit marks of the package invisible-watermark: dwtDct, dwtDctSvd and rivaGan (extra `[local]`).

They are here to read what others wrote and to be measured against. They carry the payload's short id, which
the ledger resolves, its highest bit first. They have no key, no error correction and no way to tell marked
pictures from unmarked ones: every picture reads as some 32 bits.

What was found in version 0.2.0 of the package, and how it is met here:

- It takes BGR without saying so. Pixels are turned round both ways.
- dwtDct and dwtDctSvd hide in U alone, since their loop leaves V out, and in YUV rounded to bytes. dwtDct
  misreads 6 of 12 of its own untouched copies of photographs. Each copy is read before it is given out.
- A gray picture has no U, so gray ones are refused.
- They put the wavelet's horizontal and vertical detail back exchanged, which smears U by 0.8 to 2.1 levels
  (root mean square, six photographs) whatever the payload. It stays so: undone, it would be another mark.
- rivaGan cuts fractions off, which darkens by half a level, and takes 5 s of processor time a megapixel.
- Reading needs to know the step of the quantisation, so a mark has one strength.
- Below 256 × 256 pixels the package raises an error, and with fewer blocks than bits it divides by zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guard.errors import MarkError, MissingExtraError
from guard.watermark.base import Payload, Reading, ReadingState, Strength
from guard.watermark.pictures import PictureWatermarker

__all__ = ["classic"]


_BITS = 32
_LEAST_PIXELS = 256 * 256
_LEAST_SIDE = 64


def classic(method: str) -> PictureWatermarker:
    """The engine `dwtDct`, `dwtDctSvd` or `rivaGan`.

    It raises `MissingExtraError` only when used: to list engines needs no package.
    """
    return PictureWatermarker(method, f"guard.{method}.1", partial(_embed, method), partial(_read, method))


def _embed(
    method: str, pixels: NDArray[Any], payload: Payload, *, key: bytes, strength: Strength
) -> NDArray[Any]:
    """A copy with the payload's short id. Neither `key` nor `strength` has an effect: see the module."""
    del key, strength
    if not _carries(pixels):
        raise MarkError(
            f"{method} needs a picture in colour of at least 256 × 256 pixels.", "Use the engine 'tile'."
        )
    before = _bgr(pixels)
    marked = _moved(pixels, before, _package(method).encoded(before, payload.short_id))
    if _package(method).decoded(_bgr(marked)) != payload.short_id:
        raise MarkError(f"{method} cannot be read back from this picture.", "Use the engine 'tile'.")
    return marked


def _read(method: str, pixels: NDArray[Any], *, keys: Sequence[bytes]) -> Reading:
    """Some 32 bits as a `CANDIDATE`, without a p-value; `UNSUPPORTED` where none can be. Keys do nothing."""
    del keys
    if not _carries(pixels):
        return Reading(ReadingState.UNSUPPORTED, method)
    return Reading(ReadingState.CANDIDATE, method, short_id=_package(method).decoded(_bgr(pixels)))


@dataclass(frozen=True, slots=True)
class _Package:
    """The package's two classes, speaking of numbers instead of lists of bits."""

    method: str
    encoder: Any
    decoder: Any

    def encoded(self, bgr: NDArray[np.uint8], short_id: int) -> NDArray[np.uint8]:
        encoder = self.encoder()
        encoder.set_watermark("bits", [short_id >> (_BITS - 1 - i) & 1 for i in range(_BITS)])
        marked: NDArray[np.uint8] = encoder.encode(bgr, self.method)
        return marked

    def decoded(self, bgr: NDArray[np.uint8]) -> int:
        bits = self.decoder("bits", _BITS).decode(bgr, self.method)
        return int("".join(str(int(bit)) for bit in bits), 2)


def _package(method: str) -> _Package:
    try:
        from imwatermark import WatermarkDecoder, WatermarkEncoder

        if method == "rivaGan":
            WatermarkEncoder.loadModel()
    except ImportError as error:
        raise MissingExtraError(f"The engine {method}", "local") from error
    return _Package(method, WatermarkEncoder, WatermarkDecoder)


def _carries(pixels: NDArray[Any]) -> bool:
    height, width = pixels.shape[:2]
    large = height * width >= _LEAST_PIXELS and min(height, width) >= _LEAST_SIDE
    return large and pixels.ndim == 3 and pixels.shape[2] >= 3


def _bgr(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """The colours as the package wants them: BGR of 8 bits, without alpha."""
    colour = pixels[..., 2::-1]
    if pixels.dtype == np.uint16:
        colour = np.rint(colour / 257).astype(np.uint8)
    return np.ascontiguousarray(colour)


def _moved(pixels: NDArray[Any], before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[Any]:
    """`pixels` with what changed between two BGR copies added, in their own depth; alpha stays."""
    levels = np.iinfo(pixels.dtype).max
    step = (after.astype(np.int32) - before)[..., ::-1] * (levels // 255)
    marked = pixels.copy()
    marked[..., :3] = np.clip(pixels[..., :3] + step, 0, levels)
    return marked
