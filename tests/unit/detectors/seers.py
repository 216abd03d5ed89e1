"""Detectors that tests make: they say what they are told to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from detectors import Context, DetectorCard, Finding, abstained
from detectors.explain import Explanation
from guard.media import Artifact, Modality

Told = Callable[[Artifact], Sequence[Finding]]


def card(name: str = "seer", **fields: Any) -> DetectorCard:
    """A card for tests, of a detector of text unless told otherwise."""
    about = {"signal": "tone", "modalities": frozenset({Modality.TEXT})} | fields
    return DetectorCard(id=name, version="1", description="For tests.", licence="MIT", **about)


class Seer:
    """Answers what `say` makes of an artifact."""

    def __init__(self, say: Told, **fields: Any) -> None:
        self.card = card(**fields)
        self.say = say
        self.contexts: list[Context] = []

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
        self.contexts.append(context)
        return self.say(artifact)


class Many(Seer):
    """Takes batches; one that holds a text "bad" fails as a whole."""

    def __init__(self, say: Told, **fields: Any) -> None:
        super().__init__(say, **fields)
        self.batches: list[int] = []

    def inspect_many(self, artifacts: Sequence[Artifact], context: Context) -> Sequence[Sequence[Finding]]:
        self.batches.append(len(artifacts))
        return [self.say(artifact) for artifact in artifacts]


class Reasoner(Seer):
    """Explains itself with what it is given."""

    def __init__(self, say: Told, why: Explanation | Exception | None, **fields: Any) -> None:
        super().__init__(say, **fields)
        self.why = why

    def explain(self, artifact: Artifact, context: Context) -> Explanation | None:
        if isinstance(self.why, Exception):
            raise self.why
        return self.why


def found(score: float, signal: str = "tone", name: str = "seer", **fields: Any) -> Finding:
    """A scored finding."""
    return replace(Finding(name, "1", signal, score, 0.5), **fields)


def nothing(signal: str = "tone", why: str = "There is too little of it.") -> Finding:
    """An abstention."""
    return abstained(card(signal=signal), why)
