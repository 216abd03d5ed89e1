"""What people hold and move with: tools of a role, guitar, cane, wheelchair."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.scene.grammar import Role
from models.scene.paint.figure import Figure
from models.scene.paint.palette import PAINT, darker, lighter
from models.scene.paint.sprite import Point, arc, smooth

__all__ = ["HOLDS", "cane", "chair_back", "chair_front", "guitar"]

_STEEL = (0.62, 0.64, 0.67)
_RUBBER = (0.16, 0.16, 0.18)


def _book(one: Figure, hand: Point) -> None:
    x, y = hand
    one.sheet.poly(
        [(x - 0.055, y - 0.03), (x + 0.035, y - 0.045), (x + 0.045, y + 0.055), (x - 0.045, y + 0.07)],
        (0.30, 0.38, 0.55),
    )
    one.sheet.line([(x - 0.055, y - 0.034), (x + 0.037, y - 0.05)], 0.010, (0.95, 0.92, 0.85))
    one.sheet.oval(x + 0.02, y - 0.015, 0.020, 0.022, one.skin)


def _flask(one: Figure, hand: Point) -> None:
    x, y = hand[0] - 0.01, hand[1] + 0.005
    one.sheet.poly(
        [
            (x - 0.012, y + 0.085),
            (x + 0.012, y + 0.085),
            (x + 0.012, y + 0.04),
            (x + 0.045, y - 0.03),
            (x - 0.045, y - 0.03),
            (x - 0.012, y + 0.04),
        ],
        (0.84, 0.91, 0.93),
    )
    one.sheet.poly(
        [(x - 0.026, y + 0.008), (x + 0.026, y + 0.008), (x + 0.043, y - 0.028), (x - 0.043, y - 0.028)],
        (0.36, 0.68, 0.55),
    )
    one.sheet.oval(x + 0.035, y - 0.012, 0.018, 0.020, one.skin)


def _case(one: Figure, hand: Point) -> None:
    x, y = hand[0] + 0.02, hand[1] - 0.075
    one.sheet.line(arc(x, y + 0.04, 0.022, 0.022, 0, 180, 9), 0.009, (0.28, 0.19, 0.13))
    one.sheet.poly(
        smooth(
            [(x - 0.075, y - 0.055), (x + 0.075, y - 0.055), (x + 0.072, y + 0.042), (x - 0.072, y + 0.042)],
            1,
        ),
        (0.46, 0.31, 0.20),
    )
    one.sheet.rect(x - 0.012, y - 0.002, x + 0.012, y + 0.018, (0.86, 0.72, 0.40))


def _palette(one: Figure, hand: Point) -> None:
    x, y = hand
    one.sheet.oval(x - 0.015, y, 0.068, 0.046, (0.74, 0.55, 0.36))
    colours = list(PAINT.values())[:6]
    for turn, colour in zip(np.linspace(0.3, 3.3, 6), colours, strict=True):
        one.sheet.oval(
            x - 0.015 + 0.045 * float(np.cos(turn)), y + 0.028 * float(np.sin(turn)), 0.011, 0.009, colour
        )
    one.sheet.line([(x + 0.03, y - 0.01), (x - 0.05, y + 0.11)], [0.007, 0.009], (0.45, 0.30, 0.2))


def _basket(one: Figure, hand: Point) -> None:
    x, y = hand[0] - 0.01, hand[1] - 0.05
    for dx, tone in ((-0.035, (0.85, 0.30, 0.22)), (0.0, (0.93, 0.62, 0.22)), (0.036, (0.50, 0.66, 0.30))):
        one.sheet.oval(x + dx, y + 0.035, 0.024, 0.024, tone)
    one.sheet.poly(
        smooth(
            [(x - 0.075, y + 0.032), (x + 0.075, y + 0.032), (x + 0.056, y - 0.045), (x - 0.056, y - 0.045)],
            1,
        ),
        (0.68, 0.50, 0.31),
    )
    one.sheet.line(arc(x, y + 0.03, 0.066, 0.085, 0, 180, 13), 0.010, (0.55, 0.39, 0.23))


HOLDS: dict[Role, Callable[[Figure, Point], None]] = {
    Role.TEACHER: _book,
    Role.SCIENTIST: _flask,
    Role.OFFICE: _case,
    Role.ARTIST: _palette,
    Role.FARMER: _basket,
}


def guitar(one: Figure) -> None:
    top = one.shoulder - one.drop
    s, wood = one.sheet, (0.76, 0.50, 0.27)
    s.line([(0.0, top - 0.175), (0.235, top - 0.055)], 0.020, (0.34, 0.22, 0.15))
    s.oval(0.245, top - 0.050, 0.022, 0.017, (0.30, 0.20, 0.14))
    s.oval(-0.075, top - 0.215, 0.088, 0.080, wood)
    s.oval(0.005, top - 0.175, 0.066, 0.062, wood)
    s.oval(-0.018, top - 0.187, 0.023, 0.023, darker(wood, 0.7))
    s.line([(-0.10, top - 0.228), (0.23, top - 0.057)], 0.004, (0.93, 0.90, 0.80))


def cane(one: Figure) -> None:
    """A walking stick in the left hand."""
    x, y = -(one.half + 0.036), one.shoulder - one.drop - 0.335
    wood = (0.42, 0.28, 0.18)
    one.sheet.line([(x, y + 0.01), (x - 0.022, -0.005)], [0.016, 0.012], wood)
    one.sheet.line(arc(x + 0.016, y + 0.012, 0.017, 0.020, 0, 180, 9), 0.015, wood)


def chair_back(one: Figure) -> None:
    """The parts of a wheelchair behind the person: wheels, back rest, handles."""
    s = one.sheet
    for side in (-1, 1):
        s.line([(side * 0.115, 0.30), (side * 0.120, 0.565), (side * 0.145, 0.575)], 0.018, _STEEL)
        s.oval(side * 0.150, 0.575, 0.024, 0.014, _RUBBER)
    s.poly(smooth([(-0.120, 0.26), (-0.120, 0.53), (0.120, 0.53), (0.120, 0.26)], 1), (0.20, 0.23, 0.30))
    s.rect(-0.125, 0.235, 0.125, 0.275, (0.16, 0.18, 0.23))
    for side in (-1, 1):
        s.line([(side * 0.10, 0.25), (side * 0.075, 0.065)], 0.014, _STEEL)
        s.oval(side * 0.098, 0.035, 0.016, 0.038, _RUBBER)
    s.line([(-0.10, 0.052), (0.10, 0.052)], 0.016, darker(_STEEL, 0.3))


def chair_front(one: Figure) -> None:
    """What of the wheelchair stands before the person: great wheels with their rims, and arm rests."""
    s = one.sheet
    for side in (-1, 1):
        x = side * 0.178
        s.line([(side * 0.150, 0.365), (side * 0.128, 0.355), (side * 0.128, 0.27)], 0.022, _RUBBER)
        for turn in np.linspace(0, np.pi, 6)[:-1]:
            dx, dy = 0.048 * float(np.cos(turn)), 0.168 * float(np.sin(turn))
            s.line([(x - dx, 0.178 - dy), (x + dx, 0.178 + dy)], 0.004, lighter(_STEEL, 0.3))
        s.line(arc(x, 0.178, 0.052, 0.178), 0.020, _RUBBER)
        s.line(arc(x + side * 0.016, 0.178, 0.046, 0.150), 0.007, lighter(_STEEL, 0.35))
        s.oval(x, 0.178, 0.013, 0.020, _STEEL)
