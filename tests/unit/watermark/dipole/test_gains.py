from __future__ import annotations

import numpy as np
import pytest

from guard.watermark.base import Strength
from guard.watermark.dipole.cells import Floats, cells, power, slots
from guard.watermark.dipole.gains import difference, gains, transform
from guard.watermark.dipole.key import secret
from guard.watermark.dipole.shape import BANDS, FULL, GROUPS, PAIR, SLOT, SLOT_FRAMES, STEP

from .conftest import KEY, voice

NONE = np.zeros((0, BANDS), np.float32)
PAIRS = 20
SIGNS = secret(KEY, FULL).signs
TURNS = np.random.default_rng(0).random((PAIRS, GROUPS)).astype(np.float32)


@pytest.fixture(scope="module")
def sound() -> Floats:
    return voice((PAIRS * PAIR + SLOT) / 8000, 8000, seed=1)[:, 0]


def misses(sound: Floats) -> Floats:
    """How far dipoles (pairs, groups) lie from their lattices, in dB, where they respond."""
    seen = cells(slots(power(sound)))
    rows = slice(0, 2 * PAIRS * SLOT_FRAMES, SLOT_FRAMES)
    level, response = (part[rows].reshape(PAIRS, 2, BANDS) for part in seen)
    at = (level[:, 0] - level[:, 1]) @ SIGNS / STEP - TURNS
    trusted = response.sum(axis=1) @ abs(SIGNS) / 4 > 0.6
    return np.asarray(abs(at - np.round(at))[trusted] * STEP, np.float32)


def test_dipoles_come_to_lie_on_their_lattices(sound: Floats) -> None:
    found = gains(sound, SIGNS, TURNS, NONE, Strength.DEFAULT)
    assert found.shape == (2 * PAIRS, BANDS)
    assert abs(found).max() <= 5
    marked = sound + difference(transform(sound), found, len(sound))
    assert np.median(misses(sound)) > 2
    assert np.median(misses(marked)) < 0.5


def test_what_was_decided_stays(sound: Floats) -> None:
    frozen = np.full((6, BANDS), 0.25, np.float32)
    found = gains(sound, SIGNS, TURNS, frozen, Strength.DEFAULT)
    assert np.array_equal(found[:6], frozen)
    assert abs(found[6:]).max() > 1


def test_tones_are_hardly_touched() -> None:
    steady = np.sin(2 * np.pi * 700 * np.arange(PAIRS * PAIR + SLOT) / 8000).astype(np.float32)
    assert abs(gains(steady, SIGNS, TURNS, NONE, Strength.DEFAULT))[8:-8].max() <= 0.6
    assert 1 < abs(gains(steady, SIGNS, TURNS, NONE, Strength.ROBUST))[8:-8].max() <= 2.1


def test_no_gain_is_no_difference(sound: Floats) -> None:
    assert not difference(transform(sound), np.zeros((2, BANDS), np.float32), len(sound)).any()


def test_the_difference_has_the_gain_of_its_slot(sound: Floats) -> None:
    flat = np.full((2 * PAIRS, BANDS), 20 * np.log10(1.5), np.float32)
    marked = sound + difference(transform(sound), flat, len(sound))
    energy, raised = slots(power(sound))[100:380:10], slots(power(marked))[100:380:10]
    ratio = raised[:, 4:20].sum() / energy[:, 4:20].sum()
    assert ratio == pytest.approx(2.25, rel=0.02)
