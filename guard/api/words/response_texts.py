"""The texts of a streamed response: what came in of each, what waits, and what was said of it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from guard.api.answers import evidence
from guard.api.door import upstreams_fault
from guard.api.jsontree import Leaf
from guard.api.words.response_items import forget_tokens
from guard.streaming.answer import AnswerStream, TextStream

__all__ = ["Key", "ResponseTexts"]

Key = tuple[str | int | None, ...]
"""The number of an item and the path in it; None and a path for the response's own fields."""


class _Piece(NamedTuple):
    """A delta: its event, where the text stands in that, and where it ends in the whole text."""

    event: dict[str, Any]
    leaf: Leaf
    end: int

    def saying(self, text: str) -> dict[str, Any]:
        """The same event with another text."""
        if text == self.leaf.text:
            return self.event
        changed = {**self.event}
        changed["delta"] = text if self.leaf.holder is self.event else {self.leaf.key: text}
        forget_tokens(changed)
        return changed


@dataclass
class _Text:
    stream: TextStream
    pieces: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    left: int = 0
    waiting: deque[_Piece] = field(default_factory=deque)
    last: _Piece | None = None
    finished: bool = False

    @property
    def heard(self) -> str:
        return "".join(self.pieces)

    def hear(self, text: str) -> None:
        with upstreams_fault():
            self.stream.take(text)
        self.pieces.append(text)

    def say(self, end: int) -> str:
        shown = self.stream.shown(self.left, end)
        self.left = end
        self.said.append(shown)
        return shown

    def ready(self) -> list[dict[str, Any]]:
        """The waiting deltas that are cleared."""
        events = []
        while self.waiting and self.waiting[0].end <= self.stream.cleared:
            piece = self.waiting.popleft()
            events.append(piece.saying(self.say(piece.end)))
        return events

    def finish(self) -> list[dict[str, Any]]:
        """The deltas that still waited, and one more for what no delta had brought."""
        with upstreams_fault():
            tail = self.stream.finish()
        self.finished = True
        events = self.ready()
        rest = self.say(self.stream.size) + tail
        self.said.append(tail)
        if rest and self.last is not None:
            events.append(self.last.saying(rest))
        return events


class ResponseTexts:
    """All texts of one response, over the release path of a stream."""

    def __init__(self, answer: AnswerStream) -> None:
        self.answer = answer
        self._texts: dict[Key, _Text] = {}
        self._copies: dict[tuple[Key, str], Key] = {}

    def hear(self, key: Key, event: dict[str, Any], leaf: Leaf) -> None:
        """Take a delta; writes nothing, but the answer may have to `settle`."""
        text = self._open(key)
        text.hear(leaf.text)
        text.last = _Piece(event, leaf, text.stream.size)
        text.waiting.append(text.last)

    def ready(self) -> list[dict[str, Any]]:
        """The deltas that may leave by now."""
        return [event for text in self._texts.values() if text.waiting for event in text.ready()]

    def whole(self, key: Key, value: str) -> tuple[list[dict[str, Any]], str]:
        """What stands in place of a text that an event brings as a whole, and the deltas to send before that.

        Where deltas brought another text, this one is a text of its own. Writes to the ledger.
        """
        text = self._open(key)
        heard = text.heard
        if not value.startswith(heard) or (text.finished and value != heard):
            text = self._open(self._copies.setdefault((key, value), (*key, f"copy {len(self._copies)}")))
            heard = text.heard
        if text.finished:
            return [], "".join(text.said)
        text.hear(value[len(heard) :])
        return text.finish(), "".join(text.said)

    def finish(self, output: int | None = None) -> list[dict[str, Any]]:
        """End the texts of an item, or all; returns the deltas that still waited. Writes to the ledger."""
        mine = [text for key, text in self._texts.items() if output is None or key[0] == output]
        return [event for text in mine if not text.finished for event in text.finish()]

    def release(self) -> list[dict[str, Any]]:
        """Record all as released; returns their evidence."""
        keys = [key for key in self._texts if self._texts[key].stream.size]
        releases = self.answer.finish()
        return [
            {"output": key[0], "part": ".".join(map(str, key[1:])), **evidence(release)}
            for key, release in zip(keys, releases, strict=True)
        ]

    def _open(self, key: Key) -> _Text:
        if key not in self._texts:
            self._texts[key] = _Text(self.answer.text(key, json=key[-1] == "arguments"))
        return self._texts[key]
