"""Free prompts: keywords anywhere, synonyms, numbers, negation, and what is hostile."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.scene import PartialPerson, PartialThing, parse, sample
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
    Place,
    Role,
    Season,
    Side,
    Size,
    Skin,
    Time,
    Weather,
)
from models.scene.lexicon import ADJECTIVES, ARTICLES, FILLERS, NUMBERS, PEOPLE, SCENERY, THINGS, WORN
from models.scene.reading import MAX_PROMPT


def _said(part: Any) -> dict[str, Any]:
    """The settled fields of a partial thing or person."""
    return {name: getattr(part, name) for name in part.__slots__ if getattr(part, name) is not None}


@pytest.mark.parametrize(
    ("prompt", "field", "value"),
    [
        ("the seaside", "place", Place.BEACH),
        ("downtown", "place", Place.STREET),
        ("the Alps", "place", Place.VALLEY),
        ("deep in the WOODS", "place", Place.CLEARING),
        ("an old fishing village", "place", Place.HARBOUR),
        ("sand dunes of the Sahara", "place", Place.BEACH),
        ("a playground", "place", Place.PARK),
        ("green hills", "place", Place.MEADOW),
        ("by the pond", "place", Place.LAKE),
        ("indoors", "place", Place.ROOM),
        ("sunrise", "time", Time.DAWN),
        ("golden hour", "time", Time.AFTERNOON),
        ("at twilight", "time", Time.DUSK),
        ("a moonlit scene", "time", Time.NIGHT),
        ("evening", "time", Time.SUNSET),
        ("partly cloudy", "weather", Weather.CLOUDY),
        ("grey sky", "weather", Weather.OVERCAST),
        ("a storm", "weather", Weather.RAIN),
        ("blizzard", "weather", Weather.SNOW),
        ("misty", "weather", Weather.FOG),
        ("blue sky", "weather", Weather.CLEAR),
        ("in the fall", "season", Season.AUTUMN),
        ("wintry", "season", Season.WINTER),
    ],
)
def test_scenery_and_its_synonyms(prompt: str, field: str, value: object) -> None:
    assert getattr(parse(prompt), field) is value


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a red car", {"kind": Kind.CAR, "colour": Colour.RED}),
        ("a huge white yacht", {"kind": Kind.SAILBOAT, "colour": Colour.WHITE, "size": Size.LARGE}),
        ("a tiny cottage in the distance", {"kind": Kind.HOUSE, "size": Size.SMALL, "depth": Depth.FAR}),
        ("on the left, a kite", {"kind": Kind.KITE, "side": Side.LEFT}),
        ("a kite on the left", {"kind": Kind.KITE, "side": Side.LEFT}),
        ("a car that is blue.", {"kind": Kind.CAR, "colour": Colour.BLUE}),
        ("the bench is green and small", {"kind": Kind.BENCH, "colour": Colour.GREEN, "size": Size.SMALL}),
        ("hot-air balloon", {"kind": Kind.BALLOON}),
        ("a street lamp", {"kind": Kind.STREET_LAMP}),
        ("a lamp", {"kind": Kind.FLOOR_LAMP}),
        ("a palm", {"kind": Kind.PALM}),
        ("some bikes", {"kind": Kind.BICYCLE}),
    ],
)
def test_things(prompt: str, expected: dict[str, object]) -> None:
    things = parse(prompt).things
    assert things
    assert _said(things[0]) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a woman", {"gender": Gender.WOMAN}),
        ("a person", {}),
        ("an old man", {"gender": Gender.MAN, "age": Age.ELDERLY}),
        ("a girl", {"gender": Gender.WOMAN, "age": Age.CHILD}),
        ("a non-binary child", {"gender": Gender.NON_BINARY, "age": Age.CHILD}),
        ("a grandmother", {"gender": Gender.WOMAN, "age": Age.ELDERLY}),
        ("a nurse", {"role": Role.NURSE}),
        ("a male nurse", {"gender": Gender.MAN, "role": Role.NURSE}),
        ("a woman who is a builder", {"gender": Gender.WOMAN, "role": Role.BUILDER}),
        ("a man working as a chef", {"gender": Gender.MAN, "role": Role.CHEF}),
        ("a dark-skinned man", {"gender": Gender.MAN, "skin": Skin.DARK}),
        ("a Black woman", {"gender": Gender.WOMAN, "skin": Skin.DARK}),
        ("a white man", {"gender": Gender.MAN, "skin": Skin.LIGHT}),
        ("a long-haired teacher", {"hair_style": HairStyle.LONG, "role": Role.TEACHER}),
        ("a blonde woman", {"gender": Gender.WOMAN, "hair_colour": HairColour.BLOND}),
        ("a bald man", {"gender": Gender.MAN, "hair_style": HairStyle.CROPPED}),
        ("a person with curly red hair", {"hair_style": HairStyle.CURLY, "hair_colour": HairColour.RED}),
        ("a man in a green coat", {"gender": Gender.MAN, "clothes": Colour.GREEN}),
        ("a hijab-wearing scientist", {"headwear": Headwear.HIJAB, "role": Role.SCIENTIST}),
        ("a man in a turban", {"gender": Gender.MAN, "headwear": Headwear.TURBAN}),
        ("a woman without a hat", {"gender": Gender.WOMAN, "headwear": Headwear.NONE}),
        ("a man with no glasses", {"gender": Gender.MAN, "glasses": Glasses.NO}),
        ("a person wearing spectacles", {"glasses": Glasses.YES}),
        ("a person in a wheelchair", {"aid": Aid.WHEELCHAIR}),
        ("an artist with a walking stick", {"role": Role.ARTIST, "aid": Aid.CANE}),
        ("glasses", {"glasses": Glasses.YES}),
        ("a young adult nearby", {"age": Age.YOUNG, "depth": Depth.NEAR}),
    ],
)
def test_people(prompt: str, expected: dict[str, object]) -> None:
    people = parse(prompt).people
    assert people is not None
    assert [_said(person) for person in people] == [expected]


def test_a_job_says_nothing_of_gender_age_or_skin() -> None:
    for role in ("doctor", "nurse", "ceo", "engineer", "teacher", "lawyer", "firefighter"):
        [person] = parse(f"a photo of a {role}").people or ()
        assert set(_said(person)) == {"role"}


def test_adjectives_stay_with_their_own_noun() -> None:
    wish = parse("A woman in a red dress beside a blue car; a man with black hair and a white dog")
    assert wish.people == (
        PartialPerson(gender=Gender.WOMAN, clothes=Colour.RED),
        PartialPerson(gender=Gender.MAN, hair_colour=HairColour.BLACK),
    )
    assert wish.things == (
        PartialThing(kind=Kind.CAR, colour=Colour.BLUE),
        PartialThing(kind=Kind.DOG, colour=Colour.WHITE),
    )


def test_two_people_in_one_breath() -> None:
    wish = parse("a red-haired woman and a bald man on the right")
    assert wish.people == (
        PartialPerson(gender=Gender.WOMAN, hair_colour=HairColour.RED),
        PartialPerson(gender=Gender.MAN, hair_style=HairStyle.CROPPED, side=Side.RIGHT),
    )


@pytest.mark.parametrize(
    ("prompt", "count"),
    [("three boats", 3), ("2 boats", 2), ("a couple of boats", 2), ("boats", 1), ("0 boats", 1)],
)
def test_numbers_multiply(prompt: str, count: int) -> None:
    things = parse(prompt).things
    assert things == (PartialThing(kind=Kind.BOAT),) * count


def test_a_position_after_a_number_holds_for_all() -> None:
    things = parse("three red boats on the left").things
    assert things == (PartialThing(kind=Kind.BOAT, colour=Colour.RED, side=Side.LEFT),) * 3


def test_crowds_are_capped_and_told() -> None:
    wish = parse("500 dogs and 40 children")
    assert len(wish.things or ()) == MAX_THINGS
    assert len(wish.people or ()) == MAX_PEOPLE
    assert wish.unused == ("dog", "child")


@pytest.mark.parametrize(
    ("prompt", "things", "people"),
    [
        ("a beach", None, None),
        ("a beach without people", None, ()),
        ("a deserted beach", None, ()),
        ("an empty beach", (), None),
        ("no cars", (), None),
        ("a bench", (PartialThing(kind=Kind.BENCH),), ()),
        ("a nurse", None, (PartialPerson(role=Role.NURSE),)),
        ("no red cars, a blue car", (PartialThing(kind=Kind.CAR, colour=Colour.BLUE),), ()),
        ("no idea, a kite", (PartialThing(kind=Kind.KITE),), ()),
    ],
)
def test_what_is_open_and_what_is_refused(prompt: str, things: object, people: object) -> None:
    wish = parse(prompt)
    assert (wish.things, wish.people) == (things, people)


def test_refused_weather_stays_open() -> None:
    assert parse("no rain").weather is None


def test_the_first_mention_of_scenery_wins_and_the_rest_is_told() -> None:
    wish = parse("a beach, a forest")
    assert wish.place is Place.BEACH
    assert wish.unused == ("forest",)


@pytest.mark.parametrize(
    ("prompt", "unused"),
    [
        ("a quantum lighthouse", ("quantum",)),
        ("a unicorn on a beach", ("unicorn",)),
        ("a curly house", ("curly",)),
        ("a purple", ("purple",)),
        ("a large woman", ("large",)),
        ("", ()),
        ("   \n\t ", ()),
        ("a photo of the sea at noon", ()),
    ],
)
def test_what_is_not_understood_is_reported(prompt: str, unused: tuple[str, ...]) -> None:
    assert parse(prompt).unused == unused


@given(st.text(max_size=400))
@settings(max_examples=120, deadline=None)
def test_any_text_reads_as_some_scene(prompt: str) -> None:
    wish = parse(prompt)
    assert len(wish.things or ()) <= MAX_THINGS
    assert len(wish.people or ()) <= MAX_PEOPLE
    assert parse(prompt) == wish
    assert sample(1, wish) == sample(1, wish)


_VOCABULARY = sorted(
    {*SCENERY, *THINGS, *WORN, *ADJECTIVES, *PEOPLE, *NUMBERS, *ARTICLES, *FILLERS, ",", ".", "and"}
)


@given(st.lists(st.sampled_from(_VOCABULARY), max_size=40).map(" ".join))
@settings(max_examples=120, deadline=None)
def test_any_jumble_of_known_words_reads_as_some_scene(prompt: str) -> None:
    assert sample(3, parse(prompt)) == sample(3, parse(prompt))


@pytest.mark.parametrize(
    "prompt",
    [
        "🏖️🌅⛵",
        "\x00\x1b[31m\u202eevil\u202c",
        "lighthouse\u200b",
        "a" * 200_000,
        "red " * 50_000,
        "no " * 50_000,
        "boat " * 50_000,
        "9" * 10_000 + " boats",
        "٣ boats",
        "<script>alert(1)</script> '; DROP TABLE scenes; --",
        "\ud800 lone surrogate",
        ",.;:!?()" * 1_000,
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_hostile_prompts_are_read_like_others(prompt: str) -> None:
    wish = parse(prompt)
    assert len(wish.things or ()) <= MAX_THINGS
    assert all(word.isprintable() for word in wish.unused)


def test_text_past_the_limit_is_left_aside() -> None:
    assert parse("x" * MAX_PROMPT + " beach").place is None
    assert parse(" " * (MAX_PROMPT - 6) + "beach").place is Place.BEACH


def test_width_and_case_are_folded() -> None:
    assert parse("ＢＥＡＣＨ at ＮＩＧＨＴ") == parse("beach at night")


@pytest.mark.parametrize("phrase", sorted(SCENERY | THINGS | WORN))
def test_every_phrase_of_the_lexicon_is_understood(phrase: str) -> None:
    assert parse(phrase).unused == ()


@pytest.mark.parametrize("phrase", sorted(PEOPLE))
def test_every_noun_for_people_names_one_person(phrase: str) -> None:
    [person] = parse(f"a {phrase}").people or ()
    assert set(_said(person).values()) == set(PEOPLE[phrase])


@pytest.mark.parametrize(
    "plural", ["women", "people", "children", "ladies", "cacti", "benches", "houses", "boxes"]
)
def test_plurals(plural: str) -> None:
    wish = parse(plural)
    assert bool(wish.unused) is (plural == "boxes")
