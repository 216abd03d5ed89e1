"""Following a text that is still being written, window by window."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from detectors.base import Finding
from detectors.toxicity.windows import Cutter, Window, sentences

__all__ = ["Follower"]

Scored = tuple[Window, Sequence[float]]


class Follower:
    """A `Watch` that scores each window once, when no later sentence can join it.

    It clears what stands before the open window: two or three sentences are held back, and with them what
    they could yet become.
    """

    def __init__(
        self,
        cutter: Cutter,
        score: Callable[[Iterable[Window]], Sequence[Scored]],
        report: Callable[[Sequence[Scored], bool], Sequence[Finding]],
        longest: int,
    ) -> None:
        self._cutter = cutter
        self._score = score
        self._report = report
        self._longest = longest
        self._tail = ""
        self._start = 0  # of the tail, in the text
        self._length = 0
        self._scored: list[Scored] = []
        self._findings: Sequence[Finding] = ()

    def feed(self, piece: str) -> int:
        """Take the next piece; returns how many code points are cleared."""
        self._take(piece, whole=False)
        pending = self._cutter.pending
        return self._start if pending is None else min(pending, self._start)

    def findings(self) -> Sequence[Finding]:
        """The findings on the windows that are complete."""
        return self._findings

    def finish(self) -> Sequence[Finding]:
        """The findings on the whole text, as `inspect` has them."""
        self._take("", whole=True)
        self._scored += self._score(self._cutter.rest())
        self._findings = self._report(self._scored, self._length > self._longest)
        return self._findings

    def _take(self, piece: str, whole: bool) -> None:
        room = max(0, self._longest - self._length)
        self._length += len(piece)
        self._tail += piece[:room]
        windows: list[Window] = []
        end = 0
        for start, end in sentences(self._tail, whole):
            windows += self._cutter.add(self._tail[start:end], self._start + start)
        self._tail, self._start = self._tail[end:], self._start + end
        if windows:
            self._scored += self._score(windows)
            self._findings = self._report(self._scored, False)
