"""LiteLLM's generic guardrail API without LiteLLM; the real one is in tests/integration/test_litellm.py."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from guard.app import App
from guard.ledger.api_keys import ApiKeys, Scope
from guard.media import Modality
from tests.unit.api.parts import BANNED, SECRET, picture, serving
from tests.unit.api.seers import Seer, records, seeing

URL = "/beta/litellm_basic_guardrail_api"
PIXELS = f"data:image/png;base64,{picture()['b64_json']}"


def asked(client: TestClient, stage: str = "response", **body: Any) -> dict[str, Any]:
    answer = client.post(URL, json={"input_type": stage, "request_data": {}, **body})
    assert answer.status_code == 200, answer.json()
    found: dict[str, Any] = answer.json()
    return found


def call(arguments: str) -> dict[str, Any]:
    return {"id": "call_1", "type": "function", "function": {"name": "search", "arguments": arguments}}


def obliged(app: App, folder: Path, rules: str) -> App:
    policy = folder / "policy.yaml"
    policy.write_text(f"{{name: own, version: 1, rules: [{rules}]}}")
    return replace(app, settings=app.settings.model_copy(update={"policy": policy}))


@pytest.mark.parametrize("stage", ["request", "response"])
def test_harmless_texts_pass(alone: TestClient, stage: str) -> None:
    assert asked(alone, stage, texts=["Good morning.", ""])["action"] == "NONE"
    assert asked(alone, stage, texts=None, images=None, tool_calls=None)["action"] == "NONE"


@pytest.mark.parametrize("stage", ["request", "response"])
def test_one_banned_text_blocks_all(alone: TestClient, app: App, stage: str) -> None:
    found = asked(alone, stage, texts=["Good morning.", f"Say {BANNED}."])
    assert found["action"] == "BLOCKED"
    assert "blocklist" in found["blocked_reason"]
    assert "texts" not in found
    assert records(app) == []


def test_a_redaction_sends_all_texts_back(alone: TestClient) -> None:
    found = asked(alone, texts=["Good morning.", f"It is {SECRET}."])
    assert found["action"] == "GUARDRAIL_INTERVENED"
    assert found["texts"] == ["Good morning.", "It is [credential]."]
    assert asked(alone, "request", texts=[SECRET])["action"] == "NONE"


def test_tool_calls_are_screened(alone: TestClient) -> None:
    fine = call(json.dumps({"query": "weather"}))
    assert asked(alone, texts=[], tool_calls=[fine])["action"] == "NONE"
    assert asked(alone, texts=[], tool_calls=[fine, call(json.dumps({"q": BANNED}))])["action"] == "BLOCKED"


def test_what_litellm_cannot_redact_is_blocked(alone: TestClient) -> None:
    found = asked(alone, texts=["Fine."], tool_calls=[call(json.dumps({"key": SECRET}))])
    assert (found["action"], "redact" in found["blocked_reason"]) == ("BLOCKED", True)


class TestStreams:
    """LiteLLM sends the text so far, again and again, and keeps back as many characters as it is told."""

    def left(self, client: TestClient, text: str) -> str:
        found = asked(client, texts=[text])
        (held,) = found["stream_holdback_chars"]
        shown: str = found.get("texts", [text])[0]
        return shown[: len(shown) - held]

    def test_what_is_cleared_may_leave(self, alone: TestClient) -> None:
        assert self.left(alone, "Some harmless words. It is gh").startswith("Some harmless words.")

    def test_no_step_takes_back_what_has_left(self, alone: TestClient) -> None:
        whole, shown = f"It is {SECRET}, they say, and no more than that.", ""
        for end in range(1, len(whole) + 1):
            left = self.left(alone, whole[:end])
            assert left.startswith(shown)
            assert "ghp" not in left
            shown = left
        assert shown.startswith("It is [credential], they say")

    def test_a_prompt_is_no_stream(self, alone: TestClient) -> None:
        assert asked(alone, "request", texts=["Hi"]) == {"action": "NONE"}

    def test_a_policy_may_want_the_whole(self, app: App, tmp_path: Path) -> None:
        policy = tmp_path / "policy.yaml"
        policy.write_text("{name: own, version: 1, stream: {mode: buffered}, rules: []}")
        own = replace(app, settings=app.settings.model_copy(update={"policy": policy}))
        with serving(own, None) as client:
            assert asked(client, texts=["Some words."])["stream_holdback_chars"] == [11]


def test_a_label_is_put_on_words_and_not_on_json(app: App, tmp_path: Path) -> None:
    rule = "{id: tell, when: 'true', stages: [output], action: label, reason: Tell.}"
    with serving(obliged(app, tmp_path, rule), None) as client:
        found = asked(client, texts=["Good morning.", '{"a": 1}', '{"a": "not yet wh'])
    assert found["texts"] == ["[AI-generated]\nGood morning.", '{"a": 1}', '{"a": "not yet wh']


class TestPictures:
    def test_they_are_seen(self, app: App, tmp_path: Path) -> None:
        rule = (
            '{id: gore, when: \'modality == "image" && scores["gore"] > 0.5\', action: block, reason: Gore.}'
        )
        own = obliged(app, tmp_path, rule)
        with seeing(own, Seer("seer", {"gore": 0.9})) as client:
            assert asked(client, "request", texts=[], images=[PIXELS])["action"] == "BLOCKED"
        with seeing(own, Seer("seer", {"gore": 0.1})) as client:
            assert asked(client, "request", texts=[], images=[PIXELS])["action"] == "NONE"

    def test_one_behind_a_url_has_no_scores(self, app: App, alone: TestClient, tmp_path: Path) -> None:
        link = "https://pictures.test/1.png"
        assert asked(alone, "request", texts=[], images=[link])["action"] == "NONE"  # no rule asks
        rule = (
            '{id: gore, when: \'modality == "image" && scores["gore"] > 0.5\', action: block, reason: Gore.}'
        )
        with seeing(obliged(app, tmp_path, rule), Seer("seer", {"gore": 0.1})) as client:
            found = asked(client, "request", texts=[], images=[link])
        assert (found["action"], "'gore'" in found["blocked_reason"]) == ("BLOCKED", True)

    def test_a_label_that_cannot_be_put_on_is_a_block(self, app: App, tmp_path: Path) -> None:
        rule = "{id: tell, when: 'modality == \"image\"', action: label, reason: Tell.}"
        with serving(obliged(app, tmp_path, rule), None) as client:
            for image in (PIXELS, "https://pictures.test/1.png"):
                assert asked(client, texts=[], images=[image])["action"] == "BLOCKED"

    def test_one_that_cannot_be_read_is_blocked(self, alone: TestClient) -> None:
        for image in ("data:image/png;base64,iVBORw0KGgo=", "data:,plain", "file:///etc/passwd"):
            found = asked(alone, "request", texts=[], images=[image])
            assert (found["action"], "screened" in found["blocked_reason"]) == ("BLOCKED", True)


def test_a_policy_sees_model_and_end_user(strict: App) -> None:
    with serving(strict, None) as client:
        mallory = {"user_api_key_end_user_id": "mallory"}
        assert asked(client, "request", texts=["Hi"], request_data=mallory)["action"] == "BLOCKED"
        assert asked(client, "request", texts=["Hi"], request_data=None)["action"] == "NONE"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"input_type": "both"},
        {"input_type": ["request"]},
        {"input_type": "request", "texts": "Hi"},
        {"input_type": "request", "texts": [7]},
        {"input_type": "request", "images": [{"url": "x"}]},
    ],
)
def test_a_request_of_another_form_is_refused(alone: TestClient, body: dict[str, Any]) -> None:
    answer = alone.post(URL, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_it_wants_a_key_with_the_right_scope(app: App) -> None:
    keys = ApiKeys(app.ledger.engine)
    _, right = keys.create("gateway", frozenset({Scope.VERIFY}))
    _, wrong = keys.create("writer", frozenset({Scope.GENERATE}))
    body = {"input_type": "request", "texts": ["Hi"]}
    with serving(app, None, require_keys=True) as client:
        statuses = [
            client.post(URL, json=body, headers=headers).status_code
            for headers in (
                {"authorization": f"Bearer {right}"},
                {"authorization": f"Bearer {wrong}"},
                {},
                {"x-api-key": right},
            )
        ]
    assert statuses == [200, 403, 401, 200]


def test_a_gateway_does_not_wait_for_scores_that_no_rule_reads(app: App) -> None:
    seer = Seer("seer", {"glamour": 0.9}, Modality.TEXT)
    with seeing(app, seer) as client:
        client.post(
            "/beta/litellm_basic_guardrail_api", json={"input_type": "response", "texts": ["Good morning."]}
        )
    assert seer.contexts == []
