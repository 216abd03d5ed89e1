"""The outermost layer: each answer's request id, and a plain 500 for what nobody foresaw."""

from __future__ import annotations

import logging
import secrets
import traceback

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from guard.api.bodies import announced
from guard.api.errors import Problem, respond

__all__ = ["Outermost"]

logger = logging.getLogger(__name__)

_WORTH_TAKING = 64 << 20
"""Bytes that the server takes in and drops, so that a sender who reads only afterwards gets our answer."""


class Outermost:
    """Names each request in `request.state.request_id` and its answer in `x-request-id`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = f"req_{secrets.token_hex(12)}"
        scope.setdefault("state", {})["request_id"] = request_id
        started = taken = False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken = not message.get("more_body", False)
            return message

        async def named(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(raw=message["headers"])
                headers["x-request-id"] = request_id
                if not taken and announced(Headers(scope=scope)) > _WORTH_TAKING:
                    headers["connection"] = "close"
            await send(message)

        try:
            await self.app(scope, counted, named)
        except Exception as error:
            _log(request_id, error)
            if not started:
                problem = Problem(500, "Guard failed on this request.", "server_error", "internal_error")
                await respond(problem, scope["method"])(scope, receive, named)


def _log(request_id: str, error: Exception) -> None:
    # Without the exception's own text, which may quote the caller's data.
    places = "".join(traceback.format_tb(error.__traceback__))
    logger.error("%s %s at:\n%s", request_id, type(error).__name__, places)
