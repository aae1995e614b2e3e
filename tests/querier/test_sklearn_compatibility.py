"""BadgeQuerier among scikit-learn's own tools."""

import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_classification
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch import nn

import skbadge
from skbadge import BadgeQuerier
from skbadge.exceptions import QueryWarning
from skbadge.nn import TabularNetClassifier, TabularNetRegressor
from skbadge.strategies import Badge
from tests.querier import _nets


class Net(nn.Module):
    def __init__(self, n_features=6, n_hidden=8, n_outputs=3):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_features, n_hidden), nn.ReLU())
        self.head = nn.Linear(n_hidden, n_outputs)

    def forward(self, X):
        return self.head(self.body(X))


make_net = partial(_nets.make_net, Net)


def make_data(n_samples=60):
    X, y = make_classification(
        n_samples, 6, n_informative=4, n_classes=3, random_state=0
    )
    return X, np.array(["ant", "bee", "cat"])[y]


# The default trains until it fits, which takes a minute of checks; a net with few
# epochs goes through the same code.
@parametrize_with_checks(
    [
        BadgeQuerier(TabularNetClassifier(max_epochs=5)),
        BadgeQuerier(LogisticRegression()),
        BadgeQuerier(Ridge(), strategy="core_set"),
        BadgeQuerier(
            TabularNetRegressor(hidden_sizes=(32,), max_epochs=20), strategy="random"
        ),
    ]
)
@pytest.mark.filterwarnings("ignore:Equal labelled rows")
def test_scikit_learn_checks_pass(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([BadgeQuerier()])
@pytest.mark.filterwarnings("ignore:Equal labelled rows")
def test_scikit_learn_checks_pass_with_the_default_estimator(estimator, check):
    check(estimator)


# Cloning, pickling, parameters


def test_clone_copies_parameters_and_nothing_learned():
    querier = BadgeQuerier(
        make_net(), strategy=Badge(include_bias=True), classes=["ant", "bee", "cat"]
    )
    copied = clone(querier.fit(*make_data()))
    assert copied.estimator is not querier.estimator
    assert copied.estimator.lr == 0.1
    assert copied.strategy.include_bias
    assert copied.classes == ["ant", "bee", "cat"]
    assert not hasattr(copied, "estimator_")
    assert not hasattr(copied, "X_labeled_")


@pytest.mark.parametrize(
    "estimator",
    [
        make_net(),
        TabularNetClassifier(max_epochs=2),
        LogisticRegression(),
        make_pipeline(StandardScaler(), make_net()),
    ],
    ids=["net", "tabular", "linear", "pipeline"],
)
def test_an_unfitted_querier_survives_pickling(estimator):
    querier = BadgeQuerier(estimator, random_state=0)
    X, y = make_data()
    revived = pickle.loads(pickle.dumps(querier)).fit(X[:30], y[:30])
    querier.fit(X[:30], y[:30])
    np.testing.assert_array_equal(revived.query(X, 5), querier.query(X, 5))


@pytest.mark.parametrize(
    "estimator",
    [make_net(), TabularNetClassifier(max_epochs=2), LogisticRegression()],
    ids=["net", "tabular", "linear"],
)
def test_a_fitted_querier_survives_pickling(estimator):
    X, y = make_data()
    querier = BadgeQuerier(estimator, random_state=0).fit(X[:30], y[:30])
    revived = pickle.loads(pickle.dumps(querier))
    np.testing.assert_array_equal(revived.predict_proba(X), querier.predict_proba(X))
    np.testing.assert_array_equal(revived.query(X, 7), querier.query(X, 7))
    np.testing.assert_array_equal(revived.X_labeled_, X[:30])
    revived.partial_fit(X[30:], y[30:])
    querier.partial_fit(X[30:], y[30:])
    np.testing.assert_array_equal(revived.predict_proba(X), querier.predict_proba(X))


def test_set_params_reaches_the_net_and_the_strategy():
    querier = BadgeQuerier(make_net(), strategy=Badge())
    querier.set_params(
        estimator__lr=0.5, estimator__module__n_hidden=4, strategy__include_bias=True
    )
    querier.fit(*make_data())
    assert querier.estimator_.lr == 0.5
    assert querier.estimator_.module_.head.in_features == 4
    assert querier.strategy_.include_bias


def test_set_params_reaches_a_strategy_given_by_name():
    querier = BadgeQuerier(LogisticRegression(), strategy="badge")
    querier.set_params(strategy__include_bias=True)
    assert querier.strategy.include_bias
    querier.set_params(strategy__kernel="cosine", strategy="core_set")
    assert querier.strategy.kernel == "cosine"


@pytest.mark.parametrize("order", [1, -1])
def test_set_params_looks_at_the_estimator_before_the_name_of_a_strategy(order):
    params = {
        "strategy__sigma": 0.1,
        "strategy": "badge",
        "estimator__alpha": 2.0,
        "estimator": Ridge(),
    }
    querier = BadgeQuerier(LogisticRegression(), strategy="entropy")
    querier.set_params(**dict(list(params.items())[::order]))
    assert repr(querier.strategy) == "PosteriorKMeansPlusPlus(sigma=0.1)"
    assert querier.estimator.alpha == 2.0
    # A name means what the estimator of the day lets it mean.
    X, y = make_data()
    querier.set_params(strategy="badge").fit(X, X[:, 0])
    assert repr(querier.strategy_) == "PosteriorKMeansPlusPlus()"
    querier.set_params(estimator=LogisticRegression()).fit(X, y)
    assert repr(querier.strategy_) == "Badge()"


def test_set_params_reaches_the_default_estimator():
    querier = BadgeQuerier().set_params(estimator__max_epochs=2, estimator__lr=0.01)
    assert querier.fit(*make_data()).estimator_.max_epochs == 2
    assert querier.estimator_.lr == 0.01


def test_set_params_refuses_names_that_are_not_there():
    with pytest.raises(ValueError, match="inklude_bias"):
        BadgeQuerier(strategy="badge").set_params(strategy__inklude_bias=True)
    with pytest.raises(ValueError, match="Invalid parameter 'n'"):
        BadgeQuerier().set_params(n=3)


def test_get_params_lists_nested_parameters():
    params = BadgeQuerier(make_net(module__n_hidden=4), strategy=Badge()).get_params()
    assert params["estimator__lr"] == 0.1
    assert params["estimator__module__n_hidden"] == 4
    assert params["strategy__include_bias"] is False
    assert set(BadgeQuerier().get_params()) == {
        "estimator",
        "strategy",
        "cold_start",
        "classes",
        "feature_layer",
        "warm_start",
        "inference_batch_size",
        "storage",
        "random_state",
        "verbose",
    }


def test_repr_shows_what_was_set():
    querier = BadgeQuerier(LogisticRegression(C=3), strategy="margin")
    assert repr(querier) == (
        "BadgeQuerier(estimator=LogisticRegression(C=3), strategy='margin')"
    )
    assert "LogisticRegression" in querier._repr_html_()


# Searches and pipelines


def test_a_search_over_the_module_and_the_strategy():
    X, y = make_data()
    grid = {
        "estimator__module__n_hidden": [3, 5],
        "strategy": ["badge", "margin"],
    }
    search = GridSearchCV(BadgeQuerier(make_net(), random_state=0), grid, cv=2)
    search.fit(X, y)
    chosen = search.best_params_["estimator__module__n_hidden"]
    best = search.best_estimator_
    assert best.estimator_.module_.head.in_features == chosen
    with pytest.warns(QueryWarning, match="varied 'strategy'"):
        rows = skbadge.query(search, X, 5)
    np.testing.assert_array_equal(rows, best.query(X, 5))


def test_a_search_over_parameters_of_the_strategy():
    X, y = make_data()
    grid = {"strategy__include_bias": [True], "strategy__first_center": ["uniform"]}
    querier = BadgeQuerier(LogisticRegression(), random_state=0)
    search = GridSearchCV(querier, grid, cv=2).fit(X, y)
    assert search.best_estimator_.strategy_.include_bias
    assert search.best_estimator_.strategy_.first_center == "uniform"
    assert querier.strategy == "badge"


def test_cross_validation_scores_the_labels_of_the_user():
    X, y = make_data(90)
    net = make_net(max_epochs=30)
    scores = cross_val_score(BadgeQuerier(net, random_state=0), X, y, cv=3)
    assert scores.mean() > 0.5


def make_frame():
    X, y = make_data(80)
    frame = pd.DataFrame(X[:, :3], columns=["u", "v", "w"])
    frame["colour"] = np.array(["red", "green"])[(X[:, 3] > 0).astype(int)]
    frame.loc[::7, "u"] = np.nan
    return frame, y


def make_transformer():
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    return ColumnTransformer(
        [
            ("numbers", numbers, ["u", "v", "w"]),
            ("strings", OneHotEncoder(sparse_output=False), ["colour"]),
        ]
    )


@pytest.mark.parametrize("kind", ["around", "inside"])
def test_a_table_with_strings_and_missing_values(kind):
    frame, y = make_frame()
    net = make_net(module__n_features=5)
    if kind == "around":
        model = make_pipeline(make_transformer(), BadgeQuerier(net, random_state=0))
    else:
        model = BadgeQuerier(make_pipeline(make_transformer(), net), random_state=0)
    model.fit(frame[:40], y[:40])
    rows = skbadge.query(model, frame, 6)
    assert len(np.unique(rows)) == 6
    assert set(model.predict(frame)) <= set(y)


def test_a_pipeline_inside_picks_the_rows_of_a_pipeline_around():
    X, y = make_data()
    around = make_pipeline(StandardScaler(), BadgeQuerier(make_net(), random_state=0))
    inside = BadgeQuerier(make_pipeline(StandardScaler(), make_net()), random_state=0)
    around.fit(X[:30], y[:30])
    inside.fit(X[:30], y[:30])
    np.testing.assert_array_equal(skbadge.query(around, X, 8), inside.query(X, 8))


def test_a_search_inside_lets_its_best_estimator_answer():
    X, y = make_data()
    search = GridSearchCV(make_net(), {"module__n_hidden": [3, 5]}, cv=2)
    querier = BadgeQuerier(search, random_state=0).fit(X, y)
    captured = {}

    def capture(pool, n, *, labeled, random_state):
        captured["width"] = pool.features.shape[1]
        return np.arange(n)

    querier.set_params(strategy=capture).query(X, 2)
    chosen = querier.estimator_.best_params_["module__n_hidden"]
    assert captured["width"] == chosen
    assert 0 <= querier.score(X, y) <= 1


def test_a_search_around_a_pipeline_around_a_querier():
    X, y = make_data()
    pipeline = make_pipeline(StandardScaler(), BadgeQuerier(make_net(), random_state=0))
    grid = {
        "badgequerier__estimator__lr": [0.1, 0.2],
        "badgequerier__strategy__include_bias": [True],
    }
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    rows, report = skbadge.query(search, X, 4, return_report=True)
    assert report.strategy == "Badge(include_bias=True)"
    direct = search.best_estimator_[-1].query(search.best_estimator_[0].transform(X), 4)
    np.testing.assert_array_equal(rows, direct)


# Fit parameters


def test_sample_weights_are_kept_with_the_rows():
    X, y = make_data()
    weight = np.linspace(0.1, 5, len(y))
    querier = BadgeQuerier(LogisticRegression(), random_state=0)
    querier.fit(X[:30], y[:30], sample_weight=weight[:30])
    querier.partial_fit(X[30:], y[30:], sample_weight=weight[30:])
    expected = LogisticRegression().fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(querier.estimator_.coef_, expected.coef_)
    unweighted = LogisticRegression().fit(X, y)
    assert not np.allclose(querier.estimator_.coef_, unweighted.coef_)


@pytest.mark.parametrize("first", [True, False])
def test_sample_weights_for_some_rows_only_are_an_error(first):
    X, y = make_data()
    querier = BadgeQuerier(LogisticRegression())
    weight = {"sample_weight": np.ones(30)}
    querier.fit(X[:30], y[:30], **(weight if first else {}))
    with pytest.raises(ValueError, match=r"`sample_weight` .* all rows or for none"):
        querier.partial_fit(X[30:], y[30:], **({} if first else weight))


def test_sample_weights_are_routed():
    X, y = make_data()
    weight = np.linspace(0.1, 5, len(y))
    with sklearn.config_context(enable_metadata_routing=True):
        model = LogisticRegression().set_fit_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, BadgeQuerier(model))
        pipeline.fit(X, y, sample_weight=weight)
        querier = BadgeQuerier(model).fit(X[:30], y[:30], sample_weight=weight[:30])
        querier.partial_fit(X[30:], y[30:], sample_weight=weight[30:])
    scaled = StandardScaler().fit_transform(X)
    for fitted, rows in ((pipeline[-1], scaled), (querier, X)):
        expected = LogisticRegression().fit(rows, y, sample_weight=weight)
        np.testing.assert_allclose(fitted.estimator_.coef_, expected.coef_)


def test_metadata_that_nobody_asked_for_is_an_error_with_routing():
    X, y = make_data()
    with sklearn.config_context(enable_metadata_routing=True):
        querier = BadgeQuerier(LogisticRegression())
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            querier.fit(X, y, sample_weight=np.ones(len(y)))


# Tags and imports


def test_tags_are_those_of_the_estimator():
    for model in (LinearSVC(), GaussianNB()):
        ours, theirs = get_tags(BadgeQuerier(model)), get_tags(model)
        assert ours.input_tags.sparse == theirs.input_tags.sparse
    assert get_tags(BadgeQuerier()).input_tags.sparse
    assert get_tags(BadgeQuerier(GaussianNB())).estimator_type == "classifier"
    assert get_tags(BadgeQuerier(GaussianNB())).target_tags.required


def test_methods_are_those_of_the_estimator():
    assert not hasattr(BadgeQuerier(LinearSVC()), "predict_proba")
    assert hasattr(BadgeQuerier(LinearSVC()), "decision_function")
    assert hasattr(BadgeQuerier(make_net()), "predict_proba")
    assert not hasattr(BadgeQuerier(make_net()), "decision_function")
