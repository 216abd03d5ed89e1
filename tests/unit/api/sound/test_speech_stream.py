"""`/v1/audio/speech`: sound that leaves while it is made."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from guard.app import App
from guard.ledger.tables import releases
from guard.media import Artifact
from tests.unit.api.parts import Answer, Script, as_file, as_json, as_stream_of, events, serving, typed_events
from tests.voices import artifact, streamed

SPEECH = "/v1/audio/speech"
ASK: dict[str, Any] = {"model": "tts", "input": "Good morning.", "voice": "alloy"}
SSE = {**ASK, "stream_format": "sse"}
RAW = {"x-guard-stream": "true"}
DATA = streamed("audio/mpeg", 7.0)
PIECE = 12_000
USAGE = {"input_tokens": 3, "output_tokens": 9, "total_tokens": 12}
DONE = {"type": "speech.audio.done", "usage": USAGE}


def deltas(data: bytes = DATA) -> list[dict[str, Any]]:
    return [
        {"type": "speech.audio.delta", "audio": base64.b64encode(data[at : at + PIECE]).decode()}
        for at in range(0, len(data), PIECE)
    ]


def drips(data: bytes = DATA, kind: str = "audio/mpeg", error: Exception | None = None) -> Answer:
    """Bytes that come one piece after the other, and perhaps break off."""

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(data), PIECE):
            yield data[at : at + PIECE]
        if error is not None:
            raise error

    return lambda _: httpx2.Response(200, content=pieces(), headers={"content-type": kind})


def sound_in(told: list[dict[str, Any]]) -> bytes:
    return b"".join(base64.b64decode(each["audio"]) for each in told if "audio" in each)


def rows(app: App) -> list[tuple[str, int]]:
    with app.ledger.engine.connect() as connection:
        return [(row["status"], row["size"]) for row in connection.execute(releases.select()).mappings()]


@pytest.fixture
def under(app: App, script: Script, tmp_path: Path) -> Iterator[Any]:
    """Opens the API under another policy."""
    opened = []

    def make(policy: str) -> TestClient:
        path = tmp_path / "policy.yaml"
        path.write_text(f"name: test\nversion: 1\n{policy}\n")
        settings = app.settings.model_copy(update={"policy": path})
        context = serving(replace(app, settings=settings), script)
        opened.append(context)
        return context.__enter__()

    yield make
    for context in opened:
        context.__exit__(None, None, None)


class TestBytes:
    @pytest.mark.parametrize("header", [True, False])
    def test_they_arrive_marked_and_recorded(
        self, app: App, client: TestClient, script: Script, header: bool
    ) -> None:
        script.will(drips())
        body = ASK if header else {**ASK, "stream": True}
        answer = client.post(SPEECH, json=body, headers=RAW if header else {})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "audio/mpeg"
        assert "content-length" not in answer.headers
        assert "sidecar" in answer.headers["x-guard-credential"]
        verdict = app.verifier().verify(Artifact.from_bytes(answer.content))
        assert (verdict.state, verdict.reading.state) == ("trusted", "found")
        assert verdict.match.entry is not None
        assert verdict.match.entry.id == answer.headers["x-guard-release-id"]
        assert rows(app) == [("released", len(answer.content))]
        assert script.bodies == [body]

    def test_a_short_one_arrives_whole(self, app: App, client: TestClient, script: Script) -> None:
        script.will(drips(artifact("audio/wav", 3.0).data, "audio/wav"))
        answer = client.post(SPEECH, json=ASK, headers=RAW)
        assert int(answer.headers["content-length"]) == len(answer.content)
        assert "x-guard-credential" not in answer.headers
        assert answer.headers["content-type"] == "audio/wav"
        assert app.verifier().verify(Artifact.from_bytes(answer.content)).state == "trusted"
        assert rows(app) == [("released", len(answer.content))]

    def test_one_that_breaks_off_does_so_here_too(self, app: App, client: TestClient, script: Script) -> None:
        script.will(drips(error=httpx2.ReadError("gone")))
        answer = client.post(SPEECH, json=ASK, headers=RAW)
        assert answer.status_code == 200
        assert rows(app) == [("cut", len(answer.content))]
        assert app.verifier().verify(Artifact.from_bytes(answer.content)).state == "recovered"

    def test_one_that_breaks_off_before_anything_left_is_an_error(
        self, app: App, client: TestClient, script: Script
    ) -> None:
        script.will(drips(DATA[:9000], error=httpx2.ReadError("gone")))
        answer = client.post(SPEECH, json=ASK, headers=RAW)
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_error")
        assert rows(app) == []

    def test_an_error_in_place_of_sound(self, client: TestClient, script: Script) -> None:
        script.will(as_json({"error": {"message": "No such voice."}}))
        answer = client.post(SPEECH, json=ASK, headers=RAW)
        assert answer.status_code == 502
        assert "No such voice" in answer.json()["error"]["message"]

    def test_a_policy_that_holds_streams_back(self, app: App, under: Any, script: Script) -> None:
        script.will(drips())
        answer = under("stream: {mode: buffered}\nrules: []").post(SPEECH, json=ASK, headers=RAW)
        assert "content-length" in answer.headers
        verdict = app.verifier().verify(Artifact.from_bytes(answer.content))
        assert (verdict.state, verdict.source) == ("trusted", "embedded")

    def test_a_rule_against_it(self, app: App, under: Any, script: Script) -> None:
        script.will(drips())
        rule = "{id: mute, stages: [output], when: 'modality == \"audio\"', action: block, reason: No.}"
        answer = under(f"rules: [{rule}]").post(SPEECH, json=ASK, headers=RAW)
        assert (answer.status_code, answer.json()["error"]["guard"]["rule"]) == (400, "mute")
        assert [status for status, _ in rows(app)] == ["blocked"]
        assert len(script.seen) == 1


class TestEvents:
    def test_they_bring_the_sound_and_the_last_the_evidence(
        self, app: App, client: TestClient, script: Script
    ) -> None:
        script.will(as_stream_of(*deltas(), {"type": "speech.odd"}, DONE))
        answer = client.post(SPEECH, json=SSE)
        assert answer.headers["content-type"].startswith("text/event-stream")
        *told, done = typed_events(answer.text)
        assert len(told) > 1
        left = sound_in(told)
        assert (done["type"], done["usage"]) == ("speech.audio.done", USAGE)
        assert done["guard"]["release_id"] == answer.headers["x-guard-release-id"]
        verdict = app.verifier().verify(Artifact.from_bytes(left))
        assert (verdict.state, verdict.sha256) == ("trusted", done["guard"]["sha256"])
        assert script.bodies == [SSE]

    def test_a_short_one_is_one_event(self, app: App, client: TestClient, script: Script) -> None:
        short = artifact("audio/mpeg", 3.0).data
        script.will(as_stream_of(*deltas(short), DONE))
        first, done = typed_events(client.post(SPEECH, json=SSE).text)
        assert app.verifier().verify(Artifact.from_bytes(sound_in([first]))).state == "trusted"
        assert done["usage"] == USAGE

    @pytest.mark.parametrize(
        "end",
        [{"type": "error", "error": {"message": "overheated"}}, {"type": "speech.audio.delta", "audio": 7}],
    )
    def test_one_that_breaks_off_ends_in_an_error(
        self, app: App, client: TestClient, script: Script, end: dict[str, Any]
    ) -> None:
        script.will(as_stream_of(*deltas(), end))
        answer = client.post(SPEECH, json=SSE)
        blocks = [block for block in answer.text.split("\n\n") if block]
        (error,) = events(blocks[-1])
        assert error["error"]["code"] == "upstream_error"
        left = sound_in(typed_events("\n\n".join(blocks[:-1])))
        assert rows(app) == [("cut", len(left))]

    @pytest.mark.parametrize(
        "upstream", [as_stream_of(*deltas()[:1]), as_stream_of(DONE), as_file(DATA, "audio/mpeg")]
    )
    def test_one_that_never_gets_there_is_an_error(
        self, app: App, client: TestClient, script: Script, upstream: Answer
    ) -> None:
        script.will(upstream)
        answer = client.post(SPEECH, json=SSE)
        assert answer.status_code == 502
        assert rows(app) == []
