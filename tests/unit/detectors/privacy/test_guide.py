"""The policy that the guide shows, on what the detectors say."""

from __future__ import annotations

import re

import pytest
import yaml

import policies
from detectors import Context, Detector, inspect_all
from detectors.base import Finding
from detectors.plugged import Entry
from detectors.privacy import Faces, PersonalData, Secrets
from detectors.unsafe import Unscreened
from guard.media import Artifact
from guard.obligations import apply_obligations
from policies import Action, Decision, Facts
from tests.conftest import REPOSITORY
from tests.pictures import png

GUIDE = (REPOSITORY / "docs" / "guide" / "privacy.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
POLICY = policies.loads(BLOCKS[0])
DETECTORS: list[Detector] = [Faces(), PersonalData(), Secrets(), Unscreened()]


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


def test_a_face_is_blurred_and_a_picture_that_nobody_screened_is_labelled() -> None:
    data = pytest.importorskip("skimage.data")
    _, decision = judged(Artifact.from_bytes(_png(data.astronaut()[:256, 100:356])))
    assert decision.obliges(Action.BLUR)
    assert decision.obliges(Action.LABEL)
    assert judged(png(0, 200, 200))[1].action is Action.LABEL


def test_the_entry_of_a_checkpoint_is_one() -> None:
    (entry,) = yaml.safe_load(BLOCKS[1])["detectors"]
    assert Entry(**entry).labels == ("nsfw",)


def _png(pixels: object) -> bytes:
    import numpy as np

    from tests.pictures import encoded

    return encoded(np.asarray(pixels, np.uint8))
