from __future__ import annotations

import numpy as np
import pytest

from guard.watermark.tile.code import CODED_BITS, decode, encode, quality, quality_tail

PAYLOADS = [0, 1, 0x0123456789ABCDEF, (1 << 64) - 1]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_is_encoded_decodes(payload: int) -> None:
    (word,) = decode(encode(payload)[None])
    assert word.payload == payload


def test_code_words_are_signs() -> None:
    code = encode(5)
    assert code.shape == (CODED_BITS,)
    assert set(np.unique(code)) == {-1.0, 1.0}


def test_code_words_of_neighbouring_payloads_differ_widely() -> None:
    assert np.count_nonzero(encode(5) != encode(4)) > 60


def test_noise_is_corrected() -> None:
    rng = np.random.default_rng(1)
    soft = np.stack([encode(payload) for payload in PAYLOADS]) + rng.normal(0, 0.9, (4, CODED_BITS))
    assert [word.payload for word in decode(soft.astype(np.float32))] == PAYLOADS


def test_a_burst_of_erasures_is_corrected() -> None:
    soft = encode(77).copy()
    soft[100:130] = 0
    assert decode(soft[None])[0].payload == 77


def test_the_wrap_around_has_no_weak_spot() -> None:
    for start in range(0, CODED_BITS, 32):
        soft = np.roll(np.concatenate([np.zeros(24), np.ones(CODED_BITS - 24)]), start) * encode(99)
        assert decode(soft.astype(np.float32)[None])[0].payload == 99


def test_inverted_words_are_denied_by_their_crc() -> None:
    assert decode(-encode(5)[None])[0].payload is None


def test_noise_alone_is_denied_and_has_low_quality() -> None:
    soft = np.random.default_rng(2).normal(size=(64, CODED_BITS)).astype(np.float32)
    words = decode(soft)
    assert all(word.payload is None for word in words)
    assert max(word.quality for word in words) < 0.7


def test_quality_is_mean_over_deviation() -> None:
    code = encode(5)
    soft = code * (2 + np.tile([1, -1], CODED_BITS // 2)).astype(np.float32)
    assert quality(soft, code) == pytest.approx(2.0)


def test_quality_does_not_depend_on_scale() -> None:
    soft = encode(5) + np.random.default_rng(3).normal(0, 0.5, CODED_BITS).astype(np.float32)
    assert quality(1000 * soft, encode(5)) == pytest.approx(quality(soft, encode(5)), rel=1e-4)


def test_the_tail_falls_and_never_promises_certainty() -> None:
    tails = [quality_tail(value) for value in (0.3, 0.6, 0.65, 0.7, 0.8, 9.0)]
    assert tails == sorted(tails, reverse=True)
    assert tails[0] == pytest.approx(1.0)
    assert tails[-1] > 0


def test_the_tail_bounds_what_noise_reaches() -> None:
    soft = np.random.default_rng(4).normal(size=(400, CODED_BITS)).astype(np.float32)
    qualities = np.array([word.quality for word in decode(soft)])
    for level in (0.60, 0.62, 0.64, 0.65):
        assert np.mean(qualities >= level) <= quality_tail(level) + 0.02
