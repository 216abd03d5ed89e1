"""Sound from one stream of bytes into another."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from guard.errors import MalformedMediaError
from guard.media import Artifact, Limits, Modality
from guard.streaming.soundline import SoundLine
from tests.voices import RATE, babble, streamed


class Louder:
    """A marker that keeps back ten samples, and doubles all."""

    def __init__(self, rate: int, channels: int) -> None:
        self.begun = rate, channels
        self.held = np.zeros((0, channels), np.float32)

    def push(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        both = np.concatenate([self.held, block])
        self.held = both[-10:]
        return 2 * both[:-10]

    def finish(self) -> NDArray[np.float32]:
        return 2 * self.held


def test_every_sample_goes_through_the_marker() -> None:
    data = streamed("audio/wav", 1.0)
    line = SoundLine("audio/wav", Limits(), Louder)
    made = b"".join(line.feed(data[at : at + 777]) for at in range(0, len(data), 777)) + line.finish()
    heard = Artifact(Modality.AUDIO, "audio/wav", made).samples
    assert heard.rate == RATE
    assert heard.data == pytest.approx(np.clip(2 * babble(1.0).data, -1, 1), abs=1e-3)
    assert line.seconds == pytest.approx(1 - 10 / RATE)


def test_without_a_marker_it_is_encoded_anew_and_nothing_else() -> None:
    line = SoundLine("audio/pcm", Limits())
    data = streamed("audio/pcm", 1.0)
    assert line.feed(data) + line.finish() == data


def test_what_is_no_sound_is_an_error_and_can_be_closed() -> None:
    line = SoundLine("audio/flac", Limits())
    assert line.feed(b"no flac" * 5000) == b""
    with pytest.raises(MalformedMediaError):
        line.finish()
    line.close()
