"""Streams and paths that wind from the distance to the viewer's feet."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.scene.paint.canvas import Canvas
from models.scene.paint.land import grass_colour, laid, snowy
from models.scene.paint.noise import ridge
from models.scene.paint.palette import RGB, mix, vec

__all__ = ["path", "stream"]


def stream(canvas: Canvas, top: float) -> None:
    """Running water that mirrors the sky, between earthy banks."""
    inside, t = _ribbon(canvas, "stream", top, 0.006, 0.075, 0.17)
    light = canvas.light
    bank = mix(grass_colour(canvas), (0.35, 0.29, 0.24), 0.6)
    _lay(canvas, top, np.clip(inside / (1 + 14 * t) + 1.3, 0, 1) * 0.6, light.paint(bank))
    stops = zip(light.horizon, light.zenith, strict=True)
    sky = np.stack([a + (b - a) * t[:, 0] for a, b in stops], axis=1)[:, None, :]
    ripple = laid(canvas, "stream ripple", top, 1.4, 4.0)[: len(t), :, None]
    _lay(canvas, top, inside, sky * 0.92 * (1 + 0.7 * ripple))


def path(canvas: Canvas, top: float, colour: RGB) -> None:
    """A trodden path."""
    inside, t = _ribbon(canvas, "path", top, 0.010, 0.17, 0.02)
    paint = mix(colour, (0.90, 0.92, 0.96), 0.6) if snowy(canvas) else colour
    gravel = 1 + 0.35 * laid(canvas, "gravel", top, 2.2, 2.0)[: len(t), :, None]
    _lay(
        canvas,
        top,
        np.clip(inside / (1 + 10 * t) + 1.2, 0, 1) * 0.35,
        canvas.light.paint(mix(paint, (0.3, 0.3, 0.2), 0.5)),
    )
    _lay(canvas, top, inside, vec(canvas.light.paint(paint)) * gravel)


def _ribbon(canvas: Canvas, name: str, top: float, thin: float, wide: float, drift: float) -> Any:
    """Pixels inside (signed) for each row from `top` down, and how near each row is, in [0, 1].

    The ribbon grows from `thin` to `wide` and ends `drift` to the right of the middle.
    """
    rng = canvas.rng(name)
    bend, phase = float(rng.uniform(0.10, 0.16)), float(rng.uniform(0, 6.28))
    first = canvas.row(top)
    count = max(1, canvas.height - first)
    t = (np.arange(count, dtype=np.float32) / count)[:, None]
    middle = 0.5 + bend * np.sin(phase + 5.2 * np.sqrt(t)) * (0.3 + 0.7 * t) * (1.2 - t) + drift * t
    half = thin + wide * t**1.6
    x = np.linspace(0, 1, canvas.width, dtype=np.float32)[None, :]
    wobble = (ridge(rng, count, 14, octaves=4) - 0.5)[:, None] * half * 0.5
    return (half - np.abs(x - middle + wobble)) * canvas.width, t


def _lay(canvas: Canvas, top: float, inside: Any, colour: Any) -> None:
    first = canvas.row(top)
    mask = np.clip(inside + 0.5, 0, 1) if inside.max() > 1 else inside
    canvas.over(
        slice(first, first + len(mask)), slice(None), mask[: canvas.height - first], np.clip(colour, 0, 1)
    )
