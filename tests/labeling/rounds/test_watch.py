"""A monitor is told of each round of a session, before the training that ends it."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier
from skbadge.__main__ import main
from skbadge.exceptions import QueryWarning
from skbadge.labeling import read_progress
from skbadge.labeling.rounds._watch import joined
from skbadge.monitoring import Monitor, risk_estimate
from skbadge.strategies import ALBL, Badge
from tests.labeling._sessions import (
    X,
    Y,
    answer,
    fresh,
    ids_of,
    make_querier,
    open_session,
    read,
)

QUERIER = make_querier(Badge(uniform_share=0.3))


def open_watched(folder, monitor, **options):
    options = {"querier": QUERIER, "batch_size": 20, "annotator": "ann", **options}
    return open_session(folder, monitor=monitor, **options)


def do_round(session, n=20):
    tasks = session.next(n)
    answer(session, tasks)
    session.train()
    return tasks


def facts(one):
    return {name: value for name, value in vars(one).items() if name != "assessment"}


def test_each_round_is_judged_by_its_batch(tmp_path):
    monitor = Monitor(X, random_state=0)
    with open_watched(tmp_path, monitor) as session:
        do_round(session)
        model = session.querier
        hits = []
        for _ in range(2):
            tasks = session.next(20)
            said = model.predict(X[ids_of(tasks)])
            hits.append(np.mean(said != Y[ids_of(tasks)]))
            answer(session, tasks)
            session.train()
    first, second, third = monitor.rounds
    assert (first.n_labeled, first.source, first.assessment) == (0, "", None)
    assert (second.n_labeled, second.source) == (20, "batch")
    assert (third.n_labeled, third.source) == (40, "batch")
    assert [second.disagreement, third.disagreement] == pytest.approx(hits)
    assert second.agreement is None
    assert third.agreement is not None
    assert second.class_counts == {
        label: (Y[read_rows(tmp_path, 1)] == label).sum() for label in np.unique(Y)
    }


def read_rows(folder, number):
    query = "SELECT id FROM events WHERE kind = 'labeled' AND round = ? ORDER BY seq"
    return [int(id) for (id,) in read(folder, query, number)]


def test_queries_of_one_round_are_judged_together(tmp_path):
    monitor = Monitor()
    with open_watched(tmp_path, monitor, batch_size=10) as session:
        do_round(session)
        model = session.querier
        tasks = session.next(10)
        answer(session, tasks)
        # Another query, by the same model.
        more = session.next(10)
        rows = ids_of([*tasks, *more])
        chances = [task.probability for task in [*tasks, *more]]
        losses = (model.predict(X[rows]) != Y[rows]).astype(float)
        expected = risk_estimate(losses, chances, 280)
        answer(session, more)
        session.train()
    one = monitor.rounds[1]
    assert (one.n_asked, one.n_answered) == (20, 20)
    found = one.assessment.rest
    assert found.n_pool == 280
    assert found.estimate == pytest.approx(1 - expected.estimate)


def test_where_rows_come_in_between_the_first_query_counts(tmp_path):
    monitor = Monitor()
    with open_watched(tmp_path, monitor, batch_size=10) as session:
        do_round(session)
        answer(session, session.next(10))
        kept = [row for row in range(300) if row not in session.labels().index][:5]
        session.label_many(kept, Y[kept])
        answer(session, session.next(10))
        session.train()
    one = monitor.rounds[1]
    assert one.n_asked == 10
    assert one.notes[-1].startswith("rows came or went between the queries")


@pytest.mark.parametrize(("subsample", "is_one"), [(None, True), (100, False)])
def test_queries_of_subsamples_are_not_judged_together(subsample, is_one):
    querier = make_querier(Badge(uniform_share=0.3)).fit(X[:20], Y[:20])
    left, reports = np.arange(20, 300), []
    for _ in range(2):
        rows, report = querier.query(
            X, 10, candidates=left, subsample=subsample, return_report=True
        )
        reports.append(report)
        left = np.setdiff1d(left, rows)
    batch, notes = joined(reports)
    assert len(batch.rows) == (20 if is_one else 10)
    assert bool(notes) != is_one


def test_a_batch_is_cut_after_its_last_answer_and_gaps_count_as_skipped(tmp_path):
    monitor = Monitor()
    with open_watched(tmp_path, monitor) as session:
        do_round(session)
        tasks = session.next(20)
        answer(session, [*tasks[:3], *tasks[5:12]])
        session.skip(tasks[4].id)
        session.train()
        # Nothing of this one is answered: only labels of one's own are.
        session.next(20)
        kept = [row for row in range(300) if row not in session.labels().index][-3:]
        session.label_many(kept, Y[kept])
        session.train()
    assert len(monitor.rounds) == 2
    one = monitor.rounds[1]
    assert (one.n_asked, one.n_answered) == (12, 10)
    assert any("2 of 12 rows were skipped" in n for n in one.assessment.notes)


@pytest.mark.parametrize("n", [20, 30])
def test_after_a_restart_the_batch_says_the_same(tmp_path, n):
    found = []
    for is_restarted in (False, True):
        folder, monitor = fresh(tmp_path), Monitor()
        session = open_watched(folder, Monitor(), batch_size=20)
        do_round(session)
        answer(session, session.next(n)[:-3])
        if is_restarted:
            session.close()
            session = open_watched(folder, monitor, batch_size=20)
        else:
            session._rounds._watch.monitor = monitor
        with session:
            session.train()
        found.append(monitor.rounds[-1])
    before, after = found
    assert facts(before) == facts(after)
    assert str(before.assessment) == str(after.assessment)
    assert before.source == "batch"


def test_a_process_judges_what_another_one_has_asked_for(tmp_path):
    mine, theirs = Monitor(), Monitor()
    with (
        open_watched(tmp_path, mine) as session,
        open_watched(tmp_path, theirs, annotator="bob") as other,
    ):
        do_round(session)
        answer(session, session.next(10))
        answer(other, other.next(10), annotator="bob")
        other.train()
        # Who trains, is told.
        assert len(mine.rounds) == 1
        assert theirs.rounds[0].n_answered == 20
        assert theirs.rounds[0].source == "batch"
        assert session.progress().last_round == str(theirs.rounds[0])


def test_a_batch_of_another_strategy_has_no_estimate_and_a_note_says_why(tmp_path):
    monitor = Monitor()
    with open_watched(tmp_path, Monitor()) as session:
        do_round(session)
        tasks = session.next(20)
        answer(session, tasks)
    querier = make_querier("random")
    with open_watched(tmp_path, monitor, querier=querier) as session:
        session.train()
    (one,) = monitor.rounds
    assert (one.assessment, one.n_answered) == (None, 20)
    assert one.strategy == tasks[0].strategy
    assert any("the querier chose other rows" in note for note in one.notes)


@pytest.mark.parametrize(
    "querier",
    [
        BadgeQuerier(
            LogisticRegression(warm_start=True), strategy="random", warm_start=True
        ),
        make_querier(ALBL(["margin", "random"])),
    ],
    ids=["warm", "albl"],
)
def test_a_querier_that_learns_over_the_rounds_is_watched_too(tmp_path, querier):
    found = []
    for is_restarted in (False, True):
        folder, monitor = fresh(tmp_path), Monitor()
        querier.set_params(random_state=0)
        session = open_watched(folder, monitor, querier=querier)
        for _ in range(2):
            do_round(session)
        answer(session, session.next(20))
        if is_restarted:
            session.close()
            session = open_watched(folder, monitor, querier=querier)
        with session:
            found.append(ids_of(do_round(session)))
            found.append([facts(one) for one in monitor.rounds])
    assert found[:2] == found[2:]


def test_with_an_audit_it_judges_each_model_by_the_answers_so_far(tmp_path):
    monitor, n = Monitor(), []
    with open_watched(tmp_path, monitor, audit_share=0.25) as session:
        for _ in range(3):
            tasks = do_round(session)
            n.append(sum(task.strategy == "audit" for task in tasks))
        answer(session, session.next(20))
        expected = session.audit()
        row = session.labels().query("strategy == 'audit'").index[0]
        other = "ash" if Y[row] != "ash" else "bay"
        was_right = session.querier.predict(X[[row]])[0] == Y[row]
        session.correct(int(row), other)
        assert session.audit().overall.estimate != expected.overall.estimate or (
            not was_right
        )
        expected = session.audit().overall.estimate
        session.train()
    first, *judged = monitor.rounds
    assert first.source == ""
    assert {one.source for one in judged} == {"audit"}
    assert [one.assessment.overall.n for one in judged] == [
        sum(n[:2]),
        sum(n),
        sum(n) + 5,
    ]
    assert judged[-1].assessment.overall.estimate == pytest.approx(expected)
    # Rows of the audit are in no batch.
    assert [one.n_answered for one in judged] == [15, 15, 15]


def test_the_audit_of_a_monitor_is_joined_by_that_of_the_session(tmp_path):
    monitor = Monitor(audit=(X[200:210], Y[200:210]))
    with open_watched(tmp_path, monitor, audit_share=0.25) as session:
        do_round(session)
        do_round(session)
    assert monitor.rounds[-1].assessment.overall.n == 20
    assert "an audit of 10 rows" in str(monitor)


def test_a_monitor_that_fails_keeps_nobody_from_training(tmp_path):
    monitor = Monitor(metric="root_mean_squared_error")
    with open_watched(tmp_path, monitor) as session:
        answer(session, session.next(20))
        with pytest.warns(QueryWarning, match="the round is not in the monitor: "):
            session.train()
        assert session.progress().n_trainings == 1
        assert session.progress().last_round is None


class Failing(LogisticRegression):
    """Fails while told to."""

    fails = False

    def fit(self, X, y):
        if Failing.fails:
            raise RuntimeError("no luck")
        return super().fit(X, y)


def test_a_round_whose_training_fails_is_told_once(tmp_path):
    monitor = Monitor()
    querier = BadgeQuerier(Failing(), strategy="margin", random_state=0)
    with open_watched(tmp_path, monitor, querier=querier) as session:
        do_round(session)
        before = session.querier.predict_proba(X)
        answer(session, session.next(20))
        Failing.fails = True
        try:
            with pytest.raises(RuntimeError, match="no luck"):
                session.train()
        finally:
            Failing.fails = False
        # The model before it is there again.
        np.testing.assert_array_equal(session.querier.predict_proba(X), before)
        assert {task.strategy for task in session.next(1)} == {"Margin()"}
        session.train()
    assert [one.n_labeled for one in monitor.rounds] == [0, 20]
    lines = [
        line
        for (line,) in read(
            tmp_path, "SELECT reason FROM events WHERE kind = 'trained' ORDER BY seq"
        )
    ]
    assert lines == [str(one) for one in monitor.rounds]


def test_the_last_line_is_in_the_ledger_for_all_to_see(tmp_path, capsys):
    monitor = Monitor()
    with open_watched(tmp_path, monitor) as session:
        assert session.progress().last_round is None
        do_round(session)
        do_round(session)
        line = str(monitor.rounds[-1])
        assert session.progress().last_round == line
    assert read_progress(tmp_path / "a.sqlite").last_round == line
    main(["labels", str(tmp_path / "a.sqlite")])
    assert f"last round: {line}" in capsys.readouterr().out.splitlines()
    # Without a monitor, it stays what was said last.
    with open_session(tmp_path) as session:
        do_round(session)
        assert session.progress().last_round == line


def test_a_monitor_is_one(tmp_path):
    with pytest.raises(TypeError, match=r"`monitor` must be a .*Monitor, or None"):
        open_session(tmp_path, monitor="accuracy")
