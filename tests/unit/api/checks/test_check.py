"""`/v1/check`: the decision alone."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from guard.app import App, open_app
from guard.settings import LimitSettings, Settings
from tests.pictures import png
from tests.unit.api.parts import BANNED, SECRET, serving
from tests.unit.api.seers import Seer, records, seeing

URL = "/v1/check"
PNG = png(height=64, width=64).data


def checked(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post(URL, json=body)
    assert answer.status_code == 200, answer.json()
    found: dict[str, Any] = answer.json()
    return found


def test_harmless_text_may_pass(alone: TestClient) -> None:
    found = checked(alone, text="Good morning.")
    assert (found["object"], found["stage"]) == ("check", "output")
    assert (found["action"], found["allowed"], found["rule"]) == ("allow", True, None)
    assert found["text"] == "Good morning."
    assert found["policy"]["name"] == "default"
    assert {finding["signal"]: finding["score"] for finding in found["findings"]}["blocklist"] == 0.0


@pytest.mark.parametrize("stage", ["prompt", "output"])
def test_banned_text_may_not(alone: TestClient, app: App, stage: str) -> None:
    found = checked(alone, text=f"Say {BANNED}.", stage=stage)
    assert (found["action"], found["allowed"], found["rule"]) == ("block", False, "blocklist")
    assert found["fired"] == [{"rule": "blocklist", "action": "block", "mode": "enforce"}]
    assert "text" not in found
    (hit,) = (finding for finding in found["findings"] if finding["signal"] == "blocklist/demo")
    assert hit["spans"] == [[4, 4 + len(BANNED), "demo"]]
    assert records(app) == []  # a check releases nothing and refuses no release


def test_a_secret_is_cut_out_of_an_output(alone: TestClient) -> None:
    found = checked(alone, text=f"It is {SECRET}, they say.")
    assert (found["action"], found["allowed"]) == ("redact", True)
    assert found["text"] == "It is [credential], they say."


def test_a_prompt_is_not_rewritten(alone: TestClient) -> None:
    found = checked(alone, text=SECRET, stage="prompt")
    assert (found["action"], found["text"]) == ("allow", SECRET)
    assert found["fired"] == [{"rule": "secrets-in-prompts", "action": "block", "mode": "shadow"}]


def test_messages_are_screened_in_all_their_parts(alone: TestClient) -> None:
    parts = [{"type": "text", "text": "Hello"}, {"type": "text", "text": BANNED}]
    found = checked(alone, messages=[{"role": "user", "content": parts}], stage="prompt")
    assert found["action"] == "block"
    assert "text" not in found


def test_a_policy_sees_model_and_user(strict: App) -> None:
    with serving(strict, None) as client:
        assert checked(client, text="Hi", stage="prompt", user="mallory")["rule"] == "known-users"
        assert checked(client, text="Hi", stage="prompt", user="ann")["allowed"] is True


def test_media_as_base64_and_in_a_form_are_one(strict: App) -> None:
    with serving(strict, None) as client:
        inline = checked(client, media=base64.b64encode(PNG).decode())
        form = client.post(URL, data={"stage": "output"}, files={"file": ("a.png", PNG)}).json()
        assert inline == form
        assert (form["rule"], form["allowed"]) == ("no-pictures", False)
        form = client.post(URL, data={"stage": "prompt"}, files={"file": ("a.png", PNG)}).json()
        assert (form["stage"], form["allowed"]) == ("prompt", True)
        assert "text" not in form


def test_a_detector_that_failed_is_named(app: App) -> None:
    with seeing(app, Seer("blind")) as client:
        found = checked(client, media=base64.b64encode(PNG).decode())
    assert [(f["detector"], f["score"]) for f in found["findings"]] == [("blind@1", None)]


def test_an_obligation_that_cannot_be_met_is_a_block(app: App, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "{name: odd, version: 1, rules: [{id: cut, when: 'true', action: redact, reason: Cut.}]}"
    )
    odd = replace(app, settings=app.settings.model_copy(update={"policy": policy}))
    with serving(odd, None) as client:
        found = checked(client, text="A quiet morning by the lake.")
    assert (found["action"], found["allowed"], found["rule"]) == ("block", False, "cut")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, None),
        ({"text": "a", "media": "YQ=="}, None),
        ({"text": 7}, "text"),
        ({"messages": "a"}, "messages"),
        ({"media": 7}, "media"),
        ({"media": "%%%"}, None),
        ({"text": "a", "stage": "upload"}, "stage"),
        ({"text": "a", "stage": None}, "stage"),
        ({"text": "a", "stage": ["prompt"]}, "stage"),
        ({"text": "a", "model": 7}, "model"),
        ({"media": base64.b64encode(b"PK\x03\x04 an archive").decode()}, None),
    ],
)
def test_a_request_of_another_form_is_refused(alone: TestClient, body: dict[str, Any], param: str) -> None:
    answer = alone.post(URL, json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_form_needs_its_file(alone: TestClient) -> None:
    answer = alone.post(URL, data={"file": "a text"}, files={"x": ("", b"")})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "file")


def test_too_large_a_form_is_refused(app: App) -> None:
    small = replace(app, settings=app.settings.model_copy(update={"limits": LimitSettings(max_bytes=1000)}))
    with serving(small, None) as client:
        answer = client.post(URL, files={"file": ("a", b"x" * 10_000)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "limit_exceeded")


def test_a_server_without_keys_says_so(tmp_path: Path) -> None:
    with open_app(Settings(home=tmp_path)) as bare, serving(bare, None) as client:
        answer = client.post(URL, json={"text": "Hi"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_configured")


def test_every_detector_looks_also_at_what_no_rule_reads(app: App) -> None:
    seer = Seer("seer", {"glamour": 0.9})
    with seeing(app, seer) as client:
        found = checked(client, media=base64.b64encode(PNG).decode())
    assert [finding["signal"] for finding in found["findings"]] == ["glamour"]
    assert found["findings"][0].keys() >= {"likelihood_ratio", "inconclusive", "error_rate"}
    assert seer.contexts[0].signals is None
