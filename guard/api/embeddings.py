"""`/v1/embeddings`: vectors, which nobody reads, hears or sees: they pass as the upstream gives them."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import relayed
from guard.api.asked import upstream_of
from guard.api.bodies import read_json, while_connected
from guard.api.door import door_of

__all__ = ["router"]

router = APIRouter()


@router.post("/v1/embeddings")
async def embeddings(request: Request) -> Response:
    """The upstream's answer, whatever the encoding. Nothing is screened and nothing recorded."""
    body = await read_json(request)
    answer = await while_connected(request, upstream_of(request).post("embeddings", body))
    return await door_of(request).work(relayed, answer)
