"""The padding of a signature: bytes that nobody signed, which make a manifest store as long as it has to be.

Signing reserves room for more than it needs and fills the rest with zeros under `pad` in the unprotected
header (C2PA 2.4 §10.4), so they may be taken out again or added to without touching what was signed.
"""

from __future__ import annotations

from guard.provenance.jumbf import Box, boxes, children, label

__all__ = ["Padded"]

_SIGNATURE = b"c2pa.signature"
_PAD = b"\x63pad"
_PAD2 = b"\x64pad2"
_HEADER = 8


class Padded:
    """A manifest store whose active manifest's signature is padded. Raises `ValueError` for any other."""

    def __init__(self, store: bytes) -> None:
        try:
            self._store, self._path = store, _path_to_signature(store)
            self._map = _past_string(store, self._path[-1].start + _HEADER + 2)
            self._pad = store.index(_PAD, self._map, self._path[-1].end)
        except (IndexError, StopIteration, ValueError) as error:
            raise ValueError("this is no manifest store whose signature has padding") from error

    def with_padding(self, first: int, second: int | None = None) -> bytes:
        """The store with `first` zeros of padding, and with `second` more under a name of their own.

        Two, because one alone cannot make up every length: the number of its own digits changes too.
        """
        store, end = self._store, _past_string(self._store, self._pad + len(_PAD))
        header, pads = store[self._map], _PAD + _zeros(first)
        if second is not None:
            header, pads = header + 1, pads + _PAD2 + _zeros(second)
        inner = bytes([header]) + store[self._map + 1 : self._pad] + pads
        grown = len(inner) - (end - self._map)
        new = bytearray(store[: self._map] + inner + store[end:])
        for box in self._path:
            new[box.start : box.start + 4] = (box.end - box.start + grown).to_bytes(4, "big")
        return bytes(new)


def _path_to_signature(store: bytes) -> tuple[Box, ...]:
    """The boxes around the active manifest's signature, the outermost first."""
    top = next(boxes(store, 0, len(store)))
    manifest = [box for box in children(store, top) if box.kind == b"jumb"][-1]
    signature = next(box for box in children(store, manifest) if label(store, box) == _SIGNATURE)
    content = [box for box in children(store, signature) if box.kind == b"cbor"][-1]
    return top, manifest, signature, content


def _past_string(data: bytes, at: int) -> int:
    """Where the CBOR byte string there ends."""
    short = data[at] & 0x1F
    if data[at] >> 5 != 2 or short > 25:
        raise ValueError("no byte string of up to 65,535 bytes")
    if short < 24:
        return at + 1 + short
    digits = short - 23
    return at + 1 + digits + int.from_bytes(data[at + 1 : at + 1 + digits], "big")


def _zeros(count: int) -> bytes:
    if count < 24:
        return bytes([0x40 | count]) + bytes(count)
    if count < 256:
        return bytes([0x58, count]) + bytes(count)
    return b"\x59" + count.to_bytes(2, "big") + bytes(count)
