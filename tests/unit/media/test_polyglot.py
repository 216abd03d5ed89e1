"""A file that another program would take for something else is refused, and the other thing is named."""

from __future__ import annotations

import os
import struct
import zlib

import pytest

from guard.errors import MalformedMediaError, UnsupportedMediaError
from guard.media import Artifact
from tests.unit.media.makers import FILES, moving, still, video, zipped

HOSTS = ["png", "jpeg", "gif", "webp", "avif", "wav", "mp4", "opus", "webm"]


def windows_program() -> bytes:
    return b"MZ" + bytes(58) + struct.pack("<L", 64) + b"PE\0\0" + bytes(40)


GUESTS = {
    "ZIP archive": zipped(),
    "PDF document": b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n%%EOF",
    "web page or script": b"<html><script>alert(1)</script></html>",
    "PHP script": b"<?php system($_GET['c']); ?>",
    "RAR archive": b"Rar!\x1a\x07\x01\0" + bytes(30),
    "7-Zip archive": b"7z\xbc\xaf\x27\x1c\0\x04" + bytes(30),
    "gzip data": b"\x1f\x8b\x08\0" + bytes(20),
    "xz data": b"\xfd7zXZ\0\0\x04" + bytes(20),
    "ELF program": b"\x7fELF\x02\x01\x01" + bytes(60),
    "Windows program": windows_program(),
    "Java class": b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(20),
    "script": b"#!/bin/sh\nrm -rf /\n",
}


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("guest", GUESTS)
def test_what_follows_the_end_is_named(host: str, guest: str) -> None:
    mime, data = FILES[host]()
    with pytest.raises(MalformedMediaError, match=guest) as refused:
        Artifact.from_bytes(data + GUESTS[guest])
    assert mime in refused.value.message
    assert refused.value.remedy


@pytest.mark.parametrize("gap", [b"\0" * 16, b"\r\n\r\n"])
def test_padding_does_not_hide_it(gap: bytes) -> None:
    with pytest.raises(MalformedMediaError, match="ELF"):
        Artifact.from_bytes(still("PNG") + gap + GUESTS["ELF program"])


@pytest.mark.parametrize(
    "page", [b"<!DOCTYPE HTML>", b"<SCRIPT src=x>", b"<svg/onload=x>", b"<iframe\nsrc=x>", b"junk <html >"]
)
def test_pages_are_found_anywhere_behind_the_end(page: bytes) -> None:
    with pytest.raises(MalformedMediaError, match="web page"):
        Artifact.from_bytes(still("JPEG") + b"\x80\x81 some bytes " + page)


@pytest.mark.parametrize("name", ["flac", "mp3", "aac", "tiff", "mkv", "avi", "m4a"])
def test_an_archive_is_found_at_the_end_of_every_type(name: str) -> None:
    _, data = FILES[name]()
    with pytest.raises(MalformedMediaError, match="ZIP archive"):
        Artifact.from_bytes(data + zipped())


def test_an_archive_inside_the_bounds_of_a_gif_is_found() -> None:
    data = moving("GIF")
    archive = zipped()
    blocks = b"".join(
        bytes([len(part)]) + part for part in (archive[i : i + 255] for i in range(0, len(archive), 255))
    )
    with pytest.raises(MalformedMediaError, match="ZIP archive"):
        Artifact.from_bytes(data[:-1] + b"!\xfe" + blocks + b"\0;")


def test_an_archive_in_a_jpegs_comment_is_found() -> None:
    with pytest.raises(MalformedMediaError, match="ZIP archive"):
        Artifact.from_bytes(still("JPEG", comment=zipped()))


def test_a_zip64_archive_is_found_by_its_locator() -> None:
    record = b"PK\x06\x07" + bytes(16) + b"PK\x05\x06" + b"\0" * 6 + b"\xff" * 10 + b"\0\0"
    with pytest.raises(MalformedMediaError, match="ZIP"):
        Artifact.from_bytes(FILES["flac"]()[1] + record)


def test_four_bytes_of_chance_are_no_archive() -> None:
    for junk in (b"PK\x05\x06", b"PK\x05\x06" + b"\1" * 18, b"xPK\x03\x04 in the middle"):
        Artifact.from_bytes(FILES["flac"]()[1] + junk)
        Artifact.from_bytes(still("PNG") + b"\x9a" + junk)


def test_a_pdf_within_the_first_kilobyte_is_found() -> None:
    with pytest.raises(MalformedMediaError, match="PDF"):
        Artifact.from_bytes(still("JPEG", comment=b"%PDF-1.5 " + b"x" * 40))


def test_a_foreign_header_before_the_picture_decides() -> None:
    with pytest.raises(MalformedMediaError, match="PDF file is cut short"):
        Artifact.from_bytes(b"%PDF-1.4\n" + still("JPEG"))
    with pytest.raises(UnsupportedMediaError, match="ZIP"):
        Artifact.from_bytes(zipped() + still("PNG"))


@pytest.mark.parametrize(
    ("host", "guest"),
    [
        ("png", "jpeg"),
        ("png", "mp4"),
        ("gif", "png"),
        ("jpeg", "png"),
        ("jpeg", "gif"),
        ("wav", "png"),
        ("mp4", "jpeg"),
    ],
)
def test_another_medium_behind_the_end_is_named(host: str, guest: str) -> None:
    mime, data = FILES[guest]()
    with pytest.raises(MalformedMediaError, match=mime):
        Artifact.from_bytes(FILES[host]()[1] + data)


@pytest.mark.parametrize("kind", ["mp4", "mov"])
def test_a_motion_photo_is_accepted(kind: str) -> None:
    artifact = Artifact.from_bytes(still("JPEG") + video(kind))
    assert artifact.picture.width == 36


def test_a_motion_photo_with_a_page_behind_its_clip_is_refused() -> None:
    with pytest.raises(MalformedMediaError, match="web page"):
        Artifact.from_bytes(still("JPEG") + video() + b"<script>x</script>")


def test_a_makers_trailer_is_accepted() -> None:
    # Samsung's phones leave blocks that end in SEFT; others leave counters and checksums.
    Artifact.from_bytes(still("JPEG") + b"\0\0\x30\x0aImage_UTC_Data1671234567" + b"SEFH\x6b\0\0\0SEFT")
    Artifact.from_bytes(still("PNG") + os.urandom(7) + b"\xff")


def test_a_leftover_of_an_older_picture_behind_a_png_is_accepted() -> None:
    old = still("PNG", "RGBA")
    Artifact.from_bytes(still("PNG") + old[40:])


def test_markup_in_a_pictures_own_metadata_is_accepted() -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data))

    data = still("PNG")
    text = chunk(b"tEXt", b"Comment\0<html><script>not run</script>")
    Artifact.from_bytes(data[:33] + text + data[33:])
    Artifact.from_bytes(still("JPEG", xmp=b"<x:xmpmeta><rdf:RDF/><html/></x:xmpmeta>"))


def test_text_may_quote_anything() -> None:
    for quoted in ("<script>x</script>", "see %PDF-1.7 and <?php ?>", "#!/bin/sh\n", "PK is not a file"):
        assert Artifact.from_bytes(b"Here: " + quoted.encode()).text == "Here: " + quoted


def test_a_program_needs_its_second_header() -> None:
    Artifact.from_bytes(still("PNG") + b"MZ" + bytes(58) + struct.pack("<L", 64) + b"XX\0\0")
