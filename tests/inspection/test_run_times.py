"""Median times of rounds, against times written out."""

import numpy as np
import pandas as pd
import pytest

from skbadge.inspection import run_times


def experiment(**changes):
    """Two metrics, which measure the same rounds."""
    rows = [
        {
            "strategy": strategy,
            "n_query": 10,
            "repeat": repeat,
            "n_labeled": 10 + 10 * i,
            "metric": metric,
            "score": 0.5,
            "fit_time": factor * (1 + i),
            "query_time": factor * (0.1 * i + 0.01 * repeat),
        }
        for strategy, factor in (("badge", 10.0), ("random", 1.0))
        for repeat in range(2)
        for i in range(3)
        for metric in ("accuracy", "neg_log_loss")
    ]
    return pd.DataFrame(rows).assign(**changes)


def test_times_are_medians_and_the_first_round_has_no_query():
    times = run_times(experiment())
    assert times["strategy"].tolist() == ["badge", "random"]
    np.testing.assert_allclose(times["fit_time"], [20, 2])
    # Of 0.1, 0.2, 0.11 and 0.21: the rounds at the start would make it less.
    np.testing.assert_allclose(times["query_time"], [1.55, 0.155])
    assert "score_time" not in times


def test_a_round_counts_once_however_many_metrics_it_has():
    frame = experiment()
    # One metric of the slowest round only, so that counting rows would weigh it less.
    slow = (frame["n_labeled"] == 30) & (frame["metric"] == "accuracy")
    pd.testing.assert_frame_equal(run_times(frame[~slow]), run_times(frame))


def test_times_of_scoring_are_there_if_they_are_known():
    times = run_times(experiment(score_time=3.0))
    assert times["score_time"].tolist() == [3.0, 3.0]


@pytest.mark.parametrize("name", ["fit_time", "query_time", "score_time"])
def test_times_may_be_empty_cells_of_a_file(tmp_path, name):
    frame = experiment(score_time=0.5)
    frame[name] = frame[name].astype(object)
    path = tmp_path / "results.csv"
    frame.assign(**{name: ""}).to_csv(path, index=False)
    found = run_times(path)
    assert found[name].isna().all()
    expected = run_times(frame).drop(columns=name)
    pd.testing.assert_frame_equal(found.drop(columns=name), expected)


@pytest.mark.parametrize("name", ["fit_time", "query_time"])
def test_times_that_are_unknown_are_missing(name):
    assert run_times(experiment().drop(columns=name))[name].isna().all()
