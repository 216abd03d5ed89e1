"""Pictures as files: read back here and by other programs, they are what they were."""

from __future__ import annotations

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageCms

from guard.errors import InputError, UnsupportedMediaError
from guard.media import Artifact
from guard.media.encode import encode
from guard.media.picture import Mode, Picture, Pixels
from tests.unit.media import press
from tests.unit.media.makers import gradient, moving, orientated, saved, still

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
EXIF = orientated(1).removeprefix(b"Exif\0\0")
XMP = b"<x:xmpmeta/>"
LOSSY = {"image/jpeg": 12, "image/avif": 12}


def again(picture: Picture, mime: str, quality: int | None = None) -> Picture:
    """The picture written and read back."""
    artifact = Artifact.from_bytes(encode(picture, mime, quality=quality))
    assert artifact.mime == mime
    return artifact.picture


def same(one: Picture, other: Picture) -> bool:
    return len(one.frames) == len(other.frames) and all(
        np.array_equal(a, b) for a, b in zip(one.frames, other.frames, strict=True)
    )


HELD = [
    ("image/png", (1, 2, 3, 4), (False, True)),
    ("image/tiff", (1, 2, 3, 4), (False,)),
    ("image/tiff", (1, 3, 4), (True,)),
    ("image/webp", (3, 4), (False,)),
    ("image/avif", (1, 3, 4), (False,)),
    ("image/jpeg", (1, 3), (False,)),
    ("image/gif", (1,), (False,)),
]


@pytest.mark.parametrize(
    ("mime", "channels", "deep"),
    [(mime, count, deep) for mime, counts, depths in HELD for count in counts for deep in depths],
)
def test_what_a_format_holds_comes_back(mime: str, channels: int, deep: bool) -> None:
    picture = Picture.from_array(gradient(channels=channels, deep=deep))
    back = again(picture, mime)
    assert back.mode is picture.mode
    assert back.depth == picture.depth
    assert np.abs(back.frames[0].astype(int) - picture.frames[0]).max() <= LOSSY.get(mime, 0)


@pytest.mark.parametrize("mime", ["image/webp", "image/avif"])
def test_gray_with_alpha_is_widened_where_it_must_be(mime: str) -> None:
    back = again(Picture.from_array(gradient(channels=2)), mime)
    assert back.mode is Mode.RGBA
    tolerance = LOSSY.get(mime, 0)
    assert np.abs(back.frames[0][..., 1].astype(int) - gradient(channels=2)[..., 0]).max() <= tolerance


@pytest.mark.parametrize(
    ("mime", "picture", "flaw"),
    [
        ("image/jpeg", Picture.from_array(gradient(channels=4)), "transparency"),
        ("image/jpeg", Picture.from_array(gradient(channels=2)), "transparency"),
        ("image/jpeg", Picture.from_array(gradient(deep=True)), "16 bits"),
        ("image/webp", Picture.from_array(gradient(deep=True)), "16 bits"),
        ("image/avif", Picture.from_array(gradient(deep=True)), "16 bits"),
        ("image/gif", Picture.from_array(gradient(deep=True)), "16 bits"),
        ("image/tiff", Picture.from_array(gradient(channels=2, deep=True)), "16 bits"),
        ("image/png", Picture(Mode.CMYK, (gradient(channels=4),)), "inks"),
        ("image/webp", Picture(Mode.CMYK, (gradient(channels=4),)), "inks"),
        ("image/gif", Picture.from_array(gradient(channels=4)), "half-transparent"),
        ("image/gif", replace(Picture.from_array(gradient()), icc=SRGB), "colour profile"),
        ("image/webp", replace(Picture.from_array(gradient(channels=1)), icc=b"gray"), "profile for gray"),
        ("image/jpeg", Artifact.from_bytes(moving("GIF")).picture, "animation"),
        ("image/tiff", Artifact.from_bytes(moving("GIF")).picture, "animation"),
        ("image/png", Picture(Mode.RGB, (gradient(), gradient())), "several pages"),
        ("image/webp", Picture.from_array(np.zeros((1, 16_384), np.uint8)), "16384 pixels"),
        ("image/jpeg", Picture.from_array(np.zeros((65_501, 1), np.uint8)), "65501 pixels"),
        ("image/jpeg", replace(Picture.from_array(gradient()), exif=EXIF + bytes(70_000)), "metadata"),
        ("image/jpeg", replace(Picture.from_array(gradient()), xmp=bytes(70_000)), "metadata"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_and_named(mime: str, picture: Picture, flaw: str) -> None:
    with pytest.raises(UnsupportedMediaError, match=flaw) as refused:
        encode(picture, mime)
    assert refused.value.remedy


@pytest.mark.parametrize("quality", [0, 101, -5])
def test_a_quality_that_does_not_exist_is_refused(quality: int) -> None:
    with pytest.raises(InputError, match=str(quality)):
        encode(Picture.from_array(gradient()), "image/jpeg", quality=quality)


@pytest.mark.parametrize("mime", ["image/bmp", "image/heic", "text/plain", "nonsense"])
def test_types_that_are_not_written_are_refused(mime: str) -> None:
    with pytest.raises(UnsupportedMediaError, match=mime):
        encode(Picture.from_array(gradient()), mime)


def test_other_names_of_a_type_are_understood() -> None:
    assert encode(Picture.from_array(gradient()), "image/jpg")[:2] == b"\xff\xd8"


@pytest.mark.parametrize("mime", ["image/jpeg", "image/webp", "image/avif"])
def test_quality_trades_size_for_faith(mime: str) -> None:
    rng = np.random.default_rng(0)
    picture = Picture.from_array(rng.integers(0, 256, (64, 64, 3), np.uint8))
    sizes = [len(encode(picture, mime, quality=quality)) for quality in (20, 60, 95)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2] / 2


def test_jpeg_keeps_colour_at_full_resolution() -> None:
    image = Image.open(io.BytesIO(encode(Picture.from_array(gradient()), "image/jpeg")))
    assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3
    assert image.quantization == Image.open(io.BytesIO(still("JPEG", quality=95))).quantization


def test_webp_is_lossless_where_the_source_was() -> None:
    picture = Picture.from_array(gradient(channels=4))
    assert same(again(picture, "image/webp"), picture)
    lossy = encode(replace(picture, lossless=False), "image/webp")
    assert not Artifact.from_bytes(lossy).picture.lossless
    asked = encode(picture, "image/webp", quality=50)
    assert not Artifact.from_bytes(asked).picture.lossless


def test_webp_keeps_the_colour_below_full_transparency() -> None:
    pixels = gradient(channels=4)
    pixels[..., 3] = 0
    assert same(again(Picture.from_array(pixels), "image/webp"), Picture.from_array(pixels))


@pytest.mark.parametrize("mime", ["image/png", "image/jpeg", "image/webp", "image/avif", "image/tiff"])
def test_metadata_comes_along(mime: str) -> None:
    picture = replace(Picture.from_array(gradient()), icc=SRGB, exif=EXIF, xmp=XMP, dpi=(300.0, 150.0))
    back = again(picture, mime)
    exif = Image.Exif()
    exif.load(back.exif or b"")
    assert back.icc == SRGB
    assert exif[0x010F] == "Maker"
    assert exif.get(0x0112, 1) == 1
    assert back.xmp == XMP
    if mime in ("image/png", "image/jpeg", "image/tiff"):
        assert back.dpi == pytest.approx((300, 150), abs=0.02)


@pytest.mark.parametrize(
    "mime", ["image/png", "image/jpeg", "image/webp", "image/avif", "image/tiff", "image/gif"]
)
def test_no_metadata_stays_none(mime: str) -> None:
    back = again(Picture.from_array(gradient(channels=1 if mime == "image/gif" else 3)), mime)
    assert (back.icc, back.exif, back.xmp, back.dpi) == (None, None, None, None)


def test_a_gif_has_no_room_for_exif_and_resolution() -> None:
    picture = replace(Picture.from_array(gradient(channels=1)), exif=EXIF, xmp=XMP, dpi=(72.0, 72.0))
    back = again(picture, "image/gif")
    assert (back.exif, back.dpi) == (None, None)


@pytest.mark.parametrize("mime", ["image/png", "image/webp", "image/avif", "image/gif"])
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "GIF"])
@pytest.mark.parametrize("alpha", [False, True])
def test_animations_come_back_in_every_format_that_moves(mime: str, kind: str, alpha: bool) -> None:
    picture = Artifact.from_bytes(moving(kind, alpha=alpha)).picture
    if alpha:
        # AVIF's transparency is lossy, and a GIF's is all or nothing.
        frames = [frame.copy() for frame in picture.frames]
        for frame in frames:
            frame[..., 3] = np.where(frame[..., 3] > 127, 255, 0)
            frame[frame[..., 3] == 0] = 0
        picture = replace(picture, frames=tuple(frames))
    back = again(replace(picture, lossless=True), mime)
    assert back.durations == picture.durations
    assert back.mode is picture.mode
    if mime != "image/avif":
        assert back.loop == picture.loop
    if mime == "image/avif":
        worst = max(np.abs(a.astype(int) - b).max() for a, b in zip(picture.frames, back.frames, strict=True))
        assert worst <= 24
    elif mime == "image/gif" and kind == "AVIF":
        assert len(back.frames) == 3
    else:
        assert same(back, picture)


def test_an_animation_that_names_no_repetition_is_played_once() -> None:
    picture = replace(Artifact.from_bytes(moving("GIF")).picture, loop=None)
    assert again(picture, "image/gif").loop is None
    assert again(picture, "image/png").loop == 1
    assert again(picture, "image/webp").loop == 1


def test_an_endless_animation_stays_endless() -> None:
    picture = replace(Artifact.from_bytes(moving("GIF")).picture, loop=0)
    assert {again(picture, mime).loop for mime in ("image/gif", "image/png", "image/webp")} == {0}


def test_very_long_frames_of_a_png() -> None:
    picture = replace(Artifact.from_bytes(moving("PNG")).picture, durations=(65_535.0, 70_000.0, 1e9))
    assert again(picture, "image/png").durations == (65_535.0, 70_000.0, 65_535_000.0)


@pytest.mark.parametrize("mime", ["image/jpeg", "image/tiff"])
def test_inks_come_back_with_their_profile(mime: str) -> None:
    inks = gradient(32, 32, 4)
    picture = Picture(Mode.CMYK, (inks,), icc=press.profile())
    back = again(picture, mime)
    assert back.mode is Mode.CMYK
    assert back.icc == picture.icc
    assert np.abs(back.frames[0].astype(int) - inks).max() <= LOSSY.get(mime, 0)


def test_pages_of_a_tiff_come_back() -> None:
    pages = (gradient(10, 20), gradient(31, 7), gradient(3, 3))
    back = again(Picture(Mode.RGB, pages, exif=EXIF, icc=SRGB), "image/tiff")
    assert [np.array_equal(a, b) for a, b in zip(back.frames, pages, strict=True)] == [True] * 3


def test_exif_with_subdirectories_survives_a_tiff() -> None:
    exif = Image.Exif()
    exif[0x013B] = "Someone"
    exif.get_ifd(0x8769)[0x9003] = "2024:05:06 07:08:09"
    exif.get_ifd(0x8825)[1] = "N"
    data = saved(Image.fromarray(gradient()), "JPEG", exif=exif.tobytes())
    back = again(Artifact.from_bytes(data).picture, "image/tiff")
    read = Image.Exif()
    read.load(back.exif or b"")
    assert read[0x013B] == "Someone"
    assert read.get_ifd(0x8769)[0x9003] == "2024:05:06 07:08:09"
    assert read.get_ifd(0x8825)[1] == "N"


@pytest.mark.parametrize("orientation", [3, 6, 8])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_turned_picture_is_not_turned_again(kind: str, orientation: int) -> None:
    options = {"tiffinfo": {274: orientation}} if kind == "TIFF" else {"exif": orientated(orientation)}
    source = Artifact.from_bytes(saved(Image.fromarray(gradient()), kind, **options))
    back = again(source.picture, source.mime)
    assert back.frames[0].shape == source.picture.frames[0].shape
    assert np.abs(back.frames[0].astype(int) - source.picture.frames[0]).max() <= 12


@settings(max_examples=40, deadline=None)
@given(st.data(), st.integers(1, 4), st.booleans(), st.integers(1, 9), st.integers(1, 9))
def test_png_and_tiff_hold_any_pixels(
    data: st.DataObject, channels: int, deep: bool, width: int, height: int
) -> None:
    shape = (height, width) if channels == 1 else (height, width, channels)
    pixels = data.draw(arrays(np.uint16 if deep else np.uint8, shape))
    picture = Picture.from_array(pixels)
    assert np.array_equal(again(picture, "image/png").frames[0], pixels)
    if not (deep and channels == 2):
        assert np.array_equal(again(picture, "image/tiff").frames[0], pixels)


@settings(max_examples=40, deadline=None)
@given(arrays(np.uint8, (3, 9, 11), elements=st.integers(0, 3)), st.booleans())
def test_gif_holds_any_few_colours_exactly(indices: Pixels, alpha: bool) -> None:
    palette = np.array([[0, 0, 0, 0], [1, 0, 0, 255], [0, 2, 0, 255], [254, 255, 255, 255]], np.uint8)
    if not alpha:
        palette[0, 3] = 255
    frames = tuple(palette[frame] if alpha else palette[frame, :3] for frame in indices)
    mode = Mode.RGBA if alpha else Mode.RGB
    still_picture = Picture(mode, frames[:1])
    back = again(still_picture, "image/gif")
    assert np.array_equal(back.rgb(), still_picture.rgb())
    moving_picture = Picture(mode, frames, durations=(100.0, 100.0, 100.0), loop=0)
    back = again(moving_picture, "image/gif")
    if not back.durations:
        # Frames that are all alike are one picture.
        assert np.array_equal(back.rgb(), moving_picture.rgb())
        return
    shown = [number for number, time in enumerate(back.durations) for _ in range(round(time / 100))]
    assert len(shown) == 3
    for number, where in enumerate(shown):
        assert np.array_equal(back.rgb(where), moving_picture.rgb(number))


def test_gif_of_exactly_256_colours_is_exact_and_of_more_is_near() -> None:
    exact = np.zeros((16, 16, 3), np.uint8)
    exact[..., 0] = np.arange(256).reshape(16, 16)
    exact[..., 2] = exact[..., 0] // 3
    assert same(again(Picture.from_array(exact), "image/gif"), Picture.from_array(exact))
    many = gradient(64, 64)
    error = np.abs(again(Picture.from_array(many), "image/gif").frames[0].astype(int) - many)
    assert 0 < error.mean() < 8


def test_gif_of_255_colours_and_clear_pixels_is_exact() -> None:
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[..., 1] = np.arange(256).reshape(16, 16)
    pixels[..., 3] = 255
    pixels[15, 15] = 0
    assert same(again(Picture.from_array(pixels), "image/gif"), Picture.from_array(pixels))


def test_gif_of_gray_with_clear_pixels() -> None:
    pixels = np.zeros((4, 4, 2), np.uint8)
    pixels[:2] = (200, 255)
    back = again(Picture.from_array(pixels), "image/gif")
    assert back.frames[0][0, 0].tolist() == [200, 200, 200, 255]
    assert back.frames[0][3, 3, 3] == 0


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("mime", ["image/png", "image/tiff"])
def test_other_programs_read_what_is_written_by_hand(mime: str, channels: int) -> None:
    pixels = gradient(channels=channels)
    data = encode(Picture.from_array(pixels), mime)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if mime == "image/tiff" and channels == 4:
        # OpenCV multiplies a TIFF's colours by their alpha.
        return
    order = {1: slice(None), 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]
    assert np.array_equal(read[..., order] if channels > 1 else read, pixels)


def test_other_programs_read_sixteen_bits_of_gray_with_alpha() -> None:
    pixels = gradient(channels=2, deep=True)
    data = encode(Picture.from_array(pixels), "image/png")
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(read[..., [0, 3]], pixels)


def test_png_passes_pillows_own_check() -> None:
    for picture in (
        Picture.from_array(gradient(channels=4, deep=True)),
        Artifact.from_bytes(moving("GIF")).picture,
    ):
        Image.open(io.BytesIO(encode(picture, "image/png"))).verify()


def test_png_is_hardly_larger_than_pillows_fastest() -> None:
    photo = gradient(256, 256).astype(np.int16) + np.random.default_rng(0).integers(-6, 7, (256, 256, 3))
    pixels = photo.clip(0, 255).astype(np.uint8)
    ours = len(encode(Picture.from_array(pixels), "image/png"))
    assert ours < 1.15 * len(saved(Image.fromarray(pixels), "PNG", compress_level=1))
