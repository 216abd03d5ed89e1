"""Walking JSON that strangers wrote."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

__all__ = ["STRUCTURE", "Leaf", "deeper_than", "leaves"]

STRUCTURE = frozenset(
    {
        "content_filter_result",
        "content_filter_results",
        "encrypted_content",
        "finish_reason",
        "format",
        "id",
        "logprobs",
        "matched_stop",
        "name",
        "native_finish_reason",
        "role",
        "signature",
        "status",
        "stop_reason",
        "tool_call_id",
        "type",
    }
)
"""Keys whose values are vocabulary, identifiers or opaque to readers: every other string counts as text."""


class Leaf(NamedTuple):
    """A string in a JSON value: `path` leads to it, and it is `holder[key]`."""

    path: tuple[str | int, ...]
    holder: Any
    key: str | int

    @property
    def text(self) -> str:
        return str(self.holder[self.key])


def deeper_than(value: object, levels: int) -> bool:
    """Whether arrays and objects are nested more than `levels` deep."""
    level = [value]
    for _ in range(levels + 1):
        level = [child for item in level for child in _children(item)]
        if not level:
            return False
    return True


def leaves(
    value: object, skip: Collection[str] = STRUCTURE, path: tuple[str | int, ...] = ()
) -> Iterator[Leaf]:
    """The strings in `value` that people may read, in order; not those under a key in `skip`.

    The items of a list go by their `index` where they have one, as the pieces of OpenAI's streams do, and
    else by their position.
    """
    if isinstance(value, dict):
        for key, child in value.items():
            if key not in skip:
                yield from _below(child, skip, (*path, key), value, key)
    elif isinstance(value, list):
        for position, child in enumerate(value):
            yield from _below(child, skip, (*path, _address(child, position)), value, position)


def _below(
    child: object, skip: Collection[str], path: tuple[str | int, ...], holder: Any, key: str | int
) -> Iterator[Leaf]:
    if isinstance(child, str):
        yield Leaf(path, holder, key)
    else:
        yield from leaves(child, skip, path)


def _address(child: object, position: int) -> int:
    index = child.get("index") if isinstance(child, dict) else None
    return index if isinstance(index, int) else position


def _children(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
