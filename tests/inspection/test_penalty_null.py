"""The permutation test of column averages, by enumeration and on pure noise."""

from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skbadge.inspection import _penalty_null, penalty_matrix, penalty_null
from tests.inspection._frames import frame_of, noisy_frame


def enumerate_matrices(curves, n_labeled, definition):
    """Results of all ways to exchange names within each repeat."""
    names = sorted(curves)
    runs = np.array([curves[name] for name in names])
    n_repeats = runs.shape[1]
    for orders in product(permutations(range(len(names))), repeat=n_repeats):
        exchanged = runs[np.array(orders).T, np.arange(n_repeats)]
        frame = frame_of(dict(zip(names, exchanged, strict=True)), n_labeled)
        yield penalty_matrix(frame, definition, alpha=0.3)


@pytest.mark.parametrize("definition", ["paper", "script"])
def test_p_values_are_those_of_all_permutations(definition):
    # The curves end apart, so that the budgets depend on whose is the baseline's.
    rng = np.random.RandomState(0)
    n_labeled = [100, 200, 300, 500]
    ends = {"a": [0.5, 0.7, 0.8, 0.8], "b": [0.5, 0.6, 0.8, 0.9]}
    ends["random"] = [0.5, 0.6, 0.7, 0.8]
    curves = {name: end + 0.03 * rng.normal(size=(2, 4)) for name, end in ends.items()}
    names = sorted(curves)
    every = list(enumerate_matrices(curves, n_labeled, definition))
    frame = frame_of(curves, n_labeled)
    observed = penalty_matrix(frame, definition, alpha=0.3)
    n, divisor = 3000, 2 + (definition == "script")
    null = penalty_null(frame, definition, alpha=0.3, n_permutations=n, random_state=0)
    np.testing.assert_allclose(null["column_average"], observed.column_average)
    tested = 0
    for name, sign, axis in [("p_low", -1, 0), ("p_high", 1, 0), ("p_wins", 1, 1)]:
        mine = sign * observed.matrix.sum(axis=axis).to_numpy() / divisor
        drawn = np.array(
            [sign * result.matrix.sum(axis=axis) / divisor for result in every]
        )
        # Without a budget there is no average.
        drawn[[result.n_settings == 0 for result in every]] = np.inf
        shares = {name: (drawn >= mine - 1e-9).mean(axis=0)}
        most = drawn.max(axis=1, keepdims=True)
        shares[f"{name}_adjusted"] = (most >= mine - 1e-9).mean(axis=0)
        for column, share in shares.items():
            counts = (null[column] * (n + 1) - 1).round().astype(int)
            for i, strategy in enumerate(names):
                # 18 comparisons, at a level of 1e-3 in all.
                test = stats.binomtest(counts[strategy], n, min(share[i], 1.0))
                assert test.pvalue > 1e-3 / 18
                tested += 0.02 < share[i] < 0.98
    assert tested > 5
    averages = pd.DataFrame([result.column_average for result in every])
    spread = averages.std() / np.sqrt(n * averages.notna().mean())
    assert (abs(null["null_mean"] - averages.mean()) < 4.5 * spread).all()


def test_permutations_without_a_comparison_do_not_count_in_the_mean():
    # One curve ends before the first budget, and may become that of the baseline.
    rng = np.random.RandomState(0)
    n_labeled = [100, 200, 300, 500]
    ends = {"a": [0.5, np.nan, np.nan, np.nan], "b": [0.5, 0.6, 0.8, 0.9]}
    ends["random"] = [0.5, 0.6, 0.7, 0.8]
    curves = {name: end + 0.03 * rng.normal(size=(2, 4)) for name, end in ends.items()}
    every = enumerate_matrices(curves, n_labeled, "paper")
    averages = pd.DataFrame([result.column_average for result in every])
    n, share = 2000, averages.notna().mean()
    assert (share < 0.7).all()
    null = penalty_null(
        frame_of(curves, n_labeled), alpha=0.3, n_permutations=n, random_state=0
    )
    assert null["null_mean"].notna().tolist() == [False, True, True]
    off = abs(null["null_mean"] - averages.mean()) / averages.std()
    assert (off * np.sqrt(n * share)).max() < 4.5


def test_pure_noise_singles_nobody_out():
    n = 40
    nulls = [
        penalty_null(
            noisy_frame(seed, n_settings=3),
            alpha=0.2,
            n_permutations=99,
            random_state=seed,
        )
        for seed in range(n)
    ]
    for tail in ("p_low", "p_high", "p_wins"):
        p_values = np.array([null[tail] for null in nulls])
        adjusted = np.array([null[f"{tail}_adjusted"].min() for null in nulls])
        # P(p <= level) <= level, for each strategy and for the least of all.
        for level in (0.05, 0.2):
            bound = stats.binom.isf(1e-4, n, level)
            assert (adjusted <= level).sum() <= bound
            assert ((p_values <= level).sum(axis=0) <= bound).all()
        # And they are no larger than ties make them.
        assert p_values.mean() < 0.7


def test_a_better_strategy_is_singled_out():
    frame = noisy_frame(0, bonus=0.02)
    null = penalty_null(frame, n_permutations=199, random_state=0)
    assert null["column_average"].idxmin() == "b"
    assert null.loc["b", ["p_wins", "p_wins_adjusted"]].tolist() == [1 / 200] * 2
    others = null.drop("b")
    assert (others["p_wins"] > 0.05).all()
    assert (others["p_high"] < null.loc["b", "p_high"]).all()
    averages = penalty_matrix(frame).matrix.sum(axis=1) / 3
    np.testing.assert_allclose(null["row_average"], averages)


def test_the_seed_decides_and_the_size_of_chunks_does_not(monkeypatch):
    frame = noisy_frame(0, bonus=0.005)

    def result(seed):
        return penalty_null(frame, alpha=0.3, n_permutations=50, random_state=seed)

    first = result(0)
    pd.testing.assert_frame_equal(result(0), first)
    assert not result(1).equals(first)
    monkeypatch.setattr(_penalty_null, "_MAX_NUMBERS", 4000)
    pd.testing.assert_frame_equal(result(0), first)


def test_names_are_exchanged_among_the_runs_there_are():
    present = np.array([[1, 1, 0], [1, 0, 1], [1, 1, 1]], dtype=bool)
    orders = _penalty_null._orders(present, 200, np.random.RandomState(0))
    assert (orders[0] == np.arange(3)[:, None]).all()
    for order in orders:
        for repeat, there in enumerate(present.T):
            assert (order[~there, repeat] == np.flatnonzero(~there)).all()
            assert sorted(order[there, repeat]) == np.flatnonzero(there).tolist()
    n_orders = [len(np.unique(orders[:, :, repeat], axis=0)) for repeat in range(3)]
    assert n_orders == [6, 2, 2]


def test_missing_runs_stay_missing():
    frame = noisy_frame(0)
    frame = frame[(frame["strategy"] != "c") | (frame["dataset"] == "data0")]
    frame = frame[(frame["strategy"] != "d") | (frame["repeat"] == 0)]
    null = penalty_null(frame, n_permutations=20, random_state=0)
    assert null.loc["d"].isna().all()
    assert null.drop("d").notna().all(axis=None)
    observed = penalty_matrix(frame).column_average
    np.testing.assert_allclose(null["column_average"], observed)


def test_bad_arguments_are_refused():
    for n in (0, -1, 2.5):
        with pytest.raises(ValueError, match=r"'n_permutations' .* must be an int in"):
            penalty_null(noisy_frame(0), n_permutations=n)
