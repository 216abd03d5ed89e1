"""How this API differs from the rest of Guard's: its errors are one sentence, its bodies have fewer types."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import Json
from guard.api.bodies import read_json
from guard.api.door import Door, door_of
from guard.api.errors import ApiError, problem_of
from guard.errors import GuardError
from guard.ledger.repository import Repository
from guard.resolver import Resolver

__all__ = ["Plain", "limit_in", "object_in", "repository_of", "resolver_of", "text_in"]

logger = logging.getLogger(__name__)

_MOST = 100
_DEFAULT = 10


class Plain(APIRoute):
    """A route whose errors are `{"error": "one sentence"}`, as this API wants them."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await answer(request)
            except GuardError as error:
                problem = problem_of(error)
                if problem.status >= 500:
                    logger.error("%s %s: %s", request.state.request_id, type(error).__name__, error)
                return Json({"error": problem.message}, problem.status, problem.headers)

        return answered


def resolver_of(door: Door) -> Resolver:
    """What finds manifests."""
    return Resolver(Repository(door.app.ledger), door.app.verifier())


def repository_of(request: Request) -> Repository:
    """Where others' manifests are kept."""
    return Repository(door_of(request).app.ledger)


def limit_in(request: Request) -> int:
    """How many matches are wanted, at most 100. Raises `ApiError` for what is no number above 0."""
    given = request.query_params.get("maxResults", str(_DEFAULT))
    if not (given.isascii() and given.isdigit() and int(given[:9]) > 0):
        raise ApiError(400, "maxResults is a whole number from 1 on.")
    return min(int(given[:9]), _MOST)


async def object_in(request: Request) -> dict[str, Any]:
    """The JSON object in the body. Raises `ApiError` with 400 also for bodies of another type, the one answer
    that this API has for them."""
    try:
        return await read_json(request)
    except ApiError as error:
        raise ApiError(400, str(error)) from error


def text_in(body: dict[str, Any], name: str) -> str:
    """A member of the body. Raises `ApiError` where it is absent or no text."""
    value = body.get(name)
    if not isinstance(value, str):
        raise ApiError(400, f"'{name}' is missing, or no text.")
    return value
