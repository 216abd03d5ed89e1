"""WAV files by hand: chunks in, chunks out, samples of every depth, and lengths unknown while they stream.

Microsoft's RIFF and WAVEFORMATEXTENSIBLE, and EBU Tech 3306 (RF64) for reading files beyond 4 GiB.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guard.errors import UnsupportedMediaError

__all__ = ["Depth", "chunks", "packed", "wav_channel_mask", "wav_head", "write_wav"]

_UNKNOWN = 0xFFFF_FFFF
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_STALE = frozenset({b"fmt ", b"data", b"fact", b"PEAK", b"levl", b"ds64", b"C2PA", b"JUNK", b"PAD ", b"FLLR"})
"""Chunks that describe the old samples, sign them, or only fill space."""
_MASKS = {1: 0x4, 2: 0x3, 3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}
"""Speakers of the usual layouts, mono to 7.1, in the order in which FFmpeg gives their channels."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How one sample is stored: `bits` of an integer, or of a floating-point number."""

    bits: int
    floating: bool = False


def packed(samples: NDArray[np.float32], depth: Depth) -> bytes:
    """Float samples (n, channels) as little-endian ones of `depth`, interleaved.

    Integers are rounded and held at full scale, floating-point numbers are stored as they are, above full
    scale too. What came from integers of up to 24 bits comes back as the same integers.
    """
    if depth.floating:
        return samples.astype(f"<f{depth.bits // 8}").tobytes()
    top = 1 << depth.bits - 1
    # Beyond 24 bits float32 has no room for top - 1.
    scaled = samples * np.float32(top) if depth.bits <= 24 else samples.astype(np.float64) * top
    whole = np.clip(np.rint(scaled), -top, top - 1).astype(np.int32)
    if depth.bits == 8:
        return (whole + 128).astype(np.uint8).tobytes()
    if depth.bits == 24:
        return np.ascontiguousarray(whole.astype("<i4")).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    return whole.astype(f"<i{depth.bits // 8}").tobytes()


def wav_head(
    rate: int,
    channels: int,
    depth: Depth,
    size: int | None,
    *,
    mask: int = 0,
    others: bytes = b"",
    after: int = 0,
) -> bytes:
    """Everything before the samples: `size` bytes of them, or as many as will come where it is None.

    `others` are whole chunks that go in front of the samples; `after` counts the bytes that will follow them.
    """
    fmt = _fmt(rate, channels, depth, mask)
    body = b"WAVE" + _chunk(b"fmt ", fmt)
    if depth.floating and size is not None:
        body += _chunk(b"fact", struct.pack("<L", size // (channels * depth.bits // 8)))
    body += others
    total = _UNKNOWN if size is None else len(body) + 8 + size + size % 2 + after
    length = _UNKNOWN if size is None else size
    if size is not None and total >= _UNKNOWN:
        raise UnsupportedMediaError("The sound is too long for a WAV file, which ends at 4 GiB.", "Use FLAC.")
    return b"RIFF" + struct.pack("<L", total) + body + b"data" + struct.pack("<L", length)


def write_wav(samples: bytes, rate: int, channels: int, depth: Depth, like: bytes | None) -> bytes:
    """The file of these packed samples, with the chunks of the file `like` that are not about its samples."""
    kept: tuple[bytes, bytes] = _kept(like) if like else (b"", b"")
    mask = wav_channel_mask(like) if like else 0
    head = wav_head(rate, channels, depth, len(samples), mask=mask, others=kept[0], after=len(kept[1]))
    return b"".join([head, samples, bytes(len(samples) % 2), kept[1]])


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, begin and end of each chunk's content, as far as the file goes."""
    at, long_size = 12, 0
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8
        if name == b"ds64":
            long_size = int.from_bytes(data[at + 8 : at + 16], "little")
        if name == b"data" and size == _UNKNOWN:
            size = long_size or len(data) - at
        yield name, at, min(at + size, len(data))
        at += size + size % 2


def wav_channel_mask(data: bytes) -> int:
    """The speakers that the channels of a WAV file belong to, as bits; 0 where it does not say."""
    for name, begin, end in chunks(data):
        if name == b"fmt " and end - begin >= 40 and data[begin : begin + 2] == b"\xfe\xff":
            return int.from_bytes(data[begin + 20 : begin + 24], "little")
    return 0


def _kept(data: bytes) -> tuple[bytes, bytes]:
    """The chunks to carry over, those before the samples and those after them."""
    sides: tuple[list[bytes], list[bytes]] = ([], [])
    behind = False
    for name, begin, end in chunks(data):
        behind = behind or name == b"data"
        if name not in _STALE:
            sides[behind].append(_chunk(name, data[begin:end]))
    return b"".join(sides[0]), b"".join(sides[1])


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<L", len(content)) + content + bytes(len(content) % 2)


def _fmt(rate: int, channels: int, depth: Depth, mask: int) -> bytes:
    tag = _FLOAT if depth.floating else _PCM
    frame = channels * depth.bits // 8
    extensible = channels > 2 or mask not in (0, _MASKS.get(channels))
    head = _EXTENSIBLE if extensible else tag
    fields: list[Any] = [head, channels, rate, rate * frame, frame, depth.bits]
    plain = struct.pack("<HHLLHH", *fields)
    if extensible:
        speakers = mask or _MASKS.get(channels, 0)
        return plain + struct.pack("<HHL", 22, depth.bits, speakers) + struct.pack("<H", tag) + _GUID_TAIL
    return plain + (b"\0\0" if depth.floating else b"")
