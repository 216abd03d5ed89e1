"""Labels and redactions, on every kind of artifact."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.base import Box, Finding, Span
from guard.errors import BlockedError
from guard.media import Artifact, Modality
from guard.media.picture import Picture
from guard.obligations import apply_obligations
from policies.base import Decision, Facts
from policies.policy import Policy, loads
from tests.pictures import natural, png

POLICY = """
name: p
version: 1
rules:
  - {id: hide, when: '"secret" in scores', action: redact, reason: private, labels: [name]}
  - {id: show, when: 'model == "labelled"', action: label, reason: disclosure}
"""


def judged(modality: Modality, **facts: object) -> tuple[Policy, Decision]:
    policy = loads(POLICY)
    return policy, policy.decide(Facts("output", modality, **facts))


def label(artifact: Artifact) -> Artifact:
    policy, decision = judged(artifact.modality, model="labelled")
    return apply_obligations(artifact, decision, [], policy)


def test_without_obligations_nothing_changes() -> None:
    policy, decision = judged(Modality.IMAGE)
    artifact = png()
    assert apply_obligations(artifact, decision, [], policy) is artifact


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_label_stands_at_the_top_right_and_nowhere_else(channels: int, dtype: type) -> None:
    gray = natural(1, 200, 300).astype(dtype)[..., :1]
    if dtype is np.uint16:
        gray = gray * np.uint16(257)
    pixels = np.repeat(gray, channels, axis=2).squeeze()
    before = Artifact.from_picture(Picture.from_array(pixels), "image/png")
    after = label(before)
    changed = np.argwhere(after.picture.frames[0].astype(int) != before.picture.frames[0].astype(int))[:, :2]
    (top, left), (bottom, right) = changed.min(axis=0), changed.max(axis=0)
    assert top < 20
    assert bottom < 20
    assert left > 260
    assert right >= 290
    assert bottom - top + 1 >= 0.05 * 200


def test_a_label_is_legible_on_black_and_on_white() -> None:
    for level in (0, 255):
        artifact = Artifact.from_picture(
            Picture.from_array(np.full((200, 300, 3), level, np.uint8)), "image/png"
        )
        plate = label(artifact).picture.rgb()[4:16, 275:296]
        assert plate.min() < 40
        assert plate.max() > 215


@pytest.mark.parametrize("size", [(8, 8), (1, 1), (5, 300), (300, 5)])
def test_a_label_fits_into_small_pictures(size: tuple[int, int]) -> None:
    artifact = Artifact.from_picture(Picture.from_array(np.full((*size, 3), 90, np.uint8)), "image/png")
    assert label(artifact).picture.rgb().shape[:2] == size


def test_a_label_shows_on_transparent_pictures() -> None:
    clear = np.zeros((200, 300, 4), np.uint8)
    labelled = label(Artifact.from_picture(Picture.from_array(clear), "image/png")).picture.frames[0]
    assert (labelled[6:14, 284:294, 3] == 255).all()
    assert (labelled[100:, :, 3] == 0).all()


def test_a_text_is_labelled_in_front() -> None:
    assert label(Artifact.from_text("Words.")).text.endswith("Words.")
    assert "AI" in label(Artifact.from_text("Words.")).text


def test_json_is_not_labelled_since_a_program_reads_it() -> None:
    arguments = Artifact(Modality.TEXT, "application/json", b'{"city": "Rome"}')
    assert label(arguments) is arguments


def test_what_cannot_be_labelled_is_blocked() -> None:
    policy, decision = judged(Modality.AUDIO, model="labelled")
    with pytest.raises(BlockedError, match="no label can be put on audio") as caught:
        apply_obligations(Artifact(Modality.AUDIO, "audio/wav", b""), decision, [], policy)
    assert caught.value.rule == "show"


def finding(*spans: Span) -> Finding:
    return Finding("d", "1", "secret", 1.0, 0.5, spans=spans)


def test_only_the_spans_that_the_rule_names_are_redacted() -> None:
    policy, decision = judged(Modality.TEXT, scores={"secret": 1.0})
    found = finding(Span(0, 3, "name"), Span(4, 7, "place"))
    redacted = apply_obligations(Artifact.from_text("Ada Rom"), decision, [found], policy)
    assert redacted.text == "[name] Rom"


def test_a_redaction_without_a_place_is_blocked() -> None:
    policy, decision = judged(Modality.TEXT, scores={"secret": 1.0})
    with pytest.raises(BlockedError) as caught:
        apply_obligations(Artifact.from_text("Ada"), decision, [finding()], policy)
    assert caught.value.rule == "hide"


BLURS = """
name: p
version: 1
rules:
  - {id: hide, when: '"face" in scores', action: blur, reason: private, labels: [face], detector: seer}
"""


def blurred(artifact: Artifact, boxes: tuple[Box, ...]) -> Artifact:
    policy = loads(BLURS)
    decision = policy.decide(Facts("output", artifact.modality, scores={"face": 1.0}))
    return apply_obligations(
        artifact, decision, [Finding("seer", "1", "face", 1.0, 0.5, boxes=boxes)], policy
    )


def test_a_box_is_blurred_beyond_recovery_and_nothing_around_it() -> None:
    before, box = png(3, 200, 300), Box(40, 30, 100, 80, "face")
    after = blurred(before, (box, Box(200, 10, 50, 50, "sign")))
    old, new = before.picture.rgb().astype(int), after.picture.rgb().astype(int)
    inside = (slice(30, 110), slice(40, 140))
    outside = np.ones(old.shape[:2], bool)
    outside[inside] = False
    assert np.array_equal(old[outside], new[outside])
    assert np.abs(np.diff(new[inside], axis=1)).max() < np.abs(np.diff(old[inside], axis=1)).max() / 4
    # Two pictures whose averages agree become the same: what made them differ is gone.
    assert len(np.unique(new[inside][::20, ::25].reshape(-1, 3), axis=0)) <= 16


@pytest.mark.parametrize(
    "box", [Box(-20, -20, 50, 50, "face"), Box(280, 180, 90, 90, "face"), Box(10, 10, 1, 1, "face")]
)
def test_a_box_that_leaves_the_picture_is_blurred_as_far_as_it_is_in_it(box: Box) -> None:
    assert blurred(png(3, 200, 300), (box,)).picture.frames[0].shape == (200, 300, 3)


@pytest.mark.parametrize(
    ("artifact", "boxes"),
    [
        (png(), ()),
        (png(), (Box(0, 0, 9, 9, "sign"),)),
        (Artifact.from_text("a face"), (Box(0, 0, 9, 9, "face"),)),
    ],
)
def test_what_cannot_be_blurred_does_not_leave(artifact: Artifact, boxes: tuple[Box, ...]) -> None:
    with pytest.raises(BlockedError, match="can be blurred"):
        blurred(artifact, boxes)
