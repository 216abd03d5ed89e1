from __future__ import annotations

import numpy as np
import pytest
import soxr

from guard.watermark.dipole.key import secret
from guard.watermark.dipole.search import HYPOTHESES, LIKELIEST, Window, windows
from guard.watermark.dipole.shape import FULL, MODES, SHORT
from guard.watermark.dipole.sync import Template

from .conftest import KEY, PAYLOAD, RATE, Sound, voice

TEMPLATES = [Template.sync(secret(KEY, mode)) for mode in MODES]


@pytest.mark.parametrize("factor", [0.945, 1.0, 1.057])
def test_the_likeliest_change_comes_first(marked: Sound, factor: float) -> None:
    window = Window(soxr.resample(marked, RATE, round(RATE / factor)), RATE)
    found = list(window.changed(TEMPLATES))
    assert len(found) == LIKELIEST
    template, folds = found[0]
    assert template.secret.mode is FULL
    assert template.best(folds, 1)[0].score > 7


def test_the_short_mode_is_looked_for_as_well(marked: Sound) -> None:
    window = Window(marked[: 4 * RATE], RATE)
    assert any(template.secret.mode is SHORT for template, _ in window.changed(TEMPLATES[1:]))


def test_a_long_window_is_searched_where_it_is_loudest(marked: Sound) -> None:
    hush = np.float32(1e-3) * voice(16, seed=3)
    window = Window(soxr.resample(np.concatenate([hush, marked]), RATE, round(RATE / 1.03)), RATE)
    template, folds = next(window.changed(TEMPLATES))
    assert template.best(folds, 1)[0].score > 6


def test_keys_share_what_does_not_depend_on_them(marked: Sound) -> None:
    window = Window(marked, RATE)
    first = next(window.changed(TEMPLATES))[1]
    other = [Template.sync(secret(b"another", mode)) for mode in MODES]
    list(window.changed(other))
    assert np.array_equal(next(window.changed(TEMPLATES))[1], first)
    known = [Template.known(secret(KEY, mode), PAYLOAD.value >> 64 - mode.id_bits) for mode in MODES]
    assert next(window.changed(known))[0].secret.mode is FULL


@pytest.mark.parametrize(
    ("seconds", "count"), [(0.1, 0), (0.5, 1), (24, 1), (24.3, 1), (50, 3), (24 * 40, 40), (24 * 400, 40)]
)
def test_windows_are_few_and_spread_out(seconds: float, count: int) -> None:
    assert len(windows(np.zeros((round(8000 * seconds), 1), np.float32), 8000)) == count


def test_all_windows_start_with_a_turn_of_either_mode() -> None:
    sound = np.zeros((24 * 8000 * 90, 1), np.float32)
    sound[:: 24 * 8000] = 1
    assert all(window._samples[0, 0] == 1 for window in windows(sound, 8000))
    assert [24 * 10 % mode.pairs for mode in MODES] == [0, 0]


def test_hypotheses_are_counted() -> None:
    assert HYPOTHESES == 61 + 12 * 6 + LIKELIEST * 25
