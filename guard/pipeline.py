"""The release path: nothing leaves before it is screened, decided on, marked, signed, proved and recorded.

request → screen the prompt → generate → screen the output → decide → apply obligations
        → mark → sign → prove → record → release
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from detectors.base import Context, Detector, Finding
from detectors.run import inspect_all, wanted
from guard.drafts import JSON, REFUSALS, Draft, Origin, Release, entry, facts, refusal, released
from guard.errors import (
    BlockedError,
    ConfigurationError,
    CredentialError,
    MarkError,
    SigningOutageError,
    TimestampError,
)
from guard.ledger import Ledger, Receipt, Status
from guard.media import Artifact, Modality
from guard.media.formats import PLAIN_TEXT
from guard.obligations import apply_obligations
from guard.outbox import Outbox
from guard.provenance.claim import IPTC, Claim, Edit
from guard.provenance.read import read
from guard.provenance.sign import Signed, sign
from guard.provenance.signer import Signer
from guard.provenance.trust import Trust
from guard.provenance.visible import visible_text
from guard.streaming.answer import AnswerStream
from guard.tokenmarks import Scheme, TokenMark
from guard.trace import Trace
from guard.watermark import Mark, Payload, Reading, ReadingState, Strength, Watermarker
from guard.watermark.tokens import TokenWatermarker
from models.base import GenerationRequest, Generator, WordChooser
from policies.base import Action, Decision, Outage, Timestamps
from policies.policy import Policy

__all__ = ["Guard", "Origin", "Release"]

logger = logging.getLogger(__name__)

_WAITS = "The signer is out of reach: this release is held, to be signed and delivered later."

_EDITS = {
    Action.REDACT: Edit("c2pa.edited", IPTC + "algorithmicMedia"),
    Action.BLUR: Edit("c2pa.edited", IPTC + "algorithmicMedia"),
    Action.LABEL: Edit("c2pa.addedText", IPTC + "algorithmicMedia"),
}
"""What obligations do to the media, as its manifest tells it."""


@dataclass(frozen=True)
class Guard:
    """The release path, with everything it needs.

    `watermarkers` holds the engine that marks each modality; `mark_key` is the newest key of the ring;
    `trust` must cover `signer`, since every release is validated before it leaves. `text_mark` is the
    mark that hosted text models put into their choice of words, None for none. `outbox` keeps what the policy
    lets wait for its signature. Assertions with a label in
    `redact` are taken out of the credentials that inputs came with.
    """

    policy: Policy
    detectors: Sequence[Detector]
    watermarkers: Mapping[Modality, Watermarker]
    mark_key: bytes
    signer: Signer
    trust: Trust
    ledger: Ledger
    trace: Trace = nullcontext
    text_mark: Scheme | None = None
    outbox: Outbox | None = None
    redact: Collection[str] = ()

    def generate(self, generator: Generator, request: GenerationRequest, *, route: str = "") -> list[Release]:
        """Admit the prompt, generate, release. Raises `BlockedError`, or `GenerationError` from the model."""
        card = generator.card
        request, words = self.with_mark(generator, request)
        origin = Origin(
            card.name, card.version, card.provider, request.prompt, request.caller, route, words=words
        )
        self.admit(origin)
        with self.trace("generate"):
            artifacts = generator.generate(request)
        return self.release(artifacts, origin)

    def with_mark(
        self, generator: Generator, request: GenerationRequest
    ) -> tuple[GenerationRequest, Watermarker | None]:
        """The request with the mark that a text model shall put into its choice of words, and what reads that
        back. As it was, and None, for other models and where no such mark is wanted."""
        if self.text_mark is None or not isinstance(generator, WordChooser):
            return request, None
        mark = TokenMark(self.text_mark, self.mark_key)
        reader = TokenWatermarker(self.text_mark, generator.tokenizer, generator.vocabulary)
        return replace(request, mark=mark), reader

    def admit(self, origin: Origin) -> None:
        """Screen a prompt before any model sees it. Raises `BlockedError`; the refusal is recorded first."""
        draft = self._prompt(origin)
        if draft.status is not Status.RELEASED:
            self._record([draft], origin)
            raise refusal(draft)

    def admits(self, origin: Origin) -> bool:
        """Whether `admit` would let the prompt pass; nothing is recorded."""
        return self._prompt(origin).status is Status.RELEASED

    def _prompt(self, origin: Origin) -> Draft:
        prompt = Artifact.from_text(origin.prompt or "")
        findings, decision = self._judge(prompt, origin, "prompt")
        return Draft(Payload.random(), prompt, decision, findings)

    def release(
        self, artifacts: Sequence[Artifact], origin: Origin, *, signing: Collection[int] = ()
    ) -> list[Release]:
        """Release all artifacts of one request, or none of them.

        Plain texts whose numbers are in `signing` get a credential even where the policy asks for none.
        Raises `BlockedError` when a rule forbids one (the refusal is recorded), or the signer is out of reach
        and the policy lets releases wait (all are recorded as held, and kept in the outbox); `MarkError` or
        `CredentialError` when a required mark or signature cannot be proved, `LedgerError` when nothing
        could be recorded. Nothing leaves in any of these cases.
        """
        drafts = [self._prepare(each, origin, number in signing) for number, each in enumerate(artifacts)]
        refused = [draft for draft in drafts if draft.decision.action in REFUSALS]
        refused = refused or self._kept_waiting(drafts, artifacts, origin)
        receipts = self._record(refused or drafts, origin)
        if refused:
            raise refusal(refused[0])
        return [released(draft, receipt) for draft, receipt in zip(drafts, receipts, strict=True)]

    def stream(self, origin: Origin) -> AnswerStream:
        """The release path for an answer whose texts are still being written; `admit` its origin first."""
        return AnswerStream(self, origin)

    def _prepare(self, artifact: Artifact, origin: Origin, signing: bool) -> Draft:
        payload = Payload.random()
        with self.trace("decode"):
            artifact.decode()
        findings, decision = self._judge(artifact, origin, "output")
        if signing and artifact.mime == PLAIN_TEXT:
            decision = decision.signed()
        if decision.action in REFUSALS:
            return Draft(payload, artifact, decision, findings)
        try:
            with self.trace("oblige"):
                shown = apply_obligations(artifact, decision, findings, self.policy)
        except BlockedError as error:
            unmet = replace(decision, action=Action.BLOCK, rule=error.rule, reason=error.reason)
            return Draft(payload, artifact, unmet, findings)
        draft = Draft(payload, shown, decision, findings)
        try:
            return self.evidenced(draft, artifact, origin)
        except SigningOutageError:
            if self.outbox is None or self.policy.on_signer_outage is not Outage.QUEUE:
                raise
            return self._waiting(draft, artifact, origin)

    def _waiting(self, draft: Draft, original: Artifact, origin: Origin) -> Draft:
        """The draft, marked and proved, as it waits for its signature."""
        unsigned = replace(draft.decision, requirements=replace(draft.decision.requirements, sign=False))
        marked = self.evidenced(replace(draft, decision=unsigned), original, origin)
        return replace(marked, decision=draft.decision, waits=_WAITS)

    def _kept_waiting(
        self, drafts: Sequence[Draft], artifacts: Sequence[Artifact], origin: Origin
    ) -> list[Draft]:
        """All the drafts, kept in the outbox, if one of them waits; none otherwise."""
        if self.outbox is None or not any(draft.waits for draft in drafts):
            return []
        waiting = [replace(draft, waits=_WAITS) for draft in drafts]
        for draft, original in zip(waiting, artifacts, strict=True):
            self.outbox.keep(draft, original, origin)
        return waiting

    def context(self, stage: Literal["prompt", "output"], origin: Origin) -> Context:
        """What detectors are told; of their signals, only those that a rule of the stage reads are wanted."""
        return Context(stage, origin.model, origin.caller, self.policy.signals(stage))

    def screening(self, modality: Modality, stage: Literal["prompt", "output"] = "output") -> list[Detector]:
        """The detectors that look at a modality in a stage, since a rule reads what they say."""
        return wanted(self.detectors, modality, Context(stage, signals=self.policy.signals(stage)))

    def _judge(
        self, artifact: Artifact, origin: Origin, stage: Literal["prompt", "output"]
    ) -> tuple[tuple[Finding, ...], Decision]:
        with self.trace("screen"):
            findings = tuple(inspect_all(self.detectors, artifact, self.context(stage, origin)))
        with self.trace("decide"):
            seen = facts(artifact.mime, artifact.modality, findings, origin, stage)
            return findings, self.policy.decide(seen)

    def evidenced(self, draft: Draft, original: Artifact, origin: Origin) -> Draft:
        """The draft with its mark and credential, both read back from the final bytes.

        A mark that cannot be read back is tried once more, stronger; then nothing leaves.
        """
        try:
            return self._marked_and_signed(draft, original, origin, Strength.DEFAULT)
        except MarkError:
            return self._marked_and_signed(draft, original, origin, Strength.ROBUST)

    def _marked_and_signed(
        self, draft: Draft, original: Artifact, origin: Origin, strength: Strength
    ) -> Draft:
        if draft.decision.requirements.mark and origin.words is None:
            with self.trace("mark"):
                artifact, mark = self._mark(draft.artifact, draft.payload, strength)
            draft = replace(draft, artifact=artifact, mark=mark)
        return self.sealed(draft, original, origin)

    def sealed(self, draft: Draft, original: Artifact, origin: Origin, *, embed: bool = True) -> Draft:
        """The draft, marked already where it has to be, with its credential, both read back.

        Without `embed` the bytes stay as they are, and the credential is laid beside them. Raises `MarkError`
        and `CredentialError`.
        """
        if draft.decision.requirements.sign:
            with self.trace("sign"):
                signed = self._signed(draft, original, origin, embed=embed)
            draft = replace(
                draft,
                artifact=signed.artifact,
                manifest=signed.manifest,
                manifest_label=signed.label,
                sidecar=None if signed.embedded else signed.manifest,
            )
        with self.trace("prove"):
            if origin.words is not None:
                draft = replace(draft, mark=self._in_words(draft, origin.words))
            self._prove(draft)
        return draft

    def carries(self, artifact: Artifact, mark: Mark) -> bool:
        """Whether the mark reads back from the artifact."""
        reading = self._watermarker(artifact.modality).read(artifact, keys=[self.mark_key])
        return mark.payload is not None and _carries(reading, mark.payload)

    def _in_words(self, draft: Draft, engine: Watermarker) -> Mark | None:
        """The mark in the choice of words, as far as it is there: short texts, code and others that left no
        choice have none. Raises `MarkError` where it has to be there."""
        seen = visible_text(draft.artifact.text).encode()
        reading = engine.read(replace(draft.artifact, data=seen), keys=[self.mark_key])
        if reading.state is ReadingState.FOUND:
            return Mark(engine.name, engine.alg, None)
        if draft.decision.requirements.mark:
            raise MarkError(
                f"No mark of '{engine.name}' can be read in this text: it is short, or left little choice.",
                "Ask for a longer text, or use a policy that does not require a mark.",
            )
        return None

    def _mark(self, artifact: Artifact, payload: Payload, strength: Strength) -> tuple[Artifact, Mark]:
        engine = self._watermarker(artifact.modality)
        marked = engine.embed(artifact, payload, key=self.mark_key, strength=strength)
        return marked, Mark(engine.name, engine.alg, payload)

    def _signed(self, draft: Draft, original: Artifact, origin: Origin, *, embed: bool) -> Signed:
        """The draft signed, with a time stamp as far as the policy wants one."""
        wanted, signer = self.policy.timestamps, self.signer
        if wanted is Timestamps.REQUIRED and not signer.timestamps:
            raise ConfigurationError(
                "The policy requires time stamps, but no authority is set to give them.",
                "Set GUARD_TIMESTAMPS.",
            )
        if wanted is Timestamps.NONE:
            signer = signer.without_timestamps()
        try:
            return self._sign(draft, original, origin, signer, embed=embed)
        except TimestampError as error:
            if wanted is Timestamps.REQUIRED:
                raise
            logger.warning("Release %s gets no time stamp: %s", draft.payload.hex, error)
            return self._sign(draft, original, origin, signer.without_timestamps(), embed=embed)

    def _sign(
        self, draft: Draft, original: Artifact, origin: Origin, signer: Signer, *, embed: bool
    ) -> Signed:
        mark = draft.mark
        if draft.artifact.mime == JSON:  # it travels inside an answer, which has no place for a sidecar
            raise CredentialError("JSON cannot carry text credentials.", "Ask for plain text.")
        claim = Claim(
            title=f"Release {draft.payload.hex}",
            release_id=draft.payload.hex,
            created_at=datetime.now(UTC),
            model_name=origin.model,
            model_version=origin.model_version,
            provider=origin.provider,
            soft_binding=(mark.alg, mark.payload.hex) if mark and mark.payload else None,
            human_oversight="prompt_guided" if origin.prompt else None,
            edits=tuple(edit for action, edit in _EDITS.items() if draft.decision.obliges(action)),
        )
        return sign(
            draft.artifact,
            claim,
            signer,
            # Not the marked copy: re-encoding has dropped whatever credentials it came with.
            ingredient=original,
            inputs=origin.inputs,
            redact=self.redact,
            embed=embed,
        )

    def _prove(self, draft: Draft) -> None:
        """Read mark and credential back from what is about to leave."""
        mark = draft.mark
        if mark is not None and mark.payload is not None and not self.carries(draft.artifact, mark):
            raise MarkError(
                f"The mark of engine '{mark.engine}' could not be read back.",
                "Use a larger or less uniform picture, or a policy that does not require a mark.",
            )
        if draft.manifest is not None:
            credential = read(draft.artifact, trust=self.trust, manifest=draft.sidecar)
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

    def _record(self, drafts: Sequence[Draft], origin: Origin) -> list[Receipt]:
        with self.trace("record"):
            return self.ledger.record([entry(draft, origin, self.policy) for draft in drafts])


def _carries(reading: Reading, wanted: Payload) -> bool:
    """Whether the mark was read back: whole, or the upper bits that a short clip or small engine holds."""
    if reading.payload is not None:
        return reading.state is ReadingState.FOUND and reading.payload == wanted
    held = reading.state in (ReadingState.FOUND, ReadingState.CANDIDATE)
    return held and reading.short_id == wanted.prefix(reading.short_bits)
