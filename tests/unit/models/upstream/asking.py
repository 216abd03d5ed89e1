"""How the tests of the upstream client ask: with one key, in an event loop of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from pydantic import SecretStr

from models.upstream import Upstream

__all__ = ["BODY", "KEY", "ask", "chat", "chunks_of", "models"]

KEY = "sk-test-0123456789"
BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
T = TypeVar("T")


def ask(url: str, work: Callable[[Upstream], Coroutine[Any, Any, T]], **options: Any) -> T:
    async def run() -> T:
        async with Upstream(url, SecretStr(KEY), **options) as upstream:
            return await work(upstream)

    return asyncio.run(run())


async def models(upstream: Upstream) -> dict[str, Any]:
    return (await upstream.get("models")).body


async def chat(upstream: Upstream, **more: Any) -> dict[str, Any]:
    return (await upstream.post("chat/completions", {**BODY, **more})).body


async def chunks_of(upstream: Upstream) -> list[dict[str, Any]]:
    async with upstream.stream("chat/completions", BODY) as events:
        return [event.data async for event in events]
