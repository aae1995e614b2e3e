"""How good a model is on rows drawn uniformly, which it never learns from."""

import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import make_classification, make_regression
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbadge import BadgeQuerier
from skbadge.exceptions import MonitoringWarning
from skbadge.monitoring import assess, audit, risk_estimate
from skbadge.monitoring.estimates._intervals import exact_interval
from skbadge.strategies import Margin
from tests.monitoring._asked import NAMES, X, y

KEPT, KNOWN = slice(0, 100), slice(100, 200)


def fitted(labels=y, estimator=None):
    model = LogisticRegression() if estimator is None else estimator
    querier = BadgeQuerier(model, strategy="random", random_state=0)
    return querier.fit(X[KNOWN], labels[KNOWN])


@pytest.mark.parametrize(
    ("name", "function", "options", "of_sklearn"),
    [
        ("accuracy", metrics.accuracy_score, {}, {}),
        ("balanced_accuracy", metrics.balanced_accuracy_score, {}, {}),
        (
            "precision",
            metrics.precision_score,
            {"pos_label": "cat"},
            {"labels": ["cat"], "average": "micro"},
        ),
        (
            "recall",
            metrics.recall_score,
            {"pos_label": "cat"},
            {"labels": ["cat"], "average": "micro"},
        ),
        ("log_loss", metrics.log_loss, {}, {}),
    ],
)
@pytest.mark.parametrize("n_pool", [None, 400])
def test_metrics_are_those_of_scikit_learn(name, function, options, of_sklearn, n_pool):
    labels = NAMES[y]
    querier = fitted(labels)
    found = audit(querier, X[KEPT], labels[KEPT], metric=name, n_pool=n_pool, **options)
    said = querier.predict if name != "log_loss" else querier.predict_proba
    expected = function(labels[KEPT], said(X[KEPT]), **of_sklearn)
    assert found.overall.estimate == pytest.approx(expected, abs=1e-12)
    np.testing.assert_allclose(found.overall.weights, 1)
    assert found.rest is None
    assert found.labeled is None
    assert (found.overall.n, found.overall.n_pool) == (100, n_pool)


def test_two_classes_have_a_positive_one():
    labels = np.where(y == 0, "no", "yes")
    querier = fitted(labels)
    found = audit(querier, X[KEPT], labels[KEPT], metric="precision")
    expected = metrics.precision_score(
        labels[KEPT], querier.predict(X[KEPT]), pos_label="yes"
    )
    assert found.overall.estimate == pytest.approx(expected)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_regression(n_outputs):
    rows, target = make_regression(200, 6, n_targets=n_outputs, noise=9, random_state=0)
    querier = BadgeQuerier(LinearRegression(), strategy="random")
    querier.fit(rows[KNOWN], target[KNOWN])
    found = audit(
        querier,
        rows[KEPT],
        target[KEPT],
        metric="root_mean_squared_error",
        interval="normal",
    )
    expected = metrics.root_mean_squared_error(
        target[KEPT], querier.predict(rows[KEPT])
    )
    assert found.overall.estimate == pytest.approx(expected)
    assert 0 < found.overall.low < expected < found.overall.high < 2 * expected
    half = (found.overall.high - found.overall.low) / 2
    assert found.overall.standard_error == pytest.approx(half / 1.96, rel=1e-3)


def test_the_interval_is_that_of_uniform_draws():
    querier = fitted()
    wrong = querier.predict(X[KEPT]) != y[KEPT]
    risk = risk_estimate(wrong, 1 / (400 - np.arange(100)), 400, uniform_share=1)
    found = audit(querier, X[KEPT], y[KEPT], n_pool=400, interval="bernstein")
    assert found.error.low == pytest.approx(risk.low)
    assert found.error.high == pytest.approx(risk.high)
    # Without an end of the rows, as from very many.
    risk = risk_estimate(wrong, 1 / (2e9 - np.arange(100)), 2 * 10**9, uniform_share=1)
    found = audit(querier, X[KEPT], y[KEPT], interval="bernstein")
    assert found.error.low == pytest.approx(risk.low, abs=1e-6)
    assert found.error.high == pytest.approx(risk.high, abs=1e-6)
    # All there are.
    found = audit(querier, X[KEPT], y[KEPT], n_pool=100)
    assert found.overall.low == found.overall.high == 1 - wrong.mean()


@pytest.mark.parametrize("n_pool", [None, 400])
def test_the_accuracy_has_an_exact_interval(n_pool):
    querier = fitted()
    n_wrong = int((querier.predict(X[KEPT]) != y[KEPT]).sum())
    found = audit(querier, X[KEPT], y[KEPT], n_pool=n_pool)
    expected = exact_interval(n_wrong, 100, n_pool, 0.05)
    assert (found.error.low, found.error.high) == pytest.approx(expected)
    assert found.interval == "exact"
    wide = audit(querier, X[KEPT], y[KEPT], n_pool=n_pool, interval="bernstein")
    assert wide.error.low < found.error.low < found.error.high < wide.error.high


def test_skipped_rows_may_have_been_right_or_wrong():
    querier = fitted()
    given = y[KEPT].astype(float)
    given[:10] = np.nan
    n_wrong = int((querier.predict(X[KEPT]) != y[KEPT])[10:].sum())
    found = audit(querier, X[KEPT], given).error
    assert found.low == pytest.approx(exact_interval(n_wrong, 100, None, 0.05)[0])
    high = exact_interval(n_wrong + 10, 100, None, 0.05)[1]
    assert found.high == pytest.approx(high)


def test_it_takes_fewer_rows_to_be_sure_than_a_batch_does():
    """As the documentation says: 29 rows without an error, and 304 with a tenth."""
    bounds = [exact_interval(0, n, None, 2 * 0.05)[1] for n in (29, 28)]
    assert bounds[0] < 0.1 < bounds[1]
    highs = [
        risk_estimate(
            np.zeros(n),
            1 / (10**5 - np.arange(n)),
            10**5,
            uniform_share=0.1,
            confidence=1 - 2 * 0.05,
        ).high
        for n in (304, 303)
    ]
    assert highs[0] < 0.1 < highs[1]


def test_skipped_rows():
    querier = fitted()
    given = y[KEPT].astype(float)
    given[:10] = np.nan
    found = audit(querier, X[KEPT], given)
    right = querier.predict(X[KEPT])[10:] == y[KEPT][10:]
    assert found.overall.estimate == pytest.approx(right.mean())
    assert found.overall.n == 90
    assert found.overall.low < audit(querier, X[KEPT], y[KEPT]).overall.low
    assert "10 of 100 rows were skipped" in found.notes[0]


def test_rows_that_the_model_knows_are_noted():
    querier = fitted()
    assert audit(querier, X[KEPT], y[KEPT]).notes == ()
    found = audit(querier, X[90:110], y[90:110])
    assert "10 of 20 rows equal labelled ones" in found.notes[0]


@pytest.mark.parametrize(
    "rename", [np.char.upper, lambda names: names.astype(object) + "s"]
)
def test_labels_of_which_none_is_a_class_are_suspected(rename):
    """The accuracy was 0, with no word of why."""
    labels = NAMES[y]
    querier, others = fitted(labels), rename(labels[KEPT])
    with pytest.warns(MonitoringWarning, match="no class of the model") as caught:
        found = audit(querier, X[KEPT], others)
    assert caught[0].filename == __file__
    for name in {*labels[KEPT], *others}:
        assert repr(str(name)) in str(caught[0].message)
    assert found.overall.estimate == 0
    # With one that is known, no word is said of the others.
    audit(querier, X[KEPT], [labels[0], *others[1:]])


def test_queriers_inside_pipelines_and_printing():
    querier = BadgeQuerier(LogisticRegression(), strategy="random")
    pipeline = make_pipeline(StandardScaler(), querier).fit(X[KNOWN], y[KNOWN])
    found = audit(pipeline, X[KEPT], y[KEPT])
    assert found.overall.estimate == pytest.approx(pipeline.score(X[KEPT], y[KEPT]))
    assert "those that 100 rows were drawn from, uniformly" in str(found)
    assert "from 100 rows" in str(found.overall)
    assert "<table>" in found._repr_html_()


def test_a_ratio_without_any_row_is_not_defined():
    labels = np.where(y == 0, "no", "yes")
    querier = fitted(labels)
    rows = np.flatnonzero(querier.predict(X) == "no")[:10]
    found = audit(querier, X[rows], labels[rows], metric="precision")
    assert np.isnan(found.overall.estimate)
    assert "no row counts for the precision" in found.notes[-1]


def test_the_normal_interval_is_as_wide_as_ratios_vary():
    """With many rows, weighted as draws by a strategy are; of few it is too narrow."""
    rows, labels = make_classification(
        2200, 6, n_informative=4, n_classes=3, flip_y=0.1, random_state=0
    )
    model = FrozenEstimator(LogisticRegression().fit(rows[:200], labels[:200]))
    pool, labels = rows[200:], labels[200:]
    truth = metrics.precision_score(
        labels, model.predict(pool), labels=[1], average="micro"
    )
    strategy = Margin(noise="power", distinct=False, uniform_share=0.3)
    found = []
    for seed in range(150):
        querier = BadgeQuerier(model, strategy=strategy, random_state=seed)
        batch, report = querier.query(pool, 320, return_report=True)
        found.append(
            assess(querier, report, labels[batch], metric="precision", pos_label=1)
        )
    assert all(each.n_labeled == 0 for each in found)
    assert found[0].overall.estimate == found[0].rest.estimate
    estimates = np.array([each.rest.estimate for each in found])
    error = estimates.std(ddof=1) / np.sqrt(150)
    assert abs(estimates.mean() - truth) < 3 * error
    radius = np.mean([(each.rest.high - each.rest.low) / 2 for each in found])
    # The standard deviation of 150 values is known up to 6 %.
    assert 0.85 < radius / (1.96 * estimates.std()) < 1.2
    held = [each.rest.low <= truth <= each.rest.high for each in found]
    assert np.mean(held) > 0.9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_pool": 50}, "`n_pool` must be at least the number of rows of the audit"),
        ({"y_audit": y[:50]}, "one label for each of the 100 rows"),
        ({"y_audit": NAMES[y][KEPT]}, "of the kind of the model's classes"),
        ({"metric": "root_mean_squared_error"}, "for a classifier"),
        ({"n_pool": 0}, "n_pool"),
        ({"confidence": 0.0}, "confidence"),
        ({"metric": "recall", "interval": "exact"}, "'exact' is for the accuracy"),
    ],
)
def test_what_is_refused(change, message):
    arguments = {"X_audit": X[KEPT], "y_audit": y[KEPT]} | change
    with pytest.raises(ValueError, match=message):
        audit(fitted(), **arguments)


def test_booleans_with_gaps_are_labels():
    """A list of NumPy's booleans and None was refused as of an unknown type."""
    answers = y > 0
    querier = BadgeQuerier(LogisticRegression(max_iter=500)).fit(X[:60], answers[:60])
    expected = audit(querier, X[61:100], answers[61:100]).overall.estimate
    found = audit(querier, X[60:100], [None, *answers[61:100]])
    assert found.overall.estimate == pytest.approx(expected)
