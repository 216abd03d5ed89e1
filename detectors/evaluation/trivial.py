"""The void test: whether the classes can be told apart without looking at what the items show.

A set of pictures whose real half is JPEG and whose synthetic half is PNG lets any detector shine that notices
the difference. So a model of format, size and length alone, tried on items that it was not fitted to, must do
no better than an AUC of 0.60; else the set is void and what is measured on it is confounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.evaluation.metrics import auc
from detectors.quality import edge
from guard.errors import GuardError
from guard.media import Artifact, Modality

__all__ = ["LIMIT", "VoidTest", "features", "void_test"]

LIMIT = 0.60
_FEWEST = 15
_FOLDS = 5
_BINS = 6
_RIDGE = 1.0

Row = dict[str, float | str]


@dataclass(frozen=True, slots=True)
class VoidTest:
    """How well the trivial model did, and which of its features does most alone. `auc` is None where there
    were too few items of a class to try; `spread` is its standard deviation where nothing tells the classes
    apart."""

    auc: float | None
    telling: str | None = None
    telling_auc: float | None = None
    spread: float = 0.0

    @property
    def void(self) -> bool:
        """Whether the set is void."""
        return self.auc is not None and self.auc > LIMIT

    @property
    def by_chance(self) -> bool:
        """Whether so few items could have come to this by chance."""
        return self.auc is not None and self.auc < 0.5 + 1.96 * self.spread


def features(artifact: Artifact) -> Row:
    """What can be told of an item without looking at what it shows."""
    row: Row = {"bytes": float(len(artifact.data)), "format": artifact.mime}
    try:
        row |= _shape(artifact)
    except (GuardError, StopIteration):
        row["format"] = f"{artifact.mime}, broken"
    return row


def _shape(artifact: Artifact) -> Row:
    if artifact.modality is Modality.TEXT:
        text = artifact.text
        return {"characters": float(len(text)), "words": float(len(text.split())), "lines": text.count("\n")}
    if artifact.modality is Modality.IMAGE:
        height, width = artifact.picture.rgb().shape[:2]
        bits = 8 * len(artifact.data) / (width * height)
        return {"width": width, "height": height, "aspect": width / height, "bits a pixel": bits}
    if artifact.modality is Modality.AUDIO:
        block = next(iter(artifact.sound_blocks()))
        mono = block.data.mean(axis=1, dtype=np.float32)
        return {"seconds": artifact.duration, "rate": block.rate, "bandwidth": edge(mono, block.rate)}
    frame = next(artifact.frames()).pixels
    return {"seconds": artifact.duration, "width": frame.shape[1], "height": frame.shape[0]}


def void_test(rows: Sequence[Row], positive: NDArray[np.bool_], seed: int) -> VoidTest:
    """Fits an additive model of all features to four fifths of the items and tries it on the rest, five
    times over: ridge logistic regression on each feature's sixths, so that no scale has to be guessed."""
    up, down = int(positive.sum()), int((~positive).sum())
    if min(up, down) < _FEWEST:
        return VoidTest(None)
    folds = list(_folds(positive, seed))
    names = sorted({name for row in rows for name in row})
    whole = _tried(rows, names, positive, folds)
    alone = {name: _tried(rows, [name], positive, folds) for name in names}
    telling = max(alone, key=lambda name: alone[name])
    # Of the rank sum (Mann and Whitney, 1947).
    spread = ((up + down + 1) / (12 * up * down)) ** 0.5
    return VoidTest(whole, telling, alone[telling], spread)


def _folds(positive: NDArray[np.bool_], seed: int) -> Iterator[NDArray[np.bool_]]:
    """Which items each round holds back, a fifth of each class."""
    from sklearn.model_selection import StratifiedKFold

    for _, held in StratifiedKFold(_FOLDS, shuffle=True, random_state=seed).split(positive, positive):
        yield np.isin(np.arange(len(positive)), held)


def _tried(
    rows: Sequence[Row], names: Sequence[str], positive: NDArray[np.bool_], folds: Sequence[NDArray[np.bool_]]
) -> float:
    """Mean AUC over the folds."""
    areas = []
    for held in folds:
        design = np.concatenate([_coded([row.get(name) for row in rows], ~held) for name in names], axis=1)
        weights = _fitted(design[~held], positive[~held])
        areas.append(auc(design[held] @ weights, positive[held]))
    return float(np.mean(areas))


def _coded(values: Sequence[Any], fit: NDArray[np.bool_]) -> NDArray[np.float64]:
    """One column for each word that occurs, or for each sixth of the numbers."""
    if any(isinstance(value, str) for value in values):
        words = sorted({str(value) for value in values})
        return np.array([[float(str(value) == word) for word in words] for value in values])
    numbers = np.array([np.nan if value is None else float(value) for value in values])
    known = numbers[fit & np.isfinite(numbers)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1])) if known.size else np.zeros(0)
    bins = np.where(np.isfinite(numbers), np.searchsorted(edges, numbers, side="right"), len(edges) + 1)
    return np.eye(len(edges) + 2)[bins]


def _fitted(design: NDArray[np.float64], positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    from sklearn.linear_model import LogisticRegression

    # The design's columns of a feature add up to one: an intercept would say nothing more.
    model = LogisticRegression(C=1 / _RIDGE, class_weight="balanced", fit_intercept=False)
    weights: NDArray[np.float64] = model.fit(design, positive).coef_[0]
    return weights
