"""Which rows a simulated run starts from, chooses from, stops by and is tested on."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from sklearn.utils.multiclass import type_of_target

INITIAL = ("auto", "stratified", "uniform")


@dataclass(frozen=True, eq=False)
class Split:
    """The rows of one run, as int64 positions.

    Parameters
    ----------
    pool : ndarray of shape (n_pool,)
        Rows whose labels may be asked for, the first ones included.

    first : ndarray of shape (n_initial,)
        Rows of the pool that are labelled from the start.

    test : ndarray of shape (n_test,) or None
        Rows to score on; None if these come from elsewhere.

    validation : ndarray of shape (n_validation,) or None, default=None
        Rows to stop training by, which count neither as labelled nor as pool; None for
        none.
    """

    pool: np.ndarray
    first: np.ndarray
    test: np.ndarray | None = None
    validation: np.ndarray | None = None

    def __getstate__(self):
        # Runs in stores are known by the hash of this: without validation rows it is
        # what it was before there were any.
        state = dict(vars(self))
        if self.validation is None:
            del state["validation"]
        return state


def draw_split(
    y,
    *,
    n_initial,
    initial="auto",
    test_size=0.25,
    n_validation=0,
    pool=None,
    test=None,
    seed,
):
    """Draw test rows, validation rows and first labels.

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
        Number of validation rows, drawn from what is left, as the test rows are.

    pool, test : array-like of int, default=None
        A split made elsewhere, in place of ``test_size``: only the validation rows, out
        of the pool, and the first labels are drawn.

    seed : int or numpy.random.SeedSequence
        Of these draws alone.

    Returns
    -------
    split : Split
        Disjoint ``test``, ``validation`` and ``pool``, in ascending order; ``first`` is
        part of ``pool``. The test rows do not depend on ``n_validation``.

    Raises
    ------
    ValueError
        If there are not enough rows.
    """
    y = np.asarray(y)
    if initial not in INITIAL:
        raise ValueError(
            f"`initial` must be one of {INITIAL}. Got {initial!r} instead."
        )
    strata = None if initial == "uniform" else _strata(y, initial)
    rng = np.random.default_rng(seed)
    if pool is not None:
        pool = np.sort(np.asarray(pool, np.int64))
    else:
        pool = np.arange(len(y))
    if test is None and test_size is not None:
        test = np.sort(_draw(pool, _n_test(test_size, len(pool)), strata, rng))
        pool = np.setdiff1d(pool, test, assume_unique=True)
    validation = None
    if _check_n_validation(n_validation, len(pool)):
        validation = np.sort(_draw(pool, n_validation, strata, rng))
        pool = np.setdiff1d(pool, validation, assume_unique=True)
    if not 1 <= n_initial <= len(pool):
        raise ValueError(
            f"`n_initial` must be between 1 and the {len(pool)} rows of the pool. Got "
            f"{n_initial} instead."
        )
    return Split(pool, _draw(pool, n_initial, strata, rng), test, validation)


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
    if not 1 <= n_test < n_rows or (is_share and not 0 < test_size < 1):
        raise ValueError(
            "`test_size` must be a share between 0 and 1 or a number of rows, and "
            f"leave some of the {n_rows} rows. Got {test_size!r} instead."
        )
    return n_test


def _check_n_validation(n_validation, n_rows):
    is_int = isinstance(n_validation, Integral) and not isinstance(n_validation, bool)
    if not is_int or not 0 <= n_validation < n_rows:
        raise ValueError(
            "`n_validation` must be an int >= 0, and leave some of the "
            f"{n_rows} rows that are no test rows. Got {n_validation!r} instead."
        )
    return n_validation


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
