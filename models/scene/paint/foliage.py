"""Plants: crowns of dabbed leaves, firs, tree lines, grass and flowers."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.scene.grammar import Season
from models.scene.paint.canvas import Canvas
from models.scene.paint.land import grass_colour, snowy
from models.scene.paint.noise import Random
from models.scene.paint.palette import RGB, darker, lighter, mix
from models.scene.paint.sprite import Sprite

__all__ = ["branches", "crown", "fir", "flowers", "grass", "leaf_colour", "tree_line", "tufts"]


def leaf_colour(canvas: Canvas, rng: Random) -> RGB:
    """A leaf colour of the season, a little different for every tree."""
    choices: dict[Season, list[RGB]] = {
        Season.SPRING: [(0.55, 0.71, 0.34), (0.48, 0.66, 0.33), (0.93, 0.74, 0.78), (0.62, 0.75, 0.42)],
        Season.SUMMER: [(0.33, 0.52, 0.25), (0.40, 0.57, 0.27), (0.29, 0.47, 0.29), (0.46, 0.58, 0.30)],
        Season.AUTUMN: [(0.85, 0.52, 0.20), (0.78, 0.35, 0.19), (0.89, 0.68, 0.26), (0.66, 0.52, 0.25)],
        Season.WINTER: [(0.42, 0.40, 0.30), (0.45, 0.36, 0.28), (0.38, 0.40, 0.33), (0.47, 0.40, 0.30)],
    }
    options = choices[canvas.scene.season]
    return options[int(rng.integers(len(options)))]


def crown(
    sprite: Sprite,
    rng: Random,
    at: tuple[float, float],
    size: tuple[float, float],
    colour: RGB,
    count: int,
    sun: float,
) -> None:
    """A leafy mass of `count` dabs around `at`, lighter above and toward the `sun` (-1 left, 1 right)."""
    lobes = rng.normal(0, 0.42, (9, 2)).clip(-0.75, 0.75)
    pick = lobes[rng.integers(len(lobes), size=count)]
    turn, reach = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.random(count)) * 0.46
    local = np.stack([np.cos(turn), np.sin(turn)], axis=1) * reach[:, None]
    unit = pick + local
    glow = 0.45 + 0.9 * (local @ np.array([0.5 * sun, 0.85])) + 0.25 * (unit @ np.array([0.5 * sun, 0.9]))
    glow += rng.normal(0, 0.09, count)
    order = np.argsort(glow + rng.normal(0, 0.15, count))
    radius = min(size) * (0.19 - 0.11 * np.clip(glow, 0, 1)) * rng.uniform(0.6, 1.3, count)
    radius *= float(np.clip((260 / count) ** 0.5, 0.45, 1.2))
    spots = np.column_stack([at[0] + unit[:, 0] * size[0], at[1] + unit[:, 1] * size[1], radius])[order]
    deep, bright = np.array(darker(colour, 0.52)), np.array(lighter(colour, 0.30))
    shade = np.clip(glow, 0, 1)[order, None]
    middle = np.array(colour)
    tones = np.where(
        shade < 0.5, deep + (middle - deep) * shade * 2, middle + (bright - middle) * (shade * 2 - 1)
    )
    sprite.dabs(spots, tones + rng.normal(0, 0.018, (count, 3)))


def branches(
    sprite: Sprite,
    rng: Random,
    foot: tuple[float, float],
    length: float,
    width: float,
    colour: RGB,
    angle: float = np.pi / 2,
    depth: int = 5,
) -> None:
    """A bare tree: each branch splits in two, thinner and shorter."""
    tip = (foot[0] + length * float(np.cos(angle)), foot[1] + length * float(np.sin(angle)))
    sprite.line([foot, tip], [width, width * 0.68], colour)
    if depth == 0:
        return
    for side in (-1, 1):
        turn = angle + side * float(rng.uniform(0.25, 0.6)) + float(rng.normal(0, 0.08))
        branches(
            sprite, rng, tip, length * float(rng.uniform(0.66, 0.84)), width * 0.66, colour, turn, depth - 1
        )


def fir(
    sprite: Sprite, rng: Random, x: float, y: float, height: float, colour: RGB, sun: float, snow: bool
) -> None:
    """A conifer of jagged tiers, each with a lit edge, and snow on it where it lies."""
    sprite.rect(x - height * 0.018, y, x + height * 0.018, y + height * 0.16, (0.30, 0.22, 0.17))
    tiers = 8
    for tier in range(tiers):
        low = y + height * (0.09 + 0.82 * tier / tiers)
        wide = height * 0.23 * (1 - 0.88 * tier / tiers) * float(rng.uniform(0.9, 1.1))
        high = min(y + height, low + height * 0.24)
        notches = np.linspace(-1, 1, 9)
        hem = [
            (x + n * wide, low + abs(float(n)) * -0.03 * height + (0.022 * height if i % 2 else 0.0))
            for i, n in enumerate(notches)
        ]
        tone = mix(darker(colour, 0.42), colour, tier / tiers)
        sprite.poly([(x, high), *hem], tone)
        edge = [hem[-1], hem[-2], hem[-3]] if sun > 0 else [hem[0], hem[1], hem[2]]
        cap = (0.93, 0.95, 0.98) if snow else lighter(colour, 0.16)
        sprite.poly(
            [(x + sun * wide * 0.10, high - height * 0.03), *edge], cap if snow else mix(tone, cap, 0.7)
        )


def tree_line(
    canvas: Canvas,
    name: str,
    base: float,
    height: float,
    distance: float,
    *,
    firs: float = 0.3,
    density: float = 1.0,
    gap: tuple[float, float] | None = None,
) -> None:
    """A row of trees along y = `base`, about `height` units tall; `gap` leaves a span of x open."""
    rng = canvas.rng(name)
    aspect = canvas.width / canvas.unit
    sprite = Sprite(canvas.unit, 0, aspect, height * 1.9, -0.02)
    sun = -1.0 if canvas.sun[0] < 0.5 else 1.0
    count = int(aspect / height * 3.4 * density)
    rise = np.interp(np.linspace(0, 1, 64), np.linspace(0, 1, 7), rng.uniform(0.65, 1.2, 7))
    for x in np.sort(rng.uniform(-0.02, aspect + 0.02, max(3, count)))[rng.permutation(max(3, count))]:
        if gap and gap[0] < x / aspect < gap[1]:
            continue
        tall = height * float(rng.uniform(0.7, 1.15)) * float(rise[int(np.clip(x / aspect, 0, 1) * 63)])
        if rng.random() < firs:
            green = mix((0.16, 0.30, 0.22), (0.28, 0.38, 0.24), float(rng.random()))
            green = mix(green, (0.45, 0.52, 0.55), 0.4) if snowy(canvas) else green
            fir(sprite, rng, float(x), -0.01, tall * 1.15, green, sun, snowy(canvas))
        else:
            _bush(canvas, sprite, rng, float(x), tall, sun)
    canvas.place(sprite, 0.0, base, distance)


def _bush(canvas: Canvas, sprite: Sprite, rng: Random, x: float, tall: float, sun: float) -> None:
    """A tree or shrub of a tree line, leafy almost to the ground."""
    colour = leaf_colour(canvas, rng)
    if snowy(canvas):
        colour = mix(colour, (0.88, 0.90, 0.95), 0.6)
    sprite.line([(x, -0.01), (x, tall * 0.5)], tall * 0.06, (0.27, 0.20, 0.16))
    wide, pixels = tall * float(rng.uniform(0.34, 0.46)), tall * sprite.scale
    crown(sprite, rng, (x, tall * 0.48), (wide, tall * 0.46), colour, int(np.clip(pixels * 3, 50, 620)), sun)


def grass(canvas: Canvas, name: str, top: float, count: int = 900, tall: float = 0.05) -> None:
    """Blades from y = `top` to the bottom edge, longer toward the viewer."""
    rng = canvas.rng(name)
    base = grass_colour(canvas)
    count = int(count * canvas.width / canvas.unit)
    depth = np.sort(rng.random(count) ** 0.7)
    offset = canvas.row(top - tall)
    layer = np.zeros((canvas.height - offset, canvas.width, 4), np.uint8)
    tones = np.array(darker(base, 0.34)) + (np.array(lighter(base, 0.22)) - darker(base, 0.34)) * rng.random(
        (count, 1)
    )
    lit = np.minimum(tones * canvas.light.tint, 1.0)
    veil = np.array([canvas.light.fade(0.4 * (1 - float(d))) for d in depth])[:, None]
    inks = np.hstack([lit * (1 - veil) + np.array(canvas.light.horizon) * veil, np.ones((count, 1))]) * 255
    blades = _blades(canvas, rng, depth, top, tall) - [0, offset]
    for blade, ink in zip(np.asarray(blades * 16, np.int32), inks.tolist(), strict=True):
        cv2.fillConvexPoly(layer, blade, ink, cv2.LINE_AA, 4)
    alpha = layer[..., 3].astype(np.float32) / 255
    colour = layer[..., :3].astype(np.float32) / 255 / np.maximum(alpha, 1e-3)[..., None]
    canvas.over(slice(offset, canvas.height), slice(None), alpha * 0.85, colour)


def _blades(
    canvas: Canvas, rng: Random, depth: NDArray[np.float64], top: float, tall: float
) -> NDArray[np.float64]:
    """Outlines (blades, 5 points, x and y in pixels), each broad at the foot and bent over at the tip."""
    x = rng.random(len(depth)) * canvas.width
    y = (top + (1.03 - top) * depth) * canvas.height
    reach = tall * canvas.unit * (0.15 + 0.85 * depth) * rng.uniform(0.5, 1.2, len(depth))
    lean = rng.normal(0.12, 0.30, len(depth)) * reach
    half = np.maximum(0.3, reach * 0.035)
    outline = [(x - half, y), (x + lean * 0.3 - half * 0.8, y - reach * 0.6), (x + lean, y - reach)]
    outline += [(x + lean * 0.3 + half * 0.8, y - reach * 0.6), (x + half, y)]
    return np.stack([np.column_stack(point) for point in outline], axis=1)


def flowers(
    canvas: Canvas, name: str, top: float, colours: list[RGB], count: int = 320, *, hearts: bool = True
) -> None:
    """A scatter of blossoms over the near ground; without `hearts` they pass for pebbles."""
    rng = canvas.rng(name)
    count = int(count * canvas.width / canvas.unit)
    depth = np.sort(rng.random(count) ** 0.75)
    patch = rng.random(6)[rng.integers(6, size=count)]
    x = (patch + rng.normal(0, 0.13, count)) % 1.0
    y = top + (1.0 - top) * depth
    sprite = Sprite(1.0, 0, canvas.width, -canvas.height * max(0.0, top - 0.02), -canvas.height)
    radius = canvas.unit * (0.0012 + 0.0055 * depth**2) * rng.uniform(0.7, 1.3, count)
    spots = np.column_stack([x * canvas.width, -y * canvas.height, radius])
    paint = np.array(colours)[rng.integers(len(colours), size=count)] + rng.normal(0, 0.03, (count, 3))
    sprite.dabs(spots, paint)
    if hearts:
        near = depth > 0.35
        sprite.dabs(spots[near] * [1, 1, 0.36], paint[near] * 0.62 + [0.32, 0.24, 0.05])
    canvas.place(sprite, 0.0, 0.0, 0.0)


def tufts(canvas: Canvas, rng: Random, x: float, y: float, sprite: Sprite) -> None:
    """Grass around the foot of a thing, so that it stands in the meadow rather than on it."""
    if snowy(canvas):
        return
    reach = 0.013 * canvas.unit * min(1.6, max(0.5, (y - canvas.horizon) * 4))
    wide = (sprite.right - sprite.left) * sprite.scale * 0.36
    count = int(min(90, 8 + wide / reach * 5))
    blades = Sprite(1.0, -wide - reach, wide + reach, reach * 2, -reach)
    for at, tall, lean in rng.normal(0, 1, (count, 3)).tolist():
        tone = mix(darker(grass_colour(canvas), 0.38), lighter(grass_colour(canvas), 0.12), abs(lean) % 1)
        foot = float(np.clip(at * 0.5, -1, 1)) * wide
        blades.line(
            [(foot, -reach * 0.35), (foot + lean * reach * 0.4, reach * (0.35 + 0.3 * abs(tall)))],
            [reach * 0.13, reach * 0.04],
            tone,
        )
    canvas.place(blades, x, y, 0.05, alpha=0.85)
