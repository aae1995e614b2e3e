"""The command line."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import skbadge
from skbadge.__main__ import main
from skbadge.experiment import ResultStore

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
    assert capsys.readouterr().out == f"{out / 'report.md'}\n"
    assert "iris.sqlite" in (out / "report.md").read_text()


def test_the_store_may_be_elsewhere_and_the_bar_left_out(path, tmp_path, capsys):
    store = tmp_path / "other.db"
    assert main(["run", str(path), "--store", str(store), "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert store.exists()
    assert not (tmp_path / "iris.sqlite").exists()


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


@pytest.fixture
def store(path, capsys):
    assert main(["run", str(path), "--quiet"]) == 0
    capsys.readouterr()
    return path.with_suffix(".sqlite")


@pytest.mark.parametrize("what", ["store", "toml", "text", "binary", "other table"])
def test_an_export_replaces_nothing_but_an_earlier_one(
    path, store, tmp_path, capsys, what
):
    target = {"store": store, "toml": path}.get(what, tmp_path / "mine.csv")
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


def spoil_a_page(path):
    content = bytearray(path.read_bytes())
    content[4096:8192] = b"\xa5" * 4096
    path.write_bytes(content)


def drop_a_table(path):
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE evaluations")
    connection.close()


def make_a_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [spoil_a_page, drop_a_table, make_a_folder])
@pytest.mark.parametrize("command", ["run", "status", "export", "report"])
def test_a_store_that_does_not_work_is_one_line(
    path, store, tmp_path, capsys, damage, command
):
    damage(store)
    rest = {
        "run": ["run", str(path), "--quiet"],
        "status": ["status", str(store)],
        "export": ["export", str(store), str(tmp_path / "out.csv")],
        "report": ["report", str(store), "--out", str(tmp_path / "out")],
    }[command]
    if (command, damage) in (("status", drop_a_table), ("run", drop_a_table)):
        pytest.skip("it has no need of that table")
    assert main(rest) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert store.name in captured.err
    assert not (tmp_path / "out.csv").exists()


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
