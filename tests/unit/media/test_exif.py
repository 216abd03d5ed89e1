"""Metadata tells the truth about an upright picture, and all else in it survives to the byte."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from guard.media.exif import clean_exif, clean_xmp, orientation_of
from tests.unit.media.makers import gradient, orientated, saved

BLOCK = orientated(6).removeprefix(b"Exif\0\0")


def with_thumbnail(order: str = "<") -> tuple[bytes, bytes]:
    """A block whose second directory points to a thumbnail, and the thumbnail."""
    picture = saved(Image.fromarray(gradient(8, 8)), "JPEG")
    mark = b"II" if order == "<" else b"MM"
    head = mark + struct.pack(order + "HL", 42, 8)
    first = struct.pack(order + "HHHLHHL", 1, 0x0112, 3, 1, 6, 0, 26)
    second = struct.pack(order + "HHHLLHHLLL", 2, 0x0201, 4, 1, 56, 0x0202, 4, 1, len(picture), 0)
    return head + first + second + picture, picture


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_read_with_and_without_prefix(orientation: int) -> None:
    block = orientated(orientation)
    assert block.startswith(b"Exif\0\0")
    assert orientation_of(block) == orientation
    assert orientation_of(block.removeprefix(b"Exif\0\0")) == orientation


@pytest.mark.parametrize(
    "exif", [None, b"", b"Exif\0\0", b"II*\0", b"garbage here", b"II*\0\xff\xff\xff\xff", BLOCK[:12]]
)
def test_a_broken_block_means_upright(exif: bytes | None) -> None:
    assert orientation_of(exif) == 1


@pytest.mark.parametrize("value", [0, 9, 65_535])
def test_an_orientation_that_does_not_exist_means_upright(value: int) -> None:
    assert orientation_of(orientated(value)) == 1


def test_cleaning_changes_the_orientation_alone() -> None:
    cleaned = clean_exif(orientated(6))
    assert cleaned is not None
    assert orientation_of(cleaned) == 1
    assert [(a, b) for a, b in zip(BLOCK, cleaned, strict=True) if a != b] == [(6, 1)]


def test_cleaning_drops_the_prefix() -> None:
    assert clean_exif(orientated(1)) == orientated(1).removeprefix(b"Exif\0\0")


@pytest.mark.parametrize("exif", [None, b"", b"Exif\0\0", b"not a block"])
def test_what_is_no_block_is_dropped(exif: bytes | None) -> None:
    assert clean_exif(exif) is None


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_thumbnail_goes_pixels_and_all(order: str) -> None:
    block, picture = with_thumbnail(order)
    exif = Image.Exif()
    exif.load(block)
    assert exif.get_ifd(0x8769) == {}
    assert exif.get_ifd(1) != {} or True
    cleaned = clean_exif(block)
    assert cleaned is not None
    assert len(cleaned) == len(block)
    assert picture not in cleaned
    assert cleaned.endswith(bytes(len(picture)))
    assert orientation_of(cleaned) == 1
    again = Image.Exif()
    again.load(cleaned)
    assert dict(again) == {0x0112: 1}


@pytest.mark.parametrize("length", [0xFFFF_FFFF, 1 << 20])
def test_a_thumbnail_that_claims_more_than_there_is(length: int) -> None:
    block, picture = with_thumbnail()
    at = block.index(struct.pack("<HHL", 0x0202, 4, 1)) + 8
    cleaned = clean_exif(block[:at] + struct.pack("<L", length) + block[at + 4 :])
    assert cleaned is not None
    assert len(cleaned) == len(block)
    assert picture not in cleaned


@given(st.binary(max_size=80))
def test_any_bytes_behind_a_header_are_survived(data: bytes) -> None:
    for head in (b"II*\0", b"MM\0*"):
        cleaned = clean_exif(head + data)
        assert cleaned is None or len(cleaned) == 4 + len(data)
        assert 1 <= orientation_of(head + data) <= 8


@given(st.data())
def test_any_byte_of_a_block_may_be_wrong(data: st.DataObject) -> None:
    block = bytearray(with_thumbnail()[0])
    for _ in range(3):
        block[data.draw(st.integers(0, 60))] = data.draw(st.integers(0, 255))
    cleaned = clean_exif(bytes(block))
    assert cleaned is None or orientation_of(cleaned) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'<a tiff:Orientation="6"/>', b'<a tiff:Orientation="1"/>'),
        (b"<a tiff:Orientation='3'/>", b"<a tiff:Orientation='1'/>"),
        (b"<tiff:Orientation>8</tiff:Orientation>", b"<tiff:Orientation>1</tiff:Orientation>"),
        (b'<a tiff:Orientation="1"/>', b'<a tiff:Orientation="1"/>'),
        (b'<a tiff:OrientationX="6"/>', b'<a tiff:OrientationX="6"/>'),
        (b"<x:xmpmeta/>", b"<x:xmpmeta/>"),
    ],
)
def test_xmps_copy_of_the_orientation_follows(before: bytes, after: bytes) -> None:
    assert clean_xmp(before) == after


@pytest.mark.parametrize("xmp", [None, b""])
def test_no_xmp_stays_none(xmp: bytes | None) -> None:
    assert clean_xmp(xmp) is None


def test_pillow_reads_the_cleaned_block() -> None:
    exif = Image.Exif()
    exif.load(clean_exif(orientated(8)) or b"")
    assert dict(exif) == {0x0112: 1, 0x010F: "Maker"}
    image = Image.open(io.BytesIO(saved(Image.fromarray(gradient()), "JPEG", exif=exif.tobytes())))
    assert image.getexif()[0x010F] == "Maker"
