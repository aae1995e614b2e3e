"""`badge_kdpp` is a k-DPP on gradient embeddings."""

import numpy as np
import pytest

from skbadge.embeddings import gradient_embedding
from skbadge.exceptions import QueryWarning
from skbadge.outputs import Outputs
from skbadge.samplers import KDPP
from skbadge.strategies import BadgeKDPP, get_strategy

WAYS = [
    {},
    {"n_columns": 30},
    {"method": "mcmc", "init": "random"},
    {"method": "mcmc", "proposal": "uniform", "steps": "badge"},
]


def pool(n_classes=4, one_logit=False, seed=0):
    rng = np.random.RandomState(seed)
    return Outputs(
        proba=rng.dirichlet(np.ones(n_classes), size=80),
        features=rng.normal(size=(80, 12)),
        one_logit=one_logit,
    )


@pytest.mark.parametrize("options", WAYS, ids=str)
@pytest.mark.parametrize("include_bias", [False, True])
@pytest.mark.parametrize("one_logit", [False, True])
def test_rows_are_those_of_the_sampler_on_the_embedding(
    options, include_bias, one_logit
):
    rows = pool(2 if one_logit else 4, one_logit)
    embedding = gradient_embedding(
        rows.proba, rows.features, include_bias=include_bias, one_logit=one_logit
    )
    strategy = BadgeKDPP(include_bias=include_bias, **options)
    for seed in range(3):
        selection = strategy.run(rows, 7, random_state=seed)
        expected = KDPP(**options).run(embedding, 7, random_state=seed)
        np.testing.assert_array_equal(selection.rows, expected.rows)
        np.testing.assert_array_equal(selection.values, expected.values)
        assert selection.fallbacks == expected.fallbacks
        assert selection.nbytes == embedding.nbytes - rows.features.nbytes


def test_defaults_are_those_of_the_sampler():
    strategy = get_strategy("badge_kdpp")
    assert isinstance(strategy, BadgeKDPP)
    params = strategy.get_params()
    assert params.pop("include_bias") is False
    assert params == KDPP().get_params()


def test_the_rank_of_the_last_layers_gradient_is_the_limit():
    # Three classes: two degrees of freedom for each of 12 features.
    rows = pool(3)
    assert len(BadgeKDPP().select(rows, 24, random_state=0)) == 24
    with pytest.warns(QueryWarning, match="Only 24 of 25 rows have linearly"):
        assert len(BadgeKDPP().select(rows, 25, random_state=0)) == 25
    # The bias adds one for each degree of freedom.
    biased = BadgeKDPP(include_bias=True)
    assert len(biased.select(rows, 26, random_state=0)) == 26
    with pytest.warns(QueryWarning, match="Only 26 of 27 rows have linearly"):
        assert len(biased.select(rows, 27, random_state=0)) == 27


@pytest.mark.parametrize("options", WAYS[:1] + WAYS[2:], ids=str)
def test_a_confident_model_does_not_stop_a_loop(options):
    # All but five rows are predicted with certainty, so that their gradients are 0.
    rows = pool()
    proba = rows.proba.copy()
    proba[5:] = np.eye(4)[proba[5:].argmax(axis=1)]
    certain = Outputs(proba=proba, features=rows.features)
    with pytest.warns(QueryWarning, match="Only 5 of 20 rows"):
        selection = BadgeKDPP(**options).run(certain, 20, random_state=0)
    assert set(selection.rows[:5].tolist()) == set(range(5))
    assert len(set(selection.rows.tolist())) == 20


@pytest.mark.parametrize("options", [{}, {"method": "mcmc"}], ids=str)
def test_one_logit_and_two_columns_select_the_same_rows(options):
    # Their inner products differ by a factor, which plays no part.
    for seed in range(5):
        picks = [
            BadgeKDPP(**options).select(pool(2, one_logit, seed), 8, random_state=seed)
            for one_logit in (False, True)
        ]
        np.testing.assert_array_equal(*picks)
