"""Land: ranges of hills and mountains, and ground in perspective."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from models.scene.grammar import Season, Weather
from models.scene.paint.canvas import Canvas
from models.scene.paint.noise import Plane, fractal, ridge, smoothstep, spread, tile_side
from models.scene.paint.palette import RGB, mix, vec

__all__ = ["grass_colour", "ground", "hills", "laid", "mountains", "snowy"]


def snowy(canvas: Canvas) -> bool:
    """Whether snow lies on the ground."""
    return canvas.scene.weather is Weather.SNOW


def grass_colour(canvas: Canvas) -> RGB:
    """The colour of a lawn in this season."""
    if snowy(canvas):
        return 0.90, 0.92, 0.96
    return {
        Season.SPRING: (0.47, 0.66, 0.30),
        Season.SUMMER: (0.45, 0.58, 0.27),
        Season.AUTUMN: (0.62, 0.56, 0.29),
        Season.WINTER: (0.56, 0.57, 0.42),
    }[canvas.scene.season]


def hills(
    canvas: Canvas, name: str, base: float, height: float, colour: RGB, distance: float, bumps: float = 3.0
) -> Plane:
    """One soft range, `height` tall above `base`, and the skyline it leaves."""
    rng = canvas.rng(name)
    skyline = base - height * (0.25 + 0.9 * ridge(rng, canvas.width, bumps, octaves=4, gain=0.4))
    top, end = canvas.span(skyline, base + 0.1)
    near, far = vec(canvas.light.paint(colour, distance)), vec(canvas.light.horizon)
    down = np.linspace(0, 1, max(1, end - top), dtype=np.float32)[:, None, None]
    tone = fractal(rng, (max(1, end - top), canvas.width), (6, 14), octaves=4)[..., None]
    body = near * (0.90 + 0.2 * tone) * (1 - 0.30 * down * distance) + far * 0.30 * down * distance
    canvas.below(skyline, base + 0.1, body)
    return np.asarray(skyline, np.float32)


def mountains(
    canvas: Canvas, name: str, base: float, height: float, rock: RGB, distance: float, snow: float = 0.55
) -> Plane:
    """A craggy range with its lit and shaded faces; above `snow` (a share of its height) it is white."""
    rng = canvas.rng(name)
    line = ridge(rng, canvas.width, 2.6, octaves=7, gain=0.47)
    line = (line - line.min()) / max(1e-3, float(np.ptp(line)))
    skyline = np.asarray(base - height * (0.12 + 0.88 * line**1.25), np.float32)
    top, end = canvas.span(skyline, base + 0.04)
    shape = (max(2, end - top), canvas.width)
    crags = 1 - np.abs(2 * fractal(rng, shape, (2.5, 6.5), octaves=6, gain=0.58) - 1)
    face = _facing(canvas, crags, skyline)
    rows = np.linspace(top / canvas.height, end / canvas.height, shape[0], dtype=np.float32)[:, None]
    up = (base - rows) / height
    white = smoothstep(snow - 0.05, snow + 0.1, up + 0.55 * (crags - 0.72) + 0.10 * (face - 0.5))[..., None]
    shade = vec(rock) * (0.40 + 0.95 * face[..., None])
    frost = vec((0.80, 0.86, 0.96)) * (0.72 + 0.36 * face[..., None])
    body = (shade * (1 - white) + frost * white) * vec(canvas.light.tint)
    veil = canvas.light.fade(distance) + 0.35 * np.clip(1 - up * 1.6, 0, 1)[..., None]
    veil = np.clip(veil, 0, 0.95)
    canvas.below(skyline, base + 0.04, body.clip(0, 1) * (1 - veil) + vec(canvas.light.horizon) * veil)
    return skyline


def _facing(canvas: Canvas, crags: Plane, skyline: Plane) -> Any:
    """How much each spot of a rock face turns to the sun, in [0, 1]."""
    step = max(1, canvas.unit // 160)
    toward = step if canvas.sun[0] < 0.5 else -step
    slope = (crags - _moved(crags, toward)) * 3.4
    wide = cv2.GaussianBlur(skyline[None, :], (0, 0), max(1.0, canvas.unit / 90))[0]
    lean = (_moved(wide, toward * 2) - wide) * canvas.height / step * 0.35
    contrast = 0.35 + 0.65 * canvas.light.direct
    return np.clip(0.5 + (slope + np.clip(lean, -0.5, 0.5)[None, :]) * contrast, 0, 1)


def _moved(values: Plane, steps: int) -> Plane:
    """`values` moved sideways, the edge repeated."""
    columns = np.arange(values.shape[-1]) - steps
    return values[..., columns.clip(0, values.shape[-1] - 1)]


def laid(canvas: Canvas, name: str, top: float, fine: float = 1.0, stretch: float = 1.0) -> Any:
    """Noise lying on flat ground from y = `top` to the bottom edge, mean 0, weaker with distance.

    `fine` scales its grain and `stretch` draws it out sideways.
    """
    first = canvas.row(top)
    rows = max(1, canvas.height - first)
    side = tile_side(canvas.unit)
    tile = fractal(canvas.rng(name), (side, side), (24, 24), octaves=5, gain=0.6)
    down = (np.arange(rows, dtype=np.float32) + 0.5)[:, None] / canvas.height + (top - canvas.horizon) + 0.015
    across = (np.linspace(-0.5, 0.5, canvas.width, dtype=np.float32) * canvas.width / canvas.unit)[None, :]
    away = np.broadcast_to(0.0508 * fine / down, (rows, canvas.width))
    noise = spread(tile, across / down * 0.117 * fine / stretch + 0.5, away)
    return (noise - 0.5) * smoothstep(0.0, 0.22, down)


def ground(
    canvas: Canvas,
    name: str,
    skyline: Plane,
    near: RGB,
    far: RGB,
    *,
    contrast: float = 0.5,
    fine: float = 1.0,
    stretch: float = 2.0,
) -> None:
    """Ground from `skyline` to the bottom edge: `far` fading into `near`, with texture in perspective."""
    top, end = canvas.span(skyline, 1.0)
    rows = max(1, end - top)
    down = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None] ** 0.75
    light = canvas.light
    body = vec(light.paint(far, 0.5)) * (1 - down) + vec(light.paint(near, 0.0)) * down
    broad = laid(canvas, name + " broad", top / canvas.height, fine * 0.12, stretch)[:rows, :, None]
    small = laid(canvas, name + " fine", top / canvas.height, fine, stretch)[:rows, :, None]
    body = body * (1 + contrast * (0.9 * broad + small))
    cool = vec(mix(light.zenith, near, 0.5))
    body = body + (cool - body) * np.clip(-broad, 0, 1) * 0.25
    canvas.below(skyline, 1.0, np.clip(body, 0, 1))
