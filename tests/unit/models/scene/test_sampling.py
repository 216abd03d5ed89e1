"""Seeded scenes and the odds behind them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare

from models.scene import Odds, PartialPerson, PartialScene, PartialThing, Person, caption, parse, sample
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
    Skin,
    Time,
    Weather,
)
from tests.unit.models.scene.strategies import scenes

SEEDS = range(6000)
ANYONE = PartialScene(people=(PartialPerson(),), things=())


@pytest.fixture(scope="module")
def crowd() -> list[Person]:
    return [sample(seed, ANYONE).people[0] for seed in SEEDS]


def test_the_same_seed_gives_the_same_scene() -> None:
    assert [sample(seed) for seed in range(50)] == [sample(seed) for seed in range(50)]
    assert len({sample(seed) for seed in range(50)}) == 50


@given(scenes, st.integers(0, 2**63))
@settings(max_examples=40, deadline=None)
def test_nothing_that_was_settled_is_changed(scene: Any, seed: int) -> None:
    assert sample(seed, parse(caption(scene))) == scene


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("age", Age),
        ("skin", Skin),
        ("hair_style", HairStyle),
        ("hair_colour", HairColour),
        ("clothes", Colour),
        ("glasses", Glasses),
        ("aid", Aid),
        ("role", Role),
        ("gender", Gender),
    ],
)
def test_attributes_are_uniform(crowd: list[Person], name: str, choices: type[StrEnum]) -> None:
    counts = Counter(getattr(person, name) for person in crowd)
    assert set(counts) == set(choices)
    assert chisquare([counts[value] for value in choices]).pvalue > 0.001


@pytest.mark.parametrize("gender", Gender)
def test_headwear_is_uniform_among_what_a_gender_wears(crowd: list[Person], gender: Gender) -> None:
    counts = Counter(person.headwear for person in crowd if person.gender is gender)
    worn = [value for value in Headwear if (gender, value) != (Gender.MAN, Headwear.HIJAB)]
    assert set(counts) == set(worn)
    assert chisquare([counts[value] for value in worn]).pvalue > 0.001


@pytest.mark.parametrize("name", ["gender", "age", "skin", "glasses", "aid", "hair_colour", "clothes"])
def test_a_role_says_nothing_of_the_person(crowd: list[Person], name: str) -> None:
    pairs = Counter((person.role, getattr(person, name)) for person in crowd)
    values = sorted({value for _, value in pairs})
    table = [[pairs[role, value] for value in values] for role in Role]
    assert chi2_contingency(table).pvalue > 0.001


@pytest.mark.parametrize("prompt", ["a doctor", "a nurse", "a ceo on a street", "a cook"])
def test_a_prompt_with_a_role_leaves_gender_and_skin_even(prompt: str) -> None:
    wish = parse(prompt)
    people = [sample(seed, wish).people[0] for seed in range(1500)]
    for name, choices in (("gender", Gender), ("skin", Skin)):
        counts = Counter(getattr(person, name) for person in people)
        assert chisquare([counts[value] for value in choices]).pvalue > 0.001


def test_a_man_wears_a_hijab_only_when_asked() -> None:
    asked = PartialScene(people=(PartialPerson(gender=Gender.MAN, headwear=Headwear.HIJAB),))
    assert sample(1, asked).people[0].headwear is Headwear.HIJAB
    genders = {sample(seed, parse("a hijab")).people[0].gender for seed in range(200)}
    assert genders == {Gender.WOMAN, Gender.NON_BINARY}


def test_odds_can_be_changed() -> None:
    odds = Odds()
    odds = replace(
        odds,
        place={Place.PARK: 1.0},
        people={1: 1.0},
        things={0: 1.0},
        person={**odds.person, "skin": {Skin.TAN: 1.0}, "role": {Role.NURSE: 3.0, Role.CHEF: 1.0}},
    )
    drawn = [sample(seed, odds=odds) for seed in range(2000)]
    assert {scene.place for scene in drawn} == {Place.PARK}
    assert {scene.things for scene in drawn} == {()}
    assert {scene.people[0].skin for scene in drawn} == {Skin.TAN}
    roles = Counter(scene.people[0].role for scene in drawn)
    assert chisquare([roles[Role.NURSE], roles[Role.CHEF]], [1500, 500]).pvalue > 0.001


def test_without_exceptions_everything_meets() -> None:
    odds = replace(Odds(), apart=frozenset())
    assert any(
        person.gender is Gender.MAN and person.headwear is Headwear.HIJAB
        for seed in range(300)
        for person in sample(seed, ANYONE, odds).people
    )


def test_all_places_and_hours_come_up() -> None:
    drawn = [sample(seed) for seed in range(600)]
    assert {scene.place for scene in drawn} == set(Place)
    assert {scene.time for scene in drawn} == set(Time)
    assert {scene.weather for scene in drawn} == set(Weather)
    assert {scene.season for scene in drawn} == set(Season)
    assert {thing.kind for scene in drawn for thing in scene.things} == set(Kind)


def test_it_snows_in_winter_alone_unless_asked() -> None:
    drawn = [sample(seed) for seed in range(600)]
    assert {scene.season for scene in drawn if scene.weather is Weather.SNOW} == {Season.WINTER}
    assert {sample(seed, parse("snow")).season for seed in range(50)} == {Season.WINTER}
    assert sample(1, parse("snow in summer")).season is Season.SUMMER


def test_weather_that_no_season_knows_can_still_be_asked() -> None:
    odds = replace(Odds(), weather={season: {Weather.CLEAR: 1.0} for season in Season})
    assert sample(1, parse("fog"), odds).weather is Weather.FOG


@pytest.mark.parametrize(
    ("prompt", "fitting"),
    [
        ("a lighthouse", {Place.BEACH, Place.HARBOUR}),
        ("a sofa", {Place.ROOM}),
        ("a cactus", {Place.DESERT}),
        ("a rowing boat", {Place.BEACH, Place.HARBOUR, Place.LAKE}),
    ],
)
def test_a_thing_finds_its_place(prompt: str, fitting: set[Place]) -> None:
    places = Counter(sample(seed, parse(prompt)).place for seed in range(300))
    assert sum(places[place] for place in fitting) > 230


def test_an_unnamed_thing_gets_a_kind_that_belongs() -> None:
    wish = PartialScene(place=Place.ROOM, things=(PartialThing(colour=Colour.RED),))
    [thing] = sample(4, wish).things
    assert thing.colour is Colour.RED
    assert thing.kind in Odds().kinds[Place.ROOM]


def test_more_things_than_kinds_repeat() -> None:
    odds = replace(Odds(), kinds={place: {Kind.CAT: 1.0} for place in Place}, things={3: 1.0})
    assert [thing.kind for thing in sample(1, odds=odds).things] == [Kind.CAT] * 3


def test_parts_rarely_stand_in_one_spot() -> None:
    shared = 0
    for seed in range(400):
        scene = sample(seed)
        spots = [(part.side, part.depth) for part in (*scene.things, *scene.people)]  # type: ignore[attr-defined]
        shared += len(spots) - len(set(spots))
    assert shared < 20


def test_a_side_or_depth_that_was_asked_for_is_kept() -> None:
    wish = parse("a car on the right, a dog far away, a man nearby on the left")
    for seed in range(30):
        car, dog = sample(seed, wish).things
        [man] = sample(seed, wish).people
        assert (car.side, dog.depth) == (Side.RIGHT, Depth.FAR)
        assert (man.side, man.depth) == (Side.LEFT, Depth.NEAR)


def test_a_depth_beyond_the_usual_is_possible_when_asked() -> None:
    assert sample(1, parse("a woman far away")).people[0].depth is Depth.FAR
