"""Engines that know arrays of samples, made to work on sound files of every kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from guard.errors import InputError, MarkError
from guard.media import Artifact, Modality
from guard.media.stream import Samples, joined
from guard.watermark.base import Payload, Reading, ReadingState, Strength

__all__ = ["SoundDetect", "SoundEmbed", "SoundRead", "SoundStream", "SoundWatermarker"]

_Sound = NDArray[np.float32]
_LONG = 300.0
"""Seconds from which a sound is marked and read piece by piece, so that an hour of it fits into memory."""
_ACCEPTED = 1e-6
"""The chance of a mark in unmarked sound, over everything tried, above which there is none."""


class SoundEmbed(Protocol):
    """Marks samples: float32 (n, channels) at `rate` Hz."""

    def __call__(
        self, samples: _Sound, rate: int, payload: Payload, *, key: bytes, strength: Strength
    ) -> _Sound:
        """A marked copy of the same shape. Raises `MarkError` where it cannot be."""


class SoundRead(Protocol):
    """Reads what `SoundEmbed` takes."""

    def __call__(self, samples: _Sound, rate: int, *, keys: Sequence[bytes]) -> Reading: ...


class SoundDetect(Protocol):
    """Tells whether samples carry a payload that is known; that takes less sound than reading."""

    def __call__(self, samples: _Sound, rate: int, payload: Payload, *, keys: Sequence[bytes]) -> Reading: ...


class SoundStream(Protocol):
    """Marks a sound as it comes, some delay behind: as many samples come out as went in."""

    def push(self, block: _Sound) -> _Sound: ...
    def finish(self) -> _Sound: ...


class SoundStreamer(Protocol):
    """Begins a `SoundStream`."""

    def __call__(
        self, rate: int, channels: int, payload: Payload, *, key: bytes, strength: Strength
    ) -> SoundStream: ...


@dataclass(frozen=True, slots=True)
class SoundWatermarker:
    """A `Watermarker` for sound, out of functions on samples.

    Codec, depth, bits a second and tags stay; `guard.media` keeps them. With `stream`, sounds of five minutes
    and more are marked in bounded memory.
    """

    name: str
    alg: str
    embed_sound: SoundEmbed
    read_sound: SoundRead
    detect_sound: SoundDetect | None = None
    stream: SoundStreamer | None = None

    @property
    def modality(self) -> Modality:
        return Modality.AUDIO

    def embed(self, artifact: Artifact, payload: Payload, *, key: bytes, strength: Strength) -> Artifact:
        """A marked sound of the same type. Raises `MarkError` where it cannot carry the payload."""
        if artifact.modality is not Modality.AUDIO:
            raise MarkError(f"Engine {self.name} marks no {artifact.modality}.", "Choose another engine.")
        rate, channels, blocks = self._marked(artifact, payload, key, strength)
        try:
            return Artifact.from_blocks(
                blocks, rate, channels, artifact.mime, like=artifact, limits=artifact.limits
            )
        except InputError as error:
            raise MarkError(
                f"No mark fits into this {artifact.mime}: {error.message}", error.remedy
            ) from error

    def read(self, artifact: Artifact, *, keys: Sequence[bytes]) -> Reading:
        """The reading of the sound, or of a long one's piece that says most.

        `p_value` counts every piece: the engine's own times their number. Media of another kind are
        `UNSUPPORTED`.
        """
        return self._best(artifact, lambda sound: self.read_sound(sound.data, sound.rate, keys=keys))

    def detect(self, artifact: Artifact, payload: Payload, *, keys: Sequence[bytes]) -> Reading:
        """Whether the sound carries this payload; `UNSUPPORTED` for engines that cannot tell."""
        detect = self.detect_sound
        if detect is None:
            return Reading(ReadingState.UNSUPPORTED, self.name)
        return self._best(artifact, lambda sound: detect(sound.data, sound.rate, payload, keys=keys))

    def _marked(
        self, artifact: Artifact, payload: Payload, key: bytes, strength: Strength
    ) -> tuple[int, int, Iterator[_Sound]]:
        if self.stream is None or artifact.duration < _LONG:
            samples = artifact.samples
            marked = self.embed_sound(samples.data, samples.rate, payload, key=key, strength=strength)
            return samples.rate, samples.data.shape[1], iter([marked])
        blocks = artifact.sound_blocks()
        first = next(blocks)
        channels = first.data.shape[1]
        stream = self.stream(first.rate, channels, payload, key=key, strength=strength)
        return first.rate, channels, _streamed(chain([first], blocks), stream)

    def _best(self, artifact: Artifact, ask: Callable[[Samples], Reading]) -> Reading:
        if artifact.modality is not Modality.AUDIO:
            return Reading(ReadingState.UNSUPPORTED, self.name)
        readings = []
        for piece in _pieces(artifact):
            readings.append(ask(piece))
            if readings[-1].payload is not None:
                break
        return _over(1 + int(artifact.duration / _LONG), min(readings, key=_doubt))


def _streamed(blocks: Iterator[Samples], stream: SoundStream) -> Iterator[_Sound]:
    for block in blocks:
        yield stream.push(block.data)
    yield stream.finish()


def _pieces(artifact: Artifact) -> Iterator[Samples]:
    """The sound, if it is long in pieces of five minutes."""
    if artifact.duration < _LONG:
        yield artifact.samples
        return
    blocks = artifact.sound_blocks()
    for first in blocks:
        yield joined(chain([first], _until(blocks, _LONG - first.duration)))


def _until(blocks: Iterator[Samples], seconds: float) -> Iterator[Samples]:
    while seconds > 0 and (block := next(blocks, None)) is not None:
        seconds -= block.duration
        yield block


def _over(tries: int, reading: Reading) -> Reading:
    """The reading with its p-value over `tries` pieces (the union bound); no mark where that is high."""
    if reading.p_value is None:
        return reading
    chance = min(1.0, reading.p_value * tries)
    if reading.state is ReadingState.FOUND and chance > _ACCEPTED:
        return Reading(ReadingState.ABSENT, reading.engine, p_value=chance)
    return replace(reading, p_value=chance)


def _doubt(reading: Reading) -> tuple[bool, bool, bool, float]:
    """How far a reading is from a release: first what names one, then the least chance."""
    nothing = reading.state in (ReadingState.ABSENT, ReadingState.UNSUPPORTED)
    chance = 1.0 if reading.p_value is None else reading.p_value
    return nothing, reading.payload is None, reading.short_id is None, chance
