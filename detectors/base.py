"""What a detector is, and what it says: findings with a calibrated score and evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from detectors.calibration import Calibration
from detectors.cards import DetectorCard
from guard.errors import DetectorError
from guard.media import Artifact

__all__ = [
    "Batched",
    "Box",
    "Context",
    "Detector",
    "DetectorCard",
    "Finding",
    "Span",
    "Streaming",
    "Watch",
    "abstained",
    "calibrated",
    "failed",
]

_LONGEST_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a text, in code points, `start` included and `end` not; `label` says what is there."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Box:
    """A place in a picture, in pixels from its upper left; of an animation, on all frames."""

    x: int
    y: int
    width: int
    height: int
    label: str


@dataclass(frozen=True, slots=True)
class Context:
    """Where the artifact stands: the prompt that asks, the output that a model gave, or a file from anywhere.

    `signals` names the signals, or the detectors, that somebody will read: others need not be worked out.
    None asks for all.
    """

    stage: Literal["prompt", "output", "upload"]
    model: str | None = None
    caller: str | None = None
    signals: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One signal from one detector; `score` is in [0, 1], calibrated as a probability at even odds.

    It is in one of three states: scored; `inconclusive`, which says why the detector abstains; or failed,
    where `error` says why and policy decides what that means. Only a scored finding has a `score`, and a
    `likelihood_ratio` where the score is calibrated: how many times likelier such a finding is of an
    artifact that has the signal than of one that has not. `error_rate` is the share of innocent artifacts
    that the detector flags, as measured; `inspect_all` takes it from the card.
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
    likelihood_ratio: float | None = None
    inconclusive: str = ""
    error_rate: float | None = None
    boxes: tuple[Box, ...] = ()

    @property
    def state(self) -> Literal["scored", "inconclusive", "failed"]:
        """Whether there is a score, a reason to have none, or a failure."""
        if self.error is not None:
            return "failed"
        return "inconclusive" if self.inconclusive else "scored"

    @property
    def flagged(self) -> bool:
        """Whether the score reached the threshold."""
        return self.score is not None and self.score >= self.threshold


def abstained(
    card: DetectorCard,
    why: str,
    signal: str | None = None,
    threshold: float = 1.0,
    raw: float | None = None,
) -> Finding:
    """The finding of a detector that has too little to go by; `why` is a sentence for its reader.

    `raw` is its output where it has one that it does not stand by: evaluation ranks by it what the detector
    would have said, had it been made to answer.
    """
    details = {} if raw is None else {"raw": raw}
    return Finding(
        card.id, card.version, signal or card.signal, None, threshold, inconclusive=why, details=details
    )


def calibrated(
    card: DetectorCard, calibration: Calibration, raw: float, threshold: float, message: str = ""
) -> Finding:
    """The finding of an output `raw` on the main signal, as a probability and a likelihood ratio."""
    return Finding(
        card.id,
        card.version,
        card.signal,
        calibration.probability(raw),
        threshold,
        message=message,
        likelihood_ratio=calibration.likelihood_ratio(raw),
        details={"raw": raw},
    )


def failed(card: DetectorCard, error: Exception) -> Finding:
    """The finding that stands for those of a detector that failed; `details["signals"]` names the others
    that it would have given."""
    message = str(error) if isinstance(error, DetectorError) else f"{type(error).__name__}: {error}"
    others = {"signals": list(card.others)} if card.others else {}
    return Finding(
        card.id, card.version, card.signal, None, 1.0, error=message[:_LONGEST_MESSAGE], details=others
    )


class Detector(Protocol):
    """Looks at an artifact and says what it sees."""

    @property
    def card(self) -> DetectorCard: ...

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
        """Findings on one artifact, the signal's score included when nothing was seen (a low score).

        An artifact that gives too little to go by is `inconclusive`. Raises `DetectorError` when no answer
        can be given.
        """


@runtime_checkable
class Batched(Protocol):
    """A detector that is faster on many artifacts at once."""

    def inspect_many(self, artifacts: Sequence[Artifact], context: Context) -> Sequence[Sequence[Finding]]:
        """What `inspect` says of each artifact, in their order. Raises `DetectorError`."""


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
