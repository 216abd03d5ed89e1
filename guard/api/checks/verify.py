"""`/v1/verify`: what a file is."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import Json
from guard.api.bodies import Upload, read_upload
from guard.api.door import Door, door_of
from guard.api.errors import ApiError
from guard.errors import CredentialError
from guard.media import Artifact
from guard.media.formats import PCM, canonical_mime

__all__ = ["router"]

router = APIRouter()


@router.post("/v1/verify")
async def verify(request: Request) -> Response:
    """The verdict on one file: a form's field `file`, or the body itself; with `?format=crjson`, C2PA's
    report on its credentials instead. Of the types it may claim to be `audio/pcm` alone counts."""
    door, wanted = door_of(request), request.query_params.get("format", "verdict")
    if wanted not in _ANSWERS:
        raise ApiError(400, f"The format is one of {', '.join(_ANSWERS)}.", param="format")
    upload = await read_upload(request, door.limits.max_bytes)
    return await door.work(_ANSWERS[wanted], door, upload)


def _verdict(door: Door, upload: Upload) -> Response:
    return Json(door.app.verifier().verify(_artifact(door, upload), name=upload.name).as_json())


def _crjson(door: Door, upload: Upload) -> Response:
    artifact = _artifact(door, upload)
    try:
        return Json(door.app.sandbox().crjson(artifact, trust=door.app.trust()))
    except CredentialError as error:  # the file's fault, and not the server's
        raise ApiError(400, error.message, code="unreadable_credential") from error


def _artifact(door: Door, upload: Upload) -> Artifact:
    # Bytes tell what they are, but for samples without a header.
    claimed = PCM if canonical_mime(upload.media_type) == PCM else None
    return Artifact.from_bytes(upload.data, limits=door.limits, claimed=claimed, even_flawed=True)


_ANSWERS = {"verdict": _verdict, "crjson": _crjson}
