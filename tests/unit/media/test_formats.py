"""Names and endings of types, and what first bytes give away."""

from __future__ import annotations

import pytest

from guard.errors import UnsupportedMediaError
from guard.media import Artifact, Modality, canonical_mime, mime_for_suffix
from guard.media.formats import format_of, name_foreign, sniff_binary
from tests.unit.media.makers import FILES, sound, video


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("image/png", "image/png"),
        (" Image/PNG ;a=b", "image/png"),
        ("image/pjpeg", "image/jpeg"),
        ("audio/x-flac", "audio/flac"),
        ("video/avi", "video/x-msvideo"),
        ("font/woff", "font/woff"),
    ],
)
def test_canonical_mime(given: str, canonical: str) -> None:
    assert canonical_mime(given) == canonical


@pytest.mark.parametrize("name", FILES)
def test_every_type_has_an_ending_that_leads_back_to_it(name: str) -> None:
    mime, _ = FILES[name]()
    assert mime_for_suffix(format_of(mime).suffix) == mime


@pytest.mark.parametrize(
    ("suffix", "mime"),
    [
        (".JPEG", "image/jpeg"),
        (".tif", "image/tiff"),
        (".md", "text/markdown"),
        (".heif", "image/heic"),
        (".opus", "audio/ogg"),
    ],
)
def test_other_endings(suffix: str, mime: str) -> None:
    assert mime_for_suffix(suffix) == mime


def test_unknown_endings_and_types_are_refused_with_the_known_ones() -> None:
    with pytest.raises(UnsupportedMediaError) as refused:
        mime_for_suffix(".psd")
    assert ".png" in refused.value.remedy
    with pytest.raises(UnsupportedMediaError) as refused:
        format_of("image/jp2")
    assert "image/png" in refused.value.remedy


def test_formats_know_their_kind() -> None:
    assert format_of("audio/x-wav").modality is Modality.AUDIO
    assert format_of("text/html").modality is Modality.TEXT


FOREIGN = {
    "PDF": b"%PDF-9.9\n%\xe2\xe3\xcf\xd3",
    "ZIP": b"PK\x03\x04\x14\0\0\0",
    "RAR": b"Rar!\x1a\x07\x01\0",
    "7-Zip": b"7z\xbc\xaf\x27\x1c\0\4",
    "gzip": b"\x1f\x8b\x08\0\0\0\0\0",
    "xz": b"\xfd7zXZ\0\0\4",
    "ELF": b"\x7fELF\x02\x01\x01\0",
    "Windows program": b"MZ\x90\0" + bytes(80),
    "Java class": b"\xca\xfe\xba\xbe\0\0\0\x34",
    "HEIF": b"\0\0\0\x18ftypmif1\0\0\0\0",
    "media segment": b"\0\0\0\x18stypmsdh\0\0\0\0",
    "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n",
    "BigTIFF": b"II+\0\x08\0\0\0",
    "BMP": b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0",
    "Photoshop": b"8BPS\0\1\0\0",
    "icon": b"\0\0\1\0\1\0",
    "Flash": b"FLV\x01\5\0\0\0\x09",
    "AIFF": b"FORM\0\0\0\x20AIFFCOMM",
    "SQLite": b"SQLite format 3\0",
    "Ogg video": b"OggS\0\2" + bytes(22) + b"\x80theora" + bytes(20),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_well_known_other_types_are_named(name: str) -> None:
    with pytest.raises(UnsupportedMediaError, match=name):
        Artifact.from_bytes(FOREIGN[name] + bytes(100))


@pytest.mark.parametrize(
    "start", ["MZ is a rapper", "BM means benchmark", "ID3 tags", "RIFF and WAVE", "fLa C", "%PDX"]
)
def test_words_that_begin_like_a_binary_type_are_text(start: str) -> None:
    data = f"{start}, and so on for a while; nothing here is binary at all, as anybody can see.".encode()
    assert Artifact.from_bytes(data).mime == "text/plain"


@pytest.mark.parametrize(
    "head",
    [
        b"\xff\xfb\x90\x64",  # MPEG 1 layer III, 128 kbit/s
        b"\xff\xf3\x84\xc4",  # MPEG 2
        b"\xff\xe3\x18\xc4",  # MPEG 2.5
        b"ID3\x04\0\0\0\0\0\0",
    ],
)
def test_mp3_with_and_without_a_tag(head: bytes) -> None:
    assert sniff_binary(head) == "audio/mpeg"


@pytest.mark.parametrize(
    "head",
    [
        b"\xff\xfb\xf0\x64",  # the forbidden bit rate
        b"\xff\xfb\x9c\x64",  # the reserved sampling rate
        b"\xff\xeb\x90\x64",  # the reserved version
        b"\xff\xfe\x41\0",  # UTF-16's byte order mark
    ],
)
def test_what_only_resembles_an_mp3(head: bytes) -> None:
    assert sniff_binary(head) is None


@pytest.mark.parametrize(
    ("brands", "mime"),
    [
        (b"avif", "image/avif"),
        (b"avis", "image/avif"),
        (b"mif1\0\0\0\0avif", "image/avif"),
        (b"qt  ", "video/quicktime"),
        (b"M4A ", "audio/mp4"),
        (b"isom", "video/mp4"),
        (b"XXXX\0\0\0\0YYYYmp42", "video/mp4"),
        (b"heic\0\0\0\0mif1", "image/heic"),
        (b"mif1\0\0\0\0msf1heic", "image/heic"),
        (b"mif1", None),
    ],
)
def test_the_brands_of_an_mp4_decide(brands: bytes, mime: str | None) -> None:
    assert sniff_binary((len(brands) + 8).to_bytes(4, "big") + b"ftyp" + brands) == mime


def test_an_mp4_or_webm_without_pictures_is_sound() -> None:
    assert sniff_binary(sound("mp4", "aac")) == "audio/mp4"
    assert sniff_binary(video(sound_too=True)) == "video/mp4"
    assert sniff_binary(sound("webm", "libopus")) == "audio/webm"
    assert sniff_binary(video("webm", "libvpx-vp9")) == "video/webm"


def test_matroska_that_is_neither_of_the_two_is_unknown() -> None:
    data = video("matroska").replace(b"matroska", b"otherdoc", 1)
    assert sniff_binary(data) is None
    assert name_foreign(data) is None


@pytest.mark.parametrize(
    ("behind", "mime"),
    [(b"fLaC\x80", "audio/flac"), (b"\xff\xfb\x90\x00", "audio/mpeg"), (b"", "audio/mpeg")],
)
def test_what_stands_behind_an_id3_tag_decides(behind: bytes, mime: str) -> None:
    tag = b"ID3\x04\x00\x00\x00\x00\x01\x02" + bytes(130)
    assert sniff_binary(tag + behind) == mime
