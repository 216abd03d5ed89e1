"""Which Guards a request came through (RFC 9110, section 7.6.3), so that it never goes round in a circle."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextvars import ContextVar

__all__ = ["hops_in", "passed", "via"]

_A_GUARD = re.compile(r"\b1\.[01] (guard-[0-9a-f]{16})\b")

passed: ContextVar[Sequence[str]] = ContextVar("passed", default=())
"""The Guards that the request in hand came through before it was here."""


def hops_in(header: str) -> list[str]:
    """The Guards named in a `Via` header, in order; whatever else stands in it is not ours to pass on."""
    return _A_GUARD.findall(header)


def via(name: str) -> str:
    """The `Via` header of a request that the Guard called `name` sends on."""
    return ", ".join(f"1.1 {hop}" for hop in (*passed.get(), name))
