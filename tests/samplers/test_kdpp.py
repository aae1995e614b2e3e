"""k-DPP sampling: what holds whichever way the batch is drawn."""

import tracemalloc

import numpy as np
import pytest

from skbadge.embeddings import (
    DenseEmbedding,
    OuterProductEmbedding,
    StackedEmbedding,
    sketch,
)
from skbadge.exceptions import QueryWarning
from skbadge.samplers import KDPP
from tests.samplers._determinants import gradients, kernel_of

WAYS = {
    "exact": {},
    "heat_bath": {"method": "mcmc"},
    "heat_bath_random": {"method": "mcmc", "init": "random"},
    "uniform": {"method": "mcmc", "proposal": "uniform", "steps": 300},
    "badge_repo": {
        "method": "mcmc",
        "proposal": "uniform",
        "steps": "badge",
        "init": "random",
    },
}


@pytest.fixture(params=WAYS)
def sampler(request):
    return KDPP(**WAYS[request.param])


def outer(n_rows, n_left, n_right, seed=0):
    rng = np.random.RandomState(seed)
    return OuterProductEmbedding(
        rng.normal(size=(n_rows, n_left)), rng.normal(size=(n_rows, n_right))
    )


EMBEDDINGS = {
    "outer_tall": lambda: outer(60, 3, 5),
    "outer_wide": lambda: outer(30, 5, 8),
    "gradient": lambda: gradients(60, 4, 6),
    "gradient_bias": lambda: gradients(60, 4, 6, include_bias=True),
    "one_logit": lambda: gradients(60, 2, 12, one_logit=True),
    "stacked": lambda: StackedEmbedding([outer(60, 3, 4), outer(60, 2, 3, 1)]),
}


@pytest.mark.parametrize("name", EMBEDDINGS)
@pytest.mark.parametrize("n", [1, 4, 11])
def test_factored_and_dense_embeddings_give_the_same_picks(sampler, name, n):
    factored = EMBEDDINGS[name]()
    dense = DenseEmbedding(factored.to_dense())
    for seed in range(2):
        selections = [
            sampler.run(part, n, random_state=seed) for part in (factored, dense)
        ]
        rows, values = zip(*((s.rows, s.values) for s in selections), strict=True)
        np.testing.assert_array_equal(*rows)
        np.testing.assert_allclose(*values, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 7, 15])
def test_rows_are_distinct_and_values_multiply_to_the_determinant(sampler, n, dtype):
    embedding = gradients(50, 4, 5, dtype=dtype)
    selection = sampler.run(embedding, n, random_state=0)
    assert selection.rows.dtype == np.int64
    assert len(set(selection.rows.tolist())) == n
    assert selection.fallbacks == ()
    assert selection.value_name == "conditional variance"
    kernel = kernel_of(embedding)[np.ix_(selection.rows, selection.rows)]
    np.testing.assert_allclose(
        np.log(selection.values).sum(), np.linalg.slogdet(kernel)[1], atol=1e-3
    )


@pytest.mark.parametrize("factor", [4.0, 3.0, 1e-6, 1e8])
def test_the_scale_of_the_embedding_plays_no_part(sampler, factor):
    embedding = gradients(50, 4, 5)
    scaled = OuterProductEmbedding(embedding.left, factor * embedding.right)
    for seed in range(3):
        np.testing.assert_array_equal(
            sampler.sample(embedding, 8, random_state=seed),
            sampler.sample(scaled, 8, random_state=seed),
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_batch_above_the_rank_is_that_of_the_rank_filled_up(sampler, dtype):
    # Rows of residuals sum to 0 but for rounding: 15, not 20.
    embedding = gradients(50, 4, 5, dtype=dtype)
    assert sampler.run(embedding, 15, random_state=0).fallbacks == ()
    kernel = kernel_of(embedding)
    filled = set()
    for seed in range(5):
        with pytest.warns(QueryWarning, match="Only 15 of 18 rows have linearly indep"):
            selection = sampler.run(embedding, 18, random_state=seed)
        rows = selection.rows
        assert len(set(rows.tolist())) == 18
        logdet = np.linalg.slogdet(kernel[np.ix_(rows[:15], rows[:15])])[1]
        np.testing.assert_allclose(
            np.log(selection.values[:15]).sum(), logdet, atol=0.1
        )
        np.testing.assert_array_equal(selection.values[15:], 0)
        (fallback,) = selection.fallbacks
        assert "the other 3 were drawn uniformly" in fallback
        filled |= set(rows[15:].tolist())
    assert len(filled) > 5


def test_the_rank_is_that_of_the_rows_if_they_are_fewer(sampler):
    X = np.random.RandomState(0).normal(size=(12, 3)) @ np.ones((3, 30))
    X += np.random.RandomState(1).normal(size=(12, 2)) @ np.eye(2, 30)
    with pytest.warns(QueryWarning, match="Only 3 of 5 rows"):
        rows = sampler.sample(DenseEmbedding(X), 5, random_state=0)
    assert len(set(rows.tolist())) == 5


@pytest.mark.parametrize("rank", [3, 12])
def test_all_rows_are_returned_whatever_the_rank(sampler, rank):
    embedding = DenseEmbedding(np.random.RandomState(0).normal(size=(12, rank)))
    firsts = set()
    for seed in range(80):
        rows = sampler.sample(embedding, 12, random_state=seed)
        assert rows.dtype == np.int64
        np.testing.assert_array_equal(np.sort(rows), np.arange(12))
        firsts.add(int(rows[0]))
    assert len(firsts) == 12
    with pytest.warns(QueryWarning, match="`n`=13 is above the 12 rows"):
        assert len(sampler.sample(embedding, 13, random_state=0)) == 12


def copies(dtype=np.float64):
    rng = np.random.RandomState(0)
    X = np.repeat(rng.normal(size=(6, 8)), 3, axis=0)
    X = X.astype(dtype)
    # As much as a net's outputs for equal inputs may differ by.
    X *= 1 + 8 * np.finfo(dtype).eps * rng.choice([-1, 1], size=X.shape).astype(dtype)
    return DenseEmbedding(np.vstack([X, np.zeros((4, 8), dtype)]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_of_copies_one_is_drawn_and_zero_rows_never(sampler, dtype):
    embedding = copies(dtype)
    for seed in range(5):
        for n in (2, 6):
            rows = sampler.sample(embedding, n, random_state=seed)
            assert rows.max() < 18
            assert len(set((rows // 3).tolist())) == n


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_too_few_distinct_rows_are_filled_up_with_a_warning(sampler, dtype):
    with pytest.warns(QueryWarning, match="Only 6 of 11 rows have linearly indep"):
        selection = sampler.run(copies(dtype), 11, random_state=0)
    assert len(set(selection.rows.tolist())) == 11
    assert set((selection.rows[:6] // 3).tolist()) == set(range(6))
    assert (selection.values[:6] > 0).all()
    np.testing.assert_array_equal(selection.values[6:], 0)
    assert "the other 5 were drawn uniformly" in selection.fallbacks[0]


@pytest.mark.parametrize(("value", "n_found"), [(0.0, 0), (1.3, 1)])
def test_identical_rows_are_drawn_uniformly_with_a_warning(sampler, value, n_found):
    embedding = DenseEmbedding(np.full((8, 3), value))
    picked = set()
    for seed in range(60):
        with pytest.warns(QueryWarning, match=f"Only {n_found} of 3 rows"):
            rows = sampler.sample(embedding, 3, random_state=seed)
        assert len(set(rows.tolist())) == 3
        picked |= set(rows.tolist())
    assert picked == set(range(8))


def test_embeddings_without_columns_are_drawn_uniformly(sampler):
    with pytest.warns(QueryWarning, match="Only 0 of 2 rows"):
        rows = sampler.sample(DenseEmbedding(np.empty((5, 0))), 2, random_state=0)
    assert len(set(rows.tolist())) == 2


def test_an_orthogonal_row_that_is_long_is_next_to_certain(sampler):
    X = np.random.RandomState(0).normal(size=(40, 6))
    X[:, 5] = 0
    X[17] = [0, 0, 0, 0, 0, 1e4]
    sampler.set_params(steps=2000)
    for seed in range(5):
        assert 17 in sampler.sample(DenseEmbedding(X), 3, random_state=seed)


def test_a_seed_gives_the_same_picks_and_leaves_the_global_generator(sampler):
    embedding = gradients(50, 4, 5)
    before = np.random.get_state()[1].copy()
    picks = [sampler.sample(embedding, 9, random_state=s) for s in (0, 0, 1)]
    np.testing.assert_array_equal(picks[0], picks[1])
    assert (picks[0] != picks[2]).any()
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_inputs_are_left_alone_and_labelled_rows_play_no_part(sampler):
    embedding, labeled = gradients(50, 4, 5), gradients(9, 4, 5, seed=1)
    copies_ = embedding.left.copy(), embedding.right.copy()
    norms_sq = embedding.norms_sq().copy()
    np.testing.assert_array_equal(
        sampler.sample(embedding, 9, labeled=labeled, random_state=0),
        sampler.sample(embedding, 9, random_state=0),
    )
    np.testing.assert_array_equal(embedding.left, copies_[0])
    np.testing.assert_array_equal(embedding.right, copies_[1])
    np.testing.assert_array_equal(embedding.norms_sq(), norms_sq)


def test_bad_numbers_embeddings_and_parameters_are_refused(sampler):
    embedding = gradients(10, 3, 5)
    assert sampler.sample(embedding, 0).shape == (0,)
    with pytest.raises(ValueError, match="`n` must be >= 0"):
        sampler.sample(embedding, -1)
    X = np.ones((4, 2))
    X[2] = np.nan
    with pytest.raises(ValueError, match="1 of 4 rows hold NaN"):
        sampler.sample(DenseEmbedding(X), 2)
    for wrong in (
        {"method": "dual"},
        {"steps": -1},
        {"steps": "long"},
        {"n_columns": 0},
    ):
        (name,) = wrong
        with pytest.raises(ValueError, match=f"The '{name}' parameter of KDPP"):
            KDPP(**wrong).sample(embedding, 2)


@pytest.mark.parametrize("method", ["exact", "mcmc"])
def test_a_sketch_stands_in_for_the_embedding_and_is_noted(method):
    embedding = gradients(60, 5, 10)
    selection = KDPP(method, n_columns=24).run(embedding, 6, random_state=0)
    rng = np.random.RandomState(0)
    part = sketch(embedding, 24, random_state=rng)
    expected = KDPP(method).sample(part, 6, random_state=rng)
    np.testing.assert_array_equal(selection.rows, expected)
    (note,) = selection.fallbacks
    assert "sketch with 24 columns in place of the embedding's 50" in note
    # Of the embedding itself.
    kernel = kernel_of(embedding)[np.ix_(expected, expected)]
    np.testing.assert_allclose(selection.values.prod(), np.linalg.det(kernel))


def test_a_sketch_wider_than_the_embedding_is_left_out(sampler):
    embedding = gradients(60, 3, 5)
    selection = KDPP(**sampler.get_params()).set_params(n_columns=15)
    selection = selection.run(embedding, 6, random_state=0)
    assert selection.fallbacks == ()
    np.testing.assert_array_equal(
        selection.rows, sampler.sample(embedding, 6, random_state=0)
    )


def test_a_sketch_too_narrow_is_refused():
    embedding = gradients(60, 3, 5)
    with pytest.raises(ValueError, match=r"must be at least 6, .* better 24"):
        KDPP(n_columns=5).sample(embedding, 6)
    # It does not raise the rank, which is 10.
    with pytest.warns(QueryWarning, match="Only 10 of 11 rows"):
        KDPP(n_columns=12).sample(embedding, 11, random_state=0)


def test_a_kernel_too_large_is_refused_with_what_would_do():
    embedding = outer(20_000, 200, 100)
    with pytest.raises(ValueError, match=r"20000 rows .* 3.2 GB") as info:
        KDPP().sample(embedding, 50)
    assert "`n_columns`, at least 50 and better 200" in str(info.value)
    assert "method='mcmc'" in str(info.value)
    rows = KDPP(n_columns=60).sample(embedding.take(slice(300)), 20, random_state=0)
    assert len(set(rows.tolist())) == 20


def peak_memory(function):
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("shape", [(20_000, 10, 40), (500, 40, 100)])
def test_memory_of_the_exact_method_is_as_stated(shape):
    embedding = gradients(*shape, dtype=np.float32)
    embedding.norms_sq()
    n_rows, n = shape[0], 20
    kernel = 8 * min(embedding.shape) ** 2
    batches = 8 * n_rows * n
    blocks = 16 * 2**20
    dense = 8 * embedding.shape[0] * embedding.shape[1]
    peak = peak_memory(lambda: KDPP().sample(embedding, n, random_state=0))
    assert peak < max(3.5 * kernel, kernel + 5 * batches) + blocks
    assert shape[0] < 1000 or peak < dense / 1.5


def test_memory_of_chains_is_as_stated():
    embedding = gradients(50_000, 10, 40, dtype=np.float32)
    embedding.norms_sq()
    n = 40
    factors, batches = 2 * embedding.nbytes, 8 * len(embedding) * n
    vectors, blocks = 10 * 8 * len(embedding), 16 * 2**20

    def peak(**options):
        sampler = KDPP("mcmc", steps=3, **options)
        return peak_memory(lambda: sampler.sample(embedding, n, random_state=0))

    assert peak() < factors + 2 * batches + vectors + blocks
    assert peak(proposal="uniform", init="random") < factors + vectors
