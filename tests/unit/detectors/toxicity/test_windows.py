"""A text in windows, whole and as it comes in."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from detectors.toxicity.windows import Cutter, Window, sentences
from tests.unit.detectors.toxicity.parts import VOCABULARY


def cut(text: str) -> list[Window]:
    cutter = Cutter(VOCABULARY)
    found = [w for start, end in sentences(text, whole=True) for w in cutter.add(text[start:end], start)]
    return [*found, *cutter.rest()]


def test_a_short_text_is_one_window() -> None:
    (window,) = cut("I see you. The day is good!")
    assert (window.start, window.end, window.words, window.unread) == (0, 27, 7, 0)
    assert (window.ids[0], window.ids[-1]) == (VOCABULARY.cls, VOCABULARY.sep)


def test_a_text_without_words_has_no_window() -> None:
    assert cut("") == cut(" \n ") == []


def test_signs_are_no_words() -> None:
    (window,) = cut("... !!! \U0001f600")
    assert (window.words, window.unread) == (1, 1)


def test_sentences_end_at_their_signs_lines_and_at_last_anyway() -> None:
    text = 'He said "go." Then?! No\nyes 3.14 e.g. so'
    assert [text[a:b] for a, b in sentences(text, whole=True)] == [
        'He said "go." ',
        "Then?! ",
        "No\n",
        "yes 3.14 e.g. ",
        "so",
    ]
    long = "word " * 200
    ends = [b for _, b in sentences(long, whole=True)]
    assert ends[0] == 400
    assert ends[-1] == len(long)
    assert [b for _, b in sentences("x" * 900, whole=True)] == [400, 800, 900]


def test_the_last_sentence_is_not_whole_while_more_may_follow() -> None:
    assert list(sentences("So. And", whole=False)) == [(0, 4)]
    assert list(sentences("So. ", whole=False)) == []
    assert list(sentences("x" * 500, whole=False)) == [(0, 400)]


def test_no_window_is_larger_than_the_network_takes_and_all_words_are_in_one() -> None:
    text = "I hate them all of you. " * 30 + "qz" * 150
    windows = cut(text)
    assert all(len(window.ids) <= 64 for window in windows)
    assert windows[0].start == 0
    assert windows[-1].end == len(text)
    assert all(b.start <= a.end + 1 for a, b in pairwise(windows))


def test_a_window_begins_with_the_short_sentence_before_it() -> None:
    windows = cut("I see the day. " * 20)
    assert len(windows) > 1
    assert all(b.start < a.end for a, b in pairwise(windows))


def test_what_overlaps_gives_way_to_a_sentence_that_fills_a_window() -> None:
    full = "hate " * 62
    windows = cut(f"so. so. {full}\n so.\n{full}\n{full}")
    assert all(len(window.ids) <= 64 for window in windows)
    assert windows[-1].ids.count(VOCABULARY.ids["hate"]) == 62


def test_a_long_sentence_is_not_repeated() -> None:
    sentence = "all of them is so cool " * 2 + "hate the day. "
    windows = cut("".join(sentence * 2 for _ in range(6)) + "x. " * 3)
    assert len(windows) >= 3
    assert all(len(window.ids) <= 64 for window in windows)


@given(
    st.lists(
        st.sampled_from(
            ["so. ", "hate! ", "you all ", "\n", "cool", "? ", ". ", "the" * 50, "x" * 410, "hate " * 62]
        ),
        max_size=60,
    )
)
def test_a_text_that_comes_in_bit_by_bit_gives_the_same_windows(pieces: list[str]) -> None:
    cutter, tail, start, found = Cutter(VOCABULARY), "", 0, list[Window]()
    for piece in pieces:
        tail += piece
        end = 0
        for first, end in sentences(tail, whole=False):
            found += cutter.add(tail[first:end], start + first)
        tail, start = tail[end:], start + end
    for first, end in sentences(tail, whole=True):
        found += cutter.add(tail[first:end], start + first)
    found += cutter.rest()
    assert found == cut("".join(pieces))
    assert all(len(window.ids) <= 64 for window in found)
