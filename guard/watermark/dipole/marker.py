"""Marking a sound piece by piece."""

from __future__ import annotations

import numpy as np
import soxr

from guard.watermark.base import Payload, Strength
from guard.watermark.dipole.cells import Floats
from guard.watermark.dipole.gains import difference, gains, transform
from guard.watermark.dipole.key import Secret, ident, secret
from guard.watermark.dipole.mono import blend
from guard.watermark.dipole.shape import BANDS, PAIR, RATE, SLOT, Mode

__all__ = ["LEAD", "LOOK_AHEAD", "Marker"]

LEAD = 1  # seconds of sound before a piece that its marking looks back to
LOOK_AHEAD = 0.6  # and ahead to
_SECOND = RATE // SLOT
_FROZEN = 2  # slots beyond a piece whose gains stay: analysis frames reach that far


class Marker:
    """One sound being marked. `mark` takes its pieces in turn, each of whole seconds, but for the last."""

    def __init__(self, rate: int, mode: Mode, payload: Payload, key: bytes, strength: Strength) -> None:
        self._strength = strength
        self._rate = rate
        self._secret: Secret = secret(key, mode)
        symbols = self._secret.symbols(ident(payload, mode))
        self._turns = (self._secret.turns + (1 - symbols) / 4).astype(np.float32)
        self._second = 0
        self._frozen = np.zeros((0, BANDS), np.float32)

    def mark(self, piece: Floats, lead: int, seconds: int | None) -> Floats:
        """The marked middle of a piece (n, channels): `seconds` after the first `lead` seconds, or all."""
        rate = self._rate
        channels = [soxr.resample(channel, rate, RATE) for channel in piece.T]
        mix = channels[0] if len(channels) == 1 else blend(np.stack(channels, axis=1))
        found = self._gains(mix, lead, seconds)
        first, last = lead * rate, len(piece) if seconds is None else (lead + seconds) * rate
        marked = piece[first:last].copy()
        for index, channel in enumerate(channels):
            added = difference(transform(channel), found, len(channel))
            full = soxr.resample(added, RATE, rate)[first:last]
            marked[: len(full), index] += full
        limit = max(1.0, float(abs(piece).max()))  # full scale, so that no sample is clipped later
        return np.clip(marked, -limit, limit, out=marked)

    def _gains(self, mix: Floats, lead: int, seconds: int | None) -> Floats:
        start = (self._second - lead) * RATE // PAIR
        pairs = -(-len(mix) // PAIR)
        turns = self._turns[(start + np.arange(pairs)) % len(self._turns)]
        padded = np.pad(mix, (0, pairs * PAIR + SLOT - len(mix)))
        found = gains(padded, self._secret.signs, turns, self._frozen, self._strength)
        if seconds is not None:
            end = (lead + seconds) * _SECOND
            self._frozen = found[end - LEAD * _SECOND : end + _FROZEN]
            self._second += seconds
        return found
