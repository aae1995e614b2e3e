"""Savings against loops, their intervals against a simulation, and what is censored."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.isotonic import isotonic_regression

from skbadge.inspection import label_efficiency, labels_saved
from skbadge.inspection._frame import ScoreTable
from skbadge.inspection._labels_saved import _interval, _resampled_medians
from skbadge.inspection._saving import setting_savings
from tests.inspection._frames import constant, frame_of, noisy_frame

N_LABELED = np.arange(20, 260, 20)


def first_labels(n_labeled, curve, score):
    """Labels at which a curve that does not fall is first at a score; None if never."""
    for k, value in enumerate(curve):
        if value >= score - 1e-12:
            if k == 0:
                return n_labeled[0]
            share = (score - curve[k - 1]) / (value - curve[k - 1])
            return n_labeled[k - 1] + min(share, 1) * (n_labeled[k] - n_labeled[k - 1])
    return None


def simulated(savings, seed, *, n_repeats, model="model", noise=0.01):
    """Runs that need a share of the labels of random, one data set for each saving."""
    rng = np.random.RandomState(seed)
    frames = []
    for i, saving in enumerate(savings):
        of_split = 0.01 * rng.normal(size=(n_repeats, 1))
        curves = {}
        for name, share in (("badge", 1 - saving), ("random", 1)):
            mean = 0.9 - 0.6 * np.exp(-N_LABELED / share / 100)
            errors = noise * rng.normal(size=(n_repeats, len(N_LABELED)))
            curves[name] = mean + of_split + errors
        frames.append(frame_of(curves, N_LABELED, dataset=f"data{i:03}", model=model))
    return pd.concat(frames, ignore_index=True)


def one(frame, **parameters):
    """The only row of a result."""
    (row,) = labels_saved(frame, random_state=0, **parameters).to_dict("records")
    return row


def test_half_the_labels_are_a_saving_of_one_half():
    curve = constant(0.3, 0.5, 0.8, 0.85, 0.9, n_repeats=3)
    n_labeled = np.array([40, 80, 200, 300, 500])
    frame = pd.concat(
        [
            frame_of({"random": curve}, n_labeled),
            frame_of({"badge": curve}, n_labeled // 2),
        ]
    )
    targets = [100, 0.5, 0.8, 477, "final"]
    saved = labels_saved(frame, targets=targets, random_state=0)
    assert saved["target"].tolist() == targets
    for name in ("saving", "at_least", "at_most", "low", "high"):
        np.testing.assert_allclose(saved[name], 0.5)
    counts = saved[["n_never", "n_at_start", "n_left_out"]]
    assert (counts == 0).all(axis=None)
    assert (saved[["n_settings", "n_datasets", "n_repeats"]] == [1, 1, 3]).all(
        axis=None
    )


def test_savings_are_those_of_loops():
    frame = noisy_frame(2, bonus=0.01)
    saved = labels_saved(frame, targets=[500, 0.3, "final"], random_state=0)
    places = {500: 500, 0.3: 480, "final": 1600}
    n_exact = 0
    for row in saved.to_dict("records"):
        mine = frame[frame["dataset"] == row["dataset"]]
        means = mine.groupby(["strategy", "n_labeled"])["score"].mean().unstack()
        labels = means.columns.to_numpy()
        curves = {name: isotonic_regression(x) for name, x in means.iterrows()}
        score = np.interp(places[row["target"]], labels, curves["random"])
        divisor = first_labels(labels, curves["random"], score)
        needed = first_labels(labels, curves[row["strategy"]], score)
        assert row["n_never"] == (needed is None)
        if needed is None:
            assert np.isnan(row["saving"])
            assert row["at_least"] == -np.inf
            assert row["at_most"] == pytest.approx(1 - 1600 / divisor)
        else:
            n_exact += 1
            assert row["saving"] == pytest.approx(1 - needed / divisor)
            assert row["saving"] == row["at_least"] == row["at_most"]
    assert n_exact >= 12


def test_a_share_of_the_last_number_is_that_number():
    frame = noisy_frame(2)
    share = labels_saved(frame, targets=[0.25], random_state=0)
    number = labels_saved(frame, targets=[400], random_state=0)
    pd.testing.assert_frame_equal(
        share.drop(columns="target"), number.drop(columns="target")
    )


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.int8, np.uint64])
def test_targets_may_be_numbers_of_any_type(kind):
    frame = noisy_frame(2)
    target = 0.25 if issubclass(kind, np.floating) else 100
    expected = labels_saved(frame, targets=[target], random_state=0)
    for targets in ([kind(target)], np.array([target], kind)):
        found = labels_saved(frame, targets=targets, random_state=0)
        pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_the_end_is_where_label_efficiency_has_it():
    frame = noisy_frame(2, bonus=0.02)
    # The end of a curve that is its greatest score is that of its regression.
    end = np.where(frame["strategy"] == "random", 0.91, 0.93)
    frame["score"] = frame["score"].where(frame["n_labeled"] < 1600, end)
    saved = labels_saved(frame, targets=["final"], random_state=0)
    efficiency = label_efficiency(frame, targets=[1.0], monotone=True)
    efficiency = efficiency[efficiency["strategy"] != "random"]
    np.testing.assert_allclose(saved["saving"], 1 - efficiency["ratio"])
    assert saved["saving"].max() > 0.05


def test_resamples_are_those_of_loops():
    rng = np.random.RandomState(0)
    n_labeled = np.array([10, 20, 30, 50])
    scores = np.cumsum(rng.uniform(size=(2, 5, 4)), axis=2)
    setting = {"dataset": "data", "model": "model", "n_query": 10}
    table = ScoreTable(setting, ["badge", "random"], np.arange(5), n_labeled, scores)
    uniforms = rng.uniform(size=(40, 5))
    savings = setting_savings(table, "random", [25, "final"], uniforms)
    for target, place in ((25, 25), ("final", 50)):
        bounds = savings["badge", target].bounds
        drawn = [np.arange(5), *(uniforms * 5).astype(int)]
        for b, repeats in enumerate(drawn):
            mine, theirs = (
                isotonic_regression(scores[i, repeats].mean(axis=0)) for i in (0, 1)
            )
            score = np.interp(place, n_labeled, theirs)
            needed = first_labels(n_labeled, mine, score)
            divisor = first_labels(n_labeled, theirs, score)
            if needed is None:
                expected = [-np.inf, 1 - 50 / divisor]
            elif score <= mine[0]:
                expected = [1 - 10 / divisor, 1]
            else:
                expected = [1 - needed / divisor] * 2
            if score > theirs[0]:
                np.testing.assert_allclose(bounds[:, b], expected)


def test_resampled_medians_are_those_of_loops():
    rng = np.random.RandomState(0)
    owners = np.array([0, 0, 1, 2, 2, 2])
    bounds = rng.normal(size=(6, 1, 31)) + np.array([[-0.5], [0.5]])
    bounds[rng.uniform(size=bounds.shape) < 0.3] = -np.inf
    bounds[:, 1] = np.abs(bounds[:, 1].clip(-2, 2))
    drawn = rng.uniform(size=(2, 30, 5))
    medians = _resampled_medians(bounds, owners, drawn)
    for b in range(30):
        chosen = [
            bounds[setting, :, 1 + int(drawn[1, b, k] * 30)]
            for k in range(3)
            for setting in np.flatnonzero(owners == int(drawn[0, b, k] * 3))
        ]
        np.testing.assert_allclose(medians[:, b], np.median(chosen, axis=0))
    alone = _resampled_medians(bounds[3:], np.zeros(3, dtype=int), drawn)
    np.testing.assert_array_equal(alone, np.median(bounds[3:, :, 1:], axis=0))


@pytest.mark.parametrize("n", [5, 20])
def test_percentiles_are_those_of_student_for_a_normal_sample(n):
    # The bootstrap's standard deviation of a mean lacks the root of n / (n - 1).
    quantiles = stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    medians = np.stack([quantiles, quantiles + 10]) * np.sqrt((n - 1) / n)
    low, high = _interval(medians, n, 0.9)
    width = stats.t.ppf(0.95, n - 1)
    shift = 10 * np.sqrt((n - 1) / n)
    np.testing.assert_allclose([low, high], [-width, width + shift], rtol=2e-3)


def test_intervals_of_settings_cover_the_truth():
    n = 150
    frame = simulated([0.3] * n, 0, n_repeats=6)
    saved = labels_saved(frame, n_bootstrap=200, confidence=0.9, random_state=0)
    for _, rows in saved.groupby("target"):
        covered = (rows["low"] <= 0.3) & (rows["high"] >= 0.3)
        # Two draws in a thousand would lie outside of these.
        assert stats.binom.ppf(1e-3, n, 0.9) <= covered.sum() < n
        assert abs(rows["saving"].median() - 0.3) < 0.02


def test_intervals_of_groups_cover_the_median_of_all_data_sets():
    n, size = 60, 8
    savings = 0.2 + 0.1 * np.random.RandomState(1).normal(size=n * size)
    frame = simulated(savings, 0, n_repeats=4)
    groups = {f"data{i:03}": f"group{i // size:02}" for i in range(n * size)}
    saved = labels_saved(
        frame, targets=[0.5], by=groups, n_bootstrap=200, confidence=0.9, random_state=0
    )
    assert (saved[["n_settings", "n_datasets"]] == size).all(axis=None)
    covered = ((saved["low"] <= 0.2) & (saved["high"] >= 0.2)).sum()
    assert covered >= stats.binom.ppf(1e-3, n, 0.9)
    # They are of the size of Student's interval, and not of the whole range.
    width = 2 * stats.t.ppf(0.95, size - 1) * 0.1 / np.sqrt(size)
    assert width < (saved["high"] - saved["low"]).median() < 2.2 * width


def test_equal_strategies_save_nothing():
    saved = labels_saved(
        simulated([0.0] * 40, 0, n_repeats=4), by=[], n_bootstrap=200, random_state=0
    )
    assert saved.columns[0] == "metric"
    assert len(saved) == 2
    assert (saved["saving"].abs() < 0.03).all()
    assert (saved["low"] < 0).all()
    assert (saved["high"] > 0).all()


def test_a_curve_that_never_gets_there_has_a_saving_below_a_number():
    curves = {"random": constant(0.5, 0.7, 0.8, n_repeats=3)}
    curves["badge"] = constant(0.4, 0.6, 0.75, n_repeats=3)
    row = one(frame_of(curves, [10, 20, 40]), targets=["final"])
    assert np.isnan(row["saving"])
    assert (row["at_least"], row["at_most"]) == (-np.inf, 0)
    assert (row["low"], row["high"]) == (-np.inf, 0)
    assert (row["n_never"], row["n_at_start"], row["n_left_out"]) == (1, 0, 0)
    # One that ends earlier may need anything above 20 of 40.
    curves["badge"][:, 2] = np.nan
    row = one(frame_of(curves, [10, 20, 40]), targets=["final"])
    assert (row["at_least"], row["at_most"]) == (-np.inf, 0.5)


def test_a_curve_that_is_there_at_its_start_has_a_saving_above_a_number():
    curves = {"random": constant(0.5, 0.7, 0.8, n_repeats=3)}
    curves["badge"] = constant(0.8, 0.9, 0.9, n_repeats=3)
    row = one(frame_of(curves, [10, 20, 40]), targets=[20])
    assert np.isnan(row["saving"])
    assert (row["at_least"], row["at_most"]) == (0.5, 1)
    assert (row["low"], row["high"]) == (0.5, 1)
    assert (row["n_never"], row["n_at_start"], row["n_left_out"]) == (0, 1, 0)


@pytest.mark.parametrize(("never", "saving"), [(1, 0.25), (2, np.nan)])
def test_a_group_knows_its_median_if_fewer_than_half_are_censored(never, saving):
    ends = {"a": 0.85, "b": 0.85, "c": 0.85}
    ends |= {name: 0.6 for name in "abc"[:never]}
    frame = pd.concat(
        frame_of(
            {
                "random": constant(0.5, 0.6, 0.7, 0.8, n_repeats=2),
                "badge": constant(0.5, 0.6, end, end, n_repeats=2)
                if end < 0.8
                else constant(0.5, 0.6, 0.8, 0.8, n_repeats=2),
            },
            [10, 20, 30, 40],
            dataset=name,
        )
        for name, end in ends.items()
    )
    row = one(frame, targets=["final"], by=[])
    assert row["saving"] == pytest.approx(saving, nan_ok=True)
    assert row["at_most"] == pytest.approx(0.25 if never == 1 else 0.0)
    assert row["at_least"] == (0.25 if never == 1 else -np.inf)
    assert (row["n_never"], row["n_settings"]) == (never, 3)
    assert row["low"] == -np.inf


def test_runs_are_paired_and_incomplete_ones_do_not_count():
    frame = simulated([0.3], 0, n_repeats=6)
    lost = (frame["repeat"] == 2) & (frame["strategy"] == "random")
    lost &= frame["n_labeled"] == 100
    failed = frame.assign(score=frame["score"].where(~lost, np.inf))
    rest = frame[frame["repeat"] != 2]
    for part in (failed, frame[~lost]):
        saved = labels_saved(part, random_state=0)
        assert (saved["n_repeats"] == 5).all()
        for name in ("saving", "at_least", "at_most"):
            expected = labels_saved(rest, random_state=0)[name]
            np.testing.assert_array_equal(saved[name], expected)


def test_what_cannot_be_compared_is_counted():
    frame = simulated([0.3] * 6, 0, n_repeats=3)
    is_random = frame["strategy"] == "random"
    dataset, repeat = frame["dataset"], frame["repeat"]
    gone = (dataset == "data000") & is_random
    gone |= (dataset == "data001") & ~is_random
    gone |= (dataset == "data002") & (is_random == (repeat == 0))
    short = (dataset == "data003") & is_random & (frame["n_labeled"] > 100)
    flat = (dataset == "data004") & is_random
    frame.loc[flat, "score"] = 0.7
    frame = frame[~gone & ~short]
    row = one(frame, targets=[140], by=[])
    assert (row["n_settings"], row["n_datasets"], row["n_left_out"]) == (1, 1, 5)
    alone = one(frame[frame["dataset"] == "data005"], targets=[140])
    assert row["saving"] == alone["saving"]
    rows = labels_saved(frame, targets=[140], random_state=0).set_index("dataset")
    assert rows["n_left_out"].tolist() == [1, 1, 1, 1, 1, 0]
    nothing = rows.iloc[0]
    assert nothing[["saving", "at_least", "at_most", "low", "high"]].isna().all()
    assert (nothing["n_settings"], nothing["n_repeats"]) == (0, 0)


def test_a_single_repeat_has_no_interval_of_its_own():
    frame = simulated([0.1, 0.2, 0.3, 0.4, 0.5], 0, n_repeats=1)
    saved = labels_saved(frame, targets=[0.5], random_state=0)
    assert saved[["low", "high"]].isna().all(axis=None)
    # Data sets can be resampled all the same.
    row = one(frame, targets=[0.5], by="model")
    assert row["low"] < row["saving"] < row["high"]
    assert row["low"] == saved["saving"].min()
    assert row["high"] == saved["saving"].max()


def test_a_single_data_set_has_the_interval_of_its_repeats():
    frame = simulated([0.3], 0, n_repeats=6)
    names = ["saving", "at_least", "at_most", "low", "high"]
    alone, group = one(frame, targets=[0.5]), one(frame, targets=[0.5], by=[])
    assert [alone[name] for name in names] == [group[name] for name in names]


def test_settings_of_a_data_set_share_the_draw_of_their_repeats():
    frame = simulated([0.3], 0, n_repeats=6)
    both = pd.concat([frame, frame.assign(model="twin")])
    one_setting, two = one(frame, targets=[0.5], by=[]), one(both, targets=[0.5], by=[])
    assert (one_setting["low"], one_setting["high"]) == (two["low"], two["high"])
    assert (two["n_settings"], two["n_datasets"]) == (2, 1)


def test_groups_are_columns_or_named_by_data_set():
    frame = pd.concat(
        [
            simulated([0.1, 0.2, 0.3], 0, n_repeats=3),
            simulated([0.1, 0.2, 0.3], 1, n_repeats=3, model="forest"),
        ]
    )
    regimes = {"data000": "many", "data001": "few", "data002": "many"}
    frame["regime"] = frame["dataset"].map(regimes)
    by_map = labels_saved(frame, targets=[0.5], by=regimes, random_state=0)
    by_column = labels_saved(frame, targets=[0.5], by="regime", random_state=0)
    assert by_map["group"].tolist() == ["few", "many"]
    assert by_map["n_settings"].tolist() == [2, 4]
    assert by_map["n_datasets"].tolist() == [1, 2]
    pd.testing.assert_frame_equal(by_map.rename(columns={"group": "regime"}), by_column)
    both = labels_saved(frame, targets=[0.5], by=["regime", "model"], random_state=0)
    assert both[["regime", "model"]].to_numpy().tolist() == [
        ["few", "forest"],
        ["few", "model"],
        ["many", "forest"],
        ["many", "model"],
    ]
    every = labels_saved(frame, targets=[0.5], random_state=0)
    for group, rows in every.groupby(every["dataset"].map(regimes)):
        mine = by_map[by_map["group"] == group]
        assert mine["saving"].item() == rows["saving"].median()


def test_neither_rows_nor_names_of_repeats_matter():
    frame = simulated([0.1, 0.3], 0, n_repeats=8)
    shuffled = frame.sample(frac=1, random_state=0)
    shuffled["repeat"] += 10
    before = labels_saved(frame, random_state=0)
    pd.testing.assert_frame_equal(before, labels_saved(shuffled, random_state=0))
    shuffled["repeat"] = -shuffled["repeat"] + 20
    after = labels_saved(shuffled, random_state=0)
    np.testing.assert_allclose(before["saving"], after["saving"], atol=1e-12)
    assert not before["low"].equals(labels_saved(frame, random_state=1)["low"])


@pytest.mark.parametrize("by", [None, [], "model", ["n_query", "dataset"]])
def test_the_columns_are_the_same_where_there_is_nothing_to_compare(by):
    frame = simulated([0.1], 0, n_repeats=2)
    found = labels_saved(frame, by=by, random_state=0)
    alone = labels_saved(frame[frame["strategy"] == "random"], by=by)
    assert len(alone) == 0
    assert list(alone) == list(found)


def test_the_frame_that_is_handed_in_stays_as_it_is():
    frame = simulated([0.1], 0, n_repeats=2)
    before = frame.copy()
    labels_saved(frame, by={"data000": "few"}, random_state=0)
    pd.testing.assert_frame_equal(frame, before)


def test_parameters_out_of_range_are_errors():
    frame = simulated([0.1], 0, n_repeats=2)
    for target in (1.5, 0, -3, 0.0, "end"):
        with pytest.raises(ValueError, match="`targets` must be numbers of labels"):
            labels_saved(frame, targets=[target])
    with pytest.raises(ValueError, match=r"`baseline` must be one of .* Got 'margin'"):
        labels_saved(frame, baseline="margin")
    with pytest.raises(ValueError, match=r"`by` must be one of .* Got 'regime'"):
        labels_saved(frame, by="regime")
    with pytest.raises(ValueError, match="`by` must name the group of each data set"):
        labels_saved(frame, by={"other": "few"})
    with pytest.raises(ValueError, match=r"one value in each setting .* Got several"):
        labels_saved(frame, by="strategy")
    with pytest.raises(ValueError, match=r"one value in each setting .* Got none"):
        labels_saved(frame.assign(regime=None), by="regime")
    for name in ("target", "saving", "n_repeats"):
        with pytest.raises(ValueError, match=f"must not be '{name}', a column of"):
            labels_saved(frame.assign(**{name: 1}), by=name)
    with pytest.raises(ValueError, match="n_bootstrap"):
        labels_saved(frame, n_bootstrap=10)


@pytest.mark.parametrize("as_mapping", [True, False])
def test_groups_of_several_types_are_refused(as_mapping):
    frame = simulated([0.1, 0.2], 0, n_repeats=2)
    regimes = {"data000": "few", "data001": 2}
    frame["regime"] = frame["dataset"].map(regimes)
    with pytest.raises(ValueError, match=r"`by`, '(group|regime)', have no order: .*"):
        labels_saved(frame, by=regimes if as_mapping else "regime")
