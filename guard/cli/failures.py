"""Failures as people read them: one sentence, a remedy, an exit code."""

from __future__ import annotations

import os

from guard.errors import BlockedError, GuardError

__all__ = ["BAD_INPUT", "FINE", "INTERRUPTED", "NO", "debugging", "exit_code", "sentence"]

FINE = 0
NO = 1
"""The command worked and the answer is no: not trusted, not marked, blocked."""
BAD_INPUT = 2
"""Bad usage, input or settings; anything unexpected too, so that 1 always means an answer."""
INTERRUPTED = 130


def exit_code(error: Exception) -> int:
    """The exit code of a command that `error` ended."""
    return NO if isinstance(error, BlockedError) else BAD_INPUT


def sentence(error: Exception) -> str:
    """What happened and what to do about it, whatever raised it."""
    if isinstance(error, GuardError):
        return str(error)
    detail = f"{type(error).__name__}: {error}".rstrip(" .:")
    return f"Something unexpected went wrong ({detail}). Set GUARD_DEBUG=1 to see where, and report it."


def debugging() -> bool:
    """Whether the user wants to see tracebacks of unexpected errors."""
    return os.environ.get("GUARD_DEBUG", "") not in ("", "0")
