"""Core-Set is farthest-first traversal of the features, from the labelled rows."""

import numpy as np
import pytest

from skbadge.embeddings import DenseEmbedding
from skbadge.outputs import Labeled, Outputs
from skbadge.samplers import KCenter
from skbadge.strategies import CoreSet

RNG = np.random.RandomState(0)
POOL = RNG.normal(size=(200, 3)) * RNG.lognormal(size=(200, 1))
SEEDS = RNG.normal(size=(9, 3))
LABELED = Labeled(Outputs(features=SEEDS), np.arange(9))


def unit(X):
    return X / np.linalg.norm(X, axis=1, keepdims=True)


@pytest.mark.parametrize("kernel", ["features", "cosine"])
@pytest.mark.parametrize("labeled", [None, LABELED], ids=["alone", "labeled"])
def test_rows_are_those_of_the_sampler_on_the_features(kernel, labeled):
    convert = unit if kernel == "cosine" else np.asarray
    selection = CoreSet(kernel=kernel, first_center="uniform").run(
        Outputs(features=POOL), 30, labeled=labeled, random_state=0
    )
    expected = KCenter(first_center="uniform").run(
        DenseEmbedding(convert(POOL)),
        30,
        labeled=labeled and DenseEmbedding(convert(SEEDS)),
        random_state=0,
    )
    np.testing.assert_array_equal(selection.rows, expected.rows)
    np.testing.assert_allclose(selection.values, expected.values)
    assert selection.value_name == "distance"


def test_the_first_row_is_the_farthest_from_all_labelled_rows():
    dists = np.linalg.norm(POOL[:, None] - SEEDS, axis=2).min(axis=1)
    selection = CoreSet().run(Outputs(features=POOL), 1, labeled=LABELED)
    assert selection.rows[0] == dists.argmax()
    np.testing.assert_allclose(selection.values, dists.max())


def test_cosine_looks_at_angles_alone():
    scale = np.random.RandomState(1).lognormal(sigma=3, size=(200, 1))
    picks = [
        CoreSet(kernel="cosine").select(Outputs(features=X), 25, labeled=LABELED)
        for X in (POOL, POOL * scale)
    ]
    np.testing.assert_array_equal(*picks)
    other = CoreSet().select(Outputs(features=POOL), 25, labeled=LABELED)
    assert (other != picks[0]).any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cosine_leaves_zero_rows_at_the_origin(dtype):
    X = np.array([[0, 0], [3, 4], [-6, -8]], dtype=dtype)
    embedding = CoreSet(kernel="cosine").embed(Outputs(features=X))
    assert embedding.dtype == dtype
    np.testing.assert_allclose(
        embedding.to_dense(), [[0, 0], [0.6, 0.8], [-0.6, -0.8]], rtol=1e-6
    )
    np.testing.assert_array_equal(X[0], 0)


@pytest.mark.parametrize("kernel", ["features", "cosine"])
def test_a_pool_copied_from_labelled_rows_is_left_to_the_end(kernel):
    X = np.vstack([SEEDS, POOL[:5]])
    rows = CoreSet(kernel=kernel).select(Outputs(features=X), 5, labeled=LABELED)
    assert set(rows.tolist()) == set(range(9, 14))


def test_without_labelled_rows_the_longest_row_is_first():
    rows = CoreSet().select(Outputs(features=POOL), 4, random_state=0)
    assert rows[0] == (POOL**2).sum(axis=1).argmax()


def test_labelled_features_of_another_width_are_refused():
    labeled = Labeled(Outputs(features=np.ones((2, 4))), np.zeros(2))
    with pytest.raises(ValueError, match="as many columns"):
        CoreSet().select(Outputs(features=POOL), 4, labeled=labeled)
