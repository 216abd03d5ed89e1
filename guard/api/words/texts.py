"""The texts in what is asked and answered: found wherever they are, so that none leaves unscreened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from guard.api.answers import evidence
from guard.api.door import Door, upstreams_fault
from guard.api.jsontree import deeper_than, leaves
from guard.drafts import of_text
from guard.errors import UpstreamError
from guard.pipeline import Origin

__all__ = [
    "Path",
    "choices_in",
    "forget",
    "is_said",
    "part",
    "prompt_in",
    "prompt_of",
    "refuse_media",
    "release_texts",
]

Path = tuple[str | int, ...]
"""The keys that lead from a choice to a text."""

_LEVELS = 64
_MEDIA = frozenset(
    {
        "audio",
        "file",
        "file_data",
        "file_url",
        "image",
        "image_url",
        "images",
        "input_audio",
        "video",
        "video_url",
        "videos",
    }
)
_DATA_URLS = ("data:audio/", "data:image/", "data:video/")
_SAID_IN = (("message", "content"), ("delta", "content"), ("text",))
_OF_A_MESSAGE = frozenset({"id", "role", "tool_call_id", "type"})
_OF_A_CHOICE = frozenset({"delta", "finish_reason", "index", "message", "text"})
_SAID = ("messages", "instructions", "input", "prompt", "suffix", "prediction")
_DEFINED = ("tools", "functions", "response_format", "text")
_NAMING = frozenset({"properties", "$defs", "definitions"})


def prompt_in(messages: Sequence[Any]) -> str:
    """All text that the model will read in `messages`, a line each; pictures and sounds are left out."""
    return "\n".join(_said(list(messages)))


def prompt_of(body: Mapping[str, Any]) -> str:
    """All text that the model will read of a request, a line each: what is said in messages, prompt or input,
    then what tools and answer formats are called and described as. Pictures, sounds and files are left out.
    """
    said = _said({name: body[name] for name in _SAID if name in body})
    defined = (text for name in _DEFINED if name in body for text in _defined(body[name], name))
    return "\n".join([*said, *defined])


def release_texts(
    door: Door, answer: dict[str, Any], origin: Origin, *, signing: bool = False
) -> list[dict[str, Any]]:
    """Release every text in `answer`, or none, and put what was released in place; returns their evidence.

    Each text is an artifact of its own: message, reasoning, refusal, arguments of each tool call. With
    `signing`, what is said to people gets a credential, and nothing else, policy or no policy. Raises what
    `Guard.release` raises, and `UpstreamError` for an answer that cannot be screened.
    """
    texts = [
        (number, leaf)
        for number, choice in choices_in(answer)
        for leaf in leaves(choice)
        if leaf.text and refuse_media(leaf.path, leaf.text)
    ]
    with upstreams_fault():
        artifacts = [of_text(leaf.text) for _, leaf in texts]
    said = {number for number, (_, leaf) in enumerate(texts) if signing and is_said(leaf.path)}
    releases = door.release(artifacts, origin, signing=said)
    changed: set[int] = set()
    for (number, leaf), release in zip(texts, releases, strict=True):
        if release.artifact.text != leaf.text:
            leaf.holder[leaf.key] = release.artifact.text
            changed.add(number)
    for number, choice in choices_in(answer):
        if number in changed:
            forget(choice)
    return [
        {"choice": number, "part": part(leaf.path), **evidence(release)}
        for (number, leaf), release in zip(texts, releases, strict=True)
    ]


def choices_in(answer: Mapping[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    """All choice objects with their numbers. Raises `UpstreamError` where there is no list of them."""
    choices = answer.get("choices") or []
    if not isinstance(choices, list) or deeper_than(choices, _LEVELS):
        raise UpstreamError("The upstream's answer has no usable list 'choices'.")
    found = []
    for position, choice in enumerate(choices):
        if not isinstance(choice, dict):
            raise UpstreamError("The upstream's answer has a choice that is no object.")
        index = choice.get("index")
        found.append((index if isinstance(index, int) else position, choice))
    return found


def part(path: Path) -> str:
    """Where a text stands in its message."""
    return ".".join(str(step) for step in path if step not in ("message", "delta"))


def refuse_media(path: Path, beginning: str) -> bool:
    """Pictures and sounds inside a chat cannot be marked there yet, so they do not leave: raises
    `UpstreamError` for them."""
    if _MEDIA.intersection(path) or beginning.startswith(_DATA_URLS):
        raise UpstreamError(
            "The upstream answered with media inside a chat message, which Guard does not let through.",
            "Ask for text, or use /v1/images/generations.",
        )
    return True


def is_said(path: Path) -> bool:
    """Whether a text is what a choice says to people: the content of its message, or its `text`."""
    return path in _SAID_IN


def forget(choice: dict[str, Any]) -> None:
    """Drop what could spell out a text that was changed: log probabilities, token ids."""
    for key in choice.keys() - _OF_A_CHOICE:
        del choice[key]
    choice["logprobs"] = None


def _said(value: object) -> Iterator[str]:
    found = leaves(value, _OF_A_MESSAGE)
    return (leaf.text for leaf in found if not _MEDIA.intersection(leaf.path))


def _defined(value: object, key: str) -> Iterator[str]:
    """The strings in a definition, but for the types; names of parameters are keys there."""
    if isinstance(value, str):
        if key != "type":
            yield value
    elif isinstance(value, dict):
        for name, child in value.items():
            if key in _NAMING:
                yield name
            yield from _defined(child, name)
    elif isinstance(value, list):
        for child in value:
            yield from _defined(child, key)
