"""Answers of text from a model, whole or streamed: screened, released, and on record."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from guard.api.answers import Json, dump, forwarded
from guard.api.asked import upstream_of
from guard.api.bodies import user_in, while_connected
from guard.api.door import Door, door_of
from guard.api.errors import ApiError, problem_of
from guard.api.relaying import to_its_record
from guard.api.words.chunks import Chunks
from guard.api.words.hosted import Hosted, hosted
from guard.api.words.texts import prompt_of, release_texts
from guard.errors import GuardError, UpstreamError
from guard.pipeline import Origin
from models.upstream import Answer, Upstream

__all__ = ["CREDENTIALS", "ROUTE", "EventResponse", "generate"]

logger = logging.getLogger(__name__)

ROUTE = "chat"
"""The route of all text that travels inside a JSON answer, whatever its URL."""

CREDENTIALS = "x-guard-credentials"
"""The header by which a caller asks for a credential in the text of an answer."""

_JSON_FORMATS = ("json_object", "json_schema")


class EventResponse(StreamingResponse):
    """Server-sent events; what makes them is closed however the answer ends.

    `first` has been made already, so that whatever went wrong before it could be answered with a status of
    its own. What goes wrong later is told in a last event, since the answer has begun.
    """

    media_type = "text/event-stream"

    def __init__(
        self, request: Request, first: bytes, rest: AsyncGenerator[bytes], headers: Mapping[str, str]
    ) -> None:
        self._events = _to_the_end(request, first, rest)
        super().__init__(self._events, headers={**headers, "cache-control": "no-cache"})

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._events):
            await super().stream_response(send)


async def generate(request: Request, body: Mapping[str, Any], path: str) -> Response:
    """What a hosted model or the upstream answers to `body` at `path`, with every text in it released.

    Nothing of a streamed answer leaves before all texts in it are cleared up to there and on record: a block
    before the first event is a plain 400, and one after it the stream's last event.
    """
    _check(body)
    door = door_of(request)
    source = hosted(door, path, body) or upstream_of(request)
    asked = Origin(
        model=body["model"],
        model_version=source.version if isinstance(source, Hosted) else "",
        provider=source.origin,
        prompt=prompt_of(body),
        caller=request.state.caller,
        route=ROUTE,
        user=user_in(body),
        words=source.words if isinstance(source, Hosted) else None,
    )
    signing = _signing(request, body)
    await door.admitted(asked)
    if not body.get("stream"):
        answer = await while_connected(request, source.post(path, body))
        return await door.record(_release, door, answer, asked, signing)
    relay = _Relay(door, source, path, body, asked, signing)
    events = to_its_record(door, relay.events(), relay.cut)
    first = await while_connected(request, anext(events))
    return EventResponse(request, first, events, relay.headers)


def _check(body: Mapping[str, Any]) -> None:
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise ApiError(400, "'model' must name a model.", param="model")
    if not isinstance(body.get("stream"), bool | None):
        raise ApiError(400, "'stream' must be true or false.", param="stream")


def _signing(request: Request, body: Mapping[str, Any]) -> bool:
    """Whether the caller wants a credential in what is said. It is left out where each token of that is to be
    accounted for, or a program reads it. Raises `ApiError` for other kinds of credentials."""
    wanted = request.headers.get(CREDENTIALS)
    if wanted not in (None, "text"):
        raise ApiError(400, f"The header {CREDENTIALS} can be 'text'.", param=CREDENTIALS)
    return wanted == "text" and body.get("logprobs") in (None, False) and not _structured(body)


def _structured(body: Mapping[str, Any]) -> bool:
    wanted = body.get("response_format")
    return isinstance(wanted, dict) and wanted.get("type") in _JSON_FORMATS


def _release(door: Door, answer: Answer, asked: Origin, signing: bool) -> Response:
    if not answer.body.get("choices"):
        raise UpstreamError("The upstream's answer has no choices.")
    releases = release_texts(door, answer.body, _answered(asked, answer.body), signing=signing)
    return Json({**answer.body, "guard": {"releases": releases}}, headers=forwarded(answer.headers))


def _answered(asked: Origin, answer: Mapping[str, Any]) -> Origin:
    """The origin of the answer: an upstream says which version of the model it asked."""
    version = answer.get("model")
    if asked.model_version or not isinstance(version, str):
        return asked
    return replace(asked, model_version=version)


class _Relay:
    """One streamed answer on its way; `headers` are the upstream's that go on, known with the first event."""

    def __init__(
        self,
        door: Door,
        source: Upstream | Hosted,
        path: str,
        body: Mapping[str, Any],
        asked: Origin,
        signing: bool,
    ) -> None:
        self.headers: Mapping[str, str] = {}
        self._door = door
        self._source = source
        self._path = path
        self._body = body
        self._asked = asked
        self._signing = signing
        self._chunks: Chunks | None = None

    async def events(self) -> AsyncGenerator[bytes]:
        """What may leave, as soon as it may."""
        async with self._source.stream(self._path, self._body) as stream:
            self.headers = forwarded(stream.headers)
            async for event in stream:
                if ready := await self._through(event.data):
                    yield ready
        yield await self._rest()

    def cut(self, reason: str) -> None:
        """Put on record what had left, unless the end is there already."""
        if self._chunks is not None:
            self._chunks.answer.cut(reason)

    async def _through(self, chunk: dict[str, Any]) -> bytes:
        if self._chunks is None:
            self._chunks = self._open(chunk)
        self._chunks.take(chunk)
        if self._chunks.answer.due:
            await self._door.record(self._chunks.answer.settle)
        return self._chunks.ready()

    def _open(self, chunk: Mapping[str, Any]) -> Chunks:
        return Chunks(
            self._door.guard.stream(_answered(self._asked, chunk)),
            structured=_structured(self._body),
            many=self._body.get("n") not in (None, 1),
            signing=self._signing,
        )

    async def _rest(self) -> bytes:
        if self._chunks is None:
            raise UpstreamError("The upstream's stream ended before it began.")
        return await self._door.record(self._chunks.finish)


async def _to_the_end(request: Request, first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(rest):
        try:
            yield first
            async for events in rest:
                yield events
        except GuardError as error:
            logger.info("%s %s: %s", request.state.request_id, type(error).__name__, problem_of(error).code)
            yield b"data: %s\n\n" % dump({"error": problem_of(error).as_json()})
