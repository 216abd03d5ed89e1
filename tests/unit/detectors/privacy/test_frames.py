"""Which frames are looked at."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.privacy.frames import chosen
from guard.media.picture import Mode, Picture


@pytest.mark.parametrize("count", [1, 2, 32, 33, 500])
def test_the_first_and_the_last_frame_are_among_at_most_32(count: int) -> None:
    frames = chosen(Picture(Mode.GRAY, (np.zeros((2, 2), np.uint8),) * count))
    assert frames == sorted(set(frames))
    assert len(frames) == min(count, 32)
    assert (frames[0], frames[-1]) == (0, count - 1)
