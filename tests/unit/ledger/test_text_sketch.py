"""Texts are known again by their words, whole, in part, edited and quoted, and others are not."""

from __future__ import annotations

import random

import pytest

from guard.errors import LedgerError
from guard.ledger import text_sketch
from guard.ledger.text_sketch import MIN_WORDS, asked, filed, make_sketch, resemblance

SYLLABLES = ("ba", "ke", "li", "mo", "nu", "pa", "re", "si", "to", "va", "ze", "chi", "dro", "fla", "gri")
STOCK = ["".join(random.Random(n).choices(SYLLABLES, k=1 + n % 4)) for n in range(4000)]


def words(seed: int, count: int) -> list[str]:
    """Words of a language with a few frequent and many rare ones."""
    draw = random.Random(seed)
    return [STOCK[int(4000 * draw.random() ** 3)] for _ in range(count)]


def text(seed: int, count: int = 60) -> str:
    return " ".join(words(seed, count))


def sketch(of: str) -> bytes:
    made = make_sketch(of)
    assert made is not None
    return made


def edited(of: str, share: float, seed: int) -> str:
    """Words exchanged, put in and left out, a third of the share each."""
    draw, kept = random.Random(seed), []
    for word in of.split():
        change = draw.choice(("exchange", "insert", "delete")) if draw.random() < share else None
        kept += [] if change in ("exchange", "delete") else [word]
        kept += words(draw.randrange(1 << 30), 1) if change in ("exchange", "insert") else []
    return " ".join(kept)


REWRITTEN = {
    "spacing": lambda t: "\n\n" + t.replace(" ", "  \n\t"),
    "capitals": str.upper,
    "quoted mail": lambda t: "> " + t.replace(" ", "\n> "),
    "punctuation": lambda t: t.replace(" ", ", ") + "!",
    "typographic quotes": lambda t: "“" + t.replace(" ", "” “") + "”",
    "accents apart": lambda t: t.replace("e", "e\u0301"),
    "invisible characters": lambda t: t.replace("a", "a\u200b\ufe0f\U000e0105"),
    "full width": lambda t: "".join(chr(ord(c) + 0xFEE0) if "a" <= c <= "z" else c for c in t),
    "bold in Markdown": lambda t: f"**{t}**",
}


@pytest.mark.parametrize("way", REWRITTEN)
def test_the_same_words_are_the_same_text(way: str) -> None:
    found = resemblance(sketch(text(1)), sketch(REWRITTEN[way](text(1))))
    assert found.same
    assert found.score == 1
    assert found.share == found.coverage == 1


def test_apostrophes_do_not_count() -> None:
    plain = text(2) + " don't can't won't"
    assert sketch(plain) == sketch(plain.replace("'", "’"))


@pytest.mark.parametrize("half", [slice(0, 25), slice(25, 50), slice(12, 37)])
def test_half_of_fifty_words_is_enough(half: slice) -> None:
    for seed in range(20):
        whole, part = sketch(text(seed, 50)), sketch(" ".join(words(seed, 50)[half]))
        assert set(filed(whole)) & set(asked(part))
        found = resemblance(whole, part)
        assert found.same
        assert found.coverage == pytest.approx(0.5)
        assert found.share == 1


def test_one_word_in_ten_may_change() -> None:
    recovered, scores = 0, []
    for seed in range(200):
        whole, changed = sketch(text(seed, 50)), sketch(edited(text(seed, 50), 0.1, seed))
        found = resemblance(whole, changed)
        recovered += found.same and bool(set(filed(whole)) & set(asked(changed)))
        scores.append(found.score)
    assert recovered >= 190
    assert 0.85 < sum(scores) / 200 < 0.97


def test_a_quotation_tells_how_much_of_the_text_it_is() -> None:
    quoting = f"{text(90, 240)} {text(7)} {text(91, 100)}"
    found = resemblance(sketch(text(7)), sketch(quoting))
    assert found.same
    assert found.coverage == 1
    assert found.share == pytest.approx(60 / 400, abs=0.01)


def test_an_answer_between_quoted_lines_is_left_out() -> None:
    whole = words(8, 120)
    reply = " ".join([*whole[:60], *words(92, 60), *whole[60:]])
    found = resemblance(sketch(" ".join(whole)), sketch(reply))
    assert found.same
    assert found.coverage == pytest.approx(1, abs=0.02)
    assert found.share == pytest.approx(2 / 3, abs=0.02)


def test_other_texts_are_others() -> None:
    sketches = [sketch(text(seed, 200)) for seed in range(30)]
    assert not any(
        resemblance(a, b).same for n, a in enumerate(sketches) for m, b in enumerate(sketches) if n != m
    )


def test_a_phrase_in_common_is_not_enough() -> None:
    phrase = text(9, 15)
    found = resemblance(sketch(f"{text(10, 30)} {phrase}"), sketch(f"{phrase} {text(11, 30)}"))
    assert 0 < found.share < 0.5
    assert not found.same


@pytest.mark.parametrize("language", ["\u4e00", "\u3042", "\u0e01"])
def test_scripts_without_spaces_are_read_by_pairs_of_characters(language: str) -> None:
    def passage(seed: int, count: int) -> str:
        draw = random.Random(seed)
        return "".join(chr(ord(language) + int(40 * draw.random() ** 2)) for _ in range(count))

    whole, part = sketch(passage(1, 120)), sketch(passage(1, 60) + "。「")
    assert set(filed(whole)) & set(asked(part))
    assert resemblance(whole, part).same
    assert not resemblance(whole, sketch(passage(2, 120))).same


def test_words_beside_such_scripts_stay_whole() -> None:
    mixed = "漢字かな " + text(3, 30)
    assert len(sketch(mixed)) == 1 + 4 + 30


@pytest.mark.parametrize(
    "short", ["", " ", "\u200b" * 5000, text(1, MIN_WORDS - 1), "word " * 500, "one two three " * 200]
)
def test_too_few_different_words_give_no_sketch(short: str) -> None:
    assert make_sketch(short) is None


def test_the_first_words_of_a_long_text_are_sketched() -> None:
    assert (
        len(sketch("one two three four five six seven eight nine ten " * 20_000)) == 1 + text_sketch.MAX_WORDS
    )
    assert len(filed(sketch(text(1, 30_000)))) < 64
    assert len(asked(sketch(text(1, 30_000)))) < 4096


@pytest.mark.parametrize(
    "hostile", ["x" * 10_000_000, "e" + "\u0301" * 2_000_000, "\ufdfa" * 50_000, "a\ufe0f" * 100_000]
)
def test_hostile_texts_are_read_in_bounded_time(hostile: str) -> None:
    make_sketch(hostile)


def test_texts_that_repeat_themselves_are_compared_in_bounded_time() -> None:
    again = sketch(text(4, 30) + " " + "one two three four five six seven eight nine ten " * 3000)
    assert resemblance(again, again).coverage <= 1


@pytest.mark.parametrize("damaged", [b"", b"\x07abc"])
def test_a_damaged_sketch_is_an_error(damaged: bytes) -> None:
    with pytest.raises(LedgerError, match="damaged"):
        resemblance(damaged, sketch(text(1)))
