"""Ogg pages (RFC 3533), as far as it takes to give a file other comments."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from guard.errors import MalformedMediaError, UnsupportedMediaError

__all__ = ["ogg_comments", "with_ogg_comments"]

_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_HEADERS = {b"OpusHead": 2, b"\x01vorbis": 3}
"""How many packets come before the sound (RFC 7845 §3, Vorbis I §4.2)."""
_FRAMING = {b"OpusTags": b"", b"\x03vorbis": b"\x01"}
"""What begins the second packet, and the framing bit that ends it."""
_FULL = 255
"""Segments on a page at most, and bytes in a segment that does not end its packet."""


class _Page(NamedTuple):
    begin: int
    content: int
    end: int
    segments: bytes


def ogg_comments(data: bytes) -> bytes:
    """The list of comments (count, then length and text of each; Vorbis I §5.2.1) of the first stream.

    Raises `MalformedMediaError` where there is none, and `UnsupportedMediaError` for other codecs than Opus
    and Vorbis.
    """
    packets, _ = _headers(data)
    return _split(packets[1])[2]


def with_ogg_comments(data: bytes, comments: bytes) -> bytes:
    """The file with another list of comments; its encoder's name stays. Raises as `ogg_comments`."""
    packets, end = _headers(data)
    magic, vendor, _ = _split(packets[1])
    packets[1] = magic + vendor + comments + _FRAMING[magic]
    serial = data[14:18]
    # The first packet has a page of its own, the others share theirs and fill the last one.
    head = [*_paged(packets[:1], serial, 0), *_paged(packets[1:], serial, 1)]
    return b"".join([*head, *_renumbered(data, end, len(head), serial)])


def _headers(data: bytes) -> tuple[list[bytes], int]:
    """The packets before the sound, and where their last page ends."""
    packets, end, wanted = [bytearray()], 0, 0
    for page in _pages(data, 0):
        at, end = page.content, page.end
        for length in page.segments:
            packets[-1] += data[at : at + length]
            at += length
            if length < _FULL:
                packets.append(bytearray())
        wanted = next((n for head, n in _HEADERS.items() if packets[0].startswith(head)), 0)
        if len(packets) > wanted:
            break
    # The sound begins on a page of its own, so what is left there is a packet still empty.
    if not wanted:
        raise UnsupportedMediaError(
            "Guard writes Ogg with Opus or Vorbis in it, and this file holds something else.",
            "Convert it to one of these, or to FLAC.",
        )
    if len(packets) != wanted + 1 or packets.pop():
        raise MalformedMediaError("The headers of the Ogg file are damaged.", "Send an intact file.")
    return [bytes(packet) for packet in packets], end


def _pages(data: bytes, at: int) -> Iterator[_Page]:
    while data[at : at + 4] == b"OggS" and at + 27 <= len(data):
        content = at + 27 + data[at + 26]
        segments = data[at + 27 : content]
        end = content + sum(segments)
        yield _Page(at, content, end, segments)
        at = end


def _split(packet: bytes) -> tuple[bytes, bytes, bytes]:
    """A comment packet: its name, the encoder's name, and the list of comments."""
    magic = next((magic for magic in _FRAMING if packet.startswith(magic)), b"")
    begin = len(magic) + 4 + int.from_bytes(packet[len(magic) : len(magic) + 4], "little")
    at = begin + 4
    for _ in range(int.from_bytes(packet[begin:at], "little")):
        at += 4 + int.from_bytes(packet[at : at + 4], "little")
        if at > len(packet):
            break
    if not magic or at > len(packet):
        raise MalformedMediaError("The comments of the Ogg file are damaged.", "Send an intact file.")
    return magic, packet[len(magic) : begin], packet[begin:at]


def _paged(packets: list[bytes], serial: bytes, number: int) -> Iterator[bytes]:
    """The packets on pages of their own, the first with this number, as many segments on each as fit."""
    body, lacing = b"".join(packets), b""
    for packet in packets:
        lacing += bytes([_FULL]) * (len(packet) // _FULL) + bytes([len(packet) % _FULL])
    at = 0
    for begin in range(0, len(lacing), _FULL):
        segments = lacing[begin : begin + _FULL]
        size = sum(segments)
        continued = begin > 0 and lacing[begin - 1] == _FULL
        flags = (1 if continued else 0) | (2 if number == 0 else 0)
        # A page on which no packet ends has no position.
        position = bytes(8) if min(segments) < _FULL else b"\xff" * 8
        head = b"OggS\0" + bytes([flags]) + position + serial + struct.pack("<L", number) + bytes(4)
        yield _checked(head + bytes([len(segments)]) + segments + body[at : at + size])
        at, number = at + size, number + 1


def _renumbered(data: bytes, at: int, number: int, serial: bytes) -> Iterator[bytes]:
    for page in _pages(data, at):
        copy = data[page.begin : page.end]
        if copy[14:18] == serial:
            copy = _checked(copy[:18] + struct.pack("<L", number) + copy[22:])
            number += 1
        yield copy


def _checked(page: bytes) -> bytes:
    """The page with its checksum: zlib's polynomial, but with bits the other way round and from zero."""
    zeroed = page[:22] + bytes(4) + page[26:]
    mirrored = zlib.crc32(zeroed.translate(_MIRROR), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return page[:22] + int(f"{mirrored:032b}"[::-1], 2).to_bytes(4, "little") + page[26:]
