"""Fractal noise: what keeps skies, rock, water and cloth from looking flat."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Plane", "Random", "fractal", "ridge", "smoothstep", "spread", "tile_side"]

Random = np.random.Generator
Plane = NDArray[np.float32]


def fractal(
    rng: Random, shape: tuple[int, int], cells: tuple[float, float], octaves: int = 5, gain: float = 0.5
) -> Plane:
    """Smooth value noise of `shape` (rows, columns) in about [0, 1], mean 0.5.

    `cells` says how many bumps of the coarsest octave fit down and across; each octave doubles them and
    weighs `gain` times the one before. Octaves finer than the pixel grid are left out.
    """
    rows, columns = shape
    total: Any = np.zeros(shape, np.float32)
    weight, norm = 1.0, 0.0
    for octave in range(octaves):
        down, across = int(cells[0] * 2**octave) + 2, int(cells[1] * 2**octave) + 2
        grid = rng.random((down, across), dtype=np.float32)
        if octave and (across > columns or 1 < rows < down):
            continue  # the draw above still happens, so small and large pictures stay in step
        total += weight * cv2.resize(grid, (columns, rows), interpolation=cv2.INTER_CUBIC)
        norm += weight
        weight *= gain
    return np.asarray(total / norm, np.float32)


def ridge(rng: Random, length: int, bumps: float, octaves: int = 6, gain: float = 0.5) -> Plane:
    """A one-dimensional skyline of `length` samples in about [0, 1]."""
    line: Plane = fractal(rng, (1, length), (0, bumps), octaves=octaves, gain=gain)[0]
    return line


def tile_side(unit: int) -> int:
    """Pixels along a tile of noise that is fine enough for a picture whose shorter side is `unit`."""
    return 128 if unit < 200 else 256 if unit < 500 else 512


def spread(tile: Plane, x: Any, y: Any) -> Plane:
    """`tile` laid over the plane again and again, each copy mirrored so that none shows an edge.

    `x` and `y`, of one shape, say where to look, in tiles.
    """
    last = tile.shape[0] - 1

    def folded(where: Any) -> Plane:
        return np.asarray(last * (1 - np.abs(where % 2 - 1)), np.float32)

    return np.asarray(cv2.remap(tile, folded(x), folded(y), cv2.INTER_LINEAR), np.float32)


def smoothstep(low: float, high: float, value: Any) -> Any:
    """0 below `low`, 1 above `high`, an S between."""
    t: Any = np.clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
