"""A cascade of local binary patterns that tells frontal faces (Zhang et al., 2007; Viola and Jones, 2001).

OpenCV 5 has dropped its cascades, and brings no other model of faces. So its stages are kept here as data
(weights/face.json, see NOTICE there) and evaluated on all windows of one scale at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from guard.errors import DetectorError

__all__ = ["Found", "find_faces"]

_SCALE = 1.1
_OVERLAP = 0.3
_AROUND = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
"""The cells around the middle one, row and column, from the highest bit of a pattern to the lowest."""

Gray = NDArray[np.uint8]
Sums = NDArray[np.int32]
Places = NDArray[np.int64]


class Found(NamedTuple):
    """A square in which the cascade sees a face, in pixels, and in how many windows around it."""

    x: int
    y: int
    side: int
    windows: int


class _Weak(NamedTuple):
    """One test: a block of 3 × 3 cells, each `width` × `height`, whose pattern adds `votes[pattern]`."""

    x: int
    y: int
    width: int
    height: int
    votes: NDArray[np.float32]


class _Stage(NamedTuple):
    least: float
    weak: tuple[_Weak, ...]


class _Cascade(NamedTuple):
    side: int
    stages: tuple[_Stage, ...]


def find_faces(gray: Gray, least_windows: int, smallest: int = 24) -> list[Found]:
    """The faces in a gray picture (H, W), largest first, from `smallest` pixels up.

    Windows that overlap are one face where at least `least_windows` of them agree. Raises `DetectorError`
    where the cascade's data are missing.
    """
    cascade = _shipped()
    windows: list[tuple[int, int, int]] = []
    for factor, small in _pyramid(gray, cascade.side, smallest):
        sums = cv2.integral(small)
        step = 1 if factor > 2 else 2  # as OpenCV: neighbours at fine scales say the same
        rows, columns = _survivors(cascade, sums, step)
        side = round(cascade.side * factor)
        windows += [(round(x * factor), round(y * factor), side) for x, y in zip(columns, rows, strict=True)]
    return _grouped(windows, least_windows)


def _pyramid(gray: Gray, side: int, smallest: int) -> Iterator[tuple[float, Gray]]:
    """The picture at each scale, and by how much it was made smaller."""
    height, width = gray.shape
    factor = smallest / side
    while min(height, width) / factor >= side:
        size = (max(side, round(width / factor)), max(side, round(height / factor)))
        yield factor, cv2.resize(gray, size, interpolation=cv2.INTER_AREA if factor > 1 else cv2.INTER_LINEAR)
        factor *= _SCALE


def _survivors(cascade: _Cascade, sums: Sums, step: int) -> tuple[Places, Places]:
    """Rows and columns of the windows that pass every stage."""
    height, width = sums.shape[0] - 1, sums.shape[1] - 1
    down = np.arange(0, height - cascade.side + 1, step)
    across = np.arange(0, width - cascade.side + 1, step)
    rows, columns = (grid.ravel() for grid in np.meshgrid(down, across, indexing="ij"))
    flat, stride = sums.ravel(), sums.shape[1]
    for stage in cascade.stages:
        total = np.zeros(len(rows), np.float32)
        for weak in stage.weak:
            total += weak.votes[_patterns(flat, stride, rows * stride + columns, weak)]
        passed = total >= stage.least
        rows, columns = rows[passed], columns[passed]
        if not len(rows):
            break
    return rows, columns


def _patterns(flat: Sums, stride: int, origins: Places, weak: _Weak) -> NDArray[np.uint8]:
    """The local binary pattern of one block in each window: which outer cells are as bright as the middle."""
    start = origins + weak.y * stride + weak.x
    corners = [
        [flat[start + row * weak.height * stride + column * weak.width] for column in range(4)]
        for row in range(4)
    ]

    def cell(row: int, column: int) -> Sums:
        low, high = corners[row], corners[row + 1]
        return high[column + 1] - high[column] - low[column + 1] + low[column]

    middle = cell(1, 1)
    pattern = np.zeros(len(origins), np.uint8)
    for row, column in _AROUND:
        pattern <<= 1
        pattern |= cell(row, column) >= middle
    return pattern


def _grouped(windows: Sequence[tuple[int, int, int]], least: int) -> list[Found]:
    """Windows that overlap an earlier one's middle are the same face; its box is their average."""
    groups: list[list[tuple[int, int, int]]] = []
    for window in sorted(windows, key=lambda w: -w[2]):
        for group in groups:
            if _same(window, group[0]):
                group.append(window)
                break
        else:
            groups.append([window])
    found = [_average(group) for group in groups if len(group) >= least]
    return [face for face in found if not any(_inside(face, other) for other in found)]


def _same(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[2], other[1] + other[2]) - max(one[1], other[1])
    shared = max(0, across) * max(0, down)
    return shared > _OVERLAP * (one[2] ** 2 + other[2] ** 2 - shared)


def _average(group: Sequence[tuple[int, int, int]]) -> Found:
    x, y, side = (round(float(value)) for value in np.mean(group, axis=0))
    return Found(x, y, side, len(group))


def _inside(face: Found, other: Found) -> bool:
    """Whether a weaker face lies, by its middle, in a larger one."""
    x, y = face.x + face.side / 2, face.y + face.side / 2
    within = other.x <= x < other.x + other.side and other.y <= y < other.y + other.side
    return within and face != other and (other.windows, other.side) > (face.windows, face.side)


@cache
def _shipped() -> _Cascade:
    try:
        text = files("detectors.privacy").joinpath("weights/face.json").read_text(encoding="utf-8")
    except OSError as error:
        raise DetectorError("The data that tell faces are missing.", "Reinstall Guard.") from error
    data = json.loads(text)
    stages = tuple(
        _Stage(stage["least"], tuple(_weak(weak) for weak in stage["weak"])) for stage in data["stages"]
    )
    return _Cascade(data["side"], stages)


def _weak(data: Mapping[str, Any]) -> _Weak:
    codes = np.frombuffer(bytes.fromhex(data["codes"]), np.uint8)
    inside = np.unpackbits(codes, bitorder="little").astype(bool)
    votes = np.where(inside, np.float32(data["inside"]), np.float32(data["outside"]))
    x, y, width, height = data["cell"]
    return _Weak(x, y, width, height, votes)
