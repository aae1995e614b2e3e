"""Bad input: an error that says which parameter, what was expected, and what came."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from skorch import NeuralNet, NeuralNetBinaryClassifier, NeuralNetClassifier
from skorch.dataset import ValidSplit
from torch import nn

from skbadge import BadgeQuerier
from skbadge.nn import TabularNetClassifier
from tests.querier._nets import Net


def make_net(n_outputs=3, **params):
    defaults = {
        "criterion": nn.CrossEntropyLoss,
        "module__n_outputs": n_outputs,
        "train_split": None,
        "max_epochs": 2,
        "lr": 0.1,
        "verbose": 0,
    }
    return NeuralNetClassifier(Net, **(defaults | params))


def make_data(n_rows=60):
    rng = np.random.RandomState(0)
    return rng.normal(size=(n_rows, 4)), np.arange(n_rows) % 3


def make_scaled_net(**params):
    return make_pipeline(StandardScaler(), make_net(**params))


MODELS = {
    "net": make_net,
    "default": lambda: TabularNetClassifier(max_epochs=2),
    "pipeline": make_scaled_net,
    "linear": LogisticRegression,
}
models = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)


def fitted(estimator=None, **params):
    estimator = make_net() if estimator is None else estimator
    return BadgeQuerier(estimator, random_state=0, **params).fit(*make_data())


# Rows


def spoil(X, value):
    X = X.copy()
    X[3, 1] = value
    return X


CONTAINERS = {
    "array": np.asarray,
    "float32": lambda X: X.astype(np.float32),
    "frame": pd.DataFrame,
    "csr": sparse.csr_matrix,
    "coo": sparse.coo_array,
    "tensor": torch.tensor,
}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("convert", CONTAINERS.values(), ids=CONTAINERS)
def test_missing_values_for_a_net(convert, value):
    X, y = make_data()
    bad = convert(spoil(X, value))
    message = "contains NaN or infinity: 1 of 60 rows, the first is row 3"
    with pytest.raises(ValueError, match=f"Input X {message}"):
        BadgeQuerier(make_net()).fit(bad, y)
    querier = BadgeQuerier(make_net()).fit(convert(X), y)
    with pytest.raises(ValueError, match=f"Input X_pool {message}"):
        querier.query(bad, 3)
    with pytest.raises(ValueError, match=f"Input X {message}"):
        querier.partial_fit(bad, y)
    assert len(querier.y_labeled_) == 60


def test_missing_values_in_one_of_several_inputs():
    X, y = make_data()
    with pytest.raises(ValueError, match=r"X\['X'\] contains NaN or infinity: 1 of 60"):
        BadgeQuerier(make_net()).fit({"X": spoil(X, np.nan)}, y)


@models
def test_missing_values_never_pass(make):
    X, y = make_data()
    with pytest.raises(ValueError, match="NaN"):
        BadgeQuerier(make()).fit(spoil(X, np.nan), y)
    with pytest.raises(ValueError, match="NaN"):
        fitted(make()).query(spoil(X, np.nan), 3)


def test_a_net_that_predicts_nan():
    querier = fitted()
    with torch.no_grad():
        querier.estimator_.module_.head.bias[0] = torch.nan
    with pytest.raises(
        ValueError, match="predicts NaN or infinite values for 60 of 60"
    ):
        querier.query(make_data()[0], 3)


@pytest.mark.parametrize("make", [make_net, make_scaled_net], ids=["net", "pipeline"])
def test_a_training_that_diverges(make):
    X, y = make_data()
    with pytest.raises(
        ValueError, match=r"Training diverged.*Lower `lr` \(now 1e\+30\)"
    ):
        BadgeQuerier(make(lr=1e30, max_epochs=10)).fit(X, y)


def test_a_training_of_the_default_that_diverges():
    X, y = make_data()
    net = TabularNetClassifier(lr=1e30, train_accuracy=None, max_epochs=10)
    with pytest.raises(FloatingPointError, match="Training diverged"):
        BadgeQuerier(net).fit(X, y)


@models
def test_too_few_columns(make):
    X, y = make_data()
    querier = fitted(make())
    message = "X has 3 features, but BadgeQuerier is expecting 4 features"
    for call in (
        lambda: querier.query(X[:, :3], 2),
        lambda: querier.predict(X[:, :3]),
        lambda: querier.partial_fit(X[:, :3], y),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_too_few_columns_in_a_tensor():
    X, y = make_data()
    querier = BadgeQuerier(make_net()).fit(torch.tensor(X), y)
    with pytest.raises(ValueError, match=r"X has 3 features, .* expecting 4"):
        querier.query(torch.tensor(X[:, :3]), 2)


def test_a_net_of_another_width_than_the_table():
    X, y = make_data()
    with pytest.raises(ValueError, match="`X` must have as many columns as the first"):
        BadgeQuerier(make_net()).fit(X[:, :3], y)


@models
@pytest.mark.parametrize(
    ("columns", "message"),
    [("abdc", "must be in the same order"), ("abcx", "unseen at fit time:\n- x")],
)
def test_other_column_names(make, columns, message):
    X, y = make_data()
    querier = BadgeQuerier(make()).fit(pd.DataFrame(X, columns=list("abcd")), y)
    with pytest.raises(ValueError, match=message):
        querier.query(pd.DataFrame(X, columns=list(columns)), 2)


@models
def test_no_rows(make):
    X, y = make_data()
    with pytest.raises(ValueError, match="`X` must have at least one row"):
        BadgeQuerier(make()).fit(X[:0], y[:0])
    with pytest.raises(ValueError, match="`X_pool` must have at least one row"):
        fitted(make()).query(X[:0], 2)


def test_no_pool_at_all():
    with pytest.raises(ValueError, match=r"`X_pool` must hold rows. Got None"):
        fitted().query(None)


def test_strings_for_a_net():
    frame = pd.DataFrame({"colour": ["red", "green"] * 30})
    with pytest.raises(ValueError, match=r"`X` holds strings, .*'colour'.* Encode"):
        BadgeQuerier(make_net()).fit(frame, make_data()[1])


@pytest.mark.parametrize(
    "convert", [torch.tensor, sparse.csr_matrix, lambda X: {"X": X}]
)
def test_new_rows_of_another_kind(convert):
    X, y = make_data()
    with pytest.raises(TypeError, match=r"`X` must be .* as the labelled rows so far"):
        fitted().partial_fit(convert(X), y)


# Number of rows


@pytest.mark.parametrize("n", [2.0, True, "3", None, np.float64(2)])
def test_n_that_is_not_an_integer(n):
    with pytest.raises(TypeError, match=r"`n` must be an int. Got"):
        fitted().query(make_data()[0], n)


def test_n_below_zero():
    with pytest.raises(ValueError, match=r"`n` must be >= 0. Got -1"):
        fitted().query(make_data()[0], -1)


# Labels


def with_label(value):
    return ["ant", "bee", value] * 20


@models
@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed"),
        (np.arange(10) % 3, "`X` has 60 rows and `y` 10"),
        (np.zeros((60, 2)), r"Multi-label and multi-output .* Got shape \(60, 2\)"),
        (np.linspace(0, 1, 60), "continuous"),
        (with_label(None), "`y` contains NaN or None: 20 of 60 .* row 2"),
        (with_label(np.nan), "`y` contains NaN or None: 20 of 60 .* row 2"),
        (pd.Series(with_label(None)), "`y` contains NaN or None: 20 of 60"),
        (np.array([0, 1, np.nan] * 20), "`y` contains NaN or None: 20 of 60"),
        (np.array([0, 1, np.inf] * 20), "`y` contains infinity"),
        (with_label(3), "`y` must hold labels of one kind. Got strings and numbers"),
        (np.array(with_label(3), dtype=object), "`y` must hold labels of one kind"),
    ],
    ids=[
        "none",
        "short",
        "2d",
        "continuous",
        "with none",
        "with nan",
        "series",
        "nan",
        "inf",
        "mixed",
        "mixed objects",
    ],
)
def test_labels_that_are_none(make, y, message):
    with pytest.raises(ValueError, match=message):
        BadgeQuerier(make()).fit(make_data()[0], y)


def test_new_labels_of_another_kind():
    # NumPy would turn 1 into "1", one more class beside those there are.
    X, _ = make_data()
    querier = fitted()
    with pytest.raises(ValueError, match="labels of one kind, strings, numbers or"):
        querier.partial_fit(X, ["1", "2", "3"] * 20)
    assert querier.classes_.tolist() == [0, 1, 2]
    assert len(querier.y_labeled_) == 60


@models
def test_one_class_only(make):
    X, _ = make_data()
    with pytest.raises(ValueError, match=r"one class"):
        BadgeQuerier(make()).fit(X, np.zeros(60, dtype=int))


def test_a_net_says_what_to_do_about_one_class():
    X, _ = make_data()
    message = r"`y` holds one class only, \['ant'\].* named ahead with `classes`"
    with pytest.raises(ValueError, match=message):
        BadgeQuerier(make_net()).fit(X, ["ant"] * 60)
    querier = BadgeQuerier(make_net(), classes=["ant", "bee", "cat"])
    assert len(querier.fit(X, ["ant"] * 60).query(X, 4)) == 4


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([0, 1, 2, 2], r"`classes` must be distinct. Got \[0, 1, 2, 2\]"),
        ([0, 1], r"not among `classes`: \[2\]"),
        (["0", "1", "2"], "not among `classes`.* Did you mean '0'"),
        ([[0, 1], [2, 3]], r"`classes` must be a list of all labels.*\(2, 2\)"),
        ([], "`classes` must be a list of all labels"),
        (3, "'classes' parameter of BadgeQuerier must be an array-like"),
    ],
)
@pytest.mark.parametrize("make", [make_net, LogisticRegression])
def test_classes_that_do_not_fit(make, classes, message):
    with pytest.raises(ValueError, match=message):
        BadgeQuerier(make(), classes=classes).fit(*make_data())


@pytest.mark.parametrize(
    "classes",
    [
        [0, 0, 1, 2],
        [0, 1, 2, np.nan],
        [[0, 1]],
        [],
        [0.5, 1.5],
        [1, 1.5],
        np.array([0.5, 1], dtype=np.float32),
        np.array([1, 0.5], dtype=object),
        [0, "a"],
        (True, "a"),
        np.array(["a", 1], dtype=object),
    ],
)
def test_classes_that_are_none_are_found_before_there_is_a_label(classes):
    querier = BadgeQuerier(LogisticRegression(), classes=classes)
    for check in (querier.check_parameters, lambda: querier.query(make_data()[0], 3)):
        with pytest.raises(ValueError, match="`classes` must"):
            check()


def test_classes_that_were_refused_may_be_corrected():
    X, y = make_data()
    querier = BadgeQuerier(LogisticRegression())
    with pytest.raises(ValueError, match="classes"):
        querier.partial_fit(X, y, classes=[0, 1])
    querier.partial_fit(X, y, classes=[0, 1, 2])
    assert querier.classes_.tolist() == [0, 1, 2]


# A net with fewer outputs than classes


def test_fewer_outputs_than_classes():
    X, y = make_data()
    with pytest.raises(ValueError, match=r"fewer outputs than the 3 classes \[0, 1"):
        BadgeQuerier(make_net(2)).fit(X, y)
    module = nn.Sequential(nn.Linear(4, 2), nn.Softmax(dim=1))
    net = NeuralNetClassifier(module, train_split=None, max_epochs=1, verbose=0)
    with pytest.raises(ValueError, match="fewer outputs than the 3 classes"):
        BadgeQuerier(net).fit(X, y)


def test_fewer_outputs_than_classes_inside_a_pipeline():
    with pytest.raises(ValueError, match="fewer outputs than the 3 classes"):
        BadgeQuerier(make_pipeline(StandardScaler(), make_net(2))).fit(*make_data())


@pytest.mark.filterwarnings("ignore", category=FitFailedWarning)
def test_fewer_outputs_than_classes_inside_a_search():
    search = GridSearchCV(make_net(2), {"lr": [0.1, 0.2]}, cv=2)
    with pytest.raises(ValueError, match="fewer outputs than the 3 classes"):
        BadgeQuerier(search).fit(*make_data())


def test_fewer_outputs_than_classes_named_ahead():
    # No label that occurs is out of bounds, so that the training itself succeeds.
    with pytest.raises(ValueError, match="3 outputs, fewer than the 5 classes"):
        BadgeQuerier(make_net(), classes=range(5)).fit(*make_data())


def test_one_logit_for_three_classes():
    net = NeuralNetBinaryClassifier(
        Net, module__n_outputs=1, train_split=None, max_epochs=1, verbose=0
    )
    with pytest.raises(ValueError, match="fewer than the 3 classes"):
        BadgeQuerier(net).fit(*make_data())


# Estimators


@pytest.mark.parametrize(
    "estimator",
    [
        NeuralNet(Net, criterion=nn.CrossEntropyLoss, verbose=0),
        StandardScaler(),
        make_pipeline(StandardScaler(), KMeans()),
    ],
    ids=["bare net", "transformer", "clusterer"],
)
@pytest.mark.parametrize("strategy", ["badge", "core_set"])
def test_an_estimator_that_is_no_classifier_and_no_regressor(estimator, strategy):
    with pytest.raises(
        ValueError, match=r"`estimator` must be a classifier or a regressor.* Got "
    ):
        BadgeQuerier(estimator, strategy=strategy).fit(*make_data())


def test_a_strategy_that_needs_probabilities_where_there_are_none():
    X, y = make_data()
    querier = BadgeQuerier(LinearSVC(), random_state=0)
    with pytest.raises(TypeError, match="LinearSVC has no `predict_proba`"):
        querier.fit(X, y)
    querier.set_params(strategy="core_set").fit(X, y)
    assert len(querier.query(X + 1, 3)) == 3
    with pytest.raises(TypeError, match="LinearSVC has no `predict_proba`"):
        querier.set_params(strategy="badge").query(X + 1, 3)


def test_too_few_rows_for_a_validation_split():
    X, _ = make_data()
    net = make_net(train_split=ValidSplit(5))
    with pytest.raises(ValueError, match="turn that off: train_split=None"):
        BadgeQuerier(net).fit(X[:4], [0, 1, 2, 2])


def test_a_fit_parameter_that_a_net_does_not_take():
    X, y = make_data()
    with pytest.raises(TypeError, match="sample_weight"):
        BadgeQuerier(make_net()).fit(X, y, sample_weight=np.ones(60))


class MissesAColumn(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        n_columns = len(self.classes_) - 1
        return np.full((len(X), n_columns), 1 / n_columns)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


@pytest.mark.parametrize("strategy", ["margin", "badge", "direct"])
def test_probabilities_have_a_column_for_each_class(strategy):
    X = np.random.RandomState(0).normal(size=(12, 2))
    querier = BadgeQuerier(MissesAColumn(), strategy=strategy).fit(X, list("abc" * 4))
    with pytest.raises(ValueError, match="have 2 columns for the 3 classes"):
        querier.query(X + 1)
