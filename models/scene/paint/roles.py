"""The marks of an occupation on the clothes. None of them is headwear: that is its own attribute."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.scene.grammar import Role
from models.scene.paint.figure import Figure
from models.scene.paint.palette import PAINT, darker, lighter, mix
from models.scene.paint.sprite import Point, smooth

__all__ = ["COAT", "ROLES", "outline"]

COAT = (0.95, 0.95, 0.94)
_STEEL = (0.62, 0.64, 0.67)


def outline(one: Figure, bottom: float, loose: float) -> list[Point]:
    """The trunk's outline down to `bottom`, `loose` wider than the body."""
    top, waist = one.shoulder - one.drop, one.hip - one.drop + 0.10
    right = [
        (0.030, top + 0.024),
        (one.half * 0.72, top + 0.012),
        (one.half + loose, top - 0.024),
        (one.half - 0.012 + loose, top - 0.10),
        (0.086 + loose, waist),
        (0.104 + loose, bottom + 0.01),
        (0.100 + loose, bottom),
    ]
    return [*right, *[(-x, y) for x, y in reversed(right)]]


def _coat(one: Figure, top: float, hip: float) -> None:
    """A white coat, open over the clothes."""
    low = 0.20 if one.seated else hip - 0.14
    for side in (-1, 1):
        shape = [
            (0.028, top + 0.022),
            (one.half * 0.72, top + 0.016),
            (one.half + 0.012, top - 0.03),
            (0.108, hip + 0.06),
        ]
        shape += [(0.128, low), (0.040, low), (0.034, hip + 0.10), (0.052, top - 0.06)]
        s = [(side * x, y) for x, y in shape]
        one.sheet.poly(smooth(s, 1), COAT if side < 0 else darker(COAT, 0.08))
        one.sheet.line(
            [(side * 0.030, top + 0.02), (side * 0.055, top - 0.06), (side * 0.032, hip + 0.10)],
            0.006,
            darker(COAT, 0.22),
        )
    one.sheet.rect(0.056, top - 0.115, 0.090, top - 0.085, darker(COAT, 0.16))


def _doctor(one: Figure, top: float, hip: float) -> None:
    _coat(one, top, hip)
    dark = (0.20, 0.23, 0.30)
    loop = [
        (-0.040, top + 0.02),
        (-0.046, top - 0.07),
        (-0.005, top - 0.12),
        (0.036, top - 0.07),
        (0.040, top + 0.02),
    ]
    one.sheet.line(smooth(loop, 2, closed=False), 0.009, dark)
    one.sheet.line([(-0.005, top - 0.115), (-0.005, top - 0.165)], 0.009, dark)
    one.sheet.oval(-0.005, top - 0.172, 0.016, 0.016, _STEEL)


def _nurse(one: Figure, top: float, hip: float) -> None:
    s = one.sheet
    s.rect(0.030, top - 0.115, 0.080, top - 0.075, lighter(one.cloth, 0.6))
    s.rect(0.048, top - 0.105, 0.054, top - 0.085, (0.80, 0.25, 0.25))
    s.rect(0.041, top - 0.098, 0.061, top - 0.092, (0.80, 0.25, 0.25))
    for x in (-0.055, 0.055):
        s.rect(x - 0.034, hip + 0.005, x + 0.034, hip + 0.06, darker(one.cloth, 0.14))


def _teacher(one: Figure, top: float, hip: float) -> None:
    vest = mix(darker(one.cloth, 0.30), (0.42, 0.33, 0.27), 0.35)
    for side in (-1, 1):
        shape = [
            (0.040, top + 0.018),
            (one.half * 0.8, top + 0.006),
            (0.098, top - 0.12),
            (0.100, hip),
            (0.022, hip),
        ]
        one.sheet.poly(smooth([(side * x, y) for x, y in [*shape, (0.024, top - 0.12)]], 1), vest)
    for step in range(3):
        one.sheet.oval(0.034, hip + 0.03 + 0.045 * step, 0.006, 0.006, lighter(vest, 0.5))


def _chef(one: Figure, top: float, hip: float) -> None:
    s = one.sheet
    s.poly(smooth(outline(one, hip - 0.025, 0.004), 2), COAT)
    for x in (-0.028, 0.028):
        for step in range(4):
            s.oval(x, top - 0.05 - 0.042 * step, 0.0075, 0.0075, one.cloth)
    s.line([(0.0, top - 0.03), (0.012, hip + 0.09)], 0.004, darker(COAT, 0.2))
    s.poly(
        smooth([(-0.048, top + 0.026), (0.048, top + 0.026), (0.018, top - 0.035), (-0.018, top - 0.035)], 1),
        one.cloth,
    )
    low = 0.19 if one.seated else hip - 0.15
    s.poly([(-0.092, hip + 0.075), (0.092, hip + 0.075), (0.112, low), (-0.112, low)], one.cloth)
    s.line([(-0.094, hip + 0.075), (0.094, hip + 0.075)], 0.013, darker(one.cloth, 0.25))


def _firefighter(one: Figure, top: float, hip: float) -> None:
    low = 0.22 if one.seated else hip - 0.08
    one.sheet.poly(smooth(outline(one, low, 0.010), 1), one.cloth)
    band, silver = (0.96, 0.86, 0.30), (0.87, 0.88, 0.88)
    for y in (top - 0.125, hip + 0.02):
        one.sheet.rect(-0.106, y, 0.106, y + 0.034, band)
        one.sheet.rect(-0.106, y + 0.011, 0.106, y + 0.023, silver)
    one.sheet.line([(0.0, top), (0.0, low)], 0.010, darker(one.cloth, 0.4))
    for y in (top - 0.07, top - 0.165, hip + 0.075):
        one.sheet.rect(-0.016, y - 0.008, 0.016, y + 0.008, silver)


def _builder(one: Figure, top: float, hip: float) -> None:
    vest = (0.98, 0.55, 0.16) if one.person.clothes.value != "orange" else (0.85, 0.90, 0.25)
    for side in (-1, 1):
        shape = [
            (0.034, top + 0.02),
            (one.half * 0.82, top + 0.006),
            (0.100, top - 0.11),
            (0.104, hip + 0.01),
            (0.010, hip + 0.01),
        ]
        one.sheet.poly([(side * x, y) for x, y in [*shape, (0.012, top - 0.11)]], vest)
        one.sheet.rect(
            side * 0.055 - 0.011, hip + 0.01, side * 0.055 + 0.011, top + 0.010, (0.90, 0.91, 0.80)
        )
    one.sheet.rect(-0.102, hip + 0.075, 0.102, hip + 0.10, (0.90, 0.91, 0.80))


def _farmer(one: Figure, top: float, hip: float) -> None:
    denim = (0.33, 0.43, 0.58)
    s = one.sheet
    low = 0.20 if one.seated else hip - 0.06
    s.poly(
        smooth(
            [
                (-0.068, top - 0.105),
                (0.068, top - 0.105),
                (0.10, hip + 0.06),
                (0.104, low),
                (-0.104, low),
                (-0.10, hip + 0.06),
            ],
            1,
        ),
        denim,
    )
    for side in (-1, 1):
        s.line([(side * 0.056, top - 0.115), (side * 0.070, top + 0.012)], 0.020, denim)
        s.oval(side * 0.056, top - 0.118, 0.009, 0.009, (0.88, 0.74, 0.38))
    s.rect(-0.036, top - 0.185, 0.036, top - 0.135, darker(denim, 0.16))
    s.line([(-0.036, top - 0.135), (0.036, top - 0.135)], 0.005, (0.85, 0.70, 0.42))


def _police(one: Figure, top: float, hip: float) -> None:
    s, dark = one.sheet, (0.14, 0.16, 0.22)
    s.poly(
        [
            (-0.013, top - 0.02),
            (0.013, top - 0.02),
            (0.017, hip + 0.12),
            (0.0, hip + 0.10),
            (-0.017, hip + 0.12),
        ],
        dark,
    )
    for side in (-1, 1):
        s.rect(side * 0.062 - 0.022, top - 0.115, side * 0.062 + 0.022, top - 0.075, darker(one.cloth, 0.18))
        s.line([(side * 0.085, top + 0.012), (side * 0.118, top - 0.012)], 0.018, dark)
    star = [(0.062 + r * float(np.sin(a)), top - 0.055 + r * float(np.cos(a))) for a, r in _star()]
    s.poly(star, (0.93, 0.78, 0.36))
    s.line([(-0.092, hip + 0.02), (0.092, hip + 0.02)], 0.026, dark)
    s.rect(-0.016, hip + 0.006, 0.016, hip + 0.034, (0.85, 0.75, 0.45))


def _star() -> list[tuple[float, float]]:
    return [(np.pi * i / 5, 0.021 if i % 2 == 0 else 0.009) for i in range(10)]


def _office(one: Figure, top: float, hip: float) -> None:
    s = one.sheet
    s.poly([(-0.036, top + 0.020), (0.036, top + 0.020), (0.0, top - 0.19)], COAT)
    tie = (0.60, 0.22, 0.24) if one.person.clothes.value != "red" else (0.22, 0.26, 0.42)
    s.poly([(-0.009, top), (0.009, top), (0.015, top - 0.12), (0.0, top - 0.16), (-0.015, top - 0.12)], tie)
    for side in (-1, 1):
        lapel = [(0.034, top + 0.024), (0.064, top - 0.045), (0.046, top - 0.060), (0.003, top - 0.195)]
        s.poly([(side * x, y) for x, y in lapel], darker(one.cloth, 0.20))
    for y in (hip + 0.08, hip + 0.04):
        s.oval(0.008, y, 0.006, 0.006, darker(one.cloth, 0.5))


def _artist(one: Figure, top: float, hip: float) -> None:
    s, linen = one.sheet, (0.86, 0.80, 0.69)
    low = 0.20 if one.seated else hip - 0.12
    s.poly(
        smooth(
            [
                (-0.060, top - 0.075),
                (0.060, top - 0.075),
                (0.104, hip + 0.07),
                (0.112, low),
                (-0.112, low),
                (-0.104, hip + 0.07),
            ],
            1,
        ),
        linen,
    )
    for side in (-1, 1):
        s.line([(side * 0.054, top - 0.078), (side * 0.045, top + 0.018)], 0.010, darker(linen, 0.2))
    colours = list(PAINT.values())
    for x, y in one.rng.normal((0.0, hip + 0.03), (0.045, 0.045), (14, 2)).tolist():
        s.oval(x, y, 0.009, 0.007, colours[int(one.rng.integers(8))])


ROLES: dict[Role, Callable[[Figure, float, float], None]] = {
    Role.DOCTOR: _doctor,
    Role.NURSE: _nurse,
    Role.TEACHER: _teacher,
    Role.SCIENTIST: _coat,
    Role.CHEF: _chef,
    Role.FIREFIGHTER: _firefighter,
    Role.BUILDER: _builder,
    Role.FARMER: _farmer,
    Role.POLICE: _police,
    Role.OFFICE: _office,
    Role.ARTIST: _artist,
}
