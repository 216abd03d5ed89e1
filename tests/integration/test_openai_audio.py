"""The official OpenAI client: speech, whole and streamed, and transcripts."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections.abc import Iterator
from typing import Any, ClassVar

import httpx2
import openai
import pytest

from guard.media import Artifact
from tests.integration.sites import BANNED, PATIENCE, Site, wait_until
from tests.upstream import Answer, Server, as_events, as_json
from tests.voices import artifact, streamed

SAY: dict[str, Any] = {"model": "tts", "voice": "alloy", "input": "Good morning."}
LONG = streamed("audio/mpeg", 7.0)
PIECES = [LONG[at : at + 10_000] for at in range(0, len(LONG), 10_000)]
STREAM = {"x-guard-stream": "true"}
FILE = ("a.mp3", artifact("audio/mpeg", 0.5).data, "audio/mpeg")


def delta(sound: bytes) -> dict[str, str]:
    return {"type": "speech.audio.delta", "audio": base64.b64encode(sound).decode()}


EVENTS: list[Any] = [*map(delta, PIECES), {"type": "speech.audio.done", "usage": {"total_tokens": 5}}]


def told(lines: Iterator[str]) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


class Lasting:
    """Sound that goes on slowly until whoever hears it goes away."""

    def __init__(self) -> None:
        self.left = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        yield LONG
        end = time.monotonic() + PATIENCE
        try:
            while time.monotonic() < end:
                yield LONG[-5000:]
                time.sleep(0.05)
        finally:
            if time.monotonic() < end:
                self.left.set()


class TestSpeech:
    @pytest.mark.parametrize(
        ("kind", "mime"),
        [("mp3", "audio/mpeg"), ("opus", "audio/ogg"), ("aac", "audio/aac"), ("pcm", "audio/pcm")],
    )
    def test_a_whole_one(self, site: Site, upstream: Server, kind: Any, mime: str) -> None:
        upstream.answers[:] = [Answer(artifact(mime, 5.0).data, kind=mime)]
        answer = site.client().audio.speech.create(**SAY, response_format=kind)
        assert answer.response.headers["content-type"] == mime
        verdict = site.app.verifier().verify(Artifact.from_bytes(answer.content, claimed=mime))
        assert (verdict.state, verdict.reading.state) == ("trusted", "found")
        assert upstream.seen[0].json == {**SAY, "response_format": kind}
        assert site.records() == ["released"]

    def test_the_async_client_gets_the_same(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [Answer(artifact("audio/wav", 5.0).data, kind="audio/wav")]

        async def speak() -> bytes:
            async with openai.AsyncOpenAI(base_url=f"{site.url}/v1", api_key=site.key) as client:
                return (await client.audio.speech.create(**SAY)).content

        verdict = site.app.verifier().verify(Artifact.from_bytes(asyncio.run(speak())))
        assert (verdict.state, verdict.source) == ("trusted", "embedded")

    def test_bytes_as_they_are_made(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [Answer(PIECES, kind="audio/mpeg", pause=0.01)]
        speech = site.client().audio.speech.with_streaming_response
        with speech.create(**SAY, extra_headers=STREAM) as answer:
            assert answer.headers["transfer-encoding"] == "chunked"
            data = b"".join(answer.iter_bytes())
        verdict = site.app.verifier().verify(Artifact.from_bytes(data))
        assert (verdict.state, verdict.match.kind) == ("trusted", "exact")
        assert verdict.match.entry is not None
        assert verdict.match.entry.id == answer.headers["x-guard-release-id"]
        assert site.records() == ["released"]

    def test_events_as_they_are_made(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [as_events(*EVENTS)]
        speech = site.client().audio.speech.with_streaming_response
        with speech.create(**SAY, stream_format="sse") as answer:
            *deltas, done = told(answer.iter_lines())
        data = b"".join(base64.b64decode(each["audio"]) for each in deltas)
        assert site.app.verifier().verify(Artifact.from_bytes(data)).state == "trusted"
        assert (done["type"], done["usage"]["total_tokens"]) == ("speech.audio.done", 5)
        assert "stream" not in upstream.seen[0].json

    def test_events_for_the_async_client(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [as_events(*EVENTS)]

        async def speak() -> list[str]:
            async with openai.AsyncOpenAI(base_url=f"{site.url}/v1", api_key=site.key) as client:
                speech = client.audio.speech.with_streaming_response
                async with speech.create(**SAY, stream_format="sse") as answer:
                    return [line async for line in answer.iter_lines()]

        assert told(iter(asyncio.run(speak())))[-1]["guard"]["action"] == "allow"

    def test_a_banned_word_costs_no_call(self, site: Site, upstream: Server) -> None:
        with pytest.raises(openai.BadRequestError) as caught:
            site.client().audio.speech.create(**{**SAY, "input": BANNED}, stream_format="sse")
        assert caught.value.code == "content_policy_violation"
        assert upstream.seen == []

    @pytest.mark.parametrize(
        "answer",
        [
            as_json({"error": {"message": "it broke"}}, 500),
            Answer(b"<html><title>Bad gateway</title></html>", kind="text/html"),
            Answer(PIECES[0], kind="audio/mpeg", missing=100),
        ],
    )
    @pytest.mark.parametrize("headers", [{}, STREAM])
    def test_a_failure_is_asked_for_once(
        self, site: Site, upstream: Server, answer: Answer, headers: dict[str, str]
    ) -> None:
        upstream.answers[:] = [answer]
        with pytest.raises(openai.InternalServerError) as caught:
            site.client().audio.speech.create(**SAY, extra_headers=headers)
        assert (caught.value.status_code, caught.value.code) == (502, "upstream_error")
        assert len(upstream.seen) == 1
        assert site.records() == []

    def test_bytes_that_break_off_break_off_for_the_caller_too(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [Answer(PIECES, kind="audio/mpeg", cut=True)]
        speech, heard = site.client().audio.speech.with_streaming_response, bytearray()
        with speech.create(**SAY, extra_headers=STREAM) as answer:
            pieces = answer.iter_bytes()
            heard += next(pieces)
            with pytest.raises(httpx2.RemoteProtocolError):
                heard += b"".join(pieces)
        assert site.records() == ["cut"]
        entry = site.app.ledger.by_id(answer.headers["x-guard-release-id"])
        assert entry is not None
        assert entry.decision["ended"].startswith("UpstreamError")

    def test_a_caller_who_leaves_ends_it_upstream(self, site: Site, upstream: Server) -> None:
        lasting = Lasting()
        upstream.answers[:] = [Answer(lasting, kind="audio/mpeg")]
        speech = site.client().audio.speech.with_streaming_response
        with speech.create(**SAY, extra_headers=STREAM) as answer:
            next(answer.iter_bytes())
        assert lasting.left.wait(PATIENCE)
        wait_until(lambda: site.records() == ["cut"])
        entry = site.app.ledger.by_id(answer.headers["x-guard-release-id"])
        assert entry is not None
        assert entry.size > 0
        assert entry.decision["ended"] == "the caller left"


class TestTranscripts:
    OBJECT: ClassVar[dict[str, Any]] = {
        "task": "transcribe",
        "language": "english",
        "duration": 1.5,
        "text": "Good morning.",
        "segments": [{"id": "seg_1", "start": 0.0, "end": 1.5, "text": "Good morning.", "speaker": "A"}],
        "words": [{"word": "Good", "start": 0.0, "end": 0.5}, {"word": "morning", "start": 0.5, "end": 1.5}],
    }

    @pytest.mark.parametrize("kind", ["json", "verbose_json", "diarized_json"])
    def test_objects(self, site: Site, upstream: Server, kind: Any) -> None:
        upstream.answers[:] = [as_json(self.OBJECT)]
        answer: Any = site.client().audio.transcriptions.create(
            file=FILE, model="ear", response_format=kind, timestamp_granularities=["word", "segment"]
        )
        assert answer.text == "Good morning."
        if kind != "json":
            assert answer.segments[0].text == "Good morning."
        assert set(site.records()) == {"released"}
        form = [(part.name, part.data) for part in upstream.seen[0].form]
        assert ("response_format", kind.encode()) in form
        assert ("timestamp_granularities[]", b"word") in form
        assert ("file", FILE[1]) in form

    @pytest.mark.parametrize(
        ("kind", "text"),
        [
            ("text", "Good morning.\n"),
            ("srt", "1\n00:00:00,000 --> 00:00:01,500\nGood morning.\n\n"),
            ("vtt", "WEBVTT\n\n00:00.000 --> 00:01.500\nGood morning.\n\n"),
        ],
    )
    def test_files(self, site: Site, upstream: Server, kind: Any, text: str) -> None:
        upstream.answers[:] = [Answer(text.encode(), kind="text/vtt" if kind == "vtt" else "text/plain")]
        client = site.client()
        assert client.audio.transcriptions.create(file=FILE, model="ear", response_format=kind) == text

    def test_a_stream(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [
            as_events(
                {"type": "transcript.text.delta", "delta": "Good "},
                {"type": "transcript.text.delta", "delta": "morning."},
                {"type": "transcript.text.done", "text": "Good morning."},
            )
        ]
        events = list(site.client().audio.transcriptions.create(file=FILE, model="ear", stream=True))
        assert "".join(e.delta for e in events if e.type == "transcript.text.delta") == "Good morning."
        last: Any = events[-1]
        assert last.text == "Good morning."
        assert last.model_extra["guard"]["releases"][0]["action"] == "allow"
        assert site.records() == ["released"]

    @pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
    def test_the_async_client_gets_the_same(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [as_json({"text": "Good morning."})]

        async def write_down() -> list[str]:
            async with openai.AsyncOpenAI(base_url=f"{site.url}/v1", api_key=site.key) as client:
                heard = await client.audio.transcriptions.create(file=FILE, model="ear")
                meant = await client.audio.translations.create(file=FILE, model="ear")
                return [heard.text, meant.text]

        assert asyncio.run(write_down()) == ["Good morning."] * 2
        assert [seen.path for seen in upstream.seen] == ["/v1/audio/transcriptions", "/v1/audio/translations"]

    def test_a_banned_word_that_was_heard_costs_one_call(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [as_json({"text": f"They say {BANNED}."})]
        with pytest.raises(openai.BadRequestError) as caught:
            site.client().audio.transcriptions.create(file=FILE, model="ear")
        assert caught.value.code == "content_policy_violation"
        assert len(upstream.seen) == 1
        assert site.records() == ["blocked"]

    def test_a_file_that_is_no_sound_costs_none(self, site: Site, upstream: Server) -> None:
        with pytest.raises(openai.BadRequestError) as caught:
            site.client().audio.transcriptions.create(file=("a.mp3", b"", "audio/mpeg"), model="ear")
        assert caught.value.code == "malformed_media"
        assert upstream.seen == []
