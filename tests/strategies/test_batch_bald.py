"""BatchBALD: joint mutual information, enumerated and drawn, and its greedy choice."""

import tracemalloc
from itertools import combinations, product

import numpy as np
import pytest
from scipy.special import entr
from scipy.stats import chisquare

from skbadge.exceptions import QueryWarning
from skbadge.outputs import Outputs
from skbadge.samplers import Feasible
from skbadge.strategies import Bald, BatchBald
from skbadge.strategies._joint_information import (
    Configurations,
    conditional_information,
)


def dirichlet(n_posterior, n_rows, n_classes, seed=0, alpha=1.0):
    rng = np.random.RandomState(seed)
    return rng.dirichlet(np.full(n_classes, alpha), size=(n_posterior, n_rows))


def enumerated_entropy(posterior, rows):
    """Entropy of the labels of some rows, one configuration after another."""
    total = 0.0
    for labels in product(range(posterior.shape[2]), repeat=len(rows)):
        joint = np.ones(len(posterior))
        for row, label in zip(rows, labels, strict=True):
            joint = joint * posterior[:, row, label]
        total += entr(joint.mean())
    return total


def enumerated_information(posterior, rows):
    own = entr(posterior[:, list(rows)]).sum(axis=(1, 2)).mean()
    return enumerated_entropy(posterior, rows) - own


def brute_force_greedy(posterior, n, feasible=None):
    """Rows and their gains by enumeration, the labels of chosen rows as an array."""
    feasible = Feasible.of(feasible, posterior.shape[1])
    open_rows, joint = feasible.open(), np.ones((1, len(posterior)))
    own = entr(posterior).sum(axis=2).mean(axis=0)
    known, rows, gains = [], [], []

    def information():
        entropies = [
            entr(joint @ posterior[:, row] / len(posterior)).sum()
            for row in range(posterior.shape[1])
        ]
        return np.array(entropies) - own - own[known].sum()

    def extended(row):
        longer = joint[:, None, :] * posterior[:, row].T
        return longer.reshape(-1, len(posterior))

    total = 0.0
    for row in feasible.pending:
        total, joint = information()[row], extended(row)
        known.append(row)
    for _ in range(n):
        values = np.where(open_rows.mask, information(), -np.inf)
        row = int(values.argmax())
        rows.append(row)
        known.append(row)
        gains.append(values[row] - total)
        open_rows.close(row)
        total, joint = values[row], extended(row)
    return rows, gains


def run(posterior, n, seed=0, feasible=None, **params):
    pool = Outputs(posterior=posterior)
    return BatchBald(**params).run(pool, n, feasible=feasible, random_state=seed)


def configurations_of(posterior, rows, limit, seed=0):
    rng = np.random.RandomState(seed)
    configurations = Configurations.of_no_rows(len(posterior))
    for k in range(len(rows)):
        configurations = configurations.with_row(
            posterior, list(rows[: k + 1]), limit, rng
        )
    return configurations


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_row_is_that_of_bald(dtype):
    for seed in range(20):
        posterior = dirichlet(5, 60, 4, seed).astype(dtype)
        # With ties, too.
        posterior = np.concatenate([posterior, posterior], axis=1)
        pool = Outputs(posterior=posterior)
        bald = Bald().run(pool, 1, random_state=seed)
        batch = BatchBald().run(pool, 1, random_state=seed)
        # Of the two copies either may be the one.
        np.testing.assert_array_equal(batch.rows % 60, bald.rows % 60)
        np.testing.assert_array_equal(batch.values, bald.values)


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("alpha", [0.05, 1.0])
def test_joint_entropies_are_those_of_enumeration(size, alpha):
    posterior = dirichlet(4, size, 3, alpha=alpha)
    configurations = configurations_of(posterior, range(size), 27)
    expected = enumerated_entropy(posterior, range(size))
    assert not configurations.is_drawn
    assert configurations.entropy() == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("n", [2, 3])
def test_gains_of_a_pair_and_a_triple_add_up_to_their_information(n):
    for seed in range(5):
        posterior = dirichlet(4, n, 3, seed)
        total = run(posterior, n).values.sum()
        expected = enumerated_information(posterior, range(n))
        assert total == pytest.approx(expected, abs=1e-13)
        single = sum(enumerated_information(posterior, [row]) for row in range(n))
        assert total < single


@pytest.mark.parametrize("seed", range(6))
def test_the_greedy_path_is_that_of_brute_force(seed):
    posterior = dirichlet(5, 9, 3, seed, alpha=0.5)
    rows, gains = brute_force_greedy(posterior, 6)
    selection = run(posterior, 6)
    np.testing.assert_array_equal(selection.rows, rows)
    np.testing.assert_allclose(selection.values, gains, atol=1e-12)
    assert selection.fallbacks == ()


@pytest.mark.parametrize("seed", range(3))
def test_rows_passed_over_would_not_have_been_the_best(seed):
    # So many that just a part of them is evaluated at each step.
    posterior = dirichlet(6, 700, 3, seed, alpha=0.3)
    rows, gains = brute_force_greedy(posterior, 5)
    selection = run(posterior, 5)
    np.testing.assert_array_equal(selection.rows, rows)
    np.testing.assert_allclose(selection.values, gains, atol=1e-12)


def test_few_rows_are_evaluated(monkeypatch):
    from skbadge.strategies import _batch_bald

    evaluated = []

    def counted(configurations, posterior, rows):
        evaluated.append(len(rows))
        return conditional_information(configurations, posterior, rows)

    monkeypatch.setattr(_batch_bald, "conditional_information", counted)
    # As predictions are: most rows are certain, and samples differ on some.
    rng = np.random.RandomState(0)
    logits = 3 * rng.normal(size=(5000, 4)) + rng.normal(size=(20, 5000, 4))
    posterior = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    assert len(run(posterior, 6).rows) == 6
    # All rows at all steps but the first would be 25,000.
    assert sum(evaluated) < 2500


@pytest.mark.parametrize("seed", range(4))
def test_the_greedy_choice_is_near_the_best(seed):
    posterior = dirichlet(4, 8, 3, seed, alpha=0.3)
    reached = run(posterior, 3).values.sum()
    best = max(
        enumerated_information(posterior, rows) for rows in combinations(range(8), 3)
    )
    assert (1 - 1 / np.e) * best <= reached <= best + 1e-12


def test_gains_fall_and_add_up_to_no_more_than_can_be_known():
    posterior = dirichlet(4, 30, 3, alpha=0.2)
    values = run(posterior, 7).values
    assert (np.diff(values) <= 1e-12).all()
    assert values.min() > 0
    assert values.sum() <= np.log(4)


def test_drawn_configurations_estimate_without_bias_and_converge():
    posterior = dirichlet(5, 5, 4, alpha=0.7)
    rows, candidates = [0, 1, 2, 3], np.array([4, 0])
    full = configurations_of(posterior, rows, 256)
    exact = conditional_information(full, posterior, candidates)
    entropy = enumerated_entropy(posterior, rows)
    assert full.entropy() == pytest.approx(entropy, abs=1e-12)
    assert exact[0] == pytest.approx(
        enumerated_information(posterior, [*rows, 4])
        - enumerated_information(posterior, rows),
        abs=1e-12,
    )
    errors = {}
    for limit in (10, 100):
        estimates = []
        for seed in range(400):
            drawn = configurations_of(posterior, rows, limit, seed)
            assert drawn.is_drawn
            assert len(drawn) == limit
            gains = conditional_information(drawn, posterior, candidates)
            estimates.append([*gains, drawn.entropy()])
        deviations = np.array(estimates) - [*exact, entropy]
        standard_error = deviations.std(axis=0, ddof=1) / np.sqrt(400)
        assert (np.abs(deviations.mean(axis=0)) < 4 * standard_error).all()
        errors[limit] = np.sqrt((deviations**2).mean(axis=0))
    # Ten times the draws, a factor of sqrt(10) = 3.16.
    ratio = errors[10] / errors[100]
    assert ((ratio > 2.6) & (ratio < 3.8)).all()


def test_estimates_are_mean_information_and_vary_less_than_with_equal_shares():
    posterior = dirichlet(5, 5, 4, alpha=0.7)
    own = entr(posterior[:, 4]).sum(axis=1)
    ours, theirs = [], []
    for seed in range(200):
        drawn = configurations_of(posterior, [0, 1, 2, 3], 50, seed)
        ours.append(conditional_information(drawn, posterior, np.array([4]))[0])
        members = drawn.members()
        entropy = entr(members @ posterior[:, 4]).sum(axis=1)
        expected = (entropy - members @ own).mean()
        np.testing.assert_allclose(ours[-1], expected, atol=1e-13)
        theirs.append(entropy.mean() - own.mean())
    assert np.var(ours) < 0.9 * np.var(theirs)


@pytest.mark.parametrize(("limit", "size"), [(3, 5), (10, 10), (12, 15)])
def test_equal_numbers_are_drawn_by_each_sample(limit, size):
    # Of each label exactly one sample is certain.
    certain = np.eye(5)[:, None]
    posterior = np.concatenate([dirichlet(5, 2, 5), certain], axis=1)
    drawn = configurations_of(posterior, [0, 1, 2], limit)
    assert len(drawn) == size
    members = np.arange(5).repeat(size // 5)
    np.testing.assert_allclose(drawn.members(), np.eye(5)[members])


def test_the_drawn_path_is_that_of_enumeration_given_enough_draws():
    posterior = dirichlet(4, 6, 6, 1, alpha=0.4)
    rows, gains = brute_force_greedy(posterior, 6)
    selection = run(posterior, 6, n_configurations=5000)
    exact = run(posterior, 6, n_configurations=6**6)
    np.testing.assert_array_equal(exact.rows, rows)
    np.testing.assert_allclose(exact.values, gains, atol=1e-12)
    np.testing.assert_array_equal(selection.rows, rows)
    np.testing.assert_allclose(selection.values, gains, atol=0.01)
    # Those of five rows are drawn: 6**5 is above the limit.
    np.testing.assert_allclose(selection.values[:5], gains[:5], atol=1e-12)
    assert abs(selection.values[5] - gains[5]) > 1e-12


def test_more_rows_begin_with_the_same_rows():
    posterior = dirichlet(5, 50, 3, alpha=0.5)
    params = {"n_configurations": 200, "seed": 3}
    rows = run(posterior, 9, **params).rows
    np.testing.assert_array_equal(run(posterior, 4, **params).rows, rows[:4])
    np.testing.assert_array_equal(run(posterior, 7, **params).rows, rows[:7])


def test_copies_of_an_uncertain_row_are_left_to_bald():
    # Row 0 splits the samples in half, and so do its copies; the others split them a
    # little less, each in its own way.
    sure = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    ways = [[0, 0, 1, 1, 0, 0, 1, 1], [0, 1, 0, 1, 0, 1, 0, 1]]
    columns = [np.where(sure, 0.98, 0.02)] * 10
    columns += [np.where(way, 0.95, 0.05) for way in ways]
    q = np.stack(columns, axis=1)
    pool = Outputs(posterior=np.stack([1 - q, q], axis=2))
    bald = Bald().select(pool, 3, random_state=0)
    assert (bald < 10).all()
    batch = BatchBald().select(pool, 3, random_state=0)
    assert (batch < 10).sum() == 1
    assert {10, 11} <= set(batch.tolist())


def test_a_copy_adds_nothing_if_the_samples_are_certain():
    posterior = np.eye(3)[np.array([[0, 0, 1], [0, 0, 2], [1, 1, 0]])]
    with pytest.warns(QueryWarning, match="Only 1 of 2 rows have labels that tell"):
        selection = run(posterior[:, :2], 2)
    np.testing.assert_allclose(selection.values[1], 0)
    with pytest.warns(QueryWarning, match="Only 1 of 3 rows have.*other 2 were drawn"):
        selection = run(posterior, 3)
    # One label tells three samples apart that contradict each other.
    assert selection.rows[0] == 2
    np.testing.assert_allclose(selection.values, [np.log(3), 0, 0], atol=1e-12)
    assert len(selection.fallbacks) == 1


def test_certain_posterior_need_few_configurations():
    # 3**20 would be possible, but no more than four are.
    rng = np.random.RandomState(0)
    posterior = np.eye(3)[rng.randint(3, size=(4, 20))]
    configurations = configurations_of(posterior, range(20), 12)
    assert not configurations.is_drawn
    assert len(configurations) == 4
    assert configurations.entropy() == pytest.approx(np.log(4))


def test_one_sample_leaves_nothing_to_learn():
    chosen = set()
    for seed in range(30):
        with pytest.warns(QueryWarning, match="Only 0 of 2 rows have labels"):
            selection = run(dirichlet(1, 6, 3), 2, seed)
        np.testing.assert_array_equal(selection.values, 0)
        chosen |= set(selection.rows.tolist())
    assert chosen == set(range(6))


def test_products_of_many_small_probabilities_do_not_underflow():
    rng = np.random.RandomState(0)
    q = rng.uniform(size=(3, 400))
    posterior = np.stack([1 - q, q], axis=2)
    posterior = np.concatenate([posterior, np.full((3, 400, 2000), 1e-12)], axis=2)
    posterior[:, :, 2:] = 1.0
    posterior /= posterior.sum(axis=2, keepdims=True)
    # Each label has a probability of 1 / 2000, two hundred of them one of 1e-660.
    configurations = configurations_of(posterior, range(200), 30)
    assert np.isfinite(configurations.log_joint).all()
    assert configurations.log_joint.max() < np.log(np.finfo(float).tiny)
    np.testing.assert_allclose(configurations.members().sum(axis=1), 1)
    gains = conditional_information(configurations, posterior, np.arange(200, 400))
    assert np.isfinite(gains).all()
    assert gains.max() > 0


def test_long_selections_stay_finite_and_within_bounds():
    posterior = dirichlet(8, 300, 3, alpha=5.0)
    posterior = np.concatenate([posterior[:4], posterior[:4] * 0.9 + 0.1 / 3])
    selection = run(posterior, 60, n_configurations=400)
    assert len(set(selection.rows.tolist())) == 60
    assert np.isfinite(selection.values).all()
    assert selection.values.min() > 0
    assert selection.values.sum() < np.log(8) + 0.05


def test_ties_are_broken_uniformly():
    # Three copies each of two rows that split the samples in ways of their own.
    ways = [[0.02, 0.02, 0.98, 0.98], [0.05, 0.95, 0.05, 0.95]]
    q = np.array(ways * 3).T
    posterior = np.stack([1 - q, q], axis=2)
    counts, rng = np.zeros((6, 6)), np.random.RandomState(0)
    for _ in range(900):
        pool = Outputs(posterior=posterior)
        first, second = BatchBald().select(pool, 2, random_state=rng)
        counts[first, second] += 1
    assert counts[::2, 1::2].sum() == 900
    assert chisquare(counts[::2, 1::2].ravel()).pvalue > 1e-4


@pytest.mark.parametrize(
    ("shape", "n_configurations"),
    [((20, 100_000, 2), 30), ((20, 50, 500), 1000), ((200, 500, 3), 2000)],
)
def test_memory_is_within_its_bound(shape, n_configurations):
    n_posterior, n_rows, n_classes = shape
    rng = np.random.RandomState(0)
    posterior = rng.uniform(size=shape).astype(np.float32) ** 4
    posterior /= posterior.sum(axis=2, keepdims=True)
    tracemalloc.start()
    run(posterior, 6, n_configurations=n_configurations)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    bound = 64 * n_configurations * n_posterior + 64 * n_rows
    bound += max(2**23, 24 * (n_configurations + n_posterior) * n_classes)
    assert peak < bound


@pytest.mark.parametrize("value", [0, 1.5, "all"])
def test_the_number_of_configurations_is_checked(value):
    with pytest.raises(ValueError, match="'n_configurations' parameter of BatchBald"):
        run(dirichlet(2, 4, 3), 2, n_configurations=value)


LIMITS = {
    "mask": {"mask": np.arange(12) % 3 > 0},
    "groups": {"groups": np.arange(12) % 5},
    "pending": {"pending": [4, 7]},
    "all": {
        "mask": np.arange(12) % 3 > 0,
        "groups": np.arange(12) // 4,
        "max_per_group": 2,
        "pending": [0, 7],
    },
}


@pytest.mark.parametrize("name", LIMITS)
def test_feasible_rows_are_those_of_brute_force(name):
    feasible = Feasible(12, **LIMITS[name])
    for seed in range(5):
        posterior = dirichlet(5, 12, 3, seed, alpha=0.5)
        rows, gains = brute_force_greedy(posterior, 4, feasible)
        selection = run(posterior, 4, feasible=feasible)
        np.testing.assert_array_equal(selection.rows, rows)
        np.testing.assert_allclose(selection.values, gains, atol=1e-12)
        assert selection.fallbacks == ()


def test_feasible_rows_passed_over_would_not_have_been_the_best():
    posterior = dirichlet(6, 700, 3, alpha=0.3)
    rng = np.random.RandomState(0)
    feasible = Feasible(
        700, rng.uniform(size=700) < 0.7, rng.randint(30, size=700), pending=[3, 500]
    )
    rows, gains = brute_force_greedy(posterior, 5, feasible)
    selection = run(posterior, 5, feasible=feasible)
    np.testing.assert_array_equal(selection.rows, rows)
    np.testing.assert_allclose(selection.values, gains, atol=1e-12)


@pytest.mark.parametrize("n_configurations", [30, 2000])
def test_a_mask_selects_as_from_the_rows_by_themselves(n_configurations):
    posterior = dirichlet(5, 60, 3, alpha=0.5)
    posterior[:, 30:] = posterior[:, :30]
    mask = np.random.RandomState(0).uniform(size=60) < 0.7
    rows, params = np.flatnonzero(mask), {"n_configurations": n_configurations}
    for seed in range(4):
        alone = run(posterior[:, mask], 6, seed, **params)
        selection = run(posterior, 6, seed, feasible=mask, **params)
        np.testing.assert_array_equal(selection.rows, rows[alone.rows])
        np.testing.assert_array_equal(selection.values, alone.values)


def test_pending_rows_are_continued_from():
    posterior = dirichlet(5, 40, 3, alpha=0.5)
    rows = run(posterior, 6).rows
    # With all configurations enumerated, chance has no part.
    feasible = Feasible(40, pending=rows[:2])
    rest = run(posterior, 4, seed=1, feasible=feasible).rows
    np.testing.assert_array_equal(rest, rows[2:])


def test_a_fill_is_drawn_from_what_may_be_selected():
    posterior = np.repeat(np.eye(3)[[[0], [1], [2]]], 8, axis=1)
    groups = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    feasible = Feasible(8, np.arange(8) < 6, groups, pending=[0])
    drawn = set()
    for seed in range(40):
        # One label says it all, and that of row 0 is out already.
        with pytest.warns(QueryWarning, match="Only 0 of 2 rows have labels"):
            rows = run(posterior, 2, seed, feasible=feasible).rows
        assert sorted(groups[rows]) == [1, 2]
        drawn |= set(rows.tolist())
    assert drawn == {2, 3, 4, 5}
