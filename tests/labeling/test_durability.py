"""No answer is lost: kills, full disks, files that cannot be written or are others'."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from skbadge.experiment import ResultStore
from skbadge.labeling import StoreError, read_history, read_labels
from skbadge.labeling.rounds._rounds import TURN
from tests.labeling._sessions import (
    answer,
    ids_of,
    in_a_process_that_is_killed,
    open_session,
    read,
)


@pytest.mark.parametrize(
    ("n_kills", "audit_share"),
    [
        pytest.param(20, 0.0),
        pytest.param(20, 0.3),
        pytest.param(200, 0.3, marks=pytest.mark.slow),
    ],
)
def test_no_acknowledged_answer_is_lost_at_a_kill(tmp_path, n_kills, audit_share):
    command = [sys.executable, "-m", "tests.labeling._streaming"]
    command += [str(tmp_path), "0", str(n_kills), str(audit_share)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    # In fact about ten a kill.
    assert int(result.stdout) > 4 * n_kills


def test_an_answer_outlives_its_process(tmp_path):
    def label():
        session = open_session(tmp_path, annotator="ann")
        answer(session, session.next(2))

    in_a_process_that_is_killed(label)
    with open_session(tmp_path) as session:
        assert session.progress().n_labeled == 2


@pytest.mark.parametrize(("synchronous", "level"), [("full", 2), ("normal", 1)])
def test_each_answer_is_on_the_disk_before_the_call_returns(
    tmp_path, synchronous, level
):
    with open_session(tmp_path, synchronous=synchronous) as session:
        db = session._ledger._db
        assert db.read("PRAGMA synchronous")[1] == [(level,)]
        assert db.read("PRAGMA journal_mode")[1] == [("wal",)]


def test_a_full_disk_is_one_clear_error_and_labelling_goes_on_after_it(tmp_path):
    with open_session(tmp_path, annotator="ann") as session:
        tasks = session.next(40)
        db = session._ledger._db
        ((n_pages,),) = db.read("PRAGMA page_count")[1]
        db.read(f"PRAGMA max_page_count = {n_pages}")
        with pytest.raises(StoreError, match=r"is full\. Make room on the disk") as e:
            session.label_many(ids_of(tasks), ["ash" * 1000] * 40)
        assert "\n" not in str(e.value)
        assert session.progress().n_labeled == 0
        db.read("PRAGMA max_page_count = 100000")
        answer(session, tasks)
        assert session.progress().n_labeled == 40
        session._ledger.check()
    with open_session(tmp_path) as session:
        assert session.progress().n_labeled == 40


def test_a_file_that_may_not_grow_is_one_clear_error(tmp_path):
    with open_session(tmp_path, annotator="ann") as session:
        tasks = session.next(40)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        log = tmp_path / "a.sqlite-wal"
        # Python ignores the signal that comes with it.
        resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 5000, hard))
        try:
            n_kept = 0
            with pytest.raises(StoreError, match="does not work"):  # noqa: PT012
                for task in tasks:
                    session.label(task.id, "ash")
                    n_kept += 1
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert n_kept < 40
        assert session.progress().n_labeled == n_kept
        answer(session, tasks[n_kept:])
        session._ledger.check()
        assert session.progress().n_labeled == 40


def test_a_ledger_that_becomes_read_only_is_one_clear_error(tmp_path):
    with open_session(tmp_path) as session:
        (task,) = session.next()
        session._ledger._db._connection.execute("PRAGMA query_only = ON")
        with pytest.raises(StoreError, match="must be writable"):
            session.label(task.id, "ash")
        with pytest.raises(StoreError, match="must be writable"):
            session.next(2)
        session._ledger._db._connection.execute("PRAGMA query_only = OFF")
        session.label(task.id, "ash")


def test_a_ledger_that_nobody_may_write_is_read_and_not_opened():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with open_session(folder) as session:
            answer(session, session.next(2))
        before = folder.joinpath("a.sqlite").read_bytes()
        folder.joinpath("a.sqlite").chmod(0o444)
        folder.chmod(0o555)
        try:
            in_a_process_that_is_killed(lambda: _look_as_nobody(folder))
            assert folder.joinpath("a.sqlite").read_bytes() == before
            assert [each.name for each in folder.iterdir()] == ["a.sqlite"]
        finally:
            folder.chmod(0o755)
        assert _LOG.read_text() == "2 refused"
        _LOG.unlink()


_LOG = Path(tempfile.gettempdir()) / f"labels-read-only-{os.getpid()}"


def _look_as_nobody(folder):
    # As root, everything may be written.
    with _LOG.open("w") as log:
        if os.getuid() == 0:
            os.setuid(65534)
        n_labels = len(read_labels(folder / "a.sqlite"))
        with pytest.raises(StoreError, match="must be writable"):
            open_session(folder)
        log.write(f"{n_labels} refused")


def make_text(path):
    path.write_text("id,label\n1,ash\n")


def make_other_database(path):
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE events (seq INTEGER)")
    db.close()


def make_results(path):
    ResultStore(path).close()


def make_newer_ledger(path):
    open_session(path.parent).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (make_text, "it is no SQLite file"),
        (make_other_database, "it is another program's database"),
        (make_results, "it is a result store, which `skbadge status` reads"),
        (make_newer_ledger, "its tables are of version 99"),
    ],
)
def test_a_file_of_others_is_refused_and_left_as_it_is(tmp_path, make, reason):
    path = tmp_path / "a.sqlite"
    make(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=rf"`store` must be a ledger of .*{reason}"):
        open_session(tmp_path)
    # To read, there must be one: nothing is said of files that are not there yet.
    with pytest.raises(ValueError, match=rf"'.*' is no ledger of labels .*: {reason}"):
        read_labels(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_ledger_that_is_not_there_is_not_made_to_be_read(tmp_path):
    with pytest.raises(FileNotFoundError, match="no ledger of labels"):
        read_history(tmp_path / "a.sqlite")
    assert not list(tmp_path.iterdir())


def test_nothing_lies_beside_a_ledger_that_is_closed(tmp_path):
    with open_session(tmp_path) as session:
        answer(session, session.next(3))
        session.train()
    assert [each.name for each in tmp_path.iterdir()] == ["a.sqlite"]


def test_a_session_that_closes_leaves_those_that_live(tmp_path):
    with open_session(tmp_path) as mine:
        open_session(tmp_path).close()
        taken = ids_of(mine.next(3))
        with open_session(tmp_path) as other:
            assert not set(ids_of(other.next(3))) & set(taken)


def test_events_never_change(tmp_path):
    with open_session(tmp_path) as session:
        answer(session, session.next(3))
    for change in ("UPDATE events SET label = '1'", "DELETE FROM events"):
        with pytest.raises(sqlite3.IntegrityError, match="events never"):
            read(tmp_path, change)
    with open_session(tmp_path) as session:
        assert session.progress().n_labeled == 3


def test_a_ledger_is_read_by_any_program(tmp_path):
    with open_session(tmp_path, annotator="ann") as session:
        (task,) = session.next()
        session.label(task.id, "ash")
        session.skip(int(task.id), reason="blurred")
    (asked, labeled, skipped) = read(
        tmp_path,
        "SELECT kind, id, label, annotator, strategy, round, rank, reason "
        "FROM events WHERE kind NOT LIKE 'que%' ORDER BY seq",
    )
    why = ("CoreSet()", 0, 0)
    id = str(task.id)
    assert asked == ("asked", id, None, "ann", *why, None)
    assert labeled == ("labeled", id, '"ash"', "ann", *why, None)
    assert skipped == ("skipped", id, None, "ann", *why, "blurred")


def test_a_session_belongs_to_its_process(tmp_path):
    with open_session(tmp_path) as session:
        (task,) = session.next()
        child = os.fork()
        if not child:
            try:
                session.label(task.id, "ash")
            except RuntimeError as error:
                os._exit(3 if "Open another one" in str(error) else 4)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
        session.label(task.id, "ash")


def test_a_closed_session_says_so(tmp_path):
    session = open_session(tmp_path)
    session.close()
    session.close()
    with pytest.raises(ValueError, match=r"a\.sqlite' is closed"):
        session.next()


def test_a_process_that_was_killed_while_it_asked_is_not_waited_for(tmp_path):
    kept = []

    def take_the_turn():
        session = open_session(tmp_path)
        kept.extend([session, session._life.shared(TURN)])
        kept[-1].acquire()

    in_a_process_that_is_killed(take_the_turn)
    signal.alarm(60)
    try:
        with open_session(tmp_path) as session:
            assert len(session.next(3)) == 3
    finally:
        signal.alarm(0)
