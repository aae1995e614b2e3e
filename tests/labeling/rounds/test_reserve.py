"""A random audit: its rows are drawn uniformly, and nothing is ever trained on them."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare
from sklearn.base import clone
from sklearn.metrics import accuracy_score

from skbadge import BadgeQuerier
from skbadge.exceptions import QueryWarning
from skbadge.monitoring import audit
from tests.labeling._sessions import (
    X,
    Y,
    answer,
    fresh,
    ids_of,
    in_a_process_that_is_killed,
    make_querier,
    open_session,
    read,
)


@pytest.fixture
def session(tmp_path):
    with open_session(
        tmp_path, annotator="ann", batch_size=20, audit_share=0.25
    ) as session:
        yield session


def of_audit(tasks):
    return [task.id for task in tasks if task.strategy == "audit"]


def others(tasks):
    return [task.id for task in tasks if task.strategy != "audit"]


def train_on(session, n):
    """Hand out so many rows, answer them and train; returns the tasks."""
    tasks = session.next(n)
    answer(session, tasks)
    session.train()
    return tasks


# Which rows


@pytest.mark.parametrize(("n", "share"), [(8, 0.25), (30, 0.1), (100, 0.01), (40, 0.4)])
def test_a_share_of_each_batch_is_of_the_audit(tmp_path, n, share):
    with open_session(tmp_path, batch_size=n, audit_share=share) as session:
        for _ in range(3):
            tasks = session.next(n)
            assert abs(len(of_audit(tasks)) - n * share) <= 1
            answer(session, tasks)


def test_a_batch_that_is_stopped_half_way_has_both_kinds_at_places_not_known(tmp_path):
    places = []
    for seed in range(30):
        querier = make_querier(random_state=seed)
        with open_session(
            fresh(tmp_path), querier=querier, batch_size=20, audit_share=0.25
        ) as session:
            kinds = [task.strategy == "audit" for task in session.next(20)]
        # One of each four.
        assert np.reshape(kinds, (5, 4)).sum(axis=1).tolist() == [1] * 5
        places += np.flatnonzero(kinds).tolist()
    counts = np.bincount(np.array(places) % 4, minlength=4)
    assert chisquare(counts).pvalue > 0.01


def test_rows_of_the_audit_are_drawn_uniformly(tmp_path):
    """Whatever the strategy chooses in between."""
    rows, n_seeds = X[:12], 150
    counts = np.zeros(len(rows))
    for seed in range(n_seeds):
        querier = make_querier(random_state=seed)
        with open_session(
            fresh(tmp_path), rows, querier=querier, batch_size=4, audit_share=0.5
        ) as session:
            tasks = session.next(4)
            answer(session, tasks)
            counts[of_audit(tasks) + of_audit(session.next(4))] += 1
    # Four rows of each session, or all that have a number below the share.
    assert counts.sum() > 3.5 * n_seeds
    assert chisquare(counts).pvalue > 0.01


def test_its_rows_are_the_same_in_another_order_and_stay_when_rows_are_added(tmp_path):
    names = [f"row-{i}" for i in range(300)]
    frame = pd.DataFrame(X, index=names)
    shuffled = frame.sample(frac=1, random_state=0)
    options = {"batch_size": 20, "audit_share": 0.2}
    with open_session(fresh(tmp_path), frame, **options) as session:
        expected = of_audit(session.next(100))
    with open_session(fresh(tmp_path), shuffled, **options) as session:
        assert of_audit(session.next(100)) == expected
    more = pd.concat([pd.DataFrame(X + 9, index=[f"new-{i}" for i in names]), shuffled])
    with open_session(fresh(tmp_path), more, **options) as session:
        found = of_audit(session.next(200))
    kept = [name for name in found if not name.startswith("new")]
    assert 0 < len(kept) < len(found)
    assert kept[: len(expected)] == expected[: len(kept)]
    # Another seed, another audit.
    querier = make_querier(random_state=1)
    with open_session(fresh(tmp_path), frame, querier=querier, **options) as session:
        assert of_audit(session.next(100)) != expected


def test_no_query_may_choose_rows_that_are_kept_apart(tmp_path, session, monkeypatch):
    masks, query = [], BadgeQuerier.query

    def spied(self, *args, **told):
        masks.append((told["candidates"], told["pending"]))
        return query(self, *args, **told)

    monkeypatch.setattr(BadgeQuerier, "query", spied)
    chosen, drawn = [], []
    for _ in range(4):
        tasks = session.next(20)
        drawn += of_audit(tasks)
        chosen += others(tasks)
        answer(session, tasks[:10])
        session.train()
    drawn += of_audit(session.next(300))
    assert len(drawn) + len(chosen) > 90
    for candidates, pending in masks:
        assert not candidates[drawn].any()
        assert not set(drawn) & set([] if pending is None else pending.tolist())
    # A fourth of the pool is apart, whatever was asked.
    n_apart = [300 - int(mask.sum()) for mask, _ in masks]
    assert 50 < n_apart[0] < 100


def test_it_says_with_what_probability_rows_were_drawn(tmp_path, session):
    session.next(20)
    train_on(session, 20)
    session.next(20)
    query = (
        "SELECT probability, rank FROM events "
        "WHERE strategy = 'audit' AND kind = 'asked' ORDER BY seq"
    )
    found = read(tmp_path, query)
    assert [rank for _, rank in found] == list(range(len(found)))
    expected = 1 / (300 - np.arange(len(found)))
    assert [chance for chance, _ in found] == pytest.approx(expected)


def test_all_rows_of_a_pool_are_handed_out_in_the_end(tmp_path):
    with open_session(tmp_path, X[:50], batch_size=7, audit_share=0.3) as session:
        found: list = []
        while tasks := session.next(6):
            found += ids_of(tasks)
            answer(session, tasks)
            if len(found) == 24:
                session.train()
        assert sorted(found) == list(range(50))
        assert session.progress().n_labeled == 50


def test_people_share_the_audit_and_no_row_is_with_two_of_them(tmp_path, session):
    with open_session(tmp_path, annotator="bob", audit_share=0.25) as other:
        tasks = [*session.next(10), *other.next(10), *session.next(14)[10:]]
        assert len(set(ids_of(tasks))) == 24
        assert len(of_audit(tasks)) == 6


# What is trained on


def test_nothing_is_trained_on_the_audit_ever(tmp_path):
    asked: list = []
    for share in (0.3, 0.3, 0.0, 0.5):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            session = open_session(tmp_path, audit_share=share, batch_size=12)
        assert len(caught) == (share != 0.3)
        with session:
            asked += train_on(session, 20)
            rows = others(asked)
            expected = clone(make_querier()).fit(X[rows], Y[rows])
            np.testing.assert_array_equal(
                session.querier.predict_proba(X), expected.predict_proba(X)
            )
            assert session.progress().n_audit == len(of_audit(asked)) > 0


def test_rows_that_were_chosen_before_are_never_of_the_audit(tmp_path):
    with open_session(tmp_path, batch_size=150) as session:
        # Some are left in line when the share changes.
        chosen = ids_of(train_on(session, 100))
        chosen += ids_of(session.next(5))
        session.next(10)
    with pytest.warns(QueryWarning, match=r"`audit_share` was 0 .* is 0\.5\."):
        session = open_session(tmp_path, audit_share=0.5, batch_size=20)
    with session:
        # What is in line is not of the audit, and goes out first.
        chosen += ids_of(train_on(session, 30))
        tasks = train_on(session, 60)
        assert len(of_audit(tasks)) > 20
        assert not set(of_audit(tasks)) & set(chosen)
        found = session.audit()
    assert found.overall.n == len(of_audit(tasks))
    assert "the audit lacks" in found.notes[-1]
    assert "it is about rows like the others" in found.notes[-1]


def test_answers_of_the_audit_do_not_make_a_training_due(tmp_path):
    with open_session(
        tmp_path, audit_share=0.5, batch_size=20, train_every=6, annotator="ann"
    ) as session:
        tasks = session.next(20)
        answer(session, [task for task in tasks if task.strategy == "audit"])
        assert session.progress().n_trainings == 0
        assert session.progress().n_new == 0
        with pytest.raises(ValueError, match="no labels to train on"):
            session.train()
        rows = [task for task in tasks if task.strategy != "audit"]
        answer(session, rows[:5])
        session.undo()
        answer(session, rows[4:5])
        assert session.progress().n_trainings == 0
        answer(session, rows[5:6])
        assert session.progress().n_trainings == 1


def test_labels_say_which_is_which_and_none_is_lost(session):
    tasks = train_on(session, 20)
    labels = session.labels()
    assert len(labels) == 20
    assert labels.index[labels["strategy"] == "audit"].tolist() == of_audit(tasks)
    assert "of the audit: 5" in str(session.progress()).splitlines()


def test_answers_of_the_audit_are_undone_corrected_skipped_and_withdrawn(session):
    tasks = train_on(session, 20)
    rows = of_audit(tasks)
    first, second, third, fourth, fifth = rows

    def truth(kept):
        return accuracy_score(Y[kept], session.querier.predict(X[kept]))

    assert session.audit().overall.estimate == pytest.approx(truth(rows))
    wrong = "ash" if session.querier.predict(X[[first]])[0] != "ash" else "bay"
    session.correct(first, wrong)
    changed = Y.copy()
    changed[first] = wrong
    found = session.audit().overall.estimate
    assert found == pytest.approx(
        accuracy_score(changed[rows], session.querier.predict(X[rows]))
    )
    session.undo()
    assert session.audit().overall.estimate == pytest.approx(truth(rows))
    session.skip(second)
    kept = [first, third, fourth, fifth]
    assert session.audit().overall.estimate == pytest.approx(truth(kept))
    assert any("1 of 5 rows were skipped" in n for n in session.audit().notes)
    # The last one is not drawn any more, so that nothing is missing behind the others.
    session.withdraw(fifth)
    assert session.audit().overall.estimate == pytest.approx(truth(kept[:3]))
    assert any("1 of 4 rows were skipped" in n for n in session.audit().notes)
    # It is the next one of the audit again, and stays out of trainings.
    before = session.querier.predict_proba(X)
    again = train_on(session, 20)
    assert fifth in of_audit(again)
    assert session.progress().n_trainings == 2
    session.unsure(of_audit(again)[-1])
    assert not np.array_equal(session.querier.predict_proba(X), before)
    rows = others([*tasks, *again])
    expected = clone(make_querier()).fit(X[rows], Y[rows]).predict_proba(X)
    np.testing.assert_array_equal(session.querier.predict_proba(X), expected)


def test_contradictions_in_the_audit_keep_nobody_from_training(tmp_path):
    with open_session(
        tmp_path, audit_share=0.5, batch_size=20, resolution="refuse"
    ) as session:
        tasks = session.next(20)
        answer(session, tasks)
        row = of_audit(tasks)[0]
        session.label(row, "ash" if Y[row] != "ash" else "bay", annotator="bob")
        found = session.train().audit()
    assert any("1 of 10 rows were skipped" in note for note in found.notes)


def test_labels_of_ones_own_are_trained_on_unless_they_were_asked_for(tmp_path):
    with open_session(fresh(tmp_path), audit_share=0.5, batch_size=40) as session:
        apart = of_audit(session.next(40))
    with open_session(
        tmp_path, audit_share=0.5, batch_size=40, annotator="ann"
    ) as session:
        # Before they are asked for, these are answers like any other.
        session.label(apart[0], Y[apart[0]])
        frame = pd.DataFrame({"skbadge_id": apart[1:3], "label": Y[apart[1:3]]})
        session.import_frame(frame, annotator="ann")
        tasks = session.next(40)
        drawn = of_audit(tasks)
        assert drawn[:10] == apart[3:13]
        # These were asked for, whoever brings the answers, and how.
        frame = pd.DataFrame({"skbadge_id": ids_of(tasks), "label": Y[ids_of(tasks)]})
        imported = session.import_frame(frame, annotator="bob")
        assert imported.n_new == 40
        session.train()
        rows = [*apart[:3], *others(tasks)]
        expected = clone(make_querier()).fit(X[rows], Y[rows]).predict_proba(X)
        np.testing.assert_array_equal(session.querier.predict_proba(X), expected)
        found = session.audit()
        assert found.overall.n == len(drawn)
        assert "the audit lacks 3 rows" in found.notes[-1]


def test_a_row_that_was_trained_on_never_comes_into_the_audit(tmp_path):
    with open_session(fresh(tmp_path), audit_share=0.5, batch_size=20) as session:
        first, second, *_ = of_audit(session.next(20))
    with open_session(tmp_path, audit_share=0.5, batch_size=20) as session:
        session.label_many([first, 7, 8], Y[[first, 7, 8]])
        session.train()
        session.withdraw(first)
        tasks = session.next(300)
        assert first not in of_audit(tasks)
        assert first in ids_of(tasks)
        # One is missing before it, so that nobody knows how likely it was.
        (chance,) = [task.probability for task in tasks if task.id == second]
        assert chance is None


def test_rows_in_line_that_come_into_the_reserve_are_not_asked_for_otherwise(tmp_path):
    with open_session(fresh(tmp_path), audit_share=0.5, batch_size=300) as session:
        apart = set(of_audit(session.next(300)))
    with open_session(tmp_path, batch_size=150) as session:
        before = ids_of(session.next(5))
        session.give_back()
    with pytest.warns(QueryWarning, match="`audit_share` was 0"):
        session = open_session(tmp_path, audit_share=0.5)
    with session:
        tasks = session.next(60)
    assert ids_of(tasks)[:5] == before
    assert not apart & set(others(tasks[5:]))


# What it says


def test_it_judges_the_model_of_the_last_training_by_the_exact_interval(session):
    for _ in range(3):
        tasks = train_on(session, 20)
    answer(session, session.next(20))
    labels = session.labels()
    rows = labels.index[labels["strategy"] == "audit"].to_numpy()
    assert len(rows) == 20
    found = session.audit(confidence=0.9)
    expected = audit(session.querier, X[rows], Y[rows], n_pool=300, confidence=0.9)
    assert str(found) == str(expected)
    assert found.overall.n_pool == 300
    assert found.interval == "exact"
    assert len(tasks) == 20
    other = session.audit(metric="log_loss", max_loss=9)
    assert other.metric == "log_loss"


def test_open_rows_at_the_end_are_not_drawn_yet(session):
    tasks = train_on(session, 20)
    more = session.next(20)
    second, third = of_audit(more)[1:3]
    session.label_many([second, third], Y[[second, third]])
    found = session.audit()
    # Eight were drawn up to the last answer, and one of them is open.
    assert any("1 of 8 rows were skipped" in note for note in found.notes)
    rows = [*of_audit(tasks), second, third]
    truth = accuracy_score(Y[rows], session.querier.predict(X[rows]))
    assert found.overall.estimate == pytest.approx(truth)


def test_rows_skipped_at_the_end_count(session):
    """Left out, they made the interval miss twice as often as it says."""
    tasks = train_on(session, 20)
    drawn = of_audit(tasks)
    before = session.audit()
    for id in drawn[-2:]:
        session.withdraw(id)
        session.skip(id)
    found = session.audit()
    assert (before.overall.n, found.overall.n) == (len(drawn), len(drawn) - 2)
    assert f"2 of {len(drawn)} rows were skipped" in found.notes[0]
    assert found.overall.high - found.overall.low > before.overall.high - (
        before.overall.low
    )


def test_without_model_or_answers_it_says_what_to_do(tmp_path):
    with open_session(tmp_path) as session:
        with pytest.raises(ValueError, match="There is no model to audit yet"):
            session.audit()
        train_on(session, 20)
        with pytest.raises(ValueError, match="Open the session with an `audit_share`"):
            session.audit()


@pytest.mark.parametrize("share", [-0.1, 0.51, None, "a", np.nan, True])
def test_a_share_is_from_zero_to_a_half(tmp_path, share):
    with pytest.raises(ValueError, match=r"`audit_share` must be a number from 0 to"):
        open_session(tmp_path, audit_share=share)


def test_a_share_may_be_one_of_numpys_numbers(tmp_path):
    with open_session(tmp_path, audit_share=np.float32(0.25), batch_size=8) as session:
        assert len(of_audit(session.next(8))) == 2


# Going on


def test_an_audit_outlives_its_process_with_the_same_rows(tmp_path):
    options = {"batch_size": 12, "audit_share": 0.3, "annotator": "ann"}

    def steps():
        yield lambda s: answer(s, s.next(15))
        yield lambda s: s.train()
        yield lambda s: s.next(9)
        yield lambda s: answer(s, s.next(7))
        yield lambda s: s.skip(of_audit(s.next(12))[0])
        yield lambda s: answer(s, s.next(20))
        yield lambda s: s.train()
        yield lambda s: answer(s, s.next(10))

    def asked(folder):
        query = "SELECT id, strategy FROM events WHERE kind = 'asked' ORDER BY seq"
        return read(folder, query)

    whole = fresh(tmp_path)
    with open_session(whole, **options) as session:
        for step in steps():
            step(session)
        expected = session.audit()
    for cuts in [(1, 4), (2, 6), (3, 5), (7, 7)]:
        folder = fresh(tmp_path)
        for first, last in itertools.pairwise([0, *cuts, 8]):

            def some(first=first, last=last, folder=folder):
                session = open_session(folder, **options)
                for step in list(steps())[first:last]:
                    step(session)

            in_a_process_that_is_killed(some)
        assert asked(folder) == asked(whole)
        with open_session(folder, **options) as session:
            assert str(session.audit()) == str(expected)
