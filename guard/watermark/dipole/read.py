"""Reading a mark: at the speed it was made first, then at others."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from guard.watermark.base import Payload, Reading, ReadingState
from guard.watermark.dipole.cells import Floats
from guard.watermark.dipole.key import DATA, Secret, ident, secret
from guard.watermark.dipole.mono import check
from guard.watermark.dipole.search import HYPOTHESES, LARGEST_CHANGE, LIKELIEST, windows
from guard.watermark.dipole.shape import FULL, MODES, PAIR_FRAMES
from guard.watermark.dipole.sync import Fit, Folds, Template, agreement, dipoles, fold, soft, tail

__all__ = ["detect", "read", "read_untouched"]

Folded: TypeAlias = Iterator[tuple[Template, Folds]]

_ENGINE = "dipole"
_CERTAIN = 1e-6
_MOST_FITS = 4  # of each fold
_WORTH_READING = 3.5
_SEARCHED = 2  # windows
# Offsets and shifts at which a fold is compared with the templates of one key.
_PLACES = (1 + LARGEST_CHANGE) * PAIR_FRAMES * sum(mode.pairs for mode in MODES)


def read(samples: Floats, rate: int, *, keys: Sequence[bytes]) -> Reading:
    """What `samples` (n, channels) carry under the first of `keys` that reads.

    A reading with `payload`, or with `short_id` from a clip that was too short for one, was confirmed by its
    MAC. One that is found but has neither shows that a mark of that key is there, its bits unreadable.
    `p_value` bounds the chance that unmarked sound reads this well under any of the keys, places, speeds and
    pitches that a read may try. Raises `InputError` for arrays that are no sound.
    """
    check(samples, rate)
    return _Search(samples, rate, keys, None).anywhere()


def detect(samples: Floats, rate: int, payload: Payload, *, keys: Sequence[bytes]) -> Reading:
    """Whether `samples` carry this payload, which shows in shorter and worse sound than `read` needs.

    Found in short mode, the reading has `short_id` in place of `payload`. Raises as `read`.
    """
    check(samples, rate)
    return _Search(samples, rate, keys, payload).anywhere()


def read_untouched(samples: Floats, rate: int, key: bytes) -> Reading:
    """What `samples` carry if their speed is that of the mark: the check after embedding."""
    return _Search(samples, rate, [key], None).untouched()


class _Search:
    """One read under a ring of keys, for any payload or for one."""

    def __init__(self, samples: Floats, rate: int, keys: Sequence[bytes], payload: Payload | None) -> None:
        self._windows = windows(samples, rate)
        self._keys = keys
        self._payload = payload
        searched, count = min(_SEARCHED, len(self._windows)), max(1, len(keys))
        self._log_trials = math.log(count * (len(self._windows) + 1 + searched * HYPOTHESES) * _PLACES)
        folds = len(MODES) * (len(self._windows) + 1) + searched * LIKELIEST
        self._most_words = count * folds * _MOST_FITS
        self._best = Reading(ReadingState.ABSENT, engine=_ENGINE, p_value=1.0)

    def anywhere(self) -> Reading:
        """What is there at any speed and pitch."""
        return self._first(self._as_it_plays) or self._first(self._changed) or self._best

    def untouched(self) -> Reading:
        """What is there at the speed that the sound plays."""
        return self._first(self._as_it_plays) or self._best

    def _first(self, look: Callable[[list[Template]], Folded]) -> Reading | None:
        for index, key in enumerate(self._keys):
            for template, folds in look(self._templates(key)):
                reading = self._judged(template, folds, index)
                if reading:
                    return reading
        return None

    def _templates(self, key: bytes) -> list[Template]:
        secrets = [secret(key, mode) for mode in MODES]
        if self._payload is None:
            return [Template.sync(one) for one in secrets]
        return [Template.known(one, ident(self._payload, one.mode)) for one in secrets]

    def _as_it_plays(self, templates: list[Template]) -> Folded:
        """Each window, then all together: they are whole turns of the mark apart."""
        totals: dict[int, Folds] = {}
        for window in self._windows:
            seen = dipoles(window.cells, templates[0].secret.signs)
            for index, template in enumerate(templates):
                folds = fold(seen, template.secret.mode.pairs)
                totals[index] = totals[index] + folds if index in totals else folds
                yield template, folds
        if len(self._windows) > 1:
            yield from ((template, totals[index]) for index, template in enumerate(templates))

    def _changed(self, templates: list[Template]) -> Folded:
        loudest = sorted(self._windows, key=lambda window: -window.loudness)
        for window in loudest[:_SEARCHED]:
            yield from window.changed(templates)

    def _judged(self, template: Template, folds: Folds, key_index: int) -> Reading | None:
        fits = template.best(folds, _MOST_FITS)
        self._note(fits[0], key_index)
        one = template.secret
        if self._payload is None:
            return self._spelt(one, folds, [fit for fit in fits if fit.score >= _WORTH_READING], key_index)
        value = ident(self._payload, one.mode)
        score = max(agreement(seen, one.symbols(value)) for seen in soft(folds, fits, one))
        return self._found(one, value, score, tail(score, self._log_trials), key_index)

    def _spelt(self, one: Secret, folds: Folds, fits: list[Fit], key_index: int) -> Reading | None:
        """The first word at these fits that its MAC confirms."""
        if not fits:
            return None
        words = soft(folds, fits, one)
        for value, seen in zip(one.values(words), words, strict=True):
            if value is not None:
                score = agreement(seen[:, DATA], one.symbols(value)[:, DATA])
                # Noise would have to hit the MAC, and also to agree as well as the best of all ids did.
                p_value = tail(score, self._log_trials + one.mode.id_bits * math.log(2))
                p_value = min(p_value, self._most_words * 2.0**-one.mode.mac_bits)
                return self._found(one, value, score, p_value, key_index)
        return None

    def _found(self, one: Secret, value: int, score: float, p_value: float, index: int) -> Reading | None:
        if p_value > _CERTAIN:
            return None
        full = one.mode is FULL
        return Reading(
            ReadingState.FOUND,
            engine=_ENGINE,
            payload=Payload(value) if full else None,
            short_id=None if full else value,
            p_value=p_value,
            quality=score,
            key_index=index,
        )

    def _note(self, fit: Fit, key_index: int) -> None:
        """Keep the best fit so far, for when no words are read."""
        p_value = tail(fit.score, self._log_trials)
        if p_value < (self._best.p_value or 0):
            found = p_value <= _CERTAIN
            self._best = Reading(
                ReadingState.FOUND if found else ReadingState.ABSENT,
                engine=_ENGINE,
                p_value=p_value,
                quality=fit.score,
                key_index=key_index if found else None,
            )
