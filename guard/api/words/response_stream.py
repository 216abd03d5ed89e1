"""A response as events, each sent once what it says is cleared and on record."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import forwarded
from guard.api.bodies import while_connected
from guard.api.door import Door, door_of
from guard.api.errors import problem_of
from guard.api.relaying import to_its_record
from guard.api.words.generating import EventResponse
from guard.api.words.response_events import Ready, ResponseEvents
from guard.errors import GuardError, UpstreamError
from guard.pipeline import Origin
from models.upstream import Upstream

__all__ = ["streamed"]

logger = logging.getLogger(__name__)


async def streamed(request: Request, upstream: Upstream, body: Mapping[str, Any], origin: Origin) -> Response:
    """The answer to a request for a stream.

    Events that only announce what is coming wait for the first that says something, so that what is blocked
    at once is a plain 400. Later than that, an `error` event ends the stream.
    """
    relay = _Relay(door_of(request), upstream, origin, request.state.request_id)
    parts = relay.parts(body)
    first = await while_connected(request, anext(parts))
    return EventResponse(request, first, parts, relay.headers)


class _Relay:
    """One streamed response on its way; `headers`, known with the first part, go on from the upstream."""

    def __init__(self, door: Door, upstream: Upstream, origin: Origin, request_id: str) -> None:
        self.headers: Mapping[str, str] = {}
        self._door = door
        self._upstream = upstream
        self._events = ResponseEvents(door, origin)
        self._request_id = request_id
        self._begun = False

    async def parts(self, body: Mapping[str, Any]) -> AsyncGenerator[bytes]:
        """What may leave, as soon as it may. However this ends, what had left is on record.

        Raises what happens before the first part; later it is told in the last one.
        """
        whole = to_its_record(self._door, self._relayed(body), self._events.cut)
        try:
            async with aclosing(whole):
                async for part in whole:
                    self._begun = True
                    yield part
        except GuardError as error:
            if not self._begun:
                raise
            logger.info("%s %s: %s", self._request_id, type(error).__name__, problem_of(error).code)
            yield self._events.failure(problem_of(error))

    async def _relayed(self, body: Mapping[str, Any]) -> AsyncGenerator[bytes]:
        opening: list[Ready] = []
        async with self._upstream.stream("responses", body) as stream:
            self.headers = forwarded(stream.headers)
            async for each in stream:
                ready = [*opening, *await self._events.take(each.data)]
                opening = [] if self._begun or not all(part.opens for part in ready) else ready
                if ready and not opening:
                    yield b"".join(part.data for part in ready)
                if self._events.ended:
                    return
        raise UpstreamError("The upstream's stream ended before the response was complete.")
