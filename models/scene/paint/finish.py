"""The last steps: weather in the air, bloom, grading, vignette, grain."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.scene.grammar import Time, Weather
from models.scene.paint.canvas import Canvas
from models.scene.paint.noise import fractal
from models.scene.paint.palette import vec

__all__ = ["develop", "weather"]


def weather(canvas: Canvas) -> None:
    """Rain, snow or fog between the viewer and what has been painted."""
    falls = {Weather.RAIN: _rain, Weather.SNOW: _snow, Weather.FOG: _fog}
    if canvas.scene.weather in falls:
        falls[canvas.scene.weather](canvas)


def _rain(canvas: Canvas) -> None:
    rng = canvas.rng("rain")
    layer = np.zeros((canvas.height, canvas.width), np.uint8)
    slant = float(rng.uniform(-0.22, 0.22))
    for length, count, level in ((0.025, 500, 70), (0.05, 260, 110), (0.09, 60, 140)):
        count = int(count * canvas.width * canvas.height / canvas.unit**2)
        feet = rng.random((count, 2)) * [canvas.width * 1.2, canvas.height * 1.1] - [canvas.width * 0.1, 0]
        drop = np.array([slant, -1.0]) * length * canvas.unit
        lines = np.asarray(np.stack([feet, feet + drop], axis=1) * 16, np.int32)
        thick = max(1, round(canvas.unit * length / 60))
        cv2.polylines(layer, list(lines), False, level, thick, cv2.LINE_AA, 4)
    pale = np.clip(vec(canvas.light.horizon) * 1.15 + 0.06, 0, 1)
    canvas.over(slice(None), slice(None), layer.astype(np.float32) / 255 * 0.6, pale)


def _snow(canvas: Canvas) -> None:
    rng = canvas.rng("snow")
    white = np.clip(vec(canvas.light.tint) * 1.05 + 0.05, 0, 1)
    area = canvas.width * canvas.height / canvas.unit**2
    for radius, count, blur in ((0.0016, 900, 0.0), (0.003, 300, 0.0008), (0.0065, 60, 0.003)):
        layer = np.zeros((canvas.height, canvas.width), np.uint8)
        sizes = rng.uniform(0.6, 1.4, int(count * area)) * radius * canvas.unit * 16
        spots = rng.random((len(sizes), 2)) * [canvas.width * 16, canvas.height * 16]
        for (x, y), size in zip(spots.astype(int).tolist(), sizes.astype(int).tolist(), strict=True):
            cv2.circle(layer, (x, y), max(6, size), 255, -1, cv2.LINE_AA, 4)
        soft = layer.astype(np.float32) / 255
        if blur * canvas.unit > 0.4:
            soft = cv2.GaussianBlur(soft, (0, 0), blur * canvas.unit)
        canvas.over(slice(None), slice(None), soft * 0.85, white)


def _fog(canvas: Canvas) -> None:
    shape = (canvas.height // 4 + 1, canvas.width // 4 + 1)
    drift = fractal(canvas.rng("fog"), shape, (5, 2.5), octaves=4)
    drift = cv2.resize(drift, (canvas.width, canvas.height), interpolation=cv2.INTER_LINEAR)
    rows = np.linspace(0, 1, canvas.height, dtype=np.float32)[:, None]
    band = np.exp(-(((rows - canvas.horizon) / 0.16) ** 2)) * 0.5 + 0.10
    canvas.over(slice(None), slice(None), (band * (0.35 + 0.95 * drift)).clip(0, 0.9), canvas.light.horizon)


def develop(canvas: Canvas) -> NDArray[np.uint8]:
    """The finished picture as 8-bit RGB (height, width, 3)."""
    picture: Any = canvas.rgb.clip(0, 1)
    picture = _bloom(canvas, picture)
    picture = _grade(canvas, picture)
    picture = picture * _vignette(canvas)[..., None]
    picture = picture + _grain(canvas)[..., None]
    return np.asarray(np.clip(picture * 255 + 0.5, 0, 255), np.uint8)


def _bloom(canvas: Canvas, picture: Any) -> Any:
    small = cv2.resize(
        picture, (max(1, canvas.width // 4), max(1, canvas.height // 4)), interpolation=cv2.INTER_AREA
    )
    bright = np.maximum(small - 0.62, 0) * 0.9
    halo = cv2.GaussianBlur(bright, (0, 0), max(0.8, canvas.unit / 4 * 0.035))
    halo = cv2.resize(halo, (canvas.width, canvas.height), interpolation=cv2.INTER_LINEAR)
    return 1 - (1 - picture) * (1 - halo.clip(0, 0.6) * 0.75)


_GRADES: dict[Time, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    # what is added to shadows, what to highlights
    Time.DAWN: ((0.015, 0.0, 0.03), (0.02, 0.0, -0.02)),
    Time.MORNING: ((0.0, 0.008, 0.02), (0.02, 0.01, -0.02)),
    Time.NOON: ((0.0, 0.01, 0.025), (0.015, 0.01, -0.015)),
    Time.AFTERNOON: ((0.015, 0.005, 0.02), (0.03, 0.012, -0.04)),
    Time.SUNSET: ((0.03, 0.0, 0.045), (0.03, 0.0, -0.04)),
    Time.DUSK: ((0.02, 0.005, 0.055), (0.02, 0.0, -0.01)),
    Time.NIGHT: ((0.0, 0.012, 0.04), (0.02, 0.01, -0.03)),
}


def _grade(canvas: Canvas, picture: Any) -> Any:
    """Split toning, a soft S-curve and a touch of saturation: what a colourist does last."""
    shadows, highlights = (vec(part) for part in _GRADES[canvas.scene.time])
    level = picture.mean(axis=2, keepdims=True)
    picture = picture + shadows * (1 - level) ** 2 + highlights * level**2
    picture = level + (picture - level) * 1.10
    curve = picture.clip(0, 1)
    return curve * 0.82 + curve * curve * (3 - 2 * curve) * 0.18


def _vignette(canvas: Canvas) -> Any:
    rows = np.linspace(-1, 1, canvas.height, dtype=np.float32)[:, None] ** 2
    columns = np.linspace(-1, 1, canvas.width, dtype=np.float32)[None, :] ** 2
    return 1 - 0.075 * (rows + columns) ** 1.2


def _grain(canvas: Canvas) -> Any:
    """Film grain over a faint tooth of paper: fine, grey and everywhere, as from a real camera or sheet."""
    rng = canvas.rng("grain")
    shape = (canvas.height, canvas.width)
    fine = rng.standard_normal(shape, dtype=np.float32) * 0.011
    tooth = cv2.GaussianBlur(rng.standard_normal(shape, dtype=np.float32), (0, 0), 1.3) * 0.030
    return fine + tooth
