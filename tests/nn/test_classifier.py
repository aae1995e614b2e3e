"""TabularNetClassifier: labels, widths, validation and persistence."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_wine, make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.dataset import ValidSplit

from skbadge.nn import TabularNetClassifier


def blobs(n=60, centers=3, n_features=4):
    return make_blobs(n, n_features, centers=centers, random_state=0)


def small(**params):
    return TabularNetClassifier(
        **{"hidden_sizes": (16,), "max_epochs": 40, "lr": 0.01, "random_state": 0}
        | params
    )


@pytest.mark.parametrize(
    "labels",
    [["c", "a", "b"], [30, 10, 20], np.array([2.0, 0.0, 1.0]), [-1, 5, 2]],
)
def test_any_labels_come_back_from_predict(labels):
    X, codes = blobs()
    y = np.asarray(labels)[codes]
    net = small().fit(X, y)
    np.testing.assert_array_equal(net.classes_, np.sort(labels))
    assert net.predict(X).dtype == y.dtype
    assert net.score(X, y) > 0.95
    best = net.predict_proba(X).argmax(axis=1)
    np.testing.assert_array_equal(net.classes_[best], net.predict(X))


def test_booleans_and_pandas_strings_are_labels():
    X, y = blobs(centers=2)
    assert small().fit(X, y == 1).predict(X).dtype == bool
    net = small().fit(X, pd.Series(y).map({0: "no", 1: "yes"}))
    assert net.classes_.tolist() == ["no", "yes"]


def test_widths_come_from_the_data():
    X, y = blobs(centers=5, n_features=7)
    net = small().fit(X, y)
    assert net.module_.output.out_features == 5
    assert next(net.module_.parameters()).shape == (16, 7)
    assert net.predict_proba(X).shape == (60, 5)
    net.fit(X[:, :2], y > 2)
    assert net.module_.output.out_features == 2
    assert net.n_features_in_ == 2


def test_a_class_without_rows_keeps_its_output_unit():
    X, y = blobs()
    names = np.array(["a", "c", "d"])[y]
    net = small(classes=["d", "b", "a", "c"]).fit(X, names)
    assert net.classes_.tolist() == ["a", "b", "c", "d"]
    assert net.predict_proba(X).shape == (60, 4)
    assert net.score(X, names) > 0.95
    assert net.predict_proba(X)[:, 1].max() < 0.5


@pytest.mark.parametrize(
    ("classes", "y", "unknown"),
    [(["a", "b"], ["a", "z"], r"\['z'\]"), (["0", "1"], [0, 1], r"\[0, 1\]")],
)
def test_labels_outside_classes_are_named(classes, y, unknown):
    with pytest.raises(ValueError, match=f"not among the classes .*: {unknown}"):
        small(classes=classes).fit(np.eye(2), y)


def test_one_class_is_refused_unless_classes_names_more():
    X = np.random.default_rng(0).normal(size=(9, 2))
    y = ["a"] * 9
    with pytest.raises(ValueError, match=r"y contains one class only: \['a'\]"):
        small().fit(X, y)
    with pytest.raises(ValueError, match=r"classes contains one class only: \['a'\]"):
        small(classes=["a"]).fit(X, y)
    net = small(classes=["a", "b"]).fit(X, y)
    assert (net.predict(X) == "a").all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(bad):
    X, y = blobs()
    net = small().fit(X, y)
    X[3, 1] = bad
    with pytest.raises(ValueError, match="Input X contains"):
        net.predict(X)
    with pytest.raises(ValueError, match="Input X contains"):
        net.fit(X, y)


def test_feature_names_are_kept_and_compared():
    X, y = blobs()
    frame = pd.DataFrame(X, columns=list("abcd"))
    net = small().fit(frame, y)
    assert net.feature_names_in_.tolist() == list("abcd")
    plain = small().fit(X, y)
    np.testing.assert_array_equal(net.predict_proba(frame), plain.predict_proba(X))
    with pytest.raises(ValueError, match="feature names should match"):
        net.predict(frame[list("dcba")])
    with pytest.raises(ValueError, match="X has 3 features, but"):
        plain.predict(X[:, :3])


def test_rows_are_validated_for_whoever_asks_for_the_dataset():
    X, y = blobs()
    net = small().fit(X, y)
    with pytest.raises(ValueError, match="X has 3 features, but"):
        net.get_dataset(X[:, :3])


def test_unfitted_use_raises():
    X, _ = blobs()
    for method in ("predict", "predict_proba"):
        with pytest.raises(NotFittedError):
            getattr(small(), method)(X)
    assert not hasattr(small(), "classes_")


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_array])
def test_sparse_rows_train_the_same_net_as_dense_ones(container):
    X, y = blobs()
    X[np.abs(X) < 2] = 0
    dense = small().fit(X, y)
    net = small().fit(container(X), y)
    proba = dense.predict_proba(X)
    np.testing.assert_allclose(net.predict_proba(container(X)), proba, atol=1e-3)
    np.testing.assert_allclose(net.predict_proba(X), proba, atol=1e-3)
    assert net.__sklearn_tags__().input_tags.sparse


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
def test_raw_columns_train_as_well_as_standardized_ones(load):
    X, y = load(return_X_y=True)
    powers = 10.0 ** np.random.default_rng(0).integers(-9, 10, X.shape[1])
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, train_size=80, stratify=y, random_state=0
    )
    net = TabularNetClassifier(random_state=0)
    raw = clone(net).fit(X_train * powers, y_train)
    scaled = make_pipeline(StandardScaler(), clone(net)).fit(X_train, y_train)
    accuracy = raw.score(X_test * powers, y_test)
    assert accuracy > 0.92
    assert abs(accuracy - scaled.score(X_test, y_test)) < 0.01


def test_large_offsets_are_learnt_from():
    X, y = blobs()
    assert small().fit(X + 1e6, y).score(X + 1e6, y) > 0.95
    assert small().fit(X + 1e9, y).score(X + 1e9, y) > 0.95


def test_constant_columns_and_a_single_feature_are_fine():
    X, y = blobs(centers=2)
    X[:, 1:] = 5.0
    assert small().fit(X, y).score(X, y) > 0.8
    assert small().fit(X[:, :1], y).score(X[:, :1], y) > 0.8


def test_batches_of_one_row_train_and_predict():
    X, y = blobs(n=33)
    net = small(batch_size=32, iterator_valid__batch_size=1).fit(X, y)
    proba = net.predict_proba(X)
    whole = clone(net).set_params(iterator_valid__batch_size=4096).fit(X, y)
    np.testing.assert_allclose(proba, whole.predict_proba(X), atol=1e-5)


def test_prediction_reads_large_batches():
    X, y = blobs(n=200)
    net = small(batch_size=8).fit(X, y)
    calls = []
    net.module_.register_forward_hook(lambda *_: calls.append(1))
    net.predict_proba(X)
    assert len(calls) == 1


def test_clone_and_pickle_keep_parameters_and_predictions():
    X, y = blobs()
    net = small(module__clip=3.0, optimizer__weight_decay=0.1).fit(X, y)
    copy = clone(net)
    assert copy.get_params(deep=False) == net.get_params(deep=False)
    assert copy.get_params()["optimizer__weight_decay"] == 0.1
    assert not hasattr(copy, "module_")
    restored = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(restored.predict_proba(X), net.predict_proba(X))
    np.testing.assert_array_equal(restored.classes_, net.classes_)
    np.testing.assert_array_equal(copy.fit(X, y).predict_proba(X), net.predict_proba(X))


def test_parameters_of_a_fitted_net_count_from_the_next_fit():
    """skorch swaps in an untrained module at once, or refuses the parameter."""
    X, y = blobs()
    net = small().fit(X, y)
    proba = net.predict_proba(X)
    net.set_params(
        module__clip=1.0,
        hidden_sizes=(4,),
        dataset__dtype="float32",
        iterator_valid__batch_size=7,
        callbacks=None,
    )
    np.testing.assert_allclose(net.predict_proba(X), proba, atol=1e-5)
    net.fit(X, y)
    assert net.module_.clip == 1.0
    assert net.module_.output.in_features == 4


def test_grid_search_reaches_every_kind_of_parameter():
    X, y = blobs()
    grid = {
        "hidden_sizes": [(8,), (8, 4)],
        "module__clip": [None, 2.0],
        "optimizer__weight_decay": [0.0, 0.01],
        "dropout": [0.1],
    }
    search = GridSearchCV(small(max_epochs=5), grid, cv=2, error_score="raise")
    names = np.array(["x", "y", "z"])[y]
    search.fit(X, names)
    best = search.best_estimator_
    sizes = [best.module_.hidden.linear1.out_features]
    assert sizes == [search.best_params_["hidden_sizes"][0]]
    assert best.module_.clip == search.best_params_["module__clip"]
    decay = best.optimizer_.param_groups[0]["weight_decay"]
    assert decay == search.best_params_["optimizer__weight_decay"]
    assert set(search.predict(X)) <= set(names)


def test_validation_split_of_skorch_works():
    X, y = blobs()
    net = small(train_split=ValidSplit(5, stratified=True)).fit(X, y)
    assert net.history[-1]["valid_loss"] > 0
    steps = net.history[-1]["batches"]
    assert sum(step.get("train_batch_size", 0) for step in steps) == 48


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"hidden_sizes": 5}, "'hidden_sizes' parameter"),
        ({"hidden_sizes": [0]}, "'hidden_sizes' .* each of it an int in the range"),
        ({"hidden_sizes": (8, -3)}, "'hidden_sizes' .* each of it an int"),
        ({"hidden_sizes": [8.0]}, "'hidden_sizes' .* each of it an int"),
        ({"hidden_sizes": ["8"]}, "'hidden_sizes' .* each of it an int"),
        ({"hidden_sizes": [[8]]}, "'hidden_sizes' .* each of it an int"),
        ({"dropout": 1.0}, "'dropout' parameter"),
        ({"lr": 0.0}, "'lr' parameter"),
        ({"max_epochs": 0}, "'max_epochs' parameter"),
        ({"train_accuracy": 1.5}, "'train_accuracy' parameter"),
        ({"random_state": "x"}, "'random_state' parameter"),
        ({"batch_size": 0}, "`batch_size` must be an int >= 1. Got 0"),
        ({"batch_size": None}, "`batch_size` must be an int >= 1. Got None"),
        ({"no_such_parameter": 1}, "unexpected argument"),
    ],
)
def test_bad_parameters_are_named(params, match):
    X, y = blobs()
    net = small(**params)
    with pytest.raises(ValueError, match=match):
        net.fit(X, y)
    with pytest.raises(NotFittedError):
        net.predict(X)


def test_rows_are_not_changed():
    X, y = blobs()
    X_before, y_before = X.copy(), y.copy()
    X.flags.writeable = False
    small().fit(X, y).predict(X)
    np.testing.assert_array_equal(X, X_before)
    np.testing.assert_array_equal(y, y_before)


def test_representation_shows_what_was_set():
    assert repr(TabularNetClassifier(lr=0.5)) == "TabularNetClassifier(lr=0.5)"


def test_dropout_is_off_in_prediction():
    X, y = blobs()
    net = small(dropout=0.5).fit(X, y)
    first = net.predict_proba(X)
    np.testing.assert_array_equal(net.predict_proba(X), first)


def test_it_trains_with_metadata_routing_enabled():
    X, y = blobs()
    with config_context(enable_metadata_routing=True):
        net = small(train_split=ValidSplit(5, stratified=True)).fit(X, y)
        assert net.partial_fit(X, y).score(X, y) > 0.95
