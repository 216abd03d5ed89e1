"""Engines on arrays at work on sound files: which pieces they see, what they keep, what is said of it all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from guard.errors import InputError, MalformedMediaError, MarkError
from guard.media import Artifact, Limits, Modality
from guard.media.stream import Samples
from guard.watermark import Payload, Reading, ReadingState, Strength, sounds
from guard.watermark.sounds import SoundWatermarker
from tests.unit.media.sounds import TAGS, chords, encoded, tags_of, written

PAYLOAD = Payload.from_hex("0123456789abcdef")
ABSENT = Reading(ReadingState.ABSENT, "loudest", p_value=1.0)
FOUND = Reading(ReadingState.FOUND, "loudest", PAYLOAD, p_value=1e-9)
Sound = NDArray[np.float32]


class Stand:
    """A stand-in: it makes everything a little quieter, and finds the payload where a sample is negative
    enough."""

    def __init__(self, least: float = 0.0) -> None:
        self.least = least
        self.seen: list[tuple[int, ...]] = []
        self.streamed = 0

    def embed(self, samples: Sound, rate: int, payload: Payload, *, key: bytes, strength: Strength) -> Sound:
        if len(samples) < self.least * rate:
            raise MarkError("Too short.", "Use longer sound.")
        self.seen.append(samples.shape)
        return (samples * np.float32(0.5)).astype(np.float32)

    def read(self, samples: Sound, rate: int, *, keys: Sequence[bytes]) -> Reading:
        self.seen.append(samples.shape)
        return FOUND if samples.min() < -0.9 else ABSENT

    def detect(self, samples: Sound, rate: int, payload: Payload, *, keys: Sequence[bytes]) -> Reading:
        return self.read(samples, rate, keys=keys)

    def stream(self, rate: int, channels: int, payload: Payload, *, key: bytes, strength: Strength) -> Any:
        stand, held = self, [np.zeros((0, channels), np.float32)]

        class Stream:
            def push(self, block: Sound) -> Sound:
                stand.streamed += len(block)
                out, held[0] = held[0], block * np.float32(0.5)
                return out

            def finish(self) -> Sound:
                return held[0]

        return Stream()

    @property
    def engine(self) -> SoundWatermarker:
        return SoundWatermarker("loudest", "tests.1", self.embed, self.read, self.detect, self.stream)


def quiet(seconds: float, rate: int = 8_000) -> Samples:
    return Samples(rate, np.full((int(seconds * rate), 1), 0.25, np.float32))


@pytest.fixture
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a second were long."""
    monkeypatch.setattr(sounds, "_LONG", 1.0)
    monkeypatch.setattr("guard.media.stream._GATHERED", 1_000)


@pytest.mark.parametrize(
    ("mime", "make", "demuxer"),
    [
        ("audio/wav", lambda: encoded(chords(), "wav", "pcm_s24le", tags=TAGS, sample_format="s32"), "wav"),
        ("audio/mpeg", lambda: encoded(chords(), "mp3", "libmp3lame", tags=TAGS), "mp3"),
        ("audio/mp4", lambda: encoded(chords(), "ipod", "aac", tags=TAGS), "mov"),
        ("audio/ogg", lambda: encoded(chords(), "ogg", "libopus", tags=TAGS, sample_format="flt"), "ogg"),
    ],
)
def test_a_marked_file_is_like_its_source(mime: str, make: Any, demuxer: str) -> None:
    original = Artifact.from_bytes(make())
    marked = Stand().engine.embed(original, PAYLOAD, key=b"k", strength=Strength.DEFAULT)
    again = Artifact.from_bytes(marked.data)
    assert (again.mime, marked.modality) == (mime, Modality.AUDIO)
    assert again.samples.data.shape == original.samples.data.shape
    assert np.abs(again.samples.data - original.samples.data / 2).mean() < 0.02
    assert tags_of(again.data, demuxer) == TAGS


def test_a_wave_changes_by_the_mark_alone() -> None:
    original = Artifact.from_bytes(written(chords(), "WAV", "FLOAT"))
    marked = Stand().engine.embed(original, PAYLOAD, key=b"k", strength=Strength.ROBUST)
    assert np.array_equal(marked.samples.data, original.samples.data / 2)


def test_long_sound_is_marked_as_it_comes(short_pieces: None) -> None:
    stand, sound = Stand(), chords(8_000, 2, 5.3)
    original = Artifact.from_samples(sound, "audio/wav")
    marked = stand.engine.embed(original, PAYLOAD, key=b"k", strength=Strength.DEFAULT)
    assert (stand.seen, stand.streamed) == ([], len(sound.data))
    assert marked.samples.data.shape == sound.data.shape
    assert np.abs(marked.samples.data - original.samples.data / 2).max() < 1e-4


def test_without_a_stream_long_sound_is_marked_at_once(short_pieces: None) -> None:
    stand = Stand()
    engine = SoundWatermarker("loudest", "tests.1", stand.embed, stand.read)
    original = Artifact.from_samples(quiet(3), "audio/wav")
    engine.embed(original, PAYLOAD, key=b"k", strength=Strength.DEFAULT)
    assert stand.seen == [(24_000, 1)]
    assert engine.detect(original, PAYLOAD, keys=[b"k"]).state is ReadingState.UNSUPPORTED


@pytest.mark.parametrize(("at", "seen"), [(0.5, 1), (2.5, 3), (4.4, 5), (None, 5)])
def test_long_sound_is_read_piece_by_piece_until_it_speaks(
    short_pieces: None, at: float | None, seen: int
) -> None:
    stand, sound = Stand(), quiet(4.5)
    if at is not None:
        sound.data[int(at * 8_000)] = -1
    artifact = Artifact.from_samples(sound, "audio/wav")
    for ask in (
        lambda: stand.engine.read(artifact, keys=[b"k"]),
        lambda: stand.engine.detect(artifact, PAYLOAD, keys=[b"k"]),
    ):
        stand.seen.clear()
        reading = ask()
        assert len(stand.seen) == seen
        assert max(shape[0] for shape in stand.seen) < 1.3 * 8_000
        assert reading.state is (ReadingState.ABSENT if at is None else ReadingState.FOUND)
        # Five pieces might have been tried.
        assert reading.p_value == (1.0 if at is None else pytest.approx(5e-9))


def test_a_chance_that_many_pieces_make_likely_is_no_mark(short_pieces: None) -> None:
    def read(samples: Sound, rate: int, *, keys: Sequence[bytes]) -> Reading:
        return Reading(ReadingState.FOUND, "loudest", p_value=8e-7)

    engine = SoundWatermarker("loudest", "tests.1", Stand().embed, read)
    assert engine.read(Artifact.from_samples(quiet(0.5), "audio/wav"), keys=[]).state is ReadingState.FOUND
    reading = engine.read(Artifact.from_samples(quiet(2.5), "audio/wav"), keys=[])
    assert (reading.state, reading.p_value) == (ReadingState.ABSENT, pytest.approx(2.4e-6))


def test_the_piece_that_names_a_release_wins(short_pieces: None) -> None:
    short = Reading(ReadingState.FOUND, "loudest", short_id=7, p_value=1e-8)
    bare = Reading(ReadingState.FOUND, "loudest", p_value=1e-30)
    answers = iter([ABSENT, bare, short, Reading(ReadingState.CANDIDATE, "loudest", short_id=1)])
    engine = SoundWatermarker("loudest", "tests.1", Stand().embed, lambda *_, **__: next(answers))
    reading = engine.read(Artifact.from_samples(quiet(3.9), "audio/wav"), keys=[])
    assert (reading.state, reading.short_id, reading.p_value) == (ReadingState.FOUND, 7, pytest.approx(4e-8))


def test_a_candidate_has_no_chance_to_multiply() -> None:
    candidate = Reading(ReadingState.CANDIDATE, "loudest", short_id=7)
    engine = SoundWatermarker("loudest", "tests.1", Stand().embed, lambda *_, **__: candidate)
    assert engine.read(Artifact.from_samples(quiet(0.1), "audio/wav"), keys=[]) == candidate


def test_other_media() -> None:
    engine, text = Stand().engine, Artifact.from_text("hello")
    assert engine.modality is Modality.AUDIO
    assert engine.read(text, keys=[b"k"]).state is ReadingState.UNSUPPORTED
    assert engine.detect(text, PAYLOAD, keys=[b"k"]).state is ReadingState.UNSUPPORTED
    with pytest.raises(MarkError, match="marks no text"):
        engine.embed(text, PAYLOAD, key=b"k", strength=Strength.DEFAULT)


def test_what_the_engine_refuses_stays_unmarked_aloud() -> None:
    artifact = Artifact.from_samples(quiet(0.5), "audio/wav")
    with pytest.raises(MarkError, match="Too short"):
        Stand(least=3.0).engine.embed(artifact, PAYLOAD, key=b"k", strength=Strength.DEFAULT)


@pytest.mark.parametrize("make", [lambda: encoded(chords(), "webm", "libopus", sample_format="flt"), None])
def test_what_cannot_be_written_stays_unmarked_aloud(make: Any) -> None:
    artifact = (
        Artifact.from_bytes(make())
        if make
        else Artifact(Modality.AUDIO, "audio/wav", written(quiet(0.1), "WAV", "FLOAT"), Limits(max_bytes=50))
    )
    with pytest.raises(MarkError, match="No mark fits into this") as refused:
        Stand().engine.embed(artifact, PAYLOAD, key=b"k", strength=Strength.DEFAULT)
    assert refused.value.remedy


def test_too_many_channels_and_broken_files() -> None:
    crowd = Samples(8_000, np.zeros((800, 12), np.float32))
    artifact = Artifact.from_bytes(written(crowd, "WAV", "PCM_16"))
    with pytest.raises(MarkError, match="12"):
        Stand().engine.embed(artifact, PAYLOAD, key=b"k", strength=Strength.DEFAULT)
    mob = Artifact.from_bytes(written(Samples(8_000, np.zeros((800, 100), np.float32)), "WAV", "PCM_16"))
    broken = Artifact(Modality.AUDIO, "audio/flac", b"fLaC\0" + bytes(200))
    for bad, error in ((mob, InputError), (broken, MalformedMediaError)):
        with pytest.raises(error):
            Stand().engine.embed(bad, PAYLOAD, key=b"k", strength=Strength.DEFAULT)
        with pytest.raises(error):
            Stand().engine.read(bad, keys=[b"k"])
