"""A decoded picture: its frames as arrays, and what must survive when it is written again."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from guard.errors import InputError
from guard.media.inks import inks_to_rgb, move_inks

__all__ = ["Mode", "Picture", "Pixels"]

Pixels = NDArray[Any]
"""uint8 or uint16, shaped (H, W) gray, (H, W, 2) gray with alpha, (H, W, 3) RGB, (H, W, 4) RGBA or CMYK."""


class Mode(StrEnum):
    """What the channels of a picture's arrays are. Alpha is straight, not premultiplied; inks are 255 where
    full."""

    GRAY = "gray"
    GRAY_ALPHA = "gray-alpha"
    RGB = "rgb"
    RGBA = "rgba"
    CMYK = "cmyk"

    @property
    def channels(self) -> int:
        """How many numbers a pixel has."""
        return {Mode.GRAY: 1, Mode.GRAY_ALPHA: 2, Mode.RGB: 3}.get(self, 4)

    @property
    def has_alpha(self) -> bool:
        """Whether the last channel is opacity."""
        return self in (Mode.GRAY_ALPHA, Mode.RGBA)


_MODE_OF_CHANNELS = {1: Mode.GRAY, 2: Mode.GRAY_ALPHA, 3: Mode.RGB, 4: Mode.RGBA}


@dataclass(frozen=True, eq=False)
class Picture:
    """One or more frames of one mode and depth, upright, with the metadata that a new file of it keeps.

    `frames` are read-only arrays (`Pixels`), all of one shape but for a TIFF's pages. `durations` has the
    milliseconds each frame of an animation is shown and is empty for a still picture or pages; `loop` is the
    file's own repeat count (0 for ever, None where it names none). `icc`, `exif` (a TIFF block, without the
    `Exif` prefix that JPEG gives it; its orientation says upright and it holds no thumbnail) and `xmp` are
    the file's own bytes; `dpi` is dots per inch, across and down. `lossless` says that the source lost
    nothing, so a copy should not either.
    """

    mode: Mode
    frames: tuple[Pixels, ...] = field(repr=False)
    durations: tuple[float, ...] = ()
    loop: int | None = None
    icc: bytes | None = field(default=None, repr=False)
    exif: bytes | None = field(default=None, repr=False)
    xmp: bytes | None = field(default=None, repr=False)
    dpi: tuple[float, float] | None = None
    lossless: bool = True

    def __post_init__(self) -> None:
        if not self.frames:
            raise InputError("A picture has at least one frame.", "Give one array or more.")
        for frame in self.frames:
            _check_frame(frame, self.mode)
            frame.flags.writeable = False

    @classmethod
    def from_array(cls, pixels: Pixels) -> Picture:
        """A still picture of gray, gray and alpha, RGB or RGBA pixels (H, W[, 1–4]), uint8 or uint16."""
        channels = 1 if pixels.ndim == 2 else pixels.shape[-1]
        if channels == 1:
            pixels = pixels.reshape(pixels.shape[:2])
        mode = _MODE_OF_CHANNELS.get(channels)
        if mode is None:
            raise InputError(f"An array of shape {pixels.shape} is no picture.", "Give one to four channels.")
        return cls(mode, (np.ascontiguousarray(pixels).copy(),))

    @property
    def width(self) -> int:
        """Pixels across, of the first frame."""
        return int(self.frames[0].shape[1])

    @property
    def height(self) -> int:
        """Pixels down, of the first frame."""
        return int(self.frames[0].shape[0])

    @property
    def depth(self) -> int:
        """Bits per channel: 8 or 16."""
        return 8 * self.frames[0].dtype.itemsize

    def rgb(self, frame: int = 0) -> NDArray[np.uint8]:
        """A frame as RGB uint8 (H, W, 3), a fresh array: what a viewer sees on a white page.

        16 bits are rounded to 8, transparency shows white, and inks go through the ICC profile where the file
        has one. An RGB picture's own profile is not applied: its numbers are given as they are.
        """
        pixels = _to_8_bit(self.frames[frame])
        if self.mode is Mode.CMYK:
            return inks_to_rgb(pixels, self.icc)
        if self.mode.has_alpha:
            pixels = _over_white(pixels)
        return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels

    def map_frames(self, change: Callable[[Pixels], Pixels]) -> Picture:
        """This picture with every frame changed by `change`, which gets a fresh array and returns one of its
        shape.

        `change` sees gray, gray and alpha, RGB or RGBA in the picture's own depth. For inks it sees the RGB
        that they show, and what it changes there is carried back to the inks; what it leaves alone stays to
        the last bit. Raises `InputError` if it returns another shape or type.
        """
        return replace(self, frames=tuple(self._changed(frame, change) for frame in self.frames))

    def _changed(self, frame: Pixels, change: Callable[[Pixels], Pixels]) -> Pixels:
        before = inks_to_rgb(frame, self.icc) if self.mode is Mode.CMYK else frame
        after = change(before.copy())
        if after.shape != before.shape or after.dtype != before.dtype:
            raise InputError(
                f"A frame of {before.dtype} {before.shape} came back as {after.dtype} {after.shape}.",
                "Return an array of the same shape and type.",
            )
        return move_inks(frame, before, after, self.icc) if self.mode is Mode.CMYK else after


def _to_8_bit(pixels: Pixels) -> NDArray[np.uint8]:
    """A fresh uint8 array; 16 bits are rounded, so that 65535 is 255 and 0 is 0."""
    if pixels.dtype == np.uint8:
        return pixels.copy()
    return cv2.convertScaleAbs(pixels, alpha=1 / 257).reshape(pixels.shape)  # type: ignore[no-any-return]


def _over_white(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    alpha = pixels[..., -1:].astype(np.uint16)
    colour = pixels[..., :-1].astype(np.uint16)
    blended = ((colour * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return blended[..., 0] if blended.shape[-1] == 1 else blended


def _check_frame(frame: Pixels, mode: Mode) -> None:
    channels = () if mode is Mode.GRAY else (mode.channels,)
    fits = frame.shape[2:] == channels and frame.ndim == 2 + len(channels) and math.prod(frame.shape) > 0
    if not fits or frame.dtype not in (np.uint8, np.uint16):
        raise InputError(
            f"An array of {frame.dtype} {frame.shape} is no frame of a {mode} picture.",
            "Give uint8 or uint16 pixels of its channels.",
        )
