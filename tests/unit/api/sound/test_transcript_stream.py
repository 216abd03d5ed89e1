"""`/v1/audio/transcriptions` with `stream`: each word once it is cleared and on record."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from guard.app import App
from guard.ledger.tables import releases
from tests.unit.api.parts import BANNED, SECRET, Answer, Script, as_json, as_stream_of, events, typed_events
from tests.voices import artifact

SOUND = artifact("audio/mpeg", 0.5).data
USAGE = {"type": "tokens", "total_tokens": 9}
CUT = "[credential]"


def listen(client: TestClient, **fields: str) -> httpx2.Response:
    files = {"file": ("a.mp3", SOUND, "audio/mpeg")}
    return client.post(
        "/v1/audio/transcriptions", data={"model": "ear", "stream": "true", **fields}, files=files
    )


def delta(text: Any, **extra: Any) -> dict[str, Any]:
    return {"type": "transcript.text.delta", "delta": text, **extra}


def segment(text: str, number: int) -> dict[str, Any]:
    about = {"id": f"seg_{number}", "start": number, "end": number + 1, "speaker": "A"}
    return {"type": "transcript.text.segment", "text": text, **about}


def done(text: Any, **extra: Any) -> dict[str, Any]:
    return {"type": "transcript.text.done", "text": text, "usage": USAGE, **extra}


def rows(app: App) -> list[str]:
    with app.ledger.engine.connect() as connection:
        return [row["status"] for row in connection.execute(releases.select()).mappings()]


def test_it_comes_as_it_went_in_with_the_evidence_at_its_end(
    app: App, client: TestClient, script: Script
) -> None:
    coming = [delta("Good ", logprobs=[{"token": "Good"}]), delta("morning."), done("Good morning.")]
    script.will(as_stream_of(*coming[:2], {"type": "transcript.odd"}, coming[2]))
    answer = listen(client)
    assert answer.headers["content-type"].startswith("text/event-stream")
    *told, last = typed_events(answer.text)
    (evidence,) = last.pop("guard")["releases"]
    assert [*told, last] == coming
    entry = app.ledger.by_id(evidence["release_id"])
    assert entry is not None
    assert (entry.status, entry.size) == ("released", len("Good morning."))
    assert b'name="stream"\r\n\r\ntrue' in script.seen[0].content


def test_what_is_cut_out_of_the_words_is_cut_out_of_all_that_repeats_them(
    client: TestClient, script: Script
) -> None:
    said = f"The key is {SECRET}. Keep it."
    script.will(
        as_stream_of(
            *(delta(piece, logprobs=[{"token": piece}]) for piece in ("The key is ", SECRET[:9], SECRET[9:])),
            delta(". Keep it."),
            segment("The key is", 0),
            segment(f"{SECRET}.", 1),
            segment("Keep it.", 2),
            done(said, logprobs=[{"token": "The"}]),
        )
    )
    answer = listen(client, response_format="diarized_json")
    told = typed_events(answer.text)
    assert SECRET[:9] not in answer.text.replace("\n", "")
    assert "".join(each.get("delta", "") for each in told) == f"The key is {CUT}. Keep it."
    segments = [each for each in told if each["type"].endswith("segment")]
    assert [each["text"] for each in segments] == ["The key is", f"{CUT}.", "Keep it."]
    assert [each["speaker"] for each in segments] == ["A"] * 3
    assert (told[-1]["text"], told[-1]["logprobs"]) == (f"The key is {CUT}. Keep it.", [])
    assert len(told[-1]["guard"]["releases"]) == 2


@pytest.mark.parametrize(
    ("deltas", "whole"),
    [([], "Good morning."), (["Good"], "Good morning."), (["good", " morning"], "Good morning.")],
)
def test_the_last_event_may_say_more(
    app: App, client: TestClient, script: Script, deltas: list[str], whole: str
) -> None:
    script.will(as_stream_of(*map(delta, deltas), done(whole)))
    *told, last = typed_events(listen(client).text)
    assert "".join(each["delta"] for each in told) == "".join(deltas)
    assert last["text"] == whole
    assert set(rows(app)) == {"released"}


def test_silence_is_an_end_without_words(app: App, client: TestClient, script: Script) -> None:
    script.will(as_stream_of(done("")))
    (last,) = typed_events(listen(client).text)
    assert (last["text"], last["guard"]["releases"]) == ("", [])
    assert rows(app) == []


def test_a_banned_beginning_is_a_plain_error(app: App, client: TestClient, script: Script) -> None:
    script.will(as_stream_of(delta(BANNED[:9]), delta(f"{BANNED[9:]} and more"), done(BANNED)))
    answer = listen(client)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "content_policy_violation")
    assert rows(app) == ["blocked"]


@pytest.mark.parametrize(
    ("ending", "code", "status"),
    [
        ([delta(BANNED), done("x")], "content_policy_violation", "blocked"),
        ([{"type": "error", "error": {"message": "overheated"}}], "upstream_error", "cut"),
        ([], "upstream_error", "cut"),
        ([delta(None)], "upstream_error", "cut"),
        ([done(None)], "upstream_error", "cut"),
    ],
)
def test_one_that_breaks_off_ends_in_an_error(
    app: App, client: TestClient, script: Script, ending: list[dict[str, Any]], code: str, status: str
) -> None:
    words = "Many words were said, one after the other, before it came to this. " * 3
    script.will(as_stream_of(delta(words), *ending))
    blocks = [block for block in listen(client).text.split("\n\n") if block]
    assert words.startswith(typed_events(blocks[0])[0]["delta"])
    assert events(blocks[-1])[0]["error"]["code"] == code
    assert rows(app) == [status]


@pytest.mark.parametrize("upstream", [as_stream_of(), as_json({"text": "No stream."})])
def test_no_stream_is_an_error(client: TestClient, script: Script, upstream: Answer) -> None:
    script.will(upstream)
    assert listen(client).status_code == 502
