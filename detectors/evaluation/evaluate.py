"""The whole evaluation: collect, look for leaks, score under every condition, measure, report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from detectors.base import Detector
from detectors.cards import Measurement
from detectors.evaluation.changes import Condition, conditions, controls
from detectors.evaluation.items import Collection, Item, collect
from detectors.evaluation.leakage import Seen, read_split
from detectors.evaluation.measuring import figures, shape
from detectors.evaluation.scoring import Scored, score
from detectors.evaluation.verdict import warnings
from guard.errors import GuardError, InputError
from guard.media import Artifact

__all__ = ["Plan", "Report", "run"]

_SAMPLE = 400
_CONTROLLED = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure on: a folder (see `items.collect`), whether to try controls, and the split file of the
    detector's training; `limit` bounds the items of a source."""

    data: Path
    controls: bool = True
    seed: int = 0
    splits: Path | None = None
    limit: int = 1_000


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it, as `report.json` holds it, and where the page is."""

    data: dict[str, Any]
    page: Path

    @property
    def sound(self) -> bool:
        """Whether the first condition passed the void test, or could not be put to it."""
        return not self.data["conditions"][0]["void"]["void"]

    def lines(self) -> list[str]:
        """The upshot for a terminal, warnings first."""
        first = self.data["conditions"][0]
        return [*self.data["warnings"], _upshot(first), f"Report: {self.page}"]

    def summary(self) -> dict[str, Any]:
        """The upshot for a program."""
        first = self.data["conditions"][0]
        keys = ("name", "auc", "macro_auc", "coverage", "caught", "false_alarms", "calibration_error")
        return {
            "detector": self.data["detector"]["id"],
            "sound": self.sound,
            **{key: first[key] for key in keys},
            "warnings": self.data["warnings"],
            "report": str(self.page),
        }


def run(detector: Detector, plan: Plan, out: Path, tell: Callable[[str], None] = lambda _: None) -> Report:
    """Measure `detector` as planned, and write `report.html` and `report.json` into `out`.

    `tell` is told what is being done. Raises `InputError` where the data or the split cannot be used, or
    `out` not be written.
    """
    found = collect(plan.data, detector.card, plan.limit)
    split = read_split(plan.splits) if plan.splits else detector.card.report.get("training", {})
    seen = Seen.of(split)
    leaks = _leaks(found.items, seen) if seen.known else {}
    found = replace(found, items=tuple(item for item in found.items if item.name not in leaks))
    data: dict[str, Any] = {
        "detector": _about(detector, found.signal),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": plan.seed,
        "data": plan.data.name,
        "labels": list(found.labels),
        "items": {"negative": found.sources(False), "positive": found.sources(True)},
        "left_out": found.left_out,
        "leakage": {"checked": seen.known, "found": leaks},
        "conditions": list(_conditions(detector, found, plan, tell)),
        "controls": list(_controls(detector, found, plan, tell)) if plan.controls else [],
    }
    for condition in data["conditions"]:
        found.unreadable.update(condition.pop("unreadable"))
    data["unreadable"] = found.unreadable
    data["measured"] = [asdict(row) for row in _measured(data)]
    data["false_alarms"] = data["conditions"][0]["false_alarms"]
    data["warnings"] = warnings(data)
    return _written(data, out)


def _leaks(items: Sequence[Item], seen: Seen) -> dict[str, str]:
    leaks = {}
    for item in items:
        try:
            why = seen.why(item.artifact())
        except GuardError:
            continue  # counted and named when it is its turn to be scored
        if why:
            leaks[item.name] = why
    return leaks


def _about(detector: Detector, signal: str) -> dict[str, Any]:
    card = detector.card
    return {
        "id": card.id,
        "version": card.version,
        "signal": signal,
        "description": card.description,
        "calibration": card.calibration,
        "calibration_set": card.calibration_set,
        "abstains": card.abstains,
        "limits": card.limits,
    }


def _conditions(
    detector: Detector, found: Collection, plan: Plan, tell: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    thresholds = detector.card.report.get("thresholds", {})
    for condition in _planned(detector, found, plan.seed):
        tell(f"{condition.name}: {len(found.items)} items")
        scored = score(detector, found.signal, found.items, condition.change, plan.seed)
        if not len(scored.positive):
            why = next(iter(scored.unreadable.items()), ("", "nothing was found"))
            raise InputError(
                f"No item could be put to the detector; for one, {why[0]}: {why[1]}.",
                "Give files of a kind that the detector looks at.",
            )
        yield {
            "name": condition.name,
            "note": condition.note,
            "confounded": condition.confounded,
            **figures(scored, thresholds, plan.seed),
        }


def _planned(detector: Detector, found: Collection, seed: int) -> list[Condition]:
    """The conditions for the kind of media that most items are, told from a sample of them."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(found.items))[:_SAMPLE]
    sample = list(_opened([found.items[number] for number in order]))
    kinds = [artifact.modality for artifact in sample if artifact.modality in detector.card.modalities]
    kind = max(set(kinds), key=kinds.count) if kinds else next(iter(sorted(detector.card.modalities)))
    return conditions(kind, found.signal, [artifact for artifact in sample if artifact.modality is kind])


def _opened(items: Sequence[Item]) -> Iterator[Artifact]:
    for item in items:
        try:
            yield item.artifact()
        except GuardError:
            continue  # counted and named when it is its turn to be scored


def _controls(
    detector: Detector, found: Collection, plan: Plan, tell: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """Each control on innocent items, evenly from their sources."""
    items = _evenly([item for item in found.items if not item.positive], _CONTROLLED)
    kinds = [artifact.modality for artifact in _opened(items[:20])]
    if not kinds:
        return
    rows = []
    for name, change in controls(max(set(kinds), key=kinds.count)).items():
        tell(f"control {name}: {len(items)} items")
        scored: Scored = score(detector, found.signal, items, change, plan.seed)
        rows.append({"name": name} | shape(scored))
    yield from sorted(rows, key=lambda row: -(row["flagged"] or 0.0))


def _evenly(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many, one of each source after the other."""
    seen: dict[str, int] = {}
    ranked = []
    for item in items:
        seen[item.source] = seen.get(item.source, 0) + 1
        ranked.append((seen[item.source], item.source, item))
    return [item for _, _, item in sorted(ranked, key=lambda row: row[:2])[:most]]


def _measured(data: dict[str, Any]) -> Iterator[Measurement]:
    """What a detector's card takes from the report: the first condition's sources, and the controls."""
    negative, positive = data["labels"]
    for row in data["conditions"][0]["sources"]:
        label = positive if row["positive"] else negative
        yield Measurement(row["name"], "source", label, row["n"], row["answered"], row["flagged"], row["auc"])
    for row in data["controls"]:
        yield Measurement(row["name"], "control", negative, row["n"], row["answered"], row["flagged"])


def _upshot(first: dict[str, Any]) -> str:
    said = [f"{first['name']}:"]
    for name, key in (("macro AUC", "macro_auc"), ("AUC", "auc")):
        if first[key] is not None:
            low, high = first[f"{key}_interval"] or (float("nan"),) * 2
            said.append(f"{name} {first[key]:.3f} ({low:.2f} to {high:.2f}),")
    for name, key in (("caught", "caught"), ("false alarms", "false_alarms"), ("answered", "coverage")):
        if first[key] is not None:
            said.append(f"{name} {100 * first[key]:.1f} %,")
    return " ".join(said).rstrip(",") + "."


def _written(data: dict[str, Any], out: Path) -> Report:
    from detectors.evaluation.page import page

    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "report.json").write_text(json.dumps(data, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        (out / "report.html").write_text(page(data), encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{out} cannot be written: {error.strerror}.", "Name another folder with --out."
        ) from error
    return Report(data, out / "report.html")
