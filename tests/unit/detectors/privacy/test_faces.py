"""Faces in pictures: found, boxed, and gone once blurred."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from detectors.base import Context, Finding
from detectors.privacy import Faces, cascade, faces
from detectors.run import inspect_all
from guard.errors import DetectorError
from guard.media import Artifact, Modality
from guard.media.picture import Picture
from guard.obligations import apply_obligations
from policies import Facts, loads
from tests.pictures import encoded, natural

skimage_data = pytest.importorskip("skimage.data")

CONTEXT = Context("output")
FACE = (slice(60, 175), slice(65, 185))
"""Where the face is in what is used of scikit-image's picture of an astronaut."""
POLICY = loads(
    "name: p\nversion: 1\nrules:\n"
    "- {id: hide, when: 'scores[\"face\"] >= 0.5', action: blur, labels: [face], reason: private}\n"
)


@pytest.fixture(scope="module")
def astronaut() -> NDArray[np.uint8]:
    return np.ascontiguousarray(skimage_data.astronaut()[:256, 100:356])


def picture(pixels: NDArray[np.uint8]) -> Artifact:
    return Artifact.from_bytes(encoded(pixels))


def looked_at(artifact: Artifact) -> Finding:
    (finding,) = inspect_all([Faces()], artifact, CONTEXT)
    return finding


def blurred(artifact: Artifact, finding: Finding) -> Artifact:
    decision = POLICY.decide(Facts("output", Modality.IMAGE, scores={"face": 1.0}))
    return apply_obligations(artifact, decision, [finding], POLICY)


def test_a_face_is_found_where_it_is(astronaut: NDArray[np.uint8]) -> None:
    finding = looked_at(picture(astronaut))
    assert (finding.signal, finding.score, len(finding.boxes)) == ("face", 1.0, 1)
    box = finding.boxes[0]
    assert box.label == "face"
    assert box.x < FACE[1].start + 15
    assert box.x + box.width > FACE[1].stop - 15
    assert box.y < FACE[0].start
    assert box.y + box.height > FACE[0].stop - 10


def test_boxes_are_in_the_pixels_of_a_large_picture(
    astronaut: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faces, "_SIDE", 256)
    large = np.asarray(Image.fromarray(astronaut).resize((768, 768)))
    (small,), (big,) = looked_at(picture(astronaut)).boxes, looked_at(picture(large)).boxes
    assert big.x / 3 == pytest.approx(small.x, abs=12)
    assert big.width / 3 == pytest.approx(small.width, abs=20)


def test_once_blurred_no_face_is_found_and_nothing_else_has_changed(astronaut: NDArray[np.uint8]) -> None:
    before = picture(astronaut)
    finding = looked_at(before)
    after = blurred(before, finding)
    assert looked_at(after).boxes == ()
    box = finding.boxes[0]
    outside = np.ones(astronaut.shape[:2], bool)
    outside[box.y : box.y + box.height, box.x : box.x + box.width] = False
    assert np.array_equal(after.picture.rgb()[outside], astronaut[outside])
    assert after.picture.rgb()[FACE].std() < astronaut[FACE].std()


def test_the_frames_of_an_animation_share_their_boxes(astronaut: NDArray[np.uint8]) -> None:
    small = Image.fromarray(astronaut)
    file = io.BytesIO()
    turned = small.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    small.save(file, "PNG", save_all=True, append_images=[turned, small], duration=80)
    before = Artifact.from_bytes(file.getvalue())
    assert len(before.picture.frames) == 3
    finding = looked_at(before)
    after = blurred(before, finding)
    box = finding.boxes[0]
    for number in range(3):
        old, new = before.picture.rgb(number), after.picture.rgb(number)
        inside = (slice(box.y, box.y + box.height), slice(box.x, box.x + box.width))
        assert new[inside].std() < old[inside].std()
    assert looked_at(after).boxes == ()


@pytest.mark.parametrize("shape", [(1, 1), (20, 400), (400, 20)])
def test_what_is_too_small_gets_no_answer(shape: tuple[int, int]) -> None:
    finding = looked_at(picture(np.zeros((*shape, 3), np.uint8)))
    assert finding.state == "inconclusive"
    assert "24" in finding.inconclusive


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((100, 100, 3), 128, np.uint8),
        natural(0, 200, 200),
        np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8),
    ],
)
def test_what_shows_nobody_has_no_box(pixels: NDArray[np.uint8]) -> None:
    finding = looked_at(picture(pixels))
    assert (finding.score, finding.boxes) == (0.0, ())


def test_of_small_crops_faces_are_told_from_the_rest() -> None:
    crops = np.clip(np.asarray(skimage_data.lfw_subset()) * 255, 0, 255).astype(np.uint8)
    large = [np.pad(np.kron(crop, np.ones((2, 2), np.uint8)), 14, mode="edge") for crop in crops[::10]]
    told = [bool(cascade.find_faces(crop, 6)) for crop in large]
    assert sum(told[:10]) >= 8
    assert sum(told[10:]) <= 1


def test_a_transparent_and_a_16_bit_picture_are_blurred_too(astronaut: NDArray[np.uint8]) -> None:
    deep = astronaut.astype(np.uint16) * 257
    clear = np.dstack([astronaut, np.full(astronaut.shape[:2], 255, np.uint8)])
    for pixels in (deep, clear):
        before = Artifact.from_picture(Picture.from_array(pixels), "image/png")
        assert looked_at(blurred(before, looked_at(before))).boxes == ()


def test_without_its_data_the_detector_fails_in_plain_words(
    astronaut: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cascade._shipped.cache_clear()
    monkeypatch.setattr(cascade, "files", lambda _: tmp_path)
    with pytest.raises(DetectorError, match="missing"):
        Faces().inspect(picture(astronaut), CONTEXT)
    cascade._shipped.cache_clear()
