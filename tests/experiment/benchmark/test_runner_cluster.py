"""run_benchmark on a Dask cluster: the rows of one process, and one writer."""

import os
import signal
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
from distributed import Client, LocalCluster
from joblib import parallel_config
from pandas.testing import assert_frame_equal
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier
from skbadge.experiment import ResultStore, active_learning_curve, run_benchmark
from skbadge.experiment.store import RemoteClaim
from skbadge.nn import TabularNetClassifier
from tests.experiment._benchmarks import (
    CountingClassifier,
    make_benchmark,
    make_data,
    read_log,
    without_times,
)

DONE = {"pending": 0, "running": 0, "done": 4, "failed": 0}


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0"
    ) as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    with Client(cluster) as client:
        # One that an earlier test has killed may not be back yet.
        client.wait_for_workers(2)
        yield client


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results.db"


def run_there(benchmark, store, **options):
    with parallel_config("dask"):
        return run_benchmark(benchmark, store, **options)


def assert_same_rows(first, second):
    assert_frame_equal(without_times(first), without_times(second))


class Watching(LogisticRegression):
    """Fails where a store is open, and in the process that it was made in."""

    def __init__(self, home=None):
        super().__init__()
        self.home = home

    def fit(self, X, y):
        names = [each.path for each in psutil.Process().open_files()]
        assert not any(name.endswith(".db") for name in names)
        assert os.getpid() != self.home
        return super().fit(X, y)


def test_a_cluster_finds_what_one_process_does_and_opens_no_store(
    client, path, tmp_path
):
    models = {
        "linear": Watching(os.getpid()),
        "net": TabularNetClassifier(max_epochs=2),
    }
    changes = {"strategies": ["badge", "albl"], "scoring": ["accuracy", "f1_macro"]}
    there = run_there(make_benchmark(models=models, **changes), path)
    assert there.failures_frame()["error_message"].tolist() == []
    models["linear"] = LogisticRegression()
    here = run_benchmark(make_benchmark(models=models, **changes), tmp_path / "here.db")
    columns = ["dataset", "model", "strategy", "repeat", "n_labeled", "metric", "score"]
    assert_frame_equal(there.to_frame()[columns], here.to_frame()[columns])
    found, expected = there.runs_frame(), here.runs_frame()
    assert found["attempts"].tolist() == [1] * 8
    # This process has claimed them, the workers' are the host and the versions.
    assert found["worker"].nunique() == 1
    for same in ("data", "host", "versions", "n_evaluations", "deaths"):
        assert found[same].tolist() == expected[same].tolist()
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".locks"] == []


def read_and_tell(log):
    with open(log, "a") as file:
        file.write(f"{os.getpid()}\n")
    return make_data()


def test_each_worker_reads_a_data_set_once(client, path, tmp_path):
    log = tmp_path / "log"
    benchmark = make_benchmark(datasets={"a": partial(read_and_tell, str(log))})
    assert run_there(benchmark, path).counts == DONE
    readers = read_log(log)
    assert len(readers) == len(set(readers)) <= 2
    assert os.getpid() not in readers


class CountedArray(np.ndarray):
    n_sent = 0

    def __reduce__(self):
        type(self).n_sent += 1
        return super().__reduce__()


def test_a_data_set_in_memory_is_sent_once(client, path, tmp_path):
    X, y = make_data(n=12_000)
    counted = {"a": (X.view(CountedArray), y)}

    def n_sent(n_repeats):
        benchmark = make_benchmark(datasets=counted, n_repeats=n_repeats)
        CountedArray.n_sent = 0
        store = tmp_path / f"{n_repeats}.db"
        assert run_there(benchmark, store).counts["done"] == 2 * n_repeats
        return CountedArray.n_sent

    assert n_sent(3) == n_sent(1) > 0


class DiesOnce(LogisticRegression):
    """Kills the process that trains it, at the third round, the first time."""

    def __init__(self, mark=None):
        super().__init__()
        self.mark = mark

    def fit(self, X, y):
        if len(y) == 20 and not Path(self.mark).exists():
            Path(self.mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(X, y)


class Dies(LogisticRegression):
    def fit(self, X, y):
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_a_run_whose_worker_is_killed_is_done_by_another_and_counted(
    client, path, tmp_path
):
    models = {"m": DiesOnce(str(tmp_path / "mark"))}
    result = run_there(make_benchmark(models=models), path)
    assert result.counts == DONE
    # The other worker may have begun what was next for the one that died.
    attempts = result.runs_frame()["attempts"].tolist()
    assert max(attempts) == 2
    assert set(result.runs_frame()["deaths"]) == {0}
    here = run_benchmark(make_benchmark(models=models), tmp_path / "here.db")
    assert_same_rows(result.to_frame(), here.to_frame())


@pytest.mark.slow
def test_a_model_that_kills_its_workers_fails_and_the_rest_goes_on(
    cluster, client, path, monkeypatch
):
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 0)
    models = {"killer": Dies(), "linear": LogisticRegression()}
    benchmark = make_benchmark(models=models, strategies=["random"], n_repeats=1)
    result = run_there(benchmark, path)
    assert result.counts == {"pending": 0, "running": 0, "done": 1, "failed": 1}
    failures = result.failures_frame()
    assert failures["model"].tolist() == ["killer"]
    assert failures["error_type"].tolist() == ["WorkerDied"]
    assert failures["error_message"][0].startswith("its worker died 1 times")
    assert result.runs_frame()["attempts"].tolist() == [1, 1]


def test_an_interruption_leaves_a_store_that_goes_on(
    client, path, tmp_path, monkeypatch
):
    tell, told = RemoteClaim.tell, []

    def interrupted(self, claim, n_deaths):
        told.append(self)
        if len(told) == 2:
            # In the middle of a run.
            claim.record(self.evaluations[0], None)
            raise KeyboardInterrupt
        return tell(self, claim, n_deaths)

    benchmark = make_benchmark()
    monkeypatch.setattr(RemoteClaim, "tell", interrupted)
    results = tmp_path / "part.csv.gz"
    with pytest.raises(KeyboardInterrupt):
        run_there(benchmark, path, results=results)
    monkeypatch.undo()
    with ResultStore(path) as store:
        assert store.counts() == DONE | {"pending": 3, "done": 1}
        assert list(store.unfinished().values()) == [0] * 3
    assert results.exists()
    result = run_there(benchmark, path)
    assert result.counts == DONE
    here = run_benchmark(benchmark, tmp_path / "here.db")
    assert_same_rows(result.to_frame(), here.to_frame())


def test_a_run_that_was_interrupted_here_goes_on_there(
    client, path, tmp_path, monkeypatch
):
    log = tmp_path / "log"
    benchmark = make_benchmark(models={"m": CountingClassifier(str(log))})
    monkeypatch.setenv("STOP_AT", "7")
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(benchmark, path)
    monkeypatch.delenv("STOP_AT")
    result = run_there(benchmark, path)
    # Only the training that was interrupted is done twice.
    assert len(read_log(log)) == 2 * 2 * 4 + 1
    here = run_benchmark(benchmark, tmp_path / "here.db")
    assert_same_rows(result.to_frame(), here.to_frame())


class Failing(LogisticRegression):
    def fit(self, X, y):
        if len(y) > 15:
            raise ValueError("more than 15 rows")
        return super().fit(X, y)


class Unreadable(LogisticRegression):
    """Cannot be unpickled in another process."""

    def __init__(self, home=None):
        super().__init__()
        self.home = home

    def __setstate__(self, state):
        if state["home"] != os.getpid():
            raise RuntimeError("not here")
        super().__setstate__(state)


def test_what_fails_there_is_recorded_as_it_is_here(client, path):
    models = {
        "failing": Failing(),
        "unreadable": Unreadable(os.getpid()),
        "linear": LogisticRegression(),
    }
    benchmark = make_benchmark(models=models, strategies=["random"], n_repeats=1)
    result = run_there(benchmark, path)
    assert result.counts == {"pending": 0, "running": 0, "done": 1, "failed": 2}
    failures = result.failures_frame().set_index("model")
    failing = failures.loc["failing"]
    assert failing["error_type"] == "ValueError"
    assert failing["error_message"] == "more than 15 rows"
    assert "in fit" in failing["traceback"]
    # Its evaluations so far stay.
    frame = result.to_frame()
    assert frame.loc[frame["model"] == "failing", "n_labeled"].tolist() == [10, 15]
    assert "not here" in failures.loc["unreadable", "traceback"]


def read_seed(path):
    return make_data(seed=int(Path(path).read_text()))


def test_a_data_set_that_changed_is_refused_before_it_is_trained_on(
    client, path, tmp_path
):
    seed, log = tmp_path / "seed", tmp_path / "log"
    small, large = (
        make_benchmark(
            datasets={"a": partial(read_seed, str(seed))},
            models={"m": CountingClassifier(str(log))},
            n_repeats=n_repeats,
        )
        for n_repeats in (1, 2)
    )
    seed.write_text("0")
    run_there(small, path)
    n = len(read_log(log))
    seed.write_text("1")
    with pytest.raises(ValueError, match="2 of 4 runs are left: The data set 'a' has"):
        run_there(large, path)
    assert len(read_log(log)) == n
    with ResultStore(path) as store:
        assert store.counts() == DONE | {"pending": 2, "done": 2}


def read_own(folder):
    """Other rows in each process."""
    return make_data(seed=os.getpid())


def test_workers_that_read_other_rows_are_not_mixed(client, path):
    client.wait_for_workers(2)
    benchmark = make_benchmark(datasets={"a": partial(read_own, "")}, n_repeats=4)
    with pytest.raises(ValueError, match="of 8 runs are left: The data set 'a' has ch"):
        run_there(benchmark, path)
    with ResultStore(path) as store:
        runs = store.runs_frame()
    assert runs.loc[runs["status"] == "done", "data"].nunique() == 1
    assert set(runs["status"]) == {"done", "pending"}


def test_curves_with_a_store_are_those_of_one_process(client, path, tmp_path):
    X, y = make_data(n=12_000)
    options = {"n_initial": 10, "n_query": 5, "n_rounds": 2, "n_repeats": 2}
    options |= {"strategies": ["badge", "random"], "random_state": 0}
    querier = BadgeQuerier(LogisticRegression())
    here = active_learning_curve(querier, X, y, **options)
    with parallel_config("dask"):
        there = active_learning_curve(querier, X, y, store=path, **options)
    assert_same_rows(there.to_frame(), here.to_frame())


def test_curves_raise_what_failed_there_and_keep_what_was_made(client, path):
    options = {"n_initial": 10, "n_query": 5, "n_rounds": 2, "n_repeats": 1}
    options |= {"strategies": ["random"], "random_state": 0, "error_score": "raise"}
    with (
        parallel_config("dask"),
        pytest.raises(
            RuntimeError, match=r"1 of 1 runs.*ValueError: more than 15 rows"
        ),
    ):
        active_learning_curve(
            BadgeQuerier(Failing()), *make_data(), store=path, **options
        )
    with ResultStore(path) as store:
        assert store.to_frame()["n_labeled"].tolist() == [10, 15]
        assert "in fit" in store.failures()[0]["traceback"]


def test_the_progress_bar_counts_runs(client, path, capsys):
    run_there(make_benchmark(n_repeats=1), path, verbose=1)
    assert "2/2" in capsys.readouterr().err


def test_workers_with_several_threads_are_refused(path):
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0"
        ) as cluster,
        Client(cluster),
        pytest.raises(ValueError, match="must have one thread"),
    ):
        run_there(make_benchmark(), path)
    with ResultStore(path) as store:
        assert store.counts()["pending"] == 4
