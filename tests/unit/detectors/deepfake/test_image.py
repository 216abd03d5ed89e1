from __future__ import annotations

import hashlib
import io
import json
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
from detectors.deepfake.image_crops import SIDE, around, crops
from detectors.deepfake.image_network import shipped
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
    assert finding.details["raw"] == detector.raw(photograph())
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


def test_stable_diffusion_ranks_above_photographs(detector: SyntheticImage, shared_data: Path) -> None:
    rows = json.loads((Path(__file__).parents[4] / "training/splits/image.json").read_text("utf-8"))["files"]
    means = []
    for source in ("stable-diffusion", "bsds:photo"):
        chosen = [row for row in rows if row["role"] == "test" and row["source"] == source][::12]
        pictures = [Artifact.from_bytes((shared_data / row["path"]).read_bytes()) for row in chosen]
        found = [detector.raw(picture.picture.rgb()[:500, :500]) for picture in pictures]
        means.append(np.mean([raw for raw in found if raw is not None]))
    assert means[0] > means[1]


def test_whatever_it_scores_it_flags(detector: SyntheticImage) -> None:
    lowest = detector.calibration.probability(detector.speaks)
    assert lowest >= detector.card.report["threshold"] - 1e-9
    assert detector.card.report["threshold"] >= 0.9


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
    assert [top for top, _, _ in crops(pixels, 99)] != []
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
    data = files("detectors.deepfake").joinpath("weights/image.onnx").read_bytes()
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


@pytest.mark.parametrize(
    ("shape", "most", "count"),
    [
        ((256, 256), 12, 4),
        ((130, 2000), 12, 8),
        ((1024, 768), 12, 12),
        ((128, 128), 12, 1),
        ((600, 600), 9, 9),
    ],
)
def test_crops_stay_inside_and_are_spread(shape: tuple[int, int], most: int, count: int) -> None:
    found = crops(photograph(*shape), most)
    assert len(found) == count
    assert len({(top, left) for top, left, _ in found}) == count
    assert all(crop.shape == (SIDE, SIDE, 3) for _, _, crop in found)


def test_the_places_with_the_most_detail_come_first() -> None:
    pixels = cv2.GaussianBlur(photograph(256, 512), (0, 0), 3)
    pixels[128:, 384:] = photograph(128, 128)
    places = [(top, left) for top, left, _ in crops(pixels, 8)]
    assert places[0] == (128, 384)


def test_plain_places_are_left_out() -> None:
    pixels = photograph(256, 256)
    pixels[:128] = 77
    assert {top for top, _, _ in crops(pixels, 8)} == {128}


def test_the_grid_of_an_explanation_stays_inside() -> None:
    grid = around(photograph(130, 700), 8)
    assert (len(grid), len(grid[0])) == (2, 8)
    assert {crop.shape for row in grid for crop in row} == {(128, 128, 3)}


def test_a_crop_says_the_same_beside_others() -> None:
    network = shipped()
    batch = np.stack([photograph(128, 160, seed)[:, :128] for seed in range(18)])
    alone = np.concatenate([network.logits(crop[None]) for crop in batch])
    np.testing.assert_allclose(network.logits(batch), alone, atol=1e-4)
    assert network.logits(batch[:0]).shape == (0,)


def test_a_brighter_or_plainer_copy_says_nearly_the_same() -> None:
    """It sees no content and no strength, only how neighbours go together."""
    crop = (photograph(128, 160)[:, :128] // 2).astype(np.uint8)
    first, second = shipped().logits(np.stack([crop, crop + 60]))
    assert first == pytest.approx(second, abs=1e-3)


def test_a_plain_crop_is_no_error() -> None:
    assert np.isfinite(shipped().logits(np.zeros((1, 128, 128, 3), np.uint8))).all()
