"""What is heard of a scene, and what a prompt asks to hear."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from models.scene import Person, Scene, Thing, parse, sample
from models.scene.grammar import (
    Aid,
    Colour,
    Depth,
    Kind,
    Place,
    Role,
    Season,
    Side,
    Size,
    Time,
    Weather,
)
from models.scene.lexicon import SCENERY, THINGS
from models.scene.sound.score import Part, Sound, score
from models.scene.sound.wishes import wishes
from tests.unit.models.scene.strategies import scenes

EMPTY = Scene(Place.MEADOW, Time.NOON, Weather.CLEAR, Season.SUMMER)
ANYONE = sample(1, parse("a woman on foot")).people[0]


def heard(scene: Scene, *wished: Sound) -> set[Sound]:
    return {part.sound for part in score(scene, wished)}


def thing(kind: Kind, **options: object) -> Thing:
    return replace(Thing(kind, Colour.RED, Size.MEDIUM, Side.LEFT, Depth.MIDDLE), **options)


def part_of(scene: Scene, sound: Sound) -> Part:
    return next(part for part in score(scene) if part.sound is sound)


@given(scenes)
def test_every_scene_is_heard(scene: Scene) -> None:
    parts = score(scene)
    assert parts
    for part in parts:
        assert -60 < part.level < -10
        assert -1 <= part.side <= 1
    # There is always a bed that never falls silent.
    assert heard(scene) & {Sound.BREEZE, Sound.HUSH}


@pytest.mark.parametrize(
    ("place", "sound"),
    [
        (Place.BEACH, Sound.WAVES),
        (Place.STREET, Sound.TRAFFIC),
        (Place.HARBOUR, Sound.LAPPING),
        (Place.LAKE, Sound.LAPPING),
        (Place.CLEARING, Sound.LEAVES),
        (Place.ROOM, Sound.CLOCK),
        (Place.VALLEY, Sound.COWBELLS),
        (Place.MEADOW, Sound.BEES),
    ],
)
def test_a_place_has_its_sound(place: Place, sound: Sound) -> None:
    assert sound in heard(replace(EMPTY, place=place))


@pytest.mark.parametrize(
    ("change", "present", "absent"),
    [
        ({"weather": Weather.RAIN}, Sound.RAIN, Sound.SONGBIRDS),
        ({"weather": Weather.SNOW, "season": Season.WINTER}, Sound.WIND, Sound.BEES),
        ({"weather": Weather.OVERCAST}, Sound.WIND, Sound.RAIN),
        ({"weather": Weather.FOG}, Sound.BREEZE, Sound.WIND),
        ({"time": Time.NIGHT}, Sound.CRICKETS, Sound.SONGBIRDS),
        ({"time": Time.NIGHT, "season": Season.WINTER}, Sound.BREEZE, Sound.CRICKETS),
        ({"time": Time.NIGHT, "place": Place.CLEARING}, Sound.OWL, Sound.SONGBIRDS),
        ({"place": Place.BEACH}, Sound.GULLS, Sound.SONGBIRDS),
        ({"place": Place.BEACH, "time": Time.NIGHT}, Sound.WAVES, Sound.GULLS),
        ({"place": Place.ROOM, "weather": Weather.RAIN}, Sound.RAIN, Sound.BREEZE),
        ({"place": Place.ROOM, "season": Season.WINTER}, Sound.FIRE, Sound.WIND),
        ({"place": Place.ROOM}, Sound.HUSH, Sound.FIRE),
    ],
)
def test_hour_weather_and_season_are_heard(change: dict[str, object], present: Sound, absent: Sound) -> None:
    found = heard(replace(EMPTY, **change))
    assert present in found
    assert absent not in found


@pytest.mark.parametrize(
    ("kind", "change", "sound"),
    [
        (Kind.DOG, {}, Sound.BARKS),
        (Kind.CAT, {}, Sound.MEOWS),
        (Kind.CAR, {}, Sound.ENGINE),
        (Kind.BIRD, {"place": Place.STREET}, Sound.SONGBIRDS),
        (Kind.BIRD, {"place": Place.HARBOUR}, Sound.GULLS),
        (Kind.LIGHTHOUSE, {}, Sound.BUOY),
        (Kind.LIGHTHOUSE, {"weather": Weather.FOG}, Sound.FOGHORN),
        (Kind.TENT, {}, Sound.FLUTTER),
        (Kind.TENT, {"time": Time.NIGHT}, Sound.FIRE),
        (Kind.HOUSE, {}, Sound.CHURCH_BELL),
        (Kind.STREET_LAMP, {"time": Time.DUSK}, Sound.HUM),
        (Kind.BALLOON, {}, Sound.BURNER),
        (Kind.SAILBOAT, {}, Sound.CLINKS),
        (Kind.BOAT, {}, Sound.ROWING),
    ],
)
def test_a_thing_has_its_sound(kind: Kind, change: dict[str, object], sound: Sound) -> None:
    assert sound in heard(replace(EMPTY, things=(thing(kind),), **change))


@pytest.mark.parametrize(
    ("kind", "time"),
    [
        (Kind.SOFA, Time.NOON),
        (Kind.CACTUS, Time.NIGHT),
        (Kind.STREET_LAMP, Time.NOON),
        (Kind.HOUSE, Time.MORNING),
    ],
)
def test_some_things_are_silent(kind: Kind, time: Time) -> None:
    empty = replace(EMPTY, time=time)
    assert score(replace(empty, things=(thing(kind),))) == score(empty)


def test_a_thing_is_heard_where_it_stands() -> None:
    right = thing(Kind.DOG, side=Side.RIGHT, depth=Depth.FAR, size=Size.LARGE)
    part = part_of(replace(EMPTY, things=(right,)), Sound.BARKS)
    assert (part.side > 0, part.depth, part.size) == (True, Depth.FAR, Size.LARGE)


@pytest.mark.parametrize(
    ("place", "weather", "sound"),
    [
        (Place.STREET, Weather.CLEAR, Sound.STEPS),
        (Place.ROOM, Weather.SNOW, Sound.STEPS),
        (Place.STREET, Weather.SNOW, Sound.CRUNCHING),
        (Place.BEACH, Weather.CLEAR, Sound.CRUNCHING),
    ],
)
def test_steps_depend_on_the_ground(place: Place, weather: Weather, sound: Sound) -> None:
    walker = replace(ANYONE, aid=Aid.NONE)
    assert sound in heard(replace(EMPTY, place=place, weather=weather, people=(walker,)))


@pytest.mark.parametrize(
    ("aid", "present", "absent"),
    [
        (Aid.NONE, Sound.CRUNCHING, Sound.TAPPING),
        (Aid.CANE, Sound.TAPPING, Sound.WHEELS),
        (Aid.WHEELCHAIR, Sound.WHEELS, Sound.CRUNCHING),
    ],
)
def test_people_are_heard_moving(aid: Aid, present: Sound, absent: Sound) -> None:
    found = heard(replace(EMPTY, people=(replace(ANYONE, aid=aid),)))
    assert present in found
    assert absent not in found


def test_one_is_silent_two_talk_and_a_musician_plays() -> None:
    worker = replace(ANYONE, role=Role.NONE)
    musician = replace(ANYONE, role=Role.MUSICIAN)
    assert Sound.MURMUR not in heard(replace(EMPTY, people=(worker,)))
    assert Sound.MURMUR in heard(replace(EMPTY, people=(worker, worker)))
    assert Sound.GUITAR in heard(replace(EMPTY, people=(musician,)))
    assert Sound.MURMUR not in heard(replace(EMPTY, people=(musician, musician)))


def test_nobody_sounds_like_what_they_look_like() -> None:
    """Voice and step are told by chance, by the ground and by a person's aid, not by looks."""
    looks = [person for seed in range(40) for person in sample(seed, parse("a person")).people]
    same = [replace(ANYONE, aid=Aid.NONE, role=Role.NONE, side=Side.LEFT, depth=Depth.NEAR)]
    for person in looks:
        plain: list[Person] = [
            replace(person, aid=Aid.NONE, role=Role.NONE, side=Side.LEFT, depth=Depth.NEAR)
        ]
        assert score(replace(EMPTY, people=tuple(plain))) == score(replace(EMPTY, people=tuple(same)))


def test_a_wish_is_heard_first_and_once() -> None:
    parts = score(replace(EMPTY, place=Place.BEACH), [Sound.WAVES, Sound.WAVES, Sound.OWL])
    assert [part.sound for part in parts[:2]] == [Sound.WAVES, Sound.OWL]
    assert [part.sound for part in parts].count(Sound.WAVES) == 1


@pytest.mark.parametrize(
    ("prompt", "sounds", "place"),
    [
        ("church bells at noon", (Sound.CHURCH_BELL,), None),
        ("wind and waves", (Sound.WIND, Sound.WAVES), Place.BEACH),
        ("waves on a lake", (Sound.WAVES,), Place.LAKE),
        ("traffic and voices", (Sound.TRAFFIC, Sound.MURMUR), Place.STREET),
        ("a campfire with crickets and an owl", (Sound.FIRE, Sound.CRICKETS, Sound.OWL), Place.CLEARING),
        ("Thunder! Thunder!", (Sound.THUNDER,), None),
    ],
)
def test_a_prompt_can_name_sounds(prompt: str, sounds: tuple[Sound, ...], place: Place | None) -> None:
    kept, found = wishes(parse(prompt))
    assert found == sounds
    assert kept.place is place
    assert (kept.things, kept.people) == ((), ())


def test_a_prompt_that_names_no_sound_stays_as_it_is() -> None:
    prompt = parse("a lighthouse at sunset, xyzzy")
    assert wishes(prompt) == (prompt, ())


def test_a_prompt_keeps_its_things_beside_the_sounds() -> None:
    kept, found = wishes(parse("a dog and thunder"))
    assert found == (Sound.THUNDER,)
    assert kept.things is not None
    assert [one.kind for one in kept.things] == [Kind.DOG]


def test_words_for_sounds_mean_nothing_in_a_picture() -> None:
    from models.scene.sound.wishes import _SOUNDS

    known = {word for table in (SCENERY, THINGS) for word in table}
    assert not known & set(_SOUNDS)
