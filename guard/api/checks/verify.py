"""`/v1/verify`: what a file is."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import Json
from guard.api.bodies import Upload, read_upload
from guard.api.door import Door, door_of
from guard.media import Artifact
from guard.media.formats import PCM, canonical_mime

__all__ = ["router"]

router = APIRouter()


@router.post("/v1/verify")
async def verify(request: Request) -> Response:
    """The verdict on one file: a form's field `file`, or the body itself. Of the types it may claim to be
    `audio/pcm` alone counts."""
    door = door_of(request)
    upload = await read_upload(request, door.limits.max_bytes)
    return await door.work(_verdict, door, upload)


def _verdict(door: Door, upload: Upload) -> Response:
    # Bytes tell what they are, but for samples without a header.
    claimed = PCM if canonical_mime(upload.media_type) == PCM else None
    artifact = Artifact.from_bytes(upload.data, limits=door.limits, claimed=claimed)
    return Json(door.app.verifier().verify(artifact, name=upload.name).as_json())
