"""Furniture."""

from __future__ import annotations

import numpy as np

from models.scene.grammar import Colour
from models.scene.paint.palette import PAINT, darker, lighter, mix
from models.scene.paint.pen import Pen
from models.scene.paint.sprite import Sprite, smooth

__all__ = ["bookshelf", "floor_lamp", "sofa", "table"]


def sofa(pen: Pen) -> Sprite:
    """A two-seater with cushions."""
    s = pen.sheet(-1.25, 1.25, 1.05)
    cloth = pen.colour
    for x in (-0.98, 0.98):
        s.line([(x, 0.12), (x * 1.02, 0.0)], 0.06, (0.36, 0.25, 0.17))
    s.poly(
        smooth([(-1.05, 0.15), (-1.05, 0.96), (-0.8, 1.0), (0.8, 1.0), (1.05, 0.96), (1.05, 0.15)], 2),
        darker(cloth, 0.14),
    )
    for x in (-0.47, 0.47):
        s.poly(smooth([(x - 0.46, 0.42), (x - 0.44, 0.90), (x + 0.44, 0.90), (x + 0.46, 0.42)], 2), cloth)
        s.poly(
            smooth([(x - 0.47, 0.30), (x - 0.46, 0.53), (x + 0.46, 0.53), (x + 0.47, 0.30)], 2),
            lighter(cloth, 0.14),
        )
    s.rect(-1.0, 0.12, 1.0, 0.31, darker(cloth, 0.22))
    for side in (-1, 1):
        arm = [
            (side * 0.88, 0.10),
            (side * 0.88, 0.64),
            (side * 1.0, 0.70),
            (side * 1.18, 0.64),
            (side * 1.18, 0.10),
        ]
        s.poly(smooth(arm, 2), lighter(cloth, 0.05) if side == -pen.sun else darker(cloth, 0.08))
    accent = PAINT[Colour.YELLOW] if pen.name is not Colour.YELLOW else PAINT[Colour.TEAL]
    s.poly(
        smooth(
            [
                (-0.84, 0.47),
                (-0.62, 0.54),
                (-0.42, 0.44),
                (-0.46, 0.64),
                (-0.40, 0.84),
                (-0.60, 0.80),
                (-0.78, 0.88),
                (-0.76, 0.66),
            ],
            2,
        ),
        accent,
    )
    s.texture(pen.rng, 0.12)
    return s


def table(pen: Pen) -> Sprite:
    """A round-legged table with a vase of flowers."""
    s = pen.sheet(-0.85, 0.85, 1.05)
    wood = pen.colour
    for x, y in ((-0.55, 0.06), (0.55, 0.06), (-0.66, 0.0), (0.66, 0.0)):
        s.line([(x * 0.95, 0.52), (x, y)], [0.075, 0.05], darker(wood, 0.30))
    s.oval(0, 0.52, 0.80, 0.115, darker(wood, 0.35))
    s.oval(0, 0.55, 0.80, 0.115, wood)
    s.oval(-0.08 * pen.sun, 0.56, 0.66, 0.085, lighter(wood, 0.14))
    s.poly(
        smooth([(-0.06, 0.56), (-0.10, 0.66), (-0.05, 0.76), (0.05, 0.76), (0.10, 0.66), (0.06, 0.56)], 2),
        (0.80, 0.84, 0.86),
    )
    for x, y in pen.rng.normal((0, 0.90), (0.10, 0.045), (9, 2)).tolist():
        s.line([(0, 0.75), (x, y)], 0.012, (0.33, 0.48, 0.28))
        bloom = [(0.90, 0.52, 0.50), (0.96, 0.80, 0.45), (0.95, 0.90, 0.86)][int(pen.rng.integers(3))]
        s.oval(x, y, 0.050, 0.046, bloom)
        s.oval(x, y, 0.018, 0.016, darker(bloom, 0.3))
    s.texture(pen.rng, 0.10)
    return s


def bookshelf(pen: Pen) -> Sprite:
    """Five shelves of books, with gaps and a small vase here and there."""
    s = pen.sheet(-0.34, 0.34, 1.04)
    wood = pen.colour
    s.rect(-0.31, 0.0, 0.31, 1.0, darker(wood, 0.15))
    s.rect(-0.28, 0.03, 0.28, 0.97, darker(wood, 0.55))
    colours = [mix(PAINT[c], (0.6, 0.5, 0.42), 0.25) for c in PAINT if c is not Colour.GREEN]
    for shelf in range(5):
        low, x = 0.045 + 0.188 * shelf, -0.27
        while x < 0.24:
            wide, tall = float(pen.rng.uniform(0.022, 0.045)), float(pen.rng.uniform(0.105, 0.15))
            if pen.rng.random() > 0.13:
                tone = colours[int(pen.rng.integers(len(colours)))]
                s.rect(x, low, x + wide, low + tall, tone)
                s.rect(x, low + tall * 0.74, x + wide, low + tall * 0.80, lighter(tone, 0.4))
                s.rect(x + wide * 0.86, low, x + wide, low + tall, darker(tone, 0.35))
            x += wide + 0.002
        s.rect(-0.30, low - 0.022, 0.30, low, lighter(wood, 0.10))
    s.rect(-0.335, 0.975, 0.335, 1.005, lighter(wood, 0.12))
    s.texture(pen.rng, 0.10)
    return s


def floor_lamp(pen: Pen) -> Sprite:
    """A standing lamp with a cloth shade of the asked colour."""
    s = pen.sheet(-0.24, 0.24, 1.04)
    s.oval(0, 0.012, 0.12, 0.022, (0.25, 0.23, 0.22))
    s.line([(0, 0.01), (0, 0.80)], 0.018, (0.38, 0.33, 0.28))
    shade = mix(pen.colour, (1.0, 0.86, 0.58), 0.30 + 0.25 * pen.dark)
    s.poly([(-0.19, 0.74), (0.19, 0.74), (0.12, 1.0), (-0.12, 1.0)], shade, glow=0.95 * pen.dark)
    for x in np.linspace(-0.8, 0.8, 7).tolist():
        s.line([(0.19 * x, 0.745), (0.12 * x, 0.995)], 0.004, darker(shade, 0.12))
    s.lamp = (0.0, 0.82, 0.55)
    return s
