"""The outermost layer: each answer's request id, and a plain 500 for what nobody foresaw."""

from __future__ import annotations

import logging
import secrets
import traceback

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from guard.api.errors import Problem, respond

__all__ = ["Outermost"]

logger = logging.getLogger(__name__)


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
        started = False

        async def named(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(raw=message["headers"])["x-request-id"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, named)
        except Exception as error:
            _log(request_id, error)
            if not started:
                problem = Problem(500, "Guard failed on this request.", "server_error", "internal_error")
                await respond(problem, scope["method"])(scope, receive, named)


def _log(request_id: str, error: Exception) -> None:
    # Without the exception's own text, which may quote the caller's data.
    places = "".join(traceback.format_tb(error.__traceback__))
    logger.error("%s %s at:\n%s", request_id, type(error).__name__, places)
