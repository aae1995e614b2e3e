"""Mean scores and their errors, against the definitions."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skbadge.inspection import learning_curves
from tests.inspection._frames import frame_of

COLUMNS = [
    *["dataset", "model", "n_query", "metric", "strategy", "n_labeled"],
    *["mean", "sem", "low", "high", "n_repeats", "n_missing"],
]


def test_means_and_standard_errors_by_hand():
    runs = [[0.5, 0.8], [0.6, 0.9], [0.7, 0.7]]
    frame = frame_of({"badge": runs}, [10, 20], dataset="digits", model="mlp")
    curves = learning_curves(frame.assign(metric="accuracy"))
    assert curves.columns.tolist() == COLUMNS
    assert curves["n_labeled"].tolist() == [10, 20]
    np.testing.assert_allclose(curves["mean"], [0.6, 0.8])
    np.testing.assert_allclose(curves["sem"], 0.1 / np.sqrt(3))
    np.testing.assert_allclose(curves["low"], curves["mean"] - 0.1 / np.sqrt(3))
    np.testing.assert_allclose(curves["high"], curves["mean"] + 0.1 / np.sqrt(3))
    assert curves["n_repeats"].tolist() == [3, 3]
    assert curves["n_missing"].tolist() == [0, 0]
    population = learning_curves(frame, ddof=0)
    np.testing.assert_allclose(population["sem"], np.std(runs, axis=0) / np.sqrt(3))


@pytest.mark.parametrize("ddof", [0, 1])
def test_the_interval_is_that_of_student(ddof):
    runs = np.random.RandomState(0).uniform(size=(6, 3))
    frame = frame_of({"badge": runs}, [10, 20, 30])
    curves = learning_curves(frame, confidence=0.9, ddof=ddof)
    for column, run in zip(curves.to_dict("records"), runs.T, strict=True):
        interval = stats.ttest_1samp(run, 0).confidence_interval(0.9)
        assert (column["low"], column["high"]) == pytest.approx(interval)
        assert column["sem"] == pytest.approx(stats.sem(run, ddof=ddof))


def test_one_repeat_has_no_error_to_estimate():
    frame = frame_of({"badge": [[0.5, 0.8]]}, [10, 20])
    for params in ({}, {"confidence": 0.95}):
        curves = learning_curves(frame, **params)
        assert curves["mean"].tolist() == [0.5, 0.8]
        assert curves[["sem", "low", "high"]].isna().all(axis=None)
    assert learning_curves(frame, ddof=0)["sem"].tolist() == [0, 0]


def test_what_is_missing_is_counted():
    runs = [[0.5, 0.7, 0.8], [0.6, 0.8, np.nan], [0.7, np.inf, np.nan]]
    curves = learning_curves(frame_of({"badge": runs}, [10, 20, 30]))
    assert curves["n_repeats"].tolist() == [3, 2, 1]
    assert curves["n_missing"].tolist() == [0, 1, 2]
    np.testing.assert_allclose(curves["mean"], [0.6, 0.75, 0.8])
    np.testing.assert_allclose(curves["sem"], [0.1 / np.sqrt(3), 0.05, np.nan])


def test_a_point_without_a_finite_score_stays():
    for params in ({}, {"ddof": 0}, {"confidence": 0.5}):
        frame = frame_of({"badge": [[0.5, np.inf]]}, [10, 20])
        last = learning_curves(frame, **params).iloc[-1]
        assert last["n_repeats"] == 0
        assert last["n_missing"] == 1
        assert last[["mean", "sem", "low", "high"]].isna().all()


def test_settings_and_strategies_are_kept_apart():
    frame = pd.concat(
        frame_of({"a": [[x]], "b": [[2 * x]]}, [10], n_query=n, dataset=d, model=m)
        for x, (d, m, n) in enumerate(
            [("p", "mlp", 5), ("p", "mlp", 50), ("p", "cnn", 5), ("q", "mlp", 5)]
        )
    )
    curves = learning_curves(frame)
    key = ["dataset", "model", "n_query", "strategy"]
    means = curves.set_index(key)["mean"].to_dict()
    assert len(means) == 8
    assert means["p", "cnn", 5, "a"] == 2
    assert means["q", "mlp", 5, "b"] == 6
    assert means["p", "mlp", 50, "b"] == 2


def test_bad_arguments_are_refused():
    frame = frame_of({"badge": [[0.5]]}, [10])
    with pytest.raises(ValueError, match=r"'ddof' parameter .* among {0, 1}\. Got 2"):
        learning_curves(frame, ddof=2)
    for confidence in (0, 1, 95, "high"):
        with pytest.raises(ValueError, match=r"'confidence' parameter .* float in the"):
            learning_curves(frame, confidence=confidence)
