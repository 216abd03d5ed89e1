"""Picture files as arrays, through Pillow, and through OpenCV for 16 bits a channel."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import cv2
import numpy as np
from PIL import Image, ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from guard.errors import GuardError, LimitExceededError, MalformedMediaError, UnsupportedMediaError
from guard.media.exif import clean_exif, clean_xmp, orientation_of
from guard.media.limits import Limits
from guard.media.picture import Mode, Picture, Pixels
from guard.media.tiff import tiff_exif

__all__ = ["check_header", "decode"]

# The readers themselves rather than Image.open: the type is known by then, and Image.open's own bound on
# pixels is one setting for the whole process.
_READERS: dict[str, type[ImageFile.ImageFile]] = {
    "image/avif": AvifImageFile,
    "image/gif": GifImageFile,
    "image/jpeg": JpegImageFile,
    "image/png": PngImageFile,
    "image/tiff": TiffImageFile,
    "image/webp": WebPImageFile,
}
_MODES = {"L": Mode.GRAY, "LA": Mode.GRAY_ALPHA, "RGB": Mode.RGB, "RGBA": Mode.RGBA, "CMYK": Mode.CMYK}
_BITS_PER_SAMPLE, _X_RESOLUTION, _EXTRA_SAMPLES = 258, 282, 338
_UNSPECIFIED, _ASSOCIATED = 0, 1
_PNG_GRAY_ALPHA = 4
_filters = threading.Lock()
# What OpenCV would print about a file, the errors below say.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def check_header(data: bytes, mime: str, limits: Limits) -> None:
    """Refuse a picture whose header is unreadable or over the limits, without decoding anything."""
    with _pillow_errors():
        _open(data, mime, limits).close()


def decode(data: bytes, mime: str, limits: Limits) -> Picture:
    """The picture in these bytes, upright.

    Raises `LimitExceededError` before anything is decoded, `MalformedMediaError` for corrupt bytes, and
    `UnsupportedMediaError` for pixel types without an honest 8- or 16-bit form (floating point, Lab). Of a
    JPEG with several pictures, as phones write them, the first is the picture. Of an animated PNG, the frames
    of the animation are. AVIF of 10 or 12 bits is given as 8. A TIFF's pages are frames without durations.
    """
    with _pillow_errors(), _open(data, mime, limits) as image:
        frames, durations = _frames(image, data, limits)
        mode, pixels = _unified(frames)
        exif = tiff_exif(image) if isinstance(image, TiffImageFile) else image.info.get("exif")
        # Pillow turns a TIFF upright by itself, and OpenCV does.
        orientation = 1 if mime == "image/tiff" else orientation_of(exif)
        # Pillow cannot tell how often an animated AVIF is played; that it never ends is the format's default.
        loop = image.info.get("loop", 0 if mime == "image/avif" else None)
        return Picture(
            mode,
            tuple(upright(frame, orientation) for frame in pixels),
            durations=durations,
            loop=loop if durations else None,
            icc=image.info.get("icc_profile") or None,
            exif=clean_exif(exif),
            xmp=clean_xmp(image.info.get("xmp")),
            dpi=_dpi(image),
            lossless=_is_lossless(data, mime),
        )


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """The array turned as EXIF's orientation 1–8 (CIPA DC-008 §4.6.5.1.6) asks."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _open(data: bytes, mime: str, limits: Limits) -> ImageFile.ImageFile:
    """The picture with its header read and within limits, its pixels not yet decoded."""
    reader = _READERS.get(mime)
    if reader is None:
        raise UnsupportedMediaError(
            f"Guard decodes no pictures of type {mime}.", f"Use one of {', '.join(sorted(_READERS))}."
        )
    if mime == "image/webp":
        limits.check_frame(*_webp_canvas(data))
    with _quiet():
        image = reader(BytesIO(data))
        limits.check_frame(*image.size)
        frames = getattr(image, "n_frames", 1)
    pixels = image.width * image.height * frames
    limits.check_animation(frames, pixels if frames > 1 else 0)
    limits.check_expansion(pixels * len(image.getbands()), len(data))
    if isinstance(image, WebPImageFile) and image.is_animated:
        # Pillow drops the alpha of files without its flag, but a canvas is clear until a frame paints it.
        image.rawmode = image._mode = "RGBA"
    return image


def _webp_canvas(data: bytes) -> tuple[int, int]:
    """The canvas of a WebP (RFC 9649 §2.5–2.7), for which libwebp makes room as soon as it sees the file."""
    if data[12:16] == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if data[12:16] == b"VP8L":
        sides = int.from_bytes(data[21:25], "little")
        return (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1
    return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF


def _frames(
    image: ImageFile.ImageFile, data: bytes, limits: Limits
) -> tuple[list[tuple[Mode, Pixels]], tuple[float, ...]]:
    """Every frame or page with its mode, as Pillow composes it, and for animations how long each shows."""
    frames: list[tuple[Mode, Pixels]] = []
    durations: list[float] = []
    count, total = getattr(image, "n_frames", 1), 0
    # An animated PNG may keep another picture for programs that know no animation; it is not one of the
    # frames.
    for number in range(1 if count > 1 and getattr(image, "default_image", False) else 0, count):
        image.seek(number)
        limits.check_frame(*image.size)
        total += image.width * image.height
        limits.check_animation(count, total if count > 1 else 0)
        frames.append(_deep(image, data, number) if _is_deep(image, data) else _shallow(image))
        durations.append(float(image.info.get("duration", 0)))
    animated = count > 1 and not isinstance(image, TiffImageFile)
    return frames, tuple(durations) if animated else ()


def _is_deep(image: ImageFile.ImageFile, data: bytes) -> bool:
    """Whether channels have 16 bits. Raises `UnsupportedMediaError` for what would have to be cut or
    guessed."""
    if isinstance(image, PngImageFile):
        deep = data[24] == 16
        if deep and image.is_animated:
            raise UnsupportedMediaError(
                "Guard decodes no animated PNG of 16 bits a channel.", "Save it with 8 bits."
            )
        return deep
    if not isinstance(image, TiffImageFile):
        return False
    depths = set(image.tag_v2.get(_BITS_PER_SAMPLE, (1,)))
    deep = depths == {16}
    if image.mode in ("F", "I", "LAB") or not (deep or max(depths) <= 8) or (deep and image.mode == "CMYK"):
        raise UnsupportedMediaError(
            f"The TIFF's pixels are {image.mode} of {max(depths)} bits a channel.",
            "Save it as gray or RGB of 8 or 16 bits, or as CMYK of 8 bits.",
        )
    return deep


def _deep(image: ImageFile.ImageFile, data: bytes, number: int) -> tuple[Mode, Pixels]:
    """A frame of 16 bits a channel, which Pillow would cut to 8; OpenCV gives blue first."""
    done, pages = cv2.imdecodemulti(
        np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED, range=(number, number + 1)
    )
    if not done or pages[0].dtype != np.uint16:
        raise MalformedMediaError("The picture of 16 bits a channel is corrupt.", "Send an intact file.")
    pixels = pages[0]
    if pixels.ndim == 2:
        return Mode.GRAY, pixels
    if pixels.shape[2] == 3:
        return Mode.RGB, pixels[..., ::-1]
    if isinstance(image, PngImageFile) and data[25] == _PNG_GRAY_ALPHA:
        return Mode.GRAY_ALPHA, pixels[..., [0, 3]]
    pixels = pixels[..., [2, 1, 0, 3]]
    extra = image.tag_v2.get(_EXTRA_SAMPLES) if isinstance(image, TiffImageFile) else None
    if extra == (_UNSPECIFIED,):
        return Mode.RGB, pixels[..., :3]
    return Mode.RGBA, _straight(pixels) if extra == (_ASSOCIATED,) else pixels


def _straight(pixels: Pixels) -> Pixels:
    """Colours that were multiplied by their alpha, divided by it."""
    alpha = pixels[..., 3:].astype(np.float64) / 65_535
    colour = pixels[..., :3] / np.where(alpha > 0, alpha, 1)
    return np.concatenate([np.rint(colour.clip(0, 65_535)).astype(np.uint16), pixels[..., 3:]], axis=2)


def _shallow(image: ImageFile.ImageFile) -> tuple[Mode, Pixels]:
    """A frame of 8 bits a channel or fewer, in the mode that holds it without loss."""
    image.load()
    mode = _plain_mode(image)
    pixels = np.asarray(image if image.mode == mode else image.convert(mode))
    if mode == "CMYK" and isinstance(image, JpegImageFile) and "adobe" not in image.info:
        # Pillow reads every CMYK JPEG as Adobe writes them, inverted; without Adobe's marker they are not.
        pixels = 255 - pixels
    return _MODES[mode], pixels


def _plain_mode(image: ImageFile.ImageFile) -> str:
    if image.mode in ("1", "L", "LA", "La"):
        return "LA" if image.has_transparency_data else "L"
    if image.mode == "CMYK":
        return "CMYK"
    return "RGBA" if image.has_transparency_data else "RGB"


def _unified(frames: list[tuple[Mode, Pixels]]) -> tuple[Mode, list[Pixels]]:
    """The frames in one mode: transparency that only some frames have, or none uses, costs the others
    nothing."""
    modes = {mode for mode, _ in frames}
    if len({pixels.dtype for _, pixels in frames}) > 1 or (Mode.CMYK in modes and len(modes) > 1):
        raise UnsupportedMediaError(
            "The pages differ in depth, or only some are of inks.", "Save each page as a file of its own."
        )
    if len(modes) > 1:
        frames = [(Mode.RGBA, _as_rgba(mode, pixels)) for mode, pixels in frames]
    mode, arrays = frames[0][0], [pixels for _, pixels in frames]
    if len(frames) > 1 and mode is Mode.RGBA and all((pixels[..., 3] == 255).all() for pixels in arrays):
        return Mode.RGB, [pixels[..., :3] for pixels in arrays]
    return mode, arrays


def _as_rgba(mode: Mode, pixels: Pixels) -> Pixels:
    opaque = np.full((*pixels.shape[:2], 1), np.iinfo(pixels.dtype).max, pixels.dtype)
    alpha = pixels[..., -1:] if mode.has_alpha else opaque
    colour = pixels[..., None] if mode is Mode.GRAY else pixels[..., : 1 if mode is Mode.GRAY_ALPHA else 3]
    return np.concatenate([np.broadcast_to(colour, (*pixels.shape[:2], 3)), alpha], axis=2)


def _dpi(image: ImageFile.ImageFile) -> tuple[float, float] | None:
    """Dots per inch where the file gives sensible ones."""
    if isinstance(image, TiffImageFile) and _X_RESOLUTION not in image.tag_v2:
        # Pillow makes up one dot per inch.
        return None
    across, down = (float(value) for value in image.info.get("dpi", (0, 0)))
    return (across, down) if 0 < across < 1e6 and 0 < down < 1e6 else None


def _is_lossless(data: bytes, mime: str) -> bool:
    if mime == "image/webp":
        return b"VP8L" in data[12:16] or (data[12:16] == b"VP8X" and b"VP8 " not in _webp_chunks(data))
    return mime not in ("image/jpeg", "image/avif")


def _webp_chunks(data: bytes) -> set[bytes]:
    """The names of the chunks of an extended WebP, those inside its animation frames among them."""
    names: set[bytes] = set()
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        names.add(name)
        # A frame is 16 bytes of its own (RFC 9649 §2.7.1.1), then chunks.
        at += 24 if name == b"ANMF" else 8 + size + size % 2
    return names


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Pillow's warnings on odd metadata. Filters belong to the whole process: one thread at a
    time."""
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _pillow_errors() -> Iterator[None]:
    """One error for whatever a decoder raises when it is fed bytes that nobody meant it to read."""
    try:
        yield
    except GuardError:
        raise
    except Image.DecompressionBombError as error:
        raise LimitExceededError(f"The picture is too large: {error}.", "Send a smaller picture.") from error
    except Exception as error:
        raise MalformedMediaError(
            f"The picture cannot be decoded: {error or type(error).__name__}.", "Send an intact file."
        ) from error
