"""Taking RE2 expressions apart, held against trying every beginning."""

from __future__ import annotations

import pytest
import re2
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from detectors.blocklist.beginnings import UnreadableError, take_apart

ATOMS = st.sampled_from(["a", "b", "[ab]", "[^a]", ".", r"\w", r"\x61", r"\pL", "[[:alpha:]b]", r"\x{62}"])
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda options: f"(?:{'|'.join(options)})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{2,}", "*?", "{0}"])).map(
            lambda pair: f"({pair[0]}){pair[1]}"
        ),
        inner.map(lambda expression: f"(?i:{expression})|c"),
    ),
    max_leaves=6,
)


def begun(expression: str) -> str | None:
    return take_apart(expression).begun


def full(expression: str, text: str) -> bool:
    return re2.fullmatch(expression, text) is not None


@settings(max_examples=100)
@given(EXPRESSIONS, st.text("abAc", min_size=1, max_size=6))
def test_every_beginning_of_a_match_is_one(expression: str, text: str) -> None:
    assume(full(expression, text))
    found = begun(expression)
    assert found is not None
    for end in range(1, len(text) + 1):
        assert full(found, text[:end]), (expression, found, text[:end])


@settings(max_examples=150)
@given(EXPRESSIONS, st.text("abc", max_size=4))
def test_the_parts_put_together_are_the_same(expression: str, text: str) -> None:
    assert full(take_apart(expression).whole, text) == full(expression, text)


@pytest.mark.parametrize(
    ("expression", "beginnings", "others"),
    [
        ("abc", ["a", "ab", "abc"], ["", "b", "abcd", "ac"]),
        (r"\bgh_[a-z]{2,3}\b", ["g", "gh", "gh_", "gh_a", "gh_abc"], ["h", "gh_abcd"]),
        ("(?i)ab", ["a", "A", "aB"], ["b"]),
        ("a(?i)b|c", ["a", "aB", "C"], ["A"]),
        ("(?i:a)b", ["A", "Ab"], ["AB"]),
        ("(?i)a(?-i)b", ["A", "Ab"], ["AB"]),
        ("(?s:a.)b", ["a", "a\n", "a\nb"], ["b"]),
        ("(?P<name>ab)+c", ["a", "aba", "ababc"], ["abb"]),
        (r"[]a][^]b]", ["]", "]c"], ["]b", "b"]),
        (r"[\]\\]x", ["]", "\\", "\\x"], ["x"]),
        (r"\(\pL\)", ["(", "(é", "(é)"], ["é"]),
        (r"a{2}", ["a", "aa"], ["aaa"]),
        (r"a{,2}b", ["a", "a{", "a{,2}b"], ["aa"]),
        (r"\141\x62", ["a", "ab"], ["b"]),
        (r"a$", ["a"], ["b"]),
        (r"(?m)^a\B", ["a"], ["b"]),
        (r"(?:a|)b", ["a", "b", "ab"], ["ba"]),
        (r"x{0}y", ["y"], ["x"]),
    ],
)
def test_examples(expression: str, beginnings: list[str], others: list[str]) -> None:
    found = begun(expression)
    assert found is not None
    assert [text for text in beginnings if not full(found, text)] == []
    assert [text for text in others if full(found, text)] == []


@pytest.mark.parametrize("expression", [r"\b", "^$", "", "(?i)", "a{0}", "(?:)"])
def test_what_matches_no_character_has_no_beginning(expression: str) -> None:
    assert begun(expression) is None


@pytest.mark.parametrize("expression", [r"\Qa.b\E", "a)", "(a", "(?x", "[a"])
def test_what_cannot_be_taken_apart(expression: str) -> None:
    with pytest.raises(UnreadableError):
        take_apart(expression)
