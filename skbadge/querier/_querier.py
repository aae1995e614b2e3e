"""BadgeQuerier: the scikit-learn face of the library."""

from collections.abc import Callable
from numbers import Integral
from time import perf_counter
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from skbadge._compat import HasMethods, Interval, StrOptions, fit_context
from skbadge.pools import n_rows
from skbadge.querier._asking import Asking
from skbadge.querier._checks import (
    check_estimator_kind,
    check_named_before,
    check_y,
    resolve_classes,
)
from skbadge.querier._codecs import is_pretrained
from skbadge.querier._feasibility import read_positions
from skbadge.querier._labeled_rows import LabeledRows
from skbadge.querier._strategy_in_use import check_strategy_suits, kind_of
from skbadge.querier._training import (
    check_takes_unlabeled,
    fit_clone,
    fit_further,
    make_codec,
    train,
)
from skbadge.strategies import Strategy, StrategyName, get_strategy
from skbadge.utils._typing import RandomState, Rows


class BadgeQuerier(Asking):
    """Ask a model which rows of an unlabelled pool to label next.

    Wraps a classifier or regressor, trains it on the labelled rows, and answers `query`
    with the positions of the pool's rows whose labels the strategy expects to teach it
    most. Predicts like the estimator it wraps, and is of its kind.

    Parameters
    ----------
    estimator : estimator object or None, default=None
        A skorch ``NeuralNetClassifier``, ``NeuralNetBinaryClassifier`` or
        ``NeuralNetRegressor``, unmodified; a scikit-learn classifier or regressor; or a
        `~sklearn.pipeline.Pipeline`, a search, a decision threshold or a
        `~sklearn.compose.TransformedTargetRegressor` around one. An already trained
        one goes into a `~sklearn.frozen.FrozenEstimator`. None stands for
        `skbadge.nn.TabularNetClassifier`. Nets anywhere inside, also as members of an
        ensemble, are trained on codes 0, 1, ... in place of the labels, and so are
        models that refuse other labels. A callable ``scoring`` is given codes then.

    strategy : str, Strategy or callable, default="badge"
        A name from `skbadge.strategies.get_strategy_names`, a strategy object, or a
        function ``(pool, n, *, labeled, random_state) -> rows``, see
        `skbadge.strategies.CallableStrategy`. For a regressor, the names "badge",
        "bald", "batch_bald" and "bait" mean their forms for regression, see
        `skbadge.strategies.get_strategy`.

    classes : array-like of shape (n_classes,) or None, default=None
        All labels that may ever occur, for early labelled sets miss some. The net
        keeps an output unit for each. None takes them from the labels. For a frozen
        net, the labels of its output units, in their order. None for a regressor.

    feature_layer : str, default="auto"
        The layer whose input are the features of a row, by its dotted name in the
        net's module. "auto" finds the last ``torch.nn.Linear``, the one whose output is
        the net's output.

    warm_start : bool, default=False
        Whether `partial_fit` goes on training from the weights there are. By default
        it trains from scratch.

    inference_batch_size : int or "auto", default="auto"
        Rows per forward pass of a net in `query`.

    random_state : None, int or RandomState, default=None
        With an int or a ``RandomState``, training (including torch, and every
        ``random_state`` of the estimator that is None) and queries are reproducible,
        and the global generators are left as they were found. None leaves them to
        NumPy's and torch's global generators.

    verbose : int, default=0
        Above 0, each call prints what it did and how long it took.

    Attributes
    ----------
    estimator_ : estimator object
        The fitted estimator.

    classes_ : ndarray of shape (n_classes,)
        The class labels, of a classifier.

    strategy_ : Strategy
        The strategy in use.

    X_labeled_ : same kind as ``X``, of shape (n_labeled, n_features)
        All labelled rows so far.

    y_labeled_ : ndarray of shape (n_labeled,) or (n_labeled, n_outputs)
        Their labels; targets in float64.

    n_features_in_ : int
        Number of features, if ``X`` is a table.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if ``X`` has any that are strings.

    See Also
    --------
    skbadge.query : Query a querier inside a Pipeline or a search.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> X, y = load_iris(return_X_y=True)
    >>> querier = BadgeQuerier(LogisticRegression(), random_state=0)
    >>> left = np.arange(len(X)) % 10 > 0
    >>> querier = querier.fit(X[~left], y[~left])
    >>> rows = querier.query(X, n=5, candidates=left)
    >>> querier = querier.partial_fit(X[rows], y[rows])
    >>> len(querier.y_labeled_)
    20
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit"]), None],
        "strategy": [str, Strategy, callable],
        "classes": ["array-like", None],
        "feature_layer": [str],
        "warm_start": ["boolean"],
        "inference_batch_size": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: BaseEstimator | None = None,
        *,
        strategy: StrategyName | Strategy | Callable = "badge",
        classes: ArrayLike | None = None,
        feature_layer: str = "auto",
        warm_start: bool = False,
        inference_batch_size: int | Literal["auto"] = "auto",
        random_state: RandomState = None,
        verbose: int = 0,
    ):
        self.estimator = estimator
        self.strategy = strategy
        self.classes = classes
        self.feature_layer = feature_layer
        self.warm_start = warm_start
        self.inference_batch_size = inference_batch_size
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: Rows, y: ArrayLike, *, X_unlabeled: Rows = None, **params: Any
    ) -> Self:
        """Start over: train on these labelled rows.

        Parameters
        ----------
        X : array-like of shape (n_labeled, n_features), or what the estimator takes
            The labelled rows.

        y : array-like of shape (n_labeled,) or (n_labeled, n_outputs)
            Their labels: strings, ints, or any that scikit-learn takes; for a
            regressor, numbers.

        X_unlabeled : same kind as ``X``, of shape (n_unlabeled, n_features), or None
            Unlabelled rows to train on as well, such as the pool; for estimators that
            can, such as `skbadge.nn.JointEntropyClassifier` or scikit-learn's
            semi-supervised classifiers. They are not kept, so every call that trains
            states them. The steps of a Pipeline are fitted to all rows and must not
            need labels, and no parameter may have one entry a row.

        **params : dict
            Passed to the estimator's ``fit``; routed, if metadata routing is enabled.
            Those with one entry a row are kept with the rows.

        Returns
        -------
        self : BadgeQuerier
            Fitted.
        """
        self._check_parts()
        X = self._check_X(X, reset=True)
        labels = check_y(self, y, X, self._estimator())
        for name in ("estimator_", "strategy_", "classes_", "_first_classes"):
            self.__dict__.pop(name, None)
        self._n_rounds, self._was_asked = 0, False
        return self._train(LabeledRows.of(X, labels, params), X_unlabeled)

    @fit_context(prefer_skip_nested_validation=False)
    def partial_fit(
        self,
        X: Rows = None,
        y: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        *,
        X_unlabeled: Rows = None,
        **params: Any,
    ) -> Self:
        """Add labelled rows, and train on all there are.

        The rows are kept first: if training fails, they are in `X_labeled_` and
        `y_labeled_` all the same, and ``partial_fit()`` without arguments trains again.

        Parameters
        ----------
        X : same kind as in `fit`, of shape (n_new, n_features), or None
            The rows to add; None adds none.

        y : array-like of shape (n_new,) or (n_new, n_outputs), or None
            Their labels or targets.

        classes : array-like of shape (n_classes,) or None
            All labels that may ever occur, if this is the first call and the parameter
            ``classes`` is None.

        X_unlabeled : same kind as ``X``, of shape (n_unlabeled, n_features), or None
            As in `fit`: the unlabelled rows of this training, not those of earlier
            calls.

        **params : dict
            As in `fit`. Those given there with one entry a row must be given here.

        Returns
        -------
        self : BadgeQuerier
            Fitted.
        """
        self._check_parts(classes)
        is_first = not hasattr(self, "_labeled")
        if X is None and y is None and not is_first:
            return self._train(self._labeled, X_unlabeled)
        X = self._check_X(X, reset=is_first)
        labels = check_y(self, y, X, self._estimator())
        if classes is not None:
            self._keep_classes(classes, is_first)
        if not is_first and len(self._labeled.y):
            rows = self._labeled.extended(X, labels, params)
        else:
            rows = LabeledRows.of(X, labels, params)
        return self._train(rows, X_unlabeled)

    def _train(self, rows, X_unlabeled=None):
        """Keep the labelled rows, then train on them."""
        if not len(rows.y):
            raise ValueError(
                "There are no labelled rows to train on: `forget` left none. Add some "
                "with `partial_fit(X, y)`."
            )
        start = perf_counter()
        estimator = self._estimator()
        if X_unlabeled is not None:
            check_takes_unlabeled(estimator, rows)
            X_unlabeled = self._check_unlabeled(X_unlabeled)
        fit_params = self._routed(estimator, rows.params)
        seed, classes = self._seed("train"), self._known_classes()
        codec = make_codec(estimator, rows, classes, seed=seed, fit_params=fit_params)
        goes_on = self.warm_start and hasattr(self, "estimator_")
        if goes_on and self._codec.is_coded:
            codec = self._codec.kept_for(codec)
        self._labeled = rows
        fitted, codec = train(
            fit_further if goes_on else fit_clone,
            self.estimator_ if goes_on else estimator,
            rows,
            codec,
            seed=seed,
            fit_params=fit_params,
            X_unlabeled=X_unlabeled,
        )
        self.estimator_, self._codec = fitted, codec
        self._is_pretrained = is_pretrained(estimator)
        if codec.classes is not None:
            self.classes_ = codec.classes
        self._use_strategy(estimator)
        self._n_rounds += self._was_asked
        self._was_asked = False
        self._say(f"trained on {len(rows.y)} rows in {perf_counter() - start:.2f} s")
        return self

    def _check_unlabeled(self, X):
        # The last round of a loop has an empty pool.
        if not np.isscalar(X) and n_rows(X) == 0:
            return None
        return self._check_X(X, reset=False, name="X_unlabeled")

    def _check_parts(self, classes=None):
        """Refuse what cannot work before it has cost a training."""
        estimator = self._estimator()
        named = self.classes if classes is None else classes
        check_estimator_kind(estimator, named)
        strategy = get_strategy(self.strategy, kind_of(estimator))
        strategy._validate_params()
        check_strategy_suits(strategy, estimator)

    def _keep_classes(self, classes, is_first):
        """Keep the classes of the first call; later ones may repeat them."""
        known = self.classes
        if known is None and is_first:
            self._first_classes = np.asarray(classes)
            return
        if known is None:
            known = getattr(self, "_first_classes", self.classes_)
        check_named_before(classes, known)

    def relabel(self, rows: ArrayLike, y: ArrayLike) -> Self:
        """Correct labels; the next `partial_fit` trains on them.

        Parameters
        ----------
        rows : array-like of distinct ints of shape (n_relabeled,), or boolean mask
            Positions in `X_labeled_`.

        y : array-like of shape (n_relabeled,) or (n_relabeled, n_outputs)
            The labels in place of those there are.

        Returns
        -------
        self : BadgeQuerier
            With other labels, and the same model until ``partial_fit()`` is called.

        Notes
        -----
        Positions in the pool are others. Keep a list of the rows of the pool in the
        order in which they were labelled, and look them up there.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skbadge import BadgeQuerier
        >>> X, y = load_iris(return_X_y=True)
        >>> labelled = [0, 50, 100, 10, 60]
        >>> querier = BadgeQuerier(LogisticRegression()).fit(X[labelled], y[labelled])
        >>> querier = querier.relabel([labelled.index(100)], [1]).partial_fit()
        >>> querier.y_labeled_
        array([0, 1, 1, 0, 1])
        """
        positions = self._labeled_positions(rows, "relabel")
        if not len(positions) and not len(np.asarray(y)):
            return self
        labels = check_y(self, y, positions, self._estimator())
        known = self._known_classes()
        if known is not None:
            resolve_classes(known, labels, keep_order=True)
        self._labeled = self._labeled.relabeled(positions, labels)
        return self

    def forget(self, rows: ArrayLike) -> Self:
        """Leave out labelled rows; the next `partial_fit` trains without them.

        Parameters
        ----------
        rows : array-like of distinct ints of shape (n_forgotten,), or boolean mask
            Positions in `X_labeled_`.

        Returns
        -------
        self : BadgeQuerier
            With fewer labelled rows, and the same model until ``partial_fit()`` is
            called.
        """
        positions = self._labeled_positions(rows, "forget")
        self._labeled = self._labeled.without(positions)
        return self

    def _labeled_positions(self, rows, method):
        if not hasattr(self, "_labeled"):
            raise NotFittedError(
                f"This {type(self).__name__} has no labelled rows yet. Call 'fit' "
                f"before using '{method}'."
            )
        return read_positions(rows, len(self._labeled.y), "rows", "X_labeled_")

    def _known_classes(self):
        """All labels that may occur, if they were named."""
        if self.classes is not None:
            return self.classes
        return getattr(self, "_first_classes", None)

    def check_parameters(self) -> None:
        """Refuse an estimator and a strategy that cannot work together.

        `fit` does this as well. Nothing is trained.

        Raises
        ------
        TypeError, ValueError
            Naming the parameter.
        """
        self._check_parts()

    @property
    def X_labeled_(self) -> Rows:
        """All labelled rows so far, of the kind that `fit` was given."""
        return self._kept("X")

    @property
    def y_labeled_(self) -> NDArray:
        """Their labels or targets, an ndarray with one entry for each."""
        return self._kept("y")

    def _kept(self, name):
        if not hasattr(self, "_labeled"):
            raise AttributeError(
                f"No rows are labelled yet. Call `fit` for `{name}_labeled_`."
            )
        return getattr(self._labeled, name)

    def set_params(self, **params: Any) -> Self:
        """Set parameters, those of the estimator and the strategy included.

        A name in place of a strategy, and None in place of the estimator, make way for
        the objects they stand for where a parameter of these is set:
        ``set_params(strategy__include_bias=True)``. What a name stands for is decided
        after all parameters of the estimator are set.

        Returns
        -------
        self : BadgeQuerier
            Itself.
        """
        for owner, resolve in (
            ("estimator", self._estimator),
            ("strategy", lambda: get_strategy(self.strategy, kind_of(self))),
        ):
            if owner in params:
                super().set_params(**{owner: params.pop(owner)})
            nested = [name for name in params if name.startswith(f"{owner}__")]
            before = getattr(self, owner)
            if nested:
                setattr(self, owner, resolve())
                try:
                    super().set_params(**{name: params.pop(name) for name in nested})
                except ValueError:
                    setattr(self, owner, before)
                    raise
        return super().set_params(**params)
