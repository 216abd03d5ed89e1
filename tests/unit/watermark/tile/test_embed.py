from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from guard.errors import InputError, MarkError
from guard.watermark.base import Payload, ReadingState, Strength
from guard.watermark.tile import embed, read
from guard.watermark.tile.embed import MINIMUM_SIDE

from .conftest import KEY, PAYLOAD, drawn, natural


def psnr(one: NDArray[Any], two: NDArray[Any]) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - two) ** 2)))


def test_what_is_embedded_reads_back(marked: NDArray[np.uint8]) -> None:
    reading = read(marked, keys=[KEY])
    assert reading.state is ReadingState.FOUND
    assert reading.payload == PAYLOAD


def test_the_original_is_left_alone(photo: NDArray[np.uint8]) -> None:
    before = photo.copy()
    embed(photo, PAYLOAD, key=KEY)
    assert np.array_equal(photo, before)


def test_the_mark_is_faint(photo: NDArray[np.uint8], marked: NDArray[np.uint8]) -> None:
    assert psnr(photo, marked) > 41
    assert np.abs(photo.astype(int) - marked).max() < 24


def test_embedding_is_deterministic(photo: NDArray[np.uint8], marked: NDArray[np.uint8]) -> None:
    assert np.array_equal(embed(photo, PAYLOAD, key=KEY), marked)


@pytest.mark.parametrize("value", [0, 1, (1 << 64) - 1])
def test_extreme_payloads(photo: NDArray[np.uint8], value: int) -> None:
    assert read(embed(photo, Payload(value), key=KEY), keys=[KEY]).payload == Payload(value)


def test_strengths_are_ordered(photo: NDArray[np.uint8]) -> None:
    levels = [psnr(photo, embed(photo, PAYLOAD, key=KEY, strength=strength)) for strength in Strength]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] > 44
    assert levels[-1] > 39


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
def test_every_kind_of_array_keeps_its_kind(dtype: Any, channels: int | None) -> None:
    rgb = natural(320, 400).astype(dtype) * (257 if dtype is np.uint16 else 1)
    opaque = np.full(rgb.shape[:2], np.iinfo(dtype).max, dtype)
    kinds = {
        None: rgb[..., 1],
        1: rgb[..., :1],
        2: np.dstack([rgb[..., 1], opaque]),
        3: rgb,
        4: np.dstack([rgb, opaque]),
    }
    pixels = kinds[channels].astype(dtype)
    copy = embed(pixels, PAYLOAD, key=KEY)
    assert copy.shape == pixels.shape
    assert copy.dtype == pixels.dtype
    assert read(copy, keys=[KEY]).payload == PAYLOAD


def test_16_bits_keep_their_low_bits() -> None:
    rng = np.random.default_rng(1)
    pixels = natural(320, 400).astype(np.uint16) * 257 + rng.integers(-90, 90, (320, 400, 3)).astype(
        np.uint16
    )
    difference = embed(pixels, PAYLOAD, key=KEY).astype(int) - pixels
    assert len(np.unique(difference)) > 500


def test_transparent_pixels_carry_no_energy() -> None:
    pixels = np.dstack([natural(480, 640), np.full((480, 640), 255, np.uint8)])
    pixels[:, :200, 3] = 0
    copy = embed(pixels, PAYLOAD, key=KEY)
    assert np.array_equal(copy[:, :200], pixels[:, :200])
    assert np.array_equal(copy[..., 3], pixels[..., 3])
    assert not np.array_equal(copy[:, 200:], pixels[:, 200:])
    assert read(copy, keys=[KEY]).payload == PAYLOAD


def test_a_transparent_picture_reads_after_compositing_on_white() -> None:
    pixels = np.dstack([natural(480, 640), np.full((480, 640), 255, np.uint8)])
    pixels[:, :200, 3] = 0
    copy = embed(pixels, PAYLOAD, key=KEY)
    shown = np.where(copy[..., 3:] == 0, np.uint8(255), copy[..., :3])
    assert read(shown, keys=[KEY]).payload == PAYLOAD


def test_nothing_but_transparency_is_refused() -> None:
    pixels = np.dstack([natural(320, 400), np.zeros((320, 400), np.uint8)])
    with pytest.raises(MarkError):
        embed(pixels, PAYLOAD, key=KEY)


def test_flat_art_is_marked_with_longer_waves() -> None:
    page = drawn(760, 1000)
    copy = embed(page, PAYLOAD, key=KEY)
    assert read(copy, keys=[KEY]).payload == PAYLOAD
    difference = (copy.astype(float) - page)[..., 1]
    power = np.abs(np.fft.fft2(difference)) ** 2
    radius = np.hypot(np.fft.fftfreq(760)[:, None], np.fft.fftfreq(1000)[None, :])
    low, high = power[(radius > 0.03) & (radius < 0.11)].sum(), power[(radius > 0.12) & (radius < 0.22)].sum()
    assert low > 3 * high


def test_large_pictures_are_marked_at_canonical_size() -> None:
    picture = np.kron(natural(700, 900), np.ones((2, 2, 1), np.uint8))
    copy = embed(picture, PAYLOAD, key=KEY)
    assert copy.shape == picture.shape
    assert read(copy, keys=[KEY]).payload == PAYLOAD


def test_an_average_over_pictures_does_not_show_the_pattern() -> None:
    """The tile lies differently in every picture, so what pictures have in common is not the mark."""
    differences = []
    for seed in range(6):
        picture = natural(256, 256, seed)
        differences.append(embed(picture, PAYLOAD, key=KEY).astype(float).mean(axis=2) - picture.mean(axis=2))
    one = np.corrcoef(differences[0].ravel(), differences[1].ravel())[0, 1]
    assert abs(one) < 0.1
    assert np.std(np.mean(differences, axis=0)) < 0.6 * np.mean([d.std() for d in differences])


@pytest.mark.parametrize("shape", [(MINIMUM_SIDE - 1, 900, 3), (900, 20), (1, 1), (1, 100_000)])
def test_pictures_too_small_are_refused_with_the_least_size(shape: tuple[int, ...]) -> None:
    with pytest.raises(MarkError, match=str(MINIMUM_SIDE)):
        embed(np.full(shape, 90, np.uint8), PAYLOAD, key=KEY)


def test_the_least_size_works() -> None:
    picture = natural(MINIMUM_SIDE, MINIMUM_SIDE)
    assert read(embed(picture, PAYLOAD, key=KEY), keys=[KEY]).payload == PAYLOAD


def test_what_cannot_be_read_back_raises() -> None:
    noise = np.random.default_rng(1).integers(0, 2, (200, 200)).astype(np.uint8) * 255
    with pytest.raises(MarkError) as caught:
        embed(noise, PAYLOAD, key=KEY)
    assert caught.value.remedy


@pytest.mark.parametrize("level", [0, 90, 255])
def test_blank_pictures_carry_a_mark(level: int) -> None:
    picture = np.full((400, 400, 3), level, np.uint8)
    assert read(embed(picture, PAYLOAD, key=KEY), keys=[KEY]).payload == PAYLOAD


@pytest.mark.parametrize("pixels", [np.full((300, 300), np.nan), np.zeros((0, 9, 3), np.uint8), "a picture"])
def test_bad_input_is_refused(pixels: Any) -> None:
    with pytest.raises(InputError):
        embed(pixels, PAYLOAD, key=KEY)


def test_readings_of_another_payload_do_not_pass_the_gate(
    photo: NDArray[np.uint8], marked: NDArray[np.uint8]
) -> None:
    """Marking a marked picture again either replaces what reads or raises: it never leaves the old one."""
    other = Payload(42)
    try:
        again = embed(marked, other, key=KEY)
    except MarkError:
        return
    assert read(again, keys=[KEY]).payload == other
