"""BadgeQuerier around regressors: targets, kinds of models, refusals."""

import pickle
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor, RandomForestRegressor
from sklearn.exceptions import DataConversionWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVR
from sklearn.utils import get_tags
from skorch import NeuralNetRegressor
from skorch.dataset import ValidSplit
from torch import nn

import skbadge
from skbadge import BadgeQuerier
from skbadge.exceptions import QueryWarning
from skbadge.experiment import SimulatedActiveLearner, active_learning_curve
from skbadge.nn import TabularNetRegressor
from skbadge.outputs import model_outputs
from skbadge.outputs._pipeline import innermost, unwrap
from skbadge.strategies import Badge, Bait, Bald, BatchBald, get_strategy


class Net(nn.Module):
    def __init__(self, n_outputs=1, squeeze=False, n_features=4):
        super().__init__()
        self.hidden = nn.Linear(n_features, 8)
        self.head = nn.Linear(8, n_outputs)
        self.squeeze = squeeze

    def forward(self, X):
        outputs = self.head(torch.relu(self.hidden(X)))
        return outputs.squeeze(1) if self.squeeze else outputs


def make_net(**params):
    defaults = {"train_split": None, "max_epochs": 3, "lr": 0.05, "verbose": 0}
    return NeuralNetRegressor(Net, **(defaults | params))


def make_data(n=60):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(n, 4))
    return X, X[:, 0] - 2 * X[:, 1] + 0.1 * rng.normal(size=n)


def make_querier(estimator=None, **params):
    estimator = make_net() if estimator is None else estimator
    params = {"strategy": "core_set", "random_state": 0} | params
    return BadgeQuerier(estimator, **params)


def scaled(regressor):
    return TransformedTargetRegressor(regressor, transformer=StandardScaler())


MODELS = {
    "net": make_net,
    "flat net": lambda: make_net(module__squeeze=True),
    "tabular": lambda: TabularNetRegressor(hidden_sizes=(8,), max_epochs=3),
    "linear": LinearRegression,
    "mlp": lambda: MLPRegressor(hidden_layer_sizes=(8,), solver="lbfgs", max_iter=2000),
    "svr": SVR,
    "forest": lambda: RandomForestRegressor(5),
    "neighbours": KNeighborsRegressor,
    "pipeline": lambda: make_pipeline(StandardScaler(), make_net()),
    "flat pipeline": lambda: make_pipeline(
        StandardScaler(), make_net(module__squeeze=True)
    ),
    "search": lambda: GridSearchCV(make_net(), {"lr": [0.05, 0.01]}, cv=2),
    "target": lambda: scaled(make_net()),
    "target of pipeline": lambda: scaled(make_pipeline(StandardScaler(), make_net())),
    "pipeline of target": lambda: make_pipeline(StandardScaler(), scaled(make_net())),
    "search of target": lambda: GridSearchCV(
        scaled(Ridge()), {"regressor__alpha": [1, 2]}, cv=2
    ),
    "default target": TransformedTargetRegressor,
    "bagging": lambda: BaggingRegressor(make_net(), 2),
}
models = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)


# Rounds of learning


@models
@pytest.mark.parametrize("strategy", ["core_set", "random"])
def test_rounds_of_learning(make, strategy):
    X, y = make_data()
    querier = make_querier(make(), strategy=strategy).fit(X[:20], y[:20])
    rows, report = querier.query(X[20:], 5, return_report=True)
    assert len(np.unique(rows)) == 5
    assert str(querier.strategy_) == report.strategy
    np.testing.assert_array_equal(rows, querier.query(X[20:], 5))
    querier.partial_fit(X[20:][rows], y[20:][rows])
    np.testing.assert_array_equal(querier.y_labeled_, np.r_[y[:20], y[20:][rows]])
    assert querier.y_labeled_.dtype == np.float64
    predicted = querier.predict(X)
    assert predicted.shape == (60,)
    assert querier.score(X, y) == pytest.approx(r2_score(y, predicted))


@models
def test_it_is_a_regressor_and_no_classifier(make):
    for querier in (make_querier(make()), make_querier(make()).fit(*make_data(20))):
        assert is_regressor(querier)
        assert not is_classifier(querier)
        tags = get_tags(querier)
        assert tags.classifier_tags is None
        assert tags.target_tags.required
        for name in ("predict_proba", "decision_function", "classes_"):
            assert not hasattr(querier, name)


def test_the_kind_follows_the_estimator():
    querier = BadgeQuerier(LogisticRegression(), strategy="random")
    X, y = make_data()
    querier.fit(X, y > 0)
    assert is_classifier(querier)
    assert querier.classes_.tolist() == [False, True]
    querier.set_params(estimator=Ridge()).fit(X, y)
    assert is_regressor(querier)
    assert not hasattr(querier, "classes_")
    assert querier.score(X, y) > 0.9


def test_a_net_learns_as_it_does_by_itself():
    X, y = make_data()
    querier = make_querier(make_net(max_epochs=60)).fit(X, y)
    assert querier.score(X, y) > 0.9
    flat = make_querier(make_net(max_epochs=60, module__squeeze=True)).fit(X, y)
    np.testing.assert_allclose(flat.predict(X), querier.predict(X), rtol=1e-4)
    net = clone(querier.estimator)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(querier._seed("train"))
        net.fit(X.astype("f4"), y.astype("f4")[:, None])
    expected = net.predict(X.astype("f4"))[:, 0]
    np.testing.assert_allclose(querier.predict(X), expected, rtol=1e-5)


def test_sample_weights_count_in_the_score():
    X, y = make_data()
    querier, weight = make_querier(Ridge()).fit(X[:9], y[:9]), np.linspace(0, 2, 60)
    expected = r2_score(y, querier.predict(X), sample_weight=weight)
    assert querier.score(X, y, weight) == pytest.approx(expected)


def test_the_scorer_of_a_search_scores():
    X, y = make_data()
    scoring = "neg_mean_absolute_error"
    search = GridSearchCV(make_net(), {"lr": [0.05]}, cv=2, scoring=scoring)
    querier = make_querier(search).fit(X, y)
    assert querier.score(X, y) == pytest.approx(-np.abs(querier.predict(X) - y).mean())


# What is read of them


@pytest.mark.parametrize("wrap", [lambda e: e, scaled], ids=["bare", "scaled"])
def test_features_are_those_of_the_model_inside(wrap):
    X, y = make_data()
    seen = {}

    def pick(pool, n, *, labeled, random_state):
        seen.update(pool=pool, labeled=labeled)
        return np.arange(n)

    pick.needs = ("features", "labeled")
    pipeline = make_pipeline(StandardScaler(), make_net())
    querier = make_querier(wrap(pipeline), strategy=pick).fit(X[:30], y[:30])
    querier.query(X, 3)
    net, scaler = innermost(querier.estimator_), StandardScaler().fit(X[:30])
    Z = torch.tensor(scaler.transform(X), dtype=torch.float32)
    expected = torch.relu(net.module_.hidden(Z)).detach().numpy()
    np.testing.assert_allclose(seen["pool"].features, expected, rtol=1e-5)
    assert seen["pool"].proba is None
    labeled = seen["labeled"]
    np.testing.assert_allclose(labeled.outputs.features, expected[:30], rtol=1e-5)
    np.testing.assert_array_equal(labeled.y, y[:30])
    assert labeled.codes is None


def test_a_transformed_target_is_opened_for_reading_only():
    X, y = make_data()
    regressor = scaled(Ridge())
    assert innermost(regressor) is regressor.regressor
    assert isinstance(innermost(TransformedTargetRegressor()), LinearRegression)
    regressor.fit(X, y)
    assert innermost(regressor) is unwrap(regressor, X)[0] is regressor.regressor_
    assert unwrap(FrozenEstimator(regressor), X, keep_targets=True)[0] is regressor
    np.testing.assert_array_equal(
        model_outputs(regressor, X, needs="features").features, X
    )


def test_targets_are_transformed_before_they_lose_digits():
    X, y = make_data()
    nets = [
        innermost(make_querier(scaled(make_net())).fit(X, target).estimator_)
        for target in (y, y + 1.6e9)
    ]
    expected, far = (net.predict(X) for net in nets)
    np.testing.assert_allclose(far, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("strategy", ["core_set", "random"])
@pytest.mark.parametrize("wrap", [FrozenEstimator, scaled], ids=["frozen", "inside"])
def test_frozen_regressors(strategy, wrap):
    X, y = make_data()
    net = make_net(max_epochs=30).fit(X.astype("f4"), y.astype("f4")[:, None])
    if wrap is FrozenEstimator:
        estimator, expected = FrozenEstimator(net), net.predict(X.astype("f4"))[:, 0]
    else:
        # The net's outputs are in units of the transformed targets.
        estimator = scaled(FrozenEstimator(net))
        expected = net.predict(X.astype("f4"))[:, 0] * y.std() + y.mean()
    querier = make_querier(estimator, strategy=strategy)
    if wrap is FrozenEstimator:
        np.testing.assert_allclose(querier.predict(X), expected, rtol=1e-5)
        assert len(querier.query(X, 3)) == 3
    querier.fit(X, y)
    np.testing.assert_allclose(querier.predict(X), expected, rtol=1e-4, atol=1e-6)
    assert len(np.unique(querier.query(X + 1, 3))) == 3
    assert innermost(querier.estimator_) is net


def test_a_frozen_regressor_with_a_transformed_target():
    X, y = make_data()
    # A column of targets reaches the net as a vector in scikit-learn 1.6.
    net = make_net(module__squeeze=True)
    model = scaled(net).fit(X.astype("f4"), y.astype("f4"))
    querier = make_querier(FrozenEstimator(model))
    np.testing.assert_allclose(
        querier.predict(X), model.predict(X.astype("f4")), rtol=1e-5
    )
    assert len(querier.query(X, 3)) == 3


# Targets


def bagged():
    return BaggingRegressor(Ridge(), n_estimators=3)


def searched():
    return GridSearchCV(Ridge(), {"alpha": [0.1, 1]}, cv=2)


def perceptron():
    return scaled(MLPRegressor(hidden_layer_sizes=[8], max_iter=2000))


@pytest.mark.parametrize(
    "make",
    [make_net, LinearRegression, TabularNetRegressor, bagged, searched, perceptron],
)
def test_several_targets(make):
    X, y = make_data()
    Y = np.column_stack([y, -y, y**2])
    estimator = make()
    if isinstance(estimator, NeuralNetRegressor):
        estimator.set_params(max_epochs=2)
    if make is make_net:
        estimator.set_params(module__n_outputs=3)
    querier = make_querier(estimator).fit(X[:30], Y[:30])
    rows = querier.query(X[30:], 4)
    querier.partial_fit(X[30:][rows], Y[30:][rows])
    assert querier.y_labeled_.shape == (34, 3)
    assert querier.predict(X).shape == (60, 3)
    assert querier.score(X, Y) == pytest.approx(r2_score(Y, querier.predict(X)))
    with pytest.raises(ValueError, match=r"shape of the targets so far .* \(34, 3\)"):
        querier.partial_fit(X[:2], y[:2])


def test_several_targets_where_the_model_takes_one():
    X, y = make_data()
    for model in (SVR(), BaggingRegressor(SVR()), GridSearchCV(SVR(), {"C": [1]})):
        with pytest.raises(ValueError, match="1d array"):
            make_querier(model).fit(X, np.column_stack([y, y]))
    with pytest.warns(DataConversionWarning, match="column-vector y"):
        querier = make_querier(SVR()).fit(X, y[:, None])
    assert querier.y_labeled_.shape == (60,)


def test_a_column_of_targets_stays_one():
    X, y = make_data()
    for make in (make_net, LinearRegression):
        assert make_querier(make()).fit(X, y[:, None]).predict(X).shape == (60, 1)
    flat = make_querier(make_net(module__squeeze=True)).fit(X, y[:, None])
    expected = make_querier(make_net(module__squeeze=True)).fit(X, y)
    np.testing.assert_array_equal(flat.predict(X), expected.predict(X))


@pytest.mark.parametrize("kind", [list, np.int32, "f4", object, pd.Series, "Float64"])
def test_numbers_of_any_kind(kind):
    X, y = make_data()
    y = np.round(y)
    if kind in (list, pd.Series):
        given = kind(y)
    else:
        given = pd.Series(y).astype(kind) if kind == "Float64" else y.astype(kind)
    for make in (make_net, Ridge):
        querier = make_querier(make()).fit(X, given)
        np.testing.assert_array_equal(querier.y_labeled_, y)
        assert querier.y_labeled_.dtype == np.float64
        expected = make_querier(make()).fit(X, y).predict(X)
        np.testing.assert_array_equal(querier.predict(X), expected)


@pytest.mark.parametrize("number", [Decimal, Fraction])
@pytest.mark.parametrize("kind", [list, pd.Series, "array", "arrow", "column"])
def test_numbers_that_numpy_has_no_dtype_for(kind, number):
    X, y = make_data()
    y = np.round(y, 1)
    given = [number(str(target)) for target in y]
    if kind == "arrow":
        pa = pytest.importorskip("pyarrow")
        dtype = pd.ArrowDtype(pa.decimal128(5, 1))
        given = pd.Series([Decimal(str(target)) for target in y], dtype=dtype)
    elif kind == "column":
        given = pd.DataFrame({"a": given, "b": given}, dtype=object)
        y = np.column_stack([y, y])
    else:
        given = np.array(given) if kind == "array" else kind(given)
    querier = make_querier(Ridge()).fit(X, given)
    np.testing.assert_array_equal(querier.y_labeled_, y)
    assert querier.y_labeled_.dtype == np.float64


@pytest.mark.parametrize("make", [make_net, Ridge, TabularNetRegressor])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, None, pd.NA])
def test_targets_that_are_missing(make, method, value):
    X, y = make_data()
    if not isinstance(value, float):
        y = y.astype(object)
    y[[7, 30]] = value
    with pytest.raises(ValueError, match=r"NaN or infinity: 2 of 60 .* of row 7"):
        getattr(make_querier(make()), method)(X, y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed"),
        (["a"] * 60, "dtype <U1 not supported: `y` must hold real numbers"),
        ([Decimal(1), "2"] * 30, "dtype object not supported: `y` must hold real num"),
        ([Decimal(1), date(2020, 1, 1)] * 30, "dtype object not supported"),
        (np.full(60, 1j), "Complex data not supported"),
        (np.zeros(59), "`X` has 60 rows and `y` 59"),
        (np.zeros((60, 2, 2)), "1d array|dim 3|ndim"),
    ],
    ids=["none", "strings", "numerals", "dates", "complex", "short", "cube"],
)
def test_targets_that_are_none(y, message):
    querier = make_querier()
    with pytest.raises(ValueError, match=message):
        querier.fit(make_data()[0], y)
    assert not hasattr(querier, "estimator_")


@pytest.mark.parametrize(
    ("params", "targets"),
    [
        ({"module__n_outputs": 3}, 1),
        ({"module__n_outputs": 1}, 2),
        ({"module__n_outputs": 1, "module__squeeze": True}, 2),
    ],
    ids=str,
)
def test_outputs_that_are_not_those_of_the_targets(params, targets):
    X, y = make_data()
    net = make_net(max_epochs=10**9, **params)
    Y = y if targets == 1 else np.column_stack([y] * targets)
    with pytest.raises(ValueError, match="outputs must have the shape of the targets"):
        make_querier(net).fit(X, Y)


@pytest.mark.filterwarnings("ignore:Using a target size")
def test_outputs_that_are_found_wrong_after_training_only():
    X, y = make_data()
    frame = pd.DataFrame(X[:, :2], columns=["u", "v"])
    frame["colour"] = np.where(X[:, 2] > 0, "red", "green")
    coded = ("colour", OneHotEncoder(sparse_output=False), ["colour"])
    columns = ColumnTransformer([coded], remainder="passthrough")
    querier = make_querier(make_pipeline(columns, make_net())).fit(frame, y)
    assert querier.predict(frame).shape == (60,)
    flat = make_pipeline(columns, make_net(module__squeeze=True))
    with pytest.raises(ValueError, match=r"\(n_rows, 1\). Its .* \(n_rows,\)"):
        make_querier(flat).fit(frame, y)


def test_losses_that_do_not_compare_one_by_one_are_the_users_matter():
    class TwoOutputs(nn.Module):
        def forward(self, outputs, target):
            mean, log_scale = outputs.T
            return (((mean - target[:, 0]) / log_scale.exp()) ** 2 + log_scale).mean()

    X, y = make_data()
    net = make_net(criterion=TwoOutputs, module__n_outputs=2, lr=0.01)
    assert len(make_querier(net).fit(X, y).query(X + 1, 3)) == 3


# Refusals


@pytest.mark.parametrize(
    "strategy",
    ["margin", "albl", "badge_k_center", Badge(), Bald(), BatchBald(), Bait()],
    ids=str,
)
@models
def test_strategies_that_need_classes_are_refused_before_anything_is_trained(
    make, strategy
):
    querier = make_querier(make(), strategy=strategy)
    message = r"needs class probabilities, .* regressors .*'core_set', .*'random'"
    for method in ("fit", "partial_fit"):
        with pytest.raises(ValueError, match=message):
            getattr(querier, method)(*make_data())
    assert not hasattr(querier, "estimator_")
    assert not hasattr(querier, "X_labeled_")


@pytest.mark.parametrize(
    ("strategy", "form"),
    [
        (Badge(), "posterior_kmeans_plus_plus"),
        (Bald(), "posterior_variance"),
        (BatchBald(), "posterior_max_det"),
        (Bait(), "posterior_bait"),
    ],
    ids=str,
)
def test_an_object_keeps_its_meaning_and_its_form_for_regression_is_named(
    strategy, form
):
    X, y = make_data()
    with pytest.raises(ValueError, match=f"Its form for regression is '{form}'"):
        BadgeQuerier(Ridge(), strategy=strategy).fit(X, y)
    frozen = BadgeQuerier(FrozenEstimator(Ridge().fit(X, y)), strategy=strategy)
    with pytest.raises(ValueError, match=f"Its form for regression is '{form}'"):
        frozen.query(X, 3)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("badge", "PosteriorKMeansPlusPlus()"),
        ("bald", "PosteriorVariance()"),
        ("batch_bald", "PosteriorMaxDet()"),
        ("bait", "PosteriorBait()"),
        ("core_set", "CoreSet()"),
        ("lcmd", "LCMD()"),
    ],
)
def test_names_mean_their_forms_for_regression(name, shown):
    X, y = make_data()
    querier = BadgeQuerier(make_net(), strategy=name, random_state=0).fit(X, y)
    _, report = querier.query(X + 1, 3, return_report=True)
    assert report.strategy == shown
    assert repr(get_strategy(name, kind="regressor")) == shown


def test_the_default_works_for_every_estimator():
    X, y = make_data()
    assert len(BadgeQuerier(Ridge()).fit(X, y).query(X + 1, 3)) == 3


def test_a_strategy_set_later_is_refused_when_it_is_asked():
    X, y = make_data()
    querier = make_querier(Ridge()).fit(X, y).set_params(strategy="entropy")
    with pytest.raises(ValueError, match=r"`strategy` Entropy\(\) needs class prob"):
        querier.query(X, 3)


def test_a_function_says_that_it_needs_no_classes():
    def pick(pool, n, *, labeled, random_state):
        return np.arange(n)

    X, y = make_data()
    with pytest.raises(ValueError, match="unless it has an attribute `needs`, such as"):
        make_querier(strategy=pick).fit(X, y)
    pick.needs = ()
    assert make_querier(strategy=pick).fit(X, y).query(X, 2).tolist() == [0, 1]


def test_classes_are_refused():
    X, y = make_data()
    with pytest.raises(ValueError, match="`classes` must be None for a regressor"):
        make_querier(classes=[1, 2]).fit(X, y)
    with pytest.raises(ValueError, match="`classes` must be None for a regressor"):
        make_querier().partial_fit(X, y, classes=[1, 2])


def test_numbers_for_a_classifier_name_the_way_out():
    with pytest.raises(ValueError, match="Unknown label type: continuous") as caught:
        BadgeQuerier().fit(*make_data())
    assert "TabularNetRegressor" in caught.value.__notes__[0]


def test_what_is_neither_is_refused():
    with pytest.raises(ValueError, match=r"a classifier or a regressor.* Got KMeans"):
        make_querier(KMeans()).fit(*make_data())


# Among scikit-learn's own tools


def test_warm_start_goes_on():
    X, y = make_data()
    cold = make_querier(make_net()).fit(X[:30], y[:30])
    warm = make_querier(make_net(), warm_start=True).fit(X[:30], y[:30])
    np.testing.assert_array_equal(warm.predict(X), cold.predict(X))
    warm.partial_fit(X[30:], y[30:])
    assert len(warm.estimator_.history) == 6
    assert len(cold.partial_fit(X[30:], y[30:]).estimator_.history) == 3


@pytest.mark.parametrize(
    "make",
    [
        lambda: scaled(make_net()),
        lambda: make_pipeline(StandardScaler(), scaled(make_net())),
        lambda: make_pipeline(
            StandardScaler(), GridSearchCV(make_net(), {"lr": [0.1]}, cv=2)
        ),
    ],
)
def test_warm_start_is_refused_where_a_clone_would_start_over(make):
    querier = make_querier(make(), warm_start=True).fit(*make_data())
    with pytest.raises(ValueError, match="no search, threshold or transformed target"):
        querier.partial_fit(*make_data())


def test_warm_start_with_a_tabular_net():
    X, y = make_data()
    net = TabularNetRegressor(hidden_sizes=(8,), max_epochs=3)
    querier = make_querier(net, warm_start=True).fit(X[:30], y[:30])
    assert len(querier.partial_fit(X[30:], y[30:]).estimator_.history) == 6


def test_a_validation_split_of_the_nets_own():
    X, y = make_data()
    querier = make_querier(make_net(train_split=ValidSplit(3))).fit(X, y)
    assert "valid_loss" in querier.estimator_.history[-1]


@models
def test_it_survives_pickling(make):
    X, y = make_data()
    querier = make_querier(make()).fit(X[:30], y[:30])
    revived = pickle.loads(pickle.dumps(querier))
    np.testing.assert_array_equal(revived.predict(X), querier.predict(X))
    np.testing.assert_array_equal(revived.query(X, 5), querier.query(X, 5))
    np.testing.assert_array_equal(
        revived.partial_fit(X[30:], y[30:]).predict(X),
        querier.partial_fit(X[30:], y[30:]).predict(X),
    )


@pytest.mark.parametrize(
    "make",
    [make_net, lambda: scaled(make_net()), TabularNetRegressor],
    ids=["net", "target", "tabular"],
)
def test_data_frames_of_rows(make):
    X, y = make_data()
    frame = pd.DataFrame(X, columns=list("abcd"))
    estimator = make()
    if isinstance(estimator, NeuralNetRegressor):
        estimator.set_params(max_epochs=2)
    expected = make_querier(estimator).fit(X[:30], y[:30])
    querier = make_querier(estimator).fit(frame[:30], pd.Series(y)[:30])
    assert querier.feature_names_in_.tolist() == list("abcd")
    np.testing.assert_array_equal(querier.query(frame, 4), expected.query(X, 4))
    querier.partial_fit(frame[30:], pd.Series(y)[30:])
    assert len(querier.X_labeled_) == 60


def test_bad_rows_are_found_through_a_transformed_target():
    X, y = make_data()
    querier = make_querier(scaled(make_net())).fit(X, y)
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"NaN or infinity: 1 of 60 .* row 3"):
        querier.query(X, 3)


def test_tensors_and_datasets_of_rows():
    X, y = make_data()
    tensor = torch.tensor(X, dtype=torch.float32)
    expected = make_querier().fit(X, y).predict(X)
    np.testing.assert_allclose(make_querier().fit(tensor, y).predict(tensor), expected)
    rows = torch.utils.data.TensorDataset(tensor, torch.zeros(60))
    querier = make_querier().fit(rows, y)
    np.testing.assert_allclose(querier.predict(rows), expected, rtol=1e-5)
    assert len(querier.set_params(strategy="random").query(rows, 3)) == 3


def test_search_and_cross_validation():
    X, y = make_data()
    scores = cross_val_score(make_querier(Ridge()), X, y, cv=3)
    np.testing.assert_allclose(scores, cross_val_score(Ridge(), X, y, cv=3))
    grid = {"estimator__alpha": [1e-3, 1e6], "strategy": ["core_set", "random"]}
    search = GridSearchCV(make_querier(Ridge()), grid, cv=3).fit(X, y)
    assert search.best_params_["estimator__alpha"] == 1e-3
    best = search.best_estimator_
    with pytest.warns(QueryWarning, match="varied 'strategy'"):
        rows = skbadge.query(search, X + 1, 5)
    np.testing.assert_array_equal(rows, best.query(X + 1, 5))


def test_targets_transformed_around_the_querier():
    X, y = make_data()
    model = make_pipeline(StandardScaler(), scaled(make_querier(Ridge()))).fit(X, y)
    rows = skbadge.query(model, X + 1, 5)
    expected = model[-1].regressor_.query(model[0].transform(X + 1), 5)
    np.testing.assert_array_equal(rows, expected)


# Simulated experiments


def test_a_simulated_learner():
    X, y = make_data()
    learner = SimulatedActiveLearner(
        make_querier(Ridge()), n_initial=10, n_query=5, n_rounds=2, random_state=0
    )
    assert is_regressor(learner)
    learner.fit(X, y)
    assert len(np.unique(learner.labeled_)) == 20
    assert learner.score(X, y) == pytest.approx(r2_score(y, learner.predict(X)))
    assert not hasattr(learner, "classes_")
    with pytest.raises(ValueError, match="NaN"):
        learner.fit(X, np.where(y > 2, np.nan, y))


def test_whole_numbers_are_no_classes_to_a_simulated_learner():
    X, y = make_data()
    params = {"n_initial": 12, "n_rounds": 0, "random_state": 0}
    learner = SimulatedActiveLearner(make_querier(Ridge()), **params)
    first = learner.fit(X, np.arange(60.0) % 3).labeled_
    np.testing.assert_array_equal(learner.fit(X, y).labeled_, first)


def test_a_learning_curve():
    X, y = make_data()
    result = active_learning_curve(
        make_querier(Ridge()),
        X,
        y,
        strategies=["core_set", "random"],
        n_initial=10,
        n_query=5,
        n_rounds=2,
        n_repeats=2,
        random_state=0,
    )
    frame = result.to_frame()
    assert set(frame.metric) == {"r2"}
    assert sorted(set(frame.n_labeled)) == [10, 15, 20]
    assert set(frame.strategy) == {"core_set", "random"}
    assert frame.score.max() > 0.9
