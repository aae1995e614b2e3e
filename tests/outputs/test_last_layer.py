"""The last layer, read to be run again: what it makes of features."""

import pickle

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.special import softmax
from sklearn.cross_decomposition import PLSRegression
from sklearn.datasets import make_classification
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import (
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier, NeuralNetRegressor
from torch import nn

from skbadge.nn import NTKLinear, TabularNetClassifier
from skbadge.outputs import Head, Needs, Outputs, model_outputs

X, y = make_classification(
    120, 6, n_informative=5, n_redundant=0, n_classes=3, random_state=0
)
X = X.astype(np.float32)
BOTH = Needs(proba=True, features=True, head=True)


class Net(nn.Module):
    """A body, a last layer ``out``, and what comes after."""

    def __init__(self, out, after=None):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 8), nn.Tanh())
        self.out = out
        self.after = nn.Identity() if after is None else after

    def forward(self, X):
        return self.after(self.out(self.body(X)))


def net(module, cls=NeuralNetClassifier, **params):
    torch.manual_seed(0)
    if cls is NeuralNetClassifier:
        params = {"criterion": nn.CrossEntropyLoss, **params}
    return cls(module, train_split=None, verbose=0, max_epochs=2, lr=0.1, **params)


def scaled():
    # Not the factors that a forward pass without them would be right with.
    return NTKLinear(8, 3, sigma_w=0.7, sigma_b=0.3)


def as_image():
    return nn.Sequential(nn.Unflatten(1, (8, 1)), nn.Conv1d(8, 3, 1), nn.Flatten())


def binary(cls, **params):
    return cls(**params).fit(X, y % 2)


CLASSIFIERS = {
    "net": lambda: net(Net(nn.Linear(8, 3))).fit(X, y),
    "net_without_bias": lambda: net(Net(nn.Linear(8, 3, bias=False))).fit(X, y),
    "net_with_factors": lambda: net(Net(scaled())).fit(X, y),
    "net_with_weight_norm": lambda: net(
        Net(nn.utils.parametrizations.weight_norm(nn.Linear(8, 3)))
    ).fit(X, y),
    "net_with_softmax": lambda: net(
        Net(nn.Linear(8, 3), nn.Softmax(dim=1)), criterion=nn.NLLLoss
    ).fit(X, y),
    "net_with_log_softmax": lambda: net(Net(nn.Linear(8, 3), nn.LogSoftmax(1))).fit(
        X, y
    ),
    "net_in_float64": lambda: net(Net(nn.Linear(8, 3)).double()).fit(
        X.astype(np.float64), y
    ),
    "tabular_net": lambda: TabularNetClassifier(max_epochs=2).fit(X, y),
    "binary_net": lambda: net(Net(nn.Linear(8, 1)), NeuralNetBinaryClassifier).fit(
        X, (y % 2).astype("f4")
    ),
    "binary_net_with_sigmoid": lambda: net(
        Net(nn.Linear(8, 1), nn.Sequential(nn.Sigmoid(), nn.Flatten(0))),
        NeuralNetBinaryClassifier,
        criterion=nn.BCELoss,
    ).fit(X, (y % 2).astype("f4")),
    "perceptron": lambda: MLPClassifier((7,), tol=1.0, random_state=0).fit(X, y),
    "perceptron_of_two": lambda: binary(MLPClassifier, tol=1.0, random_state=0),
    "perceptron_without_layers": lambda: MLPClassifier((), tol=1.0, random_state=0).fit(
        X, y
    ),
    "logistic": lambda: LogisticRegression().fit(X, y),
    "logistic_without_bias": lambda: LogisticRegression(fit_intercept=False).fit(X, y),
    "logistic_of_two": lambda: binary(LogisticRegression),
    "sparse_weights": lambda: LogisticRegression().fit(X, y).sparsify(),
    "discriminant": lambda: LinearDiscriminantAnalysis().fit(X, y),
    "pipeline": lambda: make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y),
    "search": lambda: GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}).fit(X, y),
    "sgd_of_two": lambda: binary(SGDClassifier, loss="log_loss", random_state=0),
}
# Probabilities of one class against the rest are no softmax.
AGAINST_THE_REST = {
    "sgd": lambda: SGDClassifier(loss="log_loss", random_state=0).fit(X, y),
}


def rows_for(name):
    return X.astype(np.float64) if name == "net_in_float64" else X


@pytest.mark.parametrize("name", [*CLASSIFIERS, *AGAINST_THE_REST])
def test_logits_are_what_the_model_predicts_by(name):
    make = {**CLASSIFIERS, **AGAINST_THE_REST}[name]
    model, rows = make(), rows_for(name)
    outputs = model_outputs(model, rows, needs=BOTH)
    head = outputs.head
    n_columns = outputs.proba.shape[1]
    assert head.weight.shape == (n_columns, outputs.features.shape[1])
    assert head.bias.shape == (n_columns,)
    assert head.weight.dtype.kind == head.bias.dtype.kind == "f"
    logits = outputs.features @ head.weight.T + head.bias
    np.testing.assert_allclose(head.logits(outputs.features), logits)
    np.testing.assert_array_equal(logits.argmax(1), model.predict(rows))
    if name not in AGAINST_THE_REST:
        np.testing.assert_allclose(softmax(logits, axis=1), outputs.proba, atol=2e-6)
    assert (head.weight[0] == 0).all() == outputs.one_logit


@pytest.mark.parametrize("name", ["logistic", "logistic_of_two"])
def test_of_sparse_rows(name):
    outputs = model_outputs(
        CLASSIFIERS[name](), sparse.csr_matrix(X), needs=BOTH | Needs(sparse=True)
    )
    dense = model_outputs(CLASSIFIERS[name](), X, needs=BOTH)
    logits = outputs.head.logits(outputs.features)
    assert isinstance(logits, np.ndarray)
    np.testing.assert_allclose(logits, dense.head.logits(dense.features), rtol=1e-5)


@pytest.mark.parametrize("name", ["out", "auto"])
def test_a_named_layer_is_that_of_the_net(name):
    outputs = model_outputs(CLASSIFIERS["net"](), X, needs=BOTH, feature_layer=name)
    logits = outputs.head.logits(outputs.features)
    np.testing.assert_allclose(softmax(logits, axis=1), outputs.proba, atol=1e-6)


def test_outputs_may_be_finer_than_the_layer():
    class Cast(nn.Module):
        def forward(self, X):
            return X.float()

    class Coarse(Net):
        def forward(self, X):
            return super().forward(X.bfloat16())

    model = net(Coarse(nn.Linear(8, 3), Cast()).bfloat16()).fit(X, y)
    outputs = model_outputs(model, X, needs=BOTH, feature_layer="out")
    proba = softmax(outputs.head.logits(outputs.features), axis=1)
    np.testing.assert_allclose(proba, outputs.proba, atol=1e-2)


def test_a_convolution_that_sees_all_at_once_is_one():
    model = net(Net(as_image())).fit(X, y)
    outputs = model_outputs(model, X, needs=BOTH, feature_layer="out.1")
    logits = outputs.head.logits(outputs.features)
    np.testing.assert_allclose(softmax(logits, axis=1), outputs.proba, atol=1e-6)


@pytest.mark.parametrize("features", [False, True])
@pytest.mark.parametrize("name", ["net", "perceptron", "logistic"])
def test_it_is_read_by_itself_and_leaves_nothing_behind(name, features):
    model = CLASSIFIERS[name]()
    outputs = model_outputs(model, X, needs=Needs(head=True, features=features))
    assert len(outputs) == 120
    assert (outputs.features is not None) == features
    assert outputs.proba is None
    whole = model_outputs(model, X, needs=BOTH)
    np.testing.assert_array_equal(outputs.head.weight, whole.head.weight)
    assert whole.take(np.arange(3)).head is whole.head
    assert model_outputs(model, X, needs="proba").head is None
    if name == "net":
        for part in model.module_.modules():
            assert not part._forward_pre_hooks


def test_regressors_have_one():
    for model in (
        Ridge().fit(X, y),
        Ridge().fit(X, np.stack([y, X[:, 0]], axis=1)),
        MLPRegressor(hidden_layer_sizes=(5,), tol=10.0, random_state=0).fit(X, y),
        net(Net(nn.Linear(8, 1)), NeuralNetRegressor).fit(X, y[:, None].astype("f4")),
    ):
        outputs = model_outputs(model, X, needs=("features", "head"))
        made = outputs.head.logits(outputs.features)
        expected = model.predict(X).reshape(120, -1)
        np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-5)


NO_LAYER = {
    "forest": lambda: RandomForestClassifier(3).fit(X, y),
    "neighbours": lambda: KNeighborsClassifier().fit(X, y),
    "process": lambda: GaussianProcessClassifier().fit(X[:30], y[:30]),
    "ensemble": lambda: BaggingClassifier(LogisticRegression(), 2).fit(X, y),
    # Linear in something, but not what they predict by.
    "pairs": lambda: SVC(kernel="linear").fit(X, y),
    "exponential": lambda: PoissonRegressor().fit(X, y),
}


@pytest.mark.parametrize("name", NO_LAYER)
def test_models_without_one_are_refused_with_the_ways_out(name):
    model = NO_LAYER[name]()
    match = rf"{type(model).__name__} has no last linear layer.*MLPClassifier.*'margin'"
    with pytest.raises(TypeError, match=match):
        model_outputs(model, X, needs=("features", "head"))


def test_linear_models_are_held_to_what_they_return():
    for model in (LinearSVC(random_state=0), RidgeClassifier(), Ridge()):
        model.fit(X, y)
        assert model_outputs(model, X, needs="head").head is not None
        model.coef_ = model.coef_.copy()
        model.decision_function = model.predict = lambda X: np.ones((len(X), 3))
        with pytest.raises(TypeError, match="has no last linear layer"):
            model_outputs(model, X, needs="head")
    # Centres its input first.
    with pytest.raises(TypeError, match="PLSRegression has no last linear layer"):
        model_outputs(PLSRegression().fit(X + 9, y), X, needs="head")


class TwoHeads(Net):
    def forward(self, X):
        hidden = self.body(X)
        return self.out(hidden) + self.after(hidden.relu())


@pytest.mark.parametrize(
    ("module", "feature_layer"),
    [
        (Net(nn.Linear(8, 3)), "body.0"),
        (Net(nn.Linear(8, 3)), "body.1"),
        (Net(nn.Linear(8, 3), nn.Tanh()), "out"),
        (TwoHeads(nn.Linear(8, 3), nn.Linear(8, 3)), "out"),
        # Of a layer of the same shape the weights would do.
        (Net(nn.Sequential(nn.Linear(8, 3), nn.Linear(3, 3))), "out.0"),
    ],
)
def test_other_layers_of_a_net_are_refused(module, feature_layer):
    model = net(module).initialize()
    assert model_outputs(model, X, feature_layer=feature_layer).features is not None
    match = f"last linear layer again.*`feature_layer`='{feature_layer}'.*'margin'"
    with pytest.raises(ValueError, match=match):
        model_outputs(model, X, needs="head", feature_layer=feature_layer)


def test_a_head_is_a_pair_of_arrays():
    parts = np.ones((3, 2)), np.zeros(3)
    outputs = Outputs(features=np.ones((4, 2)), head=parts)
    assert isinstance(outputs.head, Head)
    weight, bias = pickle.loads(pickle.dumps(outputs)).head
    np.testing.assert_array_equal(weight, parts[0])
    np.testing.assert_array_equal(bias, parts[1])
