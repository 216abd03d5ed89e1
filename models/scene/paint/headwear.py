"""Hat, cap, turban, hijab."""

from __future__ import annotations

from models.scene.grammar import Headwear
from models.scene.paint.figure import Figure, at
from models.scene.paint.palette import RGB, darker, lighter
from models.scene.paint.sprite import arc, smooth

__all__ = ["HEADWEAR"]


def _hat(one: Figure, y: float, fabric: RGB) -> None:
    straw = (0.86, 0.72, 0.46)
    s = one.sheet
    s.poly(
        smooth(
            at(one, y, [(-0.92, 0.62), (-0.84, 1.25), (-0.5, 1.52), (0.5, 1.52), (0.84, 1.25), (0.92, 0.62)]),
            2,
        ),
        straw,
    )
    s.poly(at(one, y, [(-0.93, 0.66), (-0.90, 0.90), (0.90, 0.90), (0.93, 0.66)]), fabric)
    s.poly(
        smooth(
            at(one, y, [(-1.75, 0.60), (-0.9, 0.80), (0.9, 0.80), (1.75, 0.60), (0.9, 0.46), (-0.9, 0.46)]),
            2,
        ),
        darker(straw, 0.08),
    )
    s.line(
        at(one, y, [(-1.45, 0.60), (-0.7, 0.53), (0.7, 0.53), (1.45, 0.60)]),
        one.rx * 0.04,
        darker(straw, 0.25),
    )


def _cap(one: Figure, y: float, fabric: RGB) -> None:
    s = one.sheet
    s.poly(
        smooth(
            at(one, y, [(-1.06, 0.48), (-1.04, 0.95), (-0.6, 1.36), (0.6, 1.36), (1.04, 0.95), (1.06, 0.48)]),
            2,
        ),
        fabric,
    )
    s.poly(
        smooth(
            at(
                one,
                y,
                [
                    (-0.95, 0.56),
                    (-0.5, 0.72),
                    (0.5, 0.72),
                    (0.95, 0.56),
                    (1.0, 0.36),
                    (0.4, 0.44),
                    (-0.4, 0.44),
                    (-1.0, 0.36),
                ],
            ),
            1,
        ),
        darker(fabric, 0.28),
    )
    s.line(at(one, y, [(0.0, 1.32), (0.0, 0.74)]), one.rx * 0.035, darker(fabric, 0.2))
    s.oval(0, y + one.ry * 1.33, one.rx * 0.09, one.ry * 0.06, darker(fabric, 0.2))


def _turban(one: Figure, y: float, fabric: RGB) -> None:
    s = one.sheet
    s.poly(
        smooth(
            at(
                one,
                y,
                [
                    (-1.10, 0.22),
                    (-1.22, 0.85),
                    (-0.75, 1.48),
                    (0.75, 1.48),
                    (1.22, 0.85),
                    (1.10, 0.22),
                    (0.5, 0.52),
                    (0.0, 0.80),
                    (-0.5, 0.52),
                ],
            ),
            2,
        ),
        fabric,
    )
    for step in range(5):
        t = 0.18 * step
        left = at(
            one, y, [(-1.12 + 0.10 * step, 0.30 + t), (-0.45, 0.62 + t), (0.12 + 0.06 * step, 0.98 + t * 0.7)]
        )
        right = [(-px, py) for px, py in left]
        for fold in (left, right):
            s.line(smooth(fold, 2, closed=False), one.rx * 0.05, darker(fabric, 0.20))
    s.poly(
        smooth(at(one, y, [(-0.16, 0.72), (0.0, 1.05), (0.16, 0.72), (0.0, 0.64)]), 1), lighter(fabric, 0.22)
    )


def _hijab(one: Figure, y: float, fabric: RGB) -> None:
    """A scarf around the face and over the shoulders: an outer shape with the face's oval left open."""
    s = one.sheet
    outer = [
        (0.0, 1.22),
        (0.72, 1.08),
        (1.12, 0.45),
        (1.14, -0.4),
        (1.10, -1.0),
        (1.62, -1.62),
        (1.25, -2.15),
        (0.0, -2.45),
    ]
    outline = smooth(at(one, y, [*outer, *[(-px, py) for px, py in reversed(outer[1:-1])]]), 2)
    opening = arc(0, y - one.ry * 0.14, one.rx * 0.80, one.ry * 0.88)
    s.poly([*outline, outline[0], opening[0], *opening, outline[0]], fabric)
    s.line(opening, one.rx * 0.06, darker(fabric, 0.16))
    for fold in (
        [(-0.95, -0.6), (-0.35, -1.25), (0.5, -1.5)],
        [(0.95, -0.7), (0.25, -1.5), (-0.9, -1.9)],
        [(1.1, -1.2), (0.5, -1.9), (-0.3, -2.25)],
    ):
        s.line(smooth(at(one, y, fold), 2, closed=False), one.rx * 0.06, darker(fabric, 0.15))


HEADWEAR = {Headwear.HAT: _hat, Headwear.CAP: _cap, Headwear.TURBAN: _turban, Headwear.HIJAB: _hijab}
