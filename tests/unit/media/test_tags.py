"""Tags carried from file to file, byte by byte: what goes over, what stays behind, what damage does."""

from __future__ import annotations

import base64
import io
import struct

import av
import numpy as np
import pytest

from guard.errors import MalformedMediaError, UnsupportedMediaError
from guard.media import Artifact
from guard.media.ogg import ogg_comments, with_ogg_comments
from guard.media.riff import chunks, wav_channel_mask
from guard.media.tags import with_tags
from tests.unit.media.sounds import TAGS, chords, encoded, tags_of, written

STORE = b"application/x-c2pa-manifest-store\0\0\0" + b"\0jumbf" * 20


def sync(size: int) -> bytes:
    return bytes(size >> 7 * place & 0x7F for place in (3, 2, 1, 0))


def id3(version: int, *frames: tuple[bytes, bytes], flags: int = 0, extra: bytes = b"") -> bytes:
    """An ID3v2 tag."""
    body = extra
    for name, content in frames:
        if version == 2:
            body += name + len(content).to_bytes(3, "big") + content
        else:
            size = sync(len(content)) if version == 4 else len(content).to_bytes(4, "big")
            body += name + size + b"\0\0" + content
    footer = b"3DI" + bytes([version, 0, flags]) + sync(len(body)) if flags & 0x10 else b""
    return b"ID3" + bytes([version, 0, flags]) + sync(len(body)) + body + footer


MP3 = encoded(chords(seconds=0.1), "mp3", "libmp3lame")
BARE = with_tags(MP3, "audio/mpeg", b"")
TITLE = (b"TIT2", b"\3Song")


def test_bare_sound_has_no_tag() -> None:
    assert BARE[:1] == b"\xff"
    assert MP3.endswith(BARE)


@pytest.mark.parametrize(
    "tag",
    [
        id3(4, TITLE),
        id3(3, TITLE),
        id3(2, (b"TT2", b"\0Song")),
        id3(4, TITLE, flags=0x10),
        id3(4, TITLE) + id3(3, TITLE),
    ],
)
def test_id3_goes_over_as_it_is(tag: bytes) -> None:
    made = with_tags(BARE, "audio/mpeg", tag + BARE)
    assert made == tag + BARE
    assert len(Artifact.from_bytes(made).samples.data) == 4_800


@pytest.mark.parametrize(
    ("version", "name", "title"), [(4, b"GEOB", b"TIT2"), (3, b"GEOB", b"TIT2"), (2, b"GEO", b"TT2")]
)
def test_a_manifest_in_id3_stays_behind(version: int, name: bytes, title: bytes) -> None:
    other = (name, b"\0text/plain\0\0\0note")
    both = id3(version, (title, b"\0Song"), (name, b"\0" + STORE), other)
    assert with_tags(BARE, "audio/mpeg", both + BARE) == id3(version, (title, b"\0Song"), other) + BARE
    alone = id3(version, (name, b"\0" + STORE))
    assert with_tags(BARE, "audio/mpeg", alone + BARE) == BARE


@pytest.mark.parametrize(("version", "extra"), [(4, sync(6) + b"\1\0"), (3, struct.pack(">LHL", 6, 0, 0))])
def test_the_extended_header_is_passed_over(version: int, extra: bytes) -> None:
    tag = id3(version, TITLE, (b"GEOB", b"\0" + STORE), flags=0x40, extra=extra)
    assert with_tags(BARE, "audio/mpeg", tag + BARE) == id3(version, TITLE) + BARE


def test_a_manifest_in_a_damaged_tag_takes_the_rest_with_it() -> None:
    tag = bytearray(id3(4, (b"GEOB", b"\0" + STORE), TITLE))
    tag[10 + 4 : 10 + 8] = b"\x7f\x7f\x7f\x7f"
    assert with_tags(BARE, "audio/mpeg", bytes(tag) + BARE) == BARE


def test_tags_at_the_end_of_an_mp3_go_over() -> None:
    first = b"TAG" + b"Song".ljust(30, b"\0") + bytes(95)
    item = struct.pack("<LL", 4, 0) + b"Title\0Song"
    footer = b"APETAGEX" + struct.pack("<LLLL", 2000, len(item) + 32, 1, 0x8000_0000) + bytes(8)
    header = footer[:20] + struct.pack("<L", 0xA000_0000) + bytes(8)
    ape = header + item + footer
    bare_ape = item + footer[:20] + struct.pack("<L", 0) + bytes(8)
    for end in (first, ape, ape + first, bare_ape, bare_ape + first):
        assert with_tags(BARE, "audio/mpeg", BARE + end) == BARE + end
    lying = footer[:12] + b"\xff\xff\xff\x7f" + footer[16:]
    assert with_tags(BARE, "audio/mpeg", lying) == BARE + lying


def test_adts_keeps_what_stands_before_it() -> None:
    bare = encoded(chords(seconds=0.1), "adts", "aac")
    source = id3(4, TITLE) + bare
    assert Artifact.from_bytes(source).mime == "audio/aac"
    assert with_tags(bare, "audio/aac", source) == source


def test_flac_keeps_pictures_cue_sheets_and_applications() -> None:
    data = written(chords(seconds=0.1), "FLAC", "PCM_16")
    blocks = [(6, b"picture" * 9), (5, b"cue"), (2, b"appl"), (1, bytes(50)), (3, bytes(18)), (126, b"?")]
    info, rest = data[4:42], data[42:]
    at = 0
    while not rest[at] & 0x80:
        at += 4 + int.from_bytes(rest[at + 1 : at + 4], "big")
    sound = rest[at + 4 + int.from_bytes(rest[at + 1 : at + 4], "big") :]
    packed = b"".join(bytes([kind]) + len(one).to_bytes(3, "big") + one for kind, one in blocks)
    source = id3(4, (b"GEOB", b"\0" + STORE)) + b"fLaC" + info + packed + b"\x81\0\0\0" + sound
    made = with_tags(data, "audio/flac", source)
    kept = b"".join(bytes([kind]) + len(one).to_bytes(3, "big") + one for kind, one in blocks[:2])
    assert made == b"fLaC" + info + kept + b"\x82\0\0\x04appl" + sound
    assert with_tags(data, "audio/flac", b"fLaC" + info[:3]) == b"fLaC\x80" + info[1:] + sound


def test_mp4_keeps_itunes_tags_but_no_note_on_the_old_padding() -> None:
    data = encoded(chords(seconds=0.3), "ipod", "aac", tags=TAGS)
    note = b"----" + struct.pack(">L", 28) + b"mean" + bytes(4) + b"com.apple.iTunes"
    value = b" 00000000 00000840 000001CA 000000000000F580"
    note += struct.pack(">L", 20) + b"name" + bytes(4) + b"iTunSMPB"
    note += struct.pack(">L", 16 + len(value)) + b"data" + struct.pack(">LL", 1, 0) + value
    note = struct.pack(">L", len(note) + 4) + note
    source = bytearray(data)
    end = data.index(b"ilst") - 4 + int.from_bytes(data[data.index(b"ilst") - 4 : data.index(b"ilst")], "big")
    source[end:end] = note
    for box in (b"moov", b"udta", b"meta", b"ilst"):
        at = data.rindex(box) - 4
        source[at : at + 4] = struct.pack(">L", int.from_bytes(data[at : at + 4], "big") + len(note))
    made = with_tags(data, "audio/mp4", bytes(source))
    assert b"iTunSMPB" in made
    assert b"----" not in made
    assert tags_of(made, "mov") == TAGS
    assert np.array_equal(Artifact.from_bytes(made).samples.data, Artifact.from_bytes(data).samples.data)


@pytest.mark.parametrize(
    "source", [b"", b"\0\0\0\x08moov", b"\0\0\0\x01mdat" + bytes(4), b"\0\0\0\0moov" + bytes(9)]
)
def test_an_mp4_without_tags_gives_none(source: bytes) -> None:
    data = encoded(chords(seconds=0.1), "ipod", "aac", tags=TAGS)
    made = with_tags(data, "audio/mp4", source)
    assert tags_of(made, "mov") == {}
    assert len(Artifact.from_bytes(made).samples.data) == 4_800


def test_a_wave_keeps_its_chunks_on_their_side_of_the_samples() -> None:
    plain = written(chords(seconds=0.1), "WAV", "PCM_16")
    before, after = (
        b"bext\x05\0\0\0hello\0",
        b"LIST\x04\0\0\0INFO" + b"C2PA\x04\0\0\0jumb" + b"iXML\x01\0\0\0x\0",
    )
    peak = b"PEAK\x10\0\0\0" + bytes(16)
    at = plain.index(b"data")
    body = plain[12:at] + before + peak + plain[at:] + after
    source = Artifact.from_bytes(b"RIFF" + struct.pack("<L", len(body) + 4) + b"WAVE" + body)
    made = Artifact.from_bytes(Artifact.from_samples(source.samples, "audio/wav", like=source).data)
    names = [name for name, _, _ in chunks(made.data)]
    assert names == [b"fmt ", b"bext", b"data", b"LIST", b"iXML"]
    assert before in made.data
    assert np.array_equal(made.samples.data, source.samples.data)


def test_a_wave_beyond_four_gibibytes_says_its_length_elsewhere() -> None:
    long = b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0" + struct.pack("<QQQL", 0, 6, 3, 0)
    long += b"fmt \x10\0\0\0" + bytes(16) + b"data\xff\xff\xff\xffsample" + b"LIST\x04\0\0\0INFO"
    assert [(name, end - begin) for name, begin, end in chunks(long)][2:] == [(b"data", 6), (b"LIST", 4)]
    live = long.replace(b"ds64", b"JUNK")
    assert [name for name, _, _ in chunks(live)] == [b"JUNK", b"fmt ", b"data"]
    assert wav_channel_mask(live) == 0


def opus_with(comments: dict[str, str]) -> bytes:
    return encoded(chords(seconds=0.6), "ogg", "libopus", tags=comments, sample_format="flt")


@pytest.mark.parametrize("size", [0, 1, 255, 60_000, 65_025, 200_000])
@pytest.mark.parametrize("kind", ["opus", "vorbis"])
def test_ogg_comments_of_any_length(size: int, kind: str) -> None:
    # FFmpeg checks the pages' checksums and numbers.
    data = opus_with({}) if kind == "opus" else written(chords(44_100, 2, 0.6), "OGG", "VORBIS")
    comments = [b"TITLE=" + b"x" * size, b"ARTIST=one", b"ARTIST=two"]
    listed = struct.pack("<L", 3) + b"".join(struct.pack("<L", len(one)) + one for one in comments)
    made = with_ogg_comments(data, listed)
    assert ogg_comments(made) == listed
    assert with_ogg_comments(made, ogg_comments(data)) == with_ogg_comments(data, ogg_comments(data))
    artifact = Artifact.from_bytes(made)
    assert np.array_equal(artifact.samples.data, Artifact.from_bytes(data).samples.data)
    with av.open(io.BytesIO(made), format="ogg") as container:
        tags = container.streams.audio[0].metadata
        assert (len(tags.get("TITLE", "")), tags["ARTIST"]) == (size, "one;two")


def test_pages_of_a_second_stream_keep_their_numbers() -> None:
    data = opus_with({"title": "x" * 300})
    chained = data + written(chords(48_000, 2, 0.1), "OGG", "VORBIS")
    made = with_ogg_comments(chained, struct.pack("<L", 0))
    assert made.endswith(chained[len(data) :])


def test_an_encoders_own_checksum_is_met() -> None:
    data = opus_with(TAGS)
    assert with_ogg_comments(data, ogg_comments(data))[-1_000:] == data[-1_000:]


def test_a_picture_in_ogg_comments_goes_over() -> None:
    block = (
        struct.pack(">LL", 3, 10)
        + b"image/jpeg"
        + struct.pack(">LLLLLL", 0, 1, 1, 24, 0, 4)
        + b"\xff\xd8\xff\xd9"
    )
    source = opus_with({"METADATA_BLOCK_PICTURE": base64.b64encode(block).decode(), "title": "x"})
    made = with_tags(opus_with({}), "audio/ogg", source)
    assert base64.b64encode(block) in made


def test_ogg_that_is_damaged_or_of_another_codec() -> None:
    data = opus_with({})
    comment = data.index(b"OpusTags")
    short = data[: comment + 8] + b"\xff\xff\xff\x7f" + data[comment + 12 :]
    unnamed = data.replace(b"OpusTags", b"OpusTugs")
    cut = data[: data.index(b"OggS", 4)]
    for bad in (short, unnamed, cut):
        with pytest.raises(MalformedMediaError):
            ogg_comments(bad)
    speex = data.replace(b"OpusHead", b"Speex   ")
    for other in (speex, b"", b"OggS"):
        with pytest.raises(UnsupportedMediaError):
            ogg_comments(other)


def test_a_type_without_tags_stays_as_it_is() -> None:
    assert with_tags(b"\1\0", "audio/pcm", b"\2\0") == b"\1\0"
