"""Sound in pieces: the same whatever the pieces, within limits, and without threads left behind."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest

from guard.errors import (
    GuardError,
    InputError,
    LimitExceededError,
    MalformedMediaError,
    UnsupportedMediaError,
)
from guard.media import Artifact, Limits
from guard.media.soundstream import STREAMED, SoundReader, SoundWriter
from tests.unit.media.sounds import chords, encoded, written

KINDS = {
    "wav": ("audio/wav", lambda s: written(chords(24_000, 2, s), "WAV", "PCM_24")),
    "float": ("audio/wav", lambda s: written(chords(24_000, 1, s), "WAV", "FLOAT")),
    "mp3": ("audio/mpeg", lambda s: encoded(chords(44_100, 2, s), "mp3", "libmp3lame", tags={"title": "x"})),
    "flac": ("audio/flac", lambda s: written(chords(48_000, 2, s), "FLAC", "PCM_16")),
    "opus": ("audio/ogg", lambda s: encoded(chords(48_000, 2, s), "ogg", "libopus", sample_format="flt")),
    "vorbis": ("audio/ogg", lambda s: written(chords(48_000, 2, s), "OGG", "VORBIS")),
    "aac": ("audio/aac", lambda s: encoded(chords(48_000, 2, s), "adts", "aac")),
    "pcm": ("audio/pcm", lambda s: Artifact.from_samples(chords(24_000, 1, s), "audio/pcm").data),
}


def read_in(data: bytes, mime: str, size: int, limits: Limits | None = None) -> tuple[int, np.ndarray]:
    """Rate and samples of what a reader makes of the data, `size` bytes at a time."""
    reader, blocks = SoundReader(mime, limits), []
    for at in range(0, len(data), size):
        blocks += reader.feed(data[at : at + size])
    blocks += reader.finish()
    return blocks[0].rate, np.concatenate([block.data for block in blocks])


@pytest.fixture(autouse=True)
def _no_thread_stays() -> object:
    before = set(threading.enumerate())
    yield
    gc.collect()
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_of_any_size_give_what_the_whole_gives(kind: str) -> None:
    mime, make = KINDS[kind]
    data = make(0.75)
    whole = Artifact.from_bytes(data, claimed=mime).samples
    for size in (19, 1_000, len(data)):
        rate, samples = read_in(data, mime, size)
        assert rate == whole.rate
        assert np.array_equal(samples[: len(whole.data)], whole.data)
        # Who cannot look ahead hears what LAME puts behind the end.
        assert len(samples) - len(whole.data) < (1152 if kind == "mp3" else 1)


@pytest.mark.parametrize("kind", KINDS)
def test_sound_comes_before_its_end(kind: str) -> None:
    mime, make = KINDS[kind]
    data = make(4.0)
    with SoundReader(mime) as reader:
        early = sum(len(block.data) for block in reader.feed(data[: len(data) // 2]))
    whole = len(Artifact.from_bytes(data, claimed=mime).samples.data)
    assert early > 0.1 * whole


@pytest.mark.parametrize("mime", STREAMED)
def test_what_is_written_in_pieces_is_a_file(mime: str) -> None:
    sound = chords(24_000, 1, 2.0)
    writer = SoundWriter(mime, 24_000, 1)
    out = [writer.write(sound.data[at : at + 2_400]) for at in range(0, len(sound.data), 2_400)]
    assert len(b"".join(out)) > 0.4 * len(out) * 100  # much of it left before the end
    data = b"".join([*out, writer.finish()])
    back = Artifact.from_bytes(data, claimed=mime).samples
    heard = back.data[:: back.rate // 24_000]
    assert len(heard) == pytest.approx(len(sound.data), abs=2_400)
    assert np.abs(heard).max() == pytest.approx(np.abs(sound.data).max(), rel=0.2)
    rate, streamed = read_in(data, mime, 777)
    assert rate == back.rate
    assert np.array_equal(streamed, back.data)


def test_a_streamed_wave_says_that_it_does_not_know_its_length() -> None:
    writer = SoundWriter("audio/wav", 8_000, 2)
    first = writer.write(np.zeros((3, 2), np.float32))
    assert first[:8] == b"RIFF\xff\xff\xff\xff"
    assert first[36:44] == b"data\xff\xff\xff\xff"
    assert len(first) == 44 + 12
    assert (writer.write(np.zeros((0, 2), np.float32)), writer.finish()) == (b"", b"")


def test_a_rate_that_opus_does_not_know_is_changed_on_the_way() -> None:
    writer = SoundWriter("audio/ogg", 22_050, 1)
    data = writer.write(chords(22_050, 1, 1.0).data) + writer.finish()
    back = Artifact.from_bytes(data).samples
    assert (back.rate, len(back.data)) == (48_000, pytest.approx(48_000, abs=2))


@pytest.mark.parametrize("mime", ["audio/mp4", "audio/webm", "video/mp4", "image/png"])
def test_types_that_do_not_stream(mime: str) -> None:
    for make in (lambda: SoundReader(mime), lambda: SoundWriter(mime, 8_000, 1)):
        with pytest.raises(UnsupportedMediaError, match="piece by piece") as refused:
            make()
        assert "audio/wav" in refused.value.remedy


@pytest.mark.parametrize("mime", STREAMED)
def test_a_writer_refuses_what_is_no_sound(mime: str) -> None:
    writer = SoundWriter(mime, 24_000, 1)
    with pytest.raises(InputError, match="no numbers"):
        writer.write(np.full((10, 1), np.nan, np.float32))
    with pytest.raises(InputError, match="shape"):
        writer.write(np.zeros((10, 2), np.float32))
    with pytest.raises(InputError, match="no sound"):
        writer.finish()
    with pytest.raises(UnsupportedMediaError, match="100"):
        SoundWriter(mime, 24_000, 100)
    with pytest.raises(InputError, match="0 Hz"):
        SoundWriter(mime, 0, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_garbage_and_nothing(kind: str) -> None:
    mime, make = KINDS[kind]
    for data in (b"", b"\0", b"nothing of the kind", b"#EXTM3U\nfile:///etc/passwd\n" * 9, make(0.1)[:40]):
        if mime == "audio/pcm" and len(data) > 1:
            continue
        with pytest.raises(MalformedMediaError) as refused:
            read_in(data, mime, 7)
        assert refused.value.remedy


@pytest.mark.parametrize("kind", KINDS)
def test_damage_gives_sound_or_an_error(kind: str) -> None:
    mime, make = KINDS[kind]
    random = np.random.default_rng(5)
    for _ in range(6):
        data = bytearray(make(0.75))
        for place in random.integers(0, len(data), 8):
            data[place] ^= 1 << int(random.integers(8))
        try:
            rate, samples = read_in(bytes(data[: int(random.integers(1, len(data)))]), mime, 501)
        except GuardError:
            continue
        assert rate > 0
        assert np.isfinite(samples).all()


@pytest.mark.parametrize(
    "limits", [Limits(max_bytes=20_000), Limits(max_duration=0.2)], ids=["bytes", "duration"]
)
def test_limits_hold_as_the_bytes_come(limits: Limits) -> None:
    data = written(chords(24_000, 2), "WAV", "PCM_16")
    with pytest.raises(LimitExceededError):
        read_in(data, "audio/wav", 5_000, limits)


def test_a_small_piece_that_unfolds_too_far() -> None:
    silence = np.zeros((48_000 * 200, 2), np.float32)
    writer = SoundWriter("audio/flac", 48_000, 2)
    data = writer.write(silence) + writer.finish()
    with pytest.raises(LimitExceededError, match="unfold"):
        read_in(data, "audio/flac", len(data), Limits(max_expansion=100))


def test_values_that_are_no_numbers() -> None:
    sound = chords(24_000, 1, 0.5)
    sound.data[6_000] = np.nan
    with pytest.raises(MalformedMediaError, match=r"no numbers, 0\.\d s from its start"):
        read_in(written(sound, "WAV", "FLOAT"), "audio/wav", 999)


def test_a_reader_that_failed_says_so_again() -> None:
    with SoundReader("audio/flac") as reader:
        reader.feed(b"not a flac file" * 1_000)
        for _ in range(2):
            with pytest.raises(MalformedMediaError):
                reader.finish()


def test_readers_that_are_dropped_let_their_threads_go() -> None:
    data = written(chords(), "WAV", "PCM_16")
    for _ in range(20):
        SoundReader("audio/wav").feed(data[:1_000])


def test_many_readers_at_once() -> None:
    data = encoded(chords(44_100), "mp3", "libmp3lame")
    whole = Artifact.from_bytes(data).samples.data
    readers = [SoundReader("audio/mpeg") for _ in range(16)]
    parts: list[list[np.ndarray]] = [[] for _ in readers]
    for at in range(0, len(data), 997):
        for reader, part in zip(readers, parts, strict=True):
            part += [block.data for block in reader.feed(data[at : at + 997])]
    for reader, part in zip(readers, parts, strict=True):
        part += [block.data for block in reader.finish()]
        assert np.array_equal(np.concatenate(part)[: len(whole)], whole)
