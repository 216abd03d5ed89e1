"""AudioSeal as an engine, from checkpoints that lie on this machine (extra `[local]`).

San Roman et al., "Proactive Detection of Voice Cloning with Localized Watermarking", ICML 2024. It carries 16
bits, the upper 16 of the payload, which the ledger resolves. It has no key, and what its detector says has no
p-value: sound that looks marked is a `CANDIDATE`.

The networks work at 16 kHz. Only what they add is brought to the sound's own rate, so what lies above 8 kHz
stays as it was. Long sound is worked on in pieces that fade into one another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from guard.errors import ConfigurationError, MarkError
from guard.watermark.audioseal_nets import Checkpoint, detector, generator
from guard.watermark.base import Payload, Reading, ReadingState, Strength

__all__ = ["ALG", "NAME", "AudioSeal", "Checkpoint", "Stream"]

NAME, ALG = "audioseal", "guard.audioseal.1"
Sound = NDArray[np.float32]

_BITS = 16
_RATE = 16000
_PIECE, _FADE, _LEAST = 10, 1, 1  # seconds
_PRESENT = 0.5
_LOUDNESS = {Strength.INVISIBLE: 0.7, Strength.DEFAULT: 1.0, Strength.ROBUST: 1.4}


@dataclass(frozen=True, slots=True)
class AudioSeal:
    """The engine's functions on samples: float32 (n, channels), full scale ±1, at `rate` Hz.

    A checkpoint may be left out where it is not used: who only verifies needs no generator. Nothing is
    fetched; what needs a checkpoint that was left out raises `ConfigurationError`.
    """

    generator: Checkpoint | None = None
    detector: Checkpoint | None = None

    def embed(self, samples: Sound, rate: int, payload: Payload, *, key: bytes, strength: Strength) -> Sound:
        """A copy that carries the payload's upper 16 bits. `key` does nothing.

        Every channel is marked by itself, so that a silent one stays silent. Raises `MarkError` where the
        sound is shorter than a second.
        """
        stream = self.stream(rate, samples.shape[1], payload, key=key, strength=strength)
        return np.concatenate([stream.push(samples), stream.finish()])

    def stream(self, rate: int, channels: int, payload: Payload, *, key: bytes, strength: Strength) -> Stream:
        """Marks as `embed` does, block by block."""
        del key
        mark = generator(_needed(self.generator, "generator"))
        bits = [payload.prefix(_BITS) >> (_BITS - 1 - i) & 1 for i in range(_BITS)]

        def added(samples: Sound) -> Sound:
            made = _resampled(mark(_resampled(samples, rate, _RATE), bits), _RATE, rate)[: len(samples)]
            return _LOUDNESS[strength] * np.pad(made, ((0, len(samples) - len(made)), (0, 0)))

        return Stream(added, rate, channels)

    def read(self, samples: Sound, rate: int, *, keys: Sequence[bytes]) -> Reading:
        """A `CANDIDATE` with 16 bits where at least half of the sound looks marked, else `ABSENT`.

        `quality` is the share that does. Keys do nothing.
        """
        del keys
        look = detector(_needed(self.detector, "detector"))
        if len(samples) < _LEAST * rate:
            return Reading(ReadingState.UNSUPPORTED, NAME)
        count = max(1, round(len(samples) / (_PIECE * rate)))
        pieces = np.array_split(samples.mean(1, keepdims=True), count)
        shares, chances = zip(*(look(_resampled(piece, rate, _RATE)) for piece in pieces), strict=True)
        share = float(np.mean(shares))
        if share < _PRESENT:
            return Reading(ReadingState.ABSENT, NAME, quality=share)
        number = int("".join("01"[int(chance > 0.5)] for chance in np.mean(chances, axis=0)), 2)
        return Reading(ReadingState.CANDIDATE, NAME, short_id=number, quality=share, short_bits=_BITS)


class Stream:
    """Adds what a function gives for pieces of ten seconds, each faded into the next."""

    def __init__(self, added: Callable[[Sound], Sound], rate: int, channels: int) -> None:
        self._added = added
        self._least, self._piece, fade = _LEAST * rate, _PIECE * rate, _FADE * rate
        self._ramp = ((np.arange(fade, dtype=np.float32) + np.float32(0.5)) / np.float32(fade))[:, None]
        self._held = np.zeros((0, channels), np.float32)
        self._fading: Sound | None = None

    def push(self, block: Sound) -> Sound:
        """What can leave now, (m, channels), after a block (n, channels) came."""
        self._held = np.concatenate([self._held, block])
        left = [self._held[:0]]
        keep = self._piece - len(self._ramp)
        while len(self._held) > self._piece:
            marked, added = self._next(self._held[: self._piece])
            left.append(marked[:keep])
            self._held, self._fading = self._held[keep:], added[keep:]
        return np.concatenate(left)

    def finish(self) -> Sound:
        """The rest. Raises `MarkError` where less than a second of sound came in all."""
        if len(self._held) < self._least:
            raise MarkError("AudioSeal needs a second of sound.", "Use longer sound, or leave it unmarked.")
        return self._next(self._held)[0]

    def _next(self, piece: Sound) -> tuple[Sound, Sound]:
        """The piece, marked, and what was added to it."""
        added = self._added(piece)
        if self._fading is not None:
            fade = len(self._ramp)
            added[:fade] = self._ramp * added[:fade] + (1 - self._ramp) * self._fading
        return piece + added, added


def _needed(checkpoint: Checkpoint | None, what: str) -> Checkpoint:
    if checkpoint is None:
        variable = f"GUARD_AUDIOSEAL__{what.upper()}"
        raise ConfigurationError(
            f"No {what} of AudioSeal is set.",
            f"Set {variable} to its file and {variable}_SHA256 to its hash.",
        )
    return checkpoint


def _resampled(sound: Sound, rate: int, other: int) -> Sound:
    if rate == other:
        return sound
    return np.asarray(soxr.resample(sound, rate, other, quality="HQ"), np.float32).reshape(-1, sound.shape[1])
