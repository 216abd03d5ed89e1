"""Pictures: everything that can be said can be drawn, and shows."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.scene import Person, Scene, Thing, draw, sample
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
from models.scene.paint.canvas import Canvas
from models.scene.paint.people import figure

SIZES = [(64, 64), (160, 96), (80, 144)]
PLAIN = Scene(Place.MEADOW, Time.NOON, Weather.CLEAR, Season.SUMMER)
SOMEBODY = Person(
    Gender.WOMAN,
    Age.YOUNG,
    Skin.MEDIUM,
    HairStyle.LONG,
    HairColour.BROWN,
    Colour.TEAL,
    Headwear.NONE,
    Glasses.NO,
    Aid.NONE,
    Role.NONE,
    Side.CENTRE,
    Depth.NEAR,
)
CAR = Thing(Kind.CAR, Colour.RED, Size.MEDIUM, Side.CENTRE, Depth.NEAR)


_CANVAS = Canvas(PLAIN, 64, 64, 1)


def _check(picture: NDArray[np.uint8], size: tuple[int, int]) -> None:
    assert picture.shape == (size[1], size[0], 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 4  # no blank sheet


def _with(person: Person | None = None, thing: Thing | None = None, **setting: Any) -> Scene:
    return replace(PLAIN, people=(person,) if person else (), things=(thing,) if thing else (), **setting)


def _difference(one: Scene, other: Scene, size: tuple[int, int] = (192, 192)) -> Any:
    """Mean change per pixel (height, width)."""
    a, b = (draw(scene, size, 5).astype(np.float32) for scene in (one, other))
    return np.abs(a - b).mean(axis=2)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("place", Place)
def test_every_place_draws(place: Place, size: tuple[int, int]) -> None:
    _check(draw(replace(PLAIN, place=place), size, 1), size)


@pytest.mark.parametrize("weather", Weather)
@pytest.mark.parametrize("place", Place)
def test_every_weather_draws_everywhere(place: Place, weather: Weather) -> None:
    times, seasons = list(Time), list(Season)
    turn = list(Place).index(place) + 2 * list(Weather).index(
        weather
    )  # so that all hours and seasons come up
    scene = Scene(place, times[turn % len(times)], weather, seasons[turn % len(seasons)])
    _check(draw(scene, (72, 72), 2), (72, 72))


@pytest.mark.parametrize("time", Time)
@pytest.mark.parametrize("place", [Place.LAKE, Place.STREET, Place.ROOM])
def test_every_hour_draws(place: Place, time: Time) -> None:
    _check(draw(replace(PLAIN, place=place, time=time), (72, 72), 2), (72, 72))


@pytest.mark.parametrize("season", Season)
@pytest.mark.parametrize("place", Place)
def test_every_season_draws(place: Place, season: Season) -> None:
    _check(draw(replace(PLAIN, place=place, season=season), (72, 72), 3), (72, 72))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", Kind)
def test_every_thing_draws_and_shows(kind: Kind, size: tuple[int, int]) -> None:
    depth, time = list(zip(Depth, (Time.NOON, Time.NIGHT, Time.SUNSET), strict=True))[SIZES.index(size)]
    picture = draw(_with(thing=Thing(kind, Colour.RED, Size.LARGE, Side.LEFT, depth), time=time), size, 4)
    _check(picture, size)
    assert np.abs(picture.astype(float) - _empty(time, size)).max() > 30


@cache
def _empty(time: Time, size: tuple[int, int]) -> NDArray[np.uint8]:
    return draw(_with(time=time), size, 4)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("place", [Place.BEACH, Place.ROOM, Place.HARBOUR])
def test_every_thing_can_be_asked_for_anywhere(kind: Kind, place: Place) -> None:
    depth = list(Depth)[(len(kind) + len(place)) % 3]
    thing = Thing(kind, Colour.WHITE, Size.SMALL, Side.RIGHT, depth)
    scene = _with(thing=thing, place=place, weather=Weather.SNOW, season=Season.WINTER)
    _check(draw(scene, (72, 72), 6), (72, 72))


@pytest.mark.parametrize("colour", Colour)
def test_things_take_any_colour(colour: Colour) -> None:
    kinds = [
        Kind.TREE,
        Kind.FIR,
        Kind.PALM,
        Kind.CACTUS,
        Kind.PLANT,
        Kind.HOUSE,
        Kind.SOFA,
        Kind.DOG,
        Kind.CAT,
    ]
    things = tuple(replace(CAR, kind=kind, colour=colour) for kind in kinds)
    for season in (Season.SUMMER, Season.WINTER):
        _check(draw(replace(PLAIN, things=things, season=season), (72, 72), 7), (72, 72))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (field, value)
        for field, choices in (
            ("gender", Gender),
            ("age", Age),
            ("skin", Skin),
            ("hair_style", HairStyle),
            ("hair_colour", HairColour),
            ("clothes", Colour),
            ("headwear", Headwear),
            ("glasses", Glasses),
            ("aid", Aid),
            ("role", Role),
        )
        for value in choices
    ],
)
def test_every_attribute_of_a_person_draws_and_shows(field: str, value: Any) -> None:
    person = replace(SOMEBODY, **{field: value})
    picture = figure(_CANVAS, _CANVAS.rng("one"), person, 120).at_size()[0]
    assert picture.std() > 0.02
    if person != SOMEBODY and field != "gender":  # gender need not show
        plain = figure(_CANVAS, _CANVAS.rng("one"), SOMEBODY, 120).at_size()[0]
        assert np.abs(picture - plain).max() > 0.05


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("aid", Aid)
def test_every_role_can_be_held_by_everyone(role: Role, aid: Aid) -> None:
    for index, headwear in enumerate(Headwear):
        person = replace(SOMEBODY, role=role, aid=aid, headwear=headwear, gender=list(Gender)[index % 3])
        for pose in ("one", "other", "third"):
            cover = figure(_CANVAS, _CANVAS.rng(pose), person, 60).at_size()[1]
            assert 0.1 < cover.mean() < 0.8


@pytest.mark.parametrize("age", Age)
@pytest.mark.parametrize("depth", Depth)
def test_people_of_every_age_stand_at_every_depth(age: Age, depth: Depth) -> None:
    for place in (Place.LAKE, Place.STREET):
        _check(draw(_with(replace(SOMEBODY, age=age, depth=depth), place=place), (72, 72), 9), (72, 72))


def test_the_same_scene_seed_and_size_give_the_same_pixels() -> None:
    for seed in range(4):
        scene = sample(seed)
        assert np.array_equal(draw(scene, (128, 96), seed), draw(scene, (128, 96), seed))


def test_another_seed_arranges_anew() -> None:
    scene = sample(5)
    assert not np.array_equal(draw(scene, (128, 96), 1), draw(scene, (128, 96), 2))


def test_the_background_does_not_depend_on_what_stands_before_it() -> None:
    assert np.median(_difference(_with(thing=CAR), _with())) < 2


def test_night_is_darker_than_noon() -> None:
    levels = {time: draw(replace(PLAIN, time=time), (96, 96), 1).mean() for time in Time}
    assert levels[Time.NIGHT] < levels[Time.DUSK] < levels[Time.NOON]
    assert levels[Time.NIGHT] > 12  # still something to see


def test_sunset_is_warm_and_night_is_cool() -> None:
    def warmth(time: Time) -> float:
        picture = draw(replace(PLAIN, time=time), (96, 96), 1).astype(float)
        return float(picture[..., 0].mean() - picture[..., 2].mean())

    assert warmth(Time.SUNSET) > 30 > 0 > warmth(Time.NIGHT)


def test_snow_lies_white() -> None:
    def ground(weather: Weather) -> float:
        return float(draw(replace(PLAIN, weather=weather, season=Season.WINTER), (96, 96), 1)[70:].mean())

    assert ground(Weather.SNOW) > ground(Weather.CLEAR) + 25


def test_fog_takes_contrast() -> None:
    def contrast(weather: Weather) -> float:
        return float(draw(replace(PLAIN, weather=weather), (96, 96), 1).std())

    assert contrast(Weather.FOG) < 0.8 * contrast(Weather.CLEAR)


@pytest.mark.parametrize("side", Side)
def test_a_thing_stands_on_its_side(side: Side) -> None:
    house = Thing(Kind.HOUSE, Colour.RED, Size.SMALL, side, Depth.MIDDLE)
    change = _difference(_with(thing=house), _with())
    x = float((change.sum(axis=0) * np.linspace(0, 1, change.shape[1])).sum() / change.sum())
    assert abs(x - {Side.LEFT: 0.21, Side.CENTRE: 0.5, Side.RIGHT: 0.79}[side]) < 0.15


def test_near_is_larger_and_lower_than_far() -> None:
    def reach(depth: Depth) -> tuple[int, int]:
        change = _difference(_with(thing=replace(CAR, depth=depth)), _with()) > 20
        return int(change.sum()), int(np.flatnonzero(change.any(axis=1)).max())

    (near, low), (middle, mid), (far, high) = (reach(depth) for depth in Depth)
    assert near > middle > far > 0
    assert low > mid > high


def test_large_is_larger_than_small() -> None:
    def area(size: Size) -> int:
        return int(
            (_difference(_with(thing=replace(CAR, size=size, depth=Depth.MIDDLE)), _with()) > 20).sum()
        )

    assert area(Size.LARGE) > area(Size.MEDIUM) > area(Size.SMALL)


@pytest.mark.parametrize(("colour", "channel"), [(Colour.RED, 0), (Colour.GREEN, 1), (Colour.BLUE, 2)])
def test_a_colour_asked_for_is_the_colour_drawn(colour: Colour, channel: int) -> None:
    scene = _with(thing=replace(CAR, colour=colour, size=Size.LARGE), place=Place.DESERT)
    changed = _difference(scene, replace(scene, things=())) > 20
    body = draw(scene, (192, 192), 5)[changed].astype(float)
    other = draw(replace(scene, things=(replace(CAR, size=Size.LARGE, colour=Colour.GREY),)), (192, 192), 5)
    shift = body.mean(axis=0) - other[changed].astype(float).mean(axis=0)
    assert int(np.argmax(shift)) == channel


def test_skin_tones_darken_step_by_step() -> None:
    drawn = [draw(_with(replace(SOMEBODY, skin=skin)), (256, 256), 5).astype(float) for skin in Skin]
    face = np.abs(drawn[0] - drawn[-1]).mean(axis=2) > 40
    levels = [float(picture[face].mean()) for picture in drawn]
    assert levels == sorted(levels, reverse=True)
    assert min(a - b for a, b in pairwise(levels)) > 5


def test_lit_windows_shine_at_night() -> None:
    house = Thing(Kind.HOUSE, Colour.WHITE, Size.LARGE, Side.CENTRE, Depth.NEAR)
    night = draw(_with(thing=house, time=Time.NIGHT), (192, 192), 5).astype(float)
    assert (night[..., 0] > 200).sum() > 50  # warm panes
    assert np.median(night) < 90


def test_boats_are_mirrored_and_do_not_mirror_on_land() -> None:
    boat = Thing(Kind.SAILBOAT, Colour.RED, Size.MEDIUM, Side.LEFT, Depth.MIDDLE)
    afloat, ashore = _with(thing=boat, place=Place.LAKE), _with(thing=boat, place=Place.DESERT)
    for scene in (afloat, ashore):
        _check(draw(scene, (96, 96), 3), (96, 96))


def test_a_full_stage_draws() -> None:
    things = tuple(replace(CAR, kind=kind, side=Side.CENTRE) for kind in list(Kind)[:MAX_THINGS])
    people = (replace(SOMEBODY, side=Side.CENTRE),) * MAX_PEOPLE
    _check(draw(replace(PLAIN, things=things, people=people), (160, 96), 1), (160, 96))


def test_a_large_snowfall_draws_over_what_stands_in_it() -> None:
    scene = _with(SOMEBODY, CAR, weather=Weather.SNOW, season=Season.WINTER)
    picture = draw(scene, (640, 640), 1)
    _check(picture, (640, 640))
    assert (picture.min(axis=2) > 225).mean() > 0.005  # flakes, soft and sharp


@pytest.mark.parametrize("size", [(64, 2048), (2048, 64)])
@pytest.mark.parametrize("place", [Place.STREET, Place.ROOM, Place.LAKE])
def test_extreme_formats_draw(place: Place, size: tuple[int, int]) -> None:
    _check(draw(_with(SOMEBODY, CAR, place=place), size, 1), size)


def test_pictures_are_textured_everywhere() -> None:
    picture = draw(PLAIN, (256, 256), 1).astype(float).mean(axis=2)
    tiles = picture.reshape(16, 16, 16, 16).swapaxes(1, 2).std(axis=(2, 3))
    assert tiles.min() > 0.8  # grain even in an empty sky, as in a photograph
