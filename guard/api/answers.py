"""What leaves: JSON, and the evidence that goes with a release."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from guard.ledger import Receipt
from guard.pipeline import Release
from models.upstream import Answer

__all__ = [
    "RECEIPT",
    "RELEASE_ID",
    "Json",
    "dump",
    "event",
    "evidence",
    "forwarded",
    "named",
    "receipt_header",
    "relayed",
]

RELEASE_ID = "x-guard-release-id"
"""The header that names the release where an answer is the file itself."""
RECEIPT = "x-guard-receipt"
"""The header that brings the file's receipt: its JSON in base64url, without padding."""

_FORWARDED = re.compile(
    r"x-ratelimit-[a-z0-9-]{1,64}|retry-after|retry-after-ms|x-should-retry"
    r"|openai-(?:model|poll-after-ms|processing-ms|version)"
)
_A_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?")


def forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    """Those of an upstream's headers (names in lower case) that go on to the caller: limits, waits, timing.

    Never cookies, credentials, the account that Guard asks with, or what belongs to one connection or body;
    and no value that is not one short line of printable ASCII.
    """
    return {
        name: value
        for name, value in headers.items()
        if _FORWARDED.fullmatch(name) and _A_VALUE.fullmatch(value)
    }


def dump(value: object) -> bytes:
    """`value` as JSON. ASCII alone, so that whatever an upstream sent can be written, lone surrogates too."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")


class Json(Response):
    """A JSON answer. Make large ones in a worker thread: encoding happens when it is made."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return dump(content)


def receipt_header(receipt: Receipt) -> dict[str, str]:
    """The header that brings a receipt."""
    return {RECEIPT: base64.urlsafe_b64encode(dump(receipt.as_json())).decode().rstrip("=")}


def named(release: Release) -> dict[str, str]:
    """The headers that go with an answer which is a released file: its id and its receipt."""
    return {RELEASE_ID: release.id} | receipt_header(release.receipt)


def relayed(answer: Answer) -> Json:
    """An upstream's answer as it is. Encodes it: call it in a worker thread for large ones."""
    return Json(answer.body, headers=forwarded(answer.headers))


def event(value: Mapping[str, Any]) -> bytes:
    """`value` as a server-sent event of the type that it names itself."""
    kind = value.get("type")
    line = f"event: {kind}\n".encode() if isinstance(kind, str) and _A_VALUE.fullmatch(kind) else b""
    return line + b"data: %s\n\n" % dump(value)


def evidence(release: Release) -> dict[str, Any]:
    """The `guard` object of one released artifact; `mark` names the engine of the mark that it carries, and
    `signed` says whether it carries a credential."""
    return {
        "release_id": release.id,
        "sha256": release.artifact.sha256,
        "action": release.decision.action.value,
        "mark": release.mark.engine if release.mark else None,
        "signed": release.decision.requirements.sign,
        "receipt": release.receipt.as_json(),
    }
