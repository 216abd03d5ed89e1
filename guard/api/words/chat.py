"""`/v1/chat/completions`: prompts screened, answers released, streamed ones while they are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.bodies import read_json
from guard.api.errors import ApiError
from guard.api.words.generating import generate

__all__ = ["router"]

router = APIRouter()


@router.post("/v1/chat/completions")
async def chat(request: Request) -> Response:
    """The upstream's answer, whole or as a stream, with the evidence of each text under `guard`."""
    body = await read_json(request)
    _check(body)
    return await generate(request, body, "chat/completions")


def _check(body: Mapping[str, Any]) -> None:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        raise ApiError(400, "'messages' must be a list of messages, at least one.", param="messages")
    if body.get("modalities") not in (None, ["text"]):
        raise ApiError(400, "Only text comes out of a chat here.", param="modalities")
