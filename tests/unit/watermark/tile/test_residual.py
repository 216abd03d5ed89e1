from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from guard.watermark.tile.pattern import RADII, TILE
from guard.watermark.tile.residual import enlarge, fold, halved, high_pass, residual

from .conftest import natural


def luma(height: int = 200, width: int = 260) -> NDArray[np.float32]:
    return natural(height, width)[..., 1].astype(np.float32)


def test_low_frequencies_are_gone() -> None:
    host = residual(luma())
    assert abs(float(host.plane.mean())) < 0.5
    assert host.plane.std() < 0.6 * luma().std()


def test_blank_pictures_leave_nothing() -> None:
    host = residual(np.full((90, 70), 180, np.float32))
    assert np.abs(host.plane).max() < 1e-3
    assert host.variance.max() < 1e-5


def test_variance_is_half_the_size_and_never_negative() -> None:
    picture = luma(201, 263)
    picture[:, 100:] = 255
    host = residual(picture)
    assert host.variance.shape == (101, 132)
    assert host.low.shape == host.variance.shape
    assert host.variance.min() >= 0


def test_variance_is_larger_in_texture() -> None:
    picture = np.full((128, 128), 100, np.float32)
    picture[:, 64:] += np.random.default_rng(0).normal(0, 20, (128, 64)).astype(np.float32)
    variance = residual(picture).variance
    assert variance[:, 40:].mean() > 50 * variance[:, :24].mean() + 1


def test_weights_are_loud_where_the_picture_is_quiet() -> None:
    host = residual(luma())
    weight = host.weight()
    large = enlarge(host.variance, host.plane)
    assert np.corrcoef(np.log(large + 1).ravel(), weight.ravel())[0, 1] < -0.8
    assert weight.max() <= 6**-0.62 + 1e-5


def test_whitening_clips_outliers() -> None:
    picture = luma()
    picture[50, 50] = 255
    host = residual(picture)
    weight = host.weight()
    raw = host.plane * weight
    white = host.whitened(weight)
    assert np.abs(white).max() == pytest.approx(2.5 * np.sqrt(np.square(raw).mean()), rel=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (2, 3), (64, 65)])
def test_every_size_works(shape: tuple[int, int]) -> None:
    host = residual(np.full(shape, 7, np.float32))
    assert host.plane.shape == shape
    assert host.whitened(host.weight()).shape == shape


def test_folding_sums_tiles() -> None:
    tile = np.random.default_rng(0).normal(size=(TILE, TILE)).astype(np.float32)
    assert np.allclose(fold(np.tile(tile, (3, 2))), 6 * tile, atol=1e-4)


@pytest.mark.parametrize("shape", [(100, 300), (128, 129), (300, 20), (257, 255)])
def test_folding_keeps_the_sum_of_parts_of_tiles(shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    folded = fold(plane)
    assert folded.shape == (TILE, TILE)
    assert folded.sum() == pytest.approx(plane.sum(), abs=0.05)


def test_folding_puts_every_pixel_where_it_belongs() -> None:
    plane = np.zeros((300, 300), np.float32)
    plane[130, 260] = 1
    assert np.argwhere(fold(plane)).tolist() == [[2, 4]]


def test_halves_are_averages() -> None:
    assert halved(np.array([[1, 3, 9], [5, 7, 9]], np.float32)[:, :2]).tolist() == [[4]]


def test_the_residual_keeps_what_the_high_pass_says() -> None:
    y, x = np.mgrid[:256, :256]
    for ky, kx in ((3, 8), (10, 10), (20, 12)):
        wave = np.cos(2 * np.pi * (ky * y + kx * x) / TILE).astype(np.float32)
        kept = residual(100 + 10 * wave).plane[32:-32, 32:-32]
        share = float((kept * wave[32:-32, 32:-32]).mean() / 5)
        assert share == pytest.approx(float(high_pass(np.array([np.hypot(ky, kx)], np.float32))[0]), abs=0.08)


def test_the_high_pass_grows_with_radius() -> None:
    kept = high_pass(np.sort(RADII))
    assert (np.diff(kept) >= 0).all()
    assert 0 < kept[0] < kept[-1] <= 1
