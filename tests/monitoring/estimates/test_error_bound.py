"""Upper bounds of the error, at a confidence that is asked for later."""

import pickle

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import make_regression
from sklearn.linear_model import LinearRegression, LogisticRegression

from skbadge import BadgeQuerier
from skbadge.monitoring import assess, audit, risk_estimate
from skbadge.strategies import PosteriorKMeansPlusPlus
from tests.monitoring._asked import X, asked, frozen, y


@pytest.mark.parametrize("confidence", [0.3, 0.9, 0.9995])
def test_of_an_audit_it_is_exact(confidence):
    querier = asked()[0]
    rows, labels = X[300:400], y[300:400]
    n_wrong = int((querier.predict(rows) != labels).sum())
    test = stats.binomtest(n_wrong, 100, alternative="less")
    found = audit(querier, rows, labels)
    expected = test.proportion_ci(confidence, method="exact").high
    assert found.error_bound(confidence) == pytest.approx(
        max(expected, found.error.estimate)
    )
    # Of the rows of a pool, as many as are not unlikely to have so few among these.
    bound = audit(querier, rows, labels, n_pool=250).error_bound(confidence)
    for n_in_pool in range(n_wrong, 251 - (100 - n_wrong)):
        likely = stats.hypergeom.cdf(n_wrong, 250, n_in_pool, 100) > 1 - confidence
        held = n_in_pool <= round(bound * 250)
        assert held == (likely or n_in_pool <= 2.5 * n_wrong)


def test_its_confidence_is_that_of_the_upper_end_alone():
    querier, report, answers = asked(n=200)
    for found in (
        assess(querier, report, answers, confidence=0.9),
        assess(querier, report, answers, confidence=0.9, interval="normal"),
        audit(querier, X[300:400], y[300:400], confidence=0.9),
        audit(
            querier, X[300:400], y[300:400], confidence=0.9, metric="balanced_accuracy"
        ),
    ):
        assert found.error_bound(0.95) == pytest.approx(found.error.high)
        bounds = [found.error_bound(one) for one in (0.8, 0.9, 0.99)]
        assert bounds == sorted(bounds)
        assert bounds[0] < bounds[-1]


@pytest.mark.parametrize("confidence", [0.9, 0.999])
def test_of_a_batch_it_is_that_of_the_rows_left_and_the_labelled_ones(confidence):
    querier, report, answers = asked(n=200)
    found = assess(querier, report, answers)
    wrong = report.predictions.labels != answers
    high = risk_estimate(
        wrong,
        report.probabilities,
        540,
        uniform_share=0.2,
        confidence=1 - 2 * (1 - confidence),
    ).high
    expected = (540 * high + 60 * (1 - found.labeled)) / 600
    assert found.error_bound(confidence) == pytest.approx(expected)


def test_skipped_rows_may_have_been_wrong():
    querier, report, answers = asked(frozen(), n=200)
    given = answers.astype(float)
    given[:9] = np.nan
    worst = np.where(np.isnan(given), 1 - report.predictions.labels.clip(0, 1), given)
    assert np.all(worst[:9] != report.predictions.labels[:9])
    found = assess(querier, report, given).error_bound(0.95)
    n_labels = querier._n_labeled()
    assert n_labels == 60
    known = assess(querier, report, given).labeled
    rest = (600 * found - 60 * (1 - known)) / 540
    as_wrong = risk_estimate(
        worst != report.predictions.labels,
        report.probabilities,
        540,
        uniform_share=0.2,
        confidence=0.9,
    )
    assert rest == pytest.approx(as_wrong.high)


def test_of_regression_it_needs_the_greatest_loss():
    rows, target = make_regression(400, 6, noise=9, random_state=0)
    querier = BadgeQuerier(
        LinearRegression(),
        strategy=PosteriorKMeansPlusPlus(uniform_share=0.5),
        random_state=0,
    ).fit(rows[:60], target[:60])
    batch, report = querier.query(rows[60:], 200, return_report=True)
    told = {"metric": "root_mean_squared_error"}
    answers = target[60:][batch]
    assert assess(querier, report, answers, **told).error_bound(0.9) == np.inf
    found = assess(querier, report, answers, max_loss=50, **told)
    assert found.error_bound(0.975) == pytest.approx(found.error.high)
    assert found.error.estimate < found.error_bound(0.9) < 50


def test_the_normal_one_says_nothing_of_rows_that_are_all_alike():
    querier = asked()[0]
    rows = X[300:310]
    found = audit(querier, rows, querier.predict(rows), interval="normal")
    assert found.error.estimate == 0
    assert found.error_bound(0.95) == 1
    assert (found.error.low, found.error.high) == (0, 1)
    all_there_are = audit(
        querier, rows, querier.predict(rows), interval="normal", n_pool=10
    )
    assert all_there_are.error_bound(0.95) == 0


@pytest.mark.parametrize("metric", ["precision", "recall", "balanced_accuracy"])
@pytest.mark.parametrize("n", range(8, 16))
def test_nor_of_ratios_in_which_all_rows_are_hits(metric, n):
    """Rounding of counts and hits once made a bound of 1e-16 of it."""
    querier = BadgeQuerier(LogisticRegression(), strategy="random")
    querier.fit(X[:300], y[:300] > 0)
    labels = querier.predict(X[300 : 300 + n])
    found = audit(querier, X[300 : 300 + n], labels, metric=metric)
    assert found.overall.estimate == 1
    assert found.error_bound(0.95) == 1


def test_assessments_can_be_pickled():
    querier, report, answers = asked()
    found = assess(querier, report, answers, metric="balanced_accuracy")
    again = pickle.loads(pickle.dumps(found))
    assert again.error_bound(0.99) == found.error_bound(0.99)


@pytest.mark.parametrize("confidence", [0, 1, np.nan, "a", None, [0.9], 1j])
def test_what_is_refused(confidence):
    found = audit(asked()[0], X[300:400], y[300:400])
    with pytest.raises(ValueError, match="`confidence` must be a number between 0"):
        found.error_bound(confidence)
