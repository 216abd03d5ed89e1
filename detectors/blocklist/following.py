"""Following a text that is still coming in: what is a hit, and what could yet become one."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Self

import re2

from detectors.base import Finding
from detectors.blocklist.beginnings import UnreadableError, take_apart
from detectors.blocklist.folding import UNSEEN, View, fold, original, skeleton
from detectors.blocklist.matching import EDGE, Matcher, Terms, compiled, find_terms, portions, united

__all__ = ["Alarm", "Follower"]

Places = list[list[tuple[int, int]]]
"""Where each group occurs, as spans of code points."""

_SHORT = 256
_MANY = 64
_CONTEXT = 2


class Alarm(NamedTuple):
    """All groups in as few expressions as compile well.

    `begun` matches where a hit may have begun that is not over, `hits` wherever one may be; `any` where
    either may be, or a character that cannot be seen: mostly one look, and nothing found.
    """

    begun: list[Any]
    hits: list[Any]
    any: list[Any]

    @classmethod
    def of(cls, matchers: Sequence[Matcher]) -> Self | None:
        """The alarm for these groups; None where an expression cannot be taken apart."""
        try:
            parts = [part for matcher in matchers for part in _parts(matcher)]
            begun = [f"(?:{'|'.join(some)})\\z" for some in portions(begun for begun, _ in parts)]
            hits = ["|".join(some) for some in portions(hit for _, hit in parts)]
            both = ["|".join(some) for some in portions([*begun, *hits, UNSEEN])]
            return cls(*(list(map(compiled, some)) for some in (begun, hits, both)))
        except (UnreadableError, re2.error):
            return None


def _parts(matcher: Matcher) -> Iterator[tuple[str, str]]:
    for terms in matcher.terms:
        yield _beside_edges(terms)
    for pattern in matcher.group.patterns:
        part = take_apart(pattern)
        if part.begun is not None:
            yield f"(?:{part.begun})", f"(?:{part.whole})"


def _beside_edges(terms: Terms) -> tuple[str, str]:
    left = rf"(?:\A|{EDGE})" if terms.edges.left else ""
    right = rf"(?:{EDGE}|\z)" if terms.edges.right else ""
    return f"(?i:{left}(?:{take_apart(terms.text).begun}))", f"(?i:{left}(?:{terms.text}){right})"


class Follower:
    """The watch of a block list. Keeps no more of the text than what it holds back, and a little before it.

    A hit is final once nothing that follows can change it: no hit that began before it, or with it, is still
    open. So each place in the text is decided on once, and the end is what a look at the whole would say.
    """

    def __init__(
        self,
        matchers: Sequence[Matcher],
        alarm: Alarm | None,
        report: Callable[[Places], Sequence[Finding]],
    ) -> None:
        self._matchers = matchers
        self._alarm = alarm
        self._report = report
        self._text = ""
        self._base = 0  # where in the whole text `_text` begins
        self._held = 0  # where in `_text` begins what is held back
        self._fresh = 0  # how much of `_text` has not been looked at
        self._bytes = [0, 0]  # `_base` in bytes of the skeleton and of the original
        self._resume: dict[tuple[int, int, int], int] = defaultdict(int)
        self._places: Places = [[] for _ in matchers]
        self._count = 0
        self._findings = report(self._places)

    def feed(self, piece: str) -> int:
        """Take the next piece; returns how many code points are decided on."""
        if self._alarm is not None and self._plain(self._alarm, piece):
            return self._base + self._held
        self._text += piece
        self._fresh += len(piece)
        if self._alarm is not None and self._worth_looking():
            self._look(self._alarm)
        return self._base + self._held

    def findings(self) -> Sequence[Finding]:
        """What has been decided on so far."""
        return self._findings

    def finish(self) -> Sequence[Finding]:
        """The findings on the whole."""
        looks, plain = _views(self._text)
        self._collect(looks, plain, len(self._text) + 1)
        return self._findings

    def _plain(self, alarm: Alarm, piece: str) -> bool:
        """Take in a piece that can be seen at a glance to neither begin nor end a hit, as most are."""
        text = self._text + piece
        if self._held < len(self._text) or not text.isascii():
            return False
        data, start = text.encode(), 1 if self._base else 0
        for regex in alarm.any:
            if regex.search(data, start):
                return False
        past = max(0, len(text) - _CONTEXT)
        self._bytes[0] += past
        self._bytes[1] += past
        self._base += past
        self._text = text[past:]
        self._held = len(self._text)
        return True

    def _worth_looking(self) -> bool:
        """Each look costs as much as what is held and known, so they become rarer as that grows."""
        if self._fresh < max(1, (len(self._text) - _SHORT) // 8, self._count - _MANY):
            return False
        # A hit takes in the combining marks that follow it, and more of them may come.
        last = self._text[-1]
        return last.isascii() or unicodedata.category(last)[0] != "M"

    def _look(self, alarm: Alarm) -> None:
        self._fresh = 0
        looks, plain = _views(self._text)
        views = (looks,) if plain is looks else (looks, plain)
        held = min(self._first_open(alarm, view) for view in views)
        held = max(held, self._held)
        if any(regex.search(view.data, self._from(view)) for view in views for regex in alarm.hits):
            self._collect(looks, plain, held)
        self._forget(looks, plain, held)

    def _first_open(self, alarm: Alarm, view: View) -> int:
        starts = (regex.search(view.data, self._from(view)) for regex in alarm.begun)
        return min((view.point(start.start()) for start in starts if start), default=len(self._text))

    def _from(self, view: View) -> int:
        """Where to search from. What comes before is only looked back at, by `\\b`; and it keeps `\\A` from
        holding anywhere but at the start of the whole text."""
        return view.byte(1) if self._base else 0

    def _collect(self, looks: View, plain: View, held: int) -> None:
        """Note the hits that begin before `held`: they are final."""
        for number, matcher in enumerate(self._matchers):
            found = [looks.span(*hit) for terms in matcher.terms for hit in self._find(terms, looks)]
            found += self._matched(number, 0, looks, held)
            found += self._matched(number, 1, plain, held)
            new = [(self._base + s, self._base + e) for s, e in found if self._held <= s < held]
            if new:
                places = self._places[number]
                places[-1:] = united(places[-1:] + new)
                self._count = sum(map(len, self._places))
                self._findings = ()
        if not self._findings:
            self._findings = self._report(self._places)

    def _find(self, terms: Terms, view: View) -> Iterable[tuple[int, int]]:
        return find_terms(terms, view.data, self._from(view))

    def _matched(self, number: int, which: int, view: View, held: int) -> Iterator[tuple[int, int]]:
        """What the group's patterns match, each from where its last match ended."""
        base = self._bytes[which]
        for index, pattern in enumerate(self._matchers[number].patterns):
            key = (number, index, which)
            start = max(view.byte(self._held), self._resume[key] - base)
            for match in pattern.finditer(view.data, start):
                span = view.span(*match.span())
                if span[0] >= held:
                    break
                self._resume[key] = base + match.end()
                if match.start() < match.end():
                    yield span

    def _forget(self, looks: View, plain: View, held: int) -> None:
        """Let go of all before `held` but for the last characters that can be seen."""
        kept, seen = held, 0
        while kept > 0 and seen < _CONTEXT:
            kept -= 1
            seen += bool(fold(self._text[kept]))
        self._bytes[0] += looks.byte(kept)
        self._bytes[1] += plain.byte(kept)
        self._text = self._text[kept:]
        self._base += kept
        self._held = held - kept


def _views(text: str) -> tuple[View, View]:
    looks = skeleton(text)
    return looks, looks if looks.ends is None else original(text)
