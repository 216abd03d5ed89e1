from __future__ import annotations

import numpy as np

from guard.watermark.tile.code import CODED_BITS
from guard.watermark.tile.pattern import LINES, RADII, pattern

FIXED_SYNC = [401, 456, 451, 628, 360, 40]
FIXED_BITS = [127, 37, 269, 261, 202, 360]
FIXED_SIGNS = [-1.0, 1.0, -1.0, 1.0, 1.0, -1.0, -1.0, -1.0]


def test_lines_lie_on_a_half_plane_ring_off_the_axes() -> None:
    assert len(LINES) == 1008
    assert (LINES[:, 1] >= 2).all()
    assert (np.abs(LINES[:, 0]) >= 2).all()
    assert RADII.min() >= 8
    assert RADII.max() <= 28


def test_no_two_lines_are_the_same_wave() -> None:
    both = np.concatenate([LINES, -LINES])
    assert len(np.unique(both, axis=0)) == len(both)


def test_a_key_always_makes_the_same_pattern() -> None:
    pattern.cache_clear()
    first = pattern(b"key")
    pattern.cache_clear()
    again = pattern(b"key")
    assert np.array_equal(first.sync, again.sync)
    assert np.array_equal(first.signs, again.signs)


def test_the_pattern_of_a_key_is_fixed_for_good() -> None:
    """A change here would make every mark in the world unreadable."""
    fixed = pattern(b"guard")
    assert fixed.sync[:6].tolist() == FIXED_SYNC
    assert fixed.bits[:6].tolist() == FIXED_BITS
    assert fixed.signs[:8].tolist() == FIXED_SIGNS


def test_patterns_are_cached() -> None:
    assert pattern(b"cached") is pattern(b"cached")


def test_keys_of_any_length_and_no_length_work() -> None:
    patterns = [pattern(key) for key in (b"", b"k", b"k" * 1000)]
    assert len({p.sync.tobytes() for p in patterns}) == 3


def test_sync_lines_keep_their_distance_from_one_another_and_their_conjugates() -> None:
    lines = LINES[pattern(b"key").sync]
    assert len(lines) == 60
    for sign in (1, -1):
        gaps = np.linalg.norm(lines[:, None] * sign - lines[None], axis=2)
        np.fill_diagonal(gaps, 99)
        assert gaps.min() > 2.5


def test_sync_and_data_share_out_all_lines() -> None:
    made = pattern(b"key")
    assert sorted([*made.sync, *made.data]) == list(range(len(LINES)))


def test_every_coded_bit_has_its_fair_share_of_chips() -> None:
    made = pattern(b"key")
    counts = np.bincount(made.bits, minlength=CODED_BITS)
    assert len(made.bits) == 2 * len(made.data)
    assert counts.min() >= 4
    assert counts.max() <= 5


def test_signs_and_phases_are_balanced() -> None:
    made = pattern(b"key")
    assert abs(made.signs.mean()) < 0.1
    assert np.allclose(np.abs(made.phases), 1)
    assert abs(made.phases.mean()) < 0.4


def test_different_keys_share_no_more_than_chance() -> None:
    one, two = pattern(b"one"), pattern(b"two")
    assert len(np.intersect1d(one.sync, two.sync)) < 12
    assert len(one.signs) == len(two.signs) == 1896
    assert abs(np.mean(one.signs == two.signs) - 0.5) < 0.06
