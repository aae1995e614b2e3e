"""What a whole study costs on a Dask cluster: against joblib's processes, and one.

Eight runs of BADGE and random with an MLP on made-up data: one after another, in two
processes of joblib's, and on a `LocalCluster` of two workers of one thread, as it is
and without the profiler that each worker runs. Each way has done a small study before,
so that no import is measured, and the least time of two studies counts. Run it on a
quiet machine with two cores; it takes about a minute::

    python examples/benchmarks/bench_study.py
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import dask
from distributed import Client, LocalCluster
from joblib import parallel_config
from measuring import report, title
from sklearn.datasets import make_classification

from skbadge.experiment import Benchmark, run_benchmark
from skbadge.nn import TabularNetClassifier


def load():
    """Rows and classes, in the shape of letter's."""
    X, y = make_classification(
        10_000, 16, n_informative=16, n_redundant=0, n_classes=10, random_state=0
    )
    return X.astype("float32"), y


def study(n_repeats, n_rounds=4):
    """Runs of about a second."""
    return Benchmark(
        datasets={"made up": load},
        models={"mlp": TabularNetClassifier(hidden_sizes=(256,), random_state=None)},
        strategies=["badge", "random"],
        n_query=100,
        n_initial=100,
        n_rounds=n_rounds,
        n_repeats=n_repeats,
    )


def measure(folder, name, n_jobs=1):
    """Least seconds of two studies, and the scores."""
    run_benchmark(study(2, n_rounds=1), folder / f"{name}.db", n_jobs=n_jobs)
    seconds = []
    for i in range(2):
        start = perf_counter()
        result = run_benchmark(study(4), folder / f"{name}{i}.db", n_jobs=n_jobs)
        seconds.append(perf_counter() - start)
        assert result.counts["done"] == 8, result.failures_frame()
    return min(seconds), result.to_frame()["score"].tolist()


def measure_cluster(folder, name, profile):
    """As `measure`, on two workers of Dask's."""
    with dask.config.set({"distributed.worker.profile.enabled": profile}):
        cluster = LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        )
    with cluster, Client(cluster), parallel_config("dask"):
        return measure(folder, name)


def main():
    """Measure and report."""
    with TemporaryDirectory() as folder:
        folder = Path(folder)
        one, scores = measure(folder, "one")
        loky, *others = measure(folder, "loky", n_jobs=2)
        with_profile, *others[1:] = measure_cluster(folder, "profiled", True)
        without, *others[2:] = measure_cluster(folder, "plain", False)
    print(
        f"\n8 runs: one after another {one:.1f} s, in 2 processes of joblib's "
        f"{loky:.1f} s, on 2 workers of Dask's {with_profile:.1f} s, without their "
        f"profiler {without:.1f} s; equal scores: {others == [scores] * 3}"
    )
    title("2 workers of Dask's, of 1 thread")
    report("beside 2 processes of joblib's", with_profile / loky, "times", "<=1.1")
    report("the same without Dask's profiler", without / loky, "times", "<=1.1")
    report("beside one process", with_profile / one, "times", "<=0.65")


if __name__ == "__main__":
    main()
