"""ALBL: the bandit, its unbiased reward, and a state that follows the rows."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier
from skbadge.outputs import Labeled, Outputs
from skbadge.strategies import ALBL
from skbadge.strategies._exp4p import (
    expert_probabilities,
    importance_weighted_accuracy,
)


class Pool:
    """A pool with known labels that shrinks as rows are labelled."""

    def __init__(self, n_rows=20, n_classes=3, seed=0):
        rng = np.random.default_rng(seed)
        self.proba = rng.dirichlet(np.ones(n_classes), n_rows)
        self.features = rng.normal(size=(n_rows, 4))
        self.y = rng.integers(n_classes, size=n_rows)
        self.is_correct = self.proba.argmax(axis=1) == self.y
        self.left = np.arange(n_rows)
        self.labeled = np.array([], dtype=int)

    def outputs(self, rows):
        def identify(positions):
            return [f"row {row}" for row in rows[positions]]

        return Outputs(self.proba[rows], self.features[rows], identify=identify)

    def ask(self, strategy, n, seed, beside=None, **kwargs):
        labeled = Labeled(
            self.outputs(self.labeled),
            self.y[self.labeled],
            self.y[self.labeled],
            [f"row {row}" for row in self.labeled],
        )
        labeled = labeled if len(self.labeled) else None
        pool = self.outputs(self.left)
        if beside is not None:
            pool = Outputs(
                np.vstack([pool.proba, beside.proba]),
                np.vstack([pool.features, beside.features]),
                identify=pool.identify,
            )
        return strategy.select(pool, n, labeled=labeled, random_state=seed, **kwargs)

    def label(self, positions):
        self.labeled = np.append(self.labeled, self.left[positions])
        self.left = np.delete(self.left, positions)


@pytest.mark.parametrize("strategies", [["badge", "margin"], ["margin", "max_herding"]])
@pytest.mark.parametrize("n_others", [0, 30])
def test_weighted_accuracy_of_draws_is_unbiased(n_others, strategies):
    """The mean over many runs of four rounds is the accuracy on the whole pool.

    Rows that may not be selected do not count.
    """
    rewards = []
    for seed in range(600):
        pool, strategy = Pool(), ALBL(strategies, p_min=0.2)
        others = Pool(n_others, seed=1)
        for step in range(4):
            feasible = np.arange(len(pool.left) + n_others) < len(pool.left)
            positions = pool.ask(
                strategy, 2, 10_000 * step + seed, beside=others, feasible=feasible
            )
            pool.label(positions)
        rewards.append(strategy.rewards_)
    rewards = np.array(rewards)
    truth = Pool().is_correct.mean()
    assert 0.2 < truth < 0.8
    errors = rewards.std(axis=0) / np.sqrt(len(rewards))
    assert rewards.shape[1] == 3
    assert np.all(np.abs(rewards.mean(axis=0) - truth) < 4 * errors)
    assert errors.max() < 0.08


def test_probability_of_each_draw_is_the_one_reported():
    """Over many selections of one row, each row comes as often as its value says."""
    pool, reported = Pool(n_rows=6), {}
    counts = np.zeros(6)
    for seed in range(2000):
        strategy = ALBL(p_min=0.1)
        selection = strategy.run(pool.outputs(pool.left), 1, random_state=seed)
        counts[selection.rows[0]] += 1
        reported[int(selection.rows[0])] = selection.values[0]
    expected = np.array([reported[row] for row in range(6)])
    assert expected.sum() == pytest.approx(1)
    errors = np.sqrt(expected * (1 - expected) / counts.sum())
    assert np.all(np.abs(counts / counts.sum() - expected) < 4 * errors)


@pytest.mark.parametrize("log_weights", [[0.0, 0.0], [800.0, -800.0], [5.0, 1.0]])
def test_no_expert_falls_below_the_floor(log_weights):
    probabilities = expert_probabilities(np.array(log_weights), 0.05)
    assert probabilities.sum() == pytest.approx(1)
    assert probabilities.min() >= 0.05 - 1e-12


def test_weighted_accuracy_by_hand():
    accuracy = importance_weighted_accuracy([4.0, 2.0, 8.0], [True, False, True], 10, 3)
    assert accuracy == pytest.approx(12 / 30)


def test_equal_experts_keep_equal_weights():
    pool, strategy = Pool(n_rows=40), ALBL(experts=("margin", "margin", "random"))
    for seed in range(6):
        pool.label(pool.ask(strategy, 3, seed))
    weights = strategy.log_weights_
    assert weights[0] == pytest.approx(weights[1], abs=1e-12)
    assert weights[0] != weights[2]


def test_simplified_bandit_follows_a_trace_worked_out_by_hand():
    pool = Pool(n_rows=12)
    pool.label(np.array([0, 1]))
    strategy = ALBL(mode="badge_repo", delta=0.1)
    first = pool.ask(strategy, 2, 0)
    assert strategy.probabilities_ == pytest.approx([0.5, 0.5])
    played = strategy._pending["expert"]
    rows = pool.left[first]
    pool.label(first)
    pool.ask(strategy, 2, 1)
    # The two initial rows weigh 1, the two queried ones 1 / 0.5.
    hits = pool.is_correct
    reward = (hits[0] + hits[1] + 2 * hits[rows[0]] + 2 * hits[rows[1]]) / 4
    bonus = np.sqrt(np.log(2 / 0.1) / 2) / 0.5
    expected = [0.0, 0.0]
    expected[played] = 0.05 / 2 * (reward + bonus)
    assert strategy.rewards_ == pytest.approx([reward])
    assert strategy.log_weights_ == pytest.approx(expected)
    shares = np.exp(expected) / np.exp(expected).sum()
    assert strategy.probabilities_ == pytest.approx(0.9 * shares + 0.05)


def test_mixture_bandit_follows_a_step_worked_out_by_hand():
    pool = Pool(n_rows=12)
    strategy = ALBL(experts=("margin", "entropy"), p_min=0.1)
    selection = strategy.run(pool.outputs(pool.left), 1, random_state=3)
    pending = strategy._pending
    pool.label(selection.rows)
    pool.ask(strategy, 1, 4)
    n_draws = len(pending["ids"])
    hits = [pool.is_correct[int(identity[4:])] for identity in pending["ids"]]
    reward = np.dot(pending["weights"], hits) / (12 * n_draws)
    confidence = np.sqrt(np.log(3 / 0.1) / (3 * n_draws)) * 3
    gain = reward * pending["ratios"].mean(axis=0)
    assert strategy.rewards_ == pytest.approx([reward])
    assert strategy.log_weights_ == pytest.approx(0.05 * (gain + confidence))


def test_selected_rows_that_are_never_labelled_are_forgotten():
    pool, strategy = Pool(n_rows=30), ALBL()
    picks = pool.ask(strategy, 3, 0)
    assert np.array_equal(picks, pool.ask(strategy, 3, 0))
    assert strategy.rewards_ == []
    assert np.all(strategy.log_weights_ == 0)


@pytest.mark.parametrize("mode", ["exp4p", "badge_repo"])
def test_state_survives_pickling_and_training(mode, tmp_path):
    X, y = load_digits(return_X_y=True)
    X = X / 16
    rng = np.random.default_rng(0)
    left = rng.permutation(len(X))[:400]
    first, left = left[:30], left[30:]
    querier = BadgeQuerier(
        LogisticRegression(), strategy=ALBL(mode=mode), random_state=0
    ).fit(X[first], y[first])
    for _ in range(3):
        rows = querier.query(X[left], n=5)
        querier.partial_fit(X[left[rows]], y[left[rows]])
        left = np.delete(left, rows)
        file = tmp_path / "querier.pickle"
        file.write_bytes(pickle.dumps(querier))
        copy = pickle.loads(file.read_bytes())
        assert np.array_equal(copy.query(X[left], n=5), querier.query(X[left], n=5))
    strategy = querier.strategy_
    assert len(strategy.rewards_) == 3
    assert np.any(strategy.log_weights_ != 0)
    assert np.array_equal(strategy.log_weights_, copy.strategy_.log_weights_)
    querier.fit(X[first], y[first])
    assert not hasattr(querier.strategy_, "log_weights_")


def test_bad_parameters_are_refused():
    pool = Pool()
    with pytest.raises(ValueError, match="`experts` must be at least two"):
        pool.ask(ALBL(experts=("margin",)), 2, 0)
    with pytest.raises(ValueError, match="`p_min` must be at most 1 / 3"):
        pool.ask(ALBL(p_min=0.5), 2, 0)
    with pytest.raises(ValueError, match="is not known"):
        pool.ask(ALBL(experts=("margin", "marginn")), 2, 0)
