from __future__ import annotations

import numpy as np
import pytest

from guard.errors import InputError, MarkError
from guard.watermark.dipole import Stream, embed, read

from .conftest import KEY, PAYLOAD, RATE, Sound, music, snr, voice


def streamed(host: Sound, rate: int, sizes: list[int]) -> tuple[Sound, int]:
    """The marked sound, and the most samples that were held back at a time."""
    stream = Stream(rate, host.shape[1], PAYLOAD, key=KEY)
    out, given, most = [], 0, 0
    while given < len(host):
        for size in sizes:
            block = host[given : given + size]
            given += len(block)
            out.append(stream.push(block))
            most = max(most, given - sum(map(len, out)))
    return np.concatenate([*out, stream.finish()]), most


@pytest.mark.parametrize("sizes", [[4096], [1, 0, 399, 20000], [200000]], ids=["even", "odd", "all"])
def test_a_stream_reads_like_any_marked_sound(sizes: list[int]) -> None:
    host = voice(9, seed=12)
    copy, _ = streamed(host, RATE, sizes)
    assert copy.shape == host.shape
    assert copy.dtype == np.float32
    assert read(copy, RATE, keys=[KEY]).payload == PAYLOAD
    assert read(copy[5000 : 5000 + 5 * RATE], RATE, keys=[KEY]).payload == PAYLOAD


def test_blocks_of_any_size_make_the_same_mark() -> None:
    host = voice(4, 8000)
    assert np.array_equal(streamed(host, 8000, [37])[0], streamed(host, 8000, [9999])[0])


def test_the_delay_is_bounded() -> None:
    _, held = streamed(music(6, 22050), 22050, [441])
    assert held <= Stream.delay * 22050 + 441
    assert Stream.delay <= 2


def test_a_stream_is_as_quiet_as_the_whole(speech: Sound, marked: Sound) -> None:
    copy, _ = streamed(speech, RATE, [1600])
    assert snr(speech, copy) == pytest.approx(snr(speech, marked), abs=1)


def test_streams_without_a_sound_end_empty() -> None:
    stream = Stream(24000, 2, PAYLOAD, key=KEY)
    assert stream.push(np.zeros((0, 2), np.float32)).shape == (0, 2)
    assert stream.finish().shape == (0, 2)


def test_short_and_silent_streams_keep_their_length() -> None:
    for host in (voice(0.3), np.zeros((5 * RATE, 1), np.float32), voice(1.6), voice(3.6)):
        copy, _ = streamed(host, RATE, [1000])
        assert copy.shape == host.shape


def test_a_stream_that_ends_with_a_step_has_nothing_left() -> None:
    stream = Stream(8000, 1, PAYLOAD, key=KEY)
    host = voice(2, 8000)
    left = len(host) - len(stream.push(host))
    assert stream.finish().shape == (left, 1)


@pytest.mark.parametrize(("rate", "channels"), [(4000, 1), (0, 1), (16000, 0), (16000, 9)])
def test_what_cannot_be_marked_is_refused_at_the_start(rate: int, channels: int) -> None:
    with pytest.raises(MarkError, match="cannot be marked"):
        Stream(rate, channels, PAYLOAD, key=KEY)


def test_blocks_that_are_no_sound_are_refused() -> None:
    stream = Stream(RATE, 1, PAYLOAD, key=KEY)
    with pytest.raises(InputError, match="does not go on"):
        stream.push(np.zeros((10, 2), np.float32))
    with pytest.raises(InputError, match="does not go on"):
        stream.push(np.zeros(10, np.float32))
    with pytest.raises(InputError, match="numbers"):
        stream.push(np.full((10, 1), np.nan, np.float32))
    with pytest.raises(InputError, match="int16"):
        stream.push(np.zeros((10, 1), np.int16))


def test_a_stream_starts_like_the_whole() -> None:
    host = voice(5, 8000, seed=2)
    copy, _ = streamed(host, 8000, [800])
    assert np.allclose(copy[:800], embed(host, 8000, PAYLOAD, key=KEY)[:800], atol=0.02)
