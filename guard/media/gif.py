"""GIF: a palette for every frame, exact where 256 colours suffice."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from guard.errors import UnsupportedMediaError
from guard.media.picture import Mode, Picture, Pixels

__all__ = ["write_gif"]

_CLEAR = 255
"""The palette's place for "transparent"."""


def write_gif(picture: Picture) -> bytes:
    """The file. Raises `UnsupportedMediaError` for half-transparent pixels, which GIF does not know."""
    first, *others = (_indexed(frame, picture.mode) for frame in picture.frames)
    options: dict[str, Any] = {}
    if picture.durations:
        # GIF counts hundredths of a second. A frame is cleared before the next, or its holes would show the
        # last one.
        timing = [round(duration / 10) * 10 for duration in picture.durations]
        disposal = 2 if picture.mode.has_alpha else 1
        options = {"save_all": True, "append_images": others, "duration": timing, "disposal": disposal}
    if picture.loop is not None:
        options["loop"] = picture.loop
    out = BytesIO()
    first.save(out, "GIF", optimize=False, **options)
    return out.getvalue()


def _indexed(frame: Pixels, mode: Mode) -> Image.Image:
    """The frame as indices into a palette of its own."""
    if mode is Mode.GRAY:
        return Image.fromarray(frame)
    if not mode.has_alpha:
        return _with_palette(frame, 256)
    alpha = frame[..., -1]
    if ((alpha > 0) & (alpha < 255)).any():
        raise UnsupportedMediaError(
            "image/gif cannot hold half-transparent pixels.",
            "Choose PNG, WebP or AVIF, or make them opaque or clear.",
        )
    colour = np.broadcast_to(frame[..., :-1], (*alpha.shape, 3)).copy()
    colour[alpha == 0] = 0
    image = _with_palette(colour, 255)
    indices = np.asarray(image).copy()
    indices[alpha == 0] = _CLEAR
    cleared = Image.fromarray(indices)
    cleared.putpalette(bytes(image.getpalette() or b"").ljust(768, b"\0"))
    cleared.info["transparency"] = _CLEAR
    return cleared


def _with_palette(pixels: NDArray[np.uint8], colours: int) -> Image.Image:
    """Exact where the frame has no more colours than that, else the nearest of a median cut's."""
    image = Image.fromarray(pixels)
    if image.getcolors(colours) is None:
        return image.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    # Pillow finds a palette's nearest colour to within four steps; here each must be hit.
    red, green, blue = np.moveaxis(pixels.astype(np.uint32), 2, 0)
    packed = red << 16 | green << 8 | blue
    exact, indices = np.unique(packed, return_inverse=True)
    indexed = Image.fromarray(indices.reshape(packed.shape).astype(np.uint8))
    indexed.putpalette(
        np.stack([exact >> 16, exact >> 8 & 255, exact & 255], axis=1).astype(np.uint8).tobytes()
    )
    return indexed
