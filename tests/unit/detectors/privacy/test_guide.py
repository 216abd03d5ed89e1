"""The policy that the guide shows, on what the detectors say."""

from __future__ import annotations

import re

import numpy as np
import pytest
import yaml

import policies
from detectors import Context, Detector, inspect_all
from detectors.base import Finding
from detectors.plugged import Entry
from detectors.privacy import Faces, PersonalData, Secrets, VisibleText
from detectors.unsafe import Unscreened
from guard.media import Artifact
from guard.obligations import apply_obligations
from policies import Action, Decision, Facts
from tests.conftest import REPOSITORY
from tests.pictures import encoded, png
from tests.unit.detectors.privacy.letters import written

GUIDE = (REPOSITORY / "docs" / "guide" / "privacy.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
POLICY = policies.loads(BLOCKS[0])
DETECTORS: list[Detector] = [Faces(), PersonalData(), Secrets(), VisibleText(), Unscreened()]


def judged(artifact: Artifact) -> tuple[list[Finding], Decision]:
    context = Context("output", signals=POLICY.signals("output"))
    found = inspect_all(DETECTORS, artifact, context)
    facts = Facts(
        "output",
        artifact.modality,
        scores={f.signal: f.score for f in found if f.score is not None},
        inconclusive={f.signal: f.inconclusive for f in found if f.inconclusive},
    )
    return found, POLICY.decide(facts)


def test_a_text_leaves_without_what_the_guide_cuts() -> None:
    pytest.importorskip("presidio_analyzer", reason="the extra [privacy] is not installed")
    artifact = Artifact.from_text("Write to bob@example.org: password = Tr0ub4dor&3x, host 192.168.17.4.")
    found, decision = judged(artifact)
    assert decision.action is Action.REDACT
    shown = apply_obligations(artifact, decision, found, POLICY)
    assert shown.text == "Write to [EMAIL_ADDRESS]: password = [credential], host 192.168.17.4."


def test_a_text_too_long_to_read_is_held_for_a_person() -> None:
    _, decision = judged(Artifact.from_text("word " * 20_000))
    assert (decision.action, decision.rule) == (Action.REVIEW, "personal-data-not-looked-for")


def test_faces_and_lettering_leave_a_picture_and_nothing_else_does() -> None:
    data = pytest.importorskip("skimage.data")
    pytest.importorskip("rapidocr", reason="the extra [ocr] is not installed")
    pixels = written(np.ascontiguousarray(data.astronaut()[:256, 100:356]), "Room 12", (10, 8), 30, "red")
    artifact = Artifact.from_bytes(encoded(pixels))
    found, decision = judged(artifact)
    hidden = apply_obligations(artifact, decision, found, POLICY)
    boxes = [box for finding in found for box in finding.boxes if box.label in ("face", "text")]
    assert {box.label for box in boxes} == {"face", "text"}
    left = [box for finding in judged(hidden)[0] for box in finding.boxes]
    assert all(box.x > 200 and box.y < 20 for box in left), "but for the label, which says AI"
    kept = np.ones(pixels.shape[:2], bool)
    kept[:20] = False
    for box in boxes:
        kept[box.y : box.y + box.height, box.x : box.x + box.width] = False
    assert np.array_equal(hidden.picture.rgb()[kept], pixels[kept])


def test_a_face_is_blurred_and_a_picture_that_nobody_screened_is_labelled() -> None:
    data = pytest.importorskip("skimage.data")
    pytest.importorskip("rapidocr", reason="the extra [ocr] is not installed")
    _, decision = judged(Artifact.from_bytes(encoded(data.astronaut()[:256, 100:356])))
    assert decision.obliges(Action.BLUR)
    assert decision.obliges(Action.LABEL)
    assert judged(png(0, 200, 200))[1].action is Action.LABEL


def test_the_entry_of_a_checkpoint_is_one() -> None:
    (entry,) = yaml.safe_load(BLOCKS[1])["detectors"]
    assert Entry(**entry).labels == ("nsfw",)
