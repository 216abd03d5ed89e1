"""Words cut into pieces."""

from __future__ import annotations

import pytest

from detectors.toxicity.wordpiece import CLS, PAD, SEP, UNKNOWN, Vocabulary

PIECES = Vocabulary([PAD, UNKNOWN, CLS, SEP, "un", "##aff", "##able", "##a", "una", "able", "##ble"])


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("able", ["able"]),
        ("unaffable", ["una", None]),
        ("unable", ["una", "##ble"]),
        ("unaaffable", ["una", "##aff", "##able"]),
        ("xyz", [None]),
        ("able" * 30, [None]),
    ],
)
def test_the_longest_piece_comes_first_and_a_word_is_spelt_whole_or_not_at_all(
    word: str, expected: list[str | None]
) -> None:
    known = [PIECES.unknown] if None in expected else [PIECES.ids[piece] for piece in expected if piece]
    assert list(PIECES.cut(word)) == known


def test_it_knows_what_it_holds() -> None:
    assert "able" in PIECES
    assert "affable" not in PIECES
    assert 7 not in PIECES


def test_a_vocabulary_needs_its_signs() -> None:
    with pytest.raises(KeyError):
        Vocabulary(["a", "b"])


@pytest.mark.heavy
def test_it_cuts_as_the_reference_does(shared_data: object) -> None:
    """`tokenizers` is the reference; words in lower case that it reads as one go in."""
    from importlib.resources import files

    from tokenizers.models import WordPiece

    pieces = files("detectors.toxicity").joinpath("weights", "vocabulary.txt").read_text("utf-8").splitlines()
    ours = Vocabulary(pieces)
    theirs = WordPiece(dict(ours.ids), unk_token=UNKNOWN, max_input_chars_per_word=100)
    for word in [
        "unbelievable",
        "qwertyuiop",
        "antidisestablishmentarianism",
        "zzzz",
        "naive",
        "x" * 101,
        "h8er",
    ]:
        assert list(ours.cut(word)) == [token.id for token in theirs.tokenize(word)]
