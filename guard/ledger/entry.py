"""The record of one release, or of one refusal to release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from guard.ledger.fingerprint import Fingerprint
from guard.ledger.log.inclusion import Inclusion

__all__ = ["Entry", "MarkEntry", "Receipt", "Status", "utc_now"]


def utc_now() -> str:
    """The present moment in ISO 8601, UTC, to the microsecond: sorts as text."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Status(StrEnum):
    """What became of the artifact.

    `STREAMING`: its first byte may leave, and its row awaits completion. `CUT`: it ended early, since the
    caller left or the upstream broke; hash and size are of what had left. A stream that a rule stopped midway
    is `BLOCKED`, its hash and size likewise those of what had left.
    """

    RELEASED = "released"
    STREAMING = "streaming"
    CUT = "cut"
    BLOCKED = "blocked"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class MarkEntry:
    """A mark that the released bytes carry: `payload` as 16 hexadecimal digits, `short_id` its upper half."""

    engine: str
    alg: str
    payload: str
    short_id: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the ledger. The media themselves are not kept: hashes, decision, findings, marks, manifest
    and a perceptual sketch are.

    `sha256` hashes the exact bytes; `content_sha256` hashes the text without its manifest (text only), so
    that a copy which lost its invisible characters is still known. `prompt_sha256` lets an auditor check a
    prompt that they hold without the ledger keeping it. `manifest_label` is the URN of the active manifest.
    `fingerprints` are what it is to be filed under: entries that the ledger gives out have none
    (`Ledger.fingerprints`).
    """

    id: str
    status: Status
    modality: str
    mime: str
    sha256: str
    size: int
    model: str
    model_version: str
    policy: str
    policy_sha256: str
    action: str
    decision: Mapping[str, Any]
    findings: Sequence[Mapping[str, Any]]
    rule: str | None = None
    content_sha256: str | None = None
    prompt_sha256: str | None = None
    caller: str | None = None
    marks: tuple[MarkEntry, ...] = ()
    manifest: bytes | None = None
    manifest_label: str | None = None
    sketch: bytes | None = None
    fingerprints: tuple[Fingerprint, ...] = field(default=(), compare=False)
    created_at: str = field(default_factory=utc_now)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The ledger's word that a release is on record: its position and time, and the proof that the log has
    it, None only before that is written."""

    release_id: str
    index: int
    recorded_at: str
    inclusion: Inclusion | None = None

    def as_json(self) -> dict[str, Any]:
        """The receipt as it appears in API answers."""
        receipt = {"release_id": self.release_id, "index": self.index, "recorded_at": self.recorded_at}
        return receipt | self.inclusion.as_json() if self.inclusion else receipt
