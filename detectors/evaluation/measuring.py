"""The figures of one condition, as a report holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from detectors.evaluation import metrics
from detectors.evaluation.resampling import interval
from detectors.evaluation.scoring import Scored
from detectors.evaluation.trivial import LIMIT, void_test

__all__ = ["figures", "shape"]

_RATES = (0.01, 0.05)
_PREVALENCES = (0.01, 0.1)
_POINTS = 200


def figures(scored: Scored, thresholds: Mapping[str, float], seed: int) -> dict[str, Any]:
    """Everything a report says of one condition; None stands where a figure needs both classes."""
    known = scored.only(scored.answered)
    down = metrics.shares(scored, ~scored.positive)
    up = metrics.shares(scored, scored.positive)
    return {
        "void": _void(scored, seed),
        **_areas(known, seed),
        "made_to_answer": _forced(scored, seed),
        "sources": [_bounded(row) for row in _worst_first(metrics.by_source(scored))],
        "coverage": float(scored.answered.mean()) if len(scored.answered) else 0.0,
        "caught": up["flagged"],
        "false_alarms": _mean_alarms(scored),
        "pooled_false_alarms": down["flagged"],
        "nominal": [metrics.nominal(scored, rate, thresholds.get(str(rate))) for rate in _RATES],
        "calibration_error": metrics.calibration_error(scored),
        "reliability": metrics.reliability(scored),
        "asserted": metrics.asserted(scored),
        "predictive_value": {
            str(share): metrics.predictive_value(up["flagged"], down["flagged"], share)
            for share in _PREVALENCES
        },
        "risk_coverage": _thinned(metrics.risk_coverage(scored)),
        "shuffled_auc": metrics.shuffled_auc(scored, seed),
        "scores": {
            name: _histogram(scored, positive) for name, positive in (("negative", False), ("positive", True))
        },
        "abstentions": scored.abstentions,
        "failures": scored.failures,
        "unreadable": scored.unreadable,
    }


def shape(scored: Scored) -> dict[str, Any]:
    """The figures of a control: all its items are innocent."""
    row = metrics.shares(scored, np.ones(len(scored.positive), bool))
    return _bounded(row)


def _areas(known: Scored, seed: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, figure in (
        ("auc", metrics.ranking(known.raw, known.positive)),
        ("macro_auc", metrics.macro_ranking(known.raw, known.positive, known.source)),
    ):
        value = figure(np.ones(len(known.raw)))
        found[name] = value if np.isfinite(value) else None
        bounds = interval(figure, known.positive, known.source, seed) if np.isfinite(value) else None
        found[f"{name}_interval"] = bounds
    return found


def _forced(scored: Scored, seed: int) -> dict[str, Any] | None:
    """How well the detector ranks when it may not abstain for doubt; None where it never did."""
    known = scored.only(np.isfinite(scored.forced))
    if len(known.forced) == int(scored.answered.sum()):
        return None
    return {"share": len(known.forced) / len(scored.forced), **_areas(replace(known, raw=known.forced), seed)}


def _void(scored: Scored, seed: int) -> dict[str, Any]:
    test = void_test(scored.trivial, scored.positive, seed)
    return {
        "auc": test.auc,
        "limit": LIMIT,
        "void": test.void,
        "by_chance": test.by_chance,
        "telling": test.telling,
        "telling_auc": test.telling_auc,
    }


def _worst_first(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Innocent sources by false alarms, then the others by what escapes."""
    for row in rows:
        row["auc"] = row["auc"] if np.isfinite(row["auc"]) else None
    bad = {False: -1.0, True: 1.0}
    return sorted(rows, key=lambda row: (row["positive"], bad[row["positive"]] * (row["flagged"] or 0.0)))


def _bounded(row: dict[str, Any]) -> dict[str, Any]:
    bounds = None if row["flagged"] is None else metrics.wilson(row["flagged"], row["n"])
    return row | {"interval": bounds}


def _mean_alarms(scored: Scored) -> float | None:
    """The share of innocent items flagged, every source counting the same."""
    rows = [row for row in metrics.by_source(scored) if not row["positive"] and row["flagged"] is not None]
    return float(np.mean([row["flagged"] for row in rows])) if rows else None


def _histogram(scored: Scored, positive: bool) -> list[int]:
    values = scored.score[scored.answered & (scored.positive == positive)]
    return [int(count) for count in np.histogram(values, bins=20, range=(0, 1))[0]]


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    step = max(1, len(points) // _POINTS)
    return points[step - 1 :: step]
