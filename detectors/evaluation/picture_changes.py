"""What evaluation does to pictures: one random pipeline for both classes, harmless changes of real ones."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from detectors.quality import middle
from guard.media import Artifact

__all__ = ["CONTROLS", "Pixels", "common", "jpeg", "resized"]

Pixels = NDArray[np.uint8]

_SIDE = 512
_CONTROL_SIDE = 768


def common(artifact: Artifact, side: int, rng: np.random.Generator) -> Artifact:
    """A random square of `side` pixels, or the whole of a smaller picture, as JPEG of quality 70 to 95."""
    pixels = artifact.picture.rgb()
    height, width = pixels.shape[:2]
    top = int(rng.integers(0, max(0, height - side) + 1))
    left = int(rng.integers(0, max(0, width - side) + 1))
    return jpeg(pixels[top : top + side, left : left + side], int(rng.integers(70, 96)))


def resized(artifact: Artifact, rng: np.random.Generator) -> Artifact:
    """The middle square at 512 × 512 pixels, as JPEG of quality 70 to 95."""
    pixels = artifact.picture.rgb()
    square = middle(pixels, min(pixels.shape[:2]))
    return jpeg(_scaled(square, _SIDE / square.shape[0]), int(rng.integers(70, 96)))


def jpeg(pixels: Pixels, quality: int) -> Artifact:
    """RGB pixels as JPEG without any metadata."""
    return _written(pixels, "JPEG", quality=quality)


def _written(pixels: Pixels, kind: str, **options: int) -> Artifact:
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, kind, **options)
    return Artifact.from_bytes(file.getvalue())


def _scaled(pixels: Pixels, factor: float) -> Pixels:
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    size = [max(1, round(side * factor)) for side in pixels.shape[1::-1]]
    return np.asarray(cv2.resize(pixels, size, interpolation=way), np.uint8)


def _screenshot(pixels: Pixels) -> Artifact:
    """The picture at 0.8 of its size in a window with bars, in a lossless file."""
    small = _scaled(pixels, 0.8)
    height, width = small.shape[:2]
    screen = np.full((height + 72, width + 24, 3), 245, np.uint8)
    screen[:28] = (52, 58, 64)
    for number, colour in enumerate(((237, 106, 94), (245, 191, 79), (98, 197, 84))):
        cv2.circle(screen, (16 + 18 * number, 14), 6, colour, -1, cv2.LINE_AA)
    screen[40 : 40 + height, 12 : 12 + width] = small
    cv2.putText(screen, "photo.jpg", (12, height + 62), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (70, 70, 70), 1, 16)
    return _written(screen, "PNG")


_CHANGES: dict[str, Callable[[Pixels], Artifact]] = {
    "resized × 0.5": lambda pixels: jpeg(_scaled(pixels, 0.5), 90),
    "resized × 1.5": lambda pixels: jpeg(_scaled(pixels, 1.5), 90),
    "resized × 2": lambda pixels: jpeg(_scaled(pixels, 2), 90),
    "resized × 2.5": lambda pixels: jpeg(_scaled(pixels, 2.5), 90),
    "blurred": lambda pixels: jpeg(np.asarray(cv2.GaussianBlur(pixels, (0, 0), 1.5), np.uint8), 90),
    "denoised": lambda pixels: jpeg(np.asarray(cv2.bilateralFilter(pixels, 7, 30, 3), np.uint8), 90),
    "JPEG 50": lambda pixels: jpeg(pixels, 50),
    "WebP 80": lambda pixels: _written(pixels, "WEBP", quality=80),
    "screenshot": _screenshot,
}


def _control(change: Callable[[Pixels], Artifact]) -> Callable[[Artifact, np.random.Generator], Artifact]:
    return lambda artifact, _: change(middle(artifact.picture.rgb(), _CONTROL_SIDE))


CONTROLS: Mapping[str, Callable[[Artifact, np.random.Generator], Artifact]] = MappingProxyType(
    {name: _control(change) for name, change in _CHANGES.items()}
)
"""What happens to honest pictures every day, on at most 768 × 768 pixels of each."""
