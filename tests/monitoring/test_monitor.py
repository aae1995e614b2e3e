"""Monitor: what it keeps of rounds, and what it refuses."""

import copy
import inspect
import itertools
import pickle
import sys
import threading

import numpy as np
import pytest
from sklearn.datasets import make_regression
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import cohen_kappa_score

from skbadge import BadgeQuerier
from skbadge.monitoring import (
    Monitor,
    assess,
    audit,
    forecast_labels,
    stopping_advice,
)
from skbadge.monitoring.rounds._answered_batch import AnsweredBatch
from skbadge.strategies import Badge
from tests.monitoring._asked import NAMES, X, asked, y

POOL, ANSWERS = X[60:], y[60:]


def rounds_of(querier, monitor, n_rounds, *, labels=ANSWERS, pool=POOL, n=30):
    """Run rounds and yield, before each training, the report and the round."""
    left = np.ones(len(pool), dtype=bool)
    for _ in range(n_rounds):
        rows, report = querier.query(pool, n, candidates=left, return_report=True)
        left[rows] = False
        one = monitor.add(querier, report, pool[rows], labels[rows])
        yield report, one
        querier.partial_fit(pool[rows], labels[rows])


def test_a_round_is_what_assess_says_and_what_the_answers_are():
    querier, report, answers = asked()
    monitor = Monitor(POOL, random_state=0)
    one = monitor.add(querier, report, POOL[report.rows], answers)
    expected = assess(querier, report, answers)
    assert one.assessment.overall.estimate == expected.overall.estimate
    assert one.error.high == expected.error.high
    assert (one.number, one.n_labeled, one.source) == (1, 60, "batch")
    assert (one.n_asked, one.n_answered) == (30, 30)
    assert one.strategy == report.strategy
    wrong = querier.predict(POOL[report.rows]) != answers
    assert one.disagreement == wrong.mean()
    assert one.class_counts == {label: (answers == label).sum() for label in range(3)}
    assert (one.duplicates, one.agreement) == (0.0, None)
    assert "no model before" in one.notes[0]
    assert monitor.rounds == [one]


@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
@pytest.mark.parametrize("audited", [True, False])
@pytest.mark.parametrize("is_first", [True, False])
def test_the_advice_gives_the_reason_why_there_is_no_bound(is_first, audited):
    querier = BadgeQuerier(
        LogisticRegression(),
        strategy="margin" if is_first else Badge(uniform_share=0.2),
        random_state=0,
    )
    if not is_first:
        # Too few of a class to train without some.
        querier.fit(X[:4], [0, 1, 1, 1])
    monitor = Monitor(POOL, audit=(X[:60], y[:60]) if audited else None)
    rows, report = querier.query(POOL, 10, return_report=True)
    one = monitor.add(querier, report, POOL[rows], ANSWERS[rows])
    advice = monitor.should_stop(0.1).advice
    if one.assessment is None:
        assert advice == f"There is no bound. Note: {one.notes[0]}."
        assert "no known probabilities" not in advice
    assert (one.assessment is None) == (is_first or not audited)


def test_an_audit_judges_in_place_of_the_batch(monkeypatch):
    kept = slice(500, 600)
    querier, report, answers = asked(strategy="margin", rows=X[:500], labels=y[:500])
    monitor = Monitor(audit=(X[kept], y[kept].tolist()))
    trainings = []
    monkeypatch.setattr(LogisticRegression, "fit", lambda *a, **k: trainings.append(a))
    one = monitor.add(querier, report, X[60:][report.rows], answers)
    assert not trainings
    assert one.source == "audit"
    expected = audit(querier, X[kept], y[kept])
    assert one.assessment.interval == "exact"
    assert one.error.estimate == expected.error.estimate
    assert one.assessment.overall.n == 100


def test_an_audit_may_grow():
    querier, report, answers = asked(strategy="margin")
    monitor = Monitor(audit=(X[-40:-20], y[-40:-20]))
    labels = y[-20:].astype(object)
    labels[3] = None
    assert monitor.extend_audit(X[-20:], labels) is monitor
    one = monitor.add(querier, report, POOL[report.rows], answers)
    assert one.assessment.overall.n == 39
    later = Monitor().extend_audit(X[-40:], labels.tolist() + y[-20:].tolist())
    one = later.add(querier, report, POOL[report.rows], answers)
    assert one.source == "audit"
    for labels in (y[:3], 1, None):
        with pytest.raises(ValueError, match="a label, or None, for each of its 20"):
            monitor.extend_audit(X[:20], labels)
    for wrong in (X, (X,)):
        with pytest.raises(ValueError, match=r"`audit` must be a tuple \(X_audit"):
            Monitor(audit=wrong)


def test_agreement_is_kappa_on_the_reference_rows():
    querier, *_ = asked()
    monitor = Monitor(POOL, n_reference=len(POOL))
    said, expected = [], []
    for _, _ in rounds_of(querier, monitor, 3):
        said.append(querier.predict(POOL))
        expected.append(cohen_kappa_score(*said[-2:]) if len(said) > 1 else None)
    found = [one.agreement for one in monitor.rounds]
    assert found[0] is None
    np.testing.assert_allclose(found[1:], expected[1:])
    assert 0 < min(found[1:]) < 1


def test_models_that_say_the_same_class_everywhere_agree():
    labels = np.where(np.arange(600) < 597, "often", "seldom")
    labels[:2] = "seldom"
    querier, *_ = asked(LogisticRegression(C=1e-6), labels=labels)
    monitor = Monitor(POOL)
    for _ in rounds_of(querier, monitor, 2, labels=labels[60:]):
        pass
    assert set(querier.predict(POOL)) == {"often"}
    assert monitor.rounds[1].agreement == 1.0


def test_agreement_of_numbers_is_lins_concordance():
    rows, targets = make_regression(400, 6, n_targets=2, noise=50, random_state=0)
    querier = BadgeQuerier(LinearRegression(), strategy="random", random_state=0)
    querier.fit(rows[:20], targets[:20])
    pool, labels = rows[20:], targets[20:]
    monitor = Monitor(pool, metric="root_mean_squared_error", n_reference=380)
    said = []
    for _ in rounds_of(querier, monitor, 2, labels=labels, pool=pool):
        said.append(querier.predict(pool))
    expected = []
    for a, b in zip(said[0].T, said[1].T, strict=True):
        covariance = np.cov(a, b, ddof=0)[0, 1]
        spread = a.var() + b.var() + (a.mean() - b.mean()) ** 2
        expected.append(2 * covariance / spread)
    one = monitor.rounds[1]
    assert one.agreement == pytest.approx(np.mean(expected))
    assert (one.class_counts, one.disagreement) == ({}, None)
    assert one.assessment.interval == "normal"


def test_classes_that_are_seen_later_count():
    first = np.flatnonzero(y[:60] < 2)
    querier = BadgeQuerier(LogisticRegression(), strategy="random", random_state=0)
    querier.fit(X[:60][first], NAMES[y[:60][first]])
    monitor = Monitor(POOL, metric="recall", pos_label="cat")
    for _ in rounds_of(querier, monitor, 3, labels=NAMES[ANSWERS]):
        pass
    assert all(one.class_counts["cat"] for one in monitor.rounds)
    assert all(one.assessment is not None for one in monitor.rounds)
    assert 0 < monitor.rounds[1].agreement < 1


def test_a_class_that_nobody_has_seen_is_said():
    querier, report, answers = asked()
    monitor = Monitor(metric="recall", pos_label=7)
    one = monitor.add(querier, report, POOL[report.rows], answers)
    assert one.assessment is None
    assert "`pos_label` is 7, and the classes so far are" in one.notes[0]
    # The accuracy is about no class.
    again = Monitor(pos_label=7).add(querier, report, POOL[report.rows], answers)
    assert again.assessment is not None


@pytest.mark.parametrize("several", [[1], {1: 2}, {1}, np.array([1]), ([1],)])
def test_several_classes_at_once_are_refused(several):
    with pytest.raises(ValueError, match="`pos_label` must be one label, such as 1"):
        Monitor(metric="precision", pos_label=several)


def test_duplicates_are_rows_that_stood_before():
    rows = X.copy()
    rows[70], rows[71], rows[72] = X[5], X[80], X[80]
    querier = BadgeQuerier(LogisticRegression(), strategy="random", random_state=0)
    querier.fit(rows[:60], y[:60])
    querier._has_warned = True
    candidates = [10, 11, 12, 20, 30]
    picks, report = querier.query(rows[60:], 5, candidates=candidates, **REPORT)
    one = Monitor().add(querier, report, rows[60:][picks], y[60:][picks])
    # Row 70 equals a labelled one; 71, 72 and 80 are one and the same.
    assert one.duplicates == 3 / 5


REPORT = {"return_report": True}


@pytest.mark.parametrize(
    ("strategy", "options"),
    [("margin", {}), ("random", {"groups": np.arange(540) // 2})],
)
def test_a_batch_without_probabilities_is_kept(strategy, options):
    querier, report, answers = asked(strategy=strategy, **options)
    one = Monitor(POOL).add(querier, report, POOL[report.rows], answers)
    assert (one.assessment, one.error, one.source) == (None, None, "")
    assert one.disagreement == np.mean(querier.predict(POOL[report.rows]) != answers)
    assert "Monitor(audit=(X_audit, y_audit))" in one.notes[0]


def test_rounds_before_there_is_a_model_are_kept():
    querier = BadgeQuerier(
        LogisticRegression(), strategy="random", cold_start="random", random_state=0
    )
    monitor = Monitor(POOL, audit=(X[:60], y[:60]))
    rows, report = querier.query(POOL, 30, **REPORT)
    one = monitor.add(querier, report, POOL[rows], ANSWERS[rows])
    assert (one.n_labeled, one.assessment, one.agreement) == (0, None, None)
    assert one.disagreement is None
    assert sum(one.class_counts.values()) == 30
    assert "no model yet" in one.notes[0]
    querier.fit(POOL[rows], ANSWERS[rows])
    with pytest.raises(ValueError, match="`report` must be of the model as it is"):
        Monitor().add(querier, report, POOL[rows], ANSWERS[rows])
    ones = [one for _, one in rounds_of(querier, monitor, 2)]
    assert ones[0].source == "audit"
    assert ones[1].agreement is not None


@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
def test_rounds_of_one_class_are_kept():
    same = np.flatnonzero(ANSWERS == 1)[:10]
    querier = BadgeQuerier(LogisticRegression(), random_state=0)
    with pytest.raises(ValueError, match="one class only"):
        querier.fit(POOL[same], ANSWERS[same])
    rows, report = querier.query(POOL, 20, **REPORT)
    one = Monitor().add(querier, report, POOL[rows], ANSWERS[rows])
    assert (one.n_labeled, one.disagreement) == (10, None)
    assert one.duplicates == np.isin(rows, same).mean()


@pytest.mark.parametrize("few", [4, 12])
def test_too_few_labels_to_cross_fit_are_no_error(few):
    rows = [np.flatnonzero(y == label)[:2] for label in range(3)]
    rows = np.concatenate(rows)[: few if few > 4 else 3]
    querier = BadgeQuerier(LogisticRegression(), strategy="random", random_state=0)
    querier.fit(X[rows], y[rows])
    batch, report = querier.query(POOL, 10, **REPORT)
    one = Monitor().add(querier, report, POOL[batch], ANSWERS[batch])
    if few > 4:
        assert one.source == "batch"
    else:
        assert one.assessment is None
        assert "two classes with two labelled rows each" in one.notes[0]


def test_rows_without_an_answer_are_left_out():
    querier, report, answers = asked()
    given = answers.astype(object)
    given[[3, 7]] = None
    one = Monitor().add(querier, report, POOL[report.rows], given)
    assert (one.n_asked, one.n_answered) == (30, 28)
    assert sum(one.class_counts.values()) == 28
    there = [i for i in range(30) if i not in (3, 7)]
    wrong = querier.predict(POOL[report.rows]) != answers
    assert one.disagreement == wrong[there].mean()
    assert "2 of 30 rows were skipped" in str(one.assessment)


def test_what_is_wrong_is_refused_and_nothing_is_kept():
    querier, report, answers = asked()
    batch = POOL[report.rows]
    monitor = Monitor(POOL, random_state=0)
    wrong = [
        ((querier, report, batch[:-1], answers), "the 30 rows of the batch"),
        ((querier, report, batch[::-1], answers), "something else than of the batch"),
        ((querier, report, batch, answers[:-1]), "one label for each of the 30 rows"),
        ((querier, report, batch, [None] * 30), "at least one label"),
        ((querier, report, batch[:, :3], answers), "features"),
        ((querier, None, batch, answers), "must be a QueryReport"),
        ((LogisticRegression(), report, batch, answers), "must be a BadgeQuerier"),
    ]
    for arguments, message in wrong:
        with pytest.raises((ValueError, TypeError), match=message):
            monitor.add(*arguments)
    with pytest.raises(ValueError, match="for a classifier"):
        Monitor(metric="root_mean_squared_error").add(querier, report, batch, answers)
    trained = copy.deepcopy(querier).partial_fit(batch, answers)
    with pytest.raises(ValueError, match="Call `add` before `fit`, `partial_fit`"):
        monitor.add(trained, report, batch, answers)
    assert monitor.rounds == []
    monitor.add(querier, report, batch, answers)
    with pytest.raises(ValueError, match="added already"):
        monitor.add(querier, report, batch, answers)
    assert len(monitor.rounds) == 1


def test_answers_in_another_order_are_refused():
    pd = pytest.importorskip("pandas")
    querier, report, _ = asked(strategy="margin")
    batch, named = POOL[report.rows], pd.Series(ANSWERS)[report.rows]
    with pytest.raises(ValueError, match=r"another order than `report.rows`"):
        Monitor().add(querier, report, batch, named.sort_index())
    Monitor().add(querier, report, batch, named)


@pytest.mark.parametrize(
    "change",
    [
        {"n_reference": 0},
        {"metric": "f1"},
        {"interval": "exact"},
        {"confidence": 1.0},
        {"n_folds": 1},
        {"max_loss": 0.0},
        {"random_state": "x"},
    ],
)
def test_parameters_are_checked(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        Monitor(**change)


def test_two_batches_of_one_model_have_no_agreement():
    querier, *_ = asked()
    monitor, left = Monitor(POOL), np.ones(540, dtype=bool)
    for _ in range(2):
        rows, report = querier.query(POOL, 20, candidates=left, **REPORT)
        left[rows] = False
        one = monitor.add(querier, report, POOL[rows], ANSWERS[rows])
    assert one.agreement is None
    assert "the model is that of the round before" in one.notes[-1]


def test_the_interval_is_bernsteins_where_it_holds():
    querier, report, answers = asked()
    given = querier, report, POOL[report.rows], answers
    for options, expected in [
        ({}, "bernstein"),
        ({"metric": "balanced_accuracy"}, "normal"),
        ({"metric": "log_loss"}, "normal"),
        ({"metric": "log_loss", "max_loss": 40.0}, "bernstein"),
        ({"interval": "normal"}, "normal"),
    ]:
        monitor = Monitor(**options)
        assert monitor.add(*given).assessment.interval == expected
        assert expected in str(monitor)
        assert not monitor.rounds[0].assessment.notes


def test_it_says_when_to_stop_and_how_many_labels_it_takes():
    querier, *_ = asked()
    for options in ({}, {"audit": (X[500:], y[500:])}):
        monitor, other = Monitor(POOL[:440], n_folds=2, **options), copy.copy(querier)
        with pytest.raises(ValueError, match="at least 4 rounds"):
            monitor.forecast(0.1)
        assert not monitor.should_stop(0.1)
        pool = POOL[:440]
        for _ in rounds_of(other, monitor, 4, labels=ANSWERS[:440], pool=pool):
            pass
        rounds = monitor.rounds
        advice = monitor.should_stop(0.3, confidence=0.8, window=2)
        expected = stopping_advice(rounds, 0.3, confidence=0.8, window=2)
        assert str(advice) == str(expected)
        found = monitor.forecast(0.2, n_bootstrap=100, random_state=0)
        expected = forecast_labels(
            [one.n_labeled for one in rounds],
            [one.error.estimate for one in rounds],
            0.2,
            standard_errors=[one.error.standard_error for one in rounds],
            same_rows=bool(options),
            n_bootstrap=100,
            random_state=0,
        )
        assert str(found) == str(expected)


def test_nothing_that_was_handed_in_is_kept_or_changed():
    querier, report, answers = asked()
    pool, batch = POOL.copy(), POOL[report.rows]
    audit_rows, labels = X[-30:].copy(), y[-30:].copy()
    monitor = Monitor(pool, audit=(audit_rows, labels))
    pool[:], audit_rows[:], labels[:] = 0, 0, 0
    given = answers.copy()
    one = monitor.add(querier, report, batch, given)
    np.testing.assert_array_equal(given, answers)
    np.testing.assert_array_equal(batch, POOL[report.rows])
    assert one.error.estimate == audit(querier, X[-30:], y[-30:]).error.estimate
    assert monitor._reference.any()


def test_watching_does_not_change_what_is_picked():
    for random_state in (3, np.random.RandomState(3)):
        picks = []
        for monitor in (None, Monitor(POOL, random_state=0)):
            querier, *_ = asked(seed=copy.deepcopy(random_state))
            rows, report = querier.query(POOL, 20, **REPORT)
            if monitor is not None:
                monitor.add(querier, report, POOL[rows], ANSWERS[rows])
            querier.partial_fit(POOL[rows], ANSWERS[rows])
            picks.append(querier.query(POOL, 20))
        np.testing.assert_array_equal(*picks)


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_a_copy_goes_on_by_itself(copied):
    querier, *_ = asked()
    monitor = Monitor(POOL, random_state=0)
    rounds = rounds_of(querier, monitor, 2)
    report, _ = next(rounds)
    other = copied(monitor)
    with pytest.raises(ValueError, match="added already"):
        other.add(querier, report, POOL[report.rows], ANSWERS[report.rows])
    report, two = next(rounds)
    assert len(other.rounds) == 1
    again = other.add(querier, report, POOL[report.rows], ANSWERS[report.rows])
    assert str(again) == str(two)
    assert len(monitor.rounds) == len(other.rounds) == 2


def test_threads_add_one_at_a_time(monkeypatch):
    monitor, batches = Monitor(), []
    for n in (10, 11):
        querier, report, answers = asked(strategy="margin", n=n)
        batches.append((querier, report, POOL[report.rows], answers))
    inside, both = [], threading.Event()

    def duplicates(self):
        inside.append(self)
        if len(inside) == 2:
            both.set()
        both.wait(0.2)
        inside.pop()
        return 0.0

    monkeypatch.setattr(AnsweredBatch, "duplicates", duplicates)
    threads = [threading.Thread(target=monitor.add, args=batch) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not both.is_set()
    assert [one.number for one in monitor.rounds] == [1, 2]


def test_a_table_has_a_line_for_each_round():
    querier, *_ = asked(labels=NAMES[y])
    monitor = Monitor(POOL, random_state=0)
    assert str(monitor).startswith("0 rounds, accuracy with bernstein")
    assert "<table>" not in monitor._repr_html_()
    for _ in rounds_of(querier, monitor, 2, labels=NAMES[ANSWERS]):
        pass
    title, head, first, second, *notes = str(monitor).split("\n")
    assert title.startswith("2 rounds")
    assert title.endswith("540 reference rows")
    assert head.split()[:4] == ["round", "labelled", "answered", "error"]
    assert first.split()[:2] == ["1", "60"]
    assert second.split()[:2] == ["2", "90"]
    assert f"{100 * monitor.rounds[0].error.estimate:.1f} %" in first
    assert len({len(line) for line in (head, first, second)}) == 1
    assert f"ant: {monitor.rounds[1].class_counts['ant']}" in second
    assert notes == [
        "note, in round 1: no agreement: there was no model before this one"
    ]
    assert repr(monitor) == f"<Monitor: {title}>"
    assert "ant: " in monitor._repr_html_()
    one = monitor.rounds[1]
    assert str(one).startswith("round 2, labelled 90, answered 30 of 30, error ")
    assert f"agreement {one.agreement:.3f}" in repr(one)


def test_a_frame_has_a_row_for_each_round():
    pytest.importorskip("pandas")
    names = np.array(["labeled", "<b>", "cat"])
    querier, *_ = asked(labels=names[y])
    monitor = Monitor(POOL, random_state=0)
    for _ in rounds_of(querier, monitor, 2, labels=names[ANSWERS]):
        pass
    frame, one = monitor.to_frame(), monitor.rounds[1]
    assert frame["round"].tolist() == [1, 2]
    assert frame["n_labeled"].tolist() == [60, 90]
    assert frame["n_labeled_"].tolist()[1] == one.class_counts["labeled"]
    assert frame["n_cat"].tolist()[1] == one.class_counts["cat"]
    assert np.isnan(frame["agreement"][0])
    last = frame.iloc[1]
    assert (last["error"], last["error_low"], last["error_high"]) == (
        one.error.estimate,
        one.error.low,
        one.error.high,
    )
    assert (last["source"], last["metric"]) == ("batch", "accuracy")
    assert "&lt;b&gt;" in monitor._repr_html_()


def test_ctrl_c_keeps_a_round_whole_or_not_at_all():
    """Wherever it comes: what was half kept could never be added again."""
    querier, report, answers = asked()
    batch = querier, report, POOL[report.rows], answers
    file, n_lines, kept = inspect.getsourcefile(Monitor), 0, []

    def interrupted_at(stop):
        monitor, seen = Monitor(POOL, n_reference=20, random_state=0), itertools.count()

        def on_line(frame, event, arg):
            if event == "line" and next(seen) == stop:
                sys.settrace(None)
                raise KeyboardInterrupt
            return on_line

        def on_call(frame, event, arg):
            return on_line if frame.f_code.co_filename == file else None

        known = sys.gettrace()
        sys.settrace(on_call)
        try:
            monitor.add(*batch)
        finally:
            sys.settrace(known)
            kept.append(monitor)

    while True:
        try:
            interrupted_at(n_lines)
        except KeyboardInterrupt:
            n_lines += 1
            if not kept[-1].rounds:
                kept[-1].add(*batch)
        else:
            break
    assert n_lines > 10
    for monitor in kept:
        (one,) = monitor.rounds
        assert one.notes == kept[-1].rounds[0].notes
