"""The items of a response: what in them is text, what is a picture, and both released in their place."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from guard.api.answers import evidence
from guard.api.dataurls import from_base64, from_data_url
from guard.api.door import Door, upstreams_fault
from guard.api.jsontree import STRUCTURE, Leaf, deeper_than, leaves
from guard.drafts import of_text
from guard.errors import UpstreamError
from guard.media import Artifact, Modality
from guard.pipeline import Origin, Release

__all__ = ["Found", "all_in", "forget_tokens", "found_in", "items_of", "release_found", "strings"]

_LEVELS = 64
_SKIPPED = STRUCTURE | {
    "approval_request_id",
    "background",
    "call_id",
    "caller",
    "container_id",
    "created_by",
    "file_id",
    "fingerprint",
    "item_id",
    "obfuscation",
    "output_format",
    "phase",
    "quality",
    "server_label",
    "size",
}
"""Vocabulary and identifiers, as in `STRUCTURE`."""

_ECHOED = frozenset(
    {
        "access_programs",
        "background",
        "conversation",
        "error",
        "guard",
        "id",
        "image",
        "include",
        "incomplete_details",
        "input_transformations",
        "instructions",
        "metadata",
        "model",
        "moderation",
        "object",
        "output",
        "previous_response_id",
        "prompt",
        "prompt_cache_diagnostics",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning",
        "safety_identifier",
        "service_tier",
        "status",
        "text",
        "tool_choice",
        "tool_usage",
        "tools",
        "truncation",
        "usage",
        "user",
    }
)
"""Fields of a response object that repeat the request or are no text; `output` is looked at by itself."""
_SETTINGS = ("reasoning", "text")

_PICTURE_CALL = "image_generation_call"
_DATA_URLS = ("data:audio/", "data:image/", "data:video/")
_SOUNDS = frozenset({"audio", "input_audio", "output_audio"})


class Found(NamedTuple):
    """A text or a picture of an answer: the number of its item, None for the answer's own fields."""

    output: int | None
    leaf: Leaf
    is_picture: bool = False

    @property
    def part(self) -> str:
        """Where it stands in the item."""
        return ".".join(map(str, self.leaf.path))


def items_of(answer: Mapping[str, Any], name: str = "output") -> list[dict[str, Any]]:
    """The answer's list of items. Raises `UpstreamError` where it has none that can be screened."""
    items = answer.get(name)
    if items is None:
        items = []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise UpstreamError(f"The upstream's answer has no usable list '{name}'.")
    if deeper_than(items, _LEVELS):
        raise UpstreamError("The upstream's answer is nested too deep.")
    return items


def all_in(response: dict[str, Any]) -> Iterator[Found]:
    """All texts and pictures of a response object: those of its items, then in fields that nobody knows."""
    for index, item in enumerate(items_of(response)):
        yield from found_in(index, item)
    # Some servers put words where OpenAI has an object of settings.
    said = {name for name in _SETTINGS if isinstance(response.get(name), str)}
    for leaf in strings(response, (response.keys() - _ECHOED) | said):
        yield Found(None, leaf)


def found_in(output: int | None, item: dict[str, Any]) -> Iterator[Found]:
    """All texts and pictures of an item; pictures behind links are taken out of it.

    Raises `UpstreamError` for other media: nothing marks them here.
    """
    if item.get("type") == _PICTURE_CALL:
        if isinstance(item.get("result"), str):
            yield Found(output, Leaf(("result",), item, "result"), is_picture=True)
        skip = {"action", "result"}
    else:
        yield from _plots(output, item)
        skip = {"outputs"} if item.get("type") == "code_interpreter_call" else set()
    for leaf in strings(item, item.keys() - skip):
        yield Found(output, leaf)


def strings(holder: dict[str, Any], names: Iterable[str]) -> Iterator[Leaf]:
    """The texts in these fields, in the order in which they stand. Raises as `found_in` does."""
    wanted = set(names) - _SKIPPED
    for name, child in holder.items():
        if name in wanted:
            found = (
                [Leaf((name,), holder, name)] if isinstance(child, str) else leaves(child, _SKIPPED, (name,))
            )
            for leaf in found:
                _refuse_media(leaf)
                if leaf.text:
                    yield leaf


def _artifact(found: Found, door: Door) -> Artifact:
    """What is to be released. Raises `InputError` where it cannot be used."""
    text = found.leaf.text
    if not found.is_picture:
        return of_text(text, program=found.leaf.key == "arguments")
    is_url = text.startswith("data:")
    artifact = from_data_url(text, door.limits) if is_url else from_base64(text, door.limits)
    if artifact.modality is not Modality.IMAGE:
        raise UpstreamError(f"The upstream's picture is {artifact.mime}.")
    return artifact


def _put(found: Found, release: Release) -> None:
    """Put what was released in its place. With a text that was changed go its log probabilities, which
    would spell out the original."""
    holder, key = found.leaf.holder, found.leaf.key
    if found.is_picture:
        encoded = base64.b64encode(release.artifact.data).decode("ascii")
        is_url = found.leaf.text.startswith("data:")
        holder[key] = f"data:{release.artifact.mime};base64,{encoded}" if is_url else encoded
    elif release.artifact.text != found.leaf.text:
        holder[key] = release.artifact.text
        forget_tokens(holder)


def forget_tokens(holder: Any) -> None:
    """Empty the log probabilities beside a text, where there are any."""
    if isinstance(holder, dict) and holder.get("logprobs"):
        holder["logprobs"] = []


def release_found(door: Door, found: Sequence[Found], origin: Origin) -> list[dict[str, Any]]:
    """Release all of these, or none, and put what was released in place; returns their evidence.

    Raises what `Guard.release` raises, and `UpstreamError` for what cannot be screened.
    """
    if not found:
        return []
    with upstreams_fault():
        artifacts = [_artifact(each, door) for each in found]
    releases = door.release(artifacts, origin)
    for each, release in zip(found, releases, strict=True):
        _put(each, release)
    return [
        {"output": each.output, "part": each.part, **evidence(release)}
        for each, release in zip(found, releases, strict=True)
    ]


def _plots(output: int | None, item: dict[str, Any]) -> Iterator[Found]:
    """The results of a code interpreter. What lies behind a link was neither seen nor marked."""
    if item.get("type") != "code_interpreter_call" or not isinstance(item.get("outputs"), list):
        return
    item["outputs"] = [each for each in item["outputs"] if not _is_link(each)]
    for number, each in enumerate(item["outputs"]):
        path = ("outputs", number)
        if isinstance(each, dict) and each.get("type") == "image" and isinstance(each.get("url"), str):
            yield Found(output, Leaf((*path, "url"), each, "url"), is_picture=True)
        else:
            for leaf in leaves(each, _SKIPPED, path):
                yield Found(output, leaf)


def _is_link(result: object) -> bool:
    if not isinstance(result, dict) or result.get("type") != "image":
        return False
    return not str(result.get("url")).startswith("data:")


def _refuse_media(leaf: Leaf) -> None:
    kind = leaf.holder.get("type") if isinstance(leaf.holder, dict) else None
    if _SOUNDS.intersection((*leaf.path, kind)) or leaf.text.startswith(_DATA_URLS):
        raise UpstreamError(
            "The upstream answered with sound or other media that Guard does not let through here.",
            "Ask for text or for the tool image_generation, or use the routes of that medium.",
        )
