"""People: measures taken from what the scene says, and the parts painted in order.

Everybody is drawn with the same care and from the same parts; what differs is what the scene says of them.
Beards, garments and poses vary by chance within what the scene leaves open.
"""

from __future__ import annotations

from models.scene.grammar import Age, Aid, Gender, Headwear, Person, Role
from models.scene.paint.body import arms, legs, trunk
from models.scene.paint.canvas import Canvas
from models.scene.paint.figure import Figure
from models.scene.paint.hair import hair_behind
from models.scene.paint.head import head
from models.scene.paint.noise import Random
from models.scene.paint.palette import HAIR, PAINT, RGB, SKIN, darker
from models.scene.paint.props import cane, chair_back, chair_front
from models.scene.paint.sprite import Sprite

__all__ = ["figure", "stature"]

_STATURES = {Age.CHILD: 0.70, Age.YOUNG: 1.0, Age.MIDDLE_AGED: 0.99, Age.ELDERLY: 0.95}
_TROUSERS: tuple[RGB, ...] = ((0.22, 0.27, 0.38), (0.30, 0.29, 0.31), (0.62, 0.54, 0.43), (0.37, 0.29, 0.24))
_SHOES: tuple[RGB, ...] = ((0.25, 0.18, 0.14), (0.17, 0.17, 0.20), (0.85, 0.83, 0.80))
_GOWNS = frozenset({Role.NONE, Role.TEACHER, Role.ARTIST, Role.MUSICIAN})


def stature(person: Person) -> float:
    """How tall a person is beside a standing young adult."""
    return _STATURES[person.age]


def figure(canvas: Canvas, rng: Random, person: Person, scale: float) -> Sprite:
    """A picture of one person, `scale` pixels tall when standing."""
    sheet = Sprite(scale, -0.36, 0.36, 1.09, -0.03)
    one = _measure(canvas, rng, person, sheet)
    if one.seated:
        chair_back(one)
    hair_behind(one)
    legs(one)
    trunk(one)
    arms(one)
    head(one)
    if one.seated:
        chair_front(one)
    if person.aid is Aid.CANE:
        cane(one)
    sheet.texture(rng, 0.05)
    return sheet


def _measure(canvas: Canvas, rng: Random, person: Person, sheet: Sprite) -> Figure:
    child = person.age is Age.CHILD
    hip = 0.45 if child else 0.49
    gown = person.gender is not Gender.MAN and person.role in _GOWNS and bool(rng.random() < 0.5)
    beard = person.gender is Gender.MAN and not child and bool(rng.random() < 0.4)
    cloth = PAINT[person.clothes]
    trousers = _TROUSERS[int(rng.integers(len(_TROUSERS)))]
    if sum(abs(a - b) for a, b in zip(trousers, cloth, strict=True)) < 0.35:
        trousers = _TROUSERS[2] if sum(cloth) < 1.2 else _TROUSERS[0]
    long = person.headwear is Headwear.HIJAB or canvas.light.direct < 0.5 or bool(rng.random() < 0.4)
    return Figure(
        sheet=sheet,
        rng=rng,
        person=person,
        skin=SKIN[person.skin],
        hair=HAIR[person.hair_colour],
        cloth=cloth,
        trousers=darker(cloth, 0.06) if person.role is Role.NURSE else trousers,
        shoes=_SHOES[int(rng.integers(len(_SHOES)))],
        gown=gown,
        sleeves=long,
        beard=beard,
        child=child,
        drop=hip - 0.30 if person.aid is Aid.WHEELCHAIR else 0.0,
        shoulder=0.725 if child else 0.795,
        hip=hip,
        half=(0.118 if child else 0.126) - (0.010 if person.gender is Gender.WOMAN else 0.0),
        head=0.862 if child else 0.905,
        rx=0.090 if child else 0.067,
        ry=0.103 if child else 0.080,
    )
