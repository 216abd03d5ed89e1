"""How far a figure may be off: items of one source resemble each other, so sources are drawn, then items."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["TIMES", "interval"]

TIMES = 2_000


def interval(
    figure: Callable[[NDArray[np.float64]], float],
    positive: NDArray[np.bool_],
    source: NDArray[Any],
    seed: int,
    times: int = TIMES,
) -> tuple[float, float] | None:
    """The 95 % interval of `figure`, which takes a weight for each item: how often it was drawn.

    A bootstrap in two steps, within each class: sources with replacement, then as many items of each as it
    has (Davison and Hinkley, 1997, 3.8). None where the figure never came out.
    """
    rng = np.random.default_rng(seed)
    classes = [_groups(np.flatnonzero(side), source) for side in (positive, ~positive)]
    found = np.array([figure(_drawn(classes, len(positive), rng)) for _ in range(times)])
    found = found[np.isfinite(found)]
    if not len(found):
        return None
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def _groups(side: NDArray[np.int64], source: NDArray[Any]) -> list[NDArray[np.int64]]:
    return [side[source[side] == name] for name in sorted(set(source[side]))]


def _drawn(
    classes: list[list[NDArray[np.int64]]], size: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    weights = np.zeros(size)
    for groups in classes:
        for number in rng.integers(len(groups), size=len(groups)) if groups else ():
            items = groups[number]
            np.add.at(weights, items[rng.integers(len(items), size=len(items))], 1)
    return weights
