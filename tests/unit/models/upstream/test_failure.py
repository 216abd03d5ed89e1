from __future__ import annotations

import json
from typing import Any

import pytest

from models.upstream.failure import error_in, failure, wrong_type

SECRET = "sk-abcdefghijklmnop"


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        (
            {"error": {"message": "no such model", "code": "model_not_found"}},
            "no such model",
            "model_not_found",
        ),
        ({"error": {"message": "bad", "code": None}}, "bad", None),
        ({"error": {"message": "bad", "code": 400}}, "bad", "400"),
        ({"error": {}}, "no reason given", None),
        ({"error": "overloaded"}, "overloaded", None),
        ({"detail": "Not Found"}, "Not Found", None),
        ({"detail": [{"loc": ["body", "n"], "msg": "must be positive"}]}, "body.n: must be positive", None),
        ({"detail": [{"msg": "odd"}, "loose"]}, "request: odd; loose", None),
        ({"message": "bare", "code": "bare_code"}, "bare", "bare_code"),
        ({"unknown": 1}, '{"unknown": 1}', None),
        (["a list"], '["a list"]', None),
    ],
)
def test_json_errors_of_every_dialect(body: Any, message: str, code: str | None) -> None:
    error = failure(400, encoded(body))
    assert error.message == f"The upstream answered 400: {message}"
    assert (error.status, error.code) == (400, code)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"upstream connect error\n", "upstream connect error"),
        (b"", "no reason given"),
        (b" \n ", "no reason given"),
        (
            b"<!doctype html><title>502 Bad\n Gateway &amp; more</title>",
            "an HTML page titled '502 Bad Gateway & more'",
        ),
        (b"<html><body>oops", "an HTML page"),
        (b"\xff\xfe broken", "�� broken"),
        (b'{"error": {"message": "cut', '{"error": {"message": "cut'),
        (b"[" * 100_000, "[" * 500 + "…"),
    ],
)
def test_errors_that_are_no_json(body: bytes, message: str) -> None:
    assert failure(502, body).message == f"The upstream answered 502: {message}"


def test_control_characters_never_reach_a_terminal() -> None:
    error = failure(500, encoded({"error": {"message": "a\x1b[31mb\r\nc\u202ed"}}))
    assert error.message.endswith(": a [31mb c d")


def test_a_long_message_is_cut() -> None:
    assert len(failure(500, b"x" * 10_000).message) < 600


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(401, "API key"), (404, "base URL"), (429, "Wait"), (500, "Try again"), (503, "Try again")],
)
def test_the_remedy_fits_the_status(status: int, remedy: str) -> None:
    assert remedy in failure(status, b"").remedy


def test_a_status_that_is_no_error_is_not_passed_off_as_one() -> None:
    assert failure(302, b"").status == 0


@pytest.mark.parametrize(
    "body",
    [
        encoded({"error": {"message": f"Incorrect API key provided: {SECRET}.", "code": SECRET}}),
        f"{'x' * 490}{SECRET}".encode(),
        f"<title>{SECRET}</title>".encode(),
    ],
)
def test_the_key_is_blanked_wherever_the_server_repeats_it(body: bytes) -> None:
    for error in (
        failure(401, body, secret=SECRET),
        wrong_type("text/html", "application/json", body, secret=SECRET),
    ):
        assert SECRET[:6] not in f"{error} {error.code} {error!r}"


@pytest.mark.parametrize(
    ("event", "message", "code", "status"),
    [
        ({"error": {"message": "cut off", "code": "server_error"}}, "cut off", "server_error", 0),
        ({"error": {"message": "too long", "code": 400, "type": "BadRequest"}}, "too long", "400", 400),
        ({"error": {"message": "odd", "code": 7}}, "odd", "7", 0),
        ({"error": "gone"}, "gone", None, 0),
        ({"error": ["odd"]}, "no reason given", None, 0),
        ({"object": "error", "message": "old vLLM", "code": 500}, "old vLLM", "500", 500),
    ],
)
def test_errors_in_place_of_an_answer(event: Any, message: str, code: str | None, status: int) -> None:
    error = error_in(event)
    assert error is not None
    assert error.message == f"The upstream broke off with an error: {message}"
    assert (error.code, error.status) == (code, status)


@pytest.mark.parametrize("event", [{}, {"error": None}, {"choices": []}, [], "error", None])
def test_answers_are_no_errors(event: Any) -> None:
    assert error_in(event) is None


def test_a_wrong_type_is_named_with_what_the_body_says() -> None:
    error = wrong_type("text/html", "application/json", b"<title>Sign in</title>")
    assert "text/html instead of application/json" in error.message
    assert "'Sign in'" in error.message
    assert "no content type" in wrong_type("", "application/json", b"").message
