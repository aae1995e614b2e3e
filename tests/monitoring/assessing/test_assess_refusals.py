"""What `assess` refuses, and how it says what to do."""

import numpy as np
import pytest
from sklearn.base import clone, is_regressor
from sklearn.datasets import make_regression
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from skbadge import BadgeQuerier
from skbadge.monitoring import assess
from skbadge.pools import from_chunks
from skbadge.strategies import Badge, Margin, PosteriorKMeansPlusPlus
from tests.monitoring._asked import NAMES, X, asked, y


@pytest.mark.parametrize(
    ("strategy", "options"),
    [
        ("margin", {}),
        ("core_set", {}),
        (Badge(), {}),
        (Margin(noise="power"), {}),
        ("random", {"groups": np.arange(540) // 2}),
    ],
)
def test_batches_without_probabilities_are_refused(strategy, options):
    querier, report, answers = asked(strategy=strategy, **options)
    assert report.predictions is None
    with pytest.raises(ValueError, match=r"has no probabilities.*Badge\(uniform_share"):
        assess(querier, report, answers)


def test_batches_of_no_model_are_refused():
    querier = BadgeQuerier(
        LogisticRegression(), strategy="random", cold_start="random", random_state=0
    )
    rows, report = querier.query(X, 60, return_report=True)
    assert report.predictions is None
    querier.fit(X[rows], y[rows])
    with pytest.raises(ValueError, match="before there was a model"):
        assess(querier, report, y[rows], rows=X[rows])


@pytest.mark.parametrize("strategy", ["random", Badge(uniform_share=0.2)])
def test_batches_of_no_rows_are_refused(strategy):
    querier, report, answers = asked(strategy=strategy, n=0)
    with pytest.raises(ValueError, match="a query that selected no rows"):
        assess(querier, report, answers)


class Counted:
    n_trainings = 0

    def fit(self, X, y):
        type(self).n_trainings += 1
        return super().fit(X, y)


class CountedRidge(Counted, Ridge):
    pass


class CountedSVC(Counted, LinearSVC):
    pass


@pytest.mark.parametrize(
    ("model", "strategy", "options", "message"),
    [
        (
            CountedRidge(),
            PosteriorKMeansPlusPlus(uniform_share=0.3),
            {"metric": "root_mean_squared_error", "max_loss": 0.01},
            "`max_loss` must be the greatest loss",
        ),
        (CountedSVC(), "random", {"metric": "log_loss"}, "predict_proba"),
    ],
)
def test_what_the_batch_can_tell_is_refused_before_a_training(
    model, strategy, options, message
):
    labels = X[:, 0] if is_regressor(model) else y
    querier, report, answers = asked(model, strategy, labels=labels)
    n_before = type(model).n_trainings
    with pytest.raises(ValueError, match=message):
        assess(querier, report, answers, **options)
    assert type(model).n_trainings == n_before


def test_other_answers_than_those_of_the_batch_are_refused():
    querier, report, answers = asked()
    for given in (answers[:-1], np.append(answers, 0)):
        with pytest.raises(ValueError, match="one label for each of the 30 rows"):
            assess(querier, report, given)
    with pytest.raises(ValueError, match="at least one label"):
        assess(querier, report, [None] * 30)
    with pytest.raises(ValueError, match="one entry for each row"):
        assess(querier, report, 1)
    with pytest.raises(ValueError, match="labels of the kind of the model's classes"):
        assess(querier, report, NAMES[answers])
    pd = pytest.importorskip("pandas")
    named = pd.Series(y[60:])[report.rows]
    assess(querier, report, named)
    with pytest.raises(ValueError, match=r"another order than `report.rows`"):
        assess(querier, report, named.sort_index())


def test_ids_of_a_pool_in_chunks_are_compared():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X[60:], columns=list("abcdef"))
    frame["name"] = [f"row-{i}" for i in range(540)]
    parts = [frame[:300], frame[300:]]
    pool = from_chunks(lambda: iter(parts), id_column="name")
    querier = BadgeQuerier(LogisticRegression(), strategy="random", random_state=0)
    querier.fit(frame[list("abcdef")][:60], y[60:120])
    rows, report = querier.query(pool, 10, return_report=True)
    answers = pd.Series(y[60:], index=frame["name"])
    batch = pool.take(rows)
    assess(querier, report, answers[report.ids], rows=batch)
    with pytest.raises(ValueError, match=r"other rows than `report.ids`"):
        assess(querier, report, answers[: len(rows)], rows=batch)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metric": "root_mean_squared_error"}, "for a classifier"),
        ({"metric": "precision"}, r"needs `pos_label`.*classes are \[0, 1, 2\]"),
        ({"metric": "recall", "pos_label": "x"}, "Got 'x'"),
        ({"metric": "recall", "pos_label": [1]}, r"be one label, .* Got \[1\] instead"),
        ({"metric": "f1"}, "metric"),
        ({"interval": "exact"}, "interval"),
        ({"confidence": 1.0}, "confidence"),
        ({"n_folds": 1}, "n_folds"),
        ({"max_loss": 0.0}, "max_loss"),
    ],
)
def test_other_arguments_that_are_refused(change, message):
    querier, report, answers = asked()
    arguments = {"report": report, "y_new": answers} | change
    with pytest.raises(ValueError, match=message):
        assess(querier, **arguments)


def test_other_models_that_are_refused():
    rows, target = make_regression(600, 6, random_state=0)
    querier, report, answers = asked(
        LinearRegression(), "random", labels=target, rows=rows
    )
    with pytest.raises(ValueError, match=r"root_mean_squared_error.*for a regressor"):
        assess(querier, report, answers)
    with pytest.raises(TypeError, match="must be a BadgeQuerier"):
        assess(clone(LinearRegression()), report, answers)


def test_too_few_labels_to_leave_some_out():
    querier = BadgeQuerier(LogisticRegression(), strategy="random", random_state=0)
    rows = [np.flatnonzero(y == label)[0] for label in range(3)]
    querier.fit(X[rows], y[rows])
    batch, report = querier.query(X[100:], 10, return_report=True)
    with pytest.raises(ValueError, match="two classes with two labelled rows each"):
        assess(querier, report, y[100:][batch])
    regressor = BadgeQuerier(LinearRegression(), strategy="random", random_state=0)
    regressor.fit(X[:3], X[:3, 0])
    batch, report = regressor.query(X[100:], 10, return_report=True)
    with pytest.raises(ValueError, match=r"at least 4 labelled rows. Got 3"):
        assess(regressor, report, X[100:, 0][batch], metric="root_mean_squared_error")


def test_a_clone_that_cannot_be_trained_says_when():
    querier = BadgeQuerier(
        KNeighborsClassifier(55), strategy="random", random_state=0
    ).fit(X[:60], y[:60])
    batch, report = querier.query(X[60:], 10, return_report=True)
    with pytest.raises(ValueError, match=r"trained on 30 of 60.*n_neighbors"):
        assess(querier, report, y[60:][batch], n_folds=2)
