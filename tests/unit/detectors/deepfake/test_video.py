from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import av
import numpy as np
import pytest

from detectors.base import Context, Finding
from detectors.cards import DetectorCard
from detectors.deepfake.image import SILENT, SyntheticImage
from detectors.deepfake.video import SyntheticVideo
from guard.errors import DetectorError
from guard.media import Artifact, Modality

UPLOAD = Context("upload")


class _Pictures(SyntheticImage):
    """Says of each frame what it is told to, above 0 being clear."""

    speaks = 0.0

    def __init__(self, *answers: float | None) -> None:
        self.answers = list(answers)

    def raw(self, pixels: Any) -> float | None:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def evidence(self, raw: float) -> float:
        return raw


class _Sounds:
    """Scores every sound alike."""

    card = DetectorCard("hum", "1", "synthetic", frozenset({Modality.AUDIO}), "Tells hums.", "Apache-2.0")

    def __init__(self) -> None:
        self.heard: list[float] = []

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
        self.heard.append(artifact.duration)
        return [Finding("hum", "1", "synthetic", 0.7, 0.5, likelihood_ratio=2.0)]


def video(seconds: int = 6, *, sound: bool = False, side: int = 160, plain: bool = False) -> Artifact:
    rng = np.random.default_rng(0)
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=4)
        stream.width = stream.height = side
        stream.pix_fmt = "yuv420p"
        track = container.add_stream("aac", rate=16_000) if sound else None
        pixels = (
            np.full((side, side, 3), 99, np.uint8)
            if plain
            else rng.integers(0, 255, (side, side, 3), np.uint8)
        )
        for _ in range(4 * seconds):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
        if track is not None:
            samples = np.sin(np.arange(16_000 * seconds, dtype=np.float32) / 9)[None].astype(np.float32) / 2
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.rate = 16_000
            container.mux(track.encode(frame))
            container.mux(track.encode())
    return Artifact.from_bytes(file.getvalue())


def only(detector: SyntheticVideo, artifact: Artifact) -> Finding:
    (finding,) = detector.inspect(artifact, UPLOAD)
    return finding


def test_frames_that_agree_are_pooled_by_their_median_and_not_called_a_probability() -> None:
    finding = only(SyntheticVideo(_Pictures(3.0, 8.0, 4.0, 3.5, 4.0), []), video())
    assert finding.score == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert finding.likelihood_ratio is None
    assert "not calibrated on videos" in finding.message
    assert [time for time, _ in finding.details["frames"]] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [((-1.0,), SILENT), ((3.0, -3.0, 3.0, -3.0, 3.0, -3.0), "disagree: 50%"), ((None,), "Only 0 frames")],
)
def test_it_abstains(answers: tuple[float | None, ...], reason: str) -> None:
    assert reason in only(SyntheticVideo(_Pictures(*answers), []), video()).inconclusive


@pytest.mark.parametrize("artifact", [video(2), video(side=64), video(plain=True)])
def test_too_few_too_small_and_plain_frames_are_inconclusive(artifact: Artifact) -> None:
    detector = SyntheticVideo(_Pictures(5.0), [])
    assert "4 are needed" in only(detector, artifact).inconclusive
    assert detector.explain(artifact, UPLOAD) is None


def test_the_sound_track_goes_to_the_detectors_of_synthetic_sound() -> None:
    sounds = _Sounds()
    found = SyntheticVideo(_Pictures(-1.0), [sounds]).inspect(video(sound=True), UPLOAD)
    assert [finding.detector for finding in found] == ["synthetic-video", "hum"]
    assert sounds.heard == [pytest.approx(6.0, abs=0.2)]


def test_a_silent_film_has_no_finding_on_its_sound() -> None:
    sounds = _Sounds()
    assert len(SyntheticVideo(_Pictures(-1.0), [sounds]).inspect(video(), UPLOAD)) == 1
    assert sounds.heard == []


def test_sound_detectors_are_the_installed_ones() -> None:
    for detector in SyntheticVideo()._sounds:
        assert detector.card.signal == "synthetic"
        assert Modality.AUDIO in detector.card.modalities


def test_the_time_line_has_each_frame_until_the_next() -> None:
    explanation = SyntheticVideo(_Pictures(1.0, -1.0, 2.0, 2.0, 2.0, 5.0), []).explain(video(), UPLOAD)
    assert explanation is not None
    assert [value for _, _, value in explanation.times] == [1, -1, 2, 2, 2, 5]
    assert [end for _, end, _ in explanation.times] == [start + 1 for start, _, _ in explanation.times]


def test_a_long_video_is_looked_at_for_half_a_minute_alone() -> None:
    pictures = _Pictures(3.0)
    finding = only(SyntheticVideo(pictures, []), video(33))
    assert finding.details["frames"][-1][0] <= 30


def test_other_media_are_refused() -> None:
    with pytest.raises(DetectorError, match="not a video"):
        SyntheticVideo(_Pictures(1.0), []).inspect(Artifact.from_text("words"), UPLOAD)


def test_with_the_shipped_picture_detector_noise_gets_no_score() -> None:
    assert only(SyntheticVideo(sounds=[]), video(4)).state == "inconclusive"
