"""The command line."""

import errno
import os
import signal
import sqlite3
import subprocess
import sys
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pandas as pd
import pytest
from sklearn.neighbors import KNeighborsClassifier

import skbadge
from skbadge import BadgeQuerier
from skbadge.__main__ import main
from skbadge.exceptions import QueryWarning
from skbadge.experiment import ResultStore
from skbadge.labeling import LabelingSession

TOML = """
n_query = 5
n_initial = 10
n_rounds = 2
n_repeats = 2
strategies = ["badge", "random"]
datasets = {iris = "sklearn.datasets:load_iris"}

[models.linear]
object = "sklearn.neighbors:KNeighborsClassifier"
"""


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch):
    pytest.importorskip("matplotlib").use("Agg")
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "iris.toml"
    path.write_text(TOML)
    return path


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out.strip() == skbadge.__version__


def test_a_benchmark_is_run_reported_on_and_exported(path, tmp_path, capsys):
    store, csv = tmp_path / "iris.sqlite", tmp_path / "iris.csv"
    assert main(["run", str(path)]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"4 of 4 runs done: {store}\n"
    assert "4/4" in captured.err
    assert main(["status", str(store)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["pending  0", "running  0", "done     4", "failed   0"]
    assert main(["export", str(store), str(csv)]) == 0
    assert capsys.readouterr().out == f"12 evaluations: {csv}\n"
    with ResultStore(store) as opened:
        frame = opened.to_frame()
    pd.testing.assert_frame_equal(pd.read_csv(csv), frame, check_dtype=False)
    out = tmp_path / "out"
    assert main(["report", str(store), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out / 'report.md'}\n{out / 'report.html'}\n"
    assert "iris.sqlite" in (out / "report.md").read_text()


def test_the_store_may_be_elsewhere_and_the_bar_left_out(path, tmp_path, capsys):
    store = tmp_path / "other.db"
    assert main(["run", str(path), "--store", str(store), "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert store.exists()
    assert not (tmp_path / "iris.sqlite").exists()


def test_runs_in_a_file_of_results_are_not_run_again(path, tmp_path, capsys):
    results = tmp_path / "iris.csv.gz"
    run = ["run", str(path), "--quiet", "--results", str(results)]
    assert main(run) == 0
    content = results.read_bytes()
    path.with_suffix(".sqlite").unlink()
    assert main(run) == 0
    with ResultStore(path.with_suffix(".sqlite")) as store:
        assert store.runs_frame()["attempts"].tolist() == [0] * 4
    assert results.read_bytes() == content
    path.write_text(TOML.replace('"random"', '"margin"'))
    with pytest.warns(QueryWarning, match="6 rows are of 2 runs that the benchmark d"):
        assert main(run) == 0
    assert len(pd.read_csv(results)) == 18
    out = tmp_path / "out"
    only = ["--only", str(path), "--baseline", "margin"]
    assert main(["report", str(results), "--out", str(out), *only]) == 0
    assert pd.read_csv(out / "sources.csv")["evaluations"].tolist() == [12]
    assert main([*run, "--drop-stale"]) == 0
    assert len(pd.read_csv(results)) == 12
    results.write_bytes(content[:-9])
    capsys.readouterr()
    assert main(run) == 2
    assert_one_line(capsys.readouterr(), "iris.csv.gz", "was damaged")


def test_failures_are_printed_and_tried_again_if_wanted(path, capsys):
    # More neighbours than labels at the start.
    path.write_text(TOML + "n_neighbors = 12\n")
    assert main(["run", str(path), "--quiet"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("0 of 4 runs done, 4 failed: ")
    assert lines[1].startswith(
        "failed: 4 runs, the first of them iris, linear, badge, n_query 5, repeat 0: "
        "ValueError: Expected n_"
    )
    assert len(lines) == 2
    for options, attempts in (([], 1), (["--retry-failed"], 2)):
        assert main(["run", str(path), "--quiet", *options]) == 1
        with ResultStore(path.with_suffix(".sqlite")) as store:
            assert set(store.runs_frame()["attempts"]) == {attempts}
    capsys.readouterr()
    assert main(["status", str(path.with_suffix(".sqlite"))]) == 0
    assert capsys.readouterr().out.count("failed: 4 runs") == 1


def test_to_run_and_to_look_takes_no_pandas(path, tmp_path):
    (tmp_path / "pandas.py").write_text("raise ModuleNotFoundError('no pandas')")
    places = os.pathsep.join([str(tmp_path), str(Path(skbadge.__file__).parents[1])])

    def printed(status, *arguments):
        found = subprocess.run(
            [sys.executable, "-m", "skbadge", *arguments],
            env={**os.environ, "PYTHONPATH": places},
            capture_output=True,
            text=True,
        )
        assert (found.returncode, found.stderr) == (status, "")
        return found.stdout

    run = ["run", str(path), "--quiet"]
    results = tmp_path / "iris.csv.gz"
    assert "4 of 4 runs done" in printed(0, *run, "--results", str(results))
    assert results.exists()
    path.write_text(TOML + "n_neighbors = 12\n")
    failed = "failed: 4 runs, the first of them iris, linear, badge, n_query 5, repeat "
    assert failed in printed(1, *run)
    assert failed in printed(0, "status", str(path.with_suffix(".sqlite")))


def test_a_report_may_be_limited_to_the_runs_of_one_file(path, tmp_path, capsys):
    store, out = tmp_path / "iris.sqlite", tmp_path / "out"
    main(["run", str(path), "--quiet"])
    path.write_text("random_state = 1" + TOML)
    main(["run", str(path), "--quiet"])
    capsys.readouterr()
    arguments = ["report", str(store), "--out", str(out)]
    assert main(arguments) == 2
    assert "12 evaluations are there twice" in capsys.readouterr().err
    assert main([*arguments, "--only", str(path)]) == 0
    sources = pd.read_csv(out / "sources.csv")
    assert sources["done"].tolist() == [4]


def test_a_report_on_runs_that_the_store_lacks_is_an_error(
    path, store, tmp_path, capsys
):
    path.write_text("random_state = 1" + TOML)
    out = tmp_path / "out"
    assert main(["report", str(store), "--out", str(out), "--only", str(path)]) == 2
    message = "None of the 4 runs chosen by `hashes` (--only FILE) is in 'iris.sqlite'"
    assert_one_line(capsys.readouterr(), message)
    assert not out.exists()


def test_a_batch_that_is_too_large_for_a_store_is_an_error(path, capsys):
    path.write_text(TOML.replace("n_query = 5", f"n_query = {2**63}"))
    assert main(["run", str(path), "--quiet"]) == 2
    assert_one_line(capsys.readouterr(), "iris.toml: The 'n_query' parameter", "range")


@pytest.mark.parametrize("command", ["run", "status", "export", "report", "labels"])
def test_names_that_the_terminal_cannot_show_are_escaped(
    tmp_path, monkeypatch, command
):
    path, store = tmp_path / "名前.toml", tmp_path / "名前.sqlite"
    # More neighbours than labels at the start.
    text = TOML.replace("iris =", '"名前" =') + "n_neighbors = 12\n"
    path.write_text(text, encoding="utf-8")
    out, ledger = str(tmp_path / "名前"), tmp_path / "名前.labels"
    assert main(["run", str(path), "--quiet"]) == 1
    querier = BadgeQuerier(KNeighborsClassifier(), classes=["名前", "b"])
    with LabelingSession(querier, [[0.0], [1.0]], store=ledger) as session:
        session.label(0, "名前")
    arguments = {
        "run": [str(path), "--quiet"],
        "status": [str(store)],
        "export": [str(store), out],
        "report": [str(store), "--out", out],
        "labels": [str(ledger)],
    }[command]
    with TextIOWrapper(BytesIO(), encoding="cp1252") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        assert main([command, *arguments]) == (1 if command == "run" else 0)
        terminal.flush()
        assert rb"\u540d\u524d" in terminal.buffer.getvalue()
    monkeypatch.setattr(sys, "stdout", StringIO())
    main([command, *arguments])
    assert "名前" in sys.stdout.getvalue()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "gone.toml"], "error: There is no file 'gone.toml'."),
        (["status", "gone.db"], "error: There is no result store at 'gone.db'."),
        (["report", "gone.db", "--out", "out"], "error: There is no file 'gone.db' to"),
    ],
)
def test_a_wrong_command_prints_one_line_and_no_traceback(
    tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(message)
    assert captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_says_how_to_go_on(path, monkeypatch, capsys):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("skbadge.experiment.benchmark._runner.execute", interrupt)
    assert main(["run", str(path), "--quiet"]) == 130
    assert "Run the same command to go on" in capsys.readouterr().err
    monkeypatch.undo()
    assert main(["run", str(path), "--quiet"]) == 0


def test_the_package_is_a_program():
    program = [sys.executable, "-m", "skbadge", "--help"]
    result = subprocess.run(program, capture_output=True, text=True, check=True)
    for command in ("run", "report", "status", "export"):
        assert command in result.stdout


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Content of a store whose runs are all done."""
    path = tmp_path_factory.mktemp("finished") / "iris.toml"
    path.write_text(TOML)
    assert main(["run", str(path), "--quiet"]) == 0
    return path.with_suffix(".sqlite").read_bytes()


@pytest.fixture
def store(path, finished):
    store = path.with_suffix(".sqlite")
    store.write_bytes(finished)
    return store


def assert_one_line(captured, *parts):
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    for part in parts:
        assert part in captured.err


@pytest.mark.parametrize(
    "what", ["store", "link", "toml", "text", "binary", "other table"]
)
def test_an_export_replaces_nothing_but_an_earlier_one(
    path, store, tmp_path, capsys, what
):
    target = {"store": store, "toml": path}.get(what, tmp_path / "mine.csv")
    if what == "link":
        target.symlink_to(store)
    if what == "text":
        target.write_text("dataset: mine\n")
    if what == "binary":
        target.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    if what == "other table":
        target.write_text("dataset,score\na,1\n")
    before = target.read_bytes()
    assert main(["export", str(store), str(target)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "is there already and is no earlier export" in error
    assert target.read_bytes() == before
    free = tmp_path / "free.csv"
    for _ in range(2):
        assert main(["export", str(store), str(free)]) == 0
    assert len(pd.read_csv(free)) == 12
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal", ".locks", ".locks/a"])
@pytest.mark.parametrize("command", ["run", "export", "report"])
def test_what_belongs_to_a_store_is_no_place_for_anything(
    path, store, tmp_path, capsys, suffix, command
):
    taken = f"{store}{suffix}"
    before = sorted(tmp_path.iterdir())
    rest = {
        "run": ["run", str(path), "--store", taken],
        "export": ["export", str(store), taken],
        "report": ["report", str(store), "--out", taken],
    }[command]
    assert main(rest) == 2
    assert_one_line(capsys.readouterr(), taken)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("command", ["export", "report"])
def test_an_earlier_file_stays_if_there_is_no_room_for_a_new_one(
    store, tmp_path, capsys, monkeypatch, command
):
    out = tmp_path / "out"
    rest = {"export": [str(out)], "report": ["--out", str(out)]}[command]
    assert main([command, str(store), *rest]) == 0

    def files():
        return {each: each.is_file() and each.read_bytes() for each in out.rglob("*")}

    before = files(), out.is_file() and out.read_bytes()

    def fill(self, target, **options):
        Path(target).write_text("half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", fill)
    capsys.readouterr()
    assert main([command, str(store), *rest]) == 2
    assert_one_line(capsys.readouterr(), "No space left on device", "out")
    assert (files(), out.is_file() and out.read_bytes()) == before
    monkeypatch.undo()
    assert main([command, str(store), *rest]) == 0


def spoil_a_page(path):
    content = bytearray(path.read_bytes())
    content[4096:8192] = b"\xa5" * 4096
    path.write_bytes(content)


def spoil_an_index(path):
    content = bytearray(path.read_bytes())
    # The last entry of a page lies at its beginning, the first at its end.
    content[3 * 4096 - 200 : 3 * 4096] = b"\xa5" * 200
    path.write_bytes(content)


def spoil_a_name(path):
    content = path.read_bytes()
    assert b"CREATE TABLE evaluations" in content
    path.write_bytes(content.replace(b"CREATE TABLE evaluations", b"\x9f" * 24))


def cut(path):
    path.write_bytes(path.read_bytes()[:9000])


def executed(statement):
    def damage(path):
        connection = sqlite3.connect(path, isolation_level=None)
        connection.executescript(statement)
        connection.close()

    return damage


def replaced_by(make):
    def damage(path):
        path.unlink()
        make(path)

    return damage


DAMAGES = {
    "page": spoil_a_page,
    "index": spoil_an_index,
    "name": spoil_a_name,
    "cut": cut,
    "no table": executed("DROP TABLE evaluations"),
    "no checkpoints": executed("DROP TABLE checkpoints"),
    "no column": executed("ALTER TABLE runs DROP COLUMN deaths"),
    "no such status": executed(
        "PRAGMA ignore_check_constraints = 1; UPDATE runs SET status = 'weird'"
    ),
    "other program": executed("PRAGMA application_id = 7"),
    "future": executed("PRAGMA user_version = 99"),
    "text": lambda path: path.write_text("dataset: iris\n"),
    "empty": lambda path: path.write_bytes(b""),
    "folder": replaced_by(Path.mkdir),
    "pipe": replaced_by(os.mkfifo),
    "endless": replaced_by(lambda path: path.symlink_to("/dev/zero")),
    "loop": replaced_by(lambda path: path.symlink_to(path)),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("command", ["run", "status", "export", "report"])
def test_a_store_that_does_not_work_is_one_line(
    path, store, tmp_path, capsys, damage, command
):
    DAMAGES[damage](store)
    rest = {
        "run": ["run", str(path), "--quiet"],
        "status": ["status", str(store)],
        "export": ["export", str(store), str(tmp_path / "out.csv")],
        "report": ["report", str(store), "--out", str(tmp_path / "out")],
    }[command]
    if (command, damage) == ("run", "empty"):
        pytest.skip("it becomes a store")
    before = store.read_bytes() if store.is_file() else None
    assert main(rest) == 2
    assert_one_line(capsys.readouterr(), store.name)
    assert not (tmp_path / "out.csv").exists()
    assert (store.read_bytes() if store.is_file() else None) == before


@pytest.mark.parametrize("command", ["run", "status", "export", "report"])
def test_a_full_disk_stops_only_what_must_be_written(
    path, store, tmp_path, capsys, monkeypatch, command
):
    connect = sqlite3.connect

    def full(database, **options):
        if not options.get("uri") and database != ":memory:":
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorname = "SQLITE_IOERR_SHMSIZE"
            raise error
        return connect(database, **options)

    monkeypatch.setattr(sqlite3, "connect", full)
    rest = {
        "run": [str(path), "--quiet"],
        "status": [str(store)],
        "export": [str(store), str(tmp_path / "out.csv")],
        "report": [str(store), "--out", str(tmp_path / "out")],
    }[command]
    assert main([command, *rest]) == (2 if command == "run" else 0)
    if command == "run":
        assert_one_line(capsys.readouterr(), "Is the disk full")


def test_runs_that_their_data_set_is_too_small_for_stay_pending(path, capsys):
    small = 'n_samples = 20, object = "sklearn.datasets:make_classification"'
    path.write_text(TOML.replace("datasets = {", f"datasets = {{small = {{{small}}}, "))
    text = path.read_text().replace("n_initial = 10", "n_initial = 16")
    path.write_text(text)
    assert main(["run", str(path), "--quiet"]) == 2
    message = "4 of 8 runs are left: Data set 'small': `n_initial` must be between"
    assert_one_line(capsys.readouterr(), message)
    with ResultStore(path.with_suffix(".sqlite")) as store:
        assert store.counts() == {"pending": 4, "running": 0, "done": 4, "failed": 0}


def test_a_baseline_that_is_not_there_is_an_error(store, tmp_path, capsys):
    arguments = ["report", str(store), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--baseline", "radnom"]) == 2
    assert "`baseline` must be one of 'badge', 'random'" in capsys.readouterr().err
    assert main([*arguments, "--baseline", "badge"]) == 0


WAITING = """
import os
from pathlib import Path
import signal
from sklearn.linear_model import LogisticRegression

class Waiting(LogisticRegression):
    def fit(self, X, y):
        Path(__file__).with_name(f"{os.getpid()}.pid").touch()
        signal.pause()
"""


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux")
def test_terminating_a_benchmark_ends_its_workers(path, tmp_path):
    (tmp_path / "waiting_model.py").write_text(WAITING)
    known = "sklearn.neighbors:KNeighborsClassifier"
    path.write_text(TOML.replace(known, "waiting_model:Waiting"))
    program = [sys.executable, "-m", "skbadge", "run", str(path), "--quiet"]
    root = str(Path(skbadge.__file__).parents[1])
    process = subprocess.Popen(
        [*program, "--n-jobs", "2"],
        env=os.environ | {"PYTHONPATH": root},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while len(pids := list(tmp_path.glob("*.pid"))) < 2:
            assert process.poll() is None, process.stderr.read()
            os.sched_yield()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 143
    # joblib may have something to say of its files too.
    assert "Interrupted. Run the same command to go on.\n" in err
    assert "Traceback" not in err
    assert not any(is_alive(int(each.stem)) for each in pids)
    with ResultStore(path.with_suffix(".sqlite")) as store:
        store.tidy()
        assert store.counts()["pending"] == 4
        # That they were ended is not held against them.
        assert set(store.unfinished().values()) == {0}
