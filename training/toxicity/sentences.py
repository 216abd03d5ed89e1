"""Sentences grown from the families of a YAML file, and the ways in which people write them differently."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

__all__ = ["Families", "disguised", "spoken", "styled"]

_SLOT = re.compile(r"\{(\w+)\}")
_EITHER = re.compile(r"\[([^\[\]|]*\|[^\[\]]*)\]")
_BEFORE_VOWEL = re.compile(r"\b([Aa])(?= [aeio][a-z])")
_HATEFUL = ("derogation", "dehumanising", "exclusion", "hateful threat")
_FILLERS = (
    "honestly,",
    "tbh",
    "lol",
    "I mean,",
    "well,",
    "ok so",
    "look,",
    "man,",
    "so",
    "btw",
    "yeah,",
    "update:",
)
_ENDINGS = (
    "lol",
    "smh",
    "period.",
    "just saying",
    "anyway",
    "tbh",
    "today",
    "again",
    "!!",
    "...",
    "#fact",
    "ok?",
)


_CASUAL = [
    (re.compile(rf"\b{plain}\b", re.IGNORECASE), casual)
    for plain, casual in (
        ("going to|about to", "finna"), ("the", "da"), ("that", "dat"), ("this", "dis"), ("they", "dey"),
        ("them", "dem"), ("with", "wit"), ("is not|are not|isn't|aren't|am not", "ain't"),
        ("you all", "y'all"),
        ("because", "cuz"), ("your", "yo"), (r"(\w{2,})ing", r"\1in"), ("want to", "wanna"),
        ("trying to", "tryna"), ("though", "tho"),
    )
]  # fmt: skip


@dataclass(frozen=True)
class Families:
    """The words and sentence families of one or more files.

    A pattern holds slots, `{word}`, filled with one of the words of that name, which may hold slots in turn;
    `[this|that]` becomes one of the two.
    """

    words: Mapping[str, Sequence[str]]
    families: Sequence[Mapping[str, Any]]

    @classmethod
    def load(cls, *paths: Path) -> Families:
        """Reads the files; what has the same name in two of them is the later one's."""
        words: dict[str, Sequence[str]] = {}
        families: list[Mapping[str, Any]] = []
        for path in paths:
            found = yaml.safe_load(path.read_text("utf-8"))
            words |= found["words"] | found.get("extra", {})
            families += found["families"]
        return cls(words, families)

    def sentence(self, family: Mapping[str, Any], rng: random.Random) -> str:
        """One sentence of a family, its first letter made a capital."""
        text = re.sub(r"\s+", " ", self._filled(rng.choice(family["patterns"]), rng)).strip()
        text = _BEFORE_VOWEL.sub(r"\1n", text)
        return text[:1].upper() + text[1:]

    def _filled(self, pattern: str, rng: random.Random) -> str:
        chosen = _EITHER.sub(lambda either: rng.choice(either[1].split("|")), pattern)
        return _SLOT.sub(lambda slot: self._filled(self._word(slot[1], rng), rng), chosen)

    def _word(self, slot: str, rng: random.Random) -> str:
        if slot == "abuse":
            family = rng.choice([f for f in self.families if f["name"] in _HATEFUL])
            return self.sentence(family, rng).rstrip(".")
        return str(rng.choice(self.words[slot]))


def styled(text: str, rng: random.Random) -> str:
    """The text as somebody else would type it: other capitals, no full stop, a filler before or after."""
    if rng.random() < 0.15:
        text = f"{rng.choice(_FILLERS)} {text}"
    if rng.random() < 0.35:
        text = text.rstrip(".")
    if rng.random() < 0.1:
        text = f"{text} {rng.choice(_ENDINGS)}"
    case = rng.random()
    return text.lower() if case < 0.3 else text.upper() if case < 0.33 else text


def spoken(text: str) -> str:
    """The text in a casual spelling that African American English shares with others."""
    for plain, casual in _CASUAL:
        text = plain.sub(casual, text)
    return text


def disguised(text: str, rng: random.Random) -> str:
    """The text with one or two of its longer words misspelt, as by accident or to get past a filter."""
    words = text.split(" ")
    long = [n for n, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    for number in rng.sample(long, min(len(long), rng.choice((1, 1, 2)))):
        words[number] = rng.choice((_swapped, _shorter, _masked, _leet, _apart, _drawn))(words[number], rng)
    if len(words) > 2 and rng.random() < 0.25:
        at = rng.randrange(len(words) - 1)
        words[at : at + 2] = ["".join(words[at : at + 2])]
    return " ".join(words)


def _swapped(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _shorter(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word))
    return word[:at] + word[at + 1 :]


def _masked(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word) - 1)
    return f"{word[:at]}*{word[at + 1 :]}"


def _leet(word: str, rng: random.Random) -> str:
    return "".join(
        {"a": "4", "e": "3", "i": "1", "o": "0", "s": "5"}.get(c, c) if rng.random() < 0.7 else c
        for c in word
    )


def _apart(word: str, rng: random.Random) -> str:
    return rng.choice((" ", ".", "-")).join(word)


def _drawn(word: str, rng: random.Random) -> str:
    at = rng.randrange(len(word))
    return word[:at] + word[at] * rng.randrange(2, 5) + word[at + 1 :]
