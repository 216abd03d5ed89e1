"""What a reader must be warned of before believing an evaluation, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["warnings"]

_LEAST_COVERAGE = 0.8
_MOST_ALARMS = 0.1
_MOST_ERROR = 0.1
_RIGHT = 0.85
_CHANCE = 0.03
_FEW = 30


def warnings(report: dict[str, Any]) -> list[str]:
    """Sentences, what voids the figures first."""
    first = report["conditions"][0]
    return [*_of_the_set(report, first), *_of_the_detector(report, first)]


def _of_the_set(report: dict[str, Any], first: dict[str, Any]) -> Iterator[str]:
    void, items = first["void"], report["items"]
    if void["void"]:
        yield (
            f"VOID: format, size and length alone tell the classes apart (AUC {void['auc']:.3f}, above "
            f"{void['limit']:.2f}; most of all by {void['telling']}, {void['telling_auc']:.3f}). "
            f"All figures below are confounded.{' So few items may show this by chance.' * void['by_chance']}"
        )
    elif not items["positive"] or not items["negative"]:
        name = report["labels"][0 if items["negative"] else 1]
        yield f"There are only '{name}' items: nothing can be said of how well the classes are told apart."
    elif void["auc"] is None:
        yield "There are too few items for the void test: the classes may differ in format, size or length."
    if report["leakage"]["found"]:
        yield (
            f"{len(report['leakage']['found'])} items were seen in training; they are named below and left "
            "out of every figure."
        )
    elif not report["leakage"]["checked"]:
        yield "No training split was given: whether the detector has seen these items is not known."
    for side, label in zip(("negative", "positive"), report["labels"], strict=True):
        if len(items[side]) == 1:
            yield f"All '{label}' items come from one source: intervals are narrower than the truth."
        if 0 < sum(items[side].values()) < _FEW:
            yield f"There are only {sum(items[side].values())} '{label}' items."
    if report["unreadable"]:
        yield f"{len(report['unreadable'])} items could not be used; they are named below."


def _of_the_detector(report: dict[str, Any], first: dict[str, Any]) -> Iterator[str]:
    if first["failures"]:
        name, why = next(iter(first["failures"].items()))
        yield f"The detector failed on {len(first['failures'])} items; for one, {name}: {why}"
    if first["coverage"] < _LEAST_COVERAGE:
        yield (
            f"The detector answers for {100 * first['coverage']:.0f} % of the items only; below "
            f"{100 * _LEAST_COVERAGE:.0f} % its other figures do not count as reached."
        )
    shuffled = first["shuffled_auc"]
    if shuffled is not None and abs(shuffled - 0.5) > _CHANCE:
        yield f"With labels at random the AUC is {shuffled:.2f}, not 0.50: the evaluation itself is at fault."
    worst = max(report["controls"], key=lambda row: row["flagged"] or 0.0, default=None)
    if worst and (worst["flagged"] or 0.0) > _MOST_ALARMS:
        yield (
            f"{100 * worst['flagged']:.0f} % of innocent items are flagged under the control "
            f"'{worst['name']}'."
        )
    error = first["calibration_error"]
    if error is not None and error > _MOST_ERROR and all(report["items"].values()):
        yield f"Scores are off as probabilities by {error:.2f} on average."
    sure = first["asserted"]["positive"]
    if sure["right"] is not None and sure["right"] < _RIGHT and all(report["items"].values()):
        yield (
            f"Where the detector is 90 % sure or more, it is right {100 * sure['right']:.0f} % of the time."
        )
