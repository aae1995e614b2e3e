"""What is trained on, and that a killed session goes on as if nothing had happened."""

import itertools
import os
from contextlib import contextmanager, suppress

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier

from skbadge import BadgeQuerier
from skbadge.exceptions import QueryWarning
from skbadge.strategies import ALBL
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


def proba(session):
    return session.querier.predict_proba(X[:50])


def trained_by_hand(rows, y, querier=None):
    querier = clone(make_querier() if querier is None else querier)
    return querier.fit(X[rows], y).predict_proba(X[:50])


@pytest.fixture
def session(tmp_path):
    with open_session(tmp_path, annotator="ann", batch_size=10) as session:
        session.label_many(range(20), Y[:20])
        yield session


# What is trained on


@pytest.mark.parametrize(
    "querier",
    [
        make_querier(),
        BadgeQuerier(
            MLPClassifier(8, max_iter=20, solver="sgd", tol=1e9), random_state=3
        ),
    ],
    ids=["linear", "net"],
)
def test_a_session_and_partial_fit_agree_on_the_same_labels(tmp_path, querier):
    hand = clone(querier)
    rows: list = []
    with open_session(tmp_path, querier=querier, batch_size=10) as session:
        for _ in range(3):
            tasks = session.next(10)
            answer(session, tasks)
            rows += ids_of(tasks)
            hand.partial_fit(X[rows[-10:]], Y[rows[-10:]])
            np.testing.assert_array_equal(
                session.train().querier.predict_proba(X), hand.predict_proba(X)
            )
        # A new process has just the file.
        with open_session(tmp_path, querier=querier) as again:
            np.testing.assert_array_equal(
                again.querier.predict_proba(X), hand.predict_proba(X)
            )


def test_corrected_skipped_and_withdrawn_labels_change_what_is_trained_on(session):
    before = proba(session.train())
    rows, y = list(range(20)), Y[:20].copy()
    np.testing.assert_array_equal(before, trained_by_hand(rows, y))
    session.correct(3, "cot" if Y[3] != "cot" else "ash")
    y[3] = "cot" if Y[3] != "cot" else "ash"
    session.skip(5)
    session.withdraw(7)
    session.label(30, Y[30])
    # Not before the next training.
    np.testing.assert_array_equal(proba(session), before)
    kept = [row for row in rows if row not in (5, 7)]
    expected = trained_by_hand([*kept, 30], [*y[kept], Y[30]])
    np.testing.assert_array_equal(proba(session.train()), expected)
    assert not np.allclose(expected, before)
    # What was withdrawn and comes again stands at the end.
    session.label(7, Y[7])
    expected = trained_by_hand([*kept, 30, 7], [*y[kept], Y[30], Y[7]])
    np.testing.assert_array_equal(proba(session.train()), expected)


def test_what_is_undone_is_as_if_it_had_not_been(session):
    before = proba(session.train())
    for act in (session.skip, session.withdraw, lambda id: session.correct(id, "cot")):
        act(4)
        session.train()
        assert not np.array_equal(proba(session), before)
        session.undo()
        session.train()
        np.testing.assert_array_equal(proba(session), before)


def test_the_same_labels_are_not_trained_on_twice(tmp_path, session):
    for _ in range(2):
        session.train()
    with open_session(tmp_path) as other:
        other.train()
    assert read(
        tmp_path, "SELECT round, refers_to FROM events WHERE kind = 'trained'"
    ) == [(1, 20)]


def test_no_labels_cannot_be_trained_on(tmp_path):
    with (
        open_session(tmp_path) as session,
        pytest.raises(ValueError, match="There are no labels to train on yet"),
    ):
        session.train()


def test_contradictions_are_refused_or_held_back(tmp_path):
    with open_session(tmp_path, resolution="refuse") as session:
        session.label_many(range(20), Y[:20])
        session.label(4, "ash", annotator="bob")
        session.label(4, "bay", annotator="cid")
        with pytest.raises(ValueError, match=r"1 rows contradict each other: \[4\]"):
            session.train()
        assert session.progress().n_trainings == 0
    with open_session(tmp_path, resolution="majority") as session:
        session.label(5, "elm", annotator="bob")
        kept = [row for row in range(20) if row not in (4, 5)]
        expected = trained_by_hand(kept, Y[kept])
        if Y[4] in ("ash", "bay"):
            # Two of three say so.
            kept = [row for row in range(20) if row != 5]
            expected = trained_by_hand(kept, Y[kept])
        np.testing.assert_array_equal(proba(session.train()), expected)


def test_a_training_comes_by_itself(tmp_path):
    with open_session(tmp_path, train_every=4) as session:
        for row in range(11):
            session.label(row, Y[row])
            assert session.progress().n_trainings == (row + 1) // 4
        # An answer that is taken back is none.
        session.undo()
        session.label(11, Y[11])
        assert session.progress().n_trainings == 2


def test_a_row_that_was_trained_on_and_is_skipped_counts_as_a_change(tmp_path):
    with open_session(tmp_path, train_every=4) as session:
        session.label_many(range(4), Y[:4])
        # One that had no label takes none away.
        session.skip(20)
        assert session.progress().n_new == 0
        for row in range(2):
            session.skip(row)
        assert session.progress().n_new == 2
        # One that the training did not know of takes its answer with it.
        session.label(9, Y[9])
        session.undo()
        session.undo()
        assert session.progress().n_new == 1
        session.label_many([10, 11, 12], Y[10:13])
        assert session.progress().n_trainings == 2
        # Three answers go that it knew of, and one comes back.
        for _ in range(4):
            session.undo()
        assert session.progress().n_new == 4


def n_changed(tmp_path):
    """Changes of answers since the last training, by two sets of answers."""
    events = read(
        tmp_path, "SELECT seq, kind, id, annotator, refers_to FROM events ORDER BY seq"
    )

    def answers(until):
        past = [event for event in events if event[0] <= until]
        undone = {refers for _, kind, *_, refers in past if kind == "undone"}
        found = {}
        for seq, kind, id, name, _ in past:
            if seq in undone:
                continue
            if kind in ("labeled", "corrected"):
                found.setdefault(id, {})[name] = seq
            elif kind in ("skipped", "withdrawn"):
                found.pop(id, None)
        return found

    known = [refers for _, kind, *_, refers in events if kind == "trained"]
    before, now = answers(known[-1] if known else 0), answers(len(events))
    total = 0
    for id in before.keys() | now.keys():
        old, new = (set(each.get(id, {}).values()) for each in (before, now))
        total += max(len(old - new), len(new - old))
    return total


@pytest.mark.parametrize("seed", range(6))
def test_changes_since_a_training_whatever_was_done_and_undone(tmp_path, seed):
    rng = np.random.default_rng(seed)
    n_trainings = 0
    with open_session(tmp_path, resolution="majority") as session:
        for _ in range(120):
            acts = ["label"] * 9 + ["correct", "skip", "withdraw"] * 3 + ["undo"] * 9
            act = rng.choice([*acts, *["unsure", "train"] * 3])
            row, name = int(rng.integers(4)), str(rng.choice(["ann", "bob"]))
            if act == "undo":
                session.undo(annotator=name)
            elif act == "train":
                with suppress(ValueError):
                    session.train()
            elif act in ("label", "correct"):
                getattr(session, act)(row, str(rng.choice(["ash", "bay"])), name)
            else:
                with suppress(ValueError):
                    getattr(session, act)(row, annotator=name)
            found = session.progress()
            assert found.n_new == n_changed(tmp_path)
            n_trainings = found.n_trainings
    assert n_trainings > 0
    # Read from the file, they are as many.
    with open_session(tmp_path) as session:
        assert session.progress().n_new == n_changed(tmp_path)


def test_a_training_by_itself_waits_for_a_second_label(tmp_path):
    with open_session(tmp_path, train_every=2) as session:
        session.label_many(range(5), ["ash"] * 5)
        assert session.progress().n_trainings == 0
        session.label(5, "bay")
        assert session.progress().n_trainings == 1


def test_an_answer_is_kept_when_the_training_after_it_fails(tmp_path):
    querier = BadgeQuerier(SGDClassifier(alpha=-1), random_state=0, strategy="random")
    with open_session(tmp_path, querier=querier, train_every=2) as session:
        session.label(0, "ash")
        with pytest.warns(QueryWarning, match="answers are kept, but the training"):
            session.label(1, "bay")
        assert session.progress().n_labeled == 2
        with pytest.warns(QueryWarning, match="answers are kept, but the training"):
            assert len(session.next(2)) == 2
        with pytest.raises(ValueError, match="alpha"):
            session.train()
        assert session.progress().n_trainings == 0


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_training_that_could_not_be_written_down_is_made_again(
    tmp_path, session, monkeypatch, error
):
    session.train()
    session.label_many(range(20, 30), Y[20:30])
    writing = session._ledger.writing

    @contextmanager
    def failing():
        with writing() as page:
            yield page
            if any(event.kind == "trained" for event in page.events):
                raise error("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(session._ledger, "writing", failing)
        with pytest.raises(error):
            session.train()
    session.train()
    assert session.progress().n_trainings == 2
    np.testing.assert_array_equal(proba(session), trained_by_hand(range(30), Y[:30]))
    (task,) = session.next(1)
    assert task.round == 2
    session.close()
    with open_session(tmp_path, batch_size=10) as again:
        np.testing.assert_array_equal(proba(again), trained_by_hand(range(30), Y[:30]))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_replay_that_was_interrupted_begins_anew(tmp_path, monkeypatch):
    querier = BadgeQuerier(
        MLPClassifier(4, max_iter=5),
        random_state=0,
        warm_start=True,
        classes=np.unique(Y).tolist(),
    )
    with open_session(tmp_path, querier=querier) as session:
        for start in (0, 10, 20):
            rows = range(start, start + 10)
            session.label_many(rows, Y[rows])
            session.train()
        expected = proba(session)
    partial_fit, calls = BadgeQuerier.partial_fit, []

    def interrupted(self, *args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return partial_fit(self, *args, **kwargs)

    with open_session(tmp_path, querier=querier) as again:
        with monkeypatch.context() as patch:
            patch.setattr(BadgeQuerier, "partial_fit", interrupted)
            with pytest.raises(KeyboardInterrupt):
                proba(again)
        np.testing.assert_array_equal(proba(again), expected)


def test_the_querier_of_the_user_stays_as_it_is(tmp_path):
    querier = make_querier()
    before = vars(querier).copy()
    with open_session(tmp_path, querier=querier) as session:
        answer(session, session.next(20))
        session.train().next(3)
    assert vars(querier) == before


def test_a_training_makes_a_new_queue(tmp_path, session):
    session.train()
    first = session.next(3)
    assert {(task.round, task.strategy) for task in first} == {(1, "Badge()")}
    session.label_many(range(250, 260), Y[250:260])
    session.train()
    tasks = session.next(5)
    assert [task.round for task in tasks] == [1, 1, 1, 2, 2]
    assert [task.rank for task in tasks[3:]] == [0, 1]


def test_one_process_asks_and_others_use_what_it_found(tmp_path, session):
    session.train()
    session.next(5)
    with open_session(tmp_path, annotator="bob", batch_size=10) as other:
        other._rounds._taught.querier = None
        assert [task.rank for task in other.next(5)] == [5, 6, 7, 8, 9]


def test_a_process_learns_of_the_training_of_another(tmp_path, session):
    with open_session(tmp_path, annotator="bob", batch_size=10) as other:
        other.next(2)
        session.train()
        assert [task.round for task in other.next(3)] == [0, 0, 1]
        np.testing.assert_array_equal(proba(other), proba(session))
        other.label_many(range(20, 30), Y[20:30])
        other.train()
        np.testing.assert_array_equal(proba(session), proba(other))


# Going on


STORIES = {
    "badge": make_querier(),
    "margin by itself": make_querier("margin"),
    "warm": BadgeQuerier(
        MLPClassifier(8, max_iter=20, solver="sgd", tol=1e9),
        strategy="margin",
        warm_start=True,
        random_state=0,
    ),
    "albl": make_querier(ALBL(["margin", "random"])),
}


def steps(name):
    """What a person does, one step after another; each returns the rows asked for."""
    options = {"batch_size": 8, "annotator": "ann" if name == "badge" else None}
    if name.endswith("by itself"):
        options["train_every"] = 6
    do = [
        lambda s: s.next(5),
        lambda s: answer(s, s.next(5)),
        lambda s: s.next(4),
        lambda s: s.skip(s.next(1)[0].id),
        lambda s: answer(s, s.next(3)),
        lambda s: None if "train_every" in options else s.train(),
        lambda s: s.next(6),
        lambda s: answer(s, s.next(4)),
        lambda s: s.unsure(s.next(1)[0].id),
        lambda s: s.next(9),
        lambda s: s.correct(_labelled(s), "ash"),
        lambda s: answer(s, s.next(7)),
        lambda s: None if "train_every" in options else s.train(),
        lambda s: answer(s, s.next(6)),
        lambda s: s.withdraw(_labelled(s)),
        lambda s: None if "train_every" in options else s.train(),
        lambda s: s.next(12),
    ]
    return options, do


def _labelled(session):
    return session.labels().index[0].item()


def asked(folder):
    """The rows asked for, in the order in which they first were."""
    rows = read(folder, "SELECT id FROM events WHERE kind = 'asked' ORDER BY seq")
    return list(dict.fromkeys(id for (id,) in rows))


@pytest.mark.parametrize("name", STORIES)
def test_killed_and_continued_asks_for_the_same_rows(tmp_path, name):
    options, do = steps(name)
    whole = tmp_path / "whole"
    whole.mkdir()
    with open_session(whole, querier=STORIES[name], **options) as session:
        for step in do:
            step(session)
    expected = asked(whole)
    assert len(expected) > 30
    # Two kills, at all pairs of some steps.
    for n, cuts in enumerate(itertools.combinations(range(1, len(do), 4), 2)):
        folder = tmp_path / str(n)
        folder.mkdir()
        for start, stop in itertools.pairwise([0, *cuts, len(do)]):

            def some_steps(first=start, last=stop, folder=folder):
                session = open_session(folder, querier=STORIES[name], **options)
                for step in do[first:last]:
                    step(session)

            in_a_process_that_is_killed(some_steps)
        assert asked(folder) == expected


def test_a_training_that_was_due_at_a_kill_comes_before_the_next_rows(tmp_path):
    def label(folder, is_killed):
        session = open_session(folder, train_every=12, annotator="ann")
        if is_killed:
            session._rounds.train_if_due = lambda every: os.kill(os.getpid(), 9)
        session.label_many(range(20), Y[:20])
        return session

    rows = []
    for is_killed in (False, True):
        folder = fresh(tmp_path)
        if is_killed:
            in_a_process_that_is_killed(lambda folder=folder: label(folder, True))
        else:
            label(folder, False).close()
        with open_session(folder, train_every=12, annotator="ann") as session:
            tasks = session.next(10)
        assert {task.round for task in tasks} == {1}
        rows.append(ids_of(tasks))
    assert rows[0] == rows[1]


def test_a_query_that_was_killed_is_made_again_as_it_was(tmp_path):
    rows = []
    for name in ("whole", "killed"):
        folder = tmp_path / name
        folder.mkdir()

        def ask(folder=folder, name=name):
            session = open_session(folder)
            session.label_many(range(20), Y[:20])
            session.train()
            if name == "killed":
                # All but the writing.
                session._rounds._pool.digests = None
            session.next(10)

        if name == "killed":
            in_a_process_that_is_killed(ask)
        with open_session(folder) as session:
            if name == "whole":
                ask()
            rows.append(ids_of(session.next(10)))
    assert rows[0] == rows[1]


def test_queries_of_one_round_draw_anew(tmp_path, monkeypatch):
    seeds, query = [], BadgeQuerier.query

    def spied(self, *args, **kwargs):
        seeds.append(self.random_state)
        return query(self, *args, **kwargs)

    monkeypatch.setattr(BadgeQuerier, "query", spied)
    with open_session(tmp_path, batch_size=20) as session:
        for _ in range(3):
            session.next(20)
            answer(session, session.next(20))
        session.train().next(1)
        # Trainings have the seed of the user's querier all the same.
        assert session.querier.random_state == 0
    assert len(set(seeds)) == len(seeds) == 4


def test_without_a_seed_a_session_keeps_the_one_it_draws(tmp_path):
    querier = make_querier(random_state=None, cold_start="random")
    with open_session(tmp_path, querier=querier) as session:
        session.label_many(range(20), Y[:20])
        before = proba(session.train())
    with open_session(tmp_path, querier=querier) as session:
        np.testing.assert_array_equal(proba(session), before)
    assert querier.random_state is None
