"""What the release path works on: where an artifact comes from, the artifact on its way out, its record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal

from detectors.base import Finding
from guard.errors import BlockedError
from guard.ledger import Entry, MarkEntry, Receipt, Status
from guard.media import Artifact, Modality
from guard.provenance.ingredients import Input
from guard.provenance.visible import visible_text
from guard.sketches import Seen
from guard.watermark import Mark, Payload, Watermarker
from policies.base import Action, Decision, Facts
from policies.policy import Policy

__all__ = [
    "JSON",
    "REFUSALS",
    "Draft",
    "Origin",
    "Release",
    "entry",
    "facts",
    "jsonable",
    "of_text",
    "refusal",
    "released",
]

JSON = "application/json"
REFUSALS = {Action.BLOCK: Status.BLOCKED, Action.REVIEW: Status.HELD}
_LEFT = (Status.RELEASED, Status.CUT)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an artifact comes from. `route` is `chat` for text that travels inside a JSON answer.

    `words` reads the mark that a hosted text model put into its choice of words; None where it put none.
    `inputs` are the files that the model was given: they become ingredients of the release.
    """

    model: str
    model_version: str = ""
    provider: str = ""
    prompt: str | None = None
    caller: str | None = None
    route: str = ""
    user: Mapping[str, str] = field(default_factory=dict)
    words: Watermarker | None = None
    inputs: tuple[Input, ...] = ()


@dataclass(frozen=True, slots=True)
class Release:
    """What left, and the evidence for it.

    `sidecar` is the manifest of a file whose format cannot hold one: send it along.
    """

    id: str
    artifact: Artifact
    decision: Decision
    findings: tuple[Finding, ...]
    mark: Mark | None
    receipt: Receipt
    sidecar: bytes | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An artifact on its way out: not released before its record is durable. `waits` is the reason why it is
    not signed yet, and so kept back although it may leave; empty where there is none."""

    payload: Payload
    artifact: Artifact
    decision: Decision
    findings: tuple[Finding, ...]
    mark: Mark | None = None
    manifest: bytes | None = None
    manifest_label: str | None = None
    sidecar: bytes | None = None
    waits: str = ""

    @property
    def status(self) -> Status:
        """What the decision makes of it; what waits for its signature is held."""
        return REFUSALS.get(self.decision.action, Status.HELD if self.waits else Status.RELEASED)


def of_text(text: str, *, program: bool = False) -> Artifact:
    """The text as an artifact; as `application/json`, which no label may break, where it is JSON or a
    `program` is known to read it. Raises `MalformedMediaError` for characters that no text holds."""
    artifact = Artifact.from_text(text)
    return replace(artifact, mime=JSON) if program or _is_json(text) else artifact


def facts(
    mime: str,
    modality: Modality,
    findings: Sequence[Finding],
    origin: Origin,
    stage: Literal["prompt", "output"],
) -> Facts:
    """What the policy judges."""
    scores: dict[str, float] = {}
    for finding in findings:
        if finding.score is not None:
            scores[finding.signal] = max(finding.score, scores.get(finding.signal, 0.0))
    failed = {name for f in findings if f.error is not None for name in _signals(f)}
    return Facts(
        stage=stage,
        modality=modality,
        mime=mime,
        scores=scores,
        errors={f.detector: f.error for f in findings if f.error is not None},
        inconclusive={
            f.signal: f.inconclusive
            for f in findings
            if f.state == "inconclusive" and f.signal not in scores and f.signal not in failed
        },
        model=origin.model,
        route=origin.route,
        user=origin.user,
    )


def _signals(failure: Finding) -> list[str]:
    """The signals that are missing because a detector failed."""
    return [failure.signal, *failure.details.get("signals", ())]


def entry(
    draft: Draft, origin: Origin, policy: Policy, status: Status | None = None, ended: str = ""
) -> Entry:
    """The draft's row; `status` is that of its decision unless given, `ended` says why a stream was cut."""
    artifact, mark = draft.artifact, draft.mark
    status, ended = status or draft.status, ended or draft.waits
    decision = jsonable(draft.decision)
    seen = Seen(artifact) if status in _LEFT else None
    return Entry(
        id=draft.payload.hex,
        status=status,
        modality=artifact.modality,
        mime=artifact.mime,
        sha256=artifact.sha256,
        content_sha256=_content_hash(artifact),
        prompt_sha256=None if origin.prompt is None else hashlib.sha256(origin.prompt.encode()).hexdigest(),
        size=len(artifact.data),
        model=origin.model,
        model_version=origin.model_version,
        caller=origin.caller,
        policy=policy.name,
        policy_sha256=policy.sha256,
        action=draft.decision.action,
        rule=draft.decision.rule,
        decision=decision | {"ended": ended} if ended else decision,
        findings=[jsonable(finding) for finding in draft.findings],
        marks=(_mark(mark, draft.payload),) if mark else (),
        manifest=draft.manifest,
        manifest_label=draft.manifest_label,
        sketch=seen.sketch() if seen else None,
        fingerprints=tuple(seen.fingerprints()) if seen else (),
    )


def released(draft: Draft, receipt: Receipt) -> Release:
    """The draft, now that it is on record."""
    return Release(
        draft.payload.hex,
        draft.artifact,
        draft.decision,
        draft.findings,
        draft.mark,
        receipt,
        draft.sidecar,
    )


def refusal(draft: Draft) -> BlockedError:
    """The error that tells of a draft which must not leave, or not yet."""
    if draft.status is Status.HELD and draft.waits:
        return BlockedError("on_signer_outage", draft.waits, draft.payload.hex)
    return BlockedError(draft.decision.rule or "default", draft.decision.reason, draft.payload.hex)


def _mark(mark: Mark, release: Payload) -> MarkEntry:
    """The mark's row; a mark that carries nothing stands under its release's own id, which no other has."""
    payload = mark.payload or release
    return MarkEntry(mark.engine, mark.alg, payload.hex, payload.short_id)


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _content_hash(artifact: Artifact) -> str | None:
    if artifact.modality is not Modality.TEXT:
        return None
    return hashlib.sha256(visible_text(artifact.text).encode()).hexdigest()


def jsonable(value: Any) -> Any:
    """The value as JSON has it: dataclasses become objects, tuples lists."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if is_dataclass(value):
        return {each.name: jsonable(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(item) for item in value]
    return value
