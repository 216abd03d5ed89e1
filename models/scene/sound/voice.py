"""Throats: harmonics of a gliding pitch, shaped by resonances as a vocal tract has them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.scene.sound.signal import RATE, Wave

__all__ = ["Formant", "curve", "voiced"]

Formant = tuple[Wave | float, float, float]
"""A resonance: its centre in Hz (a number or a curve), its width in Hz, its level."""


def curve(length: int, *points: float) -> Wave:
    """A smooth line of `length` samples through evenly spaced `points`."""
    along = np.linspace(0, len(points) - 1, length)
    step = np.minimum(along.astype(np.intp), len(points) - 2)
    part = along - step
    part = part * part * (3 - 2 * part)
    values = np.asarray(points)
    return np.asarray(values[step] * (1 - part) + values[step + 1] * part)


def voiced(pitch: Wave, formants: Sequence[Formant], *, tilt: float = 1.0, highest: float = 9_000.0) -> Wave:
    """A voice of `pitch` (Hz, a curve). Harmonic k has the level k**-tilt times what the formants give it.

    Harmonics above `highest` Hz are left out.

    The formants are added up in parallel (D. H. Klatt, "Software for a cascade/parallel formant
    synthesizer", JASA 67(3), 1980, has both forms).
    """
    phase = np.cumsum(pitch) * (2 * np.pi / RATE)
    wave = np.zeros(len(pitch))
    for k in range(1, int(highest / pitch.max()) + 1):
        hertz = k * pitch
        gain = sum(level / (1 + ((hertz - centre) / width) ** 2) for centre, width, level in formants)
        wave += gain * k**-tilt * np.sin(k * phase)
    return wave
