"""Toxicity of English text, by a small network that ships with Guard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from detectors.base import Context, DetectorCard, Finding, Span, Watch, abstained
from detectors.calibration import Calibration, from_json
from detectors.cards import read_report, reported
from detectors.explain import Explanation, words
from detectors.toxicity.card import CARD, UNKNOWN
from detectors.toxicity.network import Network, shipped
from detectors.toxicity.watch import Follower
from detectors.toxicity.windows import Cutter, Window, sentences
from guard.errors import DetectorError
from guard.media import Artifact, Modality

__all__ = ["Toxicity"]

_ID = "toxicity"
_PACKAGE = "detectors.toxicity"
LONGEST = 1 << 16
"""Code points that are read of one text; 65,536 take about two seconds of one core."""
_READABLE = 0.5
_UNTAUGHT = "There were no licensed data to learn this signal from, or to measure it on."


@dataclass(frozen=True, slots=True)
class _Label:
    """One output of the network: how it becomes a probability, and from where on it is flagged."""

    name: str
    calibration: Calibration
    threshold: float


class Toxicity:
    """Scores toxicity, identity attacks, insults and threats, and abstains on what it was never taught.

    A text scores what its worst window does; spans are the windows that reach the threshold. Weights load at
    the first `inspect`.
    """

    @cached_property
    def card(self) -> DetectorCard:
        """The detector's card, with the errors of the report that was measured beside the weights."""
        others = ("identity_attack", "insult", "threat", *UNKNOWN)
        return reported(self._report, id=_ID, signal=_ID, modality=Modality.TEXT, others=others, **CARD)

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
        """One finding for each signal. Raises `DetectorError` where the artifact is not text."""
        return self.inspect_many([artifact], context)[0]

    def inspect_many(self, artifacts: Sequence[Artifact], context: Context) -> Sequence[Sequence[Finding]]:  # noqa: ARG002
        """What `inspect` says of each, the windows of all of them run together."""
        cut = [self._cut(_text(artifact)) for artifact in artifacts]
        logits = iter(self._network.logits([window.ids for windows in cut for window in windows]).tolist())
        return [
            self.findings([(window, next(logits)) for window in windows], len(artifact.text) > LONGEST)
            for artifact, windows in zip(artifacts, cut, strict=True)
        ]

    def watch(self, context: Context) -> Watch:  # noqa: ARG002
        """A watch that ends with the findings of `inspect` and holds back the window that is still open."""
        return Follower(Cutter(self._network.vocabulary), self._scored, self.findings, LONGEST)

    def explain(self, artifact: Artifact, context: Context) -> Explanation | None:  # noqa: ARG002
        """What each word of the most toxic window adds to its log-odds; None where nothing can be read."""
        windows = self._cut(_text(artifact))
        scored = self._scored(windows)
        if self._unreadable([window for window, _ in scored]):
            return None
        worst = max(scored, key=lambda pair: pair[1][0])[0]
        found = words(artifact.text[worst.start : worst.end], self._log_odds)
        moved = ((Span(s.start + worst.start, s.end + worst.start, s.label), value) for s, value in found)
        return Explanation(_ID, _ID, tokens=tuple(moved))

    def findings(self, scored: Sequence[tuple[Window, Sequence[float]]], cut_off: bool) -> Sequence[Finding]:
        """The findings on a text with these windows and their logits. `cut_off`: more of it was not read."""
        why = self._unreadable([window for window, _ in scored])
        unknown = [abstained(self.card, _UNTAUGHT, name) for name in UNKNOWN]
        if why:
            return [
                abstained(self.card, why, label.name, label.threshold) for label in self._labels
            ] + unknown
        return [
            self._finding(label, [(window, row[number]) for window, row in scored], cut_off)
            for number, label in enumerate(self._labels)
        ] + unknown

    def _finding(self, label: _Label, scored: Sequence[tuple[Window, float]], cut_off: bool) -> Finding:
        worst = max(raw for _, raw in scored)
        score = label.calibration.probability(worst)
        if cut_off and score < label.threshold:
            why = f"Only the first {LONGEST} characters were read, and nothing was found in them."
            return abstained(self.card, why, label.name, label.threshold)
        places = [w for w, raw in scored if label.calibration.probability(raw) >= label.threshold]
        return Finding(
            _ID,
            self.card.version,
            label.name,
            score,
            label.threshold,
            tuple(Span(window.start, window.end, label.name) for window in places),
            f"{len(places)} place(s) in the text" if places else "",
            likelihood_ratio=label.calibration.likelihood_ratio(worst),
        )

    def _cut(self, text: str) -> list[Window]:
        cutter = Cutter(self._network.vocabulary)
        text = text[:LONGEST]
        found = [w for start, end in sentences(text, whole=True) for w in cutter.add(text[start:end], start)]
        return [*found, *cutter.rest()]

    def _scored(self, windows: Iterable[Window]) -> list[tuple[Window, list[float]]]:
        windows = list(windows)
        rows: list[list[float]] = self._network.logits([window.ids for window in windows]).tolist()
        return list(zip(windows, rows, strict=True))

    def _log_odds(self, texts: Sequence[str]) -> list[float]:
        """Of each text's first window; nothing readable counts as innocent."""
        cut = [self._cut(text)[:1] for text in texts]
        rows = iter(self._network.logits([w.ids for windows in cut for w in windows]).tolist())
        return [next(rows)[0] if windows else -10.0 for windows in cut]

    def _unreadable(self, windows: Sequence[Window]) -> str:
        total = sum(window.words for window in windows)
        if total == 0:
            return "There are no words in the text."
        if sum(window.unread for window in windows) > _READABLE * total:
            return "Most of the text is in no script that this detector reads."
        return ""

    @cached_property
    def _report(self) -> Mapping[str, Any]:
        return read_report(_PACKAGE, "weights/report.json")

    @cached_property
    def _labels(self) -> tuple[_Label, ...]:
        return tuple(
            _Label(label["name"], from_json(label["calibration"]), label["threshold"])
            for label in self._report["labels"]
        )

    @cached_property
    def _network(self) -> Network:
        return shipped(self._report["weights"]["sha256"])


def _text(artifact: Artifact) -> str:
    if artifact.modality is not Modality.TEXT:
        raise DetectorError(f"The toxicity detector reads text, not {artifact.modality}.")
    return artifact.text
