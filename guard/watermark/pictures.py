"""Pixel engines applied to picture files: every frame of every type, written back as the same type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from guard.media import Artifact, Modality
from guard.watermark.base import Payload, Reading, ReadingState, Strength

__all__ = ["PictureWatermarker"]


@dataclass(frozen=True)
class PictureWatermarker:
    """A watermark engine for pictures, made of two functions on pixels."""

    name: str
    alg: str
    embed_pixels: Callable[..., NDArray[Any]]
    read_pixels: Callable[..., Reading]
    modality: Modality = Modality.IMAGE

    def embed(self, artifact: Artifact, payload: Payload, *, key: bytes, strength: Strength) -> Artifact:
        """The picture with `payload` in every frame, as the same type."""
        marked = artifact.picture.map_frames(
            lambda pixels: self.embed_pixels(pixels, payload, key=key, strength=strength)
        )
        return Artifact.from_picture(marked, artifact.mime, limits=artifact.limits)

    def read(self, artifact: Artifact, *, keys: Sequence[bytes]) -> Reading:
        """The reading of the first frame that gives one."""
        reading = Reading(ReadingState.ABSENT, engine=self.name)
        for frame in artifact.picture.frames[:3]:
            reading = self.read_pixels(frame, keys=keys)
            if reading.state is not ReadingState.ABSENT:
                break
        return reading
