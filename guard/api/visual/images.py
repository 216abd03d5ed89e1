"""`/v1/images/…`: pictures that leave marked, signed and recorded, whole or as events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import Json, event, forwarded
from guard.api.asked import Asked, open_asked, upstream_of
from guard.api.bodies import read_json, while_connected
from guard.api.door import Door, door_of
from guard.api.visual.drawn import draw, drawer
from guard.api.visual.given import given
from guard.api.visual.pictures import release_pictures
from guard.pipeline import Origin
from models.base import Generator
from models.upstream import Answer, Event, Upstream

__all__ = ["router"]

router = APIRouter()


@router.post("/v1/images/generations")
async def generations(request: Request) -> Response:
    """`n` pictures as base64, each with its evidence under `guard`; with `stream`, an event for each."""
    door, body = door_of(request), await read_json(request)
    asked = Asked(body, body)
    asked.require_prompt()
    asked.check()
    generator = drawer(door, body.get("model"))
    if generator is not None:
        return await door.work(_drawn, door, generator, asked, request.state.caller)
    return await _proxied(request, "images/generations", asked)


@router.post("/v1/images/edits")
async def edits(request: Request) -> Response:
    """Pictures made from others, by the upstream."""
    async with open_asked(request, door_of(request).limits.max_bytes) as asked:
        asked.require_prompt()
        return await _proxied(request, "images/edits", asked, edited=True)


@router.post("/v1/images/variations")
async def variations(request: Request) -> Response:
    """Pictures like another, by the upstream. There is no prompt: the picture is the wish."""
    async with open_asked(request, door_of(request).limits.max_bytes) as asked:
        return await _proxied(request, "images/variations", asked)


async def _proxied(request: Request, path: str, asked: Asked, *, edited: bool = False) -> Response:
    """`edited`: the first picture of the request is the one that was changed, not a hint among others."""
    door = door_of(request)
    asked.check()
    upstream = upstream_of(request)
    if asked.fields.get("partial_images"):
        # Nobody would see them, and some upstreams charge for each.
        asked = asked.with_field("partial_images", 0)
    inputs = await door.work(given, asked, door.limits, edited)
    origin = replace(asked.origin(upstream, request.state.caller, "images"), inputs=inputs)
    await door.work(door.admit, origin)
    answer = await while_connected(request, _ask(upstream, path, asked))
    return await door.work(_released, door, answer, origin, asked.stream)


async def _ask(upstream: Upstream, path: str, asked: Asked) -> Answer:
    """The upstream's images object; of a stream one made of its events, without the unfinished pictures."""
    if not asked.stream:
        answer = await upstream.post(path, asked.body)
        return replace(answer, body=await upstream.filled(answer.body))
    async with upstream.stream(path, asked.body) as events:
        finished = [{"type": each.type, **each.data} async for each in events if _is_finished(each)]
        return Answer(await upstream.filled({"data": finished}), events.headers)


def _is_finished(each: Event) -> bool:
    kind = str(each.data.get("type", each.type))
    partial = "partial_image_index" in each.data or kind.endswith("partial_image")
    return not partial and not each.data.keys().isdisjoint({"b64_json", "url"})


def _released(door: Door, answer: Answer, origin: Origin, stream: bool) -> Response:
    return _shown(release_pictures(door, answer.body, origin), stream, forwarded(answer.headers))


def _drawn(door: Door, generator: Generator, asked: Asked, caller: str | None) -> Response:
    return _shown(draw(door, generator, asked, caller), asked.stream, {})


def _shown(body: dict[str, Any], stream: bool, headers: Mapping[str, str]) -> Response:
    """The images object as it is, or one event for each of its items."""
    if not stream:
        return Json(body, headers=headers)
    events = [event({"created_at": body["created"], **item}) for item in body["data"]]
    return Response(
        b"".join(events), media_type="text/event-stream", headers={**headers, "cache-control": "no-cache"}
    )
