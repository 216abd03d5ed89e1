"""Callers of a chat API that cost little themselves: bare HTTP/1.1 over connections that stay open."""

from __future__ import annotations

import asyncio
import json
import re
from time import perf_counter
from typing import NamedTuple, Self

__all__ = ["Caller", "Chat", "Target"]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LONGEST_LINE = 1 << 20


class Target(NamedTuple):
    """Where a chat API listens on loopback, and the key that it wants."""

    name: str
    port: int
    key: str


class Chat(NamedTuple):
    """What is asked: `words` in the answer, `wait` milliseconds before the first and between any two."""

    words: int
    wait: int
    stream: bool = False

    def request(self, target: Target) -> bytes:
        """The request as bytes."""
        prompt = "Write a few lines about a harbour at dawn, with boats and ropes and one warm stone."
        fields = {
            "model": "tiny",
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": self.words,
            "seed": self.wait,
            "stream": self.stream,
        }
        body = json.dumps(fields).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{target.port}\r\n"
            f"authorization: Bearer {target.key}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class Caller:
    """One connection to a target, for one request after another."""

    def __init__(self, target: Target, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._target = target
        self._reader = reader
        self._writer = writer

    @classmethod
    async def call(cls, target: Target) -> Self:
        """Connect."""
        return cls(target, *await _connected(target))

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        await self._writer.wait_closed()

    async def whole(self, chat: Chat) -> float:
        """Seconds until the whole answer is here."""
        start = perf_counter()
        head = await self._ask(chat)
        length = _LENGTH.search(head)
        if length:
            await self._reader.readexactly(int(length[1]))
        else:
            while await self._chunk():
                pass
        return perf_counter() - start

    async def streamed(self, chat: Chat) -> list[float]:
        """Seconds until each word was here."""
        start = perf_counter()
        await self._ask(chat)
        came: list[float] = []
        while events := await self._chunk():
            came += [perf_counter() - start] * _words_in(events)
        if len(came) != chat.words:
            raise RuntimeError(f"{self._target.name} sent {len(came)} words of {chat.words}.")
        return came

    async def _ask(self, chat: Chat) -> bytes:
        if self._reader.at_eof():  # servers hang up on connections that are idle for some seconds
            await self.close()
            self._reader, self._writer = await _connected(self._target)
        self._writer.write(chat.request(self._target))
        head = await self._reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise RuntimeError(f"{self._target.name} answered {head.decode()}")
        return head

    async def _chunk(self) -> bytes:
        size = int(await self._reader.readuntil(b"\r\n"), 16)
        return (await self._reader.readexactly(size + 2))[:-2]


async def _connected(target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", target.port, limit=_LONGEST_LINE)


def _words_in(events: bytes) -> int:
    texts = [line for line in events.split(b"\n") if line.startswith(b"data: {")]
    choices = (json.loads(line[6:])["choices"] for line in texts)
    return sum(bool(choice["delta"].get("content")) for found in choices for choice in found)
