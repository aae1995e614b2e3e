"""Improved greedy sampling: products of distances in input and in target."""

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from skbadge import BadgeQuerier
from skbadge.embeddings import DenseEmbedding
from skbadge.exceptions import QueryWarning
from skbadge.outputs import Labeled, Outputs
from skbadge.samplers import Feasible, KCenter
from skbadge.strategies import IGS


def outputs(n, seed, n_targets=1):
    rng = np.random.RandomState(seed)
    inputs = rng.normal(size=(n, 5)) * [1, 10, 100, 0.1, 1] + [0, 5, 0, 0, 1e3]
    return Outputs(inputs=inputs, prediction=1e4 + rng.normal(size=(n, n_targets)))


def labeled_rows(n=8, n_targets=1):
    y = 1e4 + np.random.RandomState(9).normal(size=(n, n_targets))
    return Labeled(outputs(n, 1, n_targets), y[:, 0] if n_targets == 1 else y)


def by_brute_force(pool, labeled, n, may_be_picked, pending=()):
    scaler = StandardScaler().fit(pool.inputs)
    X, X_known = scaler.transform(pool.inputs), scaler.transform(labeled.outputs.inputs)
    y = np.asarray(labeled.y).reshape(len(labeled), -1)
    picks, values = [], []
    while len(picks) < n:
        taken = [*pending, *picks]
        centers = np.vstack([X_known, X[taken]])
        targets = np.vstack([y, pool.prediction[taken]])
        scores = (cdist(X, centers) * cdist(pool.prediction, targets)).min(axis=1)
        left = [row for row in range(len(X)) if may_be_picked(row, taken)]
        picks.append(left[int(np.argmax(scores[left]))])
        values.append(scores[picks[-1]])
    return picks, values


def any_other(row, taken):
    return row not in taken


@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize("n_rows", [40, 3000])
def test_picks_are_those_of_brute_force(n_rows, n_targets):
    pool, labeled = outputs(n_rows, 0, n_targets), labeled_rows(8, n_targets)
    n = 30 if n_rows == 40 else 12
    expected, values = by_brute_force(pool, labeled, n, any_other)
    selection = IGS().run(pool, n, labeled=labeled, random_state=0)
    assert selection.rows.tolist() == expected
    np.testing.assert_allclose(selection.values, values, rtol=1e-6)
    assert (np.diff(selection.values) <= 1e-9).all()


def test_pending_rows_count_as_picked_and_groups_are_kept_to():
    pool, labeled = outputs(60, 0), labeled_rows()
    groups, pending = np.arange(60) // 4, [7, 30]
    feasible = Feasible(60, None, groups, pending=pending)

    def may_be_picked(row, taken):
        return groups[row] not in groups[taken]

    expected, _ = by_brute_force(pool, labeled, 10, may_be_picked, pending)
    rows = IGS().select(pool, 10, labeled=labeled, feasible=feasible)
    assert rows.tolist() == expected


def test_without_labelled_rows_the_inputs_alone_count():
    pool = outputs(60, 0)
    embedding = DenseEmbedding(StandardScaler().fit_transform(pool.inputs))
    np.testing.assert_array_equal(
        IGS().select(pool, 9, random_state=0), KCenter().sample(embedding, 9)
    )


@pytest.mark.parametrize("unit", [1e-3, 1e-200, 1e200])
def test_units_do_not_matter(unit):
    pool, labeled = outputs(60, 0), labeled_rows()
    expected = IGS().select(pool, 9, labeled=labeled)
    scale = np.array([1e3, 1, 7, 1e-4, 5])

    def rescaled(part):
        return Outputs(
            inputs=part.inputs * scale + 3, prediction=part.prediction * unit - 7 * unit
        )

    other = Labeled(rescaled(labeled.outputs), labeled.y * unit - 7 * unit)
    np.testing.assert_array_equal(
        IGS().select(rescaled(pool), 9, labeled=other), expected
    )


def test_sparse_inputs_are_picked_as_dense_ones():
    rng = np.random.RandomState(0)
    inputs = rng.normal(size=(60, 6)) * (rng.rand(60, 6) < 0.4)
    known = rng.normal(size=(5, 6)) * (rng.rand(5, 6) < 0.4)
    y, prediction = rng.normal(size=5), rng.normal(size=(60, 1))

    def select(form):
        labeled = Labeled(Outputs(inputs=form(known), prediction=y[:, None]), y)
        pool = Outputs(inputs=form(inputs), prediction=prediction)
        return IGS().select(pool, 9, labeled=labeled)

    np.testing.assert_array_equal(select(sparse.csr_matrix), select(np.asarray))


def test_rows_that_nothing_tells_apart_are_filled_up_and_warned_of():
    X = np.random.RandomState(0).normal(size=(80, 3))
    tree = DecisionTreeRegressor(max_leaf_nodes=4)
    querier = BadgeQuerier(tree, strategy="igs", random_state=0)
    querier.fit(X[:20], X[:20, 0])
    with pytest.warns(QueryWarning, match="drawn uniformly from the rest"):
        rows = querier.query(X[20:], 30)
    assert len(set(rows)) == 30


def test_the_first_pick_of_a_querier_is_the_one_by_definition():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(300, 4))
    Y = np.column_stack([X[:, 0] ** 2, X[:, 1]]) + 0.1 * rng.normal(size=(300, 2))
    for y in (Y[:, 0], Y):
        querier = BadgeQuerier(Ridge(), strategy="igs", random_state=0)
        querier.fit(X[:20], y[:20])
        pool = X[20:]
        scaler = StandardScaler().fit(pool)
        far = cdist(scaler.transform(pool), scaler.transform(X[:20]))
        f = querier.predict(pool).reshape(280, -1)
        off = cdist(f, y[:20].reshape(20, -1))
        assert querier.query(pool)[0] == (far * off).min(axis=1).argmax()


def test_a_classifier_is_refused_before_it_is_trained():
    querier = BadgeQuerier(LogisticRegression(), strategy="igs")
    match = "IGS.. needs predictions of numbers, and a classifier, LogisticRegression"
    with pytest.raises(ValueError, match=match):
        querier.fit([[0.0], [1.0]], [0, 1])
