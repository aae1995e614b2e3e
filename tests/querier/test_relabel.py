"""Labels that were wrong, and rows that should not have been labelled."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression

from skbadge import BadgeQuerier
from skbadge.nn import TabularNetClassifier

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
y = np.where(X[:, 0] > 0, "yes", "no")


def fitted(rows=20, **params):
    querier = BadgeQuerier(LogisticRegression(), random_state=0, **params)
    return querier.fit(X[:rows], y[:rows])


def same_model(querier, other):
    np.testing.assert_allclose(querier.estimator_.coef_, other.estimator_.coef_)


def test_corrected_labels_are_trained_on():
    wrong = y[:20].copy()
    wrong[[3, 7]] = np.where(wrong[[3, 7]] == "yes", "no", "yes")
    querier = BadgeQuerier(LogisticRegression(), random_state=0).fit(X[:20], wrong)
    before = querier.estimator_.coef_.copy()
    assert querier.relabel([7, 3], y[[7, 3]]) is querier
    np.testing.assert_array_equal(querier.y_labeled_, y[:20])
    np.testing.assert_array_equal(querier.estimator_.coef_, before)
    same_model(querier.partial_fit(), fitted())


def test_forgotten_rows_are_trained_without():
    querier = fitted(20)
    assert querier.forget([0, 19, 5]) is querier
    kept = np.setdiff1d(np.arange(20), [0, 19, 5])
    np.testing.assert_array_equal(querier.X_labeled_, X[kept])
    np.testing.assert_array_equal(querier.y_labeled_, y[kept])
    expected = BadgeQuerier(LogisticRegression(), random_state=0).fit(X[kept], y[kept])
    same_model(querier.partial_fit(), expected)


def test_weights_go_with_their_rows():
    weights = rng.uniform(size=20)
    querier = BadgeQuerier(LogisticRegression(), random_state=0)
    querier.fit(X[:20], y[:20], sample_weight=weights).forget([1]).partial_fit()
    kept = np.delete(np.arange(20), 1)
    expected = BadgeQuerier(LogisticRegression(), random_state=0)
    same_model(querier, expected.fit(X[kept], y[kept], sample_weight=weights[kept]))


def test_frames_stay_frames():
    frame = pd.DataFrame(X, columns=list("abc"), index=np.arange(40) + 100)
    querier = BadgeQuerier(LogisticRegression()).fit(frame[:20], y[:20])
    querier.forget([0]).relabel([0], [y[1]])
    pd.testing.assert_frame_equal(querier.X_labeled_, frame[1:20])


def test_a_longer_label_is_not_cut():
    querier = BadgeQuerier(LogisticRegression(), classes=["no", "perhaps", "yes"])
    querier.fit(X[:20], y[:20]).relabel([4], ["perhaps"])
    assert querier.y_labeled_[4] == "perhaps"
    assert set(querier.partial_fit().classes_) == {"no", "perhaps", "yes"}


def test_targets_of_a_regressor():
    querier = BadgeQuerier(LinearRegression()).fit(X[:20], X[:20, 0])
    querier.relabel([2, 0], [7, 8])
    assert querier.y_labeled_[[2, 0]].tolist() == [7.0, 8.0]


def test_what_was_given_stays_as_it_is():
    labels, rows = y[:20].copy(), X[:20].copy()
    querier = BadgeQuerier(LogisticRegression()).fit(rows, labels)
    querier.relabel([0], ["yes"]).relabel([0], ["no"]).forget([3])
    np.testing.assert_array_equal(labels, y[:20])
    np.testing.assert_array_equal(rows, X[:20])


def test_draws_after_forgetting_are_not_those_of_an_earlier_round():
    querier = fitted(20, strategy="random")
    first = querier.query(X[20:], 5)
    querier.partial_fit(X[20:25], y[20:25]).forget(np.arange(5)).partial_fit()
    assert len(querier.y_labeled_) == 20
    assert querier.query(X[20:], 5).tolist() != first.tolist()


def test_a_query_does_not_change_the_next_one():
    querier = fitted(20)
    rows = querier.query(X[20:], 5)
    np.testing.assert_array_equal(querier.query(X[20:], 5), rows)
    other = fitted(20)
    other.query(X[25:], 3)
    np.testing.assert_array_equal(other.query(X[20:], 5), rows)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda q: q.relabel([20], ["no"]), ValueError, "between 0 and 19. Got 20"),
        (lambda q: q.relabel([1, 1], ["no"] * 2), ValueError, "distinct positions"),
        (lambda q: q.relabel([1], ["no", "yes"]), ValueError, "inconsistent numbers"),
        (lambda q: q.relabel([1], [None]), ValueError, "contains NaN or None"),
        (lambda q: q.relabel([1], [3]), ValueError, "labels of one kind"),
        (lambda q: q.forget([-1]), ValueError, "between 0 and 19. Got -1"),
        (lambda q: q.forget([0.5]), TypeError, "int positions in it"),
        (lambda q: q.forget([[1]]), TypeError, "int positions in it"),
        (lambda q: q.forget(np.arange(20)).partial_fit(), ValueError, "no labelled"),
    ],
)
def test_what_makes_no_sense_is_refused(call, error, match):
    querier = fitted(20)
    with pytest.raises(error, match=match):
        call(querier)
    assert len(querier.y_labeled_) in (0, 20)


def test_unknown_labels_are_refused_where_classes_are_named():
    querier = fitted(20, classes=["no", "yes"])
    with pytest.raises(ValueError, match=r"not among `classes`: \['maybe'\]"):
        querier.relabel([0], ["maybe"])


def test_before_any_label_there_is_nothing_to_change():
    for call in (lambda q: q.relabel([0], ["no"]), lambda q: q.forget([0])):
        with pytest.raises(NotFittedError, match="has no labelled rows yet"):
            call(BadgeQuerier())


def test_a_mask_says_positions_as_well():
    querier = fitted(20).forget(np.arange(20) < 3)
    np.testing.assert_array_equal(querier.X_labeled_, X[3:20])


@pytest.mark.parametrize("labels", [y[:20], np.arange(20) % 2, np.arange(20.0) % 3])
def test_nothing_relabelled_is_nothing_changed(labels):
    querier = BadgeQuerier(LogisticRegression()).fit(X[:20], labels)
    querier.relabel([], [])
    assert querier.y_labeled_.dtype == labels.dtype
    np.testing.assert_array_equal(querier.y_labeled_, labels)


def test_labels_keep_their_dtype_where_it_holds_the_new_ones():
    labels = (np.arange(20) % 2).astype(np.uint8)
    querier = BadgeQuerier(LogisticRegression()).fit(X[:20], labels)
    assert querier.relabel([0], [1]).y_labeled_.dtype == np.uint8
    assert querier.relabel([0], [300]).y_labeled_[0] == 300


@pytest.mark.parametrize("other", [np.arange(20) % 2, np.arange(20.0) % 2, y[:20]])
def test_after_all_is_forgotten_labels_may_be_of_another_kind(other):
    querier = fitted(20).forget(np.arange(20))
    querier.partial_fit(X[:20], other)
    assert querier.classes_.dtype.kind == other.dtype.kind


@pytest.mark.parametrize("strategy", ["badge", "core_set", "bait", "lcmd", "albl"])
def test_a_query_without_labelled_rows_goes_on(strategy):
    querier = fitted(20, strategy=strategy).forget(np.arange(20))
    assert len(set(querier.query(X[20:], 2))) == 2


def test_a_warm_net_keeps_the_output_of_a_class_that_went_away():
    net = TabularNetClassifier(max_epochs=2)
    labels = np.arange(30) % 3
    querier = BadgeQuerier(net, warm_start=True, random_state=0).fit(X[:30], labels)
    querier.forget(np.flatnonzero(labels == 2)).partial_fit()
    assert querier.classes_.tolist() == [0, 1, 2]
    assert querier.predict_proba(X).shape == (40, 3)
