"""What people do who use it for the first time: each time, the way out is said."""

import numpy as np
import pytest

from skbadge.exceptions import MonitoringWarning
from skbadge.monitoring import (
    Monitor,
    MonitorDisplay,
    assess,
    audit,
    compare_with_random,
    forecast_labels,
    stopping_advice,
)
from skbadge.pools import from_arrays
from tests.monitoring._asked import X, asked, y

POOL = X[60:]


def watched(monitor, **options):
    """The monitor after one batch, and the querier."""
    querier, report, answers = asked(**options)
    monitor.add(querier, report, POOL[report.rows], answers)
    return monitor


def test_an_accuracy_as_target_is_called_one():
    """The error is at most 0.95 from the first round on, so that it said: stop."""
    monitor = watched(Monitor(audit=(X[200:], y[200:])))
    with pytest.warns(MonitoringWarning, match=r"take 0\.05\.") as caught:
        monitor.should_stop(0.95)
    assert caught[0].filename == __file__
    with (
        pytest.warns(MonitoringWarning, match=r"take 0\.05\."),
        pytest.raises(ValueError, match="4 rounds"),
    ):
        monitor.forecast(0.95)
    with pytest.warns(MonitoringWarning, match="reached with accuracy 0.1"):
        stopping_advice(monitor.rounds, 0.9)
    assert monitor.should_stop(0.5)


def test_accuracies_in_place_of_errors_are_suspected():
    found = forecast_labels([10, 20, 30, 40], [0.6, 0.7, 0.75, 0.78], 0.5)
    assert "1 - accuracy" in str(found)
    falling = forecast_labels([10, 20, 30, 40], [0.4, 0.3, 0.25, 0.22], 0.1)
    assert "1 - accuracy" not in str(falling)


def test_an_audit_that_was_trained_on_is_suspected():
    """Its error is 0, so that it said: stop."""
    querier, *_ = asked()
    with pytest.warns(MonitoringWarning, match="60 of the 60 rows of the audit"):
        audit(querier, X[:60], y[:60])
    with pytest.warns(MonitoringWarning):
        monitor = watched(Monitor(audit=(X[:60], y[:60])))
    assert "equal labelled ones" in monitor.should_stop(0.5).advice


def test_few_equal_rows_in_an_audit_are_a_note():
    querier, *_ = asked()
    found = audit(querier, X[30:120], y[30:120])
    assert "30 of 90 rows equal labelled ones" in found.notes[0]


def test_a_forecast_says_that_more_batches_do_not_help():
    """It said: label another batch first."""
    monitor = watched(Monitor(), strategy="margin")
    with pytest.raises(ValueError, match=r"Got 0, of 1 rounds in all\. Print"):
        monitor.forecast(0.1)
    with pytest.raises(ValueError, match="Label another batch first"):
        watched(Monitor()).forecast(0.1)


def test_rows_in_another_order_than_the_batch_are_refused():
    """They were not looked at where the report has predictions."""
    querier, report, _ = asked()
    rows = np.sort(report.rows)
    with pytest.raises(ValueError, match="`rows` must be the rows of the batch"):
        assess(querier, report, y[60:][rows], rows=POOL[rows])
    answers, batch = y[60:][report.rows], POOL[report.rows]
    with_rows = assess(querier, report, answers, rows=batch)
    assert str(with_rows) == str(assess(querier, report, answers))


def test_a_batch_in_place_of_the_report_is_named():
    querier, report, answers = asked()
    with pytest.raises(TypeError, match=r"return_report=True\)`. Got ndarray of shape"):
        assess(querier, POOL[report.rows], answers)


def test_a_reference_of_chunks_leads_to_pools():
    chunks = [POOL[:100], POOL[100:200]]
    with pytest.raises(TypeError, match="from_chunks"):
        Monitor(iter(chunks))
    for reference in (chunks, POOL[:, :2]):
        monitor = Monitor(reference)
        with pytest.raises(ValueError, match=r"of the Monitor's `X_pool`.*from_chunks"):
            watched(monitor)
        assert not monitor.rounds
    assert len(watched(Monitor(from_arrays(POOL))).rounds) == 1


def test_the_title_names_the_intervals_that_there_are():
    """A labelling session lends the monitor an audit for each round only."""
    monitor = Monitor()
    assert "with bernstein intervals" in str(monitor)
    monitor.extend_audit(X[300:], y[300:])
    watched(monitor)
    monitor._audit = None
    assert "with exact intervals" in str(monitor)


def test_displays_are_made_of_monitors_and_of_rounds():
    monitor = watched(Monitor())
    with pytest.raises(TypeError, match=r"MonitorDisplay\(rounds\)"):
        MonitorDisplay.from_monitor(monitor.rounds)
    with pytest.raises(TypeError, match=r"from_monitor\(monitor\)"):
        MonitorDisplay(monitor)


def test_a_margin_in_points_is_refused():
    """5 for 5 points: all was a difference that does not matter."""
    querier, report, answers = asked()
    querier.partial_fit(POOL[report.rows], answers)
    left = np.delete(np.arange(60, 600), report.rows)
    with pytest.raises(ValueError, match="margin"):
        compare_with_random(querier, X[left], y[left], n_initial=60, margin=5)


def test_a_normal_bound_is_not_called_sure():
    monitor = watched(Monitor(interval="normal"))
    advice = monitor.should_stop(0.3)
    assert "normal interval holds" in advice.criteria[0].reading
    exact = watched(Monitor(audit=(X[200:], y[200:]))).should_stop(0.3)
    assert "normal" not in exact.criteria[0].reading


@pytest.mark.parametrize("kind", ["batch", "audit"])
def test_answers_in_another_order_are_suspected(kind):
    """Numbers do not tell which rows they are of, but the model does."""
    labels = 3 * (X[:, 0] > 0) + 2 * (X[:, 1] > 0) + (X[:, 2] > 0)
    querier, report, answers = asked(labels=labels, n=60)
    kept = None if kind == "batch" else (X[-200:], labels[-200:])
    for given, is_suspected in ((answers, False), (answers[::-1], True)):
        monitor = Monitor(audit=kept)
        monitor.add(querier, report, POOL[report.rows], given)
        assert ("in the order of `report.rows`?" in str(monitor)) == is_suspected
