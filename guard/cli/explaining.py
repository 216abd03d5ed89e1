"""How the command line shows what an explanation says: coloured words, and pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.text import Text

from guard.cli.files import write_file
from guard.cli.output import printable
from guard.errors import DetectorError

if TYPE_CHECKING:
    from detectors import Detector
    from detectors.explain import Explanation
    from guard.media import Artifact

__all__ = ["Explained", "explanations"]

_SHOWN = 2_000
_STRENGTHS = ("", "color(224)", "color(217)", "color(210)", "color(203)")
_AGAINST = ("", "color(189)", "color(153)", "color(117)", "color(75)")


class Explained(NamedTuple):
    """One explanation, for programs and for people."""

    record: dict[str, Any]
    text: Text


def explanations(
    detectors: Iterable[Detector], artifact: Artifact, file: str, out: Path | None
) -> list[Explained]:
    """What every detector that can explain itself says; heat maps and time lines go into `out`, or beside the
    file. Raises `InputError` where they cannot be written."""
    from detectors import Context, wanted
    from detectors.explain import explained

    looking = wanted(detectors, artifact.modality, Context("upload"))
    return [
        _failure(detector, reason)
        if isinstance(reason, DetectorError)
        else _shown(reason, artifact, file, out)
        for detector in looking
        if (reason := explained(detector, artifact, Context("upload"))) is not None
    ]


def _failure(detector: Detector, error: DetectorError) -> Explained:
    card = detector.card
    record = {"detector": card.id, "signal": card.signal, "error": str(error)}
    return Explained(
        record, Text(f"  {card.id} could not explain itself: {printable(str(error))}\n", "yellow")
    )


def _shown(explanation: Explanation, artifact: Artifact, file: str, out: Path | None) -> Explained:
    text = Text(f"  why {explanation.detector} says so of {explanation.signal}:\n")
    record = explanation.as_json()
    if explanation.tokens:
        text.append_text(_coloured(artifact.text, explanation))
    if (drawn := _drawn(explanation, artifact)) is not None:
        path = (out or Path(file).parent) / f"{Path(file).name}.{explanation.detector}.png"
        write_file(path, drawn)
        record["picture"] = str(path)
        text.append(f"    drawn in {printable(str(path))}\n")
    return Explained(record, text)


def _drawn(explanation: Explanation, artifact: Artifact) -> bytes | None:
    from detectors.explain_drawing import overlay, timeline

    if explanation.heat is not None:
        return overlay(artifact, explanation.heat)
    return timeline(artifact, explanation) if explanation.times else None


def _coloured(text: str, explanation: Explanation) -> Text:
    """The text with what speaks for the finding in red and what speaks against it in blue, and the words that
    weigh most by name."""
    top = max(abs(value) for _, value in explanation.tokens) or 1.0
    shown = Text("    ")
    for piece, value in _pieces(text[:_SHOWN], explanation):
        strength = round(4 * min(1.0, abs(value) / top))
        style = (_STRENGTHS if value > 0 else _AGAINST)[strength]
        shown.append(printable(piece), f"black on {style}" if style else "")
    shown.append("…\n" if len(text) > _SHOWN else "\n")
    heaviest = sorted(explanation.tokens, key=lambda token: -abs(token[1]))[:5]
    for span, value in heaviest:
        shown.append(f"    {value:+.2f}  {printable(text[span.start : span.end])}\n", "dim")
    return shown


def _pieces(text: str, explanation: Explanation) -> Iterator[tuple[str, float]]:
    done = 0
    for span, value in sorted(explanation.tokens, key=lambda token: token[0].start):
        if span.start >= done:
            yield text[done : span.start], 0.0
            yield text[span.start : span.end], value
            done = span.end
    yield text[done:], 0.0
