"""Released sound as an answer: the file itself, or in events."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from guard.api.answers import RELEASE_ID, event, evidence, receipt_header
from guard.pipeline import Release

__all__ = ["CREDENTIAL", "delta", "done", "headers_of", "sound_answer"]

CREDENTIAL = "x-guard-credential"
"""The header that says where the credential is when it is not in the file."""

_BESIDE = "not in the file: the ledger of this Guard keeps it as a sidecar, and POST /v1/verify validates it"


def sound_answer(release: Release, events: bool, headers: Mapping[str, str] | None = None) -> Response:
    """A whole release. Call it in a worker thread: base64 of much sound takes its time."""
    named = {**(headers or {}), **headers_of(release.id, beside=release.sidecar is not None)}
    named |= receipt_header(release.receipt)
    if not events:
        return Response(release.artifact.data, media_type=release.artifact.mime, headers=named)
    body = delta(release.artifact.data) + done(release, {})
    named["cache-control"] = "no-cache"
    return Response(body, media_type="text/event-stream", headers=named)


def headers_of(release_id: str, *, beside: bool) -> dict[str, str]:
    """What names a release, and says in words where its credential is if that is `beside` the file."""
    return {RELEASE_ID: release_id} | ({CREDENTIAL: _BESIDE} if beside else {})


def delta(sound: bytes) -> bytes:
    """The event that brings these bytes."""
    return event({"type": "speech.audio.delta", "audio": base64.b64encode(sound).decode("ascii")})


def done(release: Release, fields: Mapping[str, Any]) -> bytes:
    """The last event, with what the upstream said in its own. Sound made here cost no tokens."""
    usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    return event({"usage": usage, **fields, "type": "speech.audio.done", "guard": evidence(release)})
