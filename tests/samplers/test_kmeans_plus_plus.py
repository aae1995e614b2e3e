"""k-means++ seeding: bounds, values, fallbacks, errors and cost."""

import tracemalloc
import warnings

import numpy as np
import pytest
from scipy.stats import chisquare

from skbadge.embeddings import DenseEmbedding, OuterProductEmbedding, gradient_embedding
from skbadge.exceptions import QueryWarning
from skbadge.samplers import Feasible, KMeansPlusPlus, _kmeans_plus_plus
from skbadge.samplers._kmeans_seeding import Seeding
from tests.samplers._laws import pairwise


@pytest.fixture
def sampler():
    return KMeansPlusPlus()


def random_rows(n=300, n_columns=4, seed=0):
    """Rows of very different norms, some of them equal."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n, n_columns)) * rng.lognormal(sigma=1.5, size=(n, 1))
    X[n // 2 : n // 2 + n // 10] = X[: n // 10]
    return X


def true_sq_dists(X, rows, labeled=None):
    """Squared distance of each row to the nearest of some, inf if there are none."""
    centers = X[rows] if labeled is None else np.vstack([labeled, X[rows]])
    return pairwise(X, centers).min(axis=1, initial=np.inf)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("with_labeled", [False, True])
def test_values_are_the_squared_distances_at_the_moment_of_the_pick(
    sampler, with_labeled, dtype
):
    X = random_rows().astype(dtype).astype(np.float64)
    seeds = random_rows(7, seed=1).astype(dtype) if with_labeled else None
    labeled = None if seeds is None else DenseEmbedding(seeds)
    selection = sampler.run(
        DenseEmbedding(X.astype(dtype)), 60, labeled=labeled, random_state=0
    )
    assert selection.value_name == "squared distance"
    assert selection.fallbacks == ()
    expected = [
        true_sq_dists(X, selection.rows[:i], seeds)[row]
        for i, row in enumerate(selection.rows)
    ]
    if not with_labeled:
        expected[0] = (X**2).sum(axis=1).max()
    rtol = 1e-9 if dtype == np.float64 else 1e-2
    np.testing.assert_allclose(selection.values, expected, rtol=rtol)


@pytest.mark.parametrize("policy", ["real", "never", "often"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_bounds_are_never_below_the_true_distances(dtype, policy, monkeypatch):
    X = random_rows(200).astype(dtype).astype(np.float64)
    slack = 1 - (1e-9 if dtype == np.float64 else 1e-2)
    bounds, masses = [], []

    class Watched(Seeding):
        def _pick(self, row, value):
            if self.rows:
                nearest = true_sq_dists(X, self.rows)
                assert (self.bound >= slack * nearest).all()
                assert value <= self.bound[row]
                assert row not in self.rows
                bounds.append(self.bound.copy())
                masses.append(nearest.sum())
            super()._pick(row, value)

        def refresh(self):
            super().refresh()
            assert self.settled == len(self.rows)
            assert (self.bound[self.rows] == 0).all()
            np.testing.assert_allclose(
                self.bound, true_sq_dists(X, self.rows), rtol=1 - slack
            )

        def _refresh_pays(self, rate):
            if policy == "real":
                return super()._refresh_pays(rate)
            return policy == "often" or rate < 0.003

    monkeypatch.setattr(_kmeans_plus_plus, "Seeding", Watched)
    for seed in range(5):
        bounds.clear()
        masses.clear()
        KMeansPlusPlus().sample(DenseEmbedding(X.astype(dtype)), 50, random_state=seed)
        assert len(bounds) == 49
        assert (np.diff(bounds, axis=0) <= 0).all()
        assert (np.diff(masses) <= 0).all()


def factored_and_dense(n=60, seed=0):
    rng = np.random.RandomState(seed)
    factored = OuterProductEmbedding(rng.normal(size=(n, 3)), rng.normal(size=(n, 5)))
    return factored, DenseEmbedding(factored.to_dense())


@pytest.mark.parametrize("first", ["max_norm", "uniform", "norm_weighted"])
def test_factored_and_dense_embeddings_give_the_same_picks(sampler, first):
    sampler.set_params(first_center=first)
    for seed in range(10):
        factored, dense = factored_and_dense(seed=seed)
        for labeled in (None, np.arange(5)):
            picks = [
                sampler.sample(
                    embedding,
                    25,
                    labeled=None if labeled is None else embedding.take(labeled),
                    random_state=seed,
                )
                for embedding in (factored, dense)
            ]
            np.testing.assert_array_equal(*picks)


def test_scaling_changes_no_pick(sampler):
    X = random_rows()
    picks = [
        sampler.sample(DenseEmbedding(scale * X), 40, random_state=0)
        for scale in (1.0, 2.0**-60, 2.0**60)
    ]
    np.testing.assert_array_equal(picks[0], picks[1])
    np.testing.assert_array_equal(picks[0], picks[2])


def test_the_same_seed_gives_the_same_picks_and_another_others(sampler):
    embedding = DenseEmbedding(random_rows())
    first = sampler.sample(embedding, 30, random_state=3)
    assert first.dtype == np.int64
    np.testing.assert_array_equal(sampler.sample(embedding, 30, random_state=3), first)
    rng = np.random.RandomState(3)
    np.testing.assert_array_equal(
        sampler.sample(embedding, 30, random_state=rng), first
    )
    assert (sampler.sample(embedding, 30, random_state=rng) != first).any()
    assert (sampler.sample(embedding, 30, random_state=4) != first).any()


def test_numpys_global_generator_is_left_alone(sampler):
    before = np.random.get_state()
    sampler.sample(DenseEmbedding(random_rows()), 30, random_state=0)
    after = np.random.get_state()
    np.testing.assert_array_equal(before[1], after[1])
    assert before[2:] == after[2:]


def test_inputs_are_left_alone(sampler):
    X, seeds = random_rows(), random_rows(5, seed=1)
    copies = X.copy(), seeds.copy()
    embedding, labeled = DenseEmbedding(X), DenseEmbedding(seeds)
    norms_sq = embedding.norms_sq().copy()
    sampler.sample(embedding, 30, labeled=labeled, random_state=0)
    sampler.sample(embedding, 30, random_state=0)
    np.testing.assert_array_equal(X, copies[0])
    np.testing.assert_array_equal(seeds, copies[1])
    np.testing.assert_array_equal(embedding.norms_sq(), norms_sq)


@pytest.mark.parametrize("first", ["max_norm", "norm_weighted"])
def test_a_zero_row_is_not_the_first_and_is_picked_once_at_most(sampler, first):
    X = random_rows(20)
    X[[3, 7, 11]] = 0
    sampler.set_params(first_center=first)
    embedding = DenseEmbedding(X)
    n_zero = []
    for seed in range(100):
        rows = sampler.sample(embedding, 12, random_state=seed)
        assert rows[0] not in (3, 7, 11)
        n_zero.append(np.isin(rows, [3, 7, 11]).sum())
    assert set(n_zero) == {0, 1}


def test_zero_rows_are_not_picked_beside_a_labelled_zero_row(sampler):
    X = random_rows(20)
    X[[3, 7, 11]] = 0
    labeled = DenseEmbedding(np.zeros((1, 4)))
    for seed in range(100):
        rows = sampler.sample(DenseEmbedding(X), 10, labeled=labeled, random_state=seed)
        assert not np.isin(rows, [3, 7, 11]).any()


def test_one_copy_of_equal_rows_is_picked_while_others_are_left(sampler):
    X = np.repeat(random_rows(12)[:8], 5, axis=0)
    distinct = len(np.unique(X, axis=0))
    for dtype in (np.float64, np.float32):
        for seed in range(20):
            rows = sampler.sample(
                DenseEmbedding(X.astype(dtype)), distinct, random_state=seed
            )
            assert len(np.unique(X[rows], axis=0)) == distinct


@pytest.mark.parametrize("first", ["max_norm", "uniform", "norm_weighted"])
@pytest.mark.parametrize("value", [0.0, 1.7])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_identical_rows_are_picked_uniformly_with_a_warning(
    sampler, first, value, dtype
):
    embedding = DenseEmbedding(np.full((10, 3), value, dtype=dtype))
    sampler.set_params(first_center=first)
    with pytest.warns(QueryWarning, match=r"Only 1 of 4 rows could be told apart"):
        selection = sampler.run(embedding, 4, random_state=0)
    assert len(set(selection.rows.tolist())) == 4
    assert selection.rows.dtype == np.int64
    assert len(selection.fallbacks) == 1
    assert "the other 3 were drawn uniformly" in selection.fallbacks[0]
    np.testing.assert_array_equal(selection.values[1:], 0)


def test_the_fallback_is_uniform(sampler):
    embedding = DenseEmbedding(np.array([[2.0], [2.0], [0.0], [1.0], [1.0], [0.0]]))
    rng = np.random.RandomState(0)
    counts = np.zeros(6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", QueryWarning)
        for _ in range(1500):
            selection = sampler.run(embedding, 4, random_state=rng)
            assert len(set(selection.rows.tolist())) == 4
            assert "only 3 of 4" in selection.fallbacks[0]
            counts[selection.rows[3]] += 1
    # By symmetry each row is the last of a third of its level's draws.
    assert chisquare(counts).pvalue > 1e-4


def test_rows_that_differ_by_rounding_alone_count_as_equal(sampler):
    rng = np.random.RandomState(0)
    X = np.repeat(rng.normal(size=(3, 50)), 4, axis=0).astype(np.float32)
    X = X * (1 + 1e-7 * rng.normal(size=X.shape)).astype(np.float32)
    with pytest.warns(QueryWarning, match="Only 3 of 5 rows"):
        rows = sampler.sample(DenseEmbedding(X), 5, random_state=0)
    assert set(rows[:3] // 4) == {0, 1, 2}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("scale", [1e-17, 1e-21, 1e-30, 1.0, 1e15])
@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("first", ["max_norm", "uniform", "norm_weighted"])
def test_rows_of_any_scale_are_told_apart(sampler, dtype, scale, copies, first):
    X = np.random.RandomState(0).normal(size=(7, 4)) * scale
    embedding = DenseEmbedding(np.repeat(X, copies, axis=0).astype(dtype))
    sampler.set_params(first_center=first)
    if copies == 1:
        assert sampler.run(embedding, 7, random_state=0).fallbacks == ()
        return
    with pytest.warns(QueryWarning, match="Only 7 of 21 rows"):
        rows = sampler.sample(embedding, 21, random_state=0)
    assert set(rows[:7] // 3) == set(range(7))
    assert len(set(rows.tolist())) == 21


@pytest.mark.parametrize("scale", [1e-140, 1e150])
def test_rows_of_any_scale_are_told_apart_in_double_precision(sampler, scale):
    X = np.repeat(np.random.RandomState(0).normal(size=(7, 4)) * scale, 3, axis=0)
    with pytest.warns(QueryWarning, match="Only 7 of 21 rows"):
        sampler.sample(DenseEmbedding(X), 21, random_state=0)


def test_confident_probabilities_are_told_apart_in_single_precision(sampler):
    # Products of factors this small are 0 in float32, though norms are not.
    rng = np.random.RandomState(0)
    left = (rng.normal(size=(40, 3)) * 1e-22).astype(np.float32)
    right = (rng.normal(size=(40, 5)) * 1e3).astype(np.float32)
    embedding = OuterProductEmbedding(left, right)
    expected = sampler.sample(embedding.astype(np.float64), 20, random_state=0)
    selection = sampler.run(embedding, 20, random_state=0)
    assert selection.fallbacks == ()
    np.testing.assert_array_equal(selection.rows, expected)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("scale", [1e-45, 1e-160, 1e-170, 1e-320])
def test_rows_too_small_for_distances_are_drawn_uniformly(sampler, dtype, scale):
    X = np.repeat(np.random.RandomState(0).normal(size=(7, 4)), 3, axis=0)
    with pytest.warns(QueryWarning, match="were drawn uniformly from the rest"):
        rows = sampler.sample(
            DenseEmbedding((X * scale).astype(dtype)), 21, random_state=0
        )
    assert len(set(rows.tolist())) == 21


def test_a_pool_of_many_copies_ends_soon(sampler):
    # After 300 picks all mass is that of stale bounds, which many acceptances before
    # must not hide.
    X = np.random.RandomState(0).normal(size=(300, 8))
    embedding = DenseEmbedding(np.repeat(X, 300, axis=0))
    with pytest.warns(QueryWarning, match="Only 300 of 301 rows"):
        selection = sampler.run(embedding, 301, random_state=0)
    assert selection.n_distances < 90_000 * 1500


def test_a_group_that_held_nearly_all_mass_is_not_proposed_for_long(sampler):
    X = np.random.RandomState(0).normal(size=(50_000, 4))
    X[:49_000] *= 100
    groups = np.maximum(np.arange(50_000) - 48_999, 0)
    selection = sampler.run(
        DenseEmbedding(X), 50, feasible=Feasible(50_000, groups=groups), random_state=0
    )
    assert (groups[selection.rows] == 0).sum() == 1
    assert selection.n_distances < 5 * 50_000


def test_labelled_rows_that_cover_the_pool_leave_no_mass(sampler):
    X = random_rows(10)
    with pytest.warns(QueryWarning, match="Only 0 of 3 rows"):
        rows = sampler.sample(
            DenseEmbedding(X), 3, labeled=DenseEmbedding(X), random_state=0
        )
    assert len(set(rows.tolist())) == 3


def test_no_rows_asked_for(sampler):
    for embedding in (DenseEmbedding(random_rows()), DenseEmbedding(np.empty((0, 3)))):
        selection = sampler.run(embedding, 0)
        assert selection.rows.shape == selection.values.shape == (0,)
        assert selection.rows.dtype == np.int64
        assert len(selection) == 0


@pytest.mark.parametrize("labeled", [None, DenseEmbedding([[0.5, 0.5]])])
def test_all_rows_asked_for(sampler, labeled):
    X = np.random.RandomState(0).normal(size=(40, 2))
    rows = sampler.sample(DenseEmbedding(X), 40, labeled=labeled, random_state=0)
    np.testing.assert_array_equal(np.sort(rows), np.arange(40))


def test_a_single_row(sampler):
    embedding = DenseEmbedding([[1.0, 2.0]])
    assert sampler.sample(embedding, 1).tolist() == [0]


def test_more_rows_than_there_are(sampler):
    X = np.random.RandomState(0).normal(size=(5, 2))
    with pytest.warns(QueryWarning, match="`n`=9 is above the 5 rows"):
        rows = sampler.sample(DenseEmbedding(X), 9, random_state=0)
    assert sorted(rows.tolist()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("n", "error", "match"),
    [
        (-1, ValueError, "`n` must be >= 0. Got -1 instead"),
        (2.0, TypeError, "`n` must be an int. Got 2.0 instead"),
        (True, TypeError, "`n` must be an int. Got True instead"),
    ],
)
def test_a_wrong_n_is_refused(sampler, n, error, match):
    with pytest.raises(error, match=match):
        sampler.sample(DenseEmbedding(random_rows()), n)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_are_counted_and_the_first_is_named(sampler, value):
    X = random_rows(20)
    bad = X.copy()
    bad[[4, 9, 17], 1] = value
    match = r"`{}` must be finite. 3 of 20 rows hold NaN or infinity, .* is row 4"
    with pytest.raises(ValueError, match=match.format("embedding") + r"\."):
        sampler.sample(DenseEmbedding(bad), 2)
    with pytest.raises(ValueError, match=match.format("labeled") + " of `labeled`"):
        sampler.sample(DenseEmbedding(X), 2, labeled=DenseEmbedding(bad))


def test_norms_too_large_for_the_dtype_are_refused(sampler):
    X = np.full((3, 2), 1e19)
    with pytest.raises(
        ValueError, match=r"rows of norm 1\.41e\+19, too large for float32"
    ):
        sampler.sample(DenseEmbedding(X.astype(np.float32)), 2)
    sampler.sample(DenseEmbedding(X * [[1], [2], [3]]), 2, random_state=0)


def test_labelled_rows_of_another_width_are_refused(sampler):
    with pytest.raises(
        ValueError, match=r"as many columns as `embedding`. Got 3 and 4"
    ):
        sampler.sample(
            DenseEmbedding(random_rows()), 2, labeled=DenseEmbedding(np.ones((2, 3)))
        )


def test_no_labelled_rows_are_like_none(sampler):
    embedding = DenseEmbedding(random_rows())
    rows = sampler.sample(
        embedding, 9, labeled=embedding.take(slice(0, 0)), random_state=0
    )
    np.testing.assert_array_equal(rows, sampler.sample(embedding, 9, random_state=0))


def test_wrong_parameters_are_refused():
    sampler = KMeansPlusPlus(first_center="nearest")
    with pytest.raises(ValueError, match="The 'first_center' parameter of KMeansPlus"):
        sampler.sample(DenseEmbedding([[1.0]]), 1)


def gradients(n, n_classes, n_features, seed=0):
    rng = np.random.RandomState(seed)
    logits = 3 * rng.normal(size=(n, n_classes)).astype(np.float32)
    proba = np.exp(logits)
    proba /= proba.sum(axis=1, keepdims=True)
    features = np.maximum(rng.normal(size=(n, n_features)), 0).astype(np.float32)
    return gradient_embedding(proba, features)


def test_a_fraction_of_all_distances_is_evaluated():
    # All would be those of 20,000 rows to 200 picks.
    selection = KMeansPlusPlus().run(gradients(20_000, 10, 16), 200, random_state=0)
    assert 20_000 <= selection.n_distances < 30 * 20_000


def test_memory_beyond_the_factors_is_a_few_numbers_for_each_row():
    n = 200_000
    embedding = gradients(n, 10, 16)
    KMeansPlusPlus().sample(embedding.take(slice(100)), 5, random_state=0)
    tracemalloc.start()
    try:
        KMeansPlusPlus().sample(embedding, 100, random_state=0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Blocks of fixed size are held in some 8 MiB.
    assert peak < 6 * 8 * n + 2**23
