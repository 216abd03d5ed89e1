"""The real LiteLLM proxy, asking Guard before and after its calls to an upstream.

It lives in an environment of its own, since its pins differ from Guard's: `GUARD_TEST_LITELLM` names the
Python in which `litellm[proxy]` is installed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest

from guard.app import open_app
from guard.settings import Settings
from tests.integration.processes import standing
from tests.integration.sites import BANNED, guarding
from tests.unit.api.parts import SECRET, chunk, completion, say
from tests.upstream import Answer, Server, as_json, as_stream, serving

PATIENCE = 300.0
"""Seconds that LiteLLM may take to start."""

pytestmark = pytest.mark.heavy


def litellm_python() -> str:
    python = os.environ.get("GUARD_TEST_LITELLM", "")
    if not python:
        pytest.skip("GUARD_TEST_LITELLM names no Python in which litellm[proxy] is installed")
    if not Path(python).with_name("litellm").is_file():
        pytest.skip(f"litellm[proxy] is not installed beside {python}")
    return str(Path(python).absolute())  # not resolved: a link into an environment would lead out of it


def config(upstream: str, guard: str, key: str) -> dict[str, Any]:
    model = {"model": "openai/tiny", "api_base": upstream, "api_key": "upstream-key"}
    guardrail = {
        "guardrail": "generic_guardrail_api",
        "mode": ["pre_call", "post_call"],
        "default_on": True,
        "api_base": guard,
        "api_key": key,
        "streaming_transform_mode": "incremental_diff",
        "streaming_sampling_rate": 1,
    }
    return {
        "model_list": [{"model_name": "tiny", "litellm_params": model}],
        "guardrails": [{"guardrail_name": "guard", "litellm_params": guardrail}],
        "general_settings": {"master_key": "sk-tests"},
        "litellm_settings": {"num_retries": 0, "telemetry": False},
    }


@contextmanager
def proxy(python: str, settings: dict[str, Any], folder: Path) -> Iterator[str]:
    """LiteLLM on a free port of loopback; yields its base URL."""
    path = folder / "config.yaml"
    path.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
    command = [str(Path(python).with_name("litellm")), "--config", str(path)]
    with standing(command, "/health/liveliness", patience=PATIENCE, folder=folder) as address:
        yield f"{address}/v1"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, openai.OpenAI]]:
    """An upstream, the LiteLLM before it that asks a Guard, and a client of LiteLLM."""
    python = litellm_python()
    home = tmp_path_factory.mktemp("guard") / "home"
    with serving(as_json({})) as server, open_app(Settings(home=home)) as app:
        app.keys.init_development()
        with (
            guarding(app, server.url) as site,
            proxy(python, config(server.url, site.url, site.key), tmp_path_factory.mktemp("litellm")) as url,
            openai.OpenAI(base_url=url, api_key="sk-tests") as client,
        ):
            yield server, client


@pytest.fixture
def upstream(gateway: tuple[Server, openai.OpenAI]) -> Server:
    server, _ = gateway
    server.seen.clear()
    return server


@pytest.fixture
def client(gateway: tuple[Server, openai.OpenAI]) -> openai.OpenAI:
    return gateway[1]


def slowly(*pieces: str) -> Answer:
    """A stream whose pieces come one after the other, not all at once."""
    said = [*(chunk({"content": piece}) for piece in pieces), chunk({}, finish_reason="stop")]
    return as_stream(
        *(f"data: {json.dumps(each)}\n\n".encode() for each in said), b"data: [DONE]\n\n", pause=0.05
    )


def spoken(stream: Any) -> list[str]:
    return [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]


def test_harmless_words_pass(client: openai.OpenAI, upstream: Server) -> None:
    upstream.answers[:] = [as_json(completion("Good morning."))]
    answer = client.chat.completions.create(**say("Hello"))
    assert answer.choices[0].message.content == "Good morning."


def test_a_banned_prompt_costs_no_call(client: openai.OpenAI, upstream: Server) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**say(BANNED))
    assert "blocklist" in caught.value.message
    assert upstream.seen == []


def test_a_banned_answer_costs_one_call(client: openai.OpenAI, upstream: Server) -> None:
    upstream.answers[:] = [as_json(completion(f"Say {BANNED}."))]
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(**say("Hello"))
    assert len(upstream.seen) == 1


def test_a_banned_tool_call_is_blocked(client: openai.OpenAI, upstream: Server) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": json.dumps({"q": BANNED})}}
    answer = completion("")
    answer["choices"][0]["message"] = {"role": "assistant", "content": None, "tool_calls": [call]}
    upstream.answers[:] = [as_json(answer)]
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(**say("Hello"))


def test_a_secret_is_cut_out(client: openai.OpenAI, upstream: Server) -> None:
    upstream.answers[:] = [as_json(completion(f"It is {SECRET}."))]
    answer = client.chat.completions.create(**say("Hello"))
    assert answer.choices[0].message.content == "It is [credential]."


class TestStreams:
    def test_a_secret_in_pieces_never_leaves(self, client: openai.OpenAI, upstream: Server) -> None:
        pieces = ("It is ", "gh", "p_", *["a1B2"] * 10, ", they ", "say.")
        upstream.answers[:] = [slowly(*pieces)]
        got = spoken(client.chat.completions.create(**say("Hello", stream=True)))
        assert "".join(got) == "It is [credential], they say."

    def test_words_leave_before_the_end(self, client: openai.OpenAI, upstream: Server) -> None:
        upstream.answers[:] = [slowly(*["Some words. "] * 10)]
        got = spoken(client.chat.completions.create(**say("Hello", stream=True)))
        assert "".join(got) == "Some words. " * 10
        assert len([piece for piece in got if piece]) > 3

    def test_a_banned_phrase_in_pieces_never_leaves(self, client: openai.OpenAI, upstream: Server) -> None:
        pieces = (*["Some words. "] * 5, "forbid", "den-demo", "-term", " and on.")
        upstream.answers[:] = [slowly(*pieces)]
        got: list[str] = []
        with pytest.raises(openai.APIError):
            got.extend(
                chunk.choices[0].delta.content or ""
                for chunk in client.chat.completions.create(**say("Hello", stream=True))
                if chunk.choices
            )
        assert "forbid" not in "".join(got)
