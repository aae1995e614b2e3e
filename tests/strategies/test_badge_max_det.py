"""Greedy determinants of gradient embeddings."""

import numpy as np
import pytest

from skbadge.embeddings import gradient_embedding
from skbadge.exceptions import QueryWarning
from skbadge.outputs import Labeled, Outputs
from skbadge.samplers import MaxDet
from skbadge.strategies import Badge, BadgeMaxDet


def pool(n_classes=4, one_logit=False, seed=0, n_features=9):
    rng = np.random.RandomState(seed)
    return Outputs(
        proba=rng.dirichlet(np.ones(n_classes), size=80),
        features=rng.normal(size=(80, n_features)),
        one_logit=one_logit,
    )


@pytest.mark.parametrize("include_bias", [False, True])
@pytest.mark.parametrize("one_logit", [False, True])
@pytest.mark.parametrize("sigma", [0.0, 0.8])
def test_rows_are_those_of_the_sampler_on_the_embedding(include_bias, one_logit, sigma):
    rows = pool(2 if one_logit else 4, one_logit)
    embedding = gradient_embedding(
        rows.proba, rows.features, include_bias=include_bias, one_logit=one_logit
    )
    selection = BadgeMaxDet(include_bias=include_bias, sigma=sigma).run(rows, 9)
    expected = MaxDet(sigma=sigma).run(embedding, 9)
    np.testing.assert_array_equal(selection.rows, expected.rows)
    np.testing.assert_array_equal(selection.values, expected.values)
    norms = np.sqrt(embedding.norms_sq()[expected.rows])
    np.testing.assert_array_equal(selection.norms, norms)
    np.testing.assert_array_equal(
        selection.embedding.to_dense(), embedding.to_dense()[expected.rows]
    )


def test_the_determinant_is_greater_than_that_of_badge():
    rows = pool()
    gradients = gradient_embedding(rows.proba, rows.features).to_dense()

    def log_det(picks):
        return np.linalg.slogdet(gradients[picks] @ gradients[picks].T)[1]

    for seed in range(10):
        greedy = BadgeMaxDet().select(rows, 15, random_state=seed)
        assert log_det(greedy) > log_det(Badge().select(rows, 15, random_state=seed))


def test_the_rank_is_classes_less_one_times_features():
    rows = pool(n_features=3)
    assert BadgeMaxDet().run(rows, 9).fallbacks == ()
    with pytest.warns(QueryWarning, match="Only 9 of 20 rows add to the span"):
        selection = BadgeMaxDet().run(rows, 20, random_state=0)
    assert len(np.unique(selection.rows)) == 20
    with pytest.warns(QueryWarning, match="Only 12 of 20 rows"):
        BadgeMaxDet(include_bias=True).select(rows, 20, random_state=0)
    assert BadgeMaxDet(sigma=0.1).run(rows, 20).fallbacks == ()


def test_noise_changes_the_picks_beyond_the_first():
    rows = pool(n_features=3)
    without, with_noise = (
        BadgeMaxDet(sigma=sigma).select(rows, 9) for sigma in (0.0, 3.0)
    )
    assert without[0] == with_noise[0]
    assert (without != with_noise).any()


def test_labelled_rows_play_no_part():
    labeled = Labeled(pool(seed=1), np.zeros(80))
    np.testing.assert_array_equal(
        BadgeMaxDet().select(pool(), 20, labeled=labeled),
        BadgeMaxDet().select(pool(), 20),
    )
