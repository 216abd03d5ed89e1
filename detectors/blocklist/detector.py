"""The block list as a detector."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from importlib.resources import as_file, files
from itertools import chain
from operator import attrgetter
from os import PathLike
from pathlib import Path
from typing import Self

from detectors.base import Context, DetectorCard, Finding, Span, Watch
from detectors.blocklist.folding import original, skeleton
from detectors.blocklist.following import Alarm, Follower
from detectors.blocklist.groups import Group, RefusedError, load_groups
from detectors.blocklist.matching import Matcher
from guard.errors import DetectorError
from guard.media import Artifact, Modality

__all__ = ["Blocklist"]

_ID = "blocklist"
_THRESHOLD = 0.5


class Blocklist:
    """Finds a platform's own terms and patterns in text; without groups, those of the list that Guard ships.

    Each signal that a group names comes back twice over: as `signal`, the highest score of its groups that
    occur, and as `signal/group`, for each group. The signal "blocklist" is always there. Spans are in code
    points of `artifact.text`. Raises `ConfigurationError` for a group that cannot be used.
    """

    def __init__(self, groups: Sequence[Group] | None = None) -> None:
        self.groups = _default_groups() if groups is None else tuple(groups)
        _refuse_repeated(self.groups)
        self._matchers = [Matcher(group, number) for number, group in enumerate(self.groups)]

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """The block list in a YAML or plain text file. Raises `ConfigurationError` with line and column."""
        source = load_groups(Path(path))
        try:
            return cls(source.groups)
        except RefusedError as error:
            raise source.locate(error) from error

    @cached_property
    def card(self) -> DetectorCard:
        """The detector's card; its version ends in a digest of the list, so that records tell which."""
        digest = hashlib.sha256("\n".join(g.model_dump_json() for g in self.groups).encode()).hexdigest()
        return DetectorCard(
            id=_ID,
            version=f"1+{digest[:12]}",
            signal=_ID,
            modalities=frozenset({Modality.TEXT}),
            description="Terms and patterns that the platform lists, also where look-alike or invisible "
            "characters hide them.",
            licence="Apache-2.0",
            data="none: the platform's own list",
            calibration="none: a hit scores what its group says, no hit scores 0",
            measured_error="0 on listed terms as written; words that only look like a term are hits too",
            others=self._others(),
            seconds=None,  # linear in the text, whatever the list
            limits="Knows spellings, not meanings. A word of another script whose letters all look Latin is "
            "taken for the Latin word.",
        )

    def _others(self) -> tuple[str, ...]:
        signals = {group.signal for group in self.groups} - {_ID}
        return (*sorted(signals), *sorted(f"{group.signal}/{group.id}" for group in self.groups))

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:  # noqa: ARG002
        """Findings by signal, then by group. Raises `DetectorError` where the artifact is not text."""
        if artifact.modality is not Modality.TEXT:
            raise DetectorError(f"The block list reads text, not {artifact.modality}.")
        looks = skeleton(artifact.text)
        plain = original(artifact.text) if any(group.patterns for group in self.groups) else looks
        return self._report([matcher.spans(looks, plain) for matcher in self._matchers])

    def watch(self, context: Context) -> Watch:  # noqa: ARG002
        """A watch that ends with the findings of `inspect`, and never holds more than what could yet become,
        or go on as, a hit. A pattern without an end holds the text for as long as it goes on."""
        return Follower(self._matchers, self._alarm, self._report)

    @cached_property
    def _alarm(self) -> Alarm | None:
        return Alarm.of(self._matchers)

    def _report(self, places: Sequence[Sequence[tuple[int, int]]]) -> Sequence[Finding]:
        """The findings for where each group occurs."""
        by_signal: dict[str, list[Finding]] = defaultdict(list, {_ID: []})
        for group, found in zip(self.groups, places, strict=True):
            spans = tuple(Span(start, end, group.label or group.id) for start, end in found)
            score = group.score if spans else 0.0
            by_signal[group.signal].append(self._finding(f"{group.signal}/{group.id}", score, spans))
        return [self._sum(signal, parts) for signal, parts in by_signal.items()] + [
            part for parts in by_signal.values() for part in parts
        ]

    def _sum(self, signal: str, parts: Sequence[Finding]) -> Finding:
        score = max((part.score or 0.0 for part in parts), default=0.0)
        spans = sorted(chain.from_iterable(part.spans for part in parts), key=attrgetter("start", "end"))
        return self._finding(signal, score, tuple(spans))

    def _finding(self, signal: str, score: float, spans: tuple[Span, ...]) -> Finding:
        # The words themselves stay out of the message: findings are logged, and a hit may be a password.
        message = f"{len(spans)} place(s) in the text" if spans else ""
        return Finding(_ID, self.card.version, signal, score, _THRESHOLD, spans, message)


def _default_groups() -> tuple[Group, ...]:
    with as_file(files("detectors.blocklist").joinpath("default.yaml")) as path:
        return load_groups(path).groups


def _refuse_repeated(groups: Sequence[Group]) -> None:
    seen: set[tuple[str, str]] = set()
    for number, group in enumerate(groups):
        if (group.signal, group.id) in seen:
            raise RefusedError(f"group id '{group.id}' is given twice.", number, "id")
        seen.add((group.signal, group.id))
