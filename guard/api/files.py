"""`/v1/files`: the upstream's files. What its models wrote into one is released before it leaves."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import forwarded, named, relayed
from guard.api.asked import open_asked, upstream_of
from guard.api.bodies import is_form, while_connected
from guard.api.door import Door, door_of, upstreams_fault
from guard.api.errors import ApiError
from guard.api.jsontree import deeper_than, leaves
from guard.errors import UpstreamError
from guard.media import Artifact, Modality
from guard.pipeline import Origin
from models.upstream import RawAnswer

__all__ = ["router"]

_UPLOADED = frozenset({"assistants", "batch", "evals", "fine-tune", "user_data", "vision"})
"""Purposes of files that people sent in; a file with any other was made by a model."""

_LEVELS = 64
_MEDIA = 512
"""Characters of one word from which on it is taken for a picture or sound in base64."""

router = APIRouter()


@router.post("/v1/files")
async def upload(request: Request) -> Response:
    """Hands a file to the upstream."""
    door, upstream = door_of(request), upstream_of(request)
    if not is_form(request):
        raise ApiError(415, "Send the file as multipart/form-data.", code="unsupported_content_type")
    async with open_asked(request, door.limits.max_bytes) as asked:
        answer = await while_connected(request, upstream.post("files", asked.body))
    return relayed(answer)


@router.get("/v1/files")
async def listed(request: Request) -> Response:
    """The upstream's files, a page of them."""
    query = request.query_params.multi_items()
    answer = await while_connected(request, upstream_of(request).get("files", query))
    return relayed(answer)


@router.get("/v1/files/{file}")
async def told(request: Request, file: str) -> Response:
    """What the upstream says of one file."""
    answer = await while_connected(request, upstream_of(request).get(f"files/{file}"))
    return relayed(answer)


@router.delete("/v1/files/{file}")
async def delete(request: Request, file: str) -> Response:
    """Deletes a file upstream."""
    answer = await upstream_of(request).delete(f"files/{file}")
    return relayed(answer)


@router.get("/v1/files/{file}/content")
async def content(request: Request, file: str) -> Response:
    """A file's bytes: an uploaded one as it is, one that a model made released."""
    door, upstream = door_of(request), upstream_of(request)
    about = (await while_connected(request, upstream.get(f"files/{file}"))).body
    raw = await while_connected(request, upstream.raw("GET", f"files/{file}/content"))
    if about.get("purpose") in _UPLOADED:
        # Bytes alone: nobody's browser shall run what somebody once sent in.
        return Response(raw.data, media_type="application/octet-stream", headers=forwarded(raw.headers))
    origin = Origin("unspecified", provider=upstream.origin, caller=request.state.caller, route="files")
    return await door.work(_release, door, raw, origin)


def _release(door: Door, raw: RawAnswer, origin: Origin) -> Response:
    with upstreams_fault():
        artifact = Artifact.from_bytes(raw.data, limits=door.limits)
        if artifact.modality is Modality.TEXT:
            artifact, origin = _plain(artifact), replace(origin, route="chat")
    (release,) = door.release([artifact], origin)
    made = release.artifact
    headers = forwarded(raw.headers) | named(release)
    return Response(made.data, media_type=made.mime, headers=headers)


def _plain(artifact: Artifact) -> Artifact:
    """The text; JSON, whole or in lines, without escapes such as `\\u00e4`, which hide words from rules.

    Programs read such files, and a label or a manifest of invisible characters would break them: so JSON is
    named as what it is, and no text here is signed.
    """
    values = _json_in(artifact.text)
    if not values:
        return artifact
    if deeper_than(values, _LEVELS):
        raise UpstreamError(f"The upstream's file is JSON nested more than {_LEVELS} deep.")
    if any(_is_media(word) for leaf in leaves(values, skip=()) for word in leaf.text.split()):
        raise UpstreamError("The upstream's file holds media inside JSON, which Guard does not let through.")
    text = "".join(f"{json.dumps(value, ensure_ascii=False)}\n" for value in values)
    return replace(Artifact.from_text(text, limits=artifact.limits), mime="application/json")


def _json_in(text: str) -> list[Any]:
    """The JSON objects and arrays that the text is; none where it is anything else."""
    for parts in ([text], [line for line in text.split("\n") if line.strip()]):
        try:
            values = [json.loads(part) for part in parts]
        except (ValueError, RecursionError):
            continue
        if all(isinstance(value, dict | list) for value in values):
            return values
    return []


def _is_media(word: str) -> bool:
    return len(word) >= _MEDIA or word.startswith("data:")
