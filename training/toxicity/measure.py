"""What the shipped detector does on texts that it was not trained on, as its report card."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.calibration import Calibration, fit_isotonic, fit_platt
from detectors.evaluation.metrics import auc
from training.toxicity.controls import dialects, names, scraps
from training.toxicity.functional import grown, tweets, written
from training.toxicity.sources import LABELS, Example
from training.toxicity.statistics import balanced_accuracy, calibration_error, interval

__all__ = ["THRESHOLD", "calibration_set", "calibrations", "report", "steering_halves", "test_sets"]

Logits = NDArray[np.float64]
THRESHOLD = 0.5
_CALIBRATED_EACH = 600
_MADLIBS = 2000
_FROM_FAMILIES = ("insult", "threat")
_ADJECTIVE = re.compile(
    r"^(?:\S+ is an? \S+ (?P<a>.+)|being (?P<b>.+) is \S+|(?:\S+) (?P<c>.+))$", re.IGNORECASE
)


def steering_halves() -> tuple[list[Example], list[Example]]:
    """The steering test's sentences to calibrate on, and those to see how well that holds in-domain."""
    found = grown("steering", seed=2, each=60)
    return found[::2], found[1::2]


def calibration_set(validation: Mapping[str, Sequence[Example]]) -> list[Example]:
    """As many examples of every source, so that none of them alone says what a score means."""
    return _alike([*validation.values(), steering_halves()[0]])


def _alike(sources: Sequence[Sequence[Example]]) -> list[Example]:
    rng = random.Random(11)
    return [e for found in sources for e in rng.sample(list(found), min(_CALIBRATED_EACH, len(found)))]


def calibrations(examples: Sequence[Example], logits: Logits) -> list[Calibration]:
    """One per label, on the examples that say something of it.

    Labels that grown sentences alone teach are found or missed altogether, and no sigmoid fits such outputs.
    """
    found: list[Calibration] = []
    for number, name in enumerate(LABELS):
        raw, truth = _known(examples, logits, number)
        fit = fit_isotonic if name in _FROM_FAMILIES else fit_platt
        found.append(fit(raw.tolist(), truth.astype(int).tolist()))
    return found


def test_sets(test: Mapping[str, Sequence[Example]]) -> dict[str, list[Example]]:
    """By name what the report measures on: sources first, then controls of harmless texts."""
    rng = random.Random(12)
    madlibs = test["madlibs"]
    names_adj = [example for example in madlibs if example.key == "name_adj"]
    rest = [example for example in madlibs if example.key != "name_adj"]
    casual, plain = dialects(test["davidson"])
    sentences = written()
    return {
        "davidson": list(test["davidson"]),
        "toxigen": list(test["toxigen"]),
        "implicit_hate": list(test["implicit_hate"]),
        "grown": grown("held_out", seed=3, each=60),
        "written": sentences,
        "labelled tweets": tweets(test["davidson"]),
        "madlibs": [*rng.sample(names_adj, _MADLIBS), *rest],
        "like the calibration": _alike(
            [test["davidson"], test["toxigen"], test["implicit_hate"], test["bold"], steering_halves()[1]]
        ),
        "encyclopaedia": list(test["bold"]),
        "news": rng.sample(list(test["news"]), 1000),
        "names": names(),
        "scraps": scraps(),
        "short answers": [e for e in sentences if e.key == "short and harmless"],
        "everyday talk": [e for e in sentences if e.key == "everyday talk"],
        "sentences in dialect": [e for e in sentences if e.key == "dialect"],
        "tweets with dialect markers": list(casual),
        "tweets without dialect markers": list(plain),
    }


_CONTROLS = (
    "encyclopaedia",
    "news",
    "names",
    "scraps",
    "short answers",
    "everyday talk",
    "sentences in dialect",
    "tweets with dialect markers",
    "tweets without dialect markers",
)
_COUNTED = (
    "davidson",
    "toxigen",
    "implicit_hate",
    "grown",
    "written",
    "madlibs",
    "encyclopaedia",
    "news",
    "names",
)
_FUNCTIONAL = ("grown", "written")


def report(
    sets: Mapping[str, Sequence[Example]],
    logits: Mapping[str, Logits],
    fits: Sequence[Calibration],
) -> dict[str, Any]:
    """The measured part of the report card: rows for the card, and figures with intervals by set and label.

    `false_alarms` is the share of harmless texts that are flagged, the mean over the sources and the large
    controls.
    """
    probabilities = {
        name: np.array([[p.probability(raw) for p, raw in zip(fits, row, strict=True)] for row in found])
        for name, found in logits.items()
    }
    figures = {
        name: {
            label: found
            for number, label in enumerate(LABELS)
            if (found := _figures(sets[name], probabilities[name], number))
        }
        for name in sets
        if name not in _CONTROLS
    }
    innocent = [_innocent(sets[name], probabilities[name]) for name in _COUNTED]
    return {
        "false_alarms": round(float(np.mean([found.mean() for found in innocent])), 4),
        "measured": _rows(sets, probabilities),
        "figures": figures,
        "functional": {name: _families(sets[name], probabilities[name]) for name in _FUNCTIONAL},
        "identities": _identities(sets["madlibs"], logits["madlibs"][:, 0]),
    }


def _innocent(examples: Sequence[Example], p: Logits) -> NDArray[np.bool_]:
    scores, truth = _known(examples, p, 0)
    return (scores >= THRESHOLD)[~truth]


def _known(examples: Sequence[Example], values: Logits, number: int) -> tuple[Logits, NDArray[np.bool_]]:
    targets = np.array([np.nan if (t := e.targets[number]) is None else t for e in examples])
    known = ~np.isnan(targets)
    return values[known, number], targets[known] >= THRESHOLD


def _figures(examples: Sequence[Example], p: Logits, number: int) -> dict[str, Any] | None:
    scores, truth = _known(examples, p, number)
    if min(truth.sum(), (~truth).sum()) < 20:
        return None
    clusters = [_cluster(e) for e in examples if e.targets[number] is not None]
    at_threshold = partial(balanced_accuracy, threshold=THRESHOLD)
    return {
        "n": int(truth.size),
        "positive": int(truth.sum()),
        "auc": round(auc(scores, truth), 3),
        "auc_95": interval(auc, scores, truth, clusters),
        "balanced_accuracy": round(at_threshold(scores, truth), 3),
        "balanced_accuracy_95": interval(at_threshold, scores, truth, clusters),
        "caught": round(float((scores[truth] >= THRESHOLD).mean()), 3),
        "false_alarms": round(float((scores[~truth] >= THRESHOLD).mean()), 3),
        "calibration_error": round(calibration_error(scores, truth), 3),
    }


def _cluster(example: Example) -> str:
    return _identity(example.text) if example.source == "madlibs" else example.key


def _rows(sets: Mapping[str, Sequence[Example]], probabilities: Mapping[str, Logits]) -> list[dict[str, Any]]:
    """Rows as `detectors.cards.Measurement` has them, on the main signal."""
    rows = []
    for name, examples in sets.items():
        if name == "like the calibration":
            continue
        scores, truth = _known(examples, probabilities[name], 0)
        area = auc(scores, truth)
        for label, found in (("toxic", scores[truth]), ("clean", scores[~truth])):
            if found.size:
                rows.append(
                    {
                        "name": name,
                        "kind": "control" if name in _CONTROLS else "source",
                        "label": label,
                        "n": int(found.size),
                        "answered": 1.0,
                        "flagged": round(float((found >= THRESHOLD).mean()), 4),
                        "auc": None if np.isnan(area) else round(area, 3),
                    }
                )
    return rows


def _families(examples: Sequence[Example], p: Logits) -> dict[str, dict[str, float]]:
    """By family of a functional test and by label, the share on the right side of the threshold."""
    found: dict[str, dict[str, float]] = {}
    for family in dict.fromkeys(example.key for example in examples):
        rows = [number for number, example in enumerate(examples) if example.key == family]
        found[family] = {}
        for number, label in enumerate(LABELS):
            scores, truth = _known([examples[row] for row in rows], p[rows], number)
            if truth.size:
                found[family][label] = round(float(((scores >= THRESHOLD) == truth).mean()), 3)
    return found


def _identity(text: str) -> str:
    found = _ADJECTIVE.match(text)
    assert found is not None
    return str(next(filter(None, found.groups()))).lower()


def _identities(examples: Sequence[Example], scores: Logits) -> dict[str, dict[str, float]]:
    """Subgroup, BPSN and BNSP AUC of each identity (Borkan et al. 2019) over templates never trained on."""
    examples, scores = _about_people(examples, scores)
    truth = np.array([example.targets[0] == 1.0 for example in examples])
    about = np.array([_identity(example.text) for example in examples])
    found = {}
    for identity in np.unique(about):
        inside = about == identity
        found[str(identity)] = {
            "subgroup": round(auc(scores[inside], truth[inside]), 3),
            "bpsn": round(auc(scores[inside ^ truth], truth[inside ^ truth]), 3),
            "bnsp": round(auc(scores[inside == truth], truth[inside == truth]), 3),
        }
    return found


def _about_people(examples: Sequence[Example], scores: Logits) -> tuple[list[Example], Logits]:
    rows = [number for number, example in enumerate(examples) if example.key != "you_occupation"]
    return [examples[number] for number in rows], scores[rows]
