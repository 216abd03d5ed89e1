"""A text that leaves while it is still coming in: what is changed in it, and how much of it has left."""

from __future__ import annotations

import io
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from operator import attrgetter
from typing import NamedTuple

from guard.obligations import TEXT_LABEL
from policies.redact import Triple, merged

__all__ = ["Leaving"]


class _Edit(NamedTuple):
    """`text` takes the place of the original's code points from `start` to `end`."""

    start: int
    end: int
    text: str


_start = attrgetter("start")
_end = attrgetter("end")


class Leaving:
    """The original of a text, fed piece by piece, and the edits under which it leaves.

    What has left is never changed any more. All positions are code points of the original.
    """

    def __init__(self) -> None:
        self.size = 0
        self.left = 0
        self._original = io.StringIO(newline="")
        self._edits: list[_Edit] = []  # in order, none overlaps another
        self._cut: set[Triple] = set()
        self._labelled = False

    def add(self, piece: str) -> None:
        """The next piece of the original."""
        self._original.seek(self.size)
        self._original.write(piece)
        self.size += len(piece)

    def head(self, length: int) -> str:
        """The original's first code points."""
        return self._read(0, length)

    def original(self) -> str:
        """All of it so far, as it came in."""
        return self._original.getvalue()

    def redact(self, spans: Iterable[Triple]) -> bool:
        """Cut out these spans, on top of all that were cut out before; whether none had left already.

        Where one goes on from a place that was cut out and has left, it goes on under that place's label.
        """
        new = set(spans) - self._cut
        self._cut |= new
        return all(self._cut_out(*span) for span in merged(new))

    def _cut_out(self, start: int, end: int, label: str) -> bool:
        at = bisect_right(self._edits, start, key=_start)
        before = self._edits[at - 1] if at else None
        edit = _Edit(start, end, f"[{label}]")
        if before and start < before.end:
            if before.end < min(end, self.left):
                return False
            at, edit = at - 1, before._replace(end=max(end, before.end))
        elif start < self.left:
            return False
        after = bisect_left(self._edits, edit.end, key=_start)
        covered = self._edits[at:after]
        edit = edit._replace(end=max([edit.end, *(e.end for e in covered)]))
        labels = [e._replace(start=edit.end, end=edit.end) for e in covered if e.start == e.end]
        self._edits[at:after] = [edit, *labels]
        return True

    def label(self) -> None:
        """Put the visible label before all that has not left."""
        if not self._labelled:
            self._labelled = True
            at = max([self.left, *(edit.end for edit in self._edits if edit.start < self.left)])
            self._edits = sorted([*self._edits, _Edit(at, at, f"\n{TEXT_LABEL}" if at else TEXT_LABEL)])

    def leave(self, start: int, end: int) -> str:
        """What leaves in place of these code points; they count as left."""
        self.left = max(self.left, end)
        return self.shown(start, end)

    def shown(self, start: int, end: int) -> str:
        """What stands in place of these code points."""
        if not self._edits:
            return self._read(start, end)
        shown, at = [], start
        for edit in self._edits[bisect_left(self._edits, start, key=_end) :]:
            if edit.start >= end:
                break
            shown.append(self._read(at, edit.start))
            if edit.start >= start:
                shown.append(edit.text)
            at = max(at, min(edit.end, end))
        return "".join(shown) + self._read(at, end)

    def whole(self) -> str:
        """All that is to be seen of it, a label after its last code point too."""
        after = "".join(edit.text for edit in self._edits if edit.start == self.size)
        return self.shown(0, self.size) + after

    def become(self, final: str) -> str | None:
        """Leave as `final`, and return what of that comes after the last code point.

        None where that is too late: what has left is not how `final` begins.
        """
        gone = self.shown(0, self.left)
        if not final.startswith(gone):
            return None
        rest, plain = final[len(gone) :], self.shown(self.left, self.size)
        if rest.startswith(plain):
            return rest[len(plain) :]
        kept = [edit._replace(end=min(edit.end, self.left)) for edit in self._edits if edit.start < self.left]
        self._edits = [*kept, _Edit(self.left, self.size, rest)]
        return ""

    def _read(self, start: int, end: int) -> str:
        self._original.seek(start)
        return self._original.read(max(0, end - start))
