"""Codes of a picture: of the whole, and of the places in it that stand out.

Such a place is a blob, lighter or darker than what is around it, found with its size as an extremum of
differences of Gaussians (D. G. Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004).
It is looked at in a disc of five times its size, turned upright by where the disc's weight lies (E. Rublee
et al., "ORB: an efficient alternative to SIFT or SURF", ICCV 2011) and made a light one, so that the same
place gives the same code in a crop, turned, scaled or inverted. The code of the whole serves pictures that
were stretched, and those in which nothing stands out.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from guard.ledger.fingerprint import KEY_BITS, Coder, Codes, Floats

__all__ = ["FILED", "Places", "Whole", "places_of", "thumbnail", "whole_of", "within"]

Gray = NDArray[np.uint8]

FILED = 16
"""So many places of a picture are filed; those of a copy are asked for twice as many."""
SIDE = 128
_LEAST_SIDE = 24
_HALVED_BELOW = 0.25
_PATCH = 32
_REACH = 5.0
_STEPS = 3  # per octave
_SIGMAS = [2 ** (step / _STEPS) for step in range(12)]
_STANDS_OUT = 1.5  # grey levels
_PLAIN = 3.0  # grey levels within a row or column of a border

_ACROSS, _DOWN = np.meshgrid(*2 * [(np.arange(_PATCH, dtype=np.float32) * 2 + 1) / _PATCH - 1])
_BELL = np.exp(-(_ACROSS**2 + _DOWN**2) / 0.98).astype(np.float32)
_DISC = np.where(_ACROSS**2 + _DOWN**2 <= 1, _BELL, 0).astype(np.float32)

# Signs of coarse frequencies that say the most together: what is light in its middle, and heavier on its
# right, has others of one sign mostly, and neighbours go together under the bell.
_KEY = [(1, 2), (3, 1), (4, 1), (1, 5), (5, 3), (1, 6), (4, 5), (5, 4), (6, 3), (7, 1), (2, 7), (7, 2)]
_KEY += [(5, 6), (7, 4), (8, 1), (6, 6), (3, 8), (5, 7), (7, 5), (4, 8), (8, 4), (1, 9), (9, 1), (6, 7)]
_PLACE_CODER = Coder(_PATCH, _PATCH, _KEY)
_WHOLE_CODER = Coder(_PATCH, _PATCH)
_ODD = np.where(np.arange(1, 17) % 2, -1, 1).astype(np.float32)


class Places(NamedTuple):
    """Places that stand out, the most distinctive first: x and y, size and angle (n, 4) in the thumbnail;
    their codes (n, 32), and the bits of these that are least certain (n, 24)."""

    frames: Floats
    codes: Codes
    weak: NDArray[np.intp]


class Whole(NamedTuple):
    """Codes (n, 32) of a picture laid in n ways, the way it is first, and their least certain bits."""

    codes: Codes
    weak: NDArray[np.intp]


def thumbnail(gray: Gray) -> Gray:
    """The picture (H, W) with at most 128 pixels a side."""
    height, width = gray.shape
    scale = min(1.0, SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Halving first is three times as fast; it leaves out a last odd row or column.
    if scale < _HALVED_BELOW and min(gray.shape) > 1:
        half = (width // 2, height // 2)
        gray = np.asarray(cv2.resize(gray[: 2 * half[1], : 2 * half[0]], half, interpolation=cv2.INTER_AREA))
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)


def within(gray: Gray) -> tuple[Gray, Gray]:
    """The picture without the plain borders that screens and players put around it, and its thumbnail."""
    shown = thumbnail(gray)
    scale = gray.shape[0] / shown.shape[0], gray.shape[1] / shown.shape[1]
    rows, columns = slice(0, shown.shape[0]), slice(0, shown.shape[1])
    for _ in range(2):  # what is beside the picture may be found only once what is above it is gone
        rows = _lively(shown[:, columns].std(axis=1))
        if rows.stop - rows.start < _LEAST_SIDE:
            return gray, shown
        columns = _lively(shown[rows].std(axis=0))
        if columns.stop - columns.start < _LEAST_SIDE:
            return gray, shown
        if (rows.stop - rows.start, columns.stop - columns.start) == shown.shape:
            return gray, shown
    (top, bottom), (left, right) = (
        (round(ends.start * by), round(ends.stop * by))
        for ends, by in zip((rows, columns), scale, strict=True)
    )
    return gray[top:bottom, left:right], thumbnail(gray[top:bottom, left:right])


def _lively(spread: Floats) -> slice:
    """From the first row or column that is not plain to the last."""
    lively = np.flatnonzero(spread > _PLAIN)
    return slice(int(lively[0]), int(lively[-1]) + 1) if len(lively) else slice(0, 0)


def whole_of(thumb: Gray, *, ways: bool = False) -> Whole | None:
    """The code of a whole thumbnail; with `ways`, also of what it was if it has been turned, mirrored or
    inverted. None for a blank or tiny one."""
    if min(thumb.shape) < _LEAST_SIDE or thumb.std() < _PLAIN:
        return None
    small = cv2.resize(thumb, (_PATCH, _PATCH), interpolation=cv2.INTER_AREA).astype(np.float32)
    upright = _WHOLE_CODER.coefficients(small[None])
    return Whole(*_WHOLE_CODER.codes(_all_ways(upright) if ways else upright))


def _all_ways(upright: Floats) -> Floats:
    """Of the inversion, and of mirrorings and quarter turns, which change signs and order alone."""
    turned = upright.transpose(0, 2, 1)
    laid = [c * v * h for c in (upright, turned) for v in _signs(1) for h in _signs(0)]
    return np.concatenate([laid[0], -laid[0], *laid[1:]])


def _signs(axis: int) -> tuple[Floats, Floats]:
    odd = np.expand_dims(_ODD, axis)
    return np.ones_like(odd), odd


def places_of(thumb: Gray, count: int, *, mirrored: bool = False) -> Places:
    """The `count` most distinctive places of a thumbnail, fewer where there are fewer; with `mirrored`,
    followed by the same with the codes that they had if the picture has been mirrored.
    """
    if min(thumb.shape) < _LEAST_SIDE:
        return Places(
            np.zeros((0, 4), np.float32), np.zeros((0, 32), np.uint8), np.zeros((0, KEY_BITS), np.intp)
        )
    levels = _levels(thumb)
    found = _stand_out(levels)[:count]
    x, y, size, light = found.T
    flat = _patches(levels, found[:, :3], np.zeros(len(found), np.float32))
    weight = light[:, None, None] * _DISC * (flat - _mean(flat, _DISC))
    angle = np.arctan2((weight * _DOWN).sum((1, 2)), (weight * _ACROSS).sum((1, 2)))
    upright = _patches(levels, found[:, :3], angle)
    upright = light[:, None, None] * _BELL * (upright - _mean(upright, _BELL))
    frames = np.stack([x, y, size, angle], axis=1).astype(np.float32)
    coefficients = _PLACE_CODER.coefficients(upright)
    if mirrored:
        coefficients = np.concatenate([coefficients, coefficients * _ODD[:, None]])
        frames = np.concatenate([frames, frames])
    return Places(frames, *_PLACE_CODER.codes(coefficients))


def _levels(thumb: Gray) -> list[Floats]:
    """The thumbnail ever more blurred."""
    levels, blurred, before = [], thumb.astype(np.float32), 0.5
    for sigma in _SIGMAS:
        more = float((sigma**2 - before**2) ** 0.5)
        width = 2 * math.ceil(3 * more) + 1
        blurred = np.asarray(cv2.GaussianBlur(blurred, (width, width), more), np.float32)
        levels.append(blurred)
        before = sigma
    return levels


def _stand_out(levels: list[Floats]) -> Floats:
    """Places (n, 4): x, y, size, and 1 for light ones, −1 for dark ones; the most distinctive first."""
    # A layer at a time: arrays of all layers would be given back to the system, and faulted in, at each step.
    differences: list[Floats] = [after - before for before, after in pairwise(levels)]
    contrast = [np.abs(layer) for layer in differences]
    around = [cv2.dilate(layer, np.ones((3, 3), np.uint8)) for layer in contrast]
    tops = [_tops(*layers) for layers in zip(contrast[1:-1], around, around[1:], around[2:], strict=False)]
    level = np.repeat(np.arange(1, len(tops) + 1), [len(found) for found in tops])
    height, width = levels[0].shape
    y, x = np.divmod(np.concatenate(tops), width)
    reach = _REACH * _size(level)
    inside = (x + 1 >= reach) & (y + 1 >= reach) & (x + reach <= width) & (y + reach <= height)
    places = _refined(np.stack(differences), level[inside], y[inside], x[inside])
    # Large ones are fewer and more telling.
    worth = np.abs(places[:, 3]) * np.sqrt(_size(level[inside]))
    found = places[np.argsort(-worth, kind="stable")]
    found[:, 3] = -np.sign(found[:, 3])  # a light blob loses light when it is blurred
    return found


def _tops(here: Floats, below: Floats, around: Floats, above: Floats) -> NDArray[np.intp]:
    """Where a layer is at least as high as all around it in itself and in its neighbours."""
    found = np.flatnonzero((here >= around) & (here > _STANDS_OUT))
    height = here.ravel()[found]
    return found[(height >= below.ravel()[found]) & (height >= above.ravel()[found])]


def _size(level: NDArray[np.intp] | Floats) -> Floats:
    size: Floats = (2 ** ((level + 0.5) / _STEPS)).astype(np.float32)
    return size


def _refined(
    differences: Floats, level: NDArray[np.intp], y: NDArray[np.intp], x: NDArray[np.intp]
) -> Floats:
    """The places between the pixels and levels, none at the edge: tops of parabolas; and what is there."""
    here = differences[level, y, x]

    def top(before: Floats, after: Floats) -> Floats:
        bend = before - 2 * here + after
        offset: Floats = np.clip((before - after) / np.where(bend == 0, 1, 2 * bend), -0.5, 0.5)
        return offset

    x_at = x + top(differences[level, y, x - 1], differences[level, y, x + 1])
    y_at = y + top(differences[level, y - 1, x], differences[level, y + 1, x])
    level_at = level + top(differences[level - 1, y, x], differences[level + 1, y, x])
    return np.stack([x_at, y_at, _size(level_at), here], axis=1).astype(np.float32)


def _patches(levels: list[Floats], places: Floats, angle: Floats) -> Floats:
    """The discs around places (n, 3), turned upright: (n, 32, 32), from levels blurred as they need."""
    patches = np.zeros((len(places), _PATCH, _PATCH), np.float32)
    x, y, size = places.T[:, :, None, None]
    cos, sin = _REACH * size * np.cos(angle)[:, None, None], _REACH * size * np.sin(angle)[:, None, None]
    across = (x + cos * _ACROSS - sin * _DOWN).astype(np.float32)
    down = (y + sin * _ACROSS + cos * _DOWN).astype(np.float32)
    blur = np.maximum(1.2 * _REACH / _PATCH * places[:, 2], 1)
    wanted = np.minimum(np.rint(_STEPS * np.log2(blur)).astype(np.intp), len(levels) - 1)
    for level in np.unique(wanted):
        chosen = wanted == level
        to_x, to_y = (part[chosen].reshape(-1, _PATCH) for part in (across, down))
        looked = cv2.remap(levels[level], to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        patches[chosen] = looked.reshape(-1, _PATCH, _PATCH)
    return patches


def _mean(patches: Floats, weights: Floats) -> Floats:
    mean: Floats = (patches * weights).sum((1, 2), keepdims=True) / weights.sum()
    return mean
