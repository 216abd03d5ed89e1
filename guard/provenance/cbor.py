"""Reads CBOR (RFC 8949), as far as signatures use it."""

from __future__ import annotations

from typing import Any

__all__ = ["decode"]

_DEEPEST = 32
_SIMPLE = {20: False, 21: True, 22: None, 23: None}


def decode(data: bytes) -> Any:
    """The first item in `data`; tags are passed over, floats come as the number that their bits make.

    Raises `ValueError` for what is no CBOR, is cut short, nests too deeply, or has items of unknown length.
    """
    item, _ = _item(data, 0, 0)
    return item


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    if depth > _DEEPEST:
        raise ValueError("too deep")
    major, argument, at = _head(data, at)
    match major:
        case 0:
            return argument, at
        case 1:
            return -1 - argument, at
        case 2 | 3:
            raw = _exactly(data, at, argument)
            return (raw if major == 2 else raw.decode()), at + argument
        case 4:
            return _list(data, at, argument, depth)
        case 5:
            flat, at = _list(data, at, 2 * argument, depth)
            return _mapping(flat), at
        case 6:
            return _item(data, at, depth + 1)
        case _:
            return _SIMPLE.get(argument, argument), at


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Major type, argument, and where the item goes on."""
    first = _exactly(data, at, 1)[0]
    major, short = first >> 5, first & 0x1F
    at += 1
    if short < 24:
        return major, short, at
    if short > 27:
        raise ValueError("an item of unknown length")
    digits = 1 << (short - 24)
    return major, int.from_bytes(_exactly(data, at, digits), "big"), at + digits


def _list(data: bytes, at: int, count: int, depth: int) -> tuple[list[Any], int]:
    if count > len(data) - at:  # each item takes a byte at least
        raise ValueError("cut short")
    items = []
    for _ in range(count):
        item, at = _item(data, at, depth + 1)
        items.append(item)
    return items, at


def _mapping(flat: list[Any]) -> dict[Any, Any]:
    try:
        return dict(zip(flat[::2], flat[1::2], strict=True))
    except TypeError as error:
        raise ValueError("a key that is no number or text") from error


def _exactly(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise ValueError("cut short")
    return data[at : at + size]
