"""Redaction."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.errors import InputError
from policies import redact

TEXT = "0123456789"


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], TEXT),
        ([(2, 4, "a")], "01[a]456789"),
        ([(0, 10, "a")], "[a]"),
        ([(6, 8, "b"), (2, 4, "a")], "01[a]45[b]89"),
        ([(2, 4, "a"), (4, 6, "b")], "01[a][b]6789"),
        ([(2, 6, "a"), (4, 8, "b")], "01[a]89"),
        ([(2, 8, "a"), (4, 6, "b"), (7, 9, "c")], "01[a]9"),
        ([(2, 4, "b"), (2, 6, "a")], "01[a]6789"),
        ([(2, 4, "b"), (2, 4, "a")], "01[a]456789"),
        ([(2, 4, "a"), (2, 4, "a")], "01[a]456789"),
    ],
)
def test_redact(spans: list[tuple[int, int, str]], expected: str) -> None:
    assert redact(TEXT, spans) == expected


def test_code_points_count_not_bytes() -> None:
    assert redact("日本語𝒳é", iter([(1, 4, "x")])) == "日[x]é"


@pytest.mark.parametrize("span", [(-1, 2, "a"), (3, 3, "a"), (4, 3, "a"), (8, 11, "a")])
def test_a_span_that_is_not_in_the_text(span: tuple[int, int, str]) -> None:
    with pytest.raises(InputError, match="of a text that has 10") as caught:
        redact(TEXT, [span])
    assert caught.value.remedy


@given(st.text("abc", min_size=1, max_size=30), st.data())
def test_what_is_covered_goes_and_the_rest_stays(text: str, data: st.DataObject) -> None:
    starts = st.integers(0, len(text) - 1)
    pairs = data.draw(st.lists(st.tuples(starts, st.integers(1, 5)), max_size=5))
    spans = [(s, min(s + n, len(text)), "X") for s, n in pairs]
    covered = {i for s, e, _ in spans for i in range(s, e)}
    assert redact(text, spans).replace("[X]", "") == "".join(
        c for i, c in enumerate(text) if i not in covered
    )
