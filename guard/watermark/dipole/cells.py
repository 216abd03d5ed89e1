"""Levels of the cells: what embedder and reader see of a sound."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from guard.watermark.dipole.shape import EDGES, FRAME, HOP, RATE, SLOT_FRAMES

__all__ = ["Cells", "Floats", "cells", "heard", "moving_average", "overlap", "power", "slots"]

Floats: TypeAlias = NDArray[np.float32]

_HANN = np.hanning(FRAME + 1)[:-1].astype(np.float32)
_TILT, _TILT_FROM = 5.0, 600.0  # speech and music fall by about that many dB an octave from there
_FLOOR = 0.2  # of the local mean: quieter cells go silent, as noise and codecs take them first
_BAND_SHARE = 0.3  # of the floor follows the band itself, the rest the mean over bands
_MEMORY = 160  # frames of the local mean
_NOISE = 3.0  # times as loud as a band ever falls is about as loud as its noise gets
_LEAST = 1e-4  # of the whole mean


class Cells(NamedTuple):
    """Cells (n, 24) that start at n frames in turn: `level` in dB, and `response`, how far it follows a gain
    of the cell or, to a reader, how far it can be trusted, from 0 to 1."""

    level: Floats
    response: Floats


def power(sound: Floats) -> Floats:
    """Power spectra (frames, 129) around every 40th sample."""
    padded = np.pad(sound, FRAME // 2)
    spectra = scipy.fft.rfft(sliding_window_view(padded, FRAME)[::HOP] * _HANN, axis=1)
    return np.asarray(spectra.real**2 + spectra.imag**2, np.float32)


def overlap(scale: float = 1.0) -> NDArray[np.float64]:
    """The share (129, 24) of each bin that lies in each band, of bands `scale` times as high."""
    edges = EDGES * (scale * FRAME / RATE)
    bins = np.arange(FRAME // 2 + 1)[:, None]
    shares: NDArray[np.float64] = np.clip(
        np.minimum(bins + 0.5, edges[1:]) - np.maximum(bins - 0.5, edges[:-1]), 0, 1
    )
    return shares


@lru_cache(maxsize=128)
def _weights(scale: float) -> Floats:
    octaves = np.log2((EDGES[1:] + EDGES[:-1]) / 2 / _TILT_FROM)
    return np.asarray(overlap(scale) * 10 ** (_TILT / 10 * np.maximum(octaves, 0)), np.float32)


def slots(spectra: Floats, scale: float = 1.0, length: float = SLOT_FRAMES) -> Floats:
    """Energy (n, 24) of the slots, `length` frames long, that start at each frame."""
    energy = spectra @ _weights(scale)
    whole, part = int(length), length % 1
    n = len(energy) - int(np.ceil(length)) + 1
    sums = np.zeros((len(energy) + 1, energy.shape[1]))
    np.cumsum(energy, axis=0, out=sums[1:])
    total = sums[whole : whole + n] - sums[:n]
    if part:
        total += part * energy[whole : whole + n]
    return np.maximum(total, 0).astype(np.float32)


def cells(energy: Floats) -> Cells:
    """Cells from slot energies (n, 24)."""
    total = energy + _floor(energy)
    return Cells(np.float32(10) * np.log10(total), energy / total)


def heard(energy: Floats) -> Cells:
    """Cells as a reader sees them: not to be trusted where they hardly rise over a band's steady noise."""
    level, response = cells(energy)
    noise = _NOISE * np.quantile(energy[::5], 0.1, axis=0) + 1e-30
    return Cells(level, np.asarray(response * energy / (energy + noise), np.float32))


def moving_average(values: NDArray[Any], width: int) -> NDArray[np.float64]:
    """The mean over `width` rows around each, over fewer at the ends."""
    sums = np.zeros((len(values) + 1, values.shape[1]))
    np.cumsum(values, axis=0, out=sums[1:])
    rows = np.arange(len(values))
    first, last = np.maximum(rows - width // 2, 0), np.minimum(rows + width // 2 + 1, len(values))
    return np.asarray((sums[last] - sums[first]) / (last - first)[:, None])


def _floor(energy: Floats) -> Floats:
    """A fraction of the local mean: between that of all bands, which noise leaves alone, and that of each
    band, which filters leave alone."""
    bands = moving_average(energy, _MEMORY)
    broad = bands.mean(axis=1, keepdims=True)
    broad += _LEAST * broad.mean() + 1e-20
    bands += 1e-3 * broad
    return np.asarray(_FLOOR * broad * (bands / broad) ** _BAND_SHARE, np.float32)
