"""Regret against loops, and its cross-fitted estimate against the truth."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import integrate

from skbadge.inspection import regret
from tests.inspection._frames import constant, frame_of, noisy_frame


def frame_of_values(values, names):
    """A flat curve for each value, of shape (n_datasets, n_strategies, n_repeats)."""
    return pd.concat(
        frame_of(
            {
                name: np.repeat(runs[:, None], 2, axis=1)
                for name, runs in zip(names, one, strict=True)
            },
            [10, 20],
            dataset=f"data{i:03}",
        )
        for i, one in enumerate(values)
    )


def runs_of(frame, at):
    """Strategy -> one value a repeat, of a frame of one setting."""
    runs = frame.pivot(
        index=["strategy", "repeat"], columns="n_labeled", values="score"
    )
    labels = runs.columns.to_numpy()
    values = runs[labels[-1]]
    if at == "area":
        values = integrate.trapezoid(runs, labels, axis=1) / (labels[-1] - labels[0])
    return pd.Series(values, runs.index).unstack()


def cross_fitted(values, strategy):
    """Over all halves and both directions, of values by strategy and repeat."""
    n = values.shape[1]
    regrets = []
    for size in {n // 2, n - n // 2}:
        for choosing in combinations(range(n), size):
            measuring = [r for r in range(n) if r not in choosing]
            best = values[list(choosing)].mean(axis=1).idxmax()
            means = values[measuring].mean(axis=1)
            regrets.append(means[best] - means[strategy])
    return np.mean(regrets)


@pytest.mark.parametrize("n_repeats", [2, 5, 6])
def test_regrets_are_those_of_loops(n_repeats):
    frame = noisy_frame(3, n_repeats=n_repeats, bonus=0.002)
    result = regret(frame)
    assert len(result.by_setting) == 2 * 4 * 2
    for row in result.by_setting.to_dict("records"):
        values = runs_of(frame[frame["dataset"] == row["dataset"]], row["at"])
        means = values.mean(axis=1)
        assert row["best"] == means.idxmax()
        assert row["score"] == pytest.approx(means[row["strategy"]])
        assert row["regret"] == pytest.approx(means.max() - means[row["strategy"]])
        expected = cross_fitted(values, row["strategy"])
        assert row["regret_cross"] == pytest.approx(expected)
        assert (row["first"], row["last"], row["n_repeats"]) == (100, 1600, n_repeats)


def test_the_table_sums_up_the_settings():
    result = regret(noisy_frame(3, n_settings=3))
    for row in result.table.to_dict("records"):
        mine = result.by_setting[
            (result.by_setting["strategy"] == row["strategy"])
            & (result.by_setting["at"] == row["at"])
        ]
        for prefix, column in (("", "regret"), ("cross_", "regret_cross")):
            assert row[prefix + "mean"] == pytest.approx(mine[column].mean())
            assert row[prefix + "median"] == pytest.approx(mine[column].median())
            assert row[prefix + "worst"] == mine[column].max()
        assert row["n_best"] == (mine["strategy"] == mine["best"]).sum()
        assert row["n_settings"] == 3
    areas = result.table[result.table["at"] == "area"]
    assert areas["mean"].is_monotonic_increasing
    assert result.table["strategy"].tolist() == np.repeat(areas["strategy"], 2).tolist()


def test_random_splits_come_near_all_splits():
    frame = noisy_frame(3, n_repeats=12, n_settings=1)
    exact = regret(frame, n_splits=1000).by_setting["regret_cross"]
    pd.testing.assert_series_equal(
        exact, regret(frame, random_state=1).by_setting["regret_cross"]
    )
    drawn = regret(frame, n_splits=500, random_state=0).by_setting["regret_cross"]
    again = regret(frame, n_splits=500, random_state=0).by_setting["regret_cross"]
    pd.testing.assert_series_equal(drawn, again)
    assert not np.allclose(drawn, exact, rtol=1e-9)
    # 500 draws of splits whose regrets spread by about 0.002.
    np.testing.assert_allclose(drawn, exact, atol=4e-4)


def test_truth_lies_between_the_two_estimates():
    # The best is one of eight equals, so that the largest mean is luck alone.
    truth = np.array([0.0] * 8 + [0.05])
    names = [f"s{i}" for i in range(9)]
    rng = np.random.RandomState(0)
    scores = 0.5 - truth[:, None] + 0.03 * rng.normal(size=(120, 9, 6))
    frame = frame_of_values(scores, names)
    table = regret(frame, n_splits=50, random_state=0).table
    table = table[table["at"] == "area"].set_index("strategy").loc[names]
    # The mean of the largest of eight normal numbers is 1.42 of their deviations.
    luck = 1.4236 * 0.03 / np.sqrt(6)
    np.testing.assert_allclose(table["mean"], truth + luck, atol=0.004)
    # Equals are chosen from, so that the other half shows no luck.
    np.testing.assert_allclose(table["cross_mean"], truth, atol=0.004)
    assert (table["cross_mean"] < table["mean"] - 0.8 * luck).all()


def test_cross_fitting_that_chooses_wrongly_is_too_small():
    rng = np.random.RandomState(0)
    truth = np.array([0.0, 0.01])
    scores = -truth[:, None] + 0.03 * rng.normal(size=(300, 2, 4))
    frame = frame_of_values(scores, "ab")
    worse = regret(frame).table.set_index(["strategy", "at"]).loc[("b", "area")]
    assert worse["cross_mean"] < 0.01 < worse["mean"]


def test_strategies_that_are_the_same_have_no_regret():
    runs = 0.5 + 0.1 * np.random.RandomState(0).uniform(size=(5, 3))
    result = regret(frame_of({"a": runs, "b": runs, "c": runs + 1e-17}, [10, 20, 30]))
    assert (result.by_setting["regret"] == 0).all()
    np.testing.assert_allclose(result.by_setting["regret_cross"], 0, atol=1e-15)
    assert (result.table["n_best"] == 1).all()


def test_strategies_tied_on_one_half_share_the_choice():
    # Two repeats: a and b are tied on the first, and differ on the second.
    runs = {"a": [[0.5, 0.5], [0.6, 0.6]], "b": [[0.5, 0.5], [0.8, 0.8]]}
    row = regret(frame_of(runs, [10, 20])).by_setting.set_index(["strategy", "at"])
    # Chosen on the first: 0.7 on average, against 0.6. On the second: b, and 0.5.
    assert row.loc[("a", "area"), "regret_cross"] == pytest.approx((0.1 + 0.0) / 2)
    assert row.loc[("b", "area"), "regret_cross"] == pytest.approx((-0.1 + 0.0) / 2)


def test_a_single_repeat_has_no_cross_fitted_regret():
    result = regret(frame_of({"a": [[0.5, 0.6]], "b": [[0.4, 0.8]]}, [10, 20]))
    assert result.by_setting["regret_cross"].isna().all()
    rows = result.by_setting.set_index(["strategy", "at"])["regret"]
    expected = {("a", "area"): 0.05, ("b", "area"): 0}
    expected |= {("a", "final"): 0.2, ("b", "final"): 0}
    for key, value in expected.items():
        assert rows[key] == pytest.approx(value)


def test_neither_rows_nor_names_of_repeats_matter():
    frame = noisy_frame(3, n_repeats=4)
    shuffled = frame.sample(frac=1, random_state=0)
    shuffled["repeat"] = 9 - shuffled["repeat"]
    before, after = regret(frame), regret(shuffled)
    pd.testing.assert_frame_equal(before.by_setting, after.by_setting)
    pd.testing.assert_frame_equal(before.table, after.table)


def test_what_does_not_compare_is_left_out_and_listed():
    frame = noisy_frame(3, n_settings=3)
    lacks = (frame["dataset"] == "data1") & (frame["strategy"] == "b")
    failed = (frame["dataset"] == "data2") & (frame["strategy"] == "c")
    failed &= (frame["repeat"] == 1) & (frame["n_labeled"] == 500)
    frame.loc[failed, "score"] = np.nan
    result = regret(frame[~lacks])
    assert set(result.by_setting["dataset"]) == {"data0", "data2"}
    rows = result.by_setting.set_index("dataset")["n_repeats"]
    assert (rows["data0"] == 5).all()
    assert (rows["data2"] == 4).all()
    assert result.skipped["reason"].tolist() == [
        "score nan in repeat 1",
        "no run in this setting",
        "1 repeats without complete runs of all",
    ]
    assert set(regret(frame, strategies=["c", "d"]).table["strategy"]) == {"c", "d"}


def test_a_frame_in_which_nothing_compares_is_an_error():
    frame = frame_of({"a": constant(0.5), "b": constant(0.6)}, [10])
    with pytest.raises(ValueError, match="no area over one number of labels"):
        regret(frame)
    with pytest.raises(ValueError, match=r"`strategies` must be one of .* Got 'z'"):
        regret(frame, strategies=["z"])
    with pytest.raises(ValueError, match="`strategies` must name one at least"):
        regret(frame, strategies=[])
    with pytest.raises(ValueError, match="n_splits"):
        regret(frame, n_splits=0)


def test_it_prints_its_table_and_what_was_left_out():
    frame = noisy_frame(3, n_repeats=2)
    found = regret(frame)
    assert "against the best of each setting" in str(found)
    assert "Left out" not in str(found)
    for name in found.table["strategy"]:
        assert name in str(found)
        assert name in found._repr_html_()
    assert repr(found).startswith("<Regret of ")
