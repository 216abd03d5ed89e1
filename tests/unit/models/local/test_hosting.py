"""A checkpoint, tiny and random, that answers chats as the server hosts it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from guard.app import App
from models.base import Generator
from models.registry import load
from tests.unit.api.parts import events, joined, say, serving

pytestmark = pytest.mark.heavy

CHAT = "/v1/chat/completions"


@pytest.fixture(scope="module")
def model(text_folder: Path) -> Generator:
    return load(f"local:{text_folder}")


@pytest.fixture
def client(app: App, model: Generator) -> Iterator[TestClient]:
    with serving(app, None, generators={"it": model}) as opened:
        yield opened


def ask(model: Generator, text: str, **extra: Any) -> dict[str, Any]:
    return say(text, **{"model": model.card.name, **extra})


def test_it_chats(client: TestClient, model: Generator) -> None:
    body = ask(model, "red boat", seed=3, max_tokens=4, temperature=0.01)
    whole = client.post(CHAT, json=body).json()
    *chunks, _ = events(client.post(CHAT, json=body | {"stream": True}).text)
    [choice] = whole["choices"]
    assert joined(chunks) == choice["message"]["content"]
    used = whole["usage"]
    assert used["prompt_tokens"] == 6  # user : red boat assistant :
    assert 1 <= used["completion_tokens"] <= 4


def test_it_says_why_it_ended(client: TestClient, model: Generator) -> None:
    ends = set()
    for seed in range(12):
        answer = client.post(CHAT, json=ask(model, "red", seed=seed, max_tokens=8)).json()
        full = answer["usage"]["completion_tokens"] == 8
        reason = answer["choices"][0]["finish_reason"]
        assert reason == "stop" or full
        ends.add(reason)
        if not full:
            assert reason == "stop"
    assert ends == {"stop", "length"}


@pytest.mark.parametrize("content", [["red"], [{"type": "text"}], [{"type": "text", "text": 7}], None])
def test_messages_it_cannot_read(client: TestClient, model: Generator, content: Any) -> None:
    body = ask(model, "red") | {"messages": [{"role": "user", "content": content}]}
    answer = client.post(CHAT, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_input")


def test_more_tokens_than_it_has_room_for(client: TestClient, model: Generator) -> None:
    answer = client.post(CHAT, json=ask(model, "red", max_tokens=10_000))
    assert "max_tokens" in answer.json()["error"]["message"]
    assert answer.status_code == 400
