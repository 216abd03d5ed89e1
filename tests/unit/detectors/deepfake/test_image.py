from __future__ import annotations

import hashlib
import io
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from detectors.base import Context
from detectors.deepfake.image import SILENT, SyntheticImage
from detectors.deepfake.image_features import SIDE, around, features, windows
from detectors.deepfake.image_model import Model, load, shipped
from guard.errors import DetectorError
from guard.media import Artifact
from guard.media.picture import Picture

UPLOAD = Context("upload")
Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def detector() -> SyntheticImage:
    return SyntheticImage()


def photograph(height: int = 400, width: int = 520, seed: int = 0) -> Pixels:
    """Soft shapes under a sensor's noise."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (height // 40, width // 40, 3)).astype(np.uint8)
    soft = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(soft + rng.normal(0, 4, soft.shape), 0, 255), np.uint8)


def decoded(height: int = 512, width: int = 512) -> Pixels:
    """Noise of a quarter of the size, grown by transposed convolutions with an uneven kernel."""
    rng = np.random.default_rng(1)
    base = cv2.resize(photograph(seed=2), (width // 4, height // 4)).astype(np.float32)
    base += rng.normal(0, 12, base.shape)
    for _ in range(2):
        spread = np.zeros((base.shape[0] * 2, base.shape[1] * 2, 3), np.float32)
        spread[::2, ::2] = base
        base = cv2.filter2D(spread, cv2.CV_32F, np.outer([0.4, 1, 0.6], [0.4, 1, 0.6]))
    return np.asarray(np.clip(base, 0, 255), np.uint8)


def png(pixels: Any) -> Artifact:
    return Artifact.from_picture(Picture.from_array(pixels), "image/png")


class _Loud(SyntheticImage):
    """The detector, made to speak."""

    speaks = -1e9


def test_a_photograph_gets_no_score_and_a_reason(detector: SyntheticImage) -> None:
    (finding,) = detector.inspect(png(photograph()), UPLOAD)
    assert finding.state == "inconclusive"
    assert finding.inconclusive == SILENT
    assert (finding.score, finding.likelihood_ratio) == (None, None)
    assert detector.explain(png(photograph()), UPLOAD) is None


def test_a_clear_trace_is_scored_flagged_and_explained(detector: SyntheticImage) -> None:
    raw = detector.raw(decoded())
    assert raw is not None
    loud = _Loud()
    (finding,) = loud.inspect(png(decoded()), UPLOAD)
    assert finding.score == pytest.approx(detector.calibration.probability(raw))
    assert finding.likelihood_ratio == pytest.approx(detector.calibration.likelihood_ratio(raw))
    explanation = loud.explain(png(decoded()), UPLOAD)
    assert explanation is not None
    assert explanation.heat is not None
    assert explanation.heat.shape == (8, 8)
    assert np.isfinite(explanation.heat).all()


def test_upsampling_leaves_more_of_a_trace_than_a_camera(detector: SyntheticImage) -> None:
    made, taken = detector.raw(decoded()), detector.raw(photograph())
    assert made is not None
    assert taken is not None
    assert made > taken


def test_whatever_it_scores_it_flags(detector: SyntheticImage) -> None:
    lowest = detector.calibration.probability(detector.speaks)
    assert lowest >= detector.card.report["threshold"] >= 0.9


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (photograph(100, 400), "128 on the shorter side"),
        (np.full((300, 300, 3), 77, np.uint8), "plain surface"),
        (np.zeros((1, 1, 3), np.uint8), "128"),
    ],
)
def test_gates(detector: SyntheticImage, pixels: Pixels, reason: str) -> None:
    (finding,) = detector.inspect(png(pixels), UPLOAD)
    assert reason in finding.inconclusive


def test_a_worn_jpeg_is_not_judged(detector: SyntheticImage) -> None:
    file = io.BytesIO()
    Image.fromarray(photograph()).save(file, "JPEG", quality=30)
    (finding,) = detector.inspect(Artifact.from_bytes(file.getvalue()), UPLOAD)
    assert "quality 30" in finding.inconclusive


def test_detail_only_where_nobody_looks_is_no_detail(detector: SyntheticImage) -> None:
    pixels = np.full((2000, 2000, 3), 200, np.uint8)
    pixels[300:420] = 0
    pixels[300:420, ::2] = 255
    assert windows(pixels, 1) == []
    steps = np.repeat(np.repeat(np.arange(64, dtype=np.uint8).reshape(8, 8) * 4, 256, 0), 256, 1)
    plain = np.repeat(steps[..., None], 3, 2)
    assert detector.raw(plain[:256, :256]) is None
    (finding,) = detector.inspect(png(plain[:512, 256:]), UPLOAD)
    assert finding.state == "inconclusive"


def test_other_media_are_refused(detector: SyntheticImage) -> None:
    with pytest.raises(DetectorError, match="not a picture"):
        detector.inspect(Artifact.from_text("words"), UPLOAD)


def test_only_the_first_page_is_looked_at() -> None:
    file = io.BytesIO()
    first, second = Image.fromarray(decoded()), Image.fromarray(photograph(512, 512))
    first.save(file, "TIFF", save_all=True, append_images=[second])
    (finding,) = _Loud().inspect(Artifact.from_bytes(file.getvalue()), UPLOAD)
    assert "first frame or page" in finding.message


def test_the_card_says_what_the_report_measured(detector: SyntheticImage) -> None:
    card = detector.card
    data = files("detectors.deepfake").joinpath("weights/image.npz").read_bytes()
    assert hashlib.sha256(data).hexdigest() == card.report["weights"]["sha256"]
    assert len(data) < 5_000_000
    assert {row.name for row in card.sources if row.kind == "control"} >= {"x2", "q50", "webp", "screenshot"}
    assert all(row.answered <= 0.1 for row in card.sources if row.label == "real")
    assert "not reached" in card.measured_error
    assert "screening signal" in card.description


def test_bsds_and_gpt4o_never_trained(detector: SyntheticImage, shared_data: Path) -> None:
    trained = set(detector.card.report["training"]["sha256"])
    for folder in ("photos_bsds", "ai_gpt4o"):
        for path in sorted((shared_data / folder).rglob("*.*")):
            assert hashlib.sha256(path.read_bytes()).hexdigest() not in trained


@pytest.mark.parametrize("shape", [(64, 64), (128, 300), (256, 256), (255, 129)])
def test_numbers_are_finite_and_as_many_for_any_window(shape: tuple[int, int]) -> None:
    expected = shipped().mean.shape
    for pixels in (photograph(max(shape[0], 40), max(shape[1], 40)), np.zeros((*shape, 3), np.uint8)):
        found = features(pixels[: shape[0], : shape[1]])
        assert found.shape == expected
        assert found.dtype == np.float32
        assert np.isfinite(found).all()


def test_numbers_change_little_when_a_picture_is_mirrored() -> None:
    pixels = photograph(256, 256)
    mirrored = np.ascontiguousarray(pixels[:, ::-1])
    assert np.abs(features(pixels) - features(mirrored))[:117].max() < 0.02


@pytest.mark.parametrize(
    ("shape", "most", "count"),
    [((256, 256), 6, 1), ((130, 2000), 6, 6), ((1024, 768), 6, 6), ((600, 600), 9, 4)],
)
def test_windows_are_spread_over_the_picture(shape: tuple[int, int], most: int, count: int) -> None:
    found = windows(photograph(*shape), most)
    assert len(found) == count
    assert min(y for y, _, _ in found) == 0 or shape[0] <= SIDE or len({y for y, _, _ in found}) == 1
    assert all(window.shape[0] == min(SIDE, shape[0]) for _, _, window in found)


def test_the_grid_of_an_explanation_stays_inside() -> None:
    grid = around(photograph(130, 700), 8)
    assert (len(grid), len(grid[0])) == (2, 8)
    assert {window.shape for row in grid for window in row} == {(128, 128, 3)}


def test_a_model_survives_its_file() -> None:
    model = shipped()
    again = load(model.dump())
    numbers = np.random.default_rng(0).normal(0, 1, (3, len(model.mean))).astype(np.float32)
    np.testing.assert_array_equal(model.logits(numbers), again.logits(numbers))


def test_numbers_far_out_count_no_more_than_those_at_four_spreads() -> None:
    one = ((np.ones((2, 1), np.float32), np.zeros(1, np.float32)),)
    model = Model(np.zeros(2, np.float32), np.ones(2, np.float32), (one,))
    far = np.array([[1e9, 1.0]], np.float32)
    assert model.logits(far)[0] == pytest.approx(5.0)
