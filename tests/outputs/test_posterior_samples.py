"""Posterior samples from ensembles: the probabilities of their members."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from skorch import NeuralNetClassifier
from torch import nn

from skbadge.outputs import Needs, model_outputs

X, y = make_classification(
    120, 6, n_informative=4, n_classes=3, n_clusters_per_class=1, random_state=0
)
X = X.astype("f4")


def posterior(estimator, X=X, n=5):
    return model_outputs(
        estimator, X, needs=Needs(n_posterior=n), random_state=0
    ).posterior


def small_net(module=None):
    layers = nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)
    return NeuralNetClassifier(
        nn.Sequential(*layers) if module is None else module,
        criterion=nn.CrossEntropyLoss,
        max_epochs=3,
        verbose=0,
        train_split=None,
    )


ENSEMBLES = [
    BaggingClassifier(LogisticRegression(), 4, random_state=0),
    BaggingClassifier(
        LogisticRegression(), 4, max_features=0.5, bootstrap_features=True
    ),
    BaggingClassifier(make_pipeline(StandardScaler(), GaussianNB()), 3, max_features=4),
    BaggingClassifier(small_net(), 3, random_state=0),
    VotingClassifier([("a", LogisticRegression()), ("b", GaussianNB())], voting="soft"),
    VotingClassifier([("a", small_net()), ("b", GaussianNB())], voting="soft"),
    RandomForestClassifier(6, max_depth=3, random_state=0),
    ExtraTreesClassifier(6, max_depth=3, random_state=0),
]


@pytest.mark.parametrize("ensemble", ENSEMBLES, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("names", [None, np.array(["b", "c", "a"])])
def test_samples_are_the_members_probabilities(ensemble, names):
    torch.manual_seed(0)
    ensemble.fit(X, y if names is None else names[y])
    samples = posterior(ensemble, n=99)
    assert samples.dtype == np.float32
    assert samples.shape == (len(ensemble.estimators_), 120, 3)
    members = ensemble.estimators_
    subsets = getattr(ensemble, "estimators_features_", [np.arange(6)] * len(members))
    for sample, member, subset in zip(samples, members, subsets, strict=True):
        expected = member.predict_proba(X[:, subset])
        np.testing.assert_allclose(sample, expected, atol=1e-6)
    np.testing.assert_allclose(
        samples.mean(axis=0), ensemble.predict_proba(X), atol=1e-6
    )


@pytest.mark.parametrize("names", [["a", "b", "c"], [1, 2, 3]])
def test_members_that_have_seen_fewer_classes_are_aligned(names):
    # Members know positions: for labels 1, 2, 3 those could be mistaken for labels.
    codes = np.where(np.arange(120) == 0, 0, np.where(y > 0, 2, 1))
    # Unlike those that take weights, nearest neighbours are given the drawn rows only.
    ensemble = BaggingClassifier(
        KNeighborsClassifier(), 8, max_samples=0.3, random_state=0
    )
    ensemble.fit(X, np.array(names)[codes])
    widths = {len(member.classes_) for member in ensemble.estimators_}
    assert widths == {2, 3}
    samples = posterior(ensemble)
    np.testing.assert_allclose(
        samples.mean(axis=0), ensemble.predict_proba(X), atol=1e-6
    )
    for sample, member in zip(samples, ensemble.estimators_, strict=True):
        if len(member.classes_) == 2:
            np.testing.assert_array_equal(sample[:, 0], 0)
            np.testing.assert_allclose(
                sample[:, 1:], member.predict_proba(X), atol=1e-6
            )


def test_nets_keep_their_output_units_whatever_they_have_seen():
    rare = np.where(np.arange(120) == 0, 0, np.where(y > 0, 2, 1))
    ensemble = BaggingClassifier(small_net(), 6, max_samples=0.3, random_state=0)
    ensemble.fit(X, rare)
    assert min(len(member.classes_) for member in ensemble.estimators_) == 2
    samples = posterior(ensemble)
    for sample, member in zip(samples, ensemble.estimators_, strict=True):
        np.testing.assert_allclose(sample, member.predict_proba(X), atol=1e-6)


def test_nets_with_other_outputs_than_classes_are_refused():
    ensemble = BaggingClassifier(small_net(nn.Linear(6, 5)), 2).fit(X, y)
    with pytest.raises(ValueError, match=r"must predict its classes.*Got 5 columns"):
        posterior(ensemble)


@pytest.mark.parametrize("kind", ["frame", "sparse"])
@pytest.mark.parametrize(
    "ensemble",
    [
        RandomForestClassifier(4, random_state=0),
        BaggingClassifier(LogisticRegression(), 3, max_features=3, random_state=0),
    ],
)
def test_frames_and_sparse_rows(ensemble, kind):
    rows = pd.DataFrame(X, columns=list("abcdef"))
    rows = rows if kind == "frame" else sparse.csr_matrix(X)
    ensemble.fit(rows, y)
    np.testing.assert_allclose(
        posterior(ensemble, rows).mean(axis=0), ensemble.predict_proba(rows), atol=1e-6
    )


class Average(ClassifierMixin, BaseEstimator):
    """An average of the user's own."""

    def __init__(self, share=0.5):
        self.share = share

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        # The second has not seen the first class.
        seen = y != self.classes_[0]
        self.estimators_ = [GaussianNB().fit(X, y), GaussianNB().fit(X[seen], y[seen])]
        return self

    def predict_proba(self, X):
        first, second = (member.predict_proba(X) for member in self.estimators_)
        second = np.hstack([np.zeros((len(X), 1)), second])
        return self.share * first + (1 - self.share) * second


@pytest.mark.parametrize("names", [[0, 1, 2], [1, 2, 3], [2, 5, 9], ["a", "b", "c"]])
def test_averages_of_one_s_own_are_read(names):
    ensemble = Average().fit(X, np.array(names)[y])
    np.testing.assert_allclose(
        posterior(ensemble).mean(axis=0), ensemble.predict_proba(X), atol=1e-6
    )


@pytest.mark.parametrize(
    "ensemble",
    [
        Average(share=0.9),
        AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=3),
        StackingClassifier([("a", GaussianNB()), ("b", DecisionTreeClassifier())]),
        OneVsRestClassifier(LogisticRegression()),
    ],
    ids=lambda e: type(e).__name__,
)
def test_what_is_no_mean_of_its_members_is_refused(ensemble):
    with pytest.raises(
        (TypeError, ValueError), match=r"members of .*(no posterior|must)"
    ):
        posterior(ensemble.fit(X, y))


class Boosted(Average):
    """Boosting of the user's own: an array of regressors, a column for each class."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        trees = [[DecisionTreeRegressor().fit(X, y == k) for k in self.classes_]]
        self.estimators_ = np.array(trees, dtype=object)
        return self


def test_boosted_regression_trees_are_refused():
    with pytest.raises(
        TypeError, match=r"list of classifiers.*Got DecisionTreeRegress"
    ):
        posterior(Boosted().fit(X, y))


def test_members_without_probabilities_are_refused():
    ensemble = BaggingClassifier(SVC(), 2).fit(X, y)
    with pytest.raises(TypeError, match=r"`predict_proba`. Got SVC"):
        posterior(ensemble)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"voting": "hard"}, "must have voting='soft'.* Got voting='hard'"),
        (
            {"voting": "soft", "weights": [1, 2]},
            r"must count equally.*weights=\[1, 2\]",
        ),
    ],
)
def test_votes_that_are_no_mean_are_refused(params, match):
    ensemble = VotingClassifier([("a", GaussianNB()), ("b", LogisticRegression())])
    with pytest.raises(ValueError, match=match):
        posterior(ensemble.set_params(**params).fit(X, y))


def test_equal_weights_are_a_mean():
    members = [("a", GaussianNB()), ("b", LogisticRegression())]
    ensemble = VotingClassifier(members, voting="soft", weights=[2, 2]).fit(X, y)
    np.testing.assert_allclose(
        posterior(ensemble).mean(axis=0), ensemble.predict_proba(X), atol=1e-6
    )


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        MLPClassifier(4, max_iter=2000, tol=0.01, random_state=0),
        CalibratedClassifierCV(GaussianNB()),
        RandomForestRegressor(2),
    ],
    ids=lambda e: type(e).__name__,
)
def test_other_models_have_no_posterior(model):
    with pytest.raises(TypeError, match=f"{type(model).__name__} has no posterior"):
        posterior(model.fit(X, y))


def test_one_member_is_no_ensemble():
    with pytest.raises(ValueError, match=r"at least 2 members.*has 1"):
        posterior(RandomForestClassifier(1).fit(X, y))


def test_an_ensemble_that_is_not_fitted_is_refused():
    with pytest.raises(NotFittedError):
        posterior(RandomForestClassifier())
