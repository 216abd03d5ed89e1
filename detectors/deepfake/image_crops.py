"""Where the embedded image detector looks: the places of a picture that have the most fine detail."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["SIDE", "around", "crops"]

SIDE = 128
"""A crop's side, in pixels."""
_WIDEST = 8
_FLAT = 2.0
_LOUD = 12.0

Pixels: TypeAlias = NDArray[np.uint8]


def crops(pixels: Pixels, most: int) -> list[tuple[int, int, Pixels]]:
    """At most `most` crops of a picture (H, W, 3), 128 a side at least, with their top and left edges.

    They come from an even grid over the picture, those with the most fine detail first; a few strong edges
    count for no more than grain does. Crops without detail are left out.
    """
    tops, lefts = (_starts(length) for length in pixels.shape[:2])
    cut = [(top, left, pixels[top : top + SIDE, left : left + SIDE]) for top in tops for left in lefts]
    detailed = [place for place in cut if place[2].std(axis=(0, 1)).max() >= _FLAT]
    chosen = sorted(detailed, key=lambda place: -_detail(place[2]))[:most]
    return [(top, left, np.ascontiguousarray(crop)) for top, left, crop in chosen]


def around(pixels: Pixels, most: int) -> list[list[Pixels]]:
    """A crop around each place of a grid over the picture, at most `most` rows and columns, as many as fit at
    half a crop's distance; at the edges crops move inward."""
    height, width = pixels.shape[:2]
    rows, columns = (min(most, max(1, length // (SIDE // 2))) for length in (height, width))
    tops = [_clamped((row + 0.5) * height / rows, height) for row in range(rows)]
    lefts = [_clamped((column + 0.5) * width / columns, width) for column in range(columns)]
    return [
        [np.ascontiguousarray(pixels[top : top + SIDE, left : left + SIDE]) for left in lefts] for top in tops
    ]


def _detail(crop: Pixels) -> float:
    gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    fine = cv2.absdiff(gray, cv2.GaussianBlur(gray, (3, 3), 0))
    return float(np.minimum(fine, _LOUD).mean())


def _clamped(middle: float, length: int) -> int:
    return round(max(0.0, min(length - SIDE, middle - SIDE / 2)))


def _starts(length: int) -> list[int]:
    count = min(_WIDEST, max(1, length // SIDE))
    room = length - SIDE
    return [room // 2] if count == 1 else [round(room * i / (count - 1)) for i in range(count)]
