"""Hair in six styles."""

from __future__ import annotations

import numpy as np

from models.scene.grammar import HairStyle, Headwear
from models.scene.paint.figure import Figure, at
from models.scene.paint.palette import darker, lighter
from models.scene.paint.sprite import Point, arc, smooth

__all__ = ["HAIR_LINES", "hair_behind"]


def hair_behind(one: Figure) -> None:
    """Hair that falls or stands behind head and shoulders."""
    if one.covered:
        return
    s, y, rx, ry = one.sheet, one.head - one.drop, one.rx, one.ry
    back, style = darker(one.hair, 0.22), one.person.hair_style
    if style is HairStyle.LONG:
        fall = [
            (-1.12, 0.5),
            (-0.7, 1.1),
            (0.7, 1.1),
            (1.12, 0.5),
            (1.22, -0.9),
            (1.45, -2.3),
            (0.7, -2.7),
            (-0.7, -2.7),
        ]
        s.poly(smooth(at(one, y, [*fall, (-1.45, -2.3), (-1.22, -0.9)]), 2), back)
        for x in (-1.1, -0.8, 0.8, 1.1):
            s.line(at(one, y, [(x * 0.95, 0.2), (x * 1.15, -2.3)]), [rx * 0.05, rx * 0.10], one.hair)
    elif style is HairStyle.CURLY:
        turn = one.rng.uniform(0, 2 * np.pi, 130)
        reach = np.sqrt(one.rng.uniform(0.35, 1.0, 130))
        spots = np.column_stack(
            [
                np.cos(turn) * reach * rx * 1.38,
                y + ry * 0.22 + np.sin(turn) * reach * ry * 1.22,
                np.full(130, rx * 0.20),
            ]
        )
        s.dabs(spots, np.array([back]) + one.rng.normal(0, 0.02, (130, 3)))
    elif style is HairStyle.BUN and one.person.headwear is Headwear.NONE:
        s.oval(0, y + ry * 1.22, rx * 0.46, ry * 0.40, one.hair)
        s.line(arc(0, y + ry * 1.22, rx * 0.26, ry * 0.22, 30, 250, 9), rx * 0.06, back)


def _cap_of_hair(one: Figure, y: float, low: float, line: list[Point], bulk: float) -> None:
    """Hair over the skull: down to `low` at the sides, `line` along the forehead, `bulk` thick."""
    b = 1.0 + bulk
    over = [
        (-b, low),
        (-b * 1.02, 0.45),
        (-0.82 * b, 0.98 * b),
        (-0.3, 1.16 * b),
        (0.3, 1.16 * b),
        (0.82 * b, 0.98 * b),
    ]
    over += [(b * 1.02, 0.45), (b, low), (0.90, low + 0.04), (0.88, 0.30)]
    one.sheet.poly(smooth(at(one, y, [*over, *line, (-0.88, 0.30), (-0.90, low + 0.04)]), 1), one.hair)
    for x, tilt in ((-0.5, -0.12), (-0.15, -0.04), (0.35, 0.10)):
        strand = at(one, y, [(x * 0.9, 1.08 * b), (x + tilt, 0.96)])
        one.sheet.line(strand, one.rx * 0.045, lighter(one.hair, 0.16))


def _cropped(one: Figure, y: float) -> None:
    _cap_of_hair(one, y, 0.18, [(0.66, 0.70), (0.3, 0.78), (-0.3, 0.78), (-0.66, 0.70)], -0.01)


def _short(one: Figure, y: float) -> None:
    line = [(0.72, 0.58), (0.25, 0.46), (-0.30, 0.66), (-0.55, 0.74), (-0.74, 0.52)]
    _cap_of_hair(one, y, -0.05, line, 0.07)


def _curly(one: Figure, y: float) -> None:
    count = 120
    turn = one.rng.uniform(-0.25, np.pi + 0.25, count)
    reach = one.rng.uniform(0.84, 1.30, count)
    lift = np.clip(np.sin(turn), -0.3, 1)
    x, up = np.cos(turn) * reach, 0.16 + np.sin(turn) * reach * 0.95
    spots = np.column_stack([x * one.rx, y + up * one.ry, one.rng.uniform(0.10, 0.19, count) * one.rx])
    glow = np.clip(0.35 + 0.5 * lift + one.rng.normal(0, 0.15, count), 0, 1)[:, None]
    tones = np.array(darker(one.hair, 0.15)) * (1 - glow) + np.array(lighter(one.hair, 0.14)) * glow
    one.sheet.dabs(spots, tones)


def _long(one: Figure, y: float) -> None:
    line = [(0.80, 0.20), (0.60, 0.52), (0.18, 0.92), (0.0, 0.86), (-0.50, 0.56), (-0.80, 0.20)]
    _cap_of_hair(one, y, -0.55, line, 0.10)
    for side in (-1, 1):
        lock = [
            (0.90, 0.30),
            (1.12, -0.2),
            (1.20, -1.2),
            (1.22, -2.0),
            (0.92, -2.05),
            (0.90, -1.0),
            (0.86, -0.2),
        ]
        one.sheet.poly(smooth(at(one, y, [(side * px, py) for px, py in lock]), 2), one.hair)


def _braided(one: Figure, y: float) -> None:
    line = [(0.80, 0.28), (0.5, 0.62), (0.05, 0.98), (-0.05, 0.98), (-0.5, 0.62), (-0.80, 0.28)]
    _cap_of_hair(one, y, -0.35, line, 0.06)
    for side in (-1, 1):
        for step in range(9):
            px, py = side * (1.0 + 0.05 * step), -0.45 - 0.27 * step
            tone = one.hair if step % 2 else lighter(one.hair, 0.12)
            [(x, low)] = at(one, y, [(px, py)])
            one.sheet.oval(x, low, one.rx * (0.21 - 0.010 * step), one.ry * 0.17, tone)
        [(x, low)] = at(one, y, [(side * 1.44, -2.72)])
        one.sheet.oval(x, low, one.rx * 0.13, one.ry * 0.07, (0.80, 0.35, 0.35))


def _bun(one: Figure, y: float) -> None:
    line = [(0.74, 0.50), (0.4, 0.76), (-0.4, 0.76), (-0.74, 0.50)]
    _cap_of_hair(one, y, 0.05, line, 0.03)


HAIR_LINES = {
    HairStyle.CROPPED: _cropped,
    HairStyle.SHORT: _short,
    HairStyle.CURLY: _curly,
    HairStyle.LONG: _long,
    HairStyle.BRAIDED: _braided,
    HairStyle.BUN: _bun,
}
