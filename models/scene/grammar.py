"""What a scene is: a closed set of words, and the scenes they build.

Every choice is an enum and every enum fills exactly one field of a scene, a thing or a person, so a parser
or a sampler can tell from a value's type where it belongs. The partial twins hold what a prompt settled and
leave the rest `None`, for `models.scene.sample` to fill.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeVar

from guard.errors import InputError

__all__ = [
    "MAX_PEOPLE",
    "MAX_THINGS",
    "Age",
    "Aid",
    "Colour",
    "Depth",
    "Gender",
    "Glasses",
    "HairColour",
    "HairStyle",
    "Headwear",
    "Kind",
    "PartialPerson",
    "PartialScene",
    "PartialThing",
    "Person",
    "Place",
    "Role",
    "Scene",
    "Season",
    "Side",
    "Size",
    "Skin",
    "Thing",
    "Time",
    "Weather",
]

MAX_THINGS = 12
MAX_PEOPLE = 6


class Place(StrEnum):
    BEACH = "beach"
    STREET = "city street"
    VALLEY = "mountain valley"
    CLEARING = "forest clearing"
    HARBOUR = "harbour"
    DESERT = "desert"
    PARK = "park"
    MEADOW = "meadow"
    LAKE = "lake"
    ROOM = "living room"


class Time(StrEnum):
    DAWN = "dawn"
    MORNING = "morning"
    NOON = "noon"
    AFTERNOON = "afternoon"
    SUNSET = "sunset"
    DUSK = "dusk"
    NIGHT = "night"


class Weather(StrEnum):
    CLEAR = "clear"
    CLOUDY = "cloudy"
    OVERCAST = "overcast"
    RAIN = "rain"
    SNOW = "snow"
    FOG = "fog"


class Season(StrEnum):
    SPRING = "spring"
    SUMMER = "summer"
    AUTUMN = "autumn"
    WINTER = "winter"


class Colour(StrEnum):
    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    GREEN = "green"
    TEAL = "teal"
    BLUE = "blue"
    PURPLE = "purple"
    PINK = "pink"
    BROWN = "brown"
    BLACK = "black"
    GREY = "grey"
    WHITE = "white"


class Size(StrEnum):
    SMALL = "small"
    MEDIUM = "medium-sized"
    LARGE = "large"


class Side(StrEnum):
    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


class Depth(StrEnum):
    NEAR = "nearby"
    MIDDLE = "middle distance"
    FAR = "far away"


class Kind(StrEnum):
    HOUSE = "house"
    LIGHTHOUSE = "lighthouse"
    TENT = "tent"
    TREE = "tree"
    FIR = "fir tree"
    PALM = "palm tree"
    CACTUS = "cactus"
    BOAT = "rowing boat"
    SAILBOAT = "sailboat"
    CAR = "car"
    BICYCLE = "bicycle"
    BALLOON = "hot-air balloon"
    KITE = "kite"
    BENCH = "bench"
    STREET_LAMP = "street lamp"
    DOG = "dog"
    CAT = "cat"
    BIRD = "bird"
    SOFA = "sofa"
    TABLE = "table"
    PLANT = "potted plant"
    BOOKSHELF = "bookshelf"
    FLOOR_LAMP = "floor lamp"


class Gender(StrEnum):
    WOMAN = "woman"
    MAN = "man"
    NON_BINARY = "non-binary"


class Age(StrEnum):
    CHILD = "child"
    YOUNG = "young"
    MIDDLE_AGED = "middle-aged"
    ELDERLY = "elderly"


class Skin(StrEnum):
    """Six steps from light to dark, named without reference to origin."""

    VERY_LIGHT = "very light"
    LIGHT = "light"
    MEDIUM = "medium"
    TAN = "tan"
    BROWN = "brown"
    DARK = "dark"


class HairStyle(StrEnum):
    CROPPED = "cropped"
    SHORT = "short"
    CURLY = "curly"
    LONG = "long"
    BRAIDED = "braided"
    BUN = "tied-up"


class HairColour(StrEnum):
    BLACK = "black"
    BROWN = "brown"
    BLOND = "blond"
    RED = "red"
    GREY = "grey"
    WHITE = "white"


class Headwear(StrEnum):
    NONE = "bareheaded"
    HAT = "hat"
    CAP = "cap"
    HIJAB = "hijab"
    TURBAN = "turban"


class Glasses(StrEnum):
    NO = "no glasses"
    YES = "glasses"


class Aid(StrEnum):
    NONE = "on foot"
    WHEELCHAIR = "wheelchair"
    CANE = "cane"


class Role(StrEnum):
    NONE = "everyday"
    DOCTOR = "doctor"
    NURSE = "nurse"
    TEACHER = "teacher"
    SCIENTIST = "scientist"
    CHEF = "chef"
    FIREFIGHTER = "firefighter"
    BUILDER = "builder"
    FARMER = "farmer"
    POLICE = "police officer"
    OFFICE = "office worker"
    MUSICIAN = "musician"
    ARTIST = "artist"


@dataclass(frozen=True, slots=True)
class Thing:
    """One object; `side` and `depth` say where it stands in the picture."""

    kind: Kind
    colour: Colour
    size: Size
    side: Side
    depth: Depth


@dataclass(frozen=True, slots=True)
class Person:
    """One person; `clothes` is the colour of what they wear."""

    gender: Gender
    age: Age
    skin: Skin
    hair_style: HairStyle
    hair_colour: HairColour
    clothes: Colour
    headwear: Headwear
    glasses: Glasses
    aid: Aid
    role: Role
    side: Side
    depth: Depth


@dataclass(frozen=True, slots=True)
class Scene:
    """A whole picture in words."""

    place: Place
    time: Time
    weather: Weather
    season: Season
    things: tuple[Thing, ...] = ()
    people: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True)
class PartialThing:
    """A thing of which only some is known."""

    kind: Kind | None = None
    colour: Colour | None = None
    size: Size | None = None
    side: Side | None = None
    depth: Depth | None = None


@dataclass(frozen=True, slots=True)
class PartialPerson:
    """A person of whom only some is known."""

    gender: Gender | None = None
    age: Age | None = None
    skin: Skin | None = None
    hair_style: HairStyle | None = None
    hair_colour: HairColour | None = None
    clothes: Colour | None = None
    headwear: Headwear | None = None
    glasses: Glasses | None = None
    aid: Aid | None = None
    role: Role | None = None
    side: Side | None = None
    depth: Depth | None = None


@dataclass(frozen=True, slots=True)
class PartialScene:
    """What a prompt settled. `None` is open; an empty tuple means that nothing or nobody is wanted.

    `unused` holds the words that the grammar has no meaning for, in order of appearance.
    """

    place: Place | None = None
    time: Time | None = None
    weather: Weather | None = None
    season: Season | None = None
    things: tuple[PartialThing, ...] | None = None
    people: tuple[PartialPerson, ...] | None = None
    unused: tuple[str, ...] = field(default=(), compare=False)

    def settled(self) -> Scene:
        """The scene, where nothing is left open.

        Raises `InputError` naming the first open field otherwise.
        """
        things = tuple(_close(Thing, thing, "thing") for thing in self._must("things"))
        people = tuple(_close(Person, person, "person") for person in self._must("people"))
        return _close(Scene, self, "scene", things=things, people=people)

    def _must(self, name: str) -> Any:
        return _known(self, name, "scene")


T = TypeVar("T")


def _known(part: object, name: str, owner: str) -> Any:
    value = getattr(part, name)
    if value is None:
        raise InputError(f"The {owner}'s {name} is open.", "Name it in the prompt, or fill it with sample().")
    return value


def _close(whole: type[T], part: object, owner: str, **given: object) -> T:
    names = [item.name for item in fields(whole)]  # type: ignore[arg-type]
    return whole(**{name: given[name] if name in given else _known(part, name, owner) for name in names})
