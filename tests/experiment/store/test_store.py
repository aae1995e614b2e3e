"""ResultStore: claims, checkpoints, what it reads back, and files it refuses."""

import errno
import json
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256

import numpy as np
import pytest

from skbadge.experiment import ResultStore
from skbadge.experiment.simulation import Evaluation
from skbadge.experiment.store import StoreError, config_hash
from skbadge.utils import _database

NO_ROWS = np.empty(0, np.int64)
CLAIM_AND_WAIT = """
import sys
from skbadge.experiment import ResultStore
store = ResultStore(sys.argv[1])
print(store.claim().config["repeat"], flush=True)
sys.stdin.read()
"""


def make_config(repeat=0, **changes):
    config = {"dataset": "iris", "model": "mlp", "strategy": "badge", "n_query": 10}
    return config | {"repeat": repeat, "seed": repeat + 100} | changes


def make_evaluation(round, scores=None, fit_time=0.5):
    scores = {"accuracy": 0.25 * round} if scores is None else scores
    n_labeled = 20 + 10 * round
    return Evaluation(round, n_labeled, scores, fit_time, 0.125, 0.0625, NO_ROWS)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results.db"


@pytest.fixture
def store(path):
    with ResultStore(path) as store:
        yield store


def execute(path, statement, values=()):
    with sqlite3.connect(path) as connection:
        connection.execute(statement, values)
    connection.close()


def scores_of(store):
    return store.to_frame()["score"].tolist()


def other_worker(path):
    return subprocess.Popen(
        [sys.executable, "-c", CLAIM_AND_WAIT, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_the_hash_is_that_of_the_json_with_sorted_keys_and_no_spaces():
    expected = sha256(b'{"a":[1,0.5,null],"b":{"c":true,"d":"x"}}').hexdigest()
    assert config_hash({"b": {"d": "x", "c": True}, "a": [1, 0.5, None]}) == expected


def test_a_config_that_json_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        config_hash({"lr": float("nan")})


def test_adding_a_config_again_changes_nothing(store):
    configs = [make_config(0), make_config(1)]
    hashes = store.add(configs)
    store.claim().finish()
    assert store.add([*configs, make_config(2)])[:2] == hashes
    assert hashes == [config_hash(config) for config in configs]
    assert store.counts() == {"pending": 2, "running": 0, "done": 1, "failed": 0}


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8])
@pytest.mark.parametrize("name", ["n_query", "repeat", "seed"])
def test_ints_of_numpy_are_kept_as_those_of_python(store, name, kind):
    plain = make_config()
    hashes = store.add([plain | {name: kind(plain[name])}, plain])
    assert hashes == [config_hash(plain)] * 2
    [row] = store.runs_frame().to_dict("records")
    assert {each: row[each] for each in plain} == plain


@pytest.mark.parametrize("name", ["dataset", "model", "strategy", "n_query"])
def test_a_run_without_a_label_is_an_error_and_not_left_out(store, name):
    with pytest.raises(sqlite3.IntegrityError, match=f"NOT NULL .*{name}"):
        store.add([make_config(**{name: None})])


def test_runs_are_claimed_once_each_in_the_order_in_which_they_were_added(store):
    store.add(make_config(repeat) for repeat in (2, 0, 1))
    assert [store.claim().config["repeat"] for _ in range(3)] == [2, 0, 1]
    assert store.claim() is None
    assert store.runs_frame()["attempts"].tolist() == [1, 1, 1]


def test_a_claim_may_be_limited_to_some_runs(store):
    hashes = store.add(make_config(repeat) for repeat in range(3))
    assert store.claim(hashes[1:]).hash == hashes[1]
    assert store.claim(hashes[:0]) is None


def test_workers_at_the_same_time_share_the_runs_without_overlap(path):
    with ResultStore(path) as store:
        store.add(make_config(repeat) for repeat in range(60))

    def work(_):
        mine = []
        with ResultStore(path) as store:
            while claim := store.claim():
                claim.record(make_evaluation(0), None)
                claim.finish()
                mine.append(claim.config["repeat"])
        return mine

    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(work, range(4)))
    assert sorted(repeat for share in shares for repeat in share) == list(range(60))
    with ResultStore(path) as store:
        assert set(store.runs_frame()["attempts"]) == {1}
        assert len(store.to_frame()) == 60


def test_many_may_make_the_same_store_at_a_time(path):
    def work(i):
        with ResultStore(path) as store:
            store.add([make_config(i)])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(24)))
    with ResultStore(path) as store:
        assert store.counts()["pending"] == 24


@pytest.fixture
def writer(path):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.close()


def test_making_a_store_waits_for_another_connection_that_is_writing(
    path, writer, monkeypatch
):
    class EndsTheWriterOnceRefused(sqlite3.Connection):
        def execute(self, *args):
            try:
                return super().execute(*args)
            except sqlite3.OperationalError:
                writer.rollback()
                raise

    connect = partial(sqlite3.connect, factory=EndsTheWriterOnceRefused)
    monkeypatch.setattr(sqlite3, "connect", connect)
    with ResultStore(path) as store:
        assert store.counts()["pending"] == 0
    assert not writer.in_transaction


def test_making_a_store_gives_up_after_the_timeout_and_may_be_tried_again(path, writer):
    with pytest.raises(StoreError, match=r"results\.db' does not work: .*locked"):
        ResultStore(path, timeout=0.01)
    writer.rollback()
    with ResultStore(path) as store:
        assert store.counts()["pending"] == 0


def test_a_released_run_goes_on_from_its_last_checkpoint(store):
    store.add([make_config()])
    claim = store.claim()
    assert claim.state is None
    claim.record(make_evaluation(0), {"round": 0})
    claim.record(make_evaluation(1), {"round": 1})
    claim.release()
    claim = store.claim()
    assert claim.state == {"round": 1}
    claim.record(make_evaluation(2), {"round": 2})
    claim.finish()
    assert scores_of(store) == [0.0, 0.25, 0.5]
    assert store.runs_frame()["attempts"].tolist() == [2]


def test_a_run_without_a_checkpoint_starts_over_and_its_rows_go(store):
    store.add([make_config(0), make_config(1)])
    other, claim = store.claim(), store.claim()
    other.record(make_evaluation(0, {"accuracy": 0.75}), None)
    claim.record(make_evaluation(0), {"round": 0})
    # Cannot be pickled: the checkpoint before it must not be taken for its own.
    claim.record(make_evaluation(1), lambda: None)
    claim.release()
    claim = store.claim()
    assert claim.state is None
    assert scores_of(store) == [0.75]
    claim.record(make_evaluation(0, {"accuracy": 1.0}), {"round": 0})
    assert scores_of(store) == [0.75, 1.0]


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("UPDATE checkpoints SET versions = ?", json.dumps({"torch": "0.1"})),
        ("UPDATE checkpoints SET state = ?", b"no pickle"),
        # It can be read, but it is not what was written.
        ("UPDATE checkpoints SET state = ?", pickle.dumps({"round": 1})),
    ],
    ids=["other-versions", "unreadable", "damaged"],
)
def test_a_checkpoint_that_cannot_be_trusted_is_discarded(path, statement, value):
    with ResultStore(path) as store:
        store.add([make_config()])
        store.claim().record(make_evaluation(0), {"round": 0})
    execute(path, statement, [value])
    with ResultStore(path) as store:
        assert store.claim().state is None
        assert len(store.to_frame()) == 0


def test_an_evaluation_and_its_checkpoint_are_kept_together_or_not_at_all(store):
    store.add([make_config()])
    claim = store.claim()
    claim.record(make_evaluation(0), {"round": 0})
    scores = {"neg_log_loss": -1.0, "accuracy": 0.5}
    with pytest.raises(sqlite3.IntegrityError):
        # Of the same round again: the first metric is new, the second is not.
        claim.record(make_evaluation(0, scores), {"round": "again"})
    assert len(store.to_frame()) == 1
    claim.release()
    assert store.claim().state == {"round": 0}


def test_checkpoints_go_when_a_run_is_done(path, store):
    store.add([make_config()])
    claim = store.claim()
    claim.record(make_evaluation(0), {"round": 0})
    claim.finish()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT * FROM checkpoints").fetchall() == []
    connection.close()


def test_a_failure_is_kept_with_its_traceback_and_goes_on_when_reset(store):
    store.add([make_config(0), make_config(1)])
    claim = store.claim()
    claim.record(make_evaluation(0), {"round": 0})
    try:
        raise FloatingPointError("the loss is nan")
    except FloatingPointError as error:
        claim.fail(error)
    failure = store.failures_frame().loc[0]
    assert failure["repeat"] == 0
    assert failure["error_type"] == "FloatingPointError"
    assert failure["error_message"] == "the loss is nan"
    assert "in test_a_failure_is_kept" in failure["traceback"]
    assert len(store.to_frame()) == 1
    assert store.claim().config["repeat"] == 1
    assert store.claim() is None
    assert store.reset_failed() == 1
    assert store.claim().state == {"round": 0}
    assert len(store.failures_frame()) == 0
    assert store.runs_frame()["error_type"].isna().all()


def test_failed_runs_may_be_reset_in_part(store):
    hashes = store.add([make_config(0), make_config(1)])
    for _ in range(2):
        store.claim().fail(ValueError("no"))
    assert store.reset_failed(hashes[1:]) == 1
    assert store.claim().hash == hashes[1]


def test_closing_frees_the_runs_still_claimed_and_leaves_no_lock_files(path):
    with ResultStore(path) as store:
        store.add([make_config()])
        store.claim()
        with ResultStore(path) as other:
            assert other.claim() is None
        assert store.counts()["running"] == 1
    with ResultStore(path) as store:
        assert store.counts()["pending"] == 1
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_claim_is_free_as_soon_as_its_worker_is_killed_and_not_before(path):
    with ResultStore(path) as store:
        store.add([make_config(7)])
        worker = other_worker(path)
        try:
            assert worker.stdout.readline() == "7\n"
            assert store.claim() is None
        finally:
            kill(worker)
        assert store.counts()["running"] == 1
        assert store.claim().config["repeat"] == 7
        assert store.runs_frame()["attempts"].tolist() == [2]
        assert len(os.listdir(f"{path}.locks")) == 1
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_tidy_frees_the_runs_of_dead_workers_alone(path):
    with ResultStore(path) as store, ResultStore(path) as living:
        store.add([make_config(0), make_config(1)])
        worker = other_worker(path)
        try:
            assert worker.stdout.readline() == "0\n"
            living.claim()
        finally:
            kill(worker)
        store.tidy()
        assert store.counts() == {"pending": 1, "running": 1, "done": 0, "failed": 0}


def test_only_the_holder_of_a_claim_may_write_to_it(path, store):
    store.add([make_config()])
    claim = store.claim()
    claim.release()
    with ResultStore(path) as other:
        newer = other.claim()
        for write in (claim.finish, lambda: claim.record(make_evaluation(0), None)):
            with pytest.raises(ValueError, match="is not claimed, or no longer"):
                write()
        claim.release()
        newer.finish()
    assert store.counts()["done"] == 1


def test_the_frame_has_the_columns_all_experiments_share_in_a_fixed_order(store):
    store.add([make_config(0, strategy="z"), make_config(0, strategy="a")])
    first, second = store.claim(), store.claim()
    scores = {"neg_log_loss": -float("inf"), "accuracy": float("nan")}
    second.record(make_evaluation(0, {"accuracy": 0.5}), None)
    first.record(make_evaluation(1, scores), None)
    frame = store.to_frame()
    assert frame.columns.tolist() == [
        "dataset",
        "model",
        "strategy",
        "n_query",
        "repeat",
        "n_labeled",
        "metric",
        "score",
        "fit_time",
        "query_time",
        "score_time",
    ]
    assert frame["strategy"].tolist() == ["z", "z", "a"]
    assert frame["metric"].tolist() == ["neg_log_loss", "accuracy", "accuracy"]
    np.testing.assert_array_equal(frame["score"], [-np.inf, np.nan, 0.5])
    assert frame["score"].dtype == np.float64
    assert frame.loc[0, "fit_time":].tolist() == [0.5, 0.125, 0.0625]


def test_frames_may_be_limited_to_some_runs(store):
    hashes = store.add(make_config(repeat) for repeat in range(3))
    while claim := store.claim():
        claim.record(make_evaluation(0), None)
        claim.fail(ValueError("no"))
    for read in (store.to_frame, store.runs_frame, store.failures_frame):
        assert read(hashes[::2])["repeat"].tolist() == [0, 2]
    assert store.counts(hashes[:1])["failed"] == 1


def test_an_empty_store_has_empty_frames_with_all_columns(store):
    for frame in (store.to_frame(), store.runs_frame(), store.failures_frame()):
        assert len(frame) == 0
        assert "strategy" in frame.columns


def test_runs_know_the_versions_and_the_machine_they_ran_on(store):
    store.add([make_config()])
    store.claim().finish()
    run = store.runs_frame().loc[0]
    versions = json.loads(run["versions"])
    assert versions["numpy"] == np.__version__
    assert versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert set(versions) >= {"scipy", "scikit-learn", "torch", "skorch", "skbadge"}
    assert run["host"]
    assert run["started"] <= run["finished"]
    assert json.loads(run["config"]) == make_config()


def test_readers_are_not_held_up_by_a_writer_and_see_what_was_committed(path, store):
    store.add([make_config()])
    claim = store.claim()
    claim.record(make_evaluation(0), None)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM evaluations")
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: count_rows(path), range(8)))
    writer.execute("ROLLBACK")
    writer.close()
    assert counts == [1] * 8


def test_a_writer_is_not_held_up_by_a_reader(path):
    with ResultStore(path, timeout=0) as store:
        store.add([make_config()])
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        assert reader.execute("SELECT COUNT(*) FROM evaluations").fetchone() == (0,)
        store.claim().record(make_evaluation(0), None)
        assert reader.execute("SELECT COUNT(*) FROM evaluations").fetchone() == (0,)
        reader.execute("ROLLBACK")
        reader.close()
        assert len(store.to_frame()) == 1


def count_rows(path):
    with ResultStore(path, create=False, timeout=0) as store:
        return len(store.to_frame())


def make_text(path):
    path.write_text("dataset,score\niris,0.5\n")


def make_other_database(path):
    execute(path, "CREATE TABLE runs (hash TEXT)")


def make_newer_store(path):
    ResultStore(path).close()
    execute(path, "PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (make_text, "it is no SQLite file"),
        (make_other_database, "it is another program's database"),
        (make_newer_store, "its tables are of version 99"),
    ],
)
def test_a_file_that_is_no_such_store_is_refused_and_left_as_it_is(path, make, reason):
    make(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=rf"`path` must be a result store.*{reason}"):
        ResultStore(path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_an_empty_file_becomes_a_store(path):
    path.touch()
    with ResultStore(path) as store:
        assert store.counts()["pending"] == 0


def test_a_store_that_is_not_there_is_made_only_if_wanted(path):
    with pytest.raises(FileNotFoundError, match=r"no result store at .*results\.db"):
        ResultStore(path, create=False)
    assert not path.exists()
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*nowhere"):
        ResultStore(path.parent / "nowhere" / "results.db")


def test_a_closed_store_says_so(path):
    store = ResultStore(path)
    store.close()
    store.close()
    with pytest.raises(ValueError, match=r"results\.db' is closed"):
        store.add([make_config()])


def claim_in_a_process_that_is_killed(path, **options):
    child = os.fork()
    if not child:
        ResultStore(path).claim(**options)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)


def test_a_run_that_kills_its_worker_three_times_has_failed(path):
    with ResultStore(path) as store:
        store.add([make_config(0), make_config(1)])
    for _ in range(3):
        claim_in_a_process_that_is_killed(path)
    with ResultStore(path) as store:
        # The other one is next.
        assert store.claim().config["repeat"] == 1
        failures = store.failures_frame()
        assert failures["repeat"].tolist() == [0]
        assert failures["error_message"][0].startswith("its worker died 3 times")
        store.reset_failed()
        assert store.claim().config["repeat"] == 0


def test_the_death_of_who_hands_runs_to_others_is_held_against_none(path):
    with ResultStore(path) as store:
        store.add([make_config()])
    for _ in range(4):
        claim_in_a_process_that_is_killed(path, is_here=False)
    with ResultStore(path) as store:
        assert store.claim() is not None
        assert list(store.unfinished().values()) == [0]


def test_a_run_that_gets_on_between_deaths_does_not_fail(path):
    with ResultStore(path) as store:
        store.add([make_config()])
    for round in range(4):
        claim_in_a_process_that_is_killed(path)
        with ResultStore(path) as store:
            claim = store.claim()
            claim.record(make_evaluation(round), {"round": round})
    assert claim.state == {"round": 2}


def test_a_worker_that_closes_its_store_has_not_died(path):
    with ResultStore(path) as store:
        store.add([make_config()])
    for _ in range(5):
        with ResultStore(path) as store:
            assert store.claim() is not None
    with ResultStore(path) as store:
        assert list(store.unfinished().values()) == [0]


def test_a_store_that_cannot_be_written_can_be_read(path, tmp_path, monkeypatch):
    with ResultStore(path) as store:
        store.add([make_config()])
        store.claim().record(make_evaluation(0), {"round": 0})
    before = path.read_bytes()
    # As root, everything may be written.
    monkeypatch.setattr(_database, "is_writable", lambda path: False)
    with ResultStore(path, create=False) as store:
        store.tidy()
        store.check()
        assert scores_of(store) == [0.0]
        assert [each.name for each in tmp_path.iterdir()] == [path.name]
        with pytest.raises(StoreError, match="must be writable"):
            store.add([make_config(1)])
    assert path.read_bytes() == before


def test_a_full_disk_is_said_to_be_full(path, store):
    store.add([make_config()])
    claim = store.claim()
    (n_pages,) = store._db.read("PRAGMA page_count")[1][0]
    store._db.read(f"PRAGMA max_page_count = {n_pages}")
    with pytest.raises(StoreError, match=r"is full\. Make room on the disk, and do"):
        claim.record(make_evaluation(0), {"round": np.zeros(10_000)})
    store._db.read("PRAGMA max_page_count = 100000")
    claim.record(make_evaluation(0), {"round": np.zeros(10_000)})
    claim.finish()


def test_deaths_of_workers_that_somebody_ended_are_excused(path):
    with ResultStore(path) as store:
        store.add([make_config()])
    for _ in range(4):
        claim_in_a_process_that_is_killed(path)
        with ResultStore(path) as store:
            store.excuse_dead()
            store.tidy()
            assert store.counts()["pending"] == 1
            assert list(store.unfinished().values()) == [0]


@pytest.mark.parametrize(
    "error",
    [StoreError("no"), OSError(errno.ENOSPC, "full"), OSError(errno.EDQUOT, "")],
)
def test_errors_of_the_machine_are_none_of_the_run(store, error):
    store.add([make_config()])
    claim = store.claim()
    with pytest.raises(OSError) as caught:  # noqa: PT011
        claim.fail(error)
    assert caught.value is error
    claim.release()
    assert store.counts()["pending"] == 1


def test_an_error_may_name_a_file_whose_name_is_no_text(store):
    store.add([make_config()])
    store.claim().fail(ValueError("cannot read b\udcff"))
    assert store.failures_frame()["error_message"].tolist() == ["cannot read b\\udcff"]


def test_a_checkpoint_that_is_too_large_is_left_out(store):
    store.add([make_config()])
    claim = store.claim()
    store._db._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 5000)
    claim.record(make_evaluation(0), np.zeros(5000))
    claim.release()
    assert store.claim().state is None


def test_a_log_that_nobody_may_write_beside_is_read(path, tmp_path, monkeypatch):
    with ResultStore(path) as store:
        store.add([make_config()])
    claim_in_a_process_that_is_killed(path)
    tmp_path.joinpath(f"{path.name}-shm").unlink()
    assert tmp_path.joinpath(f"{path.name}-wal").stat().st_size
    before = {each: each.is_file() and each.read_bytes() for each in tmp_path.iterdir()}
    connect = sqlite3.connect

    def refuse(database, **options):
        if str(database).endswith("?mode=ro"):
            raise sqlite3.OperationalError("unable to open database file")
        return connect(database, **options)

    # As root, everything may be written.
    monkeypatch.setattr(sqlite3, "connect", refuse)
    monkeypatch.setattr(_database, "is_writable", lambda path: False)
    with ResultStore(path, create=False) as store:
        store.check()
        assert store.counts()["running"] == 1
    after = {each: each.is_file() and each.read_bytes() for each in tmp_path.iterdir()}
    assert after == before


def test_a_claim_holds_whatever_link_others_come_by(path, tmp_path):
    link = tmp_path / "link.db"
    link.symlink_to(path)
    with ResultStore(path) as store:
        store.add([make_config()])
        store.claim()
        with ResultStore(link) as other:
            other.tidy()
            assert other.claim() is None
            assert other.counts()["running"] == 1
    assert {each.name for each in tmp_path.iterdir()} == {path.name, link.name}
