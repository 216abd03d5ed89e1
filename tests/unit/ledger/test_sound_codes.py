"""Sounds are found again by the moments in them, and other sounds are not."""

from __future__ import annotations

import numpy as np
import pytest

from guard.ledger import sound_codes
from guard.ledger.fingerprint import bucket, probes
from tests.unit.ledger.test_sound_sketch import COPIES, RATE, Sound, heard, spoken


def filed(sound: Sound) -> set[int]:
    return {bucket(each) for each in sound_codes.filed(heard(sound))}


def asked(sound: Sound) -> set[int]:
    return {place for each in sound_codes.questions(heard(sound)) for place in probes(each)}


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_is_asked_for_where_the_sound_is_filed(copy: str) -> None:
    assert filed(spoken(1)) & asked(COPIES[copy](spoken(1)))


@pytest.mark.parametrize("seed", range(2, 6))
def test_another_sound_is_not(seed: int) -> None:
    assert len(filed(spoken(1)) & asked(spoken(seed))) <= 1


def test_a_part_is_found_wherever_it_begins() -> None:
    for start in (0.0, 1.234, 4.01):
        at = round(start * RATE)
        assert len(filed(spoken(1)) & asked(spoken(1)[at : at + 4 * RATE])) >= 2


def test_what_is_filed_tells_when_it_is_heard() -> None:
    times = [each.at for each in sound_codes.filed(heard(spoken(1)))]
    assert len(times) > 10
    assert all(at is not None and 0 < at < 8 for at in times)
    assert times == sorted(times, key=lambda at: at or 0)


@pytest.mark.parametrize("count", [0, 1, 600, RATE])
def test_of_what_is_too_short_nothing_is_filed(count: int) -> None:
    energy = heard(spoken(1)[:count])
    assert sound_codes.filed(energy) == sound_codes.questions(energy) == []


@pytest.mark.parametrize("level", [0.0, 0.2])
def test_silence_and_a_steady_level_hold_no_moments(level: float) -> None:
    energy = heard(np.full(RATE * 5, level, np.float32))
    assert sound_codes.filed(energy) == sound_codes.questions(energy) == []


def test_of_a_long_sound_as_many_moments_are_kept_from_everywhere() -> None:
    energy = np.concatenate([heard(spoken(seed)) for seed in range(10, 16)] * 6)
    questions = sound_codes.questions(energy)
    assert len(questions) <= 3 * 48
    times = [each.at or 0.0 for each in sound_codes.filed(energy)]
    assert len(times) > 400
    gaps = np.diff(times)
    assert gaps.max() < 5
