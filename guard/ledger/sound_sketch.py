"""A compact sketch of a released sound, to tell a copy of it from another sound with its mark.

The sketch holds how loud sixteen bands between 200 and 3600 Hz, a quarter of an octave each, are eight times
a second, in steps of 3 dB or less: some 600 bytes for 10 s. Telephones, codecs and loudspeakers keep that
range (J. Haitsma and T. Kalker, "A highly robust audio fingerprinting system", ISMIR 2002, build on it too).
Two sounds are laid on each other at every shift and at speeds of 94 to 106 %, and compared by normalised
correlation of what changes in them: a band's mean over the time, and a frame's over the bands, are taken off,
so that neither the loudness nor the voice or instrument decides, but what it says or plays.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import convolve1d

from guard.errors import LedgerError
from guard.ledger.likeness import Likeness
from guard.media.stream import Samples

__all__ = ["FRAME_RATE", "LOUDNESS", "MIN_SECONDS", "energy_of", "make_sketch", "similarity"]

Floats = NDArray[np.float32]

MIN_SECONDS = 1.5
"""Of anything shorter no comparison is made: too little happens in it."""

_RATE = 8000
_HOP, _WINDOW = 125, 512
FRAME_RATE = _RATE // _HOP
"""Frames of energy a second, before they are averaged."""
_FRAMES = 8  # a second in the sketch, fewer in sounds of more than half an hour
_MOST_FRAMES = 14_400
_LOW, _HIGH, _BANDS = 200.0, 3600.0, 16
_UPPER = slice(5, None)
_LEVELS, _STEP = 16, 3.0  # dB, of which the finest step is a quarter of one
_PARTS = 64  # of a decibel, in which steps are counted
LOUDNESS = 0.25
"""The power by which loudness grows with energy: what is faint counts, but little."""

_OVERLAP = 0.75
_SPEEDS = sorted(np.linspace(0.94, 1.06, 9).tolist(), key=lambda speed: abs(speed - 1))
_PHASES = (0.0, 0.5, 0.25, 0.75)
_STEADY = 0.02
_PIECE, _PIECES = 10.0, 8  # seconds
_SURE = 0.95

_HEADER = struct.Struct(">BBB16sI")
_VERSION = 1


def make_sketch(energy: Floats) -> bytes:
    """The sketch of a sound of so much energy (frames, 16): frames of 4 bits for each band, compressed."""
    halvings = 0
    while len(energy) * _FRAMES >> halvings > _MOST_FRAMES * FRAME_RATE:
        halvings += 1
    stride = FRAME_RATE // _FRAMES << halvings
    frames = _averaged(energy, stride)[stride // 2 :: stride]
    decibels = 10 * np.log10(np.maximum(frames, 1e-20))
    decibels = np.maximum(decibels, decibels.max(initial=-200.0) - (_LEVELS - 1) * _STEP)
    tops = decibels.max(axis=0, initial=-200.0)
    # Rain and the like stay within a few decibels: they get finer steps.
    step = np.clip(np.ceil(_range(decibels) / (_LEVELS - 1) * _PARTS), _PARTS // 4, _STEP * _PARTS)
    levels = np.clip(np.rint((decibels - tops) * _PARTS / step) + _LEVELS - 1, 0, _LEVELS - 1).astype(
        np.uint8
    )
    packed = levels[:, ::2] << 4 | levels[:, 1::2]
    below = np.rint((tops.max() - tops) * _PARTS / 16).astype(np.uint8).tobytes()
    header = _HEADER.pack(_VERSION, halvings, int(step), below, len(frames))
    return header + zlib.compress(packed.tobytes(), 9)


def _range(decibels: Floats) -> float:
    """What the liveliest band moves through, its faintest moments left out."""
    if not len(decibels):
        return 0.0
    return float((decibels.max(axis=0) - np.percentile(decibels, 5, axis=0)).max())


def similarity(sketch: bytes, energy: Floats) -> Likeness | None:
    """How alike a sound of so much energy (frames, 16) is to the sketched one, wherever, and however fast,
    the one plays in the other; None where either is too short to tell. Raises `LedgerError` for a damaged
    sketch.
    """
    step, known = _open(sketch)
    heard = _averaged(energy, step) ** LOUDNESS
    ours, theirs = _detail(known), _detail(heard)
    if min(len(known), len(theirs) // step) * step < MIN_SECONDS * FRAME_RATE:
        return None
    if max(float(detail.std(axis=0).mean()) for detail in (ours, theirs)) < _STEADY:
        return _steady(known, heard)
    return _by_pieces(ours, theirs, step)


def energy_of(blocks: Iterable[Samples]) -> Floats:
    """The energy of a sound, given piece by piece, in each band (frames, 16), 64 frames a second, over all
    channels."""
    bands, parts = _filters(), []
    rest = np.zeros((0, 1), np.float32)
    for piece in _resampled(blocks):
        sound = np.concatenate([rest, piece]) if len(rest) else piece
        count = max(0, (len(sound) - _WINDOW) // _HOP + 1)
        parts += [_spectra(sound[: (count - 1) * _HOP + _WINDOW]) @ bands] if count else []
        rest = sound[count * _HOP :]
    if not parts:
        parts = [_spectra(np.pad(rest, ((0, _WINDOW - len(rest)), (0, 0)))) @ bands]
    energy: Floats = np.concatenate(parts)
    return energy


def _resampled(blocks: Iterable[Samples]) -> Iterator[Floats]:
    stream: soxr.ResampleStream | None = None
    for rate, data in ((block.rate, block.data) for block in blocks):
        stream = stream or soxr.ResampleStream(rate, _RATE, data.shape[1], dtype="float32", quality="LQ")
        yield stream.resample_chunk(np.ascontiguousarray(data)).reshape(-1, data.shape[1])
    if stream is not None:
        nothing = np.zeros((0, data.shape[1]), np.float32)
        yield stream.resample_chunk(nothing, last=True).reshape(-1, data.shape[1])


def _spectra(sound: Floats) -> Floats:
    window = np.hanning(_WINDOW).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW, axis=0)[::_HOP]
    energy: Floats = (np.abs(fft.rfft(frames * window)) ** 2).sum(axis=1)
    return energy


def _filters() -> Floats:
    """Triangles on a logarithmic scale (bins, 16), each as high as its neighbours are low: a slightly faster
    copy moves little from band to band."""
    octaves = np.log2(np.maximum(np.fft.rfftfreq(_WINDOW, 1 / _RATE), 1))
    centres = np.linspace(np.log2(_LOW), np.log2(_HIGH), _BANDS)
    away = np.abs(octaves[:, None] - centres) / (centres[1] - centres[0])
    triangles: Floats = np.maximum(1 - away, 0).astype(np.float32)
    return triangles


def _averaged(energy: Floats, step: int) -> Floats:
    """Each frame with those around it, under a bell two of the sketch's frames wide."""
    bell = np.hanning(2 * step + 2)[1:-1]
    averaged: Floats = convolve1d(energy, (bell / bell.sum()).astype(np.float32), axis=0, mode="nearest")
    return averaged


def _open(sketch: bytes) -> tuple[int, Floats]:
    """Fine frames for each of the sketch's, and the sketch's loudness (frames, 16)."""
    try:
        version, halvings, step, below, count = _HEADER.unpack_from(sketch)
        packed = zlib.decompressobj().decompress(sketch[_HEADER.size :], _MOST_FRAMES * _BANDS)
        if version != _VERSION or halvings > 16 or len(packed) != count * _BANDS // 2:
            raise ValueError
    except (struct.error, zlib.error, ValueError) as error:
        raise LedgerError(
            "A sketch in the ledger is damaged.", "Restore the ledger from a backup."
        ) from error
    pairs = np.frombuffer(packed, np.uint8).reshape(count, _BANDS // 2)
    levels = np.stack([pairs >> 4, pairs & 15], axis=2).reshape(count, _BANDS).astype(np.float32)
    tops = np.frombuffer(below, np.uint8).astype(np.float32) * (16 / _PARTS)
    decibels = (levels - _LEVELS + 1) * (step / _PARTS) - tops
    loudness: Floats = (10 ** (decibels * (LOUDNESS / 10))).astype(np.float32)
    return FRAME_RATE // _FRAMES << halvings, loudness


def _detail(loudness: Floats) -> Floats:
    """The shape of each frame, without its loudness, in parts of the whole sound's mean loudness."""
    shape: Floats = loudness - loudness.mean(axis=1, keepdims=True)
    return shape / max(float(loudness.mean()) if len(loudness) else 0.0, 1e-20)


def _steady(ours: Floats, theirs: Floats) -> Likeness:
    """Two sounds in which nothing happens: their spectra are all by which they could differ."""
    a, b = ours.mean(axis=0), theirs.mean(axis=0)
    score = float(a @ b / max(float(np.sqrt((a @ a) * (b @ b))), 1e-20))
    return Likeness(score, 1.0, 1.0, same=score >= 0.95)


class _Fit(NamedTuple):
    """How well two pieces agree over what `share` of the shorter, and whether that makes them the same."""

    score: float
    share: float
    same: bool


def _by_pieces(ours: Floats, theirs: Floats, step: int) -> Likeness:
    """Pieces of the shorter sound, each looked for in the longer: over minutes even a small error of the
    speed would add up. Half of them must be found."""
    length = len(theirs) / step
    size = round(_PIECE * FRAME_RATE / step)
    if len(ours) <= length:
        pairs = [(piece, theirs) for piece in _pieces(ours, size)]
    else:
        pairs = [(ours, piece) for piece in _pieces(theirs, size * step)]
    fits: list[_Fit] = []
    for a, b in pairs:
        fits.append(_looked_for(a, b, step))
        if 2 * sum(not fit.same for fit in fits) > len(pairs):
            break
    kept = [fit for fit in fits if fit.same]
    same = 2 * len(kept) >= len(pairs)
    shown = kept if same else fits
    compared = sum(fit.share for fit in shown) / len(pairs) * min(len(ours), length)
    score = sum(fit.score for fit in shown) / len(shown)
    return Likeness(score, compared / len(ours), compared / length, same)


def _pieces(detail: Floats, size: int) -> list[Floats]:
    """The whole of a short sound; pieces of `size` frames from all over a longer one."""
    if len(detail) < 2 * size:
        return [detail]
    starts = np.linspace(0, len(detail) - size, min(_PIECES, len(detail) // size)).astype(np.intp)
    return [detail[start : start + size] for start in starts]


def _looked_for(ours: Floats, theirs: Floats, step: int) -> _Fit:
    best = _Fit(0.0, 0.0, same=False)
    for speed, phase in product(_SPEEDS, _PHASES):
        best = max(best, _laid_over(ours, _played(theirs, step * speed, phase), step / FRAME_RATE))
        if best.score >= _SURE:
            break
    return best


def _played(detail: Floats, step: float, phase: float) -> Floats:
    """Every `step`-th frame, interpolated, from `phase` of a step on."""
    places = np.arange(step * (0.5 + phase), len(detail) - 1, step)
    before = np.minimum(places.astype(np.intp), len(detail) - 2)
    part = (places - before)[:, None].astype(np.float32)
    played: Floats = detail[before] * (1 - part) + detail[before + 1] * part
    return played


class _Sums(NamedTuple):
    """Sums and sums of squares of one sound over what the other covers at each shift."""

    plain: Floats
    squared: Floats


def _laid_over(ours: Floats, theirs: Floats, frame: float) -> _Fit:
    """The fit at the best shift, with frames of so many seconds, over all bands or those above 500 Hz:
    high-pass filters leave noise below."""
    count = np.convolve(np.ones(len(ours)), np.ones(len(theirs)))[:, None].astype(np.float32)
    a, b = _sums(ours, len(theirs)), _sums(theirs[::-1], len(ours))
    joint = _convolved(ours, theirs[::-1]) - a.plain * b.plain / count
    spread_a, spread_b = (s.squared - s.plain**2 / count for s in (a, b))
    usable = count[:, 0] >= max(MIN_SECONDS / frame, _OVERLAP * min(len(ours), len(theirs)))
    best = _Fit(0.0, 0.0, same=False)
    for bands in (slice(None), _UPPER):
        within = np.minimum(spread_a[:, bands].mean(axis=1), spread_b[:, bands].mean(axis=1))
        clear = usable & (within > _STEADY**2 * count[:, 0])  # where nothing happens all sounds are alike
        both = spread_a[:, bands].sum(axis=1) * spread_b[:, bands].sum(axis=1)
        scores = np.where(clear, joint[:, bands].sum(axis=1) / np.sqrt(np.maximum(both, 1e-12)), 0)
        at = int(scores.argmax())
        common, score = float(count[at, 0]), float(np.clip(scores[at], 0, 1))
        share = common / min(len(ours), len(theirs))
        best = max(best, _Fit(score, share, same=score >= _least_score(common * frame)))
    return best


def _least_score(seconds: float) -> float:
    """How alike sounds must be over so many seconds. Copies score above 0.88 (some 0.8 where a filter took
    all below 500 Hz), the same sentence in another take below 0.81 over 3 s and 0.6 over 8 s. Measured by
    `bench/sound_sketch.py`."""
    return 0.8 + 0.12 / max(seconds - 0.5, 1.0)


def _sums(detail: Floats, other: int) -> _Sums:
    """For each shift of another sound of `other` frames, over those that it covers."""
    ends = np.arange(1, len(detail) + other)
    last, first = np.minimum(ends, len(detail)), np.maximum(ends - other, 0)

    def over(values: Floats) -> Floats:
        running = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0, dtype=np.float64)])
        return (running[last] - running[first]).astype(np.float32)

    return _Sums(over(detail), over(detail**2))


def _convolved(a: Floats, b: Floats) -> Floats:
    length = len(a) + len(b) - 1
    padded = fft.next_fast_len(length, real=True)
    spectrum = fft.rfft(a, padded, axis=0) * fft.rfft(b, padded, axis=0)
    convolved: Floats = fft.irfft(spectrum, padded, axis=0)[:length]
    return convolved
