"""What happens to the file, the process and the pool behind a session's back."""

import fcntl
import os
import random
import re
import signal
import stat
import sys
from collections import Counter
from errno import ENOLCK, ENOSYS

import numpy as np
import pytest

from skbadge.exceptions import QueryWarning
from skbadge.labeling import LabelingSession, read_labels
from skbadge.labeling.ledger._ledger import Ledger
from skbadge.labeling.rounds._rounds import TURN
from skbadge.utils._database import StoreError
from tests.labeling._sessions import X, answer, ids_of, make_querier, open_session


def delete(path):
    path.unlink()


def replace(path):
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
@pytest.mark.parametrize("change", [delete, replace])
def test_nothing_is_acknowledged_where_nobody_finds_it(tmp_path, change, suffix):
    session = open_session(tmp_path, annotator="ann")
    first, second = session.next(2)
    answer(session, [first])
    change(tmp_path / f"a.sqlite{suffix}")
    with pytest.raises(StoreError, match="deleted, moved or replaced"):
        answer(session, [second])
    assert session.progress().n_labeled == 1
    session.close()


def test_a_file_of_two_names_is_refused(tmp_path):
    open_session(tmp_path).close()
    os.link(tmp_path / "a.sqlite", tmp_path / "b.sqlite")
    with pytest.raises(ValueError, match="a hard link"):
        open_session(tmp_path)


@pytest.mark.parametrize("name", [":memory:", "file:a?mode=memory", "file::memory:"])
def test_a_name_that_means_something_to_sqlite_is_that_of_a_file(
    tmp_path, monkeypatch, name
):
    monkeypatch.chdir(tmp_path)
    with LabelingSession(make_querier(), X, store=name) as session:
        session.label(1, "ash")
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert len(read_labels(name)) == 1


@pytest.mark.parametrize("end", ["close", "exit"])
def test_a_fork_that_ends_does_not_end_the_session(tmp_path, end):
    with open_session(tmp_path) as session:
        mine = ids_of(session.next(3))
        child = os.fork()
        if not child:
            if end == "close":
                session.close()
            else:
                session.__exit__(None, None, None)
                del session
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        with open_session(tmp_path) as other:
            assert not set(mine) & set(ids_of(other.next(3)))
        session.label(mine[0], "ash")
    assert len(read_labels(tmp_path / "a.sqlite")) == 1


class Interrupt(KeyboardInterrupt):
    pass


def interrupt(*_):
    raise Interrupt


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_session_survives_interrupts_at_any_instant(tmp_path):
    rng, acknowledged, n_interrupts = random.Random(0), [], 0
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with open_session(tmp_path, annotator="ann", batch_size=10) as session:
            while n_interrupts < 300 and len(acknowledged) < 250:
                try:
                    signal.setitimer(signal.ITIMER_REAL, 1e-6 + rng.random() * 3e-3)
                    for task in session.next(2):
                        session.label(task.id, f"label {task.id}")
                        acknowledged.append(task.id)
                    signal.setitimer(signal.ITIMER_REAL, 0)
                except Interrupt:
                    n_interrupts += 1
            signal.setitimer(signal.ITIMER_REAL, 0)
            with open_session(tmp_path, annotator="bob") as other:
                other.next(1)
            mine = session._ledger.catch_up()
            told = Ledger(tmp_path / "a.sqlite")
            assert {k: row.status for k, row in mine.rows.items()} == {
                k: row.status for k, row in told.standing.rows.items()
            }
            told.close()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert set(acknowledged) <= set(read_labels(tmp_path / "a.sqlite").index)


def test_a_transaction_that_was_left_open_is_given_up(tmp_path):
    with open_session(tmp_path) as session:
        session._ledger._db._connection.execute("BEGIN IMMEDIATE")
        session.label(1, "ash")
    assert len(read_labels(tmp_path / "a.sqlite")) == 1


def test_half_an_event_is_not_kept(tmp_path, monkeypatch):
    with open_session(tmp_path) as session:
        with monkeypatch.context() as patch:
            patch.setattr("skbadge.labeling.ledger._standing.Standing._move", interrupt)
            with pytest.raises(Interrupt):
                session.label(1, "ash")
        assert session.progress().n_labeled == 1


@pytest.mark.parametrize(
    ("time", "id", "label", "flaw"),
    [
        ("2025-01-01", None, '"ash"', "is of no row"),
        (
            "2025-01-01",
            "1",
            '"as',
            "has the label '\"as', which is no JSON of a scalar",
        ),
        ("2025-01-01", "1", b"\xff", r"has the label b'\xff', which is no JSON of a"),
        (
            "2025-01-01",
            "[1]",
            '"ash"',
            "has the id '[1]', which is no JSON of a scalar",
        ),
        ("yesterday", "1", '"ash"', "has the time 'yesterday', which is none"),
    ],
)
def test_a_damaged_event_is_named(tmp_path, time, id, label, flaw):
    with open_session(tmp_path) as session, session._ledger._db.transaction() as db:
        db.execute(
            "INSERT INTO events (time, kind, session, id, label) "
            "VALUES (?, 'labeled', '', ?, ?)",
            (time, id, label),
        )
    path = str(tmp_path / "a.sqlite")
    for read in (lambda: open_session(tmp_path), lambda: read_labels(path)):
        with pytest.raises(StoreError, match=re.escape(f"event 1 {flaw}")) as error:
            read()
        assert path in str(error.value)
        assert "The file is damaged. Restore it" in str(error.value)


def test_that_one_waits_for_long_is_said(tmp_path):
    with open_session(tmp_path, timeout=0.1) as session:
        child = os.fork()
        if not child:
            other = open_session(tmp_path)
            turn = other._life.shared(TURN)
            turn.acquire()
            os.kill(os.getpid(), signal.SIGSTOP)
            os._exit(0)
        os.waitpid(child, os.WUNTRACED)
        try:
            before = signal.signal(
                signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL)
            )
            signal.setitimer(signal.ITIMER_REAL, 1)
            with pytest.warns(QueryWarning, match=r"for 0\.1 s\. .* waits") as told:
                session.next(2)
            assert str(tmp_path) in str(told[0].message)
        finally:
            signal.signal(signal.SIGALRM, before)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


@pytest.mark.parametrize("number", [ENOLCK, ENOSYS])
@pytest.mark.filterwarnings("ignore:flock not supported")
def test_a_file_system_without_locks_is_one_clear_error(tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(StoreError, match="on a disk of this machine"):
        open_session(tmp_path)


def test_who_may_write_to_the_file_may_lock(tmp_path):
    open_session(tmp_path).close()
    (tmp_path / "a.sqlite").chmod(0o660)
    with open_session(tmp_path) as session:
        session.next(1)
        folder = tmp_path / "a.sqlite.locks"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o770
        modes = {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()}
        assert modes == {0o660}


@pytest.mark.parametrize("mode", [0o400, 0o444, 0o464])
def test_a_ledger_that_its_owner_may_not_write_is_opened_by_root_alone(tmp_path, mode):
    open_session(tmp_path).close()
    (tmp_path / "a.sqlite").chmod(mode)
    if os.getuid() != 0:
        with pytest.raises(StoreError, match="must be writable"):
            open_session(tmp_path)
        return
    with open_session(tmp_path) as session:
        session.next(1)
        locks = (tmp_path / "a.sqlite.locks").iterdir()
        assert {stat.S_IMODE(each.stat().st_mode) for each in locks} == {mode | 0o600}


def test_a_file_in_the_place_of_the_locks_is_told(tmp_path):
    (tmp_path / "a.sqlite.locks").write_text("mine")
    with pytest.raises(FileExistsError, match="locks"):
        open_session(tmp_path)


@pytest.mark.parametrize("how", ["labelled", "with me", "returned"])
def test_rows_that_only_another_session_has_are_told(tmp_path, how):
    more = np.vstack([X, X[:9] + 1])
    with open_session(tmp_path, annotator="ann", batch_size=5) as session:
        answer(session, session.next(20))
        session.train()
        with pytest.warns(QueryWarning, match="has changed"):
            other = open_session(tmp_path, more, annotator="bob")
        with other:
            if how == "labelled":
                other.label(305, "ash")
            else:
                with other._ledger.writing() as page:
                    page.write("asked", "305", "ann", strategy="x", round=1, rank=0)
            if how == "returned":
                other.give_back(annotator="ann")
        with pytest.raises(ValueError, match="opened on more rows, such as 305"):
            session.next(30)
        session.label(3, "ash")
    with open_session(tmp_path, more, annotator="ann") as session:
        assert len(session.next(30)) == 30
    counts = Counter(read_labels(tmp_path / "a.sqlite").index)
    assert max(counts.values()) == 1


def test_a_missing_package_is_named_with_the_extra_for_sessions(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "filelock", None)
    with pytest.raises(ImportError, match=r'pip install "skbadge\[labeling\]"'):
        open_session(tmp_path)
