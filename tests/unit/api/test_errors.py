"""Errors in OpenAI's form, whatever went wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import httpx2
import pytest
from fastapi import FastAPI
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient

from guard.api import create_app
from guard.app import App
from guard.errors import (
    BlockedError,
    ConfigurationError,
    CredentialError,
    DetectorError,
    GenerationError,
    GuardError,
    InputError,
    KeyStoreError,
    LedgerError,
    LimitExceededError,
    MalformedMediaError,
    MarkError,
    MissingExtraError,
    ModelNotFoundError,
    PolicyError,
    UnsupportedMediaError,
    UpstreamError,
)

Raises = Callable[[Exception], httpx2.Response]


@pytest.fixture
def api(app: App) -> FastAPI:
    return create_app(app, require_keys=False)


@pytest.fixture
def client(api: FastAPI) -> Iterator[TestClient]:
    with TestClient(api) as opened:
        yield opened


@pytest.fixture
def raises(api: FastAPI, client: TestClient) -> Raises:
    """POSTs to a route that raises the error it is given."""
    errors: list[Exception] = []

    @api.post("/raise")
    async def route() -> None:
        raise errors.pop()

    def post(error: Exception) -> httpx2.Response:
        errors.append(error)
        return client.post("/raise")

    return post


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InputError("odd"), 400, "invalid_input"),
        (UnsupportedMediaError("odd"), 400, "unsupported_media"),
        (MalformedMediaError("odd"), 400, "malformed_media"),
        (LimitExceededError("odd"), 413, "limit_exceeded"),
        (ModelNotFoundError("odd"), 404, "model_not_found"),
        (ConfigurationError("odd"), 503, "not_configured"),
        (KeyStoreError("odd"), 503, "not_configured"),
        (MissingExtraError("odd", "local"), 503, "not_configured"),
        (PolicyError("odd", line=1, column=1), 503, "not_configured"),
        (LedgerError("odd"), 503, "ledger_unavailable"),
        (GenerationError("odd"), 500, "release_failed"),
        (MarkError("odd"), 500, "release_failed"),
        (CredentialError("odd"), 500, "release_failed"),
        (DetectorError("odd"), 500, "release_failed"),
        (GuardError("odd"), 500, "release_failed"),
    ],
)
def test_each_error_has_its_status(raises: Raises, error: GuardError, status: int, code: str) -> None:
    answer = raises(error)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["type"] == ("server_error" if status >= 500 else "invalid_request_error")
    assert answer.headers["x-should-retry"] == "false"


def test_a_block_names_its_rule_and_its_record(raises: Raises) -> None:
    answer = raises(BlockedError("no-maps", "Maps are secret.", "0123456789abcdef"))
    assert answer.status_code == 400
    assert answer.headers["x-should-retry"] == "false"
    assert answer.json()["error"] == {
        "message": "Blocked by rule 'no-maps': Maps are secret. (recorded as 0123456789abcdef)",
        "type": "invalid_request_error",
        "param": None,
        "code": "content_policy_violation",
        "guard": {"rule": "no-maps", "release_id": "0123456789abcdef"},
    }


def test_a_block_without_a_record_says_nothing_of_one(raises: Raises) -> None:
    assert raises(BlockedError("r", "No.")).json()["error"]["message"] == "Blocked by rule 'r': No."


@pytest.mark.parametrize(
    ("theirs", "ours", "code", "again"),
    [
        (0, 502, "upstream_error", False),
        (400, 400, "theirs", False),
        (404, 404, "theirs", False),
        (413, 413, "theirs", False),
        (422, 422, "theirs", False),
        (401, 502, "upstream_refused", False),
        (403, 502, "upstream_refused", False),
        (407, 502, "upstream_refused", False),
        (408, 502, "upstream_error", False),
        (409, 502, "upstream_error", False),
        (429, 429, "theirs", True),
        (500, 502, "upstream_error", False),
        (502, 502, "upstream_error", False),
        (503, 503, "theirs", True),
        (504, 502, "upstream_error", False),
    ],
)
def test_an_upstreams_error_is_told_so_that_nobody_pays_twice(
    raises: Raises, theirs: int, ours: int, code: str, again: bool
) -> None:
    answer = raises(UpstreamError("They said no to sk-1***9.", status=theirs, code="theirs"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (ours, code)
    assert answer.headers.get("x-should-retry") == (None if again else "false")
    assert ("sk-1" in answer.text) is (code != "upstream_refused")


@pytest.mark.parametrize(("seconds", "header"), [(0.2, "1"), (30.0, "30"), (float("inf"), "86400")])
def test_a_wait_is_passed_on_as_a_number(raises: Raises, seconds: float, header: str) -> None:
    assert raises(UpstreamError("Wait.", status=429, retry_after=seconds)).headers["retry-after"] == header
    assert "retry-after" not in raises(UpstreamError("Wait.", status=429)).headers


def test_what_the_operator_must_mend_is_in_the_log_alone(
    raises: Raises, caplog: pytest.LogCaptureFixture
) -> None:
    answer = raises(ConfigurationError("/srv/keys/signer.pem is missing."))
    assert "/srv" not in answer.text
    assert "/srv/keys/signer.pem" in caplog.text
    assert answer.headers["x-request-id"] in caplog.text


def test_a_caller_who_left_is_no_failure(raises: Raises, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert raises(ClientDisconnect()).status_code == 499
    assert "left" in caplog.text
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/nothing", "/v1/models/", "/v1/verify/", "/docs", "/v1/%0d%0ax: y"]
)
def test_an_unknown_route_is_told_in_the_same_form(client: TestClient, path: str) -> None:
    answer = client.post(path)
    assert answer.status_code == (405 if path == "/v1/models/" else 404)
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.headers["x-request-id"]


def test_a_wrong_method_names_the_right_one(client: TestClient) -> None:
    answer = client.get("/v1/chat/completions")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["error"]["code"] == "method_not_allowed"


def test_a_refusal_of_the_framework_takes_the_same_form(api: FastAPI, client: TestClient) -> None:
    @api.get("/typed")
    async def route(count: int) -> int:
        return count

    answer = client.get("/typed", params={"count": "hunter2"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "query.count")
    assert "hunter2" not in answer.text
    assert client.get("/typed", params={"count": "2"}).json() == 2
