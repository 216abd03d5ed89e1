"""What a picture promises: sound arrays, one RGB view of every mode, and changes that keep all else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from guard.errors import InputError
from guard.media import Artifact
from guard.media.picture import Mode, Picture, Pixels
from tests.unit.media import press
from tests.unit.media.makers import gradient, moving

MODES = {Mode.GRAY: 1, Mode.GRAY_ALPHA: 2, Mode.RGB: 3, Mode.RGBA: 4, Mode.CMYK: 4}


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize(("channels", "mode"), [(1, "gray"), (2, "gray-alpha"), (3, "rgb"), (4, "rgba")])
def test_from_array_tells_the_mode_by_the_channels(channels: int, mode: str, deep: bool) -> None:
    picture = Picture.from_array(gradient(channels=channels, deep=deep))
    assert picture.mode == mode
    assert picture.depth == (16 if deep else 8)
    assert (picture.width, picture.height) == (36, 24)
    assert picture.durations == ()


def test_one_channel_on_a_third_axis_is_gray() -> None:
    picture = Picture.from_array(gradient(channels=1)[..., None])
    assert picture.mode is Mode.GRAY
    assert picture.frames[0].shape == (24, 36)


def test_from_array_copies_and_makes_contiguous() -> None:
    pixels = gradient()
    picture = Picture.from_array(pixels[:, ::-1])
    pixels[:] = 0
    assert picture.frames[0].max() > 0
    assert picture.frames[0].flags.c_contiguous


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4, 5), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4), np.int16),
        np.zeros((0, 4), np.uint8),
        np.zeros((4, 0, 3), np.uint8),
        np.zeros((4,), np.uint8),
        np.zeros((2, 2, 2, 2), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(pixels: Pixels) -> None:
    with pytest.raises(InputError):
        Picture.from_array(pixels)


def test_a_frame_of_another_mode_or_no_frame_is_refused() -> None:
    with pytest.raises(InputError, match="rgb picture"):
        Picture(Mode.RGB, (gradient(channels=1),))
    with pytest.raises(InputError, match="at least one frame"):
        Picture(Mode.RGB, ())


def test_frames_are_read_only() -> None:
    picture = Picture.from_array(gradient())
    with pytest.raises(ValueError, match="read-only"):
        picture.frames[0][0, 0] = 0


@pytest.mark.parametrize("mode", Mode)
def test_channels_of_each_mode(mode: Mode) -> None:
    assert mode.channels == MODES[mode]
    assert mode.has_alpha == (mode in (Mode.GRAY_ALPHA, Mode.RGBA))


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.CMYK])
def test_rgb_is_a_fresh_array_of_bytes(mode: Mode, deep: bool) -> None:
    picture = Picture(mode, (gradient(channels=mode.channels, deep=deep),))
    shown = picture.rgb()
    assert shown.shape == (24, 36, 3)
    assert shown.dtype == np.uint8
    shown[:] = 0
    assert picture.rgb().any()


def test_rgb_of_rgb_is_itself() -> None:
    assert np.array_equal(Picture.from_array(gradient()).rgb(), gradient())


def test_rgb_of_gray_is_gray_thrice() -> None:
    shown = Picture.from_array(gradient(channels=1)).rgb()
    assert all(np.array_equal(shown[..., channel], gradient(channels=1)) for channel in range(3))


@given(arrays(np.uint16, (3, 4, 3)))
def test_sixteen_bits_are_rounded_to_eight(pixels: Pixels) -> None:
    shown = Picture.from_array(pixels).rgb()
    assert np.abs(shown - pixels / 257).max() <= 0.5 + 1e-6


@given(arrays(np.uint8, (3, 4, 4)))
def test_transparency_shows_white(pixels: Pixels) -> None:
    shown = Picture.from_array(pixels).rgb()
    alpha = pixels[..., 3:] / 255
    assert np.abs(shown - (pixels[..., :3] * alpha + 255 * (1 - alpha))).max() <= 0.5 + 1e-6


def test_clear_gray_is_white_and_opaque_gray_itself() -> None:
    pixels = np.array([[[10, 0], [10, 255]]], np.uint8)
    assert Picture.from_array(pixels).rgb().tolist() == [[[255] * 3, [10] * 3]]


def test_rgb_of_inks_uses_the_profile() -> None:
    inks = np.full((4, 4, 4), 120, np.uint8)
    plain, pressed = Picture(Mode.CMYK, (inks,)), Picture(Mode.CMYK, (inks,), icc=press.profile())
    assert plain.rgb()[0, 0].tolist() == [71, 71, 71]
    assert (pressed.rgb() > plain.rgb()).all()


def test_rgb_of_a_later_frame() -> None:
    picture = Artifact.from_bytes(moving("GIF")).picture
    assert not np.array_equal(picture.rgb(0), picture.rgb(2))


@pytest.mark.parametrize(
    ("mode", "deep"),
    [(mode, deep) for mode in Mode for deep in (False, True) if not (mode is Mode.CMYK and deep)],
)
def test_map_frames_gives_arrays_of_the_mode_and_keeps_all_else(mode: Mode, deep: bool) -> None:
    seen: list[Pixels] = []

    def change(pixels: Pixels) -> Pixels:
        seen.append(pixels)
        return pixels

    frame = gradient(channels=mode.channels, deep=deep)
    picture = Picture(
        mode, (frame, frame), durations=(40, 60), loop=3, exif=b"e", xmp=b"x", dpi=(72, 72), lossless=False
    )
    changed = picture.map_frames(change)
    expected = (24, 36, 3) if mode is Mode.CMYK else frame.shape
    assert [pixels.shape for pixels in seen] == [expected] * 2
    assert all(np.array_equal(a, b) for a, b in zip(picture.frames, changed.frames, strict=True))
    assert replace(changed, frames=picture.frames).__dict__ == picture.__dict__


def test_a_change_in_place_does_not_reach_the_source() -> None:
    def blacken(pixels: Pixels) -> Pixels:
        pixels[:] = 0
        return pixels

    picture = Picture.from_array(gradient())
    assert not picture.map_frames(blacken).frames[0].any()
    assert np.array_equal(picture.frames[0], gradient())


@pytest.mark.parametrize(
    "wrong",
    [
        lambda pixels: pixels[1:],
        lambda pixels: pixels.astype(np.float32),
        lambda pixels: pixels[..., 0],
        lambda pixels: pixels.astype(np.uint16),
    ],
)
@pytest.mark.parametrize("mode", [Mode.RGB, Mode.CMYK])
def test_a_change_of_shape_or_type_is_refused(mode: Mode, wrong: object) -> None:
    picture = Picture(mode, (gradient(channels=mode.channels),))
    with pytest.raises(InputError, match="came back as"):
        picture.map_frames(wrong)  # type: ignore[arg-type]


@given(st.sampled_from([(0, 0, 0), (255, 255, 255), (200, 30, 90)]))
def test_what_is_painted_on_inks_shows(colour: tuple[int, int, int]) -> None:
    def paint(pixels: Pixels) -> Pixels:
        pixels[5:10, 5:10] = colour
        return pixels

    picture = Picture(Mode.CMYK, (gradient(channels=4),))
    painted = picture.map_frames(paint)
    assert np.abs(painted.rgb()[5:10, 5:10].astype(int) - colour).max() <= 2
    assert np.array_equal(painted.frames[0][10:], picture.frames[0][10:])
