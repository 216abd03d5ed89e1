"""Balanced accuracy and calibration error, and intervals from a bootstrap over clusters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["balanced_accuracy", "calibration_error", "interval"]

_DRAWS = 1000
Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]


def balanced_accuracy(scores: Floats, truth: Truth, threshold: float) -> float:
    """The mean of the shares of positives at or above the threshold and of negatives below it."""
    return float(((scores[truth] >= threshold).mean() + (scores[~truth] < threshold).mean()) / 2)


def calibration_error(scores: Floats, truth: Truth, bins: int = 10) -> float:
    """Expected calibration error at even odds: both classes weigh one half, ten bins of equal width."""
    weights = np.where(truth, 0.5 / truth.sum(), 0.5 / (~truth).sum())
    place = np.minimum((scores * bins).astype(int), bins - 1)
    gaps = np.bincount(place, weights * (scores - truth), bins)
    return float(np.abs(gaps).sum())


def interval(
    measure: Callable[[Floats, Truth], float], scores: Floats, truth: Truth, clusters: Sequence[str]
) -> list[float]:
    """The middle 95 % of the measure over samples of whole clusters, drawn with replacement."""
    names, place = np.unique(np.asarray(clusters), return_inverse=True)
    sizes = np.bincount(place)
    order = np.argsort(place, kind="stable")
    members = np.split(order, np.cumsum(sizes)[:-1])
    single = sizes.max() == 1
    rng = np.random.default_rng(0)
    values = []
    for _ in range(_DRAWS):
        drawn = rng.integers(len(names), size=len(names))
        rows = order[drawn] if single else np.concatenate([members[n] for n in drawn])
        if truth[rows].any() and not truth[rows].all():
            values.append(measure(scores[rows], truth[rows]))
    return [round(float(value), 3) for value in np.percentile(values, [2.5, 97.5])]
