"""YAML with places: what is refused, and where it says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from guard.yamlfile import Place, YamlFileError, parse, read


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    size: int = 0


class Shelf(BaseModel):
    model_config = ConfigDict(extra="forbid")
    items: list[Item]


def refusal(text: str) -> tuple[str, Place]:
    with pytest.raises(YamlFileError) as caught:
        parse(text)
    return caught.value.message, caught.value.place


def misfit(text: str) -> tuple[str, Place]:
    document = parse(text)
    with pytest.raises(YamlFileError) as caught:
        document.validate(Shelf)
    return caught.value.message, caught.value.place


def test_data_and_places() -> None:
    document = parse("items:\n  - name: a\n    size: 2\n")
    assert document.data == {"items": [{"name": "a", "size": 2}]}
    assert document.validate(Shelf).items[0].size == 2
    assert document.place(()) == (1, 1)
    assert document.place(("items", 0, "size")) == (3, 11)
    assert document.place(("items", 0, "absent", "deeper")) == (2, 5)


def test_a_byte_order_mark_does_not_shift_columns() -> None:
    assert parse("\ufeffa: 1").place(("a",)) == (1, 4)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_are_counted_for_every_kind_of_newline(newline: str) -> None:
    assert parse(newline.join(["# x", "a: 1", "b: 2"])).place(("b",)) == (3, 4)


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("", "the file is empty.", (1, 1)),
        ("# only a comment\n", "the file is empty.", (1, 1)),
        ("a: [1,\nb: 2", "while parsing a flow sequence", (2, 5)),
        ("a: 1\n\tb: 2", "not valid YAML", (2, 1)),
        ("a: b: c", "mapping values are not allowed here", (1, 5)),
        ("a: 1\nb: 2\na: 3", "'a' is given twice; the first is on line 1.", (3, 1)),
        ("x:\n  - {a: 1, a: 2}", "'a' is given twice; the first is on line 2.", (2, 12)),
        ("a: &x 1\nb: 2", "anchors (&name)", (1, 4)),
        ("a: 1\nb: *x", "aliases (*name)", (2, 4)),
        ("a: !!python/object:os.system {}", "tags (!name)", (1, 4)),
        ("a: !!timestamp nonsense", "tags (!name)", (1, 4)),
        ("a: 1\n--- \nb: 2", "expected a single document", (2, 1)),
        ("a: 1\nb: x\x07y", "character U+0007 is not allowed in YAML.", (2, 5)),
        ("? [a]\n: 1", "unhashable key", (1, 3)),
        ("a: 0b_", "not valid YAML", (1, 1)),
        ("[" * 1200, "nested too deeply.", (1, 1)),
    ],
)
def test_refused_at_the_right_place(text: str, message: str, place: tuple[int, int]) -> None:
    said, where = refusal(text)
    assert message in said
    assert where == place


def test_dates_stay_what_was_written() -> None:
    assert parse("v: 2026-11-01").data == {"v": "2026-11-01"}


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("items:\n  - {name: a, colour: red}", "'colour' is not a key that is known here.", (2, 15)),
        ("items:\n  - size: 1", "items.0.name: this key is required.", (2, 5)),
        ("items:\n  - name: 12", "items.0.name: this must be text; put it in quotes.", (2, 11)),
        ("items:\n  - name: a\n    size: many", "items.0.size: a valid integer", (3, 11)),
        ("items: 3", "items: a valid list.", (1, 8)),
        ("items: [3]", "items.0: this must be a mapping of keys to values.", (1, 9)),
        ("- a", "the file: this must be a mapping of keys to values.", (1, 1)),
        ("7: x\nitems: []", "Keys should be strings", (1, 1)),
    ],
)
def test_misfits_are_named_in_plain_words(text: str, message: str, place: tuple[int, int]) -> None:
    said, where = misfit(text)
    assert message in said
    assert where == place


# --- places inside scalars --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "needle", "place"),
    [
        ("when: one two", "two", (1, 11)),
        ("when: one\n  two\n  three", "three", (3, 3)),
        ("when: 'it''s two'", "two", (1, 14)),
        ('when: "a \\"q\\" two"', "two", (1, 16)),
        ('when: "a\\tb\\x20\\u0020\\N\\L\\P\\_ two"', "two", (1, 31)),
        ('when: "one \\\n  two"', "two", (2, 3)),
        ('when: "\\x41\\u0042\\U00000043 two"', "two", (1, 29)),
        ("when: |\n  one\n    two\n", "two", (3, 5)),
        ("when: |2-\n  one\n    two\n", "two", (3, 5)),
        ("when: >-  # why\n  one\n  two\n\n  three\n", "three", (5, 3)),
        ("when: >\r\n  one\r\n  two\r\n", "two", (3, 3)),
        ("when: é𝒳日 two", "two", (1, 11)),
    ],
)
def test_place_inside_any_style_of_scalar(text: str, needle: str, place: tuple[int, int]) -> None:
    document = parse(text)
    assert document.place_inside(("when",), document.data["when"].index(needle)) == place


def test_place_at_a_blank_is_just_after_what_stands_before_it() -> None:
    document = parse("when: >\n  one +\n  two\n")
    assert document.place_inside(("when",), 5) == (2, 8)
    assert document.place_inside(("when",), len(document.data["when"])) == (3, 6)


def test_place_in_blanks_alone_is_their_end() -> None:
    assert parse('when: "  "').place_inside(("when",), 1) == (1, 10)


@given(st.lists(st.text("abé\"'\\日𝒳", min_size=1, max_size=4), min_size=1, max_size=5), st.data())
def test_double_quoted_escapes_lead_back(words: list[str], data: st.DataObject) -> None:
    value = " ".join(words)
    written = "".join(data.draw(st.sampled_from(_spellings(c))) for c in value)
    document = parse(f'when: "{written}"')
    assert document.data["when"] == value
    offset = data.draw(st.sampled_from([i for i, c in enumerate(value) if c != " "]))
    column = document.place_inside(("when",), offset).column
    assert value[offset] == parse(f'x: "{_first(written[column - 8 :])}"').data["x"]


def _spellings(character: str) -> list[str]:
    code = ord(character)
    ways = [f"\\U{code:08x}"]
    if code <= 0xFFFF:
        ways.append(f"\\u{code:04X}")
    if code <= 0xFF:
        ways.append(f"\\x{code:02x}")
    return [*ways, f"\\{character}" if character in '"\\' else character]


def _first(written: str) -> str:
    length = {"x": 4, "u": 6, "U": 10}.get(written[1:2], 2) if written[0] == "\\" else 1
    return written[:length]


# --- reading ----------------------------------------------------------------------------------------------


def test_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes("a: é\r\n".encode())
    assert read(path) == "a: é\r\n"


def test_read_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(YamlFileError, match="cannot be read: No such file") as caught:
        read(tmp_path / "absent.yaml")
    assert caught.value.place == (1, 1)


def test_read_what_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(YamlFileError, match="not UTF-8") as caught:
        read(path)
    assert caught.value.place == (2, 4)
