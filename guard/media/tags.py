"""Tags and cover art of sound files, carried over as the bytes they are.

A credential (C2PA) is no tag: it signs the old bytes, and stays behind.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator

from guard.media.ogg import ogg_comments, with_ogg_comments

__all__ = ["with_tags"]

_C2PA = re.compile(rb"application/(?:x-)?c2pa")
_FLAC_KEPT = frozenset({2, 4, 5, 6})
"""FLAC's metadata about the piece (RFC 9639 §8): application, Vorbis comments, cue sheet, picture."""
_ID3V1, _APE_FOOTER = 128, 32


def with_tags(data: bytes, mime: str, source: bytes) -> bytes:
    """The sound file `data` with the tags of `source`, a file of the same type, in place of its own.

    Raises `UnsupportedMediaError` where the source keeps them in a way that is not known here.
    """
    carry = _CARRIERS.get(mime)
    return carry(data, source) if carry else data


def _mpeg(data: bytes, source: bytes) -> bytes:
    return _id3(source) + data[_id3_end(data) :] + _behind(source)


def _adts(data: bytes, source: bytes) -> bytes:
    return _id3(source) + data


def _id3(source: bytes) -> bytes:
    """The ID3v2 tags (id3.org, 2.2 to 2.4) in front of the sound, without a manifest's frame."""
    kept, at = [], 0
    while (end := _id3_end(source, at)) > at:
        tag = source[at:end]
        kept.append(_without_manifest(tag) if _C2PA.search(tag) else tag)
        at = end
    return b"".join(kept)


def _id3_end(data: bytes, at: int = 0) -> int:
    """Where the tag ends that begins there: there, where none does."""
    if data[at : at + 3] != b"ID3" or len(data) < at + 10:
        return at
    return at + 10 + _syncsafe(data[at + 6 : at + 10]) + (10 if data[at + 5] & 0x10 else 0)


def _syncsafe(field: bytes) -> int:
    return sum((byte & 0x7F) << 7 * (3 - place) for place, byte in enumerate(field))


def _without_manifest(tag: bytes) -> bytes:
    """The tag without its GEOB frames that hold a manifest; nothing if no other frame is left."""
    kept = b"".join(frame for frame in _frames(tag) if not (frame[:3] == b"GEO" and _C2PA.search(frame)))
    if not kept:
        return b""
    size = bytes(len(kept) >> 7 * place & 0x7F for place in (3, 2, 1, 0))
    # Neither extended header nor footer are rebuilt.
    return tag[:5] + bytes([tag[5] & 0xA0]) + size + kept


def _frames(tag: bytes) -> Iterator[bytes]:
    """The frames of a tag, with their headers: 6 bytes in version 2.2, later 10."""
    head, at = (6 if tag[3] == 2 else 10), 10
    if tag[5] & 0x40 and tag[3] > 2:
        at += _syncsafe(tag[10:14]) if tag[3] == 4 else 4 + int.from_bytes(tag[10:14], "big")
    while tag[at : at + 1] not in (b"", b"\0"):
        field = tag[at + 3 : at + 6] if head == 6 else tag[at + 4 : at + 8]
        end = at + head + (_syncsafe(field) if tag[3] == 4 else int.from_bytes(field, "big"))
        if end > len(tag):
            return
        yield tag[at:end]
        at = end


def _behind(source: bytes) -> bytes:
    """APEv2 and ID3v1 at a file's end."""
    end = len(source)
    begin = end - _ID3V1 if source[-_ID3V1:-125] == b"TAG" else end
    footer = source[max(0, begin - _APE_FOOTER) : begin]
    if footer[:8] == b"APETAGEX":
        header = _APE_FOOTER if footer[23] & 0x80 else 0
        begin -= min(begin, int.from_bytes(footer[12:16], "little") + header)
    return source[begin:]


def _flac(data: bytes, source: bytes) -> bytes:
    kept = [block for block in _flac_blocks(source) if block[0] & 0x7F in _FLAC_KEPT]
    info, begin = next(_flac_blocks(data)), _flac_end(data)
    blocks = [info, *kept]
    headed = [bytes([block[0] & 0x7F | (0x80 if block is blocks[-1] else 0)]) + block[1:] for block in blocks]
    return b"".join([_id3(source), b"fLaC", *headed, data[begin:]])


def _flac_blocks(data: bytes) -> Iterator[bytes]:
    at = _flac_begin(data)
    while at + 4 <= len(data):
        end = at + 4 + int.from_bytes(data[at + 1 : at + 4], "big")
        yield data[at:end]
        if data[at] & 0x80:
            return
        at = end


def _flac_begin(data: bytes) -> int:
    at = 0
    while (end := _id3_end(data, at)) > at:
        at = end
    return at + 4


def _flac_end(data: bytes) -> int:
    return _flac_begin(data) + sum(map(len, _flac_blocks(data)))


def _mp4(data: bytes, source: bytes) -> bytes:
    """`udta` and `meta` of the movie (ISO/IEC 14496-12 §8.10–8.11), where iTunes and others keep tags.

    FFmpeg writes the movie's box last, so that no offset of the sound moves.
    """
    begin, end = next(((a, b) for name, a, b in _boxes(data, 0, len(data)) if name == b"moov"), (0, 0))
    kept = [data[a:b] for name, a, b in _boxes(data, begin + 8, end) if name not in (b"udta", b"meta")]
    for name, first, last in _boxes(source, 0, len(source)):
        if name == b"moov":
            tags = _boxes(source, first + 8, last)
            kept += [_without_gapless(source[a:b]) for kind, a, b in tags if kind in (b"udta", b"meta")]
    moov = b"".join(kept)
    return data[:begin] + struct.pack(">L", len(moov) + 8) + b"moov" + moov + data[end:]


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, begin and end of the boxes from `at` on."""
    while at + 8 <= end:
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        size = size or end - at
        if size < 8 or at + size > end:
            return
        yield name, at, at + size
        at += size


def _without_gapless(box: bytes) -> bytes:
    """iTunes' note on the old encoder's padding, made into free space of the same size."""
    note = box.find(b"iTunSMPB")
    item = box.rfind(b"----", 0, note) if note >= 0 else -1
    return box if item < 0 else box[:item] + b"free" + box[item + 4 :]


def _ogg(data: bytes, source: bytes) -> bytes:
    return with_ogg_comments(data, ogg_comments(source))


_CARRIERS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "audio/aac": _adts,
    "audio/flac": _flac,
    "audio/mp4": _mp4,
    "audio/mpeg": _mpeg,
    "audio/ogg": _ogg,
}
