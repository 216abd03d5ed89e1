"""Sketches and fingerprints of artifacts: what the ledger keeps to find copies, and the comparison."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from guard.ledger import picture_sketch, picture_view, sound_codes, sound_sketch, text_sketch, video_sketch
from guard.ledger.fingerprint import Algorithm, Fingerprint
from guard.ledger.likeness import Likeness
from guard.ledger.picture_sketch import Geometry
from guard.media import Artifact, Modality
from guard.watermark.tile import canonical_scale

__all__ = ["Seen", "likely"]

_TURNS = ([[1, 0], [0, 1]], [[0, -1], [1, 0]], [[-1, 0], [0, -1]], [[0, 1], [-1, 0]])
_SYMMETRIES = [np.array(t, np.float64) @ np.diag([mirror, 1.0]) for mirror in (1.0, -1.0) for t in _TURNS]
_SCALES = (1.0, 2.0)
_LEAST_SCORE, _LEAST_COVERAGE = 0.65, 0.1


def likely(found: Likeness) -> bool:
    """Whether pictures seem the same where no reader of a mark says how one lies on the other."""
    return found.same and found.score >= _LEAST_SCORE and found.coverage >= _LEAST_COVERAGE


class Seen:
    """An artifact as the ledger sees it; each look at it is taken once."""

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact
        self._kind = artifact.modality if artifact.decodable else None

    def sketch(self) -> bytes | None:
        """What the ledger keeps to compare copies with: of a picture's first frame, a text, a sound, or a
        video's stills. None for a text too short to be known by its words, and for what Guard does not
        decode."""
        match self._kind:
            case Modality.IMAGE:
                return picture_sketch.make_sketch(self._gray)
            case Modality.TEXT:
                return self._words
            case Modality.AUDIO:
                return sound_sketch.make_sketch(self._energy)
            case Modality.VIDEO:
                return video_sketch.make_sketch(self._stills)
            case _:
                return None

    def fingerprints(self) -> list[Fingerprint]:
        """What it is filed under; texts are by their words instead (`text_sketch.filed`)."""
        match self._kind:
            case Modality.IMAGE:
                return picture_view.filed(self._gray, Algorithm.PICTURE, Algorithm.PART)
            case Modality.AUDIO:
                return sound_codes.filed(self._energy)
            case Modality.VIDEO:
                return video_sketch.filed(self._stills)
            case _:
                return []

    def questions(self) -> list[Fingerprint]:
        """The fingerprints by which to ask for what it may be a copy of."""
        match self._kind:
            case Modality.IMAGE:
                return self._view.questions(Algorithm.PICTURE, Algorithm.PART)
            case Modality.AUDIO:
                return sound_codes.questions(self._energy)
            case Modality.VIDEO:
                return video_sketch.questions(self._stills)
            case _:
                return []

    def compare(
        self, sketch: bytes, geometry: Geometry | None = None, *, alone: bool = False
    ) -> Likeness | None:
        """How alike it is to the sketched one of its kind; None where there is too little of it to tell.

        `geometry` is what the mark's reader learned of a picture's. `alone`: no mark led there, so that a
        picture has to agree all over, as one of a million others may by chance have an edge in common.
        """
        match self._kind:
            case Modality.IMAGE:
                return self._compare_pictures(sketch, geometry, alone=alone)
            case Modality.TEXT:
                return text_sketch.resemblance(sketch, self._words) if self._words else None
            case Modality.AUDIO:
                return sound_sketch.similarity(sketch, self._energy)
            case Modality.VIDEO:
                return video_sketch.similarity(sketch, self._stills)
            case _:
                return None

    def _compare_pictures(self, sketch: bytes, geometry: Geometry | None, *, alone: bool) -> Likeness:
        """The likeness the way in which it shows the same picture, or else the best."""
        ways = self._found(sketch, alone=alone) if geometry is None else self._marked(sketch, geometry)
        thumb = picture_sketch.sketched_thumbnail(sketch)
        best = Likeness(0.0, 0.0, 0.0, same=False)
        for way in ways:
            found = picture_sketch.laid_over(thumb, self._gray, way)
            same = found.same if geometry else likely(found)
            if same and alone:
                same = picture_sketch.agrees_all_over(thumb, self._gray, way)
            if same:
                return found._replace(same=True)
            best = max(best, found._replace(same=False))
        return best

    def _marked(self, sketch: bytes, geometry: Geometry) -> Iterator[Geometry]:
        """A mark may lie in any of eight ways on a picture, and coarse marks look like fine ones at twice the
        size, so its geometry is known up to a mirroring, a quarter turn and a doubling: all are tried, the
        untouched one first."""
        size = picture_sketch.sketched_size(sketch)
        # The reader measures in the size at which the mark was computed, the sketch in its thumbnail's.
        shrink = picture_sketch.sketched_thumbnail(sketch).shape[1] / size[0]
        matrix = np.array(geometry, np.float64) * shrink / canonical_scale(*size)
        for scale, symmetry in product(_SCALES, _SYMMETRIES):
            (a, b), (c, d) = (scale * symmetry @ matrix).tolist()
            yield (a, b), (c, d)

    def _found(self, sketch: bytes, *, alone: bool) -> Iterator[Geometry]:
        """As what stands out in both of them lies, or else, where a mark led there, as if it was only
        resized."""
        thumb = picture_sketch.sketched_thumbnail(sketch)
        ways = list(self._view.lies_on(picture_view.shown(thumb)))
        yield from ways
        height, width = self._gray.shape
        if not ways and not alone:
            yield (thumb.shape[1] / width, 0.0), (0.0, thumb.shape[0] / height)

    @cached_property
    def _gray(self) -> NDArray[np.uint8]:
        rgb = self._artifact.picture.rgb(0)
        return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)

    @cached_property
    def _view(self) -> picture_view.View:
        return picture_view.view(self._gray)

    @cached_property
    def _energy(self) -> NDArray[np.float32]:
        return sound_sketch.energy_of(self._artifact.sound_blocks())

    @cached_property
    def _stills(self) -> list[video_sketch.Still]:
        return video_sketch.stills_of(self._artifact.frames())

    @cached_property
    def _words(self) -> bytes | None:
        return text_sketch.make_sketch(self._artifact.text)
