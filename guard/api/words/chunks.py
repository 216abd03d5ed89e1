"""The chunks of a streamed answer, in order: each waits until every text in it may leave."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from guard.api.answers import dump, evidence
from guard.api.door import upstreams_fault
from guard.api.jsontree import Leaf, leaves
from guard.api.words.texts import Path, choices_in, forget, is_said, part, refuse_media
from guard.errors import UpstreamError
from guard.pipeline import Release
from guard.streaming.answer import AnswerStream, TextStream

__all__ = ["Chunks"]

_MOST_CHUNKS = 200_000
_HEAD = 16
_DONE = b"data: [DONE]\n\n"
_Key = tuple[int, Path]
_OF_THE_USAGE = frozenset({"choices", "usage", "guard"})


class _Piece(NamedTuple):
    """What one chunk holds of one text: the code points from `start` to `end` of its original."""

    choice: int
    leaf: Leaf
    text: TextStream
    start: int
    end: int

    @property
    def cleared(self) -> bool:
        return self.text.cleared >= self.end


class _Held(NamedTuple):
    chunk: dict[str, Any]
    choices: list[tuple[int, dict[str, Any]]]
    pieces: list[_Piece]

    @property
    def cleared(self) -> bool:
        return all(piece.cleared for piece in self.pieces)

    @property
    def goes(self) -> bool:
        """Whether it is worth sending by itself: it says something, and is not the last of a choice."""
        says = any(piece.start < piece.end for piece in self.pieces)
        return says and not any(choice.get("finish_reason") for _, choice in self.choices)


class Chunks:
    """Takes an upstream's chunks and gives out those that may leave, as server-sent events.

    A chunk that says nothing, and one that ends a choice, waits for the next that says something or for the
    end: so the first event of an answer always comes with cleared text, and the last can carry the evidence.
    `structured` answers are JSON that a program reads; `many` are of more than one choice. With `signing`,
    what is said to people gets a credential at its end.
    """

    def __init__(
        self, answer: AnswerStream, *, structured: bool = False, many: bool = False, signing: bool = False
    ) -> None:
        self.answer = answer
        self._signing = signing
        self._structured = structured
        self._many = many
        self._waiting: deque[_Held] = deque()
        self._idle: list[_Held] = []
        self._changed: set[int] = set()
        self._texts: dict[_Key, TextStream] = {}
        self._heads: dict[_Key, str] = {}
        self._count = 0
        self._last: Mapping[str, Any] = {}

    def take(self, chunk: dict[str, Any]) -> None:
        """The next chunk. Raises `UpstreamError` for one that cannot be screened."""
        self._count += 1
        if self._count > _MOST_CHUNKS:
            raise UpstreamError(f"The upstream's stream has more than {_MOST_CHUNKS:,} chunks.")
        choices = choices_in(chunk)
        with upstreams_fault():
            pieces = [
                self._piece(number, leaf)
                for number, choice in choices
                for leaf in leaves(choice)
                if leaf.text
            ]
            if self._many:
                self._end_choices(choices)
        self._waiting.append(_Held(chunk, choices, pieces))
        self._last = chunk

    def ready(self) -> bytes:
        """The events that may leave by now."""
        ready: list[_Held] = []
        while self._waiting and self._waiting[0].cleared:
            self._idle.append(self._waiting.popleft())
            if self._idle[-1].goes:
                ready += self._idle
                self._idle.clear()
        return b"".join(map(self._event, ready))

    def finish(self) -> bytes:
        """The rest, once all of it is screened and on record. Raises what `AnswerStream.finish` raises."""
        with upstreams_fault():
            releases = self.answer.finish()
        rest = [*self._idle, *self._waiting]
        for key, text in self._texts.items():
            if text.tail:
                self._append(rest, key, text)
        if not rest:
            rest.append(_Held(self._more([]), [], []))
        keys = {text.id: key for key, text in self._texts.items()}
        rest[-1].chunk["guard"] = {
            "releases": [_evidence(*keys[release.id], release) for release in releases]
        }
        return b"".join(map(self._event, rest)) + _DONE

    def _piece(self, number: int, leaf: Leaf) -> _Piece:
        key = (number, leaf.path)
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = self.answer.text(
                key, json=self._is_json(leaf.path), signing=self._signing and is_said(leaf.path)
            )
        start = text.size
        if start < _HEAD:
            self._heads[key] = self._heads.get(key, "") + leaf.text[:_HEAD]
            refuse_media(leaf.path, self._heads[key])
        text.take(leaf.text)
        return _Piece(number, leaf, text, start, text.size)

    def _is_json(self, path: Path) -> bool:
        return "arguments" in path or (self._structured and path[-1] == "content")

    def _end_choices(self, choices: list[tuple[int, dict[str, Any]]]) -> None:
        """Screen to their end the texts of choices that are over: the others need not wait for them."""
        over = {number for number, choice in choices if choice.get("finish_reason")}
        if over:
            for (number, _), text in self._texts.items():
                if number in over:
                    text.complete()

    def _event(self, held: _Held) -> bytes:
        for piece in held.pieces:
            shown = piece.text.shown(piece.start, piece.end)
            if shown != piece.leaf.text:
                piece.leaf.holder[piece.leaf.key] = shown
                self._changed.add(piece.choice)
        for number, choice in held.choices:
            if number in self._changed:
                forget(choice)
        return b"data: %s\n\n" % dump(held.chunk)

    def _append(self, rest: list[_Held], key: _Key, text: TextStream) -> None:
        """Send the text's tail in a chunk of its own, next after the last one that holds some of the text."""
        number, path = key
        holding = [place for place, held in enumerate(rest) if any(p.text is text for p in held.pieces)]
        choice = {"index": number, **_nested(path, text.tail), "finish_reason": None}
        rest.insert(holding[-1] + 1 if holding else 0, _Held(self._more([choice]), [], []))

    def _more(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        """One more chunk like the others."""
        same = {name: value for name, value in self._last.items() if name not in _OF_THE_USAGE}
        return {**same, "choices": choices}


def _evidence(number: int, path: Path, release: Release) -> dict[str, Any]:
    return {"choice": number, "part": part(path), **evidence(release)}


def _nested(path: Path, text: str) -> dict[str, Any]:
    """The object in which `path` leads to `text`, lists of one item that bears its number."""
    value: Any = text
    for step in reversed(path):
        value = [{"index": step, **value}] if isinstance(step, int) else {step: value}
    return dict(value)
