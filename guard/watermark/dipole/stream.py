"""Marking sound as it comes."""

from __future__ import annotations

import numpy as np

from guard.errors import InputError
from guard.watermark.base import Payload, Strength
from guard.watermark.dipole.cells import Floats
from guard.watermark.dipole.marker import LEAD, LOOK_AHEAD, Marker
from guard.watermark.dipole.mono import check, check_room
from guard.watermark.dipole.shape import FULL

__all__ = ["Stream"]

_STEP = 1  # seconds marked at a time


class Stream:
    """Marks a sound block by block: what leaves in the end is what came, in length, marked as by `embed`.

    It cannot know how long the sound will be, so it neither uses the short mode nor reads its mark back: a
    sound under 4 seconds may turn out unmarked, and whoever needs to know must read the whole.
    Raises `MarkError` for fewer than 8000 Hz or more than 8 channels.
    """

    delay = _STEP + LOOK_AHEAD
    """Seconds from when a sample comes to when it leaves, at most."""

    def __init__(
        self, rate: int, channels: int, payload: Payload, *, key: bytes, strength: Strength = Strength.DEFAULT
    ) -> None:
        check_room(rate, channels)
        self._rate = rate
        self._marker = Marker(rate, FULL, payload, key, strength)
        self._held = np.zeros((0, channels), np.float32)
        self._lead = 0

    def push(self, block: Floats) -> Floats:
        """What can leave now, float32 (m, channels), after a block (n, channels) of any size came.

        Raises `InputError` for arrays that are no sound or have other channels.
        """
        if block.shape[1:] != self._held.shape[1:]:
            raise InputError(
                f"A block of shape {block.shape} does not go on from one of {self._held.shape[1]} channels.",
                "Give float32 (samples, channels).",
            )
        if block.size:
            check(block, self._rate)
            self._held = np.concatenate([self._held, block])
        marked = []
        while len(self._held) >= self._samples(self._lead + self.delay):
            piece = self._held[: self._samples(self._lead + self.delay)]
            marked.append(self._marker.mark(piece, self._lead, _STEP))
            self._held = self._held[self._samples(self._lead + _STEP - LEAD) :]
            self._lead = LEAD
        return np.concatenate(marked) if marked else self._held[:0].copy()

    def finish(self) -> Floats:
        """The rest, once no more comes."""
        if len(self._held) <= self._samples(self._lead):
            return self._held[:0].copy()
        return self._marker.mark(self._held, self._lead, None)

    def _samples(self, seconds: float) -> int:
        return round(seconds * self._rate)
