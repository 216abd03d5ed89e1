"""Places that people built outdoors: city street, harbour, park."""

from __future__ import annotations

import numpy as np

from models.scene.grammar import Weather
from models.scene.paint.backdrop_wild import blossom, level
from models.scene.paint.canvas import Canvas
from models.scene.paint.foliage import grass, tree_line
from models.scene.paint.land import grass_colour, ground, hills, laid, snowy
from models.scene.paint.noise import Random, fractal
from models.scene.paint.palette import RGB, darker, lighter, mix, vec
from models.scene.paint.ribbon import path
from models.scene.paint.sprite import Point, Sprite
from models.scene.paint.water import gloss, water

__all__ = ["harbour", "park", "street"]

_WALLS: tuple[RGB, ...] = (
    (0.80, 0.55, 0.42),
    (0.91, 0.83, 0.68),
    (0.70, 0.43, 0.36),
    (0.63, 0.69, 0.72),
    (0.88, 0.72, 0.58),
    (0.74, 0.78, 0.68),
    (0.93, 0.90, 0.84),
    (0.82, 0.62, 0.62),
)
_LIT = (1.0, 0.82, 0.46)
_EYE = 1.47  # the viewer's eye above the ground, in the metres that people and things are drawn in
_CURB, _FRONT = 2.3, 3.5  # where the pavement begins and the house fronts stand, left and right of the middle


def street(canvas: Canvas) -> None:
    """A street between house fronts, drawn in one-point perspective."""
    h = canvas.horizon
    _skyline(canvas, h + 0.01, 0.20)
    tree_line(canvas, "end of street", h + 0.012, 0.05, 0.6, firs=0.0)
    stone = (0.70, 0.67, 0.63) if not snowy(canvas) else (0.90, 0.91, 0.94)
    ground(canvas, "pavement", level(canvas, h + 0.004), stone, stone, contrast=0.22, fine=2.0)
    _road(canvas)
    fronts = Sprite(canvas.unit, 0, canvas.width / canvas.unit, h * canvas.height / canvas.unit, -0.42)
    rng = canvas.rng("fronts")
    for near in np.arange(39.0, 1.5, -3.4):
        for side in (-1, 1):
            _front(canvas, fronts, rng, side, float(near), float(near) + 3.4)
    canvas.place(fronts, 0.0, h, 0.0)
    if canvas.scene.weather is Weather.RAIN:
        gloss(canvas, h + 0.012)


def _spot(canvas: Canvas, x: float, y: float, z: float) -> Point:
    """Where the point x across, y up, z away falls on a sprite whose foot is the horizon's left end."""
    return canvas.width / canvas.unit / 2 + x / z, (y - _EYE) / z


def _skyline(canvas: Canvas, base: float, tall: float) -> None:
    """Far-off blocks and towers in the haze."""
    rng = canvas.rng("skyline")
    count = 26
    tops = base - tall * rng.uniform(0.25, 1.0, count) * np.hanning(count + 8)[4:-4]
    line = np.repeat(tops, canvas.width // count + 1)[: canvas.width].astype(np.float32)
    canvas.below(line, base + 0.02, canvas.light.paint((0.52, 0.52, 0.58), 0.85))
    line = np.roll(line, canvas.width // 3) * 0.6 + vec(base * 0.4)
    canvas.below(line, base + 0.02, canvas.light.paint((0.48, 0.47, 0.52), 0.6))


def _road(canvas: Canvas) -> None:
    first = canvas.row(canvas.horizon + 0.012)
    drop = (
        np.arange(first, canvas.height, dtype=np.float32)[:, None] / canvas.height - canvas.horizon
    ) / _EYE
    drop = drop * canvas.height / canvas.unit
    x = (np.arange(canvas.width, dtype=np.float32)[None, :] - canvas.width / 2) / canvas.unit / drop
    edge = vec(drop * canvas.unit)
    tar: RGB = (0.36, 0.36, 0.39) if not snowy(canvas) else (0.72, 0.74, 0.79)
    noise = laid(canvas, "tar", canvas.horizon + 0.012, 3.0, 2.0)[: len(drop), :, None]
    rows = slice(first, None)
    canvas.over(
        rows,
        slice(None),
        np.clip((_CURB + 0.12 - np.abs(x)) * edge + 0.5, 0, 1),
        canvas.light.paint((0.80, 0.78, 0.74)),
    )
    paint = vec(canvas.light.paint(tar)) * (1 + 0.35 * noise)
    canvas.over(rows, slice(None), np.clip((_CURB - np.abs(x)) * edge + 0.5, 0, 1), paint)
    dashes = (((1 / drop) % 2.4) < 1.3) & (drop > 0.03)
    line = np.clip((0.055 - np.abs(x)) * edge + 0.5, 0, 1) * dashes * 0.75
    canvas.over(rows, slice(None), line, canvas.light.paint((0.93, 0.91, 0.84)))


def _front(canvas: Canvas, s: Sprite, rng: Random, side: int, near: float, far: float) -> None:
    """One house front from `near` to `far` along the street."""
    tall = float(rng.uniform(4.6, 7.6))
    wall = _WALLS[int(rng.integers(len(_WALLS)))]
    away = min(1.0, near / 30)
    veil = tuple(
        min(1.0, a / max(b, 0.05)) for a, b in zip(canvas.light.horizon, canvas.light.tint, strict=True)
    )
    fade = canvas.light.fade(away * 0.9)
    sunny = (side < 0) == (canvas.sun[0] > 0.5)

    def tone(colour: RGB) -> RGB:
        return mix(
            lighter(colour, 0.06) if sunny else darker(colour, 0.20), (veil[0], veil[1], veil[2]), fade
        )

    def quad(
        z0: float, z1: float, low: float, high: float, colour: RGB, out: float = 0.0, glow: float = 0.0
    ) -> None:
        x = side * (_FRONT - out)
        corners = [(z0, low), (z1, low), (z1, high), (z0, high)]
        s.poly([_spot(canvas, x, y, max(z, 1.2)) for z, y in corners], tone(colour), glow)

    end = [(_FRONT, 0.0), (_FRONT + 6.0, 0.0), (_FRONT + 6.0, tall), (_FRONT, tall)]
    s.poly([_spot(canvas, side * x, y, max(near, 1.2)) for x, y in end], tone(darker(wall, 0.14)))
    quad(near, far, 0.0, tall, wall)
    quad(near, far, tall - 0.30, tall, lighter(wall, 0.35), 0.10)
    quad(near, far, 1.62, 1.74, lighter(wall, 0.30), 0.05)
    run = far - near
    for column in range(3):
        z = near + run * (0.12 + 0.29 * column)
        for floor in range(int((tall - 2.3) / 1.35)):
            lit = canvas.light.lamps > 0.3 and bool(rng.random() < 0.6)
            low = 2.15 + 1.35 * floor
            quad(z - 0.06, z + run * 0.19 + 0.06, low - 0.08, low + 0.84, lighter(wall, 0.4))
            quad(z, z + run * 0.19, low, low + 0.78, _LIT if lit else (0.34, 0.40, 0.47), glow=float(lit))
    _shop(canvas, rng, quad, near, run, wall)


def _shop(canvas: Canvas, rng: Random, quad: object, near: float, run: float, wall: RGB) -> None:
    """Door, display window and awning at street level."""
    assert callable(quad)
    lit = canvas.light.lamps > 0.3
    awning = [(0.72, 0.30, 0.27), (0.27, 0.45, 0.42), (0.86, 0.68, 0.36), (0.31, 0.38, 0.55)][
        int(rng.integers(4))
    ]
    quad(
        near + run * 0.10, near + run * 0.60, 0.28, 1.20, _LIT if lit else (0.40, 0.46, 0.50), glow=0.9 * lit
    )
    quad(near + run * 0.70, near + run * 0.88, 0.0, 1.25, darker(wall, 0.55))
    for stripe in range(6):
        z = near + run * (0.06 + 0.097 * stripe)
        quad(z, z + run * 0.097, 1.16, 1.46, awning if stripe % 2 else (0.95, 0.92, 0.86), 0.18)


def harbour(canvas: Canvas) -> None:
    """Coloured houses along the far quay, their mirror images, and the near quay's stone."""
    h = canvas.horizon
    green = mix(grass_colour(canvas), (0.33, 0.43, 0.36), 0.5)
    hills(canvas, "hill", h + 0.01, 0.24, green, 0.62, 1.8)
    tree_line(canvas, "hill wood", h - 0.03, 0.05, 0.5, firs=0.4)
    _terrace(canvas)
    canvas.shore = level(canvas, h + 0.235)
    water(canvas, h, h + 0.27, (0.09, 0.27, 0.34), calm=0.74)
    stone = (0.66, 0.62, 0.57) if not snowy(canvas) else (0.90, 0.91, 0.94)
    edge = canvas.shore
    canvas.below(edge, h + 0.275, canvas.light.paint((0.30, 0.28, 0.28)))
    edge = edge + vec(0.028)
    canvas.below(edge - vec(0.022), h + 0.30, canvas.light.paint(lighter(stone, 0.25)))
    ground(canvas, "quay", edge, stone, stone, contrast=0.25, fine=1.2)
    _cobbles(canvas, h + 0.28)
    if canvas.scene.weather is Weather.RAIN:
        gloss(canvas, h + 0.262)
    _bollards(canvas, h + 0.285)


def _bollards(canvas: Canvas, y: float) -> None:
    """Iron posts along the quay's edge, a chain slung between them."""
    wide = canvas.width / canvas.unit
    s = Sprite(canvas.unit, 0, wide, 0.075, -0.01)
    iron, gap = (0.22, 0.23, 0.26), wide / 6
    for x in np.arange(gap * 0.3, wide, gap).tolist():
        s.line(
            [(x + gap * t, 0.043 - 0.09 * t * (1 - t)) for t in np.linspace(0, 1, 12).tolist()], 0.0045, iron
        )
        s.poly([(x - 0.010, 0), (x + 0.010, 0), (x + 0.008, 0.05), (x - 0.008, 0.05)], iron)
        s.oval(x, 0.053, 0.0135, 0.009, lighter(iron, 0.12))
        s.oval(x, 0.001, 0.016, 0.005, darker(iron, 0.3))
    canvas.shade(s, 0.0, y, 0.8)
    canvas.place(s, 0.0, y, 0.0)


def _terrace(canvas: Canvas) -> None:
    rng = canvas.rng("terrace")
    wide = canvas.width / canvas.unit
    s = Sprite(canvas.unit, 0, wide, 0.34, -0.02)
    s.rect(0, -0.02, wide, 0.012, (0.48, 0.45, 0.43))
    x = float(rng.uniform(-0.06, 0.0))
    while x < wide:
        x += _gabled(canvas, s, rng, x)
    s.texture(rng, 0.08)
    canvas.place(s, 0.0, canvas.horizon, 0.22)


def _gabled(canvas: Canvas, s: Sprite, rng: Random, x: float) -> float:
    """One narrow house of the far quay; how wide it is."""
    width, tall = float(rng.uniform(0.062, 0.105)), float(rng.uniform(0.10, 0.165))
    wall = mix(
        _WALLS[int(rng.integers(len(_WALLS)))], (0.80, 0.36, 0.26), float(rng.choice([0.0, 0.0, 0.45]))
    )
    roof = (
        (0.92, 0.94, 0.97)
        if snowy(canvas)
        else [(0.55, 0.30, 0.24), (0.36, 0.37, 0.42), (0.62, 0.38, 0.28)][int(rng.integers(3))]
    )
    s.poly(
        [(x, 0.01), (x + width, 0.01), (x + width, tall), (x + width / 2, tall + width * 0.55), (x, tall)],
        wall,
    )
    s.line(
        [(x - 0.004, tall - 0.003), (x + width / 2, tall + width * 0.56), (x + width + 0.004, tall - 0.003)],
        0.009,
        roof,
    )
    s.rect(x + width - 0.002, 0.01, x + width + 0.002, tall, darker(wall, 0.4))
    for floor in range(int(tall / 0.042)):
        for column in range(3):
            lit = canvas.light.lamps > 0.3 and bool(rng.random() < 0.6)
            px, py = x + width * (0.13 + 0.28 * column), 0.024 + 0.040 * floor
            s.rect(px - 0.002, py - 0.002, px + width * 0.18 + 0.002, py + 0.022, lighter(wall, 0.5))
            s.rect(
                px, py, px + width * 0.18, py + 0.020, _LIT if lit else (0.33, 0.40, 0.46), glow=float(lit)
            )
    return width + 0.002


def _cobbles(canvas: Canvas, top: float) -> None:
    """Joints of the paving, closer together with distance."""
    first = canvas.row(top)
    drop = np.arange(first, canvas.height, dtype=np.float32)[:, None] / canvas.height - canvas.horizon
    away = 1 / drop
    x = (np.arange(canvas.width, dtype=np.float32)[None, :] - canvas.width / 2) / canvas.unit * away
    rows = away * 7
    across = x * 5 + (np.floor(rows) % 2) * 0.5
    joint = np.minimum(np.abs(rows % 1 - 0.5), np.abs(across % 1 - 0.5))
    worn = fractal(canvas.rng("worn"), joint.shape, (6, 8), octaves=3)
    mask = np.clip((0.07 - joint) * 14, 0, 1) * 0.42 * worn
    canvas.over(slice(first, None), slice(None), mask, canvas.light.paint((0.25, 0.24, 0.25)))


def park(canvas: Canvas) -> None:
    """Lawn and trees with a path, the town showing over the tops."""
    h, green = canvas.horizon, grass_colour(canvas)
    _skyline(canvas, h, 0.22)
    tree_line(canvas, "far trees", h + 0.012, 0.10, 0.62, firs=0.08, density=1.2)
    ground(canvas, "lawn", level(canvas, h + 0.006, "roll", 0.02), green, lighter(green, 0.14))
    tree_line(canvas, "mid trees", h + 0.03, 0.17, 0.36, firs=0.1, density=0.8, gap=(0.28, 0.72))
    blossom(canvas, h + 0.10, 130)
    grass(canvas, "grass", h + 0.10, 2600, 0.026)
    path(canvas, h + 0.02, (0.80, 0.71, 0.56))
    tree_line(canvas, "near trees", h + 0.075, 0.34, 0.12, firs=0.0, density=0.8, gap=(0.09, 0.92))
