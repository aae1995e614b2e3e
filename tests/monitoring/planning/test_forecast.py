"""How many labels it takes to reach an error, from the errors of the rounds so far."""

import numpy as np
import pytest
from scipy import optimize

from skbadge.monitoring import forecast_labels

ROUNDS = np.arange(100, 1100, 100)


def law(n_labeled, floor, scale, exponent):
    return floor + scale * np.asarray(n_labeled, float) ** -exponent


@pytest.mark.parametrize(
    "law_of", [(0.05, 3, 0.7), (0, 2, 0.5), (0.1, 1, 0.2), (0.02, 50, 1.3)]
)
@pytest.mark.parametrize("unit", [1, 1e4, 1e-6])
def test_a_law_without_noise_is_found(law_of, unit):
    floor, scale, exponent = law_of
    errors = unit * law(ROUNDS, *law_of)
    target = unit * law(1850, *law_of)
    found = forecast_labels(ROUNDS, errors, target, random_state=0)
    assert found.n_labels == pytest.approx(1850, abs=2)
    assert found.low <= 1850 <= found.high
    # The exponents that resamples try lie 4 % apart.
    assert found.high < 1.1 * 1850
    # A floor may be due to few rounds only.
    assert found.low > 0.9 * 1850 or floor
    assert found.floor == pytest.approx(unit * floor, abs=1e-5 * unit)
    assert found.scale == pytest.approx(unit * scale, rel=1e-3)
    assert found.exponent == pytest.approx(exponent, rel=1e-3)
    np.testing.assert_allclose(found.error_at(ROUNDS), errors, rtol=1e-6)
    assert found.error_at(1850) == pytest.approx(target, rel=1e-6)
    assert found.share_reached == 1
    assert not found.is_reached


@pytest.mark.parametrize("seed", range(8))
def test_the_law_is_that_of_weighted_least_squares(seed):
    rng = np.random.default_rng(seed)
    deviations = rng.uniform(0.01, 0.015, len(ROUNDS))
    # With a floor, without one, and hardly falling at all.
    errors = law(ROUNDS, *[(0.1, 3, 0.7), (0, 1, 0.3), (0.3, 0.1, 0.3)][seed % 3])
    errors += deviations * rng.normal(size=len(ROUNDS))
    found = forecast_labels(
        ROUNDS, errors, 0.05, standard_errors=deviations, n_bootstrap=100
    )
    least = min(
        optimize.nnls(
            np.stack([np.ones(len(ROUNDS)), (ROUNDS / 500) ** -exponent]).T
            / deviations[:, None],
            errors / deviations,
        )[1]
        for exponent in np.geomspace(0.05, 5, 2000)
    )
    distances = (errors - found.error_at(ROUNDS)) / deviations
    assert np.linalg.norm(distances) <= least * (1 + 1e-9)
    assert min(found.floor, found.scale, found.exponent) >= 0


def test_the_unit_of_the_errors_does_not_matter():
    errors = law(ROUNDS, 0.05, 3, 0.7) + 0.01 * np.sin(ROUNDS)
    known = np.full(10, 0.01)
    one = forecast_labels(ROUNDS, errors, 0.08, standard_errors=known, random_state=0)
    other = forecast_labels(
        ROUNDS, 500 * errors, 40, standard_errors=500 * known, random_state=0
    )
    assert (one.n_labels, one.low, one.high) == (
        other.n_labels,
        other.low,
        other.high,
    )
    assert other.floor == pytest.approx(500 * one.floor)


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("floor", [0, 0.05])
@pytest.mark.parametrize("n_rounds", [4, 8, 16])
def test_the_interval_covers(is_known, floor, n_rounds):
    """Of 100 laws with noise at least 90 %, less three standard errors."""
    rounds = 50 * np.arange(1, n_rounds + 1)
    errors = law(rounds, floor, (0.4 - floor) * 50**0.6, 0.6)
    goal = 2 * rounds[-1]
    target = law(goal, floor, (0.4 - floor) * 50**0.6, 0.6)
    rng = np.random.default_rng(n_rounds)
    held = []
    for seed in range(100):
        found = forecast_labels(
            rounds,
            np.maximum(errors + 0.01 * rng.standard_normal(n_rounds), 0),
            target,
            standard_errors=np.full(n_rounds, 0.01) if is_known else None,
            n_bootstrap=200,
            random_state=seed,
        )
        held.append(found.low <= goal <= found.high)
    assert np.mean(held) > 0.9 - 3 * np.sqrt(0.9 * 0.1 / 100)


def test_noise_that_four_rounds_tell_is_told_roughly():
    rounds = ROUNDS[:4]
    rng = np.random.default_rng(0)
    held = []
    for seed in range(100):
        seen = law(rounds, 0.1, 30, 1) + 0.003 * rng.standard_normal(4)
        found = forecast_labels(
            rounds, seen, law(800, 0.1, 30, 1), n_bootstrap=200, random_state=seed
        )
        held.append(found.high >= 800)
    # Half of what is missing in 90 % is to be beyond the upper end.
    assert np.mean(held) > 0.95 - 3 * np.sqrt(0.05 * 0.95 / 100)


def test_the_lower_end_allows_for_curves_that_fall_faster_and_faster():
    rounds = np.arange(100, 900, 100)
    found = forecast_labels(
        rounds, 0.6 * np.exp(-rounds / 600), 0.6 * np.exp(-2), random_state=0
    )
    assert found.n_labels > 1.3 * 1200
    assert found.low <= 1200


def test_errors_of_the_same_rows_are_off_together():
    """An audit that is too easy makes all errors too low, on a smooth curve."""
    errors = law(ROUNDS, 0.05, 3, 0.7)
    target = law(2000, 0.05, 3, 0.7)
    rng = np.random.default_rng(0)
    held = {True: [], False: []}
    for seed in range(60):
        seen = errors + 0.02 * rng.standard_normal()
        seen += 0.001 * rng.standard_normal(10)
        for same in held:
            found = forecast_labels(
                ROUNDS,
                seen,
                target,
                standard_errors=np.full(10, 0.02) if same else None,
                same_rows=same,
                n_bootstrap=200,
                random_state=seed,
            )
            held[same].append(found.low <= 2000 <= found.high)
    assert np.mean(held[True]) > 0.8
    assert np.mean(held[False]) < 0.6


def test_exact_errors_count_more():
    errors = law(ROUNDS, 0, 2, 0.5)
    errors[4] += 0.1
    known = np.full(10, 1e-4)
    known[4] = 0.1
    found = forecast_labels(ROUNDS, errors, 0.04, standard_errors=known, random_state=0)
    assert found.n_labels == pytest.approx(2500, rel=0.02)
    found = forecast_labels(ROUNDS, errors, 0.04, random_state=0)
    assert abs(found.n_labels / 2500 - 1) > 0.05


def test_an_error_of_zero_is_not_known_exactly():
    """Without an error among its rows, a round has a standard error of 0."""
    errors = [0.2, 0.15, 0.1, 0, 0.09, 0.08]
    known = [0.03, 0.03, 0.03, 0, 0.03, 0.03]
    found = forecast_labels(
        ROUNDS[:6], errors, 0.05, standard_errors=known, random_state=0
    )
    assert found.error_at(500) > 0.02
    known[3] = 0.01  # below half of the median
    other = forecast_labels(
        ROUNDS[:6], errors, 0.05, standard_errors=known, random_state=0
    )
    assert other.error_at(500) == found.error_at(500)


def test_more_noise_makes_a_wider_interval():
    errors = law(ROUNDS, 0, 2, 0.5)
    widths = []
    for deviation in (0.001, 0.01):
        found = forecast_labels(
            ROUNDS,
            errors,
            0.055,
            standard_errors=np.full(10, deviation),
            random_state=0,
        )
        widths.append(found.high - found.low)
    assert widths[1] > 3 * widths[0]


@pytest.mark.parametrize("curve", ["flat", "rising"])
def test_errors_that_do_not_fall(curve):
    rng = np.random.default_rng(0)
    errors = 0.2 + 0.005 * rng.standard_normal(10)
    if curve == "rising":
        errors += np.linspace(0, 0.1, 10)
    found = forecast_labels(ROUNDS, errors, 0.1, random_state=0)
    assert found.n_labels == found.high == np.inf
    assert found.floor == pytest.approx(errors.mean(), abs=0.02)
    assert found.share_reached < 0.5
    text = str(found)
    assert "never reached by the law fitted to 10 rounds, which ends at 0." in text
    assert "to never, with" in text
    never = 1 - found.share_reached
    assert f"in {never:.0%}".replace("%", " %") in text


def test_a_target_below_the_floor_may_never_be_reached():
    errors = law(ROUNDS, 0.1, 30, 1)
    found = forecast_labels(ROUNDS, errors, 0.09, random_state=0)
    assert found.n_labels == found.high == np.inf
    assert found.share_reached == 0
    # Nobody knows that there is a floor.
    assert 1000 < found.low < np.inf
    assert "to never, with confidence 0.9)" in str(found)
    assert "in 100 % of the resamples it is never reached" in str(found)


def test_a_target_that_is_reached():
    errors = law(ROUNDS, 0.05, 3, 0.7)
    target = law(450, 0.05, 3, 0.7)
    found = forecast_labels(ROUNDS, errors, target, random_state=0)
    assert found.is_reached
    assert found.n_labels == pytest.approx(450, abs=2)
    assert "reached already, at about 450 of 1,000 labels" in str(found)
    # Of fewer labels than those of the first round nothing is known.
    found = forecast_labels(ROUNDS, errors, 1, random_state=0)
    assert (found.n_labels, found.low, found.high) == (100, 100, 100)


def test_no_errors_at_all():
    found = forecast_labels(ROUNDS, np.zeros(10), 0, random_state=0)
    assert found.n_labels == 100
    assert found.share_reached == 1


def test_rounds_of_equal_numbers_of_labels_and_any_order():
    rounds = np.array([100, 100, 200, 300, 300, 400])
    errors = law(rounds, 0, 2, 0.5) + np.array([0.01, -0.01, 0, 0.01, -0.01, 0])
    found = forecast_labels(rounds, errors, 0.07, random_state=0)
    assert found.n_labels == pytest.approx((2 / 0.07) ** 2, rel=0.1)
    other = forecast_labels(rounds[::-1], errors[::-1], 0.07, random_state=0)
    assert other.n_labels == found.n_labels
    assert other.n_labeled == 400


def test_the_same_seed_gives_the_same_interval():
    errors = law(ROUNDS, 0, 2, 0.5) + 0.01 * np.sin(ROUNDS)
    ends = [
        (found.low, found.high)
        for found in (
            forecast_labels(ROUNDS, errors, 0.05, random_state=seed)
            for seed in (0, 0, 1)
        )
    ]
    assert ends[0] == ends[1] != ends[2]


def test_printing():
    errors = law(ROUNDS, 0, 2, 0.5) + 0.003 * np.sin(ROUNDS)
    found = forecast_labels(ROUNDS, errors, 0.05, random_state=0)
    said = f"{found.n_labels:.3g} {found.low:.3g} {found.high:.3g}".split()
    numbers = [f"{float(each):,.0f}" for each in said]
    assert f"about {numbers[0]} labels in all for an error of 0.05" in str(found)
    assert f"(from {numbers[1]} to {numbers[2]}, with confidence 0.9)" in str(found)
    interval = f"from {numbers[1]} to {numbers[2]}"
    assert repr(found) == f"<Forecast: {numbers[0]} ({interval})>"
    far = forecast_labels(ROUNDS, law(ROUNDS, 0, 2, 0.5), 0.01, random_state=0)
    assert "more than ten times the labels so far" in far.notes[0]
    assert "more than ten times" in str(far)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_labeled": [1, 2, 3], "errors": [3, 2, 1]}, "at least 4 rounds"),
        ({"n_labeled": [1, 1, 2, 3], "errors": [3, 2, 1, 1]}, "at least 4 rounds"),
        (
            {"errors": np.ma.array([4, 3, 2, 1], mask=[1, 0, 0, 0])},
            "`errors` has masked entries",
        ),
        ({"errors": [1, 2]}, "one number for each round"),
        ({"errors": [[1], [2], [3], [4]]}, "one number for each round"),
        ({"errors": [1, 2, np.nan, 1]}, "Leave out rounds without an estimate"),
        ({"errors": [1, 2, -1, 1]}, "`errors` must be numbers of at least 0"),
        ({"n_labeled": [0, 1, 2, 3]}, "`n_labeled` must be numbers of at least 1"),
        ({"standard_errors": [1, 1, np.inf, 1]}, "`standard_errors` must be"),
        ({"standard_errors": [1, 1]}, "one number for each round"),
        ({"same_rows": True}, "needs `standard_errors`"),
        ({"target": -1}, "target"),
        ({"confidence": 1}, "confidence"),
        ({"n_bootstrap": 1}, "n_bootstrap"),
    ],
)
def test_what_is_refused(change, message):
    arguments = {
        "n_labeled": [10, 20, 30, 40],
        "errors": [0.4, 0.3, 0.25, 0.2],
        "target": 0.1,
    }
    with pytest.raises(ValueError, match=message):
        forecast_labels(**arguments | change)


def test_the_interval_begins_where_the_target_was_not_reached():
    # The law through the later rounds, drawn back, is lower than the first ones.
    errors, known = [0.3, 0.2, 0.06, 0.05, 0.055, 0.05], np.full(6, 0.02)
    found = forecast_labels(
        60 * np.arange(1, 7), errors, 0.04, standard_errors=known, random_state=0
    )
    # By more than chance, the second error is above 0.04, and none of the later ones.
    assert found.low == 120
