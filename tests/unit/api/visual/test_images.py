"""`/v1/images/generations`, from the upstream and built in."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from guard.app import App
from guard.errors import GenerationError
from guard.media import Artifact, Modality
from guard.settings import LimitSettings
from models.base import GenerationRequest, ModelCard
from tests.pictures import png
from tests.unit.api.parts import (
    BANNED,
    ORIGIN,
    Painter,
    Script,
    as_file,
    as_json,
    as_stream_of,
    as_text,
    decoded,
    parts_of,
    picture,
    serving,
    typed_events,
)

IMAGES = "/v1/images/generations"
EDITS = "/v1/images/edits"


def draw(**change: Any) -> dict[str, Any]:
    return {"model": "gpt-image", "prompt": "a quiet harbour"} | change


def trusted(app: App, item: dict[str, Any]) -> bool:
    verdict = app.verifier().verify(decoded(item))
    return verdict.state == "trusted" and verdict.reading.payload is not None


class TestUpstream:
    def test_pictures_leave_marked_signed_and_recorded(
        self, app: App, client: TestClient, script: Script
    ) -> None:
        script.will(as_json({"created": 5, "data": [picture(0), picture(1)]}))
        answer = client.post(IMAGES, json=draw(n=2))
        assert answer.status_code == 200
        for item in answer.json()["data"]:
            assert trusted(app, item)
            assert item["guard"]["sha256"] == decoded(item).sha256
            entry = app.ledger.by_sha256(decoded(item).sha256)
            assert entry is not None
            assert (entry.id, entry.model) == (item["guard"]["release_id"], "gpt-image")
            assert item["guard"]["action"] == entry.action
            assert item["guard"]["receipt"]["release_id"] == entry.id

    def test_a_request_arrives_as_the_caller_wrote_it(self, client: TestClient, script: Script) -> None:
        script.will(as_json({"data": [picture()]}))
        body = draw(n=1, size="auto", quality="low", odd={"a": [1]}, stream=False, partial_images=0)
        client.post(IMAGES, json=body)
        assert script.bodies == [body]

    def test_what_the_upstream_says_beside_its_pictures_stays(
        self, client: TestClient, script: Script
    ) -> None:
        usage = {"total_tokens": 7, "input_tokens": 3, "output_tokens": 4}
        item = picture(revised_prompt="a very quiet harbour", seed=9, odd={"note": "x"})
        script.will(as_json({"created": 5, "usage": usage, "output_format": "png", "data": [item]}))
        answer = client.post(IMAGES, json=draw()).json()
        assert {name: answer[name] for name in ("created", "usage", "output_format")} == {
            "created": 5,
            "usage": usage,
            "output_format": "png",
        }
        assert {name: answer["data"][0][name] for name in ("revised_prompt", "seed", "odd")} == {
            "revised_prompt": "a very quiet harbour",
            "seed": 9,
            "odd": {"note": "x"},
        }

    def test_no_unmarked_picture_hides_beside_them(self, client: TestClient, script: Script) -> None:
        raw = picture()["b64_json"]
        wrapped = base64.encodebytes(base64.b64decode(raw)).decode()
        item = picture(image=raw, thumbnail={"data": wrapped}, preview=f"data:image/png;base64,{raw[:60]}")
        whole = {
            "images": [{"url": "https://elsewhere.test/a.png"}],
            "first": "//elsewhere.test/b",
            "data": [item],
        }
        script.will(as_json(whole))
        answer = client.post(IMAGES, json=draw())
        assert set(answer.json()) == {"created", "data"}
        assert set(answer.json()["data"][0]) == {"b64_json", "guard"}
        assert "elsewhere" not in answer.text
        assert raw[:60] not in answer.text

    def test_a_picture_behind_a_url_is_fetched_and_leaves_as_bytes(
        self, app: App, client: TestClient, script: Script
    ) -> None:
        file = png(height=256, width=256).data
        there = as_json({"data": [{"url": f"{ORIGIN}/files/a.png"}]})
        script.will(there, as_file(file, "image/png"))
        (item,) = client.post(IMAGES, json=draw(response_format="url")).json()["data"]
        assert set(item) == {"b64_json", "guard"}
        assert trusted(app, item)

    def test_a_url_to_elsewhere_is_not_followed(self, client: TestClient, script: Script) -> None:
        script.will(as_json({"data": [{"url": "http://169.254.169.254/secrets"}]}))
        assert client.post(IMAGES, json=draw()).status_code == 502
        assert len(script.seen) == 1

    def test_a_banned_prompt_reaches_no_model(self, client: TestClient, script: Script) -> None:
        answer = client.post(IMAGES, json=draw(prompt=f"Draw {BANNED}"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "content_policy_violation")
        assert script.seen == []

    def test_a_prompt_that_the_upstream_rewrote_is_screened_too(
        self, client: TestClient, script: Script
    ) -> None:
        script.will(as_json({"data": [picture(), picture(revised_prompt=BANNED)]}))
        answer = client.post(IMAGES, json=draw(n=2))
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "content_policy_violation")
        assert len(script.seen) == 1

    def test_a_blocked_picture_costs_one_call(self, strict: App, script: Script) -> None:
        script.will(as_json({"data": [picture()]}))
        with serving(strict, script) as client:
            answer = client.post(IMAGES, json=draw())
        assert answer.status_code == 400
        assert answer.json()["error"]["guard"]["rule"] == "no-pictures"
        assert answer.headers["x-should-retry"] == "false"
        assert len(script.seen) == 1

    def test_policies_see_who_asks(self, strict: App, script: Script) -> None:
        with serving(strict, script) as client:
            answer = client.post(IMAGES, json=draw(user="mallory"))
        assert answer.json()["error"]["guard"]["rule"] == "known-users"

    def test_a_model_need_not_be_named(self, app: App, client: TestClient, script: Script) -> None:
        script.will(as_json({"data": [picture()]}))
        (item,) = client.post(IMAGES, json={"prompt": "a quiet harbour"}).json()["data"]
        entry = app.ledger.by_id(item["guard"]["release_id"])
        assert entry is not None
        assert entry.model == "unspecified"

    @pytest.mark.parametrize(
        "theirs",
        [
            {},
            {"data": []},
            {"data": ["x"]},
            {"data": [{}]},
            {"data": [{"b64_json": "not base64!"}]},
            {"data": [{"b64_json": ""}]},
            {"data": [{"b64_json": base64.b64encode(b"Just words.").decode()}]},
            {"data": [{"b64_json": base64.b64encode(b"\x89PNG\r\n\x1a\n cut").decode()}]},
            {"data": [{"b64_json": "é"}]},
            {"data": [picture(revised_prompt="\ud800")]},
        ],
    )
    def test_an_answer_without_a_picture_is_the_upstreams_fault(
        self, client: TestClient, script: Script, theirs: object
    ) -> None:
        script.will(as_json(theirs))
        answer = client.post(IMAGES, json=draw())
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_error")

    def test_a_picture_over_the_limits_is_the_upstreams_fault(self, app: App, script: Script) -> None:
        settings = app.settings.model_copy(update={"limits": LimitSettings(max_pixels=1000)})
        script.will(as_json({"data": [picture()]}))
        with serving(replace(app, settings=settings), script) as client:
            assert client.post(IMAGES, json=draw()).status_code == 502

    def test_a_picture_that_breaks_off_is_the_upstreams_fault(
        self, client: TestClient, script: Script
    ) -> None:
        data = bytearray(png(height=256, width=256).data)
        middle = len(data) // 2
        data[middle : middle + 64] = bytes(64)
        script.will(as_json({"data": [{"b64_json": base64.b64encode(data).decode()}]}))
        assert client.post(IMAGES, json=draw()).status_code == 502

    def test_a_failure_upstream_is_not_run_again(self, client: TestClient, script: Script) -> None:
        script.will(as_json({"error": {"message": "no"}}, 500))
        answer = client.post(IMAGES, json=draw())
        assert (answer.status_code, answer.headers["x-should-retry"]) == (502, "false")
        assert len(script.seen) == 1


class TestHeaders:
    def test_limits_go_on_and_nothing_else_does(self, client: TestClient, script: Script) -> None:
        theirs = {"x-ratelimit-remaining-images": "3", "set-cookie": "a=b", "x-request-id": "theirs"}
        script.will(as_json({"data": [picture()]}, headers=theirs))
        headers = client.post(IMAGES, json=draw()).headers
        assert headers["x-ratelimit-remaining-images"] == "3"
        assert headers["x-request-id"] != "theirs"
        assert "set-cookie" not in headers


class TestStream:
    def test_only_finished_pictures_leave_each_as_an_event(
        self, app: App, client: TestClient, script: Script
    ) -> None:
        script.will(
            as_stream_of(
                {"type": "image_generation.partial_image", "partial_image_index": 0, **picture(7)},
                {"type": "image_generation.in_progress", "note": "x"},
                {"type": "image_generation.completed", "usage": {"total_tokens": 7}, "odd": 1, **picture(0)},
                {"type": "image_generation.completed", "created_at": 9, **picture(1)},
            )
        )
        answer = client.post(IMAGES, json=draw(stream=True, partial_images=3, odd={"a": 1}))
        assert answer.headers["content-type"].startswith("text/event-stream")
        first, second = typed_events(answer.text)
        assert first["type"] == second["type"] == "image_generation.completed"
        assert (first["usage"], first["odd"], second["created_at"]) == ({"total_tokens": 7}, 1, 9)
        assert trusted(app, first)
        assert trusted(app, second)
        assert first["guard"]["release_id"] != second["guard"]["release_id"]
        assert script.bodies == [draw(stream=True, partial_images=0, odd={"a": 1})]

    def test_a_type_that_only_the_event_names_is_kept(self, client: TestClient, script: Script) -> None:
        text = f"event: image_generation.completed\ndata: {json.dumps(picture())}\n\n"
        script.will(as_text(text, "text/event-stream"))
        (item,) = typed_events(client.post(IMAGES, json=draw(stream=True)).text)
        assert item["type"] == "image_generation.completed"

    def test_a_picture_behind_a_url_is_fetched(self, app: App, client: TestClient, script: Script) -> None:
        event = {"type": "image_generation.completed", "url": f"{ORIGIN}/a.png"}
        script.will(as_stream_of(event), as_file(png(height=256, width=256).data, "image/png"))
        (item,) = typed_events(client.post(IMAGES, json=draw(stream=True)).text)
        assert trusted(app, item)
        assert "url" not in item

    def test_a_block_is_a_plain_400_before_anything_left(self, strict: App, script: Script) -> None:
        script.will(as_stream_of({"type": "image_generation.completed", **picture()}))
        with serving(strict, script) as client:
            answer = client.post(IMAGES, json=draw(stream=True))
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "content_policy_violation")

    @pytest.mark.parametrize(
        "events",
        [
            [],
            [{"type": "image_generation.partial_image", "partial_image_index": 0, **picture()}],
            [{"type": "image_generation.completed", **picture()}, {"error": {"message": "overheated"}}],
            [{"type": "image_generation.completed", "b64_json": "not base64!"}],
        ],
    )
    def test_a_stream_without_an_end_is_the_upstreams_fault(
        self, client: TestClient, script: Script, events: list[dict[str, Any]]
    ) -> None:
        script.will(as_stream_of(*events))
        assert client.post(IMAGES, json=draw(stream=True)).status_code == 502

    def test_a_model_here_answers_in_events_too(self, app: App, client: TestClient) -> None:
        answer = client.post(IMAGES, json=draw(model="painter", stream=True, n=2, output_format="webp"))
        events = typed_events(answer.text)
        assert [event["type"] for event in events] == ["image_generation.completed"] * 2
        assert all(trusted(app, event) for event in events)
        assert (events[0]["output_format"], events[0]["size"]) == ("png", "256x256")
        assert isinstance(events[0]["created_at"], int)


class TestEdits:
    def test_the_form_arrives_as_it_came_and_pictures_leave_released(
        self, app: App, client: TestClient, script: Script
    ) -> None:
        script.will(as_json({"created": 5, "data": [picture()]}, headers={"x-ratelimit-limit-images": "9"}))
        answer = client.post(
            EDITS,
            data={"model": "gpt-image", "prompt": "add a boat", "n": "1", "odd": "kept"},
            files=[
                ("image[]", ("a.png", b"one", "image/png")),
                ("image[]", ("b.webp", b"two", "image/webp")),
                ("mask", ("m.png", b"three", "image/png")),
            ],
        )
        assert trusted(app, answer.json()["data"][0])
        assert answer.headers["x-ratelimit-limit-images"] == "9"
        form = parts_of(script.seen[0])
        assert form[:4] == [
            ("model", None, b"gpt-image"),
            ("prompt", None, b"add a boat"),
            ("n", None, b"1"),
            ("odd", None, b"kept"),
        ]
        assert form[4:] == [
            ("image[]", "a.png", b"one"),
            ("image[]", "b.webp", b"two"),
            ("mask", "m.png", b"three"),
        ]

    def test_json_with_pictures_in_it_arrives_untouched(
        self, app: App, client: TestClient, script: Script
    ) -> None:
        script.will(as_json({"data": [picture()]}))
        body = draw(images=[{"image_url": "data:image/png;base64,AAAA"}, {"file_id": "file-1"}])
        assert trusted(app, client.post(EDITS, json=body).json()["data"][0])
        assert script.bodies == [body]

    def test_a_stream_of_them(self, app: App, client: TestClient, script: Script) -> None:
        partial = {"type": "image_edit.partial_image", "partial_image_index": 0, **picture(3)}
        script.will(as_stream_of(partial, {"type": "image_edit.completed", **picture()}))
        fields = {"prompt": "a boat", "stream": "true", "partial_images": "2"}
        answer = client.post(EDITS, data=fields, files={"image": ("a.png", b"x", "image/png")})
        (item,) = typed_events(answer.text)
        assert item["type"] == "image_edit.completed"
        assert trusted(app, item)
        assert ("partial_images", None, b"0") in parts_of(script.seen[0])
        assert ("stream", None, b"true") in parts_of(script.seen[0])

    def test_like_another(self, app: App, client: TestClient, script: Script) -> None:
        script.will(as_json({"data": [picture()]}))
        answer = client.post("/v1/images/variations", files={"image": ("a.png", b"x", "image/png")})
        assert trusted(app, answer.json()["data"][0])
        assert script.seen[0].url.path == "/v1/images/variations"

    @pytest.mark.parametrize("field", ["prompt", "negative_prompt", "Prompt_2"])
    def test_a_banned_prompt_reaches_no_model(self, client: TestClient, script: Script, field: str) -> None:
        fields = {"prompt": "a boat", field: f"Draw {BANNED}"}
        answer = client.post(EDITS, data=fields, files={"image": ("a.png", b"x", "image/png")})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "content_policy_violation")
        assert client.post(IMAGES, json=draw(**fields)).status_code == 400
        assert script.seen == []

    @pytest.mark.parametrize(
        ("fields", "files", "param"),
        [
            ([("prompt", "a"), ("prompt", "b")], [], "prompt"),
            ([("prompt", "a")], [("prompt", ("p.txt", b"b", "text/plain"))], "prompt"),
            ([("prompt", "a")], [("negative_prompt", ("p.txt", b"b", "text/plain"))], "negative_prompt"),
            ([("prompt", "a"), ("stream", "true"), ("stream", "false")], [], "stream"),
            ([("prompt", "a"), ("n", "0")], [], "n"),
            ([("prompt", "a"), ("n", "two")], [], "n"),
            ([("prompt", "")], [], "prompt"),
            ([("model", "x")], [], "prompt"),
        ],
    )
    def test_what_could_be_read_two_ways_is_refused(
        self, client: TestClient, script: Script, fields: list[Any], files: list[Any], param: str
    ) -> None:
        texts = [(name, (None, text)) for name, text in fields]
        answer = client.post(EDITS, files=texts + files)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
        assert script.seen == []

    def test_models_here_do_not_edit(self, alone: TestClient) -> None:
        answer = alone.post(EDITS, files={"prompt": (None, "a boat"), "model": (None, "painter")})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


class TestBuiltIn:
    def test_a_model_here_goes_before_the_upstream(
        self, app: App, client: TestClient, script: Script, painter: Painter
    ) -> None:
        answer = client.post(IMAGES, json=draw(model="painter", n=2, seed=3, size="256x256", user="ann"))
        assert answer.status_code == 200
        assert all(trusted(app, item) for item in answer.json()["data"])
        assert script.seen == []
        (asked,) = painter.asked
        assert (asked.prompt, asked.n, asked.seed) == ("a quiet harbour", 2, 3)
        assert asked.parameters == {"size": "256x256"}

    def test_without_a_name_and_without_an_upstream_it_draws(
        self, app: App, alone: TestClient, painter: Painter
    ) -> None:
        answer = alone.post(IMAGES, json={"prompt": "a quiet harbour", "output_format": "jpeg"}).json()
        (item,) = answer["data"]
        entry = app.ledger.by_id(item["guard"]["release_id"])
        assert entry is not None
        assert (entry.model, entry.model_version) == ("painter", "2")
        assert isinstance(answer["created"], int)
        assert painter.asked[0].mime == "image/jpeg"

    def test_nothing_is_drawn_under_another_name(self, alone: TestClient, painter: Painter) -> None:
        answer = alone.post(IMAGES, json=draw())
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
        assert painter.asked == []

    def test_a_model_of_words_does_not_draw(self, app: App) -> None:
        class Writer(Painter):
            card = ModelCard("writer", "1", Modality.TEXT, "studio")

        with serving(app, None, generators={"writer": Writer()}) as client:
            assert client.post(IMAGES, json=draw(model="writer")).status_code == 404
            assert client.post(IMAGES, json={"prompt": "a"}).status_code == 404

    def test_a_banned_prompt_reaches_no_model(self, alone: TestClient, painter: Painter) -> None:
        answer = alone.post(IMAGES, json=draw(model="painter", prompt=BANNED))
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "content_policy_violation")
        assert painter.asked == []

    def test_a_model_that_fails_is_told_plainly(self, app: App) -> None:
        class Broken(Painter):
            def generate(self, request: GenerationRequest) -> Sequence[Artifact]:
                raise GenerationError("Out of paint.")

        with serving(app, None, generators={"painter": Broken()}) as client:
            answer = client.post(IMAGES, json=draw(model="painter"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "release_failed")
        assert answer.headers["x-should-retry"] == "false"

    @pytest.mark.parametrize(
        ("change", "param"),
        [
            ({"seed": "7"}, "seed"),
            ({"seed": True}, "seed"),
            ({"output_format": "svg"}, "output_format"),
            ({"output_format": ["png"]}, "output_format"),
        ],
    )
    def test_what_a_model_here_cannot_do_is_named(
        self, alone: TestClient, painter: Painter, change: dict[str, Any], param: str
    ) -> None:
        answer = alone.post(IMAGES, json=draw(model="painter", **change))
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
        assert painter.asked == []


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": ["a"]}, "prompt"),
        ({"model": 7}, "model"),
        ({"n": 0}, "n"),
        ({"n": 11}, "n"),
        ({"n": -1}, "n"),
        ({"n": True}, "n"),
        ({"n": "2"}, "n"),
        ({"n": 1.0}, "n"),
        ({"stream": "true"}, "stream"),
        ({"stream": 1}, "stream"),
    ],
)
@pytest.mark.parametrize("model", ["painter", "gpt-image"])
def test_what_cannot_be_asked_is_named(
    client: TestClient, script: Script, painter: Painter, model: str, change: dict[str, Any], param: str
) -> None:
    answer = client.post(IMAGES, json=draw(model=model) | change)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert script.seen == []
    assert painter.asked == []
