"""A compact sketch of a released text: one byte a word, to find copies of it and to say how far they agree.

Two texts are compared word by word, whatever became of case, spacing, punctuation, quotation marks, accents
and invisible characters. A shingle is a run of five words; winnowing (Schleimer, Wilkerson and Aiken,
"Winnowing: local algorithms for document fingerprinting", SIGMOD 2003) picks the few under which the ledger
files a text, so that a copy of any longer run of words shares one of them. In scripts without spaces each
pair of neighbouring characters counts as a word.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple
from zlib import crc32

import numpy as np
import re2
from numpy.typing import NDArray

from guard.errors import LedgerError
from guard.ledger.likeness import Likeness

__all__ = ["MIN_WORDS", "asked", "filed", "make_sketch", "resemblance"]

MIN_WORDS = 20
"""A text of fewer words is not sketched: too many people write the same few words."""
MAX_WORDS = 1 << 16
_MAX_CHARS = 1 << 19
_VERSION = b"\x01"

_SHINGLE = 5
_MASK = np.uint64((1 << 8 * _SHINGLE) - 1)
_WINDOW = 10
_FILED, _ASKED = 32, 2048
_LEAST_SHINGLES = 8

_SEED = 4
_REPEATS = 4
_GAP = 24
_LEAST_RUN = 8

# Thai and Lao, Burmese, Khmer, kana, and Chinese characters.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_UNSPACED += "\U00020000-\U0003ffff"
_WORD = re.compile(f"[{_UNSPACED}]|[^\\W_{_UNSPACED}]+")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_DROPPED = re2.compile(r"[\pM\p{Cf}'’‘ʼ＇`´]+")
_LONG_MARKS = re2.compile(r"(\pM{8})\pM+")

Words = bytes
Shingles = NDArray[np.int64]


def _words_of(text: str) -> Words:
    words = _WORD.findall(_plain(text[:_MAX_CHARS]))[:MAX_WORDS]
    if _IS_UNSPACED.search(text):
        words = list(_in_pairs(words))
    return bytes(crc32(word.encode()) >> 24 for word in words)


def _plain(text: str) -> str:
    if text.isascii():
        return text.replace("'", "").replace("`", "").lower()
    # Sorting a long run of combining marks takes time quadratic in its length: it is cut short first.
    folded = unicodedata.normalize("NFKD", _LONG_MARKS.sub(r"\1", text)).casefold()
    return str(_DROPPED.sub("", folded))


def _in_pairs(words: Sequence[str]) -> Iterator[str]:
    for word, following in pairwise([*words, ""]):
        alone = len(word) > 1 or not _IS_UNSPACED.match(word)
        yield word if alone or not _IS_UNSPACED.match(following) else word + following[0]


def make_sketch(text: str) -> bytes | None:
    """The sketch of a text; None where it has too few words, or too few different ones, to be known by."""
    words = _words_of(text)
    if len(words) < MIN_WORDS or len(np.unique(_shingles(words))) < _LEAST_SHINGLES:
        return None
    return _VERSION + words


def filed(sketch: bytes) -> list[int]:
    """The shingles under which the ledger files a sketched text: two in eleven, some 32 at most."""
    return _winnowed(_words(sketch), max(_WINDOW, 2 * len(sketch) // _FILED))


def asked(sketch: bytes) -> list[int]:
    """The shingles under which a copy of a text may be filed: all of them, some 2,048 at most."""
    return _winnowed(_words(sketch), max(1, 2 * len(sketch) // _ASKED))


def _winnowed(words: Words, window: int) -> list[int]:
    values = _shingles(words)
    if len(values) == 0:
        return []
    windows = np.lib.stride_tricks.sliding_window_view(values, min(window, len(values)))
    return [int(value) for value in np.unique(windows.min(axis=1))]


def _shingles(words: Words) -> Shingles:
    """The shingles, 40 bits each, mixed so that their order says nothing of the words."""
    values = _runs(words, _SHINGLE)
    for factor in (0x9E3779B97F, 0xD1B54A32D1):  # odd, so no two runs fall together
        values = values * np.uint64(factor) & _MASK
        values = values ^ values >> np.uint64(21)
    return values.astype(np.int64)


def _runs(words: Words, length: int) -> NDArray[np.uint64]:
    """Each run of `length` words as one number; none in shorter texts."""
    array = np.frombuffer(words, np.uint8).astype(np.uint64)
    count = max(0, len(array) - length + 1)
    values = np.zeros(count, np.uint64)
    for place in range(length):
        values = values << np.uint64(8) | array[place : place + count]
    return values


def _words(sketch: bytes) -> Words:
    if sketch[:1] != _VERSION:
        raise LedgerError("A sketch in the ledger is damaged.", "Restore the ledger from a backup.")
    return sketch[1:]


def resemblance(registered: bytes, in_hand: bytes) -> Likeness:
    """How alike two sketched texts are in those passages that they share. Raises `LedgerError` for a damaged
    sketch."""
    ours, theirs = _words(registered), _words(in_hand)
    passages = [p for p in _passages(_chain(_seeds(theirs, ours)), theirs, ours) if p.agree >= _LEAST_RUN]
    agree = sum(passage.agree for passage in passages)
    share = sum(passage.here for passage in passages) / max(len(theirs), 1)
    coverage = sum(passage.there for passage in passages) / max(len(ours), 1)
    score = agree / max(sum(max(passage.here, passage.there) for passage in passages), 1)
    return Likeness(score, coverage, share, _is_copy(agree, score, coverage, share))


def _is_copy(agree: int, score: float, coverage: float, share: float) -> bool:
    """Few words must agree almost wholly: encyclopedias and forms repeat whole sentences with other names."""
    least = 0.75 + max(0.0, 0.15 * (2 * MIN_WORDS - agree) / MIN_WORDS)
    return agree >= MIN_WORDS and score >= least and (max(share, coverage) >= 0.5 or agree >= 50)


class _Passage(NamedTuple):
    """A passage that two texts share: its words here and there, and how many of them agree."""

    here: int
    there: int
    agree: int


Pair = tuple[int, int]


def _seeds(here: Words, there: Words) -> list[Pair]:
    """Where runs of four words here occur there; those that occur often there say nothing."""
    ours, theirs = _runs(here, _SEED), _runs(there, _SEED)
    order = np.argsort(theirs, kind="stable")
    first = np.searchsorted(theirs[order], ours, "left")
    times = np.searchsorted(theirs[order], ours, "right") - first
    found = np.flatnonzero((times > 0) & (times <= _REPEATS))
    return [(int(i), int(order[first[i] + k])) for i in found for k in reversed(range(times[i]))]


def _chain(pairs: Sequence[Pair]) -> list[Pair]:
    """The longest chain that goes forward in both texts: a longest increasing subsequence by patience
    sorting (C. Schensted, "Longest increasing and decreasing subsequences", 1961)."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, there) in enumerate(pairs):
        pile = bisect_left(ends, there)
        before.append(last[pile - 1] if pile else -1)
        ends[pile : pile + 1], last[pile : pile + 1] = [there], [number]
    chain, number = [], last[-1] if last else -1
    while number >= 0:
        chain.append(pairs[number])
        number = before[number]
    return chain[::-1]


def _passages(chain: Sequence[Pair], here: Words, there: Words) -> Iterator[_Passage]:
    """The chain cut where either text goes on too long without the other."""
    start = 0
    for at in range(1, len(chain) + 1):
        if at == len(chain) or max(chain[at][0] - chain[at - 1][0], chain[at][1] - chain[at - 1][1]) > _GAP:
            yield _passage(chain[start:at], here, there)
            start = at


def _passage(seeds: Sequence[Pair], here: Words, there: Words) -> _Passage:
    agree = _SEED
    for (i, j), (next_i, next_j) in pairwise(seeds):
        step = min(next_i - i, next_j - j)
        beyond = step - _SEED
        agree += step if beyond <= 0 else _SEED + _common(here[i + _SEED : next_i], there[j + _SEED : next_j])
    (first_i, first_j), (last_i, last_j) = seeds[0], seeds[-1]
    return _Passage(last_i + _SEED - first_i, last_j + _SEED - first_j, agree)


def _common(here: Words, there: Words) -> int:
    """Length of the longest common subsequence, a bit for each word (H. Hyyrö, "Bit-parallel LCS-length
    computation revisited", AWOCA 2004)."""
    places: dict[int, int] = {}
    for number, word in enumerate(here):
        places[word] = places.get(word, 0) | 1 << number
    row = whole = (1 << len(here)) - 1
    for word in there:
        kept = row & places.get(word, 0)
        row = (row + kept | row - kept) & whole
    return len(here) - row.bit_count()
