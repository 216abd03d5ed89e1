"""Request ids, and failures that nobody foresaw."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from guard.api.outermost import Outermost

SECRET = "hunter" + str(2)
START: Message = {"type": "http.response.start", "status": 200, "headers": []}


def ask(app: ASGIApp, kind: str = "http", headers: dict[str, str] | None = None) -> list[Message]:
    """What `app` sends for one request."""
    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": kind, "method": "POST", "path": "/", "headers": raw, "query_string": b""}
    asyncio.run(app(scope, receive, send))
    return sent


async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
    raise ZeroDivisionError(SECRET)


async def breaks_midway(scope: Scope, receive: Receive, send: Send) -> None:
    await send(START)
    raise ZeroDivisionError(SECRET)


async def answers(scope: Scope, receive: Receive, send: Send) -> None:
    await send({**START, "headers": []})


async def reads_and_answers(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await answers(scope, receive, send)


@pytest.mark.parametrize(
    ("app", "headers", "closes"),
    [
        (answers, {}, False),
        (answers, {"content-length": "1000"}, False),
        (answers, {"content-length": str(1 << 40)}, True),
        (answers, {"transfer-encoding": "chunked"}, True),
        (reads_and_answers, {"content-length": str(1 << 40)}, False),
        (reads_and_answers, {"transfer-encoding": "chunked"}, False),
    ],
)
def test_what_nobody_wants_to_read_ends_the_connection(
    app: ASGIApp, headers: dict[str, str], closes: bool
) -> None:
    (start,) = ask(Outermost(app), headers=headers)
    assert ((b"connection", b"close") in start["headers"]) is closes


def test_every_answer_has_an_id_of_its_own(alone: TestClient) -> None:
    ids = [alone.get("/healthz", headers={"x-request-id": "mine"}).headers["x-request-id"] for _ in range(3)]
    assert len(set(ids)) == 3
    assert all(each.startswith("req_") for each in ids)


def test_a_failure_is_a_plain_500_and_logged_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    start, body = ask(Outermost(breaks))
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    assert start["status"] == 500
    assert headers["x-should-retry"] == "false"
    assert json.loads(body["body"])["error"]["code"] == "internal_error"
    assert "ZeroDivisionError" in caplog.text
    assert headers["x-request-id"] in caplog.text
    assert SECRET not in caplog.text + str(body)


def test_a_failure_after_the_first_byte_ends_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    assert [message["type"] for message in ask(Outermost(breaks_midway))] == ["http.response.start"]
    assert "ZeroDivisionError" in caplog.text


def test_what_is_no_request_passes_by(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(ZeroDivisionError):
        ask(Outermost(breaks), kind="websocket")
    assert caplog.text == ""
