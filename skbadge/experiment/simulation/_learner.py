"""SimulatedActiveLearner: an estimator that spends a label budget on its own."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skbadge._compat import HasMethods, estimator_has, fit_context
from skbadge.experiment.simulation._schedule import SCHEDULE, total_budget
from skbadge.experiment.simulation._simulation import simulate
from skbadge.experiment.simulation._split import draw_start
from skbadge.experiment.simulation._wrapped import (
    check_initial,
    find_querier,
    model_of,
    rows_for,
)
from skbadge.monitoring import Monitor
from skbadge.pools import n_rows, take_rows
from skbadge.querier._checks import check_y
from skbadge.querier._feasibility import resolve_feasible
from skbadge.strategies import Strategy
from skbadge.utils._shown import parameters_shown
from skbadge.utils._streams import optional_seed
from skbadge.utils._typing import RandomState

# For `available_if`: whether the querier has a method.
_querier_has = partial(estimator_has, delegates=("querier_", "querier"))


class SimulatedActiveLearner(MetaEstimatorMixin, BaseEstimator):
    """Learn from a label budget spent by active learning, with ``y`` as the oracle.

    `fit` looks at `n_initial` labels only, then asks for more round by round. What it
    predicts is what the strategy achieved within its budget, so that searches such as
    `~sklearn.model_selection.GridSearchCV` can compare strategies, models and sizes.

    Parameters
    ----------
    querier : estimator object
        A `BadgeQuerier`, or a Pipeline or search that ends in one. It is cloned; its
        ``classes``, if None, become those of ``y``, and its ``random_state``, unless
        that of this estimator is None, is derived from that.

    n_initial : int, default=100
        Rows labelled from the start.

    n_query : int, default=100
        Rows asked for in a round.

    n_rounds : int or None, default=None
        Number of queries, 10 unless ``budget`` is given.

    budget : int or None, default=None
        In place of ``n_rounds``, number of labels at the end. With fewer rows than
        that, all of them are labelled in the end.

    initial : {"auto", "stratified", "uniform"}, str, Strategy or callable, \
            default="auto"
        How the first rows are drawn: in proportion to the sizes of the classes, or all
        alike. "auto" stratifies if there are classes. A strategy that needs no model
        asks for them instead, as the ``cold_start`` of the querier does; see
        `active_learning_curve`.

    n_validation : int, default=0
        Rows held out for the model's parameter ``validation_data``, for instance of
        `skbadge.nn.TabularNetRegressor`; see `active_learning_curve`. They count as no
        labels and are never asked for.

    monitor : Monitor or None, default=None
        A copy of it without its rounds gets each batch that was asked for, with its
        labels. Without reference rows, it draws some of the rows that may be labelled.

    random_state : None, int or RandomState, default=None
        Determines the first rows, training and queries.

    Attributes
    ----------
    querier_ : estimator object
        Trained on all labels it asked for.

    labeled_ : ndarray of shape (n_labeled,)
        int64 positions of these rows in ``X``, in order of labelling.

    monitor_ : Monitor or None
        The copy, with a round for each query.

    See Also
    --------
    active_learning_curve : Scores after every round.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.experiment import SimulatedActiveLearner
    >>> X, y = load_digits(return_X_y=True)
    >>> learner = SimulatedActiveLearner(
    ...     BadgeQuerier(LogisticRegression()),
    ...     n_initial=20, n_query=20, n_rounds=2, random_state=0,
    ... )
    >>> grid = {"querier__strategy": ["badge", "margin", "random"]}
    >>> search = GridSearchCV(learner, grid, cv=3).fit(X / 16, y)
    >>> len(search.best_estimator_.labeled_)
    60
    """

    _parameter_constraints: dict = {
        "querier": [HasMethods(["fit"])],
        **SCHEDULE,
        "monitor": [Monitor, None],
        "random_state": ["random_state"],
    }

    def _validate_params(self):
        with parameters_shown(vars(self)):
            super()._validate_params()

    def __init__(
        self,
        querier: BaseEstimator,
        *,
        n_initial: int = 100,
        n_query: int = 100,
        n_rounds: int | None = None,
        budget: int | None = None,
        initial: str | Strategy | Callable = "auto",
        n_validation: int = 0,
        monitor: Monitor | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.querier = querier
        self.n_initial = n_initial
        self.n_query = n_query
        self.n_rounds = n_rounds
        self.budget = budget
        self.initial = initial
        self.n_validation = n_validation
        self.monitor = monitor
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        candidates: ArrayLike | None = None,
        query_groups: ArrayLike | None = None,
        max_per_group: int = 1,
    ) -> Self:
        """Start from a few labels, and ask for more until the budget is spent.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), or what the querier takes
            The rows.

        y : array-like of shape (n_rows,)
            Their labels. Those not asked for have no influence, except that all
            classes are known.

        candidates : array-like of bool of shape (n_rows,) or None, default=None
            The rows that may be asked for after the first ones, and from the start with
            a strategy as ``initial``; see `BadgeQuerier.query`.

        query_groups : array-like of shape (n_rows,), "duplicates" or None, default=None
            The ``groups`` of each query, another thing than those of a splitter.

        max_per_group : int, default=1
            Rows of one group that a query may ask for.

        Returns
        -------
        self : SimulatedActiveLearner
            Fitted.
        """
        budget = total_budget(self.n_initial, self.n_query, self.n_rounds, self.budget)
        root = self.random_state
        if isinstance(root, np.random.RandomState):
            root = int(root.randint(2**31 - 1))
        X = rows_for(self.querier, X, "X")
        find_querier(self.querier).check_parameters()
        targets = check_y(self, y, X, model_of(self.querier))
        check_initial(self.querier, self.initial)
        told = None, query_groups, max_per_group, None
        groups = resolve_feasible(X, *told, name="query_groups", of="X").groups
        split = draw_start(
            self,
            targets,
            n_initial=max(1, min(self.n_initial, n_rows(X) - self.n_validation)),
            initial=self.initial,
            test_size=None,
            n_validation=self.n_validation,
            seed=optional_seed(root, "start"),
        )
        monitor = self.monitor
        if monitor is not None:
            monitor = monitor._started_anew(take_rows(X, split.pool))
        rounds = simulate(
            self.querier,
            X,
            targets,
            split,
            n_query=self.n_query,
            budget=budget,
            seed=root,
            candidates=_as_mask(candidates, len(targets)),
            groups=groups,
            max_per_group=max_per_group,
            monitor=monitor,
        )
        self.monitor_ = monitor
        for _, state in rounds:
            self.querier_, self.labeled_ = state.querier, state.labeled
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "querier_")

    @property
    def classes_(self) -> NDArray:
        """The class labels of a classifier, an ndarray of shape (n_classes,)."""
        return self._trained().classes_

    @property
    def n_features_in_(self) -> int:
        """Number of features, if the rows are a table."""
        return self._trained().n_features_in_

    @property
    def feature_names_in_(self) -> NDArray:
        """Names of the features, if the rows have any that are strings."""
        return self._trained().feature_names_in_

    @available_if(_querier_has("predict"))
    def predict(self, X: Any) -> NDArray:
        """Predict with the model trained on all labels asked for.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), or what the querier takes
            The rows.

        Returns
        -------
        y : ndarray of shape (n_rows,)
            The labels.
        """
        return self._trained().predict(X)

    @available_if(_querier_has("predict_proba"))
    def predict_proba(self, X: Any) -> NDArray:
        """Predict class probabilities, in the order of `classes_`.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), or what the querier takes
            The rows.

        Returns
        -------
        proba : ndarray of shape (n_rows, n_classes)
            The probabilities.
        """
        return self._trained().predict_proba(X)

    @available_if(_querier_has("decision_function"))
    def decision_function(self, X: Any) -> NDArray:
        """The model's decision function.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), or what the querier takes
            The rows.

        Returns
        -------
        decision : ndarray of shape (n_rows,) or (n_rows, n_classes)
            As the model computes it.
        """
        return self._trained().decision_function(X)

    def score(self, X: Any, y: ArrayLike) -> float:
        """Score the predictions, as the querier does.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), or what the querier takes
            The rows.

        y : array-like of shape (n_rows,)
            Their true labels.

        Returns
        -------
        score : float
            The greater, the better.
        """
        return self._trained().score(X, y)

    def _trained(self):
        check_is_fitted(self)
        return self.querier_

    def __sklearn_tags__(self):
        return deepcopy(get_tags(self.querier))


def _as_mask(candidates, n_rows):
    if candidates is None:
        return None
    mask = np.asarray(candidates)
    if mask.dtype != bool or mask.shape != (n_rows,):
        raise ValueError(
            f"`candidates` must be a boolean mask of the {n_rows} rows of `X`. Got "
            f"dtype {mask.dtype} and shape {mask.shape}."
        )
    return mask
