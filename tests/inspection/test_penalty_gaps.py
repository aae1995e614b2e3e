"""What a penalty matrix leaves out, and that it says so."""

import numpy as np
import pandas as pd
import pytest

from skbadge.inspection import penalty_matrix
from tests.inspection._frames import constant, frame_of


def reasons(result):
    return dict(zip(result.skipped["dataset"], result.skipped["reason"], strict=True))


def test_settings_that_contribute_nothing_say_why():
    rise = constant(0.5, 0.6, 0.8, n_repeats=2)
    flat = constant(0.8, 0.8, 0.8, n_repeats=2)
    torn = rise.copy()
    torn[0, 0] = torn[1, 2] = np.nan
    random = {"fine": rise, "flat": flat, "torn": torn, "below": rise - 1}
    frames = [
        frame_of({"b": rise, "random": runs}, [100, 200, 300], dataset=name)
        for name, runs in random.items()
    ]
    frames.append(frame_of({"b": rise, "c": rise}, [100, 200, 300], dataset="none"))
    frame = pd.concat(frames)
    result = penalty_matrix(frame, error="one_minus")
    assert result.n_settings == 1
    assert result.budgets["dataset"].unique().tolist() == ["fine"]
    found = reasons(result)
    assert set(found) == {"flat", "torn", "below", "none", "fine"}
    assert "near its final score with 100 labels" in found["flat"]
    assert "no complete run of 'random'" in found["torn"]
    assert "negative" in found["below"]
    assert "no run of 'random'" in found["none"]
    row = result.skipped[result.skipped["dataset"] == "fine"].iloc[0]
    assert (row["strategy"], row["reason"]) == ("c", "no run in this setting")
    assert result.matrix.loc["c"].isna().tolist() == [True, False, True]
    assert np.isnan(result.column_average["c"])


def test_a_budget_without_evaluation_is_left_out_and_reported():
    rise = constant(0.5, 0.55, 0.6, 0.7, 0.8, n_repeats=2)
    frame = frame_of({"b": rise + 0.01, "random": rise}, [100, 200, 310, 500, 900])
    result = penalty_matrix(frame)
    assert result.budgets["n_labeled"].tolist() == [200, 500, 900]
    np.testing.assert_allclose(result.budgets["weight"], 1 / 3)
    assert result.skipped["n_labeled"].tolist() == [300]
    assert "no evaluation" in result.skipped["reason"][0]
    assert result.matrix.loc["b", "random"] == pytest.approx(1)
    # The script goes on past a budget at which random was not evaluated.
    script = penalty_matrix(frame, "script")
    assert script.budgets["n_labeled"].tolist() == [100, 200, 500]


def test_a_pair_that_is_missing_at_a_budget_earns_nothing_and_is_reported():
    rise = constant(0.5, 0.6, 0.7, 0.8, n_repeats=2)
    short = rise + 0.01
    short[1, 2] = np.nan
    short[:, 3] = np.nan
    curves = {"b": short, "random": rise, "c": rise - 0.01}
    result = penalty_matrix(frame_of(curves, [100, 200, 300, 500]))
    np.testing.assert_allclose(result.budgets["weight"], 1 / 3)
    assert result.matrix.loc["b", "random"] == pytest.approx(1 / 3)
    assert result.compared.loc["b", "random"] == pytest.approx(1 / 3)
    assert result.matrix.loc["random", "c"] == pytest.approx(1)
    skipped = result.skipped[["n_labeled", "strategy", "other"]]
    assert skipped.to_numpy().tolist() == [
        [300, "b", "c"],
        [300, "b", "random"],
        [500, "b", "c"],
        [500, "b", "random"],
    ]
    assert result.skipped["reason"].str[0].tolist() == ["1", "1", "0", "0"]


def test_scores_that_are_not_finite_are_reported():
    rise = constant(0.5, 0.6, 0.8, n_repeats=3)
    frame = frame_of({"b": rise, "random": rise}, [100, 200, 300])
    frame.loc[1, "score"] = np.inf
    row = penalty_matrix(frame).skipped.iloc[0]
    assert (row["strategy"], row["n_labeled"]) == ("b", 200)
    assert row["reason"] == "score inf in repeat 0"


def test_the_baseline_of_incomplete_runs_is_not_their_mean():
    # The third run fails early, at a low score that would move the mean.
    random = constant(0.5, 0.6, 0.795, 0.8, n_repeats=3)
    random[2] = [0.5, 0.6, 0.6, np.nan]
    frame = frame_of({"b": random, "random": random}, [100, 200, 300, 500])
    assert penalty_matrix(frame).budgets["n_labeled"].tolist() == [200, 300]


def test_the_start_may_be_given():
    rise = constant(0.4, 0.5, 0.6, 0.7, 0.8, n_repeats=2)
    frame = frame_of({"b": rise, "random": rise}, [50, 100, 200, 300, 500])
    assert penalty_matrix(frame).budgets["n_labeled"].tolist() == []
    result = penalty_matrix(frame, n_initial=100)
    assert result.budgets["n_labeled"].tolist() == [200, 300, 500]
    script = penalty_matrix(frame, "script", n_initial=100)
    assert script.budgets["n_labeled"].tolist() == [100, 200, 300]


def test_the_start_of_the_script_counts_even_if_random_is_done():
    flat = constant(0.8, 0.8, 0.8, n_repeats=2)
    frame = frame_of({"b": flat + 0.01, "random": flat}, [100, 200, 300])
    assert penalty_matrix(frame).n_settings == 0
    result = penalty_matrix(frame, "script")
    assert result.budgets["n_labeled"].tolist() == [100]
    assert result.matrix.loc["b", "random"] == 1
