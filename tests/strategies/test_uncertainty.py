"""Least confidence, margin and entropy, and random choice."""

import mpmath
import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import chisquare

from skbadge.outputs import Outputs
from skbadge.strategies import Entropy, LeastConfidence, Margin, Random

SCORES = [LeastConfidence, Margin, Entropy]

PROBA = np.array(
    [
        [0.5, 0.3, 0.2],
        [1.0, 0.0, 0.0],
        [0.25, 0.25, 0.5],
        [0.0, 0.5, 0.5],
        [1 / 3, 1 / 3, 1 / 3],
    ]
)

LOG2, LOG3 = np.log(2), np.log(3)

EXPECTED = {
    LeastConfidence: [0.5, 0, 0.5, 0.5, 2 / 3],
    Margin: [-0.2, -1, -0.25, 0, 0],
    Entropy: [
        -(0.5 * np.log(0.5) + 0.3 * np.log(0.3) + 0.2 * np.log(0.2)),
        0,
        1.5 * LOG2,
        LOG2,
        LOG3,
    ],
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("strategy", SCORES)
def test_scores_are_those_of_the_closed_form(strategy, dtype):
    scores = strategy().score(Outputs(proba=PROBA.astype(dtype)))
    assert scores.dtype == np.float64
    atol = 1e-15 if dtype == np.float64 else 1e-6
    np.testing.assert_allclose(scores, EXPECTED[strategy], atol=atol)


@pytest.mark.parametrize("n_classes", [2, 3, 10])
@pytest.mark.parametrize("strategy", SCORES)
def test_rows_of_probability_one_in_single_precision_keep_their_order(
    strategy, n_classes
):
    """`1 - p` and `p log p` of a probability that is rounded to 1 would be 0."""
    logits = np.random.RandomState(0).normal(scale=12, size=(2000, n_classes))
    proba = softmax(logits, axis=1).astype(np.float32)
    # float32 has fewer digits for lesser numbers than its smallest normal one.
    is_sure = (proba.max(axis=1) == 1) & (proba.min(axis=1) > np.finfo("f4").tiny)
    proba, logits = proba[is_sure], logits[is_sure]
    assert len(proba) > 100
    expected = [exact(strategy, row) for row in logits]
    scores = strategy().score(Outputs(proba=proba))
    atol = 2**-52 if strategy is Margin else 0
    np.testing.assert_allclose(scores, expected, rtol=1e-6, atol=atol)
    order = np.argsort(expected)
    gaps = np.diff(np.array(expected)[order])
    is_above_rounding = gaps > 1e-6 * np.abs(np.array(expected)[order][1:])
    assert (np.diff(scores[order])[is_above_rounding] > 0).all()


def exact(strategy, logits):
    """A score in 50 digits, as a float."""
    with mpmath.workdps(50):
        proba = [mpmath.exp(logit) for logit in sorted(logits.tolist())]
        proba = [each / mpmath.fsum(proba) for each in proba]
        if strategy is Entropy:
            return float(-mpmath.fsum(p * mpmath.log(p) for p in proba))
        if strategy is Margin:
            return float(proba[-2] - proba[-1])
        return float(1 - proba[-1])


def test_a_single_class_is_certain():
    pool = Outputs(proba=np.ones((3, 1)))
    np.testing.assert_array_equal(Margin().score(pool), [-1, -1, -1])
    for strategy in (LeastConfidence(), Entropy()):
        np.testing.assert_array_equal(strategy.score(pool), [0, 0, 0])


@pytest.mark.parametrize("strategy", SCORES)
def test_rows_of_greatest_score_come_first_with_their_scores(strategy):
    rng = np.random.RandomState(0)
    proba = rng.dirichlet(np.ones(5), size=3000)
    scores = strategy().score(Outputs(proba=proba))
    selection = strategy().run(Outputs(proba=proba), 100, random_state=0)
    np.testing.assert_array_equal(selection.rows, np.argsort(-scores)[:100])
    np.testing.assert_array_equal(selection.values, scores[selection.rows])


@pytest.mark.parametrize("strategy", SCORES)
def test_scores_move_with_rows_and_not_with_classes(strategy):
    rng = np.random.RandomState(0)
    proba = rng.dirichlet(np.ones(5), size=50)
    scores = strategy().score(Outputs(proba=proba))
    order, classes = rng.permutation(50), rng.permutation(5)
    np.testing.assert_array_equal(
        strategy().score(Outputs(proba=proba[order])), scores[order]
    )
    np.testing.assert_allclose(
        strategy().score(Outputs(proba=proba[:, classes])), scores, atol=1e-14
    )


def test_scores_are_taken_in_blocks(monkeypatch):
    # 1024 rows at least are a block: three of them here, and a rest.
    proba = np.random.RandomState(0).dirichlet(np.ones(600), size=3100)
    for strategy in SCORES:
        scores = strategy().score(Outputs(proba=proba))
        for row in (0, 1023, 1024, 3099):
            alone = strategy().score(Outputs(proba=proba[row : row + 1]))
            np.testing.assert_allclose(scores[row], alone[0], rtol=1e-12)


def test_two_classes_are_ranked_alike_by_all():
    q = np.random.RandomState(0).uniform(size=200)
    proba = np.stack([q, 1 - q], axis=1)
    rankings = [s().select(Outputs(proba=proba), 200, random_state=0) for s in SCORES]
    np.testing.assert_array_equal(rankings[0], rankings[1])
    np.testing.assert_array_equal(rankings[0], rankings[2])
    np.testing.assert_array_equal(rankings[0], np.argsort(np.abs(q - 0.5)))


def test_three_classes_are_not():
    pool = Outputs(proba=PROBA[[0, 2, 3]])
    assert Margin().select(pool, 1).tolist() == [2]
    assert Entropy().select(pool, 1).tolist() == [1]


@pytest.mark.parametrize("strategy", SCORES)
def test_ties_are_broken_uniformly(strategy):
    # Four rows tie, among classes as well.
    proba = np.array(
        [[0.9, 0.1], [0.75, 0.25], [0.25, 0.75], [0.75, 0.25], [1.0, 0.0], [0.25, 0.75]]
    )
    pool, rng = Outputs(proba=proba), np.random.RandomState(0)
    counts = np.zeros((6, 6))
    for _ in range(2400):
        first, second = strategy().select(pool, 2, random_state=rng)
        counts[first, second] += 1
    tied = [1, 2, 3, 5]
    observed = counts[np.ix_(tied, tied)][~np.eye(4, dtype=bool)]
    assert observed.sum() == 2400
    assert chisquare(observed).pvalue > 1e-4


@pytest.mark.parametrize("strategy", SCORES)
def test_exact_zeros_give_finite_scores(strategy):
    proba = np.eye(4, dtype=np.float32)
    scores = strategy().score(Outputs(proba=proba))
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(scores, EXPECTED[strategy][1])


@pytest.mark.parametrize("strategy", [LeastConfidence, Entropy])
def test_saturated_single_precision_is_still_ranked(strategy):
    # In float32 the greatest probability of each row is 1.
    others = np.array([1e-12, 1e-30, 1e-9, 1e-20], dtype=np.float32)
    proba = np.stack([1 - others, others, 0 * others], axis=1)
    assert proba.dtype == np.float32
    assert (proba[:, 0] == 1).all()
    rows = strategy().select(Outputs(proba=proba), 4, random_state=0)
    assert rows.tolist() == [2, 0, 3, 1]


def test_saturated_margins_keep_the_digits_of_double_precision():
    others = np.array([1e-12, 1e-11, 1e-14], dtype=np.float32)
    proba = np.stack([1 - others, others], axis=1)
    rows = Margin().select(Outputs(proba=proba), 3, random_state=0)
    assert rows.tolist() == [1, 0, 2]


@pytest.mark.parametrize("strategy", SCORES)
def test_saturated_rows_of_a_net_are_in_the_order_of_the_exact_scores(strategy):
    logits = 12 * np.random.RandomState(0).normal(size=(2000, 4))
    proba = softmax(logits.astype(np.float32), axis=1)
    assert proba.dtype == np.float32
    assert (proba.max(axis=1) == 1).sum() > 200
    scores = strategy().score(Outputs(proba=proba))
    # Sums in which nothing cancels, of probabilities that sum to 1.
    p = np.sort(proba.astype(np.longdouble), axis=1)
    p /= p.sum(axis=1, keepdims=True)
    wrong = p[:, :-1].sum(axis=1)
    others = np.where(p[:, :-1] > 0, p[:, :-1] * np.log(p[:, :-1] + 1e-4000), 0)
    exact = {
        LeastConfidence: wrong,
        Margin: -1 + (p[:, -2] + wrong),
        Entropy: -others.sum(axis=1) - (1 - wrong) * np.log1p(-wrong),
    }[strategy]
    order = np.argsort(-scores)
    falls = np.diff(exact[order].astype(np.float64))
    assert (falls <= 1e-12 * np.abs(scores[order][1:])).all()


ZERO_MARGINS = [[0.36, 0.36, 0.18, 0.1], [0.4, 0.4, 0.1, 0.1], [0.3, 0.3, 0.3, 0.1]]
# Of twenty votes, one more than the next.
ONE_VOTE = [[0.35, 0.3, 0.2, 0.15], [0.45, 0.4, 0.1, 0.05], [0.3, 0.25, 0.25, 0.2]]


@pytest.mark.parametrize(
    "kinds",
    [ZERO_MARGINS, np.array(ZERO_MARGINS, dtype=np.float32), ONE_VOTE],
    ids=["zero", "zero in float32", "one vote"],
)
def test_equal_margins_of_coarse_probabilities_tie(kinds):
    pool = Outputs(proba=np.tile(kinds, (40, 1)))
    picks = Margin().select(pool, 60, random_state=0)
    assert chisquare(np.bincount(picks % 3)).pvalue > 1e-3


def test_random_rows_are_a_uniform_ordered_sample():
    pool, rng = Outputs(n_rows=4), np.random.RandomState(0)
    counts = np.zeros((4, 4))
    for _ in range(2400):
        first, second = Random().select(pool, 2, random_state=rng)
        counts[first, second] += 1
    assert np.trace(counts) == 0
    assert chisquare(counts[~np.eye(4, dtype=bool)]).pvalue > 1e-4
