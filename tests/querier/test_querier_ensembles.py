"""Estimators that train nets inside them, and labels of every kind."""

import re
from functools import cache

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import (
    OneVsOneClassifier,
    OneVsRestClassifier,
    OutputCodeClassifier,
)
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier
from torch import nn

from skbadge import BadgeQuerier
from skbadge.nn import TabularNetClassifier
from skbadge.outputs import Needs

LABELS = {
    "codes": lambda codes: codes,
    "from one": lambda codes: codes + 1,
    "int32": lambda codes: codes.astype(np.int32),
    "uint8": lambda codes: codes.astype(np.uint8),
    "floats": lambda codes: 0.0 + 2 * codes,
    "strings": lambda codes: np.array(["ant", "bee", "cat"])[codes],
    "objects": lambda codes: np.array(["ant", "bee", "cat"], dtype=object)[codes],
    "bool": lambda codes: codes > 0,
}


no_unlabeled = pytest.mark.filterwarnings("ignore:y contains no unlabeled")


def make_net(n_outputs=3):
    torch.manual_seed(0)
    return NeuralNetClassifier(
        nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, n_outputs)),
        criterion=nn.CrossEntropyLoss,
        train_split=None,
        max_epochs=8,
        lr=0.5,
        verbose=0,
    )


def binary_net():
    torch.manual_seed(0)
    return NeuralNetBinaryClassifier(
        nn.Linear(4, 1), train_split=None, max_epochs=8, lr=0.5, verbose=0
    )


def make_data(n_classes=3, n_rows=80):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(n_rows, 4))
    codes = (X[:, 0] > 0).astype(np.int64)
    return X, codes + (X[:, 0] > 1) if n_classes == 3 else codes


def calibrated(net, **params):
    return CalibratedClassifierCV(net, cv=2, **params)


ENSEMBLES = {
    "net": lambda: make_net(),
    "calibrated": lambda: calibrated(make_net()),
    "calibrated once": lambda: calibrated(make_net(), ensemble=False),
    "pipeline in it": lambda: calibrated(make_pipeline(StandardScaler(), make_net())),
    "in a pipeline": lambda: make_pipeline(StandardScaler(), calibrated(make_net())),
    "in a search": lambda: GridSearchCV(
        calibrated(make_net()), {"method": ["sigmoid"]}, cv=2, error_score="raise"
    ),
    "search in it": lambda: calibrated(GridSearchCV(make_net(), {"lr": [0.3]}, cv=2)),
    "voting": lambda: VotingClassifier(
        [("net", make_net()), ("linear", LogisticRegression())], voting="soft"
    ),
    "stacking": lambda: StackingClassifier([("net", make_net())], cv=2),
    "bagging": lambda: BaggingClassifier(make_net(), 2),
    "bagging of pipelines": lambda: BaggingClassifier(
        make_pipeline(StandardScaler(), make_net()), 2
    ),
    "one against the rest": lambda: OneVsRestClassifier(make_net(2)),
    "self-training": lambda: SelfTrainingClassifier(make_net()),
    "boosting": lambda: AdaBoostClassifier(
        TabularNetClassifier(max_epochs=5), n_estimators=2
    ),
}
PAIRS = {
    "one against one": lambda: OneVsOneClassifier(make_net(2)),
    "output code": lambda: OutputCodeClassifier(make_net(2)),
}
BINARY = {
    "tuned": lambda: TunedThresholdClassifierCV(make_net(2), cv=2),
    "fixed": lambda: FixedThresholdClassifier(make_net(2)),
    "fixed in a pipeline": lambda: make_pipeline(
        StandardScaler(), FixedThresholdClassifier(binary_net())
    ),
    "binary net": lambda: calibrated(binary_net()),
    "bagging of binary nets": lambda: BaggingClassifier(binary_net(), 2),
    "self-training": lambda: SelfTrainingClassifier(binary_net()),
}


@cache
def trained_on_codes(make, n_classes, strategy):
    X, codes = make_data(n_classes)
    querier = BadgeQuerier(make(), strategy=strategy, random_state=0).fit(X, codes)
    assert np.mean(querier.predict(X) == codes) > 0.6
    return querier.predict(X), querier.query(X + 1, 3)


def check(make, kind, n_classes, strategy="badge"):
    """It learns, predicts in the user's labels, and asks what it asks with codes."""
    X, codes = make_data(n_classes)
    y = LABELS[kind](codes)
    querier = BadgeQuerier(make(), strategy=strategy, random_state=0).fit(X, y)
    np.testing.assert_array_equal(querier.classes_, np.unique(y))
    predicted, rows = trained_on_codes(make, n_classes, strategy)
    np.testing.assert_array_equal(querier.predict(X), LABELS[kind](predicted))
    np.testing.assert_array_equal(querier.query(X + 1, 3), rows)
    if strategy == "badge":
        assert querier.predict_proba(X).shape == (len(X), n_classes)


@no_unlabeled
@pytest.mark.parametrize("kind", [kind for kind in LABELS if kind != "bool"])
@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_nets_inside_an_ensemble_and_labels_of_any_kind(ensemble, kind):
    check(ENSEMBLES[ensemble], kind, n_classes=3)


@pytest.mark.parametrize("kind", ["from one", "strings"])
@pytest.mark.parametrize("ensemble", PAIRS)
def test_nets_that_tell_pairs_of_classes_apart(ensemble, kind):
    check(PAIRS[ensemble], kind, n_classes=3, strategy="core_set")


@no_unlabeled
@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("ensemble", BINARY)
def test_binary_ensembles_and_labels_of_any_kind(ensemble, kind):
    check(BINARY[ensemble], kind, n_classes=2)


def test_features_behind_a_threshold_are_those_of_the_net():
    X, y = make_data(2)
    threshold = FixedThresholdClassifier(make_net(2), threshold=0.9)
    querier = BadgeQuerier(threshold, random_state=0).fit(X, y)
    assert querier.outputs(X, needs="features").features.shape == (80, 8)
    plain = BadgeQuerier(make_net(2), random_state=0).fit(X, y)
    np.testing.assert_allclose(
        querier.predict_proba(X), plain.predict_proba(X), rtol=1e-6
    )
    assert querier.predict(X).sum() < plain.predict(X).sum()


@pytest.mark.parametrize("positive", ["no", "yes"])
def test_parameters_that_name_a_label_mean_the_users(positive):
    X, codes = make_data(2)
    y = np.array(["no", "yes"])[codes]
    strict = FixedThresholdClassifier(make_net(2), threshold=0.99, pos_label=positive)
    predicted = BadgeQuerier(strict, random_state=0).fit(X, y).predict(X)
    assert np.mean(predicted == positive) < 0.2
    scorer = make_scorer(f1_score, pos_label=positive)
    for scoring, refit in [(scorer, True), ({"f1": scorer, "all": "accuracy"}, "f1")]:
        search = GridSearchCV(
            make_net(2), {"lr": [0.3]}, scoring=scoring, refit=refit, cv=2
        )
        querier = BadgeQuerier(search, random_state=0).fit(X, y)
        expected = f1_score(y, querier.predict(X), pos_label=positive)
        assert querier.score(X, y) == pytest.approx(expected)
    assert scorer._kwargs == {"pos_label": positive}
    tuned = TunedThresholdClassifierCV(make_net(2), scoring=scorer, cv=2)
    assert BadgeQuerier(tuned, random_state=0).fit(X, y).score(X, y) > 0.8


@pytest.mark.parametrize("scoring", ["f1", ["accuracy", "f1"], ("f1_macro", "f1")])
def test_the_default_of_a_metric_is_a_label_of_the_users_too(scoring):
    X, codes = make_data(2)
    refit = True if scoring == "f1" else "f1"
    search = GridSearchCV(
        make_net(2), {"lr": [0.1]}, scoring=scoring, refit=refit, cv=2
    )
    querier = BadgeQuerier(search, random_state=0).fit(X, codes + 1)
    predicted = querier.predict(X)
    expected = f1_score(codes + 1, predicted, pos_label=1)
    assert expected != f1_score(codes + 1, predicted, pos_label=2)
    assert querier.score(X, codes + 1) == pytest.approx(expected)
    # Strings do not hold it: it is the second class.
    y = LABELS["strings"](codes)
    querier = BadgeQuerier(search, random_state=0).fit(X, y)
    expected = f1_score(codes, predicted - 1)
    assert querier.score(X, y) == pytest.approx(expected)


@pytest.mark.parametrize("names", [["ant", "bee", "cat"], ["cat", "ant", "bee"]])
def test_a_net_that_is_told_its_classes(names):
    X, codes = make_data()
    y = LABELS["strings"](codes)
    for net in (TabularNetClassifier(max_epochs=5), make_net()):
        querier = BadgeQuerier(net.set_params(classes=names), random_state=0)
        assert querier.fit(X, y).score(X, y) > 0.6


def test_members_that_miss_a_rare_class_have_its_probability_in_the_right_place():
    X, codes = make_data()
    codes[0], codes[1:] = 0, np.where(codes[1:] > 1, 2, 1)
    querier = BadgeQuerier(
        BaggingClassifier(make_net(), 5, max_samples=0.3), random_state=0
    ).fit(X, codes)
    members = querier.outputs(X, needs=Needs(n_posterior=5)).posterior
    np.testing.assert_allclose(
        querier.predict_proba(X), members.mean(axis=0), atol=1e-6
    )


class Untrainable(NeuralNetClassifier):
    """A net that must not be trained."""

    def fit(self, X, y, **fit_params):
        raise AssertionError("a training was paid for")


def untrainable(n_outputs=3):
    return Untrainable(nn.Linear(4, n_outputs), criterion=nn.CrossEntropyLoss)


def voting(model):
    return VotingClassifier([("one", model)])


SPACE = {"lr": [0.1, 0.2]}


@pytest.mark.parametrize(
    ("estimator", "match"),
    [
        (BaggingClassifier(untrainable(2)), "Inside a BaggingClassifier.*2 outputs"),
        (calibrated(untrainable(5)), "Inside a CalibratedClassifierCV.*5 outputs"),
        (OneVsOneClassifier(untrainable(2)), "OneVsOneClassifier has no `predict_pro"),
        (MultiOutputClassifier(untrainable(3)), "one label for a row. MultiOutput"),
        (ClassifierChain(untrainable(3)), "one label for a row. ClassifierChain"),
        (AdaBoostClassifier(untrainable(3)), "doesn't support sample_weight"),
        (GridSearchCV(untrainable(), SPACE, refit=False), "must have refit=True"),
        (
            RandomizedSearchCV(untrainable(), SPACE, n_iter=1, refit=False),
            "RandomizedSearchCV must have refit=True",
        ),
        (
            HalvingGridSearchCV(untrainable(), SPACE, refit=False),
            "HalvingGridSearchCV must have refit=True",
        ),
        (
            make_pipeline(
                StandardScaler(), GridSearchCV(untrainable(), SPACE, refit=False)
            ),
            "GridSearchCV must have refit=True",
        ),
        (
            voting(GridSearchCV(untrainable(), SPACE, refit=False)),
            "GridSearchCV must have refit=True",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_work_is_refused_before_a_training(estimator, match):
    X, codes = make_data()
    with pytest.raises((ValueError, TypeError), match=match):
        BadgeQuerier(estimator).fit(X, LABELS["strings"](codes))


AROUND = {
    "alone": lambda net: net,
    "calibrated": calibrated,
    "bagging": BaggingClassifier,
    "one against the rest": OneVsRestClassifier,
    "search": lambda net: GridSearchCV(net, SPACE),
    "pipeline": lambda net: make_pipeline(StandardScaler(), net),
    "threshold": FixedThresholdClassifier,
}


class Returns(nn.Linear):
    """A module that puts its output into a container."""

    def __init__(self, put):
        super().__init__(4, 2)
        self.put = put

    def forward(self, X):
        return self.put(super().forward(X))


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize(
    ("put", "came"),
    [
        (lambda logits: {"logits": logits}, "a dict with the keys"),
        (lambda logits: [logits], "a list of 1"),
        (lambda logits: ({"logits": logits},), "a tuple that starts with a dict"),
        (lambda logits: None, "a NoneType"),
    ],
    ids=["dict", "list", "tuple", "none"],
)
def test_a_module_that_returns_no_tensor_is_refused_before_a_training(
    around, put, came
):
    net = Untrainable(Returns(put), criterion=nn.CrossEntropyLoss)
    X, codes = make_data(2)
    with pytest.raises(TypeError, match=f"must return a tensor.*returned {came}"):
        BadgeQuerier(AROUND[around](net)).fit(X, LABELS["strings"](codes))


@pytest.mark.parametrize(
    "dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, bool]
)
@pytest.mark.parametrize("around", [name for name in AROUND if name != "pipeline"])
@pytest.mark.parametrize("table", [nn.Embedding, nn.EmbeddingBag])
def test_codes_of_any_integers_for_an_embedding(table, around, dtype):
    X = np.random.RandomState(0).randint(2, size=(30, 4)).astype(dtype)
    width = 3 if table is nn.EmbeddingBag else 12
    torch.manual_seed(0)
    net = NeuralNetClassifier(
        nn.Sequential(table(2, 3), nn.Flatten(1), nn.Linear(width, 2)),
        criterion=nn.CrossEntropyLoss,
        train_split=None,
        max_epochs=1,
        verbose=0,
    )
    picks = []
    for rows in (X, X.astype(np.int64)):
        querier = BadgeQuerier(AROUND[around](net), strategy="margin", random_state=0)
        picks.append(querier.fit(rows, X[:, 0] > 0).query(rows, 3).tolist())
    assert picks[0] == picks[1]


def test_classes_that_no_row_has_yet():
    X, codes = make_data()
    y = LABELS["strings"](codes)
    seen = y != "bee"
    for make in (ENSEMBLES["bagging"], ENSEMBLES["calibrated"]):
        querier = BadgeQuerier(make(), classes=["ant", "bee", "cat"])
        with pytest.raises(ValueError, match=r"Got no row of \['bee'\]"):
            querier.fit(X[seen], y[seen])
    pairs = OneVsRestClassifier(make_net(2))
    querier = BadgeQuerier(pairs, classes=["ant", "bee", "cat"], random_state=0)
    proba = querier.fit(X[seen], y[seen]).predict_proba(X)
    assert proba[:, 1].max() == 0
    assert np.mean(querier.predict(X[seen]) == y[seen]) > 0.6


def test_a_frozen_net_inside_an_ensemble():
    X, codes = make_data()
    X = X.astype(np.float32)
    net = make_net().fit(X, codes)
    frozen = calibrated(FrozenEstimator(net))
    right = np.mean(BadgeQuerier(frozen).fit(X, codes).predict(X) == codes)
    assert right > 0.6
    names = np.array(["cat", "ant", "bee"])
    with pytest.raises(ValueError, match="`classes` must name the labels of the outp"):
        BadgeQuerier(frozen).fit(X, names[codes])
    querier = BadgeQuerier(frozen, classes=names).fit(X, names[codes])
    assert np.mean(querier.predict(X) == names[codes]) == right
    assert len(querier.query(X + 1, 3)) == 3


def test_warm_start_is_refused_where_an_ensemble_would_start_over():
    X, y = make_data()
    querier = BadgeQuerier(calibrated(make_net()), warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="needs an estimator with a parameter `warm_s"):
        querier.partial_fit(X, y)


class TakesCodesOnly(ClassifierMixin, BaseEstimator):
    """A model of another library, which refuses labels other than 0, 1, ..."""

    def fit(self, X, y):
        expected = np.arange(len(np.unique(y)))
        if not np.array_equal(np.unique(y), expected):
            raise ValueError(f"Invalid classes. Expected: {expected}, got {set(y)}")
        self.model_ = LogisticRegression().fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(X)

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


@pytest.mark.parametrize("kind", ["from one", "floats", "strings", "objects"])
@pytest.mark.parametrize(
    "make",
    [
        TakesCodesOnly,
        lambda: make_pipeline(StandardScaler(), TakesCodesOnly()),
        lambda: calibrated(TakesCodesOnly()),
        lambda: GridSearchCV(TakesCodesOnly(), {}, cv=2),
    ],
    ids=["model", "pipeline", "calibrated", "search"],
)
@pytest.mark.filterwarnings("ignore:Scoring failed")
def test_a_model_that_takes_codes_only(make, kind):
    check(make, kind, n_classes=3)


def test_a_model_that_takes_codes_only_before_all_classes_occur():
    X, codes = make_data()
    y = LABELS["strings"](codes)
    seen = y != "bee"
    querier = BadgeQuerier(TakesCodesOnly(), classes=["ant", "bee", "cat"])
    querier.fit(X[seen], y[seen])
    assert querier.predict_proba(X)[:, 1].max() == 0
    assert np.mean(querier.predict(X[seen]) == y[seen]) > 0.9
    assert len(querier.set_params(strategy="albl").query(X + 1, 3)) == 3
    querier.partial_fit(X[~seen], y[~seen])
    assert np.mean(querier.predict(X) == y) > 0.6


def test_the_first_error_stands_where_codes_do_not_help():
    X, codes = make_data()
    with pytest.raises(ValueError, match="C' parameter"):
        BadgeQuerier(LogisticRegression(C=-1)).fit(X, LABELS["strings"](codes))


class NeedsAValidationSet(TakesCodesOnly):
    def fit(self, X, y):
        super().fit(X, y)
        raise LookupError("Give a validation set.")


def test_what_fails_on_codes_as_well_is_said_beside_the_first_error():
    X, codes = make_data()
    with pytest.raises(ValueError, match="Invalid classes") as caught:
        BadgeQuerier(NeedsAValidationSet()).fit(X, LABELS["strings"](codes))
    note = r"again on 0, 1, \.\.\. .* a LookupError: Give a validation set\.$"
    assert re.search(note, caught.value.__notes__[-1])
    assert isinstance(caught.value.__cause__, LookupError)


def test_the_same_error_on_codes_is_said_once():
    X, codes = make_data()
    with pytest.raises(ValueError, match="C' parameter") as caught:
        BadgeQuerier(LogisticRegression(C=-1)).fit(X, LABELS["strings"](codes))
    assert not getattr(caught.value, "__notes__", [])


@pytest.mark.parametrize("strategy", ["badge", "margin"])
def test_a_search_may_find_another_kind_of_model_than_a_net(strategy):
    X, y = make_classification(120, 6, n_informative=4, random_state=0)
    labels = np.array(["ant", "bee"])[y]
    steps = make_pipeline(TabularNetClassifier(max_epochs=1))
    other = ExtraTreesClassifier(random_state=0)
    search = GridSearchCV(steps, {"tabularnetclassifier": [other]})
    querier = BadgeQuerier(search, strategy=strategy, random_state=0)
    querier.fit(X[:80], labels[:80])
    assert set(querier.predict(X[80:])) == {"ant", "bee"}
    assert querier.score(X[:80], labels[:80]) > 0.9
    assert len(querier.query(X[80:], 4)) == 4
