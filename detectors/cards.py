"""What a reader must know before trusting a detector's score: its card, and the errors measured for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Literal

from guard.errors import DetectorError
from guard.media import Modality

__all__ = ["BUDGET", "DetectorCard", "Measurement", "measurements", "read_report", "reported"]

BUDGET = 60.0
"""Seconds of wall clock that a detector may take for one artifact, unless its card says otherwise."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """How a detector did on one source that it was not trained on, or under one control of real media.

    `answered` is the share of `n` items that it gave a score, `flagged` that which it flagged: what it caught
    where `label` is the positive class ("synthetic", "toxic" …), and its false alarms elsewhere. Both
    lie in [0, 1]; `auc` is the source against all sources of the other class, None where that means nothing.
    """

    name: str
    kind: Literal["source", "control"]
    label: str
    n: int
    answered: float
    flagged: float | None
    auc: float | None = None


@dataclass(frozen=True, slots=True)
class DetectorCard:
    """What a reader must know before trusting a detector's score.

    `signal` is the main signal, `others` are those that the detector gives besides. `calibration` says how
    scores became probabilities and `calibration_set` on what; `abstains` when the detector gives no score.
    `sources` holds the error measured by source and by control, `false_alarms` the share of innocent items
    that are flagged at the threshold, over all sources never trained on; `report` is the report card as the
    evaluation wrote it. `seconds` bounds the wall clock of one answer; None is for detectors whose time is
    bounded by how they work, which then run in the caller's thread.
    """

    id: str
    version: str
    signal: str
    modalities: frozenset[Modality]
    description: str
    licence: str
    data: str = "none"
    calibration: str = "none"
    measured_error: str = "not measured"
    limits: str = ""
    others: tuple[str, ...] = ()
    calibration_set: str = "none"
    abstains: str = "never"
    sources: tuple[Measurement, ...] = ()
    false_alarms: float | None = None
    report: Mapping[str, Any] = field(default_factory=dict, repr=False)
    seconds: float | None = BUDGET

    @property
    def signals(self) -> frozenset[str]:
        """Every signal that the detector may give."""
        return frozenset((self.signal, *self.others))


def read_report(package: str, name: str = "report.json") -> dict[str, Any]:
    """The report card that lies in `package` as a file `name` (a relative path), as it was written.

    Raises `DetectorError` where there is none.
    """
    try:
        report: dict[str, Any] = json.loads(files(package).joinpath(name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DetectorError(
            f"The report card {name} of {package} cannot be read: {type(error).__name__}.",
            "Reinstall the package that it belongs to.",
        ) from error
    return report


def reported(
    report: Mapping[str, Any],
    *,
    id: str,  # noqa: A002, the card's own word
    signal: str,
    modality: Modality,
    others: tuple[str, ...] = (),
    **texts: Any,
) -> DetectorCard:
    """The card of a detector whose weights ship beside the `report` that was measured of them: its version
    names the weights, its errors are the report's, and its texts are `texts` and those under `card` there."""
    return DetectorCard(
        id=id,
        version=f"1+{report['weights']['sha256'][:12]}",
        signal=signal,
        others=others,
        modalities=frozenset({modality}),
        sources=measurements(report),
        false_alarms=report["false_alarms"],
        report=report,
        **texts,
        **report.get("card", {}),
    )


def measurements(report: Mapping[str, Any]) -> tuple[Measurement, ...]:
    """The rows under `measured` in a report card: one for each source, then one for each control."""
    return tuple(Measurement(**row) for row in report.get("measured", ()))
