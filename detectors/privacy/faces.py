"""Faces in pictures, so that policy can have them blurred."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from detectors.base import Box, Context, DetectorCard, Finding, abstained
from detectors.privacy.frames import boxed, chosen
from detectors.quality import small_picture
from guard.media import Artifact, Modality

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Faces"]

_ID, _SIGNAL, _THRESHOLD = "faces", "face", 0.5
_SIDE = 1024
"""Pixels of the longer side at which a picture is searched."""
_LEAST = 24
_WINDOWS = 6
_MARGIN = 0.2
"""How much is added on each side, so that hair and chin are in the box too."""


class Faces:
    """Finds frontal, upright faces; each is a box labelled "face", in pixels of the picture.

    Of an animation up to 32 frames are searched, and a box stands for all of them.
    """

    card = DetectorCard(
        id=_ID,
        version="2",
        signal=_SIGNAL,
        modalities=frozenset({Modality.IMAGE}),
        description="Frontal faces, by a cascade of local binary patterns.",
        licence="Apache-2.0; the cascade is OpenCV's, see weights/NOTICE",
        data="3,000 faces and 1,500 other pictures of OpenCV's, as the cascade's file says",
        calibration="none: a face found scores 1, none scores 0",
        measured_error="see docs/guide/privacy.md: most tilted faces and profiles are missed",
        abstains=f"below {_LEAST} pixels on the shorter side",
        limits="Misses profiles, faces tilted by more than about 15 degrees, painted or covered ones, and "
        f"those smaller than {_LEAST} pixels where the longer side has {_SIDE}.",
        seconds=120.0,
    )

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:  # noqa: ARG002
        """One finding. Raises `DetectorError` without the cascade's data."""
        picture = artifact.picture
        if small := small_picture(picture.width, picture.height, _LEAST):
            return [abstained(self.card, small, threshold=_THRESHOLD)]
        found = (box for number in chosen(picture) for box in _boxes(picture.rgb(number)))
        return [boxed(self.card, _SIGNAL, found, threshold=_THRESHOLD)]


def _boxes(pixels: NDArray[np.uint8]) -> list[Box]:
    """The faces of one frame (H, W, 3), each with its margin, in the frame's own pixels."""
    import cv2

    from detectors.privacy.cascade import find_faces

    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    height, width = gray.shape
    factor = max(1.0, max(height, width) / _SIDE)
    if factor > 1:
        size = (max(1, round(width / factor)), max(1, round(height / factor)))
        gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    return [
        _box(face.x * factor, face.y * factor, face.side * factor, width, height)
        for face in find_faces(gray.astype("uint8"), _WINDOWS, _LEAST)
    ]


def _box(x: float, y: float, side: float, width: int, height: int) -> Box:
    left, top = max(0, int(x - _MARGIN * side)), max(0, int(y - _MARGIN * side))
    right = min(width, int(x + (1 + _MARGIN) * side) + 1)
    bottom = min(height, int(y + (1 + _MARGIN) * side) + 1)
    return Box(left, top, right - left, bottom - top, _SIGNAL)
