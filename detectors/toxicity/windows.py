"""A text cut into what the network reads at once: whole sentences, as many as fit into 64 pieces.

A window that follows another begins with the last sentence of the one before, where that is short, so that
"They moved in next door. I hate them." is seen together. Where a window ends depends only on what stands
before it, so a text that comes in bit by bit gives the same windows as the whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from detectors.toxicity.reading import words
from detectors.toxicity.wordpiece import Vocabulary

__all__ = ["Cutter", "Window", "sentences"]

_ROOM = 62
"""Pieces a window, between the two that frame it."""
_OVERLAP = 20
_LONGEST = 400
"""Code points after which a sentence ends anyway."""
_END = re.compile(r"[.!?\u2026\u3002]+[\"'\u2019\u201d)\]]*\s+|\n\s*")


@dataclass(frozen=True, slots=True)
class Window:
    """Pieces of the vocabulary, and the code points `start` to `end` of the text that they stand for.

    `unread` of the `words` in it are none that the vocabulary can spell.
    """

    ids: tuple[int, ...]
    start: int
    end: int
    words: int
    unread: int


def sentences(text: str, whole: bool) -> Iterator[tuple[int, int]]:
    """Where each sentence starts and ends; the last only where the text is `whole`, since more may follow."""
    start = 0
    while start < len(text):
        end = _next(text, start)
        if end is None or (end == len(text) and not whole):
            break
        yield start, end
        start = end
    if whole and start < len(text):
        yield start, len(text)


def _next(text: str, start: int) -> int | None:
    """The end of the sentence at `start`, None where it is not to be seen yet."""
    limit = start + _LONGEST
    found = _END.search(text, start, limit)
    if found and found.end() < limit:
        return found.end()
    if len(text) < limit:
        return found.end() if found else None
    space = max(text.rfind(" ", start + 1, limit), text.rfind("\n", start + 1, limit))
    return space + 1 if space > 0 else limit


class Cutter:
    """Makes windows of sentences that are given one after the other."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._parts: list[Window] = []
        self._fresh = False

    @property
    def pending(self) -> int | None:
        """Where the window that is still open starts; None where there is none."""
        return self._parts[0].start if self._parts else None

    def add(self, text: str, start: int) -> Iterator[Window]:
        """The windows that are complete now that this sentence follows; `start` is its place in the text."""
        for part in self._cut(text, start):
            if self._size() + len(part.ids) > _ROOM:
                yield from self._closed()
            if self._size() + len(part.ids) > _ROOM:
                self._parts = []  # no room for what overlaps
            self._parts.append(part)
            self._fresh = True

    def rest(self) -> Iterator[Window]:
        """The last window, where it has anything that none before it had."""
        if self._fresh:
            yield self._joined()

    def _closed(self) -> Iterator[Window]:
        yield from self.rest()
        last = self._parts[-1:]
        self._parts = last if len(self._parts) > 1 and len(last[0].ids) <= _OVERLAP else []
        self._fresh = False

    def _size(self) -> int:
        return sum(len(part.ids) for part in self._parts)

    def _joined(self) -> Window:
        ids = (piece for part in self._parts for piece in part.ids)
        return Window(
            (self._vocabulary.cls, *ids, self._vocabulary.sep),
            self._parts[0].start,
            self._parts[-1].end,
            sum(part.words for part in self._parts),
            sum(part.unread for part in self._parts),
        )

    def _cut(self, text: str, start: int) -> Iterator[Window]:
        """The sentence as parts that fit into a window each; mostly one."""
        ids: list[int] = []
        first, last, count, unread = start, start, 0, 0
        for word in words(text, self._vocabulary):
            pieces = self._vocabulary.cut(word.text)
            if ids and len(ids) + len(pieces) > _ROOM:
                yield Window(tuple(ids), first, last, count, unread)
                ids, first, count, unread = [], start + word.start, 0, 0
            ids += pieces[:_ROOM]
            last = start + word.end
            unknown = pieces == (self._vocabulary.unknown,)
            unread += unknown
            count += unknown or word.text.isalnum()
        if ids:
            yield Window(tuple(ids), first, last, count, unread)
