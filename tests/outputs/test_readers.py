"""Which reader a model has."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    RandomForestRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, LinearSVC
from skorch import NeuralNet, NeuralNetClassifier, NeuralNetRegressor
from torch import nn

from skbadge.outputs import Needs, model_outputs
from skbadge.outputs.readers import choose_reader
from skbadge.outputs.readers._ensemble import EnsembleReader
from skbadge.outputs.readers._linear import LinearReader
from skbadge.outputs.readers._nets import NetReader
from skbadge.outputs.readers._other import OtherReader
from skbadge.outputs.readers._perceptron import PerceptronReader

X = np.random.default_rng(0).normal(size=(40, 4)).astype("f4")
y = np.arange(40) % 3
MLP = {"hidden_layer_sizes": (3,), "tol": 1.0, "random_state": 0}


class Wide(RegressorMixin, BaseEstimator):
    """Linear in something that is not the input."""

    def fit(self, X, y):
        self.n_features_in_ = X.shape[1]
        self.coef_ = np.ones(2 * X.shape[1])
        return self


@pytest.mark.parametrize(
    ("model", "reader"),
    [
        (NeuralNet(nn.Linear(4, 3), criterion=nn.MSELoss), NetReader),
        (NeuralNetClassifier(nn.Linear(4, 3), criterion=nn.MSELoss), NetReader),
        (NeuralNetRegressor(nn.Linear(4, 3)), NetReader),
        (MLPClassifier(**MLP).fit(X, y), PerceptronReader),
        (MLPRegressor(**MLP).fit(X, y), PerceptronReader),
        (LogisticRegression().fit(X, y), LinearReader),
        (LogisticRegression().fit(X, y > 0), LinearReader),
        (Ridge().fit(X, y), LinearReader),
        (LinearRegression().fit(X, np.column_stack([y, y])), LinearReader),
        (PoissonRegressor().fit(X, y), LinearReader),
        (LinearSVC().fit(X, y).sparsify(), LinearReader),
        (RidgeClassifier().fit(X, y > 0), LinearReader),
        (BaggingRegressor(Ridge(), 2).fit(X, y), EnsembleReader),
        (VotingClassifier([("a", LogisticRegression())]).fit(X, y), EnsembleReader),
        (ExtraTreesClassifier(2).fit(X, y), EnsembleReader),
        (RandomForestRegressor(2).fit(X, y), EnsembleReader),
        (AdaBoostClassifier(n_estimators=2).fit(X, y), EnsembleReader),
        (KNeighborsClassifier().fit(X, y), OtherReader),
        (SVC().fit(X, y), OtherReader),
        (Wide().fit(X, y), OtherReader),
    ],
    ids=lambda part: type(part).__name__,
)
def test_each_family_has_its_reader(model, reader):
    assert type(choose_reader(model)) is reader


@pytest.mark.parametrize(
    "model",
    [
        NeuralNetRegressor(nn.Linear(4, 3)),
        MLPRegressor(),
        Ridge(),
        BaggingRegressor(Ridge()),
        ExtraTreesClassifier(),
        AdaBoostClassifier(),
        KNeighborsClassifier(),
    ],
    ids=lambda part: type(part).__name__,
)
@pytest.mark.parametrize("needs", ["features", "gradients", "posterior"])
def test_models_that_are_not_fitted_are_refused(model, needs):
    with pytest.raises(NotFittedError):
        model_outputs(model, X, needs=needs)


def test_a_bare_module_is_refused():
    with pytest.raises(TypeError, match=r"Wrap it in skorch's.*Got a bare Linear"):
        model_outputs(nn.Linear(4, 3), X)


def test_members_are_opened_and_may_be_ensembles():
    inner = BaggingRegressor(make_pipeline(FrozenEstimator(Ridge().fit(X, y))), 2)
    outer = VotingRegressor([(name, inner) for name in "abc"]).fit(X, y)
    gradients = model_outputs(outer, X, needs=Needs(gradients=True)).gradients
    one = model_outputs(Ridge().fit(X, y), X, needs="gradients").gradients
    np.testing.assert_allclose(
        gradients.cross(gradients), 6 * one.cross(one), rtol=1e-5
    )


def test_models_that_are_linear_in_something_else_have_no_layers():
    with pytest.raises(TypeError, match="Wide has no layers to take gradients of"):
        model_outputs(Wide().fit(X, y), X, needs="gradients")
