"""`/services/…`: what this resolver can do. Nobody is asked for a key."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import Json
from guard.api.bindings.dialect import Plain, resolver_of
from guard.api.door import door_of
from guard.errors import GuardError

__all__ = ["discovery", "router"]

router = APIRouter(route_class=Plain)
discovery = APIRouter(route_class=Plain)

VERSION = "2.4.0"
_CAN = ("queryByBinding", "queryByContent", "storeManifests", "storeBindings", "manifestReceipts")


@router.get("/services/supportedAlgorithms")
async def algorithms(request: Request) -> Response:
    """The names of the marks and fingerprints that lead somewhere here."""
    resolver = resolver_of(door_of(request))
    # Version 1.0 wants a member `watermarks` in each of these, by what looks like a slip of its schema.
    marks = [{"alg": alg, "watermarks": True} for alg in resolver.watermarks]
    return Json({"watermarks": marks, "fingerprints": [{"alg": alg} for alg in resolver.fingerprints]})


@router.get("/services/capabilities")
async def capabilities(request: Request) -> Response:
    """Which version of C2PA this follows, and which queries it answers."""
    referred = ("queryByReference",) if door_of(request).app.settings.reference_hosts else ()
    return Json({"c2paSpecificationVersion": VERSION, "supportedCapabilities": [*_CAN, *referred]})


@router.get("/services/status")
async def status(request: Request) -> Response:
    """Whether the ledger answers."""
    door = door_of(request)
    try:
        await door.work(door.app.ledger.ping)
        state = "ok"
    except GuardError:
        state = "down"
    return Json({"status": state, "timestamp": datetime.now(UTC).isoformat(timespec="seconds")})


@discovery.get("/.well-known/c2pa-soft-binding-resolution")
async def well_known(request: Request) -> Response:
    """Where the API is (RFC 8615)."""
    api = f"{request.base_url}v1"
    return Json(
        {
            "apiEndpoint": api,
            "c2paSpecificationVersion": VERSION,
            "capabilitiesEndpoint": f"{api}/services/capabilities",
            "statusEndpoint": f"{api}/services/status",
        }
    )
