"""Looking for marks in sound whose speed, tempo or pitch was changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import product
from typing import NamedTuple

import numpy as np

from guard.watermark.dipole.cells import Cells, Floats, heard, power, slots
from guard.watermark.dipole.mono import listened
from guard.watermark.dipole.shape import RATE, SLOT_FRAMES
from guard.watermark.dipole.sync import Folds, Template, dipoles, fold

__all__ = ["HYPOTHESES", "LARGEST_CHANGE", "LIKELIEST", "Window", "windows"]


class Change(NamedTuple):
    """A sound plays `tempo` times as fast and `pitch` times as high as it was marked."""

    tempo: float
    pitch: float


LARGEST_CHANGE = 0.07  # by 6 %, and what the finer steps add
_SECONDS = 24  # a whole number of turns of either mode, so that windows may be folded onto one another
_MOST_WINDOWS = 40
_LEAST = 500  # milliseconds: a few dipoles
_EXCERPT = 12 * RATE
_PITCHES = tuple(1 + step / 100 for step in range(-6, 7))
_TEMPOS = tuple(1 + step / 500 for step in range(-30, 31))
_AROUND = (-0.004, -0.002, 0.0, 0.002, 0.004)
_FINER_TEMPOS = (-0.001, -0.0005, 0.0, 0.0005, 0.001)
_FINER_PITCHES = _AROUND
LIKELIEST = 3


def _tempos(pitch: float) -> tuple[float, ...]:
    """At the old pitch any tempo; else the old tempo, or those near a change of speed, which changes both."""
    return _TEMPOS if pitch == 1 else (1.0, *(pitch + step for step in _AROUND))


HYPOTHESES = sum(len(_tempos(pitch)) for pitch in _PITCHES)
HYPOTHESES += LIKELIEST * len(_FINER_PITCHES) * len(_FINER_TEMPOS)


class Window:
    """Some seconds of sound, `samples` (n, channels), that are searched. What does not depend on a key is
    worked out once."""

    def __init__(self, samples: Floats, rate: int) -> None:
        self._samples, self._rate = samples, rate
        self._coarse: dict[float, Cells] = {}

    @cached_property
    def loudness(self) -> float:
        """How much there is to hear."""
        return float(abs(self._sound).sum())

    @cached_property
    def _sound(self) -> Floats:
        return listened(self._samples, self._rate)

    @cached_property
    def cells(self) -> Cells:
        """Its cells at the speed it plays."""
        return heard(slots(power(self._sound)))  # the spectra, five times as large, are not kept

    @cached_property
    def _spectra(self) -> Floats:
        return power(self._sound)

    @cached_property
    def _excerpt(self) -> Floats:
        return power(_liveliest(self._sound))

    def changed(self, templates: Sequence[Template]) -> Iterator[tuple[Template, Folds]]:
        """Folds under the likeliest changes, for the templates of one key."""
        for _, index, change in sorted(self._scores(templates), reverse=True)[:LIKELIEST]:
            yield templates[index], self._refined(templates[index], change)

    def _scores(self, templates: Sequence[Template]) -> Iterator[tuple[float, int, Change]]:
        for pitch in _PITCHES:
            if pitch not in self._coarse:
                self._coarse[pitch] = heard(slots(self._excerpt, pitch))
            seen = dipoles(self._coarse[pitch], templates[0].signs)
            for tempo, (index, template) in product(_tempos(pitch), enumerate(templates)):
                folds = fold(seen, template.secret.mode.pairs, tempo)
                yield float(template.scores(folds).max()), index, Change(tempo, pitch)

    def _refined(self, template: Template, change: Change) -> Folds:
        pairs, length = template.secret.mode.pairs, SLOT_FRAMES / change.tempo
        best, where = -1.0, change
        for step in _FINER_PITCHES:
            seen = heard(slots(self._spectra, change.pitch + step, length))
            turned = dipoles(seen, template.signs)
            for finer in _FINER_TEMPOS:
                score = float(template.scores(fold(turned, pairs, change.tempo + finer)).max())
                if score > best:
                    best, where = score, Change(change.tempo + finer, change.pitch + step)
        seen = heard(slots(self._spectra, where.pitch, SLOT_FRAMES / where.tempo))
        return fold(dipoles(seen, template.secret.signs), pairs, where.tempo)


def windows(samples: Floats, rate: int) -> list[Window]:
    """Up to 40 windows of 24 s, spread over the sound; the last may be shorter."""
    size = _SECONDS * rate
    count = -(-len(samples) // size)
    taken = np.unique(np.linspace(0, count - 1, min(count, _MOST_WINDOWS)).astype(int))
    pieces = (samples[index * size : (index + 1) * size] for index in taken.tolist())
    return [Window(piece, rate) for piece in pieces if len(piece) * 1000 >= _LEAST * rate]


def _liveliest(sound: Floats) -> Floats:
    """The 12 s of the most even loudness."""
    if len(sound) <= _EXCERPT:
        return sound
    seconds = np.sqrt((sound[: len(sound) // RATE * RATE].reshape(-1, RATE) ** 2).mean(axis=1))
    loudness = np.convolve(seconds, np.ones(_EXCERPT // RATE), "valid")
    start = int(loudness.argmax()) * RATE
    return sound[start : start + _EXCERPT]
