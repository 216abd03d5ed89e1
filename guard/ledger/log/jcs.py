"""Canonical JSON (RFC 8785): one way to write a value down, so that its hash means the value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

__all__ = ["canonical"]


def canonical(value: Any) -> str:
    """`value` in the form of RFC 8785. Raises `ValueError` for numbers that JSON cannot hold, `TypeError` for
    what is no JSON at all."""
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, (dict, Mapping)):
        members = (f"{encode_basestring(name)}:{canonical(value[name])}" for name in _sorted(value))
        return "{" + ",".join(members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(canonical, value)) + "]"
    raise TypeError(f"{type(value).__name__} is not JSON")


def _sorted(value: Mapping[str, Any]) -> list[str]:
    """The names in the order of their UTF-16 code units (§3.2.3)."""
    names = list(value)
    return sorted(names) if all(map(str.isascii, names)) else sorted(names, key=_units)


def _units(name: str) -> bytes:
    return name.encode("utf-16-be", "surrogatepass")


def _number(value: float) -> str:
    """As ECMAScript writes it (ECMA-262 §6.1.6.1.20): the shortest digits that read back the same."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is not JSON")
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    return "-" * sign + _placed(text, len(text) + exponent)


def _placed(digits: str, point: int) -> str:
    """Digits with the decimal point behind the first `point` of them."""
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if count > 1 else ""
    return f"{digits[0]}{fraction}e{point - 1:+d}"
