"""One simulated run: what is labelled when, and going on after an interruption."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, recall_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skbadge import BadgeQuerier
from skbadge.experiment.simulation import draw_split, prepare, resolve_scoring, simulate
from skbadge.nn import TabularNetClassifier
from skbadge.strategies import ALBL


def make_data(n_rows=200, seed=0):
    return make_classification(
        n_rows, n_features=6, n_informative=4, n_classes=3, random_state=seed
    )


def run(querier, X, y, **options):
    options = {"n_query": 10, "budget": 45, "seed": 0} | options
    split = options.pop("split", None) or draw_split(y, n_initial=12, seed=0)
    rounds = simulate(querier, X, y, split, **options)
    return [evaluation for evaluation, _ in rounds], split


def test_rounds_label_distinct_rows_of_the_pool_up_to_the_budget():
    X, y = make_data()
    evaluations, split = run(BadgeQuerier(LogisticRegression()), X, y)
    assert [each.n_labeled for each in evaluations] == [12, 22, 32, 42, 45]
    assert [each.round for each in evaluations] == [0, 1, 2, 3, 4]
    rows = np.concatenate([each.rows for each in evaluations])
    assert len(np.unique(rows)) == 45
    assert np.isin(rows, split.pool).all()
    np.testing.assert_array_equal(evaluations[0].rows, split.first)
    assert evaluations[0].query_time == 0
    assert evaluations[0].report is None
    assert all(each.query_time > 0 and each.report for each in evaluations[1:])
    assert all(each.fit_time > 0 for each in evaluations)


def test_a_run_ends_with_its_pool():
    X, y = make_data(40)
    evaluations, split = run(BadgeQuerier(LogisticRegression()), X, y, budget=1000)
    assert evaluations[-1].n_labeled == len(split.pool)


def test_scores_are_those_of_a_loop_written_out():
    X, y = make_data()
    querier = BadgeQuerier(LogisticRegression(), strategy="margin")
    scorers = resolve_scoring(querier, ["accuracy", "neg_log_loss"])
    evaluations, split = run(querier, X, y, scorers=scorers, budget=32)

    left = split.pool[~np.isin(split.pool, split.first)]
    labeled = split.first
    for evaluation in evaluations:
        model = LogisticRegression().fit(X[labeled], y[labeled])
        accuracy = model.score(X[split.test], y[split.test])
        assert evaluation.scores["accuracy"] == accuracy
        proba = np.sort(model.predict_proba(X[left]))
        picks = np.argsort(proba[:, -1] - proba[:, -2])[:10]
        labeled = np.concatenate([labeled, left[picks]])
        left = np.delete(left, picks)
    assert evaluations[0].scores["neg_log_loss"] < 0


@pytest.mark.parametrize(
    "querier",
    [
        BadgeQuerier(TabularNetClassifier(hidden_sizes=(8,), max_epochs=5)),
        BadgeQuerier(LogisticRegression(), strategy=ALBL()),
        BadgeQuerier(
            TabularNetClassifier(hidden_sizes=(8,), max_epochs=3, warm_start=True),
            warm_start=True,
        ),
        make_pipeline(StandardScaler(), BadgeQuerier(LogisticRegression())),
    ],
    ids=["net", "albl", "warm", "pipeline"],
)
@pytest.mark.parametrize("stop_after", [0, 2])
def test_an_interrupted_run_ends_as_if_it_had_not_been(querier, stop_after):
    X, y = make_data()
    scorers = resolve_scoring(querier, "accuracy")
    whole, split = run(querier, X, y, scorers=scorers)
    for evaluation, state in simulate(
        querier, X, y, split, n_query=10, budget=45, seed=0, scorers=scorers
    ):
        kept = pickle.dumps(state)
        if evaluation.round == stop_after:
            break
    rest, _ = run(querier, X, y, split=split, scorers=scorers, state=pickle.loads(kept))
    assert [each.round for each in rest] == list(range(stop_after + 1, 5))
    for mine, theirs in zip(rest, whole[stop_after + 1 :], strict=True):
        np.testing.assert_array_equal(mine.rows, theirs.rows)
        assert mine.scores == theirs.scores


def test_a_finished_run_has_nothing_left_to_do():
    X, y = make_data()
    querier = BadgeQuerier(LogisticRegression())
    split = draw_split(y, n_initial=12, seed=0)
    for _, state in simulate(querier, X, y, split, n_query=10, budget=22, seed=0):
        pass
    assert run(querier, X, y, split=split, budget=22, state=state)[0] == []


def as_sparse(X):
    return sparse.csr_matrix(X)


def as_frame(X):
    return pd.DataFrame(X, index=np.arange(len(X))[::-1])


@pytest.mark.parametrize("convert", [as_sparse, as_frame, np.ndarray.tolist])
def test_the_container_makes_no_difference(convert):
    X, y = make_data()
    querier = BadgeQuerier(LogisticRegression())
    scorers = resolve_scoring(querier, None)
    expected, _ = run(querier, X, y, scorers=scorers)
    found, _ = run(querier, convert(X), y, scorers=scorers)
    assert [e.scores for e in found] == [e.scores for e in expected]


def test_strings_and_missing_values_go_through_a_pipeline():
    X, y = make_data()
    frame = pd.DataFrame(X).rename(columns="x{}".format)
    frame.loc[::7, "x0"] = np.nan
    frame["kind"] = np.where(X[:, 1] > 0, "up", "down")
    frame.loc[::9, "kind"] = None
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["kind"]),
        remainder=make_pipeline(SimpleImputer(), StandardScaler()),
    )
    labels = np.array(["one", "two", "three"])[y]
    net = TabularNetClassifier(hidden_sizes=(8,), max_epochs=5)
    querier = BadgeQuerier(make_pipeline(columns, net))
    scorers = resolve_scoring(querier, None)
    evaluations, _ = run(querier, frame, labels, scorers=scorers)
    assert len(evaluations) == 5
    assert all(0 <= each.scores["accuracy"] <= 1 for each in evaluations)


def test_searches_around_a_querier_are_fitted_anew_in_each_round():
    X, y = make_data()
    search = GridSearchCV(
        BadgeQuerier(LogisticRegression()), {"estimator__C": [0.1, 1]}, cv=2
    )
    evaluations, _ = run(search, X, y, budget=32)
    assert [each.n_labeled for each in evaluations] == [12, 22, 32]


def test_first_labels_may_miss_classes():
    X, y = make_data()
    split = draw_split(y, n_initial=12, seed=0)
    one = split.pool[y[split.pool] != 2][:12]
    split = type(split)(split.pool, one, split.test)
    net = TabularNetClassifier(hidden_sizes=(8,), max_epochs=5)
    evaluations, _ = run(BadgeQuerier(net), X, y, split=split)
    assert len(evaluations) == 5


def test_the_querier_given_stays_as_it_is():
    X, y = make_data()
    querier = BadgeQuerier(LogisticRegression())
    run(querier, X, y)
    assert querier.classes is None
    assert querier.random_state is None
    assert not hasattr(querier, "estimator_")


def test_prepare_names_the_classes_and_seeds_the_querier():
    y = np.array(["b", "a", "b"])
    made = prepare(BadgeQuerier(LogisticRegression()), y, 3)
    assert made.classes.tolist() == ["a", "b"]
    assert isinstance(made.random_state, int)
    kept = prepare(BadgeQuerier(classes=["a", "b", "c"], random_state=5), y, None)
    assert kept.classes == ["a", "b", "c"]
    assert kept.random_state == 5
    assert isinstance(kept.estimator, TabularNetClassifier)
    with pytest.raises(TypeError, match="must be a BadgeQuerier"):
        prepare(LogisticRegression(), y, 0)


def recall_of_ones(y_true, y_pred):
    return recall_score(y_true, y_pred, labels=[1], average="macro")


def test_metrics_are_named_after_what_they_are_given_as():
    querier = BadgeQuerier(LogisticRegression())
    assert list(resolve_scoring(querier, None)) == ["accuracy"]
    assert list(resolve_scoring(querier, "f1_macro")) == ["f1_macro"]
    scorer = make_scorer(recall_of_ones)
    assert list(resolve_scoring(querier, ["accuracy", scorer])) == [
        "accuracy",
        "recall_of_ones",
    ]
    assert list(resolve_scoring(querier, {"mine": scorer})) == ["mine"]
    with pytest.raises(ValueError, match="name its metrics apart"):
        resolve_scoring(querier, [scorer, scorer])
