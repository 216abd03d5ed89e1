"""Pictures as files: what a format can hold is kept, what it cannot is refused rather than dropped."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from guard.errors import InputError, UnsupportedMediaError
from guard.media.formats import canonical_mime
from guard.media.gif import write_gif
from guard.media.picture import Mode, Picture, Pixels
from guard.media.png import write_png
from guard.media.tiff import write_tiff

__all__ = ["encode"]

_COLOURS = frozenset({Mode.GRAY, Mode.GRAY_ALPHA, Mode.RGB, Mode.RGBA})
# What each format can hold: modes, bits a channel, the longest side, and whether it moves.
_MODES = {
    "image/png": _COLOURS,
    "image/jpeg": frozenset({Mode.GRAY, Mode.RGB, Mode.CMYK}),
    "image/webp": _COLOURS,
    "image/avif": _COLOURS,
    "image/gif": _COLOURS,
    "image/tiff": frozenset(Mode),
}
_DEEP = frozenset({"image/png", "image/tiff"})
_ANIMATED = frozenset({"image/png", "image/webp", "image/avif", "image/gif"})
_LONGEST = {"image/jpeg": 65_500, "image/webp": 16_383, "image/gif": 65_535, "image/avif": 65_536}
_QUALITY = 95


def encode(picture: Picture, mime: str, *, quality: int | None = None) -> bytes:
    """The picture as a file of type `mime`, with its profile, EXIF, XMP, resolution and timing.

    `quality` (1–100) is for JPEG (colour at full resolution), WebP and AVIF; None asks for a faithful copy:
    95, and for WebP lossless coding where the source lost nothing. GIF gets up to 256 colours a frame, the
    exact ones where they suffice; it has no room for EXIF, XMP and resolution. WebP and AVIF have none for
    resolution, WebP none for gray, which it shows as RGB. Raises `UnsupportedMediaError` for what the format
    cannot hold otherwise (alpha in JPEG, 16 bits outside PNG and TIFF, inks in PNG, …), and `InputError` for
    a quality outside its range.
    """
    mime = canonical_mime(mime)
    _check(picture, mime, quality)
    if mime == "image/png":
        return write_png(picture)
    if mime == "image/tiff":
        return write_tiff(picture)
    if mime == "image/gif":
        return write_gif(picture)
    return _save(picture, mime, _OPTIONS[mime](picture, quality))


def _check(picture: Picture, mime: str, quality: int | None) -> None:
    if quality is not None and not 1 <= quality <= 100:
        raise InputError(f"A quality of {quality} does not exist.", "Give a number from 1 to 100.")
    if mime not in _MODES:
        raise UnsupportedMediaError(
            f"Guard writes no pictures of type {mime}.", f"Use one of {', '.join(sorted(_MODES))}."
        )
    if flaw := _flaw(picture, mime):
        raise UnsupportedMediaError(
            f"{mime} cannot hold {flaw}.", "Choose another format, or convert the picture."
        )


def _flaw(picture: Picture, mime: str) -> str | None:
    """What the format cannot hold of this picture, in words."""
    if picture.mode not in _MODES[mime]:
        return "transparency" if picture.mode.has_alpha else "inks"
    if picture.depth == 16 and mime not in _DEEP:
        return "16 bits a channel"
    if picture.depth == 16 and picture.mode is Mode.GRAY_ALPHA and mime == "image/tiff":
        return "gray with transparency of 16 bits a channel in a way that readers know"
    if picture.durations and mime not in _ANIMATED:
        return "an animation"
    if len(picture.frames) > 1 and not picture.durations and mime != "image/tiff":
        return "several pages"
    longest = max(picture.width, picture.height)
    if longest > _LONGEST.get(mime, longest):
        return f"a side of {longest} pixels"
    return _profile_flaw(picture, mime) if picture.icc else None


def _profile_flaw(picture: Picture, mime: str) -> str | None:
    gray = picture.mode in (Mode.GRAY, Mode.GRAY_ALPHA)
    if mime == "image/webp" and gray:
        return "a profile for gray, which it stores as RGB"
    return "a colour profile" if mime == "image/gif" else None


def _jpeg_options(picture: Picture, quality: int | None) -> dict[str, Any]:
    return {
        "format": "JPEG",
        "quality": quality or _QUALITY,
        "subsampling": 0,
        "dpi": picture.dpi or (0, 0),
        "exif": b"Exif\0\0" + picture.exif if picture.exif else b"",
    }


def _webp_options(picture: Picture, quality: int | None) -> dict[str, Any]:
    options: dict[str, Any] = {"format": "WEBP", "exif": picture.exif or b"", "loop": _plays(picture)}
    if quality is None and picture.lossless:
        # The fastest of libwebp's lossless settings: a tenth larger than its default on photographs, four
        # times as fast.
        return options | {"lossless": True, "quality": 0, "method": 0, "exact": True}
    return options | {"quality": quality or _QUALITY, "method": 4}


def _avif_options(picture: Picture, quality: int | None) -> dict[str, Any]:
    gray = picture.mode is Mode.GRAY
    return {
        "format": "AVIF",
        "quality": quality or _QUALITY,
        "subsampling": "4:0:0" if gray else "4:4:4",
        "speed": 9,
        "exif": picture.exif or b"",
    }


_OPTIONS = {"image/jpeg": _jpeg_options, "image/webp": _webp_options, "image/avif": _avif_options}


def _plays(picture: Picture) -> int:
    """How often an animation is played where a format must say; 0 is for ever."""
    return 1 if picture.loop is None else picture.loop


def _save(picture: Picture, mime: str, options: dict[str, Any]) -> bytes:
    first, *others = (_image(frame, picture.mode) for frame in picture.frames)
    if picture.durations:
        options |= {
            "save_all": True,
            "append_images": others,
            "duration": [round(d) for d in picture.durations],
        }
    out = BytesIO()
    try:
        first.save(out, icc_profile=picture.icc or b"", xmp=picture.xmp or b"", **options)
    except (OSError, ValueError, SyntaxError) as error:
        raise UnsupportedMediaError(
            f"The picture or its metadata does not fit into {mime}: {error}.", "Choose another format."
        ) from error
    return out.getvalue()


def _image(frame: Pixels, mode: Mode) -> Image.Image:
    name = {Mode.GRAY: "L", Mode.GRAY_ALPHA: "LA", Mode.RGB: "RGB", Mode.RGBA: "RGBA", Mode.CMYK: "CMYK"}[
        mode
    ]
    return Image.frombuffer(name, frame.shape[1::-1], np.ascontiguousarray(frame), "raw", name, 0, 1)
