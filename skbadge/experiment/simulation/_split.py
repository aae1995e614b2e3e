"""Which rows a simulated run starts from, chooses from, stops by and is tested on."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils.multiclass import type_of_target

from skbadge._compat import Interval, StrOptions, validate_params
from skbadge.experiment.simulation._schedule import AT_LEAST_ONE, DRAWN, SCHEDULE
from skbadge.pools import is_several
from skbadge.strategies import Strategy
from skbadge.utils._validation import check_positions


@dataclass(frozen=True, eq=False)
class FirstQuery:
    """First rows that a querier asks for, before it has any label.

    Parameters
    ----------
    n : int
        How many.

    strategy : str, Strategy or callable
        The ``cold_start`` of the querier.
    """

    n: int
    strategy: str | Strategy | Callable

    def __len__(self):
        return self.n


@dataclass(frozen=True, eq=False)
class Split:
    """The rows of one run, as int64 positions.

    Parameters
    ----------
    pool : ndarray of shape (n_pool,)
        Rows whose labels may be asked for, the first ones included.

    first : ndarray of shape (n_initial,), or FirstQuery
        Rows of the pool that are labelled from the start, or how to ask for them.

    test : ndarray of shape (n_test,) or None
        Rows to score on; None if these come from elsewhere.

    held_out : ndarray of shape (n_validation,) or None, default=None
        Rows to stop training by, which count neither as labelled nor as pool; None for
        none.
    """

    pool: NDArray[np.int64]
    first: NDArray[np.int64] | FirstQuery
    test: NDArray[np.int64] | None = None
    held_out: NDArray[np.int64] | None = None


@validate_params(
    {
        **{name: SCHEDULE[name] for name in ("n_initial", "n_validation")},
        "initial": [StrOptions(set(DRAWN))],
        "test_size": [Interval(Real, 0, 1, closed="neither"), AT_LEAST_ONE, None],
    },
)
def draw_split(
    y: ArrayLike,
    *,
    n_initial: int,
    initial: Literal["auto", "stratified", "uniform"] = "auto",
    test_size: float | int | None = 0.25,
    n_validation: int = 0,
    pool: ArrayLike | None = None,
    test: ArrayLike | None = None,
    seed: int | np.random.SeedSequence | None,
) -> Split:
    """Draw test rows, rows held out and first labels.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Targets.

    n_initial : int
        Rows labelled from the start.

    initial : {"auto", "stratified", "uniform"}, default="auto"
        "stratified" draws each class in proportion to its size, up to rounding by
        less than one row, here and for the test rows. "auto" does so for classes and
        draws uniformly for numbers.

    test_size : float, int or None, default=0.25
        Share or number of test rows; None draws none.

    n_validation : int, default=0
        Number of rows held out to stop training by, drawn from what is left, as the
        test rows are.

    pool, test : array-like of int, default=None
        A split made elsewhere, in place of ``test_size``: only the rows held out, taken
        from the pool, and the first labels are drawn.

    seed : int, numpy.random.SeedSequence or None
        Of these draws alone.

    Returns
    -------
    split : Split
        Disjoint ``test``, ``held_out`` and ``pool``, in ascending order; ``first`` is
        part of ``pool``. The test rows do not depend on ``n_validation``.

    Raises
    ------
    ValueError
        If there are not enough rows.
    """
    y = np.asarray(y)
    strata = None if initial == "uniform" else _strata(y, initial)
    rng = np.random.default_rng(seed)
    if pool is not None:
        pool = np.sort(np.asarray(pool, np.int64))
    else:
        pool = np.arange(len(y))
    scored = None if test is None else np.asarray(test, np.int64)
    if scored is None and test_size is not None:
        scored = np.sort(_draw(pool, _n_test(test_size, len(pool)), strata, rng))
        pool = np.setdiff1d(pool, scored, assume_unique=True)
    held_out = None
    if n_validation >= len(pool):
        raise ValueError(
            f"`n_validation` must leave some of the {len(pool)} rows that are no test "
            f"rows. Got {n_validation} instead."
        )
    if n_validation:
        held_out = np.sort(_draw(pool, n_validation, strata, rng))
        pool = np.setdiff1d(pool, held_out, assume_unique=True)
    if n_initial > len(pool):
        raise ValueError(
            f"`n_initial` must be between 1 and the {len(pool)} rows of the pool. Got "
            f"{n_initial} instead."
        )
    return Split(pool, _draw(pool, n_initial, strata, rng), scored, held_out)


def draw_start(
    querier: BaseEstimator,
    y: ArrayLike,
    *,
    n_initial: int,
    initial: str | Strategy | Callable,
    **options: Any,
) -> Split:
    """Draw test rows, rows held out and first labels for a querier, see `draw_split`.

    With a strategy as ``initial`` the first labels are asked for, and all other rows
    drawn as by "auto". The targets of a regressor may all be whole numbers, and look
    like classes: by "auto" they are drawn uniformly.
    """
    is_drawn = isinstance(initial, str) and initial in DRAWN
    how: Any = initial if is_drawn else "auto"
    how = "uniform" if how == "auto" and not is_classifier(querier) else how
    split = draw_split(y, n_initial=n_initial, initial=how, **options)
    if is_drawn:
        return split
    return replace(split, first=FirstQuery(int(n_initial), initial))


def given_splits(querier, X, y, cv, n_repeats):
    """For each repeat, the pool and test rows it is bound to, or None."""
    if cv is None:
        return [None] * n_repeats
    # scikit-learn would take the inputs for the rows.
    X = np.zeros((len(y), 1)) if is_several(X) else X
    splits = check_cv(cv, y, classifier=is_classifier(querier)).split(X, y)
    given = [
        {"pool": _positions(pool, len(y)), "test": _positions(test, len(y))}
        for pool, test in splits
    ]
    for parts in given:
        rows, claim = np.concatenate([*parts.values()]), "`cv` must split into"
        hint = " Give each row to the pool or to the test, once."
        check_positions(rows, len(y), claim, hint)
    return [parts for parts in given for _ in range(n_repeats)]


def _positions(rows, n_rows):
    """Positions of the pool or of test rows, which may come as a mask."""
    rows = np.asarray(rows)
    if rows.dtype == bool and rows.shape == (n_rows,):
        rows = np.flatnonzero(rows)
    if rows.dtype.kind not in "iu" or rows.ndim != 1 or not len(rows):
        raise ValueError(
            "`cv` must split into int positions, of at least one row for the pool and "
            f"one to test on, or into masks of the {n_rows} rows. Got dtype "
            f"{rows.dtype} and shape {rows.shape} instead."
        )
    return rows.astype(np.int64)


def _strata(y, initial):
    """Class of each row as an int, or None for targets that are numbers."""
    if type_of_target(y) in ("binary", "multiclass"):
        return np.unique(y, return_inverse=True)[1]
    if initial == "stratified":
        raise ValueError(
            '`initial="stratified"` needs classes, but `y` is '
            f'{type_of_target(y)}. Use "uniform".'
        )
    return None


def _n_test(test_size, n_rows):
    is_share = isinstance(test_size, float | np.floating)
    n_test = round(test_size * n_rows) if is_share else int(test_size)
    if not 1 <= n_test < n_rows:
        raise ValueError(
            f"`test_size` must leave some of the {n_rows} rows, and take some. Got "
            f"{test_size!r} instead."
        )
    return n_test


def _draw(rows, n, strata, rng):
    """Draw some of the rows, all equally likely.

    With strata, by systematic sampling from the rows sorted by stratum: every row has
    the same chance, and each stratum gets its share rounded up or down.
    """
    rows = rng.permutation(rows)
    if strata is None:
        return rows[:n]
    # Strata in random order, for which of them are rounded up depends on their order.
    order = rng.permutation(strata.max() + 1)[strata[rows]]
    rows = rows[np.argsort(order, kind="stable")]
    steps = (np.arange(n) + rng.random()) * (len(rows) / n)
    return rng.permutation(rows[steps.astype(np.int64)])
