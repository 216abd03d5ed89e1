"""Reading a text the way people do: its words, with the way back to the text, whatever was done to hide them.

Look-alike and invisible characters are folded as the block list folds them. On top of that, three common
disguises are undone where the result is a word that the vocabulary knows: digits and signs for letters
("h4te"), letters set apart ("h a t e"), and letters drawn out ("haaaate"). Anything else stays as written.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass

from detectors.blocklist.folding import skeleton

__all__ = ["Word", "words"]

_LEET = str.maketrans("013457@$!", "oieastasi")
_LINK = re.compile(r"https?://\S+", re.IGNORECASE)
_APART = re.compile(r"(?<![a-z0-9])[a-z](?:[ .\-_*][a-z]){2,}(?![a-z0-9'])", re.IGNORECASE)
_CHUNK = re.compile(r"\S+")
_CORE = re.compile(r"[a-z0-9@$][a-z0-9@$!]*[a-z0-9@$]", re.IGNORECASE)
_PIECE = re.compile(r"[a-z0-9]+|[^\sa-z0-9]", re.IGNORECASE)
_DRAWN = re.compile(r"(.)\1{2,}")
_LONGEST_WORD = 100


@dataclass(frozen=True, slots=True)
class Word:
    """One word or sign in lower case, and the code points `start` to `end` of the text behind it."""

    text: str
    start: int
    end: int


def words(text: str, known: Container[str]) -> list[Word]:
    """The words and signs of a text, in order; `known` tells which whole words the vocabulary has. Linear."""
    view = skeleton(text)
    read = view.data.decode("utf-8", "replace")
    if (
        not read.isascii()
    ):  # offsets into `view` are bytes: what cannot be read as ASCII becomes one sign each
        read = "".join(chr(byte) if byte < 0x80 else "\x1a" for byte in view.data)
        read = re.sub("\x1a+", lambda run: "\x1a" + "\x0b" * (len(run[0]) - 1), read)
    return [
        Word(word, *view.span(start, end)) for word, start, end in _found(_without_links(read).lower(), known)
    ]


def _without_links(read: str) -> str:
    return _LINK.sub(lambda link: " " * len(link[0]), read)


def _found(read: str, known: Container[str]) -> Iterator[tuple[str, int, int]]:
    at = 0
    for apart in _APART.finditer(read):
        letters = re.sub("[^a-z]", "", apart[0])
        skip = next((n for n in (0, 1) if letters[n:] in known), None)  # 1: "I h a t e"
        if skip is not None:
            first = apart.start() + 2 * skip
            yield from _chunks(read, at, first, known)
            yield letters[skip:], first, apart.end()
            at = apart.end()
    yield from _chunks(read, at, len(read), known)


def _chunks(read: str, start: int, end: int, known: Container[str]) -> Iterator[tuple[str, int, int]]:
    for chunk in _CHUNK.finditer(read, start, end):
        core = _CORE.search(chunk[0])
        plain = _plain(core[0], known) if core else None
        if core is None or plain is None:
            yield from _pieces(read, chunk.start(), chunk.end(), known)
            continue
        first, last = chunk.start() + core.start(), chunk.start() + core.end()
        yield from _pieces(read, chunk.start(), first, known)
        yield plain, first, last
        yield from _pieces(read, last, chunk.end(), known)


def _plain(core: str, known: Container[str]) -> str | None:
    """The word behind digits and signs, if there is one; "4th" and "mp3" stay what they are."""
    if len(core) < 3 or len(core) > _LONGEST_WORD or core.isalpha() or core.isdigit() or core in known:
        return None
    plain = core.translate(_LEET)
    return plain if plain.isalpha() and plain in known else None


def _pieces(read: str, start: int, end: int, known: Container[str]) -> Iterator[tuple[str, int, int]]:
    for piece in _PIECE.finditer(read, start, end):
        yield _short(piece[0], known), piece.start(), piece.end()


def _short(word: str, known: Container[str]) -> str:
    if word in known or not _DRAWN.search(word):
        return word
    once, twice = _DRAWN.sub(r"\1", word), _DRAWN.sub(r"\1\1", word)
    return twice if twice in known else once
