from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from guard.watermark.base import Strength
from guard.watermark.tile.mask import amplitude, is_flat
from guard.watermark.tile.residual import residual

from .conftest import drawn, natural


def mask(
    luma: NDArray[np.float32], strength: Strength = Strength.DEFAULT, *, coarse: bool = False
) -> NDArray[np.float32]:
    return amplitude(residual(luma), strength, coarse=coarse)


def textured(level: float = 120, sigma: float = 25) -> NDArray[np.float32]:
    """Blank on the left, texture on the right."""
    picture = np.full((256, 256), level, np.float32)
    picture[:, 128:] += np.random.default_rng(0).normal(0, sigma, (256, 128)).astype(np.float32)
    return picture


def test_texture_takes_more_than_blank() -> None:
    loud = mask(textured())
    assert loud[:, 160:].mean() > 2 * loud[:, :96].mean()


def test_masks_have_the_size_of_the_picture_and_are_positive() -> None:
    loud = mask(natural(201, 303)[..., 0].astype(np.float32))
    assert loud.shape == (201, 303)
    assert loud.min() > 0


def test_an_edge_is_no_texture() -> None:
    """The blank beside a hard edge takes hardly more than blank far away from it."""
    picture = np.full((256, 256), 60, np.float32)
    picture[:, 128:] = 180
    loud = mask(picture)
    assert loud[:, 112].mean() < 1.25 * loud[:, 40].mean()
    assert loud[:, 144].mean() < 1.25 * loud[:, 216].mean()


def test_light_and_shade_take_more_than_the_middle() -> None:
    levels = [float(mask(np.full((128, 128), level, np.float32)).mean()) for level in (12, 115, 240)]
    noisy = np.random.default_rng(0).normal(0, 3, (128, 384)).astype(np.float32)
    tones = np.repeat(np.array([20, 115, 235], np.float32), 128)
    loud = mask(noisy + tones)
    assert loud[:, 40:90].mean() > loud[:, 170:220].mean()
    assert loud[:, 300:350].mean() > loud[:, 170:220].mean()
    assert min(levels) > 0


def test_saturated_paper_takes_twice_as_much() -> None:
    picture = np.full((128, 256), 255, np.float32)
    picture[:, 128:] = 245
    loud = mask(picture)
    assert loud[:, 40].mean() == pytest.approx(2 * loud[:, 216].mean(), rel=0.1)


@pytest.mark.parametrize("strength", list(Strength))
def test_the_mark_never_exceeds_its_floor(strength: Strength) -> None:
    noise = np.random.default_rng(0).uniform(0, 255, (256, 256)).astype(np.float32)
    floor = {Strength.INVISIBLE: 44.3, Strength.DEFAULT: 41.1, Strength.ROBUST: 39.1}[strength]
    rms = float(np.sqrt(np.square(mask(noise, strength)).mean()))
    assert 20 * np.log10(255 / rms) >= floor - 0.15


def test_strengths_are_ordered_everywhere() -> None:
    luma = natural(256, 256)[..., 1].astype(np.float32)
    quiet, usual, loud = (mask(luma, strength) for strength in Strength)
    assert (quiet < usual).all()
    assert (usual < loud).all()


def test_coarse_marks_follow_texture_less() -> None:
    fine, coarse = mask(textured()), mask(textured(), coarse=True)
    assert coarse[:, 160:].mean() / coarse[:, :96].mean() < fine[:, 160:].mean() / fine[:, :96].mean()


def test_drawn_pictures_are_flat_and_natural_ones_are_not() -> None:
    assert is_flat(residual(drawn(400, 600)[..., 1].astype(np.float32)))
    assert not is_flat(residual(natural(400, 600)[..., 1].astype(np.float32)))


def test_a_blank_half_is_not_yet_flat() -> None:
    assert not is_flat(residual(textured()[:, 16:]))
    assert is_flat(residual(textured()[:, :200]))
