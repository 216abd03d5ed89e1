from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from guard.watermark.tile.code import encode
from guard.watermark.tile.inform import coefficients
from guard.watermark.tile.pattern import LINES, RADII, TILE, pattern
from guard.watermark.tile.sync import ORIENTATIONS, poses, radial_mean, search, transformed, tries

KEY = pattern(b"sync")
PAYLOAD = 0x1122334455667788


def tile(noise: float = 0.0, seed: int = 0) -> NDArray[np.float32]:
    """The tile of a mark on nothing, in its plain pose, over white noise."""
    spectrum = np.zeros((TILE, TILE), np.complex64)
    spectrum[LINES[:, 0] % TILE, LINES[:, 1]] = coefficients(
        np.zeros(len(LINES), np.complex64), encode(PAYLOAD), KEY, 0.25
    )
    wave = np.fft.ifft2(spectrum).real
    added = np.random.default_rng(seed).normal(0, noise, wave.shape) if noise else 0
    return (wave / wave.std() + added).astype(np.float32)


def test_the_plain_pose_is_found() -> None:
    best = poses(tile(), KEY)[0]
    assert best.orientation == 0
    assert best.shift == (0, 0)
    assert best.sign == 1
    assert best.score > 9


def test_shifts_are_found() -> None:
    best = poses(np.roll(tile(), (5, 100), (0, 1)), KEY)[0]
    assert best.shift == (5, 100)


def test_negatives_are_found() -> None:
    assert poses(-tile(), KEY)[0].sign == -1
    assert search(-tile(), KEY, 2)[0].payload == PAYLOAD


VIEWS = {
    "rows": lambda t: t[::-1],
    "columns": lambda t: t[:, ::-1],
    "both": lambda t: t[::-1, ::-1],
    "transposed": lambda t: t.T,
    "quarter": lambda t: np.rot90(t),
    "three quarters": lambda t: np.rot90(t, 3),
    "anti-transposed": lambda t: np.rot90(t, 2).T,
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_every_orientation_reads(view: object) -> None:
    turned = np.ascontiguousarray(view(tile(1.0)))  # type: ignore[operator]
    assert search(np.roll(turned, (31, 77), (0, 1)), KEY, 2)[0].payload == PAYLOAD


def test_the_orientations_are_the_eight_of_the_square() -> None:
    assert len({orientation.tobytes() for orientation in ORIENTATIONS}) == 8
    for orientation in ORIENTATIONS:
        assert np.array_equal(orientation @ orientation.T, np.eye(2))


@pytest.mark.parametrize("noise", [0.5, 1.0, 2.0])
def test_noise_lowers_quality_before_it_breaks_the_payload(noise: float) -> None:
    clean, noisy = search(tile(), KEY, 1)[0], search(tile(noise), KEY, 1)[0]
    assert noisy.payload == PAYLOAD
    assert noisy.quality < clean.quality


def test_scale_does_not_matter() -> None:
    one, other = search(tile(1.0), KEY, 1)[0], search(1e-3 * tile(1.0), KEY, 1)[0]
    assert one.quality == pytest.approx(other.quality, rel=1e-2)


def test_blank_tiles_synchronise_with_nothing() -> None:
    blank = np.zeros((TILE, TILE), np.float32)
    assert poses(blank, KEY, 4) == []
    assert search(blank, KEY, 4) == []


def test_poses_are_ordered_and_apart() -> None:
    found = poses(tile(3.0), KEY, 12)
    scores = [pose.score for pose in found]
    assert scores == sorted(scores, reverse=True)
    for i, one in enumerate(found):
        for other in found[:i]:
            gap = np.abs((np.array(one.shift) - other.shift + TILE // 2) % TILE - TILE // 2).max()
            assert one.orientation != other.orientation or gap > 2


def test_another_key_finds_only_chance() -> None:
    found = poses(tile(), pattern(b"another"), 1)
    assert not found or found[0].score < 6


def test_small_pictures_get_more_tries() -> None:
    assert tries(1 << 22) == tries(1 << 20) == 2
    assert tries(400 * 600) == 4
    assert tries(100) == 16


def test_the_local_power_is_never_zero() -> None:
    y, x = np.mgrid[:TILE, :TILE]
    wave = (1000 * np.cos(2 * np.pi * (9 * y + 5 * x) / TILE)).astype(np.float32)
    _, local = transformed(wave)
    assert local.min() > 0


def test_radial_means_smooth_over_radius_only() -> None:
    assert np.allclose(radial_mean(np.full(len(RADII), 3, np.float32)), 3)
    smooth = radial_mean(RADII.copy())
    assert np.abs(smooth - RADII)[(RADII > 12) & (RADII < 25)].max() < 1.5
