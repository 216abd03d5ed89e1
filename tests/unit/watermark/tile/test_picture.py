from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from guard.errors import InputError
from guard.watermark.tile.picture import add, alpha_plane, canonical_luma, canonical_scale, check

from .conftest import natural


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 2), (4, 5, 3), (4, 5, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pictures_pass(shape: tuple[int, ...], dtype: Any) -> None:
    check(np.zeros(shape, dtype))


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((4, 5, 3), np.nan),
        np.zeros((4, 5, 3), np.float32),
        np.zeros((4, 5), np.int16),
        np.zeros((4, 5), np.bool_),
        np.zeros((4, 5, 5), np.uint8),
        np.zeros((2, 4, 5, 3), np.uint8),
        np.zeros(9, np.uint8),
        np.zeros((0, 5, 3), np.uint8),
        np.zeros((4, 0), np.uint8),
        [[1, 2], [3, 4]],
        None,
    ],
    ids=[
        "nan",
        "float",
        "int16",
        "bool",
        "5 channels",
        "4-d",
        "1-d",
        "no rows",
        "no columns",
        "list",
        "none",
    ],
)
def test_anything_else_is_refused_with_a_remedy(pixels: Any) -> None:
    with pytest.raises(InputError) as caught:
        check(pixels)
    assert caught.value.remedy


def test_luma_weighs_colours() -> None:
    pixels = np.zeros((1, 3, 3), np.uint8)
    pixels[0, 0, 0] = pixels[0, 1, 1] = pixels[0, 2, 2] = 200
    assert canonical_luma(pixels)[0] == pytest.approx([60, 117, 23], abs=1)


@pytest.mark.parametrize("channels", [1, 3])
def test_luma_of_16_bits_is_on_the_scale_of_8(channels: int) -> None:
    pixels = np.full((3, 3, channels), 40000, np.uint16)
    assert canonical_luma(pixels) == pytest.approx(40000 / 257, abs=0.01)


def test_gray_is_its_own_luma() -> None:
    gray = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert np.array_equal(canonical_luma(gray), gray)
    assert np.array_equal(canonical_luma(gray[..., None]), gray)


def test_transparent_pixels_show_white() -> None:
    pixels = np.full((1, 3, 4), 100, np.uint8)
    pixels[0, :, 3] = (0, 128, 255)
    assert canonical_luma(pixels)[0] == pytest.approx([255, 177.2, 100], abs=0.5)


def test_views_that_are_not_contiguous_work() -> None:
    pixels = natural(40, 60)[::-1, ::-1]
    assert np.array_equal(canonical_luma(pixels), canonical_luma(pixels.copy()))


def test_large_pictures_are_reduced_to_a_megapixel() -> None:
    luma = canonical_luma(np.zeros((1500, 3000, 3), np.uint8))
    assert luma.size == pytest.approx(1 << 20, rel=0.01)
    assert luma.shape[1] / luma.shape[0] == pytest.approx(2, rel=0.01)
    assert canonical_scale(3000, 1500) == pytest.approx(luma.shape[1] / 3000, rel=0.01)
    assert canonical_scale(640, 480) == 1


def test_reduction_keeps_the_mean_across_strips() -> None:
    pixels = natural(1400, 1600)
    assert canonical_luma(pixels).mean() == pytest.approx(canonical_luma(pixels[:600]).mean(), abs=40)
    assert canonical_luma(pixels).mean() == pytest.approx((pixels @ [0.299, 0.587, 0.114]).mean(), abs=0.5)


def test_ribbons_do_not_vanish() -> None:
    assert canonical_luma(np.zeros((1, 3_000_000), np.uint8)).shape[0] == 1


@pytest.mark.parametrize("shape", [(6, 7), (6, 7, 1), (6, 7, 3)])
def test_the_increment_is_added_to_every_colour(shape: tuple[int, ...]) -> None:
    pixels = np.full(shape, 100, np.uint8)
    assert np.array_equal(add(pixels, np.full((6, 7), 3, np.float32)), np.full(shape, 103))


@pytest.mark.parametrize("shape", [(6, 7, 2), (6, 7, 4)])
def test_alpha_stays_and_what_is_transparent_stays_as_it_is(shape: tuple[int, ...]) -> None:
    pixels = np.full(shape, 100, np.uint8)
    pixels[:3, :, -1] = 0
    marked = add(pixels, np.full((6, 7), 3, np.float32))
    assert np.array_equal(marked[..., -1], pixels[..., -1])
    assert np.array_equal(marked[:3], pixels[:3])
    assert (marked[3:, :, :-1] == 103).all()


def test_increments_scale_with_the_bit_depth() -> None:
    marked = add(np.full((6, 7, 3), 30000, np.uint16), np.full((6, 7), 3, np.float32))
    assert (marked == 30000 + 3 * 257).all()


def test_sums_saturate() -> None:
    pixels = np.array([[1, 254]], np.uint8)
    assert add(pixels, np.array([[-5, 5]], np.float32)).tolist() == [[0, 255]]


def test_small_increments_are_stretched_without_seams() -> None:
    ramp = np.tile(np.linspace(0, 40, 500, dtype=np.float32)[:, None], (1, 400))
    marked = add(np.full((2000, 1600), 100, np.uint8), ramp)
    steps = np.diff(marked[:, 800].astype(int))
    assert steps.min() >= 0
    assert steps.max() <= 1
    assert marked[-1, 0] == 140


def test_panoramas_wider_than_a_block_have_no_seams() -> None:
    ramp = np.tile(np.linspace(0, 40, 2000, dtype=np.float32), (4, 1))
    steps = np.diff(add(np.full((8, 36000), 100, np.uint8), ramp)[4].astype(int))
    assert steps.min() >= 0
    assert steps.max() <= 1


def test_alpha_planes_are_shares() -> None:
    pixels = np.zeros((4, 4, 4), np.uint16)
    pixels[:, 2:, 3] = 65535
    plane = alpha_plane(pixels, (2, 2))
    assert plane is not None
    assert plane.tolist() == [[0, 1], [0, 1]]
    assert alpha_plane(pixels[..., :3], (2, 2)) is None
    assert alpha_plane(pixels[..., 0], (2, 2)) is None
