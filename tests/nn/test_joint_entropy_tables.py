"""JointEntropyTabularClassifier: tables, labels as they are, scikit-learn's checks."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from skbadge.nn import JointEntropyTabularClassifier, TabularNetClassifier


def make_data():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(150, 4)).astype(np.float32)
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.3)
    partly = y.copy()
    partly[rng.permutation(150)[30:]] = -1
    return X, y, partly


def weights(net):
    return torch.cat([value.detach().ravel() for value in net.module_.parameters()])


def table(weight=0.5, **params):
    defaults = {"hidden_sizes": (16,), "max_epochs": 30, "random_state": 0}
    params = defaults | params
    return JointEntropyTabularClassifier(entropy_weight=weight, **params)


@pytest.mark.parametrize("mark", [-1, "?"])
@pytest.mark.parametrize("labels", [["ant", "bee", "cat"], [5, 2, 9]])
def test_tables_train_plainly_at_weight_zero_with_any_labels(mark, labels):
    X, y, partly = make_data()
    known = partly != -1
    y = np.array(labels)[y]
    marked = y.astype(object)
    marked[~known] = mark
    net = table(weight=0, unlabeled_label=mark, dropout=0.2).fit(X + 3, marked)
    params = {"hidden_sizes": (16,), "max_epochs": 30, "dropout": 0.2}
    without = TabularNetClassifier(random_state=0, **params).fit(X[known] + 3, y[known])
    assert torch.equal(weights(net), weights(without))
    assert torch.equal(net.module_.mean, without.module_.mean)
    np.testing.assert_array_equal(net.predict(X), without.predict(X))
    assert net.history[:, "train_accuracy"] == without.history[:, "train_accuracy"]


@pytest.mark.parametrize("container", [list, tuple, pd.Series])
def test_labels_keep_their_kind_beside_a_mark_that_is_a_text(container):
    X, y, partly = make_data()
    marked = y.astype(object)
    marked[partly == -1] = "?"
    net = table(max_epochs=2, unlabeled_label="?")
    expected = clone(net).fit(X, marked)
    net.fit(X, container(marked.tolist()))
    assert net.classes_.tolist() == expected.classes_.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(net.predict(X), expected.predict(X))
    assert net.score(X, container(marked.tolist())) == expected.score(X, marked)


def test_one_weight_for_all_rows_is_that_of_each():
    X, _, partly = make_data()
    one, each = (
        table(max_epochs=2).fit(X, partly, sample_weight=weight)
        for weight in (2.0, np.full(len(X), 2.0))
    )
    assert torch.equal(weights(one), weights(each))


def test_tables_train_on_the_entropy_and_stop_by_labeled_accuracy():
    X, _, partly = make_data()
    pool = X[partly == -1]
    entropies = []
    for weight in (0, 3):
        params = {"max_epochs": 300, "lr": 0.01, "train_accuracy": 0.9, "min_steps": 0}
        net = table(weight, **params).fit(X, partly)
        assert net.history[-1]["train_accuracy"] >= 0.9
        assert max(net.history[:, "train_accuracy"][:-1]) < 0.9
        proba = net.predict_proba(pool)
        entropies.append(-(proba * np.log(proba)).sum(axis=1).mean())
    assert entropies[0] > 1.5 * entropies[1]
    assert net.history[-1]["train_entropy"] > 0


CONTAINERS = {
    "csr": sparse.csr_matrix,
    "frame": pd.DataFrame,
    "list": np.ndarray.tolist,
}


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
def test_tables_come_in_any_container(container):
    X, _, partly = make_data()
    X = X.astype(np.float64)
    net = table().fit(container(X), partly)
    reference = table().fit(X, partly)
    # Column statistics of sparse rows are summed in another order.
    torch.testing.assert_close(weights(net), weights(reference), rtol=1e-3, atol=1e-4)


def test_bad_unlabeled_rows_of_a_table_are_refused():
    X, _, partly = make_data()
    X[np.flatnonzero(partly == -1)[3], 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        table().fit(X, partly)


@parametrize_with_checks(
    [JointEntropyTabularClassifier(max_epochs=30, hidden_sizes=(64,))],
    expected_failed_checks=lambda _: {
        "check_classifiers_classes": "uses -1 for a label, which marks unlabelled rows",
        # It holds up to rounding: see test_row_weights.py.
        "check_sample_weight_equivalence_on_dense_data": "float32 weights of a net",
        "check_sample_weight_equivalence_on_sparse_data": "float32 weights of a net",
    },
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
