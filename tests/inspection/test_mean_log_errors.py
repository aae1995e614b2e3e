"""Means of log errors and their standard errors, by hand."""

import numpy as np
import pandas as pd
import pytest

from skbadge.inspection import mean_log_errors
from tests.inspection._frames import frame_of

E = np.e
MAE = "neg_mean_absolute_error"
LABELS = [10, 20, 30]


def errors_frame(curves, n_labeled=LABELS, metric=MAE, **constants):
    """Frame of errors, given as powers of e."""
    scores = {name: -np.exp(np.asarray(runs, float)) for name, runs in curves.items()}
    return frame_of(scores, n_labeled, metric=metric, **constants)


def two_datasets():
    """Logs of errors at 10, 20 and 30 labels; two repeats on two data sets."""
    a = {"lcmd": [[9, 1, 0], [9, 2, 1]], "random": [[9, 2, 2], [9, 2, 4]]}
    b = {"lcmd": [[9, 5, 3], [9, 6, 6]], "random": [[9, 4, 4], [9, 6, 6]]}
    frames = [errors_frame(a, dataset="a"), errors_frame(b, dataset="b")]
    return pd.concat(frames, ignore_index=True)


def row_of(table, strategy="lcmd", **values):
    for name, value in {"strategy": strategy, **values}.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_means_by_hand():
    result = mean_log_errors(two_datasets())
    # Runs of lcmd: 0.5 and 1.5 on a, 4 and 6 on b; of random: 2 and 3, 4 and 6.
    a = row_of(result.by_dataset, dataset="a")
    assert a["mean_log"] == pytest.approx(1.0)
    assert a["difference"] == pytest.approx(-1.5)
    assert a["ratio"] == pytest.approx(E**-1.5)
    assert (a["n_repeats"], a["n_pairs"], a["n_incomplete"]) == (2, 2, 0)
    assert (a["n_steps"], a["n_floored"]) == (2, 0)
    b = row_of(result.by_dataset, dataset="b")
    assert b["mean_log"] == pytest.approx(5.0)
    assert b["difference"] == pytest.approx(0, abs=1e-12)
    total = row_of(result.table)
    assert total["mean_log"] == pytest.approx(3.0)
    assert total["difference"] == pytest.approx(-0.75)
    assert total["ratio"] == pytest.approx(E**-0.75)
    assert (total["n_datasets"], total["n_repeats"]) == (2, 2)
    assert result.skipped.empty


@pytest.mark.parametrize("ddof", [0, 1])
def test_standard_errors_by_hand(ddof):
    result = mean_log_errors(two_datasets(), ddof=ddof)
    # Of two numbers d apart: d / sqrt(2) or d / 2, over sqrt(2).
    halves = 0.5 if ddof == 1 else 0.5 / 2**0.5
    a = row_of(result.by_dataset, dataset="a")
    assert a["sem"] == pytest.approx(1 * halves)
    assert a["difference_sem"] == pytest.approx(0, abs=1e-12)
    b = row_of(result.by_dataset, dataset="b")
    assert b["sem"] == pytest.approx(2 * halves)
    total = row_of(result.table)
    assert total["sem"] == pytest.approx(5**0.5 * halves / 2)
    assert total["difference_sem"] == pytest.approx(1.5 * halves)
    assert total["difference_sem_fixed"] == pytest.approx(0, abs=1e-12)
    random = row_of(result.table, "random")
    assert random["difference_sem"] == random["difference"] == 0
    assert random["sem"] == pytest.approx(5**0.5 * halves / 2)


def test_standard_errors_of_differences_are_paired():
    curves = {"lcmd": [[0, 1], [0, 8], [0, 3]], "random": [[0, 2], [0, 9], [0, 7]]}
    frame = errors_frame(curves, [10, 20])
    row = row_of(mean_log_errors(frame).table)
    assert row["difference"] == pytest.approx(-2)
    assert row["difference_sem_fixed"] == pytest.approx(1.0)
    assert row["sem"] == pytest.approx(np.std([1, 8, 3], ddof=1) / 3**0.5)
    assert np.isnan(row["difference_sem"])


def test_the_start_is_left_out_and_the_end_may_be_taken_alone():
    frame = two_datasets()
    frame.loc[frame["n_labeled"] == 10, "score"] = -1e9
    row = row_of(mean_log_errors(frame).table)
    assert row["mean_log"] == pytest.approx(3.0)
    final = row_of(mean_log_errors(frame, at="final").table)
    assert final["mean_log"] == pytest.approx((0.5 + 4.5) / 2)
    assert final["difference"] == pytest.approx(((-2 - 3) / 2 + (-1 + 0) / 2) / 2)


def test_a_change_of_units_changes_no_ratio():
    frame = two_datasets()
    other = frame.assign(score=frame["score"] * np.where(frame["dataset"] == "a", 9, 1))
    first, second = mean_log_errors(frame).table, mean_log_errors(other).table
    np.testing.assert_allclose(first["ratio"], second["ratio"])
    np.testing.assert_allclose(
        second["mean_log"] - first["mean_log"], np.log(9) / 2, rtol=1e-12
    )


def test_zero_errors_are_raised_to_the_floor_and_counted():
    curves = {"lcmd": [[0, -np.inf, 2]], "random": [[-np.inf, 0, 0]]}
    frame = errors_frame(curves)
    row = row_of(mean_log_errors(frame, floor=E**-4).table)
    assert row["mean_log"] == pytest.approx(-1)
    assert row["n_floored"] == 1
    tiny = mean_log_errors(frame)
    assert row_of(tiny.table)["mean_log"] == pytest.approx(1 - 708.396 / 2, abs=1e-3)
    # The start does not count.
    assert row_of(tiny.table, "random")["n_floored"] == 0
    assert "1 errors were raised to the floor" in str(tiny)


def test_runs_that_lack_a_step_are_left_out_and_told():
    curves = {
        "lcmd": [[0, 1, 1], [0, 5, np.nan], [0, 3, 3]],
        "random": [[0, 2, 2], [0, 2, 2], [0, 2, np.nan]],
    }
    result = mean_log_errors(errors_frame(curves))
    row = row_of(result.by_dataset)
    assert row["mean_log"] == pytest.approx(2)
    assert row["difference"] == pytest.approx(-1)
    assert (row["n_repeats"], row["n_pairs"], row["n_incomplete"]) == (2, 1, 1)
    reasons = result.skipped.set_index("strategy")["reason"]
    assert reasons["lcmd"] == "1 runs lack a step or a finite score"
    assert set(result.skipped["metric"]) == {MAE}
    assert "Left out: 2 things" in str(result)


def test_a_score_that_is_not_finite_makes_a_run_incomplete():
    frame = errors_frame({"lcmd": [[0, 1, 1]] * 2, "random": [[0, 2, 2]] * 2})
    frame.loc[frame["repeat"].eq(1) & frame["n_labeled"].eq(20), "score"] = np.nan
    row = row_of(mean_log_errors(frame).by_dataset)
    assert (row["n_repeats"], row["n_incomplete"]) == (1, 1)


def test_easy_data_sets_alone_make_no_mean():
    easy = {"lcmd": [[0, -5, -5]], "random": [[0, -4, -4]]}
    hard = {"lcmd": [[0, np.nan, np.nan]], "random": [[0, 7, 7]]}
    frame = pd.concat(
        [errors_frame(easy, dataset="a"), errors_frame(hard, dataset="b")]
    )
    result = mean_log_errors(frame)
    row = row_of(result.table)
    assert np.isnan(row["mean_log"])
    assert np.isnan(row["sem"])
    assert row["difference"] == pytest.approx(-1)
    assert row["n_datasets"] == 1
    assert row_of(result.table, "random")["mean_log"] == pytest.approx(1.5)
    # Also if it has no row at all there.
    frame = frame[(frame["dataset"] == "a") | (frame["strategy"] == "random")]
    assert np.isnan(row_of(mean_log_errors(frame).table)["mean_log"])


def test_data_sets_without_the_baseline_have_no_difference():
    with_it = errors_frame({"lcmd": [[0, 1, 1]], "random": [[0, 2, 2]]}, dataset="a")
    without = errors_frame({"lcmd": [[0, 5, 5]]}, dataset="b")
    result = mean_log_errors(pd.concat([with_it, without]))
    row = row_of(result.table)
    assert (row["mean_log"], row["difference"]) == pytest.approx((3, -1))
    assert row["n_datasets"] == 1
    (left_out,) = result.skipped.to_dict("records")
    assert (left_out["dataset"], left_out["strategy"]) == ("b", "lcmd")


def test_models_batch_sizes_and_metrics_are_kept_apart():
    curves = {"lcmd": [[0, 1, 1]], "random": [[0, 2, 2]]}
    other = {"lcmd": [[0, 1, 1]], "random": [[0, 4, 4]]}
    frame = pd.concat(
        [
            errors_frame(curves, model="a"),
            errors_frame(other, model="b"),
            errors_frame(other, model="a", n_query=20),
            errors_frame(other, model="a", metric="neg_max_error"),
            frame_of({"lcmd": [[0.1, 0.5]], "random": [[0.1, 0.5]]}, [10, 20],
                     metric="r2", model="a"),
        ]
    )  # fmt: skip
    result = mean_log_errors(frame)
    found = result.table[result.table["strategy"] == "lcmd"]
    key = ["model", "n_query", "metric"]
    assert found.set_index(key)["difference"].round(9).to_dict() == {
        ("a", 20, MAE): -3,
        ("a", 100, MAE): -1,
        ("a", 100, "neg_max_error"): -3,
        ("b", 100, MAE): -3,
    }
    (left_out,) = result.skipped.to_dict("records")
    assert left_out["metric"] == "r2"
    assert result.ratios().loc[("a", 100, "lcmd"), MAE] == pytest.approx(1 / E)
    assert "<table" in result._repr_html_()
    chosen = mean_log_errors(frame, metric=["neg_max_error"])
    assert set(chosen.table["metric"]) == {"neg_max_error"}


def test_a_single_evaluation_has_no_step():
    frame = errors_frame({"lcmd": [[0]], "random": [[0]]}, [10])
    row = row_of(mean_log_errors(frame).table)
    assert np.isnan(row["mean_log"])
    assert row["n_datasets"] == 0


def test_the_order_of_rows_changes_nothing():
    frame = two_datasets()
    shuffled = frame.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(
        mean_log_errors(frame).table, mean_log_errors(shuffled).table
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"baseline": "best"}, "`baseline` must be one of 'lcmd', 'random'"),
        ({"at": "area"}, "'at' parameter .* a str among"),
        ({"ddof": 2}, "'ddof' parameter .* among {0, 1}"),
        ({"floor": 0}, "'floor' parameter .* a float in the range"),
        ({"metric": "mae"}, "`metric` must be one of"),
        ({"metric": "r2"}, "must be a negated error.*'r2' has a score of 0.5"),
        ({"metric": []}, "`metric` must name negated errors, at least one"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    scores = {"lcmd": [[0.5, 0.5, 0.5]]}
    other = frame_of(scores, LABELS, metric="r2", dataset="a")
    frame = pd.concat([two_datasets(), other])
    with pytest.raises(ValueError, match=message):
        mean_log_errors(frame, **options)


def test_scores_that_are_no_errors_are_refused():
    frame = frame_of({"lcmd": [[0.5, 0.6]], "random": [[0.5, 0.6]]}, [10, 20])
    with pytest.raises(ValueError, match="negated errors, at least one"):
        mean_log_errors(frame)
