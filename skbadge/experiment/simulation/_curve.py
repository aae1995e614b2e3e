"""Learning curves of query strategies."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from numbers import Integral, Real
from os import PathLike
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.exceptions import FitFailedWarning
from sklearn.utils import check_random_state

from skbadge._compat import StrOptions, validate_params
from skbadge.exceptions import QueryWarning
from skbadge.experiment.simulation._held_out import check_takes_held_out
from skbadge.experiment.simulation._parallel_runs import run_surviving, work_off
from skbadge.experiment.simulation._run import (
    Run,
    describe_failure,
    execute,
    execute_claimed,
    owed_records,
)
from skbadge.experiment.simulation._schedule import AT_LEAST_ONE, SCHEDULE, total_budget
from skbadge.experiment.simulation._scoring import resolve_scoring
from skbadge.experiment.simulation._split import draw_start, given_splits
from skbadge.experiment.simulation._wrapped import (
    check_initial,
    find_querier,
    model_name,
    model_of,
    named_strategies,
    rows_for,
    with_strategy,
)
from skbadge.experiment.store import ExperimentResult, ResultStore, content_hash
from skbadge.querier._checks import check_y
from skbadge.strategies import Strategy
from skbadge.utils._shown import shown
from skbadge.utils._streams import stream_seed
from skbadge.utils._typing import RandomState
from skbadge.utils._validation import check_masked


@validate_params(
    {
        **SCHEDULE,
        "n_repeats": [AT_LEAST_ONE],
        "n_jobs": [Integral, None],
        "n_threads": [AT_LEAST_ONE, None],
        "random_state": ["random_state"],
        "error_score": [StrOptions({"raise"}), Real],
        "verbose": ["verbose"],
        "store": [str, PathLike, None],
        "dataset": [str],
        "model": [str, None],
    },
)
def active_learning_curve(
    querier: BaseEstimator,
    X: Any,
    y: ArrayLike,
    *,
    strategies: list | Mapping[str, str | Strategy | Callable] | None = None,
    n_initial: int = 100,
    n_query: int = 100,
    n_rounds: int | None = None,
    budget: int | None = None,
    initial: str | Strategy | Callable = "auto",
    cv: Any = None,
    test_size: float | int = 0.25,
    n_validation: int = 0,
    X_test: Any = None,
    y_test: ArrayLike | None = None,
    scoring: str | Callable | Iterable | Mapping | None = None,
    n_repeats: int = 5,
    n_jobs: int | None = None,
    n_threads: int | None = 1,
    random_state: RandomState = None,
    error_score: Literal["raise"] | float = np.nan,
    verbose: int = 0,
    store: str | PathLike | None = None,
    dataset: str = "data",
    model: str | None = None,
) -> ExperimentResult:
    """Score by number of labels, with known labels in place of a human.

    Each repeat draws its own test rows and first labels. All strategies start from
    these, and their queriers from the same seed, so that they differ in nothing but
    the rows they ask for: compare them repeat by repeat.

    Parameters
    ----------
    querier : estimator object
        A `BadgeQuerier`, or a `~sklearn.pipeline.Pipeline` or a search that ends in
        one. Steps inside the querier and a querier at the end of a pipeline are both
        trained anew in each round. It stays as it is. If it has no ``classes``, it
        gets those of ``y``; its ``random_state`` is replaced.

    X : array-like of shape (n_rows, n_features), or what the querier takes
        All rows.

    y : array-like of shape (n_rows,)
        Their labels.

    strategies : list, dict or None, default=None
        Names, strategy objects and callables; a dict names them. None compares nothing
        and takes the querier's own.

    n_initial : int, default=100
        Rows labelled from the start.

    n_query : int, default=100
        Rows asked for in a round.

    n_rounds : int or None, default=None
        Number of queries, 10 unless ``budget`` is given.

    budget : int or None, default=None
        In place of ``n_rounds``, number of labels at the end. The last round may be
        smaller; no run goes on once its pool is used up.

    initial : {"auto", "stratified", "uniform"}, str, Strategy or callable, \
            default="auto"
        How the first labels, and the test rows, are drawn: in proportion to the sizes
        of the classes, or all rows alike. "auto" stratifies if there are classes.

        A strategy that needs no model, such as "core_set" or "random", asks for the
        first labels instead, as the ``cold_start`` of the querier does, and the test
        rows are drawn as by "auto". All strategies of a repeat have the same start.
        Where these labels are of one class and the estimator cannot be trained on one,
        the start asks for ``n_query`` more, until it can. The curve of this repeat
        then begins at that many labels, for all strategies; a run whose budget ends
        before fails.

    cv : int, cross-validation generator, iterable or None, default=None
        Splits into pool and test rows, in place of ``test_size``: every split is
        repeated ``n_repeats`` times.

    test_size : float or int, default=0.25
        Share or number of rows that each repeat holds out.

    n_validation : int, default=0
        Number of rows that each repeat holds out besides, neither pool nor test, and
        gives with their targets to the model's parameter ``validation_data``, for
        instance of `skbadge.nn.TabularNetRegressor`, which keeps the epoch that is best
        on them. In a Pipeline inside the querier, as the steps before the model
        transform them, fitted to the labelled rows. They count as no labels.

    X_test, y_test : array-like or None, default=None
        Test rows and their labels, in place of either. The pool is then all of ``X``.

    scoring : str, callable, list, tuple, dict or None, default=None
        Scorers as scikit-learn takes them, one or more, and "neg_error_quantile_95" and
        "neg_error_quantile_99", see `error_quantile_scorer`. None is the accuracy, or
        R² for regressors.

    n_repeats : int, default=5
        Independent repeats.

    n_jobs : int or None, default=None
        Runs at a time, one for each strategy and repeat, through joblib: within
        ``joblib.parallel_config(backend="dask")`` they spread over a cluster.

    n_threads : int or None, default=1
        Threads that a run may use for its linear algebra. The result does not depend
        on ``n_jobs`` this way, and many runs at a time are faster on one thread each.
        None does not limit them.

    random_state : None, int or RandomState, default=None
        Determines splits, starts, training and queries.

    error_score : "raise" or float, default=np.nan
        Score of the evaluations that a run still owed when it failed; the other runs
        go on. "raise" raises the error. With a ``store``, it is a RuntimeError that
        names it if the run killed its worker, or was on a cluster or in another
        process; the evaluations before it are kept.

    verbose : int, default=0
        Above 0, shows a progress bar.

    store : path-like or None, default=None
        SQLite file to keep every evaluation in, see `ResultStore`. The same call with
        the same file, and an int for ``random_state``, does only what is missing:
        after an interruption, with more strategies, or for runs that failed. On a
        cluster, a run is kept when it has ended.

    dataset, model : str
        What to call data and model in the result. The default model is the name of the
        estimator's class.

    Returns
    -------
    result : ExperimentResult
        Its ``to_frame()`` has one row for each evaluation and metric.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.experiment import active_learning_curve
    >>> X, y = load_digits(return_X_y=True)
    >>> result = active_learning_curve(
    ...     BadgeQuerier(LogisticRegression()), X / 16, y,
    ...     strategies=["margin", "random"],
    ...     n_initial=20, n_query=20, n_rounds=2, n_repeats=3, random_state=0,
    ... )
    >>> frame = result.to_frame()
    >>> frame.groupby(["strategy", "n_labeled"])["score"].mean().round(2)
    strategy  n_labeled
    margin    20           ...
    """
    X, X_test = rows_for(querier, X, "X"), rows_for(querier, X_test, "X_test")
    queriers = _queriers(querier, strategies)
    scoring = list(scoring) if isinstance(scoring, Iterator) else scoring
    check_initial(querier, initial)
    if n_validation:
        check_takes_held_out(querier)
    y = check_y(querier, y, X, model_of(querier))
    test = _given_test(querier, X_test, y_test)
    if test is not None and cv is not None:
        raise ValueError(
            "`X_test` and `cv` both say what to score on: give one of them. Got "
            f"cv={shown(cv)}."
        )
    if store is not None:
        _check_seed(random_state)
    budget = total_budget(n_initial, n_query, n_rounds, budget)
    root = random_state
    if not isinstance(root, Integral):
        root = int(check_random_state(root).randint(2**31 - 1))
    splits = [
        draw_start(
            querier,
            y,
            n_initial=n_initial,
            initial=initial,
            n_validation=n_validation,
            seed=stream_seed(root, f"split-{repeat}"),
            **(given or {"test_size": test_size if test is None else None}),
        )
        for repeat, given in enumerate(given_splits(querier, X, y, cv, n_repeats))
    ]
    labels = {"dataset": dataset, "model": model or model_name(querier)}
    runs = [
        Run(
            labels | {"strategy": name, "n_query": int(n_query), "repeat": repeat},
            asking,
            split,
            budget,
            seed=stream_seed(root, f"run-{repeat}"),
        )
        for repeat, split in enumerate(splits)
        for name, asking in queriers.items()
    ]
    options = {
        "scorers": resolve_scoring(querier, scoring, y),
        "test": test,
        "n_threads": n_threads,
        "error_score": error_score,
    }
    parallel = {"n_jobs": n_jobs, "verbose": verbose}
    if store is None:
        results, failures = _run_all(runs, X, y, options, parallel)
    else:
        hashes = _run_in_store(store, runs, X, y, scoring, options, parallel)
        results, failures = _read_from_store(store, runs, hashes)
    return _collect(runs, results, failures, list(options["scorers"]), error_score)


def _queriers(querier, strategies):
    """A querier for each strategy, by its name in the result."""
    queriers = {
        name: with_strategy(querier, strategy)
        for name, strategy in named_strategies(querier, strategies).items()
    }
    for asking in queriers.values():
        find_querier(asking).check_parameters()
    return queriers


def _run_all(runs, X, y, options, parallel):
    """What `execute` returns for all runs, and the failures."""
    tasks = [partial(execute, run, X, y, **options) for run in runs]
    results = [
        _outcome(run, found, options["error_score"])
        for run, found in zip(runs, run_surviving(tasks, **parallel), strict=True)
    ]
    return results, [failure for _, failure in results if failure is not None]


def _run_in_store(path, runs, X, y, scoring, options, parallel):
    """Do runs in a store, those that failed before again; returns their hashes."""
    data = content_hash((X, y, options["test"]))
    with ResultStore(path) as store:
        hashes = store.add([run.config(data, scoring) for run in runs])
        store.reset_failed(hashes)
        tasks = {
            run_hash: partial(execute_claimed, run, X, y, **options)
            for run, run_hash in zip(runs, hashes, strict=True)
        }
        work_off(store, tasks, **parallel)
    return hashes


def _outcome(run, found, error_score):
    """What `execute` returned, or would have returned if its worker had not died."""
    if not isinstance(found, Exception):
        return found
    if error_score == "raise":
        raise found
    return [], describe_failure(run.labels, 0, found)


def _collect(runs, results, failures, metrics, error_score):
    """Put results together, with scores in place of what failed runs did not do."""
    if failures:
        first = failures[0]["error"].rstrip(".")
        message = f"{len(failures)} of {len(runs)} runs failed, the first with: {first}"
        if error_score == "raise":
            # Of a store; without one, it has been raised before.
            raise RuntimeError(
                f"{message}. See `failures_frame()` of the `ResultStore`, which keeps "
                "the evaluations that were made."
            )
        warnings.warn(
            f"{message}. See `failures_frame()` of the result.",
            FitFailedWarning,
            # Past this function, the curve, and its check of parameters.
            stacklevel=4,
        )
    n_done = {_key(failure): failure["n_labeled"] for failure in failures}
    records = []
    for run, (found, _) in zip(runs, results, strict=True):
        records += found
        if _key(run.labels) in n_done:
            n_labeled = n_done[_key(run.labels)]
            records += owed_records(run, n_labeled, metrics, error_score)
    return ExperimentResult(records, failures)


def _key(labels):
    return labels["strategy"], labels["repeat"]


def _read_from_store(path, runs, hashes):
    """What `execute` would have returned for all runs, and the failures."""
    with ResultStore(path, create=False) as store:
        records = store.to_frame(hashes).to_dict("records")
        table = store.failures_frame(hashes).to_dict("records")
        n_elsewhere = store.counts(hashes)["running"]
    if n_elsewhere:
        warnings.warn(
            f"{n_elsewhere} of {len(runs)} runs are under way in other processes and "
            "not complete in this result.",
            QueryWarning,
            # Past this function, the curve, and its check of parameters.
            stacklevel=4,
        )
    found = {_key(run.labels): [] for run in runs}
    for record in records:
        found[_key(record)].append(record)
    failures = [
        {
            **{name: row[name] for name in runs[0].labels},
            "n_labeled": max((r["n_labeled"] for r in found[_key(row)]), default=0),
            "error": " ".join(f"{row['error_type']}: {row['error_message']}".split()),
            "traceback": row["traceback"],
        }
        for row in table
    ]
    return [(found[_key(run.labels)], None) for run in runs], failures


def _check_seed(random_state):
    if not isinstance(random_state, Integral):
        raise ValueError(
            "With `store`, `random_state` must be an int, for the same runs to be "
            f"known again. Got {random_state!r} instead."
        )


def _given_test(querier, X_test, y_test):
    """Test rows and their labels, or None."""
    if (X_test is None) != (y_test is None):
        missing = "y_test" if y_test is None else "X_test"
        raise ValueError(f"`X_test` and `y_test` go together. `{missing}` is missing.")
    if X_test is None:
        return None
    check_masked(y_test, "y_test")
    try:
        return X_test, check_y(querier, y_test, X_test, model_of(querier))
    except ValueError as error:
        raise ValueError(f"`X_test` and `y_test`: {error}") from error
