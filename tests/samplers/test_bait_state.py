"""BAIT's incremental quantities against direct inverses."""

import numpy as np
import pytest

from skbadge.embeddings import FisherSketch, fisher_embedding
from skbadge.samplers._bait_greedy import initial_state
from skbadge.samplers._bait_state import REFRESH_EVERY, BaitState
from tests.samplers._bait_oracle import (
    Oracle,
    binary_information,
    full_information,
    outputs,
    stack,
)

WEIGHTINGS = ["repo", "counts", "mean"]


def embedding(kind, n_rows=12, seed=0, n_classes=4):
    proba, features = outputs(n_rows, n_classes, seed=seed)
    if kind == "sketched":
        sketch = FisherSketch(n_classes - 1, 3, 8, random_state=0)
        return fisher_embedding(proba, features, sketch=sketch)
    return fisher_embedding(proba, features, fisher=kind)


def roots_and_information(kind, **shape):
    roots = embedding(kind, **shape).dense()
    return roots, roots.transpose(0, 2, 1) @ roots


def state_of(kind, regularization=0.7, weighting="repo", n=3, **shape):
    return initial_state(
        embedding(kind, **shape),
        embedding(kind, n_rows=5, seed=1),
        n,
        regularization=regularization,
        labeled_weighting=weighting,
    )


def trace_of(state):
    return float(np.einsum("ij,ji->", state.covariance, state.target))


def oracle_of(kind, regularization=0.7, weighting="repo", n=3, **shape):
    _, pool = roots_and_information(kind, **shape)
    _, labeled = roots_and_information(kind, n_rows=5, seed=1)
    return Oracle(pool, labeled, n, regularization, weighting)


KINDS = ["full", "top_k", "binary", "sketched"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_gains_and_losses_are_differences_of_the_objective(kind, weighting):
    state = state_of(kind, weighting=weighting)
    oracle = oracle_of(kind, weighting=weighting)
    rows = [4, 0, 9]
    for row in rows:
        state.add(row)
    objective = oracle.objective(rows)
    np.testing.assert_allclose(trace_of(state), objective, rtol=1e-12)
    gains, losses = state.gains(), state.losses()
    for row in range(12):
        gain = objective - oracle.objective([*rows, row])
        np.testing.assert_allclose(gains[row], gain, rtol=1e-9, atol=1e-13)
    for row in rows:
        loss = oracle.objective([r for r in rows if r != row]) - objective
        np.testing.assert_allclose(losses[row], loss, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_classes", [4, 30])
def test_updates_equal_recomputation(kind, n_classes):
    # The greater number of classes takes the other way of solving.
    pool = (
        embedding(kind, n_rows=25, n_classes=n_classes)
        if kind != "sketched"
        else (embedding(kind, n_rows=25))
    )
    target = pool.total_information() / 25
    state = BaitState(pool, 0.5 * np.eye(pool.n_parameters), target, 0.4)
    added = [3, 8, 8, 1, 20, 24, 0, 7, 11, 12]
    removed = [8, 24, 3, 12, 0]
    for row in added:
        state.add(row)
    for row in removed:
        state.remove(row)
    assert state.n_updates == 15
    for row in removed:
        added.remove(row)
    V = np.sqrt(0.4) * pool.dense()
    inverse = np.linalg.inv(
        0.5 * np.eye(pool.n_parameters) + sum(V[row].T @ V[row] for row in added)
    )
    close = {"rtol": 1e-8, "atol": 1e-10}
    np.testing.assert_allclose(state.covariance, inverse, **close)
    A = V @ inverse @ V.transpose(0, 2, 1)
    B = V @ (inverse @ target @ inverse) @ V.transpose(0, 2, 1)
    np.testing.assert_allclose(state.A, A, **close)
    np.testing.assert_allclose(state.B, B, **close)
    gains = [np.trace(np.linalg.solve(np.eye(len(a)) + a, b)) for a, b in zip(A, B)]
    np.testing.assert_allclose(state.gains(), gains, **close)
    updated = [state.A.copy(), state.B.copy(), state.covariance.copy()]
    state.refresh()
    for before, after in zip(updated, (state.A, state.B, state.covariance)):
        np.testing.assert_allclose(before, after, **close)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("regularization", [1e-4, 1.0, 1e3])
def test_removing_the_row_just_added_restores_everything(kind, regularization):
    state = state_of(kind, regularization)
    state.add(2)
    before = trace_of(state), state.gains(), state.covariance.copy()
    state.add(5)
    loss = state.losses()[5]
    gain = before[1][5]
    assert abs(trace_of(state) - before[0]) > 1e-9 * before[0]
    np.testing.assert_allclose(loss, gain, rtol=1e-7)
    state.remove(5)
    after = trace_of(state), state.gains(), state.covariance
    for old, new in zip(before, after):
        scale = np.abs(old).max()
        np.testing.assert_allclose(new, old, rtol=1e-7, atol=1e-10 * scale)


def test_everything_is_made_afresh_now_and_then():
    state = state_of("full", n_rows=80)
    for row in range(REFRESH_EVERY - 1):
        state.add(row)
        assert state.n_updates == row + 1
    state.add(REFRESH_EVERY)
    assert state.n_updates == 0


def test_what_loses_digits_is_made_afresh():
    proba, features = outputs(12)
    pool = fisher_embedding(proba, 1000 * features)
    target, V = pool.total_information() / 12, pool.dense()
    start = 1e-4 * np.eye(pool.n_parameters)
    state = BaitState(pool, start.copy(), target, 1.0)
    for row in (0, 3, 5, 7):
        state.add(row)
        assert state.n_updates <= (row == 7)
    assert np.linalg.cond(state.precision) < 1e3
    inverse = np.linalg.inv(start + sum(V[row].T @ V[row] for row in (0, 3, 5, 7)))
    B = V @ (inverse @ target @ inverse) @ V.transpose(0, 2, 1)
    np.testing.assert_allclose(state.B, B, rtol=1e-5, atol=1e-5)


def test_a_removal_that_would_lose_digits_is_made_afresh():
    pool = embedding("full")
    target = pool.total_information() / 12
    state = BaitState(pool, 1e-8 * np.eye(9), target, 1.0)
    before = state.gains()
    for row in (0, 1):
        state.add(row)
    state.remove(1)
    assert state.n_updates == 0
    state.remove(0)
    assert state.n_updates == 0
    np.testing.assert_allclose(state.covariance, 1e8 * np.eye(9), rtol=1e-6, atol=100)
    np.testing.assert_allclose(state.gains(), before, rtol=1e-6)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_the_start_is_that_of_the_definition_in_all_coordinates(weighting):
    # The oracle has one parameter more for each feature, where nothing is known.
    (p, z), (pl, zl) = outputs(12), outputs(5, seed=1)
    oracle = Oracle(
        stack(full_information, p, z),
        stack(full_information, pl, zl),
        3,
        0.7,
        weighting,
    )
    state = state_of("full", weighting=weighting)
    assert state.covariance.shape == (9, 9)
    assert oracle.target.shape == (12, 12)
    np.testing.assert_allclose(trace_of(state), oracle.objective([]), rtol=1e-12)
    for row in (3, 7):
        state.add(row)
    np.testing.assert_allclose(trace_of(state), oracle.objective([3, 7]), rtol=1e-12)


def test_without_labelled_rows_a_row_counts_once():
    proba, features = outputs(12)
    pool = fisher_embedding(proba, features)
    oracle = Oracle(stack(full_information, proba, features), None, 3, 0.7, "repo")
    for weighting in WEIGHTINGS:
        state = initial_state(
            pool, None, 3, regularization=0.7, labeled_weighting=weighting
        )
        state.add(4)
        np.testing.assert_allclose(trace_of(state), oracle.objective([4]), rtol=1e-12)


def test_two_classes_are_one_logit_with_half_the_regularisation():
    proba, features = outputs(12, n_classes=2)
    pair = fisher_embedding(proba, features)
    single = fisher_embedding(proba, features, one_logit=True)
    oracle = Oracle(stack(binary_information, proba, features), None, 3, 0.35, "repo")
    parameters = {"labeled_weighting": "repo"}
    states = [
        initial_state(pair, None, 3, regularization=0.7, **parameters),
        initial_state(single, None, 3, regularization=0.35, **parameters),
    ]
    for row in (3, 8):
        for state in states:
            state.add(row)
    for state in states:
        np.testing.assert_allclose(
            trace_of(state), oracle.objective([3, 8]), rtol=1e-12
        )
    np.testing.assert_allclose(*(state.gains() for state in states), rtol=1e-11)
