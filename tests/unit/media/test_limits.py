"""Each limit holds, names itself, and spares what is below it."""

from __future__ import annotations

import dataclasses

import pytest

from guard.errors import LimitExceededError
from guard.media import Artifact, Limits
from tests.unit.media.makers import moving, png_bomb, sound, still, video

FINE = Limits()


def test_the_limits_themselves_are_within() -> None:
    limits = Limits(
        max_bytes=5, max_pixels=6, max_frames=2, max_total_pixels=12, max_video_frames=3, max_duration=1
    )
    limits.check_bytes(5)
    limits.check_frame(2, 3)
    limits.check_animation(2, 12)
    limits.check_video_frames(3)
    limits.check_duration(1.0)


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("max_bytes", lambda limits: limits.check_bytes(6)),
        ("max_pixels", lambda limits: limits.check_frame(7, 1)),
        ("max_frames", lambda limits: limits.check_animation(3, 0)),
        ("max_total_pixels", lambda limits: limits.check_animation(2, 13)),
        ("max_video_frames", lambda limits: limits.check_video_frames(4)),
        ("max_duration", lambda limits: limits.check_duration(1.01)),
        ("max_expansion", lambda limits: limits.check_expansion(100 << 20, 1 << 20)),
    ],
)
def test_one_more_is_refused_and_the_setting_named(name: str, check: object) -> None:
    limits = Limits(
        max_bytes=5,
        max_pixels=6,
        max_frames=2,
        max_total_pixels=12,
        max_video_frames=3,
        max_duration=1,
        max_expansion=99,
    )
    with pytest.raises(LimitExceededError) as refused:
        check(limits)  # type: ignore[operator]
    assert name in refused.value.remedy


def test_every_limit_is_tested_here() -> None:
    assert len(dataclasses.fields(Limits)) == 7


def test_small_flat_pictures_may_expand_as_they_like() -> None:
    strict = Limits(max_expansion=2)
    strict.check_expansion(64 << 20, 1)
    artifact = Artifact.from_bytes(png_bomb(4000, 1000), limits=strict)
    assert artifact.picture.height == 1000


def test_a_bomb_is_refused_from_its_header() -> None:
    bomb = png_bomb(9000, 9000)
    assert len(bomb) < 200_000
    with pytest.raises(LimitExceededError, match="unfold") as refused:
        Artifact.from_bytes(bomb, limits=Limits(max_expansion=500))
    assert "max_expansion" in refused.value.remedy


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "GIF", "TIFF"])
def test_pixels_are_counted_before_decoding(kind: str) -> None:
    data = still(kind)
    assert Artifact.from_bytes(data, limits=Limits(max_pixels=24 * 36)).picture.width == 36
    with pytest.raises(LimitExceededError, match="36 × 24"):
        Artifact.from_bytes(data, limits=Limits(max_pixels=24 * 36 - 1))


@pytest.mark.parametrize(
    "data",
    [
        b"VP8X\x0a\0\0\0\0\0\0\0" + b"\xff" * 6,
        b"VP8L\x0a\0\0\0\x2f" + b"\xff" * 9,
        b"VP8 \x0a\0\0\0\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f",
    ],
)
def test_a_webps_canvas_is_read_before_room_is_made_for_it(data: bytes) -> None:
    data = b"RIFF" + (4 + len(data)).to_bytes(4, "little") + b"WEBP" + data
    with pytest.raises(LimitExceededError, match="pixels"):
        Artifact.from_bytes(data)


def test_a_gif_may_not_grow_beyond_its_screen() -> None:
    data = bytearray(moving("GIF"))
    screen = data.index(b",") + 5
    data[screen : screen + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(LimitExceededError):
        _ = Artifact.from_bytes(bytes(data)).picture


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "GIF"])
def test_frames_of_an_animation_are_counted(kind: str) -> None:
    data = moving(kind, count=4)
    assert len(Artifact.from_bytes(data, limits=Limits(max_frames=4)).picture.frames) == 4
    with pytest.raises(LimitExceededError, match="4 frames"):
        Artifact.from_bytes(data, limits=Limits(max_frames=3))
    with pytest.raises(LimitExceededError, match="together"):
        Artifact.from_bytes(data, limits=Limits(max_total_pixels=20 * 30 * 4 - 1))


def test_pages_of_a_tiff_are_counted() -> None:
    from PIL import Image

    from tests.unit.media.makers import gradient, saved

    pages = [Image.fromarray(gradient(10, 10)), Image.fromarray(gradient(40, 40))]
    data = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    with pytest.raises(LimitExceededError, match="40 × 40"):
        _ = Artifact.from_bytes(data, limits=Limits(max_pixels=1000)).picture
    with pytest.raises(LimitExceededError, match="together"):
        _ = Artifact.from_bytes(data, limits=Limits(max_total_pixels=1650)).picture


def test_a_still_picture_is_bound_by_its_own_limit_only() -> None:
    assert Artifact.from_bytes(still("PNG"), limits=Limits(max_total_pixels=1)).picture.width == 36


def test_sound_is_cut_off_while_it_is_decoded() -> None:
    artifact = Artifact.from_bytes(sound(seconds=1.0), limits=Limits(max_duration=0.5))
    with pytest.raises(LimitExceededError, match="lasts"):
        _ = artifact.samples
    with pytest.raises(LimitExceededError, match="lasts"):
        _ = artifact.duration


def test_sound_that_unfolds_too_far_is_refused() -> None:
    data = sound("flac", "flac", rate=48_000, seconds=180.0)
    with pytest.raises(LimitExceededError, match="unfold"):
        _ = Artifact.from_bytes(data, limits=Limits(max_expansion=1)).samples


def test_video_is_held_to_frames_pixels_and_duration() -> None:
    data = video(count=6)
    with pytest.raises(LimitExceededError, match="more than 3 frames"):
        list(Artifact.from_bytes(data, limits=Limits(max_video_frames=3)).frames())
    with pytest.raises(LimitExceededError, match="64 × 48"):
        next(Artifact.from_bytes(data, limits=Limits(max_pixels=64 * 48 - 1)).frames())
    with pytest.raises(LimitExceededError, match="lasts"):
        list(Artifact.from_bytes(data, limits=Limits(max_duration=0.3)).frames())


def test_frames_within_the_limit_come_before_the_refusal() -> None:
    frames = Artifact.from_bytes(video(count=6), limits=Limits(max_video_frames=3)).frames()
    assert len([next(frames) for _ in range(3)]) == 3
    with pytest.raises(LimitExceededError):
        next(frames)
