"""The figures of the report card."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from detectors.evaluation.metrics import auc
from training.toxicity.statistics import balanced_accuracy, calibration_error, interval

RNG = np.random.default_rng(3)
TRUTH = RNG.random(400) < 0.3
SCORES = np.round(np.clip(RNG.random(400) * 0.7 + TRUTH * 0.3, 0, 1), 2)


def test_auc_is_sklearns_ties_included() -> None:
    assert auc(SCORES, TRUTH) == pytest.approx(roc_auc_score(TRUTH, SCORES))


def test_auc_of_one_class_is_none() -> None:
    assert np.isnan(auc(SCORES, np.ones(400, bool)))
    assert np.isnan(auc(SCORES, np.zeros(400, bool)))


def test_balanced_accuracy_is_sklearns() -> None:
    assert balanced_accuracy(SCORES, TRUTH, 0.5) == pytest.approx(
        balanced_accuracy_score(TRUTH, SCORES >= 0.5)
    )


def test_probabilities_that_hold_have_no_calibration_error() -> None:
    scores = np.repeat([0.25, 0.75], 400)
    truth = np.concatenate([np.arange(400) < 100, np.arange(400) < 300])
    assert calibration_error(scores, truth) == pytest.approx(0)
    assert calibration_error(1 - scores, truth) == pytest.approx(0.5)
    assert calibration_error(np.ones(10), np.arange(10) < 5) == pytest.approx(0.5)


def test_an_interval_holds_the_figure_and_widens_with_clusters() -> None:
    alone = interval(auc, SCORES, TRUTH, [str(n) for n in range(400)])
    together = interval(auc, SCORES, TRUTH, [str(n // 80) for n in range(400)])
    assert alone[0] < auc(SCORES, TRUTH) < alone[1]
    assert together[0] <= together[1]
    copies = interval(auc, np.tile(SCORES, 4), np.tile(TRUTH, 4), [str(n % 400) for n in range(1600)])
    assert copies[1] - copies[0] == pytest.approx(alone[1] - alone[0], abs=0.02)
