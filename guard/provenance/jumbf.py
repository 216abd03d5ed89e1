"""The boxes of a manifest store (JUMBF, ISO 19566-5): where they are and what they are called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Box", "active_label", "active_manifest", "boxes", "children", "label"]

_HEADER = 8
_TYPE = 16


class Box(NamedTuple):
    """A box from `start` to `end`, header included; `kind` is its type, four bytes."""

    start: int
    end: int
    kind: bytes


def boxes(data: bytes, at: int, end: int) -> Iterator[Box]:
    """The boxes side by side there (ISO 19566-5 §4): size, type, content. Raises `ValueError` for others."""
    while at + _HEADER <= end:
        size = int.from_bytes(data[at : at + 4], "big")
        if not _HEADER <= size <= end - at:
            raise ValueError("a box has no proper size")
        yield Box(at, at + size, data[at + 4 : at + 8])
        at += size


def children(data: bytes, box: Box) -> list[Box]:
    """The boxes in a box."""
    return list(boxes(data, box.start + _HEADER, box.end))


def label(data: bytes, box: Box) -> bytes:
    """What the description box in front calls a box: behind its own header, a type of 16 bytes, a flag."""
    at = box.start + 2 * _HEADER + _TYPE + 1
    return data[at : data.find(b"\0", at, box.end)]


def active_label(store: bytes) -> str:
    """The URN of a store's active manifest, which is its last (C2PA 2.4 §11.1.4). Raises `ValueError` for
    what is no manifest store."""
    _, active = _active(store)
    name = label(store, active)
    if not name.isascii() or not name.decode("ascii").isprintable():
        raise ValueError("the manifest has no proper label")
    return name.decode("ascii")


def active_manifest(store: bytes) -> bytes:
    """A store of this one's active manifest alone. Raises `ValueError` as `active_label` does."""
    top, active = _active(store)
    described = children(store, top)[0]
    inner = store[described.start : described.end] + store[active.start : active.end]
    return (_HEADER + len(inner)).to_bytes(4, "big") + top.kind + inner


def _active(store: bytes) -> tuple[Box, Box]:
    top = next(boxes(store, 0, len(store)), None)
    if top is None or top.kind != b"jumb" or top.end != len(store) or label(store, top) != b"c2pa":
        raise ValueError("it is no manifest store")
    manifests = [box for box in children(store, top) if box.kind == b"jumb"]
    if not manifests:
        raise ValueError("the store holds no manifest")
    return top, manifests[-1]
