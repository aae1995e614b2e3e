"""The face that transformations share, scaling, and several of them in a row."""

import pickle
from math import inf

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skbadge.embeddings import (
    AcsGrad,
    AcsRandomFeatures,
    DenseEmbedding,
    LaplaceEmbedding,
    OuterProductEmbedding,
    Posterior,
    Scale,
    ScaledEmbedding,
    Sketch,
    StackedEmbedding,
    transform_pool_and_labeled,
)
from tests.embeddings._transform_makers import (
    FINITE,
    KINDS,
    dense,
    gram,
    normal,
    ntk,
    outer,
    split,
    stacked,
)


@pytest.fixture(params=KINDS)
def make(request):
    return KINDS[request.param]


def test_scaled_labelled_rows_have_mean_squared_norm_one(make):
    for dtype in (np.float64, np.float32):
        labeled, pool = split(make, dtype=dtype)
        scale = Scale().fit(labeled)
        assert scale.transform(labeled).norms_sq().mean() == pytest.approx(1, rel=1e-6)
        result = scale.transform(pool)
        assert result.dtype == dtype
        mean = labeled.norms_sq().mean()
        np.testing.assert_allclose(
            gram(result), gram(pool) / mean, rtol=1e-4, atol=1e-6
        )
        np.testing.assert_allclose(
            result.sq_dists(result), pool.sq_dists(pool) / mean, rtol=1e-4, atol=1e-6
        )


def test_scaling_keeps_the_kind_and_the_greater_factor():
    labeled, pool = split(outer)
    result = Scale().fit(labeled).transform(pool)
    assert type(result) is OuterProductEmbedding
    assert result.right is pool.right
    wide = OuterProductEmbedding(pool.right, pool.left)
    assert Scale().fit(wide).transform(wide).left is wide.left
    for make, kind in ((dense, DenseEmbedding), (stacked, StackedEmbedding)):
        labeled, pool = split(make)
        assert type(Scale().fit(labeled).transform(pool)) is kind


def test_scaling_a_scaled_embedding_multiplies_the_factors():
    embedding = ScaledEmbedding(ntk(5), 2.0)
    result = Scale().fit(embedding).transform(embedding)
    assert result.embedding is embedding.embedding
    assert result.norms_sq().mean() == pytest.approx(1)


TRANSFORMERS = {
    "scale": Scale(),
    "posterior": Posterior(0.1),
    "posterior_kernel": Posterior(0.1, space="kernel"),
    "acs_grad": AcsGrad(0.1),
    "acs_random_features": AcsRandomFeatures(4, sigma=0.1, random_state=0),
    "sketch": Sketch(5, random_state=0),
}


@pytest.fixture(params=TRANSFORMERS)
def transformer(request):
    return clone(TRANSFORMERS[request.param])


def test_float32_rows_give_what_float64_rows_give(transformer):
    labeled, pool = split(dense, dtype=np.float32)
    single = transformer.fit(labeled).transform(pool)
    labeled, pool = (part.astype(np.float64) for part in (labeled, pool))
    double = transformer.fit(labeled).transform(pool)
    exact = not isinstance(transformer, (Sketch, Scale))
    scale = double.norms_sq().max()
    np.testing.assert_allclose(
        gram(single), gram(double), atol=(1e-9 if exact else 1e-5) * scale
    )


def test_transformers_clone_and_pickle(transformer):
    labeled, pool = split(dense)
    assert repr(clone(transformer)) == repr(transformer)
    expected = gram(transformer.fit(labeled).transform(pool))
    again = pickle.loads(pickle.dumps(transformer))
    np.testing.assert_array_equal(gram(again.transform(pool)), expected)
    with pytest.raises(NotFittedError):
        clone(transformer).transform(pool)


def test_inputs_are_left_as_they_were(transformer):
    labeled, pool = split(dense)
    before = labeled.matrix.copy(), pool.matrix.copy()
    transformer.fit(labeled).transform(pool)
    np.testing.assert_array_equal(labeled.matrix, before[0])
    np.testing.assert_array_equal(pool.matrix, before[1])


def test_wrong_rows_are_refused(transformer):
    labeled, pool = split(dense)
    transformer.fit(labeled)
    with pytest.raises(ValueError, match=r"was fitted on, 9\. Got 12"):
        transformer.transform(outer(4))
    pool.matrix[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"`embedding` must be finite.*is row 3"):
        transformer.transform(pool.take(slice(None)))
    with pytest.raises(ValueError, match="`labeled` must be finite"):
        transformer.fit(pool.take(slice(None)))
    with pytest.raises(TypeError, match="`embedding` must be an embedding"):
        transformer.transform(np.ones((3, 9)))


def test_no_labelled_rows_are_refused_but_for_a_sketch(transformer):
    none = dense(3).take(slice(0))
    if isinstance(transformer, Sketch):
        one = transformer.fit().transform(dense(4))
        np.testing.assert_array_equal(
            transformer.fit(none).transform(dense(4)).matrix, one.matrix
        )
        return
    with pytest.raises(ValueError, match=r"needs `labeled` rows, .* Got None"):
        transformer.fit()
    with pytest.raises(ValueError, match=r"needs `labeled` rows, .* Got none"):
        transformer.fit(none)


def test_no_rows_of_a_pool_are_no_rows(transformer):
    labeled, pool = split(dense)
    assert len(transformer.fit(labeled).transform(pool.take(slice(0)))) == 0


@pytest.mark.parametrize("sigma", [0, -1.0, None, "1", -inf])
@pytest.mark.parametrize("kind", [Posterior, AcsGrad, AcsRandomFeatures])
def test_a_wrong_noise_is_refused(kind, sigma):
    with pytest.raises(ValueError, match="The 'sigma' parameter of"):
        kind(sigma=sigma).fit(dense(4))


def test_wrong_parameters_are_refused():
    for kind in (Sketch, AcsRandomFeatures):
        with pytest.raises(ValueError, match="The 'n_columns' parameter of"):
            kind(0).fit(dense(4))
    with pytest.raises(ValueError, match="The 'space' parameter of"):
        Posterior(space="both").fit(dense(4))
    with pytest.raises(ValueError, match=r"must have a row that is not zero. All 2"):
        Scale().fit(DenseEmbedding(np.zeros((2, 3))))


@pytest.mark.parametrize(
    "transformer_",
    [Sketch(3), AcsRandomFeatures(3), Posterior(space="features")],
    ids=lambda t: type(t).__name__,
)
def test_what_needs_columns_refuses_a_kernel(transformer_):
    embedding = LaplaceEmbedding(normal(5, 2))
    with pytest.raises(ValueError, match="inner products of its rows only"):
        transformer_.fit(embedding).transform(embedding)


def test_a_list_of_transformers_is_fitted_step_by_step():
    labeled, pool = split(outer)
    steps = [Sketch(6, random_state=1), Scale(), Posterior(0.1)]
    results = transform_pool_and_labeled(steps, pool, labeled)
    expected = pool, labeled
    for step in map(clone, steps):
        step.fit(expected[1])
        expected = tuple(step.transform(part) for part in expected)
    for result, other in zip(results, expected, strict=True):
        np.testing.assert_array_equal(result.matrix, other.matrix)
    assert not any(hasattr(step, "n_columns_in_") for step in steps)
    same, _ = transform_pool_and_labeled([], pool, labeled)
    assert same is pool


def test_where_nothing_is_labelled_the_posterior_is_the_prior(make):
    _, pool = split(make)
    prior = gram(pool)
    scale = prior.diagonal().max()
    for space in ("auto", "kernel"):
        assert Posterior(0.3, space=space).fit(None, pool).transform(pool) is pool
    result = gram(AcsGrad(0.3).fit(None, pool).transform(pool))
    np.testing.assert_allclose(result, prior**2 / 0.3**4, atol=1e-9 * scale**2)


@pytest.mark.parametrize("make_finite", FINITE.values(), ids=FINITE)
def test_the_prior_is_the_posterior_of_a_row_that_says_nothing(make_finite):
    _, pool = split(make_finite)
    zero = Scale().fit(pool)
    zero.factor_ = 0.0
    nothing = zero.transform(pool.take(slice(0, 1)))
    acs = AcsGrad(0.3)
    result = acs.fit(None, pool).transform(pool)
    other = acs.fit(nothing).transform(pool)
    assert type(result) is type(other)
    np.testing.assert_allclose(gram(result), gram(other), rtol=1e-12)


def test_weights_of_random_features_are_drawn_from_the_prior():
    _, pool = split(dense, dtype=np.float32)
    acs = AcsRandomFeatures(6, sigma=0.4, random_state=3)
    result = acs.fit(None, pool).transform(pool).matrix
    nothing = DenseEmbedding(np.zeros((2, 9)))
    expected = acs.fit(nothing).transform(pool).matrix
    np.testing.assert_allclose(result, expected, rtol=1e-12)
    assert result.dtype == np.float64


def test_where_nothing_is_labelled_the_pool_has_mean_squared_norm_one(make):
    _, pool = split(make)
    result = Scale().fit(None, pool).transform(pool)
    assert result.norms_sq().mean() == pytest.approx(1)
    zeros = DenseEmbedding(np.zeros((4, 3)))
    assert Scale().fit(None, zeros).factor_ == 1
    assert Scale().fit(None, zeros.take(slice(0))).factor_ == 1


def test_a_pool_is_not_looked_at_where_rows_are_labelled(transformer):
    labeled, pool = split(dense)
    expected = gram(transformer.fit(labeled).transform(pool))
    result = gram(transformer.fit(labeled, pool).transform(pool))
    np.testing.assert_array_equal(result, expected)
    broken = DenseEmbedding(np.full((2, 9), np.nan))
    transformer.fit(labeled, broken)
    with pytest.raises(ValueError, match="`pool` must be finite"):
        transformer.fit(None, broken)


def test_a_second_fit_forgets_the_first(transformer):
    labeled, pool = split(dense)
    expected = gram(clone(transformer).fit(None, pool).transform(pool))
    result = gram(transformer.fit(labeled).fit(None, pool).transform(pool))
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("labeled", [None, outer(3).take(slice(0))])
def test_a_list_of_transformers_works_where_nothing_is_labelled(labeled):
    _, pool = split(outer)
    steps = [Sketch(6), Scale(), AcsRandomFeatures(8, sigma=0.1), Posterior(0.1)]
    result, known = transform_pool_and_labeled(steps, pool, labeled, random_state=5)
    rng = np.random.RandomState(5)
    expected = pool
    for step in map(clone, steps):
        if isinstance(step, Sketch | AcsRandomFeatures):
            step.set_params(random_state=rng.randint(2**31 - 1))
        expected = step.fit(None, expected).transform(expected)
    np.testing.assert_array_equal(result.matrix, expected.matrix)
    assert known is None if labeled is None else known.shape == (0, 8)
    with pytest.raises(ValueError, match="inner products of its rows only"):
        transform_pool_and_labeled(
            [AcsRandomFeatures(3)], LaplaceEmbedding(normal(5, 2)), None
        )


def test_a_list_of_transformers_draws_from_one_source_of_randomness():
    labeled, pool = split(dense)
    steps = [Sketch(6), Sketch(6)]

    def run(seed, steps=steps):
        results = transform_pool_and_labeled(steps, pool, labeled, random_state=seed)
        return results[0].matrix

    np.testing.assert_array_equal(run(3), run(3))
    assert (run(3) != run(4)).all()
    # One seed for both steps would make the second the first's own map.
    same = [Sketch(9, random_state=5), Sketch(9, random_state=5)]
    first, second = (
        run(3, steps[:1]),
        run(3, [Sketch(6), Sketch(6, random_state=5)]),
    )
    assert (second != first).all()
    np.testing.assert_array_equal(run(0, same), run(1, same))
