"""The release path: nothing leaves before it is screened, decided on, marked, signed, proved and recorded.

request → screen the prompt → generate → screen the output → decide → apply obligations
        → mark → sign → prove → record → release
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from detectors.base import Context, Detector, Finding
from detectors.run import inspect_all
from guard.errors import BlockedError, ConfigurationError, CredentialError, MarkError
from guard.ledger import Entry, Ledger, MarkEntry, Receipt, Status
from guard.media import Artifact, Modality
from guard.obligations import apply_obligations
from guard.provenance.manifest import Claim
from guard.provenance.read import read
from guard.provenance.sign import Signed, sign
from guard.provenance.signer import Signer
from guard.provenance.visible import visible_text
from guard.sketches import sketch_of
from guard.trace import Trace
from guard.watermark import Mark, Payload, ReadingState, Strength, Watermarker
from models.base import GenerationRequest, Generator
from policies.base import Action, Decision, Facts
from policies.policy import Policy

__all__ = ["Guard", "Origin", "Release"]

_REFUSALS = {Action.BLOCK: Status.BLOCKED, Action.REVIEW: Status.HELD}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an artifact comes from. `route` is `chat` for text that travels inside a JSON answer."""

    model: str
    model_version: str = ""
    provider: str = ""
    prompt: str | None = None
    caller: str | None = None
    route: str = ""
    user: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Release:
    """What left, and the evidence for it."""

    id: str
    artifact: Artifact
    decision: Decision
    findings: tuple[Finding, ...]
    mark: Mark | None
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class _Draft:
    """An artifact on its way out: not released before its record is durable."""

    payload: Payload
    artifact: Artifact
    decision: Decision
    findings: tuple[Finding, ...]
    mark: Mark | None = None
    manifest: bytes | None = None

    @property
    def status(self) -> Status:
        return _REFUSALS.get(self.decision.action, Status.RELEASED)


@dataclass(frozen=True)
class Guard:
    """The release path, with everything it needs.

    `watermarkers` holds the engine that marks each modality; `mark_key` is the newest key of the ring;
    `anchors` (PEM) must cover `signer`, since every release is validated before it leaves.
    """

    policy: Policy
    detectors: Sequence[Detector]
    watermarkers: Mapping[Modality, Watermarker]
    mark_key: bytes
    signer: Signer
    anchors: str
    ledger: Ledger
    trace: Trace = nullcontext

    def generate(self, generator: Generator, request: GenerationRequest, *, route: str = "") -> list[Release]:
        """Admit the prompt, generate, release. Raises `BlockedError`, or `GenerationError` from the model."""
        card = generator.card
        origin = Origin(card.name, card.version, card.provider, request.prompt, request.caller, route)
        self.admit(origin)
        with self.trace("generate"):
            artifacts = generator.generate(request)
        return self.release(artifacts, origin)

    def admit(self, origin: Origin) -> None:
        """Screen a prompt before any model sees it. Raises `BlockedError`; the refusal is recorded first."""
        prompt = Artifact.from_text(origin.prompt or "")
        findings, decision = self._judge(prompt, origin, "prompt")
        draft = _Draft(Payload.random(), prompt, decision, findings)
        if draft.status is not Status.RELEASED:
            self._record([draft], origin)
            raise _refusal(draft)

    def release(self, artifacts: Sequence[Artifact], origin: Origin) -> list[Release]:
        """Release all artifacts of one request, or none of them.

        Raises `BlockedError` when a rule forbids one (the refusal is recorded), `MarkError` or
        `CredentialError` when a required mark or signature cannot be proved, `LedgerError` when nothing
        could be recorded. Nothing leaves in any of these cases.
        """
        drafts = [self._prepare(artifact, origin) for artifact in artifacts]
        refused = [draft for draft in drafts if draft.status is not Status.RELEASED]
        receipts = self._record(refused or drafts, origin)
        if refused:
            raise _refusal(refused[0])
        return [
            Release(d.payload.hex, d.artifact, d.decision, d.findings, d.mark, receipt)
            for d, receipt in zip(drafts, receipts, strict=True)
        ]

    def _prepare(self, artifact: Artifact, origin: Origin) -> _Draft:
        payload = Payload.random()
        with self.trace("decode"):
            artifact.decode()
        findings, decision = self._judge(artifact, origin, "output")
        if decision.action in _REFUSALS:
            return _Draft(payload, artifact, decision, findings)
        try:
            with self.trace("oblige"):
                shown = apply_obligations(artifact, decision, findings, self.policy)
        except BlockedError as error:
            unmet = replace(decision, action=Action.BLOCK, rule=error.rule, reason=error.reason)
            return _Draft(payload, artifact, unmet, findings)
        return self._evidence(_Draft(payload, shown, decision, findings), artifact, origin)

    def _judge(
        self, artifact: Artifact, origin: Origin, stage: Literal["prompt", "output"]
    ) -> tuple[tuple[Finding, ...], Decision]:
        with self.trace("screen"):
            findings = tuple(
                inspect_all(self.detectors, artifact, Context(stage, origin.model, origin.caller))
            )
        with self.trace("decide"):
            return findings, self.policy.decide(_facts(artifact, findings, origin, stage))

    def _evidence(self, draft: _Draft, original: Artifact, origin: Origin) -> _Draft:
        """The draft with its mark and credential, both read back from the final bytes.

        A mark that cannot be read back is tried once more, stronger; then nothing leaves.
        """
        try:
            return self._marked_and_signed(draft, original, origin, Strength.DEFAULT)
        except MarkError:
            return self._marked_and_signed(draft, original, origin, Strength.ROBUST)

    def _marked_and_signed(
        self, draft: _Draft, original: Artifact, origin: Origin, strength: Strength
    ) -> _Draft:
        artifact, mark, manifest = draft.artifact, None, None
        if draft.decision.requirements.mark:
            with self.trace("mark"):
                artifact, mark = self._mark(artifact, draft.payload, strength)
        if draft.decision.requirements.sign:
            with self.trace("sign"):
                signed = self._sign(artifact, original, draft.payload, mark, origin)
            artifact, manifest = signed.artifact, signed.manifest
        with self.trace("prove"):
            self._prove(artifact, mark, signed=manifest is not None)
        return _Draft(draft.payload, artifact, draft.decision, draft.findings, mark, manifest)

    def _mark(self, artifact: Artifact, payload: Payload, strength: Strength) -> tuple[Artifact, Mark]:
        engine = self._watermarker(artifact.modality)
        marked = engine.embed(artifact, payload, key=self.mark_key, strength=strength)
        return marked, Mark(engine.name, engine.alg, payload)

    def _sign(
        self, artifact: Artifact, original: Artifact, payload: Payload, mark: Mark | None, origin: Origin
    ) -> Signed:
        claim = Claim(
            title=f"Release {payload.hex}",
            release_id=payload.hex,
            created_at=datetime.now(UTC),
            model_name=origin.model,
            model_version=origin.model_version,
            provider=origin.provider,
            soft_binding=(mark.alg, mark.payload.hex) if mark else None,
            human_oversight="prompt_guided" if origin.prompt else None,
        )
        # The original, not the marked copy: re-encoding has dropped whatever credentials it came with.
        return sign(artifact, claim, self.signer, ingredient=original)

    def _prove(self, artifact: Artifact, mark: Mark | None, *, signed: bool) -> None:
        """Read mark and credential back from the bytes that are about to leave."""
        if mark is not None:
            reading = self._watermarker(artifact.modality).read(artifact, keys=[self.mark_key])
            if not _carries(reading.state, reading.payload, reading.short_id, mark.payload):
                raise MarkError(
                    f"The mark of engine '{mark.engine}' could not be read back.",
                    "Use a larger or less uniform picture, or a policy that does not require a mark.",
                )
        if signed:
            credential = read(artifact, anchors=self.anchors)
            if credential.state != "trusted":
                raise CredentialError(
                    f"The new credential reads back as {credential.state}: {', '.join(credential.codes)}.",
                    "Check that GUARD_HOME/keys/anchors.pem holds the signer's root.",
                )

    def _watermarker(self, modality: Modality) -> Watermarker:
        if modality not in self.watermarkers:
            raise ConfigurationError(
                f"The policy requires a mark, but no engine marks {modality}.",
                f"Set `require: {modality}: mark: false` in the policy.",
            )
        return self.watermarkers[modality]

    def _record(self, drafts: Sequence[_Draft], origin: Origin) -> list[Receipt]:
        with self.trace("record"):
            return self.ledger.record([_entry(draft, origin, self.policy) for draft in drafts])


def _facts(
    artifact: Artifact, findings: Sequence[Finding], origin: Origin, stage: Literal["prompt", "output"]
) -> Facts:
    scores: dict[str, float] = {}
    for finding in findings:
        if finding.score is not None:
            scores[finding.signal] = max(finding.score, scores.get(finding.signal, 0.0))
    return Facts(
        stage=stage,
        modality=artifact.modality,
        mime=artifact.mime,
        scores=scores,
        errors={f.detector: f.error for f in findings if f.error is not None},
        model=origin.model,
        route=origin.route,
        user=origin.user,
    )


def _carries(state: ReadingState, read: Payload | None, short_id: int | None, wanted: Payload) -> bool:
    if state is ReadingState.FOUND:
        return read == wanted
    return state is ReadingState.CANDIDATE and short_id == wanted.short_id


def _refusal(draft: _Draft) -> BlockedError:
    return BlockedError(draft.decision.rule or "default", draft.decision.reason, draft.payload.hex)


def _entry(draft: _Draft, origin: Origin, policy: Policy) -> Entry:
    artifact, mark = draft.artifact, draft.mark
    released = draft.status is Status.RELEASED
    return Entry(
        id=draft.payload.hex,
        status=draft.status,
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
        decision=_jsonable(asdict(draft.decision)),
        findings=[_jsonable(asdict(finding)) for finding in draft.findings],
        marks=(MarkEntry(mark.engine, mark.alg, mark.payload.hex, mark.payload.short_id),) if mark else (),
        manifest=draft.manifest,
        sketch=sketch_of(artifact) if released else None,
    )


def _content_hash(artifact: Artifact) -> str | None:
    if artifact.modality is not Modality.TEXT:
        return None
    return hashlib.sha256(visible_text(artifact.text).encode()).hexdigest()


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(item) for item in value]
    return value
