"""Shapes that a report should have. Its contents are its signer's, so each is checked before use."""

from __future__ import annotations

from typing import Any

from guard.provenance.sdk import clean

__all__ = ["codes_of", "mapping", "sequence"]


def mapping(value: object) -> dict[str, Any]:
    """`value` where it is an object, an empty one where not."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """`value` where it is a list, an empty one where not."""
    return value if isinstance(value, list) else []


def codes_of(entries: object) -> tuple[str, ...]:
    """The status codes in a list of statuses, each once, in order."""
    codes = (clean(mapping(entry).get("code")) for entry in sequence(entries))
    return tuple(dict.fromkeys(code for code in codes if code))
