"""A transcript in events, each sent once what it says is cleared and on record."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Mapping
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import event, evidence, forwarded
from guard.api.bodies import while_connected
from guard.api.door import Door, door_of, upstreams_fault
from guard.api.relaying import to_its_record
from guard.api.sound.transcripts import forget
from guard.api.words.generating import EventResponse
from guard.errors import UpstreamError
from guard.pipeline import Origin
from guard.streaming.answer import TextStream
from models.upstream import Body, Event, Upstream

__all__ = ["streamed"]

_TEXTS = {"transcript.text.delta": "delta", "transcript.text.segment": "text"}
"""The events that bring text, and the field that holds it."""
_DONE = "transcript.text.done"


async def streamed(request: Request, upstream: Upstream, path: str, body: Body, origin: Origin) -> Response:
    """The transcript while it is being written: what is blocked at once is a plain 400, and later an error
    in the last event."""
    door = door_of(request)
    relay = _Relay(door, origin)
    parts = to_its_record(door, relay.parts(upstream, path, body), relay.answer.cut)
    first = await while_connected(request, anext(parts))
    return EventResponse(request, first, parts, relay.headers)


class _Piece(NamedTuple):
    """An event that brings the code points of `stream` from `start` to `end`."""

    data: dict[str, Any]
    field: str
    stream: TextStream
    start: int
    end: int


class _Relay:
    """One streamed transcript on its way. Deltas are one text, and the segments of a dialogue another, which
    says the same again: what is cut out of one is cut out of the other, since both are screened."""

    def __init__(self, door: Door, origin: Origin) -> None:
        self.headers: Mapping[str, str] = {}
        self.answer = door.guard.stream(origin)
        self._door = door
        self._waiting: deque[_Piece] = deque()
        self._heard: list[str] = []

    async def parts(self, upstream: Upstream, path: str, body: Body) -> AsyncGenerator[bytes]:
        """What may leave, as soon as it may."""
        async with upstream.stream(path, body) as coming:
            self.headers = forwarded(coming.headers)
            async for each in coming:
                kind = str(each.data.get("type", each.type))
                if kind == _DONE:
                    yield await self._door.record(self._ended, each.data)
                    return
                if kind in _TEXTS:
                    self._take(each, kind)
                    if self.answer.due:
                        await self._door.record(self.answer.settle)
                    if ready := self._ready():
                        yield ready
        raise UpstreamError("The upstream's stream ended before the transcript was complete.")

    def _take(self, each: Event, kind: str) -> None:
        field = _TEXTS[kind]
        text = each.data.get(field)
        if not isinstance(text, str):
            raise UpstreamError(f"The upstream's event has no text in '{field}'.")
        stream = self.answer.text(field, json=field == "text")
        with upstreams_fault():
            if field == "delta":
                self._heard.append(text)
            elif stream.size:
                stream.take(" ")  # segments come without spaces around them
            stream.take(text)
        end = stream.size
        self._waiting.append(_Piece({**each.data, "type": kind}, field, stream, end - len(text), end))

    def _ready(self) -> bytes:
        """The events that may leave by now, in order."""
        ready = b""
        while self._waiting and self._waiting[0].end <= self._waiting[0].stream.cleared:
            ready += self._event(self._waiting.popleft())
        return ready

    def _event(self, piece: _Piece) -> bytes:
        shown = piece.stream.shown(piece.start, piece.end)
        if shown != piece.data[piece.field]:
            piece.data[piece.field] = shown
            forget(piece.data)
        return event(piece.data)

    def _ended(self, data: dict[str, Any]) -> bytes:
        """The events that still waited, and the last, which says all of it again."""
        whole = data.get("text")
        if not isinstance(whole, str):
            raise UpstreamError("The upstream's last event has no text.")
        with upstreams_fault():
            told = self._told(whole)
            releases = self.answer.finish()
        ready = self._ready()
        if tail := told.tail:
            ready += event({"type": "transcript.text.delta", "delta": tail})
        shown = told.shown(0, told.size) + tail
        if shown != whole:
            forget(data)
        last = {**data, "text": shown, "type": _DONE}
        return ready + event({**last, "guard": {"releases": [evidence(release) for release in releases]}})

    def _told(self, whole: str) -> TextStream:
        """The text that the last event says: what the deltas said, with what they left out, or another."""
        deltas, heard = self.answer.text("delta"), "".join(self._heard)
        if not whole.startswith(heard):
            deltas = self.answer.text("text as a whole")
            heard = ""
        deltas.take(whole[len(heard) :])
        return deltas
