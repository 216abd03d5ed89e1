"""From an RE2 expression to one that matches the beginnings of what it matches.

A text that is still coming in may end in the first half of a hit. The beginnings of a regular language are a
regular language too, so RE2 itself can tell, in linear time, where in a text a hit has begun that is not
over: `(?:beginnings)\\z`. The construction follows the expression's structure: a beginning of `xy` is one of
`x`, or `x` and one of `y`; a beginning of `x*` is any number of `x`, and one of `x`.
"""

from __future__ import annotations

import re
from functools import reduce
from typing import NamedTuple

__all__ = ["Part", "UnreadableError", "take_apart"]

_CLASS = re.compile(
    r"\[\^?\]?(?:\[:\^?\w+:\]|\\[pPx]\{[^}]*\}|\\.|[^\]\\])*\]", re.DOTALL
)  # RE2 has no sets inside sets
_ESCAPE = re.compile(r"\\(?:[pPx]\{[^}]*\}|x[0-9A-Fa-f]{2}|[pP].|[0-7]{1,3}|.)", re.DOTALL)
_ASSERTION = re.compile(r"\\[bBAz]|[\^$]")
_REPEAT = re.compile(r"(?:([*+?])|\{(\d+)(,?)(\d*)\})\??")
_GROUP = re.compile(r"\((?:\?P?<\w+>|\?([a-zA-Z]*)(?:-([a-zA-Z]+))?([:)]))?")
_MATTER = "ims"  # flags that change what matches; others only change which match is preferred


class UnreadableError(Exception):
    """An expression that RE2 takes and this module cannot take apart."""


class Part(NamedTuple):
    """A part of an expression: `whole`, without capturing groups, and what matches each beginning of at least
    one character of what it matches, itself included (`begun`, None: it matches no character).

    Where it ends in a condition on what follows (such as `\\b` or `$`), `begun` leaves that out, since what
    follows may not be there yet. `single`: it is one character wide, so its only beginning is itself.
    """

    whole: str
    begun: str | None
    single: bool = False


_NOTHING = Part("", None)


def take_apart(expression: str) -> Part:
    """The expression, which RE2 must have accepted, with its beginnings. Raises `UnreadableError`."""
    reader = _Reader(expression)
    part = reader.alternatives(frozenset())
    if reader.at != len(expression):
        raise UnreadableError(expression)
    return part


class _Reader:
    """Recursive descent over the expression, which RE2 has already found to be well formed."""

    def __init__(self, expression: str) -> None:
        self.at = 0
        self._text = expression

    def alternatives(self, flags: frozenset[str]) -> Part:
        """Up to the end of the group or expression."""
        options = []
        while True:
            part, flags = self._sequence(flags)  # flags set in one alternative hold in the next ones
            options.append(part)
            if not self._take("|"):
                return reduce(_either, options)

    def _sequence(self, flags: frozenset[str]) -> tuple[Part, frozenset[str]]:
        parts: list[Part] = []
        while self.at < len(self._text) and self._text[self.at] not in "|)":
            if self._text[self.at] == "(":
                part, flags = self._group(flags)
            else:
                part = self._leaf(flags)
            parts.append(self._repeated(part))
        return reduce(lambda rest, part: _then(part, rest), reversed(parts), _NOTHING), flags

    def _group(self, flags: frozenset[str]) -> tuple[Part, frozenset[str]]:
        opened = self._match(_GROUP)
        on, off, end = opened.groups()
        inner = (flags | set(on or "")) - set(off or "") & frozenset(_MATTER)
        if end == ")":
            return _NOTHING, inner
        part = self.alternatives(inner)
        if not self._take(")"):
            raise UnreadableError(self._text)
        return part, flags

    def _leaf(self, flags: frozenset[str]) -> Part:
        start = self._text[self.at]
        if found := _ASSERTION.match(self._text, self.at):
            self.at = found.end()
            return Part(_with(flags, found[0]), None)
        if start == "[":
            text = self._match(_CLASS)[0]
        elif start == "\\":
            text = self._match(_ESCAPE)[0]
            if text in ("\\Q", "\\E"):
                raise UnreadableError(self._text)
        else:
            text = start
            self.at += 1
        text = _with(flags, text)
        return Part(text, text, single=True)

    def _repeated(self, part: Part) -> Part:
        while found := _REPEAT.match(self._text, self.at):
            self.at = found.end()
            part = _repeat(part, *_bounds(found))
        return part

    def _take(self, character: str) -> bool:
        taken = self._text.startswith(character, self.at)
        self.at += taken
        return taken

    def _match(self, what: re.Pattern[str]) -> re.Match[str]:
        found = what.match(self._text, self.at)
        if found is None:
            raise UnreadableError(self._text)
        self.at = found.end()
        return found


def _bounds(found: re.Match[str]) -> tuple[int, int | None]:
    if sign := found[1]:
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
    least = int(found[2])
    return least, least if not found[3] else int(found[4]) if found[4] else None


def _with(flags: frozenset[str], text: str) -> str:
    return f"(?{''.join(sorted(flags))}:{text})" if flags else text


def _either(one: Part, other: Part) -> Part:
    begun = [part.begun for part in (one, other) if part.begun is not None]
    return Part(f"(?:{one.whole}|{other.whole})", f"(?:{'|'.join(begun)})" if begun else None)


def _then(first: Part, rest: Part) -> Part:
    whole = first.whole + rest.whole
    if rest.begun is None:
        return Part(whole, first.begun, first.single and not rest.whole)
    if first.begun is None:
        return Part(whole, first.whole + rest.begun)
    if first.single:
        return Part(whole, f"{first.whole}(?:{rest.begun})?")
    return Part(whole, f"(?:{first.begun}|{first.whole}{rest.begun})")


def _repeat(part: Part, least: int, most: int | None) -> Part:
    bounds = f"{{{least},{'' if most is None else most}}}"
    whole = f"(?:{part.whole}){bounds}"
    if part.begun is None or most == 0:
        return Part(whole, None)
    if part.single:
        return Part(whole, f"{part.whole}{{1,{'' if most is None else most}}}")
    before = "" if most is None else most - 1
    return Part(whole, f"(?:{part.whole}){{0,{before}}}{part.begun}")
