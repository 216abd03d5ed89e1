"""A request's parameters for a local model: known by name, checked for type and range."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping
from typing import Any

from guard.errors import InputError

__all__ = ["integer", "number", "only", "seed_or_random", "size", "strings"]


def only(parameters: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise `InputError` if there is a parameter that is not `known`: one without effect would deceive."""
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise InputError(
            f"This model has no parameter {', '.join(unknown)}.", f"It has {', '.join(sorted(known))}."
        )


def number(parameters: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    """A number from `low` to `high`."""
    value = parameters.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InputError(f"{name} must be a number from {low:g} to {high:g}, not {value!r}.")
    return float(value)


def integer(parameters: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    """A whole number from `low` to `high`."""
    value = parameters.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{name} must be a whole number from {low} to {high}, not {value!r}.")
    return value


def strings(parameters: Mapping[str, Any], name: str) -> list[str]:
    """One string or a list of them, none empty."""
    value = parameters.get(name) or []
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(text, str) and text for text in found):
        raise InputError(f"{name} must be a text or a list of texts.")
    return found


def size(value: object) -> tuple[int, int]:
    """Width and height from a text such as `512x384`, in pixels."""
    found = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", str(value))
    if found is None:
        raise InputError(f"size must be WIDTHxHEIGHT, such as 512x384, not {value!r}.")
    return int(found[1]), int(found[2])


def seed_or_random(seed: int | None) -> int:
    """A seed that torch takes. None gives a random one: torch's own state begins the same in each process."""
    return secrets.randbits(63) if seed is None else seed % (1 << 63)
