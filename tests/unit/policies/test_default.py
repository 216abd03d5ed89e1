"""The policy that Guard ships."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest

import policies
from guard.media import Modality
from policies import Action, Facts, Mode, Requirements

CALM = {"blocklist": 0.0, "secrets": 0.0}


def facts(stage: str, modality: Modality = Modality.TEXT, **more: object) -> Facts:
    return Facts(stage, modality, **more)  # type: ignore[arg-type]


def test_it_loads_once_from_the_package() -> None:
    policy = policies.default()
    assert policy.name == "default"
    assert policy is policies.default()
    assert files("policies").joinpath("default.yaml").is_file()


@pytest.mark.parametrize("stage", ["prompt", "output"])
def test_calm_text_passes(stage: str) -> None:
    decision = policies.default().decide(facts(stage, scores=CALM))
    assert decision.action is Action.ALLOW
    assert decision.fired == ()


@pytest.mark.parametrize("stage", ["prompt", "output"])
def test_listed_terms_are_blocked(stage: str) -> None:
    decision = policies.default().decide(facts(stage, scores={"blocklist": 1.0, "secrets": 0.0}))
    assert (decision.action, decision.rule) == (Action.BLOCK, "blocklist")


@pytest.mark.parametrize("stage", ["prompt", "output"])
def test_text_that_nothing_looked_at_is_blocked(stage: str) -> None:
    decision = policies.default().decide(facts(stage))
    assert (decision.action, decision.rule) == (Action.BLOCK, "blocklist")
    assert decision.fired[0].error


def test_a_list_without_secrets_is_enough() -> None:
    assert policies.default().decide(facts("output", scores={"blocklist": 0.0})).action is Action.ALLOW


def test_credentials_are_redacted_in_output() -> None:
    policy = policies.default()
    decision = policy.decide(facts("output", scores={"blocklist": 0.0, "secrets": 1.0}))
    assert (decision.action, decision.rule) == (Action.REDACT, "secrets")
    assert policy.redacts(decision, "blocklist", "credential")
    assert not policy.redacts(decision, "blocklist", "demo")


def test_credentials_in_prompts_are_only_recorded() -> None:
    decision = policies.default().decide(facts("prompt", scores={"blocklist": 0.0, "secrets": 1.0}))
    assert decision.action is Action.ALLOW
    assert [(f.rule, f.mode) for f in decision.fired] == [("secrets-in-prompts", Mode.SHADOW)]


@pytest.mark.parametrize("modality", [Modality.IMAGE, Modality.AUDIO, Modality.VIDEO])
def test_generated_media_leave_signed_and_all_but_video_marked(modality: Modality) -> None:
    decision = policies.default().decide(facts("output", modality))
    assert decision.action is Action.ALLOW
    assert decision.requirements == Requirements(mark=modality is not Modality.VIDEO, sign=True)


def test_text_is_signed_and_chat_is_not() -> None:
    policy = policies.default()
    assert policy.requirements(Modality.TEXT) == Requirements(mark=False, sign=True)
    assert policy.requirements(Modality.TEXT, "chat") == Requirements(mark=False, sign=False)


@pytest.mark.parametrize(
    ("seen", "action"),
    [
        ({}, Action.ALLOW),
        ({"scores": {"blocklist": 0.0}}, Action.ALLOW),
        ({"scores": {"blocklist": 1.0}}, Action.BLOCK),
        ({"errors": {"spoken": "no ears"}}, Action.BLOCK),
        ({"errors": {"blocklist": "no list"}}, Action.BLOCK),
    ],
)
def test_spoken_terms_are_blocked_and_so_is_what_could_not_be_heard(
    seen: dict[str, Any], action: Action
) -> None:
    decision = policies.default().decide(facts("output", Modality.AUDIO, **seen))
    assert decision.action is action
    assert decision.rule == (None if action is Action.ALLOW else "spoken-blocklist")
