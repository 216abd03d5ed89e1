"""Streams that end on record."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from anyio import CancelScope

from guard.api.door import Door
from guard.errors import GuardError, LedgerError

__all__ = ["to_its_record"]

logger = logging.getLogger(__name__)


async def to_its_record(
    door: Door, parts: AsyncGenerator[bytes], cut: Callable[[str], None]
) -> AsyncGenerator[bytes]:
    """The parts of an answer. However they end, `cut` is called in a worker thread with the reason: it puts
    on record what had left, unless the end is on record already."""
    reason = "the caller left"
    try:
        async with aclosing(parts):
            async for part in parts:
                yield part
    except GuardError as error:
        reason = f"{type(error).__name__}: {error.message}"
        raise
    finally:
        # Also when this very task is being cancelled, since its caller has left.
        with CancelScope(shield=True):
            try:
                await door.record(cut, reason)
            except LedgerError as error:
                logger.error("The end of a stream could not be recorded: %s", error)
