"""What a detector is, and what it says: findings with a calibrated score and evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from guard.media import Artifact, Modality

__all__ = ["Context", "Detector", "DetectorCard", "Finding", "Span", "Streaming", "Watch"]


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a text, in code points, `start` included and `end` not; `label` says what is there."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class DetectorCard:
    """What a reader must know before trusting a detector's score."""

    id: str
    version: str
    signal: str
    modalities: frozenset[Modality]
    description: str
    licence: str
    data: str = "none"
    calibration: str = "none"
    measured_error: str = "not measured"
    limits: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """Where the artifact stands: the prompt that asks, or the output that a model gave."""

    stage: Literal["prompt", "output", "upload"]
    model: str | None = None
    caller: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One signal from one detector; `score` is in [0, 1], calibrated as a probability.

    `error` is set when the detector failed: then there is no score, and policy decides what that means.
    """

    detector: str
    version: str
    signal: str
    score: float | None
    threshold: float
    spans: tuple[Span, ...] = ()
    message: str = ""
    error: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def flagged(self) -> bool:
        """Whether the score reached the threshold."""
        return self.score is not None and self.score >= self.threshold


class Detector(Protocol):
    """Looks at an artifact and says what it sees."""

    @property
    def card(self) -> DetectorCard: ...

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
        """Findings on one artifact, the signal's score included when nothing was seen (score 0).

        Raises `DetectorError` when no answer can be given.
        """


class Watch(Protocol):
    """One text, looked at while it comes in. Any method may raise `DetectorError`."""

    def feed(self, piece: str) -> int:
        """Take the next piece; returns how many code points from the text's start no later piece can make
        part of a finding that is not in `findings` yet."""

    def findings(self) -> Sequence[Finding]:
        """What is known so far: the same object as before where nothing changed."""

    def finish(self) -> Sequence[Finding]:
        """The findings on the whole text, now that it is all in."""


@runtime_checkable
class Streaming(Protocol):
    """A detector that can follow a text which is still being written, and ends with what `inspect` says."""

    def watch(self, context: Context) -> Watch: ...
