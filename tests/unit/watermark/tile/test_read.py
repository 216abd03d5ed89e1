from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from guard.errors import InputError
from guard.watermark.base import ReadingState
from guard.watermark.tile import embed, read

from .conftest import KEY, PAYLOAD, drawn, natural

Picture = NDArray[np.uint8]
Change = Callable[[Picture], Any]


def coded(pixels: Picture, file_format: str, quality: int) -> Picture:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, file_format, quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def affine(pixels: Picture, matrix: list[list[float]]) -> Any:
    middle = np.array(pixels.shape[1::-1]) / 2
    linear = np.array(matrix)
    full = np.hstack([linear, (middle - linear @ middle)[:, None]])
    return cv2.warpAffine(pixels, full, pixels.shape[1::-1], flags=cv2.INTER_CUBIC)


def rotated(pixels: Picture, degrees: float) -> Any:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return affine(pixels, [[c, -s], [s, c]])


def scaled(pixels: Picture, fx: float, fy: float | None = None) -> Any:
    method = cv2.INTER_AREA if fx < 1 else cv2.INTER_CUBIC
    return cv2.resize(pixels, None, fx=fx, fy=fy or fx, interpolation=method)


def perspective(pixels: Picture, share: float) -> Any:
    height, width = pixels.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + np.array([[1, 1], [-1, 0.5], [0, -1], [0.5, 0]], np.float32) * share * (width, height)
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    return cv2.warpPerspective(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC)


CHANGES: dict[str, Change] = {
    "JPEG 30": lambda x: coded(x, "JPEG", 30),
    "WebP 50": lambda x: coded(x, "WEBP", 50),
    "blur": lambda x: cv2.GaussianBlur(x, (0, 0), 2),
    "median": lambda x: cv2.medianBlur(x, 3),
    "noise": lambda x: np.clip(x + np.random.default_rng(0).normal(0, 12, x.shape), 0, 255).astype(np.uint8),
    "darker": lambda x: (x * 0.7).astype(np.uint8),
    "inverted": lambda x: 255 - x,
    "gray": lambda x: cv2.cvtColor(x, cv2.COLOR_RGB2GRAY),
    "mirrored": lambda x: np.ascontiguousarray(x[:, ::-1]),
    "quarter turn": lambda x: np.ascontiguousarray(np.rot90(x)),
    "cropped": lambda x: x[31:351, 57:457],
    "rotated 3°": lambda x: rotated(x, 3),
    "rotated 45°": lambda x: rotated(x, 45),
    "rotated and mirrored": lambda x: rotated(x[:, ::-1].copy(), 200),
    "half": lambda x: scaled(x, 0.5),
    "three quarters": lambda x: scaled(x, 0.75),
    "double": lambda x: scaled(x, 2),
    "stretched": lambda x: scaled(x, 1.2, 1.0),
    "sheared": lambda x: affine(x, [[1, 0.03], [0.015, 1]]),
    "perspective": lambda x: perspective(x, 0.012),
    "half + JPEG 75": lambda x: coded(scaled(x, 0.5), "JPEG", 75),
    "rotated + JPEG 75": lambda x: coded(rotated(x, 5), "JPEG", 75),
    "framed": lambda x: cv2.copyMakeBorder(x, 90, 40, 33, 71, cv2.BORDER_CONSTANT, value=(245, 245, 245)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_mark_survives(marked: Picture, change: Change) -> None:
    reading = read(change(marked), keys=[KEY])
    assert reading.state is ReadingState.FOUND
    assert reading.payload == PAYLOAD
    assert reading.engine == "tile"
    assert reading.p_value is not None
    assert 0 < reading.p_value <= 1e-9
    assert reading.quality is not None
    assert reading.quality > 0.6


@pytest.mark.parametrize("change", [CHANGES[n] for n in ("JPEG 30", "half", "rotated 3°", "cropped")])
def test_marks_of_flat_art_survive(change: Change) -> None:
    page = embed(drawn(760, 1000), PAYLOAD, key=KEY)
    assert read(change(page), keys=[KEY]).payload == PAYLOAD


def test_a_bent_picture_is_straightened() -> None:
    picture = embed(natural(640, 800), PAYLOAD, key=KEY)
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    bent = cv2.remap(picture, x + 3 * np.sin(y / 90), y + 3 * np.sin(x / 110), cv2.INTER_CUBIC)
    assert read(bent, keys=[KEY]).payload == PAYLOAD


def test_very_small_copies_of_large_pictures_read() -> None:
    picture = embed(natural(1000, 1000), PAYLOAD, key=KEY)
    assert read(scaled(picture, 0.3), keys=[KEY]).payload == PAYLOAD


def test_large_factors_are_found_in_the_reduced_picture() -> None:
    picture = embed(natural(480, 640), PAYLOAD, key=KEY)
    part = scaled(rotated(picture, 4)[100:380, 100:380], 3.2)
    assert read(part, keys=[KEY]).payload == PAYLOAD


def test_a_small_tile_in_a_large_picture_reads_from_its_middle() -> None:
    picture = scaled(embed(natural(900, 900), PAYLOAD, key=KEY), 0.4)
    collage = np.full((1000, 1000, 3), 128, np.uint8)
    collage[320:680, 320:680] = picture
    assert read(collage, keys=[KEY]).payload == PAYLOAD


def test_unmarked_pictures_read_absent(photo: Picture) -> None:
    reading = read(photo, keys=[KEY])
    assert reading.state is ReadingState.ABSENT
    assert reading.payload is None
    assert reading.key_index is None
    assert reading.p_value is not None
    assert reading.p_value > 1e-4


def test_another_key_reads_absent(marked: Picture) -> None:
    assert read(marked, keys=[b"another key"]).state is ReadingState.ABSENT


def test_the_ring_says_which_key_it_was(marked: Picture) -> None:
    reading = read(marked, keys=[b"new", KEY, b"old"])
    assert reading.key_index == 1
    assert reading.payload == PAYLOAD


def test_more_keys_make_a_weaker_claim(marked: Picture) -> None:
    one = read(marked, keys=[KEY]).p_value
    five = read(marked, keys=[KEY, b"1", b"2", b"3", b"4"]).p_value
    assert one is not None
    assert five == pytest.approx(5 * one)


def test_without_keys_nothing_is_found(marked: Picture) -> None:
    reading = read(marked, keys=[])
    assert reading.state is ReadingState.ABSENT
    assert reading.p_value == 1


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 1, 4), (5, 300, 3), (63, 63), (64, 64, 3), (65, 2000), (3, 200_000), (90, 90, 2)]
)
@pytest.mark.parametrize("level", [0, 130, 255])
def test_tiny_and_odd_pictures_read_absent(shape: tuple[int, ...], level: int) -> None:
    assert read(np.full(shape, level, np.uint8), keys=[KEY]).state is ReadingState.ABSENT


@pytest.mark.parametrize("seed", range(4))
def test_noise_reads_absent(seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (150 + 40 * seed, 200), dtype=np.uint8)
    assert read(noise, keys=[KEY]).state is ReadingState.ABSENT


@pytest.mark.parametrize("period", [32, 64, 100, 128])
def test_wallpaper_reads_absent(period: int) -> None:
    patch = natural(period, period, period)
    assert read(np.tile(patch, (5, 5, 1)), keys=[KEY]).state is ReadingState.ABSENT


@pytest.mark.parametrize("pixels", [np.full((300, 300), np.nan), np.zeros((0, 9, 3), np.uint8), None])
def test_bad_input_is_refused(pixels: Any) -> None:
    with pytest.raises(InputError):
        read(pixels, keys=[KEY])


def test_other_dtypes_of_the_same_picture_read_alike(marked: Picture) -> None:
    deep = marked.astype(np.uint16) * 257
    assert read(deep, keys=[KEY]).payload == PAYLOAD
    alpha = np.dstack([marked, np.full(marked.shape[:2], 255, np.uint8)])
    assert read(alpha, keys=[KEY]).payload == PAYLOAD
