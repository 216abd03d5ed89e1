"""Explanations: contributions by occlusion, failures, and pictures of them."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from detectors import Context, Span
from detectors.explain import Explanation, explained, patches, seconds, words
from detectors.explain_drawing import overlay, timeline
from guard.errors import DetectorError
from guard.media import Artifact
from guard.media.stream import Samples
from tests.pictures import encoded, natural
from tests.unit.detectors.seers import Reasoner, Seer, found
from tests.unit.media.makers import video

TEXT = Artifact.from_text("you are bad")
UPLOAD = Context("upload")


def test_the_word_that_counts_is_found() -> None:
    contributions = words("you  are bad", lambda texts: [float("bad" in text) for text in texts])
    assert [(span.start, span.end, span.label, value) for span, value in contributions] == [
        (0, 3, "you", 0.0),
        (5, 8, "are", 0.0),
        (9, 12, "bad", 1.0),
    ]


def test_only_so_many_words_are_tried() -> None:
    asked: list[int] = []

    def count(texts: Sequence[str]) -> list[float]:
        asked.append(len(texts))
        return [0.0] * len(texts)

    assert len(words("word " * 5_000, count, most=7)) == 7
    assert words("", count) == ()
    assert asked == [8, 1]


def test_the_patch_that_counts_is_found() -> None:
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[40:48, 84:96] = 255
    heat = patches(pixels, lambda many: [float(each.max()) for each in many])
    assert heat.shape == (8, 8)
    assert heat.dtype == np.float32
    assert np.argwhere(heat > 100).tolist() == [[5, 7]]


def test_a_picture_may_be_smaller_than_the_grid() -> None:
    assert patches(np.zeros((1, 3, 3), np.uint8), lambda many: [0.0] * len(many)).shape == (1, 3)


def test_the_seconds_that_count_are_found() -> None:
    sound = np.zeros(40_000, np.float32)
    sound[17_000:18_000] = 1
    found_ = seconds(sound, 8_000, lambda many: [float(each.max()) for each in many])
    assert [row for row in found_ if row[2]] == [(2.0, 2.5, 1.0)]
    assert found_[-1][1] == 5.0


def test_long_sounds_are_taken_in_longer_stretches() -> None:
    found_ = seconds(np.zeros(8_000 * 600, np.float32), 8_000, lambda many: [0.0] * len(many), most=10)
    assert len(found_) == 10
    assert found_[0][:2] == (0.0, 60.0)


class TestExplained:
    WHY = Explanation("seer", "tone", tokens=((Span(8, 11, "bad"), 0.5),))

    def test_a_detector_that_can_say(self) -> None:
        assert explained(Reasoner(lambda _: [found(0.9)], self.WHY), TEXT, UPLOAD) is self.WHY

    def test_one_that_cannot_or_abstains(self) -> None:
        assert explained(Seer(lambda _: [found(0.9)]), TEXT, UPLOAD) is None
        assert explained(Reasoner(lambda _: [], None), TEXT, UPLOAD) is None

    @pytest.mark.parametrize("error", [DetectorError("No weights."), ValueError("odd")])
    def test_a_failure_is_an_answer(self, error: Exception) -> None:
        answer = explained(Reasoner(lambda _: [], error), TEXT, UPLOAD)
        assert isinstance(answer, DetectorError)
        assert str(answer) in ("No weights.", "ValueError: odd")

    def test_as_json_the_words_themselves_stay_out(self) -> None:
        heat = np.array([[0.123456, -1]], np.float32)
        told = Explanation("seer", "tone", self.WHY.tokens, heat, ((0.0, 0.5, 0.25),)).as_json()
        assert told == {
            "detector": "seer",
            "signal": "tone",
            "tokens": [[8, 11, 0.5]],
            "heat": [[0.1235, -1.0]],
            "times": [[0.0, 0.5, 0.25]],
        }


def opened(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_red_lies_over_what_speaks_for_it_and_blue_over_what_speaks_against() -> None:
    artifact = Artifact.from_bytes(encoded(natural(0, 200, 300)))
    drawn = opened(overlay(artifact, np.array([[1.0, -1.0]], np.float32)))
    assert drawn.shape == (200, 300, 3)
    assert (drawn[:, :40, 0] > drawn[:, :40, 2]).mean() > 0.95
    assert (drawn[:, -40:, 2] > drawn[:, -40:, 0]).mean() > 0.95


def test_where_nothing_speaks_either_way_the_picture_is_gray() -> None:
    artifact = Artifact.from_bytes(encoded(natural(0, 40, 30)))
    drawn = opened(overlay(artifact, np.zeros((3, 3), np.float32)))
    assert np.ptp(drawn, axis=2).max() == 0


def test_large_pictures_are_drawn_smaller_and_videos_by_their_first_frame() -> None:
    wide = Artifact.from_bytes(encoded(np.zeros((10, 5_000, 3), np.uint8)))
    assert opened(overlay(wide, np.ones((1, 1), np.float32))).shape == (4, 2_048, 3)
    film = Artifact.from_bytes(video(count=2))
    assert opened(overlay(film, np.ones((1, 1), np.float32))).shape == (48, 64, 3)


def test_a_time_line_shows_the_sound_and_its_contributions() -> None:
    sound = np.sin(np.arange(24_000) / 9).astype(np.float32)[:, None]
    artifact = Artifact.from_samples(Samples(8_000, sound), "audio/wav")
    why = Explanation("seer", "tone", times=((0.0, 1.5, 0.5), (1.5, 3.0, -0.5)))
    drawn = opened(timeline(artifact, why))
    red = (drawn[..., 0] > 180) & (drawn[..., 2] < 90)
    blue = (drawn[..., 2] > 150) & (drawn[..., 0] < 90)
    assert red.sum() > 500
    assert blue.sum() > 500
    assert np.argwhere(red)[:, 1].mean() < np.argwhere(blue)[:, 1].mean()
