"""SimulatedActiveLearner: an estimator that spends a label budget on its own."""

from copy import deepcopy
from numbers import Integral

from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skbadge._compat import HasMethods, Interval, StrOptions, fit_context
from skbadge.experiment.simulation._simulation import (
    prepare,
    resolve_initial,
    simulate,
    total_budget,
)
from skbadge.experiment.simulation._split import INITIAL, draw_split
from skbadge.pools import n_rows
from skbadge.querier._check_rows import check_X
from skbadge.querier._checks import check_y
from skbadge.utils._streams import stream_seed


def _querier_has(method):
    """For `available_if`: whether the querier has a method."""

    def check(learner):
        getattr(getattr(learner, "querier_", learner.querier), method)
        return True

    return check


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

    initial : {"auto", "stratified", "uniform"}, default="auto"
        How the first rows are drawn: in proportion to the sizes of the classes, or all
        alike. "auto" stratifies if there are classes.

    n_validation : int, default=0
        Rows held out for the model's parameter ``validation_data``, for instance of
        `skbadge.nn.TabularNetRegressor`; see `active_learning_curve`. They count as no
        labels and are never asked for.

    random_state : None, int or RandomState, default=None
        Determines the first rows, training and queries.

    Attributes
    ----------
    querier_ : estimator object
        Trained on all labels it asked for.

    labeled_ : ndarray of shape (n_labeled,)
        int64 positions of these rows in ``X``, in order of labelling.

    classes_ : ndarray of shape (n_classes,)
        The labels, of a classifier.

    n_features_in_ : int
        Number of features, if ``X`` is a table.

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
        "n_initial": [Interval(Integral, 1, None, closed="left")],
        "n_query": [Interval(Integral, 1, None, closed="left")],
        "n_rounds": [Interval(Integral, 0, None, closed="left"), None],
        "budget": [Interval(Integral, 1, None, closed="left"), None],
        "initial": [StrOptions(set(INITIAL))],
        "n_validation": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        querier,
        *,
        n_initial=100,
        n_query=100,
        n_rounds=None,
        budget=None,
        initial="auto",
        n_validation=0,
        random_state=None,
    ):
        self.querier = querier
        self.n_initial = n_initial
        self.n_query = n_query
        self.n_rounds = n_rounds
        self.budget = budget
        self.initial = initial
        self.n_validation = n_validation
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y):
        """Start from a few labels, and ask for more until the budget is spent.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), or what the querier takes
            The rows.

        y : array-like of shape (n_rows,)
            Their labels. Those not asked for have no influence, except that all
            classes are known.

        Returns
        -------
        self : SimulatedActiveLearner
            Fitted.
        """
        budget = total_budget(self.n_initial, self.n_query, self.n_rounds, self.budget)
        root = self.random_state
        if not (root is None or isinstance(root, Integral)):
            root = int(check_random_state(root).randint(2**31 - 1))
        X = check_X(self, X, self.querier, name="X", reset=True)
        y = check_y(self, y, X, self.querier)
        split = draw_split(
            y,
            n_initial=max(1, min(self.n_initial, n_rows(X) - self.n_validation)),
            initial=resolve_initial(self, self.initial),
            test_size=None,
            n_validation=self.n_validation,
            seed=None if root is None else stream_seed(root, "start"),
        )
        querier = prepare(self.querier, y, root)
        rounds = simulate(querier, X, y, split, n_query=self.n_query, budget=budget)
        for _, state in rounds:
            self.querier_, self.labeled_ = state.querier, state.labeled
        return self

    @property
    def classes_(self):
        """The class labels of a classifier, an ndarray of shape (n_classes,)."""
        check_is_fitted(self)
        return self.querier_.classes_

    @available_if(_querier_has("predict"))
    def predict(self, X):
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
    def predict_proba(self, X):
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
    def decision_function(self, X):
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

    def score(self, X, y):
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
