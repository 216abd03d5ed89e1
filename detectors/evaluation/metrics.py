"""The figures of an evaluation. Scores are probabilities at even odds, as are all shares that mix classes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from detectors.evaluation.scoring import Scored

__all__ = [
    "asserted",
    "auc",
    "by_source",
    "calibration_error",
    "even",
    "macro_ranking",
    "nominal",
    "predictive_value",
    "ranking",
    "reliability",
    "risk_coverage",
    "shares",
    "shuffled_auc",
    "wilson",
]

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

_BINS = 10


def ranking(values: Numbers, positive: Flags) -> Callable[[Numbers], float]:
    """Takes a weight for each item and gives the chance that a positive one ranks above a negative one, ties
    counting half; NaN without both."""
    distinct, place = np.unique(values, return_inverse=True)

    def area(weights: Numbers) -> float:
        up = np.bincount(place, weights * positive, len(distinct))
        down = np.bincount(place, weights * ~positive, len(distinct))
        pairs = up.sum() * down.sum()
        return float((up * (np.cumsum(down) - 0.5 * down)).sum() / pairs) if pairs else float("nan")

    return area


def auc(values: Numbers, positive: Flags) -> float:
    """The chance that a positive item ranks above a negative one, ties counting half; NaN without both."""
    return ranking(values, positive)(np.ones(len(values)))


def macro_ranking(values: Numbers, positive: Flags, source: NDArray[Any]) -> Callable[[Numbers], float]:
    """Takes a weight for each item and gives the mean over positive sources of the AUC of each against all
    negative items."""
    chosen = [~positive | (source == name) for name in sorted(set(source[positive]))]
    areas = [(mask, ranking(values[mask], positive[mask])) for mask in chosen]

    def mean(weights: Numbers) -> float:
        found = [area(weights[mask]) for mask, area in areas]
        known = [area for area in found if np.isfinite(area)]
        return float(np.mean(known)) if known else float("nan")

    return mean


def by_source(scored: Scored) -> list[dict[str, Any]]:
    """A row for each source: items, share answered, share flagged, AUC against the other class."""
    rows = []
    for is_positive in (False, True):
        side = scored.positive == is_positive
        for name in sorted(set(scored.source[side])):
            mine = side & (scored.source == name)
            chosen = (mine | ~side) & scored.answered
            area = auc(scored.raw[chosen], scored.positive[chosen])
            rows.append({"name": str(name), "positive": is_positive, "auc": area, **shares(scored, mine)})
    return rows


def shares(scored: Scored, chosen: Flags) -> dict[str, Any]:
    """How many there are, which share has a score, and which share is flagged: of all, since who abstains
    raises no alarm. None where nothing has a score."""
    answered, n = chosen & scored.answered, int(chosen.sum())
    flagged = float(scored.flagged[answered].sum() / n) if answered.any() else None
    return {"n": n, "answered": float(answered.sum() / n) if n else 0.0, "flagged": flagged}


def nominal(scored: Scored, rate: float, threshold: float | None = None) -> dict[str, float | None]:
    """What comes of aiming at a false alarm `rate`: the alarms that were realised, and the share caught.

    Without a threshold that was fixed before, each negative source's alarms are those at the threshold that
    the other negative sources set, as for a source that nobody has seen; one source alone is halved.
    """
    known = scored.answered
    down, up = scored.raw[known & ~scored.positive], scored.raw[known & scored.positive]
    if not len(down) or not len(up):
        return {"nominal": rate, "realised": None, "caught": None}
    if threshold is not None:
        probability = scored.score[known]
        over, truth = probability >= threshold, scored.positive[known]
        return {"nominal": rate, "realised": float(over[~truth].mean()), "caught": float(over[truth].mean())}
    groups = scored.source[known & ~scored.positive]
    if len(set(groups)) == 1:
        groups = np.arange(len(down)) % 2
    alarms, caught = [], []
    for name in sorted(set(groups)):
        others = down[groups != name]
        if not len(others):
            continue
        limit = np.quantile(others, 1 - rate, method="higher")
        alarms.append((down[groups == name] > limit).mean())
        caught.append((up > limit).mean())
    if not alarms:
        return {"nominal": rate, "realised": None, "caught": None}
    return {"nominal": rate, "realised": float(np.mean(alarms)), "caught": float(np.mean(caught))}


def even(positive: Flags) -> Numbers:
    """Weights under which both classes count the same, and all items together 1."""
    up, down = max(1, int(positive.sum())), max(1, int((~positive).sum()))
    weights = np.where(positive, 1 / up, 1 / down)
    return np.asarray(weights / weights.sum() if len(weights) else weights, np.float64)


def reliability(scored: Scored) -> list[tuple[float, float, float]]:
    """For each tenth of the range of scores that occurs: mean score, share that is positive, and weight."""
    known = scored.answered
    probability, truth = scored.score[known], scored.positive[known]
    weights = even(truth)
    bins = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    rows = []
    for number in range(_BINS):
        inside = bins == number
        mass = float(weights[inside].sum())
        if mass:
            mean = float((weights * probability)[inside].sum() / mass)
            rows.append((mean, float((weights * truth)[inside].sum() / mass), mass))
    return rows


def calibration_error(scored: Scored) -> float | None:
    """The expected calibration error: how far score and share lie apart, on average over the items."""
    rows = reliability(scored)
    return sum(mass * abs(mean - share) for mean, share, mass in rows) if rows else None


def asserted(scored: Scored, sure: float = 0.9) -> dict[str, Any]:
    """How often the detector is `sure` either way, how often it is right then, and how many items that is."""
    known = scored.answered
    answer: dict[str, Any] = {"at": sure}
    for name, over, truth in (
        ("positive", scored.score >= sure, scored.positive),
        ("negative", scored.score <= 1 - sure, ~scored.positive),
    ):
        weights = even(scored.positive)
        chosen = known & over
        mass = float(weights[chosen].sum())
        right = float(weights[chosen & truth].sum() / mass) if mass else None
        answer[name] = {"right": right, "share": mass, "n": int(chosen.sum())}
    return answer


def predictive_value(caught: float | None, alarms: float | None, prevalence: float) -> float | None:
    """The share of flagged items that are positive where `prevalence` of all are."""
    if caught is None or alarms is None:
        return None
    flagged = caught * prevalence + alarms * (1 - prevalence)
    return caught * prevalence / flagged if flagged else None


def risk_coverage(scored: Scored) -> list[tuple[float, float]]:
    """(coverage, risk) as ever less certain answers are let through: risk is the share of them that is wrong,
    coverage the share of all items; both at even odds."""
    known = scored.answered
    if not known.any():
        return []
    weights = even(scored.positive)[known]
    wrong = (scored.score[known] >= 0.5) != scored.positive[known]
    order = np.argsort(-np.abs(scored.score[known] - 0.5), kind="stable")
    mass = np.cumsum(weights[order])
    risk = np.cumsum((weights * wrong)[order]) / mass
    return list(zip(mass.tolist(), risk.tolist(), strict=True))


def wilson(share: float, n: float) -> tuple[float, float]:
    """The 95 % interval of a share of `n` items (Wilson, 1927)."""
    z = 1.96
    middle, width = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, (middle - width) / (1 + z * z / n)), min(1.0, (middle + width) / (1 + z * z / n))


def shuffled_auc(scored: Scored, seed: int, times: int = 200) -> float | None:
    """The mean AUC against labels at random: 0.5 where nothing in the harness favours a class."""
    known = scored.answered
    rng = np.random.default_rng(seed)
    truth = scored.positive[known]
    areas = [auc(scored.raw[known], rng.permutation(truth)) for _ in range(times)]
    return float(np.mean(areas)) if truth.any() and not truth.all() else None
