"""The whole picture: backdrop, then things and people from far to near, weather, and development."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.scene.grammar import Depth, Kind, Person, Place, Scene, Side, Size, Thing
from models.scene.paint import backdrop_town as town
from models.scene.paint import backdrop_wild as wild
from models.scene.paint import things_built as built
from models.scene.paint import things_indoors as indoors
from models.scene.paint import things_living as living
from models.scene.paint import things_moving as moving
from models.scene.paint.backdrop_room import room
from models.scene.paint.canvas import Canvas
from models.scene.paint.finish import develop, weather
from models.scene.paint.foliage import tufts
from models.scene.paint.pen import Pen
from models.scene.paint.people import figure, stature
from models.scene.paint.sky import paint_sky
from models.scene.paint.sprite import Sprite, smooth

__all__ = ["draw"]

_METRE = 0.68  # what a metre measures at the foot of a thing, per unit of that foot's depth below the horizon
_PERSON = 1.70
_TALLEST = 0.54  # of the picture: what would be taller is drawn smaller
_GROWTH = {Size.SMALL: 0.76, Size.MEDIUM: 1.0, Size.LARGE: 1.28}
_SIDES = {Side.LEFT: 0.21, Side.CENTRE: 0.50, Side.RIGHT: 0.79}

_BACKDROPS: dict[Place, Callable[[Canvas], None]] = {
    Place.BEACH: wild.beach,
    Place.STREET: town.street,
    Place.VALLEY: wild.valley,
    Place.CLEARING: wild.clearing,
    Place.HARBOUR: town.harbour,
    Place.DESERT: wild.desert,
    Place.PARK: town.park,
    Place.MEADOW: wild.meadow,
    Place.LAKE: wild.lake,
    Place.ROOM: room,
}
_HORIZONS = {Place.ROOM: 0.45, Place.HARBOUR: 0.52, Place.LAKE: 0.54, Place.BEACH: 0.52, Place.CLEARING: 0.60}

# Where feet and keels touch, below the horizon: near, middle, far. Near things stand low in the picture.
_LAND: dict[Place, tuple[float, float, float]] = {
    Place.BEACH: (0.41, 0.30, 0.12),
    Place.HARBOUR: (0.40, 0.32, 0.12),
    Place.LAKE: (0.39, 0.29, 0.12),
    Place.ROOM: (0.49, 0.39, 0.29),
}
_WATER: dict[Place, tuple[float, float, float]] = {
    Place.BEACH: (0.150, 0.085, 0.035),
    Place.HARBOUR: (0.215, 0.13, 0.05),
    Place.LAKE: (0.19, 0.11, 0.045),
}
_OPEN = (0.355, 0.21, 0.115)
_SKY = {Depth.NEAR: (0.24, 0.072), Depth.MIDDLE: (0.27, 0.048), Depth.FAR: (0.38, 0.026)}

_DRAWERS: dict[Kind, tuple[Callable[[Pen], Sprite], float]] = {
    # how each kind is drawn, and its height in metres: a storybook's, where houses are small and people large
    Kind.HOUSE: (built.house, 3.4),
    Kind.LIGHTHOUSE: (built.lighthouse, 6.6),
    Kind.TENT: (built.tent, 1.6),
    Kind.TREE: (living.tree, 3.7),
    Kind.FIR: (living.fir, 4.0),
    Kind.PALM: (living.palm, 3.8),
    Kind.CACTUS: (living.cactus, 2.2),
    Kind.BOAT: (moving.boat, 0.85),
    Kind.SAILBOAT: (moving.sailboat, 5.2),
    Kind.CAR: (moving.car, 1.30),
    Kind.BICYCLE: (moving.bicycle, 1.10),
    Kind.BALLOON: (moving.balloon, 4.8),
    Kind.KITE: (moving.kite, 2.4),
    Kind.BENCH: (built.bench, 0.92),
    Kind.STREET_LAMP: (built.street_lamp, 3.4),
    Kind.DOG: (living.dog, 0.68),
    Kind.CAT: (living.cat, 0.48),
    Kind.BIRD: (living.bird, 0.85),
    Kind.SOFA: (indoors.sofa, 0.98),
    Kind.TABLE: (indoors.table, 0.80),
    Kind.PLANT: (living.plant, 1.15),
    Kind.BOOKSHELF: (indoors.bookshelf, 2.0),
    Kind.FLOOR_LAMP: (indoors.floor_lamp, 1.65),
}
_AFLOAT = frozenset({Kind.BOAT, Kind.SAILBOAT})
_ALOFT = frozenset({Kind.BALLOON, Kind.KITE, Kind.BIRD})
_BREEZY = frozenset({Place.VALLEY, Place.CLEARING, Place.PARK, Place.MEADOW, Place.LAKE})


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where something stands: its foot in shares of the picture, a metre's size in units, and on what."""

    x: float
    y: float
    metre: float
    distance: float
    aloft: bool = False
    afloat: bool = False
    adrift: bool = False  # a thing of the land that was asked for out on the water: it gets an islet


def draw(scene: Scene, size: tuple[int, int], seed: int) -> NDArray[np.uint8]:
    """`scene` as RGB pixels (height, width, 3); `size` is (width, height)."""
    canvas = Canvas(scene, size[0], size[1], seed, _HORIZONS.get(scene.place, 0.58))
    paint_sky(canvas)
    _BACKDROPS[scene.place](canvas)
    placed = _arranged(canvas)
    for index, (part, spot) in enumerate(placed):
        _set(canvas, part, spot, canvas.rng(f"part {index}"))
    if scene.place is not Place.ROOM:
        weather(canvas)
    return develop(canvas)


def _arranged(canvas: Canvas) -> list[tuple[Thing | Person, _Spot]]:
    """Everything with its spot, from far to near; what shares a side is moved apart."""
    rng = canvas.rng("arrangement")
    crowd: dict[tuple[Side, bool], int] = {}
    placed: list[tuple[Thing | Person, _Spot]] = []
    parts: list[Thing | Person] = [*canvas.scene.people, *canvas.scene.things]
    for part in parts:
        aloft = isinstance(part, Thing) and part.kind in _ALOFT
        count = crowd.get((part.side, aloft), 0)
        crowd[part.side, aloft] = count + 1
        shift = 0.115 * ((count + 1) // 2) * (-1) ** count * (1 if part.side is not Side.RIGHT else -1)
        x = _SIDES[part.side] + shift + float(rng.uniform(-0.03, 0.03))
        if aloft and abs(x - canvas.sun[0]) < 0.09:
            x += 0.15 if x < 0.5 else -0.15  # leave the sun and the moon free
        placed.append((part, _spot(canvas, part, x, float(rng.uniform(-0.012, 0.012)))))
    return sorted(placed, key=lambda pair: (not pair[1].aloft, pair[1].y))


def _spot(canvas: Canvas, part: Thing | Person, x: float, jitter: float) -> _Spot:
    place, step = canvas.scene.place, list(Depth).index(part.depth)
    kind = part.kind if isinstance(part, Thing) else None
    if kind in _ALOFT:
        y, metre = _SKY[part.depth]
        tall = _DRAWERS[kind][1] * metre * _GROWTH[part.size] if isinstance(part, Thing) and kind else 0.0
        return _Spot(
            x, y * canvas.horizon / 0.58 + jitter * 3 + tall / 2, metre, 0.25 + 0.25 * step, aloft=True
        )
    afloat = kind in _AFLOAT and place in _WATER
    below = (_WATER[place] if afloat else _LAND.get(place, _OPEN))[step]
    adrift = not afloat and place in _WATER and part.depth is Depth.FAR
    below *= 1.06 if isinstance(part, Person) else 0.96  # people stand a step before things
    metre = _METRE * below * (0.9 if place is Place.ROOM else 1.0) * (1.45 if afloat else 1.0)
    return _Spot(
        x, canvas.horizon + below + jitter * below * 2, metre, (0.02, 0.14, 0.34)[step], False, afloat, adrift
    )


def _set(canvas: Canvas, part: Thing | Person, spot: _Spot, rng: Any) -> None:
    """Draw one thing or person and put it in its spot with its shadow, reflection and light."""
    sprite = _sprite(canvas, part, spot, rng)
    reach = (sprite.right - sprite.left) * sprite.scale / canvas.width * 0.45
    x = min(max(spot.x, reach), 1 - reach) if reach < 0.5 else 0.5
    if spot.adrift:
        _islet(canvas, sprite, x, spot)
    if spot.afloat:
        canvas.reflect(sprite, x, spot.y, spot.distance)
    elif not spot.aloft:
        canvas.shade(sprite, x, spot.y, 0.5 if spot.adrift else 1.0)
    canvas.place(sprite, x, spot.y, spot.distance)
    if not (spot.aloft or spot.afloat or spot.adrift) and canvas.scene.place in _BREEZY:
        tufts(canvas, rng, x, spot.y, sprite)
    if sprite.lamp and canvas.light.lamps > 0.3:
        lx, ly, radius = sprite.lamp
        side = -1 if sprite.flip else 1
        height = sprite.scale / canvas.unit
        canvas.light_up(
            x + side * lx * sprite.scale / canvas.width,
            spot.y - ly * sprite.scale / canvas.height,
            radius * height,
            (1.0, 0.80, 0.48),
            0.62 * canvas.light.lamps,
        )


def _sprite(canvas: Canvas, part: Thing | Person, spot: _Spot, rng: Any) -> Sprite:
    if isinstance(part, Person):
        tall = min(_TALLEST, _PERSON * spot.metre)
        return figure(canvas, rng, part, tall * stature(part) * canvas.unit)
    drawer, metres = _DRAWERS[part.kind]
    tallest = _TALLEST if canvas.scene.place is not Place.ROOM else _TALLEST * 0.8
    tall = min(tallest, min(tallest, metres * spot.metre) * _GROWTH[part.size])
    return drawer(Pen(canvas, rng, part.colour, max(4.0, tall * canvas.unit)))


def _islet(canvas: Canvas, sprite: Sprite, x: float, spot: _Spot) -> None:
    """A rocky islet with some grass, for what stands where there is only water."""
    wide = max(0.06, (sprite.right - sprite.left) * sprite.scale / canvas.unit * 0.75)
    s = Sprite(canvas.unit, -wide * 1.15, wide * 1.15, wide * 0.25, -wide * 0.28)
    rock, green = (0.45, 0.42, 0.40), (0.46, 0.55, 0.33)
    s.poly(
        smooth(
            [
                (-wide, -0.02),
                (-wide * 0.6, wide * 0.10),
                (0, wide * 0.16),
                (wide * 0.7, wide * 0.09),
                (wide, -0.02),
                (0, -wide * 0.16),
            ],
            2,
        ),
        rock,
    )
    s.poly(
        smooth(
            [
                (-wide * 0.8, wide * 0.05),
                (-wide * 0.4, wide * 0.13),
                (0.1 * wide, wide * 0.17),
                (wide * 0.75, wide * 0.07),
                (0, -wide * 0.02),
            ],
            2,
        ),
        green,
    )
    s.texture(canvas.rng("islet"), 0.3)
    canvas.reflect(s, x, spot.y + wide * 0.1, spot.distance)
    canvas.place(s, x, spot.y, spot.distance)
