"""Labels that look wrong are spoken of once, and those not supported are refused."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import BaggingClassifier, GradientBoostingClassifier
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skbadge import BadgeQuerier
from skbadge.exceptions import QueryWarning
from skbadge.experiment import SimulatedActiveLearner, active_learning_curve
from skbadge.nn import TabularNetClassifier

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
y = np.arange(60) % 3


def querier_of(model=None, **params):
    model = GaussianNB() if model is None else model
    return BadgeQuerier(model, strategy="entropy", random_state=0, **params)


# -1 as a mark of rows without a label


def marked(labels, share=0.6):
    labels = np.array(labels)[np.arange(60) % len(labels)]
    labels[: int(share * 60)] = -1
    return labels


@pytest.mark.parametrize("convert", [np.array, list, np.float64, pd.Series, object])
@pytest.mark.parametrize("labels", [[0, 1, 2], [1, 2], [0, 5], [3, 7, 9]])
def test_a_mark_of_unlabelled_rows_is_warned_of_once(labels, convert):
    given = marked(labels)
    given = given.astype(object) if convert is object else convert(given)
    querier = querier_of()
    with pytest.warns(
        QueryWarning, match=r"^-1 is the most frequent label, 36 of 60"
    ) as got:
        querier.fit(X, given)
    assert len(got) == 1
    assert got[0].filename == __file__
    assert querier.partial_fit().classes_.tolist() == [-1, *labels]


def test_it_is_seen_when_it_comes_later():
    querier = querier_of(LogisticRegression()).fit(-X[:3], [0, 1, 2])
    with pytest.warns(QueryWarning, match="^-1 is the most frequent label, 36 of 63"):
        querier.partial_fit(X, marked([0, 1, 2]))


@pytest.mark.parametrize(
    ("labels", "share"),
    [
        ([1], 0.6),
        ([0], 0.6),
        ([0, 1], 0.6),
        ([-2, 0, 1, 2], 0.6),
        ([-1, 0, 1, 2], 0.0),
        ([0, 1, 2], 0.1),
    ],
)
def test_as_an_ordinary_label_it_passes_without_a_word(labels, share):
    querier_of().fit(X, marked(labels, share))


def test_strings_and_numbers_to_regress_on_are_no_marks():
    querier_of().fit(X, marked([0, 1, 2]).astype(str))
    BadgeQuerier(LinearRegression()).fit(X, marked([0, 1, 2]))


def test_named_classes_decide():
    labels = marked([0, 1, 2])
    querier_of(classes=[-1, 0, 1, 2]).fit(X, labels)
    querier_of().partial_fit(X, labels, classes=[-1, 0, 1, 2])
    with pytest.raises(
        ValueError, match=r"not among `classes`: \[-1\].* belong in the"
    ):
        querier_of(classes=[0, 1, 2]).fit(X, labels)


# Equal rows with different labels


@pytest.mark.parametrize(
    "convert",
    [
        np.asarray,
        pd.DataFrame,
        sparse.csr_array,
        lambda X: [[f"{x}" for x in row] for row in X],
    ],
    ids=["array", "frame", "sparse", "lists"],
)
def test_contradictions_are_warned_of_once(convert):
    rows, labels = convert(np.vstack([X[:20], X[5:8]])), [*y[:20], *y[5:7], 2 - y[7]]

    class Any(GaussianNB):
        def fit(self, X, y):
            return super().fit(np.arange(len(y) * 2.0).reshape(-1, 2), y)

    model = Any()
    querier = querier_of(model)
    message = "row 7 of `X_labeled_` has 1 and row 22 has 0.* by `relabel`"
    labels[22] = 0
    with pytest.warns(QueryWarning, match=message) as got:
        querier.fit(rows, labels)
    assert len(got) == 1
    assert got[0].filename == __file__
    querier.partial_fit().partial_fit(convert(X[20:30]), y[20:30])


def test_a_contradiction_of_an_earlier_round_is_seen():
    querier = querier_of().fit(X[:20], np.array(["a", "b", "c"])[y[:20]])
    with pytest.warns(QueryWarning, match="row 4 .* has 'b' and row 20 has 'c'"):
        querier.partial_fit(X[[4]], ["c"])


def test_equal_labels_and_targets_of_equal_rows_are_none():
    with warnings.catch_warnings():
        querier_of().fit(X[:20], y[:20]).partial_fit(X[:20], y[:20])
        BadgeQuerier(LinearRegression()).fit(np.vstack([X, X]), np.arange(120))


# One class


ONE_CLASS = {
    "logistic regression": LogisticRegression,
    "support vectors": SVC,
    "gradient descent": SGDClassifier,
    "boosting": GradientBoostingClassifier,
    "discriminant": QuadraticDiscriminantAnalysis,
    "gaussian process": GaussianProcessClassifier,
    "pipeline": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    "search": lambda: GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=2),
    "ensemble": lambda: BaggingClassifier(LogisticRegression(), n_estimators=2),
    "net": lambda: TabularNetClassifier(max_epochs=1),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.parametrize("label", [0, "a"])
@pytest.mark.parametrize("make", ONE_CLASS.values(), ids=ONE_CLASS)
def test_one_class_is_refused_and_kept(make, label):
    querier = BadgeQuerier(make(), strategy="random", random_state=0)
    message = (
        rf"one class only, \[{label!r}\], but .* at least two.* rows are kept.*: label "
        "some of another class"
    )
    for method in (querier.fit, querier.partial_fit):
        with pytest.raises(ValueError, match=message):
            method(X[:10], [label] * 10)
        np.testing.assert_array_equal(querier.X_labeled_, X[:10])
    other = 1 if label == 0 else "b"
    querier.partial_fit(X[10:20], [other] * 10)
    assert querier.classes_.tolist() == [label, other]
    assert len(querier.y_labeled_) == 20


def test_models_of_one_class_train():
    for model in (GaussianNB(), DecisionTreeClassifier()):
        assert querier_of(model).fit(X, np.zeros(60)).predict(X).tolist() == [0] * 60


def test_what_fails_otherwise_with_one_class_says_so():
    with pytest.raises(ValueError, match="Input X contains NaN"):
        querier_of(LogisticRegression()).fit(np.full((5, 2), np.nan), [0] * 5)


# Several labels a row


SEVERAL = {
    "indicators": np.eye(3)[y].astype(int),
    "classes": np.column_stack([y, y]),
    "three axes": np.zeros((60, 1, 2)),
    "nested lists": np.eye(3)[y].tolist(),
    "sets": [{0, 1}, {2}] * 30,
    "ragged lists": [[0, 1], [2]] * 30,
    "tuples of objects": pd.Series([(0, 1), (2,)] * 30),
    "frame": pd.DataFrame(np.eye(3)[y]),
    "tensor": torch.eye(3)[y],
    "csr": sparse.csr_matrix(np.eye(3)[y]),
    "coo": sparse.coo_array(np.eye(3)[y]),
}


@pytest.mark.parametrize(
    "make",
    [LogisticRegression, DecisionTreeClassifier, lambda: TabularNetClassifier()],
    ids=["linear", "tree", "net"],
)
@pytest.mark.parametrize("labels", SEVERAL.values(), ids=SEVERAL)
def test_several_labels_a_row_are_refused(labels, make):
    message = "^Multi-label and multi-output classification are not supported"
    with pytest.raises(ValueError, match=message):
        BadgeQuerier(make()).fit(X, labels)
    with pytest.raises(ValueError, match=message):
        querier_of().fit(X, y).partial_fit(X, labels)


@pytest.mark.parametrize("labels", SEVERAL.values(), ids=SEVERAL)
def test_several_labels_a_row_are_refused_wherever_labels_are_given(labels):
    learner = SimulatedActiveLearner(querier_of())
    for call in (
        learner.fit,
        TabularNetClassifier().fit,
        lambda X, y: active_learning_curve(querier_of(), X, y, strategies=["random"]),
    ):
        with pytest.raises(ValueError, match="Multi-label and multi-output"):
            call(X, labels)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
@pytest.mark.parametrize("convert", [np.array, np.ndarray.tolist, pd.DataFrame])
def test_a_single_column_is_labels(convert):
    querier = querier_of().fit(X, convert(y[:, None]))
    np.testing.assert_array_equal(querier.y_labeled_, y)
