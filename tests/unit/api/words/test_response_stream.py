"""`/v1/responses` with `stream: true`."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from guard.app import App
from guard.errors import LedgerError
from guard.ledger import Entry, Receipt
from guard.ledger.tables import releases
from tests.unit.api.parts import BANNED, SECRET, Answer, Script, as_stream_of, picture, serving, typed_events
from tests.unit.api.said import Events
from tests.unit.api.seers import records

URL = "/v1/responses"
PIXELS = picture()["b64_json"]
LONG = ["Many harmless words come first. "] * 3


def asked(client: TestClient, script: Script, events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the caller gets for these events of the upstream."""
    return got(client, script, as_stream_of(*events))


def got(client: TestClient, script: Script, answer: Answer) -> list[dict[str, Any]]:
    script.will(answer)
    found = client.post(URL, json={"model": "tiny", "input": "Hello", "stream": True})
    assert found.status_code == 200, found.json()
    assert found.headers["content-type"].startswith("text/event-stream")
    events = typed_events(found.text)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    return events


def refused(client: TestClient, script: Script, events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    script.will(as_stream_of(*events))
    found = client.post(URL, json={"model": "tiny", "input": "Hello", "stream": True})
    assert found.status_code != 200
    error: dict[str, Any] = found.json()["error"]
    return error


def kinds(events: Iterable[Mapping[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def said(events: Iterable[Mapping[str, Any]], kind: str = "output_text") -> str:
    return "".join(event["delta"] for event in events if event["type"] == f"response.{kind}.delta")


def own(app: App, folder: Path, text: str) -> App:
    policy = folder / "policy.yaml"
    policy.write_text(f"{{name: own, version: 1, require: {{chat: {{mark: false, sign: false}}}}, {text}}}")
    return replace(app, settings=app.settings.model_copy(update={"policy": policy}))


class TestHarmless:
    def test_all_events_pass_in_their_order(self, client: TestClient, script: Script) -> None:
        written = Events().reasoning(["a", "b"], ["c"]).call('{"a"', ": 1}").message("Good ", "day.").done()
        events = asked(client, script, json.loads(json.dumps(written)))
        evidence = events[-1]["response"].pop("guard")["releases"]
        assert events == written
        assert [(r["output"], r["part"], r["action"]) for r in evidence] == [
            (0, "summary.0.text", "allow"),
            (0, "content.0.text", "allow"),
            (1, "arguments", "allow"),
            (2, "content.0.text", "allow"),
        ]

    def test_the_request_goes_on_as_it_came(self, client: TestClient, script: Script) -> None:
        asked(client, script, Events().message("Hi.").done())
        assert script.bodies == [{"model": "tiny", "input": "Hello", "stream": True}]

    def test_every_text_is_on_record_once(self, client: TestClient, script: Script, app: App) -> None:
        *_, last = asked(client, script, Events().message("Good ", "day.").call("{}").done())
        with app.ledger.engine.connect() as connection:
            rows = connection.execute(releases.select()).mappings().all()
        assert [row["status"] for row in rows] == ["released", "released"]
        assert {row["model_version"] for row in rows} == {"tiny-2024"}
        ids = [r["release_id"] for r in last["response"]["guard"]["releases"]]
        assert sorted(ids) == sorted(row["id"] for row in rows)

    def test_limits_and_timing_go_on(self, client: TestClient, script: Script) -> None:
        text = "".join(
            f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in Events().message("Hi.").done()
        )
        headers = {
            "content-type": "text/event-stream",
            "x-ratelimit-remaining-requests": "7",
            "set-cookie": "a=b",
        }
        script.will(lambda _: httpx2.Response(200, text=text, headers=headers))
        answer = client.post(URL, json={"input": "Hi", "stream": True})
        assert answer.headers["x-ratelimit-remaining-requests"] == "7"
        assert "set-cookie" not in answer.headers

    @pytest.mark.parametrize("end", ["incomplete", "failed"])
    def test_other_ends_are_ends_too(self, client: TestClient, script: Script, app: App, end: str) -> None:
        *_, last = asked(client, script, Events().message("Half a").done(end, error={"message": "full"}))
        assert last["type"] == f"response.{end}"
        assert len(last["response"]["guard"]["releases"]) == 1
        assert records(app) == ["released"]

    def test_nothing_at_all(self, client: TestClient, script: Script, app: App) -> None:
        events = asked(client, script, Events().done())
        assert kinds(events) == ["created", "in_progress", "completed"]
        assert records(app) == []


class TestRedaction:
    @pytest.mark.parametrize("size", [1, 3, 100])
    def test_every_event_says_the_same(self, client: TestClient, script: Script, size: int) -> None:
        text = f"It is {SECRET}, they say, and then some more words."
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        events = asked(client, script, Events().message(*pieces, logprobs=True).done())
        shown = "It is [credential], they say, and then some more words."
        by_kind = {event["type"].removeprefix("response."): event for event in events}
        assert said(events) == shown
        assert by_kind["output_text.done"]["text"] == shown
        assert by_kind["content_part.done"]["part"]["text"] == shown
        assert by_kind["output_item.done"]["item"]["content"][0]["text"] == shown
        last = by_kind["completed"]["response"]
        assert last["output"][0]["content"][0]["text"] == shown
        assert [r["action"] for r in last["guard"]["releases"]] == ["redact"]
        assert "ghp" not in json.dumps(events)

    def test_tokens_stay_where_nothing_changed(self, client: TestClient, script: Script) -> None:
        events = asked(client, script, Events().message("Good ", "day.", logprobs=True).done())
        deltas = [event for event in events if event["type"].endswith("text.delta")]
        assert [event["logprobs"][0]["token"] for event in deltas] == ["Good ", "day."]
        assert len(events[-1]["response"]["output"][0]["content"][0]["logprobs"]) == 2

    def test_arguments_are_changed_as_a_whole_too(self, client: TestClient, script: Script) -> None:
        events = asked(client, script, Events().call('{"key": "', SECRET, '"}').done())
        assert said(events, "function_call_arguments") == '{"key": "[credential]"}'
        assert events[-1]["response"]["output"][0]["arguments"] == '{"key": "[credential]"}'

    def test_a_label_comes_first_and_everywhere(self, app: App, script: Script, tmp_path: Path) -> None:
        rules = "rules: [{id: tell, when: 'true', stages: [output], action: label, reason: Tell.}]"
        with serving(own(app, tmp_path, rules), script) as client:
            events = asked(client, script, Events().message("Good ", "day.").call('{"a": ', "1}").done())
        assert said(events) == "[AI-generated]\nGood day."
        assert said(events, "function_call_arguments") == '{"a": 1}'
        content = events[-1]["response"]["output"][0]["content"]
        assert content[0]["text"] == "[AI-generated]\nGood day."


class TestBlocks:
    @pytest.mark.parametrize(
        "written",
        [
            Events().message("forbidden", "-demo-", "term").done(),
            Events().message("forbidden", "-demo-", "term", refusal=True).done(),
            Events().reasoning(["forbidden-", "demo-term"], []).done(),
            Events().reasoning([], ["forbidden-", "demo-term"]).done(),
            Events().call('{"q": "forbidden', '-demo-term"}').done(),
            Events().add("unheard_of.delta", output_index=0, delta="forbidden-")
            .add("unheard_of.delta", output_index=0, delta="demo-term")
            .done(),
            Events().add("shell_call_output_content.delta", output_index=0, command_index=0,
                         delta={"stdout": "forbidden-"})
            .add("shell_call_output_content.delta", output_index=0, command_index=0,
                 delta={"stdout": "demo-term"})
            .done(),
            Events().add("output_text.delta", output_index=0, delta="Hi", extra=BANNED).done(),
            Events().add("unheard_of.happened", note=BANNED).done(),
            Events().done(notes=[BANNED]),
        ],
    )  # fmt: skip
    def test_what_is_blocked_at_once_is_a_plain_400(
        self, client: TestClient, script: Script, app: App, written: list[dict[str, Any]]
    ) -> None:
        error = refused(client, script, json.loads(json.dumps(written)))
        assert error["code"] == "content_policy_violation"
        assert "blocked" in records(app)
        assert len(script.seen) == 1

    def test_later_an_error_event_ends_the_stream(self, client: TestClient, script: Script, app: App) -> None:
        events = asked(
            client, script, Events().message(*LONG, "forbidden", "-demo-", "term", " and on").done()
        )
        assert said(events) == "".join(LONG)
        last = events[-1]
        assert last["type"] == "error"
        assert last["code"] == last["error"]["code"] == "content_policy_violation"
        assert last["error"]["guard"]["rule"] == "blocklist"
        assert last["message"] == last["error"]["message"]
        with app.ledger.engine.connect() as connection:
            (row,) = connection.execute(releases.select()).mappings().all()
        assert (row["status"], row["size"]) == ("blocked", len("".join(LONG)))

    def test_a_text_before_is_on_record_as_cut(self, client: TestClient, script: Script, app: App) -> None:
        written = Events().message("Good day.").call('{"q": "forbidden', '-demo-term"}').done()
        events = asked(client, script, written)
        assert events[-1]["type"] == "error"
        assert sorted(records(app)) == ["blocked", "cut"]

    def test_a_whole_that_its_deltas_did_not_say_is_screened(
        self, client: TestClient, script: Script
    ) -> None:
        written = Events().message(*LONG).done()
        for event in written:
            if event["type"] == "response.output_text.done":
                event["text"] = f"Quite another text: {BANNED}"
        events = asked(client, script, written)
        assert events[-1]["type"] == "error"
        assert BANNED not in json.dumps(events[:-1])

    def test_words_that_no_delta_brought_are_sent_in_one(self, client: TestClient, script: Script) -> None:
        written = [
            event
            for event in Events().message("Good ", "day ", "to you.").done()
            if event.get("delta") != "to you."
        ]
        events = asked(client, script, written)
        assert said(events) == "Good day to you."
        assert kinds(events)[-4:] == [
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "completed",
        ]

    def test_buffered_says_nothing_before_the_end(self, app: App, script: Script, tmp_path: Path) -> None:
        rules = (
            "stream: {mode: buffered}, rules: [{id: never, when: 'scores[\"blocklist\"] > 0.5',"
            " action: block, reason: No.}]"
        )
        with serving(own(app, tmp_path, rules), script) as client:
            error = refused(client, script, Events().message(*LONG, BANNED).done())
            assert error["code"] == "content_policy_violation"
            events = asked(client, script, Events().message(*LONG).done())
        assert said(events) == "".join(LONG)

    def test_shadow_lets_it_leave_and_says_so(self, app: App, script: Script, tmp_path: Path) -> None:
        rules = (
            "stream: {mode: shadow}, rules: [{id: never, when: 'scores[\"blocklist\"] > 0.5',"
            " stages: [output], action: block, reason: No.}]"
        )
        with serving(own(app, tmp_path, rules), script) as client:
            events = asked(client, script, Events().message(*LONG, BANNED).done())
        assert said(events).endswith(BANNED)
        assert records(app) == ["released"]


class TestPictures:
    def test_unfinished_ones_are_dropped_and_finished_ones_released(
        self, client: TestClient, script: Script, app: App
    ) -> None:
        events = asked(client, script, Events().drawn(PIXELS).message("There.").done())
        assert "image_generation_call.partial_image" not in kinds(events)
        assert "cGFydGlhbA" not in json.dumps(events)
        done = next(event for event in events if event["type"] == "response.output_item.done")
        last = events[-1]["response"]
        assert done["item"]["result"] == last["output"][0]["result"] != PIXELS
        verdict = client.post("/v1/verify", content=base64.b64decode(done["item"]["result"])).json()
        assert verdict["verdict"] == "trusted"
        ids = {r["part"]: r["release_id"] for r in last["guard"]["releases"]}
        assert verdict["watermark"]["payload"] == ids["result"]
        assert records(app) == ["released", "released"]

    def test_a_forbidden_one_ends_the_stream(self, strict: App, script: Script) -> None:
        with serving(strict, script) as client:
            events = asked(client, script, Events().drawn(PIXELS).done())
        assert kinds(events)[-1] == "error"
        assert events[-1]["error"]["guard"]["rule"] == "no-pictures"
        assert PIXELS not in json.dumps(events)

    @pytest.mark.parametrize("kind", ["audio.delta", "audio.transcript.delta", "audio.done"])
    def test_sound_does_not_leave(self, client: TestClient, script: Script, kind: str) -> None:
        error = refused(client, script, Events().add(kind, delta="UklGRg==").done())
        assert error["code"] == "upstream_error"


def test_without_a_ledger_nothing_more_leaves(
    client: TestClient, script: Script, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, calls = app.ledger.record, list[int]()

    def once(entries: Sequence[Entry]) -> list[Receipt]:
        calls.append(1)
        if len(calls) > 1:
            raise LedgerError("The disk is full.")
        return record(entries)

    monkeypatch.setattr(app.ledger, "record", once)
    events = asked(client, script, Events().message(*LONG).done())
    assert events[-1]["error"]["code"] == "ledger_unavailable"
    assert "completed" not in kinds(events)
    assert records(app) == ["streaming"]  # its first words left, and its end could not be written


class TestBrokenUpstreams:
    @pytest.mark.parametrize(
        "written",
        [
            [],
            Events().sent,
            [{"type": 7}],
            [{"kind": "response.created"}],
            [{"type": "response.completed"}],
            [{"type": "response.completed", "response": {"output": "text"}}],
            [{"type": "error", "message": "overheated", "code": "server_error"}],
            [{"type": "response.output_text.delta", "delta": "\ud83d\ud83d"}, *Events().done()],
        ],
    )
    def test_before_the_first_word_they_are_a_502(
        self, client: TestClient, script: Script, app: App, written: list[dict[str, Any]]
    ) -> None:
        assert refused(client, script, written)["code"] == "upstream_error"
        assert records(app) == []

    @pytest.mark.parametrize(
        "rest",
        [
            [],
            [{"type": "error", "error": {"message": "overheated"}}],
            [{"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "more"}],
        ],
    )
    def test_later_an_error_event_says_so(
        self, client: TestClient, script: Script, app: App, rest: list[dict[str, Any]]
    ) -> None:
        events = asked(client, script, [*Events().message("Good day.").sent, *rest])
        assert events[-1]["error"]["code"] == "upstream_error"
        assert records(app) == ["cut"]

    def test_indexes_may_be_odd(self, client: TestClient, script: Script) -> None:
        written = Events().message("Good day.").done()
        for event in written:
            for name in ("output_index", "content_index"):
                if name in event:
                    event[name] = ["odd"]
        assert said(asked(client, script, written)) == "Good day."

    def test_text_in_an_opening_is_a_text_of_its_own(self, client: TestClient, script: Script) -> None:
        written = Events().call('{"a": ', "1}").done()
        for event in written:
            if event["type"] == "response.output_item.added":
                event["item"]["arguments"] = "{}"
        events = asked(client, script, written)
        assert said(events, "function_call_arguments") == '{"a": 1}'
        parts = [r["part"] for r in events[-1]["response"]["guard"]["releases"]]
        assert parts == ["arguments.added", "arguments"]

    def test_annotations_are_texts(self, client: TestClient, script: Script) -> None:
        note = {"type": "url_citation", "title": f"On {SECRET}", "url": "https://a.test/", "start_index": 0}
        written = Events()
        written.add("output_text.annotation.added", output_index=0, content_index=0, annotation_index=0,
                    annotation=note)  # fmt: skip
        events = asked(client, script, written.done())
        assert events[2]["annotation"]["title"] == "On [credential]"
