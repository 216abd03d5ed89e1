"""Sketches tell a copy of a picture from another picture that carries its mark."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from guard.errors import LedgerError
from guard.ledger.picture_codes import thumbnail
from guard.ledger.picture_sketch import (
    Geometry,
    agrees_all_over,
    laid_over,
    make_sketch,
    similarity,
    sketched_size,
)

Gray = NDArray[np.uint8]
SAME_SIZE: Geometry = ((1.0, 0.0), (0.0, 1.0))


def texture(seed: int, shape: tuple[int, int] = (360, 480)) -> Gray:
    """A picture with detail at every scale, as photographs have (spectrum falling with 1/f)."""
    rng = np.random.default_rng(seed)
    fy, fx = np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None]
    spectrum = np.fft.fft2(rng.normal(size=shape)) / np.maximum(np.hypot(fy, fx), 1 / 480) ** 1.2
    field = np.fft.ifft2(spectrum).real
    return np.clip(128 + 50 * field / field.std(), 0, 255).astype(np.uint8)


def turned(gray: Gray, degrees: float) -> tuple[Gray, Geometry]:
    h, w = gray.shape
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), degrees, 1)
    back = np.linalg.inv(matrix[:, :2])
    turned_gray = np.asarray(cv2.warpAffine(gray, matrix, (w, h)), np.uint8)
    return turned_gray, ((back[0, 0], back[0, 1]), (back[1, 0], back[1, 1]))


def recompressed(gray: Gray) -> Gray:
    return np.asarray(
        cv2.imdecode(cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], 0), np.uint8
    )


ATTACKS = {
    "untouched": lambda g: (g, SAME_SIZE),
    "JPEG 30": lambda g: (recompressed(g), SAME_SIZE),
    "half size": lambda g: (
        cv2.resize(g, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
        ((2.0, 0.0), (0.0, 2.0)),
    ),
    "crop to a quarter": lambda g: (g[90:270, 120:360], SAME_SIZE),
    "turned by 30 degrees": lambda g: turned(g, 30),
    "mirrored": lambda g: (g[:, ::-1], ((-1.0, 0.0), (0.0, 1.0))),
    "inverted": lambda g: (255 - g, SAME_SIZE),
    "in a frame": lambda g: (
        cv2.copyMakeBorder(g, 90, 60, 70, 110, cv2.BORDER_CONSTANT, value=255),
        SAME_SIZE,
    ),
    "darker": lambda g: ((g * 0.6).astype(np.uint8), SAME_SIZE),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_copy_is_the_same(attack: str) -> None:
    for seed in range(3):
        gray = texture(seed)
        likeness = similarity(make_sketch(gray), *ATTACKS[attack](gray))
        assert likeness.same, (attack, seed, likeness)


@pytest.mark.parametrize("attack", ATTACKS)
def test_another_picture_is_not(attack: str) -> None:
    for seed in range(3):
        likeness = similarity(make_sketch(texture(seed + 10)), *ATTACKS[attack](texture(seed)))
        assert not likeness.same, (attack, seed, likeness)


def onto_thumbnail(gray: Gray, geometry: Geometry) -> Geometry:
    """A map to the picture as one to its thumbnail."""
    scale = thumbnail(gray).shape[1] / gray.shape[1]
    (a, b), (c, d) = (np.array(geometry) * scale).tolist()
    return (a, b), (c, d)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_copy_agrees_all_over(attack: str) -> None:
    for seed in range(3):
        gray = texture(seed)
        copy, geometry = ATTACKS[attack](gray)
        way = onto_thumbnail(gray, geometry)
        assert agrees_all_over(thumbnail(gray), copy, way), (attack, seed)
        assert not agrees_all_over(thumbnail(texture(seed + 10)), copy, way), (attack, seed)


def rim(seed: int, radius: int, detail: float = 0.2) -> Gray:
    """A nearly plain picture but for the rim of a moon."""
    dark = texture(seed).astype(np.float32) * detail
    down, across = np.mgrid[:360, :480]
    moon = np.hypot(down - 200, across - 240) < radius
    return np.clip(dark + 180 * moon, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("detail", [0.2, 0.05, 0.0])
def test_pictures_with_one_edge_in_common_are_alike_but_not_all_over(detail: float) -> None:
    known, other = rim(1, 150, detail), rim(2, 152, detail)
    way = onto_thumbnail(known, SAME_SIZE)
    assert laid_over(thumbnail(known), other, way).score > 0.65
    assert not agrees_all_over(thumbnail(known), other, way)


def test_a_copy_of_a_nearly_plain_picture_agrees_where_there_is_some_detail() -> None:
    known = rim(1, 150)
    assert agrees_all_over(thumbnail(known), recompressed(known), onto_thumbnail(known, SAME_SIZE))
    # Of a rim alone nobody can tell whose it is.
    plain = rim(1, 150, 0.0)
    assert not agrees_all_over(thumbnail(plain), plain, onto_thumbnail(plain, SAME_SIZE))


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (7, 7), (40, 900)])
def test_too_little_agrees_nowhere(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    for gray in (noise, np.full(shape, 77, np.uint8)):
        assert not agrees_all_over(thumbnail(gray), gray, onto_thumbnail(gray, SAME_SIZE))


def test_photographs_are_told_apart(shared_data: Path) -> None:
    names = sorted((shared_data / "photos_kodak").glob("*.png"))[:8]
    photos = [np.asarray(cv2.imread(str(name), cv2.IMREAD_GRAYSCALE), np.uint8) for name in names]
    for number, photo in enumerate(photos):
        sketch = make_sketch(photo)
        for other, candidate in enumerate(photos):
            assert similarity(sketch, recompressed(candidate)).same is (number == other), (number, other)


def test_the_same_picture_scores_close_to_one() -> None:
    gray = texture(5)
    likeness = similarity(make_sketch(gray), gray)
    assert likeness.score > 0.95
    assert likeness.coverage == pytest.approx(1, abs=0.05)


def test_wrong_geometry_does_not_match() -> None:
    gray = texture(6)
    assert not similarity(make_sketch(gray), gray, ((0.5, 0.0), (0.0, 0.5))).same


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (2000, 3), (7, 7), (5000, 40)])
def test_odd_shapes_give_an_answer(shape: tuple[int, int]) -> None:
    gray = np.full(shape, 77, np.uint8)
    likeness = similarity(make_sketch(gray), gray)
    assert 0 <= likeness.score <= 1
    assert math.isfinite(likeness.coverage)
    assert 0 <= likeness.share <= 1
    assert sketched_size(make_sketch(gray)) == shape[::-1]


def test_a_sketch_stays_small() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (3000, 3000)).astype(np.uint8)
    assert len(make_sketch(noise)) < 17_000


def test_blank_pictures_are_alike_but_not_like_others() -> None:
    blank = np.tile(np.linspace(100, 140, 480).astype(np.uint8), (360, 1))
    assert similarity(make_sketch(blank), recompressed(blank)).same
    assert not similarity(make_sketch(blank), texture(1)).same
    assert not similarity(make_sketch(texture(1)), blank).same


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: b"",
        lambda s: s[:10],
        lambda s: s[:-40],
        lambda s: b"\x09" + s[1:],
        lambda s: s[:13] + b"junk",
    ],
)
def test_a_damaged_sketch_is_an_error_and_not_a_crash(spoil) -> None:
    with pytest.raises(LedgerError, match="damaged"):
        similarity(spoil(make_sketch(texture(1))), texture(1))
