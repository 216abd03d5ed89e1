"""The words of a scene, and the round trip between scenes and captions."""

from __future__ import annotations

from enum import StrEnum

import pytest
from hypothesis import given, settings

from guard.errors import InputError
from models.scene import PartialPerson, PartialScene, PartialThing, Scene, caption, parse, sample
from models.scene import grammar as g
from tests.unit.models.scene.strategies import scenes


@given(scenes)
@settings(max_examples=120, deadline=None)
def test_every_scene_survives_its_caption(scene: Scene) -> None:
    read = parse(caption(scene))
    assert read.settled() == scene
    assert read.unused == ()


@pytest.mark.parametrize("start", range(0, 2000, 500))
def test_sampled_scenes_survive_their_captions(start: int) -> None:
    for seed in range(start, start + 500):
        scene = sample(seed)
        assert parse(caption(scene)).settled() == scene


@given(scenes)
@settings(max_examples=40, deadline=None)
def test_a_caption_is_plain_prose(scene: Scene) -> None:
    said = caption(scene)
    assert said.endswith(".")
    assert said.isprintable()
    assert "None" not in said
    assert "  " not in said
    assert " a o" not in said  # articles agree: an orange boat, an elderly man


def test_captions_tell_different_scenes_apart() -> None:
    scenes = {sample(seed) for seed in range(400)}
    assert len({caption(scene) for scene in scenes}) == len(scenes)


def test_an_empty_scene_says_so() -> None:
    scene = Scene(g.Place.DESERT, g.Time.NOON, g.Weather.CLEAR, g.Season.SUMMER)
    said = caption(scene)
    assert said == "At noon in summer, under a clear sky in a desert: nothing else in view. Nobody is there."
    assert parse(said).settled() == scene


def test_a_child_plays_a_role_and_an_adult_works() -> None:
    person = sample(1, parse("a person")).people[0]
    scene = sample(1, parse("a doctor in a park"))
    assert person.role is not None
    for age, phrase in ((g.Age.CHILD, "dressed as a doctor"), (g.Age.ELDERLY, "working as a doctor")):
        given_age = PartialScene(people=(PartialPerson(age=age, role=g.Role.DOCTOR),))
        assert phrase in caption(sample(2, given_age))
    assert "as a doctor" in caption(scene)


@pytest.mark.parametrize(
    ("partial", "name"),
    [
        (PartialScene(), "things"),
        (PartialScene(things=()), "people"),
        (PartialScene(things=(), people=()), "place"),
        (PartialScene(things=(PartialThing(kind=g.Kind.CAR),), people=()), "colour"),
        (PartialScene(things=(), people=(PartialPerson(gender=g.Gender.MAN),)), "age"),
    ],
)
def test_an_open_field_is_named(partial: PartialScene, name: str) -> None:
    with pytest.raises(InputError, match=f"{name} is open") as caught:
        partial.settled()
    assert "sample()" in caught.value.remedy


def test_unused_words_do_not_tell_scenes_apart() -> None:
    assert parse("a beach") == parse("a quixotic beach")


@pytest.mark.parametrize(
    "words",
    [
        g.Place,
        g.Time,
        g.Weather,
        g.Season,
        g.Kind,
        g.Role,
        g.Headwear,
        g.HairStyle,
        g.HairColour,
        g.Skin,
        g.Age,
    ],
)
def test_values_of_one_enum_are_distinct_words(words: type[StrEnum]) -> None:
    assert len({str(value) for value in words}) == len(words)
    assert all(value == value.lower() for value in words)


def test_all_names_are_sorted_and_exist() -> None:
    import models.scene as package

    for module in (package, g):
        assert list(module.__all__) == sorted(
            module.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name)
        )
        assert all(hasattr(module, name) for name in module.__all__)
