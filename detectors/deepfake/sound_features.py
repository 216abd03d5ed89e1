"""What the embedded sound detector measures: how spectrum, phase, pitch and envelopes of speech move, as
numbers.

Training and detector share these functions, so that both see the same. Levels and long-term colour are left
out, since a microphone or a codec gives them as much as a voice does.
"""

from __future__ import annotations

import numpy as np
import soxr
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import dct, irfft, rfft
from scipy.ndimage import median_filter

__all__ = ["LENGTH", "RATE", "Spoken", "features", "prepared", "windows"]

Sound = NDArray[np.float32]
Numbers = NDArray[np.float64]

RATE = 16_000
LENGTH = 3 * RATE
"""Samples of a window, at most; the last one of a sound may be half as long."""
_FRAME, _HOP = 512, 160
_BINS = _FRAME // 2 + 1
_DITHER = 10 ** (-65 / 20)
_ACTIVE = 30.0
_FEWEST = 40
_RUMBLE = 10
_SYLLABLES = 6.0
_ORDER = 16
_EDGES = ((0, 1000), (1000, 2000), (2000, 4000), (4000, 7600))
_WINDOW: Numbers = np.hanning(_FRAME + 1)[:-1]
_QUARTILES = (25, 50, 75, 90)


class Spoken:
    """One window's frames, (F, 512), those of them that are loud, and their spectra."""

    def __init__(self, sound: Sound) -> None:
        self.sound = sound.astype(np.float64)
        self.frames = sliding_window_view(self.sound, _FRAME)[::_HOP] * _WINDOW
        self.spectra = rfft(self.frames, axis=1)
        self.power = np.abs(self.spectra) ** 2 + 1e-12
        level = 10 * np.log10(self.power.sum(axis=1))
        self.loud: NDArray[np.bool_] = level > np.percentile(level, 95) - _ACTIVE

    @property
    def enough(self) -> bool:
        """Whether 0.4 s or more of the window are loud."""
        return int(self.loud.sum()) >= _FEWEST

    @property
    def steady(self) -> bool:
        """Whether loud and soft frames differ by less than 6 dB above 300 Hz, as in noise: speech has
        syllables."""
        level = 10 * np.log10(self.power[:, _RUMBLE:].sum(axis=1))
        return float(np.percentile(level, 90) - np.percentile(level, 10)) < _SYLLABLES


def prepared(mono: Sound, rate: int) -> Sound:
    """A mono sound (n,) at 16 kHz with a level of -20 dB, and noise 65 dB below it: bands that a codec or a
    telephone left empty then look alike whatever emptied them."""
    sound = np.asarray(mono if rate == RATE else soxr.resample(mono, rate, RATE), np.float32)
    level = float(np.sqrt((sound**2).mean(dtype=np.float64))) if sound.size else 0.0
    noise = np.random.default_rng(0).standard_normal(len(sound), np.float32)
    return (sound / np.float32(max(level, 1e-6)) + np.float32(_DITHER) * noise) * np.float32(0.1)


def windows(sound: Sound) -> list[tuple[int, Sound]]:
    """Windows of a prepared sound one after the other, each with its first sample; what is left at the end
    counts if it lasts half as long, and a shorter sound is one window."""
    cut = [(start, sound[start : start + LENGTH]) for start in range(0, len(sound), LENGTH)]
    return [(start, part) for start, part in cut if start == 0 or len(part) >= LENGTH // 2]


def features(spoken: Spoken) -> NDArray[np.float32]:
    """The numbers of one window that has `enough` speech."""
    found = [
        _cepstra(spoken),
        _ripple(spoken),
        _phases(spoken),
        _residual(spoken),
        _pitch(spoken),
        _envelopes(spoken),
        _contrast(spoken),
    ]
    return np.nan_to_num(np.concatenate(found)).astype(np.float32)


def _triangles(low: float, high: float, count: int) -> Numbers:
    edges = np.linspace(low, high, count + 2)
    bins = np.linspace(0, RATE / 2, _BINS)
    step = edges[1] - edges[0]
    return np.asarray(np.maximum(0, 1 - np.abs(bins - edges[1:-1, None]) / step))


_LOW = _triangles(100, 3800, 20)
_HIGH = _triangles(4000, 7600, 6)


def _cepstra(spoken: Spoken) -> Numbers:
    """How far linear-frequency cepstra below 4 kHz (Sahidullah et al., 2015) and bands above it spread, how
    fast they move, and how smoothly."""
    low = dct(np.log(spoken.power @ _LOW.T), norm="ortho")[:, 1:15]
    rows = np.concatenate([low, np.log(spoken.power @ _HIGH.T)], axis=1)
    speed = rows[3:-1] - rows[1:-3]
    bend = rows[4:] - 2 * rows[2:-2] + rows[:-4]
    kept = spoken.loud[2:-2]
    static, speed, bend = (part[kept] for part in (rows[2:-2], speed, bend))
    spread = np.log(static.std(axis=0) + 1e-3)
    return np.concatenate(
        [spread, np.log(speed.std(axis=0) + 1e-3) - spread, np.log(bend.std(axis=0) + 1e-3) - spread]
    )


def _ripple(spoken: Spoken) -> Numbers:
    """How far single frequencies stand out of the mean spectrum: what upsampling and fixed frames repeat."""
    wide = sliding_window_view(spoken.sound, 2048)[::512] * np.hanning(2048)
    mean = np.log((np.abs(rfft(wide, axis=1)) ** 2).mean(axis=0) + 1e-9)
    above = (mean - median_filter(mean, 25))[: 8 * 125].reshape(8, 125)
    return np.concatenate([above.std(axis=1), np.sort(above, axis=1)[:, -3]])


def _phases(spoken: Spoken) -> Numbers:
    """How steady phase runs on from frame to frame, and from one frequency to the next, by kilohertz
    (after Sanchez et al., 2015: relative phase shift; Murthy and Gadde, 2003: group delay)."""
    close = sliding_window_view(spoken.sound, _FRAME)[::80] * _WINDOW
    spectrum = rfft(close, axis=1)
    loud = np.repeat(spoken.loud, 2)[: len(spectrum)]
    spectrum = spectrum[: len(loud)][loud][:, :256]
    forward = spectrum[1:] * spectrum[:-1].conj()
    across = spectrum[:, 1:] * spectrum[:, :-1].conj()
    return np.concatenate(
        [_steady(forward[1:] * forward[:-1].conj()), _steady(across[:, 1:] * across[:, :-1].conj())]
    )


def _steady(turns: NDArray[np.complex128]) -> Numbers:
    """Of phase differences (frames, bins), by eighth: the resultant's length and its real part."""
    size = np.abs(turns) + 1e-18
    weight = np.sqrt(np.sqrt(size))
    parts = np.array_split(turns / size * weight, 8, axis=1)
    weights = np.array_split(weight, 8, axis=1)
    mean = np.array([part.sum() / w.sum() for part, w in zip(parts, weights, strict=True)])
    return np.concatenate([np.abs(mean), mean.real])


def _residual(spoken: Spoken) -> Numbers:
    """How peaked and how lopsided what linear prediction leaves is: a larynx's pulses, or a copy's."""
    frames, power = spoken.frames[spoken.loud], spoken.power[spoken.loud]
    taps = _predictors(irfft(power, axis=1)[:, : _ORDER + 1])
    filters = rfft(np.concatenate([np.ones((len(taps), 1)), -taps], axis=1), _FRAME, axis=1)
    left = irfft(spoken.spectra[spoken.loud] * filters, axis=1)[:, _ORDER:]
    level = np.sqrt((left**2).mean(axis=1, keepdims=True)) + 1e-9
    unit = left / level
    square = unit * unit
    cube = square * unit
    skew, peaked = np.abs(cube.mean(axis=1)), np.log((square * square).mean(axis=1))
    gain = np.log(level[:, 0] / np.sqrt((frames**2).mean(axis=1) + 1e-12))
    lopsided = abs(float(cube.mean()))
    return np.concatenate([*(np.percentile(x, _QUARTILES) for x in (skew, peaked, gain)), [lopsided]])


def _predictors(lags: Numbers) -> Numbers:
    """The taps (F, 16) that predict each frame best from its lags (F, 17), by Levinson's recursion."""
    lags = lags.copy()
    lags[:, 0] *= 1.0005
    taps = np.zeros((len(lags), _ORDER))
    error = lags[:, 0]
    for order in range(_ORDER):
        known = (taps[:, :order] * lags[:, order:0:-1]).sum(axis=1)
        turn = (lags[:, order + 1] - known) / error
        taps[:, :order] -= turn[:, None] * taps[:, :order][:, ::-1]
        taps[:, order] = turn
        error = error * (1 - turn**2)
    return taps


def _pitch(spoken: Spoken) -> Numbers:
    """How periodic each band is, whether bands agree on the period, and how the period trembles."""
    shortest, longest = RATE // 400, RATE // 75
    own = irfft(np.abs(rfft(_WINDOW, 2 * _FRAME)) ** 2)[: longest + 1]
    heights, places = [], []
    bins = np.fft.rfftfreq(2 * _FRAME, 1 / RATE)
    power = np.abs(rfft(spoken.frames[spoken.loud], 2 * _FRAME, axis=1)) ** 2
    for low, high in _EDGES:
        lags = irfft(power * ((bins >= low) & (bins < high)), axis=1)[:, : longest + 1]
        lags = lags / (lags[:, :1] + 1e-12) / (own / own[0])
        best = lags[:, shortest:].argmax(axis=1) + shortest
        heights.append(lags[np.arange(len(lags)), best])
        places.append(best)
    agree = [float((np.abs(places[0] - other) <= 2).mean()) for other in places[1:]]
    spread = [np.percentile(height, _QUARTILES) for height in heights]
    return np.concatenate([*spread, agree, _tremor(spoken, heights[0], places[0])])


def _tremor(spoken: Spoken, height: Numbers, place: NDArray[np.int64]) -> Numbers:
    """Jitter and shimmer where three frames in a row are voiced, and how much is."""
    voiced = height > 0.6
    rows = voiced[2:] & voiced[1:-1] & voiced[:-2]
    period = np.log(place.astype(np.float64))
    level = np.log(spoken.power[spoken.loud].sum(axis=1))
    if rows.sum() < 5:
        return np.array([voiced.mean(), -5.0, -3.0, -3.0, -1.5])
    jitter = np.abs(period[2:] - 2 * period[1:-1] + period[:-2])[rows]
    shimmer = np.abs(level[2:] - 2 * level[1:-1] + level[:-2])[rows]
    small = np.log(1e-3 + np.array([np.mean(np.minimum(jitter, 0.1)), *np.percentile(shimmer, (50, 90))]))
    return np.array([voiced.mean(), *small, np.log(period[voiced].std() + 1e-2)])


def _envelopes(spoken: Spoken) -> Numbers:
    """How envelopes of the four bands go together, how peaked they are, and how fast they change."""
    spectrum = rfft(spoken.sound)
    bins = np.linspace(0, RATE / 2, len(spectrum))
    rows = []
    for low, high in _EDGES:
        one_sided = np.zeros(len(spoken.sound), np.complex128)
        one_sided[: len(spectrum)] = 2 * spectrum * ((bins >= max(low, 200)) & (bins < high))
        size = np.abs(np.fft.ifft(one_sided))
        rows.append(np.log(size[: len(size) // 16 * 16].reshape(-1, 16).mean(axis=1) + 1e-5))
    logs = np.stack(rows)
    loud = np.repeat(spoken.loud, _HOP // 16)[: logs.shape[1]]
    logs = logs[:, : len(loud)]
    moving = logs - _smooth(logs, 25)
    kept = moving[:, loud]
    together = np.asarray(np.corrcoef(kept))[np.triu_indices(4, 1)]
    spread = kept.std(axis=1)
    peaked = (kept**4).mean(axis=1) / (spread**4 + 1e-9)
    change = np.abs(rfft(moving * loud, axis=1)) ** 2
    rates = np.linspace(0, 500, change.shape[1])
    shares = [
        np.log(change[:, (rates >= a) & (rates < b)].sum(axis=1) / change.sum(axis=1) + 1e-4)
        for a, b in ((20, 50), (50, 90), (90, 140), (140, 220), (220, 320), (320, 480))
    ]
    return np.concatenate([together, np.log(spread + 1e-3), np.log(peaked + 1e-3), *shares])


def _smooth(rows: Numbers, width: int) -> Numbers:
    summed = np.cumsum(np.pad(rows, ((0, 0), (width // 2 + 1, width // 2)), mode="edge"), axis=1)
    return np.asarray((summed[:, width:] - summed[:, :-width]) / width)


def _contrast(spoken: Spoken) -> Numbers:
    """How deep the valleys between neighbouring frequencies are, by kilohertz, and how that varies."""
    logs = np.log(spoken.power[spoken.loud][:, :256])
    detail = logs[:, 1:-1] - (logs[:, 2:] + logs[:, :-2]) / 2
    depth = np.stack([part.std(axis=1) for part in np.array_split(detail, 8, axis=1)])
    return np.concatenate([depth.mean(axis=1), depth.std(axis=1)])
