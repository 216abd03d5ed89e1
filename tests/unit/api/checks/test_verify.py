"""`/v1/verify` over HTTP; what the verdicts mean is tested with the verify path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from guard.app import App, open_app
from guard.pipeline import Origin
from guard.settings import LimitSettings, Settings
from tests.pictures import png
from tests.unit.api.parts import serving

KEYS = {
    "file",
    "verdict",
    "modality",
    "mime",
    "sha256",
    "summary",
    "credential",
    "watermark",
    "ledger",
    "detectors",
    "warnings",
    "explanation",
}


@pytest.fixture
def small(app: App) -> Iterator[TestClient]:
    """An API that takes files of at most 1000 bytes."""
    settings = app.settings.model_copy(update={"limits": LimitSettings(max_bytes=1000)})
    with serving(replace(app, settings=settings), None) as client:
        yield client


@pytest.fixture
def released(app: App) -> bytes:
    return app.guard().release([png(height=256, width=256)], Origin("painter"))[0].artifact.data


def test_a_form_and_a_bare_body_give_one_verdict(alone: TestClient, released: bytes) -> None:
    form = alone.post("/v1/verify", files={"file": ("ünï.png", released, "image/png")}).json()
    bare = alone.post("/v1/verify", content=released).json()
    assert form["verdict"] == "trusted"
    assert set(form) == KEYS
    assert (form.pop("file"), bare.pop("file")) == ("ünï.png", "")
    assert form == bare


def test_what_the_sender_calls_it_does_not_count(alone: TestClient, released: bytes) -> None:
    answer = alone.post("/v1/verify", files={"file": ("notes.txt", released, "text/plain")})
    assert (answer.json()["mime"], answer.json()["verdict"]) == ("image/png", "trusted")
    curl = {"content-type": "application/x-www-form-urlencoded"}  # what curl --data-binary says
    assert alone.post("/v1/verify", content=released, headers=curl).json()["verdict"] == "trusted"


def test_other_fields_of_the_form_are_passed_over(alone: TestClient) -> None:
    answer = alone.post("/v1/verify", data={"note": "hello"}, files={"file": ("a.txt", b"Just words.")})
    assert answer.json()["verdict"] == "no-evidence"


def test_a_server_without_keys_verifies_too(tmp_path: Path) -> None:
    with open_app(Settings(home=tmp_path)) as app, serving(app, None) as client:
        assert client.post("/v1/verify", content=b"Just words.").json()["verdict"] == "no-evidence"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "malformed_media"),
        (b"\x89PNG\r\n\x1a\n cut short", "malformed_media"),
        (b"PK\x03\x04 an archive", "unsupported_media"),
    ],
)
def test_bytes_that_are_no_media_are_refused(alone: TestClient, data: bytes, code: str) -> None:
    answer = alone.post("/v1/verify", files={"file": ("a.png", data)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


@pytest.mark.parametrize("as_form", [True, False])
def test_too_large_a_file_is_refused(small: TestClient, as_form: bool) -> None:
    data = b"x" * 100_000
    answer = small.post("/v1/verify", **({"files": {"file": ("a", data)}} if as_form else {"content": data}))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "limit_exceeded")


def test_the_limit_holds_for_the_file_inside_the_form_too(small: TestClient) -> None:
    assert small.post("/v1/verify", files={"file": ("a", b"x" * 1000)}).status_code == 200
    assert small.post("/v1/verify", files={"file": ("a", b"x" * 1001)}).status_code == 413


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=b", b"no parts"),
        ("multipart/form-data; boundary=" + "b" * 300, b"--b--"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"x: y\r\n" * 100 + b"\r\nx\r\n--b--\r\n"),
    ],
)
def test_a_broken_form_is_refused(alone: TestClient, kind: str, body: bytes) -> None:
    answer = alone.post("/v1/verify", content=body, headers={"content-type": kind})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("form", [{"data": {"file": "a text"}}, {"files": {"upload": ("a", b"x")}}])
def test_the_file_has_to_be_in_its_field(alone: TestClient, form: dict[str, dict[str, object]]) -> None:
    answer = alone.post("/v1/verify", **({"files": {"x": ("", b"")}} | form))
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "file")


def test_one_file_at_a_time(alone: TestClient) -> None:
    two = [("file", ("a", b"one")), ("file", ("b", b"two"))]
    assert alone.post("/v1/verify", files=two).json()["error"]["code"] == "invalid_form"


def test_a_form_of_endless_fields_is_refused(alone: TestClient) -> None:
    fields = {f"f{number}": "x" for number in range(20)}
    answer = alone.post("/v1/verify", data=fields, files={"file": ("a", b"one")})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_form")


def test_a_damaged_file_with_a_credential_gets_a_verdict(alone: TestClient, released: bytes) -> None:
    place = released.index(b"IDAT") + 4
    damaged = released[:place] + bytes(64) + released[place + 64 :]
    verdict = alone.post("/v1/verify", content=damaged).json()
    assert (verdict["verdict"], verdict["credential"]["state"]) == ("altered", "invalid")
    assert "could not be decoded" in verdict["warnings"][0]


class TestCrjson:
    def test_it_is_given_instead_of_a_verdict(self, alone: TestClient, released: bytes) -> None:
        report = alone.post("/v1/verify?format=crjson", files={"file": ("a.png", released)}).json()
        passed = [each["code"] for each in report["manifests"][0]["validationResults"]["success"]]
        assert "signingCredential.trusted" in passed
        assert alone.post("/v1/verify?format=crjson", content=b"Just words.").json() == {}

    def test_other_formats_are_refused(self, alone: TestClient, released: bytes) -> None:
        answer = alone.post("/v1/verify?format=xml", content=released)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "format")

    def test_credentials_that_cannot_be_read_are_the_file_s_fault(
        self, alone: TestClient, shared_data: Path
    ) -> None:
        data = (shared_data / "c2pa/enc__truncated_jumbf.jpg").read_bytes()
        answer = alone.post("/v1/verify?format=crjson", content=data)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unreadable_credential")
