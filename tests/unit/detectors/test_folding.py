"""Folding: what is taken for what, and the way back."""

from __future__ import annotations

import sys
import unicodedata
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.blocklist.folding import fold, original, skeleton
from detectors.blocklist.lookalikes import LOOKALIKES


def looks(text: str) -> str:
    return skeleton(text).data.decode()


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain ASCII stays, l1 I0 O", "plain ASCII stays, l1 I0 O"),
        ("раураӏ", "paypal"[:5] + "i"),  # palochka stands for I more often than for l
        ("ＦＵＬＬ ｗｉｄｔｈ", "FULL width"),
        ("𝕭𝖆𝖉 𝓌𝑜𝓇𝒹", "Bad word"),
        ("ⓑⓐⓓ ⒷⒶⒹ 🅑🅐🅓 🅱🅰🅳 🇧🇦🇩", "bad BAD BAD BAD BAD"),
        ("ﬁne ﬂow ǆ", "fine flow dz"),
        ("crème brûlée naïve Ångström", "creme brulee naive Angstrom"),
        ("cre\u0300me", "creme"),
        ("Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞", "ZALGO!"),
        ("straße STRAẞE", "strasse STRASSE"),
        ("łódź øre ĸ", "lodz ore ĸ"),
        ("b\u200ba\u200dd\u2060\ufeff\u00ad\u202e\u2066\U000e0041\ufe0f\u034f", "bad"),
        ("b\u3164a\uffa0d\u115f", "bad"),
        ("a\u00a0b\u2003c\u3000d\u2028e\u2800f", "a b c d e f"),
        ("a–b—c−d‐e", "a-b-c-d-e"),
        ("“x” ‘y’ ·•∙", "\"x\" 'y' ..."),
        ("tab\tnew\nline\r\x0b\x0c", "tab\tnew\nline\r\x0b\x0c"),
        ("b\x00a\x07d\x7f", "bad"),
        ("हिन्दी", "हिन्दी"),
        ("日本語", "日本語"),
        ("سَلَام", "سلام"),
        ("К К", "K K"),
        ("Greek Η η Ν ν", "Greek H n N v"),
    ],
)
def test_what_text_looks_like(text: str, seen: str) -> None:
    assert looks(text) == seen


def test_both_ways_to_write_an_accent_or_a_syllable_agree() -> None:
    for text in ("é", "が", "각", "Ǻ", "ế"):
        assert looks(unicodedata.normalize("NFC", text)) == looks(unicodedata.normalize("NFD", text))


def test_every_code_point_folds_to_what_folds_to_itself() -> None:
    """Otherwise a term, which is folded too, could be folded past the text that it names."""
    ranges = (range(0x3400), range(0xA000, 0xAC00), range(0xD7A4, 0x12000), range(0x1D000, 0x20000))
    for code in chain(*ranges):
        once = fold(chr(code)).decode("utf-8", "replace")
        assert looks(once) == once, hex(code)


def test_the_table_leaves_ascii_alone() -> None:
    assert not [c for c in LOOKALIKES if c.isascii()]
    assert all(target.isascii() for target in LOOKALIKES.values())


def test_half_a_surrogate_pair_vanishes() -> None:
    assert looks("b\ud800ad") == "bad"
    assert original("b\ud800ad").data == b"b?ad"


def test_ascii_needs_no_map() -> None:
    assert skeleton("abc").ends is None
    assert skeleton("abc").span(1, 3) == (1, 3)
    assert original("abc").span(0, 1) == (0, 1)


def test_spans_lead_back_over_what_vanished_and_what_grew() -> None:
    text = "x\u200bﬁ\u0301\u200by"
    view = skeleton(text)
    assert view.data == b"xfiy"
    assert view.span(0, 1) == (0, 1)
    assert view.span(1, 2) == (2, 4)  # half a ligature is the ligature, with the accent on it
    assert view.span(0, 4) == (0, 6)


@given(st.text())
def test_every_byte_leads_back_to_its_character(text: str) -> None:
    for view, read in (
        (skeleton(text), looks),
        (original(text), lambda c: c.encode("utf-8", "replace").decode()),
    ):
        assert view.data.decode() == "".join(map(read, text))
        for index in range(len(view.data)):
            start, end = view.span(index, index + 1)
            assert view.data[index : index + 1] in read(text[start]).encode()
            assert all(unicodedata.category(c)[0] == "M" for c in text[start + 1 : end])


def test_the_memory_of_folding_is_bounded() -> None:
    skeleton("".join(map(chr, range(0x10000, 0x30000))))
    assert fold.cache_info().currsize <= 1 << 16
    assert sys.getsizeof(fold(chr(0x20000))) < 100
