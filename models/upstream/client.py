"""A client of OpenAI-compatible APIs: JSON, forms, bytes and events, whole or as they come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, Self

import httpx2
from pydantic import SecretStr

from guard.errors import UpstreamError
from models.upstream.channel import Channel
from models.upstream.failure import error_in
from models.upstream.links import fill_in
from models.upstream.messages import Answer, Body, Event, EventStream, Form, RawAnswer, RawStream
from models.upstream.sse import events

__all__ = ["CONNECTIONS", "TIMEOUT", "Upstream"]

# A generation may well take minutes before its first byte.
TIMEOUT = httpx2.Timeout(600.0, connect=5.0, pool=30.0)
CONNECTIONS = httpx2.Limits(max_connections=256, max_keepalive_connections=32, keepalive_expiry=5.0)
_WORTH_A_THREAD = 256 << 10
"""Bytes of JSON from which on others would notice the wait for its parsing."""

Query = Sequence[tuple[str, str]]


class Upstream:
    """The OpenAI-compatible API at `base_url`, which ends in its `/v1`. An async context manager.

    Paths are relative to that base, such as `chat/completions`. Fields that Guard does not know pass through
    untouched, both ways. A request that generates is sent again only where the connection was never made;
    reads also wait out a 429 or 503 with a `Retry-After` of at most 30 seconds. Redirects are not followed,
    cookies not kept, proxies of the environment not used. Every failure upstream is an `UpstreamError`, also
    where the answer has begun; bodies that cannot be sent and ids that are no path segments are an
    `InputError`; bad settings are a `ConfigurationError`.

    `max_bytes` bounds each answer. Pictures that an answer names by URL are fetched from the API's own
    origin, or by https from a host in `image_hosts`, and from nowhere else. `transport` stands in for the
    network. Tasks of one event loop may share it.
    """

    def __init__(
        self,
        base_url: str,
        api_key: SecretStr | None = None,
        *,
        timeout: httpx2.Timeout = TIMEOUT,
        connections: httpx2.Limits = CONNECTIONS,
        max_bytes: int = 256 << 20,
        image_hosts: Collection[str] = (),
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._image_hosts = frozenset(host.lower() for host in image_hosts)
        self._channel = Channel(
            base_url,
            api_key.get_secret_value() if api_key else "",
            max_bytes=max_bytes,
            timeout=timeout,
            connections=connections,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; the client is of no use afterwards."""
        await self._channel.close()

    @property
    def origin(self) -> str:
        """Scheme, host and port of the API, such as `https://api.example.com`."""
        base = self._channel.base
        return f"{base.scheme}://{base.netloc.decode()}"

    @property
    def name(self) -> str:
        """What this client calls itself in the `Via` header of its requests; no two are the same."""
        return self._channel.name

    async def get(self, path: str, query: Query = ()) -> Answer:
        """A JSON object, read."""
        return await self._json("GET", path, None, query)

    async def post(self, path: str, body: Body) -> Answer:
        """A JSON object for a JSON object or a form."""
        return await self._json("POST", path, body)

    async def delete(self, path: str) -> Answer:
        """The JSON object that says what was deleted."""
        return await self._json("DELETE", path)

    async def raw(
        self, method: str, path: str, body: Body | None = None, query: Query = (), *, accept: str = "*/*"
    ) -> RawAnswer:
        """Bytes of media type `accept`, whole: `audio/*` also takes `application/octet-stream`."""
        return await self._bytes(method, self._channel.url(path, query), accept, body)

    @asynccontextmanager
    async def raw_stream(
        self, path: str, body: Body | None = None, *, accept: str = "*/*"
    ) -> AsyncIterator[RawStream]:
        """`POST`: bytes as they come, the media type first. Leaving the block closes the request."""
        async with self._channel.answer("POST", self._channel.url(path), accept, body) as answer:
            yield answer

    @asynccontextmanager
    async def stream(self, path: str, body: Body, *, asking: bool = True) -> AsyncIterator[EventStream]:
        """`POST` with `stream: true`: events as they come. Leaving the block closes the request.

        With `asking` off the body goes as it is: it asks for a stream in words of its own.

        Iterating raises `UpstreamError` midway, too: for an error among the events, for data that is no JSON
        object, and for a connection that breaks.
        """
        url = self._channel.url(path)
        async with (
            self._channel.answer(
                "POST", url, "text/event-stream", _streamed(body) if asking else body
            ) as answer,
            aclosing(_events(answer, self._channel.key)) as objects,
        ):
            yield EventStream(answer.headers, objects)

    async def filled(self, images: dict[str, Any]) -> dict[str, Any]:
        """An images object whose items all have `b64_json`, fetched where they had a `url`, and no `url`.

        A URL never goes on to the caller: behind it lie bytes that nobody has screened.
        """
        return await fill_in(images, self._channel.base, self._image_hosts, self._picture)

    async def _picture(self, url: httpx2.URL) -> bytes:
        return (await self._bytes("GET", url, "image/*")).data

    async def _json(self, method: str, path: str, body: Body | None = None, query: Query = ()) -> Answer:
        raw = await self._bytes(method, self._channel.url(path, query), "application/json", body)
        if len(raw.data) < _WORTH_A_THREAD:
            value = _object(raw.data, self._channel.key)
        else:
            value = await asyncio.to_thread(_object, raw.data, self._channel.key)
        return Answer(value, raw.headers, raw.status)

    async def _bytes(self, method: str, url: httpx2.URL, accept: str, body: Body | None = None) -> RawAnswer:
        async with self._channel.answer(method, url, accept, body) as answer:
            data = b"".join([chunk async for chunk in answer])
            return RawAnswer(data, answer.media_type, answer.headers, answer.status)


def _streamed(body: Body) -> Body:
    if not isinstance(body, Form):
        return {**body, "stream": True}
    fields = [field for field in body.fields if field[0] != "stream"]
    return Form([*fields, ("stream", "true")], body.files)


async def _events(answer: RawStream, key: str) -> AsyncGenerator[Event]:
    try:
        async for event in events(answer.chunks):
            if event.data.startswith("[DONE]"):
                return
            value = _object(event.data, key)
            if event.type == "error":
                # Some servers mark the error by the event's type alone, with its fields bare.
                raise error_in({"error": value}, secret=key) or UpstreamError("The upstream broke off.")
            yield Event(event.type, value)
    except UnicodeDecodeError as error:
        raise UpstreamError("The upstream's stream is not UTF-8.") from error


def _object(text: str | bytes, key: str) -> dict[str, Any]:
    """The JSON object in `text`. Raises `UpstreamError` if there is none, or if it is an error."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UpstreamError("The upstream's answer is not JSON, or was cut off.") from error
    if not isinstance(value, dict):
        raise UpstreamError("The upstream's answer is JSON, but no object.")
    failed = error_in(value, secret=key)
    if failed is not None:
        raise failed
    return value
