"""`/v1/files`: people's files as they are, models' files released."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from guard.app import App
from guard.media import Artifact
from tests.pictures import png
from tests.unit.api.parts import BANNED, SECRET, Answer, Script, as_file, as_json, parts_of
from tests.unit.media.makers import video

FILES = "/v1/files"
FILE = {"id": "file-1", "object": "file", "bytes": 3, "filename": "a.txt", "purpose": "user_data"}
MADE = {**FILE, "purpose": "assistants_output"}


def lines(*texts: str) -> bytes:
    """A batch's output, one answer a line."""
    return b"".join(
        json.dumps({"custom_id": "1", "response": {"body": {"content": text}}}).encode() + b"\n"
        for text in texts
    )


class TestPassedOn:
    def test_an_upload(self, client: TestClient, script: Script) -> None:
        script.will(as_json(FILE, headers={"x-ratelimit-limit-requests": "7"}))
        answer = client.post(
            FILES, data={"purpose": "user_data"}, files={"file": ("a.txt", b"x" * (2 << 20), "text/plain")}
        )
        assert answer.json() == FILE
        assert answer.headers["x-ratelimit-limit-requests"] == "7"
        assert parts_of(script.seen[0]) == [
            ("purpose", None, b"user_data"),
            ("file", "a.txt", b"x" * (2 << 20)),
        ]

    def test_an_upload_that_is_no_form(self, client: TestClient, script: Script) -> None:
        assert client.post(FILES, json={"purpose": "user_data"}).status_code == 415
        assert script.seen == []

    def test_list_one_and_deletion(self, client: TestClient, script: Script) -> None:
        script.will(as_json({"object": "list", "data": [FILE]}))
        answer = client.get(FILES, params={"purpose": "user_data"})
        assert answer.json() == {"object": "list", "data": [FILE]}
        script.will(as_json(FILE))
        assert client.get(f"{FILES}/file-1").json() == FILE
        script.will(as_json({"id": "file-1", "deleted": True}))
        assert client.delete(f"{FILES}/file-1").json() == {"id": "file-1", "deleted": True}
        assert [f"{seen.method} {seen.url.raw_path.decode()}" for seen in script.seen] == [
            "GET /v1/files?purpose=user_data",
            "GET /v1/files/file-1",
            "DELETE /v1/files/file-1",
        ]

    def test_what_somebody_sent_in_comes_back_as_bytes(self, client: TestClient, script: Script) -> None:
        script.will(as_json(FILE), as_file(b"<script>alert()</script>", "text/html"))
        answer = client.get(f"{FILES}/file-1/content")
        assert answer.content == b"<script>alert()</script>"
        assert answer.headers["content-type"] == "application/octet-stream"
        assert "x-guard-release-id" not in answer.headers

    def test_a_file_that_is_not_there(self, client: TestClient, script: Script) -> None:
        script.will(as_json({"error": {"message": "No such file", "code": "not_found"}}, 404))
        answer = client.get(f"{FILES}/file-9/content")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")

    def test_without_an_upstream_there_are_none(self, alone: TestClient) -> None:
        assert alone.get(FILES).status_code == 404


def content(client: TestClient, script: Script, file: Answer, about: dict[str, Any] = MADE) -> Any:
    script.will(as_json(about), file)
    return client.get(f"{FILES}/file-1/content")


class TestReleased:
    @pytest.mark.parametrize("purpose", ["assistants_output", "vision_output", None, "something new"])
    def test_a_picture_leaves_marked_whatever_it_is_for(
        self, app: App, client: TestClient, script: Script, purpose: str | None
    ) -> None:
        file = as_file(png(height=256, width=256).data, "image/png")
        answer = content(client, script, file, {**MADE, "purpose": purpose})
        verdict = app.verifier().verify(Artifact.from_bytes(answer.content))
        assert (verdict.state, answer.headers["content-type"]) == ("trusted", "image/png")
        assert verdict.match.entry is not None
        assert verdict.match.entry.id == answer.headers["x-guard-release-id"]

    def test_a_video_leaves_signed(self, app: App, client: TestClient, script: Script) -> None:
        answer = content(client, script, as_file(video(), "application/octet-stream"))
        assert app.verifier().verify(Artifact.from_bytes(answer.content)).state == "trusted"

    def test_lines_of_json_leave_as_lines_of_json(self, app: App, client: TestClient, script: Script) -> None:
        answer = content(client, script, as_file(lines("größe 😀", "two\u2028three"), "application/jsonl"))
        got = [json.loads(line) for line in answer.text.split("\n") if line]
        assert [line["response"]["body"]["content"] for line in got] == ["größe 😀", "two\u2028three"]
        assert answer.headers["content-type"].startswith("application/json")
        assert app.ledger.by_id(answer.headers["x-guard-release-id"]) is not None

    @pytest.mark.parametrize("purpose", ["batch_output", "assistants_output"])
    def test_a_banned_word_in_them_is_found_however_it_is_spelt(
        self, client: TestClient, script: Script, purpose: str
    ) -> None:
        hidden = lines("fine") + lines(BANNED).replace(b"f", rb"\u0066")
        about = {**MADE, "purpose": purpose}
        answer = content(client, script, as_file(hidden, "application/jsonl"), about)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "content_policy_violation")

    @pytest.mark.parametrize("data", [b"a,b\n1,2\n", b"print('hi')\n", b"1\n2\n", b"{not json\n"])
    def test_plain_text_leaves_as_it_was(self, client: TestClient, script: Script, data: bytes) -> None:
        assert content(client, script, as_file(data, "text/plain")).content == data

    def test_a_secret_is_cut_out_of_it(self, client: TestClient, script: Script) -> None:
        answer = content(client, script, as_file(f"key: {SECRET}\n".encode(), "text/plain"))
        assert answer.status_code == 200
        assert SECRET not in answer.text

    @pytest.mark.parametrize(
        "data",
        [
            lines("iVBORw0KGgo" * 100),
            lines("data:image/png;base64,iVBORw0KGgo="),
            b"[" * 80 + b"]" * 80,
            rb'{"a": "\ud800"}',
            b"PK\x03\x04\x14\x00",
            b"",
        ],
    )
    def test_what_cannot_be_screened_does_not_leave(
        self, client: TestClient, script: Script, data: bytes
    ) -> None:
        answer = content(client, script, as_file(data, "application/octet-stream"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_error")
