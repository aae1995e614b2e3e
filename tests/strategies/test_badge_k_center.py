"""Farthest-first traversal of gradient embeddings."""

import numpy as np
import pytest

from skbadge.embeddings import gradient_embedding
from skbadge.outputs import Labeled, Outputs
from skbadge.samplers import KCenter
from skbadge.strategies import BadgeKCenter


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
    strategy = BadgeKCenter(include_bias=include_bias, first_center=first)
    for seed in range(5):
        selection = strategy.run(rows, 20, random_state=seed)
        expected = KCenter(first_center=first).run(embedding, 20, random_state=seed)
        np.testing.assert_array_equal(selection.rows, expected.rows)
        np.testing.assert_array_equal(selection.values, expected.values)
        assert selection.value_name == "distance"


def test_each_row_is_the_farthest_gradient_from_those_before():
    rows = pool()
    gradients = gradient_embedding(rows.proba, rows.features).to_dense()
    picks = BadgeKCenter().select(rows, 30, random_state=0)
    norms = np.linalg.norm(gradients, axis=1)
    assert norms[picks[0]] == pytest.approx(norms.max())
    for i in range(1, 30):
        dists = np.linalg.norm(gradients[:, None] - gradients[picks[:i]], axis=2)
        assert picks[i] == dists.min(axis=1).argmax()


def test_the_first_row_follows_its_rule():
    rows = pool()
    longest = gradient_embedding(rows.proba, rows.features).norms_sq().argmax()
    firsts = {
        rule: {
            int(BadgeKCenter(first_center=rule).select(rows, 1, random_state=seed)[0])
            for seed in range(40)
        }
        for rule in ("max_norm", "uniform")
    }
    assert firsts["max_norm"] == {longest}
    assert len(firsts["uniform"]) > 20


def test_labelled_rows_play_no_part():
    labeled = Labeled(pool(seed=1), np.zeros(80))
    np.testing.assert_array_equal(
        BadgeKCenter().select(pool(), 20, labeled=labeled, random_state=0),
        BadgeKCenter().select(pool(), 20, random_state=0),
    )
