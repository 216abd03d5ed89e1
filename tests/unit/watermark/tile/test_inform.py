from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from guard.watermark.tile.code import CODED_BITS, encode
from guard.watermark.tile.inform import coefficients
from guard.watermark.tile.pattern import LINES, pattern

KEY = pattern(b"inform")
CODE = encode(0xFEDCBA9876543210)
NOTHING = np.zeros(len(LINES), np.complex64)


def host(level: float, seed: int = 0) -> NDArray[np.complex64]:
    rng = np.random.default_rng(seed)
    return (level * (rng.normal(size=len(LINES)) + 1j * rng.normal(size=len(LINES)))).astype(np.complex64)


def agreement(lines: NDArray[np.complex64]) -> NDArray[np.float64]:
    """Per coded bit, how much the lines speak for it."""
    chips = np.concatenate([lines.real[KEY.data], lines.imag[KEY.data]]) * KEY.signs * CODE[KEY.bits]
    return np.bincount(KEY.bits, chips, CODED_BITS)


def test_on_nothing_the_power_is_one_and_shared_out() -> None:
    mark = coefficients(NOTHING, CODE, KEY, 0.25)
    assert np.square(np.abs(mark)).sum() == pytest.approx(1, rel=1e-4)
    assert np.square(np.abs(mark[KEY.sync])).sum() == pytest.approx(0.25, rel=1e-4)


def test_on_nothing_all_data_lines_are_equal() -> None:
    assert np.ptp(np.abs(coefficients(NOTHING, CODE, KEY, 0.25)[KEY.data])) < 1e-6


@pytest.mark.parametrize("share", [0.1, 0.35])
def test_the_sync_share_is_kept(share: float) -> None:
    mark = coefficients(NOTHING, CODE, KEY, share)
    assert np.square(np.abs(mark[KEY.sync])).sum() == pytest.approx(share, rel=1e-4)


@pytest.mark.parametrize("level", [0.01, 0.05, 0.2])
def test_no_bit_is_left_against_the_picture(level: float) -> None:
    """A bit that the picture contradicts is lifted further than one it favours."""
    picture = host(level)
    before = agreement(picture)
    added = agreement(coefficients(picture, CODE, KEY, 0.25))
    assert added.min() > 0
    assert np.corrcoef(before, added)[0, 1] < -0.4


def test_bits_end_up_more_alike_than_they_began() -> None:
    picture = host(0.05)
    plain = agreement(picture + coefficients(NOTHING, CODE, KEY, 0.25))
    informed = agreement(picture + coefficients(picture, CODE, KEY, 0.25))
    assert informed.min() > plain.min()
    assert informed.mean() / informed.std() > plain.mean() / plain.std()


def test_sync_lines_keep_their_phase_and_rise_against_the_picture() -> None:
    mark = coefficients(-0.5 * NOTHING, CODE, KEY, 0.25)[KEY.sync]
    against = NOTHING.copy()
    against[KEY.sync] = -0.05 * KEY.phases
    raised = coefficients(against, CODE, KEY, 0.25)[KEY.sync]
    assert np.allclose(np.angle(raised / KEY.phases), 0, atol=1e-4)
    assert (np.abs(raised) > np.abs(mark) + 0.04).all()


def test_sync_lines_rise_only_so_far() -> None:
    against = NOTHING.copy()
    against[KEY.sync] = -100 * KEY.phases
    plain = np.abs(coefficients(NOTHING, CODE, KEY, 0.25)[KEY.sync])
    assert np.allclose(np.abs(coefficients(against, CODE, KEY, 0.25)[KEY.sync]), 2.5 * plain, rtol=1e-3)
