"""Reading a mark: the fast path first, then the geometric search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np

from guard.watermark.base import Payload, Reading, ReadingState
from guard.watermark.tile.code import Word, quality_tail
from guard.watermark.tile.geometry import MOST_PLANES, unfolded
from guard.watermark.tile.pattern import pattern
from guard.watermark.tile.picture import FloatImage, Pixels, canonical_luma, check
from guard.watermark.tile.residual import fold, halved, residual
from guard.watermark.tile.sync import MOST_TRIES, search, tries
from guard.watermark.tile.track import straightened
from guard.watermark.tile.unfold import Plane

__all__ = ["read", "read_untouched"]

_ENGINE = "tile"
_CERTAIN = 1e-9
_LEAST_SIDE = 64
_MOST_TILES = 2 * (2 + MOST_PLANES)  # fine, coarse and every geometry, each as it is and straightened
_CRC_CHANCE = 2.0**-32


def read(pixels: Pixels, *, keys: Sequence[bytes]) -> Reading:
    """What `pixels` carry under the first of `keys` that reads.

    Takes what `embed` takes. Unmarked, tiny and odd pictures read as absent. `p_value` bounds the chance that
    an unmarked picture reads this well under any of the keys and geometries that a read may try; a payload is
    reported at 1e-9 or less. Raises `InputError` for arrays that are no picture.
    """
    check(pixels)
    if min(pixels.shape[:2]) < _LEAST_SIDE:
        return _Search(keys).absent()
    luma = canonical_luma(pixels)
    attempt = _Search(keys)
    return attempt.first(chain(_untouched(luma), unfolded(luma)), luma.shape[1] / pixels.shape[1])


def read_untouched(luma: FloatImage, keys: Sequence[bytes]) -> Reading:
    """What a canonical luma plane carries if no geometry changed: the check after embedding."""
    return _Search(keys).first(_untouched(luma), 1.0)


def _untouched(luma: FloatImage) -> Iterator[Plane]:
    """The whitened picture as it is, for fine marks, and at half the size, for coarse ones."""
    for plane in (luma, halved(luma)):
        host = residual(plane)
        yield Plane(host.whitened(host.weight()), np.eye(2))


def _placed(reading: Reading, plane: Plane, scale: float) -> Reading:
    """A reading with the geometry of the plane it was found on, in the order (x, y)."""
    (yy, yx), (xy, xx) = (plane.undoing * scale).tolist()
    return replace(reading, geometry=((xx, xy), (yx, yy)))


class _Search:
    """One read under a ring of keys. Counts its Viterbi searches, so that p-values hold over all of them."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._patterns = [pattern(key) for key in keys]
        self._most_words = _MOST_TILES * MOST_TRIES * len(keys)
        self._words = 0
        self._best = 0.0

    def first(self, planes: Iterable[Plane], scale: float) -> Reading:
        """The first reading among planes of a picture that was reduced by `scale` to its canonical size."""
        tried = []
        for plane in planes:
            tried.append(plane)
            reading = self._as_is(plane.pixels)
            if reading:
                return _placed(reading, plane, scale)
        for plane in tried:
            reading = self._straightened(plane.pixels)
            if reading:
                return _placed(reading, plane, scale)
        return self.absent()

    def absent(self) -> Reading:
        """Nothing accepted: the p-value is that of the best word without regard to its CRC."""
        p_value = min(1.0, self._words * quality_tail(self._best)) if self._words else 1.0
        return Reading(ReadingState.ABSENT, engine=_ENGINE, p_value=p_value, quality=self._best)

    def _as_is(self, plane: FloatImage) -> Reading | None:
        tile = fold(plane)
        found = (
            self._accepted(search(tile, key, tries(plane.size)), i) for i, key in enumerate(self._patterns)
        )
        return next(filter(None, found), None)

    def _straightened(self, plane: FloatImage) -> Reading | None:
        for index, key in enumerate(self._patterns):
            straight = straightened(plane, key)
            if straight is not None:
                reading = self._accepted(search(fold(straight), key, tries(plane.size)), index)
                if reading:
                    return reading
        return None

    def _accepted(self, words: list[Word], key_index: int) -> Reading | None:
        """The first word that noise would not reach in all the searches that a read may make."""
        self._words += len(words)
        for word in words:
            self._best = max(self._best, word.quality)
            p_value = self._most_words * _CRC_CHANCE * quality_tail(word.quality)
            if word.payload is not None and p_value <= _CERTAIN:
                return Reading(
                    ReadingState.FOUND,
                    engine=_ENGINE,
                    payload=Payload(word.payload),
                    p_value=p_value,
                    quality=word.quality,
                    key_index=key_index,
                )
        return None
