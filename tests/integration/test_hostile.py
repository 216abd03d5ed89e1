"""Bytes on the wire that no client library sends, against a real server."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from tests.integration.sites import PATIENCE, Site
from tests.upstream import Server, as_json


def say(site: Site, data: bytes, *, end: bool = False) -> bytes:
    """All that the server answers until it hangs up; with `end` it hears that no more bytes come."""
    host, port = site.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), PATIENCE) as connection:
        connection.sendall(data)
        if end:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


def head(site: Site, *more: str, path: str = "/v1/embeddings") -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "host: guard.test",
        f"authorization: Bearer {site.key}",
        "content-type: application/json",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def error_in(answer: bytes) -> tuple[int, dict[str, Any]]:
    start, _, body = answer.partition(b"\r\n\r\n")
    return int(start.split()[1]), json.loads(body)["error"]


BODY = b'{"input": "a"}'


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (["content-length: 1000"], BODY),
        (["transfer-encoding: chunked"], b"e\r\n" + BODY),
        (["transfer-encoding: chunked"], b"ffffff\r\n" + BODY),
        (["transfer-encoding: chunked"], b"zz\r\n" + BODY + b"\r\n0\r\n\r\n"),
        (["content-length: 14", "content-length: 3"], BODY),
        (["content-length: -1"], BODY),
        (["content-length: 14", "transfer-encoding: chunked, x"], BODY),
        (["x: a\x00b", "content-length: 14"], BODY),
        (["x y: b", "content-length: 14"], BODY),
        (["x: " + "y" * 100_000, "content-length: 14"], BODY),
    ],
)
def test_a_body_that_lies_about_its_length_is_not_sent_on(
    site: Site, upstream: Server, headers: list[str], body: bytes
) -> None:
    upstream.answers[:] = [as_json({"data": []})]
    answer = say(site, head(site, *headers) + body, end=True)
    assert answer == b"" or int(answer.split()[1]) >= 400
    assert upstream.seen == []


def test_what_follows_a_body_is_another_request(site: Site, upstream: Server) -> None:
    upstream.answers[:] = [as_json({"data": []})]
    smuggled = b"POST /v1/embeddings HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"
    both = ["content-length: 3", "transfer-encoding: chunked"]
    chunked = b"e\r\n" + BODY + b"\r\n0\r\n\r\n"
    say(site, head(site, *both) + chunked + smuggled, end=True)
    assert len(upstream.seen) <= 1  # the second has no key of its own


def test_a_shorter_length_cuts_the_body(site: Site, upstream: Server) -> None:
    status, error = error_in(say(site, head(site, "content-length: 5", "connection: close") + BODY))
    assert (status, error["code"]) == (400, "invalid_json")
    assert upstream.seen == []


def test_a_caller_who_leaves_halfway_asks_for_nothing(site: Site, upstream: Server) -> None:
    say(site, head(site, "content-length: 1000") + BODY, end=True)
    assert error_in(say(site, head(site, "content-length: 2", "connection: close") + b"[]"))[0] == 400
    assert upstream.seen == []


@pytest.mark.parametrize(
    "path",
    ["/v1/videos/..", "/v1/videos/%2e%2e/content", "/v1/videos/a%2f..%2f..%2fadmin", "/v1/%00", "/v1/\xff"],
)
def test_a_path_leads_nowhere_else(site: Site, upstream: Server, path: str) -> None:
    answer = say(site, head(site, "connection: close", path=path).replace(b"POST", b"GET"))
    assert int(answer.split()[1]) in (400, 404)
    assert upstream.seen == []


def test_a_line_end_in_an_id_writes_no_header(site: Site, upstream: Server) -> None:
    upstream.answers[:] = [as_json({"id": "x", "object": "file"})]
    path = "/v1/files/a%0d%0ax-evil:%201"
    answer = say(site, head(site, "connection: close", path=path).replace(b"POST", b"GET"))
    assert b"200" in answer.split(b"\r\n")[0]
    assert "x-evil" not in upstream.seen[0].headers
    assert upstream.seen[0].path == "/v1/files/a%0D%0Ax-evil:%201"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_head_and_options_are_answered_sanely(site: Site, upstream: Server, method: str) -> None:
    answer = say(site, head(site, "connection: close").replace(b"POST", method.encode(), 1))
    start, _, body = answer.partition(b"\r\n\r\n")
    assert start.split()[1] == b"405"
    assert b"allow: POST" in start
    assert (body == b"") is (method == "HEAD")
