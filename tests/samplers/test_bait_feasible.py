"""BAIT with masks, quotas, pending rows and repeats, against brute force."""

import numpy as np
import pytest

from skbadge.embeddings import DenseEmbedding, fisher_embedding
from skbadge.exceptions import QueryWarning
from skbadge.samplers import Bait, Feasible, bait_greedy
from tests.samplers._bait_oracle import Oracle, full_information, outputs, stack

N_ROWS = 12
MASK = np.array([True, True, False] * 4)
GROUPS = np.arange(N_ROWS) % 6
LIMITS = {
    "mask": {"mask": MASK},
    "groups": {"groups": GROUPS},
    "two of a group": {"groups": np.arange(12) // 4, "max_per_group": 2},
    "pending": {"pending": [7, 2]},
    "pending and groups": {"pending": [7, 2], "groups": GROUPS},
    "all": {"mask": MASK, "groups": GROUPS, "pending": [3, 5]},
}


def rows_of(n_rows=N_ROWS, n_columns=4, seed=0):
    rng = np.random.RandomState(seed)
    return rng.lognormal(sigma=0.7, size=(n_rows, 1)) * rng.normal(
        size=(n_rows, n_columns)
    )


def squares(X):
    return X[:, :, None] * X[:, None, :]


def assert_same_as(oracle, selection, scale=1.0, oversampling=2.0, rtol=1e-6):
    added, kept, values = oracle.search(oversampling)
    assert selection.rows.tolist() == kept
    expected = [scale * values[row] for row in kept]
    np.testing.assert_allclose(selection.values, expected, rtol=rtol)
    assert selection.fallbacks == ()
    return added[: len(kept)] != kept


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("weighting", ["repo", "counts", "mean"])
@pytest.mark.parametrize("n_labeled", [0, 5])
def test_the_search_is_that_of_brute_force(name, weighting, n_labeled):
    feasible = Feasible(N_ROWS, **LIMITS[name])
    n, n_pruned = 2 if name == "all" else 3, 0
    for seed in range(6):
        (p, z), (pl, zl) = outputs(N_ROWS, seed=seed), outputs(5, seed=100 + seed)
        oracle = Oracle(
            stack(full_information, p, z),
            stack(full_information, pl, zl) if n_labeled else None,
            n,
            0.01,
            weighting,
            feasible=feasible,
        )
        selection = bait_greedy(
            fisher_embedding(p, z),
            n,
            labeled=fisher_embedding(pl, zl) if n_labeled else None,
            feasible=feasible,
            regularization=0.01,
            labeled_weighting=weighting,
        )
        n_pruned += assert_same_as(oracle, selection)
    # Removal would not be tested if it always undid the last additions.
    assert n_pruned or n_labeled or name not in ("mask", "groups", "pending")


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("conditioned", [False, True])
@pytest.mark.parametrize("count_labeled", [False, True])
@pytest.mark.parametrize("sigma", [0.05, 1.0])
def test_the_sampler_is_that_of_brute_force(name, conditioned, count_labeled, sigma):
    repeats = np.zeros(N_ROWS, dtype=bool)
    repeats[[2, 9]] = True
    for seed in range(3):
        X, seeds = rows_of(seed=seed), rows_of(5, seed=100 + seed)
        seeds[:2] = X[[2, 9]]
        for more in ({}, {"repeats": repeats}):
            feasible = Feasible(N_ROWS, **LIMITS[name], **more)
            oracle = Oracle(
                squares(X),
                squares(seeds),
                2,
                sigma**2,
                None if conditioned else "counts",
                feasible=feasible,
                count_labeled=count_labeled,
            )
            sampler = Bait(
                sigma=sigma, conditioned=conditioned, count_labeled=count_labeled
            )
            selection = sampler.run(
                DenseEmbedding(X), 2, labeled=DenseEmbedding(seeds), feasible=feasible
            )
            assert_same_as(oracle, selection, scale=sigma**2)


def posterior(X, seeds, sigma):
    """Features whose inner products are the posterior kernel given some rows."""
    precision = seeds.T @ seeds + sigma**2 * np.eye(X.shape[1])
    return X @ (sigma * np.linalg.cholesky(np.linalg.inv(precision)))


def mean_variance(X, seen, counted, sigma):
    """Mean over some rows of the posterior variance given others, in kernel space."""
    cross = counted @ seen.T
    noisy = seen @ seen.T + sigma**2 * np.eye(len(seen))
    explained = np.einsum("ij,ji->i", cross, np.linalg.solve(noisy, cross.T))
    return np.mean((counted**2).sum(axis=1) - explained)


@pytest.mark.parametrize("count_labeled", [False, True])
def test_a_conditioned_embedding_is_searched_as_the_prior_with_the_labelled_rows(
    count_labeled,
):
    sigma, n_different = 0.3, 0
    for seed in range(10):
        X, seeds = rows_of(40, 6, seed), 3 * rows_of(20, 6, 50 + seed)
        selection = Bait(
            sigma=sigma, conditioned=True, count_labeled=count_labeled
        ).run(
            DenseEmbedding(posterior(X, seeds, sigma)),
            6,
            labeled=DenseEmbedding(posterior(seeds, seeds, sigma)),
        )
        prior = Bait(sigma=sigma, count_labeled=count_labeled).run(
            DenseEmbedding(X), 6, labeled=DenseEmbedding(seeds)
        )
        np.testing.assert_array_equal(selection.rows, prior.rows)
        np.testing.assert_allclose(selection.values, prior.values, rtol=1e-6)
        # By definition, without matrices of columns.
        counted = np.vstack([X, seeds]) if count_labeled else X
        forward = Bait(
            sigma=sigma, conditioned=True, count_labeled=count_labeled, oversampling=1
        ).run(
            DenseEmbedding(posterior(X, seeds, sigma)),
            1,
            labeled=DenseEmbedding(posterior(seeds, seeds, sigma)),
        )
        after = [
            mean_variance(X, np.vstack([seeds, x[None]]), counted, sigma) for x in X
        ]
        assert forward.rows[0] == np.argmin(after)
        fall = mean_variance(X, seeds, counted, sigma) - min(after)
        np.testing.assert_allclose(forward.values[0], fall, rtol=1e-6)
        ignored = Bait(sigma=sigma).sample(
            DenseEmbedding(posterior(X, seeds, sigma)), 6
        )
        n_different += set(ignored.tolist()) != set(selection.rows.tolist())
    # Without the labelled rows in the sum other rows are picked, now and then.
    assert (n_different > 0) == count_labeled


@pytest.mark.parametrize("conditioned", [False, True])
def test_rows_that_repeat_labelled_ones_count_once(conditioned):
    # As if the repeats were no part of the pool.
    X, seeds = rows_of(30), rows_of(6, seed=1)
    again = np.vstack([X, seeds, seeds[:3]])
    repeats = np.arange(len(again)) >= 30
    sampler = Bait(sigma=0.3, conditioned=conditioned)
    selection = sampler.run(
        DenseEmbedding(again),
        5,
        labeled=DenseEmbedding(seeds),
        feasible=Feasible(len(again), ~repeats, repeats=repeats),
    )
    expected = sampler.run(DenseEmbedding(X), 5, labeled=DenseEmbedding(seeds))
    np.testing.assert_array_equal(selection.rows, expected.rows)
    np.testing.assert_allclose(selection.values, expected.values)


def test_rows_that_may_not_be_picked_count_in_the_objective():
    # Most rows lie along the second axis, but none of them may be picked.
    X = np.vstack([[3.0, 0.0], [0.0, 2.0], np.tile([0.0, 2.5], (20, 1))])
    mask = np.arange(22) < 2
    assert Bait(sigma=1.0).sample(DenseEmbedding(X), 1, feasible=mask) == 1
    assert Bait(sigma=1.0).sample(DenseEmbedding(X[:2]), 1) == 0


@pytest.mark.parametrize("oversampling", [1.0, 2.0, 5.0])
def test_no_pick_is_infeasible(oversampling):
    rng = np.random.RandomState(0)
    X = DenseEmbedding(rows_of(60, 5))
    proba, features = outputs(60)
    fisher = fisher_embedding(proba, features)
    for seed in range(25):
        groups = rng.randint(12, size=60)
        mask = rng.uniform(size=60) < 0.6
        pending = rng.permutation(60)[: rng.randint(6)]
        feasible = Feasible(60, mask, groups, rng.randint(1, 4), pending)
        # Up to all that the quota leaves.
        for n in (1, feasible.n_left // 2, feasible.n_left):
            selections = [
                Bait(sigma=0.1, oversampling=oversampling).run(
                    X, n, feasible=feasible, random_state=seed
                ),
                bait_greedy(
                    fisher,
                    n,
                    feasible=feasible,
                    oversampling=oversampling,
                    random_state=seed,
                ),
            ]
            for selection in selections:
                rows = selection.rows
                assert len(set(rows.tolist())) == n
                assert mask[rows].all()
                assert not np.isin(rows, pending).any()
                used = np.bincount(groups[[*pending, *rows]], minlength=12)
                before = np.bincount(groups[pending], minlength=12)
                assert (used <= np.maximum(feasible.max_per_group, before)).all()
                assert selection.fallbacks == ()


def test_a_mask_of_all_rows_changes_nothing():
    X, labeled = DenseEmbedding(rows_of(40)), DenseEmbedding(rows_of(5, seed=1))
    everything = np.ones(40, dtype=bool)
    for seed in range(3):
        np.testing.assert_array_equal(
            Bait().sample(X, 7, labeled=labeled, random_state=seed),
            Bait().sample(
                X, 7, labeled=labeled, feasible=everything, random_state=seed
            ),
        )


def test_rows_without_information_are_filled_in_from_what_may_be_picked():
    X = rows_of(12)
    X[4:] = 0
    groups = np.array([0, 1, 2, 3, 0, 1, 2, 3, 4, 4, 5, 6])
    feasible = Feasible(12, np.arange(12) < 11, groups, pending=[1])
    filled = set()
    for seed in range(40):
        with pytest.warns(QueryWarning, match="Only 3 of 5 rows have embeddings"):
            rows = Bait().sample(
                DenseEmbedding(X), 5, feasible=feasible, random_state=seed
            )
        assert set(rows[:3].tolist()) == {0, 2, 3}
        # Groups 0 to 3 are used up, two of group 4 are open, row 11 is not feasible.
        assert len({8, 9} & set(rows[3:].tolist())) == 1
        assert 10 in rows[3:]
        filled |= set(rows[3:].tolist())
    assert filled == {8, 9, 10}


def test_all_rows_that_may_be_picked_come_in_the_order_of_what_each_would_do():
    X, pending = rows_of(12), [0, 4]
    feasible = Feasible(12, np.arange(12) < 8, pending=pending)
    oracle = Oracle(squares(X), None, 6, 0.25, None, feasible=feasible)
    selection = Bait(sigma=0.5).run(DenseEmbedding(X), 6, feasible=feasible)
    gains = np.array([oracle.objective([]) - oracle.objective([r]) for r in range(12)])
    rows = np.array([1, 2, 3, 5, 6, 7])
    np.testing.assert_array_equal(selection.rows, rows[np.argsort(-gains[rows])])
    np.testing.assert_allclose(selection.values, 0.25 * gains[selection.rows])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_of_rows_equal_but_for_rounding_each_is_as_likely(dtype):
    # As a net's outputs for equal inputs may differ.
    rng = np.random.RandomState(0)
    X = np.repeat(rows_of(4), 5, axis=0).astype(dtype)
    X *= 1 + np.finfo(dtype).eps * rng.choice([-1, 1], size=X.shape).astype(dtype)
    embedding = DenseEmbedding(X)
    draws = [Bait(sigma=1.0).sample(embedding, 2, random_state=s) for s in range(300)]
    firsts = np.array(draws)[:, 0]
    assert len(set((firsts // 5).tolist())) == 1
    # 300 draws of 5: mean 60, standard deviation 7.
    counts = np.bincount(firsts % 5, minlength=5)
    assert counts.min() > 30
    assert counts.max() < 90


@pytest.mark.parametrize("parameters", [{"conditioned": 1}, {"count_labeled": "no"}])
def test_flags_are_checked(parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"'{name}' parameter of Bait"):
        Bait(**parameters).sample(DenseEmbedding(rows_of()), 3)
