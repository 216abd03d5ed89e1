"""Running detectors so that a failure, and taking too long, is an answer too."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from detectors.base import Batched, Context, Detector, DetectorCard, Finding, failed
from detectors.budget import within
from guard.errors import DetectorError
from guard.media import Artifact, Modality

__all__ = ["BATCH", "answered", "checked", "inspect_all", "inspect_each", "wanted"]

BATCH = 16
"""Artifacts that a `Batched` detector is given at once."""


def wanted(detectors: Iterable[Detector], modality: Modality, context: Context) -> list[Detector]:
    """Those whose card covers the modality, and whose signals, or id, somebody in this context reads."""
    return [
        detector
        for detector in detectors
        if modality in detector.card.modalities and _read(detector.card, context.signals)
    ]


def inspect_all(detectors: Iterable[Detector], artifact: Artifact, context: Context) -> list[Finding]:
    """Findings of every detector that is `wanted`.

    A detector that raises, takes longer than its card allows, finds nothing at all, or gives a score outside
    [0, 1] yields a finding without score whose `error` says why: policy decides what that means, and silence
    never passes for innocence.
    """
    findings: list[Finding] = []
    for detector in wanted(detectors, artifact.modality, context):
        findings += _inspect(detector, artifact, context)
    return findings


def inspect_each(detector: Detector, artifacts: Sequence[Artifact], context: Context) -> list[list[Finding]]:
    """What one detector finds in each of many artifacts, all of a modality that it covers.

    A `Batched` detector gets `BATCH` of them at once; where that fails, each of them alone, so that a bad one
    spoils no other.
    """
    if not isinstance(detector, Batched):
        return [_inspect(detector, artifact, context) for artifact in artifacts]
    found: list[list[Finding]] = []
    for start in range(0, len(artifacts), BATCH):
        found += _batch(detector, artifacts[start : start + BATCH], context)
    return found


def _read(card: DetectorCard, signals: frozenset[str] | None) -> bool:
    return signals is None or card.id in signals or not card.signals.isdisjoint(signals)


def _inspect(detector: Detector, artifact: Artifact, context: Context) -> list[Finding]:
    try:
        return answered(detector, artifact, context)
    except Exception as error:  # a detector is a plug-in: anything may come out of it
        return [failed(detector.card, error)]


def answered(detector: Detector, artifact: Artifact, context: Context) -> list[Finding]:
    """What one detector says, within its time and checked. Raises whatever it raises, and `DetectorError`
    where it gives no answer."""
    return _stated(detector.card, within(detector.card, lambda: detector.inspect(artifact, context)))


def _batch(detector: Detector, artifacts: Sequence[Artifact], context: Context) -> list[list[Finding]]:
    assert isinstance(detector, Batched)
    card, many = detector.card, detector.inspect_many
    try:
        answers = within(card, lambda: many(artifacts, context), times=len(artifacts))
        if len(answers) == len(artifacts):
            return [_stated(card, findings) for findings in answers]
    except Exception:  # noqa: S110  # whatever it was, it comes again from the artifact that causes it
        pass
    return [_inspect(detector, artifact, context) for artifact in artifacts]


def _stated(card: DetectorCard, findings: Sequence[Finding]) -> list[Finding]:
    """What was found, with the error rate that was measured for the detector's main signal."""
    found = checked(findings)
    if card.false_alarms is None:
        return found
    return [
        replace(finding, error_rate=card.false_alarms)
        if finding.state == "scored" and finding.error_rate is None and finding.signal == card.signal
        else finding
        for finding in found
    ]


def checked(findings: Sequence[Finding]) -> list[Finding]:
    """What a detector found, if that is an answer. Raises `DetectorError` where it is none."""
    if not findings:
        raise DetectorError("The detector gave no finding.")
    for finding in findings:
        _check_state(finding)
    return list(findings)


def _check_state(finding: Finding) -> None:
    score, ratio, name = finding.score, finding.likelihood_ratio, f"Signal '{finding.signal}'"
    if score is None:
        if finding.error is None and not finding.inconclusive:
            raise DetectorError(f"{name} has neither score nor error.")
    elif finding.inconclusive:
        raise DetectorError(f"{name} is inconclusive, and has a score all the same.")
    elif not (math.isfinite(score) and 0 <= score <= 1):
        raise DetectorError(f"{name} has the score {score}, which is not in [0, 1].")
    if ratio is not None and not (math.isfinite(ratio) and ratio > 0):
        raise DetectorError(f"{name} has the likelihood ratio {ratio}, which is not a positive number.")
