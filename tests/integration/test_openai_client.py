"""The official OpenAI client, unmodified, through a real server in front of a real upstream."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from guard.app import App
from tests.integration.sites import BANNED, PATIENCE, Site, decoded, guarding, picture, wait_until
from tests.pictures import png
from tests.upstream import Answer, Server, as_events, as_json, as_stream


def completion(text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "tiny-2024",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
    }


def chunks(*deltas: dict[str, Any], usage: bool = False) -> list[bytes]:
    """A stream as the upstream writes it, its end included."""
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "tiny"}
    ends: list[Any] = [None] * len(deltas)
    bodies = [
        {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
        for delta, end in [*zip(deltas, ends, strict=True), ({}, "stop")]
    ]
    if usage:
        count = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
        bodies.append({**base, "choices": [], "usage": count})
    return [f"data: {json.dumps(body)}\n\n".encode() for body in bodies] + [b"data: [DONE]\n\n"]


def hello(**extra: Any) -> dict[str, Any]:
    return {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}], **extra}


class Dripping:
    """Chunks that come slowly and for ever, until whoever reads them goes away."""

    def __init__(self, chunk: bytes) -> None:
        self.chunk = chunk
        self.begun = threading.Event()
        self.left = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        end = time.monotonic() + PATIENCE
        try:
            while time.monotonic() < end:
                yield self.chunk
                self.begun.set()
                time.sleep(0.02)
            self.left = threading.Event()  # nobody left: they were let go
        finally:
            self.left.set()


class TestImages:
    def test_a_picture_arrives_marked_signed_and_recorded(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [as_json({"created": 5, "data": [picture(0), picture(1)]})]
        answer = site.client().images.generate(model="gpt-image-1", prompt="a quiet harbour", n=2)
        assert answer.data is not None
        assert len(answer.data) == 2
        for item in answer.data:
            verdict = site.app.verifier().verify(decoded(item))
            assert verdict.state == "trusted"
            assert verdict.reading.payload is not None
            assert item.model_extra is not None
            assert verdict.match.entry is not None
            assert verdict.match.entry.id == item.model_extra["guard"]["release_id"]
            assert verdict.reading.payload.hex == item.model_extra["guard"]["release_id"]
        assert upstream.seen[0].json == {"model": "gpt-image-1", "prompt": "a quiet harbour", "n": 2}

    def test_a_picture_from_a_photograph(self, site: Site, upstream: Server, shared_data: Path) -> None:
        photo = min((shared_data / "photos_kodak").glob("*.png"))
        upstream.answers[:] = [
            as_json({"data": [{"b64_json": base64.b64encode(photo.read_bytes()).decode()}]})
        ]
        answer = site.client().images.generate(model="m", prompt="a photograph")
        assert answer.data is not None
        assert site.app.verifier().verify(decoded(answer.data[0])).state == "trusted"

    def test_a_file_behind_a_url_arrives_as_bytes(self, site: Site, upstream: Server) -> None:
        link = upstream.url.removesuffix("/v1") + "/files/a.png"
        upstream.answers[:] = [
            as_json({"data": [{"url": link}]}),
            Answer(png(height=256, width=256).data, kind="image/png"),
        ]
        answer = site.client().images.generate(model="m", prompt="a", response_format="url")
        assert answer.data is not None
        assert answer.data[0].url is None
        assert site.app.verifier().verify(decoded(answer.data[0])).state == "trusted"

    def test_the_built_in_model_needs_no_upstream(self, site: Site, upstream: Server) -> None:
        answer = site.client().images.generate(
            model="scene", prompt="a beach at sunset", size="256x256", extra_body={"seed": 7}
        )
        assert answer.data is not None
        verdict = site.app.verifier().verify(decoded(answer.data[0]))
        assert (verdict.state, verdict.match.entry and verdict.match.entry.model) == ("trusted", "scene")
        assert upstream.seen == []

    def test_of_a_stream_only_finished_pictures_arrive(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [
            as_events(
                {"type": "image_generation.partial_image", "partial_image_index": 0, **picture(1)},
                {"type": "image_generation.completed", "usage": {"total_tokens": 3}, **picture()},
            )
        ]
        with site.client().images.generate(model="m", prompt="a", stream=True, partial_images=2) as stream:
            (event,) = list(stream)
        assert event.type == "image_generation.completed"
        assert event.usage.total_tokens == 3
        assert site.app.verifier().verify(decoded(event)).state == "trusted"
        assert upstream.seen[0].json["partial_images"] == 0

    def test_the_built_in_model_streams_too(self, site: Site, upstream: Server) -> None:
        asked = site.client().images.generate(model="scene", prompt="a beach", stream=True, size="256x256")
        (event,) = list(asked)
        assert event.type == "image_generation.completed"
        assert (event.size, event.output_format) == ("256x256", "png")
        assert site.app.verifier().verify(decoded(event)).state == "trusted"

    def test_the_async_client_gets_the_same(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [as_json({"data": [picture()]})]

        async def generate() -> Any:
            async with openai.AsyncOpenAI(base_url=f"{site.url}/v1", api_key=site.key) as client:
                return await client.images.generate(model="m", prompt="a quiet harbour")

        (item,) = asyncio.run(generate()).data
        assert site.app.verifier().verify(decoded(item)).state == "trusted"


class TestChat:
    def test_a_whole_answer(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [as_json(completion("Good morning."))]
        answer = site.client().chat.completions.create(**hello())
        assert answer.choices[0].message.content == "Good morning."
        assert answer._request_id is not None
        assert answer._request_id.startswith("req_")
        assert answer.model_extra is not None
        (evidence,) = answer.model_extra["guard"]["releases"]
        assert site.app.ledger.by_id(evidence["release_id"]) is not None

    def test_a_stream(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [as_stream(*chunks({"content": "Good "}, {"content": "morning."}))]
        with site.client().chat.completions.create(**hello(stream=True)) as stream:
            got = list(stream)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in got) == "Good morning."
        assert got[-1].model_extra is not None
        assert got[-1].model_extra["guard"]["releases"][0]["part"] == "content"

    def test_a_stream_with_its_usage(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [as_stream(*chunks({"content": "Good."}, usage=True))]
        body = hello(stream=True, stream_options={"include_usage": True})
        *_, last = site.client().chat.completions.create(**body)
        assert last.choices == []
        assert last.usage is not None
        assert last.usage.total_tokens == 3
        assert last.model_extra is not None
        assert last.model_extra["guard"]["releases"][0]["action"] == "allow"

    def test_the_helper_that_follows_a_stream(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [as_stream(*chunks({"role": "assistant", "content": "Good."}, usage=True))]
        with site.client().chat.completions.stream(**hello()) as stream:
            for _ in stream:
                pass
            assert stream.get_final_completion().choices[0].message.content == "Good."

    @pytest.mark.parametrize("stream", [True, False])
    def test_the_async_client_gets_the_same(self, site: Site, upstream: Server, stream: bool) -> None:
        answer = as_stream(*chunks({"content": "Good."})) if stream else as_json(completion("Good."))
        upstream.answers[:] = [answer]

        async def chat() -> str | None:
            async with openai.AsyncOpenAI(base_url=f"{site.url}/v1", api_key=site.key) as client:
                got = await client.chat.completions.create(**hello(stream=stream))
                if not stream:
                    return got.choices[0].message.content
                return "".join([chunk.choices[0].delta.content or "" async for chunk in got])

        assert asyncio.run(chat()) == "Good."

    def test_models(self, site: Site, upstream: Server) -> None:
        listed = {
            "object": "list",
            "data": [{"id": "tiny", "object": "model", "created": 1, "owned_by": "x"}],
        }
        upstream.answers[:] = [as_json(listed)]
        assert [model.id for model in site.client().models.list()] == ["scene", "tiny"]
        assert site.client().models.retrieve("tiny").owned_by == "x"
        with pytest.raises(openai.NotFoundError):
            site.client().models.retrieve("huge")


class TestBlocks:
    @pytest.mark.parametrize("stream", [True, False])
    def test_a_banned_answer_costs_one_call(self, site: Site, upstream: Server, stream: bool) -> None:
        half = len(BANNED) // 2
        split = as_stream(*chunks({"content": BANNED[:half]}, {"content": BANNED[half:]}))
        upstream.answers[:] = [split if stream else as_json(completion(f"Say {BANNED}."))]
        with pytest.raises(openai.BadRequestError) as caught:
            site.client().chat.completions.create(**hello(stream=stream))
        assert caught.value.code == "content_policy_violation"
        assert caught.value.type == "invalid_request_error"
        assert caught.value.request_id
        assert len(upstream.seen) == 1
        assert site.records() == ["blocked"]

    def test_a_banned_prompt_costs_none(self, site: Site, upstream: Server) -> None:
        with pytest.raises(openai.BadRequestError) as chat:
            site.client().chat.completions.create(**hello(messages=[{"role": "user", "content": BANNED}]))
        with pytest.raises(openai.BadRequestError) as image:
            site.client().images.generate(model="m", prompt=BANNED)
        assert chat.value.code == image.value.code == "content_policy_violation"
        assert upstream.seen == []
        assert site.records() == ["blocked", "blocked"]

    def test_without_a_key_nothing_is_asked(self, site: Site, upstream: Server) -> None:
        with pytest.raises(openai.AuthenticationError) as caught:
            site.client(api_key="gk_guessed").models.list()
        assert caught.value.code == "invalid_api_key"
        assert upstream.seen == []


class TestFailures:
    @pytest.mark.parametrize(
        "answer",
        [
            as_json({"error": {"message": "it broke", "type": "server_error", "code": None}}, 500),
            as_json({"detail": "it broke"}, 502),
            Answer(b"{not json"),
            Answer(b"<html><title>Bad gateway</title></html>", kind="text/html"),
            as_json([]),
            as_json({"choices": None}),
            Answer([b'{"choices": [{"mess'], cut=True),
        ],
    )
    def test_a_failure_is_asked_for_once(self, site: Site, upstream: Server, answer: Answer) -> None:
        upstream.answers[:] = [answer]
        with pytest.raises(openai.InternalServerError) as caught:
            site.client().chat.completions.create(**hello())
        assert caught.value.status_code == 502
        assert caught.value.code == "upstream_error"
        assert len(upstream.seen) == 1
        assert site.records() == []

    @pytest.mark.parametrize(
        "answer",
        [
            as_stream(*chunks({"content": "Good"})[:1], b'data: {"error": {"message": "overheated"}}\n\n'),
            as_stream(*chunks({"content": "Good"})[:1], b"data: {oops\n\n"),
            as_stream(*chunks({"content": "Good"})[:1], cut=True),
        ],
    )
    def test_a_stream_that_breaks_ends_in_an_error(
        self, site: Site, upstream: Server, answer: Answer
    ) -> None:
        upstream.answers[:] = [answer]
        with pytest.raises(openai.APIError) as caught:
            list(site.client().chat.completions.create(**hello(stream=True)))
        assert caught.value.code == "upstream_error"
        assert len(upstream.seen) == 1
        assert "released" not in site.records()

    def test_a_full_upstream_is_asked_again_when_it_said(self, site: Site, upstream: Server) -> None:
        full = as_json({"error": {"message": "Slow down."}}, 429, retry_after="0")
        upstream.answers[:] = [full, as_json(completion("Good."))]
        answer = site.client().chat.completions.create(**hello())
        assert answer.choices[0].message.content == "Good."
        assert len(upstream.seen) == 2

    def test_an_upstream_that_never_answers(self, app: App) -> None:
        with (
            closing(socket.create_server(("127.0.0.1", 0))) as silent,
            guarding(app, f"http://127.0.0.1:{silent.getsockname()[1]}/v1", timeout=0.3) as site,
            pytest.raises(openai.InternalServerError) as caught,
        ):
            site.client().chat.completions.create(**hello())
        assert caught.value.status_code == 502
        assert "in time" in caught.value.message

    def test_a_body_too_large_is_refused_while_it_comes(self, site: Site) -> None:
        def endless() -> Iterator[bytes]:
            yield b'{"model": "'
            while True:
                yield b"x" * (1 << 20)

        headers = {"authorization": f"Bearer {site.key}", "content-type": "application/json"}
        with httpx2.Client() as client:
            try:
                answer = client.post(f"{site.url}/v1/chat/completions", content=endless(), headers=headers)
            except (httpx2.WriteError, httpx2.ReadError):
                return  # it hung up in the middle of it, and its last words were lost on the way
        assert answer.status_code == 413
        assert answer.headers["connection"] == "close"

    def test_a_body_a_little_too_large_gets_an_answer(self, site: Site) -> None:
        with pytest.raises(openai.APIStatusError) as caught:
            site.client().chat.completions.create(**hello(user="x" * (33 << 20)))
        assert (caught.value.status_code, caught.value.code) == (413, "limit_exceeded")


class TestLeaving:
    def test_a_stream_is_let_go_and_what_left_is_on_record(self, site: Site, upstream: Server) -> None:
        dripping = Dripping(chunks({"content": "word "})[0])
        upstream.answers[:] = [Answer(dripping, kind="text/event-stream")]
        stream = site.client().chat.completions.create(**hello(stream=True))
        next(stream)
        stream.close()
        wait_until(dripping.left.is_set)
        wait_until(lambda: site.records() == ["cut"])
        assert len(upstream.seen) == 1

    def test_the_upstream_is_let_go_when_the_caller_leaves(self, site: Site, upstream: Server) -> None:
        dripping = Dripping(b" ")
        upstream.answers[:] = [Answer(dripping)]
        with pytest.raises(openai.APITimeoutError):
            site.client(timeout=0.5, max_retries=0).chat.completions.create(**hello())
        assert dripping.begun.is_set()
        wait_until(dripping.left.is_set)
        assert len(upstream.seen) == 1
        assert site.records() == []  # nothing was whole, so nothing was released


class TestCrowds:
    def test_eight_at_once(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [as_json({"data": [picture()]})]
        client = site.client()

        def draw(number: int) -> str:
            answer = client.images.generate(model="m", prompt=f"picture {number}")
            assert answer.data is not None
            assert site.app.verifier().verify(decoded(answer.data[0])).state == "trusted"
            assert answer.data[0].model_extra is not None
            return str(answer.data[0].model_extra["guard"]["release_id"])

        with ThreadPoolExecutor(8) as pool:
            ids = list(pool.map(draw, range(8)))
        assert len(set(ids)) == 8
        assert len(upstream.seen) == 8
        assert site.records() == ["released"] * 8

    def test_health_is_told_while_pictures_are_made(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [as_json({"data": [picture(seed) for seed in range(6)]})]
        with ThreadPoolExecutor(1) as pool:
            drawing = pool.submit(site.client().images.generate, model="m", prompt="six pictures", n=6)
            while not drawing.done():
                assert httpx2.get(f"{site.url}/healthz", timeout=PATIENCE).status_code == 200
            assert len(drawing.result().data or []) == 6
