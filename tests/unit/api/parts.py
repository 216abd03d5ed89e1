"""What the tests of the HTTP door share: a scripted upstream, models that paint, answers in OpenAI's form."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from starlette.testclient import TestClient

from guard.api import create_app
from guard.app import App
from guard.media import Artifact, Modality
from models.base import GenerationRequest, Generator, ModelCard, Transcriber
from models.upstream import Upstream
from tests.pictures import png
from tests.upstream import Seen

BANNED = "forbidden-demo-term"
SECRET = "ghp_" + "a1B2" * 10
ORIGIN = "http://upstream.test"

Answer = Callable[[httpx2.Request], httpx2.Response]


@dataclass
class Script:
    """An upstream without a network: answers in turn, the last one for ever, and remembers the requests."""

    answers: list[Answer] = field(default_factory=list)
    seen: list[httpx2.Request] = field(default_factory=list)

    def will(self, *answers: Answer) -> None:
        self.answers[:] = answers

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.seen.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(request)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.seen]


class Painter:
    """A built-in model that paints something else for each seed and notes what it was asked."""

    card = ModelCard("painter", "2", Modality.IMAGE, "studio")

    def __init__(self) -> None:
        self.asked: list[GenerationRequest] = []

    def generate(self, request: GenerationRequest) -> Sequence[Artifact]:
        self.asked.append(request)
        return [png(seed=number + (request.seed or 0), height=256, width=256) for number in range(request.n)]


def as_json(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    content = json.dumps(value).encode()
    kind = {"content-type": "application/json"}
    return lambda _: httpx2.Response(status, content=content, headers={**kind, **(headers or {})})


def as_text(text: str, kind: str) -> Answer:
    return lambda _: httpx2.Response(200, text=text, headers={"content-type": kind})


def as_stream_of(*events: Mapping[str, Any]) -> Answer:
    """Events that name their own types, as OpenAI's other streams than the chat's do."""
    text = "".join(f"event: {e.get('type', 'message')}\ndata: {json.dumps(e)}\n\n" for e in events)
    return as_text(text, "text/event-stream")


def as_stream(chunks: Iterable[Mapping[str, Any]], end: str = "data: [DONE]\n\n") -> Answer:
    text = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + end
    return lambda _: httpx2.Response(200, text=text, headers={"content-type": "text/event-stream"})


def fails(error: Exception) -> Answer:
    def answer(_: httpx2.Request) -> httpx2.Response:
        raise error

    return answer


def completion(*texts: str | None, **extra: Any) -> dict[str, Any]:
    choices = [
        {
            "index": number,
            "finish_reason": "stop",
            "logprobs": None,
            "message": {"role": "assistant", "content": text, "refusal": None},
        }
        for number, text in enumerate(texts)
    ]
    whole = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "tiny-2024"}
    return {**whole, "choices": choices, **extra}


def chunk(delta: Mapping[str, Any], index: int = 0, **extra: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": None, **extra}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "tiny",
        "choices": [choice],
    }


def usage_chunk() -> dict[str, Any]:
    return {**chunk({}), "choices": [], "usage": {"total_tokens": 7}}


def as_file(data: bytes, kind: str) -> Answer:
    return lambda _: httpx2.Response(200, content=data, headers={"content-type": kind})


def picture(number: int = 0, **extra: Any) -> dict[str, Any]:
    data = png(seed=number, height=256, width=256).data
    return {"b64_json": base64.b64encode(data).decode(), **extra}


def decoded(item: Mapping[str, Any]) -> Artifact:
    return Artifact.from_bytes(base64.b64decode(item["b64_json"]))


def events(body: str) -> list[Any]:
    """The data of a server-sent stream; `[DONE]` as it stands."""
    data = [line.removeprefix("data: ") for line in body.split("\n\n") if line]
    return [item if item == "[DONE]" else json.loads(item) for item in data]


def typed_events(body: str) -> list[dict[str, Any]]:
    """The data of a stream whose events name their types, which must agree with the data's."""
    found = []
    for block in filter(None, body.split("\n\n")):
        kind, data = block.split("\n")
        value = json.loads(data.removeprefix("data: "))
        assert kind == f"event: {value['type']}"
        found.append(value)
    return found


def parts_of(request: httpx2.Request) -> list[tuple[str, str | None, bytes]]:
    """Field, file name and content of each part of a form."""
    form = Seen(request.method, request.url.path, request.headers, request.content).form
    return [(part.name, part.filename, part.data) for part in form]


def joined(chunks: Iterable[Any], index: int = 0, part: str = "content") -> str:
    """The text of one choice of a stream."""
    choices = [c for item in chunks if item != "[DONE]" for c in item["choices"] if c["index"] == index]
    return "".join(choice["delta"].get(part) or "" for choice in choices)


def say(text: str, **extra: Any) -> dict[str, Any]:
    return {"model": "tiny", "messages": [{"role": "user", "content": text}], **extra}


@contextmanager
def serving(
    app: App,
    script: Script | None,
    *,
    require_keys: bool = False,
    generators: Mapping[str, Generator] | None = None,
    transcribers: Mapping[str, Transcriber] | None = None,
) -> Iterator[TestClient]:
    upstream = Upstream(f"{ORIGIN}/v1", transport=httpx2.MockTransport(script)) if script else None
    with TestClient(
        create_app(
            app,
            upstream=upstream,
            generators=(generators or {}).values(),
            transcribers=transcribers,
            require_keys=require_keys,
        )
    ) as client:
        yield client
