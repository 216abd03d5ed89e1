"""Text stays what it is, code point by code point, and what is no text is not let in as one."""

from __future__ import annotations

import codecs
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.errors import MalformedMediaError
from guard.media import Artifact
from guard.media.text import decode_text, encode_text, looks_binary, sniff_text

BINARY = [chr(code) for code in (*range(9), *range(0x0E, 0x1B), *range(0x1C, 0x20))]
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=BINARY))


@given(texts)
def test_every_text_comes_back_as_it_was(text: str) -> None:
    assert decode_text(encode_text(text)) == text.removeprefix("\ufeff")


@given(texts.filter(lambda text: not text.startswith("\ufeff")))
def test_what_is_made_from_text_is_read_as_text(text: str) -> None:
    assert Artifact.from_text(text).text == text


@given(st.binary(max_size=60))
def test_any_bytes_are_text_or_refused(data: bytes) -> None:
    try:
        text = decode_text(data)
    except MalformedMediaError:
        return
    assert not any(character in BINARY for character in text)


@pytest.mark.parametrize(
    ("bom", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
)
def test_a_byte_order_mark_is_understood_and_no_part_of_the_text(bom: bytes, encoding: str) -> None:
    artifact = Artifact.from_bytes(bom + "Ünïcode 🙂\n".encode(encoding))
    assert artifact.mime == "text/plain"
    assert artifact.text == "Ünïcode 🙂\n"


def test_the_byte_order_mark_stays_in_the_bytes() -> None:
    data = codecs.BOM_UTF8 + b"abc"
    assert Artifact.from_bytes(data).data == data


@pytest.mark.parametrize("data", [codecs.BOM_UTF16_LE + b"a", codecs.BOM_UTF16_BE + b"\xd8\0\0a"])
def test_broken_utf16_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMediaError, match="UTF-16"):
        Artifact.from_bytes(data)


def test_utf32_is_refused_rather_than_read_as_utf16() -> None:
    with pytest.raises(MalformedMediaError):
        Artifact.from_bytes(codecs.BOM_UTF32_LE + "abc".encode("utf-32-le"))


def test_only_the_first_mark_is_a_byte_order_mark() -> None:
    assert decode_text("\ufeff\ufeffa\ufeff".encode()) == "\ufeffa\ufeff"


def test_a_c2pa_manifest_at_the_end_of_a_text_survives() -> None:
    manifest = "\ufeff" + "".join(
        chr(0xFE00 + byte) if byte < 16 else chr(0xE0100 + byte - 16) for byte in range(256)
    )
    text = "Signed words." + manifest
    artifact = Artifact.from_bytes(text.encode())
    assert artifact.text == text
    assert artifact.text.endswith(manifest)
    assert unicodedata.normalize("NFC", artifact.text) == text


def test_text_is_not_normalised_in_silence() -> None:
    decomposed = "e\u0301 ﬁ Å"
    assert Artifact.from_bytes(decomposed.encode()).text == decomposed


@pytest.mark.parametrize("character", BINARY)
def test_binary_control_characters_are_no_text(character: str) -> None:
    code = f"U\\+{ord(character):04X} at position 3"
    with pytest.raises(MalformedMediaError, match=code):
        encode_text(f"abc{character}")
    with pytest.raises(MalformedMediaError, match=code):
        decode_text(f"abc{character}".encode())


@pytest.mark.parametrize("character", ["\t", "\n", "\v", "\f", "\r", "\x1b", "\x7f", "\x85", "\u2028"])
def test_layout_characters_are_text(character: str) -> None:
    text = f"a{character}b"
    assert Artifact.from_bytes(text.encode()).text == text


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE html><p>x",
        "  \n<html lang=en>",
        "<!-- by hand -->\n<!doctype HTML>",
        "<script>alert(1)</script>",
        "<BODY>",
        "<head\n>",
    ],
)
def test_pages_are_told_by_their_first_markup(text: str) -> None:
    assert sniff_text(text) == "text/html"
    assert Artifact.from_bytes(text.encode()).mime == "text/html"
    assert Artifact.from_text(text).mime == "text/html"


@pytest.mark.parametrize(
    "text",
    [
        "# Markdown",
        "a,b\n1,2",
        '{"a": 1}',
        "<p>a fragment",
        "see <html>",
        "<htmlx>",
        "<!-- open",
        "",
        "<?xml?>",
    ],
)
def test_all_else_is_plain_text(text: str) -> None:
    assert sniff_text(text) == "text/plain"


def test_a_long_run_of_comments_is_sniffed_in_no_time() -> None:
    assert sniff_text("<!--" * 20_000) == "text/plain"
    assert sniff_text("<!-- x -->" * 20_000 + "<html>") == "text/html"


def test_looks_binary() -> None:
    assert looks_binary(b"abc\0")
    assert not looks_binary(b"abc\xff\xfe")
    assert not looks_binary(codecs.BOM_UTF16_LE + b"a\0")
    assert not looks_binary(b"a" * 5000 + b"\0")
