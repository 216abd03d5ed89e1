"""The picture while it is painted, with the light and the geometry that all painters share."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import cv2
import numpy as np

from models.scene.grammar import Scene
from models.scene.paint.light import Light, light_of
from models.scene.paint.noise import Plane, Random
from models.scene.paint.palette import RGB, vec
from models.scene.paint.sprite import Sprite

__all__ = ["Canvas"]


class Canvas:
    """Floating-point RGB (height, width, 3) in [0, 1], painted back to front.

    Places are given as shares of the picture: x from 0 (left) to 1, y from 0 (top) to 1. Sizes of objects
    are in `unit`s, the shorter side of the picture, so that they keep their shape in any format.
    """

    def __init__(self, scene: Scene, width: int, height: int, seed: int, horizon: float = 0.58) -> None:
        self.scene = scene
        self.light: Light = light_of(scene)
        self.width, self.height = width, height
        self.unit = min(width, height)
        self.horizon = horizon
        self.seed = seed
        self.rgb: Any = np.zeros((height, width, 3), np.float32)
        self.sun = self._sun()
        self.shore: Plane = np.ones(
            width, np.float32
        )  # where water ends and near land begins: a y per column

    def rng(self, name: str) -> Random:
        """A stream of its own for each painter, so that a change in one leaves the others' strokes alone."""
        return np.random.default_rng([self.seed, crc32(name.encode())])

    def row(self, y: float) -> int:
        """The pixel row at share `y`, kept inside the picture."""
        return int(min(self.height, max(0, round(y * self.height))))

    def below(self, skyline: Plane, bottom: float, colour: Any, strength: Any = 1.0) -> None:
        """Paint everything under `skyline` (a y share for each column) down to `bottom`.

        `colour` and `strength` are single values or arrays of the painted rows, from the skyline's top on.
        """
        top, end = self.span(skyline, bottom)
        if end <= top:
            return
        rows = np.arange(top, end, dtype=np.float32)[:, None]
        mask = np.clip(rows - skyline[None, :] * self.height + 0.5, 0.0, 1.0) * strength
        self.over(slice(top, end), slice(0, self.width), mask, colour)

    def span(self, skyline: Plane, bottom: float) -> tuple[int, int]:
        """First and last pixel row that `below` would touch."""
        return self.row(float(skyline.min()) - 1 / self.height), self.row(bottom)

    def over(self, rows: slice, columns: slice, mask: Any, colour: Any) -> None:
        """Blend `colour` over a rectangle of the picture where `mask` says."""
        patch = self.rgb[rows, columns]
        share = np.asarray(mask, np.float32)[..., None]
        self.rgb[rows, columns] = patch + (np.asarray(colour, np.float32) - patch) * share

    def light_up(self, x: float, y: float, radius: float, colour: RGB, strength: float) -> None:
        """Add a round glow, as of a lamp or a window, `radius` units wide."""
        span = radius * self.unit * 2.5
        left, right = (int(np.clip(x * self.width + s * span, 0, self.width)) for s in (-1, 1))
        top, bottom = (int(np.clip(y * self.height + s * span, 0, self.height)) for s in (-1, 1))
        if right <= left or bottom <= top:
            return
        rows = (np.arange(top, bottom, dtype=np.float32)[:, None] - y * self.height) / (radius * self.unit)
        columns = (np.arange(left, right, dtype=np.float32)[None, :] - x * self.width) / (radius * self.unit)
        halo = np.exp(-2.2 * np.sqrt(rows**2 + columns**2 + 0.002)) * strength
        halo = halo * np.clip(2.5 - np.sqrt(rows**2 + columns**2), 0, 1)
        patch = self.rgb[top:bottom, left:right]
        self.rgb[top:bottom, left:right] = patch + (1.0 - patch) * halo[..., None] * np.asarray(
            colour, np.float32
        )

    def place(self, sprite: Sprite, x: float, y: float, distance: float, alpha: float = 1.0) -> None:
        """Set a sprite's foot point at (x, y), lit by the scene and veiled by `distance`."""
        colour, cover, glow = sprite.at_size()
        rows, columns, cut = self._window(sprite, cover.shape, x, y)
        if cut is None:
            return
        rows, columns, cut = _trimmed(rows, columns, cut, cover[cut])
        colour, cover, glow = colour[cut], cover[cut], glow[cut]
        if not cover.size:
            return
        shine = np.maximum(glow * min(1.0, self.light.lamps * 1.3), 0.0)[..., None]
        tint = np.asarray(self.light.tint, np.float32)
        lit = colour * (tint * (1.0 - shine) + shine) * (1.0 + self._relief(cover)[..., None])
        lit = np.minimum(lit, cover[..., None])
        veil = self.light.fade(distance) * (1.0 - 0.6 * shine)
        lit = lit * (1.0 - veil) + np.asarray(self.light.horizon, np.float32) * cover[..., None] * veil
        patch = self.rgb[rows, columns]
        self.rgb[rows, columns] = patch * (1.0 - alpha * cover[..., None]) + alpha * lit

    def shade(self, sprite: Sprite, x: float, y: float, strength: float = 1.0) -> None:
        """The shadow that a sprite standing at (x, y) throws on flat ground."""
        _, cover, _ = sprite.at_size()
        squash, shear = self._shadow_shape()
        reach = cover.shape[0] * squash
        foot = round(sprite.top * sprite.scale)
        margin = int(abs(shear) * reach + 0.06 * self.unit) + 2
        size = (cover.shape[1] + 2 * margin, int(reach) + 2 * int(0.03 * self.unit) + 4)
        lift = int(0.03 * self.unit) + 2
        lay = vec([[1, -shear * squash, margin + shear * squash * foot], [0, -squash, lift + squash * foot]])
        cast = cv2.warpAffine(cover, lay, size)
        blur = 0.006 * self.unit + 0.3
        cast = cv2.GaussianBlur(cast, (0, 0), blur) * strength * (0.16 + 0.30 * self.light.direct)
        cast = np.maximum(cast, self._contact(cover, foot, margin, lift, cast.shape) * strength)
        left = (
            round(x * self.width + (sprite.left if not sprite.flip else -sprite.right) * sprite.scale)
            - margin
        )
        top = round(y * self.height) - lift
        rows, columns, cut = self._clip(top, left, cast.shape)
        if cut is not None:
            cool = tuple(0.35 * part for part in self.light.zenith)
            self.over(rows, columns, cast[cut], self.rgb[rows, columns] * 0.35 + vec(cool) * 0.3)

    def reflect(self, sprite: Sprite, x: float, y: float, distance: float) -> None:
        """The picture of a sprite standing at (x, y) in the water before it, broken by ripples."""
        colour, cover, _ = sprite.at_size()
        foot = min(cover.shape[0], max(1, round(sprite.top * sprite.scale)))
        rng = self.rng(f"reflection {x:.3f}")
        depth = np.arange(max(1, int(foot * 0.8)))
        rows = np.clip(foot - 1 - depth / 0.8, 0, foot - 1).astype(int)
        wobble = np.repeat(rng.normal(0, 1, len(depth) // 3 + 1), 3)[: len(depth)]
        shift = (wobble * (0.3 + depth / len(depth)) * 0.008 * self.unit).astype(int)
        columns = np.arange(cover.shape[1])[None, :] + shift[:, None]
        inside = (columns >= 0) & (columns < cover.shape[1])
        columns = columns.clip(0, cover.shape[1] - 1)
        mask = cover[rows[:, None], columns] * inside * (0.55 * (1 - depth / len(depth)))[:, None]
        paint = colour[rows[:, None], columns] / np.maximum(cover[rows[:, None], columns], 1e-3)[..., None]
        left = sprite.left if not sprite.flip else -sprite.right
        ys, xs, cut = self._clip(
            round(y * self.height), round(x * self.width + left * sprite.scale), mask.shape
        )
        if cut is not None:
            tint = np.asarray(self.light.tint, np.float32) * 0.85
            veil = self.light.fade(distance)
            lit = paint[cut] * tint * (1 - veil) + np.asarray(self.light.horizon, np.float32) * veil
            self.over(ys, xs, mask[cut] * self._wet(ys, xs), lit.clip(0, 1))

    def _wet(self, rows: slice, columns: slice) -> Any:
        """1 on water, 0 beyond the shore."""
        y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
        return np.clip(self.shore[None, columns] * self.height - y, 0, 1)

    def _contact(self, cover: Plane, foot: int, margin: int, lift: int, shape: tuple[int, ...]) -> Any:
        """The dark seam where a thing touches the ground, on the shadow's own raster."""
        lowest = cover[max(0, foot - max(2, cover.shape[0] // 14)) : foot + 1]
        seam: Any = np.zeros(shape, np.float32)
        rows = np.arange(shape[0], dtype=np.float32)[:, None] - lift
        band = np.exp(-((rows / (0.007 * self.unit + 0.5)) ** 2))
        seam[:, margin : margin + cover.shape[1]] = lowest.max(axis=0)[None, :] * band
        return cv2.GaussianBlur(seam, (0, 0), 0.004 * self.unit + 0.3) * 0.62

    def _sun(self) -> tuple[float, float]:
        rng = self.rng("sun")
        side = float(rng.choice([0.22, 0.3, 0.68, 0.78]))
        return side + float(rng.uniform(-0.04, 0.04)), self.horizon * (1.0 - self.light.height)

    def _shadow_shape(self) -> tuple[float, float]:
        away = 1.0 if self.sun[0] < 0.5 else -1.0
        if self.light.low:
            return 0.42, away * 0.9
        return (0.12, away * 0.3) if self.light.height > 1 else (0.26, away * 1.1)

    def _relief(self, cover: Plane) -> Any:
        """Light on the edges that face the sun and shade on those that don't, from the outline alone."""
        rows, columns = cover.shape
        coarse = (
            max(1, columns // 3),
            max(1, rows // 3),
        )  # the relief is soft: a third of the detail is enough
        small = cv2.resize(cover, coarse, interpolation=cv2.INTER_AREA)
        spread = min(12.0, max(0.6, 0.05 * min(small.shape)))
        soft = cv2.GaussianBlur(small, (0, 0), spread) * spread
        across = cv2.Sobel(soft, cv2.CV_32F, 1, 0, ksize=3) / 8
        down = cv2.Sobel(soft, cv2.CV_32F, 0, 1, ksize=3) / 8
        toward = 1.0 if self.sun[0] < 0.5 else -1.0
        slope = (toward * across * 0.9 + down * 0.7) * (0.25 + 0.9 * self.light.direct)
        return cv2.resize(np.clip(slope, -0.3, 0.35), (columns, rows), interpolation=cv2.INTER_LINEAR)

    def _window(self, sprite: Sprite, shape: tuple[int, ...], x: float, y: float) -> Any:
        left = sprite.left if not sprite.flip else -sprite.right
        return self._clip(
            round(y * self.height - sprite.top * sprite.scale),
            round(x * self.width + left * sprite.scale),
            shape,
        )

    def _clip(self, top: int, left: int, shape: tuple[int, ...]) -> Any:
        """The part of a patch at (top, left) inside the picture, or a `None` cut where there is none."""
        t, b = max(0, top), min(self.height, top + shape[0])
        a, z = max(0, left), min(self.width, left + shape[1])
        if b <= t or z <= a:
            return slice(0, 0), slice(0, 0), None
        return slice(t, b), slice(a, z), (slice(t - top, b - top), slice(a - left, z - left))


def _trimmed(rows: slice, columns: slice, cut: tuple[slice, slice], cover: Plane) -> Any:
    """The three windows shrunk to the part of `cover` that is not empty."""
    x, y, width, height = cv2.boundingRect(np.asarray(cover > 0, np.uint8))

    def part(window: slice, start: int, length: int) -> slice:
        return slice(window.start + start, window.start + start + length)

    inner = (part(cut[0], y, height), part(cut[1], x, width))
    return part(rows, y, height), part(columns, x, width), inner
