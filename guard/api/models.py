"""`/v1/models`: the upstream's models and those hosted here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import Json, forwarded
from guard.api.door import Door, door_of
from guard.errors import ModelNotFoundError, UpstreamError
from models.base import ModelCard

__all__ = ["router"]

router = APIRouter()


@router.get("/v1/models")
async def models(request: Request) -> Response:
    """All models; a hosted one goes before the upstream's of the same name, as in requests."""
    found, headers = await _models(door_of(request))
    return Json({"object": "list", "data": found}, headers=headers)


@router.get("/v1/models/{name:path}")
async def model(request: Request, name: str) -> Response:
    """One model. Names with slashes are names too."""
    listed, headers = await _models(door_of(request))
    for found in listed:
        if found.get("id") == name:
            return Json(found, headers=headers)
    raise ModelNotFoundError(f"No model goes by the name {name!r}.", "GET /v1/models lists them.")


async def _models(door: Door) -> tuple[list[dict[str, Any]], Mapping[str, str]]:
    cards = [model.card for model in door.transcribers.values()]
    cards += [model.card for model in door.generators.values()]
    ours: dict[str, dict[str, Any]] = {}
    for card in cards:
        ours.setdefault(card.name, _object(card))["modalities"].append(card.modality.value)
    own = list(ours.values())
    if door.upstream is None:
        return own, {}
    answer = await door.upstream.get("models")
    theirs = answer.body.get("data")
    if not isinstance(theirs, list) or not all(isinstance(item, dict) for item in theirs):
        raise UpstreamError("The upstream's answer has no list of models.")
    others = [item for item in theirs if item.get("id") not in ours]
    return own + others, forwarded(answer.headers)


def _object(card: ModelCard) -> dict[str, Any]:
    """OpenAI's object, and as `modalities` what the model makes."""
    return {
        "id": card.name,
        "object": "model",
        "created": 0,
        "owned_by": card.provider,
        "modalities": [],
    }
