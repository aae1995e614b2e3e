"""Training on the pool through BadgeQuerier: what goes in, and who takes it."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, TargetEncoder
from sklearn.semi_supervised import (
    LabelPropagation,
    LabelSpreading,
    SelfTrainingClassifier,
)
from skorch import NeuralNetClassifier
from torch import nn

from skbadge import BadgeQuerier
from skbadge.nn import JointEntropyClassifier, JointEntropyTabularClassifier

NAMES = np.array(["ant", "bee", "cat"])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(4, 16)
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(16, 3)

    def forward(self, X):
        return self.head(self.dropout(torch.relu(self.hidden(X))))


PARAMS = {
    "criterion": nn.CrossEntropyLoss,
    "optimizer": torch.optim.Adam,
    "lr": 0.02,
    "batch_size": 16,
    "max_epochs": 10,
    "train_split": None,
    "verbose": 0,
}


def joint(weight=0.5, **params):
    return JointEntropyClassifier(Net, entropy_weight=weight, **(PARAMS | params))


def make_data():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(150, 4))
    y = NAMES[(X[:, 0] > 0).astype(int) + (X[:, 1] > 0.3)]
    return X[:30], y[:30], X[30:], y[30:]


def weights(querier):
    estimator = querier.estimator_
    net = estimator[-1] if hasattr(estimator, "steps") else estimator
    return torch.cat([value.detach().ravel() for value in net.module_.parameters()])


def entropy(querier, X):
    proba = querier.predict_proba(X).astype(np.float64)
    return -(proba * np.log(np.maximum(proba, 1e-300))).sum(axis=1).mean()


MODELS = {
    "net": joint,
    "table": lambda weight=0.5: JointEntropyTabularClassifier(
        entropy_weight=weight, hidden_sizes=(16,), max_epochs=20, lr=0.02
    ),
    "pipeline": lambda weight=0.5: make_pipeline(StandardScaler(), joint(weight)),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_the_pool_takes_part_and_only_its_rows_are_needed(make):
    X, y, X_pool, y_pool = make_data()
    querier = BadgeQuerier(make(), random_state=0).fit(X, y, X_unlabeled=X_pool)
    again = BadgeQuerier(make(), random_state=0).fit(X, y, X_unlabeled=X_pool)
    without = BadgeQuerier(make(), random_state=0).fit(X, y)
    assert torch.equal(weights(querier), weights(again))
    assert not torch.equal(weights(querier), weights(without))
    np.testing.assert_array_equal(querier.query(X_pool, 9), again.query(X_pool, 9))
    assert querier.classes_.tolist() == NAMES.tolist()
    assert set(querier.predict(X_pool)) <= set(NAMES)
    assert querier.score(X_pool, y_pool) > 0.5


@pytest.mark.parametrize("make", [joint, MODELS["table"]])
def test_weight_zero_is_training_without_the_pool(make):
    X, y, X_pool, _ = make_data()
    querier = BadgeQuerier(make(0), random_state=0).fit(X, y, X_unlabeled=X_pool)
    assert torch.equal(
        weights(querier), weights(BadgeQuerier(make(0), random_state=0).fit(X, y))
    )


def test_at_weight_zero_a_net_of_ours_is_skorchs_own():
    X, y, X_pool, _ = make_data()
    querier = BadgeQuerier(joint(0), random_state=0).fit(X, y, X_unlabeled=X_pool)
    plain = BadgeQuerier(NeuralNetClassifier(Net, **PARAMS), random_state=0).fit(X, y)
    assert torch.equal(weights(querier), weights(plain))


def test_pool_entropy_falls_as_the_weight_grows():
    X, y, X_pool, _ = make_data()
    means = []
    for weight in (0, 0.1, 1):
        net = joint(weight, max_epochs=20)
        fits = [
            BadgeQuerier(net, random_state=seed).fit(X, y, X_unlabeled=X_pool)
            for seed in range(5)
        ]
        means.append(np.mean([entropy(querier, X_pool) for querier in fits]))
    assert means[0] > means[1] > means[2]


def test_the_net_is_trained_on_exactly_these_rows():
    """As the net itself is, given codes, marks and the same seed."""
    X, y, X_pool, _ = make_data()
    seen = {}

    class Watch(JointEntropyClassifier):
        def fit(self, X, y, **params):
            seen["X"], seen["y"] = X, y
            return super().fit(X, y, **params)

    BadgeQuerier(Watch(Net, **PARAMS), random_state=0).fit(X, y, X_unlabeled=X_pool)
    np.testing.assert_array_equal(seen["X"], np.concatenate([X, X_pool]))
    codes = np.searchsorted(NAMES, y)
    np.testing.assert_array_equal(seen["y"], np.concatenate([codes, np.full(120, -1)]))
    assert seen["y"].dtype == np.int64


def test_unlabeled_rows_are_not_kept():
    X, y, X_pool, y_pool = make_data()
    querier = BadgeQuerier(joint(), random_state=0).fit(X, y, X_unlabeled=X_pool)
    np.testing.assert_array_equal(querier.X_labeled_, X)
    np.testing.assert_array_equal(querier.y_labeled_, y)
    querier.partial_fit(X_pool[:10], y_pool[:10])
    without = BadgeQuerier(joint(), random_state=0)
    without.fit(np.concatenate([X, X_pool[:10]]), np.concatenate([y, y_pool[:10]]))
    assert torch.equal(weights(querier), weights(without))


def test_partial_fit_takes_the_rest_of_the_pool():
    X, y, X_pool, y_pool = make_data()
    querier = BadgeQuerier(joint(), random_state=0).fit(X, y, X_unlabeled=X_pool)
    querier.partial_fit(X_pool[:10], y_pool[:10], X_unlabeled=X_pool[10:])
    all_X, all_y = np.concatenate([X, X_pool[:10]]), np.concatenate([y, y_pool[:10]])
    at_once = BadgeQuerier(joint(), random_state=0)
    at_once.fit(all_X, all_y, X_unlabeled=X_pool[10:])
    assert torch.equal(weights(querier), weights(at_once))
    again = querier.partial_fit(X_unlabeled=X_pool[10:])
    assert torch.equal(weights(again), weights(at_once))
    first = BadgeQuerier(joint(), random_state=0)
    first.partial_fit(all_X, all_y, X_unlabeled=X_pool[10:])
    assert torch.equal(weights(first), weights(at_once))


def test_warm_start_goes_on_with_the_pool():
    X, y, X_pool, y_pool = make_data()
    querier = BadgeQuerier(joint(), random_state=0, warm_start=True)
    querier.fit(X, y, X_unlabeled=X_pool)
    querier.partial_fit(X_pool[:10], y_pool[:10], X_unlabeled=X_pool[10:])
    assert len(querier.estimator_.history[:, "train_entropy"]) == 20


def test_an_empty_pool_is_plain_training():
    X, y, X_pool, _ = make_data()
    querier = BadgeQuerier(joint(), random_state=0).fit(X, y, X_unlabeled=X_pool[:0])
    without = BadgeQuerier(joint(), random_state=0).fit(X, y)
    assert torch.equal(weights(querier), weights(without))


CONTAINERS = {
    "frame": lambda X: pd.DataFrame(X, columns=list("abcd")),
    "csr": sparse.csr_matrix,
    "tensor": lambda X: torch.from_numpy(X).float(),
    "list": np.ndarray.tolist,
}


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
def test_the_pool_comes_in_any_container(container):
    X, y, X_pool, _ = make_data()
    querier = BadgeQuerier(joint(), random_state=0)
    querier.fit(container(X), y, X_unlabeled=container(X_pool))
    reference = BadgeQuerier(joint(), random_state=0).fit(X, y, X_unlabeled=X_pool)
    assert torch.equal(weights(querier), weights(reference))


def test_steps_of_a_pipeline_are_fitted_to_all_rows():
    X, y, X_pool, _ = make_data()
    model = make_pipeline(StandardScaler(), PCA(4), joint())
    querier = BadgeQuerier(model, random_state=0).fit(X, y, X_unlabeled=X_pool)
    expected = np.concatenate([X, X_pool]).mean(axis=0)
    np.testing.assert_allclose(querier.estimator_[0].mean_, expected)


def test_a_search_may_choose_the_weight():
    X, y, X_pool, y_pool = make_data()
    search = GridSearchCV(joint(), {"entropy_weight": [0.0, 0.3]}, cv=2)
    querier = BadgeQuerier(search, random_state=0).fit(X, y, X_unlabeled=X_pool)
    assert querier.estimator_.best_score_ > 0.4
    assert querier.score(X_pool, y_pool) > 0.4


SEMI_SUPERVISED = {
    "self-training": lambda: SelfTrainingClassifier(
        LogisticRegression(), threshold=0.6
    ),
    "spreading": lambda: LabelSpreading(kernel="knn"),
    "propagation": lambda: LabelPropagation(kernel="knn", max_iter=10_000),
}


@pytest.mark.parametrize("make", SEMI_SUPERVISED.values(), ids=SEMI_SUPERVISED)
def test_semi_supervised_classifiers_of_scikit_learn(make):
    X, names, X_pool, names_pool = make_data()
    y, y_pool = np.searchsorted(NAMES, names), np.searchsorted(NAMES, names_pool)
    querier = BadgeQuerier(make(), random_state=0).fit(X, y, X_unlabeled=X_pool)
    marks = np.concatenate([y, np.full(120, -1)])
    alone = make().fit(np.concatenate([X, X_pool]), marks)
    np.testing.assert_array_equal(
        querier.predict_proba(X_pool), alone.predict_proba(X_pool)
    )
    assert querier.classes_.tolist() == [0, 1, 2]
    assert querier.score(X_pool, y_pool) > 0.6
    assert len(querier.query(X_pool, 5)) == 5


def test_self_training_takes_strings():
    X, y, X_pool, y_pool = make_data()
    model = SelfTrainingClassifier(LogisticRegression(), threshold=0.6)
    querier = BadgeQuerier(model, random_state=0).fit(X, y, X_unlabeled=X_pool)
    assert querier.score(X_pool, y_pool) > 0.6
    np.testing.assert_allclose(querier.predict_proba(X_pool).sum(axis=1), 1)


def test_any_estimator_may_declare_that_it_trains_on_unlabeled_rows():
    class Counts(ClassifierMixin, BaseEstimator):
        trains_on_unlabeled = True

        def __init__(self, unlabeled_label="none"):
            self.unlabeled_label = unlabeled_label

        def fit(self, X, y):
            self.n_unlabeled_ = int((y == self.unlabeled_label).sum())
            self.classes_ = np.unique(y[y != self.unlabeled_label])
            return self

        def predict_proba(self, X):
            return np.full((len(X), 3), 1 / 3)

        def predict(self, X):
            return self.classes_[np.zeros(len(X), dtype=int)]

    X, y, X_pool, _ = make_data()
    querier = BadgeQuerier(Counts(), strategy="random")
    assert querier.fit(X, y, X_unlabeled=X_pool).estimator_.n_unlabeled_ == 120


OTHERS = {
    "linear": LogisticRegression,
    "default": lambda: None,
    "net": lambda: NeuralNetClassifier(Net, **PARAMS),
    "pipeline": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    "frozen": lambda: FrozenEstimator(joint().initialize()),
}


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS)
def test_other_estimators_are_refused_and_told_which_would_do(make):
    X, y, X_pool, _ = make_data()
    querier = BadgeQuerier(make(), classes=NAMES)
    message = r"`X_unlabeled` needs.*JointEntropyClassifier.*LabelSpreading.*Got \w+"
    with pytest.raises(ValueError, match=message):
        querier.fit(X, y, X_unlabeled=X_pool)


LABEL_READERS = {
    "selector": SelectKBest(k=2),
    "nested": make_pipeline(StandardScaler(), SelectKBest(k=2), PCA(2)),
    "by columns": ColumnTransformer([("code", TargetEncoder(), [0])]),
    "searched": GridSearchCV(make_pipeline(SelectKBest(), joint()), {}),
}


@pytest.mark.parametrize("step", LABEL_READERS.values(), ids=LABEL_READERS)
def test_steps_that_learn_from_labels_are_refused(step):
    X, y, X_pool, _ = make_data()
    searched = isinstance(step, GridSearchCV)
    querier = BadgeQuerier(step if searched else make_pipeline(step, joint()))
    with pytest.raises(ValueError, match=r"learn from labels: \['\w+"):
        querier.fit(X, y, X_unlabeled=X_pool)


def test_a_model_may_be_made_of_parts_that_learn_from_labels():
    X, y, X_pool, y_pool = make_data()
    model = SelfTrainingClassifier(LinearDiscriminantAnalysis())
    querier = BadgeQuerier(make_pipeline(VarianceThreshold(), model), random_state=0)
    assert querier.fit(X, y, X_unlabeled=X_pool).score(X_pool, y_pool) > 0.6


def test_parameters_of_one_entry_a_row_are_refused():
    X, y, X_pool, _ = make_data()
    querier = BadgeQuerier(SelfTrainingClassifier(LogisticRegression()))
    with pytest.raises(
        ValueError, match=r"one entry for each row.*\['sample_weight'\]"
    ):
        querier.fit(X, y, X_unlabeled=X_pool, sample_weight=np.ones(30))


@pytest.mark.parametrize("given", [True, False])
def test_a_mark_that_is_a_label_is_refused(given):
    X, names, X_pool, _ = make_data()
    pool = X_pool if given else None
    y = np.searchsorted(NAMES, names) - 1
    with pytest.raises(ValueError, match="The label -1 stands for unlabelled rows"):
        BadgeQuerier(LabelSpreading()).fit(X, y, X_unlabeled=pool)
    with pytest.raises(ValueError, match="The label 0 stands for unlabelled rows"):
        BadgeQuerier(joint(unlabeled_label=0)).fit(X, names, X_unlabeled=pool)
    # A net sees these labels as 0, 1, 2, none of which is the mark.
    querier = BadgeQuerier(joint(), random_state=0).fit(X, y, X_unlabeled=pool)
    assert querier.classes_.tolist() == [-1, 0, 1]


def test_a_pool_of_another_width_or_kind_is_refused():
    X, y, X_pool, _ = make_data()
    querier = BadgeQuerier(joint())
    with pytest.raises(ValueError, match="3 features"):
        querier.fit(X, y, X_unlabeled=X_pool[:, :3])
    with pytest.raises(ValueError, match="Input X_unlabeled contains NaN"):
        querier.fit(X, y, X_unlabeled=np.where(X_pool > 2, np.nan, X_pool))
    with pytest.raises(TypeError, match="`X_unlabeled` must be"):
        querier.fit(X, y, X_unlabeled=sparse.csr_matrix(X_pool))
