"""Receipts of manifests: the transparency log's proof in the form of the Soft Binding Resolution API."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from guard.api.door import Door
from guard.errors import GuardError, InputError
from guard.ledger.log.inclusion import Inclusion
from guard.ledger.log.note import VerifierKey
from guard.ledger.repository import Repository

__all__ = ["PROOF", "receipt_json", "receipt_of", "verified"]

PROOF = "rfc6962-sha256"
_CONTEXT = {"c2pa": "https://c2pa.org/", "receipt": "https://c2pa.org/manifest-receipt/"}
_TYPE = "org.c2pa.manifest-receipt"


def receipt_of(door: Door, manifest_id: str) -> Inclusion | None:
    """The proof that a manifest, released or deposited, is on the log."""
    ledger = door.app.ledger
    entry = ledger.by_manifest(manifest_id)
    if entry is None:
        return Repository(ledger).proof(manifest_id)
    receipt = ledger.receipt(entry.id)
    return receipt.inclusion if receipt else None


def receipt_json(request: Request, manifest_id: str, proof: Inclusion) -> dict[str, Any]:
    """The receipt: the proof itself is JSON in base64, the same that `guard log verify --receipt` reads."""
    origin = str(request.base_url)
    value = base64.b64encode(json.dumps(proof.as_json()).encode()).decode()
    return {
        "@context": _CONTEXT,
        "@type": _TYPE,
        "repository": {"uri": origin, "manifestId": manifest_id},
        "anchor": {
            "uri": f"{origin}log/checkpoint",
            "proof": {"alg": PROOF, "value": value},
            "parameters": {"leafIndex": proof.index, "treeSize": proof.size},
        },
    }


def verified(door: Door, store: bytes, receipt: Mapping[str, Any] | Inclusion) -> dict[str, Any]:
    """`verified`, and where that is false, `error`: why."""
    try:
        proof = receipt if isinstance(receipt, Inclusion) else _proof_in(receipt)
        proof.check(_keys(door))
        if proof.facts().get("manifest") != hashlib.sha256(store).hexdigest():
            raise InputError("The receipt is of another manifest.")
    except GuardError as error:
        return {"verified": False, "error": error.message}
    return {"verified": True}


def _keys(door: Door) -> list[VerifierKey]:
    return list(door.app.log_keys())


def _proof_in(receipt: Mapping[str, Any]) -> Inclusion:
    try:
        proof = receipt["anchor"]["proof"]
        given = json.loads(base64.b64decode(proof["value"], validate=True))
        if proof["alg"] != PROOF or not isinstance(given, dict):
            raise ValueError
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"The receipt holds no proof of the kind '{PROOF}'.") from error
    return Inclusion.from_json(given)
