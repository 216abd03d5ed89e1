"""A text that leaves in parts: what stands where, and what cannot be changed any more."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.streaming.leaving import Leaving
from policies import redact

SPANS = st.lists(
    st.tuples(st.integers(0, 19), st.integers(1, 8), st.sampled_from("xyz")).map(
        lambda s: (s[0], min(20, s[0] + s[1]), s[2])
    ),
    max_size=6,
)
TEXT = "abcdefghijklmnopqrst"


def leaving(text: str = TEXT) -> Leaving:
    it = Leaving()
    for character in text:
        it.add(character)
    return it


@given(SPANS, st.lists(st.integers(0, 20), max_size=5))
def test_parts_make_up_the_whole(spans: list[tuple[int, int, str]], places: list[int]) -> None:
    it = leaving()
    assert it.redact(spans)
    cuts = [0, *sorted(places), 20]
    parts = [it.leave(start, end) for start, end in pairwise(cuts)]
    assert "".join(parts) == it.whole() == redact(TEXT, spans)
    assert it.redact(spans)
    assert it.left == 20


@given(SPANS, st.integers(0, 20), SPANS)
def test_what_has_left_is_never_changed(
    early: list[tuple[int, int, str]], left: int, late: list[tuple[int, int, str]]
) -> None:
    it = leaving()
    assert it.redact(early)
    gone = it.leave(0, left)
    in_time = it.redact([*early, *late])
    assert it.whole().startswith(gone)
    hidden = {i for start, end, _ in early for i in range(start, end)}
    if in_time:
        hidden |= {i for start, end, _ in late for i in range(start, end)}
        assert set(it.whole()) & {TEXT[i] for i in hidden} <= set("xyz")
    else:
        assert any(start < left for start, _, _ in late)


def test_a_place_that_goes_on_keeps_its_label() -> None:
    it = leaving()
    assert it.redact([(2, 5, "first")])
    assert it.leave(0, 4) == "ab[first]"
    assert it.redact([(2, 5, "first"), (3, 8, "second")])
    assert it.leave(4, 9) == "i"
    assert not it.redact([(1, 3, "late")])


def test_a_label_stands_before_what_has_not_left() -> None:
    it = leaving("Good morning.")
    it.label()
    assert it.leave(0, 4) == "[AI-generated]\nGood"
    it.label()
    assert it.whole() == "[AI-generated]\nGood morning."
    late = leaving("Good morning.")
    assert late.leave(0, 5) == "Good "
    late.label()
    assert late.leave(5, 13) == "\n[AI-generated]\nmorning."


def test_a_label_is_not_lost_beside_a_cut() -> None:
    it = leaving()
    assert it.redact([(2, 6, "x")])
    it.leave(0, 4)
    it.label()
    assert it.redact([(5, 9, "y")])
    assert it.whole() == "ab[x]\n[AI-generated]\njklmnopqrst"


def test_a_label_at_the_very_end_is_a_tail() -> None:
    it = leaving("Good.")
    it.leave(0, 5)
    it.label()
    assert it.whole() == "Good.\n[AI-generated]\n"
    assert it.become(it.whole()) == "\n[AI-generated]\n"


@pytest.mark.parametrize(
    ("left", "final", "tail", "rest"),
    [
        (0, "abc+", "+", "abc"),
        (3, "abc+", "+", ""),
        (1, "abC+", "", "bC+"),
        (0, "other", "", "other"),
        (1, "other", None, None),
    ],
)
def test_becoming_the_final_text(left: int, final: str, tail: str | None, rest: str | None) -> None:
    it = leaving("abc")
    gone = it.leave(0, left)
    assert it.become(final) == tail
    if tail is not None:
        assert it.leave(left, 3) == rest
        assert gone + (rest or "") + tail == final


def test_a_cut_that_has_half_left_stays_when_the_rest_is_rewritten() -> None:
    it = leaving("abcdef")
    assert it.redact([(1, 4, "x")])
    assert it.leave(0, 2) == "a[x]"
    assert it.become("a[x]EF") == ""
    assert it.leave(2, 6) == "EF"
