"""TIFF written by hand, since no library at hand writes 16 bits a channel together with profile and EXIF.

Baseline TIFF 6.0: one deflated strip a page, with the horizontal predictor (§14), pages chained.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from PIL import Image, TiffImagePlugin
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from guard.media.picture import Mode, Picture, Pixels

__all__ = ["tiff_exif", "write_tiff"]

_DESCRIPTIVE = (270, 271, 272, 305, 306, 315, 33432)
"""Description, make, model, software, date, artist, copyright: what a TIFF's first directory shares with
EXIF."""
_SUBDIRECTORIES = (0x8769, 0x8825)
_PHOTOMETRIC = {Mode.GRAY: 1, Mode.GRAY_ALPHA: 1, Mode.RGB: 2, Mode.RGBA: 2, Mode.CMYK: 5}
_DEFLATE, _HORIZONTAL, _UNASSOCIATED_ALPHA = 8, 2, 2


def tiff_exif(image: TiffImagePlugin.TiffImageFile) -> bytes | None:
    """The EXIF block that a TIFF's own directories amount to, None where they hold nothing of the kind."""
    source, exif = image.getexif(), Image.Exif()
    for tag in _DESCRIPTIVE:
        if tag in image.tag_v2:
            exif[tag] = image.tag_v2[tag]
    for tag in _SUBDIRECTORIES:
        if found := source.get_ifd(tag):
            exif.get_ifd(tag).update(found)
    return exif.tobytes() if len(exif) or any(exif.get_ifd(tag) for tag in _SUBDIRECTORIES) else None


def write_tiff(picture: Picture) -> bytes:
    """The file, its frames as pages."""
    out = bytearray(b"II*\0\0\0\0\0")
    link = 4
    for frame in picture.frames:
        out += bytes(len(out) % 2)
        strip = zlib.compress(_predicted(frame), 1)
        directory = _directory(picture, frame, len(strip))
        struct.pack_into("<L", out, link, len(out))
        link = len(out) + 2 + 12 * len(directory)
        out += directory.tobytes(len(out)) + strip
    return bytes(out)


def _predicted(frame: Pixels) -> bytes:
    """Each row as its first pixel and then differences, which deflate far better than the values."""
    little = np.atleast_3d(frame).astype(frame.dtype.newbyteorder("<"))
    little[:, 1:] -= little[:, :-1].copy()
    return little.tobytes()


def _directory(picture: Picture, frame: Pixels, strip: int) -> ImageFileDirectory_v2:
    channels = picture.mode.channels
    directory = ImageFileDirectory_v2()
    if picture.exif:
        _add_exif(directory, picture.exif)
    directory[TiffImagePlugin.IMAGEWIDTH] = frame.shape[1]
    directory[TiffImagePlugin.IMAGELENGTH] = frame.shape[0]
    directory[TiffImagePlugin.BITSPERSAMPLE] = (8 * frame.dtype.itemsize,) * channels
    directory[TiffImagePlugin.COMPRESSION] = _DEFLATE
    directory[TiffImagePlugin.PHOTOMETRIC_INTERPRETATION] = _PHOTOMETRIC[picture.mode]
    # An offset is counted from the directory's end: the strip follows at once.
    directory[TiffImagePlugin.STRIPOFFSETS] = 0
    directory[TiffImagePlugin.SAMPLESPERPIXEL] = channels
    directory[TiffImagePlugin.ROWSPERSTRIP] = frame.shape[0]
    directory[TiffImagePlugin.STRIPBYTECOUNTS] = strip
    directory[TiffImagePlugin.PLANAR_CONFIGURATION] = 1
    directory[TiffImagePlugin.PREDICTOR] = _HORIZONTAL
    if picture.mode.has_alpha:
        directory[TiffImagePlugin.EXTRASAMPLES] = _UNASSOCIATED_ALPHA
    if picture.dpi:
        directory[TiffImagePlugin.RESOLUTION_UNIT] = 2
        directory[TiffImagePlugin.X_RESOLUTION], directory[TiffImagePlugin.Y_RESOLUTION] = picture.dpi
    if picture.icc:
        directory[TiffImagePlugin.ICCPROFILE] = picture.icc
    if picture.xmp:
        directory[TiffImagePlugin.XMP] = picture.xmp
    return directory


def _add_exif(directory: ImageFileDirectory_v2, block: bytes) -> None:
    exif = Image.Exif()
    exif.load(block)
    for tag in _DESCRIPTIVE:
        if tag in exif:
            directory[tag] = exif[tag]
    for tag in _SUBDIRECTORIES:
        if found := exif.get_ifd(tag):
            directory[tag] = found
