"""Checks that every sampler must pass."""

import pickle
import tracemalloc
import warnings

import numpy as np
import pytest
from scipy.stats import chisquare
from sklearn.base import clone

from skbadge import samplers
from skbadge.embeddings import (
    DenseEmbedding,
    LaplaceEmbedding,
    OuterProductEmbedding,
)
from skbadge.exceptions import QueryWarning
from skbadge.samplers import Feasible, Sampler
from tests.samplers._restrictions import CASES, is_open, random_case

CLASSES = {
    getattr(samplers, name)
    for name in samplers.__all__
    if isinstance(getattr(samplers, name), type)
    and issubclass(getattr(samplers, name), Sampler)
} - {Sampler}

# What takes columns; the others need nothing but inner products.
WITH_COLUMNS = {"Bait", "FrankWolfe"}


@pytest.fixture(params=sorted(CLASSES, key=lambda c: c.__name__))
def sampler(request):
    return request.param()


def rows_of(n=40, n_columns=48, seed=0, dtype=np.float64):
    # More columns than rows: no sampler runs out of linearly independent rows.
    return np.random.RandomState(seed).normal(size=(n, n_columns)).astype(dtype)


def assert_contract(rows, n, n_rows):
    assert isinstance(rows, np.ndarray)
    assert rows.dtype == np.int64
    assert rows.shape == (n,)
    assert len(np.unique(rows)) == n
    assert n == 0 or (rows.min() >= 0 and rows.max() < n_rows)


@pytest.mark.parametrize("n", [0, 1, 2, 17, 39, 40])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_labeled", [None, 0, 5])
def test_rows_are_distinct_positions(sampler, n, dtype, n_labeled):
    labeled = None
    if n_labeled is not None:
        labeled = DenseEmbedding(rows_of(n_labeled, seed=1, dtype=dtype))
    embedding = DenseEmbedding(rows_of(dtype=dtype))
    selection = sampler.run(embedding, n, labeled=labeled, random_state=0)
    assert_contract(selection.rows, n, 40)
    assert selection.fallbacks == ()
    assert selection.values is None or (
        selection.values.shape == (n,) and np.isfinite(selection.values).all()
    )
    np.testing.assert_array_equal(
        selection.rows,
        sampler.sample(embedding, n, labeled=labeled, random_state=0),
    )


def test_no_labelled_rows_are_the_same_as_none(sampler):
    embedding = DenseEmbedding(rows_of())
    picks = [
        sampler.sample(embedding, 9, labeled=labeled, random_state=1)
        for labeled in (None, embedding.take(slice(0)))
    ]
    np.testing.assert_array_equal(*picks)


def test_the_global_generator_is_left_alone(sampler):
    before = np.random.get_state()[1].copy()
    sampler.sample(DenseEmbedding(rows_of()), 5, random_state=0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_inputs_are_left_alone(sampler):
    X, seeds = rows_of(), rows_of(4, seed=1)
    copies = X.copy(), seeds.copy()
    embedding, labeled = DenseEmbedding(X), DenseEmbedding(seeds)
    norms_sq = embedding.norms_sq().copy()
    X.setflags(write=False)
    embedding.norms_sq().setflags(write=False)
    sampler.sample(embedding, 10, labeled=labeled, random_state=0)
    np.testing.assert_array_equal(X, copies[0])
    np.testing.assert_array_equal(seeds, copies[1])
    np.testing.assert_array_equal(embedding.norms_sq(), norms_sq)


def test_more_rows_than_there_are(sampler):
    with pytest.warns(QueryWarning, match="`n`=41 is above the 40 rows"):
        rows = sampler.sample(DenseEmbedding(rows_of()), 41, random_state=0)
    assert_contract(rows, 40, 40)


def restricted(sampler, seed):
    """Some rows that may be picked; without groups for what takes none."""
    feasible = random_case(40, seed)
    if feasible.groups is not None and type(sampler).__name__ == "KDPP":
        return Feasible(40, feasible.mask, pending=feasible.pending)
    return feasible


@pytest.mark.parametrize("seed", CASES[:16])
@pytest.mark.parametrize("n_labeled", [0, 4])
def test_only_rows_that_may_be_picked_are(sampler, seed, n_labeled):
    feasible = restricted(sampler, seed)
    for n in (1, feasible.n_left // 2, feasible.n_left):
        selection = sampler.run(
            DenseEmbedding(rows_of()),
            n,
            labeled=DenseEmbedding(rows_of(n_labeled, seed=1)),
            feasible=feasible,
            random_state=seed,
        )
        assert_contract(selection.rows, n, 40)
        assert selection.fallbacks == ()
        for t, row in enumerate(selection.rows):
            assert is_open(feasible, selection.rows[:t])[row]


@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
@pytest.mark.parametrize("seed", CASES[:16])
def test_copies_are_filled_up_with_rows_that_may_be_picked(sampler, seed):
    feasible = restricted(sampler, seed)
    X = np.repeat(rows_of(4), 10, axis=0)
    n = feasible.n_left
    rows = sampler.sample(DenseEmbedding(X), n, feasible=feasible, random_state=seed)
    assert_contract(rows, n, 40)
    for t, row in enumerate(rows):
        assert is_open(feasible, rows[:t])[row]


@pytest.mark.parametrize("seed", CASES[1:8])
def test_more_rows_than_may_be_picked(sampler, seed):
    feasible = restricted(sampler, seed)
    n_left = feasible.n_left
    match = rf"`n`=41 is above the {n_left} rows (that may be picked|there are):"
    with pytest.warns(QueryWarning, match=match):
        rows = sampler.sample(
            DenseEmbedding(rows_of()), 41, feasible=feasible, random_state=0
        )
    assert_contract(rows, n_left, 40)


def test_a_mask_stands_for_itself(sampler):
    mask = np.arange(40) % 3 > 0
    embedding = DenseEmbedding(rows_of())
    np.testing.assert_array_equal(
        sampler.sample(embedding, 9, feasible=mask, random_state=0),
        sampler.sample(embedding, 9, feasible=Feasible(40, mask), random_state=0),
    )


def test_that_no_row_may_be_picked_is_refused(sampler):
    embedding = DenseEmbedding(rows_of())
    with pytest.raises(ValueError, match="No row may be picked"):
        sampler.sample(embedding, 2, feasible=np.zeros(40, dtype=bool))
    with pytest.raises(ValueError, match="of the 40 rows there are"):
        sampler.sample(embedding, 2, feasible=Feasible(39))


@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
@pytest.mark.parametrize("value", [0.0, 1.7])
def test_equal_rows_are_drawn_without_repeats(sampler, value):
    rows = sampler.sample(DenseEmbedding(np.full((12, 3), value)), 5, random_state=0)
    assert_contract(rows, 5, 12)


def test_rows_that_are_alike_are_equally_likely(sampler):
    # Unit vectors: one is like the other for every sampler, whatever its position.
    embedding = DenseEmbedding(np.eye(6))
    rng = np.random.RandomState(0)
    counts = np.zeros(6)
    for _ in range(600):
        counts[sampler.sample(embedding, 2, random_state=rng)] += 1
    assert chisquare(counts).pvalue > 1e-5


@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
@pytest.mark.parametrize(
    ("dtype", "scale"),
    [
        (np.float32, 1e-45),
        (np.float32, 1e-30),
        (np.float32, 1e-21),
        (np.float32, 1e-17),
        (np.float32, 1e17),
        (np.float64, 1e-320),
        (np.float64, 1e-160),
        (np.float64, 1e-145),
        (np.float64, 1e-100),
        (np.float64, 1e70),
    ],
)
@pytest.mark.parametrize("n_distinct", [7, 21])
def test_rows_of_any_scale_are_picked(sampler, dtype, scale, n_distinct):
    X = np.random.RandomState(0).normal(size=(n_distinct, 30))
    X = np.repeat(X * scale, 21 // n_distinct, axis=0).astype(dtype)
    if type(sampler).__name__ == "Bait":
        # With less noise its variances would be lost to rounding, and it says so.
        sampler = clone(sampler).set_params(sigma=max(sampler.sigma, 1e-5 * scale))
    for n in (20, 21):
        rows = sampler.sample(DenseEmbedding(X), n, random_state=0)
        assert_contract(rows, n, 21)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_rows_that_are_not_finite_are_refused(sampler, bad):
    X = rows_of()
    X[[3, 8], 1] = bad
    with pytest.raises(ValueError, match=r"`embedding` must be finite.*row 3"):
        sampler.sample(DenseEmbedding(X), 2)
    embedding = DenseEmbedding(rows_of())
    with pytest.raises(ValueError, match="`labeled` must be finite"):
        sampler.sample(embedding, 2, labeled=DenseEmbedding(X))


def test_requests_that_make_no_sense_are_refused(sampler):
    embedding = DenseEmbedding(rows_of())
    with pytest.raises(ValueError, match="`n` must be >= 0"):
        sampler.sample(embedding, -1)
    with pytest.raises(TypeError, match="`n` must be an int"):
        sampler.sample(embedding, 2.0)
    with pytest.raises(ValueError, match="Got 3 and 48"):
        sampler.sample(embedding, 2, labeled=DenseEmbedding(np.ones((1, 3))))


def test_what_is_no_embedding_is_refused(sampler):
    X = rows_of()
    with pytest.raises(TypeError, match=r"`embedding` must be .*DenseEmbedding\(array"):
        sampler.sample(X, 2)
    with pytest.raises(TypeError, match=r"`labeled` must be an embedding.* Got list"):
        sampler.sample(DenseEmbedding(X), 2, labeled=[[1.0] * 48])
    other = OuterProductEmbedding(np.ones((2, 6)), np.ones((2, 8)))
    with pytest.raises(TypeError, match=r"the same kind.*Outer.* and DenseEmbedding"):
        sampler.sample(DenseEmbedding(X), 2, labeled=other)


def test_rows_without_columns_are_drawn_uniformly(sampler):
    with warnings.catch_warnings():
        # Some say so, others see equal rows like any.
        warnings.simplefilter("ignore", QueryWarning)
        rows = sampler.sample(DenseEmbedding(np.empty((9, 0))), 4, random_state=0)
    assert_contract(rows, 4, 9)


def test_samplers_clone_and_pickle(sampler):
    embedding = DenseEmbedding(rows_of())
    rows = sampler.sample(embedding, 7, random_state=2)
    for copy in (clone(sampler), pickle.loads(pickle.dumps(sampler))):
        assert copy.get_params() == sampler.get_params()
        np.testing.assert_array_equal(copy.sample(embedding, 7, random_state=2), rows)


def test_products_are_sampled_as_the_matrix_they_stand_for(sampler):
    rng = np.random.RandomState(0)
    factored = OuterProductEmbedding(rng.normal(size=(40, 6)), rng.normal(size=(40, 8)))
    dense = DenseEmbedding(factored.to_dense())
    picks = [sampler.sample(part, 9, random_state=0) for part in (factored, dense)]
    np.testing.assert_array_equal(*picks)


def test_kernels_without_columns_are_sampled_or_refused(sampler):
    embedding = LaplaceEmbedding(rows_of(n_columns=3))
    labeled = LaplaceEmbedding(rows_of(4, n_columns=3, seed=1))
    if type(sampler).__name__ in WITH_COLUMNS:
        with pytest.raises(ValueError, match="inner products of its rows only"):
            sampler.sample(embedding, 15, labeled=labeled, random_state=0)
        return
    selection = sampler.run(embedding, 15, labeled=labeled, random_state=0)
    assert_contract(selection.rows, 15, 40)
    assert selection.fallbacks == ()


def test_memory_does_not_grow_with_the_square_of_the_rows(sampler):
    if type(sampler).__name__ in {"MaxDet", "KDPP"}:
        pytest.skip("holds numbers for each pair of row and pick, or of columns")
    embedding = DenseEmbedding(rows_of(20_000, 16, dtype=np.float32))
    tracemalloc.start()
    sampler.sample(embedding, 10, random_state=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * (20 * len(embedding) + 6 * 2**19)
