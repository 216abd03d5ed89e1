"""How the tests of the upstream client ask: with one key, in an event loop of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from pydantic import SecretStr

from models.upstream import Upstream

__all__ = ["BODY", "KEY", "ask", "chunks_of"]

KEY = "sk-test-0123456789"
BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
T = TypeVar("T")


def ask(url: str, work: Callable[[Upstream], Coroutine[Any, Any, T]], **options: Any) -> T:
    async def run() -> T:
        async with Upstream(url, SecretStr(KEY), **options) as upstream:
            return await work(upstream)

    return asyncio.run(run())


async def chunks_of(upstream: Upstream, body: dict[str, Any] = BODY) -> list[dict[str, Any]]:
    return [chunk async for chunk in upstream.chat_stream(body)]
