"""Bad parameters and calls out of order: errors that say what to do instead."""

from functools import partial

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from skorch.dataset import Dataset
from torch import nn

import skbadge
from skbadge import BadgeQuerier
from skbadge.embeddings import Posterior
from skbadge.nn import TabularNetClassifier
from skbadge.samplers import LCMD
from skbadge.strategies import (
    ALBL,
    EPIG,
    Badge,
    Clue,
    EmbeddingStrategy,
    Margin,
    PosteriorKMeansPlusPlus,
    Refine,
    get_strategy_names,
)
from tests.querier._nets import Net


def make_net():
    return NeuralNetClassifier(
        Net,
        criterion=nn.CrossEntropyLoss,
        train_split=None,
        max_epochs=2,
        verbose=0,
    )


def make_data():
    rng = np.random.RandomState(0)
    return rng.normal(size=(60, 4)), np.arange(60) % 3


# Estimators


@pytest.mark.parametrize("estimator", [LogisticRegression, TabularNetClassifier])
def test_an_estimator_class_in_place_of_an_object(estimator):
    with pytest.raises(TypeError, match=rf"instance \({estimator.__name__}\(\)\)"):
        BadgeQuerier(estimator).fit(*make_data())


@pytest.mark.parametrize("estimator", [3, "net"], ids=["int", "string"])
def test_an_estimator_of_the_wrong_kind(estimator):
    with pytest.raises(
        ValueError, match="'estimator' parameter of BadgeQuerier must be"
    ):
        BadgeQuerier(estimator).fit(*make_data())


# Strategies


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_an_unknown_strategy(method):
    querier = BadgeQuerier(LogisticRegression(), strategy="bagde")
    with pytest.raises(ValueError, match=r"'bagde' is not known. Did you mean 'badge'"):
        getattr(querier, method)(*make_data())


def test_an_unknown_strategy_like_no_other():
    querier = BadgeQuerier(LogisticRegression(), strategy="xyz")
    with pytest.raises(
        ValueError, match=r"`strategy` 'xyz' is not known. Known are"
    ) as e:
        querier.fit(*make_data())
    assert all(name in str(e.value) for name in get_strategy_names())


def test_an_unknown_strategy_set_after_the_fit():
    X, y = make_data()
    querier = BadgeQuerier(LogisticRegression()).fit(X, y)
    querier.set_params(strategy="margins")
    with pytest.raises(ValueError, match="Did you mean 'margin'"):
        querier.query(X, 3)


def test_a_strategy_class_in_place_of_an_object():
    with pytest.raises(
        TypeError, match=r"must be an object, not a class. Pass Badge\(\)"
    ):
        BadgeQuerier(LogisticRegression(), strategy=Badge).fit(*make_data())


@pytest.mark.parametrize("strategy", [3, None, ["badge"]])
def test_a_strategy_of_the_wrong_kind(strategy):
    with pytest.raises(
        ValueError, match="'strategy' parameter of BadgeQuerier must be"
    ):
        BadgeQuerier(LogisticRegression(), strategy=strategy).fit(*make_data())


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (Badge(first_center="largest"), "'first_center' parameter of Badge must be"),
        (Badge(uniform_share=0.1, first_center="max_norm"), "`first_center` must be"),
        (
            PosteriorKMeansPlusPlus(uniform_share=0.1, first_center="max_norm"),
            "`first_center` must be",
        ),
        (EmbeddingStrategy(sampler=LCMD(first_center="last")), "parameter of LCMD"),
        (EmbeddingStrategy(transforms=[Posterior(-1)]), "parameter of Posterior"),
        (EmbeddingStrategy(transforms=["scale"]), "`transforms` must hold"),
        (Margin(uniform_share=0.1), "`uniform_share` above 0 is for draws"),
        (Margin(noise="softrank", uniform_share=0.1), "`uniform_share` .* for draws"),
        (Margin(noise="power", uniform_share=0.1), "is for distinct=False"),
        (ALBL(["margin"]), "`experts` must be at least two"),
        (ALBL(p_min=0.5), "`p_min` must be at most 1 / 3"),
        (ALBL(["margin", Margin(beta=-1)]), "'beta' parameter of Margin"),
        (ALBL(["margin", Refine([Margin(beta=-1)])]), "'beta' parameter of Margin"),
        (Refine([]), "`strategies` must hold at least one"),
        (Refine([Margin(beta=-1)]), "'beta' parameter of Margin"),
        (Refine(last=Clue(temperature=-1)), "'temperature' parameter of Clue"),
        (EPIG([[0.0] * 4] * 3, target_weights=[1, 1]), "for each of the 3 targets"),
        (EPIG([[0.0] * 4] * 3, target_weights=[1, -1, 1]), "a least one of -1"),
        (EPIG(target_weights=[1]), "must be None if `targets` is None"),
        (lambda pool, n: range(n), "unexpected keyword argument 'labeled'"),
    ],
)
def test_bad_parameters_of_a_strategy_are_found_before_the_training(strategy, message):
    querier = BadgeQuerier(make_net(), strategy=strategy)
    for check in (querier.check_parameters, partial(querier.fit, *make_data())):
        with pytest.raises((TypeError, ValueError), match=message):
            check()
    assert not hasattr(querier, "estimator_")


@pytest.mark.parametrize(
    ("rubbish", "message"),
    [
        (lambda n: np.zeros(n, dtype=int), "must return distinct positions"),
        (lambda n: None, "must return an array of 3 int positions"),
        (lambda n: np.arange(n) + 0.5, "3 int positions. Got dtype float64"),
        (lambda n: np.arange(n - 1), r"3 int positions.*shape \(2,\)"),
        (lambda n: np.arange(n) + 60, "between 0 and 59. Got 60"),
        (lambda n: np.arange(n) - 1, "between 0 and 59. Got -1"),
        (lambda n: np.arange(60) < n, "3 int positions. Got dtype bool"),
    ],
    ids=["twice", "none", "floats", "too few", "above", "below", "mask"],
)
def test_a_strategy_that_returns_rubbish(rubbish, message):
    def pick(pool, n, *, labeled, random_state):
        return rubbish(n)

    X, y = make_data()
    querier = BadgeQuerier(LogisticRegression(), strategy=pick).fit(X, y)
    with pytest.raises(ValueError, match=f"The strategy pick .*{message}|{message}"):
        querier.query(X, 3)


def test_a_strategy_that_needs_what_there_is_not():
    def pick(pool, n, *, labeled, random_state):
        return np.arange(n)

    pick.needs = ("probabilities",)
    X, y = make_data()
    querier = BadgeQuerier(LogisticRegression(), strategy=pick)
    with pytest.raises(ValueError, match=r"`needs` must be .* Got 'probabilities'"):
        querier.fit(X, y)


# Layers


def test_a_feature_layer_that_is_not_there():
    X, y = make_data()
    message = (
        r"`feature_layer` must be .* Got 'haed' instead. Did you mean 'head'\? "
        r"The linear layers are 'hidden' \(4 -> 8\), 'head' \(8 -> 3\)"
    )
    for net in (make_net(), make_pipeline(StandardScaler(), make_net())):
        querier = BadgeQuerier(net, feature_layer="haed")
        with pytest.raises(ValueError, match=message):
            querier.fit(X, y)
        assert not hasattr(querier, "estimator_")
    querier = BadgeQuerier(make_net()).fit(X, y)
    with pytest.raises(ValueError, match=message):
        querier.set_params(feature_layer="haed").query(X, 3)
    assert len(querier.set_params(feature_layer="head").query(X, 3)) == 3


class OwnDataset(Dataset):
    pass


class MadeWithRows(NeuralNetClassifier):
    def fit(self, X, y=None, **params):
        return self.set_params(module__width=X.shape[1]) and super().fit(X, y, **params)


class AnyWidth(nn.Module):
    def __init__(self, width=None):
        super().__init__()
        self.head = nn.Linear(width, 3)

    def forward(self, X):
        return self.head(X)


def test_a_net_that_is_made_with_its_rows_has_no_layers_before():
    X, y = make_data()
    net = MadeWithRows(
        AnyWidth,
        criterion=nn.CrossEntropyLoss,
        train_split=None,
        max_epochs=2,
        verbose=0,
        dataset=OwnDataset,
    )
    querier = BadgeQuerier(net, feature_layer="head").fit(X[:9].astype("f4"), y[:9])
    assert len(querier.query(X[9:].astype("f4"), 3)) == 3


def test_a_feature_layer_of_a_model_without_layers():
    X, y = make_data()
    querier = BadgeQuerier(LogisticRegression(), feature_layer="head")
    with pytest.raises(ValueError, match="`feature_layer` must be 'auto' unless"):
        querier.fit(X, y)
    querier = BadgeQuerier(LogisticRegression()).fit(X, y)
    with pytest.raises(ValueError, match="`feature_layer` must be 'auto' unless"):
        querier.set_params(feature_layer="head").query(X, 3)


# Parameters


@pytest.mark.parametrize(
    "params",
    [
        {"warm_start": "yes"},
        {"inference_batch_size": 0},
        {"inference_batch_size": "all"},
        {"random_state": -1},
        {"random_state": "zero"},
        {"feature_layer": None},
        {"verbose": -1},
    ],
    ids=str,
)
def test_parameters_out_of_range(params):
    name = next(iter(params))
    querier = BadgeQuerier(LogisticRegression(), **params)
    with pytest.raises(
        ValueError, match=f"The '{name}' parameter of BadgeQuerier must"
    ):
        querier.fit(*make_data())


# Calls out of order


@pytest.mark.parametrize(
    "call",
    [
        lambda querier, X, y: querier.query(X, 2),
        lambda querier, X, y: querier.predict(X),
        lambda querier, X, y: querier.predict_proba(X),
        lambda querier, X, y: querier.score(X, y),
        lambda querier, X, y: skbadge.query(querier, X, 2),
    ],
    ids=["query", "predict", "predict_proba", "score", "function"],
)
@pytest.mark.parametrize(
    "estimator", [None, make_net(), LogisticRegression()], ids=["none", "net", "linear"]
)
def test_use_before_fit(estimator, call):
    with pytest.raises(
        NotFittedError, match=r"BadgeQuerier is not fitted yet. Call 'fit'"
    ):
        call(BadgeQuerier(estimator, cold_start=None), *make_data())


def test_decision_function_before_fit():
    with pytest.raises(NotFittedError, match="before using 'decision_function'"):
        BadgeQuerier(LogisticRegression()).decision_function(make_data()[0])


@pytest.mark.parametrize("name", ["X_labeled_", "y_labeled_"])
def test_labelled_rows_before_there_are_any(name):
    with pytest.raises(AttributeError, match=f"Call `fit` for `{name}`"):
        getattr(BadgeQuerier(), name)


def test_partial_fit_without_rows_before_there_are_any():
    with pytest.raises(ValueError, match=r"`X` must hold rows. Got None"):
        BadgeQuerier(LogisticRegression()).partial_fit()


def test_partial_fit_with_half_of_its_arguments():
    X, y = make_data()
    querier = BadgeQuerier(LogisticRegression()).fit(X, y)
    with pytest.raises(ValueError, match="requires y to be passed"):
        querier.partial_fit(X)
    with pytest.raises(ValueError, match=r"`X` must hold rows. Got None"):
        querier.partial_fit(None, y)
    assert len(querier.y_labeled_) == 60


@pytest.mark.parametrize("estimator", [make_net(), LogisticRegression()])
def test_a_frozen_estimator_that_was_never_trained(estimator):
    X, y = make_data()
    querier = BadgeQuerier(FrozenEstimator(estimator))
    with pytest.raises(NotFittedError, match=type(estimator).__name__):
        querier.query(X, 2)
    with pytest.raises(NotFittedError, match=type(estimator).__name__):
        querier.fit(X, y)


# skbadge.query


def test_query_of_something_without_a_querier():
    X, y = make_data()
    with pytest.raises(
        TypeError, match=r"`fitted` must be a BadgeQuerier.* Got Logistic"
    ):
        skbadge.query(LogisticRegression().fit(X, y), X, 2)


def test_query_of_a_pipeline_before_its_fit():
    querier = BadgeQuerier(LogisticRegression(), cold_start=None)
    pipeline = make_pipeline(StandardScaler(), querier)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        skbadge.query(pipeline, make_data()[0], 2)


def test_query_of_a_search_without_a_best_model():
    X, y = make_data()
    querier = BadgeQuerier(LogisticRegression())
    search = GridSearchCV(querier, {"strategy": ["badge"]}, refit=False).fit(X, y)
    with pytest.raises(ValueError, match="GridSearchCV must have refit=True"):
        skbadge.query(search, X, 2)
