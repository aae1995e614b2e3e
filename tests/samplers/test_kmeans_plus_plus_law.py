"""k-means++ seeding draws exactly the k-means++ law, and a wrong one would show."""

import numpy as np
import pytest

from skbadge.embeddings import DenseEmbedding, OuterProductEmbedding
from skbadge.samplers import KMeansPlusPlus, _kmeans_plus_plus, _kmeans_seeding
from skbadge.samplers._kmeans_seeding import Seeding
from skbadge.utils._ranking import draw_weighted
from tests.samplers._laws import (
    REJECTED,
    THRESHOLD,
    TableEmbedding,
    dense,
    draw,
    kmeans_plus_plus_law,
    law_pvalue,
    tables,
)
from tests.samplers._plain import PlainKMeansPlusPlus

FIRST_CENTERS = ["max_norm", "uniform", "norm_weighted"]

N_DRAWS = 3500

# The sampler, and the plain loop that others are compared with.
RULES = [KMeansPlusPlus, PlainKMeansPlusPlus]


def pool(name):
    """Six rows, and how many of them to pick."""
    rng = np.random.RandomState(0)
    if name == "duplicates":
        # Five distinct rows: 1 and 4 are copies, 2 is zero.
        X = rng.normal(size=(6, 3))
        X[4], X[2] = X[1], 0
        return X, 3
    if name == "outlier":
        # After the far row is picked nearly all proposals from its bounds are turned
        # down, over many blocks.
        X = rng.normal(size=(6, 3))
        X[3] = [12.0, 0.0, 0.0]
        return X, 4
    assert name == "pairs"
    # Picking one of a pair takes most of the mass of the other.
    X = np.repeat(rng.normal(size=(3, 2)), 2, axis=0)
    return X + 0.5 * rng.normal(size=X.shape), 4


POOLS = ["duplicates", "outlier", "pairs"]


def forced(seeding, rate):
    """No mass but stale mass: whoever puts off a refresh must give in here."""
    return rate < 0.003


def two_outstanding(seeding, rate):
    return len(seeding.rows) - seeding.settled >= 2 or forced(seeding, rate)


def below_half(seeding, rate):
    return rate < 0.5


def coin(seeding, rate):
    seeding.coins = getattr(seeding, "coins", 0) + 1
    return seeding.coins % 3 == 0 or forced(seeding, rate)


# Rules that, as they must, look at nothing but the past.
POLICIES = {
    "always": lambda seeding, rate: True,
    "never": forced,
    "two_outstanding": two_outstanding,
    "below_half": below_half,
    "every_third": coin,
}


@pytest.fixture
def set_policy(monkeypatch):
    """Have bounds renewed by another rule."""

    def set_policy(name):
        monkeypatch.setattr(Seeding, "_refresh_pays", POLICIES[name])

    return set_policy


@pytest.fixture
def set_block(monkeypatch):
    """Have proposals come in blocks of at most a size."""

    def set_block(size):
        monkeypatch.setattr(
            _kmeans_seeding,
            "draw_weighted",
            lambda cumulative, n, rng: draw_weighted(cumulative, min(n, size), rng),
        )

    return set_block


def pvalue(name, first="max_norm", rule=KMeansPlusPlus, labeled=None, n_draws=N_DRAWS):
    X, n = pool(name)
    sampler = rule(first_center=first)
    embedding, seeds = tables(X, labeled)
    draws = draw(sampler, embedding, n, n_draws, seed=1, labeled=seeds)
    return law_pvalue(kmeans_plus_plus_law(X, n, first, labeled), draws)


@pytest.mark.parametrize("first", FIRST_CENTERS)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ["duplicates", "outlier"])
def test_picks_follow_the_law(name, rule, first):
    assert pvalue(name, first, rule) > THRESHOLD


LABELED = np.array([[0.0, 0.0, 0.0], [1.0, -0.5, 0.3]])


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ["duplicates", "outlier"])
def test_picks_keep_away_from_labelled_rows_by_the_law(name, rule):
    assert pvalue(name, rule=rule, labeled=LABELED) > THRESHOLD


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", POOLS)
def test_the_law_does_not_depend_on_when_bounds_are_renewed(name, policy, set_policy):
    set_policy(policy)
    assert pvalue(name, "uniform") > THRESHOLD


@pytest.mark.parametrize("policy", ["never", "two_outstanding"])
def test_stale_bounds_from_labelled_rows_keep_the_law(policy, set_policy):
    set_policy(policy)
    assert pvalue("outlier", labeled=LABELED) > THRESHOLD


@pytest.mark.parametrize(
    ("name", "size", "policy"),
    [
        ("duplicates", 1, "never"),
        ("duplicates", 1, "every_third"),
        ("pairs", 3, "never"),
        ("pairs", 2, "below_half"),
    ],
)
def test_the_law_does_not_depend_on_the_size_of_blocks(
    name, size, policy, set_policy, set_block
):
    set_policy(policy)
    set_block(size)
    assert pvalue(name, "norm_weighted") > THRESHOLD


def test_the_rule_that_never_renews_leaves_bounds_stale(set_policy, monkeypatch):
    # What makes the tests above tests of the rejection.
    rejected = []

    def counting(self, proposals, coins, goal):
        n_before = len(self.rows)
        tested, ratios = test(self, proposals, coins, goal)
        rejected.append(tested - len(self.rows) + n_before)
        return tested, ratios

    test = Seeding._test
    monkeypatch.setattr(Seeding, "_test", counting)
    set_policy("never")
    pvalue("outlier", n_draws=300)
    # Of a far first row's bounds, about a hundredth is accepted, over many blocks.
    assert sum(rejected) > 20 * 300


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", ["dense", "factored"])
def test_real_embeddings_follow_the_law_through_the_public_call(kind, rule):
    rng = np.random.RandomState(3)
    A, Z = rng.normal(size=(5, 2)), rng.normal(size=(5, 3))
    X = np.einsum("ij,ik->ijk", A, Z).reshape(5, 6)
    embedding = DenseEmbedding(X) if kind == "dense" else OuterProductEmbedding(A, Z)
    sampler = rule(first_center="norm_weighted")
    rng = np.random.RandomState(1)
    draws = [
        tuple(sampler.sample(embedding, 3, random_state=rng).tolist())
        for _ in range(1500)
    ]
    assert law_pvalue(kmeans_plus_plus_law(X, 3, "norm_weighted"), draws) > THRESHOLD


def test_one_draw_for_each_seed_follows_the_law():
    # Seeds next to each other must not be alike.
    X, n = pool("pairs")
    sampler = KMeansPlusPlus(first_center="uniform")
    embedding, _ = tables(X)
    draws = [
        tuple(sampler.sample(embedding, n, random_state=seed).tolist())
        for seed in range(1500)
    ]
    assert law_pvalue(kmeans_plus_plus_law(X, n, "uniform"), draws) > THRESHOLD


@pytest.mark.parametrize("rule", RULES)
def test_the_law_moves_with_the_rows(rule, set_policy):
    set_policy("never")
    X, n = pool("duplicates")
    order = np.array([4, 0, 5, 2, 3, 1])
    embedding, _ = tables(X[order])
    sampler = rule(first_center="uniform")
    draws = [
        tuple(order[list(rows)].tolist())
        for rows in draw(sampler, embedding, n, N_DRAWS, seed=2)
    ]
    assert law_pvalue(kmeans_plus_plus_law(X, n, "uniform"), draws) > THRESHOLD


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["real", "never", "two_outstanding", "every_third"])
@pytest.mark.parametrize("name", ["duplicates", "pairs"])
def test_fifty_thousand_picks_follow_the_law(name, policy, set_policy):
    if policy != "real":
        set_policy(policy)
    assert pvalue(name, "norm_weighted", n_draws=50_000) > THRESHOLD


# Wrong samplers, all of them plausible. The tests above are worth as much as they
# would say about these.


class CoinAgainstTheRefreshedBound(Seeding):
    """Draws by the stale bounds, but compares the coin with better ones."""

    def _test(self, proposals, coins, goal):
        stale, outstanding = self.bound, self.rows[self.settled :]
        if outstanding:
            centers = self.embedding.take(np.array(outstanding))
            self.bound = np.minimum(stale, self.embedding.min_sq_dists(centers))
            self.bound = np.maximum(self.bound, 1e-200)
        try:
            return super()._test(proposals, coins, goal)
        finally:
            self.bound = stale


class RefreshForAStaleProposal(Seeding):
    """Renews the bounds, and draws again, when a proposal turns out very stale."""

    def _draw_until_stale(self, cumulative, rng, stop):
        while len(self.rows) < stop:
            proposal = draw_weighted(cumulative, 1, rng)
            nearest = self.embedding.take(proposal).min_sq_dists(
                self.embedding.take(np.array(self.rows))
            )
            if nearest[0] < self.bound[proposal[0]] / 2:
                return True
            self._test(proposal, rng.random_sample(1), stop)
        return False


class NoRejection(Seeding):
    """Takes each proposal from the stale bounds."""

    def _test(self, proposals, coins, goal):
        return super()._test(proposals, np.zeros_like(coins), goal)


class BoundWrittenBackButDrawnByTheOldOne(Seeding):
    """Keeps what it learns of a tested row for its ratio, not for its proposals."""

    def _test(self, proposals, coins, goal):
        answer = super()._test(proposals, coins, goal)
        nearest = self.embedding.take(proposals).min_sq_dists(
            self.embedding.take(np.array(self.rows))
        )
        self.bound[proposals] = np.maximum(nearest, 1e-200)
        return answer


def draw_from_exact_bounds(seeding, rng, stop=None):
    """In place of proposals: renew the bounds after each pick, and draw by them."""
    while len(seeding.rows) < seeding.n:
        row = draw_weighted(np.cumsum(seeding.bound), 1, rng)[0]
        seeding._pick(row, seeding.bound[row])
        seeding.refresh()


class ReusedKeys(Seeding):
    """An exponential race whose runners do not keep the time that has passed."""

    def lazy(self, rng, stop=None):
        budgets = rng.exponential(size=len(self.bound))
        while len(self.rows) < self.n:
            row = int(np.argmin(budgets / np.maximum(self.bound, 1e-200)))
            self._pick(row, self.bound[row])
            self.refresh()


class OriginStaysACenter(Seeding):
    """Starts the bounds at the squared norms."""

    def start(self, row):
        np.minimum(self.bound, self.embedding.norms_sq(), out=self.bound)
        super().start(row)


class NotSquared(Seeding):
    """Draws by distance."""

    def lower(self, centers):
        nearest = np.sqrt(self.embedding.min_sq_dists(centers))
        np.minimum(self.bound, nearest, out=self.bound)

    lazy = draw_from_exact_bounds


class SquaredTwice(Seeding):
    """Draws by the fourth power of the distance."""

    def lower(self, centers):
        np.minimum(
            self.bound, self.embedding.min_sq_dists(centers) ** 2, out=self.bound
        )

    lazy = draw_from_exact_bounds


class BestOfTwo(Seeding):
    """scikit-learn's greedy variant."""

    def lazy(self, rng, stop=None):
        while len(self.rows) < self.n:
            rows = draw_weighted(np.cumsum(self.bound), 2, rng)
            to_both = self.embedding.sq_dists(self.embedding.take(rows))
            left = np.minimum(self.bound[:, None], to_both).sum(axis=0)
            row = rows[left.argmin()]
            self._pick(row, self.bound[row])
            self.refresh()


class NearestOfThePoolForgotten(Seeding):
    """Measures from the last pick alone."""

    def lower(self, centers):
        last = centers.take(np.array([len(centers) - 1]))
        self.bound = self.embedding.min_sq_dists(last) * self.open_rows.mask

    lazy = draw_from_exact_bounds


class AcceptedPickNotFeltInItsBlock(Seeding):
    """Tests the rest of a block against distances from before the last pick."""

    def _test(self, proposals, coins, goal):
        class Blind(TableEmbedding):
            def sq_dists(self, other):
                if other is self:
                    return np.full((len(self), len(self)), np.inf)
                return super().sq_dists(other)

            def _take(self, rows):
                return Blind(self.table, self.table_norms_sq, self.rows[rows])

        whole = self.embedding
        self.embedding = Blind(whole.table, whole.table_norms_sq, whole.rows)
        try:
            return super()._test(proposals, coins, goal)
        finally:
            self.embedding = whole


@pytest.mark.parametrize(
    ("wrong", "name", "n_draws"),
    [
        (CoinAgainstTheRefreshedBound, "duplicates", N_DRAWS),
        (CoinAgainstTheRefreshedBound, "pairs", N_DRAWS),
        # The least of the faults.
        (RefreshForAStaleProposal, "duplicates", 5 * N_DRAWS),
        (NoRejection, "duplicates", N_DRAWS),
        (NoRejection, "pairs", N_DRAWS),
        (BoundWrittenBackButDrawnByTheOldOne, "pairs", N_DRAWS),
        (AcceptedPickNotFeltInItsBlock, "outlier", N_DRAWS),
        (AcceptedPickNotFeltInItsBlock, "pairs", N_DRAWS),
        (ReusedKeys, "pairs", N_DRAWS),
        (OriginStaysACenter, "duplicates", N_DRAWS),
        (NotSquared, "duplicates", N_DRAWS),
        (SquaredTwice, "duplicates", N_DRAWS),
        (BestOfTwo, "duplicates", N_DRAWS),
        (NearestOfThePoolForgotten, "duplicates", N_DRAWS),
    ],
)
def test_wrong_samplers_are_told_from_the_law(
    wrong, name, n_draws, set_policy, monkeypatch
):
    # By the draws of the tests above, which the right sampler passes.
    set_policy("never")
    monkeypatch.setattr(_kmeans_plus_plus, "Seeding", wrong)
    assert pvalue(name, "uniform", n_draws=n_draws) < REJECTED


def test_a_wrong_first_row_is_told_from_the_law():
    X, n = pool("duplicates")
    for drawn, expected in (("uniform", "norm_weighted"), ("norm_weighted", "uniform")):
        draws = draw(
            KMeansPlusPlus(first_center=drawn), tables(X)[0], n, N_DRAWS, seed=1
        )
        assert law_pvalue(kmeans_plus_plus_law(X, n, expected), draws) < REJECTED


def test_the_table_gives_the_distances_of_the_dense_embedding():
    X, _ = pool("duplicates")
    table, labeled = tables(X, LABELED)
    matrix, dense_labeled = dense(X, LABELED)
    np.testing.assert_allclose(table.sq_dists(table), matrix.sq_dists(matrix))
    np.testing.assert_allclose(
        table.min_sq_dists(labeled), matrix.min_sq_dists(dense_labeled)
    )
    np.testing.assert_allclose(table.norms_sq(), matrix.norms_sq())


def test_max_norm_starts_from_ties_at_random():
    X = np.array([[2.0, 0.0], [0.0, 1.0], [-2.0, 0.0], [0.0, -2.0]])
    draws = draw(KMeansPlusPlus(), tables(X)[0], 1, 3000, seed=0)
    assert law_pvalue({(0,): 1 / 3, (2,): 1 / 3, (3,): 1 / 3}, draws) > THRESHOLD
