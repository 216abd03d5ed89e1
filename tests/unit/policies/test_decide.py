"""Deciding: order, strictness, shadow, failures, requirements."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

import policies
from guard.media import Modality
from policies import Action, Facts, Fired, Mode, Policy, Requirements

STRICTEST_FIRST = ["block", "review", "redact", "label", "allow"]


def rule(
    name: str,
    action: str = "block",
    when: str = "true",
    mode: str = "enforce",
    on_error: str = "block",
    more: str = "",
) -> str:
    return (
        f"- {{id: {name}, when: '{when}', action: {action}, mode: {mode}, on_error: {on_error}, "
        f"reason: why {name}{more}}}\n"
    )


def policy(*rules: str, require: str = "{}") -> Policy:
    return policies.loads(f"name: t\nversion: 1\nrequire: {require}\nrules:\n{''.join(rules) or '  []'}")


def text(stage: str = "output", **facts: object) -> Facts:
    return Facts(stage, Modality.TEXT, **facts)  # type: ignore[arg-type]


def test_no_rule_allows() -> None:
    decision = policy().decide(text())
    assert (decision.action, decision.rule, decision.fired) == (Action.ALLOW, None, ())
    assert decision.reason == "No enforced rule fired."


@given(st.permutations(STRICTEST_FIRST[:-1]))
def test_the_strictest_wins_in_any_order(actions: list[str]) -> None:
    decision = policy(*(rule(a, a) for a in actions)).decide(text())
    assert decision.action is Action.BLOCK
    assert decision.rule == "block"
    assert decision.reason == "why block"
    assert [f.rule for f in decision.fired] == actions


@pytest.mark.parametrize(("stricter", "milder"), list(pairwise(STRICTEST_FIRST)))
def test_each_step_of_the_ladder(stricter: str, milder: str) -> None:
    order = (
        [rule("s", stricter), rule("m", milder)]
        if milder == "allow"
        else [rule("m", milder), rule("s", stricter)]
    )
    assert policy(*order).decide(text()).action == stricter


def test_of_equals_the_first_is_named() -> None:
    assert policy(rule("a"), rule("b")).decide(text()).rule == "a"


def test_an_allow_ends_the_evaluation() -> None:
    decision = policy(rule("l", "label"), rule("ok", "allow"), rule("stop")).decide(text())
    assert decision.action is Action.LABEL
    assert [f.rule for f in decision.fired] == ["l", "ok"]


def test_an_allow_alone_is_named() -> None:
    decision = policy(rule("ok", "allow"), rule("stop")).decide(text())
    assert (decision.action, decision.rule, decision.reason) == (Action.ALLOW, "ok", "why ok")


def test_an_allow_that_is_false_or_in_shadow_ends_nothing() -> None:
    assert policy(rule("ok", "allow", "false"), rule("stop")).decide(text()).action is Action.BLOCK
    assert policy(rule("ok", "allow", mode="shadow"), rule("stop")).decide(text()).action is Action.BLOCK


def test_an_allow_from_on_error_ends_nothing() -> None:
    failing = rule("e", "block", 'scores["x"] > 0.5', on_error="allow")
    decision = policy(failing, rule("stop")).decide(text())
    assert decision.action is Action.BLOCK
    assert decision.rule == "stop"
    assert decision.fired[0].action is Action.ALLOW


def test_shadow_is_recorded_and_changes_nothing() -> None:
    decision = policy(rule("s", mode="shadow"), rule("l", "label")).decide(text())
    assert decision.action is Action.LABEL
    assert decision.fired[0] == Fired("s", Action.BLOCK, Mode.SHADOW, "why s")
    assert not decision.obliges(Action.BLOCK)
    assert decision.obliges(Action.LABEL)


def test_stages() -> None:
    only_prompt = policy(rule("p", more=", stages: [prompt]"))
    assert only_prompt.decide(text("prompt")).action is Action.BLOCK
    assert only_prompt.decide(text("output")).fired == ()
    assert only_prompt.decide(text("upload")).fired == ()


def test_every_variable_reaches_the_condition() -> None:
    when = (
        'stage == "upload" && modality == "image" && mime == "image/png" && scores["a"] == 0.25 && '
        'errors["d"] == "late" && model == "m" && route == "images" && user["tier"] == "free"'
    )
    facts = Facts(
        "upload",
        Modality.IMAGE,
        "image/png",
        MappingProxyType({"a": 0.25}),
        MappingProxyType({"d": "late"}),
        "m",
        "images",
        MappingProxyType({"tier": "free"}),
    )
    assert policy(rule("r", when=when)).decide(facts).rule == "r"


# --- failures ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on_error", ["allow", "label", "review", "block"])
def test_a_missing_score_applies_on_error(on_error: str) -> None:
    decision = policy(rule("r", "label", 'scores["x"] > 0.5', on_error=on_error)).decide(text())
    assert decision.action == on_error
    assert decision.fired[0].error == 'there is no value for "x"'
    assert (
        decision.reason
        == 'The rule could not be judged (there is no value for "x"), so its on_error applies. why r'
    )


def test_a_failure_in_shadow_changes_nothing() -> None:
    decision = policy(rule("r", "label", 'scores["x"] > 0.5', mode="shadow")).decide(text())
    assert (decision.action, decision.rule) == (Action.ALLOW, None)
    assert decision.fired[0].error is not None


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_a_score_that_is_no_number_is_a_missing_one(score: float) -> None:
    decision = policy(rule("r", "label", 'scores["x"] > 0.5')).decide(text(scores={"x": score}))
    assert decision.action is Action.BLOCK


def test_a_whole_number_is_a_score() -> None:
    assert (
        policy(rule("r", "label", 'scores["x"] > 0.5')).decide(text(scores={"x": 1})).action is Action.LABEL
    )


def test_the_other_side_of_an_and_can_settle_it() -> None:
    decision = policy(rule("r", when='scores["x"] > 0.5 && modality == "image"')).decide(text())
    assert decision.fired == ()


def test_an_endless_condition_applies_on_error() -> None:
    when = "user.exists(a, user.exists(b, user.exists(c, a + b + c == stage)))"
    decision = policy(rule("r", "label", when, on_error="review")).decide(
        text(user={str(n): "" for n in range(100)})
    )
    assert decision.action is Action.REVIEW
    assert decision.fired[0].error == "Iteration budget exceeded"


@pytest.mark.parametrize("when", ["1 / 0 == 1", 'stage.matches("(")', "int(stage) == 1"])
def test_other_failures_at_run_time(when: str) -> None:
    decision = policy(rule("r", "label", when)).decide(text())
    assert decision.action is Action.BLOCK
    assert decision.fired[0].error


def test_halves_of_surrogate_pairs_do_not_break_it() -> None:
    facts = text(model="\ud800", route="a\udfff", user={"\ud800": "\ud800"}, errors={"e": "\ud800"})
    decision = policy(rule("r", when='model == "?" && user["?"] == "?"')).decide(facts)
    assert decision.rule == "r"


# --- requirements -----------------------------------------------------------------------------------------


REQUIRE = "{image: {mark: true, sign: false}, text: {mark: false}, chat: {sign: false}}"


@pytest.mark.parametrize(
    ("modality", "route", "expected"),
    [
        (Modality.IMAGE, "", Requirements(mark=True, sign=False)),
        (Modality.IMAGE, "chat", Requirements(mark=True, sign=False)),
        (Modality.TEXT, "", Requirements(mark=False, sign=True)),
        (Modality.TEXT, "chat", Requirements(mark=False, sign=False)),
        (Modality.AUDIO, "", Requirements(mark=True, sign=True)),
        (Modality.VIDEO, "chat", Requirements(mark=True, sign=True)),
    ],
)
def test_requirements(modality: Modality, route: str, expected: Requirements) -> None:
    decision = policy(require=REQUIRE).decide(Facts("output", modality, route=route))
    assert decision.requirements == expected


def test_nothing_said_is_everything_required() -> None:
    silent = policies.loads("name: a\nversion: 1\nrules: []")
    for modality in Modality:
        assert silent.requirements(modality, "chat") == Requirements(mark=True, sign=True)


def test_chat_may_ask_for_more_than_text() -> None:
    strict = policy(require="{text: {mark: false, sign: false}, chat: {mark: true}}")
    assert strict.requirements(Modality.TEXT, "chat") == Requirements(mark=True, sign=False)


# --- redaction --------------------------------------------------------------------------------------------


def test_redacts_by_detector_and_label() -> None:
    chosen = policy(
        rule("one", "redact", more=", detector: blocklist, labels: [credential]"),
        rule("two", "redact", 'scores["pii"] > 0.5', more=", detector: pii"),
        rule("three", "redact", mode="shadow", more=", detector: other"),
    )
    decision = chosen.decide(text(scores={"pii": 0.9}))
    assert decision.action is Action.REDACT
    assert chosen.redacts(decision, "blocklist", "credential")
    assert not chosen.redacts(decision, "blocklist", "demo")
    assert chosen.redacts(decision, "pii", "name")
    assert not chosen.redacts(decision, "other", "name")
    calm = chosen.decide(text(scores={"pii": 0.1}))
    assert not chosen.redacts(calm, "pii", "name")


def test_redacts_everything_without_a_choice() -> None:
    everything = policy(rule("r", "redact"))
    assert everything.redacts(everything.decide(text()), "any", "thing")


def test_a_redact_rule_that_failed_redacts_nothing() -> None:
    failing = policy(rule("r", "redact", 'scores["x"] > 0.5', on_error="label"))
    assert not failing.redacts(failing.decide(text()), "any", "thing")


def test_in_shadow_a_decision_keeps_what_fired_and_does_nothing() -> None:
    strict = policy(rule("hide", "redact"), rule("stop", "block"))
    decision = strict.decide(text())
    shadow = decision.in_shadow()
    assert (shadow.action, shadow.rule) == (Action.ALLOW, None)
    assert not shadow.obliges(Action.REDACT)
    assert [(hit.rule, hit.action, hit.mode) for hit in shadow.fired] == [
        ("hide", Action.REDACT, Mode.SHADOW),
        ("stop", Action.BLOCK, Mode.SHADOW),
    ]
    assert shadow.requirements == decision.requirements


# --- sharing and speed ------------------------------------------------------------------------------------


def many(count: int) -> Policy:
    when = 'modality == "text" && scores["s{}"] > 0.8 && user["tier"] != "trusted"'
    return policy(*(rule(f"r{n}", "label", when.format(n % 5)) for n in range(count)))


def test_threads_agree() -> None:
    shared = many(40)
    facts = [
        text(scores={f"s{k}": (n * 7 + k) % 10 / 10 for k in range(5)}, user={"tier": "x"}) for n in range(50)
    ]
    alone = [shared.decide(f) for f in facts]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            assert list(pool.map(shared.decide, facts)) == alone
