"""The adapter, with an engine simple enough to be sure of: 64 blocks of 8 × 8 pixels, white or black."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from guard.errors import MalformedMediaError, MarkError, UnsupportedMediaError
from guard.media import Artifact, Modality
from guard.media.picture import Mode, Picture
from guard.watermark.base import Payload, Reading, ReadingState, Strength, Watermarker
from guard.watermark.pictures import PictureWatermarker

PAYLOAD = Payload(0x0123456789ABCDEF)
SIDE = 8 * 8
FOUND_P, ABSENT_P = 1e-12, 0.25


def bits(payload: Payload) -> NDArray[Any]:
    return (
        np.array([payload.value >> i & 1 for i in range(64)], np.uint8)
        .reshape(8, 8)
        .repeat(8, 0)
        .repeat(8, 1)
    )


def embed(pixels: NDArray[Any], payload: Payload, *, key: bytes, strength: Strength) -> NDArray[Any]:
    if min(pixels.shape[:2]) < SIDE:
        raise MarkError("too small")
    marked = pixels.copy()
    colours = 1 if pixels.ndim == 3 and pixels.shape[2] == 2 else 3
    board = bits(payload).astype(pixels.dtype) * np.iinfo(pixels.dtype).max
    if pixels.ndim == 2:
        marked[:SIDE, :SIDE] = board
    else:
        marked[:SIDE, :SIDE, :colours] = board[..., None]
    return marked


def read(pixels: NDArray[Any], *, keys: Sequence[bytes]) -> Reading:
    if min(pixels.shape[:2]) < SIDE:
        return Reading(ReadingState.UNSUPPORTED, "board")
    gray = pixels if pixels.ndim == 2 else pixels[..., 0]
    blocks = gray[:SIDE, :SIDE].reshape(8, 8, 8, 8).mean((1, 3)).ravel() / np.iinfo(pixels.dtype).max
    if np.abs(blocks - 0.5).min() < 0.4:
        return Reading(ReadingState.ABSENT, "board", p_value=ABSENT_P)
    value = sum(int(block > 0.5) << i for i, block in enumerate(blocks))
    return Reading(ReadingState.FOUND, "board", Payload(value), p_value=FOUND_P)


BOARD = PictureWatermarker("board", "test.board.1", embed, read)


def mark(artifact: Artifact) -> Artifact:
    return BOARD.embed(artifact, PAYLOAD, key=b"k", strength=Strength.DEFAULT)


def look(artifact: Artifact) -> Reading:
    return BOARD.read(artifact, keys=[b"k"])


def soft(height: int = 96, width: int = 120, *channels: int, depth: type = np.uint8) -> NDArray[Any]:
    """Smooth pixels in the middle of the range, which no block of the board resembles."""
    ramp = np.linspace(0.3, 0.7, height * width).reshape(height, width, *(1 for _ in channels))
    return (np.broadcast_to(ramp, (height, width, *channels)) * np.iinfo(depth).max).astype(depth)


def still(pixels: NDArray[Any], mime: str) -> Artifact:
    return Artifact.from_picture(Picture.from_array(pixels), mime)


def saved(mode: str, form: str, **options: Any) -> Artifact:
    file = io.BytesIO()
    Image.fromarray(soft(96, 120, 3)).convert(mode).save(file, form, **options)
    return Artifact.from_bytes(file.getvalue())


def moving(form: str, frames: int = 3) -> Artifact:
    file = io.BytesIO()
    images = [Image.fromarray(np.roll(soft(96, 120, 3), 9 * i, axis=0)) for i in range(frames)]
    images[0].save(file, form, save_all=True, append_images=images[1:], duration=80, loop=0)
    return Artifact.from_bytes(file.getvalue())


CASES = {
    "png-rgb": lambda: still(soft(96, 120, 3), "image/png"),
    "png-rgba": lambda: still(soft(96, 120, 4), "image/png"),
    "png-gray": lambda: still(soft(), "image/png"),
    "png-gray-alpha": lambda: still(soft(96, 120, 2), "image/png"),
    "png-rgb-16": lambda: still(soft(96, 120, 3, depth=np.uint16), "image/png"),
    "png-gray-16": lambda: still(soft(depth=np.uint16), "image/png"),
    "png-palette": lambda: saved("P", "PNG"),
    "png-moving": lambda: moving("PNG"),
    "jpeg": lambda: saved("RGB", "JPEG"),
    "jpeg-gray": lambda: saved("L", "JPEG"),
    "jpeg-cmyk": lambda: saved("CMYK", "JPEG"),
    "webp": lambda: saved("RGB", "WEBP", quality=80),
    "webp-alpha": lambda: saved("RGBA", "WEBP", lossless=True),
    "webp-moving": lambda: moving("WEBP"),
    "gif": lambda: saved("P", "GIF"),
    "gif-moving": lambda: moving("GIF"),
    "avif": lambda: saved("RGB", "AVIF"),
    "tiff": lambda: saved("RGB", "TIFF"),
    "tiff-cmyk": lambda: saved("CMYK", "TIFF"),
}


@pytest.mark.parametrize("case", CASES)
def test_every_kind_of_picture_carries_a_mark_in_all_its_frames(case: str) -> None:
    original = CASES[case]()
    marked = mark(original)
    assert (marked.modality, marked.mime) == (original.modality, original.mime)
    again = Artifact.from_bytes(marked.data)
    before, after = original.picture, again.picture
    assert (after.mode, after.depth, after.width, after.height) == (
        before.mode,
        before.depth,
        before.width,
        before.height,
    )
    assert (len(after.frames), after.durations) == (len(before.frames), before.durations)
    for frame in range(len(after.frames)):
        shown = after.rgb(frame) if after.mode is Mode.CMYK else after.frames[frame]
        assert read(shown, keys=[]).payload == PAYLOAD
    assert look(again).payload == PAYLOAD
    assert look(original).state is ReadingState.ABSENT


def test_alpha_stays_and_so_does_what_the_engine_left_alone() -> None:
    original = still(soft(96, 120, 4), "image/png")
    marked = mark(original)
    before, after = original.picture.frames[0], marked.picture.frames[0]
    assert np.array_equal(before[..., 3], after[..., 3])
    assert np.array_equal(before[SIDE:], after[SIDE:])


def test_profile_and_resolution_stay() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    original = saved("RGB", "JPEG", icc_profile=profile, dpi=(300, 300))
    after = Artifact.from_bytes(mark(original).data).picture
    assert (after.icc, after.dpi) == (profile, original.picture.dpi)


def test_the_original_is_not_changed() -> None:
    original = still(soft(96, 120, 3), "image/png")
    before = original.picture.frames[0].copy()
    mark(original)
    assert np.array_equal(original.picture.frames[0], before)


def test_limits_go_with_the_marked_copy() -> None:
    original = still(soft(96, 120, 3), "image/png")
    assert mark(original).limits == original.limits


def frames(count: int, marked: Sequence[int], size: int = 64) -> Artifact:
    """An animation of which only some frames are marked."""
    plain = soft(size, size, 3)
    shown = tuple(
        embed(plain, PAYLOAD, key=b"", strength=Strength.DEFAULT) if i in marked else plain + np.uint8(i)
        for i in range(count)
    )
    return Artifact.from_picture(Picture(Mode.RGB, shown, durations=(50.0,) * count, loop=0), "image/png")


@pytest.mark.parametrize(
    ("count", "marked"), [(1, 0), (2, 1), (3, 1), (9, 4), (9, 8), (9, 3), (16, 14), (40, 39), (40, 20)]
)
def test_one_marked_frame_is_enough_and_every_try_counts(count: int, marked: int) -> None:
    reading = look(frames(count, [marked]))
    assert (reading.state, reading.payload) == (ReadingState.FOUND, PAYLOAD)
    assert reading.p_value == pytest.approx(FOUND_P * min(count, 16))


def test_of_a_long_animation_only_some_frames_are_tried() -> None:
    assert look(frames(60, [1])).state is ReadingState.ABSENT


@pytest.mark.parametrize(("count", "p_value"), [(1, ABSENT_P), (3, 3 * ABSENT_P), (9, 1.0)])
def test_no_mark_is_as_likely_as_it_is_over_all_frames(count: int, p_value: float) -> None:
    reading = look(frames(count, []))
    assert (reading.state, reading.p_value) == (ReadingState.ABSENT, p_value)


def test_a_page_too_small_to_read_does_not_hide_the_others() -> None:
    pages = (soft(32, 32, 3), soft(96, 96, 3))
    artifact = Artifact.from_picture(Picture(Mode.RGB, pages), "image/tiff")
    assert look(artifact).state is ReadingState.ABSENT
    assert look(still(soft(32, 32, 3), "image/png")).state is ReadingState.UNSUPPORTED


def test_a_candidate_ends_the_search_and_has_no_p_value() -> None:
    seen = []

    def guess(pixels: NDArray[Any], *, keys: Sequence[bytes]) -> Reading:
        seen.append(keys)
        return Reading(ReadingState.CANDIDATE, "guess", short_id=7)

    engine = PictureWatermarker("guess", "test.guess.1", embed, guess)
    assert engine.read(frames(5, []), keys=[b"a", b"b"]) == Reading(
        ReadingState.CANDIDATE, "guess", short_id=7
    )
    assert seen == [[b"a", b"b"]]


def test_an_absence_without_p_value_stays_without() -> None:
    def shrug(pixels: NDArray[Any], *, keys: Sequence[bytes]) -> Reading:
        return Reading(ReadingState.ABSENT, "shrug")

    engine = PictureWatermarker("shrug", "test.shrug.1", embed, shrug)
    assert engine.read(frames(5, []), keys=[]) == Reading(ReadingState.ABSENT, "shrug")


def test_a_picture_that_cannot_carry_a_mark_is_a_mark_error() -> None:
    with pytest.raises(MarkError, match="too small"):
        mark(still(soft(32, 32, 3), "image/png"))


def test_an_engine_that_returns_another_shape_is_a_mark_error() -> None:
    engine = PictureWatermarker("crop", "test.crop.1", lambda pixels, payload, **_: pixels[1:], read)
    with pytest.raises(MarkError, match="No mark fits into this image/png: A frame of"):
        engine.embed(still(soft(96, 96, 3), "image/png"), PAYLOAD, key=b"k", strength=Strength.DEFAULT)


def test_a_broken_picture_is_the_callers_fault() -> None:
    broken = Artifact(Modality.IMAGE, "image/png", b"\x89PNG\r\n\x1a\n")
    with pytest.raises(MalformedMediaError):
        mark(broken)
    with pytest.raises(MalformedMediaError):
        look(broken)


def test_other_media_are_not_supported() -> None:
    text = Artifact.from_text("no picture")
    assert look(text) == Reading(ReadingState.UNSUPPORTED, "board")
    with pytest.raises(UnsupportedMediaError):
        mark(text)


def test_it_is_a_watermarker_for_pictures() -> None:
    engine: Watermarker = BOARD
    assert (engine.name, engine.alg, engine.modality) == ("board", "test.board.1", Modality.IMAGE)
