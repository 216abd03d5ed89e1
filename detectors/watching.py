"""Running detectors on a text while it comes in, so that what is harmless can leave early."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace

from detectors.base import Context, Detector, Finding, Span, Streaming, Watch, failed
from detectors.run import answered, checked, wanted
from guard.media import Artifact, Modality

__all__ = ["Watching"]

_ALL = sys.maxsize


class Watching:
    """All detectors of text on one text, fed piece by piece.

    Detectors that are not `Streaming` read windows of `window` code points, each beginning half a window
    after the one before, and clear what no later window will begin in: so whatever is no longer than half a
    window is seen whole before any of it leaves. A detector that fails, at any moment, yields the finding
    that says so in place of all others of its own, and clears everything: policy decides what that means.
    """

    def __init__(self, detectors: Iterable[Detector], context: Context, window: int) -> None:
        self._watches = [
            _Careful(detector, context, window) for detector in wanted(detectors, Modality.TEXT, context)
        ]
        self.findings: tuple[Finding, ...] = ()
        """What is known so far: the same object as before where nothing changed."""

    def feed(self, piece: str) -> int:
        """Take the next piece; returns how many code points from the start are cleared by all detectors,
        which may be more than there are."""
        cleared, changed = _ALL, False
        for watch in self._watches:
            cleared = min(cleared, watch.feed(piece))
            changed = changed or watch.changed
        if changed:
            self._collect()
        return cleared

    def finish(self) -> None:
        """The text is all in."""
        for watch in self._watches:
            watch.finish()
        self._collect()

    def _collect(self) -> None:
        self.findings = tuple(finding for watch in self._watches for finding in watch.findings)
        for watch in self._watches:
            watch.changed = False


class _Careful:
    """One detector's watch, whose failures are findings too."""

    def __init__(self, detector: Detector, context: Context, window: int) -> None:
        self.findings: Sequence[Finding] = ()
        self.changed = False
        self._card = detector.card
        self._watch: Watch | None = None
        self._seen: Sequence[Finding] = ()
        try:
            self._watch = _watch(detector, context, window)
        except Exception as error:  # a detector is a plug-in: anything may come out of it
            self._fail(error)

    def feed(self, piece: str) -> int:
        if self._watch is None:
            return _ALL
        try:
            cleared = self._watch.feed(piece)
            seen = self._watch.findings()
            if seen is not self._seen or (cleared and not self.findings):
                self._seen = seen
                self.findings = checked(seen) if cleared or seen else ()
                self.changed = True
        except Exception as error:
            return self._fail(error)
        return cleared

    def finish(self) -> None:
        if self._watch is not None:
            try:
                self.findings = checked(self._watch.finish())
            except Exception as error:
                self._fail(error)

    def _fail(self, error: Exception) -> int:
        self._watch = None
        self.findings = (failed(self._card, error),)
        self.changed = True
        return _ALL


def _watch(detector: Detector, context: Context, window: int) -> Watch:
    return detector.watch(context) if isinstance(detector, Streaming) else _Windows(detector, context, window)


class _Windows:
    """A detector that reads whole texts, run on overlapping windows of one that comes in."""

    def __init__(self, detector: Detector, context: Context, window: int) -> None:
        self._detector = detector
        self._context = context
        self._window = window
        self._stride = max(1, window // 2)
        self._start = 0
        self._tail = ""
        self._by_signal: dict[str, Finding] = {}
        self._findings: tuple[Finding, ...] = ()

    def feed(self, piece: str) -> int:
        self._tail += piece
        before = self._start
        while len(self._tail) - (self._start - before) >= self._window:
            at = self._start - before
            self._inspect(self._tail[at : at + self._window])
            self._start += self._stride
        self._tail = self._tail[self._start - before :]
        return self._start

    def findings(self) -> Sequence[Finding]:
        return self._findings

    def finish(self) -> Sequence[Finding]:
        """Looks at the tail, unless the last window has covered all of it."""
        if self._start == 0 or len(self._tail) > self._window - self._stride:
            self._inspect(self._tail)
        return self._findings

    def _inspect(self, text: str) -> None:
        found = answered(self._detector, Artifact.from_text(text), self._context)
        changed = False
        for finding in found:
            known = self._by_signal.get(finding.signal)
            joined = _joined(known, _moved(finding, self._start))
            self._by_signal[finding.signal] = joined
            changed |= joined is not known
        if changed:
            self._findings = tuple(self._by_signal.values())


def _moved(finding: Finding, by: int) -> Finding:
    spans = tuple(Span(span.start + by, span.end + by, span.label) for span in finding.spans)
    return replace(finding, spans=spans)


def _joined(known: Finding | None, new: Finding) -> Finding:
    """What two windows say of one signal: the worse of both, a failure before any score, any score before
    none, and all places."""
    if known is None:
        return new
    worst = max(known, new, key=_gravity)  # of two alike, the known one
    spans = tuple(sorted({*known.spans, *new.spans}, key=lambda s: (s.start, s.end, s.label)))
    return worst if spans == worst.spans else replace(worst, spans=spans)


def _gravity(finding: Finding) -> tuple[bool, bool, float]:
    return finding.error is not None, finding.score is not None, finding.score or 0.0
