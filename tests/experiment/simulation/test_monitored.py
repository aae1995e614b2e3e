"""Simulated runs that a monitor watches."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbadge import BadgeQuerier
from skbadge.experiment import SimulatedActiveLearner
from skbadge.monitoring import Monitor

X, y = make_classification(
    300, n_features=6, n_informative=4, n_classes=3, random_state=0
)
SIZES = {"n_initial": 12, "n_query": 10, "n_rounds": 3, "random_state": 0}


def querier(kind="querier"):
    inner = BadgeQuerier(LogisticRegression(), strategy="random")
    if kind == "querier":
        return inner
    pipeline = make_pipeline(StandardScaler(), inner)
    if kind == "pipeline":
        return pipeline
    return GridSearchCV(pipeline, {"badgequerier__estimator__C": [0.1, 1]}, cv=2)


@pytest.mark.parametrize("kind", ["querier", "pipeline", "search"])
@pytest.mark.parametrize("initial", ["auto", "max_herding"])
def test_the_copy_has_a_round_for_each_query(kind, initial):
    monitor = Monitor(n_folds=2, random_state=0)
    learner = SimulatedActiveLearner(querier(kind), initial=initial, **SIZES)
    plain = clone(learner).fit(X, y)
    learner.set_params(monitor=monitor).fit(X, y)
    assert plain.monitor_ is None
    np.testing.assert_array_equal(learner.labeled_, plain.labeled_)
    assert learner.monitor is monitor
    assert not monitor.rounds
    rounds = learner.monitor_.rounds
    n_labeled = [0, 12, 22, 32] if initial != "auto" else [12, 22, 32]
    assert [one.n_labeled for one in rounds] == n_labeled
    assert [one.source for one in rounds[-3:]] == ["batch"] * 3
    # Without a pool of its own, it has drawn its reference from the rows.
    assert 0 < rounds[-1].agreement <= 1
    last = learner.labeled_[-10:]
    labels, counts = np.unique(y[last], return_counts=True)
    assert rounds[-1].class_counts == dict(zip(labels, counts, strict=True))


def test_each_fit_starts_anew():
    monitor = Monitor(X[:50], audit=(X[250:], y[250:]))
    learner = SimulatedActiveLearner(querier(), monitor=monitor, **SIZES)
    first = learner.fit(X[:250], y[:250]).monitor_
    second = learner.fit(X[:250], y[:250]).monitor_
    assert str(first) == str(second)
    assert len(first.rounds) == len(second.rounds) == 3
    assert "50 reference rows, an audit of 50 rows" in str(second)
    assert clone(learner).monitor is not monitor


def test_a_metric_that_does_not_suit_is_refused():
    monitor = Monitor(metric="root_mean_squared_error")
    learner = SimulatedActiveLearner(querier(), monitor=monitor, **SIZES)
    with pytest.raises(ValueError, match="for a classifier"):
        learner.fit(X, y)
    with pytest.raises(ValueError, match="'monitor' parameter"):
        learner.set_params(monitor="yes").fit(X, y)
