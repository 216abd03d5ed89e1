"""A policy: loaded from YAML, it turns facts into a decision."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from os import PathLike
from pathlib import Path

from guard.errors import PolicyError
from guard.media import Modality
from guard.yamlfile import Document, YamlFileError, parse, read
from policies.base import Action, Decision, Facts, Fired, Mode, Outage, Requirements, Timestamps
from policies.conditions import Condition, ConditionError, EvaluationError, Seen
from policies.reading import names_read
from policies.schema import PolicyFile, Require, RuleEntry, Stage, Stream

__all__ = ["Policy", "Rule", "default", "load", "loads"]

_STRICTNESS = {action: rank for rank, action in enumerate(Action)}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what is written, its compiled condition, what to report when that holds, and the signals and
    detectors that it reads, None where it may read any."""

    entry: RuleEntry
    condition: Condition
    hit: Fired
    reads: frozenset[str] | None

    def judge(self, seen: Seen) -> Fired | None:
        """What came of the rule, or None where its condition is false."""
        try:
            return self.hit if seen.holds(self.condition) else None
        except EvaluationError as error:
            entry = self.entry
            return Fired(entry.id, entry.on_error, entry.mode, entry.reason, str(error))


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules in order, and what a release must carry. Safe to share between threads."""

    name: str
    version: str
    description: str
    sha256: str
    rules: tuple[Rule, ...]
    require: Require
    stream: Stream
    on_signer_outage: Outage = Outage.BLOCK
    timestamps: Timestamps = Timestamps.PREFERRED

    def decide(self, facts: Facts) -> Decision:
        """Judge the rules of the facts' stage in order; the strictest enforced action wins.

        An enforced `allow` whose condition holds ends the evaluation: what fired before it still counts. An
        `allow` that comes from `on_error` does not. Rules in shadow are recorded and change nothing.
        """
        seen = Seen(facts)
        fired: list[Fired] = []
        for rule in self.rules:
            if facts.stage not in rule.entry.stages:
                continue
            if hit := rule.judge(seen):
                fired.append(hit)
                if hit.action is Action.ALLOW and hit.mode is Mode.ENFORCE and hit.error is None:
                    break
        return self._conclude(facts, tuple(fired))

    def signals(self, stage: Stage) -> frozenset[str] | None:
        """The signals, and ids of detectors, that rules of a stage read, also those in shadow; None where one
        of them may read any. Nothing else need be worked out to decide."""
        names: set[str] = set()
        for rule in self.rules:
            if stage in rule.entry.stages:
                if rule.reads is None:
                    return None
                names |= rule.reads
        return frozenset(names)

    def requirements(self, modality: Modality, route: str = "") -> Requirements:
        """What a release must carry; on the route "chat", `text` fills what `chat` leaves out."""
        wanted = getattr(self.require, modality.value)
        mark, sign = wanted.mark, wanted.sign
        if modality is Modality.TEXT and route == "chat":
            chat = self.require.chat
            mark = mark if chat.mark is None else chat.mark
            sign = sign if chat.sign is None else chat.sign
        return Requirements(mark=mark is not False, sign=sign is not False)

    def redacts(self, decision: Decision, detector: str, label: str) -> bool:
        """Whether `decision` obliges to redact spans with this label from this detector."""
        return self._hides(Action.REDACT, decision, detector, label)

    def blurs(self, decision: Decision, detector: str, label: str) -> bool:
        """Whether `decision` obliges to blur boxes with this label from this detector."""
        return self._hides(Action.BLUR, decision, detector, label)

    def _hides(self, action: Action, decision: Decision, detector: str, label: str) -> bool:
        asking = {f.rule for f in decision.fired if f.action is action and f.mode is Mode.ENFORCE}
        entries = (rule.entry for rule in self.rules if rule.entry.id in asking)
        return any(
            (entry.detector is None or entry.detector == detector)
            and (entry.labels is None or label in entry.labels)
            for entry in entries
        )

    def _conclude(self, facts: Facts, fired: tuple[Fired, ...]) -> Decision:
        enforced = [hit for hit in fired if hit.mode is Mode.ENFORCE]
        top = max(enforced, key=lambda hit: _STRICTNESS[hit.action], default=None)
        return Decision(
            action=top.action if top else Action.ALLOW,
            rule=top.rule if top else None,
            reason=_reason(top),
            fired=fired,
            requirements=self.requirements(facts.modality, facts.route),
            policy=self.name,
            policy_sha256=self.sha256,
        )


def load(path: str | PathLike[str]) -> Policy:
    """The policy in a file. Raises `PolicyError` with line and column."""
    try:
        text = read(Path(path))
    except YamlFileError as error:
        raise _policy_error(error, str(path)) from error
    return loads(text, source=str(path))


def loads(text: str, source: str = "policy") -> Policy:
    """The policy in a text; `source` names it in errors. Raises `PolicyError` with line and column."""
    try:
        document = parse(text)
        file = document.validate(PolicyFile)
        _refuse_repeated_ids(document, file)
        rules = tuple(_rule(document, number, entry) for number, entry in enumerate(file.rules))
    except YamlFileError as error:
        raise _policy_error(error, source) from error
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Policy(
        file.name,
        file.version,
        file.description,
        digest,
        rules,
        file.require,
        file.stream,
        file.on_signer_outage,
        file.timestamps,
    )


@cache
def default() -> Policy:
    """The policy that Guard ships."""
    text = files("policies").joinpath("default.yaml").read_text(encoding="utf-8")
    return loads(text, source="policies/default.yaml")


def _rule(document: Document, number: int, entry: RuleEntry) -> Rule:
    try:
        hit = Fired(entry.id, entry.action, entry.mode, entry.reason)
        return Rule(entry, Condition(entry.when), hit, _reads(entry))
    except ConditionError as error:
        place = document.place_inside(("rules", number, "when"), error.offset)
        raise YamlFileError(f"rule '{entry.id}': {error.message}", place) from error


def _reads(entry: RuleEntry) -> frozenset[str] | None:
    """What the rule's condition reads, and its redaction: any, where neither names a detector or signal."""
    names = names_read(entry.when)
    if names is None or entry.action not in (Action.BLUR, Action.REDACT):
        return names
    if entry.detector is not None:
        return names | {entry.detector}
    return names or None


def _refuse_repeated_ids(document: Document, file: PolicyFile) -> None:
    first: dict[str, int] = {}
    for number, entry in enumerate(file.rules):
        place = document.place(("rules", number, "id"))
        if entry.id in first:
            raise YamlFileError(
                f"rule id '{entry.id}' is taken by the rule on line {first[entry.id]}.", place
            )
        first[entry.id] = place.line


def _policy_error(error: YamlFileError, source: str) -> PolicyError:
    return PolicyError(error.message, line=error.place.line, column=error.place.column, source=source)


def _reason(top: Fired | None) -> str:
    if top is None:
        return "No enforced rule fired."
    if top.error is None:
        return top.reason
    return f"The rule could not be judged ({top.error}), so its on_error applies. {top.reason}"
