"""Chats and completions that a hosted text model answers."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from functools import partial
from typing import Any

import anyio
import httpx2
import pytest
from starlette.testclient import TestClient

from guard.api import create_app
from guard.app import App
from guard.errors import GenerationError
from guard.media import Artifact, Modality
from models.base import Ending, GenerationRequest, ModelCard
from models.local.parameters import number, only
from tests.unit.api.parts import BANNED, SECRET, Script, as_json, completion, events, joined, say, serving
from tests.unit.api.words.test_chat import rows

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"


class Writer:
    """Writes the pieces it was given, and its seed after them; notes requests, and how often it was left."""

    card = ModelCard("writer", "7", Modality.TEXT, "studio")

    def __init__(self, *pieces: str, ending: Ending | None = None, fails: bool = False) -> None:
        self.pieces = pieces or ("Good ", "morning.")
        self.ending = ending
        self.fails = fails
        self.asked: list[GenerationRequest] = []
        self.began = threading.Event()
        self.left = threading.Event()

    def stream(self, request: GenerationRequest) -> Generator[str, None, Ending | None]:
        self.asked.append(request)
        self.began.set()
        only(request.parameters, ("max_tokens", "stop", "temperature", "top_p"))
        number(request.parameters, "temperature", 1.0, 0.0, 2.0)
        try:
            yield from self.pieces
            if request.seed is not None:
                yield f" {request.seed}"
            if self.fails:
                raise GenerationError("The model tripped.")
        except GeneratorExit:
            self.left.set()
            raise
        return self.ending

    def generate(self, request: GenerationRequest) -> Sequence[Artifact]:
        return [Artifact.from_text("".join(self.stream(request)))]


class Whole:
    """A model that cannot speak piece by piece."""

    card = Writer.card

    def generate(self, request: GenerationRequest) -> Sequence[Artifact]:
        return [Artifact.from_text(f"On {request.prompt}.")]


@pytest.fixture
def writer() -> Writer:
    return Writer(ending=Ending("length", 5, 3))


@pytest.fixture
def hosting(app: App, writer: Writer) -> Iterator[TestClient]:
    with serving(app, None, generators={"writer": writer}) as client:
        yield client


def ask(text: str = "Hello", **extra: Any) -> dict[str, Any]:
    return say(text, **{"model": "writer", **extra})


class TestChat:
    def test_an_answer_in_openais_form(self, hosting: TestClient, app: App) -> None:
        answer = hosting.post(CHAT, json=ask()).json()
        [choice] = answer["choices"]
        assert answer["object"] == "chat.completion"
        assert answer["id"].startswith("chatcmpl-")
        assert answer["created"] > 1_700_000_000
        assert answer["model"] == "writer"
        assert choice["message"] == {"role": "assistant", "content": "Good morning.", "refusal": None}
        assert (choice["index"], choice["finish_reason"], choice["logprobs"]) == (0, "length", None)
        assert answer["usage"] == {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
        [row] = rows(app)
        [evidence] = answer["guard"]["releases"]
        assert (evidence["release_id"], evidence["mark"]) == (row["id"], None)
        assert (row["model"], row["model_version"], row["status"]) == ("writer", "7", "released")

    def test_a_stream_of_chunks(self, hosting: TestClient, app: App) -> None:
        body = ask(stream=True, stream_options={"include_usage": True})
        *chunks, done = events(hosting.post(CHAT, json=body).text)
        assert done == "[DONE]"
        assert joined(chunks) == "Good morning."
        assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
        assert [c["choices"][0]["finish_reason"] for c in chunks[:-1]][-1] == "length"
        assert {c["object"] for c in chunks} == {"chat.completion.chunk"}
        assert (chunks[-1]["choices"], chunks[-1]["usage"]["total_tokens"]) == ([], 8)
        assert len({c["id"] for c in chunks}) == 1
        assert [row["status"] for row in rows(app)] == ["released"]

    def test_usage_is_left_out_where_nobody_counts(self, app: App) -> None:
        with serving(app, None, generators={"writer": Writer()}) as client:
            assert "usage" not in client.post(CHAT, json=ask()).json()
            body = ask(stream=True, stream_options={"include_usage": True})
            *chunks, _ = events(client.post(CHAT, json=body).text)
        assert not any("usage" in chunk for chunk in chunks)

    @pytest.mark.parametrize("stream", [False, True])
    def test_several_choices_count_on_from_the_seed(self, hosting: TestClient, stream: bool) -> None:
        answer = hosting.post(CHAT, json=ask(n=3, seed=4, stream=stream))
        if stream:
            *chunks, _ = events(answer.text)
            texts = [joined(chunks, number) for number in range(3)]
        else:
            texts = [choice["message"]["content"] for choice in answer.json()["choices"]]
            assert answer.json()["usage"]["prompt_tokens"] == 5
        assert texts == ["Good morning. 4", "Good morning. 5", "Good morning. 6"]

    def test_the_model_gets_the_conversation_and_its_knobs(self, hosting: TestClient, writer: Writer) -> None:
        messages = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Yes?"}]
        knobs: dict[str, Any] = {"temperature": 0.5, "top_p": None, "stop": ["x"], "max_completion_tokens": 9}
        neutral: dict[str, Any] = {
            "frequency_penalty": 0,
            "logprobs": False,
            "response_format": {"type": "text"},
        }
        answer = hosting.post(CHAT, json=ask(messages=messages, user="u", **knobs, **neutral))
        assert answer.status_code == 200
        [request] = writer.asked
        assert (request.prompt, list(request.messages)) == ("Hello", messages)
        assert request.parameters == {"temperature": 0.5, "stop": ["x"], "max_tokens": 9}

    @pytest.mark.parametrize(
        ("extra", "param"),
        [
            ({"tools": [{"type": "function"}]}, "tools"),
            ({"logprobs": True}, "logprobs"),
            ({"response_format": {"type": "json_object"}}, "response_format"),
            ({"frequency_penalty": 0.5}, "frequency_penalty"),
            ({"made_up": 1}, "made_up"),
            ({"n": 0}, "n"),
            ({"n": 17}, "n"),
            ({"n": True}, "n"),
            ({"seed": "4"}, "seed"),
        ],
    )
    @pytest.mark.parametrize("stream", [False, True])
    def test_what_the_model_cannot_do_is_named(
        self, hosting: TestClient, writer: Writer, extra: dict[str, Any], param: str, stream: bool
    ) -> None:
        answer = hosting.post(CHAT, json=ask(stream=stream, **extra))
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
        assert writer.asked == []

    @pytest.mark.parametrize("stream", [False, True])
    def test_a_knob_out_of_range_is_the_callers_fault(self, hosting: TestClient, stream: bool) -> None:
        answer = hosting.post(CHAT, json=ask(stream=stream, temperature=9))
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_input")

    def test_an_answer_without_a_word(self, app: App) -> None:
        with serving(app, None, generators={"writer": Writer("")}) as client:
            answer = client.post(CHAT, json=ask()).json()
            assert answer["choices"][0]["message"]["content"] == ""
            assert answer["guard"]["releases"] == []
            *chunks, done = events(client.post(CHAT, json=ask(stream=True)).text)
        assert (joined(chunks), done) == ("", "[DONE]")

    def test_a_model_that_cannot_speak_piece_by_piece(self, app: App) -> None:
        with serving(app, None, generators={"writer": Whole()}) as client:
            answer = client.post(CHAT, json=ask("boats")).json()
            *chunks, _ = events(client.post(CHAT, json=ask("boats", stream=True)).text)
        assert answer["choices"][0]["message"]["content"] == joined(chunks) == "On boats."
        assert answer["choices"][0]["finish_reason"] == "stop"


class TestGuarded:
    @pytest.mark.parametrize("stream", [False, True])
    def test_a_banned_prompt_reaches_no_model(
        self, hosting: TestClient, writer: Writer, stream: bool
    ) -> None:
        answer = hosting.post(CHAT, json=ask(BANNED, stream=stream))
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "content_policy_violation")
        assert writer.asked == []

    @pytest.mark.parametrize("stream", [False, True])
    def test_a_banned_term_over_two_pieces_does_not_leave(self, app: App, stream: bool) -> None:
        model = Writer(f"a {BANNED[:9]}", f"{BANNED[9:]} here")
        with serving(app, None, generators={"writer": model}) as client:
            answer = client.post(CHAT, json=ask(stream=stream))
        assert "content_policy_violation" in answer.text
        assert BANNED[:9] not in answer.text
        assert rows(app)[-1]["status"] == "blocked"

    def test_secrets_are_cut_out_of_streams(self, app: App) -> None:
        with serving(app, None, generators={"writer": Writer("key ", SECRET[:9], SECRET[9:], " end")}) as c:
            *chunks, _ = events(c.post(CHAT, json=ask(stream=True)).text)
        assert joined(chunks) == "key [credential] end"

    def test_a_model_that_fails_midway_is_told_and_recorded(self, app: App) -> None:
        model = Writer("Good morning. " * 40, fails=True)
        with serving(app, None, generators={"writer": model}) as client:
            assert client.post(CHAT, json=ask()).status_code == 500
            *_, last = events(client.post(CHAT, json=ask(stream=True)).text)
        assert last["error"]["code"] == "release_failed"
        assert rows(app)[-1]["status"] == "cut"

    @pytest.mark.parametrize("stream", [False, True])
    def test_a_client_that_leaves_stops_the_model(self, app: App, stream: bool) -> None:
        model = Writer(*["Good morning. "] * 100_000)
        api = create_app(app, generators=[model], require_keys=False)

        async def leave() -> None:
            transport = httpx2.ASGITransport(api)
            client = httpx2.AsyncClient(transport=transport, base_url="http://guard.test")
            async with client, anyio.create_task_group() as tasks:
                tasks.start_soon(partial(client.post, CHAT, json=ask(stream=stream)))
                await anyio.to_thread.run_sync(model.began.wait, 30)
                tasks.cancel_scope.cancel()

        anyio.run(leave)
        assert model.left.wait(30)


class TestCompletions:
    def test_an_answer_in_openais_form(self, hosting: TestClient, writer: Writer) -> None:
        body = {"model": "writer", "prompt": ["one", "two"], "seed": 1, "best_of": 1, "echo": False}
        answer = hosting.post(COMPLETIONS, json=body).json()
        assert (answer["object"], answer["id"][:5]) == ("text_completion", "cmpl-")
        assert [choice["text"] for choice in answer["choices"]] == ["Good morning. 1"] * 2
        assert [choice["index"] for choice in answer["choices"]] == [0, 1]
        assert [(r.prompt, list(r.messages)) for r in writer.asked] == [("one", []), ("two", [])]
        assert answer["usage"] == {"prompt_tokens": 10, "completion_tokens": 6, "total_tokens": 16}

    def test_a_stream(self, hosting: TestClient, app: App) -> None:
        body = {"model": "writer", "prompt": "one", "stream": True}
        *chunks, done = events(hosting.post(COMPLETIONS, json=body).text)
        assert done == "[DONE]"
        assert "".join(chunk["choices"][0]["text"] for chunk in chunks) == "Good morning."
        assert chunks[-1]["choices"][0]["finish_reason"] == "length"
        assert {chunk["object"] for chunk in chunks} == {"text_completion"}
        assert [row["status"] for row in rows(app)] == ["released"]

    def test_more_choices_than_a_request_may_have(self, hosting: TestClient) -> None:
        body = {"model": "writer", "prompt": ["one"] * 9, "n": 2}
        answer = hosting.post(COMPLETIONS, json=body)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "n")


class TestBesideAnUpstream:
    def test_each_answers_for_its_own_models(self, app: App, script: Script, writer: Writer) -> None:
        script.will(as_json(completion("From afar.")))
        with serving(app, script, generators={"writer": writer}) as client:
            near = client.post(CHAT, json=ask()).json()
            far = client.post(CHAT, json=ask(model="tiny")).json()
        assert near["choices"][0]["message"]["content"] == "Good morning."
        assert far["choices"][0]["message"]["content"] == "From afar."
        assert len(script.seen) == 1

    def test_alone_it_knows_no_other_names(self, hosting: TestClient) -> None:
        answer = hosting.post(CHAT, json=ask(model="tiny"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
        assert hosting.get("/v1/models/writer").json()["modalities"] == ["text"]
