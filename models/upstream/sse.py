"""Server-sent events out of raw bytes (WHATWG HTML, section 9.2.6), however the network cut them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator
from typing import NamedTuple

__all__ = ["Event", "events"]

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One event: its type (`message` unless the server named one) and its data lines joined by newlines."""

    type: str
    data: str


async def _lines(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Lines cut while they are still bytes, so a chunk that ends inside a UTF-8 character does no harm."""
    partial: list[bytes] = []
    after_cr = False
    async for chunk in chunks:
        # A CR ends its line at once; the LF of a CRLF may open the next chunk, where it ends nothing.
        piece = chunk.removeprefix(b"\n") if after_cr else chunk
        after_cr = chunk.endswith(b"\r") if chunk else after_cr
        first, *others = _LINE_END.split(piece)
        partial.append(first)
        for line in others:
            yield b"".join(partial)
            partial = [line]
    yield b"".join(partial)


async def events(chunks: AsyncIterable[bytes]) -> AsyncIterator[Event]:
    """The events in `chunks`, each as soon as it is whole. Comments, ids and retry times are dropped.

    An event that the end of the stream cut before its blank line is passed on too: servers forget that line,
    and a reader of JSON sees by itself whether the data is whole. Raises `UnicodeDecodeError` where the bytes
    are not UTF-8.
    """
    kind, data = "", list[bytes]()
    at_start = True
    async for raw in _lines(chunks):
        line, at_start = raw.removeprefix(_BOM) if at_start else raw, False
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value.removeprefix(b" "))
        elif name == b"event":
            kind = value.removeprefix(b" ").decode()
        elif not line:
            if data:
                yield Event(kind or "message", b"\n".join(data).decode())
            kind, data = "", []
    if data:
        yield Event(kind or "message", b"\n".join(data).decode())
