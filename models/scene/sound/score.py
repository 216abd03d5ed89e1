"""What a scene sounds like: which sounds, how loud, and where. Nothing here makes a sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from models.scene.grammar import (
    Aid,
    Depth,
    Kind,
    Person,
    Place,
    Role,
    Scene,
    Season,
    Side,
    Size,
    Thing,
    Time,
    Weather,
)

__all__ = ["Part", "Sound", "score"]


class Sound(StrEnum):
    """Everything that can be heard."""

    BARKS = "barking"
    BEES = "bees"
    BICYCLE = "bicycle bell"
    BREEZE = "breeze"
    BUOY = "bell buoy"
    BURNER = "burner"
    CHURCH_BELL = "church bell"
    CLINKS = "halyards"
    CLOCK = "clock"
    COWBELLS = "cowbells"
    CRICKETS = "crickets"
    CRUNCHING = "crunching steps"
    ENGINE = "engine"
    FIRE = "fire"
    FLUTTER = "fluttering cloth"
    FOGHORN = "foghorn"
    GUITAR = "guitar"
    GULLS = "gulls"
    HUM = "hum"
    HUSH = "room tone"
    LAPPING = "lapping water"
    LEAVES = "leaves"
    MEOWS = "meowing"
    MURMUR = "murmur"
    OWL = "owl"
    RAIN = "rain"
    ROWING = "rowing"
    SONGBIRDS = "songbirds"
    STEPS = "steps"
    TAPPING = "walking stick"
    THUNDER = "thunder"
    TRAFFIC = "traffic"
    WAVES = "waves"
    WHEELS = "wheels"
    WIND = "wind"


@dataclass(frozen=True, slots=True)
class Part:
    """One sound of the scene.

    `level` is how loud its loudest tenth of a second is, in dB, as if it were near; `side` runs from -1
    (left) to 1 (right), and what comes from all around stays there; a larger `size` is deeper and slower.
    """

    sound: Sound
    level: float
    side: float = 0.0
    depth: Depth = Depth.NEAR
    size: Size = Size.MEDIUM


_SIDES = {Side.LEFT: -0.7, Side.CENTRE: 0.0, Side.RIGHT: 0.7}
_OPEN_WATER = frozenset({Place.BEACH, Place.HARBOUR})
_GREEN = frozenset({Place.CLEARING, Place.PARK, Place.MEADOW, Place.VALLEY, Place.LAKE})
_DARK = frozenset({Time.NIGHT, Time.DUSK})
_HARD_GROUND = frozenset({Place.STREET, Place.HARBOUR, Place.ROOM})
_BELL_HOURS = frozenset({Time.NOON, Time.SUNSET})

_PLACES: dict[Place, tuple[Part, ...]] = {
    Place.BEACH: (Part(Sound.WAVES, -14),),
    Place.STREET: (Part(Sound.TRAFFIC, -16),),
    Place.HARBOUR: (Part(Sound.LAPPING, -18), Part(Sound.CLINKS, -22, 0.4, Depth.MIDDLE)),
    Place.LAKE: (Part(Sound.LAPPING, -18),),
    Place.CLEARING: (Part(Sound.LEAVES, -22, -0.3), Part(Sound.LEAVES, -24, 0.5, Depth.MIDDLE)),
    Place.PARK: (Part(Sound.LEAVES, -25, 0.4), Part(Sound.TRAFFIC, -22, depth=Depth.FAR)),
    Place.ROOM: (Part(Sound.HUSH, -34), Part(Sound.CLOCK, -20, 0.3, Depth.MIDDLE)),
}
_WEATHERS: dict[Weather, tuple[Part, ...]] = {
    Weather.CLEAR: (Part(Sound.BREEZE, -34),),
    Weather.CLOUDY: (Part(Sound.BREEZE, -31),),
    Weather.OVERCAST: (Part(Sound.BREEZE, -34), Part(Sound.WIND, -24)),
    Weather.RAIN: (Part(Sound.BREEZE, -36), Part(Sound.RAIN, -18)),
    Weather.SNOW: (Part(Sound.BREEZE, -34), Part(Sound.WIND, -26)),
    Weather.FOG: (Part(Sound.BREEZE, -32),),
}
_THINGS: dict[Kind, tuple[Sound, float]] = {
    Kind.TREE: (Sound.LEAVES, -20),
    Kind.FIR: (Sound.WIND, -24),
    Kind.PALM: (Sound.LEAVES, -18),
    Kind.BOAT: (Sound.ROWING, -18),
    Kind.SAILBOAT: (Sound.CLINKS, -18),
    Kind.CAR: (Sound.ENGINE, -15),
    Kind.BICYCLE: (Sound.BICYCLE, -18),
    Kind.BALLOON: (Sound.BURNER, -14),
    Kind.KITE: (Sound.FLUTTER, -18),
    Kind.DOG: (Sound.BARKS, -12),
    Kind.CAT: (Sound.MEOWS, -16),
    Kind.FLOOR_LAMP: (Sound.HUM, -40),
    Kind.STREET_LAMP: (Sound.HUM, -38),
}
_WISHED = -14.0


def score(scene: Scene, wished: Iterable[Sound] = ()) -> list[Part]:
    """The parts of `scene`, what was `wished` for by name first; a wish is not played twice."""
    names = list(dict.fromkeys(wished))
    rest = [*_surroundings(scene), *_life(scene), *_objects(scene), *_crowd(scene)]
    return [*(Part(sound, _WISHED) for sound in names), *(part for part in rest if part.sound not in names)]


def _surroundings(scene: Scene) -> Iterator[Part]:
    yield from _PLACES.get(scene.place, ())
    if scene.place is not Place.ROOM:
        yield from _WEATHERS[scene.weather]
        return
    if scene.weather is Weather.RAIN:
        yield Part(Sound.RAIN, -18, depth=Depth.FAR)  # behind the windows
    if scene.season is Season.WINTER:
        yield Part(Sound.FIRE, -20, -0.5, Depth.MIDDLE)


def _life(scene: Scene) -> Iterator[Part]:
    """The animals and bells that the place, the hour and the season bring."""
    calm = scene.weather not in (Weather.RAIN, Weather.SNOW)
    light = scene.time not in _DARK
    if calm and light and scene.place in _OPEN_WATER:
        yield Part(Sound.GULLS, -20, -0.4, Depth.MIDDLE)
    if calm and light and scene.place in _GREEN and scene.season is not Season.WINTER:
        yield Part(Sound.SONGBIRDS, -20, -0.6, Depth.MIDDLE)
        yield Part(Sound.SONGBIRDS, -22, 0.5, Depth.FAR)
    if (
        calm
        and not light
        and scene.place is not Place.ROOM
        and scene.season in (Season.SUMMER, Season.AUTUMN)
    ):
        yield Part(Sound.CRICKETS, -24)
    if calm and scene.time is Time.NIGHT and scene.place is Place.CLEARING:
        yield Part(Sound.OWL, -18, 0.6, Depth.FAR)
    if scene.place is Place.MEADOW and scene.season is Season.SUMMER and calm and light:
        yield Part(Sound.BEES, -24, 0.2)
    if scene.place is Place.VALLEY and scene.season is not Season.WINTER and light:
        yield Part(Sound.COWBELLS, -22, depth=Depth.MIDDLE)


def _objects(scene: Scene) -> Iterator[Part]:
    for thing in scene.things:
        if found := _heard(thing, scene):
            yield Part(*found, _SIDES[thing.side], thing.depth, thing.size)


def _heard(thing: Thing, scene: Scene) -> tuple[Sound, float] | None:
    """What a thing sounds like here and now, None for those that are silent."""
    if thing.kind is Kind.BIRD:
        return (Sound.GULLS if scene.place in _OPEN_WATER else Sound.SONGBIRDS), -18
    if thing.kind is Kind.LIGHTHOUSE:
        return (Sound.FOGHORN, -12) if scene.weather is Weather.FOG else (Sound.BUOY, -16)
    if thing.kind is Kind.TENT:
        return (Sound.FIRE, -18) if scene.time in _DARK else (Sound.FLUTTER, -22)
    if thing.kind is Kind.HOUSE:
        return (Sound.CHURCH_BELL, -14) if scene.time in _BELL_HOURS else None
    if thing.kind is Kind.STREET_LAMP and scene.time not in _DARK:
        return None
    return _THINGS.get(thing.kind)


def _crowd(scene: Scene) -> Iterator[Part]:
    """Those who move are heard moving, and where there are two, they talk."""
    for number, person in enumerate(scene.people):
        side = _SIDES[person.side]
        for sound, level in _moving(person, scene):
            yield Part(sound, level, side, person.depth)
        if person.role is Role.MUSICIAN:
            yield Part(Sound.GUITAR, -16, side, person.depth)
        elif len(scene.people) > 1 and number < 3:
            yield Part(Sound.MURMUR, -19, side, person.depth)


def _moving(person: Person, scene: Scene) -> Iterator[tuple[Sound, float]]:
    snowy = scene.weather is Weather.SNOW and scene.place is not Place.ROOM
    hard = scene.place in _HARD_GROUND and not snowy
    if person.aid is Aid.WHEELCHAIR:
        yield Sound.WHEELS, -24
        return
    yield (Sound.STEPS, -22) if hard else (Sound.CRUNCHING, -23)
    if person.aid is Aid.CANE:
        yield Sound.TAPPING, -24
