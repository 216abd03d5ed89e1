"""Pictures that a caller gives to a model become ingredients of what comes out."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from guard.app import App
from guard.media import Artifact
from guard.provenance.claim import Claim
from guard.provenance.credential import Credential
from guard.provenance.read import read
from guard.provenance.sign import sign
from tests.unit.api.parts import Script, as_json, decoded, picture
from tests.unit.provenance.media import image

EDITS, VARIATIONS = "/v1/images/edits", "/v1/images/variations"
Signed = Callable[[int], Artifact]


@pytest.fixture
def signed(app: App) -> Signed:
    """A picture with credentials that this Guard trusts."""
    claim = Claim(model_name="camera", release_id="00ff", created_at=datetime.now(UTC))
    return lambda seed: sign(image(seed=seed), claim, app.guard().signer).artifact


def _read(app: App, answer: Any) -> Credential:
    assert answer.status_code == 200, answer.text
    return read(decoded(answer.json()["data"][0]), trust=app.guard().trust)


def _kinds(credential: Credential) -> list[tuple[str | None, str]]:
    return [(each["relationship"], each["state"]) for each in credential.ingredients]


def test_the_first_picture_is_the_one_that_was_edited(
    app: App, client: TestClient, script: Script, signed: Signed
) -> None:
    script.will(as_json({"data": [picture()]}))
    files = [
        ("image[]", ("a.jpg", signed(1).data, "image/jpeg")),
        ("image[]", ("b.jpg", image(seed=2).data, "image/jpeg")),
        ("mask", ("m.png", image("image/png").data, "image/png")),
        ("note", ("n.jpg", image(seed=3).data, "image/jpeg")),
    ]
    found = _read(app, client.post(EDITS, data={"prompt": "a boat"}, files=files))
    assert found.state == "trusted"
    assert _kinds(found) == [("parentOf", "trusted"), ("inputTo", "absent")]
    assert "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia" in (
        found.digital_source_types
    )


def test_a_picture_that_another_resembles_is_an_input(
    app: App, client: TestClient, script: Script, signed: Signed
) -> None:
    script.will(as_json({"data": [picture()]}))
    sent = signed(1).data
    found = _read(app, client.post(VARIATIONS, files={"image": ("a.jpg", sent, "image/jpeg")}))
    assert (found.state, _kinds(found)) == ("trusted", [("inputTo", "trusted")])
    assert sent in script.seen[0].content  # it was read here, and still sent on whole


@pytest.mark.parametrize("field", ["image", "images"])
def test_pictures_in_json_count_too(
    field: str, app: App, client: TestClient, script: Script, signed: Signed
) -> None:
    script.will(as_json({"data": [picture()]}))
    url = "data:image/jpeg;base64," + base64.b64encode(signed(1).data).decode()
    body = {
        "prompt": "a boat",
        field: [{"image_url": url}, {"file_id": "file-1"}, {"image_url": "https://x.y"}],
    }
    found = _read(app, client.post(EDITS, json=body))
    assert (found.state, _kinds(found)) == ("trusted", [("parentOf", "trusted")])


def test_broken_credentials_are_kept_with_their_fault(
    app: App, client: TestClient, script: Script, signed: Signed
) -> None:
    script.will(as_json({"data": [picture()]}))
    files = {"image": ("a.jpg", signed(1).data + b"x", "image/jpeg")}
    found = _read(app, client.post(EDITS, data={"prompt": "a boat"}, files=files))
    assert (found.state, _kinds(found)) == ("trusted", [("parentOf", "invalid")])


def test_credentials_that_cannot_be_kept_cost_no_upstream_call(
    client: TestClient, script: Script, shared_data: Path
) -> None:
    broken = (shared_data / "c2pa/enc__truncated_jumbf.jpg").read_bytes()
    answer = client.post(EDITS, data={"prompt": "a boat"}, files={"image": ("a.jpg", broken, "image/jpeg")})
    assert answer.status_code == 400
    assert "cannot be kept" in answer.json()["error"]["message"]
    assert script.seen == []


@pytest.mark.parametrize("data", [b"x", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff cut"])
def test_what_is_no_picture_is_for_the_upstream_to_judge(
    data: bytes, app: App, client: TestClient, script: Script
) -> None:
    script.will(as_json({"data": [picture()]}))
    files = {"image": ("a.png", data, "image/png")}
    assert _read(app, client.post(EDITS, data={"prompt": "a boat"}, files=files)).ingredients == ()
