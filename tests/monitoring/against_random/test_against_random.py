"""Whether a strategy's model is better than one that learned from random rows."""

import warnings
from copy import deepcopy

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skbadge import BadgeQuerier
from skbadge.monitoring import compare_with_random
from skbadge.monitoring.against_random._random_comparison import rows_to_settle
from tests.monitoring._asked import NAMES
from tests.monitoring.against_random._equally_good import Guesser, Measurer

X, y = make_classification(
    900, 6, n_informative=4, n_classes=3, flip_y=0.1, random_state=0
)
START, CHOSEN, APART = slice(0, 40), slice(40, 100), slice(100, 300)


def fitted(estimator=None, labels=y, rows=X, seed=0, strategy="badge"):
    """A querier with 40 first rows and 60 later ones, as if a strategy chose them."""
    model = LogisticRegression() if estimator is None else estimator
    querier = BadgeQuerier(model, strategy=strategy, random_state=seed)
    querier.fit(rows[START], labels[START])
    return querier.partial_fit(rows[CHOSEN], labels[CHOSEN])


def by_hand(found, model, rows=X, labels=y, n_known=100):
    """What the strategy's model and the random one predict for the judges."""
    k = found.n_trained - 40
    judges = found.judges + 100
    trains = np.setdiff1d(np.arange(100, 300), judges)
    assert len(trains) == k
    one = clone(model).fit(rows[: 40 + k], labels[: 40 + k])
    both = np.r_[np.arange(40), trains]
    other = clone(model).fit(rows[both], labels[both])
    return labels[judges], one.predict(rows[judges]), other.predict(rows[judges])


@pytest.mark.parametrize("labels", [y, NAMES[y]])
@pytest.mark.parametrize(("share", "n_judges", "k"), [(0.8, 160, 40), (0.5, 140, 60)])
def test_both_models_are_trained_and_judged_as_said(labels, share, n_judges, k):
    querier = fitted(labels=labels)
    found = compare_with_random(
        querier, X[APART], labels[APART], n_initial=40, judge_share=share
    )
    assert (len(found.judges), found.n_trained, found.n_initial) == (
        n_judges,
        40 + k,
        40,
    )
    truth, one, other = by_hand(found, LogisticRegression(), labels=labels)
    right, right_other = one == truth, other == truth
    assert found.strategy_score == pytest.approx(right.mean())
    assert found.random_score == pytest.approx(right_other.mean())
    won, lost = (right & ~right_other).sum(), (right_other & ~right).sum()
    assert (found.n_won, found.n_lost) == (won, lost)
    assert found.difference == pytest.approx((won - lost) / n_judges)
    assert found.p_value == pytest.approx(stats.binomtest(won, won + lost).pvalue)
    assert found.low < found.difference < found.high
    assert found.metric == "accuracy"


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_numbers_are_judged_by_absolute_errors(n_outputs):
    rows, target = make_regression(300, 6, n_targets=n_outputs, noise=9, random_state=0)
    querier = fitted(LinearRegression(), target, rows)
    found = compare_with_random(querier, rows[APART], target[APART], n_initial=40)
    truth, one, other = by_hand(found, LinearRegression(), rows, target)
    losses, losses_other = (
        np.abs(each - truth).reshape(len(truth), -1).mean(axis=1)
        for each in (one, other)
    )
    assert found.metric == "mean absolute error"
    assert found.strategy_score == pytest.approx(losses.mean())
    gains = (losses_other - losses) / losses_other.mean()
    assert found.difference == pytest.approx(gains.mean())
    # The ratio of the means with each row left out in turn.
    n = len(truth)
    left_out = 1 - (losses.sum() - losses) / (losses_other.sum() - losses_other)
    error = np.sqrt((n - 1) * left_out.var())
    radius = stats.t.ppf(0.975, n - 1) * error
    ends = found.difference - radius, found.difference + radius
    assert (found.low, found.high) == pytest.approx(ends, abs=0.02 * radius)
    twin = stats.permutation_test(
        (gains,), np.mean, permutation_type="samples", n_resamples=9999
    )
    assert found.p_value == pytest.approx(twin.pvalue, abs=0.03)
    assert (found.n_won, found.n_lost) == ((gains > 0).sum(), (gains < 0).sum())


def test_one_row_alone_does_not_say_how_much_numbers_differ():
    rows, target = make_regression(300, 6, noise=9, random_state=0)
    querier = fitted(LinearRegression(), target, rows)
    two = np.arange(300)[APART][:2]
    found = compare_with_random(querier, rows[two], target[two], n_initial=40)
    assert len(found.judges) == 1
    assert (found.low, found.high) == (-np.inf, 1)
    assert (found.verdict, found.n_more) == ("cannot tell yet", 1)
    assert "about 1 more rows" in str(found)


def task(seed, above=0.0):
    """Rows of which the first column is the label, and later chosen ones above 0."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((300, 2))
    rows[:, 0] = rng.integers(0, 2, 300)
    rows[:, 1] -= rows[:, 1].mean() + 0.5
    rows[CHOSEN, 1] += above
    return rows, rows[:, 0].astype(int)


def compared(model, seed, above=0.0, **options):
    rows, labels = task(seed, above)
    querier = fitted(model, labels, rows, seed, strategy="random")
    with warnings.catch_warnings():
        # All rows of small data sets may have equal labels.
        warnings.simplefilter("ignore")
        return compare_with_random(
            querier, rows[APART], labels[APART], n_initial=40, **options
        )


@pytest.mark.parametrize("model", [Guesser(), Measurer()])
def test_equally_good_models_are_rarely_told_apart(model):
    """In at most 10 % of 80 runs at a confidence of 0.9, and three standard errors."""
    found = [compared(model, seed, confidence=0.9) for seed in range(80)]
    told = [each.verdict in ("better", "worse") for each in found]
    assert np.mean(told) < 0.1 + 3 * np.sqrt(0.1 * 0.9 / 80)
    held = [each.low <= 0 <= each.high for each in found]
    assert np.mean(held) > 0.9 - 3 * np.sqrt(0.1 * 0.9 / 80)
    assert np.mean(told) > 0.01


@pytest.mark.parametrize(
    ("model", "verdict"),
    [
        (Guesser(0.6, 0.85), "better"),
        (Guesser(0.85, 0.6), "worse"),
        (Measurer(2.0, 1.0), "better"),
        (Measurer(1.0, 2.0), "worse"),
    ],
)
def test_models_of_other_quality_are_told_apart(model, verdict):
    found = [compared(model, seed, above=5.0) for seed in range(20)]
    said = [each.verdict for each in found]
    assert said.count(verdict) >= 17
    assert set(said) <= {verdict, "cannot tell yet"}


@pytest.mark.parametrize("sizes", [(1.0, 2.0), (2.0, 1.0)])
def test_the_interval_covers_differences_of_numbers(sizes):
    """Mean absolute errors are proportional to the sizes of the errors."""
    truth = 1 - sizes[1] / sizes[0]
    found = [
        compared(Measurer(*sizes), seed, above=5.0, confidence=0.9)
        for seed in range(400)
    ]
    held = np.mean([each.low <= truth <= each.high for each in found])
    assert abs(held - 0.9) < 3 * np.sqrt(0.1 * 0.9 / 400)


def test_late_looks_tell_clear_cases():
    found = compared(Measurer(2.0, 0.2), 0, above=5.0, look=200)
    assert found.alpha < 1e-6
    assert found.verdict == "better"


def test_no_difference_that_matters():
    found = compared(Guesser(0.99, 0.99), 0, margin=0.1)
    assert found.verdict == "no difference that matters"
    assert -0.1 <= found.low < found.high <= 0.1
    assert found.n_more == found.n_more_labels == 0
    assert "random rows would do as well" in str(found)
    # So is a difference that is sure, but too small.
    found = compared(Guesser(0.6, 0.85), 0, above=5.0, margin=0.5)
    assert found.p_value < 0.05
    assert found.verdict == "no difference that matters"


def test_more_labels_are_said_with_those_that_train():
    # Of 200 random rows, 50 train here, and 60 there, as many as the strategy chose.
    found, other = (compared(Guesser(), 1, judge_share=each) for each in (0.75, 0.5))
    assert found.verdict == other.verdict == "cannot tell yet"
    assert found.n_more > 0
    assert found.n_more_labels == int(np.ceil(found.n_more / 0.75))
    assert other.n_more_labels == other.n_more
    text = str(found)
    assert text.startswith("cannot tell yet whether it is better than random rows")
    rounded = float(f"{found.n_more:.2g}"), float(f"{found.n_more_labels:.2g}")
    assert "about {:,.0f} more rows that judge, {:,.0f} more".format(*rounded) in text
    assert "<table>" in found._repr_html_()
    assert repr(found).startswith("<RandomComparison: cannot tell yet, ")


def test_each_look_has_a_part_of_the_doubt():
    alphas = [compared(Guesser(), 0, look=look).alpha for look in (1, 2, 3)]
    np.testing.assert_allclose(alphas, [0.05 * 6 / (np.pi * t) ** 2 for t in (1, 2, 3)])
    assert sum(0.05 * 6 / (np.pi * t) ** 2 for t in range(1, 10**5)) < 0.05
    assert compared(Guesser(), 0).alpha == pytest.approx(0.05)
    wide, narrow = (compared(Guesser(), 0, look=look) for look in (5, None))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_more_labels_are_those_for_the_next_look():
    # Which has less of the doubt than this one.
    found = compared(Guesser(), 1, look=2)
    assert found.verdict == "cannot tell yet"
    n, difference = len(found.judges), found.difference
    variance = (found.n_won + found.n_lost + 1) / (n + 1) - difference**2
    alpha = 0.05 * 6 / (3 * np.pi) ** 2
    assert found.n_more == rows_to_settle(difference, variance, alpha, 0.01) - n


def test_the_same_seed_gives_the_same_comparison():
    tree = DecisionTreeClassifier(max_features=2)
    found = [
        compare_with_random(
            fitted(tree), X[APART], y[APART], n_initial=40, random_state=seed
        )
        for seed in (None, None, 1, 1)
    ]
    judges = [each.judges.tolist() for each in found]
    assert judges[0] == judges[1] != judges[2] == judges[3]
    for one, other in (found[:2], found[2:]):
        assert str(one) == str(other)


def test_the_querier_stays_as_it_is():
    state = np.random.RandomState(0)
    querier = fitted(seed=state)
    before, model = deepcopy(state), querier.estimator_
    rows, labels = X[APART].copy(), y[APART].copy()
    compare_with_random(querier, rows, labels, n_initial=40)
    assert state.randint(2**31) == before.randint(2**31)
    np.testing.assert_array_equal(rows, X[APART])
    assert querier.estimator_ is model
    assert len(querier.y_labeled_) == 100


def test_queriers_inside_pipelines():
    querier = BadgeQuerier(LogisticRegression(), random_state=0)
    known = slice(0, 100)
    pipeline = make_pipeline(StandardScaler(), querier).fit(X[known], y[known])
    found = compare_with_random(pipeline, X[APART], y[APART], n_initial=40)
    plain = BadgeQuerier(LogisticRegression(), random_state=0)
    scaler = StandardScaler().fit(X[known])
    plain.fit(scaler.transform(X[known]), y[known])
    twin = compare_with_random(
        plain, scaler.transform(X[APART]), y[APART], n_initial=40
    )
    assert str(found) == str(twin)


def test_without_first_rows_the_start_is_compared_too():
    found = compare_with_random(fitted(), X[APART], y[APART], n_initial=0)
    assert (found.n_initial, found.n_trained, len(found.judges)) == (0, 100, 100)


def test_skipped_rows_are_left_out():
    given = y[APART].astype(float)
    given[::4] = np.nan
    found = compare_with_random(fitted(), X[APART], given, n_initial=40)
    assert not set(found.judges) & set(range(0, 200, 4))
    assert len(found.judges) + found.n_trained - 40 == 150


def test_frames():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcdef"))
    querier = BadgeQuerier(LogisticRegression(), random_state=0)
    querier.fit(frame[:40], y[:40]).partial_fit(frame[40:100], y[40:100])
    found = compare_with_random(querier, frame[100:300], y[APART], n_initial=40)
    twin = compare_with_random(fitted(), X[APART], y[APART], n_initial=40)
    assert found.difference == twin.difference


def test_rows_that_the_model_knows_are_refused():
    with pytest.raises(ValueError, match="Of 200, 50 equal labelled ones"):
        compare_with_random(fitted(), X[50:250], y[50:250], n_initial=40)


def test_a_few_rows_that_happen_to_equal_labelled_ones_are_left_out():
    rows = X[APART].copy()
    rows[:5] = X[:5]
    found = compare_with_random(fitted(), rows, y[APART], n_initial=40)
    assert "5 of 200 random rows equal labelled ones" in found.notes[0]
    assert "5 of 200" in str(found)
    assert found.judges.min() >= 5
    assert len(found.judges) + found.n_trained - 40 == 195


def test_models_that_are_trained_already_are_refused():
    model = FrozenEstimator(LogisticRegression().fit(X[300:], y[300:]))
    with pytest.raises(ValueError, match="trained already"):
        compare_with_random(fitted(model), X[APART], y[APART], n_initial=40)


def test_parameters_of_rows_are_refused():
    querier = BadgeQuerier(LogisticRegression())
    querier.fit(X[:100], y[:100], sample_weight=np.ones(100))
    with pytest.raises(ValueError, match=r"one entry for each row.*sample_weight"):
        compare_with_random(querier, X[APART], y[APART], n_initial=40)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_initial": 100}, "`n_initial` must be less than the number of labelled"),
        ({"n_initial": -1}, "n_initial"),
        ({"judge_share": 1.0}, "judge_share"),
        ({"margin": 0}, "margin"),
        ({"look": 0}, "look"),
        ({"y_random": y[:50]}, "one label for each of the 200 rows"),
        ({"X_random": X[100:101], "y_random": y[100:101]}, "at least two rows"),
        ({"X_random": X[APART][:, :3]}, "features"),
    ],
)
def test_what_is_refused(change, message):
    arguments = {"X_random": X[APART], "y_random": y[APART], "n_initial": 40}
    with pytest.raises(ValueError, match=message):
        compare_with_random(fitted(), **arguments | change)


def test_an_error_of_a_training_says_where_it_was():
    class Fails(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            if len(y) == 100 and not np.array_equal(X[50:100], CHOSEN_ROWS):
                raise RuntimeError("no")
            return super().fit(X, y)

    CHOSEN_ROWS = X[50:100]
    with pytest.raises(RuntimeError, match="no") as caught:
        compare_with_random(fitted(Fails()), X[APART], y[APART], n_initial=40)
    assert "comparing with random rows" in "".join(caught.value.__notes__)
