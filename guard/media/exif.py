"""EXIF and XMP that stay true once the picture is upright: edited in place, so that all else survives to the
byte.

EXIF (CIPA DC-008 §4.5) is a TIFF block: a header, then directories of 12-byte entries.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["clean_exif", "clean_xmp", "orientation_of"]

_ORIENTATION = 0x0112
_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_PREFIX = b"Exif\0\0"
_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation(?:=[\"']|>)\s*)[2-8](?=\s*[\"'<])")


@dataclass(frozen=True, slots=True)
class _Entry:
    """One directory entry; `at` is where its four bytes of value begin."""

    tag: int
    kind: int
    at: int


def orientation_of(exif: bytes | None) -> int:
    """EXIF's orientation, 1 to 8; 1 (upright) where the block has none or is broken."""
    block = _tiff_block(exif)
    if block is None:
        return 1
    order = _order(block)
    for entry in _entries(block, order, _first_directory(block, order)):
        if entry.tag == _ORIENTATION and entry.kind == 3:
            value = int(struct.unpack_from(order + "H", block, entry.at)[0])
            return value if 1 <= value <= 8 else 1
    return 1


def clean_exif(exif: bytes | None) -> bytes | None:
    """The block of a picture that has been turned upright: orientation 1, and no thumbnail.

    The thumbnail goes because it would go on showing what has since been blurred or redacted. None for a
    block that cannot be read.
    """
    block = _tiff_block(exif)
    if block is None:
        return None
    cleaned, order = bytearray(block), _order(block)
    first = _first_directory(block, order)
    for entry in _entries(block, order, first):
        if entry.tag == _ORIENTATION and entry.kind == 3:
            struct.pack_into(order + "H", cleaned, entry.at, 1)
    _drop_thumbnail(cleaned, order, first)
    return bytes(cleaned)


def clean_xmp(xmp: bytes | None) -> bytes | None:
    """The packet with its copy of the orientation set to 1."""
    return _XMP_ORIENTATION.sub(rb"\g<1>1", xmp) if xmp else None


def _tiff_block(exif: bytes | None) -> bytes | None:
    """The block without the prefix that JPEG gives it, or None where it is none."""
    block = (exif or b"").removeprefix(_PREFIX)
    return block if block[:4] in (b"II*\0", b"MM\0*") and len(block) >= 8 else None


def _order(block: bytes) -> str:
    return "<" if block[:2] == b"II" else ">"


def _first_directory(block: bytes, order: str) -> int:
    return int(struct.unpack_from(order + "L", block, 4)[0])


def _entries(block: bytes, order: str, directory: int) -> Iterator[_Entry]:
    """The entries of a directory, as many of them as lie within the block."""
    if directory + 2 > len(block):
        return
    (count,) = struct.unpack_from(order + "H", block, directory)
    for at in range(directory + 2, min(directory + 2 + 12 * count, len(block) - 11), 12):
        tag, kind = struct.unpack_from(order + "HH", block, at)
        yield _Entry(tag, kind, at + 8)


def _drop_thumbnail(block: bytearray, order: str, first: int) -> None:
    """Unlink the second directory, which is the thumbnail's, and blank the pixels it points to."""
    if first + 2 > len(block):
        return
    (count,) = struct.unpack_from(order + "H", block, first)
    link = first + 2 + 12 * count
    if link + 4 > len(block):
        return
    (second,) = struct.unpack_from(order + "L", block, link)
    where = {
        entry.tag: struct.unpack_from(order + "L", block, entry.at)[0]
        for entry in _entries(bytes(block), order, second)
        if second
    }
    start, length = where.get(_THUMBNAIL_OFFSET, 0), where.get(_THUMBNAIL_LENGTH, 0)
    length = max(0, min(length, len(block) - start))
    block[start : start + length] = bytes(length)
    struct.pack_into(order + "L", block, link, 0)
