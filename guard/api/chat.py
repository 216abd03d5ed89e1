"""`/v1/chat/completions`: prompts screened, answers released whole, streamed ones too."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import Json, dump
from guard.api.bodies import read_json, user_in, while_connected
from guard.api.door import Door, door_of
from guard.api.errors import ApiError
from guard.api.texts import prompt_in, release_texts
from guard.errors import ModelNotFoundError, UpstreamError
from guard.pipeline import Origin
from models.upstream import Upstream

__all__ = ["router"]

_MOST_CHUNKS = 200_000

router = APIRouter()


@router.post("/v1/chat/completions")
async def chat(request: Request) -> Response:
    """The upstream's answer, with every text in it released.

    A streamed answer is read to its end and decided on before the first byte of it leaves: a block is a plain
    400, and nothing was said that would have to be taken back.
    """
    door = door_of(request)
    body = await read_json(request)
    _check(body)
    if door.upstream is None:
        raise ModelNotFoundError("No upstream is set, so there is no model to chat with.")
    asked = _origin(body, door.upstream, request.state.caller)
    await door.work(door.admit, asked)
    answer = await while_connected(request, _ask(door.upstream, body))
    return await door.work(_release, door, answer, _answered(asked, answer), bool(body.get("stream")))


def _check(body: Mapping[str, Any]) -> None:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        raise ApiError(400, "'messages' must be a list of messages, at least one.", param="messages")
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise ApiError(400, "'model' must name a model.", param="model")
    if not isinstance(body.get("stream"), bool | None):
        raise ApiError(400, "'stream' must be true or false.", param="stream")
    if body.get("modalities") not in (None, ["text"]):
        raise ApiError(400, "Only text comes out of a chat here.", param="modalities")


def _origin(body: Mapping[str, Any], upstream: Upstream, caller: str | None) -> Origin:
    return Origin(
        model=body["model"],
        provider=upstream.origin,
        prompt=prompt_in(body["messages"]),
        caller=caller,
        route="chat",
        user=user_in(body),
    )


def _answered(asked: Origin, answer: list[dict[str, Any]]) -> Origin:
    """The origin of the answer: the upstream says which version of the model it asked."""
    version = answer[0].get("model")
    return replace(asked, model_version=version) if isinstance(version, str) else asked


async def _ask(upstream: Upstream, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The whole completion, or all chunks of a streamed one."""
    if not body.get("stream"):
        completion = await upstream.chat(body)
        if not completion.get("choices"):
            raise UpstreamError("The upstream's answer has no choices.")
        return [completion]
    chunks: list[dict[str, Any]] = []
    async with aclosing(upstream.chat_stream(body)) as stream:
        async for chunk in stream:
            chunks.append(chunk)
            if len(chunks) > _MOST_CHUNKS:
                raise UpstreamError(f"The upstream's stream has more than {_MOST_CHUNKS:,} chunks.")
    if not chunks:
        raise UpstreamError("The upstream's stream ended before it began.")
    return chunks


def _release(door: Door, answer: list[dict[str, Any]], origin: Origin, stream: bool) -> Response:
    releases = release_texts(door, answer, origin)
    # On the last chunk and not in one more: few clients expect a chunk that they did not ask for.
    answer[-1]["guard"] = {"releases": releases}
    if not stream:
        return Json(answer[0])
    events = [b"data: %s\n\n" % dump(chunk) for chunk in answer]
    return Response(
        b"".join([*events, b"data: [DONE]\n\n"]),
        media_type="text/event-stream",
        headers={"cache-control": "no-cache"},
    )
