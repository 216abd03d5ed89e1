"""Buildings and what stands about them."""

from __future__ import annotations

import numpy as np

from models.scene.grammar import Colour
from models.scene.paint.palette import RGB, darker, lighter, mix
from models.scene.paint.pen import Pen
from models.scene.paint.sprite import Sprite, arc, smooth

__all__ = ["bench", "house", "lighthouse", "street_lamp", "tent"]

_CREAM = (0.95, 0.92, 0.85)
_IRON = (0.19, 0.20, 0.23)
_SNOW = (0.93, 0.95, 0.98)


def house(pen: Pen) -> Sprite:
    """A cottage seen at an angle: a gable with a door, a long side with windows, a chimney."""
    s = pen.sheet(-0.74, 0.80, 1.12, flip=pen.sun > 0)
    wall, side = pen.colour, darker(pen.colour, 0.24)
    tile: RGB = (
        (0.33, 0.36, 0.43) if pen.name in (Colour.RED, Colour.ORANGE, Colour.BROWN) else (0.66, 0.34, 0.25)
    )
    frame = _CREAM if pen.name is not Colour.WHITE else (0.36, 0.42, 0.46)
    s.rect(0.26, 0.72, 0.37, 1.06, (0.52, 0.38, 0.33))
    s.rect(0.245, 1.03, 0.385, 1.07, (0.40, 0.30, 0.27))
    s.poly([(-0.05, 0), (0.64, 0.035), (0.64, 0.50), (-0.05, 0.50)], side)
    s.poly([(-0.60, 0.02), (-0.05, 0), (-0.05, 0.50), (-0.325, 0.93), (-0.60, 0.48)], wall)
    for step in range(1, 9):
        y = 0.055 * step
        s.line([(-0.60, y), (-0.05, y - 0.008)], 0.003, darker(wall, 0.12))
    _roof(s, pen, _SNOW if pen.snow else tile)
    pen.window(s, 0.08, 0.20, 0.13, 0.17, frame)
    pen.window(s, 0.36, 0.205, 0.13, 0.17, frame)
    pen.window(s, -0.375, 0.52, 0.10, 0.13, frame)
    _door(s, pen, frame)
    s.texture(pen.rng, 0.10)
    return s


def _roof(s: Sprite, pen: Pen, tile: RGB) -> None:
    s.poly([(-0.325, 0.97), (0.46, 0.95), (0.72, 0.46), (-0.02, 0.46)], tile)
    for step in range(1, 8):
        t = step / 8
        row = [(-0.325 + 0.305 * t, 0.97 - 0.51 * t), (0.46 + 0.26 * t, 0.95 - 0.49 * t)]
        s.line(row, 0.006, darker(tile, 0.05 if pen.snow else 0.2))
    s.poly(
        [(-0.325, 1.0), (-0.69, 0.42), (-0.63, 0.40), (-0.325, 0.91), (-0.03, 0.43), (0.02, 0.45)],
        darker(tile, 0.12),
    )
    s.line([(-0.33, 0.985), (0.46, 0.965)], 0.02, lighter(tile, 0.2))


def _door(s: Sprite, pen: Pen, frame: RGB) -> None:
    panel = mix(darker(pen.colour, 0.45), (0.30, 0.22, 0.16), 0.4)
    s.rect(-0.405, 0.0, -0.245, 0.345, frame)
    s.rect(-0.385, 0.0, -0.265, 0.325, panel)
    s.oval(-0.285, 0.16, 0.011, 0.011, (0.88, 0.72, 0.35))
    s.rect(-0.425, -0.02, -0.225, 0.012, (0.60, 0.58, 0.56))
    for x in (-0.52, -0.16):
        s.dabs(
            np.column_stack(
                [pen.rng.normal(x, 0.035, 24), pen.rng.uniform(0.0, 0.09, 24), np.full(24, 0.022)]
            ),
            np.array([(0.33, 0.46, 0.26)]) + pen.rng.normal(0, 0.05, (24, 3)),
        )


def lighthouse(pen: Pen) -> Sprite:
    """A tapering tower with bands of the asked colour, a gallery and a lantern, on its rock."""
    s = pen.sheet(-0.34, 0.34, 1.06, -0.08, flip=pen.sun > 0)
    band, plain = pen.colour, _CREAM if pen.name is not Colour.WHITE else (0.72, 0.27, 0.24)
    s.poly(
        smooth([(-0.28, -0.04), (-0.22, 0.05), (-0.05, 0.09), (0.14, 0.07), (0.27, -0.04)]),
        (0.43, 0.41, 0.42),
    )
    for step in range(5):
        low, high = 0.05 + 0.145 * step, 0.05 + 0.145 * (step + 1)
        a, b = 0.125 - 0.055 * step / 5, 0.125 - 0.055 * (step + 1) / 5
        colour = band if step % 2 == 0 else plain
        s.poly([(-a, low), (a, low), (b, high), (-b, high)], colour)
        s.poly([(a * 0.25, low), (a, low), (b, high), (b * 0.25, high)], darker(colour, 0.16))
    s.rect(-0.095, 0.775, 0.095, 0.795, _IRON)
    s.rect(
        -0.050,
        0.795,
        0.050,
        0.875,
        (1.0, 0.90, 0.62) if pen.dark else (0.62, 0.72, 0.78),
        glow=float(pen.dark),
    )
    for x in (-0.092, -0.05, 0.0, 0.05, 0.092):
        s.line([(x, 0.79), (x, 0.83 if abs(x) > 0.06 else 0.875)], 0.006, _IRON)
    s.line([(-0.095, 0.83), (0.095, 0.83)], 0.006, _IRON)
    s.poly([(-0.064, 0.873), (0.064, 0.873), *arc(0, 0.873, 0.058, 0.065, 0, 180)], darker(band, 0.25))
    s.line([(0, 0.93), (0, 0.985)], 0.009, _IRON)
    for x, y in ((-0.01, 0.60), (-0.01, 0.36)):
        pen.window(s, x - 0.014, y, 0.028, 0.05, darker(plain, 0.3))
    s.poly(
        [(-0.03, 0.05), (0.03, 0.05), (0.03, 0.13), *arc(0, 0.13, 0.03, 0.025, 0, 180)], (0.32, 0.23, 0.18)
    )
    s.texture(pen.rng, 0.09)
    s.lamp = (0.0, 0.835, 0.42)
    return s


def tent(pen: Pen) -> Sprite:
    """A ridge tent with its flap open."""
    s = pen.sheet(-0.85, 1.05, 1.05, flip=pen.sun > 0)
    canvas = pen.colour
    s.line([(-0.68, -0.02), (-0.02, 0.96), (0.98, 0.0)], 0.012, (0.75, 0.70, 0.60))
    s.poly([(0, 0.95), (0.72, 0.80), (0.96, 0.05), (0.48, 0.0)], darker(canvas, 0.26))
    s.poly([(-0.55, 0.0), (0, 0.95), (0.50, 0.0)], canvas)
    inside = (0.98, 0.78, 0.42) if pen.dark else darker(canvas, 0.68)
    s.poly([(-0.20, 0.0), (0, 0.74), (0.20, 0.0)], inside, glow=0.85 * pen.dark)
    s.poly([(0.20, 0.0), (0, 0.74), (0.13, 0.30), (0.30, 0.0)], lighter(canvas, 0.22))
    s.poly([(-0.20, 0.0), (0, 0.74), (-0.13, 0.30), (-0.30, 0.0)], lighter(canvas, 0.10))
    s.line([(0, 0.96), (0.72, 0.81)], 0.02, lighter(canvas, 0.25))
    s.texture(pen.rng, 0.10)
    s.lamp = (0.0, 0.25, 0.6)
    return s


def bench(pen: Pen) -> Sprite:
    """A park bench: slats on iron legs."""
    s = pen.sheet(-1.15, 1.15, 1.06)
    wood = pen.colour
    for x in (-0.92, 0.92):
        s.line([(x, 0.98), (x * 0.99, 0.42), (x * 1.05, 0.0)], 0.06, _IRON)
        s.line([(x * 0.93, 0.42), (x * 0.93, 0.0)], 0.06, _IRON)
        s.line([(x, 0.64), (x * 0.94, 0.66), (x * 0.92, 0.42)], 0.05, _IRON)
    for step in range(4):
        y = 0.58 + 0.115 * step
        s.rect(-1.06, y, 1.06, y + 0.085, mix(darker(wood, 0.10), lighter(wood, 0.12), step / 3))
    for step in range(3):
        y = 0.36 + 0.045 * step
        s.rect(-1.08 + 0.03 * step, y, 1.08 - 0.03 * step, y + 0.036, lighter(wood, 0.30 - 0.1 * step))
    s.rect(-1.08, 0.33, 1.08, 0.362, darker(wood, 0.35))
    if pen.snow:
        s.poly(smooth([(-1.05, 0.46), (1.05, 0.46), (1.0, 0.53), (-1.0, 0.53)]), _SNOW)
    s.texture(pen.rng, 0.16)
    return s


def street_lamp(pen: Pen) -> Sprite:
    """An old-fashioned lantern on a cast post."""
    s = pen.sheet(-0.16, 0.16, 1.04)
    iron = mix(darker(pen.colour, 0.35), _IRON, 0.25)
    s.poly(
        smooth([(-0.055, 0), (0.055, 0), (0.03, 0.10), (0.018, 0.16), (-0.018, 0.16), (-0.03, 0.10)], 1), iron
    )
    s.line([(0, 0.1), (0, 0.80)], [0.026, 0.016], iron)
    s.line([(-0.06, 0.72), (0.06, 0.72)], 0.010, iron)
    for y in (0.20, 0.68, 0.79):
        s.oval(0, y, 0.022, 0.010, iron)
    glass = (1.0, 0.88, 0.58) if pen.dark else (0.88, 0.87, 0.78)
    s.poly([(-0.035, 0.80), (0.035, 0.80), (0.058, 0.92), (-0.058, 0.92)], glass, glow=float(pen.dark))
    s.line([(-0.035, 0.80), (-0.058, 0.92)], 0.008, iron)
    s.line([(0.035, 0.80), (0.058, 0.92)], 0.008, iron)
    s.poly([(-0.068, 0.918), (0.068, 0.918), (0.022, 0.972), (-0.022, 0.972)], _SNOW if pen.snow else iron)
    s.oval(0, 0.985, 0.012, 0.018, iron)
    s.lamp = (0.0, 0.86, 0.35)
    return s
