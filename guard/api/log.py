"""`/log/…`: the transparency log. Checkpoint and tiles as c2sp.org/tlog-tiles lays them out."""

from __future__ import annotations

import re

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import Json
from guard.api.door import Door, door_of
from guard.api.errors import ApiError
from guard.ledger.log.checkpoint import Checkpoint
from guard.ledger.log.note import Note
from guard.ledger.log.tree import HEIGHT

__all__ = ["router"]

router = APIRouter()

_ID = re.compile(r"[0-9a-f]{16}")
_TILE = re.compile(r"(\d{1,2}|entries)/((?:x\d{3}/){0,5}\d{3})(?:\.p/(\d{1,3}))?")
_SIZE = re.compile(r"\d{1,18}")
_WHOLE = 1 << HEIGHT
_HIGHEST = 7  # of a tree of 2**63 leaves
_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}


@router.get("/log/checkpoint")
async def checkpoint(request: Request) -> Response:
    """The newest signed checkpoint, with cosignatures."""
    door = door_of(request)
    note = await door.record(door.app.ledger.log.checkpoint)
    return Response(note, media_type="text/plain", headers={"cache-control": "no-cache"})


@router.get("/log/key")
async def key(request: Request) -> Response:
    """The log's public keys, newest first, one a line."""
    door = door_of(request)
    keys = await door.record(door.app.log_keys)
    return Response("".join(f"{each}\n" for each in keys), media_type="text/plain")


@router.get("/log/proof/{release_id}")
async def proof(request: Request, release_id: str) -> Response:
    """The receipt of a release."""
    door = door_of(request)
    found = await door.record(door.app.ledger.receipt, release_id) if _ID.fullmatch(release_id) else None
    if found is None:
        raise ApiError(404, "The ledger knows no such release.", code="release_not_found", param="release_id")
    return Json(found.as_json())


@router.get("/log/consistency")
async def consistency(request: Request) -> Response:
    """The proof that the log of `to` leaves, or as it is now, begins with that of `from`."""
    asked = {name: request.query_params.get(name, default) for name, default in (("from", ""), ("to", None))}
    for name, value in asked.items():
        if value is not None and not _SIZE.fullmatch(value):
            raise ApiError(400, f"'{name}' must be a size of the log.", code="invalid_input", param=name)
    door = door_of(request)
    return await door.record(_consistency, door, int(asked["from"] or 0), asked["to"])


def _consistency(door: Door, old: int, to: str | None) -> Response:
    log = door.app.ledger.log
    note = log.checkpoint()
    new = Checkpoint.parse(Note.parse(note).text).size if to is None else int(to)
    hashes = [each.hex() for each in log.consistency(old, new)]
    return Json(
        {"from": old, "to": new, "consistency_proof": hashes, "checkpoint": note if to is None else None}
    )


@router.get("/log/tile/{path:path}")
async def tile(request: Request, path: str) -> Response:
    """A tile of hashes, or a bundle of leaves: 256 or, where `.p/` says so, as many as it names."""
    match = _TILE.fullmatch(path)
    width = int(match[3] or _WHOLE) if match else 0
    if match is None or not 0 < width <= _WHOLE or (match[3] and width == _WHOLE):
        raise ApiError(404, "There is no such tile.", code="tile_not_found")
    index = int(match[2].replace("x", "").replace("/", ""))
    door = door_of(request)
    data = await door.record(_tile, door, match[1], index, width)
    return Response(data, media_type="application/octet-stream", headers=_FOR_EVER)


def _tile(door: Door, level: str, index: int, width: int) -> bytes:
    log = door.app.ledger.log
    if level == "entries":
        leaves = [leaf.encode() for leaf in log.leaves(index, width)]
        return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)
    if int(level) > _HIGHEST:
        raise ApiError(404, "There is no such tile.", code="tile_not_found")
    return log.tile(int(level), index, width)
