"""A client of OpenAI-compatible APIs: plain JSON objects in and out, chunks as they come."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import aclosing
from typing import Any, Self

import httpx2
from pydantic import SecretStr

from guard.errors import UpstreamError
from models.upstream.channel import Channel
from models.upstream.failure import error_in
from models.upstream.links import fill_in
from models.upstream.sse import events

__all__ = ["CONNECTIONS", "TIMEOUT", "Upstream"]

# A generation may well take minutes before its first byte.
TIMEOUT = httpx2.Timeout(600.0, connect=5.0, pool=30.0)
CONNECTIONS = httpx2.Limits(max_connections=256, max_keepalive_connections=32, keepalive_expiry=5.0)


class Upstream:
    """The OpenAI-compatible API at `base_url`, which ends in its `/v1`. An async context manager.

    Fields that Guard does not know pass through untouched, both ways. A request that generates is sent again
    only where the connection was never made; reads also wait out a 429 or 503 with a `Retry-After` of at most
    30 seconds. Redirects are not followed, cookies not kept, proxies of the environment not used. Every
    failure upstream is an `UpstreamError`; bad settings are a `ConfigurationError`.

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

    async def models(self) -> dict[str, Any]:
        """`GET /models`: the list object of the models served."""
        return await self._json("GET", "models")

    async def chat(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """`POST /chat/completions`: the whole completion object."""
        return await self._json("POST", "chat/completions", body)

    async def chat_stream(self, body: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        """`POST /chat/completions` with `stream: true`: its chunk objects as they come, without `[DONE]`.

        Raises `UpstreamError` midway, too: for an error object among the chunks, for chunks that are no JSON
        objects, and for a connection that breaks. To stop early close it (`contextlib.aclosing`).
        """
        url = self._channel.base.join("chat/completions")
        whole = {**body, "stream": True}
        async with (
            self._channel.answer("POST", url, "text/event-stream", whole) as chunks,
            aclosing(_objects(chunks, self._channel.key)) as objects,
        ):
            async for value in objects:
                yield value

    async def images(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """`POST /images/generations`: the images object, its items with `b64_json` and without `url`.

        A URL never goes on to the caller: behind it lie bytes that nobody has screened.
        """
        answer = await self._json("POST", "images/generations", body)
        return await fill_in(answer, self._channel.base, self._image_hosts, self._picture)

    async def _picture(self, url: httpx2.URL) -> bytes:
        async with self._channel.answer("GET", url, "image/*") as chunks:
            return b"".join([chunk async for chunk in chunks])

    async def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        url = self._channel.base.join(path)
        async with self._channel.answer(method, url, "application/json", body) as chunks:
            return _object(b"".join([chunk async for chunk in chunks]), self._channel.key)


async def _objects(chunks: AsyncIterator[bytes], key: str) -> AsyncGenerator[dict[str, Any]]:
    try:
        async for event in events(chunks):
            if event.data.startswith("[DONE]"):
                return
            value = _object(event.data, key)
            if event.type == "error":
                # Some servers mark the error by the event's type alone, with its fields bare.
                raise error_in({"error": value}, secret=key) or UpstreamError("The upstream broke off.")
            yield value
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
