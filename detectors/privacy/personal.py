"""Personal data in text, with Presidio's recognisers of patterns: no language model, and no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from detectors.base import Context, DetectorCard, Finding, Span, abstained
from detectors.privacy import presidio
from guard.media import Artifact, Modality

__all__ = ["LONGEST", "PersonalData"]

_ID, _SIGNAL, _THRESHOLD = "personal-data", "personal_data", 0.4
LONGEST = 65_536
"""Code points that are read; a longer text gets no answer, since if only a part were, the rest would stay
uncut."""
_PIECE, _OVERLAP = 20_000, 200
_NOT_SOUGHT = "Names, places and dates were not looked for."


class PersonalData:
    """E-mail addresses, telephone numbers, bank and card numbers, addresses of machines and national ids.

    Needs the extra [privacy]; without it every answer is inconclusive, and says so. Spans carry Presidio's
    names of what they hold, such as `EMAIL_ADDRESS`.
    """

    card = DetectorCard(
        id=_ID,
        version="1",
        signal=_SIGNAL,
        modalities=frozenset({Modality.TEXT}),
        seconds=180.0,
        description="Personal data of fixed shape, by Presidio's recognisers, checked by their check digits "
        "where they have any.",
        licence="Apache-2.0; Presidio: MIT",
        data="none: patterns",
        calibration="none: the score is that of Presidio's surest recogniser",
        measured_error="see docs/guide/privacy.md",
        abstains=f"without the extra [privacy]; texts above {LONGEST} characters",
        limits="Names, places and dates are not looked for: plug in a model that tells them. Words that "
        "point to an id are known in English alone.",
    )

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:  # noqa: ARG002
        """One finding. Raises `DetectorError` where the artifact is not text."""
        text = artifact.text
        if len(text) > LONGEST:
            why = f"The text has {len(text)} characters; up to {LONGEST} are read for personal data."
            return [abstained(self.card, why, threshold=_THRESHOLD)]
        try:
            recognise = _recognise()
        except ImportError:
            why = "Not looked for: that needs the extra [privacy] (pip install 'guard-provenance[privacy]')."
            return [abstained(self.card, why, threshold=_THRESHOLD)]
        found = {
            (start + hit.start, start + hit.end, hit.entity_type): hit.score
            for start, piece in _pieces(text)
            for hit in recognise(piece)
            if not _bare(hit, piece)
        }
        spans = tuple(Span(*place) for place in sorted(found))
        score = max(found.values(), default=0.0)
        count = f"{len(spans)} place(s) in the text. " if spans else ""
        return [
            Finding(_ID, self.card.version, _SIGNAL, score, _THRESHOLD, spans, count + _NOT_SOUGHT),
        ]


def _bare(hit: Any, text: str) -> bool:
    """Whether this is a run of digits that could be a telephone number, and nothing around says so."""
    alone = hit.entity_type == "PHONE_NUMBER" and hit.score <= _THRESHOLD
    return bool(alone and text[hit.start : hit.end].isdigit())


def _recognise() -> Any:
    engine = _engine()

    def recognise(text: str) -> list[Any]:
        hits: list[Any] = engine.analyze(text, language="en", score_threshold=_THRESHOLD)
        return hits

    return recognise


@cache
def _engine() -> Any:
    return presidio.engine()


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Pieces that overlap, so that what a border would cut is whole in the next one."""
    for start in range(0, max(1, len(text) - _OVERLAP), _PIECE - _OVERLAP):
        yield start, text[start : start + _PIECE]
