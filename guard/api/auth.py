"""Who may do what: API keys and their scopes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from anyio import to_thread
from starlette.requests import Request

from guard.api.door import door_of
from guard.api.errors import ApiError
from guard.ledger.api_keys import Scope

__all__ = ["needs"]


def needs(scope: Scope | None) -> Callable[[Request], Awaitable[None]]:
    """The dependency of routes that want a key with `scope`, or any key at all where that is None.

    Leaves the key's id in `request.state.caller`; None where no keys are asked for.
    """

    async def check(request: Request) -> None:
        request.state.caller = None
        keys = door_of(request).api_keys
        if keys is None:
            return
        # Not among the workers: finding out that a key is wrong must not wait for a picture.
        secret = _bearer(request)
        key = keys.remembered(secret) or await to_thread.run_sync(keys.authenticate, secret)
        if key is None:
            raise ApiError(
                401,
                "No valid API key came with the request: send 'Authorization: Bearer gk_…'.",
                code="invalid_api_key",
                headers={"www-authenticate": "Bearer"},
            )
        if scope is not None and scope not in key.scopes:
            raise ApiError(403, f"This API key lacks the scope '{scope}'.", code="insufficient_scope")
        request.state.caller = key.id

    return check


def _bearer(request: Request) -> str:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    # LiteLLM calls its guardrails with the latter.
    return secret.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
