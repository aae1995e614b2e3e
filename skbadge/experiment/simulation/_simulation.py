"""One simulated run of active learning: rounds of training, scoring and querying."""

from dataclasses import dataclass
from numbers import Integral
from time import perf_counter

import numpy as np
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import check_scoring

from skbadge.experiment.simulation._held_out import with_validation
from skbadge.outputs._pipeline import innermost
from skbadge.pools import take_rows
from skbadge.querier._querier import BadgeQuerier
from skbadge.querier._query import query
from skbadge.utils._streams import stream_seed


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What one round of a run came to.

    Parameters
    ----------
    round : int
        0 for the first labels, 1 for the first query.

    n_labeled : int
        Rows trained on.

    scores : dict of str to float
        By name of the metric.

    fit_time, query_time, score_time : float
        Seconds of training on these rows, of the query that asked for the last of
        them (0 in round 0) and of scoring.

    rows : ndarray of shape (n_new,)
        int64 positions of the rows labelled in this round, in order of selection.

    report : QueryReport or None
        Of the query; None in round 0.
    """

    round: int
    n_labeled: int
    scores: dict
    fit_time: float
    query_time: float
    score_time: float
    rows: np.ndarray
    report: object = None


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
    labeled: np.ndarray


def simulate(
    querier,
    X,
    y,
    split,
    *,
    n_query,
    budget,
    scorers=None,
    test=None,
    seed=None,
    state=None,
):
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
        Where to start, what to choose from, and what to score on. Its ``validation``
        rows, if there are any, become the ``validation_data`` of the model, transformed
        by the steps before it.

    n_query : int
        Rows asked for per round.

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

    Yields
    ------
    evaluation : Evaluation
        Of a round.

    state : SimulationState
        After it. Its querier is trained further in the next round, so pickle it
        before that if it is to be kept.
    """
    if scorers and test is None:
        test = take_rows(X, split.test), y[split.test]
    budget = min(budget, len(split.pool))
    if state is None:
        labeled = np.empty(0, np.int64)
        state = SimulationState(-1, _start(querier, X, y, split, seed), labeled)
    is_left = np.zeros(len(y), dtype=bool)
    is_left[split.pool] = True
    is_left[state.labeled] = False
    querier = state.querier
    while len(state.labeled) < budget:
        start = perf_counter()
        if state.round < 0:
            rows, report = split.first, None
        else:
            n = min(n_query, budget - len(state.labeled))
            left = np.flatnonzero(is_left)
            picks, report = query(querier, take_rows(X, left), n, return_report=True)
            rows = left[picks]
        labeled = np.concatenate([state.labeled, rows])
        is_left[rows] = False
        queried = perf_counter()
        _learn(querier, X, y, rows, labeled)
        fitted = perf_counter()
        scores = _score(querier, scorers, test)
        scored = perf_counter()
        state = SimulationState(state.round + 1, querier, labeled)
        evaluation = Evaluation(
            round=state.round,
            n_labeled=len(labeled),
            scores=scores,
            fit_time=fitted - queried,
            query_time=0.0 if report is None else queried - start,
            score_time=scored - fitted,
            rows=rows,
            report=report,
        )
        yield evaluation, state


def _start(querier, X, y, split, seed):
    """A querier ready to run, that has the validation rows."""
    querier, rows = prepare(querier, y, seed), split.validation
    if rows is None:
        return querier
    return with_validation(querier, take_rows(X, rows), y[rows])


def prepare(querier, y, seed):
    """A clone of a querier that is ready to run.

    Parameters
    ----------
    querier : estimator object
        A `BadgeQuerier`, or a Pipeline or search around one.

    y : ndarray of shape (n_rows,)
        All labels. Those of classification become the parameter ``classes`` of a
        querier that has none, for the first labels may miss some. A trained model
        knows its own.

    seed : int or None
        Replaces the ``random_state`` of the querier, unless None. A ``random_state``
        of the estimator inside is left as it is; if None, it is seeded from this.

    Returns
    -------
    querier : estimator object
        With the default estimator, if it has none.

    Raises
    ------
    TypeError
        If there is no `BadgeQuerier`.
    """
    querier = clone(querier)
    inner = find_querier(querier)
    inner.set_params(estimator=inner._estimator())
    is_trained = any(
        isinstance(part, FrozenEstimator) for part in inner.get_params().values()
    )
    if inner.classes is None and is_classifier(inner) and not is_trained:
        inner.set_params(classes=np.unique(y))
    if seed is not None:
        inner.set_params(random_state=stream_seed(seed, "querier"))
    return querier


def with_strategy(querier, strategy):
    """A clone of a querier that asks by another strategy.

    Parameters
    ----------
    querier : estimator object
        A `BadgeQuerier`, or a Pipeline or search around one.

    strategy : str, Strategy or callable
        The strategy.

    Returns
    -------
    querier : estimator object
        The clone.
    """
    querier = clone(querier)
    find_querier(querier).set_params(strategy=strategy)
    return querier


def find_querier(querier):
    """The `BadgeQuerier` itself, behind its wrappers.

    Parameters
    ----------
    querier : estimator object
        A `BadgeQuerier`, or a Pipeline or search around one.

    Returns
    -------
    querier : BadgeQuerier
        A part of it.

    Raises
    ------
    TypeError
        If there is none.
    """
    inner = innermost(querier)
    if not isinstance(inner, BadgeQuerier):
        raise TypeError(
            "`querier` must be a BadgeQuerier, or a Pipeline or search that ends in "
            f"one. Got {type(inner).__name__} at the end instead."
        )
    return inner


def resolve_initial(querier, initial):
    """How to draw first labels, with "auto" replaced for regressors.

    The targets of a regressor may all be whole numbers, and look like classes.

    Parameters
    ----------
    querier : estimator object
        What is to be trained.

    initial : {"auto", "stratified", "uniform"}
        As asked for.

    Returns
    -------
    initial : {"auto", "stratified", "uniform"}
        For `draw_split`.
    """
    is_free = initial == "auto" and not is_classifier(querier)
    return "uniform" if is_free else initial


def model_name(querier):
    """What to call the model behind a querier: the name of its class."""
    return type(innermost(find_querier(querier)._estimator())).__name__


def total_budget(n_initial, n_query, n_rounds, budget):
    """Labels at the end of a run.

    Parameters
    ----------
    n_initial, n_query : int
        Labels at the start, and asked for in a round.

    n_rounds, budget : int or None
        One of them; neither is 10 rounds.

    Returns
    -------
    budget : int
        At least ``n_initial``.
    """
    for name, value, least in (
        ("n_initial", n_initial, 1),
        ("n_query", n_query, 1),
        ("n_rounds", n_rounds, 0),
        ("budget", budget, n_initial),
    ):
        if value is None and name in ("n_rounds", "budget"):
            continue
        if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
            raise ValueError(f"`{name}` must be an int >= {least}. Got {value!r}.")
    if n_rounds is not None and budget is not None:
        raise ValueError(
            "`n_rounds` and `budget` say the same thing: give one of them. Got "
            f"n_rounds={n_rounds} and budget={budget}."
        )
    if budget is not None:
        return int(budget)
    return int(n_initial + n_query * (10 if n_rounds is None else n_rounds))


def _learn(querier, X, y, rows, labeled):
    """Train on the labelled rows, the last of which are new."""
    if hasattr(querier, "partial_fit"):
        querier.partial_fit(take_rows(X, rows), y[rows])
    else:
        querier.fit(take_rows(X, labeled), y[labeled])


def _score(querier, scorers, test):
    if not scorers:
        return {}
    # Metrics that need the same predictions share them.
    scores = check_scoring(querier, scoring=scorers)(querier, *test)
    return {name: float(score) for name, score in scores.items()}
