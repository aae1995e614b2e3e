"""run_benchmark: do the runs of a benchmark that are not done yet."""

import os
from dataclasses import dataclass, field
from functools import partial
from html import escape
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skbadge.experiment.benchmark._benchmark import Benchmark
from skbadge.experiment.benchmark._data import read_data
from skbadge.experiment.benchmark._toml import ImportFolder
from skbadge.experiment.benchmark._warnings_once import WarningsOnce
from skbadge.experiment.simulation import (
    Run,
    draw_start,
    estimator_of,
    execute,
    find_querier,
    model_of,
    resolve_scoring,
    with_strategy,
    work_off,
)
from skbadge.experiment.store import (
    COLUMNS,
    ResultsFile,
    ResultStore,
    as_html,
    canonical,
    summary_of,
)
from skbadge.outputs._pipeline import innermost
from skbadge.querier import BadgeQuerier
from skbadge.querier._checks import check_y
from skbadge.utils._streams import stream_seed

if TYPE_CHECKING:
    import pandas as pd


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
    hashes: list[str] = field(repr=False)
    counts: dict[str, int]

    def to_frame(self) -> "pd.DataFrame":
        """Their evaluations, see `ResultStore.to_frame`.

        Returns
        -------
        frame : DataFrame
            One row for each evaluation and metric of the runs.
        """
        return self._read("to_frame")

    def runs_frame(self) -> "pd.DataFrame":
        """One row per run, see `ResultStore.runs_frame`.

        Returns
        -------
        frame : DataFrame
            With what was configured, and how it went.
        """
        return self._read("runs_frame")

    def failures_frame(self) -> "pd.DataFrame":
        """One row per failed run, see `ResultStore.failures_frame`.

        Returns
        -------
        frame : DataFrame
            With the errors.
        """
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


def run_benchmark(
    benchmark: Benchmark | str | PathLike,
    store: str | PathLike,
    *,
    results: str | PathLike | None = None,
    drop_stale: bool = False,
    n_jobs: int | None = None,
    retry_failed: bool = False,
    verbose: int = 0,
) -> BenchmarkResult:
    """Do the runs of a benchmark that are not done yet.

    It may be interrupted at any moment, by Ctrl-C or by killing it, and called again:
    it then goes on after the last evaluation of each run. Several processes may work
    on one store at a time, and each run is done by one of them. A run that fails is
    recorded with its error, and the rest goes on; so is one that has killed its worker
    three times. Runs that do not fit their data set, because it has too few rows or
    other rows than there are results of, stay pending, and are an error in the end.
    What trainings warn of is shown once in each process.

    Parameters
    ----------
    benchmark : Benchmark or path-like
        What to run, or the TOML file that says so.

    store : path-like
        SQLite file for the results, made if there is none; see `ResultStore`.

    results : path-like or None, default=None
        Compressed CSV file, ``.csv.gz``, to be kept in a repository. Runs that are in
        it are not run again: they are put into the store as done. At the end, after
        errors and Ctrl-C too, it is written again with all runs that are done. Scores
        have 6 significant digits there and times 3; a column ``run`` begins the hash
        of the configuration, so that a changed setting is run again. Any function of
        results reads the file.

    drop_stale : bool, default=False
        Whether to leave out rows of runs that the benchmark does not have, when that
        file is written. Else they are kept, and warned of; functions of results
        refuse the file where its old and new runs have the same names.

    n_jobs : int or None, default=None
        Runs at a time, through joblib. The workers must be processes of this machine:
        threads would share torch's random numbers. Within
        ``joblib.parallel_config("dask")`` all workers of that cluster are used, on
        other machines too, and must have one thread each. They open no store: this
        process records a run when it has ended. A run whose worker dies is given to
        another one, as often as Dask allows.

    retry_failed : bool, default=False
        Whether to try failed runs again.

    verbose : int, default=0
        Above 0, shows a progress bar.

    Returns
    -------
    result : BenchmarkResult
        Its ``to_frame()`` has one row for each evaluation and metric. Runs under way
        in other processes are left to these; ``counts`` says how many there are.

    Raises
    ------
    ValueError
        If the benchmark does not fit a data set. All other runs are done by then. Or
        if ``results`` is something else, was damaged, or has none but other runs, or
        is missing for ``drop_stale``.
    OSError
        If the store or ``results`` cannot be read or written. No run has failed by
        that.

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
    # Raises if it is 0.
    effective_n_jobs(n_jobs)
    path = Path(os.path.abspath(store))
    configs = benchmark.configs()
    file = None
    if results is None:
        if drop_stale:
            raise ValueError(
                "`drop_stale` is for rows of `results`, and there is none."
            )
    else:
        if os.path.realpath(results) == os.path.realpath(path):
            raise ValueError("`results` must be another file than `store`.")
        file = ResultsFile(results, configs, drop_stale=drop_stale)
    with ResultStore(path) as opened:
        opened.check()
        hashes = opened.add(configs)
        if file is not None:
            file.fill(opened)
        if retry_failed:
            opened.reset_failed(hashes)
        token = uuid4().hex
        tasks = {
            run: _task(benchmark, config, token)
            for run, config in zip(hashes, configs, strict=True)
        }
        try:
            refusals = work_off(opened, tasks, n_jobs=n_jobs, verbose=verbose)
        finally:
            if file is not None:
                file.write(opened)
        counts = opened.counts(hashes)
    if refusals:
        reason = next(iter(refusals.values()))
        raise ValueError(f"{len(refusals)} of {len(hashes)} runs are left: {reason}")
    return BenchmarkResult(path, hashes, counts)


def _task(benchmark, config, token):
    """How to do a run."""
    return partial(
        _work,
        ImportFolder(benchmark.folder),
        token,
        benchmark.datasets[config["dataset"]],
        benchmark.models[config["model"]],
        benchmark.named_strategies[config["strategy"]],
        benchmark.initial,
        benchmark.scoring,
        benchmark.n_threads,
    )


def _work(folder, token, source, model, strategy, initial, scoring, n_threads, claim):
    """Do a run: a task of `work_off`."""
    try:
        data = _LAST_READ.read(token, source, claim.config)
        querier = make_querier(model, strategy, data.preprocessor)
    except (Exception, SystemExit) as error:
        claim.fail(error)
        return True
    try:
        y, split = _labels_and_split(claim, data, querier, initial)
    except ValueError as error:
        claim.release()
        return error
    try:
        scorers = resolve_scoring(querier, scoring, y)
    except Exception as error:
        claim.fail(error)
        return True
    labels = {name: claim.config[name] for name in COLUMNS[:5]}
    run = Run(labels, querier, split, claim.config["budget"], claim.config["seed"])
    with _WARNINGS.of(token):
        execute(
            run,
            data.X,
            y,
            scorers=scorers,
            n_threads=n_threads,
            error_score=np.nan,
            claim=claim,
        )
    return True


def _labels_and_split(claim, data, querier, initial):
    """Labels and rows of a run; a ValueError if its data set is not made for it."""
    config = claim.config
    if data.digest is not None:
        claim.check_data(data.digest)
    try:
        y = check_y(querier, data.y, data.X, model_of(querier))
        return y, draw_start(
            querier,
            y,
            n_initial=config["n_initial"],
            initial=initial,
            test_size=config["test_size"],
            n_validation=config["n_validation"],
            seed=stream_seed(config["seed"], "split"),
        )
    except ValueError as error:
        raise ValueError(f"Data set {config['dataset']!r}: {error}") from error


def make_querier(model, strategy, preprocessor=None):
    """A querier for a model, a strategy and the preprocessing that the data needs.

    The preprocessor goes before the estimator, inside the querier, so that it is fitted
    to the labelled rows alone. All parts are cloned.
    """
    if not isinstance(innermost(model), BadgeQuerier):
        model = BadgeQuerier(model)
    querier = with_strategy(model, strategy)
    if preprocessor is not None:
        inner = find_querier(querier)
        estimator = make_pipeline(clone(preprocessor), estimator_of(inner))
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


_LAST_READ, _WARNINGS = _LastRead(), WarningsOnce()
