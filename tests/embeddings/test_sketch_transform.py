"""Sketches that are drawn once and applied to many batches."""

import pickle

import numpy as np
import pytest

from skbadge.embeddings import (
    DenseEmbedding,
    OuterProductEmbedding,
    Sketch,
    StackedEmbedding,
    sketch,
)
from skbadge.embeddings._kronecker_sketch import KroneckerSketch

WIDTHS = [(3, 5), (1, 4), (2, 2)]


def layers(n, seed=0):
    rng = np.random.RandomState(seed)
    return [
        (0.5 + rng.normal(size=(n, left)), rng.normal(size=(n, right)))
        for left, right in WIDTHS
    ]


def gradients(n, seed=0):
    """Three layers and a part that is dense."""
    parts = [OuterProductEmbedding(*factors) for factors in layers(n, seed)]
    rng = np.random.RandomState(100 + seed)
    return StackedEmbedding([*parts, DenseEmbedding(rng.normal(size=(n, 6)))])


def test_pool_and_labelled_rows_share_one_map():
    pool, labeled = gradients(30), gradients(8, 1)
    # A generator, not an int: each draw of it would be another map.
    transformer = Sketch(20_000, random_state=np.random.RandomState(0)).fit(labeled)
    between = transformer.transform(pool).cross(transformer.transform(labeled))
    exact = pool.cross(labeled)
    scale = np.sqrt(np.outer(pool.norms_sq(), labeled.norms_sq()))
    assert np.abs((between - exact) / scale).max() < 0.1
    both = transformer.transform(pool).matrix
    np.testing.assert_allclose(
        transformer.transform(pool.take(np.array([7]))).matrix[0], both[7], rtol=1e-9
    )


def test_an_int_gives_the_map_of_the_function():
    embedding = gradients(5)
    result = Sketch(7, random_state=3).fit(embedding).transform(embedding)
    expected = sketch(embedding, 7, random_state=3)
    np.testing.assert_array_equal(result.matrix, expected.matrix)
    first, second = (Sketch(7).fit(embedding) for _ in range(2))
    assert first.seed_ != second.seed_


def test_layers_and_members_add_up_to_one_vector():
    embedding = gradients(5)
    assert Sketch(7, random_state=0).fit(embedding).transform(embedding).shape == (5, 7)
    ensemble = StackedEmbedding([gradients(5), gradients(5, 1), gradients(5, 2)])
    result = Sketch(50_000, random_state=0).fit(ensemble).transform(ensemble)
    members = [gradients(5, seed).cross(gradients(5, seed)) for seed in range(3)]
    scale = ensemble.norms_sq().max()
    np.testing.assert_allclose(result.cross(result), sum(members), atol=0.05 * scale)


def predicted_variance(parts, n_columns):
    r"""Variance of the product of two sketched rows, from fourth moments.

    The q products of coordinates are independent copies of s t / q, with
    s = sum_l z_l over layers, z_l zero on average and independent between layers.
    """
    norms, products, fourth = [], [], []
    for part in parts:
        if isinstance(part, OuterProductEmbedding):
            grams = [M @ M.T for M in (part.left, part.right)]
        else:
            grams = [part.matrix @ part.matrix.T]
        moments = [g[0, 0] * g[1, 1] + 2 * g[0, 1] ** 2 for g in grams]
        fourth.append(np.prod(moments))
        norms.append(part.norms_sq())
        products.append(part.cross(part)[0, 1])
    norms, products = np.array(norms), np.array(products)
    total = sum(fourth)
    for i in range(len(parts)):
        for j in range(len(parts)):
            if i != j:
                total += norms[i, 0] * norms[j, 1] + 2 * products[i] * products[j]
    return (total - products.sum() ** 2) / n_columns


@pytest.mark.parametrize("n_parts", [1, 2, 4])
def test_products_of_summed_layers_are_unbiased_with_the_predicted_variance(n_parts):
    parts = gradients(2).parts[:n_parts]
    embedding, n_columns = StackedEmbedding(parts), 10
    rng = np.random.RandomState(0)
    measured = np.empty(20_000)
    for draw in range(len(measured)):
        rows = sketch(embedding, n_columns, random_state=rng).matrix
        measured[draw] = rows[0] @ rows[1]
    exact = embedding.cross(embedding)[0, 1]
    assert abs(measured.mean() - exact) < 5 * measured.std() / np.sqrt(len(measured))
    expected = predicted_variance(parts, n_columns)
    np.testing.assert_allclose(measured.var(), expected, rtol=0.1)


def test_a_kronecker_sketch_is_the_sketch_of_the_stacked_layers():
    factors = layers(9)
    embedding = StackedEmbedding([OuterProductEmbedding(*pair) for pair in factors])
    for dtype in (np.float32, np.float64):
        kronecker = KroneckerSketch(WIDTHS, 12, random_state=4, dtype=dtype)
        typed = [tuple(part.astype(dtype) for part in pair) for pair in factors]
        result = kronecker(typed)
        assert result.dtype == dtype
        expected = sketch(embedding.astype(dtype), 12, random_state=4).matrix
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)
        # Batch by batch.
        batches = [
            kronecker([(a[rows], z[rows]) for a, z in typed])
            for rows in (slice(4), slice(4, 9))
        ]
        np.testing.assert_allclose(np.vstack(batches), result, rtol=1e-4, atol=1e-6)


def test_projections_can_be_converted_to_tensors():
    torch = pytest.importorskip("torch")
    kronecker = KroneckerSketch(WIDTHS, 8, random_state=0, dtype=np.float64)
    tensors = kronecker.convert(torch.from_numpy)
    factors = layers(5)
    result = tensors([tuple(map(torch.from_numpy, pair)) for pair in factors])
    assert isinstance(result, torch.Tensor)
    np.testing.assert_allclose(result.numpy(), kronecker(factors), rtol=1e-12)
    assert isinstance(kronecker.projections[0][0], np.ndarray)


def test_a_kronecker_sketch_states_its_size_and_pickles():
    kronecker = KroneckerSketch(WIDTHS, 8, random_state=0)
    assert kronecker.widths == WIDTHS
    held = sum(part.nbytes for pair in kronecker.projections for part in pair)
    assert held == 4 * 8 * sum(map(sum, WIDTHS))
    again = pickle.loads(pickle.dumps(kronecker))
    np.testing.assert_array_equal(again(layers(3)), kronecker(layers(3)))


def test_wrong_layers_are_refused():
    kronecker = KroneckerSketch(WIDTHS, 8, random_state=0)
    with pytest.raises(
        ValueError, match=r"`layers` must have factors of widths \[\(3, 5"
    ):
        kronecker(layers(3)[:2])
    swapped = [(right, left) for left, right in layers(3)]
    with pytest.raises(ValueError, match=r"Got \[\(5, 3\), \(4, 1\), \(2, 2\)\]"):
        kronecker(swapped)
    for n_columns in (0, 2.0, None):
        with pytest.raises(ValueError, match="'n_columns' parameter of KroneckerSk"):
            KroneckerSketch(WIDTHS, n_columns)
    with pytest.raises(ValueError, match=r"'widths' parameter of .* Got 0"):
        KroneckerSketch([(3, 0)], 4)
    with pytest.raises(ValueError, match="`widths` must have at least one pair"):
        KroneckerSketch([], 4)
