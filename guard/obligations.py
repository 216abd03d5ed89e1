"""What a decision obliges to do to the artifact itself before it leaves: redact, blur and label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from detectors.base import Box, Finding
from guard.errors import BlockedError
from guard.media import Artifact, Modality
from guard.media.picture import Pixels
from policies.base import Action, Decision, Mode
from policies.policy import Policy
from policies.redact import Triple, redact

__all__ = ["BLUR_CELLS", "TEXT_LABEL", "apply_obligations", "spans_to_redact", "unmet"]

TEXT_LABEL = "[AI-generated]\n"
IMAGE_LABEL = "AI"
BLUR_CELLS = 4
"""What is left of a blurred box, across and down: no face or word can be told by 16 colours."""
LABEL_SIDE = 0.06
"""Height of the label against the shorter side: China's GB 45438-2025 asks for 5 % or more, and the EU's code
of practice for marking shows it at the top right."""


def apply_obligations(
    artifact: Artifact, decision: Decision, findings: Sequence[Finding], policy: Policy
) -> Artifact:
    """The artifact, redacted, blurred and labelled as the decision asks.

    Raises `BlockedError` where an obligation cannot be met, since releasing without it would break the rule.
    """
    if decision.obliges(Action.REDACT):
        artifact = _redacted(artifact, decision, findings, policy)
    if decision.obliges(Action.BLUR):
        artifact = _blurred(artifact, decision, findings, policy)
    if decision.obliges(Action.LABEL):
        artifact = _labelled(artifact, decision)
    return artifact


def spans_to_redact(decision: Decision, findings: Sequence[Finding], policy: Policy) -> list[Triple]:
    """What the decision asks to be cut out of a text: start, end and label of each place."""
    redacts = cache(partial(policy.redacts, decision))  # a text may have thousands of places, of few kinds
    return [
        (span.start, span.end, span.label)
        for finding in findings
        for span in finding.spans
        if redacts(finding.detector, span.label)
    ]


def unmet(decision: Decision, action: Action, reason: str) -> Decision:
    """The decision to block that comes of one whose obligation to this action cannot be met."""
    hit = next(f for f in decision.fired if f.action is action and f.mode is Mode.ENFORCE)
    return replace(decision, action=Action.BLOCK, rule=hit.rule, reason=reason)


def _redacted(
    artifact: Artifact, decision: Decision, findings: Sequence[Finding], policy: Policy
) -> Artifact:
    spans = spans_to_redact(decision, findings, policy)
    if artifact.modality is not Modality.TEXT or not spans:
        raise _refused(decision, Action.REDACT, f"nothing in this {artifact.modality} can be redacted.")
    return replace(artifact, data=redact(artifact.text, spans).encode())


def _blurred(artifact: Artifact, decision: Decision, findings: Sequence[Finding], policy: Policy) -> Artifact:
    boxes = [
        box
        for finding in findings
        for box in finding.boxes
        if policy.blurs(decision, finding.detector, box.label)
    ]
    if artifact.modality is not Modality.IMAGE or not boxes:
        raise _refused(decision, Action.BLUR, f"nothing in this {artifact.modality} can be blurred.")
    picture = artifact.picture.map_frames(partial(_blur, boxes=boxes))
    return Artifact.from_picture(picture, artifact.mime, limits=artifact.limits)


def _labelled(artifact: Artifact, decision: Decision) -> Artifact:
    if artifact.mime == "application/json":
        return artifact  # read by a program, which a line in front would break, and not by a person
    if artifact.modality is Modality.TEXT:
        return Artifact.from_text(TEXT_LABEL + artifact.text, limits=artifact.limits)
    if artifact.modality is Modality.IMAGE:
        picture = artifact.picture.map_frames(_draw_label)
        return Artifact.from_picture(picture, artifact.mime, limits=artifact.limits)
    raise _refused(decision, Action.LABEL, f"no label can be put on {artifact.modality} yet.")


def _refused(decision: Decision, action: Action, reason: str) -> BlockedError:
    hit = unmet(decision, action, reason)
    return BlockedError(hit.rule or "", reason)


def _blur(pixels: Pixels, boxes: Sequence[Box]) -> Pixels:
    """Each box as `BLUR_CELLS` × `BLUR_CELLS` averages that run into one another: nothing else is left of it,
    so nothing can be computed back."""
    for box in boxes:
        top, left = max(0, box.y), max(0, box.x)
        region = pixels[top : max(0, box.y + box.height), left : max(0, box.x + box.width)]
        if region.size:
            height, width = region.shape[:2]
            few = cv2.resize(region, (BLUR_CELLS, BLUR_CELLS), interpolation=cv2.INTER_AREA)
            region[...] = cv2.resize(few, (width, height)).reshape(region.shape)
    return pixels


def _draw_label(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """White letters on a dark plate at the top right: legible on any picture (contrast above 7:1)."""
    height, width = pixels.shape[:2]
    side = max(8, round(min(height, width) * LABEL_SIDE))
    plate = np.asarray(_plate(side), np.float32) / 255
    h, w = min(plate.shape[0], height), min(plate.shape[1], width)
    margin = min(side // 3, height - h, width - w)
    top = np.iinfo(pixels.dtype).max
    marked = pixels.copy()
    region = marked[margin : margin + h, width - margin - w : width - margin]
    region[...] = (plate[:h, :w] * top).astype(pixels.dtype).reshape(h, w, *[1] * (region.ndim - 2))
    if region.ndim == 3 and region.shape[2] in (2, 4):
        region[..., -1] = top
    return marked


def _plate(side: int) -> Image.Image:
    font = ImageFont.load_default(size=side * 0.8)
    left, top, right, bottom = font.getbbox(IMAGE_LABEL)
    plate = Image.new("L", (round(right - left) + side // 2, side), 24)
    where = (side // 4 - left, (side - (bottom - top)) / 2 - top)
    ImageDraw.Draw(plate).text(where, IMAGE_LABEL, fill=255, font=font)
    return plate
