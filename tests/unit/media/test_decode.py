"""Files of other programs as arrays: the right channels, the right depth, the right way up, with their
metadata."""

from __future__ import annotations

import io
import struct
import threading
import warnings
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from guard.errors import MalformedMediaError, UnsupportedMediaError
from guard.media import Artifact, Limits
from guard.media.decode import check_header, decode
from guard.media.picture import Mode, Picture, Pixels
from tests.unit.media.makers import FILES, gradient, moving, orientated, png_bomb, saved, still

PICTURES = [name for name in FILES if FILES[name]()[0].startswith("image/")]
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def picture_of(data: bytes) -> Picture:
    return Artifact.from_bytes(data).picture


def chunked(data: bytes, name: bytes, body: bytes, *, before: bytes = b"IDAT") -> bytes:
    """A PNG with one more chunk."""
    at = data.index(before) - 4
    made = struct.pack(">L", len(body)) + name + body + struct.pack(">L", zlib.crc32(name + body))
    return data[:at] + made + data[at:]


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_decoded_and_its_view_is_rgb(name: str) -> None:
    picture = picture_of(FILES[name]()[1])
    assert picture.rgb().shape == (picture.height, picture.width, 3)


@pytest.mark.parametrize(
    ("kind", "mode", "expected"),
    [
        ("PNG", "1", Mode.GRAY),
        ("PNG", "L", Mode.GRAY),
        ("PNG", "LA", Mode.GRAY_ALPHA),
        ("PNG", "P", Mode.RGB),
        ("PNG", "RGB", Mode.RGB),
        ("PNG", "RGBA", Mode.RGBA),
        ("JPEG", "L", Mode.GRAY),
        ("JPEG", "RGB", Mode.RGB),
        ("JPEG", "CMYK", Mode.CMYK),
        ("WEBP", "RGB", Mode.RGB),
        ("WEBP", "RGBA", Mode.RGBA),
        ("AVIF", "L", Mode.GRAY),
        ("AVIF", "RGB", Mode.RGB),
        ("AVIF", "RGBA", Mode.RGBA),
        ("GIF", "L", Mode.GRAY),
        ("GIF", "P", Mode.RGB),
        ("TIFF", "1", Mode.GRAY),
        ("TIFF", "L", Mode.GRAY),
        ("TIFF", "LA", Mode.GRAY_ALPHA),
        ("TIFF", "P", Mode.RGB),
        ("TIFF", "RGB", Mode.RGB),
        ("TIFF", "RGBA", Mode.RGBA),
        ("TIFF", "RGBX", Mode.RGB),
        ("TIFF", "YCbCr", Mode.RGB),
        ("TIFF", "CMYK", Mode.CMYK),
    ],
)
def test_modes(kind: str, mode: str, expected: Mode) -> None:
    options = {
        "WEBP": {"lossless": True, "exact": True},
        "JPEG": {"quality": 95},
        "AVIF": {"quality": 95},
        "GIF": {"optimize": False},
    }.get(kind, {})
    image = Image.fromarray(gradient(channels=4), "RGBA").convert("RGB").convert(mode)
    if mode in ("RGBA", "LA"):
        image.putalpha(Image.fromarray(gradient(channels=1)))
    picture = picture_of(saved(image, kind, **options))
    assert picture.mode is expected
    assert picture.depth == 8
    expected_name = {
        Mode.GRAY: "L",
        Mode.GRAY_ALPHA: "LA",
        Mode.RGB: "RGB",
        Mode.RGBA: "RGBA",
        Mode.CMYK: "CMYK",
    }
    reference = np.asarray(image.convert(expected_name[expected])).astype(int)
    assert np.abs(picture.frames[0] - reference).max() <= (30 if kind in ("JPEG", "AVIF") else 2)


@pytest.mark.parametrize(
    ("mode", "key", "expected"),
    [
        ("1", 0, Mode.GRAY_ALPHA),
        ("L", 7, Mode.GRAY_ALPHA),
        ("RGB", (9, 9, 9), Mode.RGBA),
        ("P", 0, Mode.RGBA),
    ],
)
def test_a_transparent_colour_becomes_alpha(mode: str, key: object, expected: Mode) -> None:
    image = Image.new("RGB", (4, 4), (9, 9, 9)).convert(mode)
    if mode == "L":
        image = Image.new("L", (4, 4), 7)
    image.putpixel((1, 1), 1 if mode in ("1", "P") else 200 if mode == "L" else (8, 8, 8))
    if mode == "P":
        image = Image.new("P", (4, 4), 0)
        image.putpalette([9, 9, 9, 8, 8, 8])
        image.putpixel((1, 1), 1)
    picture = picture_of(saved(image, "PNG", transparency=key))
    assert picture.mode is expected
    assert picture.frames[0][0, 0, -1] == 0
    assert picture.frames[0][1, 1, -1] == 255


def test_alpha_for_each_palette_entry() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    picture = picture_of(saved(image, "PNG", transparency=bytes([128, 255])))
    assert picture.frames[0].tolist() == [[[10, 20, 30, 128], [40, 50, 60, 255]]]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_pictures_are_turned_upright(kind: str, orientation: int) -> None:
    image = Image.fromarray(gradient())
    options = {"tiffinfo": {274: orientation}} if kind == "TIFF" else {"exif": orientated(orientation)}
    if kind == "WEBP":
        options["lossless"] = True
    picture = picture_of(saved(image, kind, **options))
    plain = Image.open(io.BytesIO(saved(image, "PNG", exif=orientated(orientation))))
    reference = np.asarray(ImageOps.exif_transpose(plain)).astype(int)
    assert np.abs(picture.frames[0] - reference).max() <= (12 if kind == "JPEG" else 0)
    if picture.exif:
        exif = Image.Exif()
        exif.load(picture.exif)
        assert exif.get(0x0112, 1) == 1


def test_an_avif_is_turned_upright() -> None:
    # Pillow writes the orientation as AVIF's own rotation, as the standard asks.
    picture = picture_of(saved(Image.fromarray(gradient()), "AVIF", exif=orientated(6), quality=95))
    assert (picture.width, picture.height) == (24, 36)


def deep_tiff(pixels: Pixels, tags: dict[int, object]) -> bytes:
    """An uncompressed TIFF of RGB or RGBA."""
    channels = pixels.shape[2]
    directory = ImageFileDirectory_v2()
    values: dict[int, object] = {
        256: pixels.shape[1],
        257: pixels.shape[0],
        258: (16,) * channels,
        259: 1,
        262: 2,
    }
    for tag, value in (
        values | {273: 0, 277: channels, 278: pixels.shape[0], 279: pixels.nbytes} | tags
    ).items():
        directory[tag] = value
    return b"II*\0\x08\0\0\0" + directory.tobytes(8) + pixels.astype("<u2").tobytes()


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_deep_tiff_is_turned_upright(orientation: int) -> None:
    plain = gradient(deep=True)
    data = deep_tiff(plain, {274: orientation})
    turned = {1: plain, 3: plain[::-1, ::-1], 6: np.rot90(plain, -1)}[orientation]
    assert np.array_equal(picture_of(data).frames[0], turned)


@pytest.mark.parametrize("kind", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits_stay_sixteen_bits(kind: str, channels: int) -> None:
    pixels = gradient(channels=channels, deep=True)
    stored = {1: pixels, 3: pixels[..., ::-1], 4: pixels[..., [2, 1, 0, 3]] if channels == 4 else pixels}[
        channels
    ]
    picture = picture_of(cv2.imencode(kind, np.ascontiguousarray(stored))[1].tobytes())
    assert picture.depth == 16
    assert np.array_equal(picture.frames[0], pixels)


def test_sixteen_bits_of_big_endian_tiff() -> None:
    pixels = gradient(channels=1, deep=True)
    image = Image.frombytes("I;16B", (36, 24), pixels.astype(">u2").tobytes())
    assert np.array_equal(picture_of(saved(image, "TIFF")).frames[0], pixels)


def test_pages_of_a_deep_tiff() -> None:
    pages = [gradient(deep=True), gradient(deep=True)[::-1].copy()]
    done, data = cv2.imencodemulti(".tiff", [page[..., ::-1].copy() for page in pages])
    assert done
    picture = picture_of(data.tobytes())
    assert [np.array_equal(a, b) for a, b in zip(picture.frames, pages, strict=True)] == [True, True]


def test_a_deep_tiffs_fourth_channel_may_be_alpha_of_either_kind_or_nothing() -> None:
    pixels = gradient(channels=4, deep=True)
    multiplied = pixels.copy()
    multiplied[..., :3] = np.rint(pixels[..., :3] * (pixels[..., 3:] / 65_535))
    assert np.array_equal(picture_of(deep_tiff(pixels, {338: 2})).frames[0], pixels)
    assert np.abs(picture_of(deep_tiff(multiplied, {338: 1})).frames[0].astype(int) - pixels).max() <= 2
    nothing = picture_of(deep_tiff(pixels, {338: 0}))
    assert nothing.mode is Mode.RGB
    assert np.array_equal(nothing.frames[0], pixels[..., :3])


def test_a_corrupt_deep_png_is_malformed() -> None:
    data = bytearray(cv2.imencode(".png", gradient(deep=True))[1].tobytes())
    at = data.index(b"IDAT") + 20
    data[at : at + 8] = b"\xff" * 8
    with pytest.raises(MalformedMediaError, match="16 bits"):
        picture_of(bytes(data))


def test_an_animated_png_of_sixteen_bits_is_refused() -> None:
    data = bytearray(moving("PNG"))
    data[24] = 16
    struct.pack_into(">L", data, 29, zlib.crc32(data[12:29]))
    with pytest.raises(UnsupportedMediaError, match="16 bits"):
        picture_of(bytes(data))


@pytest.mark.parametrize("mode", ["F", "I", "LAB"])
def test_pixel_types_without_an_honest_form_are_refused(mode: str) -> None:
    data = saved(Image.new(mode, (8, 8)), "TIFF")
    with pytest.raises(UnsupportedMediaError, match=mode):
        picture_of(data)


def test_inks_of_sixteen_bits_are_refused() -> None:
    directory = ImageFileDirectory_v2()
    for tag, value in {
        256: 2,
        257: 2,
        258: (16,) * 4,
        259: 1,
        262: 5,
        273: 0,
        277: 4,
        278: 2,
        279: 32,
    }.items():
        directory[tag] = value
    with pytest.raises(UnsupportedMediaError, match="CMYK of 16 bits"):
        picture_of(b"II*\0\x08\0\0\0" + directory.tobytes(8) + bytes(32))


def test_inks_of_an_adobe_jpeg_and_of_a_plain_one() -> None:
    inks = np.full((16, 16, 4), (200, 30, 60, 20), np.uint8)
    adobe = saved(Image.frombytes("CMYK", (16, 16), inks.tobytes()), "JPEG", quality=100)
    assert np.abs(picture_of(adobe).frames[0].astype(int) - inks).max() <= 3
    at = adobe.index(b"\xff\xee")
    plain = adobe[:at] + adobe[at + 16 :]
    assert b"Adobe" not in plain
    assert np.abs(picture_of(plain).frames[0].astype(int) - (255 - inks)).max() <= 3


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "AVIF"])
@pytest.mark.parametrize("alpha", [False, True])
def test_animations(kind: str, alpha: bool) -> None:
    picture = picture_of(moving(kind, alpha=alpha))
    assert len(picture.frames) == 3
    assert picture.durations == (100.0, 200.0, 300.0)
    assert picture.loop == (0 if kind == "AVIF" else 2)
    assert picture.mode is (Mode.RGBA if alpha else Mode.RGB)
    for number, frame in enumerate(picture.frames):
        square = frame[6, 6 + 6 * number].astype(int)
        assert np.abs(square[:3] - (200, 40 * number, 90)).max() <= (12 if kind == "AVIF" else 0)
        if alpha:
            assert frame[0, 0, 3] <= 4
            assert square[3] >= 251


def test_a_still_picture_has_no_timing() -> None:
    for kind in ("PNG", "GIF", "WEBP", "AVIF"):
        picture = picture_of(still(kind))
        assert (picture.durations, picture.loop) == ((), None)


def test_a_gif_that_names_no_repetition() -> None:
    frames = [Image.new("L", (4, 4), value) for value in (0, 255)]
    picture = picture_of(saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50))
    assert picture.loop is None


def test_a_gif_whose_later_frame_is_transparent() -> None:
    frames = [Image.new("P", (6, 6), 0), Image.new("P", (6, 6), 1)]
    for frame in frames:
        frame.putpalette([255, 0, 0, 0, 0, 255])
        frame.info["transparency"] = 1
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50, disposal=2)
    picture = picture_of(data)
    assert picture.mode is Mode.RGBA
    assert (picture.frames[0][..., 3] == 255).all()
    assert (picture.frames[1][..., 3] == 0).all()


def test_an_animated_pngs_still_stand_in_is_no_frame() -> None:
    frames = [Image.new("RGB", (4, 4), name) for name in ("black", "red", "blue")]
    data = saved(
        frames[0], "PNG", save_all=True, append_images=frames[1:], duration=[10, 20], default_image=True
    )
    picture = picture_of(data)
    assert [frame[0, 0].tolist() for frame in picture.frames] == [[255, 0, 0], [0, 0, 255]]
    assert picture.durations == (10.0, 20.0)


def test_pages_of_a_tiff_may_differ_in_size_and_mode() -> None:
    pages = [
        Image.fromarray(gradient(10, 20)),
        Image.fromarray(gradient(30, 12, 1)),
        Image.new("LA", (5, 5), (9, 8)),
    ]
    picture = picture_of(saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert picture.mode is Mode.RGBA
    assert [frame.shape for frame in picture.frames] == [(10, 20, 4), (30, 12, 4), (5, 5, 4)]
    assert picture.durations == ()
    assert picture.frames[2][0, 0].tolist() == [9, 9, 9, 8]
    assert np.array_equal(picture.frames[1][..., 1], gradient(30, 12, 1))
    assert (picture.frames[0][..., 3] == 255).all()


def test_pages_of_inks_and_colours_do_not_mix() -> None:
    pages = [Image.new("CMYK", (4, 4)), Image.new("RGB", (4, 4))]
    with pytest.raises(UnsupportedMediaError, match="pages differ"):
        picture_of(saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF"])
def test_metadata_is_read(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8769)[0x9003] = "2024:05:06 07:08:09"
    options = {"icc_profile": SRGB, "exif": exif.tobytes(), "dpi": (300, 300)}
    image = Image.fromarray(gradient())
    xmp = b'<x:xmpmeta tiff:Orientation="6"/>'
    data = saved(image, kind, **options, **({"xmp": xmp} if kind in ("JPEG", "WEBP", "AVIF") else {}))
    picture = picture_of(data)
    read = Image.Exif()
    read.load(picture.exif or b"")
    assert picture.icc == SRGB
    assert read[0x010F] == "Maker"
    assert read.get_ifd(0x8769)[0x9003] == "2024:05:06 07:08:09"
    assert not (picture.exif or b"").startswith(b"Exif")
    if kind in ("JPEG", "WEBP", "AVIF"):
        assert picture.xmp == b'<x:xmpmeta tiff:Orientation="1"/>'
    if kind in ("PNG", "JPEG", "TIFF"):
        assert picture.dpi == pytest.approx((300, 300), abs=0.01)


def test_a_tiff_without_words_about_itself_has_no_exif() -> None:
    assert picture_of(still("TIFF")).exif is None


def test_png_metadata_behind_the_pixels_is_read() -> None:
    block = orientated(6).removeprefix(b"Exif\0\0")
    data = chunked(still("PNG"), b"eXIf", block, before=b"IEND")
    data = chunked(data, b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x/>", before=b"IEND")
    picture = picture_of(data)
    assert (picture.width, picture.height) == (24, 36)
    assert picture.xmp == b"<x/>"


@pytest.mark.parametrize(("across", "down"), [(0, 0), (0, 300), (1 << 31, 300)])
def test_a_senseless_resolution_is_none(across: int, down: int) -> None:
    data = chunked(still("PNG"), b"pHYs", struct.pack(">LLB", across, down, 1))
    assert picture_of(data).dpi is None


@pytest.mark.parametrize(
    ("data", "lossless"),
    [
        (still("PNG"), True),
        (still("GIF", "P"), True),
        (still("TIFF"), True),
        (still("JPEG"), False),
        (still("AVIF"), False),
        (still("WEBP"), False),
        (still("WEBP", "RGBA"), False),
        (still("WEBP", lossless=True), True),
        (still("WEBP", lossless=True, exif=orientated(1)), True),
        (still("WEBP", exif=orientated(1)), False),
        (moving("WEBP"), True),
        (
            saved(
                Image.fromarray(gradient()),
                "WEBP",
                save_all=True,
                append_images=[Image.fromarray(gradient()[::-1].copy())],
            ),
            False,
        ),
    ],
)
def test_whether_the_source_lost_something(data: bytes, lossless: bool) -> None:
    assert picture_of(data).lossless is lossless


@pytest.mark.parametrize("name", PICTURES)
def test_corrupt_pixels_are_malformed_or_decoded_but_never_more(name: str) -> None:
    mime, data = FILES[name]()
    for at in range(len(data) // 4, len(data), max(1, len(data) // 40)):
        broken = data[:at] + b"\xff\0\xff\0" + data[at + 4 :]
        try:
            decode(broken, mime, Limits())
        except (MalformedMediaError, UnsupportedMediaError):
            continue


def test_an_unreadable_header_is_refused_at_the_door() -> None:
    data = bytearray(still("PNG"))
    data[25] = 77
    struct.pack_into(">L", data, 29, zlib.crc32(data[12:29]))
    with pytest.raises(MalformedMediaError, match="cannot be decoded"):
        Artifact.from_bytes(bytes(data))


def test_the_header_alone_is_checked_without_decoding() -> None:
    data = bytearray(still("PNG"))
    at = data.index(b"IDAT") + 10
    data[at : at + 6] = b"\0" * 6
    check_header(bytes(data), "image/png", Limits())
    with pytest.raises(MalformedMediaError):
        decode(bytes(data), "image/png", Limits())


def test_the_decoder_names_types_it_does_not_read() -> None:
    with pytest.raises(UnsupportedMediaError, match="image/heic"):
        decode(b"x", "image/heic", Limits())


def test_large_pictures_within_the_limit_give_no_warning() -> None:
    data = png_bomb(10_000, 9_500)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        artifact = Artifact.from_bytes(data)
    assert artifact.mime == "image/png"


def test_odd_metadata_gives_no_warning() -> None:
    block = bytearray(orientated(1))
    block[-4:] = b"\xff\xff\xff\xff"
    struct.pack_into("<H" if block[6:8] == b"II" else ">H", block, 14, 400)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert picture_of(still("JPEG", exif=bytes(block))).width == 36


def test_many_threads_decode_at_once() -> None:
    data = [FILES[name]()[1] for name in PICTURES]
    wrong: list[object] = []
    before = list(warnings.filters)

    def work() -> None:
        try:
            for one in data:
                picture_of(one)
        except Exception as error:  # pragma: no cover
            wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert list(warnings.filters) == before


def test_a_view_of_pixels_is_the_right_way_round() -> None:
    pixels: Pixels = np.zeros((3, 5, 3), np.uint8)
    pixels[0, 4] = (255, 0, 0)
    assert picture_of(saved(Image.fromarray(pixels), "PNG")).frames[0][0, 4].tolist() == [255, 0, 0]
    deep = cv2.imencode(".png", np.array([[[1, 2, 3]]], np.uint16))[1].tobytes()
    assert picture_of(deep).frames[0].tolist() == [[[3, 2, 1]]]
