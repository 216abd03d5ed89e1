"""`/v1/moderations`: Guard's own scores in OpenAI's form."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest
from openai.types import ModerationCreateResponse
from starlette.testclient import TestClient

from detectors.blocklist import Blocklist
from detectors.blocklist.groups import Group
from guard.api.checks.categories import CATEGORIES
from guard.app import App
from guard.media import Modality
from tests.unit.api.parts import BANNED, SECRET, picture
from tests.unit.api.seers import Seer, records, seeing

URL = "/v1/moderations"
HATE = Blocklist(
    [
        Group(id="threatening", signal="hate", terms=("slay",)),
        Group(id="slurs", signal="hate", score=0.75, terms=("gits",)),
        Group(id="gender", signal="bias", terms=("bossy",)),
    ]
)


def image_part(url: str | None = None) -> dict[str, Any]:
    return {
        "type": "image_url",
        "image_url": {"url": url or f"data:image/png;base64,{picture()['b64_json']}"},
    }


def text_part(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def results(client: TestClient, value: object) -> list[dict[str, Any]]:
    answer = client.post(URL, json={"input": value})
    assert answer.status_code == 200, answer.json()
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def test_a_text_is_scored_by_every_signal(alone: TestClient) -> None:
    (result,) = results(alone, f"Say {BANNED}.")
    assert result["flagged"] is True
    assert result["categories"]["blocklist/demo"] is True
    assert result["categories"]["secrets"] is False
    assert result["category_scores"]["blocklist"] == 1.0
    assert result["category_applied_input_types"]["secrets"] == ["text"]
    assert result["guard"]["failed_detectors"] == []


def test_what_nothing_screens_for_is_named(app: App) -> None:
    seer = Seer(
        "seer", {"identity_attack": 0.9, "threat": 0.2, "toxicity": 0.6, "insult": 0.3}, Modality.TEXT
    )
    with seeing(app, seer) as client:
        (result,) = results(client, "words")
    scores, flags = result["category_scores"], result["categories"]
    assert (scores["hate"], scores["harassment"], scores["violence"]) == (0.9, 0.6, 0.2)
    assert (scores["hate/threatening"], scores["harassment/threatening"]) == (0.2, 0.2)
    assert [name for name, flagged in flags.items() if flagged and name in CATEGORIES] == [
        "harassment",
        "hate",
    ]
    assert result["guard"]["not_screened"] == [
        "illicit", "illicit/violent", "self-harm", "self-harm/instructions", "self-harm/intent", "sexual",
        "sexual/minors", "violence/graphic",
    ]  # fmt: skip
    assert all(scores[name] == 0 and not flags[name] for name in result["guard"]["not_screened"])
    assert all(result["category_applied_input_types"][n] == [] for n in result["guard"]["not_screened"])


def test_a_signal_without_a_score_screens_for_nothing(app: App) -> None:
    """Whether it abstained or failed, nobody looked."""
    with seeing(
        app, Seer("seer", {"insult": 0.2}, Modality.TEXT), Seer("blind", {}, Modality.TEXT)
    ) as client:
        (result,) = results(client, "words")
    assert result["guard"]["failed_detectors"] == ["blind@1"]
    assert {"hate", "violence", "harassment/threatening"} <= set(result["guard"]["not_screened"])
    assert "harassment" not in result["guard"]["not_screened"]


def test_each_text_of_a_list_has_its_result(alone: TestClient) -> None:
    assert [r["flagged"] for r in results(alone, ["Good morning.", SECRET, ""])] == [False, True, False]


def test_nothing_is_recorded(alone: TestClient, app: App) -> None:
    results(alone, BANNED)
    assert records(app) == []


def test_parts_make_one_result_with_the_worst_of_each(app: App) -> None:
    seer = Seer("seer", {"violence": 0.9, "hate": 0.1})
    with seeing(app, HATE, seer) as client:
        (result,) = results(client, [text_part("you gits"), image_part()])
    assert {
        n: s for n, s in result["category_scores"].items() if n not in result["guard"]["not_screened"]
    } == {
        "hate": 0.75,
        "bias": 0.0,
        "hate/threatening": 0.0,
        "hate/slurs": 0.75,
        "bias/gender": 0.0,
        "blocklist": 0.0,
        "violence": 0.9,
    }
    assert result["categories"]["hate"] is True
    assert result["category_applied_input_types"]["hate"] == ["text", "image"]
    assert result["category_applied_input_types"]["violence"] == ["image"]
    assert [context.stage for context in seer.contexts] == ["upload"]


def test_a_detector_that_failed_screens_for_nothing(app: App) -> None:
    with seeing(app, Seer("seer", {"violence": 0.2}), Seer("blind")) as client:
        answer = client.post(URL, json={"input": [image_part()]})
    (result,) = answer.json()["results"]
    assert set(result["categories"]) == set(CATEGORIES)
    assert result["guard"]["failed_detectors"] == ["blind@1"]
    assert set(CATEGORIES) - set(result["guard"]["not_screened"]) == {"violence"}
    assert "lamp" not in answer.text


def test_a_picture_that_nobody_looks_at_is_not_called_harmless(alone: TestClient) -> None:
    answer = alone.post(URL, json={"input": [text_part("hello"), image_part()]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unsupported_media")


def test_a_picture_that_nobody_could_score_is_not_called_harmless(app: App) -> None:
    with seeing(app, Seer("blind")) as client:
        answer = client.post(URL, json={"input": [image_part()]})
    assert answer.status_code == 500
    assert answer.json()["error"]["type"] == "server_error"
    assert "lamp" not in answer.text


def test_whether_it_is_generated_makes_nothing_unfit(app: App) -> None:
    with seeing(app, Seer("seer", {"violence": 0.2}), Seer("fakes", {"synthetic": 0.99})) as client:
        assert results(client, [image_part()])[0]["flagged"] is False


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        "missing",
        [],
        [1],
        ["text", text_part("text")],
        [{"type": "text"}],
        [{"type": "text", "text": 7}],
        [{"type": "image_url", "image_url": "data:"}],
        [{"type": "video_url", "video_url": {"url": "data:"}}],
        [image_part("https://intranet.test/secret.png")],
        [image_part("file:///etc/passwd")],
        [image_part("data:image/png,plain")],
        [image_part("data:image/png;base64,%%%")],
        [image_part("data:image/jpeg;base64," + picture()["b64_json"])],
        [image_part("data:image/png;base64,iVBORw0KGgo=")],
    ],
)
def test_input_of_another_form_is_refused(app: App, value: object) -> None:
    with seeing(app, Seer("seer", {"violence": 0.2})) as client:
        answer = client.post(URL, json={} if value == "missing" else {"input": value})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert "passwd" not in answer.text


def test_half_a_character_is_refused(alone: TestClient) -> None:
    headers = {"content-type": "application/json"}
    answer = alone.post(URL, content=b'{"input": "\\ud83d"}', headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed_media")


class TestWithTheOfficialClient:
    @pytest.fixture
    def passed_on(self, app: App) -> Any:
        with seeing(app, HATE) as client:

            def handle(request: httpx2.Request) -> httpx2.Response:
                path = request.url.path
                answer = client.post(path, content=request.content, headers=dict(request.headers))
                return httpx2.Response(answer.status_code, content=answer.content, headers=answer.headers)

            yield handle

    def check(self, answer: ModerationCreateResponse) -> None:
        assert answer.id.startswith("modr-")
        assert answer.model.startswith("guard-")
        (result,) = answer.results
        assert result.flagged is True
        assert result.categories.hate is True
        assert result.categories.hate_threatening is True
        assert result.category_scores.hate_threatening == 1.0
        assert result.category_applied_input_types.hate_threatening == ["text"]
        assert (result.categories.violence, result.category_scores.violence) == (False, 0)
        assert result.category_applied_input_types.violence == []
        assert result.model_extra is not None
        assert "violence" in result.model_extra["guard"]["not_screened"]
        extra = result.categories.model_extra
        assert extra is not None
        assert (extra["bias"], extra["bias/gender"], extra["hate/slurs"]) == (True, True, False)

    def test_sync(self, passed_on: Callable[[httpx2.Request], httpx2.Response]) -> None:
        http = httpx2.Client(transport=httpx2.MockTransport(passed_on))
        with openai.OpenAI(api_key="x", base_url="http://guard.test/v1", http_client=http) as client:
            self.check(client.moderations.create(input="slay the bossy one"))

    def test_async(self, passed_on: Callable[[httpx2.Request], httpx2.Response]) -> None:
        async def moderate() -> ModerationCreateResponse:
            http = httpx2.AsyncClient(transport=httpx2.MockTransport(passed_on))
            async with openai.AsyncOpenAI(
                api_key="x", base_url="http://guard.test/v1", http_client=http
            ) as client:
                return await client.moderations.create(input=[text_part("slay the bossy one")])  # type: ignore[list-item]

        self.check(asyncio.run(moderate()))
