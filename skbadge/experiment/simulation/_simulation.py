"""One simulated run of active learning: rounds of training, scoring and querying."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, is_classifier
from sklearn.metrics import check_scoring

from skbadge.experiment.simulation._held_out import with_held_out
from skbadge.experiment.simulation._split import FirstQuery, Split
from skbadge.experiment.simulation._wrapped import find_querier, prepare
from skbadge.monitoring import Monitor
from skbadge.nn._own_files import files_in
from skbadge.pools import take_rows
from skbadge.querier import QueryReport, query


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What one round of a run came to.

    Parameters
    ----------
    round : int
        0 for the first labels, 1 for the next query.

    n_labeled : int
        Rows trained on.

    scores : dict of str to float
        By name of the metric.

    fit_time, query_time, score_time : float
        Seconds of training on these rows, of the query that asked for the last of
        them (0 where they were drawn) and of scoring.

    rows : ndarray of shape (n_new,)
        int64 positions of the rows labelled in this round, in order of selection.

    report : QueryReport or None
        Of the query; None where the first rows were drawn.
    """

    round: int
    n_labeled: int
    scores: dict[str, float]
    fit_time: float
    query_time: float
    score_time: float
    rows: NDArray[np.int64]
    report: QueryReport | None = None


@dataclass(frozen=True, eq=False)
class SimulationState:
    """Where a run stands, to be pickled and gone on from.

    Parameters
    ----------
    round : int
        The last one finished.

    querier : estimator object
        Trained on all labels so far.

    labeled : ndarray of shape (n_labeled,)
        int64 positions of these, in order of labelling.
    """

    round: int
    querier: BaseEstimator
    labeled: NDArray[np.int64]


def simulate(
    querier: BaseEstimator,
    X: Any,
    y: NDArray,
    split: Split,
    *,
    n_query: int,
    budget: int,
    scorers: Mapping[str, Callable] | None = None,
    test: tuple | None = None,
    seed: int | None = None,
    state: SimulationState | None = None,
    candidates: NDArray[np.bool_] | None = None,
    groups: ArrayLike | None = None,
    max_per_group: int = 1,
    monitor: Monitor | None = None,
) -> Iterator[tuple[Evaluation, SimulationState]]:
    """Run active learning with known labels, one round at a time.

    Parameters
    ----------
    querier : estimator object
        A `BadgeQuerier`, or a Pipeline or search around one. It is cloned; see
        `prepare`. A `BadgeQuerier` goes on by ``partial_fit`` from round to round,
        the others are fitted anew to all labelled rows.

    X : array-like, data frame, sparse matrix, tensor, dict or Dataset
        All rows.

    y : ndarray of shape (n_rows,)
        Their labels.

    split : Split
        Where to start, what to choose from, and what to score on. Its rows held out,
        if there are any, become the ``validation_data`` of the model, transformed by
        the steps before it.

    n_query : int
        Rows asked for per round. Where first rows are asked for, and are of one class
        that the model cannot be trained on, round 0 asks for as many more until it can.

    budget : int
        Labels in total, the first ones included. The run ends there, or with the
        pool; the last round may be smaller.

    scorers : dict of str to callable, or None
        See `resolve_scoring`; None scores nothing.

    test : tuple (X_test, y_test) or None
        What to score on in place of ``split.test``.

    seed : int or None
        Of all randomness of the querier.

    state : SimulationState or None
        Goes on from there. The run ends as if it had never been interrupted.

    candidates : ndarray of bool of shape (n_rows,) or None
        The rows that may be asked for; all others only stand in the pool. The run ends
        when none is left.

    groups, max_per_group
        Passed on to each query, see `BadgeQuerier.query`.

    monitor : Monitor or None
        Gets each batch that was asked for, with its labels.

    Yields
    ------
    evaluation : Evaluation
        Of a round.

    state : SimulationState
        After it. Its querier is trained further in the next round, so pickle it
        before that if it is to be kept.
    """
    if scorers and test is None and split.test is not None:
        test = take_rows(X, split.test), y[split.test]
    budget = min(budget, len(split.pool))
    if state is None:
        labeled = np.empty(0, np.int64)
        state = SimulationState(-1, _start(querier, X, y, split, seed), labeled)
    querier = state.querier
    left = _RowsLeft(X, y, split.pool, candidates, groups, max_per_group)
    left.close(state.labeled)
    # Runs side by side must not meet in the files of a net's callbacks.
    with TemporaryDirectory(prefix="skbadge-") as folder:
        while len(state.labeled) < budget:
            if state.round >= 0 and not left.n_open():
                break
            first = split.first if state.round < 0 else None
            with files_in(folder, querier):
                rows, report, seconds = _learn_more(
                    querier, left, state.labeled, first, n_query, budget, monitor
                )
            start = perf_counter()
            scores = _score(querier, scorers, test)
            labeled = np.concatenate([state.labeled, rows])
            state = SimulationState(state.round + 1, querier, labeled)
            evaluation = Evaluation(
                round=state.round,
                n_labeled=len(labeled),
                scores=scores,
                **seconds,
                score_time=perf_counter() - start,
                rows=rows,
                report=report,
            )
            yield evaluation, state


class _RowsLeft:
    """The rows of a pool without a label, and those of them that may be asked for."""

    def __init__(self, X, y, pool, candidates, groups, max_per_group):
        self.X, self.y = X, y
        self._is_left = np.zeros(len(y), dtype=bool)
        self._is_left[pool] = True
        self._candidates = candidates
        self._groups = None if groups is None else np.asarray(groups)
        self._max_per_group = max_per_group

    def close(self, rows):
        """Note that rows are labelled."""
        self._is_left[rows] = False

    def n_open(self):
        """How many rows a query may return at most."""
        is_open = self._is_left
        if self._candidates is not None:
            is_open = is_open & self._candidates
        if self._groups is None:
            return int(is_open.sum())
        counts = np.unique(self._groups[is_open], return_counts=True)[1]
        return int(np.minimum(counts, self._max_per_group).sum())

    def ask(self, querier, n):
        """At most ``n`` rows that a query selects, and its report."""
        left = np.flatnonzero(self._is_left)
        candidates, groups = self._candidates, self._groups
        picks, report = query(
            querier,
            take_rows(self.X, left),
            min(n, self.n_open()),
            candidates=None if candidates is None else candidates[left],
            groups=None if groups is None else groups[left],
            max_per_group=self._max_per_group,
            return_report=True,
        )
        return left[picks], report


def _learn_more(querier, left, labeled, first, n_query, budget, monitor):
    """Label some rows of those left, and train on all that are labelled.

    ``first`` are the first of all, or how to ask for them; None for a later round.
    Returns the rows, the report of the query, None without one, and the times.
    """
    new, report, times = labeled[:0], None, {"query_time": 0.0, "fit_time": 0.0}
    n = n_query if first is None else len(first)
    while True:
        start, picks = perf_counter(), first
        if not isinstance(first, np.ndarray):
            wanted = min(n, budget - len(labeled) - len(new))
            picks, report = left.ask(querier, wanted)
            times["query_time"] += perf_counter() - start
            if monitor is not None:
                monitor.add(querier, report, take_rows(left.X, picks), left.y[picks])
        left.close(picks)
        new, start = np.concatenate([new, picks]), perf_counter()
        try:
            _learn(querier, left, picks, np.concatenate([labeled, new]))
        except Exception:
            may_go_on = isinstance(first, FirstQuery) and is_classifier(querier)
            is_spent = len(new) == budget or not left.n_open()
            if not may_go_on or is_spent or len(np.unique(left.y[new])) > 1:
                raise
            n = n_query
            continue
        times["fit_time"] = perf_counter() - start
        return new, report, times


def _start(querier, X, y, split, seed):
    """A querier ready to run, that has the rows held out."""
    querier, rows = prepare(querier, y, seed), split.held_out
    if isinstance(split.first, FirstQuery):
        find_querier(querier).set_params(cold_start=split.first.strategy)
    if rows is None:
        return querier
    return with_held_out(querier, take_rows(X, rows), y[rows])


def _learn(querier, left, rows, labeled):
    """Train on the labelled rows, the last of which are new."""
    if hasattr(querier, "partial_fit"):
        querier.partial_fit(take_rows(left.X, rows), left.y[rows])
    else:
        querier.fit(take_rows(left.X, labeled), left.y[labeled])


def _score(querier, scorers, test):
    if not scorers:
        return {}
    # Metrics that need the same predictions share them.
    scores = check_scoring(querier, scoring=scorers)(querier, *test)
    return {name: float(score) for name, score in scores.items()}
