"""Running detectors so that a failure is an answer too."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from detectors.base import Context, Detector, DetectorCard, Finding
from guard.errors import DetectorError
from guard.media import Artifact

__all__ = ["checked", "failed", "inspect_all"]

_LONGEST_MESSAGE = 300


def inspect_all(detectors: Iterable[Detector], artifact: Artifact, context: Context) -> list[Finding]:
    """Findings of every detector whose card covers the artifact's modality.

    A detector that raises, finds nothing at all, or gives a score outside [0, 1] yields a finding without
    score whose `error` says why: policy decides what that means, and silence never passes for innocence.
    """
    findings: list[Finding] = []
    for detector in detectors:
        if artifact.modality in detector.card.modalities:
            findings += _inspect(detector, artifact, context)
    return findings


def _inspect(detector: Detector, artifact: Artifact, context: Context) -> list[Finding]:
    try:
        return checked(detector.inspect(artifact, context))
    except Exception as error:  # a detector is a plug-in: anything may come out of it
        return [failed(detector.card, error)]


def checked(findings: Sequence[Finding]) -> list[Finding]:
    """What a detector found, if that is an answer. Raises `DetectorError` where it is none."""
    if not findings:
        raise DetectorError("The detector gave no finding.")
    for finding in findings:
        _check_score(finding)
    return list(findings)


def failed(card: DetectorCard, error: Exception) -> Finding:
    """The finding that stands for those of a detector that failed."""
    message = str(error) if isinstance(error, DetectorError) else f"{type(error).__name__}: {error}"
    return Finding(card.id, card.version, card.signal, None, 1.0, error=message[:_LONGEST_MESSAGE])


def _check_score(finding: Finding) -> None:
    score = finding.score
    if score is None:
        if finding.error is None:
            raise DetectorError(f"Signal '{finding.signal}' has neither score nor error.")
    elif not (math.isfinite(score) and 0 <= score <= 1):
        raise DetectorError(f"Signal '{finding.signal}' has the score {score}, which is not in [0, 1].")
