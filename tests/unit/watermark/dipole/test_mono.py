from __future__ import annotations

import numpy as np
import pytest

from guard.errors import InputError, MarkError
from guard.watermark.dipole.mono import blend, check, check_room, listened

from .conftest import music, voice


def test_channels_are_averaged() -> None:
    sound = music(1, 16000, channels=3)
    assert blend(sound) == pytest.approx(sound.mean(axis=1))


def test_of_channels_that_cancel_out_the_first_is_taken() -> None:
    sound = voice(1)
    assert np.array_equal(blend(np.hstack([sound, -sound])), sound[:, 0])
    assert np.array_equal(blend(np.hstack([sound, np.float32(-0.95) * sound])), sound[:, 0])


def test_silence_is_silent() -> None:
    assert not blend(np.zeros((100, 2), np.float32)).any()


@pytest.mark.parametrize("rate", [8000, 22050, 96000])
def test_sound_is_listened_to_at_8_khz(rate: int) -> None:
    assert len(listened(np.zeros((rate, 2), np.float32), rate)) == 8000


def test_checks_say_what_is_wrong() -> None:
    check(voice(0.1), 16000)
    check_room(8000, 8)
    with pytest.raises(InputError, match="rate of 400000 Hz"):
        check(voice(0.1), 400000)
    with pytest.raises(MarkError, match="7999 Hz"):
        check_room(7999, 1)
    with pytest.raises(MarkError, match="9 channels"):
        check_room(8000, 9)
