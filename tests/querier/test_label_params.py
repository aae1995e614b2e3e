"""Parameters that name labels mean the user's, where a model is trained on codes."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.datasets import make_classification
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.feature_selection import SelectFromModel
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from skbadge import BadgeQuerier
from skbadge.nn import TabularNetClassifier

X, CODES = make_classification(
    120, 4, n_informative=3, n_redundant=0, n_classes=3, n_clusters_per_class=1,
    class_sep=0.5, random_state=0,
)  # fmt: skip
LABELS = {
    "codes": [0, 1, 2],
    "from one": [1, 2, 3],
    "backwards": [2, 1, 0],
    "floats": [1.0, 3.0, 5.0],
    "strings": ["ant", "bee", "cat"],
}
each_kind = pytest.mark.parametrize("names", LABELS.values(), ids=LABELS)


def net():
    return TabularNetClassifier(hidden_sizes=(4,), max_epochs=1)


def logistic(weights=None):
    return LogisticRegression(class_weight=weights)


def fitted(estimator, y, classes=None):
    querier = BadgeQuerier(estimator, strategy="margin", classes=classes)
    return querier.fit(X[: len(y)], y).estimator_


def selecting(weights):
    """A step that learns from labels, and has weights for them."""
    return SelectFromModel(logistic(weights), threshold=-np.inf)


@each_kind
@pytest.mark.parametrize("n_named", [1, 2, 3])
def test_a_step_before_a_net_weighs_the_classes_it_names(names, n_named):
    y = np.array(names)[CODES]
    weights = dict(zip(names[:n_named], [30.0, 5.0, 0.5], strict=False))
    step = fitted(make_pipeline(selecting(weights), net()), y)[0]
    plain = selecting(weights).fit(X, y)
    assert step.estimator_.coef_.shape == (3, 4)
    np.testing.assert_allclose(step.estimator_.coef_, plain.estimator_.coef_)


@pytest.mark.parametrize("names", [["ant", "bee", "cat"], [0, 1, 2], [5, 6, 7]])
def test_weights_by_class_hold_while_a_class_has_no_row_yet(names):
    # scikit-learn refuses a weight for a class that does not occur: it is trained on
    # codes then.
    y = np.array(names)[CODES]
    y[y == names[0]] = names[2]
    found = fitted(logistic({names[0]: 2.0, names[1]: 50.0}), y, classes=names)
    expected = logistic({names[1]: 50.0}).fit(X, y)
    np.testing.assert_allclose(found.intercept_, expected.intercept_)


@pytest.mark.parametrize("named", [{0: 2.0, 1: 50.0}, {"ant": 2.0}])
def test_weights_of_what_is_no_class_are_refused(named):
    y = np.array([3, 1, 2])[CODES]
    message = r"`.*class_weight` must name labels. Got \[(0|'ant')\].*with `classes`"
    with pytest.raises(ValueError, match=message):
        fitted(make_pipeline(selecting(named), net()), y)
    with pytest.raises(ValueError, match="not in class_weight") as info:
        fitted(logistic(named), y)
    assert "must name labels" in info.value.__notes__[0]


@each_kind
def test_values_that_a_search_tries_are_translated(names):
    y = np.array(names)[CODES]
    weights = {names[0]: 1e4}
    spaces = [
        {"step__estimator__class_weight": [weights]},
        {"step__estimator": [logistic(weights)]},
        {"step": [selecting(weights)]},
        [{"net__lr": [0.1], "step": [selecting(weights)]}],
    ]
    expected = selecting(weights).fit(X, y).estimator_.intercept_
    for space in spaces:
        model = Pipeline([("step", selecting(None)), ("net", net())])
        search = GridSearchCV(model, space, cv=2)
        step = fitted(search, y).best_estimator_[0]
        np.testing.assert_allclose(step.estimator_.intercept_, expected)
        # The user's own is as it was.
        assert str(weights) in str(space)


@pytest.mark.parametrize(
    ("ensemble", "member"),
    [
        (VotingClassifier([("one", logistic({0: 50.0}))]), lambda e: e.estimators_[0]),
        (BaggingClassifier(logistic({0: 50.0}), 1), lambda e: e.estimators_[0]),
        (OneVsRestClassifier(logistic({0: 50.0})), lambda e: e.estimators_[0]),
    ],
)
def test_members_whose_ensemble_makes_codes_keep_theirs(ensemble, member):
    class Step(TransformerMixin, BaseEstimator):
        def __init__(self, model):
            self.model = model

        def fit(self, X, y):
            self.model_ = clone(self.model).fit(X, y)
            return self

        def transform(self, X):
            return X

    if isinstance(ensemble, BaggingClassifier):
        ensemble = clone(ensemble).set_params(random_state=0)
    y = CODES + 1
    found = fitted(make_pipeline(Step(ensemble), net()), y)[0].model_
    expected = clone(ensemble).fit(X, y)
    np.testing.assert_allclose(member(found).intercept_, member(expected).intercept_)


class Sampler(TransformerMixin, BaseEstimator):
    """Has a parameter of imbalanced-learn's samplers."""

    def __init__(self, sampling_strategy="auto"):
        self.sampling_strategy = sampling_strategy

    def fit(self, X, y):
        self.named_ = self.sampling_strategy
        return self

    def transform(self, X):
        return X


@pytest.mark.parametrize(
    ("strategy", "coded"),
    [
        ({"bee": 40, "ant": 9}, {1: 40, 0: 9}),
        (["cat", "bee"], [2, 1]),
        ("auto", "auto"),
        (0.5, 0.5),
    ],
)
def test_numbers_of_rows_by_class_are_translated(strategy, coded):
    y = np.array(["ant", "bee", "cat"])[CODES]
    model = fitted(make_pipeline(Sampler(strategy), net()), y)
    assert model[0].named_ == coded


def test_a_positive_label_that_is_none_is_no_code():
    y = np.minimum(CODES, 1) + 1
    model = FixedThresholdClassifier(net(), threshold=0.9, pos_label=0)
    with pytest.raises(ValueError, match=r"`pos_label` must name labels\. Got \[0\]"):
        fitted(model, y)


def test_what_is_frozen_keeps_its_labels():
    y = np.array(["ant", "bee", "cat"])[CODES]
    step = selecting({"ant": 30.0}).fit(X, y)
    model = fitted(make_pipeline(FrozenEstimator(step), net()), y)
    assert model[0].estimator is step
    assert step.estimator.class_weight == {"ant": 30.0}
