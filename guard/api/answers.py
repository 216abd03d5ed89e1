"""What leaves: JSON, and the evidence that goes with a release."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from guard.pipeline import Release

__all__ = ["Json", "dump", "evidence"]


def dump(value: object) -> bytes:
    """`value` as JSON. ASCII alone, so that whatever an upstream sent can be written, lone surrogates too."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")


class Json(Response):
    """A JSON answer. Make large ones in a worker thread: encoding happens when it is made."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return dump(content)


def evidence(release: Release) -> dict[str, Any]:
    """The `guard` object of one released artifact."""
    return {
        "release_id": release.id,
        "sha256": release.artifact.sha256,
        "action": release.decision.action.value,
        "receipt": release.receipt.as_json(),
    }
