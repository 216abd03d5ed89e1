"""What the embedded text detector reads: how a text is built, without the words that say what it is about.

Words of content become the ending that tells their class, names and numbers become placeholders; what stays
are function words and signs, in runs of one to three. Topic-free runs of this kind tell authors apart across
topics (Stamatatos, 2017, "Authorship attribution using text distortion").
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise

__all__ = ["BINS", "Token", "counts", "gate", "runs", "tokens", "windows"]

BINS = 1 << 16
"""Runs are counted in so many bins, by a hash."""
LEAST = 100
"""Words that a text must have."""
_WINDOW = 120
_LONGEST_RUN = 3
_ENDINGS = (
    *("ingly", "edly", "ments", "tions", "ings", "tion", "ment", "ness", "ance", "ence", "able", "ible"),
    *("ity", "ing", "ous", "ful", "ive", "ism", "ist", "est", "ers", "ed", "ly", "er", "al", "ic", "s", "y"),
)
_TOKEN = re.compile(r"[a-z]+(?:['’][a-z]+)?|\d+(?:[.,]\d+)*|``|''|\.\.\.|[^\w\s]", re.IGNORECASE)
_SIGNS = (
    dict.fromkeys(("“", "”", "``", "''"), '"') | dict.fromkeys("‘’`", "'") | {"—": "-", "–": "-", "...": "…"}
)
_SHARES = {"letters": 0.7, "function words": 0.25, "lines": 0.5}
_LONGEST_SENTENCE = 80
_SHORT_LINE = 8
_FEW_LINES = 5
_PLAINEST = 0.92


@dataclass(frozen=True, slots=True)
class Token:
    """A word or sign at [start, end) of a text, and what stands for it."""

    start: int
    end: int
    word: str
    stands: str

    @property
    def is_word(self) -> bool:
        """Whether it is a word rather than a number or a sign."""
        return self.word[0].isalpha()


@cache
def function_words() -> frozenset[str]:
    """Words that stay as they are."""
    return frozenset(_listed("text.function-words.txt"))


@cache
def common_words() -> frozenset[str]:
    """Words of content that most people know: what writing with few words is made of."""
    return frozenset(_listed("text.common-words.txt"))


def _listed(name: str) -> list[str]:
    return files(__package__).joinpath("weights", name).read_text(encoding="utf-8").split()


def tokens(text: str) -> list[Token]:
    """The words, numbers and signs of a text."""
    return [_token(match) for match in _TOKEN.finditer(text)]


def _token(match: re.Match[str]) -> Token:
    found = match.group()
    if not found[0].isalnum():
        return Token(match.start(), match.end(), found, _SIGNS.get(found, found))
    word = found.lower().replace("’", "'")
    return Token(match.start(), match.end(), word, _stands(found, word))


def _stands(found: str, word: str) -> str:
    if word in function_words():
        return word
    if found[0].isdigit():
        return "#"
    if found[0].isupper():
        return "Xx"
    return "~" + next((end for end in _ENDINGS if word.endswith(end) and len(word) > len(end) + 2), "")


def windows(found: Sequence[Token], most: int) -> list[Sequence[Token]]:
    """The tokens in at most `most` stretches of about 120 words from the start, none of them much shorter
    than the others."""
    words = [place for place, token in enumerate(found) if token.is_word]
    count = max(1, round(len(words) / _WINDOW))
    cuts = [0, *(words[number * len(words) // count] for number in range(1, count)), len(found)]
    return [found[start:end] for start, end in pairwise(cuts)][:most]


def runs(found: Sequence[Token]) -> list[tuple[int, int, int]]:
    """Every run of one to three tokens, as (first token, number of tokens, bin)."""
    stands = [token.stands for token in found]
    return [
        (start, size, zlib.crc32(" ".join(stands[start : start + size]).encode()) % BINS)
        for size in range(1, _LONGEST_RUN + 1)
        for start in range(len(stands) - size + 1)
    ]


def counts(found: Sequence[Token]) -> dict[int, float]:
    """How much each bin's runs weigh before rarity: 1 + ln of their number."""
    return {place: 1 + math.log(n) for place, n in Counter(place for *_, place in runs(found)).items()}


def gate(text: str, found: Sequence[Token]) -> str:
    """Why a text is not what the detector learned, prose of a hundred English words or more; else ""."""
    words = [token.word for token in found if token.is_word]
    if len(words) < LEAST:
        return f"The text has {len(words)} English words; {LEAST} are needed."
    if _share(word in function_words() for word in words) < _SHARES["function words"]:
        return "The text does not read as English sentences; the detector knows nothing else."
    if _share(sign.isalpha() or sign.isspace() for sign in text) < _SHARES["letters"]:
        return "The text is made of numbers and signs more than of words, as code and tables are."
    if _is_list(text):
        return "The text is a list or verse rather than running sentences."
    if len(words) > _LONGEST_SENTENCE * sum(token.stands in {".", "!", "?", "…"} for token in found):
        return "The text is not set out in sentences."
    if _plain(words):
        return "The text uses common words almost alone, as learners and easy English do; it would mislead."
    return ""


def _is_list(text: str) -> bool:
    lines = [line.split() for line in text.splitlines() if line.strip()]
    return len(lines) >= _FEW_LINES and _share(len(line) < _SHORT_LINE for line in lines) > _SHARES["lines"]


def _plain(words: Sequence[str]) -> bool:
    content = {word for word in words if word not in function_words()}
    return not content or _share(word in common_words() for word in content) > _PLAINEST


def _share(found: Iterable[bool]) -> float:
    values = list(found)
    return sum(values) / max(1, len(values))
