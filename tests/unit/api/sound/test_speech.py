"""`/v1/audio/speech`: sound that leaves whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from guard.api.sound.sounds import CREDENTIAL
from guard.app import App
from guard.media import Artifact, Modality
from guard.media.stream import Samples
from models.base import GenerationRequest, ModelCard
from tests.unit.api.parts import BANNED, Answer, Script, as_file, as_json, as_text, serving, typed_events
from tests.voices import RATE, artifact, babble

SPEECH = "/v1/audio/speech"
ASK: dict[str, Any] = {"model": "tts", "input": "Good morning.", "voice": "alloy"}


class Speaker:
    """A built-in model that babbles and notes what it was asked."""

    card = ModelCard("speaker", "1", Modality.AUDIO, "studio")

    def __init__(self) -> None:
        self.asked: list[GenerationRequest] = []

    def generate(self, request: GenerationRequest) -> Sequence[Artifact]:
        self.asked.append(request)
        return [Artifact.from_samples(babble(5.0), request.mime or "audio/wav")]


@pytest.fixture
def speaker() -> Speaker:
    return Speaker()


@pytest.fixture
def hosting(app: App, speaker: Speaker, painter: Any) -> Iterator[TestClient]:
    with serving(app, None, generators={"speaker": speaker, "painter": painter}) as opened:
        yield opened


def heard(answer: httpx2.Response) -> Artifact:
    assert answer.status_code == 200, answer.text
    found = Artifact.from_bytes(answer.content, claimed=answer.headers["content-type"])
    assert found.mime == answer.headers["content-type"]
    return found


class TestWhole:
    @pytest.mark.parametrize(
        ("wanted", "mime", "told", "beside"),
        [
            (None, "audio/mpeg", "audio/mpeg", False),
            ("wav", "audio/wav", "audio/x-wav", False),
            ("opus", "audio/ogg", "application/octet-stream", True),
            ("pcm", "audio/pcm", "audio/pcm", True),
        ],
    )
    def test_it_arrives_marked_signed_and_recorded(
        self,
        app: App,
        client: TestClient,
        script: Script,
        wanted: str | None,
        mime: str,
        told: str,
        beside: bool,
    ) -> None:
        script.will(as_file(artifact(mime, 5.0).data, told))
        body = {**ASK, "response_format": wanted, "odd": {"kept": [1]}}
        answer = client.post(SPEECH, json=body)
        verdict = app.verifier().verify(heard(answer))
        assert (verdict.state, verdict.reading.state, verdict.mime) == ("trusted", "found", mime)
        assert verdict.match.entry is not None
        assert verdict.match.entry.id == answer.headers["x-guard-release-id"]
        assert verdict.match.entry.model == "tts"
        assert ("sidecar" in answer.headers.get(CREDENTIAL, "")) is beside
        assert script.bodies == [body]

    def test_it_arrives_as_what_it_is_where_the_upstream_knows_one_type(
        self, client: TestClient, script: Script
    ) -> None:
        script.will(as_file(artifact("audio/wav", 5.0).data, "audio/mpeg"))
        assert heard(client.post(SPEECH, json={**ASK, "response_format": "mp3"})).mime == "audio/wav"

    def test_with_the_upstreams_limits(self, client: TestClient, script: Script) -> None:
        data = artifact("audio/mpeg", 5.0).data
        headers = {"content-type": "audio/mpeg", "x-ratelimit-remaining-requests": "7", "set-cookie": "a=b"}
        script.will(lambda _: httpx2.Response(200, content=data, headers=headers))
        answer = client.post(SPEECH, json=ASK)
        assert answer.headers["x-ratelimit-remaining-requests"] == "7"
        assert "set-cookie" not in answer.headers

    @pytest.mark.parametrize("as_form", [True, False])
    def test_samples_without_a_header_can_be_verified_by_their_name(
        self, client: TestClient, script: Script, as_form: bool
    ) -> None:
        script.will(as_file(artifact("audio/pcm", 5.0).data, "audio/pcm"))
        data = client.post(SPEECH, json={**ASK, "response_format": "pcm"}).content
        if as_form:
            told = client.post("/v1/verify", files={"file": ("a.pcm", data, "audio/pcm")}).json()
        else:
            told = client.post("/v1/verify", content=data, headers={"content-type": "audio/pcm"}).json()
        assert (told["verdict"], told["mime"]) == ("trusted", "audio/pcm")


class TestRefusals:
    @pytest.mark.parametrize("field", ["input", "instructions", "style_prompt"])
    def test_banned_words_cost_no_call(self, client: TestClient, script: Script, field: str) -> None:
        answer = client.post(SPEECH, json={**ASK, field: f"Say {BANNED}."})
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "content_policy_violation"
        assert script.seen == []

    @pytest.mark.parametrize(
        ("wrong", "param"),
        [
            ({"input": ""}, "input"),
            ({"input": ["a"]}, "input"),
            ({"model": None}, "model"),
            ({"instructions": 7}, "instructions"),
            ({"response_format": "midi"}, "response_format"),
            ({"response_format": ["mp3"]}, "response_format"),
            ({"stream_format": "tape"}, "stream_format"),
            ({"stream": "yes"}, "stream"),
        ],
    )
    def test_wishes_of_the_wrong_kind(
        self, client: TestClient, script: Script, wrong: dict[str, Any], param: str
    ) -> None:
        answer = client.post(SPEECH, json={**ASK, **wrong})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
        assert script.seen == []

    @pytest.mark.parametrize(
        ("upstream", "says"),
        [
            (as_json({"error": {"message": "No such voice."}}), "No such voice."),
            (as_text("<html><title>Busy</title></html>", "text/html"), "Busy"),
            (as_file(b"", "audio/mpeg"), "empty"),
            (as_file(b"RIFF\0\0", "audio/wav"), "cannot be released"),
            (as_file(artifact("audio/flac", 2.0).data[:200], "audio/flac"), "cannot be released"),
            (as_file(b"\x89PNG\r\n\x1a\n", "audio/mpeg"), "cannot be released"),
            (as_text("only words", "audio/mpeg"), "text/plain"),
        ],
    )
    def test_what_is_no_sound_is_the_upstreams_fault(
        self, client: TestClient, script: Script, upstream: Answer, says: str
    ) -> None:
        script.will(upstream)
        answer = client.post(SPEECH, json=ASK)
        assert answer.status_code == 502, answer.text
        assert says in answer.json()["error"]["message"]
        assert len(script.seen) == 1

    def test_a_sound_of_another_type_than_samples_alone(self, client: TestClient, script: Script) -> None:
        script.will(as_file(artifact("audio/wav", 5.0).data, "audio/pcm"))
        answer = client.post(SPEECH, json={**ASK, "response_format": "pcm"})
        assert answer.status_code == 502
        assert "audio/wav" in answer.json()["error"]["message"]

    @pytest.mark.parametrize("seconds", [0.5, 5.0])
    def test_nothing_leaves_that_no_mark_fits_into(
        self, app: App, client: TestClient, script: Script, seconds: float
    ) -> None:
        loud = 0.0 if seconds > 1 else 1.0
        quiet = Artifact.from_samples(Samples(RATE, babble(seconds).data * loud), "audio/wav")
        script.will(as_file(quiet.data, "audio/wav"))
        answer = client.post(SPEECH, json=ASK)
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "release_failed")
        assert answer.headers["x-should-retry"] == "false"
        assert app.ledger.by_sha256(quiet.sha256) is None

    def test_a_refusal_of_the_upstream_goes_on(self, client: TestClient, script: Script) -> None:
        script.will(as_json({"error": {"message": "Too long.", "code": "string_above_max_length"}}, 400))
        answer = client.post(SPEECH, json=ASK)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "string_above_max_length")

    def test_a_model_that_nobody_has(self, alone: TestClient) -> None:
        assert alone.post(SPEECH, json={**ASK, "model": "painter"}).status_code == 404


class TestHosted:
    def test_a_model_of_ours_speaks(self, app: App, hosting: TestClient, speaker: Speaker) -> None:
        body = {**ASK, "model": "speaker", "speed": 1.0, "seed": 3, "instructions": "Whisper.", "heat": 2}
        answer = hosting.post(SPEECH, json={**body, "response_format": "flac"})
        assert heard(answer).mime == "audio/flac"
        assert app.verifier().verify(heard(answer)).state == "trusted"
        (asked,) = speaker.asked
        assert (asked.prompt, asked.seed, asked.mime, asked.parameters) == (
            "Good morning.",
            3,
            "audio/flac",
            {"heat": 2},
        )

    def test_a_voice_and_a_pace_of_its_own(self, hosting: TestClient, speaker: Speaker) -> None:
        body = {**ASK, "model": "speaker", "voice": "7", "speed": 1.5, "stream_format": "sse"}
        *deltas, done = typed_events(hosting.post(SPEECH, json=body).text)
        assert [each["type"] for each in deltas] == ["speech.audio.delta"]
        assert done["type"] == "speech.audio.done"
        assert done["usage"]["total_tokens"] == 0
        assert speaker.asked[0].parameters == {"voice": "7", "speed": 1.5}

    def test_it_hears_no_banned_word(self, hosting: TestClient, speaker: Speaker) -> None:
        answer = hosting.post(SPEECH, json={**ASK, "model": "speaker", "input": BANNED})
        assert answer.json()["error"]["code"] == "content_policy_violation"
        assert speaker.asked == []

    def test_a_seed_that_is_none(self, hosting: TestClient) -> None:
        answer = hosting.post(SPEECH, json={**ASK, "model": "speaker", "seed": "x"})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "seed")
