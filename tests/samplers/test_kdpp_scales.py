"""The law of a k-DPP does not depend on a common factor of the rows."""

import numpy as np
import pytest

from skbadge.embeddings import DenseEmbedding, LaplaceEmbedding, OuterProductEmbedding
from skbadge.embeddings._scaled import scaled
from skbadge.samplers import KDPP, Feasible
from skbadge.samplers._kdpp_mcmc import HeatBathChain, UniformSwapChain
from tests.samplers._determinants import draw_batches, kdpp_law
from tests.samplers._laws import REJECTED, THRESHOLD, law_pvalue

WAYS = [
    KDPP("exact"),
    KDPP("mcmc"),
    KDPP("mcmc", init="random"),
    KDPP("mcmc", proposal="uniform"),
]
POWERS = [-498, -400, -150, 150, 265, 370, 506]


@pytest.mark.parametrize("scale", [1e-150, 1e-120, 1e-20, 1.0, 1e80, 1e150])
def test_batches_follow_the_determinants_at_any_scale(scale):
    # Equal rows in blocks: a chain that favours the first rows is found out.
    X = np.repeat([[2.0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1], [1, 0, 0, 2]], 2, axis=0)
    law = kdpp_law(X @ X.T, 3)
    draws = draw_batches(KDPP("mcmc"), DenseEmbedding(scale * X), 3, 600)
    assert law_pvalue(law, draws) > THRESHOLD
    assert law_pvalue({rows: 1 / len(law) for rows in law}, draws) < REJECTED


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("sampler", WAYS, ids=str)
def test_powers_of_two_change_no_pick(sampler, power):
    rng = np.random.RandomState(0)
    left, right = rng.normal(size=(40, 5)), rng.normal(size=(40, 4))
    kernel = LaplaceEmbedding(left)
    feasible = Feasible(40, pending=[3, 17])
    for embedding in (DenseEmbedding(left), OuterProductEmbedding(left, right), kernel):
        larger = scaled(embedding, 2.0**power)
        picks = [
            sampler.run(rows, 3, feasible=feasible, random_state=1)
            for rows in (embedding, larger)
        ]
        np.testing.assert_array_equal(picks[0].rows, picks[1].rows)
        values = np.ldexp(picks[1].values, -2 * power)
        np.testing.assert_allclose(values, picks[0].values, rtol=1e-9)
        assert picks[1].fallbacks == ()


@pytest.mark.parametrize("sampler", WAYS[1:], ids=str)
def test_a_row_much_longer_than_all_others_leaves_them_their_law(sampler):
    X = np.random.RandomState(0).normal(size=(6, 4))
    X[3] *= 1e100
    # It is in all batches, and the others are compared across it.
    along = X[3] / np.linalg.norm(X[3])
    across = np.delete(X, 3, axis=0) - np.outer(np.delete(X, 3, axis=0) @ along, along)
    names = [0, 1, 2, 4, 5]
    law = {
        tuple(sorted((3, names[i], names[j]))): share
        for (i, j), share in kdpp_law(across @ across.T, 2).items()
    }
    draws = draw_batches(sampler, DenseEmbedding(X), 3, 600)
    assert law_pvalue(law, draws) > THRESHOLD
    assert law_pvalue({rows: 1 / len(law) for rows in law}, draws) < REJECTED


def test_the_distances_of_short_rows_are_brought_up_to_date():
    # Their squares would be 0 in float64.
    X = np.vstack(
        [np.eye(4)[:2], 1e-100 * np.random.RandomState(0).normal(size=(6, 4))]
    )
    chain = HeatBathChain(DenseEmbedding(X), np.array([0, 1, 2]), 0.0)
    for seed in range(10):
        chain.step(np.random.RandomState(seed))
        updated = chain.residuals.copy()
        chain._refresh()
        outside = np.setdiff1d(np.arange(8), chain.rows)
        np.testing.assert_allclose(updated[outside], chain.residuals[outside])


# Batches without an inverse

COPIES = DenseEmbedding([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 0, 0]])


@pytest.mark.parametrize("cls", [HeatBathChain, UniformSwapChain])
@pytest.mark.parametrize("dependent", [[0, 1, 3], [0, 1, 4]])
def test_a_chain_goes_back_from_a_batch_without_an_inverse(cls, dependent):
    chain = cls(COPIES, np.array([0, 1, 2]), 1e-12)
    chain._start(np.array(dependent))
    chain._refresh()
    assert chain.n_returns == 1
    assert chain.rows.tolist() == [0, 1, 2]
    np.testing.assert_allclose(chain.inverse, np.eye(3))
    if cls is HeatBathChain:
        np.testing.assert_array_equal(chain.products[:, 0], [1, 0, 0, 1, 0])
        np.testing.assert_array_equal(chain.residuals, [0, 0, 0, 0, 0])
    else:
        assert chain.outside.tolist() == [3, 4]
    for seed in range(20):
        chain.step(np.random.RandomState(seed))
        assert sorted(chain.rows.tolist()) in [[0, 1, 2], [1, 2, 3]]


@pytest.mark.parametrize("cls", [HeatBathChain, UniformSwapChain])
def test_a_start_without_an_inverse_is_refused(cls):
    with pytest.raises(ValueError, match="3 rows to start from are linearly dependent"):
        cls(COPIES, np.array([0, 1, 3]), 1e-12)


def test_a_step_stays_where_rounding_leaves_no_row_to_draw():
    chain = HeatBathChain(COPIES, np.array([0, 1, 2]), 1e-12)
    chain.residuals -= 2.0
    chain.step(np.random.RandomState(0))
    assert chain.rows.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(chain.residuals, [0, 0, 0, 0, 0])


def test_going_back_is_said(monkeypatch):
    monkeypatch.setattr(
        HeatBathChain, "run", lambda self, n_steps, rng: _returned(self)
    )
    selection = KDPP("mcmc").run(COPIES.take(np.arange(4)), 3)
    assert any("went back to an earlier one, 1 times" in x for x in selection.fallbacks)


def _returned(chain):
    chain._start(np.array([0, 1, 3]))
    chain._refresh()
    return chain.rows
