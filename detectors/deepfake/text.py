"""Whether English prose reads as models that follow instructions write it: a screening signal."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from detectors.base import Context, DetectorCard, Finding, Span, abstained, calibrated
from detectors.calibration import Calibration, from_json
from detectors.cards import read_report, reported
from detectors.deepfake.text_features import Token, gate, tokens, windows
from detectors.explain import Explanation
from guard.errors import DetectorError
from guard.media import Artifact, Modality

if TYPE_CHECKING:
    from detectors.deepfake.text_model import Model

__all__ = ["SyntheticText"]

_ID = "synthetic-text"
_LONGEST = 1 << 16
"""Code points that are looked at for words."""
_MOST = 20
_PART = "Only the beginning of the text was read."
_CARD: dict[str, Any] = {
    "description": "Tells English prose of models that follow instructions from people's, by how "
    "sentences are built. A screening signal: alone it proves nothing and must never block.",
    "licence": "Apache-2.0",
    "data": "human passages and what GPT-3.5 and GPT-4 made of their beginnings (news, stories, medical "
    "answers; Fast-DetectGPT's data, MIT), and prose of six Debian packages (GPL-2+ and CC BY-SA 3.0); "
    "hashes are in training/splits/text.json",
    "calibration": "Platt, human domains weighing alike; a third of the machine "
    "texts come of models that only continue text, which it does not see, so that a low score claims little",
    "calibration_set": "every passage, judged by a model that saw neither its domain nor its generator",
    "abstains": "below 100 words; on code, lists, verse, text without sentences, other languages than "
    "English, and text of common words almost alone, as learners write it",
    "limits": "English prose. It does not see models that only continue text, and was not measured on essays "
    "of learners, for want of any: a learner's control stands in the report. Paraphrase defeats it.",
}


class SyntheticText:
    """Scores prose by its function words, signs and word endings in runs of one to three.

    A text scores the mean of its stretches of about 120 words, twenty at most. It knows models that follow
    instructions and nothing of those that only continue text; its card says how often it errs. Weights load
    at the first `inspect`.
    """

    @cached_property
    def card(self) -> DetectorCard:
        """The detector's card, with the errors of the report that was measured beside the weights."""
        return reported(self._report, id=_ID, signal="synthetic", modality=Modality.TEXT, **_CARD)

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:  # noqa: ARG002
        """One finding. Raises `DetectorError` where the artifact is no text."""
        text = _text(artifact)
        opening, found = _read(text)
        if why := gate(opening, found):
            return [abstained(self.card, why)]
        parts = windows(found, _MOST)
        raw = sum(map(self._model.logit, parts)) / len(parts)
        left_out = len(text) > len(opening) or sum(map(len, parts)) < len(found)
        message = _PART if left_out else ""
        return [calibrated(self.card, self._calibration, raw, self._report["threshold"], message)]

    def explain(self, artifact: Artifact, context: Context) -> Explanation | None:  # noqa: ARG002
        """What each word and sign adds to the log-odds, exactly: with the bias they add up to the raw score.

        None where the detector abstains.
        """
        opening, found = _read(_text(artifact))
        if gate(opening, found):
            return None
        parts = windows(found, _MOST)
        added = [
            (Span(token.start, token.end, opening[token.start : token.end]), float(value) / len(parts))
            for part in parts
            for token, value in zip(part, self._model.contributions(part), strict=True)
        ]
        return Explanation(_ID, "synthetic", tokens=tuple(added))

    @cached_property
    def _calibration(self) -> Calibration:
        return from_json(self._report["calibration"])

    @cached_property
    def _model(self) -> Model:
        from detectors.deepfake.text_model import shipped

        return shipped()

    @cached_property
    def _report(self) -> dict[str, Any]:
        return read_report("detectors.deepfake", "weights/text.report.json")


def _read(text: str) -> tuple[str, list[Token]]:
    """As much of the beginning as is looked at, and its tokens."""
    opening = text[:_LONGEST]
    return opening, tokens(opening)


def _text(artifact: Artifact) -> str:
    if artifact.modality is not Modality.TEXT:
        raise DetectorError(f"This is {artifact.mime}, not a text.", "Give it a text.")
    return artifact.text
