"""`/healthz`: the process lives. `/readyz`: it can do its work."""

from __future__ import annotations

import logging
from collections.abc import Callable

from anyio import to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import Json
from guard.api.door import Door, door_of
from guard.errors import GuardError

__all__ = ["router"]

logger = logging.getLogger(__name__)

router = APIRouter()


@router.get("/healthz")
async def alive() -> Response:
    """Answers as long as the event loop turns."""
    return Json({"status": "ok"})


@router.get("/readyz")
async def ready(request: Request) -> Response:
    """200, or 503 with what is amiss. Nobody is asked for a key here, so the details go to the log alone."""
    door = door_of(request)
    # Not among the workers: a server that is busy is ready all the same.
    reasons = await to_thread.run_sync(_reasons, door)
    if reasons:
        return Json({"status": "not ready", "reasons": reasons}, 503)
    return Json({"status": "ok"})


def _reasons(door: Door) -> list[str]:
    checks: dict[str, Callable[[], object]] = {
        "The ledger cannot be read.": door.app.ledger.ping,
        "The signing key is missing, expired or not readable.": door.app.keys.signer,
        "The release path cannot be set up.": lambda: door.guard,
    }
    return [reason for reason, check in checks.items() if _fails(check)]


def _fails(check: Callable[[], object]) -> bool:
    try:
        check()
    except GuardError as error:
        logger.warning("Not ready: %s", error)
        return True
    return False
