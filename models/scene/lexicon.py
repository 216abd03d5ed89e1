"""What words mean: every phrase the parser knows, and the enum values or the function it stands for.

Values carry their own place in a scene (their type names the field), so an entry is no more than its
values. An adjective may mean several things ("white" paints a boat, hair or a person's skin); the noun it
meets picks one.
"""

from __future__ import annotations

from enum import StrEnum

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
    Place,
    Role,
    Season,
    Side,
    Size,
    Skin,
    Time,
    Weather,
)

__all__ = [
    "ADJECTIVES",
    "ARTICLES",
    "FILLERS",
    "LONGEST",
    "NUMBERS",
    "PEOPLE",
    "SCENERY",
    "THINGS",
    "WORN",
    "Part",
    "Sign",
]


class Part(StrEnum):
    """Parts of a person that an adjective can describe."""

    HAIR = "hair"
    SKIN = "skin"
    CLOTHES = "clothes"


class Sign(StrEnum):
    """Words that steer the parser rather than fill a field."""

    NOTHING = "nothing"
    NOBODY = "nobody"
    NOT = "not"
    AS = "as"
    HAIRED = "haired"
    SKINNED = "skinned"


def _spread(entries: dict[StrEnum, str]) -> dict[str, StrEnum]:
    return {phrase.strip(): value for value, phrases in entries.items() for phrase in phrases.split(",")}


SCENERY: dict[str, StrEnum] = _spread(
    {
        Place.BEACH: "beach, seaside, seashore, shore, coast, ocean, sea, sand",
        Place.STREET: "city street, street, city, town, downtown, avenue, road",
        Place.VALLEY: "mountain valley, valley, mountain, alps, alpine meadow",
        Place.CLEARING: "forest clearing, forest, woods, woodland, glade, clearing",
        Place.HARBOUR: "harbour, harbor, port, quay, marina, pier, fishing village",
        Place.DESERT: "desert, dune, sahara",
        Place.PARK: "park, garden, playground",
        Place.MEADOW: "meadow, field, countryside, pasture, grassland, prairie, hill, farmland",
        Place.LAKE: "lake, lakeside, lakeshore, pond, loch",
        Place.ROOM: "living room, room, interior, indoors, indoor, inside, lounge, parlour, parlor",
        Time.DAWN: "dawn, sunrise, daybreak, first light",
        Time.MORNING: "morning",
        Time.NOON: "noon, midday, daytime, day",
        Time.AFTERNOON: "afternoon, golden hour",
        Time.SUNSET: "sunset, sundown, evening",
        Time.DUSK: "dusk, twilight, blue hour, nightfall",
        Time.NIGHT: "night, midnight, moonlight, moonlit, starry, starlit",
        Weather.CLEAR: "clear sky, clear, sunny, sunshine, blue sky, cloudless, fine weather",
        Weather.CLOUDY: "cloudy sky, cloudy, cloud, partly cloudy",
        Weather.OVERCAST: "overcast sky, overcast, grey sky, gray sky, gloomy",
        Weather.RAIN: "rain, rainy, raining, drizzle, shower, storm, stormy, downpour",
        Weather.SNOW: "falling snow, snow, snowy, snowing, snowfall, blizzard",
        Weather.FOG: "fog, foggy, mist, misty, haze, hazy",
        Season.SPRING: "spring, springtime",
        Season.SUMMER: "summer, summertime",
        Season.AUTUMN: "autumn, autumnal, fall",
        Season.WINTER: "winter, wintertime, wintry",
        Side.LEFT: "on the left, to the left, at the left, on the left side, left",
        Side.CENTRE: "in the centre, in the center, in the middle, at the centre, centre, center",
        Side.RIGHT: "on the right, to the right, at the right, on the right side, right",
        Depth.NEAR: "nearby, in the foreground, foreground, close by, up close, near",
        Depth.MIDDLE: "in the middle distance, middle distance, in the midground",
        Depth.FAR: "far away, in the distance, in the background, background, far off, distant, far",
        Sign.NOTHING: "nothing else in view, nothing in view, nothing, empty",
        Sign.NOBODY: "nobody, no one, deserted",
        Sign.NOT: "no, without, not",
        Sign.AS: "as, who is, who works as",
        Sign.HAIRED: "haired",
        Sign.SKINNED: "skinned",
    }
)
"""Place, hour, weather, season, position, and steering words."""

THINGS: dict[str, StrEnum] = _spread(
    {
        Kind.HOUSE: "house, cottage, hut, cabin, home, farmhouse, barn, villa",
        Kind.LIGHTHOUSE: "lighthouse, beacon",
        Kind.TENT: "tent",
        Kind.TREE: "tree, oak, birch, maple, apple tree, cherry tree, oak tree, willow",
        Kind.FIR: "fir tree, fir, pine, pine tree, spruce, conifer, christmas tree",
        Kind.PALM: "palm tree, palm, coconut tree",
        Kind.CACTUS: "cactus, saguaro",
        Kind.BOAT: "rowing boat, rowboat, boat, dinghy, canoe, fishing boat",
        Kind.SAILBOAT: "sailboat, sailing boat, yacht, ship, sail",
        Kind.CAR: "car, automobile, taxi, van, vehicle",
        Kind.BICYCLE: "bicycle, bike",
        Kind.BALLOON: "hot air balloon, balloon",
        Kind.KITE: "kite",
        Kind.BENCH: "bench, park bench",
        Kind.STREET_LAMP: "street lamp, street light, streetlight, lamp post, lamppost, lantern",
        Kind.DOG: "dog, puppy, hound",
        Kind.CAT: "cat, kitten",
        Kind.BIRD: "bird, seagull, gull, crow, dove",
        Kind.SOFA: "sofa, couch, settee, armchair, chair",
        Kind.TABLE: "table, coffee table, desk",
        Kind.PLANT: "potted plant, plant, houseplant, flowerpot",
        Kind.BOOKSHELF: "bookshelf, bookcase, shelf",
        Kind.FLOOR_LAMP: "floor lamp, lamp, standing lamp",
    }
)
"""Nouns that name a thing."""

_OFFICER: tuple[StrEnum, ...] = (Role.POLICE,)
PEOPLE: dict[str, tuple[StrEnum, ...]] = {
    "woman": (Gender.WOMAN,),
    "lady": (Gender.WOMAN,),
    "man": (Gender.MAN,),
    "gentleman": (Gender.MAN,),
    "guy": (Gender.MAN,),
    "person": (),
    "human": (),
    "someone": (),
    "somebody": (),
    "adult": (),
    "child": (Age.CHILD,),
    "kid": (Age.CHILD,),
    "toddler": (Age.CHILD,),
    "girl": (Gender.WOMAN, Age.CHILD),
    "boy": (Gender.MAN, Age.CHILD),
    "teenager": (Age.YOUNG,),
    "senior": (Age.ELDERLY,),
    "grandmother": (Gender.WOMAN, Age.ELDERLY),
    "grandfather": (Gender.MAN, Age.ELDERLY),
    "mother": (Gender.WOMAN,),
    "father": (Gender.MAN,),
    "doctor": (Role.DOCTOR,),
    "physician": (Role.DOCTOR,),
    "surgeon": (Role.DOCTOR,),
    "nurse": (Role.NURSE,),
    "teacher": (Role.TEACHER,),
    "professor": (Role.TEACHER,),
    "scientist": (Role.SCIENTIST,),
    "chemist": (Role.SCIENTIST,),
    "researcher": (Role.SCIENTIST,),
    "chef": (Role.CHEF,),
    "cook": (Role.CHEF,),
    "baker": (Role.CHEF,),
    "firefighter": (Role.FIREFIGHTER,),
    "fireman": (Role.FIREFIGHTER, Gender.MAN),
    "builder": (Role.BUILDER,),
    "construction worker": (Role.BUILDER,),
    "engineer": (Role.BUILDER,),
    "farmer": (Role.FARMER,),
    "gardener": (Role.FARMER,),
    "police officer": _OFFICER,
    "policewoman": (*_OFFICER, Gender.WOMAN),
    "policeman": (*_OFFICER, Gender.MAN),
    "office worker": (Role.OFFICE,),
    "businesswoman": (Role.OFFICE, Gender.WOMAN),
    "businessman": (Role.OFFICE, Gender.MAN),
    "business person": (Role.OFFICE,),
    "lawyer": (Role.OFFICE,),
    "manager": (Role.OFFICE,),
    "ceo": (Role.OFFICE,),
    "musician": (Role.MUSICIAN,),
    "guitarist": (Role.MUSICIAN,),
    "artist": (Role.ARTIST,),
    "painter": (Role.ARTIST,),
}
"""Nouns that name a person, with what the noun alone says of them. A job says nothing of gender or age."""

WORN: dict[str, StrEnum] = _spread(
    {
        Part.HAIR: "hair",
        Part.SKIN: "skin, complexion",
        Part.CLOTHES: "clothes, clothing, shirt, t shirt, dress, coat, jacket, sweater, jumper, outfit, suit",
        HairStyle.CROPPED: "shaved head, crew cut",
        Headwear.NONE: "bareheaded, no hat, without a hat, hatless",
        Headwear.HAT: "hat, sunhat, straw hat",
        Headwear.CAP: "cap, baseball cap",
        Headwear.HIJAB: "hijab, headscarf",
        Headwear.TURBAN: "turban",
        Glasses.NO: "no glasses, without glasses",
        Glasses.YES: "glasses, spectacles",
        Aid.NONE: "on foot, walking, standing",
        Aid.WHEELCHAIR: "wheelchair, wheel chair",
        Aid.CANE: "cane, walking stick",
        Role.NONE: "everyday",
    }
)
"""What a person has on or about them: it goes to the person last named."""

ADJECTIVES: dict[str, tuple[StrEnum, ...]] = {
    "red": (Colour.RED, HairColour.RED),
    "crimson": (Colour.RED,),
    "scarlet": (Colour.RED,),
    "orange": (Colour.ORANGE,),
    "yellow": (Colour.YELLOW,),
    "golden": (Colour.YELLOW, HairColour.BLOND),
    "green": (Colour.GREEN,),
    "teal": (Colour.TEAL,),
    "turquoise": (Colour.TEAL,),
    "blue": (Colour.BLUE,),
    "navy": (Colour.BLUE,),
    "purple": (Colour.PURPLE,),
    "violet": (Colour.PURPLE,),
    "pink": (Colour.PINK,),
    "brown": (Colour.BROWN, Skin.BROWN, HairColour.BROWN),
    "black": (Colour.BLACK, Skin.DARK, HairColour.BLACK),
    "grey": (Colour.GREY, HairColour.GREY),
    "gray": (Colour.GREY, HairColour.GREY),
    "silver": (Colour.GREY, HairColour.GREY),
    "white": (Colour.WHITE, Skin.LIGHT, HairColour.WHITE),
    "blond": (HairColour.BLOND,),
    "blonde": (HairColour.BLOND,),
    "ginger": (HairColour.RED,),
    "fair": (Skin.LIGHT, HairColour.BLOND),
    "very light": (Skin.VERY_LIGHT,),
    "pale": (Skin.VERY_LIGHT,),
    "light": (Skin.LIGHT,),
    "medium": (Size.MEDIUM, Skin.MEDIUM),
    "olive": (Skin.MEDIUM,),
    "tan": (Skin.TAN,),
    "tanned": (Skin.TAN,),
    "dark": (Skin.DARK,),
    "bald": (HairStyle.CROPPED,),
    "cropped": (HairStyle.CROPPED,),
    "short": (Size.SMALL, HairStyle.SHORT),
    "curly": (HairStyle.CURLY,),
    "wavy": (HairStyle.CURLY,),
    "long": (HairStyle.LONG,),
    "braided": (HairStyle.BRAIDED,),
    "tied up": (HairStyle.BUN,),
    "small": (Size.SMALL,),
    "little": (Size.SMALL, Age.CHILD),
    "tiny": (Size.SMALL,),
    "medium sized": (Size.MEDIUM,),
    "large": (Size.LARGE,),
    "big": (Size.LARGE,),
    "tall": (Size.LARGE,),
    "huge": (Size.LARGE,),
    "giant": (Size.LARGE,),
    "young": (Age.YOUNG,),
    "teenage": (Age.YOUNG,),
    "middle aged": (Age.MIDDLE_AGED,),
    "old": (Age.ELDERLY,),
    "elderly": (Age.ELDERLY,),
    "female": (Gender.WOMAN,),
    "male": (Gender.MAN,),
    "non binary": (Gender.NON_BINARY,),
    "nonbinary": (Gender.NON_BINARY,),
    "androgynous": (Gender.NON_BINARY,),
}
"""Words that wait for a noun."""

NUMBERS = {
    "one": 1,
    "two": 2,
    "couple": 2,
    "pair": 2,
    "three": 3,
    "several": 3,
    "few": 3,
    "some": 3,
    "four": 4,
    "five": 5,
    "many": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "dozen": 12,
}

ARTICLES = frozenset({"a", "an", "the"})
_PLAIN = """
above along and are at be behind beneath beside between by drawing dressed for from front has have he her
hers him his illustration image in is it its landscape light near next of on or over painting photo
photograph picture portrait s scene season she sitting sky standing stands that their there they this time
to under up using very view wearing wears weather which while who whose with working
"""
FILLERS = frozenset(_PLAIN.split())
"""Words with no meaning of their own here; they are not reported as unused."""

LONGEST = max(
    len(phrase.split()) for table in (SCENERY, THINGS, WORN, ADJECTIVES, PEOPLE) for phrase in table
)
