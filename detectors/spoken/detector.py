"""Text detectors over a transcript of what is said in a sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from detectors.base import Context, Detector, DetectorCard, Finding, Span
from detectors.run import inspect_all
from guard.errors import DetectorError
from guard.media import Artifact, Modality

__all__ = ["Spoken"]

_MOST_PLACES = 100


class _Segment(Protocol):
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...
    @property
    def text(self) -> str: ...


class _Transcript(Protocol):
    """What the detector needs of a transcript: its words, and the seconds of each stretch of them."""

    @property
    def text(self) -> str: ...
    @property
    def segments(self) -> Sequence[_Segment]: ...


class Spoken:
    """Hands what `transcribe` hears in a sound to the text `detectors`, and passes on what they find.

    Their findings keep detector, signal and score, so that a rule about words holds for spoken ones too. In
    place of spans, `details["spoken"]` says when: `start` and `end` in seconds of the segment, and the span's
    label. `model` names the transcriber and becomes part of this detector's version.
    """

    def __init__(
        self, transcribe: Callable[[Artifact], _Transcript], detectors: Sequence[Detector], *, model: str
    ) -> None:
        self._transcribe = transcribe
        self._detectors = tuple(d for d in detectors if Modality.TEXT in d.card.modalities)
        self.card = DetectorCard(
            id="spoken",
            version=f"1+{model}",
            signal="spoken",
            modalities=frozenset({Modality.AUDIO}),
            description="Transcribes speech and screens the words as text.",
            licence="Apache-2.0",
            data="none of its own: the transcriber's",
            calibration="the text detectors' own, on words as they were heard",
            measured_error="not measured: the transcriber's errors come on top of the text detectors'",
            others=tuple(sorted(frozenset().union(*(d.card.signals for d in self._detectors)))),
            seconds=None,  # as long as the sound takes to transcribe; what reads the words has its own limit
            limits="What the transcriber mishears, or hears where nobody speaks, is screened as heard.",
        )

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
        """The text detectors' findings. Raises `DetectorError` where the words could not be screened."""
        try:
            transcript = self._transcribe(artifact)
            text, starts = _joined(transcript)
            words = Artifact.from_text(text)
        except Exception as error:  # a transcriber is a model: anything may come out of it
            raise DetectorError(f"Spoken words were not screened: {error}") from error
        found = inspect_all(self._detectors, words, context)
        return [_timed(finding, transcript.segments, starts) for finding in found]


def _joined(transcript: _Transcript) -> tuple[str, list[int]]:
    """The words of all segments with a space between, and where each segment starts in them.

    A term that is spoken across the pause between two segments is thus found too.
    """
    if not transcript.segments:
        return transcript.text, []
    starts, length = [], 0
    for segment in transcript.segments:
        starts.append(length)
        length += len(segment.text) + 1
    return " ".join(segment.text for segment in transcript.segments), starts


def _timed(finding: Finding, segments: Sequence[_Segment], starts: Sequence[int]) -> Finding:
    places = [_place(span, segments, starts) for span in finding.spans[:_MOST_PLACES]] if starts else []
    return replace(finding, spans=(), details={**finding.details, "spoken": places})


def _place(span: Span, segments: Sequence[_Segment], starts: Sequence[int]) -> dict[str, object]:
    """When a span was said, to the segments that it touches."""
    touched = [
        segment
        for segment, start in zip(segments, starts, strict=True)
        if start < span.end and span.start < start + max(1, len(segment.text))
    ]
    return {
        "start": round(min(segment.start for segment in touched), 2),
        "end": round(max(segment.end for segment in touched), 2),
        "label": span.label,
    }
