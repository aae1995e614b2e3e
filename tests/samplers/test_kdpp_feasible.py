"""k-DPPs of the rows that may be picked, and of batches that contain pending rows."""

from itertools import product

import numpy as np
import pytest

from skbadge.embeddings import DenseEmbedding, LaplaceEmbedding
from skbadge.exceptions import QueryWarning
from skbadge.samplers import KDPP, Feasible
from tests.samplers._determinants import (
    draw_batches,
    gradients,
    kdpp_law,
    kernel_of,
    small,
)
from tests.samplers._laws import REJECTED, THRESHOLD, law_pvalue

WAYS = {
    "exact": {},
    "heat_bath": {"method": "mcmc"},
    "heat_bath_random": {"method": "mcmc", "init": "random", "steps": 20},
    "uniform": {"method": "mcmc", "proposal": "uniform", "steps": 80},
}
MASK = np.array([True, True, False, True, True, True, False])


@pytest.fixture(params=WAYS)
def sampler(request):
    return KDPP(**WAYS[request.param])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tall", "wide"])
@pytest.mark.parametrize("pending", [(), (3,), (2, 4)])
def test_batches_follow_the_determinants_of_what_may_be_picked(sampler, name, pending):
    embedding = small(name)
    feasible = Feasible(7, MASK, pending=pending)
    law = kdpp_law(kernel_of(embedding), 2, pending, MASK)
    draws = draw_batches(sampler, embedding, 2, 500, feasible=feasible)
    assert law_pvalue(law, draws) > THRESHOLD


def test_the_test_above_rejects_the_law_without_the_pending_rows():
    embedding = small("tall")
    feasible = Feasible(7, pending=[0, 3])
    draws = draw_batches(KDPP(), embedding, 2, 3000, feasible=feasible)
    law = kdpp_law(kernel_of(embedding), 2, (), ~np.isin(np.arange(7), [0, 3]))
    assert law_pvalue(law, draws) < REJECTED


@pytest.mark.parametrize(("pending", "given"), [((4, 0), (0,)), ((6, 1), (1,))])
def test_pending_rows_that_are_dependent_condition_on_their_span(
    sampler, pending, given
):
    # Row 4 is a copy of row 0, and row 6 is 0.
    embedding = small("copies")
    mask = ~np.isin(np.arange(7), pending)
    law = kdpp_law(kernel_of(embedding), 2, given, mask)
    feasible = Feasible(7, pending=pending)
    draws = draw_batches(sampler, embedding, 2, 500, feasible=feasible)
    assert law_pvalue(law, draws) > THRESHOLD


@pytest.mark.parametrize("method", ["exact", "mcmc"])
def test_kernels_without_columns_are_conditioned_too(method):
    embedding = LaplaceEmbedding(np.random.RandomState(0).normal(size=(6, 2)))
    kernel = embedding.cross(embedding)
    law = kdpp_law(kernel, 2, (1, 4))
    feasible = Feasible(6, pending=[4, 1])
    draws = draw_batches(KDPP(method), embedding, 2, 500, feasible=feasible)
    assert law_pvalue(law, draws) > THRESHOLD


def test_a_mask_picks_as_from_the_rows_by_themselves(sampler):
    embedding = gradients(50, 4, 6)
    mask = np.random.RandomState(0).uniform(size=50) < 0.6
    rows = np.flatnonzero(mask)
    for seed in range(3):
        picks = sampler.sample(embedding, 6, feasible=mask, random_state=seed)
        alone = sampler.sample(embedding.take(rows), 6, random_state=seed)
        np.testing.assert_array_equal(picks, rows[alone])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_rows", [60, 19])
def test_pending_rows_use_up_the_rank(sampler, dtype, n_rows):
    # Of rank 15, six of which are pending; the dual kernel is the smaller one at first.
    embedding = gradients(n_rows, 4, 5, dtype=dtype)
    mask = np.arange(n_rows) > 0
    feasible = Feasible(n_rows, mask, pending=[0, 1, 2, 3, 5, 6])
    for seed in range(3):
        selection = sampler.run(embedding, 9, feasible=feasible, random_state=seed)
        assert selection.fallbacks == ()
        with pytest.warns(QueryWarning, match="Only 9 of 11 rows have linearly"):
            rows = sampler.sample(embedding, 11, feasible=feasible, random_state=seed)
        assert len(set(rows.tolist())) == 11
        assert not {0, 1, 2, 3, 5, 6} & set(rows.tolist())


@pytest.mark.parametrize("scale", [1e-5, 1.0, 1e5])
def test_long_pending_rows_hide_no_rank_and_make_none(sampler, scale):
    # What the projection leaves of the others is small beside them.
    rng = np.random.RandomState(0)
    X = rng.normal(size=(30, 3)) @ rng.normal(size=(3, 8))
    X[:2] = scale * rng.normal(size=(2, 8))
    X[2:] += rng.normal(size=(28, 2)) @ X[:2]
    feasible = Feasible(30, pending=[0, 1])
    sampler.set_params(steps=20)
    for seed in range(3):
        selection = sampler.run(
            DenseEmbedding(X), 3, feasible=feasible, random_state=seed
        )
        assert selection.fallbacks == ()
        with pytest.warns(QueryWarning, match="Only 3 of 5 rows"):
            sampler.sample(DenseEmbedding(X), 5, feasible=feasible, random_state=seed)


def test_values_multiply_to_the_ratio_of_determinants(sampler):
    embedding = gradients(50, 4, 6)
    pending = [7, 11, 30]
    selection = sampler.run(
        embedding, 5, feasible=Feasible(50, pending=pending), random_state=0
    )
    kernel = kernel_of(embedding)
    whole = [*pending, *selection.rows]
    logdet = [np.linalg.slogdet(kernel[np.ix_(s, s)])[1] for s in (whole, pending)]
    np.testing.assert_allclose(np.log(selection.values).sum(), logdet[0] - logdet[1])


def test_all_open_rows_are_returned_whatever_the_rank(sampler):
    embedding = DenseEmbedding(np.random.RandomState(0).normal(size=(12, 2)))
    feasible = Feasible(12, np.arange(12) < 9, pending=[3, 10])
    for seed in range(3):
        rows = sampler.sample(embedding, 8, feasible=feasible, random_state=seed)
        assert sorted(rows) == [0, 1, 2, 4, 5, 6, 7, 8]


def test_a_fill_is_uniform_over_what_may_be_picked(sampler):
    embedding = DenseEmbedding(np.outer(np.arange(1, 13), [1.0, -2.0]))
    feasible = Feasible(12, np.arange(12) < 9, pending=[3, 10])
    filled = set()
    for seed in range(40):
        with pytest.warns(QueryWarning, match="Only 0 of 3 rows"):
            rows = sampler.sample(embedding, 3, feasible=feasible, random_state=seed)
        filled |= set(rows.tolist())
    assert filled == {0, 1, 2, 4, 5, 6, 7, 8}


def test_a_sketch_counts_the_pending_rows():
    embedding = gradients(60, 5, 10)
    feasible = Feasible(60, pending=[1, 2])
    with pytest.raises(ValueError, match=r"must be at least 6, .* better 24"):
        KDPP(n_columns=5).sample(embedding, 4, feasible=feasible)
    rows = KDPP(n_columns=24).sample(embedding, 4, feasible=feasible, random_state=0)
    assert not {1, 2} & set(rows.tolist())


def test_a_quota_is_refused_with_what_keeps_one(sampler):
    groups = np.arange(60) // 3
    for more, n in product([{}, {"pending": [1]}], [1, 19]):
        with pytest.raises(ValueError, match="not a k-DPP any more") as info:
            sampler.sample(
                gradients(60, 4, 5), n, feasible=Feasible(60, groups=groups, **more)
            )
    for way in ("`groups`", "KMeansPlusPlus", "'badge_max_det'"):
        assert way in str(info.value)
