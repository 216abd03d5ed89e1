"""`/v1/videos`: jobs go to the upstream; what they made is released when it is fetched."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import RELEASE_ID, Json, forwarded, receipt_header
from guard.api.asked import open_asked, upstream_of
from guard.api.bodies import while_connected
from guard.api.door import Door, door_of, upstreams_fault
from guard.api.errors import ApiError
from guard.api.visual.pictures import harmless
from guard.api.visual.shelf import Kept, Shelf, Source
from guard.errors import UpstreamError
from guard.media import Artifact, Modality
from guard.pipeline import Origin
from models.upstream import Answer, RawAnswer, Upstream

__all__ = ["router"]

_VARIANTS = ("video", "thumbnail", "spritesheet")

router = APIRouter()


@router.post("/v1/videos")
@router.post("/v1/videos/edits")
@router.post("/v1/videos/extensions")
@router.post("/v1/videos/{video}/remix")
async def create(request: Request) -> Response:
    """A new job, once its prompt was screened. What it makes is released when it is fetched."""
    door, upstream = door_of(request), upstream_of(request)
    async with open_asked(request, door.limits.max_bytes) as asked:
        asked.require_prompt()
        await door.work(door.admit, asked.origin(upstream, request.state.caller, "videos"))
        return _told(await while_connected(request, upstream.post(_path(request), asked.body)))


@router.get("/v1/videos")
async def jobs(request: Request) -> Response:
    """The upstream's jobs, a page of them."""
    query = request.query_params.multi_items()
    answer = await while_connected(request, upstream_of(request).get("videos", query))
    listed = answer.body.get("data")
    if not isinstance(listed, list) or not all(isinstance(job, dict) for job in listed):
        raise UpstreamError("The upstream's answer has no list of videos.")
    fields = harmless({name: value for name, value in answer.body.items() if name != "data"})
    return Json({**fields, "data": [harmless(job) for job in listed]}, headers=forwarded(answer.headers))


@router.get("/v1/videos/{video}")
async def job(request: Request) -> Response:
    """How far a job is; `openai-poll-after-ms` says when to ask again."""
    return _told(await while_connected(request, upstream_of(request).get(_path(request))))


@router.delete("/v1/videos/{video}")
async def delete(request: Request, video: str) -> Response:
    """Deletes a job and its files upstream, and what Guard keeps of them."""
    door, upstream = door_of(request), upstream_of(request)
    answer = await upstream.delete(_path(request))
    await door.work(_shelf(request).forget, _source(door, upstream, video))
    return _told(answer)


@router.get("/v1/videos/{video}/content")
async def content(request: Request, video: str) -> Response:
    """The finished video, its thumbnail or its sprite sheet, released. Asked for again, it is the same."""
    door, upstream = door_of(request), upstream_of(request)
    variant = request.query_params.get("variant", "video")
    if variant not in _VARIANTS:
        raise ApiError(400, f"'variant' must be one of {', '.join(_VARIANTS)}.", param="variant")
    shelf, source = _shelf(request), _source(door, upstream, video)
    async with shelf.turn(source, variant):
        kept = await door.work(shelf.find, source, variant, door.limits)
        if kept is None:
            fetched = await while_connected(request, _fetch(upstream, video, variant))
            origin = _origin(upstream, fetched[0], request.state.caller)
            kept = await door.work(_release, door, fetched[1], origin)
            await door.work(shelf.keep, source, variant, kept.artifact)
    receipt = await door.record(door.app.ledger.receipt, kept.release_id)
    headers = {RELEASE_ID: kept.release_id} | (receipt_header(receipt) if receipt else {})
    return Response(kept.artifact.data, media_type=kept.artifact.mime, headers=headers)


async def _fetch(upstream: Upstream, video: str, variant: str) -> tuple[Answer, RawAnswer]:
    """The job, which names model and prompt, and the file."""
    told = await upstream.get(f"videos/{video}")
    query = [("variant", variant)] if variant != _VARIANTS[0] else []
    return told, await upstream.raw("GET", f"videos/{video}/content", query=query)


def _origin(upstream: Upstream, told: Answer, caller: str | None) -> Origin:
    model, prompt = told.body.get("model"), told.body.get("prompt")
    return Origin(
        model=model if isinstance(model, str) and model else "unspecified",
        provider=upstream.origin,
        prompt=prompt if isinstance(prompt, str) and prompt else None,
        caller=caller,
        route="videos",
    )


def _release(door: Door, raw: RawAnswer, origin: Origin) -> Kept:
    with upstreams_fault():
        artifact = Artifact.from_bytes(raw.data, limits=door.limits)
    if artifact.modality not in (Modality.VIDEO, Modality.IMAGE):
        raise UpstreamError(f"The upstream's video is {artifact.mime}.")
    (release,) = door.release([artifact], origin)
    return Kept(release.id, release.artifact)


def _told(answer: Answer) -> Response:
    """The job as the upstream tells it, without links to its files: behind them lies what nobody released."""
    return Json(harmless(answer.body), headers=forwarded(answer.headers))


def _shelf(request: Request) -> Shelf:
    return cast(Shelf, request.app.state.shelf)


def _source(door: Door, upstream: Upstream, video: str) -> Source:
    return upstream.origin, door.guard.policy.sha256, video


def _path(request: Request) -> str:
    """The request's path under the upstream's base, its ids as the caller wrote them."""
    return cast(str, request.scope["path"]).removeprefix("/v1/")
