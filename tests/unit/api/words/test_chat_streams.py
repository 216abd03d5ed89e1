"""Streamed chats: what leaves, when, and what is on record of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from detectors import Context, DetectorCard, Finding
from guard.api.words import chunks as chunks_module
from guard.app import App
from guard.errors import DetectorError
from guard.media import Artifact, Modality
from guard.provenance.read import read
from guard.provenance.trust import Trust
from tests.unit.api.parts import (
    BANNED,
    SECRET,
    Script,
    as_json,
    as_stream,
    chunk,
    completion,
    events,
    fails,
    joined,
    say,
    serving,
    usage_chunk,
)
from tests.unit.api.words.test_chat import CHAT, HELLO, blocked, rows, without_evidence

BREAKS = [
    'data: {"error": {"message": "overheated", "code": "odd"}}\n\n',
    "data: {not json}\n\n",
    'event: error\ndata: {"message": "overheated"}\n\n',
    'data: {"choices": ["no object"]}\n\n',
    f"data: {json.dumps({'choices': 'none'})}\n\n",
]


def stream(client: TestClient, **extra: Any) -> Any:
    return client.post(CHAT, json=say("Hi", stream=True, **extra))


def said(text: str, size: int) -> list[dict[str, Any]]:
    return [chunk({"content": text[start : start + size]}) for start in range(0, len(text), size)]


def error_in(answer: Any) -> dict[str, Any]:
    """The error that a stream ends with; nothing comes after it."""
    assert answer.status_code == 200
    error: dict[str, Any] = events(answer.text)[-1]["error"]
    assert error.keys() >= {"message", "type", "param", "code"}
    return error


@contextmanager
def under(app: App, script: Script, tmp_path: Path, text: str) -> Any:
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"name: test\nversion: 1\n{text}\n")
    with serving(replace(app, settings=app.settings.model_copy(update={"policy": policy})), script) as opened:
        yield opened


class TestHarmless:
    def test_chunks_arrive_as_the_upstream_gave_them(
        self, app: App, client: TestClient, script: Script
    ) -> None:
        script.will(as_stream(HELLO))
        answer = stream(client)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-cache"
        *sent, done = events(answer.text)
        assert done == "[DONE]"
        assert [without_evidence(c) for c in sent] == HELLO
        assert [c for c in sent[:-1] if "guard" in c] == []
        (row,) = rows(app)
        assert (row["status"], row["size"], row["model_version"]) == ("released", 13, "tiny")

    def test_the_evidence_comes_with_the_usage_where_that_was_asked_for(
        self, app: App, client: TestClient, script: Script
    ) -> None:
        script.will(as_stream([*HELLO, usage_chunk()]))
        last = events(stream(client, stream_options={"include_usage": True}).text)[-2]
        assert without_evidence(last) == usage_chunk()
        (evidence,) = last["guard"]["releases"]
        assert evidence["sha256"] == hashlib.sha256(b"Good morning.").hexdigest()
        assert app.ledger.by_id(evidence["release_id"]) is not None

    def test_it_comes_alone_where_all_has_left_before(self, client: TestClient, script: Script) -> None:
        script.will(as_stream([chunk({"content": "Good. "}), chunk({"content": "Morning. "})]))
        *sent, last, _ = events(stream(client).text)
        assert [c["choices"][0]["delta"]["content"] for c in sent] == ["Good. ", "Morning. "]
        assert last["choices"] == []
        assert last["id"] == sent[0]["id"]
        assert len(last["guard"]["releases"]) == 1

    @pytest.mark.parametrize(
        "chunks",
        [
            [usage_chunk()],
            [chunk({"role": "assistant", "content": ""}), chunk({}, finish_reason="stop")],
            [chunk({"content": None, "refusal": None}), usage_chunk()],
            [{"id": "x", "object": "", "choices": [], "prompt_filter_results": []}, *HELLO],
            [chunk({"content": "Fine."}, index="0"), chunk({"content": "Fine."}, index=-1)],  # type: ignore[arg-type]
            [{"choices": [{"delta": {"content": "Fine."}}]}, {"choices": None}, {}],
            [chunk({"content": "Half a sentence"}), chunk({}, finish_reason="content_filter")],
            [chunk({"content": "Fine.", "odd": {"deep": [1, None]}}, odd=True, finish_reason="stop")],
            [chunk({"content": "one", "reasoning_content": "two"}), chunk({"content": "one."})],
        ],
    )
    def test_odd_chunks_are_kept(
        self, client: TestClient, script: Script, chunks: list[dict[str, Any]]
    ) -> None:
        script.will(as_stream(chunks))
        *sent, last, done = events(stream(client).text)
        assert done == "[DONE]"
        # Where the last chunk had left already, one more brings the evidence.
        assert [*sent, without_evidence(last)] == chunks or (sent == chunks and last["choices"] == [])
        assert "releases" in last["guard"]

    def test_a_character_in_two_halves_arrives_whole(self, client: TestClient, script: Script) -> None:
        script.will(as_stream([chunk({"content": c}) for c in ("a", "\ud83d", "\ude00b", "\U0001f600")]))
        assert joined(events(stream(client).text)[:-1]) == "a😀b😀"

    def test_the_upstreams_limits_go_on(self, client: TestClient, script: Script) -> None:
        text = f"data: {json.dumps(HELLO[1])}\n\n"
        kind = {"content-type": "text/event-stream", "x-ratelimit-remaining-tokens": "7", "set-cookie": "a=b"}
        script.will(lambda _: httpx2.Response(200, text=text, headers=kind))
        answer = stream(client)
        assert answer.headers["x-ratelimit-remaining-tokens"] == "7"
        assert "set-cookie" not in answer.headers


class TestBlocked:
    @pytest.mark.parametrize("size", [1, 3, 7, 100])
    def test_a_banned_phrase_at_the_start_is_a_plain_400(
        self, app: App, client: TestClient, script: Script, size: int
    ) -> None:
        script.will(as_stream([HELLO[0], *said(f"{BANNED} now.", size)]))
        answer = stream(client)
        assert blocked(answer)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-should-retry"] == "false"
        assert "data:" not in answer.text
        assert len(script.seen) == 1
        assert [(row["status"], row["size"]) for row in rows(app)] == [("blocked", 0)]

    @pytest.mark.parametrize("size", [1, 3, 7])
    def test_one_that_comes_later_ends_the_stream(
        self, app: App, client: TestClient, script: Script, size: int
    ) -> None:
        script.will(as_stream([HELLO[0], *said(f"I say quite often {BANNED} now.", size)]))
        answer = stream(client)
        error = error_in(answer)
        assert (error["code"], error["type"]) == ("content_policy_violation", "invalid_request_error")
        assert error["guard"]["rule"] == "blocklist"
        left = joined(events(answer.text)[:-1])
        assert left
        assert "I say quite often ".startswith(left)
        (row,) = rows(app)
        assert (row["id"], row["status"]) == (error["guard"]["release_id"], "blocked")
        assert (row["sha256"], row["size"]) == (hashlib.sha256(left.encode()).hexdigest(), len(left))
        assert "[DONE]" not in answer.text

    def test_what_was_said_beside_it_is_on_record_too(
        self, app: App, client: TestClient, script: Script
    ) -> None:
        script.will(
            as_stream([chunk({"content": "Quite fine. "}), chunk({"content": f"{BANNED} "}, index=1), *HELLO])
        )
        assert error_in(stream(client, n=2))["code"] == "content_policy_violation"
        left, stopped = rows(app)
        assert (left["status"], left["size"]) == ("cut", 12)
        assert "refused" in left["decision"]["ended"]
        assert (stopped["status"], stopped["size"]) == ("blocked", 0)

    @pytest.mark.parametrize(
        "pieces",
        [
            ({"reasoning_content": BANNED[:9]}, {"reasoning_content": BANNED[9:]}),
            ({"refusal": BANNED[:9]}, {"refusal": BANNED[9:]}),
            ({"content": [{"text": BANNED[:9]}]}, {"content": [{"text": BANNED[9:]}]}),
            ({"function_call": {"arguments": BANNED[:9]}}, {"function_call": {"arguments": BANNED[9:]}}),
            ({"something_new": {"deep": BANNED[:9]}}, {"something_new": {"deep": BANNED[9:]}}),
        ],
    )
    def test_it_is_found_wherever_it_stands(
        self, client: TestClient, script: Script, pieces: Sequence[dict[str, Any]]
    ) -> None:
        script.will(as_stream([chunk(piece) for piece in pieces]))
        assert blocked(stream(client))

    def test_tool_calls_are_put_together_by_their_index(self, client: TestClient, script: Script) -> None:
        def call(index: int, text: str) -> dict[str, Any]:
            return chunk({"tool_calls": [{"index": index, "function": {"arguments": text}}]})

        half = len(BANNED) // 2
        script.will(as_stream([call(0, BANNED[:half]), call(1, "x"), call(0, BANNED[half:])]))
        assert blocked(stream(client))
        script.will(as_stream([call(0, BANNED[:half]), call(1, BANNED[half:])]))
        parts = [e["part"] for e in events(stream(client).text)[-2]["guard"]["releases"]]
        assert parts == ["tool_calls.0.function.arguments", "tool_calls.1.function.arguments"]

    def test_a_text_that_comes_in_two_forms_hides_nothing(self, client: TestClient, script: Script) -> None:
        both = [chunk({"content": piece}, message={"content": piece}) for piece in (BANNED[:9], BANNED[9:])]
        script.will(as_stream(both))
        assert blocked(stream(client))

    def test_media_do_not_leave_in_pieces(self, client: TestClient, script: Script) -> None:
        script.will(
            as_stream([chunk({"content": "data:im"}), chunk({"content": "age/png;base64,iVBORw0KGgo="})])
        )
        answer = stream(client)
        assert error_in(answer)["code"] == "upstream_error"
        assert "iVBOR" not in answer.text


class TestRedacted:
    def test_a_secret_is_cut_out_of_the_choice_that_has_it(self, client: TestClient, script: Script) -> None:
        chunks = [
            chunk({"role": "assistant", "content": f"Key: {SECRET[:9]}"}, token_ids=[5]),
            chunk({"role": "assistant", "content": "No "}, index=1, logprobs={"content": []}),
            chunk({"content": SECRET[9:] + " ok"}, logprobs={"content": [{"token": SECRET[9:]}]}),
            chunk({"content": "key."}, index=1),
            chunk({}, finish_reason="stop"),
            chunk({}, index=1, finish_reason="stop"),
        ]
        script.will(as_stream(chunks))
        answer = stream(client, n=2)
        *sent, _ = events(answer.text)
        assert joined(sent) == "Key: [credential] ok"
        assert joined(sent, index=1) == "No key."
        assert SECRET[9:] not in answer.text
        assert SECRET[:9] not in answer.text
        assert "token_ids" not in answer.text
        assert len(sent) == len(chunks)
        assert [c["choices"][0]["finish_reason"] for c in sent] == [None] * 4 + ["stop"] * 2
        assert sent[1] == chunks[1]

    @pytest.mark.parametrize("size", [1, 4, 9])
    def test_what_left_before_keeps_its_tokens(self, client: TestClient, script: Script, size: int) -> None:
        chunks = [c | {"usage": None} for c in said(f"The key is {SECRET}. Ever yours", size)]
        for c in chunks:
            c["choices"][0]["logprobs"] = {"content": [{"token": c["choices"][0]["delta"]["content"]}]}
        script.will(as_stream(chunks))
        answer = stream(client)
        *sent, last, _ = events(answer.text)
        assert joined([*sent, last]) == "The key is [credential]. Ever yours"
        assert sent[0]["choices"][0]["logprobs"] is not None
        changed = next(i for i, c in enumerate(sent) if c["choices"][0]["logprobs"] is None)
        assert all(c["choices"][0]["logprobs"] is None for c in sent[changed:])
        assert hashlib.sha256(b"The key is [credential]. Ever yours").hexdigest() in answer.text
        assert SECRET[4:8] not in answer.text


class TestModes:
    HEAD = "require: {chat: {mark: false, sign: false}}\n"
    RULE = "{id: words, stages: [output], when: 'scores[\"blocklist\"] >= 0.5', action: block, reason: No.}"

    def test_buffered_answers_say_nothing_before_they_are_whole(
        self, app: App, script: Script, tmp_path: Path
    ) -> None:
        script.will(as_stream([*HELLO[:3], *said(f" Say {BANNED}.", 4)]))
        with under(
            app, script, tmp_path, f"{self.HEAD}stream: {{mode: buffered}}\nrules: [{self.RULE}]"
        ) as c:
            assert blocked(stream(c))
            script.will(as_stream(HELLO))
            assert joined(events(stream(c).text)[:-1]) == "Good morning."
        assert [(row["status"], row["size"]) for row in rows(app)] == [("blocked", 0), ("released", 13)]

    def test_in_shadow_all_leaves_and_is_on_record(self, app: App, script: Script, tmp_path: Path) -> None:
        script.will(as_stream(said(f"Say {BANNED}.", 4)))
        with under(app, script, tmp_path, f"{self.HEAD}stream: {{mode: shadow}}\nrules: [{self.RULE}]") as c:
            assert joined(events(stream(c).text)[:-1]) == f"Say {BANNED}."
        (row,) = rows(app)
        assert (row["status"], row["action"], row["rule"]) == ("released", "allow", None)
        assert [(f["rule"], f["mode"]) for f in row["decision"]["fired"]] == [("words", "shadow")]

    @pytest.mark.parametrize(
        ("chunks", "extra", "expected"),
        [
            (said("Good morning.", 4), {}, "[AI-generated]\nGood morning."),
            (said('{"city": "Rome"}', 4), {}, '{"city": "Rome"}'),
            (said("  [not json", 4), {}, "[AI-generated]\n  [not json"),
            (said('{"a": 1}', 3), {"response_format": {"type": "json_object"}}, '{"a": 1}'),
        ],
    )
    def test_a_label_comes_first_and_never_into_json(
        self, app: App, script: Script, tmp_path: Path, chunks: Any, extra: Any, expected: str
    ) -> None:
        rule = "{id: label, when: 'true', stages: [output], action: label, reason: disclosure}"
        script.will(as_stream(chunks))
        with under(app, script, tmp_path, f"{self.HEAD}rules: [{rule}]") as client:
            assert joined(events(stream(client, **extra).text)[:-1]) == expected

    @pytest.mark.parametrize(
        "text", ["Good morning.", "Cafe\u0301 au lait", "Ångström \u2126 is an ohm sign"]
    )
    def test_a_signature_comes_after_the_last_word(
        self, app: App, strict: App, script: Script, text: str
    ) -> None:
        script.will(as_stream([*said(text, 3), chunk({}, finish_reason="stop"), usage_chunk()]))
        with serving(strict, script) as client:
            *sent, last, _ = events(stream(client).text)
        whole = joined([*sent, last])
        artifact = Artifact.from_text(whole)
        assert read(artifact, trust=Trust.of(app.keys.anchors())).state == "trusted"
        assert artifact.sha256 == last["guard"]["releases"][0]["sha256"] == rows(app)[0]["sha256"]
        assert [c["choices"][0]["finish_reason"] for c in sent][-1] == "stop"


class Flaky:
    """A detector that fails at the given window, or never."""

    card = DetectorCard("flaky", "1", "tone", frozenset({Modality.TEXT}), "for tests", "Apache-2.0")

    def __init__(self, fails_at: int) -> None:
        self.left = fails_at

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
        self.left -= context.stage == "output"
        if self.left == 0:
            raise DetectorError("out of order")
        return [Finding("flaky", "1", "tone", 0.0, 0.5)]


class TestFailures:
    @pytest.mark.parametrize(
        "answer",
        [
            as_stream([]),
            as_json(completion("This is no stream.")),
            fails(httpx2.ReadTimeout("slow")),
            fails(httpx2.ConnectError("nobody home")),
            *(as_stream(HELLO[:1], end=end) for end in BREAKS),
            as_stream([chunk({"content": "\x00"})]),
            as_stream([chunk({"content": "Fine\ude00"})]),
            as_stream([chunk({"content": "\ud83d"})]),
            as_stream([chunk({"audio": {"data": "UklGRg=="}})]),
        ],
    )
    def test_one_before_the_first_word_is_a_502(
        self, app: App, client: TestClient, script: Script, answer: Any
    ) -> None:
        script.will(answer)
        got = stream(client)
        assert (got.status_code, got.json()["error"]["code"]) == (502, "upstream_error")
        assert rows(app) == []

    @pytest.mark.parametrize("end", [*BREAKS, 'data: {"choices": [{"delta": {"content": "\\u0000"}}]}\n\n'])
    def test_a_later_one_ends_the_stream(
        self, app: App, client: TestClient, script: Script, end: str
    ) -> None:
        script.will(as_stream(HELLO[:3], end=end))
        answer = stream(client)
        assert error_in(answer)["code"] == "upstream_error"
        left = joined(events(answer.text)[:-1])
        assert left == "Good morning."
        (row,) = rows(app)
        assert (row["status"], row["sha256"]) == ("cut", hashlib.sha256(left.encode()).hexdigest())
        assert row["decision"]["ended"].startswith("UpstreamError")

    def test_an_endless_stream_ends(
        self, app: App, client: TestClient, script: Script, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(chunks_module, "_MOST_CHUNKS", 3)
        script.will(as_stream(HELLO))
        assert "more than 3 chunks" in error_in(stream(client))["message"]
        assert [row["status"] for row in rows(app)] == ["cut"]

    def test_a_choice_that_goes_on_after_its_end_is_cut(self, client: TestClient, script: Script) -> None:
        over = chunk({"content": "Good. "}, finish_reason="stop")
        script.will(as_stream([chunk({"content": "Well. "}), over, chunk({"content": "More. "})]))
        assert error_in(stream(client, n=2))["code"] == "upstream_error"
        assert joined(events(stream(client, n=1).text)[:-1]) == "Well. Good. More. "

    @pytest.mark.parametrize(("fails_at", "status"), [(1, "blocked"), (3, "blocked"), (99, "released")])
    def test_a_detector_that_dies_blocks(
        self, app: App, script: Script, tmp_path: Path, fails_at: int, status: str
    ) -> None:
        script.will(as_stream(said("word " * 40, 5)))
        policy = (
            "require: {chat: {mark: false, sign: false}}\nstream: {window: 8}\n"
            "rules: [{id: tone, when: 'scores[\"tone\"] > 0.5', action: block, reason: loud}]"
        )
        flaky = replace(app, detectors=(Flaky(fails_at),))
        with under(flaky, script, tmp_path, policy) as client:
            answer = stream(client)
        (row,) = rows(app)
        assert row["status"] == status
        if fails_at == 1:
            assert blocked(answer)
        elif status == "blocked":
            assert error_in(answer)["code"] == "content_policy_violation"
            assert row["size"] == len(joined(events(answer.text)[:-1])) == 30
            assert row["findings"][0]["error"] == "out of order"

    def test_without_a_record_of_its_end_the_rest_does_not_leave(
        self, app: App, client: TestClient, script: Script
    ) -> None:
        with app.ledger.engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER full BEFORE UPDATE ON releases BEGIN SELECT RAISE(FAIL, 'disk full'); END"
            )
        script.will(as_stream([chunk({"content": "Good. "}), chunk({"content": "For"})]))
        answer = stream(client)
        assert error_in(answer)["code"] == "ledger_unavailable"
        assert joined(events(answer.text)[:-1]) == "Good. "
        assert [row["status"] for row in rows(app)] == ["streaming"]
