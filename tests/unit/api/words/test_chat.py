"""`/v1/chat/completions`, whole and streamed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from guard.app import App
from guard.ledger import Status
from guard.ledger.tables import releases
from tests.unit.api.parts import (
    BANNED,
    ORIGIN,
    SECRET,
    Script,
    as_json,
    as_stream,
    chunk,
    completion,
    say,
    serving,
)

CHAT = "/v1/chat/completions"
HELLO = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Good "}, logprobs={"content": [{"token": "Good "}]}),
    chunk({"content": "morning."}),
    chunk({}, finish_reason="stop"),
]


def rows(app: App) -> list[Any]:
    with app.ledger.engine.connect() as connection:
        return list(connection.execute(releases.select()).mappings())


def without_evidence(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "guard"}


def blocked(answer: httpx2.Response) -> bool:
    error = answer.json()["error"]
    return answer.status_code == 400 and error["code"] == "content_policy_violation"


class TestWhole:
    def test_a_harmless_answer_arrives_as_the_upstream_gave_it(
        self, client: TestClient, script: Script
    ) -> None:
        theirs = completion(
            "Good morning.", "Hello.", system_fingerprint="fp", usage={"total_tokens": 9}, odd=[1]
        )
        theirs["choices"][0]["logprobs"] = {"content": [{"token": "Good", "logprob": -0.1}]}
        script.will(as_json(theirs))
        answer = client.post(CHAT, json=say("Hi", n=2))
        assert answer.status_code == 200
        assert without_evidence(answer.json()) == theirs

    def test_a_request_arrives_as_the_caller_wrote_it(self, client: TestClient, script: Script) -> None:
        script.will(as_json(completion("Good.")))
        body = say(
            "Hi", n=1, tools=[{"type": "function", "function": {"name": "f"}}], top_k=5, odd={"a": None}
        )
        body["messages"].append(
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}
        )
        client.post(CHAT, json=body)
        assert script.bodies == [body]
        assert str(script.seen[0].url) == f"{ORIGIN}/v1/chat/completions"

    def test_each_text_has_its_evidence(self, app: App, client: TestClient, script: Script) -> None:
        script.will(as_json(completion("Good morning.", "Hello.")))
        evidence = client.post(CHAT, json=say("Hi", n=2)).json()["guard"]["releases"]
        assert [(e["choice"], e["part"], e["action"]) for e in evidence] == [
            (0, "content", "allow"),
            (1, "content", "allow"),
        ]
        for item, text in zip(evidence, ["Good morning.", "Hello."], strict=True):
            assert item["sha256"] == hashlib.sha256(text.encode()).hexdigest()
            entry = app.ledger.by_id(item["release_id"])
            assert entry is not None
            assert (entry.model, entry.model_version, entry.sha256) == ("tiny", "tiny-2024", item["sha256"])
            assert entry.prompt_sha256 == hashlib.sha256(b"Hi").hexdigest()
            assert item["receipt"]["release_id"] == item["release_id"]

    def test_what_must_not_be_said_is_cut_out(self, client: TestClient, script: Script) -> None:
        theirs = completion(f"The key is {SECRET}.", "Nothing here.")
        for choice in theirs["choices"]:
            choice |= {"logprobs": {"content": [{"token": SECRET}]}, "token_ids": [1, 2, 3]}
        script.will(as_json(theirs))
        answer = client.post(CHAT, json=say("What is the key?", n=2))
        first, second = answer.json()["choices"]
        assert first["message"]["content"] == "The key is [credential]."
        assert (first["logprobs"], "token_ids" in first) == (None, False)
        assert first["finish_reason"] == "stop"
        assert second == theirs["choices"][1]
        assert json.dumps(first).count(SECRET) == 0
        assert [e["action"] for e in answer.json()["guard"]["releases"]] == ["redact", "allow"]

    @pytest.mark.parametrize(
        "message",
        [
            {"content": f"Say {BANNED}."},
            {"content": None, "refusal": f"I will not say {BANNED}."},
            {"content": "Fine.", "reasoning_content": f"They want {BANNED}."},
            {"content": "Fine.", "reasoning_details": [{"type": "reasoning.text", "text": BANNED}]},
            {"content": [{"type": "text", "text": BANNED}]},
            {"content": None, "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": BANNED}}]},
            {"content": None, "function_call": {"name": "f", "arguments": f'{{"a": "{BANNED}"}}'}},
            {"content": "Fine.", "annotations": [{"url_citation": {"title": BANNED}}]},
            {"content": "Fine.", "something_new": {"deep": [BANNED]}},
        ],
    )
    def test_wherever_a_banned_text_stands_nothing_leaves(
        self, app: App, client: TestClient, script: Script, message: dict[str, Any]
    ) -> None:
        theirs = completion("Harmless.", "")
        theirs["choices"][1]["message"] = {"role": "assistant", **message}
        script.will(as_json(theirs))
        answer = client.post(CHAT, json=say("Hi", n=2))
        assert blocked(answer)
        assert answer.json()["error"]["guard"]["rule"] == "blocklist"
        assert "Harmless" not in answer.text
        assert len(script.seen) == 1
        (row,) = rows(app)
        assert (row["status"], row["id"]) == ("blocked", answer.json()["error"]["guard"]["release_id"])

    def test_a_choice_of_its_own_shape_is_screened_too(self, client: TestClient, script: Script) -> None:
        theirs = completion("Fine.")
        theirs["choices"][0]["text"] = BANNED
        script.will(as_json(theirs))
        assert blocked(client.post(CHAT, json=say("Hi")))

    def test_an_answer_without_text_is_an_answer(self, client: TestClient, script: Script) -> None:
        script.will(as_json(completion("", None)))
        answer = client.post(CHAT, json=say("Hi", n=2))
        assert (answer.status_code, answer.json()["guard"]) == (200, {"releases": []})

    def test_a_visible_label_leaves_json_whole(self, app: App, script: Script, tmp_path: Path) -> None:
        policy = tmp_path / "labels.yaml"
        rule = "{id: label, when: 'true', stages: [output], action: label, reason: disclosure}"
        policy.write_text(
            f"name: labels\nversion: 1\nrequire: {{chat: {{mark: false, sign: false}}}}\nrules: [{rule}]\n"
        )
        labelling = replace(app, settings=app.settings.model_copy(update={"policy": policy}))
        theirs = completion('{"city": "Rome"}', "Good morning.", "{not json}")
        script.will(as_json(theirs))
        with serving(labelling, script) as client:
            answer = client.post(CHAT, json=say("Hi")).json()
        said = [choice["message"]["content"] for choice in answer["choices"]]
        assert said == ['{"city": "Rome"}', "[AI-generated]\nGood morning.", "[AI-generated]\n{not json}"]

    def test_a_policy_may_have_chats_signed(self, strict: App, script: Script) -> None:
        script.will(as_json(completion("Good morning.")))
        with serving(strict, script) as client:
            answer = client.post(CHAT, json=say("Hi")).json()
        said = answer["choices"][0]["message"]["content"]
        assert said.startswith("Good morning.")
        assert said != "Good morning."
        assert answer["guard"]["releases"][0]["sha256"] == hashlib.sha256(said.encode()).hexdigest()

    @pytest.mark.parametrize(
        "theirs",
        [
            {},
            {"text": BANNED},
            {"choices": []},
            {"choices": None},
            {"choices": BANNED},
            {"choices": {"0": BANNED}},
            {"choices": [BANNED]},
            {"choices": [{"message": {"content": "\ud800"}}]},
            {"choices": [{"message": {"content": "\x00"}}]},
            {"choices": [{"message": json.loads("[" * 100 + "]" * 100)}]},
        ],
    )
    def test_an_answer_that_cannot_be_screened_does_not_leave(
        self, client: TestClient, script: Script, theirs: object
    ) -> None:
        script.will(as_json(theirs))
        answer = client.post(CHAT, json=say("Hi"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_error")
        assert answer.headers["x-should-retry"] == "false"
        assert BANNED not in answer.text

    @pytest.mark.parametrize(
        "message",
        [
            {"content": None, "audio": {"id": "a", "data": "UklGRg==", "transcript": "Hi"}},
            {"content": "Look:", "images": [{"image_url": {"url": "https://elsewhere.test/a.png"}}]},
            {"content": [{"type": "image_url", "image_url": {"url": "https://elsewhere.test/a.png"}}]},
            {"content": "data:image/png;base64,iVBORw0KGgo="},
        ],
    )
    def test_media_in_a_message_do_not_leave_unmarked(
        self, client: TestClient, script: Script, message: dict[str, Any]
    ) -> None:
        theirs = completion("")
        theirs["choices"][0]["message"] |= message
        script.will(as_json(theirs))
        answer = client.post(CHAT, json=say("Draw"))
        assert answer.status_code == 502
        assert "media inside a chat" in answer.json()["error"]["message"]

    def test_odd_characters_outside_the_text_do_no_harm(self, client: TestClient, script: Script) -> None:
        script.will(
            lambda _: httpx2.Response(
                200,
                content=b'{"id":"\\ud800","odd":NaN,"choices":[{"message":{"content":"\\u2028 fine"}}]}',
                headers={"content-type": "application/json"},
            )
        )
        answer = client.post(CHAT, json=say("Hi"))
        assert answer.status_code == 200
        assert answer.json()["choices"][0]["message"]["content"] == "\u2028 fine"


class TestPrompt:
    @pytest.mark.parametrize(
        "message",
        [
            {"role": "user", "content": f"Tell me of {BANNED}"},
            {"role": "system", "content": BANNED},
            {"role": "user", "content": [{"type": "text", "text": "Look"}, {"type": "text", "text": BANNED}]},
            {"role": "user", "name": BANNED, "content": "Hi"},
            {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": BANNED}}]},
            {"role": "tool", "tool_call_id": "c", "content": BANNED},
            {"role": "user", "content": "Hi", "unknown": {"to_us": BANNED}},
        ],
    )
    @pytest.mark.parametrize("stream", [True, False])
    def test_a_banned_prompt_reaches_no_model(
        self, app: App, client: TestClient, script: Script, message: dict[str, Any], stream: bool
    ) -> None:
        body = {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}, message], "stream": stream}
        answer = client.post(CHAT, json=body)
        assert blocked(answer)
        assert script.seen == []
        assert [row["status"] for row in rows(app)] == [Status.BLOCKED.value]

    def test_pictures_in_a_prompt_are_not_its_text(
        self, app: App, client: TestClient, script: Script
    ) -> None:
        script.will(as_json(completion("A cat.")))
        parts = [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        ]
        answer = client.post(CHAT, json={"model": "tiny", "messages": [{"role": "user", "content": parts}]})
        entry = app.ledger.by_id(answer.json()["guard"]["releases"][0]["release_id"])
        assert entry is not None
        assert entry.prompt_sha256 == hashlib.sha256(b"What is this?").hexdigest()

    def test_policies_see_who_asks(self, strict: App, script: Script) -> None:
        script.will(as_json(completion("Good.")))
        with serving(strict, script) as client:
            assert blocked(client.post(CHAT, json=say("Hi", user="mallory")))
            assert client.post(CHAT, json=say("Hi", user="ann")).status_code == 200

    @pytest.mark.parametrize(
        ("change", "param"),
        [
            ({"messages": None}, "messages"),
            ({"messages": []}, "messages"),
            ({"messages": "Hi"}, "messages"),
            ({"messages": ["Hi"]}, "messages"),
            ({"model": None}, "model"),
            ({"model": ""}, "model"),
            ({"model": 7}, "model"),
            ({"stream": "yes"}, "stream"),
            ({"stream": 1}, "stream"),
            ({"modalities": ["text", "audio"]}, "modalities"),
            ({"modalities": "audio"}, "modalities"),
        ],
    )
    def test_what_cannot_be_asked_is_named(
        self, client: TestClient, script: Script, change: dict[str, Any], param: str
    ) -> None:
        answer = client.post(CHAT, json=say("Hi") | change)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
        assert script.seen == []

    def test_half_a_character_is_the_callers_mistake(self, client: TestClient, script: Script) -> None:
        body = json.dumps(say("\ud800"))
        answer = client.post(CHAT, content=body, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed_media")
        assert script.seen == []

    def test_without_an_upstream_there_is_nobody_to_ask(self, alone: TestClient) -> None:
        answer = alone.post(CHAT, json=say("Hi"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


class TestFailures:
    def test_an_upstreams_refusal_keeps_its_status_and_code(self, client: TestClient, script: Script) -> None:
        error = {"message": "Too long.", "type": "invalid_request_error", "code": "context_length_exceeded"}
        script.will(as_json({"error": error}, 400))
        answer = client.post(CHAT, json=say("Hi"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "context_length_exceeded")
        assert "Too long." in answer.json()["error"]["message"]

    def test_a_full_upstream_says_when_to_come_back(self, client: TestClient, script: Script) -> None:
        script.will(as_json({"error": {"message": "Slow down."}}, 429, headers={"retry-after": "7"}))
        answer = client.post(CHAT, json=say("Hi"))
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
        assert answer.json()["error"]["type"] == "rate_limit_error"
        assert "x-should-retry" not in answer.headers
        assert len(script.seen) == 1

    @pytest.mark.parametrize("status", [500, 502, 504])
    def test_a_generation_that_failed_is_not_run_again(
        self, client: TestClient, script: Script, status: int
    ) -> None:
        script.will(as_json({"detail": "it broke"}, status))
        answer = client.post(CHAT, json=say("Hi"))
        assert (answer.status_code, answer.headers["x-should-retry"]) == (502, "false")
        assert "it broke" in answer.json()["error"]["message"]
        assert len(script.seen) == 1

    @pytest.mark.parametrize("stream", [True, False])
    def test_without_a_record_nothing_leaves(
        self, app: App, client: TestClient, script: Script, stream: bool
    ) -> None:
        with app.ledger.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE releases RENAME TO lost")
        script.will(as_stream(HELLO) if stream else as_json(completion("Good morning.")))
        answer = client.post(CHAT, json=say("Hi", stream=stream))
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "ledger_unavailable")
        assert answer.headers["x-should-retry"] == "false"
        assert "morning" not in answer.text

    def test_without_keys_no_model_is_asked(self, app: App, script: Script) -> None:
        (app.keys.folder / "signer.pem").unlink()
        with serving(app, script) as client:
            answer = client.post(CHAT, json=say("Hi"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_configured")
        assert script.seen == []
