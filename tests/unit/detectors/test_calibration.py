"""Calibration: what a probability and a likelihood ratio mean, and what they may not claim."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.calibration import Calibration, Isotonic, Platt, fit_isotonic, fit_platt, from_json
from guard.errors import InputError

FITS = (fit_platt, fit_isotonic)


def outputs(n: int, share: float = 0.5, seed: int = 0) -> tuple[list[float], list[int]]:
    """Two normal distributions two apart: the true log likelihood ratio of x is 2 x - 2."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < share).astype(int)
    return list(rng.normal(2.0 * labels)), list(labels)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("share", [0.5, 0.1])
def test_scores_are_probabilities_at_even_odds_whatever_the_mix(fit: object, share: float) -> None:
    calibration: Calibration = fit(*outputs(20_000, share))  # type: ignore[operator]
    for raw in (0.0, 0.5, 1.0, 1.5, 2.0):
        assert calibration.probability(raw) == pytest.approx(1 / (1 + np.exp(2 - 2 * raw)), abs=0.06)


def test_the_ratio_is_how_much_likelier_one_class_makes_the_output() -> None:
    calibration = fit_platt(*outputs(20_000))
    assert calibration.likelihood_ratio(1.0) == pytest.approx(1.0, rel=0.15)
    assert calibration.likelihood_ratio(2.0) == pytest.approx(np.exp(2), rel=0.25)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("n", [4, 40, 400])
def test_it_claims_no_more_than_its_data_can_show(fit: object, n: int) -> None:
    labels = [0, 1] * (n // 2)
    calibration: Calibration = fit(labels, labels)  # type: ignore[operator]
    assert calibration.probability(1e9) <= 1 - 1 / (n / 2 + 2)
    assert calibration.probability(-1e9) >= 1 / (n / 2 + 2)
    assert calibration.likelihood_ratio(1e9) == pytest.approx(n / 2 + 1)


@pytest.mark.parametrize("fit", FITS)
def test_a_higher_output_never_scores_lower(fit: object) -> None:
    calibration: Calibration = fit(*outputs(300))  # type: ignore[operator]
    scores = [calibration.probability(raw) for raw in np.linspace(-9, 9, 200)]
    assert all(a <= b for a, b in pairwise(scores))


def test_outputs_that_say_nothing_give_one_half() -> None:
    labels = [0, 1] * 50
    for calibration in (fit_platt([7.0] * 100, labels), fit_isotonic([7.0] * 100, labels)):
        assert calibration.probability(7.0) == pytest.approx(0.5, abs=1e-6)


def test_outputs_of_any_scale_can_be_fitted() -> None:
    raw, labels = outputs(500)
    small, large = fit_platt([x * 1e-6 + 40 for x in raw], labels), fit_platt([x * 1e6 for x in raw], labels)
    assert small.probability(2e-6 + 40) == pytest.approx(large.probability(2e6), abs=1e-3)


@given(st.floats(allow_nan=False, allow_infinity=True))
def test_every_output_has_a_probability(raw: float) -> None:
    for calibration in (Platt(3.0, -1.0, 0.01), Isotonic((0.0, 1.0), (0.2, 0.8), 0.01)):
        assert 0.01 <= calibration.probability(raw) <= 0.99


@pytest.mark.parametrize("calibration", [Platt(1.5, -0.5, 0.02), Isotonic((0.0, 1.0), (0.25, 0.75), 0.02)])
def test_json_there_and_back(calibration: Calibration) -> None:
    assert from_json(json.loads(json.dumps(calibration.as_json()))) == calibration


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"kind": "spline"},
        {"kind": "platt", "a": 1.0},
        {"kind": "platt", "a": "x", "b": 1, "floor": 0.1},
        {"kind": "isotonic", "x": [0.0], "y": [0.0, 1.0], "floor": 0.1},
        {"kind": "isotonic", "x": [1.0, 0.0], "y": [0.0, 1.0], "floor": 0.1},
        {"kind": "isotonic", "x": [], "y": [], "floor": 0.1},
        {"kind": "isotonic", "x": None, "y": [], "floor": 0.1},
    ],
)
def test_other_json_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(InputError):
        from_json(data)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(
    ("raw", "labels"),
    [([1.0, 2.0], [1, 1]), ([1.0, 2.0], [0, 0]), ([1.0], [0, 1]), ([1.0, float("nan")], [0, 1]), ([], [])],
)
def test_one_class_or_odd_numbers_cannot_be_fitted(fit: object, raw: list[float], labels: list[int]) -> None:
    with pytest.raises(InputError):
        fit(raw, labels)  # type: ignore[operator]
