"""Sketches of artifacts: what the ledger keeps to compare media with, and the comparison."""

from __future__ import annotations

from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from guard.ledger import picture_sketch, sound_sketch, text_sketch
from guard.ledger.likeness import Likeness
from guard.ledger.picture_sketch import Geometry
from guard.media import Artifact, Modality
from guard.watermark.tile import canonical_scale

__all__ = ["compare", "sketch_of"]

_TURNS = ([[1, 0], [0, 1]], [[0, -1], [1, 0]], [[-1, 0], [0, -1]], [[0, 1], [-1, 0]])
_SYMMETRIES = [np.array(t, np.float64) @ np.diag([mirror, 1.0]) for mirror in (1.0, -1.0) for t in _TURNS]
_SCALES = (1.0, 2.0)


def sketch_of(artifact: Artifact) -> bytes | None:
    """The sketch of a picture's first frame, a text or a sound; None for a text too short to be known by its
    words, and for video."""
    match artifact.modality:
        case Modality.IMAGE:
            return picture_sketch.make_sketch(_gray(artifact))
        case Modality.TEXT:
            return text_sketch.make_sketch(artifact.text)
        case Modality.AUDIO:
            return sound_sketch.make_sketch(artifact.sound_blocks())
        case _:
            return None


def compare(sketch: bytes, artifact: Artifact, geometry: Geometry | None = None) -> Likeness | None:
    """How alike an artifact is to the sketched one of its kind; None where there is too little of it to tell.

    `geometry` is what the mark's reader learned of a picture's.
    """
    match artifact.modality:
        case Modality.IMAGE:
            return _compare_pictures(sketch, artifact, geometry)
        case Modality.TEXT:
            in_hand = text_sketch.make_sketch(artifact.text)
            return text_sketch.resemblance(sketch, in_hand) if in_hand else None
        case Modality.AUDIO:
            return sound_sketch.similarity(sketch, artifact.sound_blocks())
        case _:
            return None


def _compare_pictures(sketch: bytes, artifact: Artifact, geometry: Geometry | None) -> Likeness:
    """A mark may lie in any of eight ways on a picture, and coarse marks look like fine ones at twice the
    size, so its geometry is known up to a mirroring, a quarter turn and a doubling: all are tried, the
    untouched one first, until one shows the same picture."""
    gray = _gray(artifact)
    matrix = _to_sketched(picture_sketch.sketched_size(sketch), gray.shape, geometry)
    best = Likeness(0.0, 0.0, 0.0, same=False)
    for scale, symmetry in product(_SCALES, _SYMMETRIES):
        (a, b), (c, d) = (scale * symmetry @ matrix).tolist()
        best = max(best, picture_sketch.similarity(sketch, gray, ((a, b), (c, d))))
        if best.same:
            break
    return best


def _to_sketched(
    sketched: tuple[int, int], shape: tuple[int, ...], geometry: Geometry | None
) -> NDArray[np.float64]:
    """The linear map from this picture to the sketched one, up to a symmetry of the square."""
    if geometry is None:
        return np.array([[sketched[0] / shape[1], 0], [0, sketched[1] / shape[0]]], np.float64)
    # The reader measures in the size at which the mark was computed, the sketch in the picture's own.
    return np.array(geometry, np.float64) / canonical_scale(*sketched)


def _gray(artifact: Artifact) -> NDArray[np.uint8]:
    rgb = artifact.picture.rgb(0)
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
