"""Finding terms, held against a slow reference that a reader can check by eye."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.blocklist.folding import original, skeleton
from detectors.blocklist.groups import Group
from detectors.blocklist.matching import Matcher

# Few letters, so that terms overlap, contain each other and repeat.
LETTERS = "ab"
TERMS = st.lists(
    st.lists(st.text(LETTERS, min_size=1, max_size=3), min_size=1, max_size=3).map(" ".join),
    min_size=1,
    max_size=4,
)
TEXTS = st.text(LETTERS + "AB -\n日é", max_size=30)


def found(group: Group, text: str) -> set[int]:
    """Every code point that some hit covers."""
    spans = Matcher(group).spans(skeleton(text), original(text))
    assert spans == sorted(spans)
    assert all(end <= following for (_, end), (following, _) in pairwise(spans))
    return {index for start, end in spans for index in range(start, end)}


def reference(terms: list[str], text: str, *, whole_words: bool) -> set[int]:
    """Tries every term at every place."""
    covered: set[int] = set()
    for term in terms:
        for start in range(len(text)):
            end = _end_of(term, text.lower(), start)
            if end and (not whole_words or (_edge(text, start - 1) and _edge(text, end))):
                covered |= set(range(start, end))
    return covered


def _end_of(term: str, text: str, start: int) -> int | None:
    index = start
    for number, word in enumerate(term.split(" ")):
        if number:
            after = index
            while index < len(text) and text[index] in " \n":
                index += 1
            if index == after:
                return None
        if not text.startswith(word, index):
            return None
        index += len(word)
    return index


def _edge(text: str, index: int) -> bool:
    return not 0 <= index < len(text) or text[index] in " -\n日"


@settings(max_examples=120, deadline=None)
@given(TERMS, TEXTS)
def test_whole_words_agree_with_the_reference(terms: list[str], text: str) -> None:
    group = Group(id="g", terms=tuple(terms))
    assert found(group, text) == reference(terms, text, whole_words=True)


@settings(max_examples=120, deadline=None)
@given(TERMS, TEXTS)
def test_every_substring_starts_a_hit_of_the_reference(terms: list[str], text: str) -> None:
    group = Group(id="g", terms=tuple(terms), match="substring")
    assert found(group, text) == reference(terms, text, whole_words=False)


@settings(max_examples=60, deadline=None)
@given(TERMS, TEXTS)
def test_more_options_never_find_less(terms: list[str], text: str) -> None:
    plain = found(Group(id="g", terms=tuple(terms)), text)
    assert plain <= found(Group(id="g", terms=tuple(terms), leet=True, spaced=True), text)
    assert plain <= found(Group(id="g", terms=tuple(terms), match="substring"), text)


def test_a_long_list_is_searched_in_portions() -> None:
    letters = random.Random(5)
    terms = sorted({"".join(letters.choices("abcdefghij", k=9)) for _ in range(20_000)})
    matcher = Matcher(Group(id="g", terms=tuple(terms)))
    text = f"{terms[0]} and {terms[len(terms) // 2]} and {terms[-1]}"
    hits = matcher.spans(skeleton(text), original(text))
    assert [text[start:end] for start, end in hits] == [terms[0], terms[len(terms) // 2], terms[-1]]
