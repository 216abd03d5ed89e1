"""Folding: what a text looks like to a reader, with the way back to its own code points.

People dodge block lists with letters that only look like others, with characters that cannot be seen, and
with accents. `skeleton` undoes that after the idea of Unicode's confusable detection (UTS #39 §4):
compatibility forms (NFKD: full width, mathematical letters, ligatures), look-alike letters, invisible
characters and diacritics. Every step looks at one code point alone, so each byte of the result leads back to
the code point it came from. Case is kept: who compares ignores it.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from detectors.blocklist.lookalikes import LOOKALIKES

__all__ = ["UNSEEN", "View", "fold", "original", "skeleton"]

UNSEEN = r"[\x00-\x08\x0e-\x1f\x7f]"
"""The characters of ASCII that cannot be seen."""

_CONTROL = re.compile(UNSEEN)
# Default_Ignorable_Code_Point (UAX #44) less the categories Cf and Cc, which are dropped as a whole.
_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
# Accents and points that leave a word readable. Vowel signs of Indic scripts are marks too, but letters to a
# reader, so they stay.
_DIACRITIC = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u0610-\u061a\u064b-\u065f\u0670"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)


@dataclass(frozen=True, slots=True)
class View:
    """One way to read a text: UTF-8 bytes, and which code point of the text each byte came from."""

    text: str
    data: bytes
    ends: array[int] | None  # ends[i]: where code point i ends in `data`; None: one byte each

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The code points of the text behind `data[start:end]`, with the marks that sit on the last one."""
        first, last = (start, end - 1) if self.ends is None else self._behind(start, end)
        after = last + 1
        while after < len(self.text) and unicodedata.category(self.text[after])[0] == "M":
            after += 1
        return first, after

    def point(self, byte: int) -> int:
        """The code point that this byte came from; one more than there are for the end of `data`."""
        return byte if self.ends is None else bisect_right(self.ends, byte)

    def byte(self, point: int) -> int:
        """Where a code point begins in `data`."""
        if self.ends is None or point == 0:
            return point
        return self.ends[point - 1]

    def _behind(self, start: int, end: int) -> tuple[int, int]:
        assert self.ends is not None
        return bisect_right(self.ends, start), bisect_right(self.ends, end - 1)


def skeleton(text: str) -> View:
    """What the text looks like. Linear; most time goes into the first sight of each character."""
    return (
        _view(text, fold) if not text.isascii() or _CONTROL.search(text) else View(text, text.encode(), None)
    )


def original(text: str) -> View:
    """The text as it is."""
    return View(text, text.encode(), None) if text.isascii() else _view(text, _encode)


@lru_cache(maxsize=1 << 16)
def fold(character: str) -> bytes:
    """What one character looks like: mostly one ASCII letter, nothing for what cannot be seen."""
    known = LOOKALIKES.get(character)
    parts = known or "".join(map(_fold_part, unicodedata.normalize("NFKD", character)))
    return _encode(parts)


def _fold_part(part: str) -> str:
    if part in LOOKALIKES:
        return LOOKALIKES[part]
    if part.isspace():
        return part if part.isascii() else " "
    category = unicodedata.category(part)
    if category in ("Cc", "Cf", "Cs") or _IGNORABLE.match(part) or _DIACRITIC.match(part):
        return ""
    return "-" if category == "Pd" else part


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _view(text: str, read: Callable[[str], bytes]) -> View:
    pieces = list(map(read, text))
    return View(text, b"".join(pieces), array("L", accumulate(map(len, pieces))))
