"""The block list: terms and patterns, disguises, spans, signals, speed."""

from __future__ import annotations

import random
from collections import defaultdict
from functools import cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from detectors import Context, Finding
from detectors.blocklist import Blocklist, Group
from detectors.blocklist.folding import fold, skeleton
from guard.errors import ConfigurationError, DetectorError
from guard.media import Artifact, Modality

OUTPUT = Context("output")


def findings(blocklist: Blocklist, text: str) -> dict[str, Finding]:
    found = blocklist.inspect(Artifact.from_text(text), OUTPUT)
    return {finding.signal: finding for finding in found}


def hits(text: str, *terms: str, **options: object) -> list[str]:
    """What the block list finds, cut out of the text."""
    group = Group(id="g", terms=terms, **options)  # type: ignore[arg-type]
    spans = findings(Blocklist([group]), text)["blocklist"].spans
    return [text[span.start : span.end] for span in spans]


# --- terms ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "terms", "expected"),
    [
        ("a bad word", ["bad"], ["bad"]),
        ("bad", ["bad"], ["bad"]),
        ("Bad, BAD! bAd", ["bad"], ["Bad", "BAD", "bAd"]),
        ("bad bad bad", ["bad"], ["bad", "bad", "bad"]),
        ("badger forbad bad1 1bad", ["bad"], []),
        ("(bad) _bad_ bad's", ["bad"], ["bad", "bad", "bad"]),
        ("badé ébad", ["bad"], []),
        ("very  \n\tbad\u00a0thing", ["very bad thing"], ["very  \n\tbad\u00a0thing"]),
        ("verybad", ["very bad"], []),
        ("c++ and C++11", ["c++"], ["c++", "C++"]),
        ("a.b axb", ["a.b"], ["a.b"]),
        ("x [y] z", ["[y]"], ["[y]"]),
        ("one two three", ["one two", "two three"], ["one two three"]),
        ("bad badge", ["bad", "bad badge"], ["bad badge"]),
        ("bad badgers", ["bad", "bad badge"], ["bad"]),
        ("nothing", ["bad"], []),
        ("", ["bad"], []),
    ],
)
def test_words(text: str, terms: list[str], expected: list[str]) -> None:
    assert hits(text, *terms) == expected


@pytest.mark.parametrize(
    ("text", "term", "expected"),
    [
        ("вода ВОДА Вода", "вода", ["вода", "ВОДА", "Вода"]),
        ("половода", "вода", []),
        ("η νύχτα Η ΝΎΧΤΑ η Νύχτα", "η νύχτα", ["η νύχτα", "Η ΝΎΧΤΑ", "η Νύχτα"]),
        ("这是坏话吗", "坏话", ["坏话"]),
        ("使用bad的", "bad", ["bad"]),
        ("คำหยาบคาย", "หยาบ", ["หยาบ"]),
        ("バカー ﾊﾞｶ", "バカ", ["バカ", "ﾊﾞｶ"]),
        ("욕설 나쁜욕설", "욕설", ["욕설"]),
        ("हिन्दी हिन्दीय", "हिन्दी", ["हिन्दी"]),
        ("Straße STRASSE", "strasse", ["Straße", "STRASSE"]),
        ("ISTANBUL İstanbul ıstanbul", "istanbul", ["ISTANBUL", "İstanbul", "ıstanbul"]),
    ],
)
def test_words_of_the_world(text: str, term: str, expected: list[str]) -> None:
    assert hits(text, term) == expected


def test_substrings() -> None:
    assert hits("forbadger bad", "bad", match="substring") == ["bad", "bad"]
    assert hits("xaaay", "aa", match="substring") == ["aaa"]
    assert hits("나쁜욕설은", "욕설", match="substring") == ["욕설"]


def test_leet_is_asked_for() -> None:
    assert hits("b4d @$$ 8ad", "bad", "ass") == []
    assert hits("b4d @$$ 8ad", "bad", "ass", leet=True) == ["b4d", "@$$", "8ad"]
    assert hits("b4d4", "bad", leet=True) == []


@pytest.mark.parametrize("text", ["b a d", "b.a.d", "b-a-d", "b_a_d", "b · a — d", "B * A * D", "b\na\nd"])
def test_spaced_letters_are_asked_for(text: str) -> None:
    assert hits(text, "bad") == []
    assert hits(f"x, {text}, y", "bad", spaced=True) == [text]


def test_spaced_letters_keep_to_words() -> None:
    assert hits("grab a dog; b a dog; crab a d", "bad", spaced=True) == []
    assert hits("b ad ba d b    a d", "bad", spaced=True) == []
    assert hits("a b", "ab", spaced=True) == []
    assert hits("b a d g u y, bad guy", "bad guy", spaced=True) == ["b a d g u y", "bad guy"]
    assert hits("gra b a dog", "bad", spaced=True, match="substring") == []


# --- disguises --------------------------------------------------------------------------------------------

INVISIBLE = (
    "\u200b\u200c\u200d\u2060\u2063\ufeff\u00ad\u061c\u200e\u200f\u202a\u202e\u2066\u2069\U000e0061\u3164"
)
SOME_TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12)
MARKS = "\u0301\u0308\u0336\u0489\u20dd\ufe0f\ufe00\U000e0100"


@cache
def disguises() -> dict[str, list[str]]:
    """For each small letter, everything below the third plane that is taken for it."""
    found: dict[str, list[str]] = defaultdict(list)
    for code in (*range(0x3000), *range(0xA400, 0xAC00), *range(0xF900, 0x10000), *range(0x1D400, 0x1F200)):
        seen = fold(chr(code)).decode().lower()
        if len(seen) == 1 and "a" <= seen <= "z":
            found[seen].append(chr(code))
    return found


def test_every_letter_has_many_disguises() -> None:
    assert min(map(len, disguises().values())) >= 20
    assert len(disguises()) == 26


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_disguise_is_found_and_its_span_is_exact(data: st.DataObject) -> None:
    term = data.draw(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8))
    before = data.draw(st.sampled_from(["", "x ", "日", "é\u0301 ", "Ж—", "🎉\u200b "]))
    after = data.draw(st.sampled_from(["", " x", "日", ".\u0301", "\u200b", " \u0301"]))
    pieces = []
    for letter in term:
        pieces.append(data.draw(st.sampled_from(disguises()[letter])))
        pieces.append(data.draw(st.text(MARKS, max_size=2)))
        pieces.append(data.draw(st.text(INVISIBLE, max_size=3)))
    disguised = "".join(pieces[:-1])
    assert hits(before + disguised + after, term) == [disguised]


@settings(max_examples=100, deadline=None)
@given(SOME_TEXT, SOME_TEXT, SOME_TEXT)
def test_any_term_is_found_as_it_is_written(term: str, before: str, after: str) -> None:
    assume(skeleton(term).data.strip())
    text = f"{before} {term} {after}"
    spans = findings(Blocklist([Group(id="g", terms=(term,), match="substring")]), text)["blocklist"].spans
    covered = {i for s in spans for i in range(s.start, s.end)}
    visible = {i for i, c in enumerate(term, len(before) + 1) if fold(c).strip()}
    assert visible <= covered


def test_a_name_in_boxes_and_a_flag() -> None:
    assert hits("say 🅱🅰🅳 or 🇧🇦🇩 now", "bad") == ["🅱🅰🅳", "🇧🇦🇩"]


# --- patterns ---------------------------------------------------------------------------------------------


def pattern_hits(text: str, *patterns: str) -> list[str]:
    spans = findings(Blocklist([Group(id="g", patterns=patterns)]), text)["blocklist"].spans
    return [text[span.start : span.end] for span in spans]


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("id A123 a456 A789", r"A\d{3}", ["A123", "A789"]),
        ("id A123 a456", r"(?i)a\d{3}", ["A123", "a456"]),
        ("ｉｄ Ａ１２３", r"A\d{3}", ["Ａ１２３"]),
        ("A\u200b1\u200b2\u200b3", r"A\d{3}", ["A\u200b1\u200b2\u200b3"]),
        ("привет мир", r"при\pL+", ["привет"]),
        ("日本 x", r"\p{Han}+", ["日本"]),
        ("abc", r"^b|c$", ["c"]),
        ("abc", r"\b", []),
        ("one\ntwo", r"(?m)^two$", ["two"]),
    ],
)
def test_patterns(text: str, pattern: str, expected: list[str]) -> None:
    assert pattern_hits(text, pattern) == expected


def test_patterns_that_overlap_are_one_place() -> None:
    assert pattern_hits("abcdef xyz", "abcd", "cdef", "xyz") == ["abcdef", "xyz"]


# --- findings ---------------------------------------------------------------------------------------------


def test_signals_scores_and_labels() -> None:
    blocklist = Blocklist(
        [
            Group(id="mild", terms=("darn",), score=0.3),
            Group(id="strong", terms=("damn",), score=0.9, label="swearing"),
            Group(id="keys", signal="secrets", patterns=("K[0-9]+",), label="credential"),
        ]
    )
    found = findings(blocklist, "damn it, darn K12")
    assert {signal: f.score for signal, f in found.items()} == {
        "blocklist": 0.9,
        "blocklist/mild": 0.3,
        "blocklist/strong": 0.9,
        "secrets": 1.0,
        "secrets/keys": 1.0,
    }
    assert [span.label for span in found["blocklist"].spans] == ["swearing", "mild"]
    assert [span.label for span in found["secrets/keys"].spans] == ["credential"]
    assert found["blocklist"].flagged
    assert not found["blocklist/mild"].flagged


def test_nothing_seen_is_a_score_of_zero_for_every_signal() -> None:
    found = findings(Blocklist(), "a calm text")
    assert {"blocklist", "blocklist/demo", "secrets", "secrets/keys"} <= found.keys()
    assert all(f.score == 0 and not f.spans and not f.flagged and not f.message for f in found.values())


def test_the_main_signal_is_there_without_a_group_of_its_own() -> None:
    assert findings(Blocklist([Group(id="a", signal="other", terms=("x",))]), "x")["blocklist"].score == 0
    assert findings(Blocklist([]), "x").keys() == {"blocklist"}


def test_findings_do_not_repeat_the_words() -> None:
    found = findings(Blocklist([Group(id="g", terms=("hunter2",))]), "my password is hunter2")
    assert "hunter2" not in "".join(f.message + str(f.details) for f in found.values())
    assert found["blocklist"].message == "1 place(s) in the text"


def test_the_card_tells_lists_apart() -> None:
    one, two = (Blocklist([Group(id="g", terms=(term,))]).card for term in ("one", "two"))
    assert one.version != two.version
    assert one.version == Blocklist([Group(id="g", terms=("one",))]).card.version
    assert one.modalities == {Modality.TEXT}
    assert (one.id, one.signal) == ("blocklist", "blocklist")
    assert findings(Blocklist(), "x")["blocklist"].version == Blocklist().card.version


def test_other_media_are_refused() -> None:
    picture = Artifact(Modality.IMAGE, "image/png", b"")
    with pytest.raises(DetectorError, match="reads text, not image"):
        Blocklist().inspect(picture, OUTPUT)


@pytest.mark.parametrize("pattern", ["(", "(?=x)", r"\1", "[b-a]", "x{1001}", "(?P<n>"])
def test_what_re2_refuses(pattern: str) -> None:
    with pytest.raises(ConfigurationError, match="group 'g': RE2 refuses this: "):
        Blocklist([Group(id="g", patterns=("fine", pattern))])


@pytest.mark.parametrize("pattern", ["a*", "(?:x|)", "^", r"\B"])
def test_what_matches_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigurationError, match="matches the empty text"):
        Blocklist([Group(id="g", patterns=(pattern,))])


@pytest.mark.parametrize("term", ["\u200b", " ", "\u0301\ufe0f"])
def test_a_term_that_cannot_be_seen_is_refused(term: str) -> None:
    with pytest.raises(ConfigurationError, match="nothing that can be seen"):
        Blocklist([Group(id="g", terms=(term,))])


def test_a_group_given_twice_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="group id 'a' is given twice"):
        Blocklist([Group(id="a", terms=("x",)), Group(id="a", terms=("y",))])
    Blocklist([Group(id="a", terms=("x",)), Group(id="a", signal="other", terms=("y",))])


# --- the list that is shipped -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "forbidden-demo-term",
        "Forbidden Demo Term",
        "f0rb1dd3n-d3m0-t3rm",
        "fоrbidden–dеmo–tеrm",
        "f.o.r.b.i.d.d.e.n d.e.m.o t.e.r.m",
    ],
)
def test_the_demo_term(text: str) -> None:
    found = findings(Blocklist(), f"please say {text} now")
    assert found["blocklist/demo"].score == 1
    assert found["secrets"].score == 0


def secret(*parts: str) -> str:
    """Put together at run time, so that no scanner of repositories takes this file for a leak."""
    return "".join(parts)


@pytest.mark.parametrize(
    "key",
    [
        secret("AKIA", "IOSFODNN7EXAMPLE"),
        secret("ghp_", "a1" * 18),
        secret("github_pat_", "A" * 22, "_", "b" * 59),
        secret("glpat-", "x" * 20),
        secret("xoxb-", "123456789012-abc"),
        secret("AIza", "B" * 35),
        secret("sk_live_", "c" * 24),
        secret("sk-proj-", "d" * 40),
        secret("hf_", "e" * 34),
        secret("npm_", "f" * 36),
        secret("eyJ", "hbGciOiJIUzI1", ".eyJ", "zdWIiOiIxMjM0", ".", "g" * 20),
        secret(
            "-----BEGIN RSA PRIVATE",
            " KEY-----\nProc-Type: 4,ENC\n\nMIIabc+/==\n-----END RSA PRIVATE KEY-----",
        ),
        secret("-----BEGIN PRIVATE", " KEY-----\\nMIIabc+/=="),
        secret("-----BEGIN PGP PRIVATE", " KEY BLOCK-----\n\nabc\n=ab\n-----END PGP PRIVATE KEY BLOCK-----"),
    ],
)
def test_credentials(key: str) -> None:
    text = f"Use “{key}” for it."
    found = findings(Blocklist(), text)
    assert [text[s.start : s.end] for s in found["secrets"].spans] == [key]
    assert {s.label for s in found["secrets"].spans} == {"credential"}
    assert found["blocklist"].score == 0


@pytest.mark.parametrize(
    "text", ["AKIA", "akiaiosfodnn7example", "ghp_short", "sk-learn is a library", "BEGIN PUBLIC KEY"]
)
def test_what_is_no_credential(text: str) -> None:
    assert findings(Blocklist(), text)["secrets"].score == 0


# --- time -------------------------------------------------------------------------------------------------


def words(seed: int, count: int) -> list[str]:
    letters = random.Random(seed)
    return ["".join(letters.choices("etaoinshrdlucmfw", k=letters.randint(4, 10))) for _ in range(count)]


@pytest.mark.parametrize(
    "text",
    [
        " ".join(words(1, 140_000)),
        " ".join(words(1, 90_000)).replace("e", "е").replace("a", "а"),
        "\u200b".join(words(2, 100_000)),
        "日本" * 170_000,
        "𝒳" * 250_000,
        "a\u0301\u0302" * 200_000,
        "x  " * 340_000,
    ],
    ids=["ascii", "lookalikes", "zero-width", "han", "mathematical", "marks", "blanks"],
)
def test_a_megabyte_is_inspected_whole(text: str) -> None:
    blocklist = Blocklist([Group(id="g", terms=tuple(words(3, 200)), spaced=True, leet=True)])
    artifact = Artifact.from_text(text)
    assert len(artifact.text.encode()) > 700_000
    tail = Artifact.from_text(artifact.text + f" {words(3, 1)[0]}")
    assert blocklist.inspect(tail, OUTPUT)[0].spans[-1].end == len(tail.text)
