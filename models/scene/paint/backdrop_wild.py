"""Places without people's marks on them: valley, clearing, desert, meadow, lake, beach."""

from __future__ import annotations

import numpy as np

from models.scene.grammar import Season, Weather
from models.scene.paint.canvas import Canvas
from models.scene.paint.foliage import flowers, grass, tree_line
from models.scene.paint.land import grass_colour, ground, hills, mountains, snowy
from models.scene.paint.noise import Plane, ridge
from models.scene.paint.palette import RGB, darker, lighter, mix, vec
from models.scene.paint.ribbon import stream
from models.scene.paint.water import foam, water

__all__ = ["beach", "blossom", "clearing", "desert", "lake", "level", "meadow", "valley"]

_ROCK = (0.47, 0.46, 0.52)
_SNOW = (0.90, 0.92, 0.96)


def level(canvas: Canvas, y: float, name: str = "", amount: float = 0.0, bumps: float = 3.0) -> Plane:
    """A flat skyline at `y`, or one that rolls by `amount`."""
    line = np.full(canvas.width, y, np.float32)
    if amount:
        line -= amount * (ridge(canvas.rng(name), canvas.width, bumps, octaves=3, gain=0.4) - 0.5)
    return line


def _snow_line(canvas: Canvas) -> float:
    return {Season.WINTER: 0.28, Season.SPRING: 0.52, Season.SUMMER: 0.68, Season.AUTUMN: 0.6}[
        canvas.scene.season
    ]


def _bloom_colours(canvas: Canvas) -> list[RGB]:
    if canvas.scene.season is Season.SPRING:
        return [(0.96, 0.93, 0.90), (0.95, 0.83, 0.35), (0.80, 0.62, 0.85), (0.93, 0.66, 0.72)]
    if canvas.scene.season is Season.SUMMER:
        return [(0.84, 0.26, 0.20), (0.95, 0.94, 0.90), (0.42, 0.46, 0.80), (0.95, 0.78, 0.30)]
    return [(0.80, 0.62, 0.42), (0.70, 0.42, 0.55)]


def blossom(canvas: Canvas, top: float, count: int) -> None:
    """Flowers of the season, where there are any."""
    if not snowy(canvas) and canvas.scene.season is not Season.WINTER:
        flowers(canvas, "flowers", top, _bloom_colours(canvas), count)


def valley(canvas: Canvas) -> None:
    """Two ranges behind a forest and a meadow with a stream."""
    h, snow = canvas.horizon, _snow_line(canvas)
    mountains(canvas, "far range", h, 0.42, _ROCK, 0.75, snow)
    mountains(canvas, "near range", h + 0.01, 0.25, (0.40, 0.42, 0.46), 0.42, snow + 0.18)
    tree_line(canvas, "far wood", h + 0.018, 0.035, 0.5, firs=0.85)
    grass_near = grass_colour(canvas)
    ground(canvas, "meadow", level(canvas, h + 0.008, "roll", 0.012), grass_near, lighter(grass_near, 0.15))
    blossom(canvas, h + 0.12, 380)
    grass(canvas, "grass", h + 0.07, 3200, 0.042)
    stream(canvas, h + 0.02)
    tree_line(canvas, "near wood", h + 0.045, 0.085, 0.26, firs=0.9, gap=(0.22, 0.80))


def clearing(canvas: Canvas) -> None:
    """Trees behind trees around open grass, with light falling in."""
    h = canvas.horizon
    green = grass_colour(canvas)
    tree_line(canvas, "wood 3", h + 0.01, 0.30, 1.1, firs=0.55, density=1.3)
    tree_line(canvas, "wood 2", h + 0.015, 0.24, 0.7, firs=0.45, density=1.0)
    ground(
        canvas,
        "floor",
        level(canvas, h + 0.005, "roll", 0.02),
        darker(green, 0.08),
        lighter(green, 0.1),
        contrast=0.7,
    )
    tree_line(canvas, "wood 1", h + 0.035, 0.26, 0.38, firs=0.4, gap=(0.20, 0.82))
    tree_line(canvas, "wood 0", h + 0.075, 0.42, 0.10, firs=0.35, gap=(0.10, 0.92))
    blossom(canvas, h + 0.12, 260)
    grass(canvas, "grass", h + 0.06, 3200, 0.048)


def desert(canvas: Canvas) -> None:
    """Mesas far off and dunes one behind another."""
    h = canvas.horizon
    sand: RGB = mix((0.88, 0.68, 0.45), _SNOW, 0.6 if snowy(canvas) else 0.0)
    mountains(canvas, "mesas", h, 0.13, (0.66, 0.40, 0.32), 0.8, 2.0)
    hills(canvas, "dune 3", h + 0.02, 0.06, sand, 0.55, 2.2)
    for step, (y, tall) in enumerate(((0.06, 0.08), (0.15, 0.10), (0.28, 0.10))):
        _dune(canvas, f"dune {step}", h + y, tall, sand, 0.35 - 0.12 * step)


def _dune(canvas: Canvas, name: str, base: float, tall: float, sand: RGB, distance: float) -> None:
    """A dune with a sunlit face, and one in shade behind a winding crest."""
    rng = canvas.rng(name)
    skyline = np.asarray(base - tall * ridge(rng, canvas.width, 1.6, octaves=3, gain=0.3), np.float32)
    lit, dim = (
        canvas.light.paint(lighter(sand, 0.10), distance),
        canvas.light.paint(darker(sand, 0.28), distance),
    )
    ground(canvas, name, skyline, sand, sand, contrast=0.22, fine=1.5, stretch=9.0)
    top, end = canvas.span(skyline, min(1.0, base + 0.22))
    rows = np.arange(top, end, dtype=np.float32)[:, None] / canvas.height
    slope = np.gradient(np.convolve(np.pad(skyline, 20, "edge"), np.ones(41) / 41, "valid"))
    side = 1 if canvas.sun[0] > 0.5 else -1
    steep = np.clip(slope * side * canvas.width * 6.0, -1, 1)[None, :]
    fall = np.exp(-((rows - skyline[None, :]) / 0.07).clip(0, None))
    canvas.below(skyline, min(1.0, base + 0.22), lit, (np.clip(-steep, 0, 1) * fall * 0.5).astype(np.float32))
    canvas.below(skyline, min(1.0, base + 0.22), dim, (np.clip(steep, 0, 1) * fall * 0.65).astype(np.float32))


def meadow(canvas: Canvas) -> None:
    """Rolling fields with hedges, and flowers underfoot."""
    h, green = canvas.horizon, grass_colour(canvas)
    hills(canvas, "blue hills", h, 0.13, mix(green, (0.40, 0.50, 0.62), 0.6), 0.85, 2.5)
    tones = [mix(green, (0.80, 0.70, 0.36), 0.35), green, mix(green, (0.34, 0.47, 0.28), 0.4)]
    if snowy(canvas):
        tones = [_SNOW, (0.86, 0.89, 0.94), _SNOW]
    hills(canvas, "field 2", h + 0.035, 0.085, tones[0], 0.55, 2.2)
    tree_line(canvas, "hedge 2", h + 0.022, 0.025, 0.6, firs=0.1, density=0.5)
    hills(canvas, "field 1", h + 0.07, 0.07, tones[2], 0.38, 1.8)
    tree_line(canvas, "hedge 1", h + 0.055, 0.045, 0.36, firs=0.15, density=0.45)
    ground(canvas, "meadow", level(canvas, h + 0.075, "roll", 0.05, 1.6), tones[1], lighter(tones[1], 0.12))
    blossom(canvas, h + 0.13, 700)
    grass(canvas, "grass", h + 0.09, 3400, 0.048)


def lake(canvas: Canvas) -> None:
    """Mountains and woods standing on their heads in still water, a grassy bank before it."""
    h = canvas.horizon
    mountains(canvas, "far range", h, 0.34, _ROCK, 0.7, _snow_line(canvas))
    hills(canvas, "foothills", h + 0.005, 0.10, (0.30, 0.42, 0.36), 0.5, 2.4)
    tree_line(canvas, "shore wood", h + 0.004, 0.05, 0.36, firs=0.75)
    water(canvas, h, h + 0.24, (0.10, 0.24, 0.30), calm=0.85)
    bank = canvas.shore = level(canvas, h + 0.22, "bank", 0.05, 1.4)
    foam(canvas, bank, 0.003, 0.25)
    green = grass_colour(canvas)
    ground(canvas, "bank", bank, green, darker(green, 0.12))
    grass(canvas, "grass", h + 0.22, 2600, 0.055)
    blossom(canvas, h + 0.26, 160)


def beach(canvas: Canvas) -> None:
    """Sea to the horizon, a headland, breakers and sand."""
    h = canvas.horizon
    hills(canvas, "headland", h + 0.002, 0.075, (0.36, 0.44, 0.36), 0.75, 1.3)
    rough = canvas.scene.weather in (Weather.RAIN, Weather.SNOW)
    water(canvas, h, h + 0.22, (0.10, 0.42, 0.48), calm=0.2 if rough else 0.42)
    shore = canvas.shore = level(canvas, h + 0.175, "shore", 0.05, 1.3)
    sand: RGB = mix((0.90, 0.80, 0.62), _SNOW, 0.7 if snowy(canvas) else 0.0)
    wet = mix(sand, (0.52, 0.47, 0.44), 0.55)
    ground(canvas, "wet sand", shore, wet, wet, contrast=0.12, stretch=6.0)
    shine = vec(canvas.light.horizon)
    canvas.below(shore, h + 0.32, shine, 0.34)
    foam(canvas, shore, 0.010, 0.95)
    ground(
        canvas,
        "sand",
        shore + 0.035 + 0.02 * (shore - shore.mean()),
        sand,
        sand,
        contrast=0.30,
        fine=1.4,
        stretch=3.0,
    )
    if not snowy(canvas):
        shells = [(0.62, 0.55, 0.48), (0.95, 0.90, 0.84), (0.80, 0.66, 0.58)]
        flowers(canvas, "shells", h + 0.25, shells, 90, hearts=False)
