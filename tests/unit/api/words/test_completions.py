"""`/v1/completions`, whole and streamed."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from starlette.testclient import TestClient

from guard.app import App
from tests.unit.api.parts import BANNED, SECRET, Script, as_json, as_stream, events
from tests.unit.api.words.test_chat import blocked, rows, without_evidence

URL = "/v1/completions"


def ask(client: TestClient, **extra: Any) -> Any:
    return client.post(URL, json={"model": "tiny", "prompt": "Once upon", **extra})


def completion(*texts: str) -> dict[str, Any]:
    choices = [
        {"index": number, "text": text, "finish_reason": "stop", "logprobs": {"tokens": [text]}}
        for number, text in enumerate(texts)
    ]
    return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "tiny-2", "choices": choices}


def piece(text: str, index: int = 0, end: str | None = None) -> dict[str, Any]:
    choice = {"index": index, "text": text, "finish_reason": end, "logprobs": None}
    return {"id": "cmpl-1", "object": "text_completion", "model": "tiny-2", "choices": [choice]}


def test_a_harmless_answer_arrives_as_it_was_given(app: App, client: TestClient, script: Script) -> None:
    script.will(as_json(completion(" a time", " a hill")))
    answer = ask(client, n=2, top_k=5).json()
    assert without_evidence(answer) == completion(" a time", " a hill")
    assert [e["part"] for e in answer["guard"]["releases"]] == ["text", "text"]
    assert script.bodies == [{"model": "tiny", "prompt": "Once upon", "n": 2, "top_k": 5}]
    assert str(script.seen[0].url).endswith("/v1/completions")
    assert [(row["status"], row["model_version"]) for row in rows(app)] == [("released", "tiny-2")] * 2
    assert rows(app)[0]["prompt_sha256"] == hashlib.sha256(b"Once upon").hexdigest()


def test_a_secret_goes_and_its_tokens_too(client: TestClient, script: Script) -> None:
    script.will(as_json(completion(f" {SECRET}.")))
    (choice,) = ask(client).json()["choices"]
    assert (choice["text"], choice["logprobs"]) == (" [credential].", None)


def test_a_stream(client: TestClient, script: Script) -> None:
    chunks = [piece(" a"), piece(" b", 1), piece(" time"), piece("", end="stop"), piece(" c", 1, "length")]
    script.will(as_stream(chunks))
    *sent, last, _ = events(ask(client, stream=True, n=2).text)
    assert [*sent, without_evidence(last)] == chunks
    assert [(e["choice"], e["part"]) for e in last["guard"]["releases"]] == [(0, "text"), (1, "text")]


@pytest.mark.parametrize("echo", [True, False])
def test_a_banned_text_does_not_leave(client: TestClient, script: Script, echo: bool) -> None:
    script.will(as_json(completion(f"Once upon {BANNED}")))
    assert blocked(ask(client, echo=echo))
    script.will(as_stream([piece(BANNED[:9]), piece(BANNED[9:])]))
    assert blocked(ask(client, stream=True, echo=echo))


@pytest.mark.parametrize("change", [{"prompt": BANNED}, {"prompt": ["Hi", BANNED]}, {"suffix": BANNED}])
def test_a_banned_prompt_reaches_no_model(client: TestClient, script: Script, change: dict[str, Any]) -> None:
    assert blocked(ask(client, **change))
    assert script.seen == []


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": [[1, 2]]}, "prompt"),
        ({"suffix": 5}, "suffix"),
        ({"model": None}, "model"),
        ({"stream": "yes"}, "stream"),
    ],
)
def test_what_cannot_be_asked_is_named(
    client: TestClient, script: Script, change: dict[str, Any], param: str
) -> None:
    answer = ask(client, **change)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert script.seen == []


def test_without_an_upstream_there_is_nobody_to_ask(alone: TestClient) -> None:
    assert ask(alone).status_code == 404
