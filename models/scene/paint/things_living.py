"""Trees and animals."""

from __future__ import annotations

import numpy as np

from models.scene.grammar import Colour
from models.scene.paint.foliage import branches, crown, leaf_colour
from models.scene.paint.foliage import fir as paint_fir
from models.scene.paint.palette import RGB, darker, lighter, mix
from models.scene.paint.pen import Pen
from models.scene.paint.sprite import Sprite, smooth

__all__ = ["bird", "cactus", "cat", "dog", "fir", "palm", "plant", "tree"]

_BARK = (0.36, 0.27, 0.21)
_SNOW = (0.92, 0.94, 0.98)


def _leaves(pen: Pen) -> RGB:
    return leaf_colour(pen.canvas, pen.rng) if pen.name is Colour.GREEN else pen.colour


def tree(pen: Pen) -> Sprite:
    """A broad-leaved tree, bare in winter unless a colour other than green was asked for."""
    s = pen.sheet(-0.56, 0.56, 1.08)
    lean = float(pen.rng.normal(0, 0.03))
    if pen.bare and pen.name is Colour.GREEN:
        bark = mix(_BARK, _SNOW, 0.12 * pen.snow)
        branches(s, pen.rng, (0, -0.03), 0.30, 0.075, bark, np.pi / 2 + lean, depth=7)
        return s
    s.line([(0, -0.04), (lean, 0.25), (lean * 2, 0.55)], [0.10, 0.065, 0.04], _BARK)
    for x, y in ((-0.2, 0.62), (0.2, 0.66), (0.05, 0.78)):
        s.line([(lean, 0.32), (x + lean, y)], [0.045, 0.015], _BARK)
    leaf = mix(_leaves(pen), _SNOW, 0.45 * pen.snow)
    count = int(np.clip(pen.scale * 6.5, 150, 2300))
    for share, (x, y), size in (
        (0.18, (-0.23, 0.46), (0.24, 0.17)),
        (0.18, (0.24, 0.48), (0.24, 0.17)),
        (0.14, (lean, 0.42), (0.26, 0.14)),
        (0.50, (lean * 2, 0.67), (0.37, 0.29)),
    ):
        crown(s, pen.rng, (x, y), size, leaf, int(count * share), pen.sun)
    return s


def fir(pen: Pen) -> Sprite:
    """A single conifer."""
    s = pen.sheet(-0.30, 0.30, 1.05)
    green = (0.20, 0.36, 0.27) if pen.name is Colour.GREEN else pen.colour
    paint_fir(s, pen.rng, 0.0, -0.02, 1.02, green, pen.sun, pen.snow)
    s.texture(pen.rng, 0.22)
    return s


def palm(pen: Pen) -> Sprite:
    """A palm that leans, with feathered fronds and coconuts."""
    s = pen.sheet(-0.55, 0.65, 1.08, flip=bool(pen.rng.random() < 0.5))
    trunk = smooth([(-0.08, -0.03), (-0.03, 0.30), (0.06, 0.58), (0.18, 0.80)], 2, closed=False)
    s.line(trunk, list(np.linspace(0.070, 0.034, len(trunk))), (0.56, 0.44, 0.32))
    for x, y in trunk[1:]:
        s.line([(x - 0.026, y), (x + 0.026, y - 0.006)], 0.006, (0.40, 0.30, 0.22))
    green = (0.36, 0.55, 0.27) if pen.name is Colour.GREEN else pen.colour
    turns = np.linspace(-0.5, np.pi + 0.5, 10) + pen.rng.normal(0, 0.07, 10)
    for step in np.argsort(-np.abs(turns - np.pi / 2)):
        _frond(
            s,
            pen,
            (0.18, 0.80),
            float(turns[step]),
            mix(darker(green, 0.35), lighter(green, 0.15), float(pen.rng.random())),
        )
    for x, y in ((0.155, 0.785), (0.195, 0.775), (0.178, 0.80)):
        s.oval(x, y, 0.022, 0.024, (0.36, 0.24, 0.15))
    return s


def _frond(s: Sprite, pen: Pen, root: tuple[float, float], turn: float, colour: RGB) -> None:
    reach = 0.40 * float(pen.rng.uniform(0.85, 1.05))
    t = np.linspace(0, 1, 12)
    x = root[0] + reach * np.cos(turn) * t
    y = root[1] + reach * np.sin(turn) * 0.55 * t - 0.30 * t**2 + 0.10 * t
    for i in range(1, 12):
        length = 0.10 * (1 - 0.65 * t[i])
        for side in (-1, 1):
            tip = (
                float(x[i]) + 0.05 * float(np.cos(turn)),
                float(y[i]) - length if side < 0 else float(y[i]) + length * 0.25,
            )
            s.poly([(float(x[i - 1]), float(y[i - 1])), tip, (float(x[i]), float(y[i]))], colour)
    s.line([(float(a), float(b)) for a, b in zip(x, y, strict=True)], 0.012, lighter(colour, 0.25))


def cactus(pen: Pen) -> Sprite:
    """A saguaro with two arms."""
    s = pen.sheet(-0.36, 0.36, 1.04, flip=bool(pen.rng.random() < 0.5))
    green = (0.37, 0.50, 0.31) if pen.name is Colour.GREEN else pen.colour
    limbs = (
        ([(-0.02, 0.36), (-0.19, 0.40), (-0.22, 0.50), (-0.22, 0.70)], 0.11),
        ([(0.02, 0.28), (0.18, 0.31), (0.21, 0.40), (0.21, 0.56)], 0.10),
        ([(0.0, -0.03), (0.0, 0.92)], 0.17),
    )
    for path, width in limbs:
        curve = smooth(path, 2, closed=False) if len(path) > 2 else path
        s.line(curve, width, darker(green, 0.18))
        for shift in (-0.32, -0.1, 0.12, 0.33):
            s.line(
                [(x + shift * width, y) for x, y in curve],
                width * 0.10,
                lighter(green, 0.22 - shift * pen.sun * -0.4),
            )
    for x, y in ((-0.22, 0.755), (0.0, 1.0), (0.21, 0.61)):
        s.oval(x, y, 0.025, 0.018, (0.92, 0.52, 0.60))
    s.texture(pen.rng, 0.2)
    return s


def plant(pen: Pen) -> Sprite:
    """Broad leaves in a clay pot."""
    s = pen.sheet(-0.45, 0.45, 1.05)
    green = (0.30, 0.47, 0.28) if pen.name is Colour.GREEN else pen.colour
    for turn in np.concatenate([np.linspace(0.35, 2.8, 9), [1.2, 1.57, 1.95]]):
        turn = float(turn + pen.rng.normal(0, 0.08))
        reach = 0.56 * float(pen.rng.uniform(0.75, 1.1))
        dx, dy = float(np.cos(turn)) * reach * 0.72, float(np.sin(turn)) * reach
        tone = mix(darker(green, 0.30), lighter(green, 0.22), float(pen.rng.random()))
        mid = (dx * 0.55, 0.36 + dy * 0.62)
        wide = 0.075
        leaf = [(0, 0.34), (mid[0] - wide * dy / reach, mid[1] + wide * dx / reach), (dx, 0.36 + dy)]
        s.poly(smooth([*leaf, (mid[0] + wide * dy / reach, mid[1] - wide * dx / reach)], 2), tone)
        s.line([(0, 0.34), (dx * 0.9, 0.36 + dy * 0.9)], 0.010, lighter(tone, 0.2))
    clay = (0.74, 0.45, 0.32)
    s.poly([(-0.17, 0.30), (0.17, 0.30), (0.125, 0.0), (-0.125, 0.0)], clay)
    s.poly([(0.05, 0.30), (0.17, 0.30), (0.125, 0.0), (0.04, 0.0)], darker(clay, 0.16))
    s.rect(-0.19, 0.28, 0.19, 0.36, lighter(clay, 0.10))
    s.texture(pen.rng, 0.08)
    return s


def dog(pen: Pen) -> Sprite:
    """A friendly mongrel, from the side."""
    s = pen.sheet(-0.85, 0.95, 1.05, -0.04, flip=bool(pen.rng.random() < 0.5))
    coat = pen.colour if pen.name is not Colour.BLACK else (0.22, 0.21, 0.22)
    back, ear = darker(coat, 0.25), darker(coat, 0.42)
    for x, y in ((-0.40, 0.36), (0.34, 0.38)):
        s.line([(x, y), (x - 0.04, 0.18), (x - 0.01, 0.02)], [0.16, 0.09, 0.08], back)
    s.line(smooth([(-0.54, 0.58), (-0.72, 0.72), (-0.74, 0.92)], 2, closed=False), 0.07, coat)
    s.poly(
        smooth(
            [
                (-0.60, 0.56),
                (-0.45, 0.70),
                (0.10, 0.68),
                (0.44, 0.72),
                (0.52, 0.50),
                (0.30, 0.34),
                (-0.10, 0.38),
                (-0.48, 0.32),
            ],
            2,
        ),
        coat,
    )
    s.poly(smooth([(0.20, 0.36), (0.46, 0.42), (0.50, 0.58), (0.36, 0.54)], 2), lighter(coat, 0.38))
    for x, y in ((-0.48, 0.42), (0.42, 0.44)):
        s.line([(x, y), (x - 0.02, 0.20), (x + 0.02, 0.02)], [0.20, 0.10, 0.085], coat)
        s.oval(x + 0.05, 0.015, 0.075, 0.04, lighter(coat, 0.3))
    s.line([(0.40, 0.62), (0.52, 0.80)], [0.26, 0.22], coat)
    s.line(
        [(0.40, 0.66), (0.58, 0.70)],
        0.05,
        (0.75, 0.25, 0.22) if pen.name is not Colour.RED else (0.25, 0.4, 0.7),
    )
    s.oval(0.56, 0.84, 0.18, 0.155, coat)
    s.poly(smooth([(0.60, 0.88), (0.86, 0.83), (0.87, 0.74), (0.62, 0.72)], 2), lighter(coat, 0.2))
    s.poly(smooth([(0.44, 0.97), (0.52, 0.98), (0.50, 0.74), (0.40, 0.70), (0.36, 0.82)], 2), ear)
    s.oval(0.855, 0.825, 0.035, 0.032, (0.10, 0.09, 0.10))
    s.oval(0.64, 0.89, 0.024, 0.028, (0.09, 0.08, 0.08))
    s.oval(0.648, 0.90, 0.008, 0.009, (0.95, 0.95, 0.95))
    s.line([(0.70, 0.755), (0.80, 0.77)], 0.014, darker(coat, 0.6))
    s.texture(pen.rng, 0.16)
    return s


def cat(pen: Pen) -> Sprite:
    """A cat that sits and looks at you."""
    s = pen.sheet(-0.55, 0.55, 1.06, -0.04, flip=bool(pen.rng.random() < 0.5))
    coat = pen.colour if pen.name is not Colour.BLACK else (0.20, 0.19, 0.21)
    tail = smooth([(0.20, 0.06), (0.45, 0.05), (0.48, 0.25), (0.36, 0.38)], 2, closed=False)
    s.line(tail, 0.085, darker(coat, 0.15))
    s.poly(
        smooth([(-0.22, 0.0), (-0.24, 0.30), (-0.14, 0.62), (0.14, 0.62), (0.26, 0.30), (0.28, 0.0)], 2), coat
    )
    s.poly(smooth([(-0.10, 0.15), (-0.10, 0.55), (0.10, 0.55), (0.10, 0.15)], 2), lighter(coat, 0.4))
    for x in (-0.09, 0.09):
        s.line([(x, 0.30), (x, 0.02)], 0.10, lighter(coat, 0.06))
        s.oval(x, 0.02, 0.07, 0.04, lighter(coat, 0.4))
    for side in (-1, 1):
        s.poly([(side * 0.22, 0.80), (side * 0.20, 1.03), (side * 0.05, 0.92)], coat)
        s.poly([(side * 0.19, 0.84), (side * 0.18, 0.97), (side * 0.09, 0.90)], (0.85, 0.60, 0.58))
    s.oval(0, 0.76, 0.24, 0.19, coat)
    for side in (-1, 1):
        s.oval(side * 0.095, 0.78, 0.042, 0.045, (0.80, 0.78, 0.35))
        s.oval(side * 0.095, 0.78, 0.016, 0.040, (0.06, 0.06, 0.07))
        s.oval(side * 0.045, 0.685, 0.055, 0.04, lighter(coat, 0.45))
        for y in (0.66, 0.70):
            s.line([(side * 0.08, 0.69), (side * 0.32, y)], 0.007, lighter(coat, 0.6))
    s.oval(0, 0.715, 0.024, 0.017, (0.80, 0.45, 0.45))
    for y in (0.36, 0.46):
        s.line([(0.24, y), (0.13, y + 0.02)], 0.028, darker(coat, 0.3))
    s.texture(pen.rng, 0.16)
    return s


def bird(pen: Pen) -> Sprite:
    """A gull on the wing."""
    s = pen.sheet(-0.95, 0.95, 1.02, 0.0, flip=bool(pen.rng.random() < 0.5))
    coat = pen.colour
    lift = float(pen.rng.uniform(0.0, 0.22))
    far = [(0.05, 0.52), (0.30, 0.84 + lift * 0.4), (0.86, 0.66 + lift), (0.40, 0.70), (0.18, 0.44)]
    near = [(0.0, 0.52), (-0.28, 0.86 + lift * 0.4), (-0.90, 0.70 + lift), (-0.42, 0.70), (-0.16, 0.42)]
    s.poly(smooth(far, 2), darker(coat, 0.18))
    s.poly(
        smooth([(-0.30, 0.40), (-0.05, 0.54), (0.22, 0.56), (0.36, 0.48), (0.20, 0.38), (-0.10, 0.36)], 2),
        coat,
    )
    s.poly([(-0.26, 0.42), (-0.46, 0.40), (-0.42, 0.34), (-0.20, 0.38)], darker(coat, 0.10))
    s.poly(smooth(near, 2), coat)
    for side, wing in ((1, far), (-1, near)):
        tip = wing[2]
        s.poly(
            [tip, (tip[0] - side * 0.24, tip[1] + 0.035), (tip[0] - side * 0.22, tip[1] - 0.02)],
            (0.22, 0.22, 0.25),
        )
    s.oval(0.34, 0.505, 0.085, 0.07, coat)
    s.poly([(0.41, 0.52), (0.52, 0.485), (0.41, 0.475)], (0.92, 0.66, 0.22))
    s.oval(0.365, 0.52, 0.013, 0.013, (0.08, 0.08, 0.09))
    return s
