"""Requests that no honest client sends: each gets a plain answer in OpenAI's form, and none goes further."""

from __future__ import annotations

import logging
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from guard.api import asked
from guard.app import App
from tests.unit.api.parts import Script, as_json, parts_of, picture, say, serving

EDITS = "/v1/images/edits"
BOUNDARY = "b"
FORM = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


def part(disposition: str, body: bytes = b"x") -> bytes:
    return f"--{BOUNDARY}\r\ncontent-disposition: form-data; {disposition}\r\n\r\n".encode() + body + b"\r\n"


PROMPT = part('name="prompt"', b"a boat")
END = f"--{BOUNDARY}--\r\n".encode()


def refused(answer: httpx2.Response, status: int, code: str | None) -> None:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.headers["x-should-retry"] == "false"


class TestForms:
    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            (PROMPT + END, "multipart/form-data"),
            (PROMPT + END, "multipart/form-data; boundary="),
            (PROMPT + END, "multipart/form-data; boundary=" + "b" * 300),
            (PROMPT + END, 'multipart/form-data; boundary="another"'),
            (PROMPT + END, 'multipart/form-data; boundary="b\\"; boundary=b'),
            (b"no form at all", FORM["content-type"]),
            (part("name=x") * 70 + END, FORM["content-type"]),
            (part('name="image[]"; filename="a"') * 30 + END, FORM["content-type"]),
            (part('filename="a"') + END, FORM["content-type"]),
            (b"--b\r\n" + b"a: 1\r\n" * 20 + b"\r\nx\r\n" + END, FORM["content-type"]),
            (b"--b\r\ncontent-disposition: " + b"x" * 9000 + b"\r\n\r\nx\r\n" + END, FORM["content-type"]),
            (part("name=prompt", b"x" * ((1 << 20) + 1)) + END, FORM["content-type"]),
        ],
    )
    def test_what_is_no_form_is_refused(
        self, client: TestClient, script: Script, body: bytes, kind: str
    ) -> None:
        refused(client.post(EDITS, content=body, headers={"content-type": kind}), 400, "invalid_form")
        assert script.seen == []

    @pytest.mark.parametrize("body", [b"", END, PROMPT[:-10], b"--b\r\n"])
    def test_a_form_that_breaks_off_or_says_nothing_asks_for_nothing(
        self, client: TestClient, script: Script, body: bytes
    ) -> None:
        answer = client.post(EDITS, content=body, headers=FORM)
        assert answer.status_code == 400
        assert script.seen == []

    def test_a_charset_of_the_callers_choice_is_not_used(self, client: TestClient, script: Script) -> None:
        script.will(as_json({"data": [picture()]}))
        headers = {"content-type": "multipart/form-data; charset=punycode; boundary=b"}
        body = part('name="prompt"', "größe".encode()) + END
        assert client.post(EDITS, content=body, headers=headers).status_code == 200
        assert parts_of(script.seen[0]) == [("prompt", None, "größe".encode())]

    def test_bytes_that_are_no_utf_8_are_screened_as_they_are_sent_on(
        self, client: TestClient, script: Script
    ) -> None:
        script.will(as_json({"data": [picture()]}))
        client.post(EDITS, content=part('name="prompt"', b"a \xff boat") + END, headers=FORM)
        assert parts_of(script.seen[0])[0][2] == "a ÿ boat".encode()

    def test_names_write_no_headers(self, client: TestClient, script: Script) -> None:
        script.will(as_json({"data": [picture()]}))
        evil = part('name="image"; filename="a%0d%0ax: y\\".png"') + part('name="x%22; evil=1"')
        assert client.post(EDITS, content=PROMPT + evil + END, headers=FORM).status_code == 200
        assert len(parts_of(script.seen[0])) == 3

    def test_a_type_of_a_part_writes_no_headers(self, client: TestClient, script: Script) -> None:
        body = b'--b\r\ncontent-disposition: form-data; name="image"; filename="a"\r\n'
        body += b"content-type: image/png\x0bx-evil: 1\r\n\r\nx\r\n"
        refused(client.post(EDITS, content=PROMPT + body + END, headers=FORM), 400, "invalid_input")
        assert script.seen == []

    def test_a_form_over_the_limit_is_cut_off(self, app: App, script: Script) -> None:
        limits = app.settings.limits.model_copy(update={"max_bytes": 10_000})
        small = App(app.settings.model_copy(update={"limits": limits}), app.keys, app.ledger, app.detectors)
        files = {"image": ("a.png", b"x" * 20_000, "image/png")}
        with serving(small, script) as client:
            answer = client.post(EDITS, data={"prompt": "a boat"}, files=files)
        refused(answer, 413, "limit_exceeded")
        assert script.seen == []


class TestTypes:
    @pytest.mark.parametrize("path", ["/v1/images/generations", EDITS, "/v1/embeddings", "/v1/videos"])
    def test_only_json_and_forms_are_read(self, client: TestClient, script: Script, path: str) -> None:
        for kind in (
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonp",
            "multipart/mixed; boundary=b",
            "application/json, text/plain",
            "*/*",
        ):
            answer = client.post(path, content=b'{"prompt": "a"}', headers={"content-type": kind})
            refused(answer, 415, "unsupported_content_type")
        assert script.seen == []

    @pytest.mark.parametrize(
        ("path", "body", "param"),
        [
            ("/v1/images/generations", {"prompt": {"a": 1}}, "prompt"),
            (EDITS, {"prompt": ["a"]}, "prompt"),
            (EDITS, {"prompt": "a", "model": ["m"]}, "model"),
            (EDITS, {"prompt": "a", "stream": "true"}, "stream"),
            (EDITS, {"prompt": "a", "n": 1e9}, "n"),
            (EDITS, {"prompt": "a", "n": "1"}, "n"),
            ("/v1/videos", {"prompt": None}, "prompt"),
            ("/v1/videos", {"prompt": "a", "model": 7}, "model"),
        ],
    )
    def test_values_of_the_wrong_type_are_named(
        self, client: TestClient, script: Script, path: str, body: dict[str, Any], param: str
    ) -> None:
        answer = client.post(path, json=body)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
        assert script.seen == []


class TestWays:
    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT"])
    def test_unknown_routes_lead_nowhere(self, client: TestClient, script: Script, method: str) -> None:
        for path in (
            "/v1/batches",
            "/v1/fine_tuning/jobs",
            "/v1/assistants",
            "/v1/images/unknown",
            "/v1/files/a/b/c",
            "/v1//models",
            "/v1/videos/characters/x/y",
            "//evil.test/v1/models",
            "/v2/chat/completions",
        ):
            answer = client.request(method, f"http://testserver{path}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_url"), path
        assert script.seen == []

    @pytest.mark.parametrize("method", ["OPTIONS", "PUT", "PATCH", "TRACE", "HEAD", "FROB"])
    def test_unknown_methods_name_the_known(self, client: TestClient, script: Script, method: str) -> None:
        answer = client.request(method, "/v1/images/generations")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
        assert "access-control-allow-origin" not in answer.headers
        assert script.seen == []

    def test_nothing_a_caller_says_of_itself_goes_on(self, client: TestClient, script: Script) -> None:
        script.will(as_json({"data": []}))
        said = {
            "authorization": "Bearer gk_mine",
            "cookie": "a=b",
            "x-forwarded-for": "10.0.0.1",
            "openai-organization": "org-mine",
            "host": "evil.test",
            "x-stainless-os": "Linux",
        }
        client.post("/v1/embeddings", json={"input": "a"}, headers=said)
        sent = script.seen[0].headers
        assert sent["host"] == "upstream.test"
        assert not {"authorization", "cookie", "x-forwarded-for", "openai-organization"} & set(sent)
        assert not [name for name in sent if name.startswith("x-stainless")]

    def test_what_callers_wrote_is_in_no_log(
        self, client: TestClient, script: Script, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "guard")
        script.will(as_json({"error": {"message": "no"}}, 500), as_json({"data": []}))
        client.post("/v1/embeddings", json={"input": "hunter2"}, headers={"authorization": "Bearer hunter3"})
        client.post("/v1/chat/completions", json=say("hunter4", stream="x"))
        client.post(EDITS, content=part('name="hunter5"') * 70, headers=FORM)
        client.post(EDITS, content=part('name="prompt hunter6"') * 2, headers=FORM)
        client.get("/v1/models/hunter7")
        client.get("/v1/hunter8")
        assert "Error" in caplog.text
        assert "hunter" not in caplog.text


def test_the_limits_on_forms_are_what_the_guide_says() -> None:
    assert (asked.FILES, asked.FIELDS, asked.FIELD_BYTES) == (20, 64, 1 << 20)
