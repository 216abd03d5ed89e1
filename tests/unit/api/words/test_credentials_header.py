"""`x-guard-credentials: text`: a credential in what a model says, for callers who ask for one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from guard.app import App
from guard.media import Artifact
from guard.provenance.read import read
from guard.provenance.trust import Trust
from tests.unit.api.parts import Script, as_json, as_stream, chunk, completion, events, joined, say, serving
from tests.unit.api.words.test_chat import rows
from tests.unit.api.words.test_chat_streams import said

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
ASKING = {"x-guard-credentials": "text"}
TEXT = "Good morning. The harbour is quiet today, and the boats are all in."


def state(app: App, text: str) -> str:
    return read(Artifact.from_text(text), trust=Trust.of(app.keys.anchors())).state


def whole(client: TestClient, **extra: Any) -> dict[str, Any]:
    answer = client.post(CHAT, json=say("Hello", **extra), headers=ASKING)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def streamed(client: TestClient, **extra: Any) -> list[Any]:
    return events(client.post(CHAT, json=say("Hello", stream=True, **extra), headers=ASKING).text)


def test_a_pasted_answer_is_trusted_and_known_without_its_credential(
    app: App, client: TestClient, script: Script
) -> None:
    script.will(as_json(completion(TEXT)))
    answer = whole(client)
    text = answer["choices"][0]["message"]["content"]
    [evidence] = answer["guard"]["releases"]
    assert text.startswith(TEXT)
    assert evidence["signed"] is True
    entry = app.ledger.by_id(evidence["release_id"])
    assert entry is not None
    assert entry.manifest is not None
    verifier = app.verifier()
    assert verifier.verify(Artifact.from_text(text)).state == "trusted"
    assert verifier.verify(Artifact.from_text(TEXT)).state == "recovered"
    for other in ("noisy", "loud"):
        assert verifier.verify(Artifact.from_text(text.replace("quiet", other))).state == "altered"


def test_in_a_stream_it_comes_after_the_last_word(app: App, client: TestClient, script: Script) -> None:
    script.will(as_stream([*said(TEXT, 5), chunk({}, finish_reason="stop")]))
    *chunks, done = streamed(client)
    text = joined(chunks)
    assert done == "[DONE]"
    assert text.startswith(TEXT)
    assert state(app, text) == "trusted"
    assert chunks[-1]["guard"]["releases"][0]["signed"] is True
    assert [row["status"] for row in rows(app)] == ["released"]


@pytest.mark.parametrize("stream", [False, True])
def test_without_the_header_nothing_is_added(client: TestClient, script: Script, stream: bool) -> None:
    script.will(as_stream([*said(TEXT, 5)]) if stream else as_json(completion(TEXT)))
    answer = client.post(CHAT, json=say("Hello", stream=stream))
    if stream:
        *chunks, _ = events(answer.text)
        assert joined(chunks) == TEXT
    else:
        assert answer.json()["choices"][0]["message"]["content"] == TEXT
        assert answer.json()["guard"]["releases"][0]["signed"] is False


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "not quite JSON"}}


@pytest.mark.parametrize(
    "message",
    [
        {"content": None, "tool_calls": [CALL]},
        {"content": '{"a": 1}'},
        {"content": "<html><p>Hello</p></html>"},
        {"content": None, "reasoning_content": "Let me think."},
        {"content": None, "refusal": "I will not."},
    ],
)
def test_what_programs_read_and_other_parts_stay_as_they_are(
    app: App, client: TestClient, script: Script, message: dict[str, Any]
) -> None:
    script.will(as_json(completion("x", choices=[{"index": 0, "message": message}])))
    answer = whole(client)
    assert answer["choices"][0]["message"] == message
    assert [each["signed"] for each in answer["guard"]["releases"]] == [False]
    delta = message
    if "tool_calls" in message:
        delta = {"tool_calls": [{"index": 0, **CALL}]}
    script.will(as_stream([chunk(delta), chunk({}, finish_reason="stop")]))
    *chunks, _ = streamed(client)
    assert chunks[0]["choices"][0]["delta"] == delta
    assert [each["signed"] for each in chunks[-1]["guard"]["releases"]] == [False]


@pytest.mark.parametrize("wish", [{"logprobs": True}, {"response_format": {"type": "json_object"}}])
def test_what_is_to_be_accounted_for_stays_as_it_is(
    client: TestClient, script: Script, wish: dict[str, Any]
) -> None:
    script.will(as_json(completion(TEXT)))
    assert whole(client, **wish)["choices"][0]["message"]["content"] == TEXT
    script.will(as_stream([*said(TEXT, 5)]))
    *chunks, _ = streamed(client, **wish)
    assert joined(chunks) == TEXT


def test_completions_too(app: App, client: TestClient, script: Script) -> None:
    script.will(as_json({"object": "text_completion", "choices": [{"index": 0, "text": TEXT}]}))
    body = {"model": "tiny", "prompt": "Hello"}
    answer = client.post(COMPLETIONS, json=body, headers=ASKING).json()
    assert state(app, answer["choices"][0]["text"]) == "trusted"


@pytest.mark.parametrize("stream", [False, True])
def test_other_kinds_are_refused(client: TestClient, script: Script, stream: bool) -> None:
    answer = client.post(CHAT, json=say("Hello", stream=stream), headers={"x-guard-credentials": "pdf"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "x-guard-credentials")
    assert script.seen == []


def test_a_policy_that_signs_chats_refuses_what_cannot_be_signed(
    strict: App, script: Script, tmp_path: Path
) -> None:
    """The policy's word is no wish: what cannot carry a credential does not leave."""
    for words, why in (
        ("<html><p>Hello</p></html>", "no <head>"),
        ('{"hill": "green"}', "JSON cannot carry"),
    ):
        script.will(as_json(completion(words)))
        with serving(strict, script) as client:
            answer = client.post(CHAT, json=say("Hello"))
        assert answer.status_code == 500
        assert why in answer.json()["error"]["message"]
