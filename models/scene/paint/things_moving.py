"""Boats, cars, bicycles, balloons, kites."""

from __future__ import annotations

import numpy as np

from models.scene.grammar import Colour
from models.scene.paint.palette import RGB, darker, lighter, mix
from models.scene.paint.pen import Pen
from models.scene.paint.sprite import Sprite, arc, smooth

__all__ = ["balloon", "bicycle", "boat", "car", "kite", "sailboat"]

_IRON = (0.17, 0.18, 0.21)
_WOOD = (0.62, 0.45, 0.30)


def sailboat(pen: Pen) -> Sprite:
    """A sloop under sail; the hull has the asked colour."""
    s = pen.sheet(-0.44, 0.44, 1.04, -0.02, flip=bool(pen.rng.random() < 0.5))
    hull = pen.colour
    cloth: RGB = (0.96, 0.93, 0.86) if pen.name is not Colour.WHITE else (0.85, 0.42, 0.33)
    s.line([(0.02, 0.10), (0.02, 0.99)], [0.016, 0.008], (0.45, 0.34, 0.25))
    s.poly(smooth([(0.005, 0.96), (0.0, 0.17), (-0.33, 0.17), (-0.25, 0.45), (-0.10, 0.78)], 1), cloth)
    s.poly([(0.0, 0.90), (0.0, 0.19), (-0.10, 0.19), (-0.05, 0.55)], darker(cloth, 0.10))
    s.poly(smooth([(0.04, 0.86), (0.36, 0.155), (0.05, 0.17), (0.10, 0.45)], 1), darker(cloth, 0.05))
    for y in (0.36, 0.56, 0.74):
        s.line([(-0.33 + 0.42 * (y - 0.17), y), (0.0, y + 0.01)], 0.003, darker(cloth, 0.2))
    s.line([(0.02, 0.165), (-0.34, 0.16)], 0.013, (0.45, 0.34, 0.25))
    s.poly(smooth([(-0.37, 0.115), (0.42, 0.13), (0.27, -0.02), (-0.30, -0.02)], 1), hull)
    s.poly([(-0.325, 0.02), (0.335, 0.02), (0.27, -0.02), (-0.29, -0.02)], darker(hull, 0.42))
    s.line([(-0.35, 0.108), (0.40, 0.120)], 0.014, lighter(hull, 0.45))
    s.poly([(-0.16, 0.115), (0.10, 0.12), (0.07, 0.155), (-0.14, 0.155)], _WOOD)
    s.texture(pen.rng, 0.06)
    return s


def boat(pen: Pen) -> Sprite:
    """A clinker rowing boat with its oars shipped."""
    s = pen.sheet(-1.55, 1.55, 1.05, -0.05, flip=bool(pen.rng.random() < 0.5))
    hull = pen.colour
    s.poly(
        smooth([(-1.35, 0.72), (-1.0, 0.93), (0.9, 0.93), (1.48, 1.0), (0.95, 0.70), (-1.0, 0.66)], 2),
        darker(_WOOD, 0.45),
    )
    for x in (-0.62, 0.05, 0.68):
        s.poly([(x - 0.12, 0.69), (x + 0.05, 0.69), (x + 0.09, 0.92), (x - 0.05, 0.92)], lighter(_WOOD, 0.15))
    side = [(-1.35, 0.74), (-0.6, 0.66), (0.4, 0.66), (1.0, 0.76), (1.5, 1.0), (1.12, 0.20), (0.7, -0.05)]
    s.poly(smooth([*side, (-0.85, -0.05), (-1.18, 0.15)], 2), hull)
    for t in (0.25, 0.5, 0.75):
        y = 0.70 - 0.68 * t
        s.line(
            [(-1.28 + 0.3 * t, y + 0.03), (0.2, y - 0.03), (1.36 - 0.45 * t, y + 0.20 - 0.1 * t)],
            0.022,
            darker(hull, 0.22),
        )
    s.line(
        [(-1.35, 0.73), (-0.6, 0.655), (0.4, 0.655), (1.0, 0.755), (1.48, 0.99)], 0.06, lighter(hull, 0.45)
    )
    s.line([(-1.25, 0.95), (0.75, 0.80)], 0.045, lighter(_WOOD, 0.3))
    s.oval(-1.32, 0.955, 0.16, 0.045, lighter(_WOOD, 0.3))
    s.texture(pen.rng, 0.12)
    return s


def car(pen: Pen) -> Sprite:
    """A small round car of the sixties, from the side."""
    s = pen.sheet(-1.28, 1.28, 1.04, -0.04, flip=bool(pen.rng.random() < 0.5))
    paint = pen.colour
    body = [
        (-1.18, 0.22),
        (-1.20, 0.46),
        (-1.02, 0.60),
        (-0.72, 0.64),
        (-0.48, 0.95),
        (-0.1, 1.02),
        (0.30, 0.98),
    ]
    body += [(0.58, 0.68), (1.02, 0.60), (1.20, 0.42), (1.20, 0.22), (0.9, 0.16), (-0.9, 0.16)]
    s.poly(smooth(body, 2), paint)
    s.poly(
        smooth([(-1.18, 0.20), (-1.15, 0.38), (1.16, 0.36), (1.2, 0.22), (0.9, 0.14), (-0.9, 0.14)], 1),
        darker(paint, 0.20),
    )
    glass = mix(pen.canvas.light.middle, (0.30, 0.36, 0.42), 0.55)
    s.poly(smooth([(-0.62, 0.63), (-0.42, 0.88), (-0.10, 0.93), (-0.10, 0.63)], 1), glass)
    s.poly(smooth([(-0.03, 0.63), (-0.03, 0.93), (0.25, 0.90), (0.46, 0.63)], 1), glass)
    s.poly([(0.10, 0.65), (0.22, 0.65), (0.16, 0.88), (0.08, 0.89)], lighter(glass, 0.35))
    s.line([(-0.06, 0.60), (-0.06, 0.24), (0.5, 0.24), (0.52, 0.58)], 0.012, darker(paint, 0.35))
    s.line([(-1.12, 0.47), (1.14, 0.46)], 0.020, lighter(paint, 0.55))
    s.line([(0.02, 0.53), (0.13, 0.53)], 0.022, (0.85, 0.86, 0.88))
    for x in (-0.72, 0.74):
        s.oval(x, 0.20, 0.265, 0.265, darker(paint, 0.62))
        s.oval(x, 0.19, 0.225, 0.225, _IRON)
        s.oval(x, 0.19, 0.125, 0.125, (0.82, 0.83, 0.85))
        s.oval(x, 0.19, 0.05, 0.05, (0.50, 0.51, 0.54))
    s.oval(1.13, 0.47, 0.055, 0.075, (1.0, 0.95, 0.75), glow=float(pen.dark))
    s.oval(-1.16, 0.46, 0.035, 0.06, (0.85, 0.18, 0.15), glow=0.7 * pen.dark)
    s.line([(0.98, 0.22), (1.23, 0.24)], 0.05, (0.80, 0.81, 0.83))
    s.line([(-0.98, 0.22), (-1.22, 0.24)], 0.05, (0.80, 0.81, 0.83))
    s.texture(pen.rng, 0.04)
    if pen.dark:
        s.lamp = (1.1, 0.45, 0.55)
    return s


def bicycle(pen: Pen) -> Sprite:
    """A town bicycle with a basket."""
    s = pen.sheet(-0.95, 0.95, 1.06, -0.03, flip=bool(pen.rng.random() < 0.5))
    for x in (-0.55, 0.55):
        for turn in np.linspace(0, np.pi, 7)[:-1]:
            dx, dy = 0.31 * float(np.cos(turn)), 0.31 * float(np.sin(turn))
            s.line([(x - dx, 0.33 - dy), (x + dx, 0.33 + dy)], 0.008, (0.70, 0.71, 0.73))
        s.line(arc(x, 0.33, 0.32, 0.32), 0.038, _IRON)
    crank, seat, head = (-0.08, 0.30), (-0.22, 0.74), (0.36, 0.80)
    s.line([(0.55, 0.33), head, (0.33, 0.94)], 0.042, pen.colour)
    s.line([(-0.55, 0.33), crank, seat, (-0.55, 0.33)], 0.036, pen.colour)
    s.line([crank, (0.38, 0.72)], 0.046, pen.colour)
    s.line([(-0.20, 0.66), (0.37, 0.76)], 0.042, pen.colour)
    s.oval(*crank, 0.09, 0.09, (0.55, 0.56, 0.58))
    s.line([crank, (0.02, 0.16), (0.09, 0.16)], 0.028, _IRON)
    s.line([seat, (-0.245, 0.84)], 0.030, (0.60, 0.61, 0.63))
    s.poly(smooth([(-0.40, 0.88), (-0.08, 0.87), (-0.12, 0.83), (-0.30, 0.82)]), (0.36, 0.24, 0.17))
    s.line([(0.33, 0.94), (0.28, 0.98), (0.12, 0.97)], 0.034, _IRON)
    s.poly([(0.40, 0.92), (0.70, 0.92), (0.65, 0.70), (0.44, 0.70)], (0.72, 0.55, 0.35))
    for y in (0.76, 0.82, 0.88):
        s.line([(0.43, y), (0.67, y)], 0.010, (0.55, 0.40, 0.25))
    return s


def balloon(pen: Pen) -> Sprite:
    """A hot-air balloon in gores of the asked colour and a pale one."""
    s = pen.sheet(-0.42, 0.42, 1.03, -0.02)
    one, two = pen.colour, (0.97, 0.92, 0.80) if pen.name is not Colour.WHITE else (0.86, 0.45, 0.33)
    for share, colour in ((1.0, one), (0.80, two), (0.55, one), (0.26, two)):
        belly = [(0.06, 0.235), (0.23, 0.42), (0.375, 0.62), (0.36, 0.82), (0.21, 0.965), (0.0, 1.0)]
        right = [(x * share, y) for x, y in belly]
        s.poly(smooth([*right, *[(-x, y) for x, y in right[-2::-1]]], 2), colour)
    trim = darker(one, 0.25)
    s.poly(smooth([(-0.325, 0.55), (0.325, 0.55), (0.295, 0.505), (-0.295, 0.505)], 1), trim)
    s.poly([(-0.066, 0.25), (0.066, 0.25), (0.045, 0.215), (-0.045, 0.215)], darker(trim, 0.2))
    if pen.dark:
        s.oval(0.0, 0.235, 0.035, 0.03, (1.0, 0.80, 0.40), glow=1.0)
        s.lamp = (0.0, 0.42, 0.45)
    for x in (-0.05, -0.02, 0.02, 0.05):
        s.line([(x * 0.95, 0.22), (x, 0.10)], 0.005, (0.35, 0.27, 0.2))
    s.poly(smooth([(-0.062, 0.105), (0.062, 0.105), (0.052, 0.0), (-0.052, 0.0)], 1), (0.58, 0.41, 0.25))
    s.line([(-0.062, 0.10), (0.062, 0.10)], 0.016, (0.36, 0.24, 0.16))
    s.texture(pen.rng, 0.06)
    return s


def kite(pen: Pen) -> Sprite:
    """A diamond kite with a tail of bows."""
    s = pen.sheet(-0.5, 0.75, 1.05, -0.02, flip=bool(pen.rng.random() < 0.5))
    paint = pen.colour
    tail = [(0.08, 0.42), (0.20, 0.32), (0.14, 0.20), (0.30, 0.12), (0.28, 0.0)]
    s.line(smooth(tail, 2, closed=False), 0.010, (0.35, 0.32, 0.32))
    for x, y in tail[1:-1]:
        s.poly([(x, y), (x - 0.06, y + 0.035), (x - 0.05, y - 0.035)], lighter(paint, 0.35))
        s.poly([(x, y), (x + 0.06, y + 0.035), (x + 0.05, y - 0.035)], lighter(paint, 0.15))
    top, left, right, foot, hub = (-0.02, 1.0), (-0.30, 0.72), (0.30, 0.80), (0.08, 0.40), (0.0, 0.76)
    s.poly([top, left, hub], lighter(paint, 0.30))
    s.poly([top, right, hub], paint)
    s.poly([left, foot, hub], darker(paint, 0.10))
    s.poly([right, foot, hub], darker(paint, 0.26))
    s.line([top, foot], 0.010, (0.40, 0.30, 0.22))
    s.line([left, right], 0.010, (0.40, 0.30, 0.22))
    return s
