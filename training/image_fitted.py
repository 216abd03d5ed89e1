"""The last layers of decoders, fitted to one picture by least squares instead of trained on many.

What tells a generator's picture apart is mostly left by its last upsampling layers. Here a picture is taken
apart into maps of half its size, some of them are thrown away, and upsampling with one linear convolution
paints it again as well as it can: sharper than a small network trained for minutes, with the same grain.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["KINDS", "fitted"]

Plane = NDArray[np.float32]

KINDS = ("nearest", "bilinear", "fir", "zeros")
_FIR = np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype(np.float32) / 16
_SAMPLES = 6000


def fitted(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The picture (H, W, 3), sides divisible by 4, as a fitted decoder of a random kind paints it."""
    painted = _painted(pixels.astype(np.float32), rng, deep=rng.random() < 0.6)
    return np.clip(np.rint(painted), 0, 255).astype(np.uint8)


def _painted(x: Plane, rng: np.random.Generator, deep: bool) -> Plane:
    kind = str(rng.choice(KINDS))
    # Zeros between few maps give each pixel a kernel of its own: with many the picture would come back whole.
    count = int(rng.integers(1, 4)) if kind == "zeros" else int(rng.integers(3, 11))
    maps = _maps(x, count, rng, deep)
    reach = 2 if kind == "zeros" else 1
    columns = _windows(_grown(maps, kind), reach)
    rows = rng.choice(len(columns), min(_SAMPLES, len(columns)), replace=False)
    target = x.reshape(-1, 3)
    weights = _least_squares(columns[rows], target[rows])
    return (columns @ weights).reshape(x.shape)


def _maps(x: Plane, count: int, rng: np.random.Generator, deep: bool) -> Plane:
    """Maps of half the size: the mean of every 2 × 2 pixels, and random mixtures of how these differ."""
    phases = np.stack([x[dy::2, dx::2] for dy in (0, 1) for dx in (0, 1)])
    mean = phases.mean(axis=0)
    detail = (phases[:3] - mean).transpose(1, 2, 0, 3).reshape(*mean.shape[:2], 9)
    mixed = detail @ rng.normal(0, 1 / 3, (9, count)).astype(np.float32)
    if deep:
        mean = _painted(mean, rng, deep=False)
        mixed = mixed + rng.normal(0, rng.uniform(0, 2), mixed.shape).astype(np.float32)
    return np.concatenate([mean, mixed], axis=2)


def _grown(maps: Plane, kind: str) -> Plane:
    height, width = maps.shape[:2]
    if kind in ("nearest", "bilinear"):
        how = cv2.INTER_NEAREST if kind == "nearest" else cv2.INTER_LINEAR
        return np.stack(
            [cv2.resize(m, (2 * width, 2 * height), interpolation=how) for m in _each(maps)], axis=2
        )
    spread = np.zeros((2 * height, 2 * width, maps.shape[2]), np.float32)
    spread[::2, ::2] = maps
    if kind == "zeros":
        return spread
    return np.stack([cv2.filter2D(m, cv2.CV_32F, _FIR) for m in _each(spread)], axis=2)


def _each(maps: Plane) -> list[Plane]:
    return [np.ascontiguousarray(maps[..., i]) for i in range(maps.shape[2])]


def _windows(maps: Plane, reach: int) -> Plane:
    """What a convolution sees at every pixel, and a one: (H × W, channels × (2 reach + 1)² + 1)."""
    height, width = maps.shape[:2]
    padded = np.pad(maps, ((reach, reach), (reach, reach), (0, 0)), mode="reflect")
    span = range(2 * reach + 1)
    seen = [padded[dy : dy + height, dx : dx + width] for dy in span for dx in span]
    ones = np.ones((height, width, 1), np.float32)
    return np.concatenate([*seen, ones], axis=2).reshape(height * width, -1)


def _least_squares(columns: Plane, target: Plane) -> Plane:
    """Ridge regression; the penalty keeps kernels as small as training would."""
    gram = columns.T @ columns + 20.0 * len(columns) / 100 * np.eye(columns.shape[1], dtype=np.float32)
    solved: Plane = np.linalg.solve(gram, columns.T @ target)
    return solved
