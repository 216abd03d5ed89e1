"""A scene said in words that `models.scene.reading` reads back without loss."""

from __future__ import annotations

from models.scene.grammar import (
    Age,
    Aid,
    Depth,
    Gender,
    Headwear,
    Person,
    Place,
    Role,
    Scene,
    Side,
    Thing,
    Time,
    Weather,
)

__all__ = ["caption"]

_PLACES = {
    Place.BEACH: "on a beach",
    Place.STREET: "in a city street",
    Place.VALLEY: "in a mountain valley",
    Place.CLEARING: "in a forest clearing",
    Place.HARBOUR: "in a harbour",
    Place.DESERT: "in a desert",
    Place.PARK: "in a park",
    Place.MEADOW: "in a meadow",
    Place.LAKE: "by a lake",
    Place.ROOM: "in a living room",
}
_TIMES = {Time.MORNING: "in the morning", Time.AFTERNOON: "in the afternoon"}
_WEATHERS = {Weather.RAIN: "in the rain", Weather.SNOW: "in falling snow", Weather.FOG: "in fog"}
_SIDES = {Side.LEFT: "on the left", Side.CENTRE: "in the centre", Side.RIGHT: "on the right"}
_DEPTHS = {Depth.NEAR: "nearby", Depth.MIDDLE: "in the middle distance", Depth.FAR: "far away"}
_AIDS = {Aid.NONE: "on foot", Aid.WHEELCHAIR: "in a wheelchair", Aid.CANE: "with a cane"}
_CHILDREN = {Gender.WOMAN: "girl", Gender.MAN: "boy", Gender.NON_BINARY: "non-binary child"}
_ADULTS = {Gender.WOMAN: "woman", Gender.MAN: "man", Gender.NON_BINARY: "non-binary person"}


def caption(scene: Scene) -> str:
    """One sentence for the setting and its things, and one for each person."""
    time = _TIMES.get(scene.time, f"at {scene.time}")
    weather = _WEATHERS.get(scene.weather) or f"under {_a(scene.weather)} sky"
    setting = f"{time} in {scene.season}, {weather} {_PLACES[scene.place]}"
    things = ", ".join(_thing(thing) for thing in scene.things) or "nothing else in view"
    sentences = [f"{setting}: {things}", *(_person(person) for person in scene.people)]
    if not scene.people and not scene.things:
        sentences.append("nobody is there")
    return " ".join(f"{sentence[0].upper()}{sentence[1:]}." for sentence in sentences)


def _thing(thing: Thing) -> str:
    where = f"{_DEPTHS[thing.depth]} {_SIDES[thing.side]}"
    return f"{_a(thing.size)} {thing.colour} {thing.kind} {where}"


def _person(person: Person) -> str:
    noun = _CHILDREN[person.gender] if person.age is Age.CHILD else f"{person.age} {_ADULTS[person.gender]}"
    looks = f"with {person.skin} skin and {person.hair_style} {person.hair_colour} hair"
    return ", ".join(
        [
            f"{_a(noun)} {looks}",
            _dress(person),
            "bareheaded" if person.headwear is Headwear.NONE else f"wearing {_a(person.headwear)}",
            f"with {person.glasses}",
            _AIDS[person.aid],
            f"{_DEPTHS[person.depth]} {_SIDES[person.side]}",
        ]
    )


def _dress(person: Person) -> str:
    if person.role is Role.NONE:
        return f"in everyday {person.clothes} clothes"
    work = "dressed" if person.age is Age.CHILD else "working"
    return f"{work} as {_a(person.role)} in {person.clothes} clothes"


def _a(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
