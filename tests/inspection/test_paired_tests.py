"""Tests of pairs against SciPy's, and corrections against hand-computed ones."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from skbadge.inspection import paired_tests
from skbadge.inspection._paired_tests import adjust
from tests.inspection._frames import constant, frame_of, noisy_frame


def values_of(frame, at):
    """One value per dataset, strategy and repeat."""
    runs = frame.set_index(["dataset", "strategy", "repeat", "n_labeled"])["score"]
    runs = runs.unstack()
    if at == "area":
        labels = runs.columns.to_numpy()
        width = labels[-1] - labels[0]
        values = integrate.trapezoid(runs, labels, axis=1) / width
        return pd.Series(values, runs.index)
    return runs[runs.columns[-1] if at == "final" else at]


@pytest.mark.parametrize("at", ["area", "final", 400])
@pytest.mark.parametrize("test", ["t", "wilcoxon"])
def test_all_pairs_are_tested_as_scipy_does(at, test):
    frame = noisy_frame(1, n_repeats=8, bonus=0.01)
    values = values_of(frame, at)
    oracle = {"t": stats.ttest_rel, "wilcoxon": lambda a, b: stats.wilcoxon(a - b)}
    tests = paired_tests(frame, at=at, test=test, correction=None)
    assert len(tests) == 2 * 6
    for row in tests.to_dict("records"):
        one, two = (values[row["dataset"], row[name]] for name in ("strategy", "other"))
        expected = oracle[test](one, two)
        assert row["strategy"] < row["other"]
        assert row["mean_difference"] == pytest.approx((one - two).mean())
        assert row["statistic"] == pytest.approx(expected.statistic)
        assert row["p_value"] == row["p_adjusted"] == pytest.approx(expected.pvalue)
        assert (row["n_repeats"], row["n_missing"]) == (8, 0)
        ends = {"area": (100, 1600), "final": (1600, 1600), 400: (400, 400)}[at]
        assert (row["first"], row["last"]) == ends


def test_a_baseline_is_compared_with_the_others():
    frame = noisy_frame(1, bonus=0.03)
    tests = paired_tests(frame, baseline="random")
    assert tests["strategy"].tolist() == ["b", "c", "d"] * 2
    assert (tests["other"] == "random").all()
    better = tests[tests["strategy"] == "b"]
    assert (better["mean_difference"] > 0.02).all()
    assert (better["p_adjusted"] < 0.05).all()
    absent = frame[(frame["dataset"] == "data0") | (frame["strategy"] != "random")]
    assert set(paired_tests(absent, baseline="random")["dataset"]) == {"data0"}


def test_the_family_is_all_rows_of_the_result():
    frame = noisy_frame(1)
    tests = paired_tests(frame, correction="bonferroni")
    expected = np.minimum(12 * tests["p_value"], 1)
    np.testing.assert_allclose(tests["p_adjusted"], expected)


def test_corrections_by_hand():
    p_values = np.array([0.01, 0.04, np.nan, 0.03, 0.005])
    # Sorted: 0.005, 0.01, 0.03, 0.04. Holm multiplies by 4, 3, 2, 1 and never falls;
    # Benjamini and Hochberg by 4/1, 4/2, 4/3, 4/4 and never rises from the end.
    expected = {
        "holm": [0.03, 0.06, np.nan, 0.06, 0.02],
        "bonferroni": [0.04, 0.16, np.nan, 0.12, 0.02],
        "fdr_bh": [0.02, 0.04, np.nan, 0.04, 0.02],
        None: p_values,
    }
    for correction, adjusted in expected.items():
        np.testing.assert_allclose(adjust(p_values, correction), adjusted)
    for correction in ("holm", "bonferroni", "fdr_bh"):
        assert adjust(np.array([0.9, 0.8]), correction).max() <= 1
        assert np.isnan(adjust(np.array([np.nan]), correction)).all()


def test_holm_holds_its_level_where_all_are_equal():
    # 300 families of ten uniform p-values.
    p_values = np.random.RandomState(0).uniform(size=(300, 10))
    rejected = [(adjust(family, "holm") <= 0.1).any() for family in p_values]
    assert sum(rejected) <= stats.binom.isf(1e-4, 300, 0.1)
    assert sum(rejected) >= stats.binom.ppf(1e-4, 300, 1 - 0.99**10)


def test_runs_are_paired_by_repeat_and_those_left_over_are_counted():
    steps = np.array([0.0, 0.1, 0.2, 0.3, 0.4])[:, None]
    random = constant(0.3, 0.5) + steps
    badge = random + np.array([4, 5, 6, 5, 5])[:, None] / 1000
    random[0], badge[3, 1] = np.nan, np.nan
    frame = frame_of({"badge": badge, "random": random}, [100, 200])
    for at in ("area", "final"):
        row = paired_tests(frame, at=at).iloc[0]
        assert (row["n_repeats"], row["n_missing"]) == (3, 2)
        expected = stats.ttest_1samp([0.005, 0.006, 0.005], 0)
        assert row["p_value"] == pytest.approx(expected.pvalue)
    row = paired_tests(frame, at=100).iloc[0]
    assert (row["n_repeats"], row["n_missing"]) == (4, 1)


def test_a_strategy_that_stops_early_is_compared_where_it_was():
    short = constant(0.5, 0.8, np.nan, n_repeats=3)
    full = constant(0.5, 0.7, 0.9, n_repeats=3)
    frame = frame_of({"badge": short, "random": full}, [100, 200, 300])
    row = paired_tests(frame).iloc[0]
    assert (row["first"], row["last"]) == (100, 200)
    assert row["mean_difference"] == pytest.approx(0.05)
    row = paired_tests(frame, at="final").iloc[0]
    assert (row["first"], row["last"]) == (200, 200)
    assert row["mean_difference"] == pytest.approx(0.1)
    row = paired_tests(frame, at=300).iloc[0]
    assert pd.isna(row["first"])
    assert np.isnan(row["p_value"])
    assert (row["n_repeats"], row["n_missing"]) == (0, 3)


@pytest.mark.parametrize("test", ["t", "wilcoxon"])
def test_equal_runs_constant_differences_and_single_repeats(test):
    runs = constant(0.5, 0.7, n_repeats=6)
    rounded = (runs * 3 + 0.3) / 3 - 0.1
    assert (rounded != runs).any()
    curves = {"a": runs, "b": runs, "c": runs + 0.1, "d": rounded, "e": runs[:1]}
    tests = paired_tests(
        frame_of(curves, [100, 200]), at="final", test=test, correction=None
    ).set_index(["strategy", "other"])
    assert tests.loc[("a", "b"), "p_value"] == 1
    assert tests.loc[("a", "d"), "p_value"] == 1
    assert tests.loc[("a", "d"), "mean_difference"] == 0
    expected = 0 if test == "t" else 2 / 2**6
    assert tests.loc[("a", "c"), "p_value"] == expected
    assert tests.loc[("a", "c"), "mean_difference"] == pytest.approx(-0.1)
    assert np.isnan(tests.loc[("a", "e"), "p_value"])
    assert tests.loc[("a", "e"), "n_repeats"] == 1


@pytest.mark.parametrize("unit", [100, 1, 1 / 3, 1e-3, -0.7])
@pytest.mark.parametrize("test", ["t", "wilcoxon"])
def test_the_unit_of_the_score_counts_for_nothing(test, unit):
    # Whole per cents, so that differences are tied, two of them at a time.
    percent = {
        # One run has no score.
        "a": [84, 75, 81, 77, 76, 80, 80, 83, np.nan],
        "b": [82, 73, 80, 75, 74, 82, 78, 82, 80],
    }
    expected, found = (
        paired_tests(
            frame_of(
                {name: np.reshape(x, (-1, 1)) * scale for name, x in percent.items()},
                [100],
            ),
            at="final",
            test=test,
        )
        for scale in (1, unit / 100)
    )
    np.testing.assert_allclose(found["p_value"], expected["p_value"])


def test_one_point_has_no_area_to_test():
    row = paired_tests(frame_of({"a": [[0.5]] * 3, "b": [[0.6]] * 3}, [100])).iloc[0]
    assert row["n_repeats"] == 0
    assert np.isnan(row["p_value"])


def test_one_strategy_has_no_pair():
    assert len(paired_tests(frame_of({"a": [[0.5, 0.6]] * 3}, [100, 200]))) == 0


def test_bad_arguments_are_refused():
    frame = noisy_frame(0)
    for at in ("last", 100.0, None):
        with pytest.raises(ValueError, match=r"'at' parameter .* must be a str among"):
            paired_tests(frame, at=at)
    for at in (150, True):
        with pytest.raises(ValueError, match="`at` must be 'area', 'final' or"):
            paired_tests(frame, at=at)
    for name, value in [("test", "z"), ("correction", "sidak")]:
        with pytest.raises(ValueError, match=f"'{name}' parameter .* a str among"):
            paired_tests(frame, **{name: value})
    with pytest.raises(ValueError, match="`baseline` must be one of"):
        paired_tests(frame, baseline="other")
