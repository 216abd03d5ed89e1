"""WordPiece: words cut into the pieces of a vocabulary, longest first (Wu et al. 2016, §4.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

__all__ = ["CLS", "PAD", "SEP", "UNKNOWN", "Vocabulary"]

PAD, UNKNOWN, CLS, SEP = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
_LONGEST_WORD = 100


class Vocabulary:
    """Pieces by number; those that go on inside a word begin with "##"."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self.ids: Mapping[str, int] = {piece: number for number, piece in enumerate(pieces)}
        self.pad, self.unknown, self.cls, self.sep = (self.ids[p] for p in (PAD, UNKNOWN, CLS, SEP))
        self.cut = lru_cache(maxsize=1 << 15)(self._cut)
        """The pieces of one word in lower case, by number; `unknown` alone where no cutting works."""

    def __contains__(self, word: object) -> bool:
        return word in self.ids

    def _cut(self, word: str) -> tuple[int, ...]:
        if len(word) > _LONGEST_WORD:
            return (self.unknown,)
        pieces: list[int] = []
        start = 0
        while start < len(word):
            found = self._longest(word, start)
            if found is None:
                return (self.unknown,)
            number, start = found
            pieces.append(number)
        return tuple(pieces)

    def _longest(self, word: str, start: int) -> tuple[int, int] | None:
        prefix = "##" if start else ""
        for end in range(len(word), start, -1):
            number = self.ids.get(prefix + word[start:end])
            if number is not None:
                return number, end
        return None
