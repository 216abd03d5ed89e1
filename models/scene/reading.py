"""Prompts read into scenes: keywords anywhere, in any order, what is not understood left aside and named."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from models.scene.grammar import (
    MAX_PEOPLE,
    MAX_THINGS,
    Age,
    Aid,
    Colour,
    Depth,
    Gender,
    Glasses,
    HairColour,
    HairStyle,
    Headwear,
    Kind,
    PartialPerson,
    PartialScene,
    PartialThing,
    Place,
    Role,
    Season,
    Side,
    Size,
    Skin,
    Time,
    Weather,
)
from models.scene.lexicon import (
    ADJECTIVES,
    ARTICLES,
    FILLERS,
    LONGEST,
    NUMBERS,
    PEOPLE,
    SCENERY,
    THINGS,
    WORN,
    Part,
    Sign,
)

__all__ = ["MAX_PROMPT", "parse"]

MAX_PROMPT = 8_000
"""Characters of a prompt that are read; the rest is left aside."""

_TOKEN = re.compile(r"[^\W_]+|[.,;:!?()]")
_BREAKS = frozenset(".,;:!?()")
_PLURALS = {"people": "person", "persons": "person", "women": "woman", "men": "man", "children": "child"}
_PLURALS |= {"ladies": "lady", "cacti": "cactus", "shelves": "shelf", "bookshelves": "bookshelf"}

_SCENE: dict[type[StrEnum], str] = {Place: "place", Time: "time", Weather: "weather", Season: "season"}
_SPOT: dict[type[StrEnum], str] = {Side: "side", Depth: "depth"}
_THING: dict[type[StrEnum], str] = {Kind: "kind", Colour: "colour", Size: "size", **_SPOT}
_PERSON: dict[type[StrEnum], str] = {
    Gender: "gender",
    Age: "age",
    Skin: "skin",
    HairStyle: "hair_style",
    HairColour: "hair_colour",
    Colour: "clothes",
    Headwear: "headwear",
    Glasses: "glasses",
    Aid: "aid",
    Role: "role",
    **_SPOT,
}
_PARTS: dict[Part, tuple[type[StrEnum], ...]] = {
    Part.HAIR: (HairStyle, HairColour),
    Part.SKIN: (Skin,),
    Part.CLOTHES: (Colour,),
}
_NAMING: dict[type[StrEnum], str] = {
    kind: _PERSON[kind] for kind in (Gender, Age, Skin, HairStyle, HairColour)
}
"""What an adjective right before a person can mean."""


def parse(prompt: str) -> PartialScene:
    """What `prompt` says of a scene. Never fails: words without meaning here come back in `unused`.

    A prompt that names things but nobody asks for nobody; one that names neither leaves both open.
    """
    reader = _Reader()
    words = _words(prompt)
    at = 0
    while at < len(words):
        at += reader.read(words, at)
    return reader.finish()


@dataclass
class _Reader:
    """The state of reading from left to right.

    `last` is what a position or a trailing adjective belongs to, `current` the person that a hat or a
    hairstyle goes to, `ahead` what was said of the person still to be named ("long-haired").
    """

    scene: dict[str, Any] = field(default_factory=dict)
    things: list[dict[str, Any]] = field(default_factory=list)
    people: list[dict[str, Any]] = field(default_factory=list)
    last: list[dict[str, Any]] = field(default_factory=list)
    ahead: dict[str, Any] = field(default_factory=dict)
    current: list[dict[str, Any]] = field(default_factory=list)
    waiting: list[tuple[str, tuple[StrEnum, ...]]] = field(default_factory=list)
    spots: list[StrEnum] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    wanted: dict[str, bool] = field(default_factory=lambda: {"things": False, "people": False})
    count: int = 1
    negated: bool = False
    joining: bool = False
    nameless: bool = False

    def read(self, words: list[str], at: int) -> int:
        """Take the longest known phrase that starts at `at`; how many words it took."""
        for length in range(min(LONGEST, len(words) - at), 0, -1):
            for phrase in _forms(words[at : at + length]):
                if self._phrase(phrase):
                    return length
        self._word(words[at])
        return 1

    def finish(self) -> PartialScene:
        self._settle()
        things = tuple(PartialThing(**thing) for thing in self.things)
        people = tuple(PartialPerson(**person) for person in self.people)
        return PartialScene(
            **self.scene,
            things=things if things or self.wanted["things"] else None,
            people=people if people or things or self.wanted["people"] else None,
            unused=tuple(self.unused),
        )

    def _phrase(self, phrase: str) -> bool:
        if phrase in WORN:
            self._wear(phrase, WORN[phrase])
        elif phrase in PEOPLE:
            self._person(phrase, PEOPLE[phrase])
        elif phrase in THINGS:
            self._thing(phrase, THINGS[phrase])
        elif phrase in ADJECTIVES:
            self.waiting.append((phrase, ADJECTIVES[phrase]))
        elif phrase in SCENERY:
            self._scenery(phrase, SCENERY[phrase])
        else:
            return False
        return True

    def _word(self, word: str) -> None:
        number = NUMBERS.get(word) or (
            int(word) if word.isascii() and word.isdigit() and len(word) < 6 else 0
        )
        if word in _BREAKS or word in ARTICLES:
            self.negated = self.negated and word in ARTICLES
            self._settle()
        elif number:
            self._settle()
            self.count = number
        elif word not in FILLERS:
            self.unused.append(word)

    def _scenery(self, phrase: str, value: StrEnum) -> None:
        if isinstance(value, Sign):
            self._sign(value)
        elif type(value) in _SPOT:
            self._spot(value)
        elif self.negated or self.scene.setdefault(_SCENE[type(value)], value) is not value:
            self.negated = False
            self.unused.append(phrase)

    def _sign(self, sign: Sign) -> None:
        if sign is Sign.NOT:
            self.negated = True
        elif sign is Sign.AS:
            self.joining = True
        elif sign is Sign.HAIRED:
            self.ahead |= self._take(_part(Part.HAIR))
        elif sign is Sign.SKINNED:
            self.ahead |= self._take(_part(Part.SKIN))
        else:
            self.wanted["things" if sign is Sign.NOTHING else "people"] = True

    def _spot(self, value: StrEnum) -> None:
        name = _SPOT[type(value)]
        if self.last and not self.waiting and all(name not in entity for entity in self.last):
            for entity in self.last:
                entity[name] = value
        else:
            self.spots.append(value)

    def _thing(self, phrase: str, kind: StrEnum) -> None:
        if self._denied("things"):
            return
        entity = {"kind": kind} | self._take(_THING)
        self._open(self.things, entity, MAX_THINGS, phrase)

    def _person(self, phrase: str, values: tuple[StrEnum, ...]) -> None:
        if self._denied("people"):
            return
        said = {_PERSON[type(value)]: value for value in values}
        if self.joining and self.current and "role" in said and "role" not in self.current[0]:
            self._give(self.current, said)
            self.joining = False
            return
        entity = self.ahead | self._take(_NAMING) | said
        self.ahead = {}
        if self.nameless:
            self._give(self.current, entity)
        else:
            self._open(self.people, entity, MAX_PEOPLE, phrase)
            self.current = self.last
        self.nameless = False

    def _wear(self, phrase: str, value: StrEnum) -> None:
        """Something about a person: the last one named, or a new one where nobody has been."""
        said = {}
        if isinstance(value, Part):
            said = self._take(_part(value))
            if not said:
                return
        else:
            said = {_PERSON[type(value)]: value}
        self.negated = False
        if not self.current:
            self._open(self.people, {}, MAX_PEOPLE, phrase)
            self.current, self.nameless = self.last, True
        self._give(self.current, said)

    def _give(self, entities: list[dict[str, Any]], said: dict[str, Any]) -> None:
        for entity in entities:
            for name, value in said.items():
                entity.setdefault(name, value)

    def _denied(self, group: str) -> bool:
        """Whether a "no" before this noun took it away."""
        if not self.negated:
            return False
        self.negated = False
        self.wanted[group] = True
        self._drop(self.waiting)
        return True

    def _open(self, group: list[dict[str, Any]], entity: dict[str, Any], most: int, phrase: str) -> None:
        room = min(self.count, most - len(group))
        if room < self.count:
            self.unused.append(phrase)
        for value in self.spots:
            entity.setdefault(_SPOT[type(value)], value)
        self.last = [dict(entity) for _ in range(room)]
        group.extend(self.last)
        self.count, self.joining = 1, False
        self.spots.clear()

    def _take(self, slots: dict[type[StrEnum], str]) -> dict[str, Any]:
        """The waiting adjectives' meanings that fit `slots`; those that don't fit are unused."""
        said: dict[str, Any] = {}
        for word, senses in self.waiting:
            fits = [sense for sense in senses if type(sense) in slots and slots[type(sense)] not in said]
            if fits:
                said[slots[type(fits[0])]] = fits[0]
            else:
                self.unused.append(word)
        self.waiting.clear()
        return said

    def _settle(self) -> None:
        """At a pause, adjectives still waiting describe what came before ("the car is red")."""
        kept = [(word, senses) for word, senses in self.waiting if not self._trail(senses)]
        self._drop(kept)
        self.count = 1

    def _trail(self, senses: Iterable[StrEnum]) -> bool:
        for entity in self.last[:1]:
            slots = _THING if "kind" in entity else _NAMING
            for sense in senses:
                if type(sense) in slots and slots[type(sense)] not in entity:
                    self._give(self.last, {slots[type(sense)]: sense})
                    return True
        return False

    def _drop(self, waiting: list[tuple[str, tuple[StrEnum, ...]]]) -> None:
        self.unused.extend(word for word, _ in waiting)
        self.waiting.clear()


def _part(part: Part) -> dict[type[StrEnum], str]:
    return {kind: _PERSON[kind] for kind in _PARTS[part]}


def _words(prompt: str) -> list[str]:
    """Lower-case words and pauses; accents of width and form folded, anything else between words."""
    plain = unicodedata.normalize("NFKC", prompt[:MAX_PROMPT]).casefold()
    return _TOKEN.findall(plain)


def _forms(words: list[str]) -> Iterator[str]:
    """The phrase as it stands, then with its last word made singular."""
    yield " ".join(words)
    *head, last = words
    for single in _singular(last):
        yield " ".join([*head, single])


def _singular(word: str) -> Iterator[str]:
    if word in _PLURALS:
        yield _PLURALS[word]
    elif word.endswith("s") and len(word) > 3:
        yield word[:-1]
        if word.endswith("es"):
            yield word[:-2]
