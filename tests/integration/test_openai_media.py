"""The official OpenAI client: edits, videos, and what is passed on."""

from __future__ import annotations

import asyncio
import base64
import struct
from typing import Any, ClassVar

import openai
import pytest

from guard.media import Artifact
from tests.integration.sites import BANNED, Site, decoded, picture
from tests.pictures import png
from tests.unit.media.makers import video
from tests.upstream import Answer, Server, as_events, as_json

PIXELS = ("a.png", png(1, 64, 64).data, "image/png")


class TestEdits:
    @pytest.mark.parametrize("image", [PIXELS, [PIXELS, PIXELS]])
    def test_pictures_and_mask_go_in_and_a_release_comes_out(
        self, site: Site, upstream: Server, image: Any
    ) -> None:
        upstream.answers[:] = [as_json({"created": 5, "data": [picture()]})]
        answer = site.client().images.edit(
            model="m", image=image, mask=PIXELS, prompt="a boat", n=1, extra_body={"odd": "kept"}
        )
        assert answer.data is not None
        assert site.app.verifier().verify(decoded(answer.data[0])).state == "trusted"
        form = [(part.name, part.data) for part in upstream.seen[0].form]
        names = ["image"] if isinstance(image, tuple) else ["image[]", "image[]"]
        assert [item for item in form if item[0].startswith("image")] == [(name, PIXELS[1]) for name in names]
        assert {("prompt", b"a boat"), ("n", b"1"), ("odd", b"kept"), ("mask", PIXELS[1])} <= set(form)

    def test_a_stream_of_them(self, site: Site, upstream: Server) -> None:
        partial = {"type": "image_edit.partial_image", "partial_image_index": 0, **picture(1)}
        upstream.answers[:] = [as_events(partial, {"type": "image_edit.completed", **picture()})]

        async def edit() -> list[Any]:
            async with openai.AsyncOpenAI(base_url=f"{site.url}/v1", api_key=site.key) as client:
                return [e async for e in await client.images.edit(image=PIXELS, prompt="a", stream=True)]

        (event,) = asyncio.run(edit())
        assert event.type == "image_edit.completed"
        assert site.app.verifier().verify(decoded(event)).state == "trusted"

    @pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
    def test_one_like_another(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [as_json({"data": [picture()]})]
        answer = site.client().images.create_variation(image=PIXELS)
        assert answer.data is not None
        assert site.app.verifier().verify(decoded(answer.data[0])).state == "trusted"

    def test_a_banned_wish_costs_no_call(self, site: Site, upstream: Server) -> None:
        with pytest.raises(openai.BadRequestError) as caught:
            site.client().images.edit(image=PIXELS, prompt=BANNED)
        assert caught.value.code == "content_policy_violation"
        assert upstream.seen == []


@pytest.mark.filterwarnings("ignore:The Sora API is scheduled")
class TestVideos:
    JOB: ClassVar[dict[str, Any]] = {
        "id": "video_1",
        "object": "video",
        "created_at": 1,
        "model": "sora-2",
        "status": "queued",
        "progress": 0,
        "seconds": "4",
        "size": "720x1280",
    }

    def test_made_polled_and_fetched(self, site: Site, upstream: Server) -> None:
        done = {**self.JOB, "status": "completed", "progress": 100}
        upstream.answers[:] = [
            as_json(self.JOB),
            as_json({**self.JOB, "status": "in_progress"}, openai_poll_after_ms="1"),
            as_json(done),
            as_json(done),
            Answer(video(), kind="video/mp4"),
        ]
        client = site.client()
        made = client.videos.create_and_poll(model="sora-2", prompt="a calm sea")
        assert (made.status, made.progress) == ("completed", 100)
        assert {part.name for part in upstream.seen[0].form} == {"model", "prompt"}
        clip = Artifact.from_bytes(client.videos.download_content("video_1").read())
        assert site.app.verifier().verify(clip).state == "trusted"
        again = client.videos.download_content("video_1", variant="video").read()
        assert again == clip.data
        assert site.records() == ["released"]

    @pytest.mark.parametrize("variant", ["thumbnail", "spritesheet"])
    def test_its_pictures(self, site: Site, upstream: Server, variant: Any) -> None:
        upstream.answers[:] = [as_json(self.JOB), Answer(png(0, 256, 256).data, kind="image/png")]

        async def fetch() -> bytes:
            async with openai.AsyncOpenAI(base_url=f"{site.url}/v1", api_key=site.key) as client:
                return (await client.videos.download_content(f"video_{variant}", variant=variant)).read()

        verdict = site.app.verifier().verify(Artifact.from_bytes(asyncio.run(fetch())))
        assert (verdict.state, verdict.reading.state) == ("trusted", "found")

    def test_listed_remixed_and_deleted(self, site: Site, upstream: Server) -> None:
        page = {"object": "list", "data": [self.JOB], "has_more": False, "last_id": "video_1"}
        upstream.answers[:] = [as_json(page)]
        client = site.client()
        assert [job.id for job in client.videos.list(limit=1)] == ["video_1"]
        upstream.answers[:] = [as_json({**self.JOB, "remixed_from_video_id": "video_1"})]
        assert client.videos.remix("video_1", prompt="at night").remixed_from_video_id == "video_1"
        upstream.answers[:] = [as_json({"id": "video_1", "object": "video.deleted", "deleted": True})]
        assert client.videos.delete("video_1").deleted
        assert [seen.path for seen in upstream.seen] == [
            "/v1/videos?limit=1",
            "/v1/videos/video_1/remix",
            "/v1/videos/video_1",
        ]

    def test_a_job_that_failed_says_why(self, site: Site, upstream: Server) -> None:
        error = {"code": "moderation_blocked", "message": "No."}
        upstream.answers[:] = [as_json({**self.JOB, "status": "failed", "error": error})]
        got = site.client().videos.retrieve("video_1")
        assert got.error is not None
        assert (got.error.code, got.error.message) == ("moderation_blocked", "No.")

    def test_a_banned_prompt_makes_none(self, site: Site, upstream: Server) -> None:
        for ask in (
            lambda: site.client().videos.create(prompt=BANNED),
            lambda: site.client().videos.remix("video_1", prompt=BANNED),
        ):
            with pytest.raises(openai.BadRequestError) as caught:
                ask()
            assert caught.value.code == "content_policy_violation"
        assert upstream.seen == []


class TestPassedOn:
    @pytest.mark.parametrize("given", ["float", "base64"])
    def test_embeddings(self, site: Site, upstream: Server, given: Any) -> None:
        vector = [0.5, -1.0] if given == "float" else base64.b64encode(struct.pack("<2f", 0.5, -1.0)).decode()
        told = {"object": "list", "model": "e", "usage": {"prompt_tokens": 1, "total_tokens": 1}}
        item = {"object": "embedding", "index": 0, "embedding": vector}
        upstream.answers[:] = [as_json({**told, "data": [item]})]
        answer = site.client().embeddings.create(model="e", input=["a"], dimensions=2)
        assert answer.data[0].embedding == [0.5, -1.0]
        assert upstream.seen[0].json == {
            "model": "e",
            "input": ["a"],
            "dimensions": 2,
            "encoding_format": "base64",
        }

    def test_files(self, site: Site, upstream: Server) -> None:
        about = {"id": "file-1", "object": "file", "bytes": 3, "created_at": 1, "filename": "a.jsonl"}
        about |= {"purpose": "batch", "status": "processed"}
        upstream.answers[:] = [as_json(about)]
        client = site.client()
        assert client.files.create(file=("a.jsonl", b"{}\n"), purpose="batch").id == "file-1"
        assert [(part.name, part.data) for part in upstream.seen[0].form] == [
            ("purpose", b"batch"),
            ("file", b"{}\n"),
        ]
        upstream.answers[:] = [as_json({"object": "list", "data": [about], "has_more": False})]
        assert [file.id for file in client.files.list(purpose="batch")] == ["file-1"]
        upstream.answers[:] = [as_json({**about, "purpose": "batch_output"}), Answer(b'{"a": "b"}\n')]
        assert client.files.content("file-1").read() == b'{"a": "b"}\n'
        upstream.answers[:] = [as_json({"id": "file-1", "object": "file", "deleted": True})]
        assert client.files.delete("file-1").deleted

    def test_raw_answers_tell_limits(self, site: Site, upstream: Server) -> None:
        limits: dict[str, Any] = {
            "x_ratelimit_remaining_requests": "7",
            "openai_processing_ms": "12",
            "set_cookie": "a=b",
        }
        upstream.answers[:] = [as_json({"object": "list", "data": []}, **limits)]
        raw = site.client().models.with_raw_response.list()
        assert raw.headers["x-ratelimit-remaining-requests"] == "7"
        assert raw.headers["openai-processing-ms"] == "12"
        assert raw.headers["x-request-id"].startswith("req_")
        assert "set-cookie" not in raw.headers
        assert [model.id for model in raw.parse()] == ["scene"]
