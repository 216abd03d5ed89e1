"""One request to the upstream and its bounded answer: no redirect followed, no generation run twice."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import quote

import httpx2

from guard.errors import ConfigurationError, InputError, UpstreamError
from models.upstream.failure import failure, wrong_type
from models.upstream.hops import via
from models.upstream.messages import Body, Form, RawStream

__all__ = ["Channel", "origin"]

_ATTEMPTS = 3
_LONGEST_WAIT = 30.0
_ERROR_BYTES = 64 << 10
_IN_A_SEGMENT = ":@!$&'()*+,;=~"


class Channel:
    """Sends requests under `base` with `key`, and any answer's bytes back, at most `max_bytes` of them."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        max_bytes: int,
        timeout: httpx2.Timeout,
        connections: httpx2.Limits,
        transport: httpx2.AsyncBaseTransport | None,
    ) -> None:
        self.base = _checked_base(base_url)
        self.key = _checked_key(key)
        self.name = f"guard-{secrets.token_hex(8)}"
        self._max_bytes = max_bytes
        self._client = httpx2.AsyncClient(
            # The transport's own retries cover exactly the connections that were never made.
            transport=transport or httpx2.AsyncHTTPTransport(limits=connections, retries=_ATTEMPTS - 1),
            timeout=timeout,
            # Callers share this client: a cookie set for one must not travel with another.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    async def close(self) -> None:
        await self._client.aclose()

    def url(self, path: str, query: Sequence[tuple[str, str]] = ()) -> httpx2.URL:
        """The URL of `path` under the base, whose segments may hold whatever a caller sent as an id.

        Raises `InputError` for segments that would lead elsewhere.
        """
        segments = path.split("/")
        if any(segment in ("", ".", "..") for segment in segments):
            raise InputError("An id in the request's path is empty, or dots alone.", "Send the id itself.")
        try:
            whole = "/".join(quote(segment, safe=_IN_A_SEGMENT) for segment in segments)
            url = self.base.copy_with(path=self.base.path + whole)
            return url.copy_merge_params(list(query)) if query else url
        except (UnicodeEncodeError, httpx2.InvalidURL) as error:
            raise InputError(
                "An id in the request's path or query is no text.", "Send the id itself."
            ) from error

    @asynccontextmanager
    async def answer(
        self, method: str, url: httpx2.URL, accept: str, body: Body | None = None
    ) -> AsyncIterator[RawStream]:
        """The bytes of a successful answer of media type `accept` (`*/*`: any), as they come.

        Raises `UpstreamError` for every failure, also while the bytes are read, and `InputError` for a body
        that JSON or a form cannot hold.
        """
        request = self._request(method, url, accept, body)
        try:
            async with aclosing(await self._send(request)) as response:
                headers = self._headers(response)
                await self._check(response, headers, accept)
                async with aclosing(self._bounded(response)) as chunks:
                    yield RawStream(_kind(response), headers, chunks, response.status_code)
        except httpx2.HTTPError as error:
            raise _unreached(error, url) from error

    def _request(self, method: str, url: httpx2.URL, accept: str, body: Body | None) -> httpx2.Request:
        headers = {"accept": accept}
        if origin(url) == origin(self.base):
            headers["via"] = via(self.name)
            headers |= {"authorization": f"Bearer {self.key}"} if self.key else {}
        content: dict[str, Any] = {"files": _parts(body)} if isinstance(body, Form) else {"json": body}
        try:
            return self._client.build_request(method, url, headers=headers, **content)
        except (ValueError, TypeError, RecursionError) as error:
            raise InputError(f"The request's body cannot be written as JSON or a form: {error}.") from error

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        for _ in range(_ATTEMPTS - 1):
            response = await self._client.send(request, stream=True)
            wait = _wait(response) if request.method == "GET" else None
            if wait is None:
                return response
            await response.aclose()
            await asyncio.sleep(wait)
        return await self._client.send(request, stream=True)

    def _headers(self, response: httpx2.Response) -> dict[str, str]:
        """The answer's headers, but for those that repeat the key."""
        items = response.headers.items()
        return {name.lower(): value for name, value in items if not self.key or self.key not in value}

    async def _check(self, response: httpx2.Response, headers: Mapping[str, str], accept: str) -> None:
        if not response.is_success:
            refusal = failure(response.status_code, await _start(response), secret=self.key)
            refusal.retry_after = _asked_wait(response)
            refusal.headers = headers
            raise refusal
        if not _fits(_kind(response), accept):
            raise wrong_type(_kind(response), accept, await _start(response), secret=self.key)

    async def _bounded(self, response: httpx2.Response) -> AsyncGenerator[bytes]:
        size = 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > self._max_bytes:
                raise UpstreamError(
                    f"The upstream's answer is larger than {self._max_bytes} bytes.",
                    "Ask for less, or raise the limit on upstream answers.",
                )
            yield chunk


def origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port (None for the scheme's own), RFC 6454."""
    return url.scheme, url.host, url.port


def _checked_base(text: str) -> httpx2.URL:
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL as error:
        raise ConfigurationError(f"The upstream's base URL is not a URL: {error}.") from error
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query or url.fragment:
        raise ConfigurationError(
            "The upstream's base URL must be plain http or https, without user, query or fragment.",
            "Give one such as https://api.example.com/v1, and the key apart from it.",
        )
    return url.copy_with(path=f"{url.path.rstrip('/')}/")


def _checked_key(key: str) -> str:
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError(
            "The upstream's API key has characters that no key has.",
            "Look for spaces, line ends or quotes that were pasted along with it.",
        )
    return key


def _wait(response: httpx2.Response) -> float | None:
    """Seconds that the server asks to wait; None where waiting is of no use."""
    seconds = _asked_wait(response)
    return seconds if seconds is not None and seconds <= _LONGEST_WAIT else None


def _asked_wait(response: httpx2.Response) -> float | None:
    """The seconds in `Retry-After` (RFC 9110, section 10.2.3) of a 429 or 503."""
    after = response.headers.get("retry-after", "")
    if response.status_code not in (429, 503) or not after:
        return None
    if after.isdecimal():
        return float(after)
    try:
        seconds = (parsedate_to_datetime(after) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):  # no date, or one without a zone
        return None
    return max(seconds, 0.0)


async def _start(response: httpx2.Response) -> bytes:
    start = b""
    async for chunk in response.aiter_bytes():
        start += chunk
        if len(start) >= _ERROR_BYTES:
            break
    return start[:_ERROR_BYTES]


def _kind(response: httpx2.Response) -> str:
    return response.headers.get("content-type", "").partition(";")[0].strip().lower()


def _fits(kind: str, accept: str) -> bool:
    if accept.endswith("/*"):
        # Object stores hand out files as plain bytes; what they are is looked at later.
        return accept == "*/*" or kind.startswith(accept[:-1]) or kind == "application/octet-stream"
    return kind == accept or (accept == "application/json" and kind.endswith("+json"))


def _parts(form: Form) -> list[tuple[str, Any]]:
    """The form as httpx takes it. Texts go as nameless files: that keeps their order, and makes the body
    multipart where there is no file at all."""
    texts: list[tuple[str, Any]] = [(name, (None, text)) for name, text in form.fields]
    return texts + [(file.field, (file.name, file.data, file.media_type)) for file in form.files]


def _unreached(error: httpx2.HTTPError, url: httpx2.URL) -> UpstreamError:
    place = f"{url.scheme}://{url.netloc.decode()}"
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return UpstreamError(
            f"No connection to the upstream at {place}.", "Check that it runs and its base URL."
        )
    if isinstance(error, httpx2.PoolTimeout):
        return UpstreamError("All connections to the upstream are busy.", "Try again later.")
    if isinstance(error, httpx2.TimeoutException):
        return UpstreamError(
            f"The upstream at {place} did not answer in time.", "Try again, or raise the timeout."
        )
    return UpstreamError(f"The connection to the upstream at {place} broke: {error}.", "Try again.")
