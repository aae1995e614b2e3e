"""Mean ranks against loops, SciPy and Demšar's published example."""

from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from skbadge.inspection import mean_ranks
from skbadge.inspection._mean_ranks import _friedman
from tests.inspection._frames import constant, frame_of, noisy_frame

# Table 6 of Demšar (JMLR 7, 2006): areas under the ROC curve of C4.5 with parameters
# tuned or not, on 14 data sets. Two that are printed alike, 0.975, have ranks 2 and 3.
DEMSAR = {
    "C4.5": "763 599 954 628 882 936 661 583 775 1000 940 619 972 957",
    "C4.5+m": "768 591 971 661 888 931 668 583 838 1000 962 666 981 978",
    "C4.5+cf": "771 590 968 654 886 916 609 563 866 1000 965 614 975.1 946",
    "C4.5+m+cf": "798 569 967 657 898 931 685 625 875 1000 962 669 975 970",
}


def frame_by_dataset(scores):
    """One score for each strategy and data set, of strategy -> scores."""
    return pd.DataFrame(
        {"dataset": f"data{i:02}", "strategy": name, "n_query": 1, "repeat": 0}
        | {"n_labeled": 10, "score": score}
        for name, row in scores.items()
        for i, score in enumerate(row)
    )


def demsar():
    rows = {
        name: [float(x) / 1000 for x in row.split()] for name, row in DEMSAR.items()
    }
    return frame_by_dataset(rows)


def settings_frame(seed=0, n_datasets=6):
    """Several models on each data set, the number of them unequal."""
    frames = [
        noisy_frame(seed + 10 * i + j, n_settings=1, n_repeats=3, bonus=0.004).assign(
            dataset=f"data{i}", model=f"model{j}"
        )
        for i in range(n_datasets)
        for j in range(1 + i % 3)
    ]
    return pd.concat(frames, ignore_index=True)


def test_the_published_example_of_demsar():
    ranks = mean_ranks(demsar(), at="final")
    table = ranks.table.set_index("strategy")["mean_rank"]
    assert table.round(3).to_dict() == {
        "C4.5+m+cf": 1.964,
        "C4.5+m": 2.0,
        "C4.5+cf": 2.893,
        "C4.5": 3.143,
    }
    assert table.index.tolist() == ["C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5"]
    assert round(ranks.critical_difference, 2) == 1.25
    # "The power of the Nemenyi test is not sufficient": at 5 % nothing differs ...
    assert not ranks.pairs["differs"].any()
    assert ranks.groups == [tuple(table.index)]
    # ... and at 10 %, C4.5 is worse than both with a tuned m.
    ranks = mean_ranks(demsar(), at="final", alpha=0.1)
    assert round(ranks.critical_difference, 2) == 1.12
    different = ranks.pairs[ranks.pairs["differs"]]
    assert set(zip(different["strategy"], different["other"], strict=True)) == {
        ("C4.5+m+cf", "C4.5"),
        ("C4.5+m", "C4.5"),
    }
    assert ranks.groups == [
        ("C4.5+m+cf", "C4.5+m", "C4.5+cf"),
        ("C4.5+cf", "C4.5"),
    ]


def test_friedman_is_that_of_scipy_and_of_demsar_but_for_ties():
    frame = demsar()
    ranks = mean_ranks(frame, at="final")
    scores = frame.pivot(index="dataset", columns="strategy", values="score")
    expected = stats.friedmanchisquare(*scores.to_numpy().T)
    assert ranks.chi_square == pytest.approx(expected.statistic)
    n, k = ranks.ranks.shape
    f = (n - 1) * expected.statistic / (n * (k - 1) - expected.statistic)
    assert ranks.f_statistic == pytest.approx(f)
    # Its p-value is exact, and near that of F.
    assert ranks.p_value == pytest.approx(
        stats.f.sf(f, k - 1, (k - 1) * (n - 1)), rel=0.2
    )
    # The paper does not correct for ties: 9.28, and F = 3.69.
    squares = (ranks.table["mean_rank"] ** 2).sum() - k * (k + 1) ** 2 / 4
    plain = 12 * n / (k * (k + 1)) * squares
    assert round(plain, 2) == 9.28
    spread = ((ranks.ranks - (k + 1) / 2) ** 2).to_numpy().sum()
    assert ranks.chi_square == pytest.approx(
        plain * n * k * (k**2 - 1) / 12 / spread  # the variance without ties, and with
    )


@pytest.mark.parametrize("at", ["area", "final", 400])
@pytest.mark.parametrize("block", ["dataset", "setting"])
def test_ranks_are_those_of_loops(at, block):
    frame = settings_frame()
    ranks = mean_ranks(frame, at=at, block=block)
    expected = {}
    for key, rows in frame.groupby(["dataset", "model", "n_query"]):
        means = {}
        for name, mine in rows.groupby("strategy"):
            curve = mine.groupby("n_labeled")["score"].mean()
            last = curve.iloc[-1] if at == "final" else curve.get(at)
            means[name] = (
                integrate.trapezoid(curve, curve.index) if at == "area" else last
            )
        place = dict(zip(means, stats.rankdata([-x for x in means.values()])))
        expected.setdefault(key[0] if block == "dataset" else key, []).append(place)
    expected = [pd.DataFrame(places).mean() for places in expected.values()]
    np.testing.assert_allclose(ranks.ranks, expected)
    assert len(ranks.ranks) == (6 if block == "dataset" else 12)
    table = ranks.table.set_index("strategy")
    np.testing.assert_allclose(
        table["mean_rank"], pd.DataFrame(expected).mean()[table.index]
    )
    assert table["mean_rank"].is_monotonic_increasing
    assert (table["worst"] == ranks.ranks.max()[table.index]).all()
    k, n = ranks.ranks.shape[1], len(ranks.ranks)
    quantile = stats.studentized_range.ppf(0.95, k, 1e7) / np.sqrt(2)
    assert ranks.critical_difference == pytest.approx(
        quantile * np.sqrt(k * (k + 1) / (6 * n)), rel=1e-4
    )


def test_a_pair_at_the_critical_difference_has_the_level_as_its_p_value():
    ranks = mean_ranks(settings_frame(), at="area", alpha=0.3, block="setting")
    p_values, differences = ranks.pairs["p_value"], ranks.pairs["rank_difference"]
    beyond = differences.abs() >= ranks.critical_difference
    assert beyond.any()
    assert not beyond.all()
    assert ((p_values <= 0.3) == beyond).all()
    assert (ranks.pairs["differs"] == beyond).all()


def test_the_statistic_is_the_mean_square_over_its_mean_under_permutation():
    # Two blocks of averages and one of ties: the variance is that of permutations.
    ranks = mean_ranks(settings_frame(n_datasets=4)).ranks.to_numpy()[:, :3]
    ranks = stats.rankdata(ranks, axis=1)
    ranks[0] = [1.5, 1.5, 3]
    names = ["a", "b", "c"]
    scores = dict(zip(names, -ranks.T, strict=True))
    observed = mean_ranks(frame_by_dataset(scores), at="final")
    orders = [list(order) for order in permutations(range(3))]
    drawn = np.random.RandomState(0).randint(6, size=(4000, len(ranks)))
    sums = np.stack(
        [ranks[i][np.array(orders)][drawn[:, i]] for i in range(len(ranks))]
    ).sum(axis=0)
    statistics = ((sums - 2 * len(ranks)) ** 2).sum(axis=1)
    mine = ((ranks.sum(axis=0) - 2 * len(ranks)) ** 2).sum()
    # Times k - 1.
    assert observed.chi_square == pytest.approx(2 * mine / statistics.mean(), rel=0.05)


@pytest.mark.parametrize(
    ("n_blocks", "n_strategies"), [(2, 3), (3, 3), (5, 3), (3, 4), (9, 2), (2, 5)]
)
@pytest.mark.parametrize("n_models", [1, 3])
def test_the_p_value_is_that_of_all_permutations(n_blocks, n_strategies, n_models):
    rng = np.random.RandomState(n_blocks)
    # With ties; of averages where a data set has several models.
    frame = pd.DataFrame(
        {
            "dataset": f"data{i}",
            "model": f"model{j}",
            "strategy": f"s{name}",
            "n_query": 1,
            "repeat": 0,
            "n_labeled": 1,
            "score": float(rng.randint(4)),
        }
        for i in range(n_blocks)
        for j in range(n_models)
        for name in range(n_strategies)
    )
    result = mean_ranks(frame, at="final")
    ranks = result.ranks.to_numpy()

    sums = np.zeros((1, n_strategies))
    for block in ranks:
        orders = np.array(list(permutations(block)))
        sums = (sums[:, None] + orders).reshape(-1, n_strategies)
    squares, observed = ((each**2).sum(axis=-1) for each in (sums, ranks.sum(axis=0)))
    assert result.p_value == pytest.approx((squares >= observed - 1e-9).mean())
    assert 0 < result.p_value <= 1


def test_few_blocks_do_not_make_a_difference_of_orders_that_are_common():
    # Iman and Davenport's F has 0.049 here, which one in five sets of orders reaches.
    scores = {"a": [3, 3, 2], "b": [2, 2, 3], "c": [1, 1, 1]}
    ranks = mean_ranks(frame_by_dataset(scores), at="final")
    assert ranks.chi_square == pytest.approx(14 / 3)
    assert ranks.p_value == pytest.approx(7 / 36)


def test_the_level_holds_where_strategies_are_equal():
    n = 10
    critical = mean_ranks(
        frame_by_dataset({name: range(n) for name in "abcd"}), at="final", alpha=0.1
    ).critical_difference
    rng = np.random.RandomState(0)
    orders = np.argsort(rng.uniform(size=(2000, n, 4)), axis=2) + 1.0
    found = (np.ptp(orders.mean(axis=1), axis=1) >= critical).sum()
    assert stats.binom.ppf(1e-4, 2000, 0.07) <= found
    assert found <= stats.binom.isf(1e-4, 2000, 0.1)


def test_each_p_value_is_reached_as_often_as_it_says_where_strategies_are_equal():
    orders = [list(order) for order in permutations([1.0, 2.0, 3.0])]
    p_values = np.array(
        [_friedman(np.array(ranks))[2] for ranks in product(orders, repeat=4)]
    )
    for p_value in np.unique(p_values.round(9)):
        assert (p_values <= p_value + 1e-9).mean() == pytest.approx(p_value)


def test_orders_too_many_to_count_have_the_p_value_of_f():
    rng = np.random.RandomState(0)
    orders = np.argsort(rng.uniform(size=(400, 8, 9)), axis=2) + 1.0
    p_values = []
    for ranks in orders:
        chi_square, _, p_value = _friedman(ranks)
        f = 7 * chi_square / (8 * 8 - chi_square)
        assert p_value == pytest.approx(stats.f.sf(f, 8, 56))
        p_values.append(p_value)
    count = (np.array(p_values) <= 0.1).sum()
    assert stats.binom.ppf(1e-4, 400, 0.1) <= count <= stats.binom.isf(1e-4, 400, 0.1)


def test_ties_share_ranks_up_to_rounding():
    scores = {"a": [0.1 + 0.2, 0.5], "b": [0.3, 0.4], "c": [0.2, 0.5]}
    ranks = mean_ranks(frame_by_dataset(scores), at="final")
    expected = pd.DataFrame(
        {"a": [1.5, 1.5], "b": [1.5, 3.0], "c": [3.0, 1.5]}, ["data00", "data01"]
    )
    pd.testing.assert_frame_equal(ranks.ranks, expected, check_names=False)


def test_strategies_tied_everywhere_do_not_differ():
    ranks = mean_ranks(frame_by_dataset({"a": [0.5] * 9, "b": [0.5] * 9}), at="final")
    assert ranks.p_value == 1
    assert np.isnan(ranks.f_statistic)
    assert ranks.table["mean_rank"].tolist() == [1.5, 1.5]
    assert ranks.groups == [("a", "b")]


def test_blocks_that_all_agree_have_the_chance_of_it_as_their_p_value():
    scores = {"a": [0.9] * 3, "b": [0.8] * 3, "c": [0.7] * 3}
    ranks = mean_ranks(frame_by_dataset(scores), at="final")
    assert np.isinf(ranks.f_statistic)
    assert ranks.chi_square == pytest.approx(6)
    assert ranks.p_value == pytest.approx(1 / 36)


def test_so_many_strategies_that_their_orders_are_no_float():
    rng = np.random.RandomState(0)
    frame = frame_by_dataset({f"s{i}": rng.uniform(size=2) for i in range(171)})
    assert 0 < mean_ranks(frame, at="final").p_value < 1


def test_a_single_data_set_has_ranks_and_no_test():
    ranks = mean_ranks(noisy_frame(0, n_settings=1))
    assert sorted(ranks.table["mean_rank"]) == [1, 2, 3, 4]
    assert np.isnan([ranks.chi_square, ranks.f_statistic, ranks.p_value]).all()
    assert not ranks.pairs["differs"].any()


def test_many_settings_of_one_data_set_are_one_block():
    frame = frame_by_dataset({"a": [0.9] * 12, "b": [0.8] * 12})
    frame = frame.rename(columns={"dataset": "model"})
    assert len(mean_ranks(frame, at="final").ranks) == 1
    by_setting = mean_ranks(frame, at="final", block="setting")
    assert len(by_setting.ranks) == 12
    assert by_setting.pairs["differs"].all()


def test_settings_without_a_strategy_are_left_out_and_listed():
    frame = settings_frame()
    lacks = "dataset == 'data2' and model == 'model1'"
    frame = frame.query(f"not ({lacks} and strategy == 'b')")
    ranks = mean_ranks(frame)
    (row,) = ranks.skipped.to_dict("records")
    assert (row["dataset"], row["model"], row["strategy"]) == ("data2", "model1", "b")
    assert row["reason"] == "no run in this setting"
    assert len(ranks.by_setting) == 4 * 11
    pd.testing.assert_frame_equal(
        ranks.ranks, mean_ranks(frame.query(f"not ({lacks})")).ranks
    )
    fewer = mean_ranks(frame, strategies=["random", "c"])
    assert len(fewer.by_setting) == 2 * 12
    assert fewer.skipped.empty
    assert fewer.table["strategy"].isin(["random", "c"]).all()


def test_repeats_that_some_strategy_lacks_do_not_count():
    runs = {
        "a": np.array([[0.5, 0.6], [0.5, 0.6], [9.5, 9.6]]),
        "b": constant(0.6, 0.7, n_repeats=3),
    }
    runs["b"][2, 1] = np.nan
    frame = frame_of(runs, [10, 20])
    frame.loc[len(frame)] = frame.iloc[-1].to_dict() | {
        "n_labeled": 20,
        "score": np.inf,
    }
    ranks = mean_ranks(frame)
    assert ranks.by_setting["rank"].tolist() == [2, 1]
    assert (ranks.by_setting["n_repeats"] == 2).all()
    assert set(ranks.skipped["reason"]) == {
        "score inf in repeat 2",
        "1 repeats without complete runs of all",
    }


def test_strategies_are_compared_over_labels_that_all_have():
    runs = {"a": constant(0.5, 0.6, 0.99), "b": constant(0.6, 0.7, np.nan)}
    ranks = mean_ranks(frame_of(runs, [10, 20, 30]))
    assert ranks.by_setting["rank"].tolist() == [2, 1]
    assert ranks.by_setting[
        ["first", "last"]
    ].drop_duplicates().to_numpy().tolist() == [[10, 20]]


def test_neither_rows_nor_names_of_repeats_matter():
    frame = settings_frame()
    shuffled = frame.sample(frac=1, random_state=0)
    shuffled["repeat"] = 17 - shuffled["repeat"]
    before, after = mean_ranks(frame), mean_ranks(shuffled)
    pd.testing.assert_frame_equal(before.by_setting, after.by_setting)
    pd.testing.assert_frame_equal(before.pairs, after.pairs)


def test_a_frame_in_which_nothing_compares_is_an_error_with_the_reason():
    runs = {"a": [[0.5, np.nan], [np.nan] * 2], "b": [[np.nan] * 2, [0.5, 0.6]]}
    frame = frame_of(runs, [10, 20])
    with pytest.raises(ValueError, match="no repeat in which the runs of all"):
        mean_ranks(frame)
    frame = frame_of({"a": constant(0.5), "b": constant(0.6)}, [10])
    with pytest.raises(ValueError, match="no area over one number of labels"):
        mean_ranks(frame)
    with pytest.raises(ValueError, match="`strategies` must be at least two"):
        mean_ranks(frame, at="final", strategies=["a", "a"])
    with pytest.raises(ValueError, match=r"`strategies` must be one of .* Got 'z'"):
        mean_ranks(frame, strategies=["a", "z"])
    with pytest.raises(ValueError, match="`at` must be"):
        mean_ranks(frame, at=15)


def test_a_print_says_what_it_is():
    ranks = mean_ranks(settings_frame())
    assert "over 6 data sets (1 is best)" in str(ranks)
    assert f"Critical difference {ranks.critical_difference:.2f} at 0.05" in str(ranks)
    assert repr(ranks) == "<MeanRanks of score: 4 strategies, 6 blocks>"
    assert "<table" in ranks._repr_html_()
    assert "12 settings" in str(mean_ranks(settings_frame(), block="setting"))
