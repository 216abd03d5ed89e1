"""Reading words through their disguises."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.toxicity.reading import words
from tests.unit.detectors.toxicity.parts import VOCABULARY


def read(text: str) -> list[str]:
    return [word.text for word in words(text, VOCABULARY)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I Hate THEM", ["i", "hate", "them"]),
        ("h4te th3m", ["hate", "them"]),
        ("(b1tch!)", ["(", "bitch", "!", ")"]),
        ("h@te $o cool", ["hate", "$", "o", "cool"]),
        ("h a t e them", ["hate", "them"]),
        ("I h a t e them", ["i", "hate", "them"]),
        ("f.u.c.k you", ["fuck", "you"]),
        ("haaaate coooool", ["hate", "cool"]),
        ("n\u0430\u0442e h\u0430te", ["nate", "hate"]),
        ("h\u200ba\u200bt\u200be", ["hate"]),
        ("\uff48\uff41\uff54\uff45", ["hate"]),
        ("see https://example.test/h4te all", ["see", "all"]),
        ("don't", ["don", "'", "t"]),
    ],
)
def test_a_disguised_word_is_read_as_what_it_is(text: str, expected: list[str]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize("text", ["4th", "mp3", "2024", "s 4 t", "a b c d", "qqqq7", "x1"])
def test_what_is_no_word_in_disguise_stays_as_it_is(text: str) -> None:
    assert "".join(read(text)) in (text.replace(" ", ""), text.replace("qqqq", "q").replace(" ", ""))


def test_words_lead_back_to_the_text() -> None:
    text = "\U0001f600 na\u00efve h a t e, th3m!"
    found = [(word.text, text[word.start : word.end]) for word in words(text, VOCABULARY)]
    assert found[1:] == [
        ("naive", "na\u00efve"),
        ("hate", "h a t e"),
        (",", ","),
        ("them", "th3m"),
        ("!", "!"),
    ]
    assert found[0][1] == "\U0001f600"


def test_what_cannot_be_read_is_one_word_that_nothing_spells() -> None:
    (word,) = words("\u65e5\u672c\u8a9e", VOCABULARY)
    assert VOCABULARY.cut(word.text) == (VOCABULARY.unknown,)


@given(st.text(max_size=200))
def test_places_are_in_the_text_and_in_order(text: str) -> None:
    found = words(text, VOCABULARY)
    assert all(0 <= word.start < word.end <= len(text) for word in found)
    assert all(a.start <= b.start for a, b in pairwise(found))


def test_long_runs_take_no_longer_than_they_are() -> None:
    for text in ("a" * 200_000, "a " * 100_000, "a1!" * 60_000, "h.a." * 50_000, "http" * 50_000):
        assert words(text, VOCABULARY)
