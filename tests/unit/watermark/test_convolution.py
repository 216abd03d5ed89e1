from __future__ import annotations

import numpy as np
import pytest

from guard.watermark.convolution import RATE, convolve, search


def bits(n: int, seed: int = 0) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 2, n).astype(np.uint8)


@pytest.mark.parametrize("n", [64, 96])
def test_a_word_reads_back(n: int) -> None:
    words = np.stack([bits(n, seed) for seed in range(3)])
    assert np.array_equal(search(np.stack([convolve(word) for word in words])), words)


def test_coded_bits_are_signs_four_to_a_bit() -> None:
    code = convolve(bits(96))
    assert code.shape == (96 * RATE,)
    assert set(code.tolist()) == {-1.0, 1.0}


def test_the_code_bites_its_tail() -> None:
    word = bits(96)
    assert np.array_equal(convolve(np.roll(word, 5)), np.roll(convolve(word), 5 * RATE))


def test_words_read_through_noise_and_holes() -> None:
    rng = np.random.default_rng(1)
    word = bits(96)
    soft = convolve(word) + rng.normal(0, 1.0, 384).astype(np.float32)
    assert np.array_equal(search(soft[None].astype(np.float32))[0], word)
    holes = np.where(rng.random(384) < 0.5, 0, convolve(word)).astype(np.float32)
    assert np.array_equal(search(holes[None])[0], word)


def test_words_far_apart_differ_in_many_places() -> None:
    word = bits(96)
    other = word.copy()
    other[40] ^= 1
    assert (convolve(word) != convolve(other)).sum() >= 20
