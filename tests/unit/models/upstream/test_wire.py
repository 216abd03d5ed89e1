"""What the client sends besides JSON, what it gives besides objects, and what it never does."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from pydantic import SecretStr

from guard.errors import InputError, UpstreamError
from models.upstream import Event, File, Form, Upstream
from models.upstream.hops import hops_in, passed
from tests.unit.models.upstream.asking import BODY, KEY, ask, chat, models
from tests.upstream import Answer, as_events, as_json, as_stream, serving

FORM = Form([("prompt", "größe 😀"), ("tag[]", "a"), ("tag[]", "b")])


class TestForms:
    def test_texts_keep_their_order_and_repeat(self) -> None:
        with serving(as_json({"id": "v"})) as server:
            assert ask(server.url, lambda up: up.post("videos", FORM)).body == {"id": "v"}
        [seen] = server.seen
        assert [(part.name, part.filename, part.data.decode()) for part in seen.form] == [
            ("prompt", None, "größe 😀"),
            ("tag[]", None, "a"),
            ("tag[]", None, "b"),
        ]
        assert seen.headers["authorization"] == f"Bearer {KEY}"

    @pytest.mark.parametrize("data", [b"\x89PNG", io.BytesIO(b"\x89PNG")])
    def test_files_go_with_name_and_type(self, data: Any) -> None:
        form = Form(FORM.fields, [File("image[]", 'a "b".png', data, "image/png"), File("mask", "m", b"1")])
        with serving(as_json({})) as server:
            ask(server.url, lambda up: up.post("images/edits", form))
        image, mask = server.seen[0].form[3:]
        assert (image.name, image.media_type, image.data) == ("image[]", "image/png", b"\x89PNG")
        assert (mask.name, mask.media_type, mask.data) == ("mask", "application/octet-stream", b"1")

    def test_no_name_or_value_writes_a_header(self) -> None:
        evil = 'x"\r\nx-evil: 1\r\n\r\n--'
        form = Form([(evil, evil)], [File(evil, evil, b"1")])
        with serving(as_json({})) as server:
            ask(server.url, lambda up: up.post("files", form))
        assert b"\r\nx-evil" not in server.seen[0].body.replace(evil.encode(), b"")
        assert len(server.seen[0].form) == 2

    @pytest.mark.parametrize(
        "form",
        [Form([], [File("f", "n", b"", "image/png\r\nx-evil: 1")]), Form([("\ud800", "x")])],
    )
    def test_what_a_form_cannot_hold_is_the_callers_fault(self, form: Form) -> None:
        with serving(as_json({})) as server, pytest.raises(InputError, match="form"):
            ask(server.url, lambda up: up.post("files", form))
        assert server.seen == []

    def test_a_form_that_asks_for_a_stream(self) -> None:
        async def go(upstream: Upstream) -> list[Event]:
            async with upstream.stream("images/edits", Form([("stream", "no"), ("a", "b")])) as events:
                return [event async for event in events]

        with serving(as_events({"type": "image_edit.completed", "b64_json": ""})) as server:
            [event] = ask(server.url, go)
        assert event == ("image_edit.completed", {"type": "image_edit.completed", "b64_json": ""})
        assert [(part.name, part.data) for part in server.seen[0].form] == [("a", b"b"), ("stream", b"true")]


class TestBytes:
    def test_they_come_with_their_type(self) -> None:
        sound = Answer(b"ID3", kind="Audio/MPEG; x=1", headers={"x_ratelimit_limit_requests": "7"})
        with serving(sound) as server:
            got = ask(server.url, lambda up: up.raw("POST", "audio/speech", BODY))
        assert (got.data, got.media_type, got.status) == (b"ID3", "audio/mpeg", 200)
        assert got.headers["x-ratelimit-limit-requests"] == "7"

    def test_another_type_than_wanted_is_refused(self) -> None:
        with serving(Answer(b"<html>", kind="text/html")) as server, pytest.raises(UpstreamError):
            ask(server.url, lambda up: up.raw("GET", "x", accept="audio/*"))
        with serving(Answer(b"", kind="")) as server:
            assert ask(server.url, lambda up: up.raw("GET", "x")).media_type == ""

    def test_they_come_one_after_the_other(self) -> None:
        async def go(upstream: Upstream) -> tuple[str, list[bytes]]:
            async with upstream.raw_stream("audio/speech", BODY, accept="audio/*") as parts:
                return parts.media_type, [part async for part in parts]

        with serving(Answer([b"one", b"two"], kind="audio/wav")) as server:
            kind, parts = ask(server.url, go)
        assert (kind, b"".join(parts)) == ("audio/wav", b"onetwo")

    @pytest.mark.parametrize("method", ["GET", "DELETE"])
    def test_the_method_and_query_arrive(self, method: str) -> None:
        with serving(as_json({"ok": 1})) as server:
            ask(server.url, lambda up: up.raw(method, "videos", query=[("a", "1 &"), ("a", "ü")]))
        assert (server.seen[0].method, server.seen[0].path) == (method, "/v1/videos?a=1+%26&a=%C3%BC")

    def test_a_deletion(self) -> None:
        with serving(as_json({"deleted": True})) as server:
            assert ask(server.url, lambda up: up.delete("files/f")).body == {"deleted": True}
        assert (server.seen[0].method, server.seen[0].path) == ("DELETE", "/v1/files/f")


class TestPaths:
    @pytest.mark.parametrize(
        ("identity", "arrives"),
        [
            ("video_1", "video_1"),
            ("ft:gpt-4o:org::x", "ft:gpt-4o:org::x"),
            ("a b?c#d", "a%20b%3Fc%23d"),
            ("%2e%2e", "%252e%252e"),
            ("ü\r\nx: y", "%C3%BC%0D%0Ax:%20y"),
            ("..;", "..;"),
            ("@evil.example", "@evil.example"),
        ],
    )
    def test_an_id_is_one_segment_and_nothing_more(self, identity: str, arrives: str) -> None:
        with serving(as_json({})) as server:
            ask(server.url, lambda up: up.get(f"videos/{identity}"))
        assert server.seen[0].path == f"/v1/videos/{arrives}"

    @pytest.mark.parametrize("identity", ["..", ".", "", "a/../../admin", "/evil.example/", "\ud800"])
    def test_an_id_that_leads_elsewhere_is_refused(self, identity: str) -> None:
        with serving(as_json({})) as server, pytest.raises(InputError):
            ask(server.url, lambda up: up.get(f"videos/{identity}"))
        assert server.seen == []

    def test_a_query_that_is_no_text_is_refused(self) -> None:
        with serving(as_json({})) as server, pytest.raises(InputError):
            ask(server.url, lambda up: up.get("videos", [("after", "\ud800")]))
        assert server.seen == []


class TestAnswers:
    def test_the_headers_come_along_but_not_with_the_key(self) -> None:
        told = as_json({}, x_ratelimit_limit_requests="7", x_debug=f"you sent {KEY}")
        with serving(told) as server:
            headers = ask(server.url, lambda up: up.get("models")).headers
        assert headers["x-ratelimit-limit-requests"] == "7"
        assert "x-debug" not in headers

    def test_an_errors_headers_come_along_too(self) -> None:
        full = as_json({"error": {"message": "slow"}}, 429, retry_after="7", x_debug=KEY)
        with serving(full) as server, pytest.raises(UpstreamError) as caught:
            ask(server.url, chat)
        assert caught.value.headers["retry-after"] == "7"
        assert "x-debug" not in caught.value.headers

    @pytest.mark.parametrize("status", ["failed", "incomplete"])
    def test_a_job_that_failed_is_an_answer(self, status: str) -> None:
        job = {"id": "video_1", "status": status, "error": {"code": "moderation", "message": "no"}}
        with serving(as_json(job)) as server:
            assert ask(server.url, lambda up: up.get("videos/video_1")).body == job

    def test_a_large_object_is_read_as_well_as_a_small_one(self) -> None:
        with serving(as_json({"data": ["x" * 300_000]}), Answer(b"{" * 300_000)) as server:
            assert len(ask(server.url, models)["data"][0]) == 300_000
            with pytest.raises(UpstreamError, match="not JSON"):
                ask(server.url, models)

    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (Answer(b'{"a": 1', missing=100), "broke"),
            (Answer(raw=b"SSH-2.0-OpenSSH_9.6\r\n"), "broke"),
            (Answer(raw=b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n{}"), "broke"),
            (Answer(gzip.compress(b" " * (8 << 20)), headers={"content-encoding": "gzip"}), "larger than"),
            (Answer(b"no gzip", headers={"content-encoding": "gzip"}), "broke"),
            (Answer(status=204, body=b"", kind=""), "no content type"),
        ],
    )
    def test_what_is_no_sound_answer_is_an_upstream_error(self, answer: Answer, message: str) -> None:
        with serving(answer) as server, pytest.raises(UpstreamError, match=message):
            ask(server.url, chat, max_bytes=1 << 20)
        assert len(server.seen) == 1

    def test_a_slow_stream_comes_piece_by_piece(self) -> None:
        async def first(upstream: Upstream) -> dict[str, Any]:
            async with upstream.stream("chat/completions", BODY) as events:
                return (await anext(aiter(events))).data

        pieces = as_stream(b'data: {"n": 1}\n\n', b'data: {"n": 2}\n\n', pause=0.05)
        with serving(pieces) as server:
            assert ask(server.url, first) == {"n": 1}


class TestHops:
    def test_each_client_names_itself_on_the_way(self) -> None:
        names: list[str] = []

        async def go(upstream: Upstream) -> None:
            names.append(upstream.name)
            passed.set(["guard-0123456789abcdef"])
            await upstream.get("models")

        with serving(as_json({})) as server:
            ask(server.url, go)
            ask(server.url, go)
        assert names[0] != names[1]
        via = [seen.headers["via"] for seen in server.seen]
        assert via == [f"1.1 guard-0123456789abcdef, 1.1 {name}" for name in names]
        assert hops_in(via[0]) == ["guard-0123456789abcdef", names[0]]

    def test_only_guards_are_passed_on(self) -> None:
        strange = "1.0 fred, 1.1 guard-xyz, HTTP/1.1 guard-00000000000000aa (x), 1.1 guard-00000000000000ab1"
        assert hops_in(strange) == ["guard-00000000000000aa"]
        assert hops_in("") == []


Ask = Callable[[Upstream], Coroutine[Any, Any, Any]]


@pytest.mark.parametrize(
    "work",
    [
        lambda up: up.post("a", BODY),
        lambda up: up.post("a", FORM),
        lambda up: up.delete("a"),
        lambda up: up.raw("POST", "a", BODY),
    ],
)
def test_no_redirect_is_followed_and_nothing_sent_twice(work: Ask) -> None:
    away = Answer(b"", 307, headers={"location": "/v1/elsewhere"})
    with serving(away) as server, pytest.raises(UpstreamError, match="307"):
        ask(server.url, work)
    assert len(server.seen) == 1


def test_many_requests_share_one_client_without_mixing() -> None:
    async def go(upstream: Upstream) -> list[dict[str, Any]]:
        answers = await asyncio.gather(*(upstream.post("echo", {"n": n}) for n in range(20)))
        return [answer.body for answer in answers]

    with serving(as_json({"ok": 1})) as server:
        assert ask(server.url, go) == [{"ok": 1}] * 20
    assert sorted(json.loads(seen.body)["n"] for seen in server.seen) == list(range(20))


def test_nothing_of_it_shows_the_key() -> None:
    with serving(as_json({}, x_echo=KEY)) as server:
        answer = ask(server.url, lambda up: up.raw("GET", "x"))
    assert KEY not in repr(answer)
    assert KEY not in repr(Upstream("http://x/v1", SecretStr(KEY)).__dict__)
