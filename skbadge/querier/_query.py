"""Querying through a Pipeline or a search."""

import warnings
from copy import copy
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from skbadge.exceptions import QueryWarning
from skbadge.outputs._pipeline import check_refit, is_search, unwrap, wrapped
from skbadge.pools import ChunkedPool, as_pool, check_masked_parts
from skbadge.querier._querier import BadgeQuerier
from skbadge.querier._query_report import QueryReport
from skbadge.utils._typing import Int, Rows


@overload
def query(
    fitted: BaseEstimator,
    X_pool: Rows,
    n: Int = ...,
    *,
    candidates: ArrayLike | None = ...,
    groups: ArrayLike | str | None = ...,
    max_per_group: Int = ...,
    pending: ArrayLike | None = ...,
    subsample: Int | None = ...,
    return_report: Literal[False] = ...,
) -> NDArray[np.int64]: ...


@overload
def query(
    fitted: BaseEstimator,
    X_pool: Rows,
    n: Int = ...,
    *,
    candidates: ArrayLike | None = ...,
    groups: ArrayLike | str | None = ...,
    max_per_group: Int = ...,
    pending: ArrayLike | None = ...,
    subsample: Int | None = ...,
    return_report: Literal[True],
) -> tuple[NDArray[np.int64], QueryReport]: ...


def query(
    fitted: BaseEstimator,
    X_pool: Rows,
    n: Int = 1,
    *,
    candidates: ArrayLike | None = None,
    groups: ArrayLike | str | None = None,
    max_per_group: Int = 1,
    pending: ArrayLike | None = None,
    subsample: Int | None = None,
    return_report: bool = False,
) -> NDArray[np.int64] | tuple[NDArray[np.int64], QueryReport]:
    """Query the `BadgeQuerier` inside a Pipeline or search.

    scikit-learn's ``Pipeline`` and searches have no ``query``. This finds the querier,
    applies the steps before it to the pool, and asks it. Before the first `fit`, clones
    of these steps are fitted to the pool without labels, as those in the estimator of
    the querier are; of a search, with the parameters that its estimator has.

    Parameters
    ----------
    fitted : estimator object
        A `BadgeQuerier`, or a `~sklearn.pipeline.Pipeline` that ends in one, or a
        search such as `~sklearn.model_selection.GridSearchCV` around either.

    X_pool : array-like of shape (n_pool, n_features)
        The unlabelled rows, as ``fitted`` takes them. Of a data frame, the answer says
        positions, as for ``X_pool.iloc[rows]``.

    n : int, default=1
        Number of rows to select.

    candidates, groups, max_per_group, pending, subsample
        As for `BadgeQuerier.query`.

    return_report : bool, default=False
        Whether to return a `QueryReport` as well.

    Returns
    -------
    rows : ndarray of shape (n,)
        int64 positions in ``X_pool``, distinct, in order of selection.

    report : QueryReport
        Only if ``return_report`` is True.

    Notes
    -----
    A search over strategies compares nothing, for they have no part in a training: a
    fitted one that varied them is warned of. To compare strategies by the models that
    their labels make, search over a `skbadge.experiment.SimulatedActiveLearner`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> import skbadge
    >>> X, y = load_iris(return_X_y=True)
    >>> querier = skbadge.BadgeQuerier(LogisticRegression(), random_state=0)
    >>> pipeline = make_pipeline(StandardScaler(), querier).fit(X[::2], y[::2])
    >>> len(skbadge.query(pipeline, X[1::2], n=5))
    5
    """
    # Steps before the querier may drop the mask.
    check_masked_parts(X_pool, "X_pool")
    _warn_of_searched_strategies(fitted)
    X_pool = as_pool(X_pool)
    if isinstance(X_pool, ChunkedPool) and not isinstance(fitted, BadgeQuerier):
        raise TypeError(
            "Steps before a querier do not take a pool in chunks. Put the steps into "
            "the querier's estimator: BadgeQuerier(make_pipeline(...))."
        )
    querier = _with_steps_inside(fitted)
    if querier is None:
        querier, X_pool = unwrap(fitted, X_pool)
    if not isinstance(querier, BadgeQuerier):
        raise TypeError(
            "`fitted` must be a BadgeQuerier, or a Pipeline or search that ends in "
            f"one. Got {type(querier).__name__} at the end instead."
        )
    ask: Any = querier.query
    return ask(
        X_pool,
        n,
        candidates=candidates,
        groups=groups,
        max_per_group=max_per_group,
        pending=pending,
        subsample=subsample,
        return_report=return_report,
    )


def _with_steps_inside(fitted):
    """A copy of a querier that was never fitted, with the steps before it inside.

    None if it was, with what is around it, or if there is nothing around it.
    """
    chain = wrapped(fitted)
    querier = chain[-1]
    if (
        len(chain) == 1
        or not isinstance(querier, BadgeQuerier)
        or any(isinstance(part, FrozenEstimator) for part in chain)
        or querier._n_labeled()
        or not querier._starts_cold()
    ):
        return None
    estimator = querier._estimator()
    for part in reversed(chain[:-1]):
        if is_search(part):
            check_refit(part)
        if isinstance(part, Pipeline):
            name, _ = part.steps[-1]
            estimator = Pipeline([*part.steps[:-1], (name, estimator)])
    querier = copy(querier)
    querier.estimator = estimator
    return querier


def _warn_of_searched_strategies(fitted):
    """Warn if a search varied the strategy of the querier that it trained."""
    for search in filter(is_search, wrapped(fitted)):
        tried = getattr(search, "cv_results_", {}).get("params", [])
        inside = {"": search.estimator, **search.estimator.get_params()}
        chain = [id(part) for part in wrapped(search.estimator)]
        for name in set().union(*tried):
            before, found, _ = f"__{name}__".partition("__strategy__")
            owner = inside.get(before.removeprefix("__"))
            values = [params.get(name) for params in tried]
            if (
                found
                and isinstance(owner, BadgeQuerier)
                and id(owner) in chain
                and any(value is not values[0] for value in values)
            ):
                warnings.warn(
                    f"{type(search).__name__} varied {name!r}, which has no part in a "
                    "training: all its values have the same score. To compare "
                    "strategies, search over a "
                    "skbadge.experiment.SimulatedActiveLearner(querier), with the "
                    "parameter `querier__strategy`.",
                    QueryWarning,
                    stacklevel=3,
                )
