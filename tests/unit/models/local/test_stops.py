from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.local.stops import until_stop


@pytest.mark.parametrize(
    ("pieces", "stops", "text"),
    [
        (["one ", "two"], [], "one two"),
        (["one ", "two"], ["three"], "one two"),
        (["one STOP two"], ["STOP"], "one "),
        (["one ST", "OP two"], ["STOP"], "one "),
        (["one S", "T", "O", "P"], ["STOP"], "one "),
        (["one ST", "ART"], ["STOP"], "one START"),
        (["ends in ST"], ["STOP"], "ends in ST"),
        (["a SSTOP"], ["STOP"], "a S"),
        (["late EARLY late"], ["late!", "EARLY"], "late "),
        (["one STOP"], ["one STOP", "STO"], "one "),
        (["one STOP"], ["OP", "STOP"], "one "),
        (["STOP"], ["STOP"], ""),
        (["", "a", ""], ["b"], "a"),
        ([], ["b"], ""),
    ],
)
def test_a_text_ends_at_its_first_stop(pieces: list[str], stops: list[str], text: str) -> None:
    assert "".join(until_stop(pieces, stops)) == text


def test_what_cannot_begin_a_stop_is_passed_on_at_once() -> None:
    assert list(until_stop(["one ", "S", "un ", "ST"], ["STOP"])) == ["one ", "Sun ", "ST"]


def test_nothing_is_read_after_the_stop() -> None:
    pieces = iter(["a", "STOP", "b"])
    assert "".join(until_stop(pieces, ["STOP"])) == "a"
    assert list(pieces) == ["b"]


@given(
    pieces=st.lists(st.text("abS", max_size=4)),
    stops=st.lists(st.text("abS", min_size=1, max_size=3), max_size=3),
)
def test_the_cuts_between_pieces_change_nothing(pieces: list[str], stops: list[str]) -> None:
    got = list(until_stop(pieces, stops))
    assert "".join(got) == "".join(until_stop(list("".join(pieces)), stops))
    assert not any(stop in "".join(got) for stop in stops)
    assert all(got)
