"""BADGE is k-means++ seeding on gradient embeddings."""

import numpy as np
import pytest

from skbadge.embeddings import gradient_embedding
from skbadge.outputs import Labeled, Outputs
from skbadge.samplers import KMeansPlusPlus
from skbadge.strategies import Badge


def pool(n_classes=4, one_logit=False, seed=0):
    rng = np.random.RandomState(seed)
    return Outputs(
        proba=rng.dirichlet(np.ones(n_classes), size=80),
        features=rng.normal(size=(80, 6)),
        one_logit=one_logit,
    )


@pytest.mark.parametrize("first", ["max_norm", "uniform", "norm_weighted"])
@pytest.mark.parametrize("include_bias", [False, True])
@pytest.mark.parametrize("one_logit", [False, True])
def test_rows_are_those_of_the_sampler_on_the_embedding(first, include_bias, one_logit):
    rows = pool(2 if one_logit else 4, one_logit)
    embedding = gradient_embedding(
        rows.proba, rows.features, include_bias=include_bias, one_logit=one_logit
    )
    strategy = Badge(include_bias=include_bias, first_center=first)
    sampler = KMeansPlusPlus(first_center=first)
    for seed in range(5):
        selection = strategy.run(rows, 20, random_state=seed)
        expected = sampler.run(embedding, 20, random_state=seed)
        np.testing.assert_array_equal(selection.rows, expected.rows)
        np.testing.assert_array_equal(selection.values, expected.values)
        assert selection.value_name == "squared distance"
        norms = np.sqrt(embedding.norms_sq()[expected.rows])
        np.testing.assert_array_equal(selection.norms, norms)
        # The features are those of the outputs.
        assert selection.nbytes == embedding.nbytes - rows.features.nbytes


def test_the_first_row_has_the_longest_gradient_by_default():
    rows = pool()
    norms_sq = gradient_embedding(rows.proba, rows.features).norms_sq()
    assert Badge().select(rows, 3, random_state=0)[0] == norms_sq.argmax()


def test_the_bias_changes_the_embedding():
    rows = pool()
    assert Badge().embed(rows).shape == (80, 24)
    assert Badge(include_bias=True).embed(rows).shape == (80, 28)


def test_one_logit_and_two_columns_select_the_same_rows():
    for seed in range(10):
        picks = [
            Badge().select(pool(2, one_logit, seed), 20, random_state=seed)
            for one_logit in (False, True)
        ]
        np.testing.assert_array_equal(*picks)


def test_labelled_rows_play_no_part():
    labeled = Labeled(pool(seed=1), np.zeros(80))
    np.testing.assert_array_equal(
        Badge().select(pool(), 20, labeled=labeled, random_state=0),
        Badge().select(pool(), 20, random_state=0),
    )


def test_bad_outputs_of_the_model_are_refused():
    rows = pool()
    proba, features = rows.proba.copy(), rows.features.copy()
    proba[3] = np.nan
    features[5] = np.nan
    with pytest.raises(ValueError, match=r"`pool.proba` must hold class prob.*row 3"):
        Badge().select(Outputs(proba=proba, features=rows.features), 3)
    with pytest.raises(ValueError, match=r"must be finite.* is row 5"):
        Badge().select(Outputs(proba=rows.proba, features=features), 3)
