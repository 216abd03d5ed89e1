"""From a detector's raw output to a probability, and to how many times likelier one class makes it.

Both maps are fitted with the two classes weighing the same, on sources that the detector was not trained
on, so what they give is the probability at even prior odds, and the likelihood ratio is p / (1 - p). Whoever
knows how common the class is multiplies the ratio with those odds. Neither map claims more than the data it
was fitted on can show: with n items in the smaller class, no probability comes closer to 0 or 1 than
1 / (n + 2).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from guard.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Calibration", "Isotonic", "Platt", "fit_isotonic", "fit_platt", "from_json"]

_STEPS = 100
_SURE = 1e-9


@dataclass(frozen=True, slots=True)
class Platt:
    """p = 1 / (1 + exp(-(a · raw + b))), kept within [floor, 1 - floor] (Platt, 1999)."""

    a: float
    b: float
    floor: float = 0.001
    kind: Literal["platt"] = "platt"

    def probability(self, raw: float) -> float:
        """The probability at even odds."""
        return _kept(1 / (1 + math.exp(-max(-500.0, min(500.0, self.a * raw + self.b)))), self.floor)

    def likelihood_ratio(self, raw: float) -> float:
        """How many times likelier the positive class makes this output."""
        return _ratio(self.probability(raw))

    def as_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Isotonic:
    """A rising line through the points (x, y), kept within [floor, 1 - floor] (Zadrozny and Elkan, 2002)."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    floor: float = 0.001
    kind: Literal["isotonic"] = "isotonic"

    def __post_init__(self) -> None:
        if not self.x or len(self.x) != len(self.y) or any(b <= a for a, b in zip(self.x, self.x[1:])):  # noqa: B905
            raise InputError("An isotonic calibration needs as many y as x, and x that rises.")

    def probability(self, raw: float) -> float:
        """The probability at even odds."""
        right = bisect_right(self.x, raw)
        if right in (0, len(self.x)):
            return _kept(self.y[max(0, right - 1)], self.floor)
        x0, x1, y0, y1 = *self.x[right - 1 : right + 1], *self.y[right - 1 : right + 1]
        return _kept(y0 + (y1 - y0) * (raw - x0) / (x1 - x0), self.floor)

    def likelihood_ratio(self, raw: float) -> float:
        """How many times likelier the positive class makes this output."""
        return _ratio(self.probability(raw))

    def as_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        return asdict(self)


Calibration: TypeAlias = Platt | Isotonic


def from_json(data: Mapping[str, Any]) -> Calibration:
    """The calibration that `as_json` wrote. Raises `InputError` for anything else."""
    try:
        match data["kind"]:
            case "platt":
                return Platt(float(data["a"]), float(data["b"]), float(data["floor"]))
            case "isotonic":
                x, y = (tuple(map(float, data[axis])) for axis in ("x", "y"))
                return Isotonic(x, y, float(data["floor"]))
            case other:
                raise InputError(f"There is no calibration of the kind {other!r}.")
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"This is no calibration: {type(error).__name__}: {error}.") from error


def fit_platt(raw: Sequence[float], labels: Sequence[int]) -> Platt:
    """The sigmoid that fits best, by Newton's method on Platt's smoothed targets (Lin, Lin and Weng, 2007).

    `labels` are 1 for the positive class and 0 for the other. Raises `InputError` where a class is missing.
    """
    import numpy as np

    x, truth, weights, floor = _prepared(raw, labels)
    centre, scale = float(x.mean()), float(x.std()) or 1.0
    design = np.stack([(x - centre) / scale, np.ones_like(x)])
    targets = np.where(truth, 1 - 1 / (truth.sum() + 2), 1 / ((~truth).sum() + 2))
    beta = np.zeros(2)
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-np.clip(beta @ design, -500, 500)))
        slope = design @ (weights * (p - targets))
        bend = (design * (weights * p * (1 - p))) @ design.T + _SURE * np.eye(2)
        step = np.linalg.solve(bend, slope)
        beta -= step / max(1.0, float(np.abs(step).max()))
        if float(np.abs(step).max()) < _SURE:
            break
    return Platt(float(beta[0]) / scale, float(beta[1] - beta[0] * centre / scale), floor)


def fit_isotonic(raw: Sequence[float], labels: Sequence[int]) -> Isotonic:
    """The rising step function that fits best, with a line between the middles of its steps.

    Needs hundreds of items of each class; with fewer, `fit_platt`. Raises as that does.
    """
    import numpy as np
    from scipy.optimize import isotonic_regression

    x, truth, weights, floor = _prepared(raw, labels)
    values, place = np.unique(x, return_inverse=True)
    mass = np.bincount(place, weights)
    share = np.bincount(place, weights * truth) / mass
    fit = isotonic_regression(share, weights=mass)
    middles = [(values[a], values[b - 1]) for a, b in zip(fit.blocks, fit.blocks[1:])]  # noqa: B905
    heights = fit.x[fit.blocks[:-1]]
    points = [(x, y) for ends, y in zip(middles, heights, strict=True) for x in sorted(set(map(float, ends)))]
    return Isotonic(tuple(x for x, _ in points), tuple(float(y) for _, y in points), floor)


def _prepared(
    raw: Sequence[float], labels: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64], float]:
    """Outputs, classes, weights that give both classes one half, and the floor that they allow."""
    import numpy as np

    x, truth = np.asarray(raw, np.float64), np.asarray(labels).astype(bool)
    positive = int(truth.sum())
    if x.shape != truth.shape or x.ndim != 1 or not np.isfinite(x).all():
        raise InputError("Calibration needs one finite number and one label for each item.")
    if positive in (0, x.size):
        raise InputError("Calibration needs items of both classes.")
    weights = np.where(truth, 0.5 / positive, 0.5 / (x.size - positive))
    return x, truth, weights, 1 / (min(positive, x.size - positive) + 2)


def _kept(p: float, floor: float) -> float:
    return min(1 - floor, max(floor, p))


def _ratio(p: float) -> float:
    return p / (1 - p)
