"""Pictures are found again by their codes however they were cut, turned or drained of colour."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from guard.ledger import picture_sketch
from guard.ledger.fingerprint import Algorithm, Fingerprint, bucket, probes
from guard.ledger.picture_codes import FILED, places_of, thumbnail, whole_of, within
from guard.ledger.picture_view import filed, shown, view
from tests.pictures import natural

Gray = NDArray[np.uint8]


def gray(seed: int, height: int = 384, width: int = 512) -> Gray:
    return np.asarray(cv2.cvtColor(natural(seed, height, width), cv2.COLOR_RGB2GRAY), np.uint8)


def codes(picture: Gray) -> list[Fingerprint]:
    return filed(picture, Algorithm.PICTURE, Algorithm.PART)


def buckets_asked(picture: Gray) -> set[int]:
    questions = view(picture).questions(Algorithm.PICTURE, Algorithm.PART)
    return {place for each in questions for place in probes(each)}


def jpeg(picture: Gray, quality: int = 30) -> Gray:
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def turned(degrees: float) -> Callable[[Gray], Gray]:
    def turn(picture: Gray) -> Gray:
        height, width = picture.shape
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
        return np.asarray(cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_CUBIC), np.uint8)

    return turn


def resized(across: float, down: float) -> Callable[[Gray], Gray]:
    def resize(picture: Gray) -> Gray:
        return np.asarray(
            cv2.resize(picture, None, fx=across, fy=down, interpolation=cv2.INTER_AREA), np.uint8
        )

    return resize


def framed(picture: Gray) -> Gray:
    page = np.full((picture.shape[0] + 200, picture.shape[1] + 100), 245, np.uint8)
    page[:40] = 60
    page[120:-80, 30:-70] = picture
    return page


COPIES: dict[str, Callable[[Gray], Gray]] = {
    "untouched": lambda p: p,
    "JPEG 30": jpeg,
    "crop to 80 %": lambda p: p[10:-30, 40:-10],
    "mirrored": lambda p: np.ascontiguousarray(p[:, ::-1]),
    "upside down": lambda p: np.ascontiguousarray(p[::-1, ::-1]),
    "quarter turn": lambda p: np.ascontiguousarray(np.rot90(p)),
    "mirrored quarter turn": lambda p: np.ascontiguousarray(p.T),
    "turned by 33°": turned(33),
    "inverted": lambda p: 255 - p,
    "half the size": resized(0.5, 0.5),
    "stretched": resized(1.2, 1.0),
    "on a page": framed,
    "darker": lambda p: (p * 0.6).astype(np.uint8),
}


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_is_asked_for_where_the_picture_is_filed_and_lies_on_it(copy: str) -> None:
    picture = gray(1)
    attacked = COPIES[copy](picture)
    assert {bucket(each) for each in codes(picture)} & buckets_asked(attacked)
    thumb = thumbnail(picture)
    way = next(view(attacked).lies_on(shown(thumb)))
    likeness = picture_sketch.laid_over(thumb, attacked, way)
    assert likeness.same
    assert likeness.score > 0.75


@pytest.mark.parametrize("copy", COPIES)
def test_another_picture_is_neither_asked_for_nor_does_it_lie_on_it(copy: str) -> None:
    attacked = COPIES[copy](gray(2))
    assert not {bucket(each) for each in codes(gray(1))} & buckets_asked(attacked)
    ways = view(attacked).lies_on(shown(thumbnail(gray(1))))
    assert not any(picture_sketch.laid_over(thumbnail(gray(1)), attacked, way).same for way in ways)


def test_a_picture_is_filed_as_a_whole_and_in_parts() -> None:
    found = codes(gray(1))
    assert [each.alg for each in found] == [Algorithm.PICTURE] + FILED * [Algorithm.PART]
    assert {len(each.code) for each in found} == {32}
    assert found == codes(gray(1))


@pytest.mark.parametrize(
    "picture",
    [
        np.full((200, 300), 255, np.uint8),
        np.zeros((20, 20), np.uint8),
        np.zeros((1, 1), np.uint8),
        np.random.default_rng(0).integers(0, 256, (1, 4000), np.uint8),
        np.tile(np.arange(128, dtype=np.uint8), (3, 1)),
    ],
    ids=["white", "tiny", "one pixel", "a line", "a ribbon"],
)
def test_of_what_shows_nothing_nothing_is_filed_or_asked_for(picture: Gray) -> None:
    assert codes(picture) == []
    assert view(picture).questions(Algorithm.PICTURE, Algorithm.PART) == []
    assert list(view(picture).lies_on(shown(thumbnail(gray(1))))) == []
    assert list(view(gray(1)).lies_on(shown(thumbnail(picture)))) == []


def constant(height: int, width: int, shade: int) -> Gray:
    return np.full((height, width), shade, np.uint8)


def one_line(height: int, width: int, shade: int) -> Gray:
    picture = constant(height, width, 255 - shade)
    picture[height // 2] = shade
    return picture


def busy(height: int, width: int, shade: int) -> Gray:
    return np.random.default_rng(shade).integers(0, 256, (height, width), np.uint8)


@pytest.mark.parametrize("paint", [constant, one_line, busy])
@given(sizes=st.tuples(st.integers(1, 20), st.integers(1, 20)), shade=st.integers(0, 255))
@settings(max_examples=40, deadline=None)
def test_tiny_pictures_are_filed_under_nothing(
    paint: Callable[[int, int, int], Gray], sizes: tuple[int, int], shade: int
) -> None:
    picture = paint(*sizes, shade)
    assert codes(picture) == []
    assert view(picture).questions(Algorithm.PICTURE, Algorithm.PART) == []
    assert list(view(picture).lies_on(shown(thumbnail(picture)))) == []


@pytest.mark.parametrize("shape", [(200, 300), (25, 2000), (2000, 25)])
def test_nothing_stands_out_on_a_single_line_or_a_blank_page(shape: tuple[int, int]) -> None:
    assert codes(constant(*shape, 0)) == []
    assert all(each.alg == Algorithm.PICTURE for each in codes(one_line(*shape, 0)))


@pytest.mark.parametrize("shape", [(700, 1000), (801, 1203), (2000, 513), (512, 512)])
def test_thumbnails_of_large_pictures_show_the_same(shape: tuple[int, int]) -> None:
    picture = np.asarray(cv2.resize(gray(1), shape[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)
    thumb = thumbnail(picture)
    assert max(thumb.shape) == 128
    averaged = cv2.resize(picture, thumb.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(thumb.astype(int) - averaged).max() <= 10


def test_a_smooth_picture_is_known_as_a_whole_alone() -> None:
    across, down = np.meshgrid(np.linspace(0, 1, 300), np.linspace(0, 1, 200))
    smooth = (255 * across * down).astype(np.uint8)
    assert [each.alg for each in codes(smooth)] == [Algorithm.PICTURE]


def test_borders_are_left_out_and_pictures_are_not() -> None:
    picture = gray(1)
    shape = within(framed(picture))[0].shape
    assert shape == pytest.approx(picture.shape, abs=8)
    assert within(picture)[0].shape == picture.shape
    narrow = np.zeros((200, 200), np.uint8)
    narrow[:, 95:105] = gray(2)[:200, :10]
    assert within(narrow)[0].shape == narrow.shape


def test_turning_and_mirroring_a_whole_changes_no_code_beyond_recognition() -> None:
    thumb = thumbnail(gray(3, 256, 256))
    upright = whole_of(thumb)
    assert upright is not None
    for laid in (thumb, np.rot90(thumb), thumb[::-1], thumb.T, thumb[:, ::-1], 255 - thumb):
        ways = whole_of(np.ascontiguousarray(laid), ways=True)
        assert ways is not None
        assert min(np.bitwise_count(ways.codes ^ upright.codes).sum(axis=1)) <= 6


def test_places_come_with_their_mirror_images() -> None:
    thumb = thumbnail(gray(1))
    plain, both = places_of(thumb, 10), places_of(thumb, 10, mirrored=True)
    assert len(both.codes) == 2 * len(plain.codes) == 20
    assert (both.codes[:10] == plain.codes).all()
    assert (both.codes[10:] != plain.codes).any(axis=1).all()
    assert (both.frames[10:] == plain.frames).all()
