"""What callers send, bounded while it is read, and whether they are still there."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, NoReturn, TypeVar

from anyio import to_thread
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from guard.api.errors import ApiError
from guard.api.jsontree import deeper_than
from guard.errors import LimitExceededError

__all__ = [
    "JSON_BYTES",
    "JSON_LEVELS",
    "JSON_VALUES",
    "Upload",
    "announced",
    "is_form",
    "open_form",
    "read_json",
    "read_upload",
    "user_in",
    "while_connected",
]

JSON_BYTES = 32 << 20
JSON_LEVELS = 64
JSON_VALUES = 1_000_000
"""Two bytes of JSON can become a hundred in memory, so the number of values is bounded too."""
_WORTH_A_THREAD = 64 << 10
"""Bytes of JSON from which on others would notice the wait for its parsing."""
_FORM_BYTES = 64 << 10
_FORM_FIELDS = 8
_LONGEST_NUMBER = 18

T = TypeVar("T")


class Upload(NamedTuple):
    """A file, and the name and type that its sender gave it."""

    name: str
    data: bytes
    media_type: str = ""


async def read_json(request: Request) -> dict[str, Any]:
    """The request's JSON object. Raises `ApiError` for anything else, `LimitExceededError` for too much.

    The content type must say JSON: web pages can post other types to a server on the reader's own machine
    without being asked for permission (Fetch standard, CORS-safelisted content types).
    """
    if _media_type(request) != "application/json":
        raise ApiError(415, "Send the body as application/json.", code="unsupported_content_type")
    raw = b"".join([chunk async for chunk in _chunks(request, JSON_BYTES)])
    return _parse(raw) if len(raw) < _WORTH_A_THREAD else await to_thread.run_sync(_parse, raw)


def is_form(request: Request) -> bool:
    """Whether the body calls itself `multipart/form-data`."""
    return _media_type(request) == "multipart/form-data"


@asynccontextmanager
async def open_form(
    request: Request, limit: int, *, files: int, fields: int, field_bytes: int
) -> AsyncIterator[FormData]:
    """A `multipart/form-data` body of at most `limit` bytes; its files lie on disk if they are large.

    Raises `ApiError` for a body that is no such form, `LimitExceededError` for one that is too long.
    """
    # With the boundary alone: a charset of the sender's choice would go to Python's codecs, some of which
    # are slow on purpose. Forms are UTF-8 (RFC 7578, section 5.1.2).
    _, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"").decode("latin-1")
    headers = Headers({"content-type": f'multipart/form-data; boundary="{boundary}"' if boundary else ""})
    chunks = _chunks(request, limit)
    parser = MultiPartParser(headers, chunks, max_files=files, max_fields=fields, max_part_size=field_bytes)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise ApiError(400, f"The form cannot be read: {error.message}", code="invalid_form") from error
    try:
        yield form
    finally:
        await form.close()


async def read_upload(request: Request, limit: int) -> Upload:
    """The file in a form's field `file`, or the body itself where that is no form; at most `limit` bytes."""
    if not is_form(request):
        data = b"".join([chunk async for chunk in _chunks(request, limit)])
        return Upload("", data, _media_type(request))
    within = limit + _FORM_BYTES
    async with open_form(request, within, files=1, fields=_FORM_FIELDS, field_bytes=_FORM_BYTES) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise ApiError(400, "The form has no file in its field 'file'.", param="file")
        return Upload(file.filename or "", await file.read(), file.content_type or "")


def user_in(body: Mapping[str, Any]) -> dict[str, str]:
    """The end user whom the caller names, as policies see them: under `id`, and nothing else is believed."""
    user = body.get("safety_identifier") or body.get("user")
    return {"id": user} if isinstance(user, str) else {}


async def while_connected(request: Request, call: Coroutine[Any, Any, T]) -> T:
    """What `call` returns. It is cancelled, and `ClientDisconnect` raised, once nobody waits for the answer.

    The request's body must have been read.
    """
    work, watch = asyncio.ensure_future(call), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((work, watch), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ClientDisconnect
        return work.result()
    finally:
        work.cancel()
        watch.cancel()
        await asyncio.gather(work, watch, return_exceptions=True)


def announced(headers: Headers) -> float:
    """How many bytes the body will have by its sender's word; infinitely many where that is not said."""
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not length.isdecimal() or len(length) > _LONGEST_NUMBER:
        return math.inf
    return int(length)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _chunks(request: Request, limit: int) -> AsyncGenerator[bytes]:
    size = 0
    if limit < announced(request.headers) < math.inf:
        raise _too_large(limit)
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        yield chunk


def _too_large(limit: int) -> LimitExceededError:
    return LimitExceededError(f"The request's body is larger than {limit:,} bytes.", "Send less.")


def _parse(raw: bytes) -> dict[str, Any]:
    if sum(raw.count(mark) for mark in (b",", b"[", b"{")) > JSON_VALUES:
        raise LimitExceededError(f"The body holds more than {JSON_VALUES:,} values.", "Send less.")
    try:
        value = json.loads(raw.decode(), parse_constant=_refuse_constant)
    except RecursionError:
        raise _not_json("it is nested too deep") from None
    except UnicodeDecodeError as error:
        raise _not_json(f"it is not UTF-8 at byte {error.start}") from None
    except ValueError as error:
        raise _not_json(str(error)) from None
    if not isinstance(value, dict):
        raise _not_json("it is no object")
    if deeper_than(value, JSON_LEVELS):
        raise _not_json(f"it is nested more than {JSON_LEVELS} deep")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _not_json(reason: str) -> ApiError:
    return ApiError(400, f"The body cannot be used as JSON: {reason}.", code="invalid_json")
