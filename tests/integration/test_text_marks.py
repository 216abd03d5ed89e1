"""Marks in the choice of words, from a hosted model through the server to the verdict."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from guard.app import App, open_app
from guard.errors import MarkError
from guard.media import Artifact, Modality
from guard.pipeline import Guard
from guard.settings import Settings
from guard.tokenmarks import Scheme
from guard.verdict import Verdict
from models.base import GenerationRequest, Generator
from models.registry import load
from tests.lexicon import build_lexicon
from tests.unit.api.parts import events, joined, say, serving
from tests.unit.api.words.test_chat import rows
from tests.unit.api.words.test_hosted import Writer

pytestmark = pytest.mark.heavy

CHAT = "/v1/chat/completions"
HEAD = "name: mine\nversion: 1\n"
MARKED = HEAD + "require: {text: {mark: true, sign: false}}\nrules: []\n"
SIGNED = HEAD + "require: {text: {mark: true, sign: true}}\nrules: []\n"
Under = Callable[..., App]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_lexicon(tmp_path_factory.mktemp("text") / "lexicon")


@pytest.fixture(scope="module")
def model(folder: Path) -> Generator:
    return load(f"local:{folder}")


@pytest.fixture
def under(app: App, folder: Path, tmp_path: Path) -> Under:
    """The app with marks in texts, and the policy that is given."""

    def make(policy: str = "", mark: Scheme = Scheme.SYNTHID) -> App:
        path = tmp_path / "policy.yaml"
        path.write_text(policy)
        changes = {"text_mark": mark, "text_models": (f"local:{folder}",), "policy": path if policy else None}
        return dataclasses.replace(app, settings=app.settings.model_copy(update=changes))

    return make


def chat(client: TestClient, *, stream: bool = False, tokens: int = 200, **extra: Any) -> tuple[str, Any]:
    """The text that came, and its evidence."""
    body = say("bal bam", model="lexicon", seed=5, max_tokens=tokens, stream=stream, **extra)
    answer = client.post(CHAT, json=body)
    assert answer.status_code == 200, answer.text
    if stream:
        *chunks, _ = events(answer.text)
        return joined(chunks), chunks[-1]["guard"]["releases"][0]
    whole = answer.json()
    return whole["choices"][0]["message"]["content"], whole["guard"]["releases"][0]


def verified(app: App, text: str) -> Verdict:
    return app.verifier().verify(Artifact.from_text(text))


@contextmanager
def elsewhere(app: App, tmp_path: Path) -> Iterator[App]:
    """The same keys over an empty ledger."""
    with open_app(Settings(home=tmp_path / "elsewhere")) as other:
        yield dataclasses.replace(app, ledger=other.ledger)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("scheme", list(Scheme))
def test_a_marked_answer_is_known_again(
    under: Under, model: Generator, tmp_path: Path, scheme: Scheme, stream: bool
) -> None:
    app = under(mark=scheme)
    with serving(app, None, generators={"it": model}) as client:
        text, evidence = chat(client, stream=stream)
    assert evidence["mark"] == scheme
    entry = app.ledger.by_payload(evidence["release_id"])
    assert entry is not None
    assert [(mark.engine, mark.payload) for mark in entry.marks] == [(scheme, entry.id)]

    pasted = verified(app, text).as_json()
    assert (pasted["verdict"], pasted["ledger"]["match"]) == ("recovered", "exact")
    assert (pasted["watermark"]["state"], pasted["watermark"]["engine"]) == ("found", scheme)
    assert pasted["watermark"]["payload"] is None
    assert pasted["watermark"]["p_value"] < 1e-5
    half = verified(app, " ".join(text.split()[:120])).as_json()
    assert (half["verdict"], half["ledger"]["match"]) == ("recovered", "fingerprint")
    assert any(f"{scheme} is in the choice of words" in line for line in half["explanation"])

    with elsewhere(app, tmp_path) as other:
        verdict = verified(other, text)
    assert verdict.state == "suspected"
    assert f"chosen under a key of this Guard ({scheme}, p" in verdict.conclusion.summary


@pytest.mark.parametrize("extra", [{"tokens": 20}, {"temperature": 0}])
def test_where_there_is_no_choice_it_abstains(under: Under, model: Generator, extra: dict[str, Any]) -> None:
    app = under()
    with serving(app, None, generators={"it": model}) as client:
        text, evidence = chat(client, **extra)
        streamed, too = chat(client, stream=True, **extra)
    assert streamed == text
    assert (evidence["mark"], too["mark"]) == (None, None)
    assert verified(app, text).state == "recovered"


def test_short_texts_say_that_they_are(under: Under) -> None:
    verdict = verified(under(), "bal bam bas")
    assert verdict.as_json()["watermark"]["state"] == "unsupported"
    assert any("too little" in line for line in verdict.conclusion.explanation)


@pytest.mark.parametrize("policy", [MARKED, SIGNED])
@pytest.mark.parametrize("stream", [False, True])
def test_a_policy_may_insist(under: Under, model: Generator, policy: str, stream: bool) -> None:
    app = under(policy)
    with serving(app, None, generators={"it": model}) as client:
        text, evidence = chat(client, stream=stream)
        short = client.post(CHAT, json=say("bal", model="lexicon", max_tokens=20, stream=stream))
    assert evidence["mark"] == "synthid"
    verdict = verified(app, text)
    assert verdict.state == ("trusted" if policy is SIGNED else "recovered")
    assert verdict.reading.engine == "synthid"
    assert (short.status_code, short.json()["error"]["code"]) == (500, "release_failed")
    assert [row["status"] for row in rows(app)] == ["released"]


def test_nobody_elses_model_can_be_asked_for_it(under: Under) -> None:
    with serving(under(), None, generators={"writer": Writer()}) as client:
        answer = client.post(CHAT, json=say("Hello", model="writer")).json()
    assert answer["guard"]["releases"][0]["mark"] is None
    with serving(under(MARKED), None, generators={"writer": Writer()}) as client:
        answer = client.post(CHAT, json=say("Hello", model="writer")).json()
    assert answer["error"]["code"] == "not_configured"


def generated(guard: Guard, model: Generator, **parameters: Any) -> Any:
    request = GenerationRequest("bal", Modality.TEXT, seed=2, parameters=parameters)
    (release,) = guard.generate(model, request)
    return release


def test_generating_without_a_server_marks_too(under: Under, model: Generator) -> None:
    app = under()
    release = generated(app.guard(), model, max_tokens=200)
    assert release.mark is not None
    assert (release.mark.engine, release.mark.payload) == ("synthid", None)
    verdict = app.verifier().verify(release.artifact)  # signed, as texts are outside of chats
    assert (verdict.state, verdict.reading.engine) == ("trusted", "synthid")
    with pytest.raises(MarkError, match="little choice"):
        generated(under(MARKED).guard(), model, max_tokens=20)


def test_marks_are_off_unless_they_are_asked_for(app: App, model: Generator) -> None:
    assert generated(app.guard(), model, max_tokens=200).mark is None
