"""Between pixels as they come and the canonical luma that the mark is worked out on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from guard.errors import InputError

__all__ = ["FloatImage", "Pixels", "add", "alpha_plane", "canonical_luma", "canonical_scale", "check"]

Pixels: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]
FloatImage: TypeAlias = NDArray[np.float32]

_CANONICAL_AREA = 1 << 20
_STRIP_PIXELS = 1 << 17  # small enough to stay in the processor's cache
_BLOCK_WIDTH = 1 << 14  # OpenCV's warps address at most 2**15 columns.
_CHANNELS = (1, 2, 3, 4)


def check(pixels: Pixels) -> None:
    """Raise `InputError` unless pixels are (H, W) or (H, W, 1..4) of uint8 or uint16 and not empty."""
    if not isinstance(pixels, np.ndarray) or pixels.dtype not in (np.uint8, np.uint16):
        raise InputError("The pixels are not unsigned integers.", "Give a NumPy array of uint8 or uint16.")
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in _CHANNELS):
        raise InputError(
            f"Pixels of shape {pixels.shape} are not a picture.",
            "Give (height, width) or (height, width, channels) with gray, gray+alpha, RGB or RGBA channels.",
        )
    if not pixels.size:
        raise InputError("The picture has no pixels.", "Give at least one row and one column.")


def canonical_scale(width: int, height: int) -> float:
    """What a picture of this size is multiplied by before it is marked or read: 1 up to 2**20 pixels."""
    area = width * height
    return 1.0 if area <= 1.02 * _CANONICAL_AREA else (_CANONICAL_AREA / area) ** 0.5


def canonical_luma(pixels: Pixels) -> FloatImage:
    """Luma (BT.601, 0..255, over white where transparent), reduced to 2**20 pixels where there are more.

    Works in strips, so that a large picture never exists as floats.
    """
    height, width = pixels.shape[:2]
    shrink = canonical_scale(width, height)
    if shrink == 1:
        return _luma(pixels)
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    # Area averaging is separable: columns strip by strip, then rows at once.
    narrow = np.concatenate(
        [
            cv2.resize(_luma(pixels[rows]), (size[0], rows.stop - rows.start), interpolation=cv2.INTER_AREA)
            for rows in _strips(height, width)
        ]
    )
    luma: FloatImage = cv2.resize(narrow, size, interpolation=cv2.INTER_AREA)
    return luma


def alpha_plane(pixels: Pixels, size: tuple[int, int]) -> FloatImage | None:
    """Opacity 0..1 at `size` (width, height), None for pictures without an alpha channel."""
    if pixels.ndim == 2 or pixels.shape[2] not in (2, 4):
        return None
    alpha = cv2.resize(np.ascontiguousarray(pixels[..., -1]), size, interpolation=cv2.INTER_AREA)
    opacity: FloatImage = alpha.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
    return opacity


def add(pixels: Pixels, increment: FloatImage) -> Pixels:
    """`pixels` with `increment` (of 255 gray levels, any size) added to every colour channel that shows."""
    height, width = pixels.shape[:2]
    marked = np.empty_like(pixels)
    for rows in _strips(height, width):
        for left in range(0, width, _BLOCK_WIDTH):
            block = np.s_[rows, left : left + _BLOCK_WIDTH]
            marked[block] = _added(pixels[block], _enlarged(increment, (height, width), rows, left))
    return marked


def _strips(height: int, width: int) -> Iterator[slice]:
    step = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, step):
        yield slice(top, min(top + step, height))


def _luma(pixels: Pixels) -> FloatImage:
    """Luma of a few rows, at full size."""
    colour = _colour(pixels)
    gray = cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY) if colour.ndim == 3 else colour
    unit = np.float32(np.iinfo(pixels.dtype).max / 255)
    luma: FloatImage = gray.astype(np.float32) / unit
    alpha = alpha_plane(pixels, (pixels.shape[1], pixels.shape[0]))
    return luma if alpha is None else 255 + (luma - 255) * alpha


def _colour(pixels: Pixels) -> Pixels:
    """Gray (H, W) or RGB (H, W, 3) without alpha, contiguous."""
    if pixels.ndim == 3:
        pixels = pixels[..., 0] if pixels.shape[2] < 3 else pixels[..., :3]
    return pixels if pixels.flags.c_contiguous else pixels.copy()


def _enlarged(increment: FloatImage, full: tuple[int, int], rows: slice, left: int) -> FloatImage:
    """The part of the increment that belongs to `rows` and the block of columns from `left`, at full size."""
    if increment.shape == full:
        return increment[rows, left : left + _BLOCK_WIDTH]
    width = min(_BLOCK_WIDTH, full[1] - left)
    sy, sx = increment.shape[0] / full[0], increment.shape[1] / full[1]
    back = np.array([[sx, 0, (left + 0.5) * sx - 0.5], [0, sy, (rows.start + 0.5) * sy - 0.5]])
    part: FloatImage = cv2.warpAffine(
        increment,
        back,
        (width, rows.stop - rows.start),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return part


def _added(pixels: Pixels, increment: FloatImage) -> Pixels:
    """A block with the increment added to its colours; what is fully transparent stays as it is."""
    colour = _colour(pixels)
    step = increment * np.float32(np.iinfo(pixels.dtype).max / 255)
    marked = pixels.copy()
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        step *= pixels[..., -1] > 0
    depth = cv2.CV_8U if pixels.dtype == np.uint8 else cv2.CV_16U
    channels = 1 if colour.ndim == 2 else 3
    marked.reshape(*pixels.shape[:2], -1)[..., :channels] = cv2.add(
        colour, cv2.merge([step] * channels), dtype=depth
    ).reshape(*pixels.shape[:2], channels)
    return marked
