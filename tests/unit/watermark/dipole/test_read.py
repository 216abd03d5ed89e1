from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Literal

import av
import numpy as np
import pytest
import scipy.signal
import soxr

from guard.errors import InputError
from guard.watermark.base import Payload, ReadingState
from guard.watermark.dipole import detect, embed, read

from .conftest import KEY, PAYLOAD, RATE, Sound, music, voice

Change = Callable[[Sound], Any]


def coded(sound: Sound, codec: str, container: str, bits: int, rate: int = RATE) -> Sound:
    """Through a codec and back, at the rate it was."""
    file = io.BytesIO()
    given = soxr.resample(sound, RATE, rate)
    with av.open(file, "w", format=container) as out:
        stream: Any = out.add_stream(codec, rate=rate, layout="mono")
        stream.bit_rate = bits
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(given.T), format="fltp", layout="mono")
        frame.sample_rate = rate
        size = stream.codec_context.frame_size
        splitter = av.AudioResampler(format=stream.format.name, layout="mono", rate=rate, frame_size=size)
        for part in [*splitter.resample(frame), *splitter.resample(None), None]:
            out.mux(stream.encode(part))
    file.seek(0)
    with av.open(file) as container_in:
        flat = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        blocks = [
            b.to_ndarray().reshape(-1, 1) for f in container_in.decode(audio=0) for b in flat.resample(f)
        ]
    return np.concatenate(blocks)


def stretched(sound: Sound, tempo: float) -> Sound:
    """Faster or slower at the same pitch, by FFmpeg's `atempo`."""
    graph = av.filter.Graph()
    source = graph.add("abuffer", f"sample_rate={RATE}:sample_fmt=flt:channel_layout=mono:time_base=1/{RATE}")
    change, sink = graph.add("atempo", str(tempo)), graph.add("abuffersink")
    source.link_to(change)
    change.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(sound.T.copy(), format="flt", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
    blocks = []
    for item in (frame, None):
        graph.push(item)
        while True:
            try:
                blocks.append(graph.pull().to_ndarray().reshape(-1, 1))
            except (av.BlockingIOError, av.EOFError):
                break
    return np.concatenate(blocks)


def filtered(sound: Sound, order: int, hertz: float, kind: Literal["low", "high"]) -> Sound:
    sections = scipy.signal.butter(order, hertz, kind, fs=RATE, output="sos")
    return np.asarray(scipy.signal.sosfilt(sections, sound, axis=0), np.float32)


def noisy(sound: Sound, decibels: float) -> Sound:
    power = float((sound**2).mean()) * 10 ** (-decibels / 10)
    noise = np.random.default_rng(5).normal(size=sound.shape)
    return np.asarray(sound + noise * np.sqrt(power), np.float32)


def echoed(sound: Sound) -> Sound:
    late = round(0.1 * RATE)
    heard = sound.copy()
    heard[late:] += 0.316 * sound[:-late]
    return heard


def compressed(sound: Sound) -> Any:
    a = 1 - np.exp(-1 / (0.02 * RATE))
    loudness = np.sqrt(scipy.signal.lfilter([a], [1, a - 1], sound**2, axis=0)) + 1e-6
    return (sound * np.minimum(1, (loudness / 0.05) ** -0.6)).astype(np.float32)


CHANGES: dict[str, Change] = {
    "nothing": lambda x: x,
    "MP3 32": lambda x: coded(x, "libmp3lame", "mp3", 32_000),
    "AAC 64": lambda x: coded(x, "aac", "adts", 64_000),
    "Opus 24": lambda x: coded(x, "libopus", "ogg", 24_000, 48000),
    "8 kHz and back": lambda x: soxr.resample(soxr.resample(x, RATE, 8000), 8000, RATE),
    "low-pass": lambda x: filtered(x, 8, 4000, "low"),
    "high-pass": lambda x: filtered(x, 4, 500, "high"),
    "noise 20 dB": lambda x: noisy(x, 20),
    "8 bits": lambda x: (np.round(x * 127) / 127).astype(np.float32),
    "quieter": lambda x: x * np.float32(0.05),
    "inverted": lambda x: -x,
    "compressed": compressed,
    "clipped": lambda x: np.clip(x / abs(x).max() * 2, -1, 1),
    "echo": echoed,
    "beginning lost": lambda x: x[6123:],
    "5 s": lambda x: x[11111 : 11111 + 5 * RATE],
    "faster": lambda x: soxr.resample(x, RATE, round(RATE / 1.05)),
    "slower": lambda x: soxr.resample(x, RATE, round(RATE / 0.96)),
    "shorter": lambda x: stretched(x, 1.04),
    "longer": lambda x: stretched(x, 0.95),
    "higher": lambda x: stretched(soxr.resample(x, RATE, round(RATE / 1.03)), 1 / 1.03),
    "faster + Opus 24": lambda x: coded(
        soxr.resample(x, RATE, round(RATE / 1.03)), "libopus", "ogg", 24_000, 48000
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_mark_survives(marked: Sound, change: Change) -> None:
    reading = read(change(marked), RATE, keys=[KEY])
    assert reading.state is ReadingState.FOUND
    assert reading.payload == PAYLOAD
    assert reading.short_id is None
    assert reading.engine == "dipole"
    assert reading.key_index == 0
    assert reading.p_value is not None
    assert 0 < reading.p_value <= 1e-6
    assert reading.quality is not None
    assert reading.quality > 8


def test_three_seconds_of_a_long_sound_read(marked: Sound) -> None:
    assert read(marked[20000 : 20000 + 3 * RATE], RATE, keys=[KEY]).payload == PAYLOAD


def test_a_second_and_a_half_still_shows_a_known_payload(marked: Sound) -> None:
    part = coded(marked[30000 : 30000 + 3 * RATE // 2], "libmp3lame", "mp3", 64_000)
    reading = detect(part, RATE, PAYLOAD, keys=[b"old", KEY])
    assert reading.state is ReadingState.FOUND
    assert reading.payload == PAYLOAD
    assert reading.key_index == 1
    assert reading.p_value is not None
    assert reading.p_value <= 1e-6
    assert detect(part, RATE, Payload(77), keys=[KEY]).payload is None


def test_where_bits_are_lost_the_mark_is_found_without_them(marked: Sound) -> None:
    lost = noisy(np.tile(marked[: round(4.8 * RATE)], (3, 1)), 9)
    reading = read(lost, RATE, keys=[b"other", KEY])
    assert reading.state is ReadingState.FOUND
    assert (reading.payload, reading.short_id) == (None, None)
    assert reading.key_index == 1
    assert reading.p_value is not None
    assert reading.p_value <= 1e-6


def test_known_payloads_are_found_at_another_speed(marked: Sound) -> None:
    part = soxr.resample(marked[16000 : 16000 + 4 * RATE], RATE, round(RATE / 1.04))
    assert detect(part, RATE, PAYLOAD, keys=[KEY]).state is ReadingState.FOUND


def test_short_clips_carry_the_short_id() -> None:
    clip = embed(voice(3.2, seed=4), RATE, PAYLOAD, key=KEY)
    reading = read(clip, RATE, keys=[KEY])
    assert reading.state is ReadingState.FOUND
    assert reading.payload is None
    assert reading.short_id == PAYLOAD.short_id
    known = detect(clip, RATE, PAYLOAD, keys=[KEY])
    assert (known.payload, known.short_id) == (None, PAYLOAD.short_id)
    assert detect(clip, RATE, Payload(77), keys=[KEY]).short_id is None


def test_the_ring_says_which_key_it_was(marked: Sound) -> None:
    reading = read(marked, RATE, keys=[b"new", KEY, b"old"])
    assert (reading.payload, reading.key_index) == (PAYLOAD, 1)


@pytest.mark.parametrize("keys", [[b"another key"], []])
def test_without_its_key_a_mark_reads_absent(marked: Sound, keys: list[bytes]) -> None:
    reading = read(marked, RATE, keys=keys)
    assert reading.state is ReadingState.ABSENT
    assert (reading.payload, reading.key_index) == (None, None)
    assert reading.p_value is not None
    assert reading.p_value > 1e-4


def tone(hertz: float) -> Sound:
    return np.sin(2 * np.pi * hertz * np.arange(6 * RATE) / RATE).astype(np.float32)[:, None]


UNMARKED: dict[str, Sound] = {
    "speech": voice(6, seed=2),
    "a loop as long as a turn of the mark": np.tile(voice(4.8, seed=3), (2, 1)),
    "a short loop": np.tile(voice(0.8, seed=3), (9, 1)),
    "a tone": tone(1000),
    "a chord": tone(440) + tone(1320),
    "noise": np.random.default_rng(5).normal(size=(6 * RATE, 1)).astype(np.float32),
    "clicks": (np.arange(6 * RATE) % 1600 == 0).astype(np.float32)[:, None],
    "silence": np.zeros((6 * RATE, 1), np.float32),
    "almost nothing": np.zeros((7, 1), np.float32),
    "very loud": 9e5 * voice(3),
    "very soft": np.float32(1e-12) * voice(3),
}


@pytest.mark.parametrize("sound", UNMARKED.values(), ids=UNMARKED.keys())
def test_unmarked_sound_reads_absent(sound: Sound) -> None:
    for reading in (read(sound, RATE, keys=[KEY]), detect(sound, RATE, PAYLOAD, keys=[KEY])):
        assert reading.state is ReadingState.ABSENT
        assert reading.payload is None
        assert reading.p_value is not None
        assert reading.p_value > 1e-4


def test_either_channel_and_their_mean_read() -> None:
    stereo = embed(music(6, 44100), 44100, PAYLOAD, key=KEY)
    for sound in (stereo, stereo.mean(axis=1, keepdims=True), np.float32(0.5) * stereo[:, ::-1]):
        assert read(np.ascontiguousarray(sound), 44100, keys=[KEY]).payload == PAYLOAD


def test_channels_that_cancel_out_are_read_by_the_first(speech: Sound) -> None:
    opposite = embed(np.hstack([speech, -speech]), RATE, PAYLOAD, key=KEY)
    assert np.array_equal(opposite[:, 0], -opposite[:, 1])
    assert read(opposite, RATE, keys=[KEY]).payload == PAYLOAD


def test_a_mark_late_in_a_long_sound_is_found(marked: Sound) -> None:
    still = np.zeros((30 * RATE, 1), np.float32)
    assert read(np.concatenate([still, marked]), RATE, keys=[KEY]).payload == PAYLOAD


def test_what_no_window_tells_all_together_do() -> None:
    weak = noisy(embed(voice(120, 8000, seed=8), 8000, PAYLOAD, key=KEY), 2)
    assert detect(weak, 8000, PAYLOAD, keys=[KEY]).payload == PAYLOAD
    assert detect(weak[: 24 * 8000], 8000, PAYLOAD, keys=[KEY]).payload is None


@pytest.mark.parametrize(
    ("samples", "rate", "says"),
    [
        (np.zeros(8000, np.float32), RATE, "shape"),
        (np.zeros((8000, 1), np.int16), RATE, "int16"),
        (np.zeros((8000, 1), np.float64), RATE, "float64"),
        (np.zeros((0, 1), np.float32), RATE, "shape"),
        (np.zeros((8000, 0), np.float32), RATE, "shape"),
        (np.zeros((8000, 1), np.float32), 0, "0 Hz"),
        (np.zeros((8000, 1), np.float32), -8000, "-8000 Hz"),
        (np.full((8000, 1), np.nan, np.float32), RATE, "numbers"),
        (np.full((8000, 1), np.inf, np.float32), RATE, "numbers"),
        (np.full((8000, 1), 1e30, np.float32), RATE, "full scale"),
    ],
)
def test_what_is_no_sound_is_refused(samples: Any, rate: int, says: str) -> None:
    for attempt in (
        lambda: read(samples, rate, keys=[KEY]),
        lambda: detect(samples, rate, PAYLOAD, keys=[KEY]),
        lambda: embed(samples, rate, PAYLOAD, key=KEY),
    ):
        with pytest.raises(InputError, match=says) as caught:
            attempt()
        assert caught.value.remedy
