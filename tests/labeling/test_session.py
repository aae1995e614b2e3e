"""Who gets which rows, and what is said of them."""

import threading

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge

from skbadge import BadgeQuerier
from skbadge.exceptions import QueryWarning
from skbadge.labeling import Task, read_history, read_labels
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
    with open_session(tmp_path, annotator="ann", batch_size=10) as session:
        yield session


# Rows go out


def test_tasks_say_with_what_probability_they_were_drawn(tmp_path):
    querier = make_querier("random", cold_start="random")
    with open_session(tmp_path, querier=querier, batch_size=10) as session:
        tasks = session.next(3)
        answer(session, tasks)
        frame = session.labels()
    expected = 1 / (len(X) - np.arange(3))
    assert [task.probability for task in tasks] == pytest.approx(expected)
    assert frame["probability"].tolist() == pytest.approx(expected)


def test_rows_come_in_the_order_of_one_query(tmp_path, session):
    tasks = session.next(4)
    assert [task.rank for task in tasks] == [0, 1, 2, 3]
    assert {task.strategy for task in tasks} == {"CoreSet()"}
    assert {(task.round, task.probability) for task in tasks} == {(0, None)}
    answer(session, tasks)
    assert [task.rank for task in session.next(3)] == [4, 5, 6]
    assert read(tmp_path, "SELECT rank FROM events WHERE kind = 'queried'") == [(10,)]


def test_own_open_rows_come_first(session):
    first = session.next(3)
    answer(session, first[1:2])
    again = session.next(4)
    assert ids_of(again)[:2] == [first[0].id, first[2].id]
    assert len(set(ids_of(again))) == 4
    assert ids_of(session.next(1)) == [first[0].id]


def test_two_people_share_one_batch(tmp_path, session):
    with open_session(tmp_path, annotator="bob", batch_size=10) as other:
        ranks = [[t.rank for t in who.next(5)] for who in (session, other)]
        assert ranks == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert len(read(tmp_path, "SELECT 1 FROM events WHERE kind = 'queried'")) == 1
    # One session may serve several people.
    assert not set(ids_of(session.next(3, annotator="cid"))) & set(range(5))


def test_more_rows_than_a_batch_may_be_asked_for(tmp_path, session):
    ids = ids_of(session.next(25))
    assert len(set(ids)) == 25
    assert read(tmp_path, "SELECT rank FROM events WHERE kind = 'queried'") == [(25,)]


def test_a_queue_that_is_used_up_is_filled_again_away_from_open_rows(session):
    ids = ids_of(session.next(8))
    answer(session, session.next(3))
    ids += ids_of(session.next(20))[5:]
    assert len(set(ids)) == 23
    # Farthest first, where rows that are out, answered or in line are centres.
    rows = (X - X.mean(axis=0)) / X.std(axis=0)
    distances = np.linalg.norm(rows[:, None] - rows[ids], axis=2)
    for n in range(10, 23):
        assert distances[:, :n].min(axis=1).argmax() == ids[n]


def test_rows_are_handed_out_until_none_is_left(tmp_path):
    with open_session(tmp_path, np.arange(12.0)[:, None], batch_size=5) as session:
        assert len(session.next(7)) == 7
        assert len(session.next(50)) == 12
        session.skip(0)
        session.label_many(range(1, 12), Y[1:12])
        assert session.next(5) == []
        session.withdraw(3)
        assert ids_of(session.next(5)) == [3]


def test_no_row_may_be_asked_for(session):
    assert session.next(0) == []
    for n in (-1, 1.5, "2", True):
        with pytest.raises(ValueError, match="`n` must be an int >= 0"):
            session.next(n)


def test_rows_of_a_named_person_stay_theirs(tmp_path):
    def take():
        open_session(tmp_path, annotator="ann").next(3)

    in_a_process_that_is_killed(take)
    with open_session(tmp_path, annotator="bob") as other:
        assert [task.rank for task in other.next(2)] == [3, 4]
    with open_session(tmp_path, annotator="ann") as session:
        assert [task.rank for task in session.next(3)] == [0, 1, 2]


def test_rows_of_a_session_without_a_name_are_free_once_it_ends(tmp_path):
    def take():
        open_session(tmp_path).next(3)

    in_a_process_that_is_killed(take)
    with open_session(tmp_path) as living, open_session(tmp_path) as other:
        assert [task.rank for task in living.next(2)] == [0, 1]
        assert [task.rank for task in other.next(2)] == [2, 3]
        living.close()
        assert [task.rank for task in other.next(4)] == [2, 3, 0, 1]
    reasons = read(tmp_path, "SELECT reason FROM events WHERE kind = 'released'")
    assert reasons == [("the session ended",)] * 5


def test_a_lease_ends_in_time_only_where_it_is_wanted(tmp_path, session):
    ids = ids_of(session.next(2))
    with open_session(tmp_path, annotator="bob", lease=1e-9) as other:
        assert ids_of(other.next(2)) == ids
    with open_session(tmp_path, annotator="cid", lease=3600) as third:
        assert not set(ids_of(third.next(2))) & set(ids)


def test_rows_can_be_given_back(tmp_path, session):
    ids = ids_of(session.next(2))
    session.give_back()
    assert session.progress().n_open == 0
    with open_session(tmp_path, annotator="bob") as other:
        assert ids_of(other.next(2)) == ids


def test_a_task_can_be_looked_at_again(session):
    (task,) = session.next()
    answer(session, [task])
    again = session.task(task.id)
    assert (again.id, again.rank, again.strategy) == (task.id, 0, "CoreSet()")
    np.testing.assert_array_equal(again.row, task.row)
    with pytest.raises(ValueError, match="was never handed out"):
        session.task(next(i for i in range(300) if i != task.id))


# Answers come in


def test_an_answer_that_stands_is_not_written_again(tmp_path, session):
    (task,) = session.next()
    for _ in range(2):
        session.label(task.id, "ash")
    session.label(task.id, "bay")
    session.label(task.id, "ash")
    rows = read(tmp_path, "SELECT label FROM events WHERE kind = 'labeled'")
    assert rows == [('"ash"',), ('"bay"',), ('"ash"',)]
    for _ in range(2):
        session.correct(task.id, "ash")
    assert len(read(tmp_path, "SELECT 1 FROM events WHERE kind = 'corrected'")) == 1


def test_all_of_many_answers_are_written_or_none(tmp_path, session):
    for ids, y in (([1, 2, 999], ["ash"] * 3), ([1, 2], ["ash", 3])):
        with pytest.raises((ValueError, TypeError)):
            session.label_many(ids, y)
    with pytest.raises(ValueError, match="`y` must have 2 entries"):
        session.label_many([1, 2], ["ash"])
    with pytest.raises(ValueError, match=r"must be distinct\. Got 1 twice"):
        session.label_many([1, 2, 1], ["ash"] * 3)
    assert not read(tmp_path, "SELECT 1 FROM events WHERE kind = 'labeled'")
    session.label_many(np.array([1, 2]), pd.Series(["ash", "bay"]))
    assert session.labels()["label"].to_dict() == {1: "ash", 2: "bay"}


def test_somebody_may_answer_a_row_that_was_not_asked(session):
    asked = {task.id for task in session.next(10)}
    other = next(i for i in range(300) if i not in asked)
    session.label(other, "ash")
    row = session.labels().loc[other]
    assert (row["label"], row["round"]) == ("ash", 0)
    assert row[["strategy", "rank"]].isna().all()


def test_an_answer_ends_the_lease_of_another(tmp_path, session):
    tasks = session.next(2)
    with open_session(tmp_path, annotator="bob") as other:
        other.label(tasks[0].id, "ash")
    assert ids_of(session.next(1)) == [tasks[1].id]
    # Theirs stands beside a later one.
    session.label(tasks[0].id, "bay")
    assert session.agreement()["answers"].tolist() == [{"bob": "ash", "ann": "bay"}]


def test_a_skipped_row_is_not_asked_again_of_anybody(tmp_path, session):
    (task,) = session.next()
    session.skip(task.id, reason="blurred")
    assert session.progress().n_skipped == 1
    with open_session(tmp_path, annotator="bob") as other:
        rest = ids_of(other.next(299))
    assert task.id not in rest
    assert len(rest) == 299
    session.label(task.id, "ash")
    assert session.progress().n_skipped == 0


def test_a_row_one_is_unsure_of_may_be_asked_of_another(tmp_path, session):
    (task,) = session.next()
    session.unsure(task.id)
    assert task.id not in ids_of(session.next(9))
    assert session.progress().n_unsure == 1
    with open_session(tmp_path, annotator="bob", batch_size=10) as other:
        assert ids_of(other.next()) == [task.id]
        other.unsure(task.id)
    with open_session(tmp_path) as third:
        assert ids_of(third.next()) == [task.id]


def test_a_row_one_is_unsure_of_does_not_come_back_from_another(tmp_path):
    sessions = [open_session(tmp_path, annotator=name) for name in ("ann", "bob")]
    ann, bob = sessions
    (task,) = ann.next()
    ann.unsure(task.id)
    assert ids_of(bob.next()) == [task.id]
    bob.give_back()
    assert task.id not in ids_of(ann.next(300))
    ann.give_back()
    # It is the only one left for her to wait for.
    ann.label_many([i for i in range(300) if i != task.id], Y[:299])
    assert ann.next() == []
    assert ids_of(bob.next()) == [task.id]
    for each in sessions:
        each.close()


@pytest.mark.parametrize("name", [None, "ann"])
def test_a_row_that_one_could_tell_after_all_may_be_asked_again(tmp_path, name):
    with open_session(tmp_path) as session:
        (task,) = session.next(annotator=name)
        session.unsure(task.id, annotator=name)
        session.label(task.id, "ash", annotator=name)
        session.withdraw(task.id, annotator=name)
        assert task.id in ids_of(session.next(300, annotator=name))
        session.give_back(annotator=name)
    with open_session(tmp_path) as session:
        assert task.id in ids_of(session.next(300, annotator=name))


def test_a_row_that_is_free_again_goes_to_nobody_who_could_not_tell(tmp_path):
    with open_session(tmp_path) as session:
        session.label_many(range(9), Y[:9], annotator="bob")
        session.train()
        session.unsure(20, annotator="ann")
        session.label(20, "ash", annotator="bob")
        session.withdraw(20, annotator="bob")
        assert 20 not in ids_of(session.next(300, annotator="ann"))
        session.give_back(annotator="ann")
        assert 20 in ids_of(session.next(300, annotator="bob"))


def test_a_row_of_before_a_training_may_be_asked_of_another(tmp_path):
    with open_session(tmp_path, annotator="ann") as session:
        tasks = session.next(4)
        answer(session, tasks[:2])
        session.label(299, "bay")
        session.label(298, "cot")
        session.train()
        session.unsure(tasks[2].id)
        # Nobody had asked for it.
        session.unsure(297)
        offered = ids_of(session.next(300, annotator="bob"))
        assert tasks[2].id in offered
        assert 297 not in offered
        assert len(offered) == len(set(offered))
        session.give_back(annotator="bob")
        assert tasks[2].id not in ids_of(session.next(300))
        session.give_back()
        session.unsure(tasks[2].id, annotator="bob")
        session.label(296, "ash")
        session.train()
        assert tasks[2].id not in ids_of(session.next(300, annotator="cat"))


def test_an_answer_that_comes_back_closes_a_row_that_is_out(tmp_path):
    with open_session(tmp_path, annotator="ann") as session:
        session.label(0, "ash")
        session.withdraw(0)
        assert 0 in ids_of(session.next(300, annotator="bob"))
        session.undo()
        found = session.progress()
        assert (found.n_labeled, found.by_class) == (1, {"ash": 1})
        session.give_back(annotator="bob")
        assert session.progress().n_labeled == 1
        assert 0 not in ids_of(session.next(300))


def test_who_could_not_tell_says_so_once(tmp_path, session):
    session.label(0, "ash", annotator="bob")
    for _ in range(3):
        session.unsure(0)
    assert len(read(tmp_path, "SELECT * FROM events WHERE kind = 'unsure'")) == 1


def test_a_label_after_an_undo_is_of_its_round(session):
    for _ in range(2):
        session.label(5, "ash")
        assert session.labels()["round"].tolist() == [0]
        session.undo()


def test_a_label_stays_when_another_is_unsure(session):
    (task,) = session.next()
    answer(session, [task])
    session.unsure(task.id, annotator="bob")
    assert session.labels()["label"].tolist() == [Y[task.id]]


def test_what_is_told_already_is_not_written_again(tmp_path, session):
    for task, act in zip(session.next(2), (session.skip, session.unsure), strict=True):
        act(task.id)
        act(task.id)
        session.undo()
        assert session.progress().n_open > 0
        act(task.id)
    rows = read(tmp_path, "SELECT kind FROM events WHERE seq > 13 ORDER BY seq")
    assert [kind for (kind,) in rows] == [
        *("skipped", "undone", "skipped"),
        *("unsure", "undone", "unsure"),
    ]


@pytest.mark.parametrize(
    "act",
    [
        lambda session, id: session.label(id, "bay"),
        lambda session, id: session.skip(id),
        lambda session, id: session.unsure(id),
        lambda session, id: session.correct(id, "bay"),
    ],
)
def test_undo_opens_the_row_again(session, act):
    tasks = session.next(2)
    act(session, tasks[0].id)
    assert session.undo() == tasks[0].id
    assert session.progress().n_open == 2
    assert ids_of(session.next(1)) == [tasks[0].id]
    assert len(session.labels()) == 0
    assert session.undo() is None


def test_undo_brings_back_what_was_before(session):
    (task,) = session.next()
    session.label(task.id, "ash")
    session.label(task.id, "bay", annotator="bob")
    session.correct(task.id, "cot")
    session.withdraw(task.id)
    seen = []
    for _ in range(2):
        assert session.undo() == task.id
        seen.append(session.labels()["label"].tolist())
    assert seen == [["cot"], ["bay"]]
    assert session.agreement()["answers"].tolist() == [{"ann": "ash", "bob": "bay"}]
    # Undoing is of what one has done oneself.
    assert session.undo(annotator="bob") == task.id
    assert session.labels()["label"].tolist() == ["ash"]
    assert session.undo(annotator="bob") is None


def test_undo_follows_a_name_and_not_a_session_without_one(tmp_path, session):
    (task,) = session.next()
    answer(session, [task])
    with open_session(tmp_path, annotator="ann") as other:
        assert other.undo() == task.id
    with open_session(tmp_path) as nobody:
        (task,) = nobody.next()
        answer(nobody, [task])
        with open_session(tmp_path) as another:
            assert another.undo() is None
        assert nobody.undo() == task.id


def test_a_withdrawn_row_may_be_asked_again(session):
    with pytest.raises(ValueError, match="has no label to withdraw"):
        session.withdraw(5)
    session.label(5, "ash")
    session.withdraw(5, reason="wrong row")
    assert len(session.labels()) == 0
    assert 5 in ids_of(session.next(300))


# What is known


def test_labels_are_by_id_in_the_order_of_the_answers(session):
    session.label_many([7, 3], ["ash", "bay"])
    session.label(7, "cot")
    frame = session.labels()
    assert frame.index.name == "id"
    assert frame["label"].to_dict() == {7: "cot", 3: "bay"}
    assert list(frame.index) == [7, 3]
    assert frame["annotator"].tolist() == ["ann", "ann"]
    assert frame["time"].dt.tz is not None
    assert frame["round"].tolist() == [0, 0]
    pd.testing.assert_frame_equal(read_labels(session.store), frame)


def test_history_tells_all(session):
    (task,) = session.next()
    answer(session, [task])
    session.undo()
    frame = session.history()
    kinds = frame["kind"].tolist()
    assert kinds == ["queried", *["queued"] * 10, "asked", "labeled", "undone"]
    assert frame["refers_to"].iloc[-1] == frame.index[-2]
    pd.testing.assert_frame_equal(read_history(session.store), frame)


def test_frames_of_an_untouched_ledger_have_no_rows(session):
    for frame in (session.labels(), session.history(), session.agreement()):
        assert len(frame) == 0
        assert len(frame.columns) > 2


RESOLVED = {
    # The answers of three people, one after another, and the label.
    "latest": {"aab": "b", "aba": "a", "abc": "c", "aaa": "a", "ab": "b"},
    "majority": {"aab": "a", "aba": "a", "abc": None, "aaa": "a", "ab": None},
    "refuse": {"aab": None, "aba": None, "abc": None, "aaa": "a", "ab": None},
}


@pytest.mark.parametrize("resolution", RESOLVED)
def test_answers_of_several_people_are_resolved(tmp_path, resolution):
    with open_session(tmp_path, resolution=resolution) as session:
        for row, said in enumerate(RESOLVED[resolution]):
            for who, label in zip(("ann", "bob", "cid"), said, strict=False):
                session.label(row, label, annotator=who)
        labels = [None if pd.isna(x) else x for x in session.labels()["label"]]
        assert labels == list(RESOLVED[resolution].values())
        assert session.labels()["n_answers"].tolist() == [3, 3, 3, 3, 2]
        told = session.agreement()
        assert told["agrees"].tolist() == [False, False, False, True, False]
        assert told["answers"][2] == {"ann": "a", "bob": "b", "cid": "c"}
        assert session.progress().n_contradictory == 4
        # A correction decides, and what was said stays to be seen.
        session.correct(2, "b", annotator="bob")
        assert session.labels()["label"][2] == "b"
        assert session.progress().n_contradictory == 3
        told = session.agreement().loc[2]
        assert told["is_decided"]
        assert told["answers"] == {"ann": "a", "cid": "c", "bob": "b"}
        # Who answers after it is heard again.
        session.label(2, "c", annotator="cid")
        expected = {"latest": "c", "majority": None, "refuse": None}[resolution]
        label = session.labels()["label"][2]
        assert (None if pd.isna(label) else label) == expected


def test_progress_counts(session):
    tasks = session.next(6)
    answer(session, tasks[:3])
    session.label(tasks[0].id, "ash", annotator="bob")
    session.skip(tasks[3].id)
    session.unsure(tasks[4].id)
    found = session.progress()
    assert (found.n_pool, found.n_asked, found.n_labeled) == (300, 6, 3)
    assert (found.n_skipped, found.n_unsure, found.n_open) == (1, 1, 1)
    assert found.by_annotator == {"ann": 3, "bob": 1}
    assert sum(found.by_class.values()) == 3
    assert found.n_new == 4
    assert "labelled: 3 of 300 rows" in str(found)
    assert "<table>" in found._repr_html_()


def test_a_session_shows_in_a_notebook_how_far_it_is(session):
    answer(session, session.next(2))
    page = session._repr_html_()
    assert "LabelingSession(store=" in page
    assert "2 of 300 rows" in page
    session.close()
    assert "<table>" not in session._repr_html_()


def test_several_threads_may_use_a_session(tmp_path, session):
    def work(who):
        for _ in range(5):
            answer(session, session.next(2, annotator=who), annotator=who)

    threads = [threading.Thread(target=work, args=(who,)) for who in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert session.progress().by_annotator == dict.fromkeys("abcd", 10)
    rows = read(tmp_path, "SELECT id FROM events WHERE kind = 'asked'")
    assert len(set(rows)) == len(rows) == 40


# What is refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resolution": "first"}, "`resolution` must be one of"),
        ({"synchronous": "off"}, "`synchronous` must be one of"),
        ({"train_every": 0}, "`train_every` must be an int >= 1"),
        ({"batch_size": 2.5}, "`batch_size` must be an int >= 1"),
        ({"lease": 0}, "`lease` must be a number > 0, or None"),
        ({"annotator": ""}, "`annotator` must be a text that is not empty"),
        ({"annotator": "\ud800"}, "`annotator` must be a text"),
        ({"classes": ["a", "a"]}, "`classes` must be distinct"),
    ],
)
def test_parameters_are_checked_before_anything_is_made(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        open_session(tmp_path, **options)
    if "classes" not in options:
        assert not list(tmp_path.iterdir())


def test_only_a_querier_will_do(tmp_path):
    with pytest.raises(TypeError, match="`querier` must be a BadgeQuerier"):
        open_session(tmp_path, querier="badge")


def test_labels_of_a_fitted_querier_have_no_part_in_it(tmp_path):
    querier = make_querier()
    querier.fit(np.eye(6), list("abcabc"))
    with pytest.warns(QueryWarning, match="have no part in the session"):
        open_session(tmp_path, querier=querier).close()


def test_classes_are_those_of_the_session_the_querier_or_the_ledger(tmp_path):
    classes = ["ash", "bay", "cot", "elm"]
    querier = make_querier(classes=classes)
    with pytest.raises(ValueError, match="`classes` must be those of the querier"):
        open_session(tmp_path, querier=querier, classes=["ash"])
    with open_session(tmp_path, querier=querier) as session:
        assert session.classes == classes
        with pytest.raises(ValueError, match=r"`y` must be one of .*mean 'bay'\?"):
            session.label(1, "by")
        session.label(1, "elm")
    with open_session(tmp_path) as session:
        assert session.classes == classes
        session.label_many(range(2, 12), Y[2:12])
        assert session.train().querier.classes_.tolist() == classes
    with pytest.raises(ValueError, match=r"It lacks \['elm'\]"):
        open_session(tmp_path, classes=classes[:3])
    with open_session(tmp_path, classes=[*classes, "fri"]) as session:
        session.label(2, "bay")
    with open_session(tmp_path, classes=[*classes, "fir"]) as session:
        session.label(2, "fir")


def test_labels_without_classes_are_of_one_kind(tmp_path):
    with open_session(tmp_path) as session:
        session.label(1, "3")
    with open_session(tmp_path) as session:
        for wrong in (3, True, 1.5):
            with pytest.raises(ValueError, match="`y` must be a string"):
                session.label(2, wrong)
    with pytest.raises(ValueError, match=r"It lacks \['3'\]"):
        open_session(tmp_path, classes=[3])


def test_a_label_that_was_undone_does_not_say_what_kind_others_are(session):
    session.label(1, "3")
    with pytest.raises(ValueError, match="`y` must be a string"):
        session.label(1, 3)
    session.undo()
    session.label(1, 3)
    with pytest.raises(ValueError, match="`y` must be a number"):
        session.label(2, "3")


def test_a_label_that_an_undo_may_bring_back_says_what_kind_others_are(session):
    session.label(0, "a", annotator="ann")
    session.skip(0, annotator="ann")
    with pytest.raises(ValueError, match="`y` must be a string"):
        session.label(1, 5, annotator="bob")


def test_a_label_that_was_withdrawn_says_what_kind_those_of_a_table_are(session):
    session.label(0, 1)
    session.withdraw(0)
    frame = pd.DataFrame({"skbadge_id": [1, 2], "label": ["x", "7"]})
    assert len(session.import_frame(frame).refused) == 1
    assert session.labels()["label"].tolist() == [7]


def test_the_first_label_in_another_process_says_what_kind_others_are(tmp_path):
    with open_session(tmp_path) as session, open_session(tmp_path) as other:
        session.label(1, "3")
        with pytest.raises(ValueError, match="`y` must be a string"):
            other.label(2, 3)
        assert len(other.labels()) == 1


@pytest.mark.parametrize(
    ("model", "classes"),
    [
        (Ridge(), None),
        (LogisticRegression(), None),
        (LogisticRegression(), [1, 2]),
        (LogisticRegression(), [1.0, 2.0]),
    ],
)
def test_equal_numbers_are_one_label(tmp_path, model, classes):
    querier = BadgeQuerier(model, strategy="random")
    with open_session(tmp_path, querier=querier, classes=classes) as session:
        session.label_many([1, 2], [1, 2.0])
        session.label_many([1, 2], [1.0, np.int64(2)], annotator="bob")
        assert session.agreement()["agrees"].all()
        assert session.history()["label"].nunique() == 2
        assert session.train().querier.y_labeled_.tolist() == [1, 2]
    with open_session(tmp_path, querier=querier, classes=classes) as session:
        assert session.labels()["label"].tolist() == [1, 2]


@pytest.mark.parametrize("model", [LogisticRegression(), Ridge()])
def test_equal_numbers_are_one_label_of_any_size(tmp_path, model):
    querier = BadgeQuerier(model, strategy="random")
    with open_session(tmp_path, querier=querier) as session:
        session.label_many([0, 1], [1e16, 10**16])
        session.label(0, 10**16, annotator="bob")
        assert session.agreement()["agrees"].all()
        assert list(session.progress().by_class.values()) == [2]


@pytest.mark.parametrize("label", [2**63, -(2**63) - 1, 1e300])
def test_numbers_that_no_array_of_classes_holds_are_refused(session, label):
    with pytest.raises(ValueError, match="beyond 64 bits: make all labels strings"):
        session.label(0, label)


def test_numbers_that_no_array_of_targets_holds_are_refused(tmp_path):
    with open_session(tmp_path, querier=BadgeQuerier(Ridge())) as session:
        with pytest.raises(ValueError, match="beyond 64 bits"):
            session.label(0, 10**400)
        session.label(0, 2**70)
        assert session.labels()["label"].tolist() == [2.0**70]


@pytest.mark.parametrize("labels", [[1, 2], [1.0, 2.0]])
def test_a_table_without_classes_says_equal_numbers_alike(tmp_path, labels):
    frame = pd.DataFrame({"skbadge_id": [1, 2], "label": labels})
    with open_session(tmp_path) as session:
        assert session.import_frame(frame).n_new == 2
        session.label_many([1, 2], [1, 2.0], annotator="bob")
        assert session.agreement()["agrees"].all()


def test_a_class_that_was_given_may_not_go_though_it_was_corrected(tmp_path):
    with open_session(tmp_path, classes=["ash", "bya"]) as session:
        session.label(1, "bya")
    with open_session(tmp_path, classes=["ash", "bya", "bay"]) as session:
        session.correct(1, "bay")
    with pytest.raises(ValueError, match=r"corrected too. It lacks \['bya'\]"):
        open_session(tmp_path, classes=["ash", "bay"])


@pytest.mark.parametrize("owner", ["session", "querier"])
def test_tensors_may_be_ids_labels_and_classes(tmp_path, owner):
    classes, labels = torch.arange(3), torch.tensor([2, 0, 1, 1])
    mine = {"classes": classes} if owner == "session" else {}
    querier = make_querier(**({} if mine else {"classes": classes}))
    with open_session(tmp_path, querier=querier, **mine) as session:
        session.label(torch.tensor(7), labels[0])
        session.label_many(torch.arange(3), labels[1:])
        found = session.labels()["label"]
        assert found.to_dict() == {7: 2, 0: 0, 1: 1, 2: 1}
        assert session.train().querier.classes_.tolist() == [0, 1, 2]
        with pytest.raises(ValueError, match=r"one of the classes \[0, 1, 2\]. Got 3"):
            session.correct(7, torch.tensor(3))
        with pytest.raises(ValueError, match=r"one of the 300 rows .* Got 300"):
            session.label(torch.tensor(300), labels[0])


@pytest.mark.parametrize("owner", ["session", "querier"])
@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([0.5, 1.0, 1.5], "only a regressor learns: use one, or make all labels str"),
        ([1, 1.5], r"Got 1\.5, a number with a fraction"),
        ([0, 1, "other"], r"of one kind: make them all strings. Got \[0, 1, 'other'\]"),
        ([1, "1"], "of one kind"),
        ([1, True], "of one kind"),
        (["no", False], "of one kind"),
        ([1, 1.0], "distinct"),
    ],
)
def test_classes_that_no_classifier_learns_leave_the_ledger_as_it_was(
    tmp_path, owner, classes, message
):
    mine = {"classes": classes} if owner == "session" else {}
    querier = make_querier(**({} if mine else {"classes": classes}))
    with pytest.raises(ValueError, match=f"classes` must be.*{message}"):
        open_session(tmp_path, querier=querier, **mine)
    assert read(tmp_path, "SELECT * FROM about") == []
    with open_session(tmp_path, classes=["0", "1"]) as session:
        assert session.classes == ["0", "1"]


@pytest.mark.parametrize("owner", ["session", "querier", "ledger"])
def test_a_regressor_has_no_classes(tmp_path, owner):
    if owner == "ledger":
        open_session(tmp_path, classes=[1, 2]).close()
    before = read(tmp_path, "SELECT * FROM about") if owner == "ledger" else []
    mine = {"classes": [1, 2]} if owner == "session" else {}
    theirs = {"classes": [1, 2]} if owner == "querier" else {}
    with pytest.raises(ValueError, match=r"`classes` must be None for a regressor"):
        open_session(tmp_path, querier=BadgeQuerier(Ridge(), **theirs), **mine)
    assert read(tmp_path, "SELECT * FROM about") == before


def test_numbers_with_a_fraction_are_labels_for_regressors_only(tmp_path):
    with open_session(tmp_path) as session:
        for call in (session.label, session.correct):
            with pytest.raises(ValueError, match=r"Got 2\.5, a number with"):
                call(1, 2.5)
        session.label_many([1, 2], [2.0, 3])
        assert len(session.labels()) == 2
    querier = BadgeQuerier(Ridge(), strategy="random")
    with open_session(fresh(tmp_path), querier=querier) as session:
        session.label_many([1, 2], [2.5, 3])
        assert len(session.labels()) == 2


def test_classes_that_are_no_list_are_refused(tmp_path):
    for wrong in ("ab", b"ab", {"ash": 0}, 3, np.array(3), torch.tensor(3)):
        with pytest.raises(ValueError, match="`classes` must be a list of labels"):
            open_session(tmp_path, classes=wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        "ab",
        b"ab",
        {0: "ash", 1: "bay"},
        {"ash", "bay"},
        1,
        np.array(1),
        torch.tensor(1),
    ],
    ids=lambda wrong: type(wrong).__name__,
)
def test_many_answers_are_lists(tmp_path, wrong):
    with open_session(tmp_path) as session:
        with pytest.raises(TypeError, match=r"`y` must be a list.* Got "):
            session.label_many([0, 1], wrong)
        with pytest.raises(TypeError, match=r"`ids` must be a list.* Got "):
            session.label_many(wrong, ["ash", "bay"])
        assert session.labels().empty
        with pytest.raises(ValueError, match=r"2 entries, one for each id\. Got 1"):
            session.label_many([1, 2], ["ash"])


def test_a_task_is_not_its_id(tmp_path):
    with open_session(tmp_path) as session:
        (task,) = session.next()
        with pytest.raises(TypeError, match=r"pass `task\.id`"):
            session.label(task, "ash")


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("a" * 81, "'" + "a" * 80 + "'..."),
        (np.str_("a\nb"), r"'a\nb'"),
        (pd.Series({"age": 3, "city": "Oslo"}), "{'age': 3, 'city': 'Oslo'}"),
        (pd.Series(range(100)), "dict of length 100"),
        (np.zeros((28, 28)), "ndarray of shape (28, 28)"),
    ],
)
def test_a_task_is_shown_in_a_line(row, text):
    task = Task(7, row, rank=2, strategy="Badge()", round=1)
    assert repr(task) == (
        f"Task(id=7, row={text}, rank=2, strategy='Badge()', round=1, probability=None)"
    )


def test_progress_lists_classes_in_order_and_sums_up_numbers(tmp_path):
    with open_session(tmp_path) as session:
        session.label_many([1, 2, 3], ["cot", "ash", "bay"])
        assert list(session.progress().by_class) == ["ash", "bay", "cot"]
        assert "label 'cot': 1" in str(session.progress()).splitlines()
    querier = BadgeQuerier(Ridge(), strategy="random", random_state=0)
    with open_session(fresh(tmp_path), querier=querier) as session:
        session.label_many(range(20), np.arange(20) / 2)
        assert "label 9.5: 1" in str(session.progress()).splitlines()
        session.label(20, -1.5)
        lines = str(session.progress()).splitlines()
    assert "labels: 21 numbers, -1.5 to 9.5" in lines
    assert not any(line.startswith("label ") for line in lines)
