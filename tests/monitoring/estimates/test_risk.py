"""The risk of a model, from rows that were drawn with known probabilities."""

from itertools import permutations

import numpy as np
import pytest

from skbadge.monitoring import risk_estimate


def draw(weights, n, rng, share):
    """Rows drawn one by one, by weight mixed with uniform draws, and probabilities."""
    left = np.arange(len(weights))
    rows, probabilities = [], []
    for _ in range(n):
        q = law(weights[left], share)
        i = rng.choice(len(left), p=q)
        rows.append(left[i])
        probabilities.append(q[i])
        left = np.delete(left, i)
    return np.array(rows), np.array(probabilities)


def law(weights, share):
    return (1 - share) * weights / weights.sum() + share / len(weights)


def sequences(losses, weights, n, share=0.3):
    """All sequences of draws: the rows, how likely they are, and the risk."""
    for rows in permutations(range(len(losses)), n):
        left, probabilities = list(range(len(losses))), []
        for row in rows:
            q = law(weights[left], share)
            probabilities.append(q[left.index(row)])
            left.remove(row)
        rows = list(rows)
        risk = risk_estimate(
            losses[rows], probabilities, len(losses), uniform_share=share
        )
        yield rows, np.prod(probabilities), risk


@pytest.mark.parametrize("n", [1, 2, 4, 5])
def test_the_estimate_is_unbiased_over_all_sequences_of_draws(n):
    rng = np.random.default_rng(n)
    losses, weights = rng.random(5), rng.random(5) ** 3
    total = mean = 0.0
    for _, chance, risk in sequences(losses, weights, n):
        total += chance
        mean += chance * risk.estimate
    assert total == pytest.approx(1, abs=1e-12)
    assert mean == pytest.approx(losses.mean(), abs=1e-12)


def test_ratios_are_biased_less_with_more_draws():
    # The share of wrong rows among those that count, as in a precision: both parts of
    # the ratio are unbiased, and the ratio is not.
    rng = np.random.default_rng(0)
    counts, wrong = np.array([1.0, 1, 1, 0.5, 0.5, 0.5]), np.array([1.0, 0, 1, 0, 0, 0])
    weights, biases = rng.random(6) ** 2, []
    for n in (1, 2, 4, 6):
        parts, ratio = np.zeros(2), 0.0
        for rows, chance, risk in sequences(counts, weights, n):
            both = risk.weights @ np.c_[counts * wrong, counts][rows] / n
            parts += chance * both
            ratio += chance * both[0] / both[1]
        exact = counts @ wrong / counts.sum()
        np.testing.assert_allclose(parts, [counts @ wrong / 6, counts.mean()])
        biases.append(abs(ratio - exact))
    assert biases[0] > biases[1] > biases[2] > biases[3]
    assert biases[3] == pytest.approx(0, abs=1e-12)


def test_uniform_draws_have_weight_one():
    losses = np.array([1.0, 0, 0, 1, 0])
    risk = risk_estimate(losses, 1 / (20 - np.arange(5)), 20, uniform_share=1)
    np.testing.assert_allclose(risk.weights, 1)
    assert risk.estimate == pytest.approx(0.4)
    assert 0 <= risk.low <= 0.4 <= risk.high <= 1


def test_rows_that_were_likely_to_be_drawn_count_less():
    probabilities = [0.02, 0.01]
    hard, easy = (
        risk_estimate(losses, probabilities, 100, uniform_share=0.5).estimate
        for losses in ([1, 0], [0, 1])
    )
    assert hard < easy


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_the_default_interval_covers_as_often_as_it_says(share):
    # Rows of loss that are less likely to be drawn: where normal ones fail.
    rng = np.random.default_rng(0)
    losses = (np.arange(200) < 30).astype(float)
    weights = np.where(losses > 0, 0.3, 1.0) * rng.random(200)
    held = {"bernstein": 0, "normal": 0}
    for _ in range(200):
        rows, probabilities = draw(weights, 50, rng, share)
        for interval in held:
            risk = risk_estimate(
                losses[rows],
                probabilities,
                200,
                uniform_share=share,
                interval=interval,
            )
            held[interval] += risk.low <= losses.mean() <= risk.high
    assert held["bernstein"] >= 190
    if share == 0.1:
        assert held["normal"] < 180


def test_the_interval_narrows_with_more_rows():
    widths = []
    for n in (50, 200, 800):
        q = 1 / (10_000 - np.arange(n))
        risk = risk_estimate(np.arange(n) % 10 == 0, q, 10_000, uniform_share=1)
        widths.append(risk.high - risk.low)
    assert widths[0] > 1.5 * widths[1] > 2.2 * widths[2]


def test_all_rows_drawn_leave_no_doubt():
    losses = np.array([0.0, 1, 1, 0])
    risk = risk_estimate(losses, 1 / (4 - np.arange(4)), 4, uniform_share=1)
    assert (risk.low, risk.estimate, risk.high) == (0.5, 0.5, 0.5)


def test_without_a_share_only_the_normal_interval_says_something():
    arguments = [0.0, 1, 0], [0.1, 0.2, 0.1], 20
    risk = risk_estimate(*arguments)
    assert (risk.low, risk.high) == (0, 1)
    risk = risk_estimate(*arguments, interval="normal")
    assert risk.high - risk.low < 1
    # Losses that are all alike do not say how much losses differ.
    risk = risk_estimate([0.0, 0, 0], *arguments[1:], interval="normal")
    assert (risk.low, risk.estimate, risk.high) == (0, 0, 1)


def test_other_losses_are_scaled_by_the_greatest():
    q = 1 / (50 - np.arange(10))
    losses = np.linspace(0, 1, 10)
    one = risk_estimate(losses, q, 50, uniform_share=1)
    ten = risk_estimate(10 * losses, q, 50, uniform_share=1, max_loss=10)
    for name in ("estimate", "low", "high"):
        assert getattr(ten, name) == pytest.approx(10 * getattr(one, name))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"losses": [0.5, 1.5]}, "between 0 and `max_loss`=1. Got 0.5 to 1.5"),
        ({"losses": [0.5, np.nan]}, "between 0 and `max_loss`"),
        ({"losses": [0.5]}, r"one value for each row drawn.*\(1,\) and \(2,\)"),
        ({"losses": [], "probabilities": []}, "at least one"),
        ({"n_pool": 1}, "`n_pool` must be at least the number of rows drawn, 2. Got 1"),
        ({"probabilities": [0.1, 0.001]}, "at draw 1, and 1. Got 0.001 there"),
        ({"probabilities": [np.nan, 0.1]}, "at draw 0"),
        ({"probabilities": [0.1, 1.5]}, "Got 1.5 there"),
        ({"uniform_share": 1.5}, "uniform_share"),
        ({"probabilities": [0.1, 0.0], "uniform_share": 0}, "at draw 1"),
        ({"confidence": 1.0}, "confidence"),
        ({"interval": "exact"}, "interval"),
    ],
)
def test_what_is_refused(change, message):
    arguments = {
        "losses": [0.0, 1.0],
        "probabilities": [0.1, 0.1],
        "n_pool": 20,
        "uniform_share": 0.5,
    }
    with pytest.raises(ValueError, match=message):
        risk_estimate(**arguments | change)


@pytest.mark.parametrize("share", [1, 0.3])
def test_the_standard_error_is_that_of_repeated_draws(share):
    rng = np.random.default_rng(0)
    losses, found = rng.random(200), []
    for _ in range(300):
        rows, probabilities = draw(0.2 + losses, 20, rng, share)
        risks = [
            risk_estimate(losses[rows], probabilities, 200, interval=interval)
            for interval in ("bernstein", "normal")
        ]
        # Whichever interval is shown.
        assert risks[0].standard_error == risks[1].standard_error
        found.append((risks[0].estimate, risks[0].standard_error))
    estimates, errors = np.transpose(found)
    # The standard deviation of 300 values is known up to 4 %.
    assert errors.mean() == pytest.approx(estimates.std(), rel=0.13)
    assert risk_estimate(losses, np.full(200, 0.5), 200).standard_error == 0
    assert np.isnan(risk_estimate([0.5], [0.1], 200).standard_error)
