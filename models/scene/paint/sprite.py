"""A small picture with transparency, drawn in its own units and later set into the scene."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from models.scene.paint.noise import Plane, Random
from models.scene.paint.palette import RGB

__all__ = ["Sprite", "arc", "smooth"]

Point = tuple[float, float]
_SHIFT = 4  # OpenCV takes coordinates in 1/16 pixel
_OVERSAMPLE = 2
_MAX_SIDE = 3000  # pixels drawn per sprite side; a larger one is drawn coarser


class Sprite:
    """A drawing surface with x to the right, y up, and the foot point at (0, 0).

    `left`, `right`, `top` and `bottom` bound it in the object's own units; `scale` is output pixels per
    unit. The buffer holds RGBA with colour premultiplied by alpha, so that anti-aliased edges blend right
    when one shape is drawn over another. `glow` collects what shines by itself and must not be dimmed by
    the scene's light; `lamp` is the x, y and radius of the halo that it casts at night.
    """

    def __init__(
        self, scale: float, left: float, right: float, top: float, bottom: float, flip: bool = False
    ) -> None:
        span = max(right - left, top - bottom) * scale * _OVERSAMPLE
        self.scale = scale
        self.grain = scale * _OVERSAMPLE * min(1.0, _MAX_SIDE / span)
        self.left, self.right, self.top, self.bottom = left, right, top, bottom
        columns = max(2, round((right - left) * self.grain))
        rows = max(2, round((top - bottom) * self.grain))
        self.flip = flip
        self.lamp: tuple[float, float, float] | None = None
        self.rgba: NDArray[np.uint8] = np.zeros((rows, columns, 4), np.uint8)
        self.glow: NDArray[np.uint8] = np.zeros((rows, columns), np.uint8)

    def poly(self, points: Sequence[Point], colour: RGB, glow: float = 0.0) -> None:
        """A filled polygon."""
        pixels = [self._pixels(points)]
        cv2.fillPoly(self.rgba, pixels, _ink(colour), cv2.LINE_AA, _SHIFT)
        cv2.fillPoly(self.glow, pixels, 255 * glow, cv2.LINE_AA, _SHIFT)

    def rect(self, x0: float, y0: float, x1: float, y1: float, colour: RGB, glow: float = 0.0) -> None:
        """A filled rectangle between two corners."""
        self.poly([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour, glow)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: RGB, glow: float = 0.0) -> None:
        """A filled ellipse."""
        self.poly(arc(x, y, rx, ry), colour, glow)

    def line(self, points: Sequence[Point], width: float | Sequence[float], colour: RGB) -> None:
        """A stroke with round ends; `width` may differ from point to point, as in a limb or a branch."""
        widths = [width] * len(points) if isinstance(width, int | float) else list(width)
        for (a, wa), (b, wb) in zip(
            list(zip(points, widths, strict=True))[:-1],
            list(zip(points, widths, strict=True))[1:],
            strict=True,
        ):
            self._taper(a, wa / 2, b, wb / 2, colour)

    def dabs(self, spots: NDArray[np.float64], colours: NDArray[np.float64]) -> None:
        """Many round brush dabs: rows of (x, y, radius), and for each a row of RGB."""
        centres = self._pixels(spots[:, :2]).tolist()
        sizes = np.maximum(8, spots[:, 2] * self.grain * 2**_SHIFT).astype(int).tolist()
        inks = np.hstack([np.clip(colours, 0, 1), np.ones((len(colours), 1))]) * 255
        for centre, size, ink in zip(centres, sizes, inks.tolist(), strict=True):
            cv2.circle(self.rgba, centre, size, ink, -1, cv2.LINE_8, _SHIFT)

    def texture(self, rng: Random, strength: float = 0.06) -> None:
        """Uneven paint, so that no surface is one flat colour."""
        rows, columns = self.rgba.shape[:2]
        coarse = rng.random((max(2, rows // 14), max(2, columns // 14)), dtype=np.float32)
        fine = rng.random((max(2, rows // 3), max(2, columns // 3)), dtype=np.float32)
        wave = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
        wave = wave + cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_LINEAR)
        factor = 1.0 + strength * (wave - 1.0)
        colour = self.rgba[..., :3] * factor[..., None]
        self.rgba[..., :3] = np.minimum(colour, self.rgba[..., 3:])

    def at_size(self) -> tuple[Plane, Plane, Plane]:
        """Premultiplied RGB (h, w, 3), alpha (h, w) and glow (h, w) in [0, 1] at output resolution."""
        size = (
            max(1, round((self.right - self.left) * self.scale)),
            max(1, round((self.top - self.bottom) * self.scale)),
        )
        rgba = cv2.resize(self.rgba, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        glow = cv2.resize(self.glow, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        if self.flip:
            rgba, glow = rgba[:, ::-1], glow[:, ::-1]
        return rgba[..., :3], rgba[..., 3], glow

    def _taper(self, a: Point, ra: float, b: Point, rb: float, colour: RGB) -> None:
        run = np.hypot(b[0] - a[0], b[1] - a[1])
        if run > 0:
            nx, ny = -(b[1] - a[1]) / run, (b[0] - a[0]) / run
            sides = [(a[0] + nx * ra, a[1] + ny * ra), (b[0] + nx * rb, b[1] + ny * rb)]
            sides += [(b[0] - nx * rb, b[1] - ny * rb), (a[0] - nx * ra, a[1] - ny * ra)]
            self.poly(sides, colour)
        for (x, y), radius in zip(self._pixels([a, b]).tolist(), (ra, rb), strict=True):
            size = max(1, round(radius * self.grain * 2**_SHIFT))
            cv2.circle(self.rgba, (x, y), size, _ink(colour), -1, cv2.LINE_AA, _SHIFT)
            cv2.circle(self.glow, (x, y), size, 0, -1, cv2.LINE_AA, _SHIFT)

    def _pixels(self, points: Sequence[Point] | NDArray[np.float64]) -> NDArray[np.int32]:
        at = np.array(points, np.float64) - (self.left, self.top)
        at *= (self.grain * 2**_SHIFT, -self.grain * 2**_SHIFT)
        return np.asarray(np.rint(at - 2 ** (_SHIFT - 1)), np.int32)


def arc(
    x: float, y: float, rx: float, ry: float, start: float = 0.0, stop: float = 360.0, steps: int = 36
) -> list[Point]:
    """Points on an ellipse from `start` to `stop` degrees, counter-clockwise from the right."""
    return [(x + rx * across, y + ry * up) for across, up in _turns(start, stop, steps)]


@lru_cache(maxsize=256)
def _turns(start: float, stop: float, steps: int) -> tuple[Point, ...]:
    turn = np.radians(np.linspace(start, stop, steps))
    return tuple(zip(np.cos(turn).tolist(), np.sin(turn).tolist(), strict=True))


def smooth(points: Sequence[Point], rounds: int = 2, closed: bool = True) -> list[Point]:
    """The corners of a polygon cut off again and again (Chaikin, 1974), which leaves a soft curve."""
    curve = np.asarray(points, np.float64)
    for _ in range(rounds):
        ahead = np.roll(curve, -1, axis=0)
        cut = np.stack([0.75 * curve + 0.25 * ahead, 0.25 * curve + 0.75 * ahead], axis=1).reshape(-1, 2)
        curve = cut if closed else np.vstack([curve[:1], cut[:-2], curve[-1:]])
    return [(float(px), float(py)) for px, py in curve]


def _ink(colour: RGB) -> tuple[float, float, float, float]:
    red, green, blue = (min(255.0, max(0.0, 255 * part)) for part in colour)
    return red, green, blue, 255.0
