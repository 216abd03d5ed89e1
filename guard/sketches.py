"""Sketches of artifacts: what the ledger keeps to compare a picture with, and the comparison."""

from __future__ import annotations

from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from guard.ledger.sketch import Geometry, Similarity, make_sketch, similarity, sketched_size
from guard.media import Artifact, Modality
from guard.watermark.tile import canonical_scale

__all__ = ["compare", "sketch_of"]

_TURNS = ([[1, 0], [0, 1]], [[0, -1], [1, 0]], [[-1, 0], [0, -1]], [[0, 1], [-1, 0]])
_SYMMETRIES = [np.array(t, np.float64) @ np.diag([mirror, 1.0]) for mirror in (1.0, -1.0) for t in _TURNS]
_SCALES = (1.0, 2.0)


def sketch_of(artifact: Artifact) -> bytes | None:
    """The sketch of a picture's first frame; None for other media."""
    if artifact.modality is not Modality.IMAGE:
        return None
    return make_sketch(_gray(artifact))


def compare(sketch: bytes, artifact: Artifact, geometry: Geometry | None) -> Similarity:
    """How alike a picture is to the sketched one, given what the mark's reader learned of its geometry.

    A mark may lie in any of eight ways on a picture, and coarse marks look like fine ones at twice the size,
    so its geometry is known up to a mirroring, a quarter turn and a doubling: all are tried, the untouched
    one first, until one shows the same picture.
    """
    gray = _gray(artifact)
    matrix = _to_sketched(sketched_size(sketch), gray.shape, geometry)
    best = Similarity(0.0, 0.0)
    for scale, symmetry in product(_SCALES, _SYMMETRIES):
        (a, b), (c, d) = (scale * symmetry @ matrix).tolist()
        best = max(best, similarity(sketch, gray, ((a, b), (c, d))))
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
