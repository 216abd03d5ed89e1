"""Requests that came back: an upstream that leads to this Guard again would be asked without end."""

from __future__ import annotations

from starlette.requests import Request

from guard.api.door import door_of
from guard.api.errors import CIRCLE, ApiError
from models.upstream.hops import hops_in, passed

__all__ = ["refuse_circles"]

_MOST_HOPS = 8


async def refuse_circles(request: Request) -> None:
    """The dependency of every route: notes which Guards a request passed; one that was here is turned away.

    It comes before keys are asked for: the upstream client sends the upstream's key, and "wrong key" would
    hide what is wrong.
    """
    hops = hops_in(", ".join(request.headers.getlist("via")))
    upstream = door_of(request).upstream
    if len(hops) > _MOST_HOPS or (upstream is not None and upstream.name in hops):
        raise ApiError(
            508,  # Loop Detected (RFC 5842, section 7.2)
            "This request came from this same server: its upstream leads back to it.",
            code=CIRCLE,
        )
    passed.set(hops)
