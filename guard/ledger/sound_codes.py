"""Codes of a sound: of the two seconds around the moments that stand out, its syllables and notes.

Such a moment is where the loudness, smoothed over an eighth of a second, bends down the most: it stays
where it is whatever is cut off before it. What is around it is looked at as a picture of time and pitch
(compare J. Haitsma and T. Kalker, "A highly robust audio fingerprinting system", ISMIR 2002, which takes
32 bits of every hundredth of a second).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from guard.ledger.fingerprint import Algorithm, Coder, Fingerprint, Floats, fingerprints
from guard.ledger.sound_sketch import FRAME_RATE, LOUDNESS

__all__ = ["filed", "questions"]

_SECONDS = 2.0
_SMOOTH = 4.0  # frames
_OUTSIDE = 8.0  # frames of the two seconds that may be missing at either end
_ROWS, _COLUMNS = 32, 32
_MOST_FILED, _MOST_ASKED = 4096, 48
_SPEEDS = {1.0: 4, 0.96: 3, 1.04: 3}  # and how many bits are turned in the question
_STILL = 1e-4  # of the mean loudness

_CODER = Coder(_ROWS, _COLUMNS)


def filed(energy: Floats) -> list[Fingerprint]:
    """The fingerprints under which a sound of so much energy (frames, 16) is filed, in the order of time."""
    loudness = energy**LOUDNESS
    moments = _moments(loudness, _MOST_FILED)
    codes, _ = _codes(loudness, moments, 1.0)
    return [
        Fingerprint(Algorithm.SOUND, code.tobytes(), round(float(moment) / FRAME_RATE, 3))
        for code, moment in zip(codes, moments, strict=True)
    ]


def questions(energy: Floats) -> list[Fingerprint]:
    """Its codes as they would be filed if it is a copy, played a little faster or slower or not."""
    loudness = energy**LOUDNESS
    moments = _moments(loudness, _MOST_ASKED)
    return [
        question
        for speed, bits in _SPEEDS.items()
        for question in fingerprints(Algorithm.SOUND, *_codes(loudness, moments, speed), bits)
    ]


def _moments(loudness: Floats, most: int) -> NDArray[np.float64]:
    """The frames, between the frames, that stand out, sorted: where there are too many, the ones that do so
    the most within each stretch of the sound."""
    mean = loudness.mean(axis=1, dtype=np.float64)
    bend = -gaussian_filter1d(mean, _SMOOTH, order=2, mode="nearest")
    before, here, after = bend[:-2], bend[1:-1], bend[2:]
    half = _SECONDS * FRAME_RATE / 2 - _OUTSIDE
    places = np.arange(1, len(bend) - 1)
    tops = (here > before) & (here >= after) & (here > _STILL * max(float(mean.mean()), 1e-20))
    tops &= (places >= half) & (places < len(bend) - half)
    at, before, here, after = places[tops], before[tops], here[tops], after[tops]
    peaks = at + 0.5 * (before - after) / (before - 2 * here + after)
    stretches = np.array_split(np.arange(len(at)), max(1, most // 8))
    share = most // len(stretches)
    kept = [stretch[np.argsort(-here[stretch], kind="stable")[:share]] for stretch in stretches]
    return np.sort(peaks[np.concatenate(kept)])


def _codes(
    loudness: Floats, moments: NDArray[np.float64], speed: float
) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    span = _SECONDS * FRAME_RATE * speed
    smooth = gaussian_filter1d(loudness, 0.6 * span / _ROWS, axis=0, mode="nearest")
    times = moments[:, None] + ((np.arange(_ROWS) + 0.5) / _ROWS - 0.5) * span
    times = np.clip(times, 0, len(smooth) - 1.001)
    first = times.astype(np.intp)
    part = (times - first)[..., None].astype(np.float32)
    patches = smooth[first] * (1 - part) + smooth[np.minimum(first + 1, len(smooth) - 1)] * part
    # Neither how loud it is, nor the voice or instrument counts, but what changes.
    patches = patches - patches.mean(axis=2, keepdims=True)
    patches = patches - patches.mean(axis=1, keepdims=True)
    return _CODER.codes(_CODER.coefficients(patches @ _spread(loudness.shape[1])))


def _spread(bands: int) -> Floats:
    """The weights (bands, 32) that interpolate between the bands: fewer points have fewer frequencies."""
    places = np.linspace(0, bands - 1, _COLUMNS)
    weights: Floats = np.maximum(1 - np.abs(places - np.arange(bands)[:, None]), 0).astype(np.float32)
    return weights
