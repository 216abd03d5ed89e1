"""What becomes of a response's events on their way out: the same events, with what may leave in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from guard.api.answers import event
from guard.api.door import Door
from guard.api.errors import Problem
from guard.api.jsontree import Leaf, deeper_than
from guard.api.words.response_items import Found, all_in, forget_tokens, found_in, release_found, strings
from guard.api.words.response_texts import Key, ResponseTexts
from guard.errors import UpstreamError
from guard.pipeline import Origin

__all__ = ["Ready", "ResponseEvents"]

_PLACES: dict[str, tuple[str, ...]] = {
    "code_interpreter_call_code": ("code",),
    "custom_tool_call_input": ("input",),
    "function_call_arguments": ("arguments",),
    "mcp_call_arguments": ("arguments",),
    "output_text": ("content", "content_index", "text"),
    "reasoning_summary_text": ("summary", "summary_index", "text"),
    "reasoning_text": ("content", "content_index", "text"),
    "refusal": ("content", "content_index", "refusal"),
    "shell_call_command": ("action", "commands", "command_index"),
    "shell_call_output_content": ("output", "command_index"),
    # And where objects that events bring stand.
    "content_part": ("content", "content_index"),
    "output_text.annotation": ("content", "content_index", "annotations", "annotation_index"),
    "reasoning_summary_part": ("summary", "summary_index"),
}
"""Where in the item stands what events of this name bring; names in `_index` stand for their values."""

_LEVELS = 70
_NESTED = frozenset({"annotation", "delta", "item", "part", "response"})
_OPENINGS = (".added", ".created", ".in_progress", ".queued")
_BEFORE_DELTAS = ("response.content_part.added", "response.output_item.added")
_ENDS = ("response.completed", "response.failed", "response.incomplete")


class Ready(NamedTuple):
    """An event that may leave; `opens` where it only announces what is coming."""

    data: bytes
    opens: bool = False


class ResponseEvents:
    """Takes the upstream's events and gives back those that may leave, numbered anew.

    Deltas wait until their words are cleared. Events that bring a text as a whole say what was said of it
    before. Unfinished pictures are dropped, finished ones released.
    """

    def __init__(self, door: Door, origin: Origin) -> None:
        self.ended = False
        self._door = door
        self._origin = origin
        self._texts: ResponseTexts | None = None
        self._pictures: dict[str, str] = {}
        self._evidence: list[dict[str, Any]] = []
        self._number = 0

    async def take(self, data: dict[str, Any]) -> list[Ready]:
        """What may leave after this event. Raises `BlockedError` once the refusal of a text is on record,
        `UpstreamError` for what cannot be screened, and what `AnswerStream` raises."""
        kind = _kind(data)
        if kind == "response.image_generation_call.partial_image":
            return []  # neither marked nor signed
        if kind.startswith("response.audio"):
            raise UpstreamError("The upstream answered with sound, which Guard does not let through here.")
        texts = self._begin(data)
        pieces = list(_deltas(data)) if kind.endswith(".delta") else []
        if not pieces or any(strings(data, data.keys() - _NESTED)):
            return await self._door.work(self._whole, texts, data)
        for key, part, leaf in pieces:
            texts.hear(key, part, leaf)
        if texts.answer.due:
            await self._door.work(texts.answer.settle)
        return self._numbered(texts.ready())

    def failure(self, problem: Problem) -> bytes:
        """The event that ends a stream which cannot go on.

        Both OpenAI's own fields and a nested `error`: only for the latter do its clients raise an error that
        bears the code; without it some pass the event on as if it were part of the answer.
        """
        error = problem.as_json()
        flat = {name: error[name] for name in ("code", "message", "param")}
        return event({"type": "error", **flat, "sequence_number": self._number, "error": error})

    def cut(self, reason: str) -> None:
        """Record what has left, if the end is not on record."""
        if self._texts is not None and not self._texts.answer.ended:
            self._texts.answer.cut(reason)

    def _begin(self, data: dict[str, Any]) -> ResponseTexts:
        if self._texts is None:
            response = data.get("response")
            version = response.get("model") if isinstance(response, dict) else None
            if isinstance(version, str):
                self._origin = replace(self._origin, model_version=version)
            self._texts = ResponseTexts(self._door.guard.stream(self._origin))
        return self._texts

    def _whole(self, texts: ResponseTexts, data: dict[str, Any]) -> list[Ready]:
        """An event that brings texts as wholes, or none."""
        kind, events = _kind(data), list[dict[str, Any]]()
        if kind in _ENDS:
            if not isinstance(data.get("response"), dict):
                raise UpstreamError("The upstream's stream ended without the response.")
            events += texts.finish()
        elif kind == "response.output_item.done":
            events += texts.finish(_index(data, "output_index"))
        for key, found in _found(data):
            if found.is_picture:
                self._release(found)
            else:
                # What is there before its deltas is no part of the text that they make up.
                own = (*key, "added") if kind in _BEFORE_DELTAS else key
                waited, shown = texts.whole(own, found.leaf.text)
                events += waited
                _replace(found.leaf, shown)
        if kind in _ENDS:
            data["response"]["guard"] = {"releases": [*texts.release(), *self._evidence]}
            self.ended = True
        return self._numbered([*events, data])

    def _release(self, found: Found) -> None:
        """A picture, which comes twice: when it is done, and in the response as a whole."""
        original = found.leaf.text
        if original not in self._pictures:
            self._evidence += release_found(self._door, [found], self._origin)
            self._pictures[original] = found.leaf.text
        found.leaf.holder[found.leaf.key] = self._pictures[original]

    def _numbered(self, events: Iterable[dict[str, Any]]) -> list[Ready]:
        ready = []
        for each in events:
            each["sequence_number"] = self._number
            self._number += 1
            ready.append(Ready(event(each), opens=_kind(each).endswith(_OPENINGS)))
        return ready


def _kind(data: dict[str, Any]) -> str:
    kind = data.get("type")
    if not isinstance(kind, str) or deeper_than(data, _LEVELS):
        raise UpstreamError("The upstream sent an event without a type, or one nested too deep.")
    return kind


def _index(data: dict[str, Any], name: str) -> int | None:
    index = data.get(name)
    return index if isinstance(index, int) else None


def _place(data: dict[str, Any]) -> Key:
    """The item's number and the path in it of what an event brings; events that nobody knows have places of
    their own, the same for their deltas and their end."""
    name = _kind(data).removeprefix("response.").rpartition(".")[0]
    steps = _PLACES.get(name, (name, "content_index", "summary_index"))
    path = (_index(data, step) if step.endswith("_index") else step for step in steps)
    return (_index(data, "output_index"), *path)


def _deltas(data: dict[str, Any]) -> Iterator[tuple[Key, dict[str, Any], Leaf]]:
    """The texts that a delta goes on with: mostly one; of several, each in an event of its own."""
    delta, place = data.get("delta"), _place(data)
    if isinstance(delta, str):
        yield place, data, Leaf(("delta",), data, "delta")
    elif isinstance(delta, dict):
        for leaf in strings(delta, delta.keys()):
            part = {leaf.key: leaf.text}
            yield (*place, *leaf.path), {**data, "delta": part}, Leaf(leaf.path, part, leaf.key)


def _found(data: dict[str, Any]) -> Iterator[tuple[Key, Found]]:
    """Every text and picture that an event brings as a whole."""
    place = _place(data)
    for found in _in_items(data):
        yield (found.output, *found.leaf.path), found
    for name in ("annotation", "part", "delta"):
        nested = data.get(name)
        if isinstance(nested, dict):
            for leaf in strings(nested, nested.keys()):
                yield (*place, *leaf.path), Found(None, leaf)
    for leaf in strings(data, data.keys() - _NESTED):
        known = len(leaf.path) == 1 and _kind(data).removeprefix("response.").rpartition(".")[0] in _PLACES
        yield (place if known else (*place, *leaf.path)), Found(None, leaf)


def _in_items(data: dict[str, Any]) -> Iterator[Found]:
    item, response = data.get("item"), data.get("response")
    if isinstance(item, dict):
        yield from found_in(_index(data, "output_index"), item)
    if isinstance(response, dict):
        yield from all_in(response)


def _replace(leaf: Leaf, shown: str) -> None:
    if shown != leaf.text:
        leaf.holder[leaf.key] = shown
        forget_tokens(leaf.holder)
