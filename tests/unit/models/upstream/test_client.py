from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from guard.errors import ConfigurationError, InputError, UpstreamError
from models.upstream import Upstream
from tests.unit.models.upstream.asking import BODY, KEY, ask, chat, chunks_of, models
from tests.upstream import Answer, as_json, as_stream, serving


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- plain answers -----------------------------------------------------------------------------------------


def test_chat_passes_unknown_fields_both_ways() -> None:
    told = {"choices": [{"message": {"content": "größe 😀"}, "odd": [1, None]}], "vendor": {"x": 1.5}}
    with serving(as_json(told)) as server:
        assert ask(server.url, lambda up: chat(up, made_up={"deep": [True]})) == told
    [seen] = server.seen
    assert (seen.method, seen.path) == ("POST", "/v1/chat/completions")
    assert seen.json == {**BODY, "made_up": {"deep": [True]}}
    assert seen.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("tail", ["", "/", "//"])
def test_the_base_url_may_end_in_slashes(tail: str) -> None:
    with serving(as_json({"object": "list", "data": []})) as server:
        assert ask(server.url + tail, models) == {"object": "list", "data": []}
    assert (server.seen[0].method, server.seen[0].path) == ("GET", "/v1/models")


def test_without_a_key_no_authorization_is_sent() -> None:
    async def run(url: str) -> None:
        async with Upstream(url) as upstream:
            await models(upstream)

    with serving(as_json({})) as server:
        asyncio.run(run(server.url))
    assert "authorization" not in server.seen[0].headers


def test_json_subtypes_are_json() -> None:
    with serving(Answer(b'{"a": 1}', kind="application/vnd.api+json; charset=utf-8")) as server:
        assert ask(server.url, models) == {"a": 1}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            Answer(b"<title>Log in</title>", kind="text/html"),
            "text/html instead of application/json: an HTML page",
        ),
        (Answer(b"{}", kind=""), "no content type"),
        (Answer(b'{"choices": ['), "not JSON, or was cut off"),
        (Answer(b"[" * 100_000), "not JSON"),
        (Answer(b"\xff\xfe"), "not JSON"),
        (Answer(b"[1]"), "no object"),
        (as_json({"error": {"message": "inside a 200"}}), "inside a 200"),
        (Answer((b'{"a"',), cut=True), "broke"),
        (Answer(b"moved", 307, headers={"location": "http://127.0.0.1:1/"}), "answered 307"),
    ],
)
def test_an_answer_that_is_none_is_an_upstream_error(answer: Answer, message: str) -> None:
    with serving(answer) as server, pytest.raises(UpstreamError, match=message) as caught:
        ask(server.url, chat)
    assert caught.value.status == 0
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 429, 500, 503])
def test_a_generation_that_failed_is_never_sent_again(status: int) -> None:
    refusal = as_json({"error": {"message": "no", "code": "c"}}, status, retry_after="0")
    with serving(refusal) as server, pytest.raises(UpstreamError) as caught:
        ask(server.url, chat)
    assert (caught.value.status, caught.value.code) == (status, "c")
    assert len(server.seen) == 1


def test_an_error_page_without_end_is_read_only_so_far() -> None:
    with (
        serving(Answer(b"x" * (8 << 20), 500, "text/plain")) as server,
        pytest.raises(UpstreamError, match="xxx…"),
    ):
        ask(server.url, chat)


@pytest.mark.parametrize("chunked", [True, False])
def test_an_answer_over_the_limit_is_refused(chunked: bool) -> None:
    body = [b"x" * 600, b"y" * 600] if chunked else b"x" * 1200
    with serving(Answer(body)) as server, pytest.raises(UpstreamError, match="larger than 1000 bytes"):
        ask(server.url, models, max_bytes=1000)


def test_an_answer_at_the_limit_is_not() -> None:
    with serving(Answer(b"{}")) as server:
        assert ask(server.url, models, max_bytes=2) == {}


@pytest.mark.parametrize("value", [float("nan"), "\ud800", object()])
def test_a_body_that_json_cannot_hold_is_the_callers_fault(value: object) -> None:
    with serving(as_json({})) as server, pytest.raises(InputError, match="JSON"):
        ask(server.url, lambda up: chat(up, x=value))
    assert server.seen == []


def test_cookies_of_one_answer_do_not_travel_with_the_next_request() -> None:
    async def twice(upstream: Upstream) -> None:
        await models(upstream)
        await models(upstream)

    with serving(as_json({}, set_cookie="who=alice; Path=/")) as server:
        ask(server.url, twice)
    assert "cookie" not in server.seen[1].headers


# --- connections and time ----------------------------------------------------------------------------------


def test_nobody_listening_is_said_plainly() -> None:
    url = f"http://127.0.0.1:{free_port()}/v1"
    with pytest.raises(UpstreamError, match="No connection to the upstream at http://127") as caught:
        ask(url, models)
    assert caught.value.status == 0


def test_a_generation_waits_for_a_server_that_is_just_starting() -> None:
    port = free_port()
    done = threading.Event()

    def late() -> None:
        time.sleep(0.2)
        with serving(as_json({"ok": 1}), port=port) as server:
            done.wait(10)
            seen.extend(server.seen)

    seen: list[Any] = []
    thread = threading.Thread(target=late)
    thread.start()
    try:
        assert ask(f"http://127.0.0.1:{port}/v1", chat) == {"ok": 1}
    finally:
        done.set()
        thread.join()
    assert len(seen) == 1


class Silent:
    """A server that takes connections and bytes, counts them, and answers nothing."""

    def __init__(self, hang_up: bool) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._hang_up = hang_up
        self.connections = 0
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.recv(65536)
            if self._hang_up:
                connection.close()
            else:
                self._open.append(connection)

    def __enter__(self) -> Silent:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        for connection in self._open:
            connection.close()


def test_a_server_that_hangs_up_after_the_request_is_not_asked_again() -> None:
    with Silent(hang_up=True) as server, pytest.raises(UpstreamError, match="broke"):
        ask(server.url, chat)
    assert server.connections == 1


def test_a_server_that_does_not_answer_runs_into_the_timeout() -> None:
    with Silent(hang_up=False) as server, pytest.raises(UpstreamError, match="did not answer in time"):
        ask(server.url, chat, timeout=httpx2.Timeout(0.2))
    assert server.connections == 1


def test_all_connections_busy_is_told_apart_from_a_slow_server() -> None:
    async def two(upstream: Upstream) -> list[Any]:
        return await asyncio.gather(chat(upstream), chat(upstream), return_exceptions=True)

    one = httpx2.Limits(max_connections=1)
    with Silent(hang_up=False) as server:
        errors = ask(server.url, two, connections=one, timeout=httpx2.Timeout(0.6, pool=0.1))
    assert sorted(str(error).split(".")[0][:34] for error in errors) == [
        "All connections to the upstream ar",
        "The upstream at http://127",
    ]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_reading_waits_as_long_as_the_server_asks(status: int, form: str) -> None:
    after = (
        "0" if form == "seconds" else format_datetime(datetime.now(UTC) - timedelta(seconds=5), usegmt=True)
    )
    with serving(as_json({}, status, retry_after=after), as_json({"data": []})) as server:
        assert ask(server.url, models) == {"data": []}
    assert len(server.seen) == 2


def test_reading_really_waits() -> None:
    start = time.monotonic()
    with serving(as_json({}, 503, retry_after="1"), as_json({})) as server:
        ask(server.url, models)
    assert time.monotonic() - start >= 1


def test_reading_gives_up_after_three_times() -> None:
    with serving(as_json({}, 503, retry_after="0")) as server, pytest.raises(UpstreamError) as caught:
        ask(server.url, models)
    assert caught.value.status == 503
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    "after", ["", "31", "soon", "Mon, 01 Jan 2035 00:00:00", "Mon, 01 Jan 2099 00:00:00 GMT"]
)
def test_reading_does_not_wait_without_a_time_it_can_keep(after: str) -> None:
    with serving(as_json({}, 503, retry_after=after)) as server, pytest.raises(UpstreamError):
        ask(server.url, models)
    assert len(server.seen) == 1


# --- streams -----------------------------------------------------------------------------------------------


def chunk(text: str) -> bytes:
    return f'data: {{"choices": [{{"delta": {{"content": "{text}"}}}}], "vendor": 1}}\r\n\r\n'.encode()


def test_a_stream_gives_whole_objects_whatever_the_cuts() -> None:
    whole = b": ping\n\n" + chunk("größer") + chunk("😀") + b"data: [DONE]\n\n"
    cuts = [whole[i : i + 7] for i in range(0, len(whole), 7)]
    with serving(as_stream(*cuts)) as server:
        chunks = ask(server.url, chunks_of)
    assert [c["choices"][0]["delta"]["content"] for c in chunks] == ["größer", "😀"]
    assert chunks[0]["vendor"] == 1
    assert server.seen[0].json == {**BODY, "stream": True}


def test_nothing_after_done_is_passed_on() -> None:
    with serving(as_stream(chunk("a"), b"data: [DONE]\n\n", chunk("b"), b"data: junk\n\n")) as server:
        assert len(ask(server.url, chunks_of)) == 1


def test_a_stream_can_be_asked_for_in_other_words() -> None:
    async def listen(upstream: Upstream) -> list[Any]:
        async with upstream.stream("audio/speech", BODY, asking=False) as events:
            return [event.data async for event in events]

    with serving(as_stream(chunk("a"))) as server:
        assert len(ask(server.url, listen)) == 1
    assert server.seen[0].json == BODY


def test_a_stream_may_end_without_done() -> None:
    with serving(as_stream(chunk("a"), chunk("b"))) as server:
        assert len(ask(server.url, chunks_of)) == 2


@pytest.mark.parametrize(
    ("last", "message", "code"),
    [
        (b'data: {"error": {"message": "cut off", "code": "server_error"}}\n\n', "cut off", "server_error"),
        (b'event: error\ndata: {"message": "bare", "code": "c"}\n\n', "bare", "c"),
        (b'event: error\ndata: {"error": {"message": "both"}}\n\n', "both", None),
        (b"event: error\ndata: {}\n\n", "broke off", None),
        (b"data: {broken\n\n", "not JSON", None),
        (b"data: 7\n\n", "no object", None),
        (b'data: {"choices": [', "not JSON, or was cut off", None),
        (b"data: \xff\n\n", "not UTF-8", None),
    ],
)
def test_a_stream_that_goes_wrong_gives_what_came_before_and_raises(
    last: bytes, message: str, code: str | None
) -> None:
    got: list[dict[str, Any]] = []

    async def collect(upstream: Upstream) -> None:
        async with upstream.stream("chat/completions", BODY) as events:
            async for event in events:
                got.append(event.data)

    with (
        serving(as_stream(chunk("a"), last)) as server,
        pytest.raises(UpstreamError, match=message) as caught,
    ):
        ask(server.url, collect)
    assert len(got) == 1
    assert caught.value.code == code


def test_a_connection_that_breaks_midway_is_an_error_not_an_end() -> None:
    with serving(as_stream(chunk("a"), cut=True)) as server, pytest.raises(UpstreamError, match="broke"):
        ask(server.url, chunks_of)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (as_json({"error": {"message": "no streams here"}}), "no streams here"),
        (as_json({"choices": []}), "application/json instead of text/event-stream"),
        (as_json({"error": {"message": "bad"}}, 400), "answered 400: bad"),
    ],
)
def test_an_answer_that_is_no_stream(answer: Answer, message: str) -> None:
    with serving(answer) as server, pytest.raises(UpstreamError, match=message):
        ask(server.url, chunks_of)


def test_a_stream_is_bounded_too() -> None:
    with (
        serving(as_stream(*[chunk("a")] * 50)) as server,
        pytest.raises(UpstreamError, match="larger than 500"),
    ):
        ask(server.url, chunks_of, max_bytes=500)


def test_a_stream_may_be_left_early_and_the_client_used_again() -> None:
    async def one_then_models(upstream: Upstream) -> tuple[dict[str, Any], dict[str, Any]]:
        async with upstream.stream("chat/completions", BODY) as events:
            first = await anext(aiter(events))
        return first.data, await models(upstream)

    with serving(as_stream(*[chunk("a")] * 1000), as_json({"data": []})) as server:
        first, listed = ask(server.url, one_then_models)
    assert first["vendor"] == 1
    assert listed == {"data": []}


# --- settings and secrets ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example/v1",
        "ftp://x/v1",
        "http:///v1",
        "https://u:p@x/v1",
        "https://x/v1?k=1",
        "https://x/#f",
        "http://x:port/v1",
    ],
)
def test_a_base_url_that_is_none(url: str) -> None:
    with pytest.raises(ConfigurationError, match="base URL"):
        Upstream(url)


@pytest.mark.parametrize("key", ["sk-with space", "sk-line\n", "sk-ü", "sk\x00"])
def test_a_key_that_is_none_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Upstream("https://x/v1", SecretStr(key))
    assert key not in str(caught.value)


def test_the_origin_is_told_without_the_path() -> None:
    assert Upstream("https://API.example:8443/v1").origin == "https://api.example:8443"


def test_the_key_shows_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    upstream = Upstream("http://x/v1", SecretStr(KEY))
    assert KEY not in repr(upstream)
    refusal = as_json({"error": {"message": f"bad key {KEY}"}}, 401)
    with serving(refusal) as server, pytest.raises(UpstreamError) as caught:
        ask(server.url, chat)
    assert KEY not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
    assert "request" in caplog.text.lower()
    assert KEY not in caplog.text
