"""`/v1/models`: the upstream's models and the built-in ones."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import Json
from guard.api.door import Door, door_of
from guard.errors import ModelNotFoundError, UpstreamError
from models.base import ModelCard

__all__ = ["router"]

router = APIRouter()


@router.get("/v1/models")
async def models(request: Request) -> Response:
    """All models; a built-in one goes before the upstream's of the same name, as in requests."""
    return Json({"object": "list", "data": await _models(door_of(request))})


@router.get("/v1/models/{name:path}")
async def model(request: Request, name: str) -> Response:
    """One model. Names with slashes are names too."""
    for found in await _models(door_of(request)):
        if found.get("id") == name:
            return Json(found)
    raise ModelNotFoundError(f"No model goes by the name {name!r}.", "GET /v1/models lists them.")


async def _models(door: Door) -> list[dict[str, Any]]:
    own = [_object(generator.card) for generator in door.generators.values()]
    if door.upstream is None:
        return own
    theirs = (await door.upstream.models()).get("data")
    if not isinstance(theirs, list) or not all(isinstance(item, dict) for item in theirs):
        raise UpstreamError("The upstream's answer has no list of models.")
    return own + [item for item in theirs if item.get("id") not in door.generators]


def _object(card: ModelCard) -> dict[str, Any]:
    return {"id": card.name, "object": "model", "created": 0, "owned_by": card.provider}
