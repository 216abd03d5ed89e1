"""A living room: the world outside the window, the wall around it, the floor, and the light that falls in."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from models.scene.paint.canvas import Canvas
from models.scene.paint.finish import weather
from models.scene.paint.foliage import tree_line
from models.scene.paint.land import grass_colour, hills, laid
from models.scene.paint.light import Light
from models.scene.paint.noise import fractal
from models.scene.paint.palette import RGB, darker, lighter, mix, vec
from models.scene.paint.sprite import Sprite, smooth

__all__ = ["FLOOR", "room"]

FLOOR = 0.70
"""Where the wall meets the floor."""

_WALLS: tuple[RGB, ...] = (
    (0.72, 0.76, 0.67),
    (0.86, 0.78, 0.66),
    (0.62, 0.69, 0.74),
    (0.84, 0.68, 0.58),
    (0.78, 0.74, 0.76),
)
_CREAM = (0.95, 0.93, 0.88)


def room(canvas: Canvas) -> None:
    """Paint the outside, weather and all, then the room around its window."""
    rng = canvas.rng("room")
    green = grass_colour(canvas)
    hills(canvas, "hills", canvas.horizon + 0.02, 0.10, mix(green, (0.4, 0.5, 0.6), 0.5), 0.7, 2.5)
    hills(canvas, "fields", canvas.horizon + 0.06, 0.06, green, 0.35, 2.0)
    tree_line(canvas, "garden", canvas.horizon + 0.06, 0.10, 0.25, firs=0.3)
    weather(canvas)
    outside = canvas.light
    canvas.light = _indoors(canvas)
    middle = float(rng.choice([0.36, 0.5, 0.64]))
    frame = (middle - 0.17, 0.13, middle + 0.17, 0.50)
    wall = _WALLS[int(rng.integers(len(_WALLS)))]
    _wall(canvas, wall, frame)
    _floor(canvas)
    _fittings(canvas, wall, frame)
    if outside.direct > 0.4 and not outside.stars:
        _sunlight(canvas, frame, outside.sun)


def _indoors(canvas: Canvas) -> Light:
    """Light inside: softer than out, warm where lamps are on, and without haze."""
    light = canvas.light
    warm = (0.93, 0.78, 0.60)
    tint = mix(mix(light.tint, (0.92, 0.90, 0.88), 0.5), warm, min(0.8, light.lamps * 0.8))
    return replace(light, tint=tint, haze=0.0, direct=light.direct * 0.5)


def _wall(canvas: Canvas, wall: RGB, frame: tuple[float, float, float, float]) -> None:
    rows, columns = slice(0, canvas.row(FLOOR)), slice(0, canvas.width)
    high = rows.stop
    mask = np.full((high, canvas.width), 255, np.uint8)
    left, top, right, bottom = (
        round(v * s * 16) for v, s in zip(frame, (canvas.width, canvas.height) * 2, strict=True)
    )
    hole = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.int32)
    cv2.fillPoly(mask, [hole], 0, cv2.LINE_AA, 4)
    plaster = 1 + 0.10 * (fractal(canvas.rng("plaster"), mask.shape, (5, 7), octaves=6, gain=0.7) - 0.5)
    y = np.linspace(0, 1, high, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, canvas.width, dtype=np.float32)[None, :]
    centre = (frame[0] + frame[2]) / 2 if canvas.light.lamps < 0.5 else 0.5
    fall = 1.06 - 0.30 * ((x - centre) ** 2 * 1.5 + (y - 0.45) ** 2 * 0.5)
    paint = vec(canvas.light.paint(wall)) * (plaster * fall)[..., None]
    canvas.over(rows, columns, mask.astype(np.float32) / 255, paint.clip(0, 1))
    panel = canvas.row(0.545)
    band = np.ones((high - panel, canvas.width), np.float32)
    canvas.over(
        slice(panel, high),
        columns,
        band * 0.75,
        vec(canvas.light.paint(_CREAM)) * fall[panel:, :, None],
    )


def _floor(canvas: Canvas) -> None:
    first = canvas.row(FLOOR)
    drop = np.arange(first, canvas.height, dtype=np.float32)[:, None] / canvas.height - canvas.horizon + 0.02
    x = (
        (np.arange(canvas.width, dtype=np.float32)[None, :] / canvas.width - 0.5)
        * canvas.width
        / canvas.unit
        / drop
    )
    board = np.floor(x * 2.6)
    shade = np.sin(board * 12.9898) * 0.5 + np.sin(board * 78.233) * 0.5
    seam = np.clip((0.03 - np.abs(x * 2.6 - np.round(x * 2.6))) * 26, 0, 1)
    wood = vec(canvas.light.paint((0.64, 0.46, 0.31)))
    vein = laid(canvas, "wood", FLOOR, 2.0, 0.35)[: len(drop)]
    near = np.linspace(0.90, 1.06, len(drop), dtype=np.float32)[:, None] if len(drop) else drop
    paint = wood * ((1 + 0.10 * shade + 0.25 * vein) * (1 - 0.35 * seam) * near)[..., None]
    canvas.rgb[first:] = paint.clip(0, 1)


def _sunlight(canvas: Canvas, frame: tuple[float, float, float, float], sun: RGB) -> None:
    """The window's shape in sunlight on the floor."""
    shift = 0.16 if canvas.sun[0] < 0.5 else -0.16
    mask = np.zeros((canvas.height, canvas.width), np.uint8)
    width = frame[2] - frame[0]
    for half in (0, 1):
        a, b = frame[0] + width * (0.04 + 0.5 * half), frame[0] + width * (0.46 + 0.5 * half)
        for low, high in ((0.755, 0.835), (0.845, 0.945)):
            slide = [(v - FLOOR) / 0.25 for v in (low, high)]
            quad = [
                (a + shift * slide[0], low),
                (b + shift * slide[0], low),
                (b + 0.02 + shift * slide[1], high),
                (a + shift * slide[1], high),
            ]
            points = np.array([(x * canvas.width * 16, y * canvas.height * 16) for x, y in quad], np.int32)
            cv2.fillPoly(mask, [points], 255, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 0.004 * canvas.unit + 0.3)
    canvas.rgb += (1 - canvas.rgb) * soft[..., None] * vec(sun) * 0.38


def _fittings(canvas: Canvas, wall: RGB, frame: tuple[float, float, float, float]) -> None:
    """Window frame and curtains, rail and skirting, a picture, a rug."""
    rng = canvas.rng("fittings")
    wide, high = canvas.width / canvas.unit, canvas.height / canvas.unit
    s = Sprite(canvas.unit, 0, wide, 0, -high)
    left, top, right, bottom = frame[0] * wide, -frame[1] * high, frame[2] * wide, -frame[3] * high
    _rug(s, rng, wide, high)
    s.rect(0, -0.555 * high, wide, -0.540 * high, lighter(_CREAM, 0.2))
    s.rect(0, -FLOOR * high, wide, -(FLOOR - 0.022) * high, lighter(_CREAM, 0.1))
    s.rect(0, -FLOOR * high - 0.003, wide, -FLOOR * high, darker(wall, 0.5))
    for line in ([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)],):
        s.line(line, 0.024, _CREAM)
    s.line([((left + right) / 2, top), ((left + right) / 2, bottom)], 0.016, _CREAM)
    s.line([(left, top * 0.55 + bottom * 0.45), (right, top * 0.55 + bottom * 0.45)], 0.012, _CREAM)
    s.rect(left - 0.03, bottom - 0.022, right + 0.03, bottom - 0.004, lighter(_CREAM, 0.3))
    cloth = mix(
        wall, [(0.80, 0.50, 0.38), (0.93, 0.88, 0.78), (0.42, 0.52, 0.56)][int(rng.integers(3))], 0.75
    )
    _curtain(s, left - 0.075, left + 0.035, top + 0.05, bottom - 0.06, cloth)
    _curtain(s, right - 0.035, right + 0.075, top + 0.05, bottom - 0.06, cloth)
    s.line([(left - 0.11, top + 0.052), (right + 0.11, top + 0.052)], 0.012, (0.40, 0.29, 0.20))
    _picture(s, rng, wide, high, frame)
    canvas.place(s, 0.0, 0.0, 0.0)


def _curtain(s: Sprite, left: float, right: float, top: float, bottom: float, cloth: RGB) -> None:
    folds = 7
    for step in range(folds):
        a, b = left + (right - left) * step / folds, left + (right - left) * (step + 1) / folds
        tone = mix(darker(cloth, 0.20), lighter(cloth, 0.14), (step % 3) / 2)
        s.poly([(a, top), (b + 0.002, top), (b + 0.004, bottom - 0.004 * (step % 2)), (a, bottom)], tone)


def _rug(s: Sprite, rng: np.random.Generator, wide: float, high: float) -> None:
    tone = [(0.60, 0.32, 0.28), (0.32, 0.40, 0.50), (0.50, 0.52, 0.42)][int(rng.integers(3))]
    x, y = wide / 2, -0.87 * high
    for size, colour in (
        (1.0, darker(tone, 0.15)),
        (0.94, (0.90, 0.84, 0.72)),
        (0.88, tone),
        (0.62, lighter(tone, 0.25)),
        (0.56, tone),
    ):
        s.oval(x, y, 0.44 * size, 0.092 * size, colour)


def _picture(
    s: Sprite, rng: np.random.Generator, wide: float, high: float, frame: tuple[float, float, float, float]
) -> None:
    """A small landscape on the emptier side of the wall."""
    x = (0.14 if frame[0] + frame[2] > 1.0 else 0.86) * wide
    y, w, h = -0.30 * high, 0.085, 0.062
    s.rect(x - w - 0.012, y - h - 0.012, x + w + 0.012, y + h + 0.012, (0.45, 0.32, 0.21))
    s.rect(x - w, y - h, x + w, y + h, (0.94, 0.92, 0.86))
    s.rect(x - w + 0.012, y - h + 0.012, x + w - 0.012, y + h - 0.012, (0.72, 0.80, 0.84))
    for level, colour in (
        (0.02, (0.52, 0.62, 0.66)),
        (-0.008, (0.45, 0.56, 0.45)),
        (-0.028, (0.72, 0.66, 0.42)),
    ):
        a, b = rng.uniform(-0.012, 0.014, 2).tolist()
        low = y - h + 0.012
        s.poly(
            [
                (x - w + 0.012, low),
                *smooth(
                    [(x - w + 0.012, y + level + a), (x, y + level + b), (x + w - 0.012, y + level - a)],
                    2,
                    closed=False,
                ),
                (x + w - 0.012, low),
            ],
            colour,
        )
