"""Credentials as crJSON: the report that the C2PA conformance programme asks of validators."""

from __future__ import annotations

import io
import json
from typing import Any

import c2pa

from guard.errors import CredentialError
from guard.media import Artifact, Modality
from guard.provenance.binding import MISMATCH
from guard.provenance.carriers import Carried
from guard.provenance.judging import Judge
from guard.provenance.sdk import context, readable, reason
from guard.provenance.shapes import mapping, sequence
from guard.provenance.text import carried_in, fits
from guard.provenance.trust import Trust

__all__ = ["crjson"]

_MATCH = "assertion.dataHash.match"


def crjson(artifact: Artifact, *, trust: Trust, manifest: bytes | None = None) -> dict[str, Any]:
    """The library's crJSON on `artifact`, or on `manifest` as one kept beside it; an empty object where there
    are no credentials. Its strings are the signer's. Raises `CredentialError` where they cannot be read."""
    try:
        if artifact.modality is Modality.TEXT:
            return _of_text(artifact.data, trust, manifest)
        if manifest is None and artifact.mime not in readable():
            return {}
        return _report(artifact.mime, artifact.data, trust, manifest)
    except c2pa.C2paError.ManifestNotFound:
        return {}
    except (c2pa.C2paError, ValueError, RecursionError) as error:
        raise _unreadable(reason(error)) from error


def _report(mime: str, data: bytes, trust: Trust, manifest: bytes | None = None) -> dict[str, Any]:
    with (
        context(trust) as settings,
        c2pa.Reader(mime, io.BytesIO(data), manifest, settings) as reader,
    ):
        said = reader.crjson()
        found = mapping(json.loads(said))
        manifests = list(map(mapping, sequence(found.get("manifests"))))
        judge = Judge.of(trust, reader, said, manifests[0].get("label") if manifests else None)
        for each in manifests:
            judge.list_of(each.get("label"), mapping(each.get("validationResults")))
    return found


def _of_text(data: bytes, trust: Trust, manifest: bytes | None) -> dict[str, Any]:
    """The library knows no text: it judges the store, and the tie to the text is judged here."""
    carried = carried_in(data.decode()) if manifest is None else Carried(manifest)
    if carried is None:
        return {}
    if carried.code:
        raise _unreadable(f"{carried.code}")
    found = _report("application/c2pa", carried.store, trust)
    active = mapping(next(iter(sequence(found.get("manifests"))), None))
    if fits(data, carried):
        _set_right(mapping(active.get("validationResults")))
    return found


def _set_right(results: dict[str, Any]) -> None:
    """Move the tie, which the library could not judge without the text, to the checks that were passed."""
    failed = [mapping(each) for each in sequence(results.get("failure"))]
    tie = [each for each in failed if each.get("code") == MISMATCH]
    results["failure"] = [each for each in failed if each not in tie]
    passed = [each | {"code": _MATCH, "explanation": "the text is the one that was signed"} for each in tie]
    results["success"] = [*sequence(results.get("success")), *passed]


def _unreadable(why: str) -> CredentialError:
    return CredentialError(f"No crJSON comes of these credentials: {why}.", "See: guard credential show")
