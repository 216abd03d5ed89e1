"""Where a file ends by its own account: earlier than the bytes do (something follows) or later (it is cut
short)."""

from __future__ import annotations

import re
from collections.abc import Callable

from guard.errors import MalformedMediaError
from guard.media.formats import Modality, format_of
from guard.media.polyglot import check_alone

__all__ = ["check_structure"]

_STREAMED = 0x7FFF_0000
"""RIFF sizes from here on are what encoders write into a pipe before they know the size."""
_ENTROPY_END = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_BARE = frozenset({b"", b"\xff", b"\0", b"\1", *(bytes([marker]) for marker in range(0xD0, 0xD9))})
"""JPEG markers without a length, and fill bytes."""
_MOST_SCANS = 100
"""A progressive JPEG has about ten; thousands of tiny ones are a known way to burn minutes of processor
time."""
_OGG_BEGIN = (b"\2", b"\6")
"""Flags of the page with which a stream of Ogg begins, and maybe ends."""
_ELEMENTS = (b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\xec")
"""Matroska's top level: header, segment, and padding."""
_BOXES = frozenset(
    b"emsg free ftyp jumb mdat meco meta mfra moof moov pdin pnot prft sidx skip ssix styp udta uuid "
    b"wide".split()
)
"""What stands at the top level of a file; any other four letters are no box but something behind the end."""


def check_structure(data: bytes, mime: str) -> None:
    """Refuse, with `MalformedMediaError`, a file that is cut short or that is another file at the same time.

    What honest writers leave behind a file's end is not refused: padding, the further pictures and the video
    of a phone's JPEG, tags.
    """
    if format_of(mime).modality is Modality.TEXT:
        return
    walk = _ENDS.get(mime)
    check_alone(data, mime, walk(data) if walk else len(data))


def _png_end(data: bytes) -> int:
    """PNG §5.3: length, name, data and checksum, until IEND."""
    at = 8
    while True:
        name = data[at + 4 : at + 8]
        at += 12 + int.from_bytes(data[at : at + 4], "big")
        if len(name) < 4 or at > len(data):
            raise _cut_short("PNG")
        if name == b"IEND":
            return at


def _jpeg_end(data: bytes) -> int:
    """JPEG (ITU-T T.81 §B.1): marker segments and coded scans, until the end marker."""
    at, scans = 2, 0
    while (at := data.find(b"\xff", at)) >= 0:
        marker = data[at + 1 : at + 2]
        if marker == b"\xd9":
            return at + 2
        if marker in _BARE:
            at += 1 if marker == b"\xff" else 2
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == b"\xda":
            scans += 1
            found = _ENTROPY_END.search(data, at)
            at = found.start() if found else len(data)
        if scans > _MOST_SCANS:
            raise MalformedMediaError(
                f"The JPEG has more than {_MOST_SCANS} scans, each of which costs a pass over the picture.",
                "Save it anew.",
            )
    raise _cut_short("JPEG")


def _gif_end(data: bytes) -> int:
    """GIF89a §17–27: screen, then images and extensions, until the trailer."""
    at = 13 + _colour_table(data[10:11])
    while at < len(data):
        block = data[at]
        if block == 0x3B:
            return at + 1
        if block == 0x21:
            at = _past_sub_blocks(data, at + 2)
        elif block == 0x2C:
            at = _past_sub_blocks(data, at + 11 + _colour_table(data[at + 9 : at + 10]))
        else:
            # Stray bytes between blocks: readers skip them.
            at += 1
    raise _cut_short("GIF")


def _colour_table(flags: bytes) -> int:
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0


def _past_sub_blocks(data: bytes, at: int) -> int:
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return at + 1


def _riff_end(data: bytes) -> int:
    """RIFF: one chunk that says its size; long AVI files (OpenDML) are several."""
    at = 0
    while data[at : at + 4] == b"RIFF":
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if size == 0 or size >= _STREAMED:
            return len(data)
        at += 8 + size
        # The byte that pads an odd size may be missing.
        if at > len(data) + 1:
            raise _cut_short("RIFF")
        at += size % 2
    return at or len(data)


def _mp4_end(data: bytes) -> int:
    """ISO base media (ISO/IEC 14496-12 §4.2): boxes that say their size, one after the other."""
    at = 0
    while data[at + 4 : at + 8] in _BOXES:
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 0:
            return len(data)
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size < 8:
            break
        at += size
    if at > len(data):
        raise _cut_short("MP4")
    return at


def _matroska_end(data: bytes) -> int:
    """EBML (RFC 8794 §5–6): elements that say their size; a live stream's is unknown."""
    at = 0
    while data.startswith(_ELEMENTS, at):
        at += _vint_length(data, at)
        length = _vint_length(data, at)
        size = int.from_bytes(data[at : at + length], "big") & ((1 << 7 * length) - 1)
        if length > 8 or size == (1 << 7 * length) - 1:
            return len(data)
        at += length + size
        if at > len(data):
            raise _cut_short("Matroska")
    return at


def _vint_length(data: bytes, at: int) -> int:
    """Bytes of the variable-size integer there, one more than its leading zero bits; 9 for none."""
    return 9 - data[at].bit_length() if at < len(data) else 9


def _ogg_end(data: bytes) -> int:
    """Ogg (RFC 3533 §6): pages that list the lengths of their segments, of streams each with its own number.

    Where a number comes again, players differ in what they make of it.
    """
    at, begun = 0, set()
    while data[at : at + 4] == b"OggS":
        number = data[at + 14 : at + 18]
        if data[at + 5 : at + 6] in _OGG_BEGIN:
            if number in begun:
                raise MalformedMediaError(
                    "The Ogg file holds two streams under one number.", "Put them together with an editor."
                )
            begun.add(number)
        segments = data[at + 27 : at + 27 + data[at + 26]] if at + 27 <= len(data) else b""
        at += 27 + len(segments) + sum(segments)
        if (not segments and at >= len(data)) or at > len(data):
            raise _cut_short("Ogg")
    return at


def _pdf_end(data: bytes) -> int:
    """PDF (ISO 32000-2 §7.5.5): a mark closes it, and readers look for that in the last 1024 bytes."""
    if data.rfind(b"%%EOF", max(0, len(data) - 1024)) < 0:
        raise _cut_short("PDF")
    return len(data)


def _cut_short(name: str) -> MalformedMediaError:
    return MalformedMediaError(f"The {name} file is cut short.", "Send the whole file.")


_ENDS: dict[str, Callable[[bytes], int]] = {
    "image/png": _png_end,
    "image/jpeg": _jpeg_end,
    "image/gif": _gif_end,
    "image/webp": _riff_end,
    "audio/wav": _riff_end,
    "video/x-msvideo": _riff_end,
    "application/pdf": _pdf_end,
    "image/avif": _mp4_end,
    "image/heic": _mp4_end,
    "audio/mp4": _mp4_end,
    "video/mp4": _mp4_end,
    "video/quicktime": _mp4_end,
    "audio/webm": _matroska_end,
    "video/webm": _matroska_end,
    "video/x-matroska": _matroska_end,
    "audio/ogg": _ogg_end,
}
