"""Conditions alone: offsets of complaints, answers and the lack of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import policies
from guard.errors import PolicyError
from guard.media import Modality
from policies import Facts
from policies.conditions import Condition, ConditionError, EvaluationError, activation

FACTS = Facts("output", Modality.TEXT, scores={"a": 0.5}, user={"tier": "free"})


def complaint(text: str) -> ConditionError:
    with pytest.raises(ConditionError) as caught:
        Condition(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("true", True),
        ("false", False),
        ('scores["a"] >= 0.5', True),
        ("scores.a > 0.5", False),
        ('"b" in scores', False),
        ("has(user.tier)", True),
        ('user.tier in ["free", "paid"]', True),
        ("scores.exists(s, scores[s] > 0.4)", True),
        ("errors.size() == 0", True),
        ('stage.startsWith("out") && modality.matches("^te")', True),
        ('scores["a"] > (user["tier"] == "free" ? 0.4 : 0.6)', True),
    ],
)
def test_answers(text: str, holds: bool) -> None:
    assert Condition(text).holds(activation(FACTS)) is holds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('scores["b"] > 0.5', 'there is no value for "b"'),
        ("user.plan == stage", 'there is no value for "plan"'),
        ("1 / 0 == 1", "divide by zero"),
        ('stage.matches("(")', "invalid regular expression"),
    ],
)
def test_no_answer(text: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message.replace("(", r"\(")):
        Condition(text).holds(activation(FACTS))


def test_a_failure_is_not_taken_for_the_true_text_that_describes_it() -> None:
    with pytest.raises(EvaluationError):
        Condition('user["absent"] == "x"').holds(activation(FACTS))


@pytest.mark.parametrize(
    "text", ["stag", " stag", "\n\n  stag", "\tstag", '"日𝒳" == stage || stag', "true &&\r\n stag"]
)
def test_offsets_count_code_points(text: str) -> None:
    assert complaint(text).offset == text.index("stag", text.find("||") + 1)


def test_all_names_are_told() -> None:
    message = complaint("score").message
    for name in ("errors", "mime", "modality", "model", "route", "scores", "stage", "user"):
        assert name in message


STYLES = {
    "plain": lambda lines: "\n      ".join(lines),
    "single": lambda lines: "'" + "\n      ".join(line.replace("'", "''") for line in lines) + "'",
    "double": lambda lines: '"' + "\n      ".join(line.replace('"', '\\"') for line in lines) + '"',
    "literal": lambda lines: "|\n      " + "\n      ".join(lines),
    "folded": lambda lines: ">-\n      " + "\n      ".join(lines),
}
GOOD = st.sampled_from(['stage == "é日𝒳"', "modality == 'text'", '"x" in scores', "true", "user.size() > 0"])


@given(st.lists(GOOD, max_size=4), st.lists(GOOD, max_size=2), st.sampled_from(sorted(STYLES)))
def test_a_misspelt_name_is_pointed_at_in_every_style_of_yaml(
    before: list[str], after: list[str], style: str
) -> None:
    lines = [f"{part} &&" for part in [*before, "mistake", *after]]
    lines[-1] = lines[-1].removesuffix(" &&")
    if style == "plain" and lines[0].startswith('"'):
        lines[0] = f"({lines[0].removesuffix(' &&')})" + (" &&" if len(lines) > 1 else "")
    text = f"name: t\nversion: 1\nrules:\n  - id: r\n    when: {STYLES[style](lines)}\n"
    text += "    action: block\n    reason: r\n"
    with pytest.raises(PolicyError) as caught:
        policies.loads(text)
    line = text.split("\n")[caught.value.line - 1]
    assert line[caught.value.column - 1 :].startswith("mistake")
