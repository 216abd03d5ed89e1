"""What the embedded image detector measures: traces of upsampling and the lack of a camera's, as numbers.

Training and detector share these functions, so that both see the same. All of it looks at residuals, what is
left of a picture when its content is predicted from neighbouring pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft2

__all__ = ["SIDE", "around", "features", "windows"]

SIDE = 256
"""A window's side, in pixels, at most."""

Plane = NDArray[np.float32]

_EDGE = np.array([[0, 0, 0], [0, -1, 1], [0, 0, 0]], np.float32)
_LINE = np.array([[0, 0, 0], [0.5, -1, 0.5], [0, 0, 0]], np.float32)
_SQUARE = np.array([[-1, 2, -1], [2, -4, 2], [-1, 2, -1]], np.float32) / np.float32(4)
_KERNELS = (_EDGE, _LINE, _SQUARE)
_RINGS = 16
_TILE = 64
_NEAR = 128
_FLAT = 2.0


def features(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The numbers of one window (H, W, 3) of RGB, 64 pixels a side at least."""
    x = pixels.astype(np.float32)
    gray: Plane = x @ np.array([0.299, 0.587, 0.114], np.float32)
    median = cv2.subtract(pixels, cv2.medianBlur(pixels, 3), dtype=cv2.CV_32F)
    found = [
        *(_neighbours(gray, kernel) for kernel in _KERNELS),
        _local(median),
        _spectrum(gray),
        _lags(_highpass(gray)),
        _colours(x),
        _grain(gray),
    ]
    return np.concatenate(found).astype(np.float32)


def windows(pixels: NDArray[np.uint8], most: int) -> list[tuple[int, int, NDArray[np.uint8]]]:
    """At most `most` windows of a picture (H, W, 3), spread evenly over it, each with its top and left edge.

    Windows without detail are left out. A picture smaller than a window is one.
    """
    height, width = pixels.shape[:2]
    rows, columns = max(1, round(height / SIDE)), max(1, round(width / SIDE))
    while rows * columns > most:
        rows, columns = (rows - 1, columns) if rows >= columns else (rows, columns - 1)
    cut = [
        (y, x, pixels[y : y + SIDE, x : x + SIDE])
        for y in _starts(height, rows)
        for x in _starts(width, columns)
    ]
    return [
        (y, x, np.ascontiguousarray(window)) for y, x, window in cut if window.std(axis=(0, 1)).max() >= _FLAT
    ]


def around(pixels: NDArray[np.uint8], most: int) -> list[list[NDArray[np.uint8]]]:
    """A window around each place of a grid over the picture, at most `most` rows and columns, as many as fit
    at a quarter of a window's distance; at the edges windows move inward."""
    height, width = pixels.shape[:2]
    rows, columns = (min(most, max(1, length // (SIDE // 4))) for length in (height, width))
    tops = [_clamped((row + 0.5) * height / rows, height) for row in range(rows)]
    lefts = [_clamped((column + 0.5) * width / columns, width) for column in range(columns)]
    return [
        [np.ascontiguousarray(pixels[top : top + _NEAR, left : left + _NEAR]) for left in lefts]
        for top in tops
    ]


def _clamped(middle: float, length: int) -> int:
    return round(max(0.0, min(length - _NEAR, middle - _NEAR / 2)))


def _starts(length: int, count: int) -> list[int]:
    room = max(0, length - SIDE)
    return [room // 2] if count == 1 else [round(room * i / (count - 1)) for i in range(count)]


def _neighbours(gray: Plane, kernel: NDArray[np.float32]) -> Plane:
    """How often three neighbouring residuals take which values, −2 to 2 (Fridrich and Kodovský, 2012: rich
    models); directions and signs are pooled, since nothing in a picture's making prefers one."""
    counts = np.zeros(125)
    for turned, rows in ((kernel, False), (kernel.T, True)):
        residual = cv2.filter2D(gray, cv2.CV_32F, np.ascontiguousarray(turned))
        levels = (np.clip(np.rint(residual / 1.5), -2, 2) + 2).astype(np.int32)
        levels = levels.T if rows else levels
        codes = 25 * levels[:, :-2] + 5 * levels[:, 1:-1] + levels[:, 2:]
        counts += np.bincount(codes.ravel(), minlength=125)
    pooled: Plane = _pool(counts / counts.sum())
    return np.sqrt(pooled)


def _classes() -> NDArray[np.int64]:
    """Which of the 125 triples count as one: mirrored, and with the signs turned."""
    first: dict[tuple[int, int, int], int] = {}
    order = []
    for code in range(125):
        a, b, c = code // 25, code // 5 % 5, code % 5
        same = [(a, b, c), (c, b, a), (4 - a, 4 - b, 4 - c), (4 - c, 4 - b, 4 - a)]
        order.append(first.setdefault(min(same), len(first)))
    return np.array(order)


_CLASS = _classes()


def _pool(share: NDArray[np.float64]) -> Plane:
    return np.bincount(_CLASS, share).astype(np.float32)


def _local(median: Plane) -> Plane:
    """How pixels differ from the median around them (Liang et al., 2025: local pixel dependencies)."""
    found = []
    for channel in range(3):
        size = np.abs(median[..., channel]).astype(np.uint8).ravel()
        share = np.bincount(size, minlength=256) / size.size
        below = np.cumsum(share)[[0, 1, 3, 7]]
        mean = float(share @ _LEVELS) + 1e-3
        found += [*below, np.log(mean), np.sqrt(float(share @ _LEVELS**2)) / mean]
    return np.array(found, np.float32)


_LEVELS = np.arange(256, dtype=np.float64)


def _highpass(gray: Plane) -> Plane:
    return np.asarray(gray - cv2.GaussianBlur(gray, (0, 0), 1.0), np.float32)


def _spectrum(gray: Plane) -> Plane:
    """The residual's power by distance from the spectrum's middle, and how far it stands out at the
    frequencies that upsampling by 2, 4 and 8 leaves (Durall et al., 2020; Corvi et al., 2023)."""
    tiles = _tiles(gray)
    window = np.outer(np.hanning(_TILE), np.hanning(_TILE)).astype(np.float32)
    power = np.abs(rfft2((tiles - tiles.mean(axis=(1, 2), keepdims=True)) * window)) ** 2
    # The median over tiles, since a few edges would else outweigh the rest.
    half = np.log(np.median(power, axis=0) + 1.0)
    log = np.concatenate([half, half[_MIRROR, -2:0:-1]], axis=1)
    rings = np.array([log[ring == _RADIUS].mean() for ring in range(_RINGS)])
    smooth = cv2.blur(np.pad(log, 4, mode="wrap"), (9, 9))[4:-4, 4:-4]
    above = log - smooth
    peaks = np.array([above[mask].max() for mask in _COMBS] + [above[mask].mean() for mask in _COMBS])
    return np.concatenate([rings[1:] - rings[:-1], rings[-1:], peaks])


def _tiles(gray: Plane) -> Plane:
    rows, columns = gray.shape[0] // _TILE, gray.shape[1] // _TILE
    cut = gray[: rows * _TILE, : columns * _TILE].reshape(rows, _TILE, columns, _TILE)
    return cut.swapaxes(1, 2).reshape(-1, _TILE, _TILE)


def _radius() -> NDArray[np.int64]:
    axis = np.fft.fftfreq(_TILE) * 2
    return np.asarray(np.minimum(np.hypot(axis[:, None], axis[None]) * _RINGS, _RINGS - 1), np.int64)


def _combs() -> list[NDArray[np.bool_]]:
    """Where upsampling by 2, 4 and 8 repeats the spectrum, but for what the coarser ones have already."""
    at = np.arange(_TILE)
    taken = np.zeros((_TILE, _TILE), bool)
    taken[0, 0] = True
    found = []
    for factor in (2, 4, 8):
        on = at % (_TILE // factor) == 0
        mask = (on[:, None] & on[None]) & ~taken
        taken |= mask
        found.append(mask)
    return found


_RADIUS = _radius()
_MIRROR = -np.arange(_TILE) % _TILE
_COMBS = _combs()


def _lags(residual: Plane) -> Plane:
    """How alike the residual is to itself some pixels on: a resampling kernel's shape (Popescu and Farid,
    2005), and how its strength differs between the phases of a grid of 2 and of 4."""
    x = residual - residual.mean()
    power = float((x**2).mean()) + 1e-3
    lags = [
        float((x[dy:, dx:] * x[: x.shape[0] - dy, : x.shape[1] - dx]).mean()) / power
        for dy, dx in (
            (0, 1),
            (1, 0),
            (1, 1),
            (0, 2),
            (2, 0),
            (2, 2),
            (1, 2),
            (2, 1),
            (0, 3),
            (3, 0),
            (0, 4),
            (4, 0),
        )
    ]
    paired = [(a + b) / 2 for a, b in zip(lags[::2], lags[1::2], strict=True)]
    return np.array([*paired, lags[2], lags[5], *(_phases(x, step) for step in (2, 4, 8))], np.float32)


def _phases(x: Plane, step: int) -> float:
    height, width = (side // step * step for side in x.shape)
    cut = np.abs(x[:height, :width]).reshape(height // step, step, width // step, step)
    strength = cut.mean(axis=(0, 2))
    return float(strength.std() / (strength.mean() + 1e-3))


def _colours(x: Plane) -> Plane:
    """How the channels' residuals go together: a camera interpolates its colours from one mosaic."""
    residual = x - cv2.GaussianBlur(x, (0, 0), 1.0)
    flat = residual.reshape(-1, 3)
    spread = flat.std(axis=0) + 0.05
    pairs = [(flat[:, a] * flat[:, b]).mean() / (spread[a] * spread[b]) for a, b in ((0, 1), (1, 2), (0, 2))]
    ratio = np.log(spread[[0, 2]] / spread[1])
    chroma = residual[..., [0, 2]] - residual[..., [1]]
    held = [
        float((chroma[:, lag:, c] * chroma[:, :-lag, c]).mean() / ((chroma[..., c] ** 2).mean() + 1e-2))
        for c in (0, 1)
        for lag in (1, 2)
    ]
    return np.array([*pairs, *ratio, *held], np.float32)


def _grain(gray: Plane) -> Plane:
    """How strong the finest residual is in the window's smoothest to its busiest places, against the next
    coarser one, and how it goes with brightness: a sensor's noise does, a decoder's need not."""
    fine = cv2.filter2D(gray, cv2.CV_32F, _SQUARE)
    half = cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    coarse = cv2.filter2D(half, cv2.CV_32F, _SQUARE)
    blocks = np.log(_block(fine**2, 16) + 0.05)
    below = np.log(_block(coarse**2, 8)[: blocks.shape[0], : blocks.shape[1]] + 0.05)
    light = _block(gray, 16)
    ranks = np.quantile(blocks, (0.05, 0.25, 0.5, 0.75, 0.95))
    drop = np.quantile(below - blocks, (0.1, 0.5, 0.9))
    slope = np.corrcoef(
        light.ravel() + 1e-3 * _RAMP[: light.size], blocks.ravel() + 1e-6 * _RAMP[: light.size]
    )
    return np.array([*ranks, *drop, slope[0, 1]], np.float32)


_RAMP = np.arange(4096, dtype=np.float32)


def _block(plane: Plane, side: int) -> Plane:
    height, width = (length // side * side for length in plane.shape)
    blocks = plane[:height, :width].reshape(height // side, side, width // side, side)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)
