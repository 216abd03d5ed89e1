"""Sounds in odd containers: taken or refused in plain words, never a crash, never half understood."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from guard.errors import InputError, MalformedMediaError, UnsupportedMediaError
from guard.media import Artifact, Limits, Modality
from guard.media.coding import coding_of
from guard.media.stream import Samples, _without_padding, decode_blocks
from tests.unit.media.sounds import chords, encoded, written


def wave(rate: int = 8_000, channels: int = 1, bits: int = 16, size: int = 1_000, tag: int = 1) -> bytes:
    frame = channels * bits // 8
    fmt = struct.pack("<HHLLHH", tag, channels, rate, rate * frame & 0xFFFFFFFF, frame & 0xFFFF, bits)
    body = b"WAVEfmt " + struct.pack("<L", 16) + fmt + b"data" + struct.pack("<L", size) + bytes(size)
    return b"RIFF" + struct.pack("<L", len(body)) + body


def streamed(length: bytes) -> bytes:
    return b"RIFF" + length + wave()[8:].replace(b"data\xe8\x03\0\0", b"data" + length)


def full_of(value: float) -> Samples:
    return Samples(8_000, np.full((900, 1), value, np.float32))


MP3 = encoded(chords(44_100, 2, 0.5), "mp3", "libmp3lame")
OPUS = encoded(chords(48_000, 2, 0.5), "ogg", "libopus", sample_format="flt")
OTHER = encoded(chords(48_000, 2, 0.5, seed=1), "ogg", "libopus", sample_format="flt")
M4A = encoded(chords(44_100, 2, 0.5), "ipod", "aac")


@pytest.mark.parametrize(
    ("data", "mime", "count"),
    [
        (written(chords(44_100, 2, 0.5), "WAVEX", "PCM_24"), "audio/wav", 22_050),
        (written(chords(44_100, 2, 0.5), "RF64", "PCM_16"), "audio/wav", 22_050),
        (b"BW64" + written(chords(44_100, 2, 0.5), "RF64", "PCM_16")[4:], "audio/wav", 22_050),
        (written(chords(8_000, 1, 0.5), "WAV", "MS_ADPCM"), "audio/wav", 4_000),
        (b"ID3\4\0\0\0\0\0\x0a" + bytes(10) + bytes(300) + MP3[MP3.index(b"\xff\xfb") :], "audio/mpeg", None),
        (MP3[: len(MP3) // 2], "audio/mpeg", None),
        (OPUS + OTHER, "audio/ogg", 48_000),
        (M4A[:8] + b"M4B " + M4A[12:], "audio/mp4", 22_050),
        (wave(bits=12, size=1_000), "audio/wav", 500),
        (wave(size=2), "audio/wav", 1),
        (streamed(b"\xff\xff\xff\xff"), "audio/wav", 500),
        (streamed(b"\0\0\0\0"), "audio/wav", 500),
    ],
)  # fmt: skip
def test_odd_but_honest_files_are_read_and_written_again(data: bytes, mime: str, count: int | None) -> None:
    artifact = Artifact.from_bytes(data)
    assert artifact.mime == mime
    assert count is None or len(artifact.samples.data) == count
    again = Artifact.from_samples(artifact.samples, mime, like=artifact)
    assert Artifact.from_bytes(again.data).samples.data.shape == artifact.samples.data.shape


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (written(chords(seconds=0.1), "AIFF", "PCM_16"), "an AIFF sound"),
        (written(chords(seconds=0.1), "W64", "PCM_16"), "a Wave64 sound"),
        (written(chords(seconds=0.1), "CAF", "PCM_16"), "a Core Audio sound"),
        (written(chords(seconds=0.1), "AU", "PCM_16"), "a Sun AU sound"),
        (b"#!AMR\n" + bytes(50), "an AMR sound"),
        (b"MThd\0\0\0\6" + bytes(50), "a MIDI score"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(50), "a Windows Media file"),
        (bytes(500) + MP3, "no type that Guard knows"),
        (b"", "empty"),
        (OPUS[: len(OPUS) // 2], "cut short"),
        (OPUS + OPUS, "two streams under one number"),
        (M4A[: len(M4A) // 2], "cut short"),
        (wave()[:500], "cut short"),
    ],
)
def test_what_is_refused_at_the_door(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        Artifact.from_bytes(data)
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (wave(rate=0), MalformedMediaError, "decoded"),
        (wave(rate=4_000_000_000), MalformedMediaError, "decoded"),
        (wave(channels=0), MalformedMediaError, "decoded"),
        (wave(channels=100, size=20_000), UnsupportedMediaError, "100 channels; Guard decodes up to 64"),
        (wave(size=0), MalformedMediaError, "no sound"),
        (wave(tag=0xFFF0), UnsupportedMediaError, "encrypted, or of a codec"),
        (written(full_of(np.nan), "WAV", "FLOAT"), MalformedMediaError, "no numbers, 0.0 s"),
        (written(full_of(-np.inf), "WAV", "DOUBLE"), MalformedMediaError, "no numbers"),
        (MP3[:300], MalformedMediaError, "decoded"),
        (OPUS + written(chords(44_100, 1, 0.1), "OGG", "VORBIS"), MalformedMediaError, "decoded"),
    ],
)  # fmt: skip
def test_what_is_refused_when_it_is_heard(data: bytes, error: type[InputError], message: str) -> None:
    artifact = Artifact.from_bytes(data)
    for ask in (lambda: artifact.samples, lambda: list(artifact.sound_blocks())):
        with pytest.raises(error, match=message) as refused:
            ask()
        assert refused.value.remedy
        assert "Errno" not in refused.value.message


def test_the_end_of_an_aac_file_is_where_its_edit_list_says() -> None:
    for seconds in (0.01, 0.31, 0.5):
        sound = chords(44_100, 1, seconds)
        made = Artifact.from_samples(sound, "audio/mp4")
        assert len(made.samples.data) == len(sound.data)


def test_padding_is_cut_and_more_than_padding_is_not() -> None:
    blocks = [(8_000, np.full((4_000, 1), value, np.float32)) for value in range(4)]
    for seconds, count in ((1.4, 11_200), (2.0, 16_000), (2.5, 16_000), (None, 16_000), (0.5, 16_000)):
        kept = list(_without_padding(iter(blocks), seconds))
        assert sum(len(block) for _, block in kept) == count
        whole = np.concatenate([block for _, block in kept])
        assert np.array_equal(whole, np.concatenate([block for _, block in blocks])[:count])


def test_blocks_make_up_the_whole() -> None:
    artifact = Artifact.from_bytes(written(chords(48_000, 2, 12.0), "FLAC", "PCM_16"))
    blocks = list(artifact.sound_blocks())
    assert [block.rate for block in blocks] == [48_000] * 3
    assert min(len(block.data) for block in blocks[:-1]) >= 1 << 18
    assert np.array_equal(np.concatenate([block.data for block in blocks]), artifact.samples.data)


def test_blocks_can_be_left_early() -> None:
    blocks = decode_blocks(written(chords(48_000, 1, 12.0), "WAV", "PCM_16"), "audio/wav", Limits())
    assert len(next(blocks).data) >= 1 << 18
    blocks.close()


class TestHeaderless:
    def test_bytes_are_taken_for_samples_only_where_the_sender_says_so(self) -> None:
        data = (1_000 * np.sin(np.arange(24_000))).astype("<i2").tobytes()
        artifact = Artifact.from_bytes(data, claimed="audio/pcm")
        assert (artifact.mime, artifact.modality, artifact.suffix) == ("audio/pcm", Modality.AUDIO, ".pcm")
        assert artifact.duration == pytest.approx(1.0)
        assert coding_of(artifact.data, "audio/pcm").codec == "pcm"
        with pytest.raises(InputError):
            Artifact.from_bytes(data)

    @pytest.mark.parametrize("begin", [b"\xff\xfb\x90\x00", b"\xff\xf1\x50\x80"])
    def test_chance_may_write_the_two_bytes_of_an_mp3(self, begin: bytes) -> None:
        assert Artifact.from_bytes(begin + bytes(100), claimed="audio/pcm").mime == "audio/pcm"

    @pytest.mark.parametrize("data", [wave(), OPUS, b"\x89PNG\r\n\x1a\n" + bytes(99), b"GIF89a" + bytes(99)])
    def test_another_type_is_not_passed_off_as_samples(self, data: bytes) -> None:
        with pytest.raises(InputError, match="claims to be audio/pcm but is"):
            Artifact.from_bytes(data, claimed="audio/pcm")

    @pytest.mark.parametrize("data", [b"", b"\1"])
    def test_less_than_a_sample(self, data: bytes) -> None:
        with pytest.raises(MalformedMediaError):
            _ = Artifact.from_bytes(data, claimed="audio/pcm").samples

    def test_half_a_sample_at_the_end_is_left_out(self) -> None:
        artifact = Artifact.from_bytes(bytes(2_001), claimed="audio/pcm")
        assert len(artifact.samples.data) == 1_000
