"""What 8 bits cost: the network in full precision, and with its weights rounded more coarsely."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from detectors.evaluation.metrics import auc
from detectors.toxicity.wordpiece import Vocabulary
from training.toxicity.network import Network, scores
from training.toxicity.sources import LABELS, Example

__all__ = ["losses"]

Logits = NDArray[np.float64]


def losses(
    network: Network, examples: Sequence[Example], vocabulary: Vocabulary, shipped: Logits
) -> dict[str, Any]:
    """How far the `shipped` logits of the examples are from those in full precision, and by label how much
    AUC is lost to them and to one scale a row or a matrix, for activations in full precision."""
    texts = [example.text for example in examples]
    full = scores(network, texts, vocabulary).astype(float)
    rough = {
        name: scores(_rounded(network, scale), texts, vocabulary).astype(float)
        for name, scale in (("one scale a row", _by_row), ("one scale a matrix", _by_matrix))
    }
    gaps = np.abs(full - shipped)
    return {
        "mean_logit_gap": round(float(gaps.mean()), 4),
        "worst_logit_gap": round(float(gaps.max()), 4),
        "auc_in_full_precision": _areas(examples, full),
        "auc_lost": {
            name: {
                label: round(whole - found, 4)
                for (label, whole), found in zip(
                    _areas(examples, full).items(), _areas(examples, kind).values(), strict=True
                )
            }
            for name, kind in ({"as shipped": shipped} | rough).items()
        },
    }


def _areas(examples: Sequence[Example], logits: Logits) -> dict[str, float]:
    found = {}
    for number, label in enumerate(LABELS):
        known = [row for row, example in enumerate(examples) if example.targets[number] is not None]
        truth = np.array([(examples[row].targets[number] or 0) >= 0.5 for row in known])
        found[label] = round(auc(logits[known, number], truth), 4)
    return found


def _by_row(weight: Tensor) -> Tensor:
    return weight.abs().amax(dim=1, keepdim=True)


def _by_matrix(weight: Tensor) -> Tensor:
    return weight.abs().amax()


def _rounded(network: Network, largest: Callable[[Tensor], Tensor]) -> Network:
    """The network with every matrix of its layers, and its word embeddings, rounded to 255 steps."""
    rough = copy.deepcopy(network)
    for name, weight in rough.named_parameters():
        if weight.ndim == 2 and not name.startswith("head"):
            scale = largest(weight.data) / 127
            weight.data = (weight.data / scale).round() * scale
    return rough
