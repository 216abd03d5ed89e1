"""`/v1/content_provenance_checks`: OpenAI's route over C2PA, the mark engines and the ledger."""

from __future__ import annotations

import asyncio
import struct
import time
import zlib
from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest
from openai.types import ContentProvenanceCheck
from starlette.testclient import TestClient

from guard.app import App, open_app
from guard.media import Artifact
from guard.pipeline import Origin, Release
from guard.settings import Settings
from guard.watermark import Payload, Strength
from guard.watermark.registry import engine
from tests.pictures import png
from tests.unit.api.parts import serving

URL = "/v1/content_provenance_checks"


@pytest.fixture
def released(app: App) -> Release:
    return app.guard().release([png(height=256, width=256)], Origin("painter"))[0]


def stripped(artifact: Artifact) -> bytes:
    """The picture in a new file without its credential."""
    return Artifact.from_picture(artifact.picture, "image/png").data


def results(client: TestClient, data: bytes) -> dict[str, dict[str, Any]]:
    answer = client.post(URL, files={"file": ("a", data)})
    assert answer.status_code == 200, answer.json()
    body = answer.json()
    assert body["object"] == "content_provenance_check"
    assert abs(body["created_at"] - time.time()) < 100_000
    return {result["type"]: result for result in body["results"]}


def test_a_release_shows_every_signal(alone: TestClient, released: Release) -> None:
    found = results(alone, released.artifact.data)
    assert list(found) == ["c2pa", "tile", "ledger"]
    assert {result["outcome"] for result in found.values()} == {"detected"}
    assert found["c2pa"]["validation_state"] == "trusted"
    assert found["c2pa"]["issuer"]
    assert found["c2pa"]["generated_at"]
    assert found["tile"]["payload"] == found["tile"]["release_id"] == released.id
    assert found["tile"]["model"] == found["ledger"]["model"] == "painter"
    assert found["tile"]["p_value"] <= 1e-6
    assert found["ledger"]["match"] == "exact"


def test_a_copy_without_credential_shows_its_mark(alone: TestClient, released: Release) -> None:
    found = results(alone, stripped(released.artifact))
    assert found["c2pa"] == {
        "type": "c2pa",
        "outcome": "not_detected",
        "issuer": None,
        "model": None,
        "generated_at": None,
        "validation_state": "not_present",
    }
    assert (found["tile"]["outcome"], found["tile"]["release_id"]) == ("detected", released.id)
    assert (found["ledger"]["outcome"], found["ledger"]["match"]) == ("detected", "fingerprint")


def test_a_changed_file_has_no_credential_that_holds(alone: TestClient, released: Release) -> None:
    end = b"\0\0\0\0IEND\xaeB`\x82"
    note = b"tEXtnote\0added later"
    chunk = struct.pack(">I", len(note) - 4) + note + struct.pack(">I", zlib.crc32(note))
    data = released.artifact.data
    assert data.endswith(end)
    found = results(alone, data.removesuffix(end) + chunk + end)
    assert (found["c2pa"]["outcome"], found["c2pa"]["validation_state"]) == ("not_detected", "invalid")
    assert found["c2pa"]["issuer"] is None


def test_a_mark_on_other_content_vouches_for_nothing(app: App, alone: TestClient, released: Release) -> None:
    other = engine("tile").embed(
        png(seed=9, height=256, width=256),
        Payload.from_hex(released.id),
        key=app.keys.mark_keys()[0],
        strength=Strength.DEFAULT,
    )
    tile = results(alone, stripped(other))["tile"]
    assert (tile["outcome"], tile["payload"]) == ("detected", released.id)
    assert tile["model"] is tile["generated_at"] is tile["release_id"] is None


def test_a_stranger_shows_nothing(alone: TestClient) -> None:
    found = results(alone, png(seed=3, height=256, width=256).data)
    assert {result["outcome"] for result in found.values()} == {"not_detected"}


def test_a_text(app: App, alone: TestClient) -> None:
    release = app.guard().release([Artifact.from_text("Some words of a model.")], Origin("writer"))[0]
    found = results(alone, release.artifact.data)
    assert (found["c2pa"]["outcome"], found["c2pa"]["validation_state"]) == ("detected", "trusted")
    assert (found["ledger"]["outcome"], found["ledger"]["model"]) == ("detected", "writer")
    pasted = results(alone, b"Some words of a model.")
    assert pasted["c2pa"]["validation_state"] == "not_present"
    assert (pasted["ledger"]["outcome"], pasted["ledger"]["release_id"]) == ("detected", release.id)


def test_the_signer_is_not_known_everywhere(released: Release, tmp_path: Any) -> None:
    with open_app(Settings(home=tmp_path / "elsewhere")) as other, serving(other, None) as client:
        found = results(client, released.artifact.data)
    assert (found["c2pa"]["outcome"], found["c2pa"]["validation_state"]) == ("detected", "valid")
    assert found["ledger"]["outcome"] == "not_detected"


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 an archive"])
def test_bytes_that_are_no_media_are_refused(alone: TestClient, data: bytes) -> None:
    answer = alone.post(URL, files={"file": ("a.png", data)})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_the_file_has_to_be_in_its_field(alone: TestClient) -> None:
    answer = alone.post(URL, files={"upload": ("a", b"x")})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "file")


class TestWithTheOfficialClient:
    @pytest.fixture
    def passed_on(self, alone: TestClient) -> Callable[[httpx2.Request], httpx2.Response]:
        def handle(request: httpx2.Request) -> httpx2.Response:
            path = request.url.path
            answer = alone.post(path, content=request.read(), headers=dict(request.headers))
            return httpx2.Response(answer.status_code, content=answer.content, headers=answer.headers)

        return handle

    def check(self, answer: ContentProvenanceCheck, release: Release) -> None:
        assert answer.object == "content_provenance_check"
        c2pa, tile, ledger = answer.results
        assert c2pa.type == "c2pa"
        assert (c2pa.outcome, c2pa.validation_state) == ("detected", "trusted")
        # Types that OpenAI does not have parse all the same.
        assert (tile.type, tile.outcome) == ("tile", "detected")
        assert tile.model_extra is not None
        assert tile.model_extra["release_id"] == release.id
        assert ledger.outcome == "detected"

    def test_sync(self, passed_on: Callable[[httpx2.Request], httpx2.Response], released: Release) -> None:
        http = httpx2.Client(transport=httpx2.MockTransport(passed_on))
        with openai.OpenAI(api_key="x", base_url="http://guard.test/v1", http_client=http) as client:
            answer = client.content_provenance_checks.create(file=("a.png", released.artifact.data))
        self.check(answer, released)

    def test_async(self, passed_on: Callable[[httpx2.Request], httpx2.Response], released: Release) -> None:
        async def ask() -> ContentProvenanceCheck:
            http = httpx2.AsyncClient(transport=httpx2.MockTransport(passed_on))
            async with openai.AsyncOpenAI(
                api_key="x", base_url="http://guard.test/v1", http_client=http
            ) as client:
                return await client.content_provenance_checks.create(file=released.artifact.data)

        self.check(asyncio.run(ask()), released)
