"""`DELETE /v1/releases`: requests to forget."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import Json
from guard.api.door import Door, door_of
from guard.api.errors import ApiError
from guard.ledger.retention import forget_caller, forget_release

__all__ = ["router"]

router = APIRouter()


@router.delete("/v1/releases/{release_id}")
async def forget_one(request: Request, release_id: str) -> Response:
    """Take the personal data out of one record; with `?content=true` manifest and fingerprints too."""
    door = door_of(request)
    return await door.record(_one, door, release_id, _content(request))


@router.delete("/v1/releases")
async def forget_all(request: Request) -> Response:
    """Take the personal data out of all records of `?caller=`."""
    caller = request.query_params.get("caller")
    if not caller:
        raise ApiError(400, "Name whom to forget: ?caller=", code="invalid_input", param="caller")
    door = door_of(request)
    return await door.record(_all, door, caller, _content(request))


def _content(request: Request) -> bool:
    value = request.query_params.get("content", "false")
    if value not in ("true", "false"):
        raise ApiError(400, "'content' is true or false.", code="invalid_input", param="content")
    return value == "true"


def _one(door: Door, release_id: str, content: bool) -> Response:
    count = forget_release(door.app.ledger, release_id, content=content)
    return Json({"forgotten": count})


def _all(door: Door, caller: str, content: bool) -> Response:
    return Json({"forgotten": forget_caller(door.app.ledger, caller, content=content)})
