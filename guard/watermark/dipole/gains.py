"""How loud each cell must become for its dipoles to lie on their lattices."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from guard.watermark.base import Strength
from guard.watermark.dipole.cells import Floats, cells, moving_average, overlap, power, slots
from guard.watermark.dipole.shape import BANDS, FRAME, SLOT, SLOT_FRAMES, STEP

__all__ = ["difference", "gains", "transform"]

_ROUNDS = 4
_MOST = 5.0  # dB up or down
_UNSTEADY = 4.0  # times as much as its level changes from slot to slot anyway
_LOCAL = 18  # slots
_QUIETER = 0.85  # how strongly the change goes to the quieter cells of a dipole, where it adds least
_HOP = 64
_WINDOW = np.sqrt(np.hanning(FRAME + 1)[:-1]).astype(np.float32)
_OVERLAP_GAIN = np.float32(2 * _HOP / FRAME)
_SPREAD = overlap().T.astype(np.float32)
_UP_AND_DOWN = np.array([[1], [-1]], np.float32)


class _Loudness(NamedTuple):
    """A dipole that hardly responds, and so would need much, is pulled part of the way: the less the higher
    `thrift`. In steady tones, a cell may change by `flutter` dB up or down."""

    thrift: float
    flutter: float


_LOUDNESS = {
    Strength.INVISIBLE: _Loudness(thrift=3.0, flutter=0.5),
    Strength.DEFAULT: _Loudness(thrift=1.5, flutter=0.5),
    Strength.ROBUST: _Loudness(thrift=0.4, flutter=2.0),
}


class _Dipoles(NamedTuple):
    """Energy, level in dB and response of cells, (pairs, 2, 24) each."""

    energy: Floats
    level: Floats
    response: Floats


def gains(sound: Floats, signs: Floats, turns: Floats, frozen: Floats, strength: Strength) -> Floats:
    """Gains (slots, 24) in dB for mono sound at 8 kHz, of as many pairs as `turns` and a slot.

    `turns` (pairs, 12) says where each dipole's lattice lies, its symbol included. `frozen` (m, 24) are the
    first m slots' gains, which were decided before. Each dipole goes to the nearest point of its lattice:
    quantisation index modulation with a dither (Chen and Wornell, IEEE Trans. Information Theory 47, 2001).
    """
    spectra = transform(sound)
    host = _dipoles(sound, len(turns))
    lies = _differences(host, signs)
    goal = np.float32(STEP) * (np.round(lies / STEP - turns) + turns)
    loudness = _LOUDNESS[strength]
    share, most = _share(host.energy), _most(host.level, loudness.flutter)
    found = np.zeros((2 * len(turns), BANDS), np.float32)
    found[: len(frozen)] = frozen
    for step in range(_ROUNDS):
        if step or len(frozen):
            marked = sound + difference(spectra, found, len(sound))
            host = _dipoles(marked, len(turns))
        pull = host.response * share
        reach = (host.response * pull).sum(axis=1) @ abs(signs) + loudness.thrift
        missing = (goal - _differences(host, signs)) / reach
        change = (missing @ signs.T)[:, None] * pull * _UP_AND_DOWN
        raised = found + change.reshape(-1, BANDS)
        found[len(frozen) :] = np.clip(raised, -most, most)[len(frozen) :]
    return found


def transform(sound: Floats) -> NDArray[np.complex64]:
    """Short-time spectra (frames, 129) that `difference` takes back to sound."""
    frames = sliding_window_view(np.pad(sound, (FRAME // 2, FRAME)), FRAME)[::_HOP]
    return np.asarray(scipy.fft.rfft(frames * _WINDOW, axis=1))


def difference(spectra: NDArray[np.complex64], gains: Floats, length: int) -> Floats:
    """What to add to a sound of that many samples so that its cells get louder by `gains` (slots, 24) dB."""
    slot = np.minimum(np.arange(len(spectra)) * _HOP // SLOT, len(gains) - 1)
    factors = ((10 ** (gains / 20) - 1) @ _SPREAD)[slot]
    frames = scipy.fft.irfft(spectra * factors, FRAME, axis=1) * (_WINDOW * _OVERLAP_GAIN)
    steps = FRAME // _HOP
    sound = np.zeros((len(frames) + steps, _HOP), np.float32)
    for step in range(steps):
        sound[step : step + len(frames)] += frames[:, step * _HOP : (step + 1) * _HOP]
    return sound.reshape(-1)[FRAME // 2 : FRAME // 2 + length]


def _dipoles(sound: Floats, pairs: int) -> _Dipoles:
    energy = slots(power(sound))
    rows = slice(0, 2 * pairs * SLOT_FRAMES, SLOT_FRAMES)
    return _Dipoles(*(part[rows].reshape(pairs, 2, BANDS) for part in (energy, *cells(energy))))


def _differences(host: _Dipoles, signs: Floats) -> Floats:
    """The dipoles' levels (pairs, 12) in dB."""
    return np.asarray((host.level[:, 0] - host.level[:, 1]) @ signs, np.float32)


def _share(energy: Floats) -> Floats:
    """How much of a dipole's change goes to each cell."""
    flat = energy.reshape(-1, BANDS)
    local = moving_average(flat.mean(axis=1, keepdims=True), _LOCAL) + 1e-20
    share = np.clip(flat / local, 0.1, 1000) ** -_QUIETER
    return np.asarray(share.reshape(energy.shape), np.float32)


def _most(level: Floats, flutter: float) -> Floats:
    """The most that each cell may change by (slots, 24) in dB: less in steady tones, which would flutter."""
    flat = level.reshape(-1, BANDS)
    steps = abs(np.diff(flat, axis=0, append=flat[-1:]))
    most = np.clip(_UNSTEADY * moving_average(steps, SLOT_FRAMES), flutter, _MOST)
    return np.asarray(most, np.float32)
