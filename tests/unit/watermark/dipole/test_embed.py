from __future__ import annotations

import numpy as np
import pytest

from guard.errors import MarkError
from guard.watermark.base import Payload, ReadingState, Strength
from guard.watermark.dipole import embed, read
from guard.watermark.dipole.marker import Marker
from guard.watermark.dipole.shape import FULL

from .conftest import KEY, PAYLOAD, RATE, Sound, music, snr, voice


def test_the_mark_is_quiet_and_leaves_shape_and_loudness_alone(speech: Sound, marked: Sound) -> None:
    assert marked.shape == speech.shape
    assert marked.dtype == np.float32
    assert not np.shares_memory(marked, speech)
    assert snr(speech, marked) > 20
    assert 20 * np.log10(marked.std() / speech.std()) == pytest.approx(0, abs=0.1)


def test_nothing_above_the_upper_band_changes() -> None:
    host = music(5, 44100)
    change = np.fft.rfft((embed(host, 44100, PAYLOAD, key=KEY) - host)[:, 0].astype(np.float64))
    power = abs(change) ** 2
    above = np.fft.rfftfreq(len(host), 1 / 44100) > 3950
    assert power[above].sum() < 1e-4 * power.sum()


def test_marking_is_repeatable_and_follows_key_and_payload(speech: Sound, marked: Sound) -> None:
    assert np.array_equal(embed(speech, RATE, PAYLOAD, key=KEY), marked)
    assert not np.array_equal(embed(speech, RATE, PAYLOAD, key=b"another"), marked)
    assert not np.array_equal(embed(speech, RATE, Payload(1), key=KEY), marked)


def test_strengths_differ_in_loudness_and_all_read(speech: Sound) -> None:
    levels = []
    for strength in (Strength.INVISIBLE, Strength.DEFAULT, Strength.ROBUST):
        copy = embed(speech, RATE, PAYLOAD, key=KEY, strength=strength)
        assert read(copy, RATE, keys=[KEY]).payload == PAYLOAD
        levels.append(snr(speech, copy))
    assert levels[0] > levels[1] + 0.7 > levels[2] + 1.4


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (11025, 2), (22050, 1), (44100, 8), (96000, 2)])
def test_any_rate_and_up_to_eight_channels_carry_it(rate: int, channels: int) -> None:
    host = np.repeat(voice(5, rate, seed=6), channels, axis=1)
    host *= np.linspace(1, 0.2, channels, dtype=np.float32)
    copy = embed(host, rate, PAYLOAD, key=KEY)
    assert copy.shape == host.shape
    assert read(copy, rate, keys=[KEY]).payload == PAYLOAD
    ratios = (copy - host).std(axis=0) / host.std(axis=0)
    assert ratios == pytest.approx(ratios[0], rel=1e-3)


def test_odd_rates_keep_every_sample() -> None:
    host = voice(22.3, 12347, seed=9)
    copy = embed(host, 12347, PAYLOAD, key=KEY)
    assert copy.shape == host.shape
    assert read(copy, 12347, keys=[KEY]).payload == PAYLOAD
    assert read(copy[-6 * 12347 :], 12347, keys=[KEY]).payload == PAYLOAD


def test_pieces_join_without_a_click() -> None:
    host = voice(24, RATE, seed=5)
    change = (embed(host, RATE, PAYLOAD, key=KEY) - host)[:, 0].astype(np.float64)
    joint = change[20 * RATE - 512 : 20 * RATE + 512] * np.hanning(1024)
    power = abs(np.fft.rfft(joint)) ** 2
    assert power[1024 * 4200 // RATE :].sum() < 1e-5 * power.sum()


def test_silence_stays_silent_and_tones_do_not_flutter() -> None:
    time = np.arange(3 * RATE) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 700 * time)).astype(np.float32)[:, None]
    silence = np.zeros((3 * RATE, 1), np.float32)
    host = np.concatenate([voice(6, seed=7), silence, tone])
    change = embed(host, RATE, PAYLOAD, key=KEY) - host
    assert abs(change[round(6.1 * RATE) : round(8.9 * RATE)]).max() < 1e-6
    assert abs(change[round(10 * RATE) : round(11.5 * RATE)]).max() < 0.05  # 0.9 dB


def test_full_scale_is_not_exceeded(speech: Sound) -> None:
    loud = np.clip(speech / abs(speech).max() * 1.5, -1, 1)
    copy = embed(loud, RATE, PAYLOAD, key=KEY)
    assert abs(copy).max() <= 1
    assert read(copy, RATE, keys=[KEY]).payload == PAYLOAD


def test_a_sound_that_is_mostly_silence_carries_the_short_id() -> None:
    host = np.concatenate([voice(2.9, seed=4), np.zeros((4 * RATE, 1), np.float32)])
    reading = read(embed(host, RATE, PAYLOAD, key=KEY), RATE, keys=[KEY])
    assert reading.state is ReadingState.FOUND
    assert reading.payload == PAYLOAD or reading.short_id == PAYLOAD.short_id


@pytest.mark.parametrize(
    "host",
    [
        np.zeros((8 * RATE, 1), np.float32),
        np.full((8 * RATE, 1), 0.5, np.float32),
        (0.5 * np.sin(np.arange(8 * RATE) / 3)).astype(np.float32)[:, None],
        voice(0.7),
        np.ones((1, 1), np.float32),
    ],
    ids=["silence", "a constant", "a tone", "too short", "a sample"],
)
def test_sound_that_cannot_carry_it_is_refused(host: Sound) -> None:
    with pytest.raises(MarkError, match="too short, too quiet or too steady") as caught:
        embed(host, RATE, PAYLOAD, key=KEY)
    assert "3 seconds" in caught.value.remedy


def test_a_steady_chord_carries_it_only_at_the_highest_strength() -> None:
    time = np.arange(10 * RATE)[:, None] / RATE
    pitches = np.outer((220, 277, 330), (1, 2, 3, 4, 6, 8)).ravel()
    chord = (0.03 * np.sin(2 * np.pi * time * pitches).sum(axis=1, keepdims=True)).astype(np.float32)
    with pytest.raises(MarkError, match="steady") as caught:
        embed(chord, RATE, PAYLOAD, key=KEY)
    assert "'robust'" in caught.value.remedy
    copy = embed(chord, RATE, PAYLOAD, key=KEY, strength=Strength.ROBUST)
    assert read(copy, RATE, keys=[KEY]).payload == PAYLOAD


def test_low_rates_and_many_channels_are_refused() -> None:
    with pytest.raises(MarkError, match="6000 Hz"):
        embed(voice(5, 8000), 6000, PAYLOAD, key=KEY)
    with pytest.raises(MarkError, match="100 channels"):
        embed(np.zeros((8000, 100), np.float32), 8000, PAYLOAD, key=KEY)


def test_a_marker_takes_its_pieces_in_turn() -> None:
    host = voice(7, 8000, seed=3)
    marker = Marker(8000, FULL, PAYLOAD, KEY, Strength.DEFAULT)
    first = marker.mark(host[: round(3.6 * 8000)], 0, 3)
    second = marker.mark(host[2 * 8000 :], 1, None)
    assert (len(first), len(second)) == (3 * 8000, 4 * 8000)
    assert read(np.concatenate([first, second]), 8000, keys=[KEY]).payload == PAYLOAD
