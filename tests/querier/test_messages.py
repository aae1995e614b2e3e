"""Errors that people meet first: each says in a few lines what to do next."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.ensemble import BaggingClassifier, HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import Checkpoint, EarlyStopping, LRScheduler
from torch import nn

import skbadge
from skbadge import BadgeQuerier
from skbadge.exceptions import QueryWarning
from skbadge.experiment import SimulatedActiveLearner, active_learning_curve
from skbadge.nn import TabularNetClassifier

X = np.random.RandomState(0).normal(size=(90, 4)).astype("f4")
Y = np.arange(90) % 3
LONG = np.arange(5000)
NAMES = [f"class {i}" for i in range(900)]
GAPS = np.where(np.arange(90)[:, None] % 5 == 0, np.nan, X)


def module(*inside, n_outputs=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), *inside, nn.ReLU(), nn.Linear(8, n_outputs))


class Wrapped(nn.Module):
    """A net that does something with its output while it predicts."""

    def __init__(self, change):
        super().__init__()
        self.inner = module()
        self.change = change

    def forward(self, X):
        return self.inner(X) if self.training else self.change(self.inner, X)


def predicts_nan(inner, X):
    return inner(X) * torch.nan


def predicts_in_inference_mode(inner, X):
    with torch.inference_mode():
        return inner(X)


class Unlearnable(nn.Module):
    """A net whose features are made in inference mode, in training as well."""

    def __init__(self):
        super().__init__()
        self.inner = module()

    def forward(self, X):
        with torch.inference_mode():
            hidden = self.inner[:-1](X)
        return self.inner[-1](hidden)


def net(inside=None, **params):
    defaults = {"criterion": nn.CrossEntropyLoss, "train_split": None, "verbose": 0}
    inside = module() if inside is None else inside
    return NeuralNetClassifier(inside, **(defaults | {"max_epochs": 2} | params))


def scaled(estimator):
    return make_pipeline(StandardScaler(), estimator)


def fit(estimator=None, X=X, y=Y, **params):
    return BadgeQuerier(estimator, random_state=0, **params).fit(X, y)


def ask(estimator, strategy="badge", X=X, **params):
    return fit(estimator, X, strategy=strategy).query(X + 1, **({"n": 3} | params))


def linear(**query):
    return ask(LogisticRegression(), **query)


def table(**columns):
    return pd.DataFrame({"number": X[:, 0], **columns})


def schedule(**params):
    return LRScheduler(
        torch.optim.lr_scheduler.OneCycleLR, max_lr=0.1, step_every="batch", **params
    )


STRINGS = ["red", "green", "blue"] * 30
DATES = pd.to_datetime("2020-01-01") + pd.to_timedelta(np.arange(90), "D")
VALID = {"iterator_valid__drop_last": True}
TRAIN = {"iterator_train__drop_last": True}
ENCODE = r"table_preprocessor\(X\), model"
WRAP = "Wrap it in skorch's NeuralNetClassifier"
NO_BATCH = "trained on no row: of 90 .* batch_size=.*drop_last=False"
ONE_ROW = "a batch of one row .*of 90 labelled rows.*batch_size.*drop_last=True"
AXES = r"got 1D array instead: `\w+` has shape \(90,\). Reshape your data"
NO_VALIDATION = "train_split=None.*monitor='train_loss'"

CASES = {
    # Batches
    "valid drop_last": (lambda: fit(net(**VALID)), "iterator_valid__drop_last=True"),
    "frozen drop_last": (
        lambda: BadgeQuerier(FrozenEstimator(net(**VALID).fit(X, Y))).query(X, 2),
        "gave none of 90.*iterator_valid__drop_last=False",
    ),
    "train drop_last": (lambda: fit(net(**TRAIN)), NO_BATCH),
    "pipeline drop_last": (lambda: fit(scaled(net(**TRAIN))), NO_BATCH),
    "held out drop_last": (
        lambda: fit(NeuralNetClassifier(module(), batch_size=80, verbose=0, **TRAIN)),
        NO_BATCH,
    ),
    "default drop_last": (
        lambda: fit(TabularNetClassifier(batch_size=91, max_epochs=2, **TRAIN)),
        NO_BATCH,
    ),
    "one row": (
        lambda: fit(net(module(nn.BatchNorm1d(8)), batch_size=89)),
        ONE_ROW,
    ),
    "one row in a pipeline": (
        lambda: fit(scaled(net(module(nn.BatchNorm1d(8)), batch_size=89))),
        ONE_ROW,
    ),
    "one row in a search": (
        lambda: fit(
            GridSearchCV(
                net(module(nn.BatchNorm1d(8)), batch_size=44), {"lr": [1]}, cv=2
            )
        ),
        ONE_ROW,
    ),
    "one row in an ensemble": (
        lambda: fit(BaggingClassifier(net(module(nn.BatchNorm1d(8)), batch_size=89))),
        ONE_ROW,
    ),
    "ensemble drop_last": (lambda: fit(BaggingClassifier(net(**TRAIN), 2)), NO_BATCH),
    "valid drop_last in an ensemble": (
        lambda: fit(BaggingClassifier(net(**VALID), 2)),
        "iterator_valid__drop_last=True",
    ),
    "too few to hold out": (
        lambda: fit(NeuralNetClassifier(module(), verbose=0), X[:4], [0, 1, 2, 2]),
        "holds out part of the 4 labelled rows.*train_split=None",
    ),
    # Training
    "schedule": (
        lambda: fit(net(callbacks=[schedule(total_steps=1)])),
        "total_steps.*ended before.*step_every='epoch'",
    ),
    "early stopping": (lambda: fit(net(callbacks=[EarlyStopping()])), NO_VALIDATION),
    "checkpoint": (
        lambda: fit(net(callbacks=[Checkpoint(f_pickle=None, f_params=None)])),
        NO_VALIDATION,
    ),
    "criterion": (
        lambda: fit(net(criterion=nn.MSELoss)),
        "MSELoss.*a logit for each class.*CrossEntropyLoss",
    ),
    "three axes": (
        lambda: fit(net(nn.Sequential(nn.Unflatten(1, (2, 2)), nn.Linear(2, 3)))),
        r"a logit for each class, of shape \(n_rows, n_classes\)",
    ),
    "inference mode": (lambda: fit(net(Unlearnable())), "Take that out"),
    "gradients in inference mode": (
        lambda: ask(net(Wrapped(predicts_in_inference_mode)), "lcmd"),
        "under torch.no_grad or torch.inference_mode",
    ),
    **{
        f"nan {strategy}": (
            lambda strategy=strategy: ask(net(Wrapped(predicts_nan)), strategy),
            "hold NaN|predicts NaN",
        )
        for strategy in ("badge", "core_set", "lcmd", "entropy", "bait")
    },
    "trees have no layers": (
        lambda: ask(HistGradientBoostingClassifier(max_iter=2), "lcmd", GAPS),
        "no layers to take gradients of.*'margin'",
    ),
    # Labels and classes
    "int label": (
        lambda: fit(net(), classes=[0, 1, 12]),
        r"not among `classes`: \[2\]. `classes` are \[0, 1, 12\]",
    ),
    "string label": (
        lambda: fit(net(), y=np.array(["ant", "bee", "catt"])[Y], classes=["cat"]),
        "not among `classes`: .*'ant', 'bee', 'catt'",
    ),
    "number for a string": (
        lambda: fit(net(), classes=["0", "1"]),
        r"Did you mean '\d'",
    ),
    "many classes": (lambda: fit(net(), classes=LONG + 3), "and 4992 more"),
    "many labels": (
        lambda: fit(LogisticRegression(), y=np.arange(90) // 2, classes=[0, 1]),
        "and 35 more",
    ),
    "classes twice": (lambda: fit(net(), classes=LONG // 2), "and 4992 more"),
    "classes of a regressor": (
        lambda: fit(Ridge(), classes=LONG),
        r"Got ndarray of shape \(5000,\)",
    ),
    "few outputs": (
        lambda: fit(net(), np.repeat(X, 20, axis=0), NAMES * 2),
        "fewer outputs than the 900 classes.* and 892 more",
    ),
    # What is no estimator, no strategy, no number
    "module": (lambda: fit(module()), WRAP),
    "module class": (lambda: fit(Wrapped), WRAP),
    "module in a pipeline": (lambda: fit(scaled(module())), WRAP),
    "module in an ensemble": (lambda: fit(BaggingClassifier(module())), WRAP),
    "frozen module": (
        lambda: BadgeQuerier(FrozenEstimator(module())).query(X, 3),
        WRAP,
    ),
    "module in a curve": (
        lambda: active_learning_curve(BadgeQuerier(module()), X, Y),
        WRAP,
    ),
    "module in a simulation": (
        lambda: SimulatedActiveLearner(BadgeQuerier(module())).fit(X, Y),
        WRAP,
    ),
    "pipeline without steps": (lambda: fit(Pipeline([])), "must have steps. Got none"),
    "array": (lambda: fit(np.tile(X, (9, 9))), r"of shape \(810, 36\)"),
    "module in an experiment": (
        lambda: active_learning_curve(module(), X, Y, n_initial=5, n_query=5),
        "`querier` must be a BadgeQuerier",
    ),
    "array for a querier": (
        lambda: SimulatedActiveLearner(LONG.tolist()).fit(X, Y),
        "'querier' parameter .* Got list of length 5000",
    ),
    "upper case": (
        lambda: fit(net(), strategy="BADGE"),
        r"Did you mean 'badge'\?",
    ),
    "spaces": (
        lambda: fit(net(), strategy="Least confidence "),
        r"Did you mean 'least_confidence'\?",
    ),
    "strategy of another kind": (
        lambda: fit(net(), strategy=LONG.tolist()),
        "'strategy' parameter .* Got list of length 5000",
    ),
    "random state": (
        lambda: fit(net(), strategy="random").set_params(random_state=[1]).query(X),
        "'random_state' parameter",
    ),
    "n": (lambda: linear(n=pd.Series(LONG)), r"`n` must be .* \(5000,\)"),
    "n as a list": (lambda: linear(n=LONG.tolist()), "Got list of length 5000"),
    "groups": (lambda: linear(groups="d" * 5000), "Got str of length 5000"),
    "candidates": (
        lambda: linear(candidates=np.repeat(np.arange(80), 5)),
        "distinct positions. Got 80 of 80 more than once, such as 0",
    ),
    "feature layer": (
        lambda: (
            BadgeQuerier(
                net(nn.Sequential(*(nn.Linear(4, 4) for _ in range(99)))),
                feature_layer="head",
            )
            .fit(X, Y)
            .query(X, 2)
        ),
        "the last of 99",
    ),
    # Rows
    "strings": (lambda: fit(X=table(colour=STRINGS)), rf"\['colour'\].*{ENCODE}"),
    "categories": (
        lambda: fit(X=table(colour=pd.Categorical(STRINGS))),
        rf"\['colour'\].*{ENCODE}",
    ),
    "dates": (lambda: fit(X=table(day=DATES)), rf"\['day'\].*{ENCODE}"),
    "strings for a net": (lambda: fit(net(), table(colour=STRINGS)), ENCODE),
    "strings for another model": (
        lambda: fit(LogisticRegression(), table(colour=STRINGS)),
        ENCODE,
    ),
    "dates for another model": (
        lambda: fit(LogisticRegression(), table(day=DATES)),
        ENCODE,
    ),
    "array of strings": (lambda: fit(X=X.astype(str)), "holds strings. Encode them"),
    "list with strings": (
        lambda: fit(X=table(colour=STRINGS).to_numpy().tolist()),
        "holds strings. Encode them",
    ),
    "gaps": (lambda: fit(X=pd.DataFrame(GAPS)), "18 of 90 rows.*table_preprocessor"),
    "complex": (lambda: fit(X=X + 1j), "Complex data not supported: `X`"),
    **{
        f"one axis {name}": (lambda make=make: fit(make(), X[:, 0]), AXES)
        for name, make in {
            "default": lambda: None,
            "net": net,
            "linear": LogisticRegression,
            "pipeline": lambda: scaled(LogisticRegression()),
            "net in a pipeline": lambda: scaled(net()),
        }.items()
    },
    "one axis in a list": (lambda: fit(LogisticRegression(), X[:, 0].tolist()), AXES),
    "one axis later": (lambda: fit(LogisticRegression()).query(X[:, 0]), AXES),
    "one axis to predict": (lambda: fit(scaled(net())).predict(X[:, 0]), AXES),
}


@pytest.mark.filterwarnings("ignore:Using a target size:UserWarning")
@pytest.mark.filterwarnings("ignore:Equal labelled rows have different labels")
@pytest.mark.parametrize(("call", "words"), CASES.values(), ids=CASES)
def test_a_message_says_what_to_do_in_a_few_lines(call, words):
    with pytest.raises((ValueError, TypeError), match=f"(?is){words}") as raised:
        call()
    message = str(raised.value)
    assert len(message) < 700
    assert message.count("\n") < 4


def test_polars_frames_with_strings():
    pl = pytest.importorskip("polars")
    with pytest.raises(ValueError, match=rf"\['colour'\].*{ENCODE}"):
        fit(X=pl.DataFrame({"number": X[:, 0].tolist(), "colour": STRINGS}))


@pytest.mark.parametrize("strategy", ["badge", "lcmd", "bait"])
def test_a_caller_in_inference_mode_is_served(strategy):
    with torch.inference_mode():
        rows = ask(scaled(TabularNetClassifier(max_epochs=2)), strategy)
    np.testing.assert_array_equal(
        rows, ask(scaled(TabularNetClassifier(max_epochs=2)), strategy)
    )


# Searches over strategies

SEARCHES = {
    "names": (lambda q: q, {"strategy": ["badge", "margin"]}),
    "pipeline": (scaled, {"badgequerier__strategy": ["badge", "margin"]}),
    "parameters": (lambda q: q, {"strategy__include_bias": [True, False]}),
}
querier = BadgeQuerier(LogisticRegression(), random_state=0)


@pytest.mark.parametrize(("wrap", "grid"), SEARCHES.values(), ids=SEARCHES)
def test_a_search_over_strategies_is_warned_of(wrap, grid):
    search = GridSearchCV(wrap(querier), grid, cv=2).fit(X, Y)
    assert len(set(search.cv_results_["mean_test_score"])) == 1
    with pytest.warns(QueryWarning, match=r"same score.*SimulatedActiveLearner"):
        skbadge.query(search, X + 1, 2)


def test_a_search_over_other_parameters_is_not_warned_of():
    grid = {"strategy": ["badge"], "estimator__C": [1, 2]}
    search = GridSearchCV(querier, grid, cv=2).fit(X, Y)
    assert len(skbadge.query(search, X + 1, 2)) == 2
