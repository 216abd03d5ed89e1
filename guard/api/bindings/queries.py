"""`/matches/…`: the manifests that a mark, a fingerprint or a file leads to."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import Json
from guard.api.bindings.dialect import Plain, limit_in, object_in, resolver_of, text_in
from guard.api.bodies import read_upload
from guard.api.door import Door, door_of
from guard.api.errors import ApiError
from guard.errors import CredentialError, InputError, LimitExceededError
from guard.media import Artifact
from guard.media.formats import canonical_mime
from guard.provenance.fetch import Fetcher
from guard.resolver import Match

__all__ = ["router"]

router = APIRouter(route_class=Plain)

_LONGEST_VALUE = 4096
_ASSETS = ("application/", "audio/", "image/", "model/", "text/", "video/")


@router.get("/matches/byBinding")
async def by_binding(request: Request) -> Response:
    """The manifests of a soft binding that is short enough for an address."""
    value, alg = (request.query_params.get(name) for name in ("value", "alg"))
    if value is None or alg is None:
        raise ApiError(400, "Both 'value' and 'alg' are needed.")
    if len(value) > _LONGEST_VALUE:
        raise ApiError(414, "The value is too long for an address: use POST.")
    return await _bound(request, alg, value)


@router.post("/matches/byBinding")
async def by_long_binding(request: Request) -> Response:
    """The manifests of a soft binding of any length."""
    body = await object_in(request)
    return await _bound(request, text_in(body, "alg"), text_in(body, "value"))


@router.post("/matches/byContent")
async def by_content(request: Request) -> Response:
    """The manifests that the marks in a file and its fingerprints lead to; failing these, the hint's."""
    try:
        return await _held(request)
    except LimitExceededError:
        raise
    except (ApiError, InputError) as error:
        # The one refusal that both versions of the API know for this query.
        raise ApiError(415, str(error)) from error


@router.post("/matches/byReference")
async def by_reference(request: Request) -> Response:
    """The manifests that a file leads to which lies at an address, on a host that the operator allows."""
    door, body = door_of(request), await object_in(request)
    url, length = text_in(body, "referenceUrl"), body.get("assetLength")
    if type(length) is not int or length < 0:
        raise ApiError(400, "'assetLength' is missing, or no number of bytes.")
    if body.get("region"):
        raise ApiError(400, "Regions are not looked at apart here: leave 'region' out.")
    if length > door.limits.max_bytes:
        raise ApiError(413, f"The file is longer than {door.limits.max_bytes} bytes.")
    fetcher = Fetcher(door.app.settings.reference_hosts, most_bytes=max(1, length))
    if not fetcher.allows(url):
        raise ApiError(403, "The operator of this service does not allow to fetch from there.")
    data = await door.record(_fetched, fetcher, url)
    if len(data) != length:
        raise ApiError(400, f"The file there is {len(data)} bytes long.")
    return await _resolved(request, data)


async def _held(request: Request) -> Response:
    door = door_of(request)
    limit_in(request)
    if not canonical_mime(request.headers.get("content-type", "")).startswith(_ASSETS):
        raise ApiError(
            415, "Send the file as what it is: image/…, audio/…, video/…, text/… or application/…."
        )
    return await _resolved(request, (await read_upload(request, door.limits.max_bytes)).data)


async def _resolved(request: Request, data: bytes) -> Response:
    door, limit = door_of(request), limit_in(request)
    alg, hint, value = (request.query_params.get(name) for name in ("alg", "hintAlg", "hintValue"))
    found = await door.work(_in_content, door, data, alg, limit)
    if not found and hint is not None and value is not None:
        return await _bound(request, hint, value)
    return _answer(found)


async def _bound(request: Request, alg: str, value: str) -> Response:
    door = door_of(request)
    find = partial(resolver_of(door).by_binding, alg, value, limit_in(request))
    return _answer(await door.work(find))


def _fetched(fetcher: Fetcher, url: str) -> bytes:
    try:
        return fetcher.get(url)
    except CredentialError as error:
        raise ApiError(502, error.message) from error


def _in_content(door: Door, data: bytes, alg: str | None, limit: int) -> list[Match]:
    return resolver_of(door).by_content(Artifact.from_bytes(data, limits=door.limits), alg, limit)


def _answer(found: list[Match]) -> Response:
    return Json({"matches": [{"manifestId": match.manifest_id} | _score(match) for match in found]})


def _score(match: Match) -> dict[str, int]:
    return {} if match.similarity is None else {"similarityScore": round(100 * match.similarity)}
