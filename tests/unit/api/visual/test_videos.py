"""`/v1/videos`: jobs, and what they made."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from guard.app import App
from guard.media import Artifact, Modality
from tests.pictures import png
from tests.unit.api.parts import BANNED, Script, as_file, as_json, parts_of, serving
from tests.unit.media.makers import video

VIDEOS = "/v1/videos"
CLIP = video()
JOB = {"id": "video_1", "object": "video", "model": "sora-2", "status": "queued", "progress": 0}
DONE = {**JOB, "status": "completed", "progress": 100, "prompt": "a calm sea"}


def fetched(answer: httpx2.Response) -> Artifact:
    assert answer.status_code == 200, answer.text
    artifact = Artifact.from_bytes(answer.content)
    assert artifact.mime == answer.headers["content-type"]
    return artifact


class TestJobs:
    def test_a_form_goes_on_as_a_form(self, client: TestClient, script: Script) -> None:
        script.will(as_json(JOB, headers={"openai-poll-after-ms": "2500", "set-cookie": "a=b"}))
        reference = ("input_reference", ("r.png", b"png", "image/png"))
        answer = client.post(VIDEOS, files=[("prompt", (None, "a sea")), ("odd", (None, "x")), reference])
        assert answer.json() == JOB
        assert answer.headers["openai-poll-after-ms"] == "2500"
        assert "set-cookie" not in answer.headers
        assert parts_of(script.seen[0]) == [
            ("prompt", None, b"a sea"),
            ("odd", None, b"x"),
            ("input_reference", "r.png", b"png"),
        ]

    @pytest.mark.parametrize("path", ["", "/edits", "/extensions", "/video_1/remix"])
    def test_json_goes_on_as_json(self, client: TestClient, script: Script, path: str) -> None:
        script.will(as_json(JOB))
        body = {"prompt": "a sea", "odd": {"a": [1]}}
        assert client.post(f"{VIDEOS}{path}", json=body).json() == JOB
        assert script.bodies == [body]
        assert script.seen[0].url.path == f"/v1/videos{path}"

    @pytest.mark.parametrize("path", ["", "/edits", "/extensions", "/video_1/remix"])
    def test_a_banned_prompt_makes_no_job(
        self, app: App, client: TestClient, script: Script, path: str
    ) -> None:
        both: list[dict[str, Any]] = [{"json": {"prompt": BANNED}}, {"files": {"prompt": (None, BANNED)}}]
        for sent in both:
            answer = client.request("POST", f"{VIDEOS}{path}", **sent)
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "content_policy_violation")
        assert script.seen == []

    def test_a_prompt_is_needed(self, client: TestClient, script: Script) -> None:
        answer = client.post(VIDEOS, files={"model": (None, "sora-2")})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "prompt")
        assert script.seen == []

    def test_a_job_is_polled(self, client: TestClient, script: Script) -> None:
        failed = {**JOB, "status": "failed", "error": {"code": "moderation", "message": "https://x.test no"}}
        script.will(as_json(failed, headers={"openai-poll-after-ms": "100"}))
        answer = client.get(f"{VIDEOS}/video_1")
        assert answer.json() == failed
        assert answer.headers["openai-poll-after-ms"] == "100"

    def test_links_to_the_raw_file_are_left_out(self, client: TestClient, script: Script) -> None:
        opaque = "video_" + "bGl0ZWxsbTpjdXN0b21f" * 6
        linked = {**DONE, "id": opaque, "url": "https://cdn.test/v.mp4", "output": {"urls": ["//cdn.test/v"]}}
        script.will(as_json(linked), as_json({"object": "list", "last_id": opaque, "data": [linked]}))
        assert client.get(f"{VIDEOS}/video_1").json() == {**DONE, "id": opaque}
        assert client.get(VIDEOS).json() == {
            "object": "list",
            "last_id": opaque,
            "data": [{**DONE, "id": opaque}],
        }

    def test_the_list_is_asked_for_page_by_page(self, client: TestClient, script: Script) -> None:
        script.will(as_json({"object": "list", "data": [JOB], "has_more": True}))
        answer = client.get(VIDEOS, params={"after": "video_0", "limit": 1})
        assert answer.json() == {"object": "list", "data": [JOB], "has_more": True}
        assert str(script.seen[0].url).endswith("/v1/videos?after=video_0&limit=1")

    @pytest.mark.parametrize("data", [None, {"id": "x"}, ["x"]])
    def test_a_list_that_is_none(self, client: TestClient, script: Script, data: Any) -> None:
        script.will(as_json({"data": data}))
        assert client.get(VIDEOS).status_code == 502

    def test_an_id_that_leads_elsewhere_goes_nowhere(self, client: TestClient, script: Script) -> None:
        for path in ("/%2e%2e", "/%2e%2e/content", "/%252e%252e%2fx"):
            assert client.get(VIDEOS + path).status_code in (400, 404)
        assert client.post(f"{VIDEOS}/%2e%2e/remix", json={"prompt": "a"}).status_code in (400, 404)
        assert script.seen == []

    def test_without_an_upstream_there_are_none(self, alone: TestClient) -> None:
        answer = alone.get(VIDEOS)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


class TestContent:
    def test_a_video_leaves_signed_and_recorded(self, app: App, client: TestClient, script: Script) -> None:
        script.will(as_json(DONE), as_file(CLIP, "video/mp4"))
        answer = client.get(f"{VIDEOS}/video_1/content")
        artifact = fetched(answer)
        assert artifact.modality is Modality.VIDEO
        verdict = app.verifier().verify(artifact)
        assert verdict.state == "trusted"
        entry = app.ledger.by_sha256(artifact.sha256)
        assert entry is not None
        assert (entry.id, entry.model) == (answer.headers["x-guard-release-id"], "sora-2")
        assert entry.prompt_sha256 is not None
        assert [str(request.url.path) for request in script.seen] == [
            "/v1/videos/video_1",
            "/v1/videos/video_1/content",
        ]

    @pytest.mark.parametrize("variant", ["thumbnail", "spritesheet"])
    def test_pictures_of_it_are_marked_too(
        self, app: App, client: TestClient, script: Script, variant: str
    ) -> None:
        script.will(as_json(DONE), as_file(png(height=256, width=256).data, "image/png"))
        artifact = fetched(client.get(f"{VIDEOS}/video_1/content", params={"variant": variant}))
        verdict = app.verifier().verify(artifact)
        assert verdict.state == "trusted"
        assert verdict.reading.payload is not None
        assert script.seen[1].url.query == f"variant={variant}".encode()

    def test_the_next_download_is_the_same_release(
        self, app: App, client: TestClient, script: Script
    ) -> None:
        script.will(as_json(DONE), as_file(CLIP, "video/mp4"))
        first = client.get(f"{VIDEOS}/video_1/content")
        script.will(as_json({"error": {"message": "expired"}}, 404))
        second = client.get(f"{VIDEOS}/video_1/content", params={"variant": "video"})
        assert second.content == first.content
        assert second.headers["x-guard-release-id"] == first.headers["x-guard-release-id"]
        assert len(script.seen) == 2
        with serving(app, script) as another:
            assert another.get(f"{VIDEOS}/video_1/content").content == first.content

    def test_two_at_once_get_one_release(self, client: TestClient, script: Script) -> None:
        together = threading.Barrier(2)

        def get(_: int) -> httpx2.Response:
            together.wait(10)
            return client.get(f"{VIDEOS}/video_1/content")

        script.will(as_json(DONE), as_file(CLIP, "video/mp4"))
        with ThreadPoolExecutor(2) as pool:
            one, other = pool.map(get, range(2))
        assert one.content == other.content
        assert len(script.seen) == 2

    def test_another_policy_decides_anew(self, strict: App, client: TestClient, script: Script) -> None:
        script.will(as_json(DONE), as_file(png(height=256, width=256).data, "image/png"))
        assert client.get(f"{VIDEOS}/video_1/content").status_code == 200
        script.will(as_json(DONE), as_file(png(height=256, width=256).data, "image/png"))
        with serving(strict, script) as other:
            answer = other.get(f"{VIDEOS}/video_1/content")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "content_policy_violation")

    def test_what_was_deleted_is_gone_here_too(self, client: TestClient, script: Script) -> None:
        deleted = {"id": "video_1", "deleted": True, "object": "video.deleted"}
        script.will(as_json(DONE), as_file(CLIP, "video/mp4"))
        assert client.get(f"{VIDEOS}/video_1/content").status_code == 200
        script.will(as_json(deleted), as_json({"error": {"message": "gone"}}, 404))
        assert client.delete(f"{VIDEOS}/video_1").json() == deleted
        assert client.get(f"{VIDEOS}/video_1/content").status_code == 404

    def test_a_job_that_says_little_is_enough(self, app: App, client: TestClient, script: Script) -> None:
        script.will(as_json({"id": "v", "model": None, "prompt": 7}), as_file(CLIP, "binary/octet-stream"))
        answer = client.get(f"{VIDEOS}/v/content")
        entry = app.ledger.by_id(answer.headers["x-guard-release-id"])
        assert entry is not None
        assert (entry.model, entry.prompt_sha256) == ("unspecified", None)

    @pytest.mark.parametrize(
        ("data", "kind"),
        [
            (b'{"detail": "not ready"}', "application/json"),
            (CLIP[:200], "video/mp4"),
            (b"", "video/mp4"),
            (b"PK\x03\x04", "application/zip"),
        ],
    )
    def test_what_is_no_video_is_the_upstreams_fault(
        self, client: TestClient, script: Script, data: bytes, kind: str
    ) -> None:
        script.will(as_json(DONE), as_file(data, kind))
        answer = client.get(f"{VIDEOS}/video_1/content")
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_error")

    def test_a_variant_that_nobody_knows_is_not_asked_for(self, client: TestClient, script: Script) -> None:
        answer = client.get(f"{VIDEOS}/video_1/content", params={"variant": "raw"})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "variant")
        assert script.seen == []
