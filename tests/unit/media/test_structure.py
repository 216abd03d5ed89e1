"""Files that are cut short are refused; files that honest programs write are not, however odd."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from guard.errors import MalformedMediaError
from guard.media import Artifact
from guard.media.structure import check_structure
from tests.unit.media.makers import FILES, gradient, moving, saved, sound, still, video

WALKED = [
    name
    for name in FILES
    if FILES[name]()[0] not in ("audio/flac", "audio/mpeg", "audio/aac", "image/tiff", "text/plain")
]
UNKNOWN_SIZE = ("webm-of-sound", "webm", "mkv")


@pytest.mark.parametrize("name", FILES)
def test_whole_files_pass(name: str) -> None:
    mime, data = FILES[name]()
    check_structure(data, mime)


@pytest.mark.parametrize("name", WALKED)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.98])
def test_files_cut_short_are_refused(name: str, share: float) -> None:
    mime, data = FILES[name]()
    if name == "opus" and share < 0.9:
        # Two header pages and one of sound: a cut between pages shows only by what is missing behind.
        data = data[:-1]
        share = 1.0
    with pytest.raises(MalformedMediaError, match="cut short"):
        check_structure(data[: int(len(data) * share)], mime)


@pytest.mark.parametrize("name", ["png", "jpeg", "gif", "webp", "avif", "wav", "mp4", "mov", "m4a", "avi"])
def test_even_the_last_byte_is_missed(name: str) -> None:
    mime, data = FILES[name]()
    missing = 2 if name in ("webp", "wav", "avi") else 1
    with pytest.raises(MalformedMediaError, match="cut short"):
        check_structure(data[:-missing], mime)


@pytest.mark.parametrize("name", WALKED)
def test_nothing_but_the_first_bytes(name: str) -> None:
    mime, data = FILES[name]()
    for length in (12, 17, 19):
        with pytest.raises(MalformedMediaError):
            check_structure(data[:length], mime)


@pytest.mark.parametrize("padding", [b"\0", b"\0" * 5000, b"\r\n", b" \n\t\0"])
@pytest.mark.parametrize("name", ["png", "jpeg", "gif", "webp", "avif", "wav", "mp4"])
def test_padding_behind_the_end_is_honest(name: str, padding: bytes) -> None:
    mime, data = FILES[name]()
    check_structure(data + padding, mime)


def test_riff_without_its_last_padding_byte_is_whole() -> None:
    data = b"RIFF" + struct.pack("<L", 13) + b"WAVE" + b"junk" + struct.pack("<L", 1) + b"x"
    check_structure(data, "audio/wav")
    check_structure(data + b"\0", "audio/wav")


@pytest.mark.parametrize("size", [0, 0x7FFF_FFFF, 0xFFFF_FFFF])
def test_sound_from_a_pipe_does_not_know_its_size(size: int) -> None:
    data = bytearray(sound())
    struct.pack_into("<L", data, 4, size)
    struct.pack_into("<L", data, data.index(b"data") + 4, size)
    artifact = Artifact.from_bytes(bytes(data))
    if size:
        assert len(artifact.samples.data) == 24_000


def test_a_long_avi_is_several_riffs() -> None:
    data = video("avi", "mpeg4")
    data += b"\0" * (len(data) % 2)
    more = b"RIFF" + struct.pack("<L", 4) + b"AVIX"
    check_structure(data + more, "video/x-msvideo")
    with pytest.raises(MalformedMediaError, match="cut short"):
        check_structure(data + b"RIFF" + struct.pack("<L", 400) + b"AVIX", "video/x-msvideo")


def test_rf64_is_accepted() -> None:
    data = bytearray(sound())
    data[:8] = b"RF64\xff\xff\xff\xff"
    check_structure(bytes(data), "audio/wav")


def test_an_mp4_with_sizes_of_64_bits_or_open_end() -> None:
    data = video()
    long = struct.pack(">L4sQ", 1, b"free", 20) + b"abcd"
    check_structure(data + long, "video/mp4")
    with pytest.raises(MalformedMediaError, match="cut short"):
        check_structure(data + struct.pack(">L4sQ", 1, b"free", 1 << 40), "video/mp4")
    check_structure(data + struct.pack(">L4s", 0, b"mdat") + b"anything", "video/mp4")


def test_a_box_smaller_than_its_header_ends_the_walk() -> None:
    check_structure(video() + struct.pack(">L4s", 4, b"free"), "video/mp4")


def test_a_live_webm_does_not_know_its_size() -> None:
    data = video("webm", "libvpx-vp9")
    segment = data.index(b"\x18\x53\x80\x67")
    live = data[: segment + 4] + b"\x01" + b"\xff" * 7 + data[segment + 12 :]
    check_structure(live, "video/webm")
    assert sum(1 for _ in Artifact.from_bytes(live).frames()) == 5


def test_matroska_may_pad_behind_its_segment() -> None:
    data = video("matroska")
    check_structure(data + b"\xec\x83abc", "video/x-matroska")
    check_structure(data + b"\0\0\0", "video/x-matroska")
    with pytest.raises(MalformedMediaError, match="cut short"):
        check_structure(data + b"\xec\x88abc", "video/x-matroska")


def test_gif_with_stray_bytes_between_blocks() -> None:
    data = moving("GIF")
    artifact = Artifact.from_bytes(data[:-1] + b"\0\0;")
    assert len(artifact.picture.frames) == 3


def test_jpeg_with_fill_bytes_restart_markers_and_stuffing() -> None:
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8))
    data = saved(noise, "JPEG", quality=100, restart_marker_blocks=2)
    assert b"\xff\xd0" in data
    assert b"\xff\0" in data
    filled = data[:2] + b"\xff\xff\xff" + data[3:]
    assert Artifact.from_bytes(filled).picture.width == 64


def test_the_end_marker_inside_a_segment_is_not_the_end() -> None:
    data = still("JPEG", comment=b"a thumbnail ends in \xff\xd9, which means nothing here")
    assert Artifact.from_bytes(data).picture.width == 36
    cut = data[:-2]
    with pytest.raises(MalformedMediaError, match="cut short"):
        Artifact.from_bytes(cut)


def test_a_jpeg_of_countless_scans_is_refused() -> None:
    data = still("JPEG", progressive=True)
    scan = data.rindex(b"\xff\xda")
    one = data[scan:-2]
    check_structure(data[:-2] + one * 50 + b"\xff\xd9", "image/jpeg")
    with pytest.raises(MalformedMediaError, match="more than 100 scans"):
        check_structure(data[:-2] + one * 100 + b"\xff\xd9", "image/jpeg")


def test_a_picture_within_a_picture_file_is_part_of_it() -> None:
    # CIPA DC-007: a phone's JPEG is followed by smaller ones, and Pillow writes such files.
    out = io.BytesIO()
    Image.fromarray(gradient()).save(
        out, "MPO", save_all=True, append_images=[Image.fromarray(gradient(12, 18))]
    )
    artifact = Artifact.from_bytes(out.getvalue())
    assert artifact.mime == "image/jpeg"
    assert len(artifact.picture.frames) == 1
    assert (artifact.picture.width, artifact.picture.height) == (36, 24)


@pytest.mark.parametrize("name", ["flac", "mp3", "aac", "tiff"])
def test_types_without_an_end_of_their_own(name: str) -> None:
    mime, data = FILES[name]()
    check_structure(data + b"tail", mime)
