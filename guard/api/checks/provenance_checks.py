"""`/v1/content_provenance_checks`: OpenAI's route, answered by C2PA, every mark engine and the ledger."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import Json
from guard.api.bodies import Upload, read_upload
from guard.api.door import Door, door_of
from guard.media import Artifact
from guard.provenance.credential import Credential, CredentialState
from guard.verdict import LedgerMatch, MatchKind, Verdict
from guard.verify import Verifier
from guard.watermark import ReadingState

__all__ = ["router"]

_VALIDATION = {
    CredentialState.TRUSTED: "trusted",
    CredentialState.VALID: "valid",
    CredentialState.INVALID: "invalid",
    CredentialState.UNREADABLE: "invalid",
    CredentialState.ABSENT: "not_present",
}

router = APIRouter()


@router.post("/v1/content_provenance_checks")
async def content_provenance_checks(request: Request) -> Response:
    """Which signals of provenance a file carries: a form's field `file`, or the body itself."""
    door = door_of(request)
    upload = await read_upload(request, door.limits.max_bytes)
    return await door.work(_answer, door, upload)


def _answer(door: Door, upload: Upload) -> Response:
    artifact = Artifact.from_bytes(upload.data, limits=door.limits)
    return Json(
        {
            "object": "content_provenance_check",
            "created_at": int(time.time()),
            "results": list(_results(door.app.verifier(), artifact)),
        }
    )


def _results(verifier: Verifier, artifact: Artifact) -> Iterator[dict[str, Any]]:
    verifier = replace(verifier, detectors=())  # this route is about signals, and not about suspicions
    bare = replace(verifier, watermarkers=()).verify(artifact)
    yield _c2pa(bare.credential)
    for engine in verifier.watermarkers:
        if engine.modality is artifact.modality:
            yield _mark(engine.name, replace(verifier, watermarkers=[engine]).verify(artifact))
    yield _ledger(bare.match)


def _c2pa(credential: Credential) -> dict[str, Any]:
    """The credential. Unless it holds, anyone may have written what it says."""
    holds = credential.state in (CredentialState.TRUSTED, CredentialState.VALID)
    return {
        "type": "c2pa",
        "outcome": _outcome(holds),
        "issuer": credential.issuer if holds else None,
        "model": credential.generator if holds else None,
        "generated_at": credential.created if holds else None,
        "validation_state": _VALIDATION[credential.state],
    }


def _mark(name: str, verdict: Verdict) -> dict[str, Any]:
    """One engine's mark. On other content than it was registered with, it vouches for nothing."""
    reading, found = verdict.reading, verdict.reading.state is ReadingState.FOUND
    return {
        "type": name,
        "outcome": _outcome(found),
        **_registered(verdict.match if found else LedgerMatch()),
        "payload": reading.payload.hex if reading.payload else None,
        "p_value": reading.p_value,
    }


def _ledger(match: LedgerMatch) -> dict[str, Any]:
    return {
        "type": "ledger",
        "outcome": _outcome(match.kind is not MatchKind.NONE),
        **_registered(match),
        "match": match.kind.value,
    }


def _registered(match: LedgerMatch) -> dict[str, Any]:
    entry = match.entry if match.same is not False else None
    return {
        "model": entry.model if entry else None,
        "generated_at": entry.created_at if entry else None,
        "release_id": entry.id if entry else None,
        "similarity": match.similarity,
    }


def _outcome(detected: bool) -> str:
    return "detected" if detected else "not_detected"
