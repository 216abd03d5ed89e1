"""Pictures that an upstream names by URL, brought in without going where an answer might lure Guard."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import httpx2

from guard.errors import UpstreamError
from models.upstream.channel import origin

__all__ = ["fill_in"]


async def fill_in(
    answer: dict[str, Any],
    base: httpx2.URL,
    hosts: Collection[str],
    fetch: Callable[[httpx2.URL], Awaitable[bytes]],
) -> dict[str, Any]:
    """An images object whose items all have `b64_json` and none a `url`; everything else stays as it is.

    Raises `UpstreamError` for an item with neither, and for a URL outside `base`'s origin and `hosts`.
    """
    items = answer.get("data")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise UpstreamError("The upstream's answer has no list of pictures in 'data'.")
    return {**answer, "data": [await _fill_in(item, base, hosts, fetch) for item in items]}


async def _fill_in(
    item: dict[str, Any],
    base: httpx2.URL,
    hosts: Collection[str],
    fetch: Callable[[httpx2.URL], Awaitable[bytes]],
) -> dict[str, Any]:
    filled = {name: value for name, value in item.items() if name != "url"}
    if isinstance(filled.get("b64_json"), str):
        return filled
    if not isinstance(item.get("url"), str):
        raise UpstreamError("The upstream's answer has a picture without 'b64_json' or 'url'.")
    picture = await fetch(_allowed(item["url"], base, hosts))
    return {**filled, "b64_json": base64.b64encode(picture).decode()}


def _allowed(text: str, base: httpx2.URL, hosts: Collection[str]) -> httpx2.URL:
    try:
        url = base.join(text)
    except httpx2.InvalidURL as error:
        raise UpstreamError("The upstream's answer names a picture by a URL that is none.") from error
    if origin(url) == origin(base) and not url.userinfo:
        return url
    if origin(url) == ("https", url.host, None) and url.host in hosts and not url.userinfo:
        return url
    # The host alone: a signed URL's query is a credential.
    raise UpstreamError(
        f"The upstream names a picture at {url.scheme}://{url.host}, where Guard may not fetch it.",
        "Ask the upstream for b64_json, or allow that host for pictures.",
    )
