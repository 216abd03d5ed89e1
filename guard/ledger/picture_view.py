"""A picture in hand: its codes as questions to the ledger, and how it lies on a registered one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from guard.ledger.fingerprint import NEAR, Algorithm, Fingerprint, Floats, distances, fingerprints
from guard.ledger.picture_codes import FILED, Gray, Places, Whole, places_of, whole_of, within
from guard.ledger.picture_sketch import Geometry

__all__ = ["Shown", "View", "filed", "shown", "view"]

_ASKED = 2 * FILED
# Bits turned in a question: fewer in those for mirror images and turned ones, which are rarer.
_UPRIGHT_BITS, _OTHER_BITS = 4, 2
_TRIED = 3
_ALIKE = NEAR + 16
_NEAR_BY = 6.0  # pixels of the thumbnail
_FOUR = 4

Matrix = NDArray[np.float64]


class Shown(NamedTuple):
    """What a registered thumbnail shows within its plain borders."""

    shape: tuple[int, ...]
    places: Places
    whole: Whole | None


class View(NamedTuple):
    """What is known of a picture within its plain borders: `scale` takes its pixels to the thumbnail's."""

    thumb: Gray
    scale: float
    places: Places
    whole: Whole | None

    def questions(self, whole: Algorithm, part: Algorithm) -> list[Fingerprint]:
        """Its codes as they would be filed if it is a copy, whichever way it was laid."""
        codes, weak = self.places.codes, self.places.weak
        half = len(codes) // 2
        asked = fingerprints(part, codes[:half], weak[:half], _UPRIGHT_BITS)
        asked += fingerprints(part, codes[half:], weak[half:], _OTHER_BITS)
        if self.whole is not None:
            asked += fingerprints(whole, self.whole.codes[:1], self.whole.weak[:1], _UPRIGHT_BITS)
            asked += fingerprints(whole, self.whole.codes[1:], self.whole.weak[1:], _OTHER_BITS)
        return asked

    def lies_on(self, registered: Shown) -> Iterator[Geometry]:
        """The ways in which it may lie on a registered thumbnail, the likeliest first, as linear maps from a
        displacement (x, y) in this picture to one in that thumbnail."""
        found = _by_places(registered.places, self.places)
        if registered.whole is not None and self.whole is not None:
            close = np.flatnonzero(distances(registered.whole.codes, self.whole.codes)[0] <= NEAR)
            found += [_way(int(way), registered.shape, self.thumb.shape) for way in close]
        for matrix in found:
            (a, b), (c, d) = (matrix * self.scale).tolist()
            yield (a, b), (c, d)


def shown(thumb: Gray) -> Shown:
    """A registered thumbnail, looked at."""
    inner, _ = within(thumb)
    return Shown(inner.shape, places_of(inner, _ASKED), whole_of(inner))


def filed(gray: Gray, whole: Algorithm, part: Algorithm, *, parts: int = FILED) -> list[Fingerprint]:
    """The fingerprints under which a grey picture (H, W) is filed; none for a blank or tiny one."""
    _, thumb = within(gray)
    found = whole_of(thumb)
    kept = fingerprints(whole, found.codes) if found else []
    return kept + fingerprints(part, places_of(thumb, parts).codes)


def view(gray: Gray, *, parts: int = _ASKED) -> View:
    """A grey picture (H, W), looked at."""
    inner, thumb = within(gray)
    scale = max(thumb.shape) / max(inner.shape)
    return View(thumb, scale, places_of(thumb, parts, mirrored=True), whole_of(thumb, ways=True))


def _by_places(ours: Places, theirs: Places) -> list[Matrix]:
    """Maps from their picture to ours on which most of the places that look alike agree."""
    if not len(ours.codes) or not len(theirs.codes):
        return []
    apart = distances(ours.codes, theirs.codes)
    i, j = np.nonzero(apart <= _ALIKE)
    order = np.argsort(apart[i, j], kind="stable")
    i, j = i[order], j[order]
    mirror = np.where(j < len(theirs.codes) // 2, 1.0, -1.0)
    here, there = ours.frames[i].astype(np.float64), theirs.frames[j].astype(np.float64)
    fits = []
    for seed in np.flatnonzero(apart[i, j] <= NEAR)[:_TRIED]:
        matrix = _turn(here[seed]) @ np.diag([1.0, mirror[seed]]) @ np.linalg.inv(_turn(there[seed]))
        off = here[:, :2] - here[seed, :2] - (there[:, :2] - there[seed, :2]) @ matrix.T
        agree = (np.hypot(*off.T) < _NEAR_BY) & (mirror == mirror[seed])
        # One place may look alike by chance: a second one, elsewhere, has to agree.
        if np.ptp(here[agree, :2], axis=0).max() < _NEAR_BY:
            continue
        fits.append((int(agree.sum()), _fitted(matrix, here[agree, :2], there[agree, :2], mirror[seed])))
    fits.sort(key=lambda fit: -fit[0])
    return [matrix for _, matrix in fits]


def _turn(frame: Floats | Matrix) -> Matrix:
    size, angle = float(frame[2]), float(frame[3])
    cos, sin = size * np.cos(angle), size * np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def _fitted(seed: Matrix, here: Matrix, there: Matrix, mirror: float) -> Matrix:
    """The linear map that takes `there` to `here` with the least error: any where many points say so, one
    that keeps angles where few do, the seed itself where they are too few or too close together."""
    ours, theirs = here - here.mean(axis=0), there - there.mean(axis=0)
    spread = np.linalg.eigvalsh(theirs.T @ theirs)
    if len(here) >= _FOUR and spread[0] > len(here) * _NEAR_BY**2:
        return np.asarray(np.linalg.lstsq(theirs, ours, rcond=None)[0].T, np.float64)
    if spread[1] < len(here) * _NEAR_BY**2:
        return seed
    a, b = ours @ [1, 1j], (theirs * [1.0, mirror]) @ [1, 1j]
    turn = complex(np.vdot(b, a) / np.vdot(b, b))
    return np.array([[turn.real, -turn.imag], [turn.imag, turn.real]]) @ np.diag([1.0, mirror])


def _way(way: int, ours: tuple[int, ...], theirs: tuple[int, ...]) -> Matrix:
    """The map of the `way`-th of `whole_of`'s ways: upright, inverted, then turned and mirrored ones."""
    number = max(0, way - 1)
    turned, upside, mirrored = number & 4, number & 2, number & 1
    matrix = np.array([[0.0, 1.0], [1.0, 0.0]]) if turned else np.eye(2)
    matrix = np.diag([-1.0 if mirrored else 1.0, -1.0 if upside else 1.0]) @ matrix
    laid: Matrix = np.diag([ours[1], ours[0]]) @ matrix @ np.diag([1 / theirs[1], 1 / theirs[0]])
    return laid
