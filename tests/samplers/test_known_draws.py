"""With a share of uniform draws, every draw has the probability that is said."""

import numpy as np
import pytest

from skbadge.embeddings import DenseEmbedding
from skbadge.monitoring import risk_estimate
from skbadge.samplers import Feasible, KMeansPlusPlus, Random, _kmeans_of_chunks
from tests.samplers._chunked import dense_chunks
from tests.samplers._laws import THRESHOLD, first_law, law_pvalue, pairwise

N_DRAWS = 3000


def law_of(weights_after, n_rows, n, share):
    """Probability of each ordered tuple of draws, by enumeration.

    ``weights_after`` says what rows weigh, given a tuple of those drawn.
    """
    law = {(): 1.0}
    for _ in range(n):
        longer = {}
        for rows, probability in law.items():
            left = np.setdiff1d(np.arange(n_rows), rows)
            weights = weights_after(rows)[left]
            if not weights.any():
                weights = np.ones(len(left))
            chances = (1 - share) * weights / weights.sum() + share / len(left)
            for row, chance in zip(left.tolist(), chances, strict=True):
                if chance:
                    longer[*rows, row] = probability * chance
        law = longer
    assert np.isclose(sum(law.values()), 1)
    return law


def kmeans_weights(X, first, labeled=None):
    start = np.full(len(X), np.inf)
    if labeled is not None:
        start = pairwise(X, labeled).min(axis=1)

    def weights(rows):
        if not rows and labeled is None:
            return first_law(X, first)
        table = pairwise(X, X[list(rows)]) if rows else np.full((len(X), 1), np.inf)
        return np.minimum(start, table.min(axis=1))

    return weights


def pool():
    """Six rows: two are copies, one is zero."""
    X = np.random.RandomState(0).normal(size=(6, 3))
    X[4], X[2] = X[1], 0
    return X


def selections(sampler, embedding, n, labeled=None, feasible=None):
    rng = np.random.RandomState(1)
    return [
        sampler.run(embedding, n, labeled=labeled, feasible=feasible, random_state=rng)
        for _ in range(N_DRAWS)
    ]


def check_law(law, found):
    """Draws follow a law, and say with what probability they came."""
    draws = [tuple(selection.rows.tolist()) for selection in found]
    assert law_pvalue(law, draws) > THRESHOLD
    for rows, selection in zip(draws, found, strict=True):
        assert np.prod(selection.probabilities) == pytest.approx(law[rows], rel=1e-9)


@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
@pytest.mark.parametrize("in_chunks", [False, True])
@pytest.mark.parametrize("share", [0.1, 0.6])
@pytest.mark.parametrize("first", ["norm_weighted", "uniform"])
def test_kmeans_plus_plus_draws_by_the_probabilities_that_it_says(
    first, share, in_chunks
):
    X = pool()
    embedding = dense_chunks(X, 2, seed=None) if in_chunks else DenseEmbedding(X)
    sampler = KMeansPlusPlus(first_center=first, uniform_share=share)
    law = law_of(kmeans_weights(X, first), len(X), 3, share)
    check_law(law, selections(sampler, embedding, 3))


@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
@pytest.mark.parametrize("labeled", [None, np.array([[0.2, -0.1, 0.3]])])
@pytest.mark.parametrize("size", [2, 3, 5])
def test_sketches_that_run_out_do_not_change_the_law(size, labeled, monkeypatch):
    monkeypatch.setattr(_kmeans_of_chunks, "sketch_size", lambda *args: size)
    X, embeddings = pool(), None if labeled is None else DenseEmbedding(labeled)
    chunks = dense_chunks(X, 2, seed=None)
    sampler = KMeansPlusPlus(uniform_share=0.4)
    law = law_of(kmeans_weights(X, "norm_weighted", labeled), len(X), 4, 0.4)
    check_law(law, selections(sampler, chunks, 4, labeled=embeddings))
    assert chunks.n_passes > 1.5 * N_DRAWS


@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
@pytest.mark.parametrize("in_chunks", [False, True])
def test_all_rows_are_drawn_where_no_mass_is_left(in_chunks):
    X = pool()[:5]
    embedding = dense_chunks(X, 2, seed=None) if in_chunks else DenseEmbedding(X)
    law = law_of(kmeans_weights(X, "norm_weighted"), len(X), 5, 0.3)
    found = selections(KMeansPlusPlus(uniform_share=0.3), embedding, 5)
    check_law(law, found)


@pytest.mark.parametrize("in_chunks", [False, True])
def test_labelled_and_pending_rows_count_as_drawn(in_chunks):
    X = pool()
    labeled = np.random.RandomState(3).normal(size=(2, 3))
    others = np.array([0, 1, 2, 4, 5])
    embedding = dense_chunks(X, 2, seed=None) if in_chunks else DenseEmbedding(X)
    found = selections(
        KMeansPlusPlus(uniform_share=0.2),
        embedding,
        2,
        labeled=DenseEmbedding(labeled),
        feasible=Feasible(len(X), pending=[3]),
    )
    law = law_of(kmeans_weights(X[others], "", np.vstack([labeled, X[3:4]])), 5, 2, 0.2)
    law = {tuple(others[list(rows)].tolist()): chance for rows, chance in law.items()}
    check_law(law, found)


def test_many_draws_from_many_chunks_say_the_same_as_in_memory():
    # Distances leave some rows all but impossible: the uniform ones have them.
    rng = np.random.RandomState(0)
    X = (
        rng.normal(size=(3000, 4))
        * np.where(rng.random_sample(3000) < 0.5, 1e-3, 1)[:, None]
    )
    X = X.astype(np.float64)
    in_small = []
    for embedding in (DenseEmbedding(X), dense_chunks(X, 500)):
        sampler = KMeansPlusPlus(uniform_share=0.3)
        selection = sampler.run(embedding, 400, random_state=0)
        assert len(set(selection.rows.tolist())) == 400
        expected = said_by_loops(X, selection.rows, 0.3)
        np.testing.assert_allclose(selection.probabilities, expected, rtol=1e-6)
        in_small.append((np.linalg.norm(X[selection.rows], axis=1) < 0.1).sum())
    # 0.3 of 400 draws, half of them in the small half, 60 and no more than a few.
    assert all(35 <= n_small <= 90 for n_small in in_small)


def said_by_loops(X, rows, share):
    nearest, expected = np.full(len(X), np.inf), []
    for turn, row in enumerate(rows):
        weights = (X**2).sum(axis=1) if turn == 0 else nearest
        chance = weights[row] / weights.sum()
        expected.append((1 - share) * chance + share / (len(X) - turn))
        nearest = np.minimum(nearest, ((X - X[row]) ** 2).sum(axis=1))
    return expected


def test_no_share_changes_nothing():
    X = np.random.RandomState(0).normal(size=(200, 4))
    plain = KMeansPlusPlus(first_center="max_norm").run(
        DenseEmbedding(X), 20, random_state=0
    )
    auto = KMeansPlusPlus().run(DenseEmbedding(X), 20, random_state=0)
    np.testing.assert_array_equal(plain.rows, auto.rows)
    assert auto.probabilities is None


@pytest.mark.parametrize("in_chunks", [False, True])
def test_random_rows_have_equal_probabilities(in_chunks):
    X = pool()
    embedding = dense_chunks(X, 2) if in_chunks else DenseEmbedding(X)
    selection = Random().run(embedding, 4, random_state=0)
    np.testing.assert_allclose(selection.probabilities, 1 / np.array([6, 5, 4, 3]))
    assert selection.uniform_share == 1


def test_groups_leave_no_probabilities():
    feasible = Feasible(6, groups=[0, 0, 1, 1, 2, 2])
    embedding = DenseEmbedding(pool())
    with pytest.raises(ValueError, match=r"`uniform_share` above 0 .* `groups`"):
        KMeansPlusPlus(uniform_share=0.1).run(embedding, 2, feasible=feasible)
    assert Random().run(embedding, 2, feasible=feasible).probabilities is None


def test_the_greatest_norm_first_leaves_nothing_to_chance():
    sampler = KMeansPlusPlus(first_center="max_norm", uniform_share=0.1)
    with pytest.raises(ValueError, match="`first_center` must be 'auto'"):
        sampler.run(DenseEmbedding(pool()), 2)


def test_the_risk_of_draws_is_unbiased():
    # Over the enumerated law of the sampler, with the probabilities that it says.
    X, losses = pool(), np.array([0.9, 0.1, 0.0, 0.4, 0.2, 1.0])
    sampler = KMeansPlusPlus(uniform_share=0.2)
    law = law_of(kmeans_weights(X, "norm_weighted"), len(X), 2, 0.2)
    said = {
        tuple(selection.rows.tolist()): selection.probabilities
        for selection in selections(sampler, DenseEmbedding(X), 2)
    }
    # All but the rarest pairs of rows came up.
    mean = mass = 0.0
    for rows, chance in law.items():
        if rows in said:
            risk = risk_estimate(
                losses[list(rows)], said[rows], len(X), uniform_share=0.2
            )
            mean, mass = mean + chance * risk.estimate, mass + chance
    assert mass > 0.999
    assert mean == pytest.approx(losses.mean(), abs=2e-3)
