"""Water: what stands above it mirrored, ripples, glitter under the sun, foam on a shore."""

from __future__ import annotations

import cv2
import numpy as np

from models.scene.grammar import Weather
from models.scene.paint.canvas import Canvas
from models.scene.paint.land import laid
from models.scene.paint.noise import Plane, fractal, smoothstep
from models.scene.paint.palette import RGB, vec

__all__ = ["foam", "gloss", "water"]


def water(canvas: Canvas, top: float, bottom: float, deep: RGB, calm: float = 0.7) -> None:
    """Water between y = `top` and `bottom`, reflecting what has been painted above; `calm` 1 is a mirror."""
    first, last = canvas.row(top), canvas.row(bottom)
    rows = last - first
    if rows <= 0:
        return
    ripple = laid(canvas, f"ripple {top:.2f}", top, 0.75, 5.0)[:rows]
    swell = laid(canvas, f"swell {top:.2f}", top, 0.22, 5.0)[:rows]
    down = np.arange(rows, dtype=np.float32)[:, None]
    stir = (1.15 - calm) * canvas.unit * 0.16
    source_y = first - 1 - down * 0.92 + (ripple + 0.8 * swell) * stir
    columns = np.arange(canvas.width, dtype=np.float32)[None, :]
    source_x = columns + (ripple * 0.6 + swell * 0.4) * stir * 0.6
    mirror = cv2.remap(
        canvas.rgb,
        np.clip(source_x, 0, canvas.width - 1).astype(np.float32),
        np.clip(source_y, 0, max(0, first - 1)).astype(np.float32),
        cv2.INTER_LINEAR,
    )
    t = (down / max(1, rows))[..., None]
    share = 0.82 - (0.62 - 0.35 * calm) * smoothstep(0.0, 1.0, t)
    body = vec(canvas.light.paint(deep, 0.15))
    paint = body * (1 - share) + mirror * share * 0.96
    paint = paint * (1 + (0.9 * ripple + 0.5 * swell)[..., None] * (0.55 - 0.25 * calm))
    canvas.rgb[first:last] = paint.clip(0, 1)
    _glitter(canvas, first, last, ripple + 0.5 * swell)


def _glitter(canvas: Canvas, first: int, last: int, ripple: Plane) -> None:
    light = canvas.light
    if light.cover > 0.9 or light.height > 1 or canvas.scene.weather is Weather.FOG:
        return
    down = np.linspace(0, 1, last - first, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, canvas.width, dtype=np.float32)[None, :]
    spread = 0.025 + 0.10 * down
    column = np.exp(-(((x - canvas.sun[0]) / spread) ** 2))
    sparkle = smoothstep(0.02, 0.16, ripple) * (1 - 0.55 * down) + 0.25 * (1 - down) ** 3
    strength = (0.85 if light.low else 0.55) * (0.6 if light.stars else 1.0)
    canvas.over(slice(first, last), slice(None), (column * sparkle * strength).clip(0, 1), light.sun)


def gloss(canvas: Canvas, top: float, share: float = 0.42) -> None:
    """A wet sheen from y = `top` down: what stands above the horizon, blurred downward in the ground."""
    first, mirror = canvas.row(top), canvas.row(canvas.horizon)
    count = min(canvas.height - first, mirror)
    if count <= 0:
        return
    above = canvas.rgb[mirror - count : mirror][::-1]
    smear = cv2.blur(np.ascontiguousarray(above), (1, max(1, canvas.height // 14)))
    puddles = smoothstep(-0.12, 0.16, laid(canvas, "puddles", top, 0.3, 3.0))[:count]
    fade = np.linspace(1, 0.45, count, dtype=np.float32)[:, None]
    canvas.over(slice(first, first + count), slice(None), share * fade * (0.35 + 0.65 * puddles), smear)


def foam(canvas: Canvas, shore: Plane, width: float, strength: float = 0.8) -> None:
    """White water along a shoreline (a y share for each column), `width` of the picture's height deep."""
    rng = canvas.rng("foam")
    top, end = canvas.row(float(shore.min()) - 5 * width), canvas.row(float(shore.max()) + 2 * width)
    if end <= top:
        return
    rows = np.arange(top, end, dtype=np.float32)[:, None] / canvas.height
    lace = fractal(rng, (end - top, canvas.width), (10, 26), octaves=4)
    mask = np.zeros_like(lace)
    for step, (lag, share) in enumerate(((0.0, 1.0), (1.9, 0.6), (3.7, 0.4))):
        wobble = fractal(rng, (1, canvas.width), (0, 5 + step), octaves=4) - 0.5
        gap = (rows - (shore[None, :] - lag * width + wobble * width * 1.6)) / (width * (1 - 0.2 * step))
        band = np.exp(-(gap**2) * np.where(gap < 0, 0.8, 7.0)) * smoothstep(
            0.36, 0.62, lace + 0.12 * (1 - step)
        )
        mask = np.maximum(mask, band * share)
    white = canvas.light.paint((0.97, 0.98, 0.98))
    canvas.over(slice(top, end), slice(None), (mask * strength).clip(0, 1), white)
