"""What happens to pictures on their way, real or not: one random pipeline for both classes, and the controls.

Each step takes and gives pixels (H, W, 3) uint8 RGB.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["CONTROLS", "Pixels", "degraded", "jpeg", "resized", "webp"]

Pixels: TypeAlias = NDArray[np.uint8]

_KERNELS = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA, cv2.INTER_LANCZOS4, cv2.INTER_NEAREST)


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    """Written as JPEG and read again."""
    return _through(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])


def webp(pixels: Pixels, quality: int) -> Pixels:
    """Written as lossy WebP and read again."""
    return _through(".webp", pixels, [cv2.IMWRITE_WEBP_QUALITY, quality])


def resized(pixels: Pixels, factor: float, kernel: int = cv2.INTER_CUBIC) -> Pixels:
    """Both sides times `factor`."""
    size = (max(8, round(pixels.shape[1] * factor)), max(8, round(pixels.shape[0] * factor)))
    return _pixels(cv2.resize(pixels, size, interpolation=kernel))


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    """Under a Gaussian of `sigma` pixels."""
    return _pixels(cv2.GaussianBlur(pixels, (0, 0), sigma))


def denoised(pixels: Pixels) -> Pixels:
    """Smoothed where it is smooth, as cameras and editors do."""
    return _pixels(cv2.bilateralFilter(pixels, 5, 30, 3))


def sharpened(pixels: Pixels, amount: float) -> Pixels:
    """Unsharp mask."""
    soft = cv2.GaussianBlur(pixels, (0, 0), 1.0)
    return _pixels(cv2.addWeighted(pixels, 1 + amount, soft, -amount, 0))


def noisy(pixels: Pixels, rng: np.random.Generator, sigma: float) -> Pixels:
    """With a sensor's noise of `sigma` levels."""
    noise = rng.normal(0, sigma, pixels.shape).astype(np.float32)
    return np.asarray(np.clip(pixels + noise, 0, 255), np.uint8)


def few_colours(pixels: Pixels) -> Pixels:
    """With 256 colours and dithering, as optimisers of PNG files leave it."""
    from PIL import Image

    image = Image.fromarray(pixels).quantize(256, dither=Image.Dither.FLOYDSTEINBERG)
    return np.asarray(image.convert("RGB"))


def screenshot(pixels: Pixels) -> Pixels:
    """As shown on a screen of another density."""
    return sharpened(resized(pixels, 0.8, cv2.INTER_LINEAR), 0.3)


CONTROLS: Mapping[str, Callable[[Pixels], Pixels]] = {
    "x0.5": lambda pixels: resized(pixels, 0.5, cv2.INTER_AREA),
    "x1.5": lambda pixels: resized(pixels, 1.5),
    "x2": lambda pixels: resized(pixels, 2.0),
    "x2-linear": lambda pixels: resized(pixels, 2.0, cv2.INTER_LINEAR),
    "x2.5": lambda pixels: resized(pixels, 2.5),
    "blur": lambda pixels: blurred(pixels, 1.0),
    "denoise": denoised,
    "q50": lambda pixels: jpeg(pixels, 50),
    "webp": lambda pixels: webp(pixels, 80),
    "screenshot": screenshot,
    "256-colours": few_colours,
}
"""What real pictures go through in everyday life, and must not be called synthetic for."""


def degraded(pixels: Pixels, rng: np.random.Generator, least: int) -> Pixels:
    """A picture after a random life, at least `least` pixels a side: maybe saved, maybe edited, saved."""
    if rng.random() < 0.35:
        pixels = saved(pixels, rng)
    pixels = edited(pixels, rng)
    short = min(pixels.shape[:2])
    if rng.random() < 0.55:
        factor = float(np.exp(rng.uniform(np.log(0.5), np.log(2.5))))
        factor = max(factor, (least + 2) / short)
        pixels = resized(pixels, factor, int(rng.choice(_KERNELS, p=[0.3, 0.35, 0.15, 0.15, 0.05])))
    if rng.random() < 0.1:
        pixels = edited(pixels, rng)
    return saved(pixels, rng)


def edited(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """One edit, or, more often, none."""
    kind = rng.random()
    if kind < 0.08:
        return blurred(pixels, rng.uniform(0.4, 1.5))
    if kind < 0.13:
        return denoised(pixels)
    if kind < 0.21:
        return sharpened(pixels, rng.uniform(0.2, 1.0))
    if kind < 0.29:
        return noisy(pixels, rng, rng.uniform(1, 6))
    if kind < 0.33:
        return few_colours(pixels)
    return pixels


def saved(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Written in one of the formats of the web and read again."""
    kind = rng.random()
    if kind < 0.55:
        return jpeg(pixels, int(rng.integers(70, 97)))
    if kind < 0.65:
        return jpeg(pixels, int(rng.integers(45, 70)))
    if kind < 0.8:
        return webp(pixels, int(rng.integers(60, 96)))
    return pixels


def _through(suffix: str, pixels: Pixels, options: list[int]) -> Pixels:
    written = cv2.imencode(suffix, np.ascontiguousarray(pixels[..., ::-1]), options)[1]
    return np.ascontiguousarray(np.asarray(cv2.imdecode(written, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])


def _pixels(array: NDArray[np.generic]) -> Pixels:
    return array.astype(np.uint8, copy=False)
