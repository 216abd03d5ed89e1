"""What callers may send, and what happens when they leave."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import pytest
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.testclient import TestClient
from starlette.types import Message

from guard.api import bodies
from guard.api.bodies import (
    JSON_BYTES,
    JSON_LEVELS,
    announced,
    read_json,
    read_upload,
    user_in,
    while_connected,
)
from guard.errors import LimitExceededError
from tests.unit.api.parts import Script, as_json, completion, say

CHAT = "/v1/chat/completions"
JSON = {"content-type": "application/json"}


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


class TestJson:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b'"text"',
            b"null",
            b'{"a": NaN}',
            b'{"a": -Infinity}',
            b'{"a": 1} tail',
            b"{'a': 1}",
            b'{"a": "\xff"}',
            '{"a": 1}'.encode("utf-16"),
            b'\xef\xbb\xbf{"a": 1}',
            b'{"a": "line\nbreak"}',
            b'{"a": ' + b"9" * 5000 + b"}",
            nested(JSON_LEVELS + 1),
            nested(100_000),
        ],
    )
    def test_anything_but_an_object_is_refused(self, client: TestClient, script: Script, body: bytes) -> None:
        answer = client.post(CHAT, content=body, headers=JSON)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_json")
        assert answer.headers["x-should-retry"] == "false"
        assert script.seen == []

    def test_as_deep_as_is_sane_is_fine(self, client: TestClient, script: Script) -> None:
        script.will(as_json(completion("Good.")))
        deep = json.loads(nested(JSON_LEVELS - 1))
        assert client.post(CHAT, json=say("Hello", deep=deep)).status_code == 200
        assert script.bodies[0]["deep"] == deep

    @pytest.mark.parametrize("body", [b'{"a": [' + b"1," * 1_000_001 + b"1]}", b"[" * 1_000_002])
    def test_a_swarm_of_values_is_refused(self, client: TestClient, body: bytes) -> None:
        answer = client.post(CHAT, content=body, headers=JSON)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "limit_exceeded")

    def test_too_much_is_refused_before_it_is_read(self, client: TestClient) -> None:
        answer = client.post(CHAT, content=b"{}", headers={**JSON, "content-length": str(JSON_BYTES + 1)})
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "limit_exceeded")

    @pytest.mark.parametrize("kind", ["text/plain", "", "application/x-www-form-urlencoded"])
    def test_a_web_page_cannot_post_it_unasked(self, client: TestClient, kind: str) -> None:
        answer = client.post(CHAT, content=json.dumps(say("Hello")), headers={"content-type": kind})
        assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_content_type")

    def test_a_charset_does_no_harm(self, client: TestClient, script: Script) -> None:
        script.will(as_json(completion("Good.")))
        kind = {"content-type": "Application/JSON; charset=utf-8"}
        assert client.post(CHAT, content=json.dumps(say("Hello")), headers=kind).status_code == 200


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ({}, 0),
        ({"content-length": "7"}, 7),
        ({"content-length": "7", "transfer-encoding": "chunked"}, math.inf),
        ({"content-length": "seven"}, math.inf),
        ({"content-length": "9" * 5000}, math.inf),
    ],
)
def test_what_a_sender_announces(headers: dict[str, str], length: float) -> None:
    assert announced(Headers(headers)) == length


@pytest.mark.parametrize(
    ("body", "user"),
    [
        ({}, {}),
        ({"user": "ann"}, {"id": "ann"}),
        ({"user": "ann", "safety_identifier": "hash"}, {"id": "hash"}),
        ({"user": {"tier": "trusted"}}, {}),
    ],
)
def test_of_the_user_only_a_name_is_believed(body: dict[str, Any], user: dict[str, str]) -> None:
    assert user_in(body) == user


def request_of(*messages: Message, kind: str = "") -> Request:
    """A request whose caller sends `messages` and then stays."""
    return request_from(list(messages), kind)


def request_from(coming: list[Message], kind: str = "") -> Request:

    async def receive() -> Message:
        if coming:
            return coming.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    headers = [(b"content-type", kind.encode())]
    return Request({"type": "http", "headers": headers, "method": "POST"}, receive)


LEAVES: Message = {"type": "http.disconnect"}


class TestWhileConnected:
    def test_gives_what_the_call_gives(self) -> None:
        async def call() -> int:
            return 7

        assert asyncio.run(while_connected(request_of(), call())) == 7

    def test_passes_errors_on(self) -> None:
        async def call() -> int:
            raise LookupError("odd")

        with pytest.raises(LookupError, match="odd"):
            asyncio.run(while_connected(request_of(), call()))

    def test_stops_the_call_when_the_caller_leaves(self) -> None:
        stopped = False

        async def call() -> None:
            nonlocal stopped
            try:
                await asyncio.Event().wait()
            finally:
                stopped = True

        late = {"type": "http.request", "body": b"", "more_body": False}
        with pytest.raises(ClientDisconnect):
            asyncio.run(while_connected(request_of(late, LEAVES), call()))
        assert stopped

    def test_stops_the_call_when_the_server_stops(self) -> None:
        stopped = asyncio.Event()

        async def call() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                stopped.set()

        async def main() -> None:
            task = asyncio.create_task(while_connected(request_of(), call()))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(main())
        assert stopped.is_set()


def test_a_caller_who_leaves_midway_through_the_body_is_noticed() -> None:
    part: Message = {"type": "http.request", "body": b"half", "more_body": True}
    with pytest.raises(ClientDisconnect):
        asyncio.run(read_upload(request_of(part, LEAVES), 1000))


@pytest.mark.parametrize(
    ("kind", "start"),
    [
        ("image/png", b""),
        ("application/json", b""),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n',
        ),
    ],
)
def test_a_body_of_unknown_length_is_cut_off_at_the_limit(
    monkeypatch: pytest.MonkeyPatch, kind: str, start: bytes
) -> None:
    monkeypatch.setattr(bodies, "JSON_BYTES", 100_000)
    part: Message = {"type": "http.request", "body": b" " * 40_000, "more_body": True}
    coming = [{**part, "body": start}] + [part] * 100
    request = request_from(coming, kind)
    read = read_json(request) if kind == "application/json" else read_upload(request, 100_000)
    with pytest.raises(LimitExceededError):
        asyncio.run(read)
    assert len(coming) > 90
