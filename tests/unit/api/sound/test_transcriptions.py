"""`/v1/audio/transcriptions` and `/v1/audio/translations`: transcripts that leave whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from detectors.blocklist import Blocklist
from guard.app import App
from guard.errors import GenerationError
from guard.ledger.tables import releases
from guard.media import Artifact, Modality
from models.base import ModelCard, Segment, Transcript
from tests.pictures import png
from tests.unit.api.parts import (
    BANNED,
    SECRET,
    Answer,
    Script,
    as_file,
    as_json,
    as_text,
    parts_of,
    serving,
    typed_events,
)
from tests.unit.media.makers import video
from tests.voices import artifact

PATH = "/v1/audio/transcriptions"
SOUND = artifact("audio/mpeg", 0.5).data
CUT = "[credential]"


def ask(client: TestClient, path: str = PATH, data: bytes = SOUND, **fields: Any) -> httpx2.Response:
    return client.post(path, data={"model": "ear", **fields}, files={"file": ("a.mp3", data, "audio/mpeg")})


def statuses(app: App) -> list[str]:
    with app.ledger.engine.connect() as connection:
        return [row["status"] for row in connection.execute(releases.select()).mappings()]


def verbose(*segments: str, words: bool = True) -> dict[str, Any]:
    text = " ".join(segments)
    found: dict[str, Any] = {"task": "transcribe", "language": "english", "duration": 3.5, "text": text}
    found["segments"] = [
        {"id": n, "start": n, "end": n + 1, "text": f" {each}", "tokens": [5, 7], "avg_logprob": -0.3}
        for n, each in enumerate(segments)
    ]
    if words:
        found["words"] = [{"word": each.strip(".,"), "start": 0, "end": 1} for each in text.split()]
    return found


class TestObjects:
    @pytest.mark.parametrize("path", [PATH, "/v1/audio/translations"])
    def test_the_form_goes_on_and_the_text_comes_back(
        self, app: App, client: TestClient, script: Script, path: str
    ) -> None:
        usage = {"type": "duration", "seconds": 1}
        script.will(as_json({"text": "Good morning.", "usage": usage}, headers={"openai-version": "1"}))
        answer = ask(client, path, prompt="Names: Ann.", odd="kept")
        assert answer.status_code == 200
        told = answer.json()
        (evidence,) = told.pop("guard")["releases"]
        assert told == {"text": "Good morning.", "usage": usage}
        assert answer.headers["openai-version"] == "1"
        assert evidence["part"] == "text"
        entry = app.ledger.by_id(evidence["release_id"])
        assert entry is not None
        assert (entry.status, entry.modality) == ("released", "text")
        assert app.verifier().verify(Artifact.from_text("Good morning.")).match.kind == "exact"
        assert script.seen[0].url.path == path
        assert parts_of(script.seen[0]) == [
            ("model", None, b"ear"),
            ("prompt", None, b"Names: Ann."),
            ("odd", None, b"kept"),
            ("file", "a.mp3", SOUND),
        ]

    def test_times_and_speakers_stay(self, client: TestClient, script: Script) -> None:
        wanted = verbose("Good morning.", "How are you?")
        for segment in wanted["segments"]:
            segment["speaker"] = "A"
        script.will(as_json(wanted))
        told = ask(client, response_format="verbose_json").json()
        assert [each["part"] for each in told.pop("guard")["releases"]] == [
            "text",
            "segments.text",
            "words.word",
        ]
        assert told == wanted

    def test_what_is_cut_out_is_cut_out_everywhere(self, client: TestClient, script: Script) -> None:
        script.will(as_json(verbose("The key is", f"{SECRET}.", "Keep it.")))
        answer = ask(client, response_format="verbose_json")
        assert SECRET not in answer.text
        told = answer.json()
        assert told["text"] == f"The key is {CUT}. Keep it."
        assert [each["text"] for each in told["segments"]] == [" The key is", f" {CUT}.", " Keep it."]
        assert [each["tokens"] for each in told["segments"]] == [[], [], []]
        assert told["words"] == []  # without the dots they say something else

    def test_copies_go_where_nothing_says_what_to_cut_out_of_them(
        self, client: TestClient, script: Script
    ) -> None:
        odd = {"text": f"It is {SECRET}", "logprobs": [{"token": "gh"}], "words": [{"word": SECRET[:20]}]}
        script.will(as_json({**odd, "summary": {"short": SECRET[:20]}}))
        told = ask(client).json()
        assert (told["text"], told["logprobs"], told["words"], told["summary"]) == (
            f"It is {CUT}",
            [],
            [],
            None,
        )

    def test_what_a_segment_alone_says_is_cut_out_of_it(self, client: TestClient, script: Script) -> None:
        found = verbose("Good morning.", words=False)
        found["segments"][0]["text"] = f"Or {SECRET}"
        script.will(as_json(found))
        told = ask(client).json()
        assert (told["text"], told["segments"][0]["text"]) == ("Good morning.", f"Or {CUT}")
        assert told["segments"][0]["tokens"] == []

    def test_a_label_stands_before_the_text_and_takes_no_times_away(
        self, app: App, script: Script, tmp_path: Path
    ) -> None:
        path = tmp_path / "policy.yaml"
        rule = "{id: tell, stages: [output], when: 'modality == \"text\"', action: label, reason: AI.}"
        path.write_text(
            f"name: test\nversion: 1\nrequire: {{chat: {{mark: false, sign: false}}}}\nrules: [{rule}]\n"
        )
        settings = app.settings.model_copy(update={"policy": path})
        script.will(as_json(verbose("Good", "morning", words=False)))
        with serving(replace(app, settings=settings), script) as client:
            told = ask(client).json()
        assert told["text"] == "[AI-generated]\nGood morning"
        assert [each["text"] for each in told["segments"]] == [" Good", " morning"]

    def test_silence_says_nothing(self, app: App, client: TestClient, script: Script) -> None:
        script.will(as_json({"text": "", "segments": []}))
        assert ask(client).json() == {"text": "", "segments": [], "guard": {"releases": []}}
        assert statuses(app) == []


class TestFiles:
    SRT = "1\n00:00:00,000 --> 00:00:01,500\n{}\n\n2\n00:00:01,500 --> 00:00:03,000\n{}\n\n"

    @pytest.mark.parametrize(
        ("kind", "text", "told"),
        [
            ("text", "Good morning.\n", "text/plain"),
            ("srt", SRT.format("Good", "morning."), "text/plain"),
            ("vtt", "WEBVTT\n\n00:00.000 --> 00:01.500 align:start\nGood morning.\n\n", "text/vtt"),
        ],
    )
    def test_they_come_back_as_they_are(
        self, app: App, client: TestClient, script: Script, kind: str, text: str, told: str
    ) -> None:
        script.will(as_text(text, told))
        answer = ask(client, response_format=kind)
        assert (answer.status_code, answer.text) == (200, text)
        assert answer.headers["content-type"].partition(";")[0] == told
        entry = app.ledger.by_sha256(Artifact.from_text(text).sha256)
        assert entry is not None
        assert entry.id == answer.headers["x-guard-release-id"]

    def test_what_is_cut_out_leaves_its_cue(self, client: TestClient, script: Script) -> None:
        script.will(as_text(self.SRT.format("The key is", SECRET), "text/plain"))
        assert ask(client, response_format="srt").text == self.SRT.format("The key is", CUT)

    @pytest.mark.parametrize("kind", ["srt", "vtt"])
    def test_words_are_heard_across_cues(self, app: App, script: Script, tmp_path: Path, kind: str) -> None:
        path = tmp_path / "words.txt"
        path.write_text("two words\n")
        script.will(as_text(self.SRT.format("Not these two", "words again."), "text/plain"))
        with serving(replace(app, detectors=(Blocklist.load(path),)), script) as client:
            answer = ask(client, response_format=kind)
        assert answer.json()["error"]["code"] == "content_policy_violation"
        assert statuses(app) == ["blocked"]

    def test_no_text_is_no_release(self, app: App, client: TestClient, script: Script) -> None:
        script.will(as_text("", "text/plain"))
        answer = ask(client, response_format="text")
        assert (answer.status_code, answer.content) == (200, b"")
        assert statuses(app) == []


class TestRefusals:
    @pytest.mark.parametrize("fields", [{"prompt": BANNED}, {"keywords[]": ["a", BANNED]}])
    def test_banned_words_cost_no_call(
        self, client: TestClient, script: Script, fields: dict[str, Any]
    ) -> None:
        assert ask(client, **fields).json()["error"]["code"] == "content_policy_violation"
        assert script.seen == []

    def test_banned_words_that_were_heard_cost_one(
        self, app: App, client: TestClient, script: Script
    ) -> None:
        script.will(as_json(verbose("They say", BANNED)))
        answer = ask(client, response_format="verbose_json")
        assert answer.json()["error"]["code"] == "content_policy_violation"
        assert "blocked" in statuses(app)
        assert "released" not in statuses(app)
        assert len(script.seen) == 1

    @pytest.mark.parametrize(
        ("data", "status", "code"),
        [
            (b"", 400, "malformed_media"),
            (png(0, 64, 64).data, 400, "unsupported_media"),
            (b"only words", 400, "unsupported_media"),
            (b"%PDF-1.7 and so on", 400, "malformed_media"),
            (artifact("audio/wav", 0.5).data[:30], 400, "malformed_media"),
        ],
    )
    def test_files_that_are_no_sound(
        self, client: TestClient, script: Script, data: bytes, status: int, code: str
    ) -> None:
        answer = ask(client, data=data)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        assert script.seen == []

    def test_files_that_are_too_long_or_large(self, app: App, script: Script) -> None:
        for limit in ({"max_duration": 0.2}, {"max_bytes": 2000}):
            limits = app.settings.limits.model_copy(update=limit)
            settings = app.settings.model_copy(update={"limits": limits})
            with serving(replace(app, settings=settings), script) as client:
                answer = ask(client)
            assert (answer.status_code, answer.json()["error"]["code"]) == (413, "limit_exceeded")
        assert script.seen == []

    def test_a_video_has_a_sound_too(self, client: TestClient, script: Script) -> None:
        script.will(as_json({"text": "Hi."}))
        assert ask(client, data=video()).json()["text"] == "Hi."

    @pytest.mark.parametrize(
        ("sent", "param"),
        [
            ({"data": {"model": "ear", "file": "text"}, "files": {"odd": ("a", b"x")}}, "file"),
            ({"files": [("file", ("a", SOUND)), ("file", ("b", SOUND))]}, "file"),
            ({"data": {"response_format": "pdf"}, "files": {"file": ("a", SOUND)}}, "response_format"),
            ({"files": {"file": ("a", SOUND), "prompt": ("p", b"text")}}, "prompt"),
        ],
    )
    def test_forms_that_lack_something(
        self, client: TestClient, script: Script, sent: dict[str, Any], param: str
    ) -> None:
        answer = client.post(PATH, **sent)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
        assert script.seen == []

    def test_no_form(self, client: TestClient) -> None:
        assert client.post(PATH, json={"model": "ear"}).status_code == 415

    @pytest.mark.parametrize(
        ("kind", "upstream"),
        [
            ("json", as_json({"words": []})),
            ("json", as_json({"text": ["a"]})),
            ("json", as_text("Hello.", "text/plain")),
            ("text", as_text("<html><title>Busy</title></html>", "text/html")),
            ("text", as_json({"text": "Hello."})),
            ("srt", as_file(b"\xff\xfe\x00\xd8", "text/plain")),
        ],
    )
    def test_answers_that_are_no_transcripts(
        self, client: TestClient, script: Script, kind: str, upstream: Answer
    ) -> None:
        script.will(upstream)
        answer = ask(client, response_format=kind)
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_error")


class Ear:
    """A transcriber that hears the same in everything."""

    card = ModelCard("ear", "7", Modality.TEXT, "studio")

    def __init__(self, *segments: Segment) -> None:
        self.segments = segments
        self.languages: list[str | None] = []

    def transcribe(self, artifact: Artifact, *, language: str | None = None) -> Transcript:
        self.languages.append(language)
        if language == "xx":
            raise GenerationError("The model failed.")
        return Transcript(" ".join(each.text for each in self.segments), self.segments, language)


class TestHosted:
    @pytest.fixture
    def ear(self) -> Ear:
        return Ear(Segment(0.0, 1.25, "Good"), Segment(3661.5, 3662.0, f"morning {SECRET}"))

    @pytest.fixture
    def hosting(self, app: App, ear: Ear, script: Script) -> Iterator[TestClient]:
        with serving(app, script, transcribers={"ear": ear}) as client:
            yield client

    def test_a_model_of_ours_writes_down(
        self, app: App, hosting: TestClient, script: Script, ear: Ear
    ) -> None:
        told = ask(hosting, language="en", response_format="verbose_json").json()
        entry = app.ledger.by_id(told.pop("guard")["releases"][0]["release_id"])
        assert told == {
            "task": "transcribe",
            "language": "en",
            "duration": pytest.approx(0.5, abs=0.1),
            "text": f"Good morning {CUT}",
            "segments": [
                {"id": 0, "start": 0.0, "end": 1.25, "text": "Good"},
                {"id": 1, "start": 3661.5, "end": 3662.0, "text": f"morning {CUT}"},
            ],
        }
        assert entry is not None
        assert (entry.model, entry.model_version) == ("ear", "7")
        assert ear.languages == ["en"]
        assert script.seen == []

    @pytest.mark.parametrize(
        ("kind", "text"),
        [
            ("text", f"Good morning {CUT}\n"),
            (
                "srt",
                "1\n00:00:00,000 --> 00:00:01,250\nGood\n\n"
                f"2\n01:01:01,500 --> 01:01:02,000\nmorning {CUT}\n\n",
            ),
            (
                "vtt",
                "WEBVTT\n\n00:00:00.000 --> 00:00:01.250\nGood\n\n"
                f"01:01:01.500 --> 01:01:02.000\nmorning {CUT}\n\n",
            ),
        ],
    )
    def test_in_every_format(self, hosting: TestClient, kind: str, text: str) -> None:
        assert ask(hosting, response_format=kind).text == text

    def test_as_a_stream(self, hosting: TestClient) -> None:
        delta, done = typed_events(ask(hosting, stream="true", response_format="text").text)
        assert delta == {"type": "transcript.text.delta", "delta": f"Good morning {CUT}"}
        assert (done["type"], done["text"]) == ("transcript.text.done", f"Good morning {CUT}")
        assert done["guard"]["releases"][0]["action"] == "redact"

    def test_silence(self, app: App, script: Script) -> None:
        with serving(app, script, transcribers={"ear": Ear()}) as client:
            assert ask(client).json()["text"] == ""
            assert ask(client, response_format="text").text == ""
            assert ask(client, response_format="vtt").text == "WEBVTT\n\n"

    @pytest.mark.parametrize(
        ("path", "fields", "status"),
        [
            ("/v1/audio/translations", {}, 400),
            (PATH, {"response_format": "diarized_json"}, 400),
            (PATH, {"prompt": BANNED}, 400),
            (PATH, {"language": "xx"}, 500),
        ],
    )
    def test_what_it_cannot_or_must_not(
        self, hosting: TestClient, path: str, fields: dict[str, Any], status: int
    ) -> None:
        assert ask(hosting, path, **fields).status_code == status

    def test_it_is_listed(self, hosting: TestClient, script: Script) -> None:
        script.will(as_json({"data": [{"id": "ear"}, {"id": "tiny"}]}))
        assert [each["id"] for each in hosting.get("/v1/models").json()["data"]] == ["ear", "tiny"]
