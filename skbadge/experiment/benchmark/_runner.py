"""run_benchmark: do the runs of a benchmark that are not done yet."""

from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from uuid import uuid4

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils.parallel import delayed

from skbadge.experiment.benchmark._benchmark import Benchmark
from skbadge.experiment.benchmark._data import read_data
from skbadge.experiment.benchmark._toml import ImportFolder
from skbadge.experiment.simulation._progress import run_all
from skbadge.experiment.simulation._run import Run, execute
from skbadge.experiment.simulation._scoring import resolve_scoring
from skbadge.experiment.simulation._simulation import (
    find_querier,
    resolve_initial,
    with_strategy,
)
from skbadge.experiment.simulation._split import draw_split
from skbadge.experiment.store._configuration import canonical
from skbadge.experiment.store._result import COLUMNS, as_html, summary_of
from skbadge.experiment.store._store import ResultStore
from skbadge.outputs._pipeline import innermost
from skbadge.querier._querier import BadgeQuerier
from skbadge.utils._streams import stream_seed


@dataclass(frozen=True, eq=False)
class BenchmarkResult:
    """The runs of one benchmark in a store.

    Parameters
    ----------
    path : Path
        The store.

    hashes : list of str
        The runs; the store may hold others.

    counts : dict of str to int
        Of runs that are pending, running, done and failed. Those that are running
        are under way in other processes.
    """

    path: Path
    hashes: list = field(repr=False)
    counts: dict

    def to_frame(self):
        """Their evaluations, see `ResultStore.to_frame`."""
        return self._read("to_frame")

    def runs_frame(self):
        """One row per run, see `ResultStore.runs_frame`."""
        return self._read("runs_frame")

    def failures_frame(self):
        """One row per failed run, see `ResultStore.failures_frame`."""
        return self._read("failures_frame")

    def _read(self, method):
        with ResultStore(self.path, create=False) as store:
            return getattr(store, method)(self.hashes)

    def __str__(self):
        done, n = self.counts["done"], len(self.hashes)
        parts = [f"{done} of {n} runs done"]
        for status, words in (
            ("failed", "failed"),
            ("running", "under way in other processes"),
            ("pending", "still to do"),
        ):
            if self.counts[status]:
                parts.append(f"{self.counts[status]} {words}")
        return f"{', '.join(parts)}: {self.path}"

    def _repr_html_(self):
        return f"<p>{escape(str(self))}</p>{as_html(summary_of(self.to_frame()))}"


def run_benchmark(benchmark, store, *, n_jobs=None, retry_failed=False, verbose=0):
    """Do the runs of a benchmark that are not done yet.

    It may be interrupted at any moment, by Ctrl-C or by killing it, and called again:
    it then goes on after the last evaluation of each run. Several processes may work
    on one store at a time, and each run is done by one of them. A run that fails is
    recorded with its error, and the rest goes on.

    Parameters
    ----------
    benchmark : Benchmark or path-like
        What to run, or the TOML file that says so.

    store : path-like
        SQLite file for the results, made if there is none; see `ResultStore`.

    n_jobs : int or None, default=None
        Runs at a time, through joblib. The workers must be processes of this machine:
        threads would share torch's random numbers.

    retry_failed : bool, default=False
        Whether to try failed runs again.

    verbose : int, default=0
        Above 0, shows a progress bar.

    Returns
    -------
    result : BenchmarkResult
        Its ``to_frame()`` has one row for each evaluation and metric. Runs under way
        in other processes are left to these; ``counts`` says how many there are.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge.experiment import Benchmark, run_benchmark
    >>> benchmark = Benchmark(
    ...     datasets={"iris": load_iris},
    ...     models={"linear": LogisticRegression()},
    ...     strategies=["badge", "random"],
    ...     n_query=10, n_initial=10, n_rounds=2, n_repeats=2,
    ... )
    >>> with TemporaryDirectory() as folder:
    ...     result = run_benchmark(benchmark, f"{folder}/iris.db")
    ...     result.counts["done"], len(result.to_frame())
    (4, 12)
    """
    if not isinstance(benchmark, Benchmark):
        benchmark = Benchmark.from_toml(benchmark)
    path = Path(store).resolve()
    configs = benchmark.configs()
    with ResultStore(path) as opened:
        hashes = opened.add(configs)
        if retry_failed:
            opened.reset_failed(hashes)
        counts = opened.counts(hashes)
        while counts["pending"] + counts["running"]:
            tasks = _tasks(benchmark, opened, path, zip(hashes, configs, strict=True))
            n_done = sum(run_all(tasks, n_jobs=n_jobs, verbose=verbose))
            counts = opened.counts(hashes)
            # Those left are under way elsewhere, unless a worker there was killed.
            if not n_done:
                break
    return BenchmarkResult(path, hashes, counts)


def _tasks(benchmark, store, path, runs):
    """One task for each run that is not done; who comes first does it."""
    open_runs = store.unfinished()
    token = uuid4().hex
    return [
        delayed(_work)(
            ImportFolder(benchmark.folder),
            path,
            run,
            token,
            benchmark.datasets[config["dataset"]],
            benchmark.models[config["model"]],
            benchmark.named_strategies[config["strategy"]],
            benchmark.scoring,
            benchmark.n_threads,
        )
        for run, config in runs
        if run in open_runs
    ]


def _work(folder, path, run, token, source, model, strategy, scoring, n_threads):
    """Do a run, unless another worker has it. Returns whether it was done here."""
    with ResultStore(path, create=False) as store:
        claim = store.claim([run])
        if claim is None:
            return False
        # Whatever else stops it, such as Ctrl-C, frees the claim with the store.
        try:
            data = _LAST_READ.read(token, source, claim.config)
            planned = _plan(claim.config, data, model, strategy)
            scorers = resolve_scoring(planned.querier, scoring)
        except Exception as error:
            claim.fail(error)
            return True
        execute(
            planned,
            data.X,
            data.y,
            scorers=scorers,
            n_threads=n_threads,
            error_score=np.nan,
            claim=claim,
        )
    return True


def _plan(config, data, model, strategy):
    querier = make_querier(model, strategy, data.preprocessor)
    split = draw_split(
        data.y,
        n_initial=config["n_initial"],
        initial=resolve_initial(querier, config["initial"]),
        test_size=config["test_size"],
        n_validation=config.get("n_validation", 0),
        seed=stream_seed(config["seed"], "split"),
    )
    labels = {name: config[name] for name in COLUMNS[:5]}
    return Run(labels, querier, split, config["budget"], config["seed"])


def make_querier(model, strategy, preprocessor=None):
    """A querier for a model, a strategy and the preprocessing that the data needs.

    Parameters
    ----------
    model : estimator object
        A `BadgeQuerier`, a Pipeline or search that ends in one, or an estimator for
        one.

    strategy : str, Strategy or callable
        The strategy.

    preprocessor : transformer or None, default=None
        Goes before the estimator, inside the querier, so that it is fitted to the
        labelled rows alone.

    Returns
    -------
    querier : estimator object
        Of clones.
    """
    if not isinstance(innermost(model), BadgeQuerier):
        model = BadgeQuerier(model)
    querier = with_strategy(model, strategy)
    if preprocessor is not None:
        inner = find_querier(querier)
        estimator = make_pipeline(clone(preprocessor), inner._estimator())
        inner.set_params(estimator=estimator)
    return querier


class _LastRead:
    """The data set last read in this process, or the error of reading it.

    Runs come in the order of data sets, so that one is enough.
    """

    def __init__(self):
        self._last = None, None, None

    def read(self, token, source, config):
        # The token differs from call to call, for files may change in between.
        wanted = token, canonical(config["data_description"])
        # Taken and put back as one, for workers may be threads.
        key, data, error = self._last
        if key != wanted:
            data = error = None
            try:
                data = read_data(source, f"data set {config['dataset']!r}")
            except Exception as caught:
                error = caught, caught.__traceback__
            self._last = wanted, data, error
        if error is not None:
            # As it was: raising would add to the traceback each time.
            raise error[0].with_traceback(error[1])
        return data


_LAST_READ = _LastRead()
