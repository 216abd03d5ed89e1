"""`/v1/completions`: the older form of asking for text, guarded like chats."""

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


@router.post("/v1/completions")
async def completions(request: Request) -> Response:
    """The upstream's continuations, whole or as a stream, with the evidence of each under `guard`.

    With `echo` the prompt comes back as a part of the text, and is screened as such.
    """
    body = await read_json(request)
    _check(body)
    return await generate(request, body, "completions")


def _check(body: Mapping[str, Any]) -> None:
    prompt = body.get("prompt")
    texts = prompt if isinstance(prompt, list) else [prompt]
    if not texts or not all(isinstance(text, str) for text in texts):
        # Numbers of tokens mean what only the upstream's tokenizer knows.
        raise ApiError(400, "'prompt' must be a text, or a list of texts.", param="prompt")
    if not isinstance(body.get("suffix"), str | None):
        raise ApiError(400, "'suffix' must be a text.", param="suffix")
