"""Sky: gradient, sun or moon, stars, clouds."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from models.scene.grammar import Time, Weather
from models.scene.paint.canvas import Canvas
from models.scene.paint.noise import Plane, Random, fractal, smoothstep, spread, tile_side
from models.scene.paint.palette import mix, vec

__all__ = ["paint_sky"]


def paint_sky(canvas: Canvas) -> None:
    """Fill the picture from the top to just below the horizon."""
    _gradient(canvas)
    if canvas.light.cover < 0.9 and canvas.scene.weather is not Weather.FOG:
        if canvas.light.stars:
            _stars(canvas)
        _sun_or_moon(canvas)
    if canvas.light.cover > 0:
        _clouds(canvas)


def _gradient(canvas: Canvas) -> None:
    light = canvas.light
    t = np.linspace(0, 1 / max(canvas.horizon, 0.05), canvas.height, dtype=np.float32).clip(0, 1)
    stops = np.array([light.zenith, light.middle, light.horizon], np.float32)
    columns = [np.interp(t, [0.0, 0.58, 1.0], stops[:, i]) for i in range(3)]
    canvas.rgb[:] = np.stack(columns, axis=1)[:, None, :]


def _stars(canvas: Canvas) -> None:
    rng = canvas.rng("stars")
    count = int(260 * canvas.width / canvas.unit * canvas.light.stars)
    where = rng.random((count, 2))
    bright = rng.power(0.35, count) * 0.85 + 0.08
    radius = 0.0011 * canvas.unit
    layer = np.zeros((canvas.height, canvas.width), np.uint8)
    for (x, y), glow in zip(where, bright, strict=True):
        at = (int(x * canvas.width * 16), int(y * canvas.horizon * canvas.height * 16))
        size = max(4, int(radius * 16 * (0.5 + glow)))
        cv2.circle(layer, at, size, float(255 * glow), -1, cv2.LINE_AA, 4)
    rows = np.linspace(0, 1, canvas.height, dtype=np.float32)[:, None]
    fade = np.clip(1.25 - rows / canvas.horizon, 0, 1)
    canvas.over(slice(None), slice(None), layer / np.float32(255) * fade, (1.0, 0.97, 0.9))


def _sun_or_moon(canvas: Canvas) -> None:
    x, y = canvas.sun
    light, night = canvas.light, canvas.scene.time in (Time.NIGHT, Time.DUSK)
    canvas.light_up(x, y, 0.55 if light.low else 0.42, light.sun, 0.18 if night else 0.55)
    canvas.light_up(x, y, 0.14, light.sun, 0.25 if night else 0.6)
    if y < 0:
        return
    radius = (0.034 if light.low else 0.026) * canvas.unit
    mask = np.zeros((canvas.height, canvas.width), np.uint8)
    at = (int(x * canvas.width * 16), int(y * canvas.height * 16))
    cv2.circle(mask, at, int(radius * 16), 255, -1, cv2.LINE_AA, 4)
    disc = mix(light.sun, (1.0, 1.0, 0.96), 0.6)
    colour: Any = vec(disc)
    if night:
        rng = canvas.rng("moon")
        spots = fractal(rng, (canvas.height, canvas.width), (canvas.height / radius / 3,) * 2, octaves=2)
        colour = colour * (1.0 - 0.25 * smoothstep(0.5, 0.7, spots))[..., None]
    canvas.over(slice(None), slice(None), mask / np.float32(255), colour)


def _clouds(canvas: Canvas) -> None:
    """A cloud deck seen in perspective: noise on a plane overhead, lit on the side that faces the sun."""
    rows, columns = max(2, canvas.row(canvas.horizon) // 2), max(2, canvas.width // 2)
    away, side = _deck(canvas, rows, columns)
    rng = canvas.rng("clouds")
    tile = _billows(rng, tile_side(canvas.unit))
    low, high = np.quantile(tile, [1 - min(0.92, canvas.light.cover + 0.08), 0.97])
    x, y = side * 0.176 + 0.5, away * 0.293
    here = spread(tile, x, y)
    lean = 0.0176 if canvas.sun[0] > 0.5 else -0.0176
    there = spread(cv2.GaussianBlur(tile, (0, 0), len(tile) / 128), x + lean, y - 0.0137)
    density = smoothstep(low, low + (high - low) * 0.5, here) * (0.97 if canvas.light.cover < 0.9 else 0.8)
    lit = np.clip(0.62 + (here - there) * 4.2 + (0.5 - density) * 0.35, 0, 1)[..., None]
    colour = _cloud_shade(canvas) * (1 - lit) + _cloud_light(canvas) * lit
    haze = smoothstep(0.55, 1.0, np.linspace(0, 1, rows, dtype=np.float32))[:, None]
    density = density * (1 - 0.75 * haze)
    size = (canvas.width, rows * 2)
    mask = cv2.resize(density.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    paint = cv2.resize(colour.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    end = min(rows * 2, canvas.height)
    canvas.over(slice(0, end), slice(0, canvas.width), mask[:end], paint[:end])


def _billows(rng: Random, side: int) -> Plane:
    """Cloud heights: large soft masses with round puffs upon them."""
    soft = fractal(rng, (side, side), (5, 5), octaves=6, gain=0.5)
    puffs = 1 - np.abs(2 * fractal(rng, (side, side), (14, 14), octaves=5, gain=0.55) - 1)
    return np.asarray(soft + 0.22 * puffs, np.float32)


def _deck(canvas: Canvas, rows: int, columns: int) -> tuple[Plane, Plane]:
    t = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    depth = 0.85 / (1.12 - t)
    aspect = canvas.width / canvas.unit
    x = (np.linspace(-0.5, 0.5, columns, dtype=np.float32) * aspect)[None, :]
    return np.broadcast_to(depth, (rows, columns)), x * (0.55 + depth)


def _cloud_light(canvas: Canvas) -> Any:
    light = canvas.light
    if light.cover > 0.9:
        return vec(mix(light.horizon, (1.0, 1.0, 1.0), 0.12))
    white = (1.0, 0.98, 0.96)
    glow = mix(white, light.sun, 0.55 if light.low else 0.25)
    strength = min(1.0, max(light.tint) * 1.02) if not light.stars else max(light.tint) * 0.72
    return vec([part * strength for part in glow])


def _cloud_shade(canvas: Canvas) -> Any:
    light = canvas.light
    if light.cover > 0.9:
        return vec(mix(light.zenith, light.middle, 0.25)) * 0.86
    return vec(mix(light.middle, light.zenith, 0.55)) * 0.94
