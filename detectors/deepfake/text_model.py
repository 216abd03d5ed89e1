"""The embedded text detector's weights and arithmetic: one weight for each bin of runs, in NumPy."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from detectors.deepfake.text_features import Token, counts, runs

__all__ = ["Model", "load", "shipped"]

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Logistic regression on runs weighed by rarity, each window's at length one.

    `rarity` and `weight` are (BINS,), 0 where training saw a bin too seldom.
    """

    rarity: Array
    weight: Array
    bias: float

    def logit(self, window: Sequence[Token]) -> float:
        """The window's log-odds, above 0 toward synthetic."""
        found = counts(window)
        places = np.fromiter(found, np.int64, len(found))
        values = np.fromiter(found.values(), np.float64, len(found)) * self.rarity[places]
        return self.bias + float(values @ self.weight[places]) / (float(np.linalg.norm(values)) or 1.0)

    def contributions(self, window: Sequence[Token]) -> Array:
        """What each token adds to the window's log-odds, (tokens,): its share of each run that it is in.

        They and the bias add up to the log-odds.
        """
        found = counts(window)
        norm = float(np.linalg.norm([value * self.rarity[place] for place, value in found.items()])) or 1.0
        each = runs(window)
        times = np.bincount([place for *_, place in each], minlength=len(self.weight))
        added = np.zeros(len(window), np.float32)
        for start, size, place in each:
            part = found[place] * self.rarity[place] * self.weight[place] / (norm * times[place] * size)
            added[start : start + size] += part
        return added

    def dump(self) -> bytes:
        """The model as an npz file."""
        file = io.BytesIO()
        np.savez_compressed(file, rarity=self.rarity, weight=self.weight, bias=np.float64(self.bias))
        return file.getvalue()


def load(data: bytes) -> Model:
    """The model that `Model.dump` wrote."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return Model(arrays["rarity"], arrays["weight"], float(arrays["bias"]))


def shipped() -> Model:
    """The model beside this file."""
    return load(files(__package__).joinpath("weights", "text.npz").read_bytes())
