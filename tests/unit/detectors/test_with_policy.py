"""Detector and policy together, as a release uses them: from a text to what may leave of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pytest

import policies
from detectors import Context, Detector, Finding, inspect_all
from detectors.blocklist import Blocklist, Group
from guard.media import Artifact, Modality
from policies import Action, Decision, Facts

KEY = "AKIA" + "IOSFODNN7EXAMPLE"


class Broken(Blocklist):
    """A block list whose list got lost on the way."""

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
        raise OSError("the list is gone")


def screen(
    text: str, stage: Literal["prompt", "output"] = "output", detector: Detector | None = None
) -> tuple[Decision, str]:
    policy = policies.default()
    found = inspect_all([detector or Blocklist()], Artifact.from_text(text), Context(stage))
    scores = {f.signal: f.score for f in found if f.score is not None}
    errors = {f.signal: f.error for f in found if f.error is not None}
    decision = policy.decide(Facts(stage, Modality.TEXT, scores=scores, errors=errors, route="chat"))
    spans = [
        (span.start, span.end, span.label)
        for finding in found
        for span in finding.spans
        if policy.redacts(decision, finding.detector, span.label)
    ]
    return decision, policies.redact(text, spans)


def test_a_calm_text_leaves_as_it_is() -> None:
    decision, text = screen("The moon over the sea.")
    assert decision.action is Action.ALLOW
    assert text == "The moon over the sea."


@pytest.mark.parametrize("stage", ["prompt", "output"])
@pytest.mark.parametrize(
    "text", ["a forbidden-demo-term", "a f\u200borbiddеn dеmo tеrm", "F0RBIDDEN-DEM0-TERM"]
)
def test_the_demo_term_is_blocked_in_any_disguise(stage: Literal["prompt", "output"], text: str) -> None:
    decision, _ = screen(text, stage)
    assert (decision.action, decision.rule) == (Action.BLOCK, "blocklist")


def test_a_key_is_cut_out_and_the_rest_leaves() -> None:
    decision, text = screen(f"Gern 🙂: set it to {KEY}, then {KEY}.")
    assert decision.action is Action.REDACT
    assert text == "Gern 🙂: set it to [credential], then [credential]."


def test_a_key_that_is_hidden_among_invisible_signs_is_cut_out_whole() -> None:
    _, text = screen("It is " + "\u200b".join(KEY) + ".")
    assert text == "It is [credential]."


def test_a_key_beside_a_term_does_not_soften_the_block() -> None:
    assert screen(f"forbidden-demo-term {KEY}")[0].action is Action.BLOCK


def test_a_key_in_a_prompt_is_recorded() -> None:
    decision, text = screen(KEY, "prompt")
    assert decision.action is Action.ALLOW
    assert [fired.rule for fired in decision.fired] == ["secrets-in-prompts"]
    assert text == KEY


def test_a_broken_list_blocks() -> None:
    decision, _ = screen("The moon over the sea.", detector=Broken())
    assert (decision.action, decision.rule) == (Action.BLOCK, "blocklist")
    assert decision.fired[0].error == 'there is no value for "blocklist"'


def test_a_platforms_own_list_needs_no_group_of_secrets() -> None:
    own = Blocklist([Group(id="own", terms=("acme",))])
    assert screen("Buy ACME!", detector=own)[0].action is Action.BLOCK
    assert screen(f"The key is {KEY}.", detector=own)[0].action is Action.ALLOW
