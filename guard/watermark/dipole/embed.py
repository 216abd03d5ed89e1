"""Writing a mark, and reading it back before it leaves the house."""

from __future__ import annotations

import numpy as np

from guard.errors import MarkError
from guard.watermark.base import Payload, Strength
from guard.watermark.dipole.cells import Floats
from guard.watermark.dipole.key import ident
from guard.watermark.dipole.marker import LEAD, LOOK_AHEAD, Marker
from guard.watermark.dipole.mono import check, check_room
from guard.watermark.dipole.read import read_untouched
from guard.watermark.dipole.shape import FULL, SHORT, Mode

__all__ = ["embed"]

_PIECE = 20  # seconds marked at a time
# The full mark reads from 3 s of sound, but not from what a codec leaves of that; the short one does.
_LEAST_FOR_FULL = 4.0


def embed(
    samples: Floats, rate: int, payload: Payload, *, key: bytes, strength: Strength = Strength.DEFAULT
) -> Floats:
    """A copy of `samples`, float32 (n, channels) at `rate` Hz, that carries `payload` under `key`.

    Clips under 4 seconds, and those that are mostly silent, carry its upper 32 bits alone. Raises
    `InputError` for arrays that are no sound and `MarkError` where no mark can be read back: from less than
    about 2 seconds, silence and steady tones, below 8000 Hz, and for more than 8 channels.
    """
    check(samples, rate)
    check_room(rate, samples.shape[1])
    for mode in (FULL, SHORT) if len(samples) >= _LEAST_FOR_FULL * rate else (SHORT,):
        marked = _marked(samples, rate, Marker(rate, mode, payload, key, strength))
        reading = read_untouched(marked, rate, key)
        if (reading.payload, reading.short_id) == _expected(payload, mode):
            return marked
    raise MarkError(
        "The sound cannot carry a mark that reads back: it is too short, too quiet or too steady.",
        "Give at least 3 seconds of speech, music or noise, or ask for the strength 'robust'.",
    )


def _expected(payload: Payload, mode: Mode) -> tuple[Payload | None, int | None]:
    return (payload, None) if mode is FULL else (None, ident(payload, mode))


def _marked(samples: Floats, rate: int, marker: Marker) -> Floats:
    marked = np.empty_like(samples)
    start, size, ahead = 0, _PIECE * rate, round(LOOK_AHEAD * rate)
    while len(samples) > start + size + ahead:
        piece = samples[max(0, start - LEAD * rate) : start + size + ahead]
        marked[start : start + size] = marker.mark(piece, LEAD if start else 0, _PIECE)
        start += size
    marked[start:] = marker.mark(samples[max(0, start - LEAD * rate) :], LEAD if start else 0, None)
    return marked
