"""What leaves beside the artifacts: headers and events."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from guard.api.answers import event, forwarded
from tests.unit.api.parts import Script, as_json


@pytest.mark.parametrize(
    "name",
    [
        "x-ratelimit-limit-requests",
        "x-ratelimit-remaining-tokens",
        "x-ratelimit-reset-images",
        "retry-after",
        "retry-after-ms",
        "x-should-retry",
        "openai-processing-ms",
        "openai-poll-after-ms",
        "openai-model",
        "openai-version",
    ],
)
def test_limits_and_waits_go_on(name: str) -> None:
    assert forwarded({name: "6m0s"}) == {name: "6m0s"}


@pytest.mark.parametrize(
    "name",
    [
        "set-cookie",
        "authorization",
        "www-authenticate",
        "connection",
        "content-length",
        "content-encoding",
        "transfer-encoding",
        "location",
        "server",
        "via",
        "x-request-id",
        "openai-organization",
        "openai-project",
        "x-ratelimit-",
        "x-ratelimit-limit requests",
        "access-control-allow-origin",
    ],
)
def test_everything_else_stays(name: str) -> None:
    assert forwarded({name: "1"}) == {}


@pytest.mark.parametrize("value", ["", " 1", "1 ", "1\r\nset-cookie: a=b", "1\n", "\x001", "é", "1" * 300])
def test_a_value_is_one_short_printable_line(value: str) -> None:
    assert forwarded({"x-ratelimit-limit-requests": value}) == {}


@pytest.mark.parametrize("status", [400, 404, 422, 429, 500, 503])
def test_an_errors_limits_go_on_too(client: TestClient, script: Script, status: int) -> None:
    theirs = {"x-ratelimit-remaining-requests": "0", "retry-after-ms": "1500", "set-cookie": "a=b"}
    script.will(as_json({"error": {"message": "no"}}, status, theirs))
    headers = client.post("/v1/embeddings", json={"input": "a"}).headers
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert headers["retry-after-ms"] == "1500"
    assert "set-cookie" not in headers


def test_an_upstream_cannot_have_a_generation_run_again(client: TestClient, script: Script) -> None:
    script.will(as_json({"error": {"message": "no"}}, 400, {"x-should-retry": "true"}))
    answer = client.post("/v1/embeddings", json={"input": "a"})
    assert (answer.status_code, answer.headers["x-should-retry"]) == (400, "false")


def test_what_refused_guards_key_says_nothing_more(client: TestClient, script: Script) -> None:
    script.will(as_json({"error": {"message": "bad key sk-1"}}, 401, {"x-ratelimit-limit-requests": "1"}))
    answer = client.post("/v1/embeddings", json={"input": "a"})
    assert answer.status_code == 502
    assert "x-ratelimit-limit-requests" not in answer.headers


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"type": "a.b", "x": "é\n"}, b'event: a.b\ndata: {"type":"a.b","x":"\\u00e9\\n"}\n\n'),
        ({"x": 1}, b'data: {"x":1}\n\n'),
        ({"type": 7}, b'data: {"type":7}\n\n'),
        ({"type": "a\ndata: {}"}, b'data: {"type":"a\\ndata: {}"}\n\n'),
    ],
)
def test_an_event_is_named_as_its_data_says(value: dict[str, object], written: bytes) -> None:
    assert event(value) == written
