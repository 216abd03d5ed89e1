"""`/v1/responses`: OpenAI's Responses API, every text and picture in it released, streamed ones too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import Json, forwarded, relayed
from guard.api.asked import upstream_of
from guard.api.bodies import read_json, user_in, while_connected
from guard.api.door import Door, door_of
from guard.api.errors import ApiError
from guard.api.words.generating import ROUTE
from guard.api.words.response_items import all_in, found_in, items_of, release_found
from guard.api.words.response_stream import streamed
from guard.api.words.texts import prompt_of
from guard.pipeline import Origin
from models.upstream import Answer, Upstream

__all__ = ["router"]

_OPAQUE = ("call_id", "encrypted_content", "result", "status")
"""What an item of the input may hold that is neither read nor said: `result` is a picture made earlier."""

_CALLERS_ROLES = ("developer", "system", "user")
_CALLERS_ITEMS = (
    "computer_call_output",
    "custom_tool_call_output",
    "function_call_output",
    "item_reference",
    "local_shell_call_output",
    "mcp_approval_response",
)

router = APIRouter()


@router.post("/v1/responses")
async def create(request: Request) -> Response:
    """The upstream's response, released whole, or as events while it is written."""
    door = door_of(request)
    body = await read_json(request)
    _check(body)
    upstream = upstream_of(request)
    origin = _origin(body, upstream, request.state.caller)
    await door.work(door.admit, origin)
    if body.get("stream"):
        return await streamed(request, upstream, body, origin)
    answer = await while_connected(request, upstream.post("responses", body))
    return await door.work(_release, door, answer, origin)


@router.get("/v1/responses/{name}")
async def retrieve(request: Request, name: str) -> Response:
    """A stored response, released anew: the upstream keeps it as the model wrote it."""
    if request.query_params.get("stream", "").lower() in ("true", "1"):
        raise ApiError(400, "A stored response is to be had whole, not as a stream.", param="stream")
    return await _stored(request, f"responses/{name}")


@router.post("/v1/responses/{name}/cancel")
async def cancel(request: Request, name: str) -> Response:
    """What there is of a background response that is wanted no more."""
    upstream = upstream_of(request)
    answer = await while_connected(request, upstream.post(f"responses/{name}/cancel", {}))
    return await door_of(request).work(_release, door_of(request), answer, _unprompted(request, upstream))


@router.delete("/v1/responses/{name}")
async def delete(request: Request, name: str) -> Response:
    """Removes it upstream; the records of what was released stay."""
    answer = await while_connected(request, upstream_of(request).delete(f"responses/{name}"))
    return await door_of(request).work(relayed, answer)


@router.get("/v1/responses/{name}/input_items")
async def input_items(request: Request, name: str) -> Response:
    """What a stored response was made from. Earlier answers of models are among it, and released anew."""
    upstream, door = upstream_of(request), door_of(request)
    query = request.query_params.multi_items()
    answer = await while_connected(request, upstream.get(f"responses/{name}/input_items", query))
    return await door.work(_release_inputs, door, answer, _unprompted(request, upstream))


async def _stored(request: Request, path: str) -> Response:
    upstream, door = upstream_of(request), door_of(request)
    query = [(key, value) for key, value in request.query_params.multi_items() if key != "stream"]
    answer = await while_connected(request, upstream.get(path, query))
    return await door.work(_release, door, answer, _unprompted(request, upstream))


def _check(body: Mapping[str, Any]) -> None:
    if not isinstance(body.get("input"), str | list | None):
        raise ApiError(400, "'input' must be a text or a list of items.", param="input")
    if not isinstance(body.get("model"), str | None):
        raise ApiError(400, "'model' must name a model.", param="model")
    if not isinstance(body.get("stream"), bool | None):
        raise ApiError(400, "'stream' must be true or false.", param="stream")
    if body.get("modalities") not in (None, ["text"]):
        raise ApiError(400, "Only text and pictures come out of a response here.", param="modalities")


def _origin(body: Mapping[str, Any], upstream: Upstream, caller: str | None) -> Origin:
    return Origin(
        model=body.get("model") or "unspecified",
        provider=upstream.origin,
        prompt=prompt_of({**body, "input": _readable(body.get("input"))}),
        caller=caller,
        route=ROUTE,
        user=user_in(body),
    )


def _readable(value: object) -> object:
    if not isinstance(value, list):
        return value
    return [
        {name: child for name, child in item.items() if name not in _OPAQUE}
        if isinstance(item, dict)
        else item
        for item in value
    ]


def _unprompted(request: Request, upstream: Upstream) -> Origin:
    """The origin of what was asked for earlier. Its prompt was admitted then."""
    return Origin("unspecified", provider=upstream.origin, caller=request.state.caller, route=ROUTE)


def _release(door: Door, answer: Answer, origin: Origin) -> Response:
    response = answer.body
    found = list(all_in(response))
    version = response.get("model")
    if isinstance(version, str):
        model = version if origin.model == "unspecified" else origin.model
        origin = replace(origin, model=model, model_version=version)
    response["guard"] = {"releases": release_found(door, found, origin)}
    return Json(response, headers=forwarded(answer.headers))


def _release_inputs(door: Door, answer: Answer, origin: Origin) -> Response:
    items = enumerate(items_of(answer.body, "data"))
    found = [each for index, item in items if not _is_callers(item) for each in found_in(index, item)]
    answer.body["guard"] = {"releases": release_found(door, found, origin)}
    return Json(answer.body, headers=forwarded(answer.headers))


def _is_callers(item: Mapping[str, Any]) -> bool:
    return item.get("role") in _CALLERS_ROLES or item.get("type") in _CALLERS_ITEMS
