"""Engines that know arrays of pixels, made to work on picture files of every kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from numpy.typing import NDArray

from guard.errors import InputError, MarkError
from guard.media import Artifact, Modality
from guard.media.picture import Mode, Picture
from guard.watermark.base import Payload, Reading, ReadingState, Strength

__all__ = ["PictureWatermarker", "PixelEmbed", "PixelRead"]

_MOST_FRAMES = 16


class PixelEmbed(Protocol):
    """Marks pixels: (H, W) or (H, W, 2–4), uint8 or uint16, gray, gray+alpha, RGB or RGBA."""

    def __call__(
        self, pixels: NDArray[Any], payload: Payload, *, key: bytes, strength: Strength
    ) -> NDArray[Any]:
        """A marked copy of the same shape and type. Raises `MarkError` where it cannot be."""


class PixelRead(Protocol):
    """Reads what `PixelEmbed` takes."""

    def __call__(self, pixels: NDArray[Any], *, keys: Sequence[bytes]) -> Reading:
        """The reading of one frame."""


@dataclass(frozen=True, slots=True)
class PictureWatermarker:
    """A `Watermarker` for pictures, out of two functions on pixels.

    Every frame of an animation and every page carries the mark, so that a frame cut out still does. Alpha,
    inks, depth, profile and metadata stay; `guard.media` keeps them.
    """

    name: str
    alg: str
    embed_pixels: PixelEmbed
    read_pixels: PixelRead

    @property
    def modality(self) -> Modality:
        return Modality.IMAGE

    def embed(self, artifact: Artifact, payload: Payload, *, key: bytes, strength: Strength) -> Artifact:
        """A marked picture of the same type. Raises `MarkError` where it cannot carry the payload."""
        picture = artifact.picture
        try:
            marked = picture.map_frames(
                lambda pixels: self.embed_pixels(pixels, payload, key=key, strength=strength)
            )
            return Artifact.from_picture(marked, artifact.mime, limits=artifact.limits)
        except InputError as error:
            raise MarkError(
                f"No mark fits into this {artifact.mime}: {error.message}", error.remedy
            ) from error

    def read(self, artifact: Artifact, *, keys: Sequence[bytes]) -> Reading:
        """The reading of the first frame that gives one: the first, the middle, the last, then others.

        `p_value` counts every frame that might have been tried: the engine's own times their number. Media of
        another kind are `UNSUPPORTED`.
        """
        if artifact.modality is not Modality.IMAGE:
            return Reading(ReadingState.UNSUPPORTED, self.name)
        picture = artifact.picture
        order = list(_order(len(picture.frames)))
        best = Reading(ReadingState.UNSUPPORTED, self.name)
        for index in order:
            reading = _over(len(order), self.read_pixels(_pixels(picture, index), keys=keys))
            if reading.state in (ReadingState.FOUND, ReadingState.CANDIDATE):
                return reading
            best = min(best, reading, key=_doubt)
        return best


def _order(frames: int) -> Iterator[int]:
    """At most `_MOST_FRAMES` indices, spread over all, those that a cut leaves most often first."""
    last = frames - 1
    spread = (round(i * last / (_MOST_FRAMES - 1)) for i in range(_MOST_FRAMES))
    yield from list(dict.fromkeys([0, frames // 2, last, *spread]))[:_MOST_FRAMES]


def _pixels(picture: Picture, index: int) -> NDArray[Any]:
    return picture.rgb(index) if picture.mode is Mode.CMYK else picture.frames[index]


def _over(tries: int, reading: Reading) -> Reading:
    """The reading with its p-value over `tries` frames (the union bound)."""
    if reading.p_value is None:
        return reading
    return replace(reading, p_value=min(1.0, reading.p_value * tries))


def _doubt(reading: Reading) -> tuple[bool, float]:
    """How far a reading is from a mark: what could not be read at all is farthest."""
    return reading.state is ReadingState.UNSUPPORTED, 1.0 if reading.p_value is None else reading.p_value
