"""The texts in a chat: found wherever they are, so that none leaves unscreened."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from guard.api.answers import evidence
from guard.api.door import Door, upstreams_fault
from guard.api.jsontree import Leaf, deeper_than, leaves
from guard.errors import UpstreamError
from guard.media import Artifact
from guard.pipeline import Origin

__all__ = ["prompt_in", "release_texts"]

_LEVELS = 64
_MEDIA = frozenset(
    {"audio", "file", "image", "image_url", "images", "input_audio", "video", "video_url", "videos"}
)
_DATA_URLS = ("data:audio/", "data:image/", "data:video/")
_OF_A_MESSAGE = frozenset({"id", "role", "tool_call_id", "type"})
_OF_A_CHOICE = frozenset({"delta", "finish_reason", "index", "message", "text"})


@dataclass
class _Text:
    """One text of one choice, in the pieces in which it came: one, or one for each chunk of a stream."""

    choice: int
    path: tuple[str | int, ...]
    pieces: list[Leaf] = field(default_factory=list)

    @property
    def part(self) -> str:
        """Where it stands in the message."""
        return ".".join(str(step) for step in self.path if step not in ("message", "delta"))

    @property
    def whole(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    def replace(self, text: str) -> None:
        """Put `text` where the first piece was and leave the others empty."""
        first, *others = self.pieces
        first.holder[first.key] = text
        for piece in others:
            piece.holder[piece.key] = ""


def prompt_in(messages: Sequence[Any]) -> str:
    """All text that the model will read in `messages`, a line each; pictures and sounds are left out."""
    found = leaves(list(messages), _OF_A_MESSAGE)
    return "\n".join(leaf.text for leaf in found if not _MEDIA.intersection(leaf.path))


def release_texts(door: Door, answer: Sequence[dict[str, Any]], origin: Origin) -> list[dict[str, Any]]:
    """Release every text in `answer`, or none, and put what was released in place; returns their evidence.

    `answer` is one completion object, or all chunks of a streamed one. Each text is an artifact of its own:
    message, reasoning, refusal, arguments of each tool call. Raises what `Guard.release` raises, and
    `UpstreamError` for an answer that cannot be screened.
    """
    texts = [text for text in _texts_in(answer) if text.whole]
    with upstreams_fault():
        artifacts = [_artifact(text.whole) for text in texts]
    releases = door.release(artifacts, origin)
    changed: set[int] = set()
    for text, release in zip(texts, releases, strict=True):
        if release.artifact.text != text.whole:
            text.replace(release.artifact.text)
            changed.add(text.choice)
    _forget_originals(answer, changed)
    return [
        {"choice": text.choice, "part": text.part, **evidence(release)}
        for text, release in zip(texts, releases, strict=True)
    ]


def _artifact(text: str) -> Artifact:
    """The text as an artifact. Tool arguments and structured output are JSON, which no label may break."""
    artifact = Artifact.from_text(text)
    return replace(artifact, mime="application/json") if _is_json(text) else artifact


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _texts_in(answer: Iterable[dict[str, Any]]) -> list[_Text]:
    texts: dict[tuple[int, tuple[str | int, ...]], _Text] = {}
    for number, choice in _choices(answer):
        for leaf in leaves(choice):
            _refuse_media(leaf)
            texts.setdefault((number, leaf.path), _Text(number, leaf.path)).pieces.append(leaf)
    return list(texts.values())


def _choices(answer: Iterable[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """All choice objects with their numbers."""
    found = []
    for part in answer:
        choices = part.get("choices") or []
        if not isinstance(choices, list) or deeper_than(choices, _LEVELS):
            raise UpstreamError("The upstream's answer has no usable list 'choices'.")
        for position, choice in enumerate(choices):
            if not isinstance(choice, dict):
                raise UpstreamError("The upstream's answer has a choice that is no object.")
            index = choice.get("index")
            found.append((index if isinstance(index, int) else position, choice))
    return found


def _refuse_media(leaf: Leaf) -> None:
    """Pictures and sounds inside a chat cannot be marked there yet, so they do not leave."""
    if _MEDIA.intersection(leaf.path) or leaf.text.startswith(_DATA_URLS):
        raise UpstreamError(
            "The upstream answered with media inside a chat message, which Guard does not let through.",
            "Ask for text, or use /v1/images/generations.",
        )


def _forget_originals(answer: Iterable[dict[str, Any]], changed: set[int]) -> None:
    """Where a text was changed, drop what could spell out the original: log probabilities, token ids."""
    for number, choice in _choices(answer):
        if number in changed:
            for key in choice.keys() - _OF_A_CHOICE:
                del choice[key]
            choice["logprobs"] = None
