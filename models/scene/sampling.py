"""Scenes drawn by chance: seeded, from odds that are written out and can be changed.

People's attributes are all equally likely and independent of each other, of the place and of the role, so
that a skew found in a model trained on these pictures is the model's own. The one exception is that a man
does not wear a hijab unless asked for. Places and things favour what belongs together.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeVar

from models.scene.grammar import (
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
    Person,
    Place,
    Role,
    Scene,
    Season,
    Side,
    Size,
    Skin,
    Thing,
    Time,
    Weather,
)

__all__ = ["Odds", "sample"]

Value = TypeVar("Value")
Weights = Mapping[Value, float]


def even(choices: type[StrEnum]) -> Weights[Any]:
    """The same weight for every member."""
    return dict.fromkeys(choices, 1.0)


_AIRY: Weights[Kind] = {Kind.BIRD: 1.5, Kind.BALLOON: 0.7}
_PETS: Weights[Kind] = {Kind.DOG: 1.0, Kind.CAT: 0.6}
_KINDS: Mapping[Place, Weights[Kind]] = {
    Place.BEACH: {
        Kind.SAILBOAT: 3,
        Kind.BOAT: 2,
        Kind.PALM: 2,
        Kind.LIGHTHOUSE: 1.5,
        Kind.KITE: 1,
        **_AIRY,
        **_PETS,
    },
    Place.STREET: {
        Kind.CAR: 3,
        Kind.STREET_LAMP: 2,
        Kind.BICYCLE: 2,
        Kind.TREE: 1,
        Kind.BENCH: 1,
        **_PETS,
        **_AIRY,
    },
    Place.VALLEY: {Kind.HOUSE: 2, Kind.FIR: 2, Kind.TENT: 1.5, Kind.TREE: 1, **_PETS, **_AIRY},
    Place.CLEARING: {
        Kind.TENT: 2,
        Kind.HOUSE: 1,
        Kind.TREE: 1,
        Kind.FIR: 1.5,
        Kind.BENCH: 0.7,
        **_PETS,
        Kind.BIRD: 2,
    },
    Place.HARBOUR: {
        Kind.SAILBOAT: 3,
        Kind.BOAT: 3,
        Kind.LIGHTHOUSE: 1.5,
        Kind.STREET_LAMP: 1,
        Kind.CAT: 1,
        Kind.BIRD: 2,
    },
    Place.DESERT: {Kind.CACTUS: 3, Kind.TENT: 2, Kind.PALM: 1.5, Kind.CAR: 1, **_AIRY, Kind.DOG: 0.6},
    Place.PARK: {
        Kind.BENCH: 2.5,
        Kind.TREE: 2.5,
        Kind.BICYCLE: 1.5,
        Kind.STREET_LAMP: 1.5,
        Kind.KITE: 1,
        **_PETS,
        **_AIRY,
    },
    Place.MEADOW: {
        Kind.HOUSE: 2.5,
        Kind.TREE: 2.5,
        Kind.KITE: 1,
        Kind.BENCH: 0.7,
        Kind.BICYCLE: 1,
        **_PETS,
        **_AIRY,
    },
    Place.LAKE: {
        Kind.BOAT: 3,
        Kind.SAILBOAT: 2,
        Kind.TENT: 1.5,
        Kind.FIR: 1.5,
        Kind.HOUSE: 1,
        **_PETS,
        **_AIRY,
    },
    Place.ROOM: {
        Kind.SOFA: 3,
        Kind.TABLE: 2,
        Kind.PLANT: 2,
        Kind.BOOKSHELF: 2,
        Kind.FLOOR_LAMP: 2,
        Kind.CAT: 1.5,
        Kind.DOG: 1,
    },
}
_FRESH: Weights[Weather] = {
    Weather.CLEAR: 4,
    Weather.CLOUDY: 4,
    Weather.OVERCAST: 1,
    Weather.RAIN: 1.5,
    Weather.FOG: 1,
}
_WEATHERS: Mapping[Season, Weights[Weather]] = {
    Season.SPRING: _FRESH,
    Season.SUMMER: {
        Weather.CLEAR: 5,
        Weather.CLOUDY: 4,
        Weather.OVERCAST: 0.7,
        Weather.RAIN: 1,
        Weather.FOG: 0.4,
    },
    Season.AUTUMN: {**_FRESH, Weather.FOG: 1.8},
    Season.WINTER: {
        Weather.CLEAR: 2.5,
        Weather.CLOUDY: 2.5,
        Weather.OVERCAST: 1,
        Weather.SNOW: 4,
        Weather.FOG: 1,
    },
}
_COLOURS: Mapping[Kind, Weights[Colour]] = {
    Kind.TREE: {Colour.GREEN: 1},
    Kind.FIR: {Colour.GREEN: 1},
    Kind.PALM: {Colour.GREEN: 1},
    Kind.CACTUS: {Colour.GREEN: 1},
    Kind.PLANT: {Colour.GREEN: 1},
    Kind.DOG: {Colour.BROWN: 3, Colour.BLACK: 1, Colour.WHITE: 1, Colour.GREY: 1},
    Kind.CAT: {Colour.ORANGE: 2, Colour.BLACK: 1, Colour.WHITE: 1, Colour.GREY: 1},
    Kind.BIRD: {Colour.WHITE: 2, Colour.BLACK: 1, Colour.GREY: 1},
    Kind.STREET_LAMP: {Colour.BLACK: 2, Colour.GREEN: 1},
    Kind.BENCH: {Colour.BROWN: 3, Colour.GREEN: 1},
    Kind.TABLE: {Colour.BROWN: 3, Colour.WHITE: 1},
    Kind.BOOKSHELF: {Colour.BROWN: 3, Colour.WHITE: 1},
}


@dataclass(frozen=True)
class Odds:
    """Relative weights of every choice. Weights need not add up to one; what is missing cannot be chosen.

    `person` holds one table per attribute; by default every value of each is as likely as any other.
    """

    place: Weights[Place] = field(default_factory=lambda: even(Place))
    time: Weights[Time] = field(default_factory=lambda: even(Time))
    season: Weights[Season] = field(default_factory=lambda: even(Season))
    weather: Mapping[Season, Weights[Weather]] = field(default_factory=lambda: _WEATHERS)
    things: Weights[int] = field(default_factory=lambda: {1: 1, 2: 3, 3: 3, 4: 1})
    people: Weights[int] = field(default_factory=lambda: {0: 2, 1: 4, 2: 2})
    kinds: Mapping[Place, Weights[Kind]] = field(default_factory=lambda: _KINDS)
    colours: Mapping[Kind, Weights[Colour]] = field(default_factory=lambda: _COLOURS)
    size: Weights[Size] = field(default_factory=lambda: even(Size))
    stranger: float = 0.02
    person: Mapping[str, Weights[Any]] = field(
        default_factory=lambda: {
            "gender": even(Gender),
            "age": even(Age),
            "skin": even(Skin),
            "hair_style": even(HairStyle),
            "hair_colour": even(HairColour),
            "clothes": even(Colour),
            "headwear": even(Headwear),
            "glasses": even(Glasses),
            "aid": even(Aid),
            "role": even(Role),
            "depth": {Depth.NEAR: 3, Depth.MIDDLE: 1},
        }
    )
    apart: frozenset[tuple[Gender, Headwear]] = frozenset({(Gender.MAN, Headwear.HIJAB)})
    """`apart` holds what chance does not put on one person.

    `stranger` is how likely a place is, against one that fits, for each thing that does not belong there.
    """


def sample(seed: int, given: PartialScene | None = None, odds: Odds | None = None) -> Scene:
    """A whole scene: what `given` settles is kept, the rest is chosen by `odds` with `seed`."""
    return _Chooser(seed, odds or Odds()).scene(given or PartialScene())


class _Chooser:
    def __init__(self, seed: int, odds: Odds) -> None:
        self.random = random.Random(seed)  # noqa: S311 - pictures, not secrets
        self.odds = odds
        self.spots: list[tuple[Side, Depth]] = []

    def scene(self, given: PartialScene) -> Scene:
        place = given.place or self._pick(self._places(given))
        time = given.time or self._pick(self.odds.time)
        season = given.season or self._pick(self._seasons(given.weather))
        weather = given.weather or self._pick(self.odds.weather[season])
        people = self._people(given)
        things = self._things(given, place)
        parts: list[PartialPerson | PartialThing] = [*people, *things]
        self.spots = [(one.side, one.depth) for one in parts if one.side and one.depth]
        return Scene(
            place=place,
            time=time,
            weather=weather,
            season=season,
            things=tuple(self._thing(thing) for thing in things),
            people=tuple(self._person(person) for person in people),
        )

    def _pick(self, weights: Weights[Value]) -> Value:
        return self.random.choices(list(weights), list(weights.values()))[0]

    def _places(self, given: PartialScene) -> Weights[Place]:
        kinds = [thing.kind for thing in given.things or () if thing.kind]
        return {
            place: weight * self.odds.stranger ** sum(kind not in self.odds.kinds[place] for kind in kinds)
            for place, weight in self.odds.place.items()
        }

    def _seasons(self, weather: Weather | None) -> Weights[Season]:
        fitting = {
            s: w for s, w in self.odds.season.items() if not weather or weather in self.odds.weather[s]
        }
        return fitting or self.odds.season

    def _people(self, given: PartialScene) -> Sequence[PartialPerson]:
        if given.people is not None:
            return given.people
        return (PartialPerson(),) * self._pick(self.odds.people)

    def _things(self, given: PartialScene, place: Place) -> Sequence[PartialThing]:
        if given.things is not None:
            return [thing if thing.kind else self._named(thing, place, set()) for thing in given.things]
        seen: set[Kind] = set()
        return [self._named(PartialThing(), place, seen) for _ in range(self._pick(self.odds.things))]

    def _named(self, thing: PartialThing, place: Place, seen: set[Kind]) -> PartialThing:
        """A thing with its kind chosen, another than those `seen` while there are any."""
        weights = self.odds.kinds[place]
        kind = self._pick({k: w for k, w in weights.items() if k not in seen} or weights)
        seen.add(kind)
        return PartialThing(kind, thing.colour, thing.size, thing.side, thing.depth)

    def _thing(self, given: PartialThing) -> Thing:
        assert given.kind is not None
        colour = given.colour or self._pick(self.odds.colours.get(given.kind) or even(Colour))
        size = given.size or self._pick(self.odds.size)
        side, depth = self._spot(given.side, given.depth, {Depth.NEAR: 1, Depth.MIDDLE: 3, Depth.FAR: 1.5})
        return Thing(given.kind, colour, size, side, depth)

    def _person(self, given: PartialPerson) -> Person:
        names = [item.name for item in fields(Person) if item.name not in ("side", "depth")]
        said = {name: getattr(given, name) for name in names}
        for name in names:
            said[name] = said[name] or self._pick(self._fitting(name, said))
        side, depth = self._spot(given.side, given.depth, self.odds.person["depth"])
        return Person(**said, side=side, depth=depth)

    def _fitting(self, name: str, said: Mapping[str, Any]) -> Weights[Any]:
        """The odds of an attribute, without what does not go with what is already `said`."""
        odds = self.odds.person[name]
        barred: set[StrEnum]
        if name == "gender":
            barred = {gender for gender, headwear in self.odds.apart if headwear == said["headwear"]}
        elif name == "headwear":
            barred = {headwear for gender, headwear in self.odds.apart if gender == said["gender"]}
        else:
            return odds
        return {value: weight for value, weight in odds.items() if value not in barred} or odds

    def _spot(self, side: Side | None, depth: Depth | None, depths: Weights[Depth]) -> tuple[Side, Depth]:
        """Where to stand: a spot that nothing else has, and rather a side that few have."""
        if side and depth:
            return side, depth
        weights = {
            (s, d): depths.get(d, 0.0 if not depth else 1.0)
            * 0.02 ** self.spots.count((s, d))
            * 0.35 ** sum(s is taken for taken, _ in self.spots)
            for s in ([side] if side else Side)
            for d in ([depth] if depth else Depth)
        }
        spot = self._pick(weights)
        self.spots.append(spot)
        return spot
