"""The figures, against ones worked out by other means."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from detectors.evaluation import metrics
from detectors.evaluation.measuring import figures, shape
from detectors.evaluation.resampling import interval
from detectors.evaluation.scoring import Scored


def scored(
    positive: list[bool], score: list[float], source: list[str] | None = None, threshold: float = 0.5
) -> Scored:
    values = np.array(score, np.float64)
    return Scored(
        positive=np.array(positive, bool),
        source=np.array(source or ["a" if each else "z" for each in positive], object),
        raw=values,
        forced=values,
        score=values,
        flagged=values >= threshold,
        trivial=[{"bytes": 1.0} for _ in positive],
    )


def honest(n: int, seed: int = 0, sources: int = 4) -> Scored:
    """Scores that are true probabilities at even odds."""
    rng = np.random.default_rng(seed)
    score = rng.beta(0.8, 0.8, n)
    positive = rng.random(n) < score
    source = [f"{'p' if p else 'n'}{rng.integers(sources)}" for p in positive]
    return scored(list(positive), list(score), source)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40))
def test_auc_is_that_of_mann_and_whitney(rows: list[tuple[bool, int]]) -> None:
    positive = np.array([row[0] for row in rows])
    values = np.array([float(row[1]) for row in rows])
    area = metrics.auc(values, positive)
    if positive.all() or not positive.any():
        assert math.isnan(area)
    else:
        statistic = mannwhitneyu(values[positive], values[~positive]).statistic
        assert area == pytest.approx(statistic / (positive.sum() * (~positive).sum()))


def test_weights_count_as_copies_would() -> None:
    values, positive = np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, True, False, True])
    weights = np.array([2.0, 1.0, 3.0, 2.0])
    copies = np.repeat(np.arange(4), weights.astype(int))
    expected = metrics.auc(values[copies], positive[copies])
    assert metrics.ranking(values, positive)(weights) == pytest.approx(expected)


def test_the_macro_auc_lets_no_large_source_outvote_a_small_one() -> None:
    positive = np.array([True] * 99 + [True] + [False] * 10)
    values = np.array([1.0] * 99 + [0.0] + [0.5] * 10)
    source = np.array(["large"] * 99 + ["small"] + ["real"] * 10, object)
    assert metrics.auc(values, positive) == pytest.approx(0.99)
    assert metrics.macro_ranking(values, positive, source)(np.ones(110)) == pytest.approx(0.5)


def test_each_source_is_measured_against_the_other_class() -> None:
    table = scored([False, False, True, True, True], [0.1, np.nan, 0.9, 0.2, 0.05], ["n", "n", "p", "p", "q"])
    rows = {row["name"]: row for row in metrics.by_source(table)}
    assert rows["n"] | {} == {
        "name": "n", "positive": False, "auc": pytest.approx(2 / 3), "n": 2, "answered": 0.5, "flagged": 0.0
    }  # fmt: skip
    assert (rows["p"]["auc"], rows["p"]["flagged"]) == (1.0, 0.5)
    assert (rows["q"]["auc"], rows["q"]["flagged"]) == (0.0, 0.0)


class TestNominal:
    def test_a_source_nobody_has_seen_raises_more_alarms_than_aimed_at(self) -> None:
        calm, odd = [i / 1_000 for i in range(100)], [0.05 + i / 1_000 for i in range(100)]
        table = scored(
            [False] * 200 + [True] * 10, calm + odd + [0.12] * 10, ["calm"] * 100 + ["odd"] * 100 + ["p"] * 10
        )
        row = metrics.nominal(table, 0.05)
        assert row["realised"] == pytest.approx((0.54 + 0.0) / 2, abs=0.01)
        assert row["caught"] == pytest.approx(0.5)

    def test_one_source_alone_is_halved(self) -> None:
        table = scored([False] * 1_000 + [True], [i / 1_000 for i in range(1_000)] + [2.0])
        row = metrics.nominal(table, 0.05)
        assert row["realised"] == pytest.approx(0.05, abs=0.005)
        assert row["caught"] == 1.0

    def test_a_threshold_that_was_fixed_before_is_kept_to(self) -> None:
        table = scored([False, False, True, True], [0.2, 0.8, 0.7, 0.9])
        assert metrics.nominal(table, 0.01, 0.75) == {"nominal": 0.01, "realised": 0.5, "caught": 0.5}

    @pytest.mark.parametrize("positive", [True, False])
    def test_without_both_classes_there_is_none(self, positive: bool) -> None:
        assert metrics.nominal(scored([positive], [0.5]), 0.05)["realised"] is None

    def test_nor_with_a_single_innocent_item(self) -> None:
        assert metrics.nominal(scored([True, False], [0.5, 0.1]), 0.05)["realised"] is None


class TestCalibration:
    def test_true_probabilities_have_hardly_any_error(self) -> None:
        assert (metrics.calibration_error(honest(20_000)) or 0) < 0.02

    def test_the_mix_of_the_set_does_not_matter(self) -> None:
        table = honest(40_000)
        rare = table.only(~table.positive | (np.arange(40_000) % 10 == 0))
        assert (metrics.calibration_error(rare) or 0) < 0.03

    def test_overconfidence_shows(self) -> None:
        table = scored([True, False] * 500, [0.99] * 1_000)
        assert metrics.calibration_error(table) == pytest.approx(0.49)
        assert metrics.reliability(table) == [
            (pytest.approx(0.99), pytest.approx(0.5), pytest.approx(1.0)),
        ]

    def test_no_answer_has_no_error(self) -> None:
        assert metrics.calibration_error(scored([True, False], [np.nan, np.nan])) is None


def test_what_is_asserted_counts_both_classes_alike() -> None:
    table = scored([True] + [False] * 9, [0.95] + [0.95] + [0.05] * 8)
    said = metrics.asserted(table)
    assert said["positive"] == {"right": pytest.approx(0.9), "share": pytest.approx(5 / 9), "n": 2}
    assert said["negative"] == {"right": 1.0, "share": pytest.approx(4 / 9), "n": 8}
    assert metrics.asserted(scored([True], [0.5]))["positive"]["right"] is None


@pytest.mark.parametrize(
    ("caught", "alarms", "prevalence", "value"),
    [(0.9, 0.1, 0.1, 0.5), (0.9, 0.1, 0.01, 1 / 12), (0.0, 0.0, 0.1, None), (None, 0.1, 0.1, None)],
)
def test_what_a_flag_is_worth_depends_on_how_common_the_class_is(
    caught: float | None, alarms: float, prevalence: float, value: float | None
) -> None:
    worth = metrics.predictive_value(caught, alarms, prevalence)
    assert worth == (None if value is None else pytest.approx(value))


def test_risk_grows_with_coverage_where_confidence_means_something() -> None:
    points = metrics.risk_coverage(honest(5_000))
    assert points[-1][0] == pytest.approx(1.0)
    risk = dict(points)
    low = next(value for coverage, value in risk.items() if coverage > 0.2)
    assert low < 0.1 < points[-1][1]


def test_abstentions_lower_the_coverage() -> None:
    points = metrics.risk_coverage(scored([True, False, True, False], [0.9, 0.1, np.nan, np.nan]))
    assert points[-1] == (pytest.approx(0.5), 0.0)
    assert metrics.risk_coverage(scored([True], [np.nan])) == []


def test_labels_at_random_give_one_half() -> None:
    assert metrics.shuffled_auc(honest(300), 0) == pytest.approx(0.5, abs=0.03)
    assert metrics.shuffled_auc(scored([True], [0.5]), 0) is None


def test_wilsons_interval() -> None:
    assert metrics.wilson(0.0, 10) == pytest.approx((0.0, 0.2775), abs=1e-3)
    assert metrics.wilson(0.5, 100) == pytest.approx((0.4038, 0.5962), abs=1e-3)


class TestResampling:
    @staticmethod
    def mean(values: NDArray[np.float64]) -> object:
        return lambda weights: float((values * weights).sum() / weights.sum())

    def test_items_that_stick_together_widen_it(self) -> None:
        rng = np.random.default_rng(0)
        group = np.repeat(np.arange(8), 25)
        values = rng.normal(size=200) * 0.1 + rng.normal(size=8)[group]
        positive = np.ones(200, bool)
        named = np.array([f"s{number}" for number in group], object)
        alone = np.array([f"i{number}" for number in range(200)], object)
        clustered = interval(self.mean(values), positive, named, 0, 200)  # type: ignore[arg-type]
        by_item = interval(self.mean(values), positive, alone, 0, 200)  # type: ignore[arg-type]
        assert clustered is not None
        assert by_item is not None
        assert clustered[1] - clustered[0] > 3 * (by_item[1] - by_item[0])

    def test_a_figure_that_never_comes_out_has_none(self) -> None:
        found = interval(lambda _: float("nan"), np.array([True]), np.array(["a"], object), 0, 10)
        assert found is None

    def test_the_same_seed_gives_the_same_interval(self) -> None:
        table = honest(200)
        draws = [
            interval(metrics.ranking(table.raw, table.positive), table.positive, table.source, 3, 50)
            for _ in range(2)
        ]
        assert draws[0] == draws[1]


def test_all_figures_of_a_condition_hang_together() -> None:
    report = figures(honest(400), {"0.05": 0.9}, 0)
    assert report["auc_interval"][0] < report["auc"] < report["auc_interval"][1]
    assert report["nominal"][1]["nominal"] == 0.05
    assert report["coverage"] == 1.0
    assert not report["void"]["void"]
    alarms = [row["flagged"] for row in report["sources"] if not row["positive"]]
    assert alarms == sorted(alarms, reverse=True)
    assert report["false_alarms"] == pytest.approx(np.mean(alarms))
    assert len(report["risk_coverage"]) <= 201
    assert sum(report["scores"]["negative"]) + sum(report["scores"]["positive"]) == 400


@pytest.mark.parametrize("positive", [True, False])
def test_one_class_alone_has_no_area_but_shares(positive: bool) -> None:
    report = figures(scored([positive] * 40, [0.7] * 40), {}, 0)
    assert (report["auc"], report["macro_auc"], report["auc_interval"]) == (None, None, None)
    assert [row["flagged"] for row in report["sources"]] == [1.0]
    assert report["void"]["auc"] is None


def test_a_control_that_nobody_answers_has_no_share() -> None:
    assert shape(scored([False], [np.nan])) == {"n": 1, "answered": 0.0, "flagged": None, "interval": None}
