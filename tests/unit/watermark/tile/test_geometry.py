"""The parts of the geometric search, on spectra of pictures whose change is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from guard.watermark.tile import embed
from guard.watermark.tile.geometry import MOST_PLANES, unfolded
from guard.watermark.tile.lags import lattices
from guard.watermark.tile.pattern import TILE, pattern
from guard.watermark.tile.refine import evidence, refined
from guard.watermark.tile.residual import fold, residual
from guard.watermark.tile.spectrum import Levelled, levelled
from guard.watermark.tile.sync import search
from guard.watermark.tile.track import straightened
from guard.watermark.tile.unfold import unfold
from guard.watermark.tile.upright import upright

from .conftest import KEY, PAYLOAD, natural

Luma = NDArray[np.float32]


def gray(pixels: NDArray[np.uint8]) -> Luma:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.float32)


def changed(luma: Luma, matrix: NDArray[np.float64]) -> Luma:
    """y = matrix · x on (y, x), about the middle."""
    middle = np.array(luma.shape) / 2
    shift = (middle - matrix @ middle)[::-1, None]
    full = np.hstack([matrix[::-1, ::-1], shift])
    return np.asarray(cv2.warpAffine(luma, full, luma.shape[::-1], flags=cv2.INTER_CUBIC), np.float32)


def rotation(degrees: float, scale: float = 1.0) -> NDArray[np.float64]:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return scale * np.array([[c, -s], [s, c]])


@pytest.fixture(scope="module")
def luma() -> Luma:
    return gray(np.asarray(embed(natural(600, 700, 3), PAYLOAD, key=KEY), np.uint8))


def frequencies(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.inv(matrix).T / TILE, np.float64)


def same_lattice(found: NDArray[np.float64], true: NDArray[np.float64]) -> bool:
    """Whether two bases span the same lattice: integers of determinant ±1 take one to the other."""
    change = np.linalg.inv(true) @ found
    return bool(np.abs(change - np.rint(change)).max() < 0.12 and abs(abs(np.linalg.det(change)) - 1) < 0.1)


MATRICES = {
    "rotated": rotation(7),
    "rotated far": rotation(130),
    "rotated and smaller": rotation(-20, 0.75),
    "sheared": np.array([[1, 0.03], [0.015, 1]]),
    "stretched": np.array([[1.0, 0], [0, 1.2]]),
}


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES.keys())
def test_lags_show_the_lattice_and_refinement_fits_it(luma: Luma, matrix: NDArray[np.float64]) -> None:
    spectrum = levelled(residual(changed(luma, matrix)))
    bands = ((0.82, 1.32), (0.48, 0.86))
    guesses = [guess for band in bands for guess in lattices(spectrum, band)]
    fits = [refined(spectrum, np.asarray(np.linalg.inv(guess.basis).T, np.float64)) for guess in guesses]
    found = [np.linalg.inv(fit).T for fit in fits if fit is not None]
    assert any(same_lattice(basis, TILE * matrix) for basis in found)


def test_evidence_is_high_at_the_truth_and_chance_elsewhere(luma: Luma) -> None:
    spectrum = levelled(residual(luma))
    assert evidence(spectrum, frequencies(np.eye(2))) > 20
    assert abs(evidence(spectrum, frequencies(rotation(11, 1.07)))) < 6


def test_refinement_corrects_a_rough_guess(luma: Luma) -> None:
    matrix = rotation(5)
    spectrum = levelled(residual(changed(luma, matrix)))
    rough = frequencies(rotation(5.25, 1.004))
    better = refined(spectrum, rough)
    assert better is not None
    assert evidence(spectrum, better) > evidence(spectrum, rough) + 5
    assert np.allclose(better, frequencies(matrix), rtol=0, atol=2e-6 + 2e-3 / TILE)


def test_refinement_of_nonsense_leads_nowhere(luma: Luma) -> None:
    spectrum = levelled(residual(gray(natural(600, 700, 9))))
    assert refined(spectrum, frequencies(rotation(33, 1.1))) is None
    assert refined(spectrum, np.zeros((2, 2))) is None
    assert refined(spectrum, 50 * frequencies(np.eye(2))) is None


@pytest.mark.parametrize("scale", [0.4, 0.6, 0.9, 1.3, 1.9])
def test_plain_scales_are_found_at_once(luma: Luma, scale: float) -> None:
    small = np.asarray(cv2.resize(luma, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.float32)
    found = upright(levelled(residual(small)), max(small.shape))
    assert found
    assert found[0][0, 0] == pytest.approx(1 / scale / TILE, rel=0.01)
    assert found[0][0, 1] == 0


def test_unmarked_pictures_suggest_no_scale() -> None:
    plain = gray(natural(500, 500, 5))
    assert len(upright(levelled(residual(plain)), 500)) < 2


def test_the_levelled_spectrum_of_noise_is_level() -> None:
    noise = np.random.default_rng(0).normal(128, 20, (512, 600)).astype(np.float32)
    spectrum = levelled(residual(noise))
    assert abs(float(spectrum.excess.mean())) < 0.02
    assert spectrum.excess.max() < 5
    assert spectrum.periods.tolist() == [spectrum.rows, spectrum.columns]


def test_a_blank_picture_suggests_nothing() -> None:
    spectrum = levelled(residual(np.zeros((300, 300), np.float32)))
    assert lattices(Levelled(np.zeros_like(spectrum.excess), 768, 768), (0.8, 1.3)) == []
    assert upright(Levelled(np.zeros_like(spectrum.excess), 768, 768), 300) == []
    assert np.isfinite(spectrum.excess).all()


def test_small_pictures_are_padded() -> None:
    assert levelled(residual(gray(natural(100, 90)))).rows >= 768


def test_scales_beyond_the_transform_have_no_lattices() -> None:
    tiny = Levelled(np.ones((100, 51), np.float32), 100, 100)
    assert lattices(tiny, (0.8, 1.3)) == []


@pytest.mark.parametrize("matrix", [rotation(12), rotation(-40, 0.7), rotation(3, 1.8)], ids=str)
def test_unfolding_undoes_the_change(luma: Luma, matrix: NDArray[np.float64]) -> None:
    plane = unfold(changed(luma, matrix), matrix)
    words = search(fold(plane), pattern(KEY), 2)
    assert any(word.payload == PAYLOAD.value for word in words)


def test_unfolded_planes_are_blank_outside_the_picture(luma: Luma) -> None:
    plane = unfold(luma, rotation(45))
    assert plane.size > 1.5 * luma.size
    assert not plane[:40, :40].any()


def test_unfolding_small_tiles_takes_the_middle_of_a_large_picture() -> None:
    plane = unfold(np.zeros((1000, 1000), np.float32), 0.25 * np.eye(2))
    assert plane.size <= 1.1 * (1 << 21)


def test_the_search_yields_the_right_plane_first(luma: Luma) -> None:
    first = next(iter(unfolded(changed(luma, rotation(9)))))
    assert any(word.payload == PAYLOAD.value for word in search(fold(first.pixels), pattern(KEY), 2))


def test_the_search_knows_what_it_undid(luma: Luma) -> None:
    first = next(iter(unfolded(changed(luma, rotation(9, 0.9)))))
    assert abs(np.linalg.det(first.undoing)) == pytest.approx(1 / 0.81, rel=0.01)


def test_the_search_ends_within_its_bound() -> None:
    wallpaper = gray(np.tile(natural(100, 100, 2), (5, 5, 1)))
    assert len(list(unfolded(wallpaper))) <= MOST_PLANES


def bent(luma: Luma, pixels: float) -> Luma:
    y, x = np.mgrid[: luma.shape[0], : luma.shape[1]].astype(np.float32)
    return np.asarray(
        cv2.remap(luma, x + pixels * np.sin(y / 90), y + pixels * np.sin(x / 110), cv2.INTER_CUBIC),
        np.float32,
    )


def whitened(luma: Luma) -> Luma:
    host = residual(luma)
    return host.whitened(host.weight())


@pytest.mark.parametrize("pixels", [2.0, 3.0])
def test_bends_are_straightened(luma: Luma, pixels: float) -> None:
    plane = whitened(bent(luma, pixels))
    before = max(word.quality for word in search(fold(plane), pattern(KEY), 4))
    straight = straightened(plane, pattern(KEY))
    assert straight is not None
    after = search(fold(straight), pattern(KEY), 2)[0]
    assert after.payload == PAYLOAD.value
    assert after.quality > 1.5 * before


def test_what_is_straight_stays_so(luma: Luma) -> None:
    straight = straightened(whitened(luma), pattern(KEY))
    assert straight is not None
    assert search(fold(straight), pattern(KEY), 2)[0].payload == PAYLOAD.value


def test_there_is_nothing_to_straighten_without_a_mark_or_with_another_key(luma: Luma) -> None:
    assert straightened(whitened(gray(natural(600, 700, 8))), pattern(KEY)) is None
    assert straightened(whitened(luma), pattern(b"another")) is None
    assert straightened(whitened(luma[:300, :300]), pattern(KEY)) is None
