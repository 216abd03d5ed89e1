"""Speech that leaves while the upstream still makes it: as bytes, or in events."""

from __future__ import annotations

import base64
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from guard.api.answers import forwarded
from guard.api.bodies import while_connected
from guard.api.door import Door, door_of, upstreams_fault
from guard.api.errors import problem_of
from guard.api.relaying import to_its_record
from guard.api.sound.sounds import delta, done, headers_of
from guard.api.sound.speech_wish import SpeechWish
from guard.api.words.generating import EventResponse
from guard.errors import GuardError, UpstreamError
from guard.pipeline import Origin, Release
from guard.streaming.sound import SoundRelease
from models.upstream import Event, Upstream

__all__ = ["streamed"]

logger = logging.getLogger(__name__)

_PATH = "audio/speech"


async def streamed(request: Request, upstream: Upstream, wish: SpeechWish, origin: Origin) -> Response:
    """The answer as it is being made; whole where nothing of it could leave before it was all there.

    What goes wrong before the first bytes leave has a status of its own. Later, events end with one that
    tells of it, and bytes break off: the connection is closed before the end of the body.
    """
    door = door_of(request)
    relay = _Relay(door, upstream, wish, origin)
    parts = to_its_record(door, relay.parts(), relay.sound.cut)
    first = await while_connected(request, anext(parts))
    whole = relay.release
    if whole is None:
        named = headers_of(relay.sound.id, beside=relay.sound.signed)
    else:
        named = headers_of(whole.id, beside=whole.sidecar is not None)
    headers = {**relay.headers, **named}
    if wish.events:
        return EventResponse(request, first, parts, headers)
    if whole is not None:
        await parts.aclose()
        return Response(first, media_type=whole.artifact.mime, headers=headers)
    return _SoundResponse(request, first, parts, relay.sound.mime, headers)


class _SoundResponse(StreamingResponse):
    """Sound as it comes. One that breaks off stays unfinished: callers have nothing else to tell it by."""

    def __init__(
        self,
        request: Request,
        first: bytes,
        rest: AsyncGenerator[bytes],
        mime: str,
        headers: Mapping[str, str],
    ) -> None:
        self._request = request
        self._rest = rest
        super().__init__(_joined(first, rest), media_type=mime, headers=headers)

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._rest):
            try:
                await super().stream_response(send)
            except GuardError as error:
                asked, code = self._request.state.request_id, problem_of(error).code
                logger.info("%s %s: %s", asked, type(error).__name__, code)


class _Relay:
    """One sound on its way; `release` is set once all of it is on record."""

    def __init__(self, door: Door, upstream: Upstream, wish: SpeechWish, origin: Origin) -> None:
        self.sound = SoundRelease(door.guard, origin, door.limits, claimed=wish.claimed)
        self.headers: Mapping[str, str] = {}
        self.release: Release | None = None
        self._door = door
        self._upstream = upstream
        self._wish = wish
        self._end: Mapping[str, Any] = {}

    async def parts(self) -> AsyncGenerator[bytes]:
        """What may leave, as soon as it may."""
        async with aclosing(self._events() if self._wish.events else self._bytes()) as coming:
            async for data in coming:
                if sound := await self._door.work(self._feed, data):
                    yield delta(sound) if self._wish.events else sound
        sound, release = await self._door.work(self._finish)
        self.release = release
        yield self._ended(sound, release) if self._wish.events else sound

    def _feed(self, data: bytes) -> bytes:
        with upstreams_fault():
            return self.sound.feed(data)

    def _finish(self) -> tuple[bytes, Release]:
        with upstreams_fault():
            return self.sound.finish()

    def _ended(self, sound: bytes, release: Release) -> bytes:
        return (delta(sound) if sound else b"") + done(release, self._end)

    async def _bytes(self) -> AsyncGenerator[bytes]:
        async with self._upstream.raw_stream(_PATH, self._wish.body, accept="audio/*") as coming:
            self.headers = forwarded(coming.headers)
            async for data in coming:
                yield data

    async def _events(self) -> AsyncGenerator[bytes]:
        async with self._upstream.stream(_PATH, self._wish.body, asking=False) as coming:
            self.headers = forwarded(coming.headers)
            async for each in coming:
                if each.data.get("type", each.type) == "speech.audio.done":
                    self._end = each.data
                    return
                if "audio" in each.data:
                    yield _sound_in(each)
        raise UpstreamError("The upstream's stream ended before the speech was complete.")


def _sound_in(each: Event) -> bytes:
    try:
        return base64.b64decode(each.data["audio"], validate=True)
    except (ValueError, TypeError) as error:
        raise UpstreamError(f"The upstream's sound is no base64: {error}.") from error


async def _joined(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    yield first
    async for part in rest:
        yield part
