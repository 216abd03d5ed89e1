"""`/manifests` and `/bindings`: manifest stores, those of releases and those that others deposit."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import Json
from guard.api.auth import needs
from guard.api.bindings.dialect import Plain, object_in, repository_of, resolver_of, text_in
from guard.api.bindings.receipts import receipt_json, receipt_of, verified
from guard.api.bodies import read_upload
from guard.api.door import door_of
from guard.api.errors import ApiError
from guard.errors import InputError
from guard.ledger.api_keys import Scope
from guard.ledger.repository import Binding
from guard.media import Artifact
from guard.media.formats import canonical_mime
from guard.provenance.jumbf import active_label, active_manifest
from guard.provenance.read import read
from guard.provenance.trust import NOBODY

__all__ = ["reading", "writing_bindings", "writing_manifests"]

reading = APIRouter(route_class=Plain)
writing_manifests = APIRouter(route_class=Plain, dependencies=[Depends(needs(Scope.STORE_MANIFESTS))])
writing_bindings = APIRouter(route_class=Plain, dependencies=[Depends(needs(Scope.STORE_BINDINGS))])

_C2PA = "application/c2pa"
_MOST_BYTES = 32 << 20
_LONGEST_NAME = 255


@reading.get("/manifests/{manifest_id}")
async def fetch(request: Request, manifest_id: str) -> Response:
    """A manifest store; its active manifest alone with `returnActiveManifest=true`."""
    wanted = request.query_params.get("returnActiveManifest", "false")
    if wanted not in ("true", "false"):
        raise ApiError(400, "returnActiveManifest is true or false.")
    store = await _stored(request, manifest_id)
    return Response(active_manifest(store) if wanted == "true" else store, media_type=_C2PA)


@reading.get("/manifests/{manifest_id}/receipts")
async def receipt(request: Request, manifest_id: str) -> Response:
    """The transparency log's proof that it has the manifest's hash."""
    store, door = await _stored(request, manifest_id), door_of(request)
    proof = await door.work(receipt_of, door, manifest_id)
    if proof is None:
        raise ApiError(404, "There is no receipt for this manifest.")
    return Json(receipt_json(request, manifest_id, proof) | verified(door, store, proof))


@reading.post("/manifests/{manifest_id}/receipts")
async def check_receipt(request: Request, manifest_id: str) -> Response:
    """The receipt that came in, and whether it holds for this manifest."""
    body = await object_in(request)
    store, door = await _stored(request, manifest_id), door_of(request)
    return Json(body | verified(door, store, body))


@writing_manifests.post("/manifests")
async def deposit(request: Request) -> Response:
    """Keep a manifest store, with the soft bindings that its active manifest states."""
    if canonical_mime(request.headers.get("content-type", "")) != _C2PA:
        raise ApiError(400, f"Send a manifest store as {_C2PA}.")
    wanted = request.query_params.get("returnReceipt", "false")
    if wanted not in ("true", "false"):
        raise ApiError(400, "returnReceipt is true or false.")
    door = door_of(request)
    upload = await read_upload(request, min(_MOST_BYTES, door.limits.max_bytes))
    manifest_id, bound = await door.work(_understood, upload.data)
    repository, caller = repository_of(request), request.state.caller
    await door.work(repository.deposit, manifest_id, upload.data, bound, caller)
    answer: dict[str, Any] = {"manifestId": manifest_id}
    if wanted == "true" and (proof := await door.work(receipt_of, door, manifest_id)):
        answer["receipt"] = receipt_json(request, manifest_id, proof)
    return Json(answer)


@writing_manifests.delete("/manifests/{manifest_id}")
async def withdraw(request: Request, manifest_id: str) -> Response:
    """Drop a deposited manifest store with its bindings. Those of releases stay: they are evidence."""
    door, repository = door_of(request), repository_of(request)
    if await door.work(repository.delete, manifest_id):
        return Response(status_code=204)
    if await door.work(door.app.ledger.by_manifest, manifest_id):
        raise ApiError(403, "This is the manifest of a release, which cannot be withdrawn here.")
    raise ApiError(404, "There is no such manifest.")


@writing_bindings.post("/bindings")
async def bind(request: Request) -> Response:
    """Let a soft binding lead to a manifest too."""
    binding, manifest_id = await _binding(request)
    await door_of(request).work(repository_of(request).bind, binding, manifest_id)
    return Response(status_code=204)


@writing_bindings.put("/bindings")
async def rebind(request: Request) -> Response:
    """Let a soft binding lead to this manifest alone."""
    binding, manifest_id = await _binding(request)
    if not await door_of(request).work(repository_of(request).rebind, binding, manifest_id):
        raise ApiError(404, "This soft binding leads nowhere yet: create it with POST.")
    return Response(status_code=204)


async def _stored(request: Request, manifest_id: str) -> bytes:
    door = door_of(request)
    store = await door.work(resolver_of(door).manifest, manifest_id)
    if store is None:
        raise ApiError(404, "There is no such manifest.")
    return store


def _understood(store: bytes) -> tuple[str, list[Binding]]:
    """The name of a manifest store that came in, and the soft bindings that it states."""
    try:
        manifest_id = active_label(store)
    except ValueError as error:
        raise InputError(f"This is no C2PA manifest store: {error}.") from error
    if not 0 < len(manifest_id) <= _LONGEST_NAME:
        raise InputError("The manifest's label is too long.")
    # Whether it holds is for whoever fetches it to find out; here it only has to be one.
    asset = Artifact.from_bytes(b"-", claimed="text/plain")
    credential = read(asset, trust=NOBODY, manifest=store)
    if credential.manifest_label != manifest_id:
        raise InputError("This manifest store cannot be read.")
    return manifest_id, [Binding(value, alg) for alg, value in credential.soft_bindings]


async def _binding(request: Request) -> tuple[Binding, str]:
    """What a request binds. The specification's body names no algorithm; a member `alg` may."""
    body = await object_in(request)
    value, manifest_id = text_in(body, "bindingValue"), text_in(body, "manifestId")
    alg = text_in(body, "alg") if "alg" in body else None
    await _stored(request, manifest_id)
    return Binding(value, alg), manifest_id
