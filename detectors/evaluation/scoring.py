"""Asking a detector about items, and keeping what it said as arrays."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.base import Context, Detector, Finding
from detectors.evaluation.changes import Change
from detectors.evaluation.items import Item
from detectors.evaluation.trivial import features
from detectors.run import BATCH, inspect_each
from guard.errors import GuardError

__all__ = ["Scored", "score"]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What a detector said of n items under one condition.

    `raw` ranks items: the detector's uncalibrated output where it gives one as `details["raw"]`, else its
    score; NaN, like `score`, where it abstained or failed. `forced` has that output also where it abstained
    and named it all the same. `trivial` is what can be told without looking.
    """

    positive: NDArray[np.bool_]
    source: NDArray[Any]
    raw: NDArray[np.float64]
    forced: NDArray[np.float64]
    score: NDArray[np.float64]
    flagged: NDArray[np.bool_]
    trivial: list[dict[str, float | str]]
    failures: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    abstentions: dict[str, int] = field(default_factory=dict)

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Which items have a score."""
        return np.isfinite(self.score)

    def only(self, chosen: NDArray[np.bool_]) -> Scored:
        """The items for which `chosen` is true."""
        trivial = [row for row, keep in zip(self.trivial, chosen, strict=True) if keep]
        return replace(
            self,
            positive=self.positive[chosen],
            source=self.source[chosen],
            raw=self.raw[chosen],
            forced=self.forced[chosen],
            score=self.score[chosen],
            flagged=self.flagged[chosen],
            trivial=trivial,
        )


def score(detector: Detector, signal: str, items: Sequence[Item], change: Change | None, seed: int) -> Scored:
    """What `detector` says of `signal` in every item after `change`.

    Random changes depend on the seed and the item's name alone. An item that is no media, or none of a kind
    that the detector looks at, is kept apart and named.
    """
    rows: list[tuple[Item, Finding, dict[str, float | str]]] = []
    unreadable: dict[str, str] = {}
    queue = iter(_changed(detector, items, change, seed, unreadable))
    while batch := list(islice(queue, BATCH)):
        answers = inspect_each(detector, [artifact for _, artifact in batch], Context("upload"))
        for (item, artifact), findings in zip(batch, answers, strict=True):
            rows.append((item, _about(findings, signal), features(artifact)))
    return _table(rows, unreadable)


def _changed(
    detector: Detector, items: Sequence[Item], change: Change | None, seed: int, unreadable: dict[str, str]
) -> Iterator[tuple[Item, Any]]:
    for item in items:
        rng = np.random.default_rng([seed, zlib.crc32(item.name.encode())])
        try:
            artifact = item.artifact()
            if artifact.modality not in detector.card.modalities:
                unreadable[item.name] = f"{artifact.modality}, which the detector does not look at"
                continue
            artifact.decode()
            yield item, change(artifact, rng) if change else artifact
        except (GuardError, ValueError, OSError) as error:  # a library may refuse what decoding let through
            unreadable[item.name] = f"{type(error).__name__}: {error}"[:200]


def _about(findings: Sequence[Finding], signal: str) -> Finding:
    """The finding on the signal that counts: the highest score, else an abstention, else the failure."""
    about = [finding for finding in findings if finding.signal == signal] or list(findings)
    return max(about, key=lambda f: (f.score is not None, f.score or 0.0, f.state == "inconclusive"))


def _table(
    rows: Sequence[tuple[Item, Finding, dict[str, float | str]]], unreadable: dict[str, str]
) -> Scored:
    abstentions: dict[str, int] = {}
    for _, finding, _ in rows:
        if finding.state == "inconclusive":
            why = "".join("#" if c.isdigit() else c for c in finding.inconclusive)
            abstentions[why] = abstentions.get(why, 0) + 1
    forced = np.array([_output(finding) for _, finding, _ in rows], np.float64)
    scores = np.array([_number(finding.score) for _, finding, _ in rows], np.float64)
    return Scored(
        positive=np.array([item.positive for item, _, _ in rows], bool),
        source=np.array([item.source for item, _, _ in rows], object),
        raw=np.where(np.isfinite(scores), forced, np.nan),
        forced=forced,
        score=scores,
        flagged=np.array([finding.flagged for _, finding, _ in rows], bool),
        trivial=[row for _, _, row in rows],
        failures={item.name: finding.error for item, finding, _ in rows if finding.error is not None},
        unreadable=unreadable,
        abstentions=abstentions,
    )


def _output(finding: Finding) -> float:
    raw = finding.details.get("raw")
    return float(raw) if isinstance(raw, (int, float)) and np.isfinite(raw) else _number(finding.score)


def _number(score: float | None) -> float:
    return np.nan if score is None else score
