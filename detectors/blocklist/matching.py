"""Finding a group's terms and patterns in a text, in time linear in its length.

RE2 searches with automata and never backtracks, so neither a text nor a list can make one search slow.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain, groupby
from typing import Any, NamedTuple

import re2

from detectors.blocklist.folding import View, fold
from detectors.blocklist.groups import Group, RefusedError

__all__ = ["EDGE", "Matcher", "Terms", "compiled", "find_terms", "portions", "united"]

Letter = tuple[str, ...]  # what one letter of a term may look like, in small letters

_BLANK: Letter = (" ",)
# Scripts that set no spaces between words: next to such a letter a word may begin or end.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
EDGE = rf"(?:[^\pL\pN\pM]|[{_UNSPACED}])"
_GAP = r"[[:space:]]+"
_SEPARATOR = r"[\x00-/:-@\[-`{-\x7f]{1,3}"  # everything in ASCII but letters and digits
_SHORTEST_SPACED = 3
_LEET = {
    "a": "4@", "b": "8", "e": "3", "g": "9", "i": "1!|", "l": "1|", "o": "0", "s": "5$", "t": "7+", "z": "2",
}  # fmt: skip
_LONGEST = 80_000  # characters in one expression
_MEMORY = 64 << 20  # bytes that RE2 may use for one expression and its automata


class _Edges(NamedTuple):
    """Whether a term must begin, and end, where a word does."""

    left: bool
    right: bool


class Terms(NamedTuple):
    """Terms that are sought together: `text` has their expressions, without `edges`; `regex` has both."""

    edges: _Edges
    text: str
    regex: Any


class Matcher:
    """One group, compiled. Raises `RefusedError`, whose keys begin with `number`, for what cannot be used."""

    def __init__(self, group: Group, number: int = 0) -> None:
        self.group = group
        self.terms = list(_compile_terms(group, number))
        self.patterns = [_compile_pattern(group, number, index) for index in range(len(group.patterns))]

    def spans(self, skeleton: View, original: View) -> list[tuple[int, int]]:
        """Where the group occurs in the text, as code points; occurrences that overlap are one.

        Terms are sought in the skeleton alone; patterns in both, so that one written in Cyrillic, say, finds
        Cyrillic, and one written in ASCII finds look-alikes.
        """
        found = [skeleton.span(*hit) for terms in self.terms for hit in find_terms(terms, skeleton.data)]
        views = (skeleton,) if skeleton.data == original.data else (skeleton, original)
        for view in views:
            for pattern in self.patterns:
                hits = (match.span() for match in pattern.finditer(view.data))
                found += [view.span(start, end) for start, end in hits if start < end]
        return united(found)


def _compile_terms(group: Group, number: int) -> Iterator[Terms]:
    expressions: dict[_Edges, dict[str, None]] = defaultdict(dict)
    for index, term in enumerate(group.terms):
        words = _words(term)
        if not words:
            message = f"group '{group.id}': nothing that can be seen is left of this term."
            raise RefusedError(message, number, "terms", index)
        for edges, expression in _expressions(group, words):
            expressions[edges][expression] = None
    for edges, alternatives in expressions.items():
        left, right = (EDGE if needed else "" for needed in edges)
        for part in portions(alternatives):
            text = "|".join(part)
            regex = _compile(f"{left}(?:{text}){right}", group, (number, "terms"), ignore_case=True)
            yield Terms(edges, text, regex)


def portions(expressions: Iterable[str]) -> Iterator[list[str]]:
    """Expressions in portions: RE2 leaves its fast automaton where one alone outgrows its memory."""
    part: list[str] = []
    size = 0
    for expression in expressions:
        if part and size + len(expression) > _LONGEST:
            yield part
            part, size = [], 0
        part.append(expression)
        size += len(expression)
    yield part


def _words(term: str) -> list[list[Letter]]:
    letters = chain.from_iterable(map(_letters, term))
    return [list(word) for blank, word in groupby(letters, key=_BLANK.__eq__) if not blank]


@lru_cache(maxsize=1 << 12)
def _letters(character: str) -> tuple[Letter, ...]:
    """What one character of a term looks like, folded.

    One letter may look like two: the Greek capital Η is taken for H, and its small form η for n, so a term
    that holds either must be found under both.
    """
    cases = (character, character.lower(), character.upper())
    looks = tuple(dict.fromkeys("".join(fold(c).decode() for c in case).lower() for case in cases))
    if len(looks) > 1:
        return (looks,)
    return tuple(_BLANK if c.isspace() else (c,) for c in looks[0])


def _expressions(group: Group, words: list[list[Letter]]) -> Iterator[tuple[_Edges, str]]:
    edges = _Edges(_needs_edge(words[0][0][0][0]), _needs_edge(words[-1][-1][0][-1]))
    plain = _GAP.join("".join(_expression(letter, group.leet) for letter in word) for word in words)
    yield edges if group.match == "word" else _Edges(False, False), plain
    spoken = [letter for word in words for letter in word if letter[0].isalnum()]
    if group.spaced and len(spoken) >= _SHORTEST_SPACED:
        yield edges, _SEPARATOR.join(_expression(letter, group.leet) for letter in spoken)


@lru_cache(maxsize=1 << 12)
def _expression(letter: Letter, leet: bool) -> str:
    signs = "".join(_LEET.get(look, "") for look in letter) if leet else ""
    options = [re2.escape(option) for option in (*letter, *signs)]
    return options[0] if len(options) == 1 else f"(?:{'|'.join(options)})"


def _needs_edge(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNM" and not re2.match(f"[{_UNSPACED}]", character)


def _compile_pattern(group: Group, number: int, index: int) -> Any:
    keys = (number, "patterns", index)
    regex = _compile(group.patterns[index], group, keys)
    if regex.search(b""):
        message = f"group '{group.id}': this pattern matches the empty text, so it would match anywhere."
        raise RefusedError(message, *keys)
    return regex


def _compile(text: str, group: Group, keys: tuple[str | int, ...], *, ignore_case: bool = False) -> Any:
    try:
        return compiled(text, ignore_case=ignore_case)
    except re2.error as error:
        message = f"group '{group.id}': RE2 refuses this: {error.args[0].decode()}."
        raise RefusedError(message, *keys) from error


def compiled(text: str, *, ignore_case: bool = False) -> Any:
    """The expression, for bytes. Raises `re2.error`."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    options.case_sensitive = not ignore_case
    options.longest_match = ignore_case
    return re2.compile(text.encode(), options)


def find_terms(terms: Terms, data: bytes, start: int = 0) -> Iterator[tuple[int, int]]:
    """Every start of a term in `data`, each with its longest end; edges are sought but not part of a hit.

    The text begins and ends with `data`; hits are sought from `start` on, their edges included.
    """
    padded = b" " + data + b" "
    position = start + 1 if start else 0
    while match := terms.regex.search(padded, position):
        start, end = match.span()
        position = start + 1
        if terms.edges.left:
            start = _next_character(padded, start)
        if terms.edges.right:
            end = _last_character(padded, end)
        yield start - 1, end - 1


def _next_character(data: bytes, index: int) -> int:
    index += 1
    while data[index] & 0xC0 == 0x80:
        index += 1
    return index


def _last_character(data: bytes, index: int) -> int:
    index -= 1
    while data[index] & 0xC0 == 0x80:
        index -= 1
    return index


def united(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in order, those that overlap as one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
