"""Queries say with what probability they drew each row, where that is known."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression

from skbadge import BadgeQuerier
from skbadge.monitoring import risk_estimate
from skbadge.pools import from_arrays
from skbadge.strategies import Badge, Margin, PosteriorKMeansPlusPlus

X, y = make_classification(
    600, 6, n_informative=4, n_classes=3, flip_y=0.1, random_state=0
)
LABELED, POOL = X[:60], X[60:]

KNOWN = {
    "badge": Badge(uniform_share=0.2),
    "power_margin": Margin(noise="power", distinct=False, uniform_share=0.2),
    "softmax_margin": Margin(noise="softmax", distinct=False),
    "random": "random",
}


def querier(strategy):
    return BadgeQuerier(LogisticRegression(), strategy=strategy, random_state=0)


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("in_chunks", [False, True])
def test_the_report_has_the_probabilities(name, in_chunks):
    pool = from_arrays(POOL, chunk_rows=100) if in_chunks else POOL
    fitted = querier(KNOWN[name]).fit(LABELED, y[:60])
    _, report = fitted.query(pool, 30, return_report=True)
    assert report.probabilities.shape == (30,)
    assert np.all(report.probabilities > 0)
    least = report.uniform_share / (len(POOL) - np.arange(30))
    assert np.all(report.probabilities >= least * (1 - 1e-9))
    # Drawn by weight, if it is not uniformly.
    shares = report.probabilities * (len(POOL) - np.arange(30))
    assert np.allclose(shares, 1) == (name == "random")


def test_the_risk_of_a_batch_is_that_of_the_pool_on_the_mean():
    model = querier("badge").fit(LABELED, y[:60])
    wrong = (model.predict(POOL) != y[60:]).astype(float)
    naive, estimates = [], []
    for seed in range(40):
        strategy = Badge(uniform_share=0.3)
        fitted = BadgeQuerier(
            LogisticRegression(), strategy=strategy, random_state=seed
        )
        fitted.fit(LABELED, y[:60])
        rows, report = fitted.query(POOL, 40, return_report=True)
        risk = risk_estimate(
            wrong[rows], report.probabilities, len(POOL), uniform_share=0.3
        )
        naive.append(wrong[rows].mean())
        estimates.append(risk.estimate)
    error = np.std(estimates, ddof=1) / np.sqrt(len(estimates))
    assert abs(np.mean(estimates) - wrong.mean()) < 3 * error
    # The batch itself is harder than the pool.
    assert np.mean(naive) - wrong.mean() > 4 * error


@pytest.mark.parametrize(
    "strategy",
    [
        Badge(uniform_share=0.5),
        Margin(noise="power", distinct=False, uniform_share=0.5),
        "random",
    ],
    ids=["badge", "power_margin", "random"],
)
def test_the_risk_is_unbiased_over_all_sequences_of_draws(strategy):
    # Of 5 rows, by the probabilities that queries say; seeds until each pair came up.
    model = FrozenEstimator(LogisticRegression().fit(LABELED, y[:60]))
    rows_left = POOL[:5]
    losses = 1 - model.predict_proba(rows_left).max(axis=1)
    fitted = BadgeQuerier(model, strategy=strategy).fit(LABELED, y[:60])
    chances, estimates, naive = {}, {}, {}
    for seed in range(2000):
        fitted.set_params(random_state=seed)
        rows, report = fitted.query(rows_left, 2, return_report=True)
        pair = tuple(rows.tolist())
        risk = risk_estimate(losses[rows], report.probabilities, 5)
        chances[pair] = np.prod(report.probabilities)
        estimates[pair], naive[pair] = risk.estimate, losses[rows].mean()
        if strategy == "random":
            np.testing.assert_allclose(risk.weights, 1)
        if len(chances) == 20:
            break
    assert sum(chances.values()) == pytest.approx(1, abs=1e-12)

    def mean(values):
        return sum(chance * values[pair] for pair, chance in chances.items())

    assert mean(estimates) == pytest.approx(losses.mean(), abs=1e-12)
    if strategy != "random":
        # It is the weights that do it.
        assert abs(mean(naive) - losses.mean()) > 0.01


def test_regressors_too():
    strategy = PosteriorKMeansPlusPlus(uniform_share=0.5)
    fitted = BadgeQuerier(LinearRegression(), strategy=strategy, random_state=0)
    target = X[:, 0] + X[:, 1]
    _, report = fitted.fit(LABELED, target[:60]).query(POOL, 5, return_report=True)
    assert np.all(report.probabilities >= 0.5 / len(POOL) * (1 - 1e-9))


@pytest.mark.parametrize("strategy", ["badge", "margin", "core_set", "power"])
def test_where_nothing_is_known_nothing_is_said(strategy):
    if strategy == "power":
        # Copies that wait.
        strategy = Margin(noise="power")
    fitted = querier(strategy).fit(LABELED, y[:60])
    _, report = fitted.query(POOL, 5, return_report=True)
    assert report.probabilities is None
    assert report.uniform_share == 0


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (Badge(uniform_share=0.1, first_center="max_norm"), "`first_center` must"),
        (Margin(uniform_share=0.1), "is for draws by noise='power'"),
        (
            Margin(noise="softrank", uniform_share=0.1, distinct=False),
            "Got noise='softrank'",
        ),
        (Margin(noise="power", uniform_share=0.1), "is for distinct=False"),
    ],
)
def test_what_is_refused_before_a_training(strategy, message):
    with pytest.raises(ValueError, match=message):
        querier(strategy).fit(LABELED, y[:60])


@pytest.mark.parametrize(
    "strategy",
    [
        Badge(uniform_share=0.1),
        Margin(noise="power", uniform_share=0.1, distinct=False),
    ],
)
def test_groups_are_refused(strategy):
    fitted = querier(strategy).fit(LABELED, y[:60])
    with pytest.raises(ValueError, match="`groups`"):
        fitted.query(POOL, 5, groups=np.arange(540) // 2)
