"""Nothing is answered from a model that holds or predicts NaN."""

import numpy as np
import pytest
import torch
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier
from torch import nn

from skbadge import BadgeQuerier
from skbadge.nn import TabularNetClassifier, TabularNetRegressor
from skbadge.outputs._pipeline import innermost

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3)).astype(np.float32)
y = (X[:, 0] > 0).astype(int)


class Net(nn.Module):
    def __init__(self, n_outputs=2):
        super().__init__()
        self.head = nn.Linear(3, n_outputs)

    def forward(self, X):
        return self.head(X).squeeze(1)


class OwnPredict(NeuralNetClassifier):
    def predict(self, X):
        return self.predict_proba(X).argmax(axis=1)


def make_net(cls=NeuralNetClassifier, n_outputs=2):
    net = cls(Net, module__n_outputs=n_outputs, train_split=None, max_epochs=1)
    if n_outputs > 1:
        net.set_params(criterion=nn.CrossEntropyLoss)
    return net.set_params(verbose=0)


MODELS = {
    "net": make_net,
    "own predict": lambda: make_net(OwnPredict),
    "binary net": lambda: make_net(NeuralNetBinaryClassifier, 1),
    "pipeline": lambda: make_pipeline(StandardScaler(), make_net()),
    "search": lambda: GridSearchCV(make_net(), {"lr": [0.1]}, cv=2),
    "tabular": lambda: TabularNetClassifier(max_epochs=1),
    "regressor": lambda: TabularNetRegressor(max_epochs=1),
    "frozen": lambda: FrozenEstimator(make_net().fit(X, y)),
    "linear": LogisticRegression,
    "ridge": Ridge,
    "perceptron": lambda: MLPClassifier(4, max_iter=1000, tol=0.1),
}


def spoil(model):
    if hasattr(model, "module_"):
        with torch.no_grad():
            list(model.module_.parameters())[-1][0] = torch.nan
    else:
        weights = model.coefs_[0] if hasattr(model, "coefs_") else model.coef_
        weights[:] = np.nan


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_predictions_that_are_nan_are_refused(make):
    querier = BadgeQuerier(make(), random_state=0).fit(X, y)
    assert querier.predict(X).shape == (40,)
    model = innermost(querier.estimator_)
    attributes = set(vars(model))
    spoil(model)
    for method in ("predict", "predict_proba"):
        if hasattr(querier, method):
            with pytest.raises(ValueError, match="NaN or infinite values"):
                getattr(querier, method)(X)
    with pytest.raises(ValueError, match="NaN or infinite values"):
        querier.score(X, y)
    assert set(vars(model)) == attributes


def test_rows_beyond_the_range_of_floats_are_refused():
    querier = BadgeQuerier(make_net(), random_state=0).fit(X, y)
    far = X.copy()
    far[7] = np.finfo(np.float32).max
    with torch.no_grad():
        querier.estimator_.module_.head.weight[:] = 9.0
    for method in (querier.predict, querier.predict_proba):
        with pytest.raises(ValueError, match="for 1 of 40 rows, the first is row 7"):
            method(far)
    assert len(querier.predict(X)) == 40
