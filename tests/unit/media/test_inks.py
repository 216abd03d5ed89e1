"""Inks and the colours they show: what is changed in RGB shows in a CMYK file, and what is not stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from guard.media.inks import inks_to_rgb, move_inks
from tests.unit.media import press

Bytes = NDArray[np.uint8]
pictures = arrays(np.uint8, (4, 5, 4))
colours = arrays(np.uint8, (4, 5, 3))


def smooth(seed: int, channels: int) -> Bytes:
    """A picture without edges, as photographs are."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(20, 200, (4, 4, channels))
    fine = np.kron(coarse, np.ones((8, 8, 1)))
    for axis in (0, 1):
        for _ in range(8):
            fine = (fine + np.roll(fine, 1, axis)) / 2
    return np.rint(fine).astype(np.uint8)


@pytest.mark.parametrize(
    ("inks", "rgb"),
    [
        ((0, 0, 0, 0), (255, 255, 255)),
        ((255, 0, 0, 0), (0, 255, 255)),
        ((0, 255, 0, 0), (255, 0, 255)),
        ((0, 0, 255, 0), (255, 255, 0)),
        ((0, 0, 0, 255), (0, 0, 0)),
        ((0, 0, 0, 100), (155, 155, 155)),
        ((255, 255, 255, 255), (0, 0, 0)),
    ],
)
def test_plain_inks(inks: tuple[int, ...], rgb: tuple[int, ...]) -> None:
    shown = inks_to_rgb(np.array([[inks]], np.uint8), None)
    assert tuple(shown[0, 0]) == rgb


@given(pictures, colours)
def test_any_change_shows_to_within_rounding(inks: Bytes, wanted: Bytes) -> None:
    before = inks_to_rgb(inks, None)
    after = inks_to_rgb(move_inks(inks, before, wanted, None), None)
    assert np.abs(after.astype(int) - wanted).max() <= 2


@given(pictures)
def test_no_change_is_no_change(inks: Bytes) -> None:
    before = inks_to_rgb(inks, None)
    moved = move_inks(inks, before, before.copy(), None)
    assert np.array_equal(moved, inks)
    assert moved is not inks


@given(pictures, st.integers(0, 3), st.integers(0, 4))
def test_only_the_changed_pixel_changes(inks: Bytes, row: int, column: int) -> None:
    before = inks_to_rgb(inks, None)
    wanted = before.copy()
    wanted[row, column] = 255 - wanted[row, column]
    moved = move_inks(inks, before, wanted, None)
    others = np.ones((4, 5), bool)
    others[row, column] = False
    assert np.array_equal(moved[others], inks[others])


@given(pictures, colours)
def test_black_is_never_added(inks: Bytes, wanted: Bytes) -> None:
    moved = move_inks(inks, inks_to_rgb(inks, None), wanted, None)
    assert (moved[..., 3] <= inks[..., 3]).all()


def test_a_brighter_colour_than_black_allows_takes_black_away() -> None:
    inks = np.array([[[10, 20, 30, 250]]], np.uint8)
    white = np.full((1, 1, 3), 255, np.uint8)
    assert move_inks(inks, inks_to_rgb(inks, None), white, None).tolist() == [[[0, 0, 0, 0]]]


def test_the_tests_profile_is_one_for_inks() -> None:
    assert press.is_readable()


def test_a_profile_decides_what_inks_show() -> None:
    inks = smooth(1, 4)
    plain, pressed = inks_to_rgb(inks, None), inks_to_rgb(inks, press.profile())
    assert pressed.shape == plain.shape
    assert np.abs(pressed.astype(int) - plain).mean() > 3
    white = np.zeros((2, 2, 4), np.uint8)
    assert (inks_to_rgb(white, press.profile()) >= 253).all()


def test_a_small_change_shows_through_a_profile() -> None:
    inks, icc = smooth(2, 4) // 2, press.profile()
    before = inks_to_rgb(inks, icc)
    pattern = np.random.default_rng(3).integers(-5, 6, before.shape)
    wanted = np.clip(before.astype(int) + pattern, 0, 255).astype(np.uint8)
    moved = move_inks(inks, before, wanted, icc)
    shown = inks_to_rgb(moved, icc).astype(int) - before
    assert np.corrcoef(shown.ravel(), pattern.ravel())[0, 1] > 0.95


def test_a_replaced_colour_leaves_nothing_of_the_old_one() -> None:
    inks, icc = smooth(4, 4), press.profile()
    inks[16:, :, 3] = 230
    before = inks_to_rgb(inks, icc)
    wanted = np.full_like(before, 255)
    wanted[:, ::2] = (30, 160, 90)
    far = (np.abs(wanted.astype(int) - before) >= 24).any(axis=2)
    moved = move_inks(inks, before, wanted, icc)
    for colour in ((255, 255, 255), (30, 160, 90)):
        same = far & (wanted == colour).all(axis=2)
        assert len(np.unique(moved[same], axis=0)) == 1


@pytest.mark.parametrize("icc", [b"", b"garbage", b"\0" * 200, press.profile()[:300]])
def test_a_broken_profile_does_not_hide_the_picture(icc: bytes) -> None:
    inks = smooth(5, 4)
    assert np.array_equal(inks_to_rgb(inks, icc), inks_to_rgb(inks, None))
    before = inks_to_rgb(inks, icc)
    assert move_inks(inks, before, 255 - before, icc).shape == inks.shape


def test_a_profile_for_other_colours_is_not_used() -> None:
    from PIL import ImageCms

    inks = smooth(6, 4)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(inks_to_rgb(inks, srgb), inks_to_rgb(inks, None))


def test_a_profile_that_only_shows_cannot_mix() -> None:
    one_way = press.profile().replace(b"B2A0", b"zzzz")
    inks = smooth(7, 4)
    before = inks_to_rgb(inks, one_way)
    assert not np.array_equal(before, inks_to_rgb(inks, None))
    black = move_inks(inks, before, np.zeros_like(before), one_way)
    assert inks_to_rgb(black, None).max() < inks_to_rgb(inks, None).min()


@settings(max_examples=30)
@given(st.binary(min_size=1, max_size=3), st.integers(0, 1500))
def test_any_damage_to_a_profile_is_survived(damage: bytes, at: int) -> None:
    data = bytearray(press.profile())
    data[at : at + len(damage)] = damage
    inks = smooth(8, 4)
    before = inks_to_rgb(inks, bytes(data))
    assert before.shape == (*inks.shape[:2], 3)
    assert move_inks(inks, before, 255 - before, bytes(data)).shape == inks.shape
