"""Head and face."""

from __future__ import annotations

from models.scene.grammar import Age, Glasses, Headwear
from models.scene.paint.figure import Figure, at
from models.scene.paint.hair import HAIR_LINES
from models.scene.paint.headwear import HEADWEAR
from models.scene.paint.palette import RGB, darker, mix
from models.scene.paint.sprite import arc, smooth

__all__ = ["head"]

_FABRICS: tuple[RGB, ...] = (
    (0.36, 0.46, 0.62),
    (0.72, 0.42, 0.40),
    (0.45, 0.56, 0.48),
    (0.86, 0.74, 0.52),
    (0.55, 0.42, 0.58),
    (0.87, 0.84, 0.80),
)


def head(one: Figure) -> None:
    """The head, from the skull out."""
    y = one.head - one.drop
    _skull(one, y)
    _face(one, y)
    if not one.covered:
        HAIR_LINES[one.person.hair_style](one, y)
    if one.person.glasses is Glasses.YES:
        _glasses(one, y)
    if one.person.headwear in HEADWEAR:
        fabric = _FABRICS[int(one.rng.integers(len(_FABRICS)))]
        HEADWEAR[one.person.headwear](one, y, fabric)


def _skull(one: Figure, y: float) -> None:
    s = one.sheet
    if one.person.headwear is not Headwear.HIJAB:
        for side in (-1, 1):
            s.oval(
                side * one.rx * 0.99, y - one.ry * 0.10, one.rx * 0.17, one.ry * 0.20, darker(one.skin, 0.08)
            )
    shape = [
        (0.99, 0.18),
        (0.92, 0.72),
        (0.5, 1.06),
        (-0.5, 1.06),
        (-0.92, 0.72),
        (-0.99, 0.18),
        (-0.90, -0.46),
    ]
    shape += [(-0.52, -0.96), (0.0, -1.08), (0.52, -0.96), (0.90, -0.46)]
    s.poly(smooth(at(one, y, shape), 2), one.skin)
    shade = [(0.96, 0.3), (0.90, -0.46), (0.52, -0.96), (0.0, -1.06), (0.45, -0.70), (0.72, -0.2)]
    s.poly(smooth(at(one, y, shade), 2), darker(one.skin, 0.055))


def _face(one: Figure, y: float) -> None:
    s, rx, ry = one.sheet, one.rx, one.ry
    blush = mix(one.skin, (0.86, 0.36, 0.32), 0.22)
    ink: RGB = (0.13, 0.10, 0.09)
    for side in (-1, 1):
        s.oval(side * rx * 0.56, y - ry * 0.36, rx * 0.21, ry * 0.13, blush)
        s.oval(side * rx * 0.40, y - ry * 0.06, rx * 0.155, ry * 0.115, (0.96, 0.95, 0.93))
        s.oval(side * rx * 0.40, y - ry * 0.06, rx * 0.098, ry * 0.118, ink)
        s.oval(side * rx * 0.40 + rx * 0.03, y - ry * 0.02, rx * 0.03, ry * 0.03, (0.97, 0.97, 0.97))
        lid = arc(side * rx * 0.40, y - ry * 0.08, rx * 0.175, ry * 0.15, 25, 155, 9)
        s.line(lid, rx * 0.05, mix(ink, one.skin, 0.15))
        brow = [
            (side * rx * 0.20, y + ry * 0.20),
            (side * rx * 0.42, y + ry * 0.26),
            (side * rx * 0.60, y + ry * 0.19),
        ]
        s.line(brow, [rx * 0.07, rx * 0.085, rx * 0.05], mix(darker(one.hair, 0.25), one.skin, 0.25))
    s.line(
        [(rx * 0.03, y - ry * 0.12), (rx * 0.10, y - ry * 0.33), (-rx * 0.02, y - ry * 0.37)],
        rx * 0.05,
        darker(one.skin, 0.22),
    )
    if one.beard:
        _beard(one, y)
    smile = arc(0, y - ry * 0.48, rx * 0.30, ry * 0.20, 205, 335, 9)
    s.line(
        smile,
        [rx * w for w in (0.04, 0.06, 0.075, 0.085, 0.09, 0.085, 0.075, 0.06, 0.04)],
        mix(one.skin, (0.55, 0.14, 0.16), 0.62),
    )
    _lines(one, y)


def _lines(one: Figure, y: float) -> None:
    """The lines that years of smiling leave."""
    if one.person.age not in (Age.MIDDLE_AGED, Age.ELDERLY):
        return
    s, rx, ry = one.sheet, one.rx, one.ry
    old = one.person.age is Age.ELDERLY
    tone = darker(one.skin, 0.17 if old else 0.10)
    for side in (-1, 1):
        s.line([(side * rx * 0.24, y - ry * 0.34), (side * rx * 0.40, y - ry * 0.56)], rx * 0.035, tone)
        if old:
            for dy in (0.02, -0.10):
                s.line(
                    [(side * rx * 0.64, y + ry * dy), (side * rx * 0.80, y + ry * (dy * 1.6))],
                    rx * 0.03,
                    tone,
                )
            s.line([(side * rx * 0.28, y - ry * 0.23), (side * rx * 0.52, y - ry * 0.22)], rx * 0.03, tone)
    if old:
        for dy in (0.42, 0.54):
            s.line(
                [(-rx * 0.34, y + ry * dy), (0, y + ry * (dy + 0.02)), (rx * 0.34, y + ry * dy)],
                rx * 0.025,
                tone,
            )


def _beard(one: Figure, y: float) -> None:
    outer = [
        (-0.97, -0.02),
        (-0.93, -0.55),
        (-0.55, -1.06),
        (0.0, -1.20),
        (0.55, -1.06),
        (0.93, -0.55),
        (0.97, -0.02),
    ]
    inner = [(0.72, -0.36), (0.42, -0.40), (0.0, -0.37), (-0.42, -0.40), (-0.72, -0.36)]
    one.sheet.poly(smooth(at(one, y, [*outer, *inner]), 1), one.hair)
    one.sheet.oval(0, y - one.ry * 0.60, one.rx * 0.30, one.ry * 0.12, mix(one.skin, one.hair, 0.12))


def _glasses(one: Figure, y: float) -> None:
    s, rx, ry = one.sheet, one.rx, one.ry
    frame = (0.16, 0.14, 0.15) if sum(one.skin) > 1.2 else (0.80, 0.68, 0.38)
    for side in (-1, 1):
        s.line(arc(side * rx * 0.41, y - ry * 0.06, rx * 0.29, ry * 0.25), rx * 0.065, frame)
        s.line([(side * rx * 0.70, y - ry * 0.02), (side * rx * 0.98, y + ry * 0.03)], rx * 0.055, frame)
    s.line([(-rx * 0.13, y - ry * 0.02), (0, y + ry * 0.02), (rx * 0.13, y - ry * 0.02)], rx * 0.06, frame)
