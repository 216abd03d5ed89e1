"""An upstream that costs next to nothing: answers chats with fixed words after fixed waits.

    python -m bench.proxy_upstream PORT

A process of its own, so that its work is nobody else's. A request sets the waits itself, in fields that every
proxy passes on: `max_tokens` is how many words come, `seed` how many milliseconds pass before the first and
between any two.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from functools import cache
from typing import Any

__all__ = ["chunk", "completion", "serve"]

_WORDS = (
    "The",
    "harbour",
    "wakes",
    "before",
    "dawn",
    "and",
    "boats",
    "leave",
    "their",
    "ropes",
    "on",
    "stone.",
)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_BASE = {"id": "chatcmpl-1", "created": 1, "model": "tiny"}
_EVENTS = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
)
_LAST = b"data: [DONE]\n\n"


def _word(number: int) -> str:
    return f"{_WORDS[number % len(_WORDS)]} "


@cache
def completion(words: int) -> bytes:
    """A whole answer of so many words, headers and all."""
    message = {"role": "assistant", "content": "".join(map(_word, range(words)))}
    usage = {"prompt_tokens": 9, "completion_tokens": words, "total_tokens": words + 9}
    choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": None}
    body = json.dumps({**_BASE, "object": "chat.completion", "choices": [choice], "usage": usage}).encode()
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    )


@cache
def chunk(number: int, words: int) -> bytes:
    """The streamed answer's chunk of that number, framed for HTTP; the one after the last word ends it."""
    over = number == words
    delta = {} if over else {"content": _word(number)} | ({} if number else {"role": "assistant"})
    choice = {"index": 0, "delta": delta, "finish_reason": "stop" if over else None}
    body = json.dumps({**_BASE, "object": "chat.completion.chunk", "choices": [choice]}).encode()
    framed = _framed(b"data: %s\n\n" % body)
    return framed + _framed(_LAST) + b"0\r\n\r\n" if over else framed


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class _Chats(asyncio.Protocol):
    """One connection: requests with a content length, one after another."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        if head < 0:
            return
        length = _LENGTH.search(self._received, 0, head + 2)
        end = head + 4 + (int(length[1]) if length else 0)
        if len(self._received) >= end:
            body, self._received = self._received[head + 4 : end], self._received[end:]
            self._answer(json.loads(body))

    def _answer(self, asked: dict[str, Any]) -> None:
        wait, words = asked["seed"] / 1000, asked["max_tokens"]
        if asked.get("stream"):
            self._transport.write(_EVENTS)
            self._later(self._loop.time() + wait, wait, 0, words)
        else:
            self._loop.call_later(wait, self._transport.write, completion(words))

    def _later(self, when: float, wait: float, number: int, words: int) -> None:
        self._loop.call_at(when, self._next, when, wait, number, words)

    def _next(self, when: float, wait: float, number: int, words: int) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(chunk(number, words))
        if number < words:
            self._later(when + wait, wait, number + 1, words)


async def serve(port: int) -> None:
    """Serve on loopback for ever."""
    server = await asyncio.get_running_loop().create_server(_Chats, "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
