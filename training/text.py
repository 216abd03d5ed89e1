"""Trains the embedded text detector and writes its weights and report card.

    python -m training.text_sources --prose PROSE
    python -m training.text --data DATA --prose PROSE --out detectors/deepfake/weights

Takes about two minutes of one core. What is left out in turn was fixed in `training/splits/text.json` first.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from detectors.deepfake.text_features import BINS, counts, gate, tokens
from detectors.deepfake.text_model import Model
from training.text_report import Trials, report
from training.text_sources import CHAT, SIMPLIFIED, Passage, load, simplified

__all__ = ["Set", "cross_validated", "train"]

_SELDOM = 5
_STRENGTH = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Set:
    """Passages, the runs of each, (n, BINS), and which of them the detector would answer."""

    passages: Sequence[Passage]
    runs: sparse.csr_matrix
    answered: NDArray[np.bool_]

    @classmethod
    def of(cls, passages: Sequence[Passage]) -> Set:
        """The set of these passages."""
        found = [tokens(passage.text) for passage in passages]
        rows = [counts(each) for each in found]
        ends = np.cumsum([0, *(len(row) for row in rows)])
        places = np.concatenate([np.fromiter(row, np.int32, len(row)) for row in rows])
        values = np.concatenate([np.fromiter(row.values(), np.float64, len(row)) for row in rows])
        matrix = sparse.csr_matrix((values, places, ends), (len(rows), BINS))
        open_to = [not gate(p.text, each) for p, each in zip(passages, found, strict=True)]
        return cls(passages, matrix, np.array(open_to, bool))

    def where(self, generators: Sequence[str], domains: Sequence[str]) -> NDArray[np.bool_]:
        """The passages of these generators and these domains."""
        return np.array([p.generator in generators and p.domain in domains for p in self.passages], bool)


def train(texts: Set, human: NDArray[np.bool_], machine: NDArray[np.bool_]) -> Model:
    """Logistic regression with both classes weighing the same, and all domains of the human side too."""
    domains = np.array([passage.domain for passage in texts.passages])
    weights = machine / machine.sum()
    present = sorted(set(domains[human]))
    for domain in present:
        mine = human & (domains == domain)
        weights[mine] = 1 / len(present) / mine.sum()
    chosen = np.flatnonzero(human | machine)
    runs = texts.runs[chosen]
    seen = np.asarray((runs > 0).sum(axis=0))[0]
    rarity = np.where(seen >= _SELDOM, np.log((1 + len(chosen)) / (1 + seen)) + 1, 0)
    scaled = _scaled(runs, rarity)
    fit = LogisticRegression(C=_STRENGTH, solver="liblinear", max_iter=300, random_state=0).fit(
        scaled, machine[chosen], sample_weight=weights[chosen] * len(chosen) / 2
    )
    weight = np.where(rarity > 0, fit.coef_[0], 0).astype(np.float32)
    return Model(rarity.astype(np.float32), weight, float(fit.intercept_[0]))


def _scaled(runs: sparse.csr_matrix, rarity: NDArray[np.floating[Any]]) -> sparse.csr_matrix:
    weighed = sparse.csr_matrix(runs.multiply(rarity))
    norms = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=1)))[:, 0]
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(norms, 1e-9)) @ weighed)


def cross_validated(texts: Set) -> Trials:
    """The raw answer to every passage by models that saw neither its domain nor its generator.

    Human passages, and generators that do not follow instructions, get the mean of the folds of their domain.
    """
    raw, times = np.zeros(len(texts.passages)), np.zeros(len(texts.passages))
    everyone = sorted({passage.generator for passage in texts.passages})
    domains = sorted({passage.domain for passage in texts.passages})
    for domain in domains:
        others = [other for other in domains if other != domain]
        for left_out in CHAT:
            learnt = [name for name in CHAT if name != left_out]
            model = train(texts, texts.where([""], others), texts.where(learnt, others))
            rows = texts.where([name for name in everyone if name not in learnt], [domain])
            raw[rows] += model.bias + _scaled(texts.runs[rows], model.rarity) @ model.weight
            times[rows] += 1
    return Trials.of(texts.passages, raw / times, texts.answered)


def main() -> None:
    """The command above."""
    parser = argparse.ArgumentParser(description="Train the embedded text detector.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--prose", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    passages = load(args.data, args.prose)
    changed = [replace(p, text=simplified(p.text), generator=SIMPLIFIED) for p in passages if not p.generator]
    texts = Set.of([*passages, *changed])
    folds = cross_validated(texts)
    domains = sorted({passage.domain for passage in passages})
    model = train(texts, texts.where([""], domains), texts.where(CHAT, domains))
    data = model.dump()
    card = report(folds)
    card["weights"] = {"file": "text.npz", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    (args.out / "text.npz").write_bytes(data)
    (args.out / "text.report.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: card[key] for key in ("ranking", "speaking", "false_alarms")}, indent=1))


if __name__ == "__main__":
    main()
