"""Screening alone, for whoever releases by themselves: detectors and policy, no mark, no record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from detectors.base import Context, Finding
from detectors.run import inspect_all
from detectors.watching import Watching
from guard.api.door import Door
from guard.drafts import REFUSALS, facts
from guard.errors import BlockedError
from guard.media import Artifact, Modality
from guard.obligations import apply_obligations, spans_to_redact
from guard.pipeline import Origin
from guard.streaming.leaving import Leaving
from guard.verdict import finding_json
from policies.base import TOKEN, Action, Decision, StreamMode

__all__ = ["Screened", "Stage", "held_back", "screen", "unseen"]

Stage: TypeAlias = Literal["prompt", "output"]


@dataclass(frozen=True, slots=True)
class Screened:
    """What the policy says of an artifact. `shown` is what may leave of it, where something may and was seen;
    `changed` says whether that differs from what came."""

    decision: Decision
    findings: tuple[Finding, ...] = ()
    shown: Artifact | None = None
    changed: bool = False

    @property
    def allowed(self) -> bool:
        """Whether it may pass, changed or not."""
        return self.decision.action not in REFUSALS

    def as_json(self) -> dict[str, Any]:
        """Decision and findings, without the words that were found."""
        decision = self.decision
        return {
            "action": decision.action.value,
            "allowed": self.allowed,
            "rule": decision.rule,
            "reason": decision.reason,
            "policy": {"name": decision.policy, "sha256": decision.policy_sha256},
            "fired": [
                {"rule": hit.rule, "action": hit.action.value, "mode": hit.mode.value}
                for hit in decision.fired
            ],
            "findings": [
                finding_json(finding)
                | {"spans": [[span.start, span.end, span.label] for span in finding.spans]}
                | {"boxes": [[box.x, box.y, box.width, box.height, box.label] for box in finding.boxes]}
                for finding in self.findings
            ],
        }


def screen(
    door: Door, artifact: Artifact, origin: Origin, stage: Stage, *, everything: bool = False
) -> Screened:
    """Judge `artifact` as the release path would. Call it in a worker thread.

    With `everything`, detectors that no rule of the policy reads look at it too.

    As there, a prompt passes or does not; only outputs are redacted or labelled. An obligation that cannot
    be met is a block. Raises `InputError` for media that cannot be decoded.
    """
    artifact.decode()
    guard = door.guard
    context = Context(stage, origin.model, origin.caller) if everything else guard.context(stage, origin)
    findings = tuple(inspect_all(guard.detectors, artifact, context))
    decision = guard.policy.decide(facts(artifact.mime, artifact.modality, findings, origin, stage))
    if decision.action in REFUSALS:
        return Screened(decision, findings)
    if stage == "prompt":
        return Screened(decision, findings, artifact)
    try:
        shown = apply_obligations(artifact, decision, findings, guard.policy)
    except BlockedError as error:
        return Screened(_unmet(decision, error), findings)
    return Screened(decision, findings, shown, changed=shown.data != artifact.data)


def held_back(door: Door, text: str, screened: Screened, origin: Origin) -> int:
    """How many code points at the end of what is shown of `text` could look otherwise once more of it is
    there: those that `AnswerStream` would hold back, too."""
    guard = door.guard
    leaving = Leaving()
    leaving.add(text)
    leaving.redact(spans_to_redact(screened.decision, screened.findings, guard.policy))
    context = guard.context("output", origin)
    watching = Watching(guard.detectors, context, guard.policy.stream.window * TOKEN)
    safe = min(watching.feed(text), len(text))
    cleared = 0 if guard.policy.stream.mode is StreamMode.BUFFERED else len(leaving.shown(0, safe))
    return len(leaving.whole()) - cleared


def unseen(door: Door, modality: Modality, origin: Origin, stage: Stage) -> Screened:
    """Judge what nobody could look at: without scores, rules that ask for one follow their `on_error`."""
    decision = door.guard.policy.decide(facts("", modality, (), origin, stage))
    changes = (Action.BLUR, Action.LABEL, Action.REDACT)
    return Screened(decision, changed=any(map(decision.obliges, changes)))


def _unmet(decision: Decision, error: BlockedError) -> Decision:
    return replace(decision, action=Action.BLOCK, rule=error.rule, reason=error.reason)
