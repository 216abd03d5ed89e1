"""Errors as OpenAI's clients expect them: `{"error": {"message", "type", "param", "code"}}` and a status."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match

from guard.api.answers import Json, forwarded
from guard.errors import (
    BlockedError,
    ConfigurationError,
    GuardError,
    InputError,
    LedgerError,
    LimitExceededError,
    MalformedMediaError,
    ModelNotFoundError,
    UnsupportedMediaError,
    UpstreamError,
)

__all__ = ["CIRCLE", "ApiError", "Problem", "install", "problem_of", "respond"]

logger = logging.getLogger(__name__)

_INVALID = "invalid_request_error"
_SERVER = "server_error"
_NOT_STARTED = (429, 503)
"""What an upstream answers when it did not begin to generate: asking again costs nothing."""

CIRCLE = "upstream_circle"
"""The code of a request that came back to the Guard that sent it; every Guard on the way repeats it."""

_A_DAY = 86_400.0
_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


@dataclass(frozen=True)
class Problem:
    """An error as it goes over the wire; `again` leaves it to the client whether to send once more."""

    status: int
    message: str
    kind: str
    code: str | None = None
    param: str | None = None
    again: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """OpenAI's `error` object."""
        return {
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": self.code,
            **self.evidence,
        }


class ApiError(GuardError):
    """A request that the HTTP door itself turns away."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.problem = Problem(status, message, _INVALID, code, param, headers=headers or {})


# The first class that fits counts.
_KINDS: tuple[tuple[type[GuardError], int, str, str], ...] = (
    (LimitExceededError, 413, _INVALID, "limit_exceeded"),
    (UnsupportedMediaError, 400, _INVALID, "unsupported_media"),
    (MalformedMediaError, 400, _INVALID, "malformed_media"),
    (InputError, 400, _INVALID, "invalid_input"),
    (ModelNotFoundError, 404, _INVALID, "model_not_found"),
    (ConfigurationError, 503, _SERVER, "not_configured"),
    (LedgerError, 503, _SERVER, "ledger_unavailable"),
    (GuardError, 500, _SERVER, "release_failed"),
)
# What the operator has to mend is in the log: the sentence may name files of the server.
_FOR_CALLERS = {
    "not_configured": "This server is not set up to answer that. Its operator finds the reason in the log.",
    "ledger_unavailable": "The ledger is out of reach, so nothing was released.",
}


def install(app: FastAPI) -> None:
    """Answer every error of `app` in OpenAI's form."""

    @app.exception_handler(GuardError)
    async def on_guard_error(request: Request, error: GuardError) -> Response:
        problem = problem_of(error)
        kind = type(error).__name__
        if problem.status >= 500:
            logger.error("%s %s: %s", request.state.request_id, kind, error)
        else:
            # Without its sentence, which may quote what the caller wrote.
            logger.info("%s %s: %d %s", request.state.request_id, kind, problem.status, problem.code)
        return respond(problem, request.method)

    @app.exception_handler(HTTPException)
    async def on_http_error(request: Request, error: HTTPException) -> Response:
        return respond(_http_problem(request, error), request.method)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        # Only where and what: the report's `input` would repeat the caller's data.
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return respond(Problem(400, f"{where}: {first['msg']}.", _INVALID, param=where), request.method)

    @app.exception_handler(ClientDisconnect)
    async def on_disconnect(request: Request, _: ClientDisconnect) -> Response:
        logger.info("%s The client left before it was answered.", request.state.request_id)
        return Response(status_code=499)  # nobody reads it


def respond(problem: Problem, method: str) -> Response:
    """The answer that carries `problem`.

    OpenAI's clients send again whatever ends in 408, 409, 429 or 5xx. A generation that was sent twice is
    paid for twice, so the answer to a POST says not to, unless nothing began.
    """
    headers = dict(problem.headers)
    if method == "POST" and not problem.again:
        headers["x-should-retry"] = "false"
    return Json({"error": problem.as_json()}, problem.status, headers)


def problem_of(error: GuardError) -> Problem:
    """What a caller is told of `error`."""
    if isinstance(error, ApiError):
        return error.problem
    if isinstance(error, BlockedError):
        return _blocked(error)
    if isinstance(error, UpstreamError):
        return _upstream_problem(error)
    status, kind, code = next((s, k, c) for cls, s, k, c in _KINDS if isinstance(error, cls))
    return Problem(status, _FOR_CALLERS.get(code, str(error)), kind, code)


def _blocked(error: BlockedError) -> Problem:
    record = f" (recorded as {error.release_id})" if error.release_id else ""
    return Problem(
        400,
        f"{error}{record}",
        _INVALID,
        "content_policy_violation",
        evidence={"guard": {"rule": error.rule, "release_id": error.release_id}},
    )


def _upstream_problem(error: UpstreamError) -> Problem:
    """What the caller can mend keeps its status; the rest is a 502, nobody's fault but the upstream's."""
    if error.status in (401, 403, 407):
        # Guard's own credentials, not the caller's; the upstream's sentence may quote part of them.
        return Problem(502, "The upstream refused Guard's credentials.", _SERVER, "upstream_refused")
    headers = forwarded(error.headers) | _wait(error)
    if error.status in _NOT_STARTED:
        kind = "rate_limit_error" if error.status == 429 else _SERVER
        return Problem(error.status, error.message, kind, error.code, again=True, headers=headers)
    if 400 <= error.status < 500 and error.status not in (408, 409):
        return Problem(error.status, error.message, _INVALID, error.code, headers=headers)
    code = CIRCLE if error.code == CIRCLE else "upstream_error"
    return Problem(502, error.message, _SERVER, code, headers=headers)


def _wait(error: UpstreamError) -> dict[str, str]:
    # Written anew as a number: nothing of what an upstream sent goes into a header as it came.
    return {} if error.retry_after is None else {"retry-after": str(ceil(min(error.retry_after, _A_DAY)))}


def _http_problem(request: Request, error: HTTPException) -> Problem:
    where = f"{request.method} {request.url.path}"
    message, code = {
        404: (f"There is no route {where}.", "unknown_url"),
        405: (f"{where} is not a method of this route.", "method_not_allowed"),
    }.get(error.status_code, (str(error.detail), None))
    headers = error.headers or {}
    if error.status_code == 405:
        headers = {"allow": ", ".join(method for method in _METHODS if _answers(request, method))}
    return Problem(error.status_code, message, _INVALID, code, headers=headers)


def _answers(request: Request, method: str) -> bool:
    """Whether the resource at the request's path has this method, perhaps in a route of its own: what is
    refused has to name them all (RFC 9110 §15.5.6)."""
    scope = {**request.scope, "method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
