"""The block list on texts that are still coming in: the same findings however the text was cut."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import Context, Span, Streaming
from detectors.blocklist import Blocklist, Group
from guard.media import Artifact

OUTPUT = Context("output")
SHIPPED = Blocklist()
KEY = "ghp_" + "a1B2" * 10
TERMS = st.lists(
    st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=3).map(" ".join),
    min_size=1,
    max_size=3,
)
PATTERNS = [
    "ab+a",
    "(?i)b{2,3}",
    r"\bab?\b",
    "a$",
    "^b",
    r"(?m)^a\B",
    "a.*b",
    "(a|bb)+ ",
    r"b\s?b|é",
    "a(?:b a)*b",
    "日+",
    r"\pM",
    "a??b",
    r"\b",
    r"b|bab",
]
LETTERS = st.sampled_from("ab b-\n日éAB\u0301\u200bа\x01")


def cuts(text: str, data: st.DataObject) -> list[str]:
    if data.draw(st.booleans()):
        return list(text)
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


def follow(blocklist: Blocklist, pieces: Sequence[str]) -> list[int]:
    """Feeds the pieces and holds every promise of the watch against the look at the whole."""
    text = "".join(pieces)
    whole = blocklist.inspect(Artifact.from_text(text.replace("\x01", "\u200c")), OUTPUT)
    final = {(f.signal, span) for f in whole for span in f.spans}
    watch = blocklist.watch(OUTPUT)
    cleared, size, seen = [0], 0, watch.findings()
    for piece in pieces:
        cleared.append(watch.feed(piece))
        size += len(piece)
        assert cleared[-2] <= cleared[-1] <= size
        known = [(f.signal, span) for f in watch.findings() for span in f.spans]
        for signal, span in final:
            if span.start < cleared[-1]:
                assert any(_covers(s, span, cleared[-1]) for name, s in known if name == signal)
        changed = watch.findings() is not seen
        assert changed or watch.findings() == seen
        seen = watch.findings()
    assert list(watch.finish()) == list(whole)
    return cleared[1:]


def _covers(known: Span, final: Span, cleared: int) -> bool:
    return known.start <= final.start and known.end >= min(final.end, cleared)


@settings(max_examples=120)
@given(st.data())
def test_any_list_on_any_text_cut_anywhere(data: st.DataObject) -> None:
    groups = [
        Group(
            id=f"g{number}",
            terms=tuple(data.draw(TERMS)),
            patterns=tuple(data.draw(st.lists(st.sampled_from(PATTERNS), max_size=2))),
            match=data.draw(st.sampled_from(["word", "substring"])),
            leet=data.draw(st.booleans()),
            spaced=data.draw(st.booleans()),
        )
        for number in range(data.draw(st.integers(1, 2)))
    ]
    terms = st.sampled_from([term for group in groups for term in group.terms])
    parts = data.draw(st.lists(st.one_of(LETTERS, terms, st.just(" ")), max_size=16))
    follow(Blocklist(groups), cuts("".join(parts), data))


@settings(max_examples=60)
@given(st.data())
def test_the_list_that_is_shipped(data: st.DataObject) -> None:
    parts = data.draw(
        st.lists(
            st.sampled_from(
                [KEY, KEY[:20], "sk-", "forbidden", "-demo-term", " demo term", "f o r", "\u200b", " ", "."]
            ),
            max_size=8,
        )
    )
    follow(SHIPPED, cuts("".join(parts), data))


def test_it_can_be_followed() -> None:
    assert isinstance(SHIPPED, Streaming)


@pytest.mark.parametrize(
    ("text", "group", "held"),
    [
        ("the cat", Group(id="g", terms=("bad",)), 0),
        ("the bed", Group(id="g", terms=("bad",)), 0),
        ("the ba", Group(id="g", terms=("bad",)), 2),
        ("theba", Group(id="g", terms=("bad",)), 0),
        ("theba", Group(id="g", terms=("bad",), match="substring"), 2),
        ("the b. a", Group(id="g", terms=("bad",), spaced=True), 4),
        ("the very  ", Group(id="g", terms=("very bad",)), 6),
        ("the 8", Group(id="g", terms=("bad",), leet=True), 1),
        ("see A12", Group(id="g", patterns=(r"\bA\d{3}",)), 3),
        ("see BA12", Group(id="g", patterns=(r"\bA\d{3}",)), 0),
        ("from here on", Group(id="g", patterns=("here.*there",)), 7),
        ("from here\non", Group(id="g", patterns=("here.*there",)), 0),
        ("日本", Group(id="g", terms=("本日",)), 1),
    ],
)
def test_only_what_could_become_a_hit_is_held(text: str, group: Group, held: int) -> None:
    *_, cleared = follow(Blocklist([group]), list(text))
    assert len(text) - cleared == held


def test_a_hit_stays_open_while_marks_may_follow() -> None:
    watch = Blocklist([Group(id="g", patterns=("bad",))]).watch(OUTPUT)
    assert [watch.feed(piece) for piece in ("bad\u0301", "\u0302", " and")] == [0, 0, 9]
    assert watch.findings()[0].spans == (Span(0, 5, "g"),)


def test_a_pattern_that_cannot_be_taken_apart_waits_for_the_end() -> None:
    blocklist = Blocklist([Group(id="g", patterns=(r"\Qbad\E",))])
    assert follow(blocklist, ["a bad ", "thing ", "is bad"]) == [0, 0, 0]
    assert follow(blocklist, []) == []


@pytest.mark.parametrize(
    ("unit", "count"),
    [
        ("word ", 40_000),
        ("bad ", 10_000),
        ("b a ", 20_000),
        ("ба", 20_000),
        ("\u200b", 50_000),
        ("e\u0301", 20_000),
    ],
)
def test_a_long_text_in_small_pieces(unit: str, count: int) -> None:
    """Linear: anything quadratic would take minutes here."""
    blocklist = Blocklist([Group(id="g", terms=("bad",), patterns=(r"b a (?:b a )*c",), spaced=True)])
    watch = blocklist.watch(OUTPUT)
    for _ in range(count):
        watch.feed(unit)
    text = unit * count
    assert list(watch.finish()) == list(blocklist.inspect(Artifact.from_text(text), OUTPUT))
