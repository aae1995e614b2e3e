"""run_benchmark: the same rows however it is run, and failures that stop nothing."""

import errno
import os
import signal
import sqlite3
import sys
import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
from joblib import Parallel, delayed, parallel_config
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbadge import BadgeQuerier
from skbadge.experiment import ResultStore, run_benchmark
from skbadge.experiment.simulation import draw_split, resolve_scoring, simulate
from skbadge.nn import TabularNetClassifier
from skbadge.utils._streams import stream_seed
from tests.experiment._benchmarks import (
    CountingClassifier,
    counted,
    make_benchmark,
    make_data,
    read_log,
    without_times,
)

READS = []


class Killer(LogisticRegression):
    """Kills the process that trains it."""

    def fit(self, X, y):
        os.kill(os.getpid(), signal.SIGKILL)


def read_table(path):
    table = pd.read_csv(path)
    return table.drop(columns="y"), table["y"].to_numpy()


def write_table(path, seed):
    X, y = make_data(seed=seed)
    pd.DataFrame(X, columns=["a", "b"]).assign(y=y, c="text").to_csv(path, index=False)


def read_in_vain():
    READS.append(1)
    raise OSError("no such table")


class WithPreprocessor:
    def __init__(self, X, y, preprocessor):
        self.X, self.y, self.preprocessor = X, y, preprocessor


class RecordingScaler(StandardScaler):
    def __init__(self, log=None):
        super().__init__()
        self.log = log

    def fit(self, X, y=None):
        with open(self.log, "a") as file:
            file.write(f"{len(X)}\n")
        return super().fit(X, y)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results.db"


def assert_same_rows(first, second):
    assert_frame_equal(without_times(first), without_times(second))


def test_a_run_is_the_simulation_with_the_split_and_the_seed_of_its_repeat(path):
    benchmark = make_benchmark(scoring=["accuracy", "neg_log_loss"])
    frame = run_benchmark(benchmark, path).to_frame()
    X, y = make_data()
    for config in benchmark.configs():
        seed = config["seed"]
        split = draw_split(y, n_initial=10, seed=stream_seed(seed, "split"))
        querier = BadgeQuerier(LogisticRegression(), strategy=config["strategy"])
        scorers = resolve_scoring(querier, ["accuracy", "neg_log_loss"])
        rounds = simulate(
            querier, X, y, split, n_query=5, budget=25, scorers=scorers, seed=seed
        )
        expected = [
            (evaluation.n_labeled, metric, score)
            for evaluation, _ in rounds
            for metric, score in evaluation.scores.items()
        ]
        rows = frame[
            (frame["strategy"] == config["strategy"])
            & (frame["repeat"] == config["repeat"])
        ]
        columns = "n_labeled", "metric", "score"
        assert list(zip(*(rows[name] for name in columns), strict=True)) == expected
        assert len(expected) == 8


def test_all_runs_of_a_repeat_start_from_the_same_rows(path):
    benchmark = make_benchmark(
        strategies=["badge", "margin", "random"], n_query=[5, 10], n_repeats=3
    )
    frame = run_benchmark(benchmark, path).to_frame()
    start = frame[frame["n_labeled"] == 10]
    assert (start["query_time"] == 0).all()
    assert start.groupby("repeat")["score"].nunique().tolist() == [1, 1, 1]
    assert start["score"].nunique() > 1
    assert (frame.loc[frame["n_labeled"] > 10, "query_time"] > 0).all()


@pytest.mark.parametrize("backend", ["threading", "multiprocessing"])
def test_two_workers_find_what_one_does(path, tmp_path, backend):
    benchmark = make_benchmark(strategies=["badge", "albl", "random"])
    alone = run_benchmark(benchmark, path, n_jobs=1)
    with parallel_config(backend=backend):
        both = run_benchmark(benchmark, tmp_path / "both.db", n_jobs=2)
    assert_same_rows(alone.to_frame(), both.to_frame())
    assert both.counts == {"pending": 0, "running": 0, "done": 6, "failed": 0}
    assert set(both.runs_frame()["attempts"]) == {1}


@pytest.mark.slow
def test_two_workers_of_their_own_interpreters_find_what_one_does(path, tmp_path):
    benchmark = make_benchmark(models={"net": TabularNetClassifier(max_epochs=3)})
    alone = run_benchmark(benchmark, path, n_jobs=1)
    both = run_benchmark(benchmark, tmp_path / "both.db", n_jobs=2)
    assert_same_rows(alone.to_frame(), both.to_frame())


@pytest.mark.slow
def test_workers_that_started_earlier_find_the_modules_beside_the_file(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(sys, "path", [*sys.path])
    # They keep the path they started with.
    Parallel(n_jobs=2)(delayed(int)(0) for _ in range(2))
    (tmp_path / "worker_models.py").write_text(
        "from sklearn.linear_model import LogisticRegression\n"
        "class Model(LogisticRegression):\n"
        "    pass\n"
    )
    file = tmp_path / "benchmark.toml"
    file.write_text(
        "n_query = 5\nn_initial = 15\nn_rounds = 1\nn_repeats = 2\n"
        "strategies = ['random']\n"
        "datasets = {iris = 'sklearn.datasets:load_iris'}\n"
        "models = {beside = 'worker_models:Model'}\n"
    )
    result = run_benchmark(file, tmp_path / "results.db", n_jobs=2)
    assert result.failures_frame()["error_message"].tolist() == []
    assert result.counts["done"] == 2


def test_running_again_does_nothing(path, tmp_path):
    log = tmp_path / "log"
    benchmark = make_benchmark(models={"m": CountingClassifier(str(log))})
    first = run_benchmark(benchmark, path).to_frame()
    n = len(read_log(log))
    again = run_benchmark(benchmark, path)
    assert len(read_log(log)) == n == 2 * 2 * 4
    assert_frame_equal(again.to_frame(), first)
    assert again.counts["done"] == 4


def test_a_larger_benchmark_does_only_what_is_new(path, tmp_path):
    log = tmp_path / "log"
    models = {"m": CountingClassifier(str(log))}
    run_benchmark(make_benchmark(models=models), path)
    result = run_benchmark(
        make_benchmark(models=models, strategies=["badge", "margin", "random"]), path
    )
    assert len(read_log(log)) == 3 * 2 * 4
    assert result.counts["done"] == 6
    smaller = run_benchmark(make_benchmark(models=models, n_repeats=1), path)
    assert set(smaller.to_frame()["repeat"]) == {0}
    assert len(read_log(log)) == 3 * 2 * 4


@pytest.mark.parametrize("stop_at", [1, 6, 8, 9])
def test_after_an_interruption_only_what_is_missing_is_trained(
    path, tmp_path, monkeypatch, stop_at
):
    log = tmp_path / "log"
    benchmark = make_benchmark(models={"m": CountingClassifier(str(log))})
    whole = run_benchmark(benchmark, tmp_path / "whole.db").to_frame()
    log.unlink()
    monkeypatch.setenv("STOP_AT", str(stop_at))
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(benchmark, path)
    with ResultStore(path) as store:
        # Four evaluations a run.
        assert store.counts()["done"] == (stop_at - 1) // 4
        assert len(store.to_frame()) == stop_at - 1
    monkeypatch.delenv("STOP_AT")
    result = run_benchmark(benchmark, path)
    # Only the training that was interrupted is done twice.
    assert len(read_log(log)) == 2 * 2 * 4 + 1
    assert counted(log).total() - 1 == len(whole)
    assert_same_rows(result.to_frame(), whole)
    assert sorted(result.runs_frame()["attempts"]) == [1, 1, 1, 2]


def test_a_failing_model_is_recorded_and_the_rest_goes_on(path):
    diverging = TabularNetClassifier(lr=1e30, max_epochs=5)
    benchmark = make_benchmark(
        models={"net": diverging, "linear": LogisticRegression()}, n_repeats=1
    )
    result = run_benchmark(benchmark, path)
    assert result.counts == {"pending": 0, "running": 0, "done": 2, "failed": 2}
    failures = result.failures_frame()
    assert failures["model"].tolist() == ["net", "net"]
    assert set(failures["error_type"]) == {"FloatingPointError"}
    assert failures["error_message"].str.contains("Training diverged").all()
    assert failures["traceback"].str.contains("on_batch_end|_train").all()
    assert set(result.to_frame()["model"]) == {"linear"}
    assert "2 of 4 runs done, 2 failed" in str(result)


def test_what_trainings_warn_of_is_shown_once_in_each_study(tmp_path):
    benchmark = make_benchmark(models={"linear": LogisticRegression(max_iter=1)})
    for name in ("first.db", "second.db"):
        with pytest.warns(ConvergenceWarning, match="max_iter=1") as shown:
            result = run_benchmark(benchmark, tmp_path / name)
        assert len(shown) == 1
        assert result.counts["done"] == 4
    # Outside of studies, all are shown.
    with pytest.warns(ConvergenceWarning):
        LogisticRegression(max_iter=1).fit(*make_data())


def test_warnings_that_are_errors_fail_each_run(path):
    benchmark = make_benchmark(models={"linear": LogisticRegression(max_iter=1)})
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        result = run_benchmark(benchmark, path)
    assert result.counts["failed"] == 4


def test_a_data_set_that_cannot_be_read_is_recorded_and_tried_once(path):
    READS.clear()
    benchmark = make_benchmark(datasets={"gone": read_in_vain, "blobs": make_data})
    result = run_benchmark(benchmark, path)
    assert len(READS) == 1
    failures = result.failures_frame()
    assert failures["dataset"].tolist() == ["gone"] * 4
    assert set(failures["error_message"]) == {"no such table"}
    assert failures["traceback"].str.count("in read_in_vain").tolist() == [1] * 4
    assert set(result.to_frame()["dataset"]) == {"blobs"}


def test_failed_runs_are_tried_again_only_if_wanted(path, tmp_path, monkeypatch):
    log = tmp_path / "log"
    monkeypatch.setattr(CountingClassifier, "fit", fails_at_15_rows)
    benchmark = make_benchmark(models={"m": CountingClassifier(str(log))})
    assert run_benchmark(benchmark, path).counts["failed"] == 4
    monkeypatch.undo()
    assert run_benchmark(benchmark, path).counts["failed"] == 4
    result = run_benchmark(benchmark, path, retry_failed=True)
    assert result.counts["done"] == 4
    # They went on after the evaluation that had worked.
    assert counted(log) == {15: 4, 20: 4, 25: 4}
    other = run_benchmark(benchmark, tmp_path / "other.db")
    assert_same_rows(result.to_frame(), other.to_frame())


def fails_at_15_rows(self, X, y):
    if len(y) == 15:
        raise ValueError("15 rows are too many")
    return LogisticRegression.fit(self, X, y)


def test_runs_of_another_living_worker_are_left_to_it(path):
    benchmark = make_benchmark()
    with ResultStore(path) as other:
        other.add(benchmark.configs())
        claim = other.claim()
        result = run_benchmark(benchmark, path)
        assert result.counts == {"pending": 0, "running": 1, "done": 3, "failed": 0}
        assert "1 under way in other processes" in str(result)
        claim.release()
    assert run_benchmark(benchmark, path).counts["done"] == 4


def test_other_runs_in_the_store_are_left_alone(path):
    with ResultStore(path) as store:
        hashes = store.add(make_benchmark(random_state=1).configs())
    result = run_benchmark(make_benchmark(), path)
    assert len(result.runs_frame()) == 4
    with ResultStore(path) as store:
        assert store.counts(hashes)["pending"] == 4


def test_a_preprocessor_of_the_data_is_fitted_to_the_labelled_rows(path, tmp_path):
    log = tmp_path / "log"
    X, y = make_data()
    scaled = WithPreprocessor(1e3 * X, y, RecordingScaler(str(log)))
    benchmark = make_benchmark(
        datasets={"scaled": scaled}, strategies=["random"], n_repeats=1
    )
    frame = run_benchmark(benchmark, path).to_frame()
    assert read_log(log) == [10, 15, 20, 25]
    assert not hasattr(scaled.preprocessor, "mean_")
    plain = make_benchmark(
        datasets={"scaled": (1e3 * X, y)},
        models={"linear": make_pipeline(StandardScaler(), LogisticRegression())},
        strategies=["random"],
        n_repeats=1,
    )
    expected = run_benchmark(plain, tmp_path / "plain.db").to_frame()
    assert_array_equal(frame["score"], expected["score"])


def test_models_may_be_queriers_pipelines_around_them_or_bare(path):
    bare = MLPClassifier((4,), max_iter=20, random_state=0)
    models = {
        "bare": bare,
        "querier": BadgeQuerier(bare, strategy="entropy"),
        "outside": make_pipeline(StandardScaler(), BadgeQuerier(bare)),
    }
    with pytest.warns(match="Maximum iterations"):
        result = run_benchmark(make_benchmark(models=models, n_repeats=1), path)
    assert result.counts["done"] == 6
    frame = result.to_frame().set_index("model")
    assert_array_equal(frame.loc["bare", "score"], frame.loc["querier", "score"])
    assert not hasattr(models["querier"], "estimator_")


def test_the_progress_bar_counts_runs(path, capsys):
    run_benchmark(make_benchmark(n_repeats=1), path, verbose=1)
    assert "2/2" in capsys.readouterr().err


def test_a_result_shows_itself_in_notebooks(path):
    page = run_benchmark(make_benchmark(), path)._repr_html_()
    assert "4 of 4 runs done" in page
    assert "<table" in page


@pytest.mark.slow
def test_a_model_that_kills_its_workers_fails_and_the_rest_goes_on(path):
    models = {"killer": Killer(), "linear": LogisticRegression()}
    benchmark = make_benchmark(models=models, strategies=["random"])
    result = run_benchmark(benchmark, path, n_jobs=2)
    assert result.counts == {"pending": 0, "running": 0, "done": 2, "failed": 2}
    failures = result.failures_frame()
    assert set(failures["model"]) == {"killer"}
    assert failures["error_message"].str.startswith("its worker died 3 times").all()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("change", ["rows", "targets", "columns"])
def test_a_data_set_that_changed_is_refused_until_it_is_put_back(
    path, tmp_path, change
):
    csv = tmp_path / "data.csv"
    model = make_pipeline(
        make_column_transformer((StandardScaler(), [0, 1])), LogisticRegression()
    )
    small, large = (
        make_benchmark(
            datasets={"file": partial(read_table, str(csv))},
            models={"linear": model},
            n_repeats=n_repeats,
        )
        for n_repeats in (1, 2)
    )
    write_table(csv, seed=0)
    before = run_benchmark(small, path).to_frame()
    whole = run_benchmark(large, tmp_path / "whole.db").to_frame()
    original = csv.read_text()
    table = pd.read_csv(csv)
    if change == "rows":
        table.loc[7, "a"] += 1e-9
    elif change == "targets":
        table.loc[7, "y"] = (table.loc[7, "y"] + 1) % 3
    else:
        table = table.rename(columns={"c": "d"})
    table.to_csv(csv, index=False)
    message = "2 of 4 runs are left: The data set 'file' has changed: 2 runs have resul"
    with pytest.raises(ValueError, match=message):
        run_benchmark(large, path)
    with ResultStore(path) as store:
        assert store.counts() == {"pending": 2, "running": 0, "done": 2, "failed": 0}
        assert_same_rows(store.to_frame(), before)
    csv.write_text(original)
    assert_same_rows(run_benchmark(large, path).to_frame(), whole)


def test_a_data_set_with_missing_labels_is_left_and_the_rest_goes_on(path):
    X, y = load_iris(return_X_y=True)
    gaps = np.where(np.arange(len(y)) == 3, None, y.astype(str))
    datasets = {"gaps": (X, gaps), "iris": load_iris}
    benchmark = make_benchmark(datasets=datasets, n_repeats=1)
    message = (
        "2 of 4 runs are left: Data set 'gaps': `y` contains NaN or None: 1 of 150"
    )
    with pytest.raises(ValueError, match=message):
        run_benchmark(benchmark, path)
    with ResultStore(path) as store:
        assert set(store.to_frame()["dataset"]) == {"iris"}


def test_runs_that_failed_do_not_bind_the_data_set(path, tmp_path):
    csv = tmp_path / "data.csv"
    csv.write_text("a,b,y\n" + "1,x,0\n" * 60)
    benchmark = make_benchmark(
        datasets={"file": partial(read_table, str(csv))}, strategies=["random"]
    )
    assert run_benchmark(benchmark, path).counts["failed"] == 2
    X, y = make_data()
    pd.DataFrame(X, columns=["a", "b"]).assign(y=y).to_csv(csv, index=False)
    assert run_benchmark(benchmark, path, retry_failed=True).counts["done"] == 2


def test_a_full_disk_is_no_failure_of_a_run(path, monkeypatch):
    # Its checkpoints take more than a page.
    net = MLPClassifier(200, tol=10, n_iter_no_change=1)
    benchmark = make_benchmark(models={"net": net})
    with ResultStore(path) as store:
        store.add(benchmark.configs())
        (n_pages,) = store._db.read("PRAGMA page_count")[1][0]
    connect = sqlite3.connect

    def limited(*args, **kwargs):
        connection = connect(*args, **kwargs)
        connection.execute(f"PRAGMA max_page_count = {n_pages + 1}")
        return connection

    monkeypatch.setattr(sqlite3, "connect", limited)
    with pytest.raises(OSError, match="is full"):
        run_benchmark(benchmark, path)
    monkeypatch.undo()
    with ResultStore(path) as store:
        assert store.counts()["failed"] == 0
    assert run_benchmark(benchmark, path).counts["done"] == 4


class Stopping(LogisticRegression):
    """Raises what it is told to."""

    def __init__(self, kind=None):
        super().__init__()
        self.kind = kind

    def fit(self, X, y):
        raise {"exit": SystemExit(3), "full": OSError(errno.ENOSPC, "no room")}[
            self.kind
        ]


def test_a_model_that_ends_the_program_has_failed_and_the_rest_goes_on(path):
    models = {"ends": Stopping("exit"), "linear": LogisticRegression()}
    result = run_benchmark(make_benchmark(models=models), path)
    assert result.counts == {"pending": 0, "running": 0, "done": 4, "failed": 4}
    assert set(result.failures_frame()["error_type"]) == {"SystemExit"}


def test_a_model_that_finds_the_disk_full_has_not_failed(path):
    benchmark = make_benchmark(models={"m": Stopping("full")})
    with pytest.raises(OSError, match="no room"):
        run_benchmark(benchmark, path)
    with ResultStore(path) as store:
        assert store.counts()["pending"] == 4


class Unreadable(LogisticRegression):
    """Cannot be unpickled in another process."""

    def __init__(self, home=None):
        super().__init__()
        self.home = home

    def __setstate__(self, state):
        if state["home"] != os.getpid():
            raise RuntimeError("not here")
        super().__setstate__(state)


@pytest.mark.slow
def test_a_model_that_never_gets_to_a_worker_fails_and_the_rest_goes_on(path):
    models = {"m": Unreadable(os.getpid()), "linear": LogisticRegression()}
    benchmark = make_benchmark(models=models, strategies=["random"], n_repeats=1)
    result = run_benchmark(benchmark, path, n_jobs=2)
    assert result.counts == {"pending": 0, "running": 0, "done": 1, "failed": 1}
    assert result.failures_frame()["error_message"][0].startswith("A task has failed")
