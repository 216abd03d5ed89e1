"""`/v1/responses`, whole: what is asked, what comes out, what is stored upstream."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from guard.app import App
from guard.ledger.tables import releases
from tests.unit.api.parts import BANNED, SECRET, Script, as_json, picture, serving
from tests.unit.api.said import call, drawn, message, reasoning, response
from tests.unit.api.seers import records

URL = "/v1/responses"
PIXELS = picture()["b64_json"]


def asking(**extra: Any) -> dict[str, Any]:
    return {"model": "tiny", "input": "Hello", **extra}


def answered(client: TestClient, script: Script, *items: Mapping[str, Any], **extra: Any) -> dict[str, Any]:
    script.will(as_json(response(*items, **extra)))
    answer = client.post(URL, json=asking())
    assert answer.status_code == 200, answer.json()
    found: dict[str, Any] = answer.json()
    return found


class TestAsking:
    def test_it_goes_on_as_it_came(self, client: TestClient, script: Script) -> None:
        body = asking(
            input=[
                {"role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
                {"type": "function_call_output", "call_id": "c", "output": "42"},
            ],
            instructions="Be brief.",
            previous_response_id="resp_0",
            tools=[{"type": "function", "name": "f", "parameters": {}}, {"type": "new_tool", "x": 1}],
            unheard_of={"a": [1]},
        )
        script.will(as_json(response(message("Hi."))))
        assert client.post(URL, json=body).status_code == 200
        assert script.bodies == [body]
        assert script.seen[0].url.path == "/v1/responses"

    @pytest.mark.parametrize(
        "extra",
        [
            {"input": f"Say {BANNED}"},
            {"input": [{"role": "user", "content": BANNED}]},
            {"input": [{"role": "user", "content": [{"type": "input_text", "text": BANNED}]}]},
            {"input": [{"type": "function_call_output", "call_id": "c", "output": BANNED}]},
            {"instructions": BANNED},
            {"prompt": {"id": "pmpt_1", "variables": {"name": BANNED}}},
            {"prompt": {"id": "p", "variables": {"n": {"type": "input_text", "text": BANNED}}}},
        ],
    )
    def test_a_banned_prompt_costs_no_call(
        self, client: TestClient, script: Script, app: App, extra: dict[str, Any]
    ) -> None:
        answer = client.post(URL, json=asking(**extra))
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "content_policy_violation")
        assert script.seen == []
        assert records(app) == ["blocked"]

    def test_files_are_no_words(self, client: TestClient, script: Script, app: App) -> None:
        hidden = base64.b64encode(BANNED.encode()).decode()
        parts = [
            {"type": "input_image", "image_url": f"data:image/png;base64,{PIXELS}"},
            {"type": "input_file", "file_data": f"data:text/plain;base64,{hidden}", "filename": "a.txt"},
        ]
        script.will(as_json(response(message("Hi."))))
        body = asking(input=[{"role": "user", "content": parts}])
        assert client.post(URL, json=body).status_code == 200

    @pytest.mark.parametrize(
        ("extra", "param"),
        [
            ({"input": 7}, "input"),
            ({"input": {"role": "user"}}, "input"),
            ({"model": ["tiny"]}, "model"),
            ({"stream": "yes"}, "stream"),
            ({"modalities": ["text", "audio"]}, "modalities"),
        ],
    )
    def test_a_request_of_another_form_is_refused(
        self, client: TestClient, script: Script, extra: dict[str, Any], param: str
    ) -> None:
        answer = client.post(URL, json=asking(**extra))
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
        assert script.seen == []

    def test_without_an_upstream_no_model_answers(self, alone: TestClient) -> None:
        answer = alone.post(URL, json=asking())
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


class TestTexts:
    def test_every_text_is_released_by_itself(self, client: TestClient, script: Script, app: App) -> None:
        items = (reasoning("Sum.", "Thought."), call('{"q": "weather"}'), message("Good.", "Bye."))
        found = answered(client, script, *items)
        assert found["output"] == list(items)
        assert found["instructions"] == "Be brief."
        evidence = {(r["output"], r["part"]): r for r in found["guard"]["releases"]}
        assert list(evidence) == [
            (0, "summary.0.text"),
            (0, "content.0.text"),
            (1, "arguments"),
            (2, "content.0.text"),
            (2, "content.1.text"),
        ]
        for each in evidence.values():
            entry = app.ledger.by_id(each["release_id"])
            assert entry is not None
            assert (entry.model, entry.model_version, entry.status) == ("tiny", "tiny-2024", "released")

    @pytest.mark.parametrize(
        "item",
        [
            message("Fine.", f"Say {BANNED}."),
            message(content=[{"type": "refusal", "refusal": BANNED}]),
            call(f'{{"q": "{BANNED}"}}'),
            reasoning(BANNED, "Fine."),
            reasoning("Fine.", BANNED),
            {"type": "mcp_call", "id": "m", "name": "f", "arguments": "{}", "output": BANNED},
            {"type": "code_interpreter_call", "id": "c", "code": BANNED, "outputs": []},
            {"type": "code_interpreter_call", "id": "c", "outputs": [{"type": "logs", "logs": BANNED}]},
            {"type": "web_search_call", "id": "w", "action": {"type": "search", "query": BANNED}},
            {"type": "shell_call", "id": "s", "action": {"commands": ["ls", f"echo {BANNED}"]}},
            {"type": "file_search_call", "id": "f", "queries": [BANNED], "results": None},
            {"type": "not_yet_invented", "id": "n", "inside": {"deep": [{"er": BANNED}]}},
            drawn(PIXELS, revised_prompt=BANNED),
        ],
    )
    def test_wherever_a_banned_one_is_nothing_leaves(
        self, client: TestClient, script: Script, app: App, item: dict[str, Any]
    ) -> None:
        script.will(as_json(response(message("Good morning."), item)))
        answer = client.post(URL, json=asking())
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "content_policy_violation")
        assert records(app) == ["blocked"]
        assert len(script.seen) == 1

    def test_so_it_is_in_fields_that_nobody_knows(self, client: TestClient, script: Script) -> None:
        script.will(as_json(response(message("Fine."), notes={"a": BANNED})))
        assert client.post(URL, json=asking()).status_code == 400
        script.will(as_json(response(message("Fine."), reasoning=f"Perhaps {BANNED}?")))
        assert client.post(URL, json=asking()).status_code == 400
        found = answered(client, script, message("Fine."), output_text=f"It is {SECRET}.")
        assert found["output_text"] == "It is [credential]."

    def test_a_redaction_takes_the_tokens_along(self, client: TestClient, script: Script) -> None:
        tokens = [{"token": "ghp", "logprob": -0.1, "top_logprobs": []}]
        item = message(f"It is {SECRET}.", "Fine.")
        for part in item["content"]:
            part["logprobs"] = tokens
        changed, kept = answered(client, script, item)["output"][0]["content"]
        assert (changed["text"], changed["logprobs"]) == ("It is [credential].", [])
        assert (kept["text"], kept["logprobs"]) == ("Fine.", tokens)

    def test_a_label_is_put_on_words_and_not_on_arguments(
        self, app: App, script: Script, tmp_path: Path
    ) -> None:
        policy = tmp_path / "policy.yaml"
        policy.write_text(
            "{name: own, version: 1, require: {chat: {mark: false, sign: false}}, rules:"
            " [{id: tell, when: 'true', stages: [output], action: label, reason: Tell.}]}"
        )
        own = replace(app, settings=app.settings.model_copy(update={"policy": policy}))
        with serving(own, script) as client:
            found = answered(client, script, message("Good."), call('{"a": 1}'))
        assert found["output"][0]["content"][0]["text"] == "[AI-generated]\nGood."
        assert found["output"][1]["arguments"] == '{"a": 1}'

    def test_a_response_without_output_releases_nothing(
        self, client: TestClient, script: Script, app: App
    ) -> None:
        found = answered(client, script, status="queued", background=True)
        assert (found["status"], found["guard"]) == ("queued", {"releases": []})
        assert records(app) == []


class TestMedia:
    def test_a_picture_leaves_marked_and_signed(self, client: TestClient, script: Script, app: App) -> None:
        found = answered(client, script, drawn(PIXELS), message("There."))
        data = base64.b64decode(found["output"][0]["result"])
        verdict = client.post("/v1/verify", content=data).json()
        assert verdict["verdict"] == "trusted"
        ids = {r["part"]: r["release_id"] for r in found["guard"]["releases"]}
        assert verdict["watermark"]["payload"] == ids["result"]
        with app.ledger.engine.connect() as connection:
            rows = connection.execute(releases.select()).mappings().all()
        assert sorted(row["modality"] for row in rows) == ["image", "text"]

    def test_a_plot_leaves_so_too_and_a_link_does_not(self, client: TestClient, script: Script) -> None:
        item = {
            "type": "code_interpreter_call",
            "id": "ci_1",
            "code": "plot()",
            "container_id": "cntr_1",
            "outputs": [
                {"type": "image", "url": "https://files.test/plot.png"},
                {"type": "logs", "logs": "done"},
                {"type": "image", "url": f"data:image/png;base64,{PIXELS}"},
            ],
        }
        logs, plot = answered(client, script, item)["output"][0]["outputs"]
        assert logs == {"type": "logs", "logs": "done"}
        head, _, data = plot["url"].partition(",")
        assert head == "data:image/png;base64"
        verdict = client.post("/v1/verify", content=base64.b64decode(data)).json()
        assert verdict["verdict"] == "trusted"

    def test_pictures_can_be_forbidden(self, strict: App, script: Script) -> None:
        script.will(as_json(response(drawn(PIXELS))))
        with serving(strict, script) as client:
            answer = client.post(URL, json=asking())
        assert (answer.status_code, answer.json()["error"]["guard"]["rule"]) == (400, "no-pictures")

    @pytest.mark.parametrize(
        "item",
        [
            message("", content=[{"type": "output_audio", "data": "UklGRg==", "transcript": "Hi"}]),
            message(f"data:image/png;base64,{PIXELS}"),
            {"type": "exec", "id": "e", "outputs": [{"image_url": f"data:image/png;base64,{PIXELS}"}]},
            {"type": "exec", "id": "e", "audio": {"data": "UklGRg=="}},
            drawn("%%%"),
            drawn(base64.b64encode(b"RIFF....").decode()),
            drawn(base64.b64encode(b"Just words.").decode()),
        ],
    )
    def test_what_cannot_be_marked_does_not_leave(
        self, client: TestClient, script: Script, app: App, item: dict[str, Any]
    ) -> None:
        script.will(as_json(response(item)))
        answer = client.post(URL, json=asking())
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_error")
        assert records(app) == []


@pytest.mark.parametrize(
    "body",
    [{"output": {}}, {"output": ["text"]}, {"output": [[["x"] * 3] * 3]}, {"output": [{"a": "\ud83d"}]}],
)
def test_an_answer_that_cannot_be_screened_does_not_leave(
    client: TestClient, script: Script, body: dict[str, Any]
) -> None:
    script.will(as_json({"id": "resp_1", **body}))
    answer = client.post(URL, json=asking())
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_error")


def test_too_deep_an_answer_does_not_leave(client: TestClient, script: Script) -> None:
    deep: dict[str, Any] = {"text": "x"}
    for _ in range(100):
        deep = {"a": deep}
    script.will(as_json({"id": "resp_1", "output": [deep]}))
    assert client.post(URL, json=asking()).status_code == 502


class TestStored:
    def test_one_is_released_anew(self, client: TestClient, script: Script, app: App) -> None:
        script.will(as_json(response(message(f"It is {SECRET}."))))
        found = client.get(f"{URL}/resp_1?include[]=reasoning.encrypted_content").json()
        assert found["output"][0]["content"][0]["text"] == "It is [credential]."
        (evidence,) = found["guard"]["releases"]
        entry = app.ledger.by_id(evidence["release_id"])
        assert entry is not None
        assert (entry.model, entry.prompt_sha256) == ("tiny-2024", None)
        assert str(script.seen[0].url).endswith(
            "/v1/responses/resp_1?include%5B%5D=reasoning.encrypted_content"
        )

    def test_one_that_is_forbidden_does_not_leave(self, client: TestClient, script: Script) -> None:
        script.will(as_json(response(message(BANNED))))
        for answer in (client.get(f"{URL}/resp_1"), client.post(f"{URL}/resp_1/cancel")):
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "content_policy_violation")

    def test_a_background_response_can_be_given_up(self, client: TestClient, script: Script) -> None:
        script.will(as_json(response(status="cancelled")))
        assert client.post(f"{URL}/resp_1/cancel").json()["status"] == "cancelled"
        assert script.seen[0].url.path == "/v1/responses/resp_1/cancel"

    def test_one_is_not_streamed_again(self, client: TestClient, script: Script) -> None:
        answer = client.get(f"{URL}/resp_1?stream=true&starting_after=3")
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "stream")
        assert script.seen == []

    def test_one_can_be_deleted(self, client: TestClient, script: Script) -> None:
        script.will(as_json({"id": "resp_1", "object": "response", "deleted": True}))
        assert client.delete(f"{URL}/resp_1").json()["deleted"] is True
        assert script.seen[0].method == "DELETE"

    def test_earlier_answers_among_its_input_are_released_too(
        self, client: TestClient, script: Script
    ) -> None:
        mine = {
            "id": "m",
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": SECRET}],
        }
        given = {"id": "o", "type": "function_call_output", "call_id": "c", "output": SECRET}
        listed = {"object": "list", "data": [mine, given, message(f"It is {SECRET}.")], "has_more": False}
        script.will(as_json(listed))
        found = client.get(f"{URL}/resp_1/input_items?limit=3&order=asc").json()
        assert found["data"][:2] == [mine, given]
        assert found["data"][2]["content"][0]["text"] == "It is [credential]."
        assert [r["output"] for r in found["guard"]["releases"]] == [2]
        assert script.seen[0].url.query == b"limit=3&order=asc"

    @pytest.mark.parametrize("name", ["..", "%2e%2e", "resp_1%2f..%2ffiles"])
    def test_an_id_leads_nowhere_else(self, client: TestClient, script: Script, name: str) -> None:
        script.will(as_json({"error": {"message": "No such response."}}, 404))
        assert client.get(f"{URL}/{name}").status_code in (400, 404)
        assert all(
            b".." not in request.url.raw_path.replace(b"%2F", b"/").split(b"/") for request in script.seen
        )

    def test_an_unknown_one_is_not_found(self, client: TestClient, script: Script) -> None:
        script.will(as_json({"error": {"message": "No such response.", "type": "x", "code": None}}, 404))
        answer = client.get(f"{URL}/resp_9")
        assert (answer.status_code, answer.json()["error"]["type"]) == (404, "invalid_request_error")
