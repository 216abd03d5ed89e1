"""Which signals a policy reads, and what an abstention means to a rule."""

from __future__ import annotations

import pytest

import policies
from guard.media import Modality
from policies import Action, Facts, Policy
from policies.reading import names_read


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ('scores["a"] >= 0.5', {"a"}),
        ("scores['a'] >= 0.5 && scores.b < 0.1", {"a", "b"}),
        ('"a" in scores || "b" in errors || "c" in inconclusive', {"a", "b", "c"}),
        ('!("a" in scores) && has(scores.b)', {"a", "b"}),
        ('"a" in scores ? scores["b"] > 0.1 : false', {"a", "b"}),
        ('errors["a"].contains("gone")', {"a"}),
        ('modality == "text" && model == "scores"', set()),
        ('user.scores == "x" && user["errors"] == "y"', set()),
        ("true // scores[model] is no part of this", set()),
        ('r"scores[model]" == model || """errors[model]""" == model', set()),
        ("scores.exists(s, scores[s] > 0.9)", None),
        ("scores[model] > 0.5", None),
        ("errors.size() == 0", None),
        ("size(scores) > 1", None),
        ('"a" + "b" in scores', None),
        ('("a" + "b") in scores', None),
        ("model in scores", None),
        (r'scores["\x61"] > 0.1', None),
        ('scores["a" + model] > 0.1', None),
        ("[scores].size() == 1", None),
    ],
)
def test_names_that_a_condition_reads(condition: str, names: set[str] | None) -> None:
    assert names_read(condition) == names


def policy(*rules: str) -> Policy:
    return policies.loads("name: t\nversion: 1\nrules:\n" + ("".join(rules) or "  []"))


def rule(when: str, action: str = "block", more: str = "", name: str = "r") -> str:
    return f"  - {{id: {name}, when: '{when}', action: {action}, reason: why{more}}}\n"


class TestSignals:
    def test_all_rules_of_the_stage_together(self) -> None:
        read = policy(
            rule('scores["a"] > 0.5', more=", stages: [output]"),
            rule('scores["b"] > 0.5', more=", mode: shadow", name="s"),
            rule('scores["c"] > 0.5', more=", stages: [prompt]", name="t"),
        )
        assert read.signals("output") == {"a", "b"}
        assert read.signals("prompt") == {"b", "c"}
        assert read.signals("upload") == {"b"}

    def test_no_rule_reads_nothing(self) -> None:
        assert policy().signals("output") == frozenset()

    def test_a_rule_that_may_read_any_reads_all(self) -> None:
        assert (
            policy(rule('scores["a"] > 0.5'), rule("scores.size() > 0", name="s")).signals("output") is None
        )

    @pytest.mark.parametrize(
        ("when", "more", "names"),
        [
            ('modality == "text"', ", detector: blocklist", {"blocklist"}),
            ('scores["secrets"] > 0.5', ", detector: blocklist", {"secrets", "blocklist"}),
            ('scores["secrets"] > 0.5', "", {"secrets"}),
            ('modality == "text"', "", None),
            ("scores.size() > 0", ", detector: blocklist", None),
        ],
    )
    def test_what_is_redacted_is_read(self, when: str, more: str, names: set[str] | None) -> None:
        assert policy(rule(when, "redact", more)).signals("output") == names

    def test_the_default_policy_reads_no_signal_of_synthetic_media(self) -> None:
        for stage in ("prompt", "output"):
            read = policies.default().signals(stage)  # type: ignore[arg-type]
            assert read is not None
            assert "blocklist" in read
            assert "synthetic" not in read


def decided(when: str, action: str = "block", **facts: object) -> Action:
    seen = Facts("output", Modality.TEXT, **facts)  # type: ignore[arg-type]
    return policy(rule(when, action)).decide(seen).action


ABSTAINS = {"inconclusive": {"tone": "The text has 3 words; 50 are needed."}}


class TestAbstentions:
    @pytest.mark.parametrize(
        "when",
        [
            'scores["tone"] >= 0.5',
            'scores["tone"] < 0.5',
            '!(scores["tone"] < 0.5)',
            'scores["tone"] > 0.5 && scores["blocklist"] > 0.5',
            'scores["tone"] > 0.5 || scores["blocklist"] > 0.5',
        ],
    )
    def test_a_rule_that_needs_the_score_does_not_hold(self, when: str) -> None:
        assert decided(when, **ABSTAINS, scores={"blocklist": 0.0}) is Action.ALLOW

    def test_nor_does_it_where_another_part_would_hold_alone_only(self) -> None:
        either = 'scores["tone"] > 0.5 || scores["blocklist"] > 0.5'
        assert decided(either, **ABSTAINS, scores={"blocklist": 1.0}) is Action.BLOCK

    @pytest.mark.parametrize(
        "when",
        ['scores["tone"] > 0.5 || scores["blocklist"] > 0.5', 'scores["tone"] <= 0.5 && scores.lost > 0.5'],
    )
    def test_what_failed_beside_it_still_fails(self, when: str) -> None:
        assert decided(when, **ABSTAINS) is Action.BLOCK

    def test_rules_can_ask_for_the_abstention(self) -> None:
        when = '"tone" in inconclusive && inconclusive["tone"].contains("words")'
        assert decided(when, "review", **ABSTAINS) is Action.REVIEW
        assert decided('"tone" in inconclusive', "review") is Action.ALLOW

    def test_without_abstentions_a_missing_score_fails(self) -> None:
        assert decided('scores["tone"] > 0.5') is Action.BLOCK

    def test_an_allow_needs_a_score_too(self) -> None:
        allowed = policy(
            rule('scores["tone"] < 0.5', "allow", name="fine"), rule("true", "review", name="else")
        )
        facts = Facts("output", Modality.TEXT, inconclusive={"tone": "Too short."})
        assert allowed.decide(facts).rule == "else"
