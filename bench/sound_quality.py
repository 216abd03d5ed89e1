"""How far a marked copy is from the original."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.signal import lfilter, stft

from guard.media.stream import Samples

__all__ = ["Quality", "quality"]

Numbers = NDArray[np.float64]

_TINY = 1e-12
# The two filters of K-weighting at 48 kHz, as ITU-R BS.1770-4 prints them.
_SHELF = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285),
    (1.0, -1.69065929318241, 0.73248077421585),
)
_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))


class Quality(NamedTuple):
    """In dB, but `pesq`: MOS-LQO of ITU-T P.862.2 (wide band), None where it does not apply.

    `segments` is the mean SNR of pieces of 30 ms, each held within −10 and 35; `spectral` the root mean
    square difference of the log spectra; `loudness` the change of K-weighted loudness.
    """

    snr: float
    segments: float
    spectral: float
    loudness: float
    pesq: float | None


def quality(before: Samples, after: Samples, *, speech: bool) -> Quality:
    """Compares two sounds of the same rate, length and channels; PESQ of speech alone."""
    old, new = before.data.astype(float), after.data.astype(float)
    return Quality(
        snr=_ratio(np.sum(old**2), np.sum((new - old) ** 2)),
        segments=_segments(old.mean(1), new.mean(1), before.rate),
        spectral=_spectral(old.mean(1), new.mean(1)),
        loudness=_loudness(after) - _loudness(before),
        pesq=_pesq(before, after) if speech else None,
    )


def _ratio(signal: float, noise: float) -> float:
    return float(10 * np.log10((signal + _TINY) / (noise + _TINY)))


def _segments(old: Numbers, new: Numbers, rate: int) -> float:
    size = round(0.03 * rate)
    count = len(old) // size
    signal = (old[: count * size].reshape(count, size) ** 2).sum(1)
    noise = ((new - old)[: count * size].reshape(count, size) ** 2).sum(1)
    heard = signal > 1e-4 * signal.mean()
    return float(np.mean(np.clip(10 * np.log10((signal + _TINY) / (noise + _TINY)), -10, 35)[heard]))


def _spectral(old: Numbers, new: Numbers) -> float:
    """Bins below −60 dB of the loudest are taken for −60 dB: nobody hears how silence changes."""
    powers = [np.abs(stft(x, nperseg=2048)[2]) ** 2 for x in (old, new)]
    floor = 1e-6 * powers[0].max() + _TINY
    apart = np.diff([10 * np.log10(power + floor) for power in powers], axis=0)[0]
    return float(np.mean(np.sqrt(np.mean(apart**2, axis=0))))


def _loudness(sound: Samples) -> float:
    """Without the standard's gate, which the two sounds would share."""
    data = np.asarray(soxr.resample(sound.data, sound.rate, 48000), float)
    for numerator, denominator in (_SHELF, _PASS):
        data = lfilter(numerator, denominator, data, axis=0)
    return _ratio(np.mean(data**2), 1.0)


def _pesq(before: Samples, after: Samples) -> float | None:
    from pesq import NoUtterancesError, pesq

    old, new = (soxr.resample(sound.data.mean(1), sound.rate, 16000) for sound in (before, after))
    try:
        return float(pesq(16000, old, new, "wb"))
    except NoUtterancesError:
        return None
