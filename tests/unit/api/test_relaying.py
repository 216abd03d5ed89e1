"""Streams that end on record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from guard.api.door import Door
from guard.api.relaying import to_its_record
from guard.app import App
from guard.errors import LedgerError, UpstreamError


async def parts(error: Exception | None = None) -> AsyncGenerator[bytes]:
    yield b"one"
    if error is not None:
        raise error
    yield b"two"


@pytest.mark.parametrize(
    ("read", "error", "reason"),
    [
        (1, None, "the caller left"),
        (2, UpstreamError("It broke."), "UpstreamError: It broke."),
        (2, None, "the caller left"),  # which nobody records where the end is on record already
    ],
)
def test_every_end_is_told_once(app: App, read: int, error: Exception | None, reason: str) -> None:
    reasons: list[str] = []

    async def run() -> None:
        relayed = to_its_record(Door(app, None, {}, None), parts(error), reasons.append)
        async with aclosing(relayed):
            for _ in range(read):
                await anext(relayed)

    if error is None:
        asyncio.run(run())
    else:
        with pytest.raises(UpstreamError):
            asyncio.run(run())
    assert reasons == [reason]


def test_a_ledger_that_fails_at_the_end_hides_no_other_error(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    def cut(_: str) -> None:
        raise LedgerError("The disk is full.")

    async def run() -> list[bytes]:
        return [part async for part in to_its_record(Door(app, None, {}, None), parts(), cut)]

    assert asyncio.run(run()) == [b"one", b"two"]
    assert "The disk is full." in caplog.text
