"""Lettering in pictures, so that policy can have it blurred, and what it gives away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from detectors.base import Box, Context, Detector, DetectorCard, Finding, Span, abstained
from detectors.privacy.frames import boxed, chosen
from detectors.privacy.lettering import Line, Reading, engine, transcript
from detectors.privacy.personal import PersonalData
from detectors.privacy.secrets import Secrets
from detectors.quality import small_picture
from guard.media import Artifact, Modality

__all__ = ["VisibleText"]

_ID, _SIGNAL, _THRESHOLD = "visible-text", "visible_text", 0.5
_LABEL = "text"
_LEAST = 16
_WITHIN: Mapping[str, Detector] = {"personal_data": PersonalData(), "secret": Secrets()}
"""What looks for each of the other signals in the words that were read."""
_TOO_MUCH = "There is more lettering in the picture than is read for this."


class VisibleText:
    """Finds lines of lettering, and looks for personal data and credentials in what they say.

    Each line is a box in pixels of the picture: under "visible_text" all lines, labelled "text"; under the
    other signals those that hold something, with the labels of the detectors of text. Of an animation up to
    32 frames are read, and a box stands for all of them. Needs the extra [ocr]; without it every answer is
    inconclusive, and says so.
    """

    card = DetectorCard(
        id=_ID,
        version="1",
        signal=_SIGNAL,
        others=tuple(_WITHIN),
        modalities=frozenset({Modality.IMAGE}),
        description="Lines of lettering, by PP-OCR's networks in RapidOCR, and what the detectors of "
        "personal data and credentials find in their words.",
        licence="Apache-2.0; RapidOCR and PP-OCR's networks: Apache-2.0",
        data="see PP-OCR's own reports",
        calibration="none: lettering found scores 1, none scores 0; the others score as in text",
        measured_error="see docs/guide/privacy.md",
        abstains=f"without the extra [ocr]; below {_LEAST} pixels on the shorter side; on what words say, "
        "above some 25,000 letters, and where the detector of text does",
        limits="Reads Latin, Chinese and Japanese writing. Lines of other scripts, of ornate letters and of "
        "letters smaller than some ten pixels are often missed, and one or two letters of more than half the "
        "picture count as none. One letter read wrong hides an address or a key from the other detectors.",
        seconds=300.0,
    )

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
        """One finding for each signal that somebody reads. Raises `DetectorError` where the networks are
        missing."""
        picture, asked = artifact.picture, _asked(context)
        if small := small_picture(picture.width, picture.height, _LEAST):
            return [abstained(self.card, small, signal, _THRESHOLD) for signal in asked]
        try:
            reading = Reading(engine(), whole=asked != [_SIGNAL])
        except ImportError:
            why = "Not looked for: that needs the extra [ocr] (pip install 'guard-provenance[ocr]')."
            return [abstained(self.card, why, signal, _THRESHOLD) for signal in asked]
        pages = [reading.lines(picture.rgb(number)) for number in chosen(picture)]
        return [
            self._found(pages)
            if signal == _SIGNAL
            else self._said(signal, pages, context)
            if reading.complete
            else abstained(self.card, _TOO_MUCH, signal, _THRESHOLD)
            for signal in asked
        ]

    def _found(self, pages: Sequence[list[Line]]) -> Finding:
        return boxed(self.card, _SIGNAL, (_box(line, _LABEL) for lines in pages for line in lines))

    def _said(self, signal: str, pages: Sequence[list[Line]], context: Context) -> Finding:
        """What the words of all pages give away, as the detector of that says."""
        boxes: list[Box] = []
        score, threshold = 0.0, _THRESHOLD
        for text, places in map(transcript, filter(None, pages)):
            (said,) = _WITHIN[signal].inspect(Artifact.from_text(text), context)
            if said.score is None:
                return abstained(self.card, said.inconclusive, signal, said.threshold)
            score, threshold = max(score, said.score), said.threshold
            boxes += [box for span in said.spans for box in _boxes(span, places)]
        return boxed(self.card, signal, boxes, score, threshold)


def _asked(context: Context) -> list[str]:
    """The signals that somebody reads; all of them where only the detector itself is named."""
    signals = [_SIGNAL, *_WITHIN]
    return [signal for signal in signals if context.signals is None or signal in context.signals] or signals


def _boxes(span: Span, places: Sequence[tuple[int, Line]]) -> Iterator[Box]:
    """The lines that a place in the transcript lies in: whole ones, since where a letter ends in a line is
    a guess."""
    for start, line in places:
        if start < span.end and span.start < start + len(line.text):
            yield _box(line, span.label)


def _box(line: Line, label: str) -> Box:
    return Box(line.left, line.top, line.right - line.left, line.bottom - line.top, label)
