"""Laws and greedy rules among the rows that may be picked."""

import numpy as np
import pytest

from skbadge.embeddings import DenseEmbedding
from skbadge.samplers import (
    LCMD,
    Feasible,
    KCenter,
    KMeansPlusPlus,
    MaxDet,
    MaxDiag,
    Random,
)
from skbadge.samplers._kmeans_seeding import Seeding
from tests.samplers._laws import (
    THRESHOLD,
    draw,
    first_law,
    law_pvalue,
    pairwise,
    tables,
)
from tests.samplers._plain import (
    PlainKCenter,
    PlainKMeansPlusPlus,
    PlainLCMD,
    PlainMaxDet,
)
from tests.samplers._restrictions import CASES, is_open, random_case


def law_of(weights_of, n, feasible):
    """Probability of each ordered tuple of picks.

    Parameters
    ----------
    weights_of : callable
        For a tuple of picks, the weight of each row to come next if it may.

    n : int
        Number of picks.

    feasible : Feasible
        The rows that may be picked.

    Returns
    -------
    law : dict
        From tuple to probability.
    """
    law = {(): 1.0}
    for _ in range(n):
        longer = {}
        for rows, probability in law.items():
            weights = weights_of(rows) * is_open(feasible, rows)
            weights = weights / weights.sum()
            for row in np.flatnonzero(weights).tolist():
                longer[*rows, row] = probability * weights[row]
        law = longer
    assert np.isclose(sum(law.values()), 1)
    return law


def kmeans_plus_plus_weights(X, first, labeled, feasible):
    """Squared distances to what is picked or counts so."""
    start = X[feasible.pending]
    if labeled is not None:
        start = np.vstack([start, labeled])

    def weights_of(rows):
        centers = np.vstack([start, X[list(rows)]])
        if len(centers):
            return pairwise(X, centers).min(axis=1)
        if first == "max_norm":
            norms_sq = (X**2).sum(axis=1) * is_open(feasible, ())
            return (norms_sq == norms_sq.max()) * 1.0
        return first_law(X, first)

    return weights_of


SEVEN = np.random.RandomState(5).normal(size=(7, 3))
SEVEN *= np.array([[1.0], [1.0], [3.0], [1.0], [1.0], [0.5], [2.0]])
SOME = np.array([True, True, False, True, True, True, True])
GROUPS = np.array([0, 1, 2, 0, 1, 0, 3])
RESTRICTIONS = {
    "mask": Feasible(7, SOME),
    "one_a_group": Feasible(7, groups=GROUPS),
    "two_a_group": Feasible(7, groups=GROUPS // 2, max_per_group=2),
    "pending": Feasible(7, pending=[2, 4]),
    "all_of_it": Feasible(7, SOME, GROUPS, 2, [2, 3]),
}
LABELED = np.array([[0.0, 0.0, 0.0], [1.0, -0.5, 0.3]])


def draws_of(sampler, feasible, n, labeled=None, n_draws=4000):
    """Draws as the public call makes them, rows by their positions in the pool."""
    embedding, seeds = tables(SEVEN, labeled)
    rows, inner = feasible.restricted()
    draws = draw(sampler, embedding.take(rows), n, n_draws, 1, seeds, inner)
    return [tuple(rows[list(picks)].tolist()) for picks in draws]


@pytest.mark.parametrize("rule", [KMeansPlusPlus, PlainKMeansPlusPlus])
@pytest.mark.parametrize("with_labeled", [False, True])
@pytest.mark.parametrize("name", RESTRICTIONS)
def test_kmeans_plus_plus_follows_the_restricted_law(name, with_labeled, rule):
    feasible, labeled = RESTRICTIONS[name], LABELED if with_labeled else None
    first = "norm_weighted"
    law = law_of(kmeans_plus_plus_weights(SEVEN, first, labeled, feasible), 3, feasible)
    draws = draws_of(rule(first_center=first), feasible, 3, labeled)
    assert law_pvalue(law, draws) > THRESHOLD


@pytest.mark.parametrize("first", ["max_norm", "uniform"])
@pytest.mark.parametrize("name", ["mask", "one_a_group", "two_a_group"])
def test_the_restricted_law_does_not_depend_on_when_bounds_are_renewed(
    name, first, monkeypatch
):
    # Proposals of rows that were closed since their bounds were right.
    monkeypatch.setattr(Seeding, "_refresh_pays", lambda self, rate: rate < 0.003)
    feasible = RESTRICTIONS[name]
    law = law_of(kmeans_plus_plus_weights(SEVEN, first, None, feasible), 4, feasible)
    draws = draws_of(KMeansPlusPlus(first_center=first), feasible, 4)
    assert law_pvalue(law, draws) > THRESHOLD


@pytest.mark.parametrize("wrong", ["quota", "pending"])
def test_the_restricted_laws_differ_from_the_others(wrong):
    # What makes the tests above tests of the restriction.
    feasible = RESTRICTIONS["one_a_group" if wrong == "quota" else "pending"]
    drawn = Feasible(7) if wrong == "quota" else Feasible(7, is_open(feasible, ()))
    law = law_of(
        kmeans_plus_plus_weights(SEVEN, "uniform", None, feasible), 3, feasible
    )
    draws = draws_of(KMeansPlusPlus(first_center="uniform"), drawn, 3)
    assert law_pvalue(law, draws) < 1e-12


@pytest.mark.parametrize("name", RESTRICTIONS)
def test_random_draws_each_row_uniformly_from_those_open(name):
    feasible = RESTRICTIONS[name]
    law = law_of(lambda rows: np.ones(7), 3, feasible)
    draws = draws_of(Random(), feasible, 3, n_draws=6000)
    assert law_pvalue(law, draws) > THRESHOLD


# Greedy rules, by brute force.


def distances(X, centers, sigma=0.0):
    """What k-center maximises."""
    return pairwise(X, centers).min(axis=1, initial=np.inf)


def variances(X, centers, sigma):
    """What max-det maximises."""
    gram = centers @ centers.T + sigma**2 * np.eye(len(centers))
    cross = centers @ X.T
    return (X**2).sum(axis=1) - (cross * (np.linalg.pinv(gram) @ cross)).sum(axis=0)


def norms(X, centers, sigma=0.0):
    """What max-diag maximises."""
    return (X**2).sum(axis=1)


RULES = {
    "k_center": (KCenter(), distances),
    "max_det": (MaxDet(sigma=0.4), variances),
    "max_diag": (MaxDiag(), norms),
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("seed", CASES)
def test_greedy_rules_take_the_greatest_row_that_may_be_picked(name, seed):
    sampler, values_of = RULES[name]
    feasible = random_case(30, seed)
    X = np.random.RandomState(seed).normal(size=(30, 4))
    labeled = np.random.RandomState(seed + 1).normal(size=(seed // 8, 4))
    n = feasible.n_left - seed % 3
    selection = sampler.run(
        DenseEmbedding(X), n, labeled=DenseEmbedding(labeled), feasible=feasible
    )
    assert selection.fallbacks == ()
    assert len(selection.rows) == n
    for t, row in enumerate(selection.rows):
        centers = np.vstack([labeled, X[feasible.pending], X[selection.rows[:t]]])
        if name == "k_center" and not len(centers):
            values = norms(X, centers)
        else:
            values = values_of(X, centers, 0.4)
        allowed = is_open(feasible, selection.rows[:t])
        assert allowed[row]
        assert values[row] >= values[allowed].max() - 1e-9


@pytest.mark.parametrize("seed", CASES)
@pytest.mark.parametrize("weights", ["sq_dist", "dist", "none"])
def test_lcmd_splits_the_heaviest_cluster_of_the_whole_pool(seed, weights):
    feasible = random_case(30, seed)
    X = np.random.RandomState(seed).normal(size=(30, 4))
    labeled = np.random.RandomState(seed + 1).normal(size=(seed // 8, 4))
    n = feasible.n_left - seed % 3
    rows = LCMD(weights=weights).sample(
        DenseEmbedding(X), n, labeled=DenseEmbedding(labeled), feasible=feasible
    )
    for t, row in enumerate(rows):
        allowed = is_open(feasible, rows[:t])
        assert allowed[row]
        centers = np.vstack([labeled, X[feasible.pending], X[rows[:t]]])
        if not len(centers):
            assert norms(X, None)[row] == norms(X, None)[allowed].max()
            continue
        sq_dists = pairwise(X, centers)
        nearest, sq_dists = sq_dists.argmin(axis=1), sq_dists.min(axis=1)
        of_row = {"sq_dist": sq_dists, "dist": np.sqrt(sq_dists), "none": None}
        sizes = np.bincount(nearest, of_row[weights], minlength=len(centers))
        own = nearest[row]
        assert sizes[own] >= sizes[np.unique(nearest[allowed])].max() - 1e-9
        rivals = allowed & (nearest == own)
        assert sq_dists[row] == sq_dists[rivals].max()


def test_rows_that_may_not_be_picked_weigh_in_lcmd():
    X = DenseEmbedding([[-2.0], [11.0], [13.0], [13.1]])
    labeled = DenseEmbedding([[0.0], [10.0]])
    mask = np.array([True, True, False, False])
    assert LCMD().sample(X.take(slice(2)), 1, labeled=labeled) == 0
    assert LCMD().sample(X, 1, labeled=labeled, feasible=mask) == 1


PAIRS = [
    (KCenter(), PlainKCenter()),
    (LCMD(), PlainLCMD()),
    (LCMD(weights="none"), PlainLCMD(weights="none")),
    (MaxDet(), PlainMaxDet()),
    (MaxDet(sigma=0.3), PlainMaxDet(sigma=0.3)),
]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: repr(pair[0]))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("seed", range(8))
def test_picks_are_those_of_the_plain_loops_where_many_rows_tie(pair, dtype, seed):
    # Rows of a lattice, so that many are copies and many at equal distance, more than
    # contend at first. To the end, the uniform fill included.
    rng = np.random.RandomState(seed)
    X = rng.randint(-3, 4, size=(900, 3)).astype(dtype)
    feasible = random_case(900, seed)
    labeled = DenseEmbedding(X[rng.permutation(900)[: 3 * (seed // 2 % 2)]])
    n = min(feasible.n_left, 150)
    with np.errstate(all="raise"), pytest.MonkeyPatch.context() as patch:
        patch.setattr("skbadge.samplers._base.warnings.warn", lambda *a, **k: None)
        picks = [
            rule.sample(
                DenseEmbedding(X), n, labeled=labeled, feasible=feasible, random_state=3
            )
            for rule in pair
        ]
    np.testing.assert_array_equal(*picks)
