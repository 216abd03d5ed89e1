"""Finding the grid: dipoles, folded onto one turn of the mark, against what a key would make of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from guard.watermark.dipole.cells import Cells, Floats
from guard.watermark.dipole.key import SYNC, Secret
from guard.watermark.dipole.shape import GROUPS, PAIR_FRAMES, SLOT_FRAMES, STEP

__all__ = ["Fit", "Folds", "Template", "agreement", "dipoles", "fold", "soft", "tail"]

_LEAST_ORDER = 0.05

Phasors: TypeAlias = NDArray[np.complex64]
# (offsets, pairs, groups): one row for each frame that the grid's first pair may start at.
Folds: TypeAlias = NDArray[np.complex64]


class Fit(NamedTuple):
    """How well folded dipoles fit: `score` in standard deviations, the grid's `offset` in frames, and which
    pair of the mark, `shift`, the first one is."""

    score: float
    offset: int
    shift: int


def tail(score: float, log_trials: float) -> float:
    """A bound on the chance that the best of exp(log_trials) fits to an unmarked sound scores this well.

    Hoeffding's inequality for sums of vectors in random directions, which a key's secret shifts make of them.
    """
    return math.exp(min(0.0, log_trials - score * abs(score) / 2))


def dipoles(seen: Cells, signs: Floats) -> Phasors:
    """Where dipoles (n, groups) that start at each frame lie between their lattice's points, as phasors whose
    length is how much they can be trusted."""
    level = (seen.level[:-SLOT_FRAMES] - seen.level[SLOT_FRAMES:]) @ signs
    trust = (seen.response[:-SLOT_FRAMES] + seen.response[SLOT_FRAMES:]) @ (abs(signs) / 4)
    return np.asarray(np.sqrt(trust) * np.exp(np.float32(2 * np.pi / STEP) * 1j * level), np.complex64)


def fold(seen: Phasors, pairs: int, tempo: float = 1.0) -> Folds:
    """Sums of the dipoles `pairs` pairs apart, in a sound `tempo` times as fast as it was marked."""
    padded = np.concatenate([seen, np.zeros((1, seen.shape[1]), seen.dtype)])
    return np.asarray(padded[_rows(len(seen), pairs, tempo)].sum(axis=1))


@lru_cache(maxsize=512)
def _rows(frames: int, pairs: int, tempo: float) -> NDArray[np.int64]:
    """Where each pair starts, (offsets, turns, pairs); `frames` where the sound is over."""
    period = PAIR_FRAMES / tempo
    offsets, turns = math.ceil(period), math.ceil(frames / (period * pairs))
    starts = np.arange(offsets)[:, None] + np.arange(turns * pairs) * period
    return np.minimum(np.rint(starts), frames).astype(np.int64).reshape(offsets, turns, pairs)


@dataclass(frozen=True, eq=False)
class Template:
    """What some groups of dipoles look like, marked: phasors (pairs, groups)."""

    secret: Secret
    groups: NDArray[np.int64]
    phasors: Phasors

    @classmethod
    def sync(cls, secret: Secret) -> Template:
        """The groups that are known to whoever has the key."""
        return cls(secret, SYNC, np.exp(2j * np.pi * secret.turns[:, SYNC]).astype(np.complex64))

    @classmethod
    def known(cls, secret: Secret, value: int) -> Template:
        """All groups, for an id that is known."""
        phasors = np.exp(2j * np.pi * secret.turns) * secret.symbols(value)
        return cls(secret, np.arange(GROUPS), phasors.astype(np.complex64))

    @cached_property
    def _spectrum(self) -> Phasors:
        return np.asarray(scipy.fft.fft(self.phasors, axis=0))

    @cached_property
    def signs(self) -> Floats:
        """The signs (24, groups) of its groups."""
        return self.secret.signs[:, self.groups]

    def scores(self, folds: Folds) -> Floats:
        """Real parts of the correlations (offsets, shifts) of folds of its groups, in standard deviations.

        The deviation is that of the folded dipoles in random directions, so neither loops nor silence score.
        """
        spectrum = scipy.fft.fft(folds, axis=1).conj() * self._spectrum
        fits = scipy.fft.ifft(spectrum.sum(axis=2), axis=1).real
        deviation = np.sqrt((folds.real**2 + folds.imag**2).sum(axis=(1, 2)) / 2 + 1e-20)
        return np.asarray(fits / deviation[:, None], np.float32)

    def best(self, folds: Folds, most: int) -> list[Fit]:
        """The best fits to folds of all groups, best first."""
        scores = self.scores(folds[:, :, self.groups])
        order = np.argsort(scores, axis=None)[: -most - 1 : -1]
        offsets, shifts = np.unravel_index(order, scores.shape)
        return [Fit(float(scores[o, s]), int(o), int(s)) for o, s in zip(offsets, shifts, strict=True)]


def soft(folds: Folds, fits: list[Fit], secret: Secret) -> Floats:
    """Soft symbols (n, pairs, groups) for n fits.

    Groups whose dipoles lie anywhere count for less than those that keep to either lattice.
    """
    pairs = np.arange(secret.mode.pairs)
    rotation = np.exp(-2j * np.pi * secret.turns)
    aligned = np.array([folds[fit.offset][(pairs - fit.shift) % len(pairs)] * rotation for fit in fits])
    length = abs(aligned) + 1e-9
    order = (aligned**2 / length).real.sum(axis=1, keepdims=True) / length.sum(axis=1, keepdims=True)
    return np.asarray(aligned.real * np.sqrt(np.maximum(order, _LEAST_ORDER)), np.float32)


def agreement(seen: Floats, symbols: Floats) -> float:
    """How well soft symbols agree with hard ones, in standard deviations of what random signs would give."""
    return float(np.vdot(seen, symbols) / np.sqrt(np.vdot(seen, seen) + 1e-20))
