"""BadgeQuerier: the scikit-learn face of the library."""

from collections.abc import Callable
from numbers import Integral
from os import PathLike
from time import perf_counter
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from skbadge._compat import HasMethods, Interval, StrOptions, fit_context
from skbadge.pools import n_rows
from skbadge.querier._checks import (
    check_two_classes,
    check_y,
    explain_one_class,
)
from skbadge.querier._codecs import is_pretrained
from skbadge.querier._labeled_rows import LabeledRows
from skbadge.querier._parameters import Parametrized
from skbadge.querier._training import (
    check_feature_layer,
    check_no_new_labels,
    check_takes_unlabeled,
    fit_clone,
    fit_further,
    make_codec,
    train,
)
from skbadge.strategies import Strategy, StrategyName
from skbadge.utils._shared_state import exclusive, seeded
from skbadge.utils._typing import RandomState, Rows


class BadgeQuerier(Parametrized):
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
        `skbadge.nn.TabularNetClassifier`. skorch's nets hold out a fifth of the
        labelled rows unless they have ``train_split=None``: pass it while labels are
        few. Nets anywhere inside, also as members of an ensemble, are trained on codes
        0, 1, ... in place of the labels, and so are models that refuse other labels. A
        callable ``scoring`` is given codes then.

    strategy : str, Strategy or callable, default="badge"
        A name from `skbadge.strategies.get_strategy_names`, a strategy object, or a
        function ``(pool, n, *, labeled, random_state) -> rows``, see
        `skbadge.strategies.CallableStrategy`. For a regressor, the names "badge",
        "bald", "batch_bald" and "bait" mean their forms for regression, see
        `skbadge.strategies.get_strategy`. It has no part in `fit`, so that a search
        over strategies needs a `skbadge.experiment.SimulatedActiveLearner`.

    cold_start : str, Strategy, callable or None, default="max_herding"
        What selects in `query` while there is no trained model: a strategy that reads
        the rows alone, such as "max_herding", "core_set" or "random", or one of your
        own whose ``needs`` are among "features", "inputs", "labeled" and "ids".
        Features and inputs are then the rows themselves, columns standardised; see
        `query` for what becomes of texts, tables and images. None refuses to select
        before there is a model. A `~sklearn.frozen.FrozenEstimator` is one.

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
        it trains from scratch. If that fails, the model is put back as it was. Forests
        and the like cannot: they only add members.

    inference_batch_size : int or "auto", default="auto"
        Rows per forward pass of a net in `query`.

    storage : "auto", str, path-like or None, default="auto"
        Where `query` keeps what the model says about the pool. "auto" takes memory
        while that needs less than half of what is available (within the limits of
        control groups and, in a worker of joblib, of its share), and files in a
        temporary folder for the rest. A path names a folder to put all of it in, but
        for arrays below 32 MiB. None takes memory only. No file outlives the query,
        however it ends.

    random_state : None, int or RandomState, default=None
        With an int or a ``RandomState``, training (every ``random_state`` of the
        estimator that is None included) and queries are reproducible. Code that draws
        from NumPy's, Python's or torch's global generators is seeded, and they are left
        as they were found. Each net in an ensemble or a search has a seed of its own,
        so that ``n_jobs`` makes no difference; nor does it to other parts that draw by
        a ``random_state`` of theirs. Steps of your own that draw from global generators
        are not seeded in processes of ``n_jobs``. None leaves all to the global
        generators.

    verbose : int, default=0
        Above 0, each call prints what it begins and what it did, with the time that it
        took, and every ten seconds how far it is: rows read, or picked. What the
        estimator prints is up to its own ``verbose``.

    Attributes
    ----------
    estimator_ : estimator object
        The fitted estimator.

    classes_ : ndarray of shape (n_classes,)
        The class labels, of a classifier.

    strategy_ : Strategy
        The strategy in use.

    X_labeled_ : same kind as ``X``, of shape (n_labeled, n_features)
        Copies of all labelled rows so far. Of torch Datasets, what cannot be copied
        and what lies in files is shared.

    y_labeled_ : ndarray of shape (n_labeled,) or (n_labeled, n_outputs)
        Their labels; targets in float64.

    n_features_in_ : int
        Number of features, if ``X`` is a table.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if ``X`` has any that are strings.

    See Also
    --------
    skbadge.query : Query a querier inside a Pipeline or a search.

    Notes
    -----
    Several threads may use one querier. They take turns to train and to run the model,
    and select at the same time. Threads that a strategy or an estimator of your own
    starts and waits for must leave queriers and the library's nets alone, for their
    turn would never come; processes may use them.

    Files that callbacks of nets write, such as skorch's ``Checkpoint``, are in their
    place once a training has ended; trainings side by side do not meet in them.

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
        "cold_start": [str, Strategy, callable, None],
        "classes": ["array-like", None],
        "feature_layer": [str],
        "warm_start": ["boolean"],
        "inference_batch_size": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "storage": [str, PathLike, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: BaseEstimator | None = None,
        *,
        strategy: StrategyName | Strategy | Callable = "badge",
        cold_start: StrategyName | Strategy | Callable | None = "max_herding",
        classes: ArrayLike | None = None,
        feature_layer: str = "auto",
        warm_start: bool = False,
        inference_batch_size: int | Literal["auto"] = "auto",
        storage: str | PathLike | None = "auto",
        random_state: RandomState = None,
        verbose: int = 0,
    ):
        self.estimator = estimator
        self.strategy = strategy
        self.cold_start = cold_start
        self.classes = classes
        self.feature_layer = feature_layer
        self.warm_start = warm_start
        self.inference_batch_size = inference_batch_size
        self.storage = storage
        self.random_state = random_state
        self.verbose = verbose

    @exclusive()
    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: Rows, y: ArrayLike, *, X_unlabeled: Rows = None, **params: Any
    ) -> Self:
        """Start over: train on these labelled rows.

        What is refused beforehand changes nothing. If training fails, the model of
        before is gone, and the rows are kept as by `partial_fit`.

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
        with self._as_it_was_if_refused():
            X = self._check_X(X, reset=True)
            labels = check_y(self, y, X, self._estimator())
            for name in (
                "estimator_",
                "strategy_",
                "classes_",
                "_first_classes",
                "_classes_as_named",
            ):
                self.__dict__.pop(name, None)
            self._n_rounds, self._was_asked = 0, False
            self._n_losses += 1
            return self._train(LabeledRows.of(X, labels, params), X_unlabeled)

    @exclusive()
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
        So does the same call: rows that come again after their training failed take the
        place of the earlier ones, with the labels that they have now.

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
        with self._as_it_was_if_refused():
            X = self._check_X(X, reset=is_first)
            labels = check_y(self, y, X, self._estimator())
            if classes is not None:
                self._keep_classes(classes, is_first)
            kept = None if is_first else self._labeled.without_those_retried(X)
            if kept is not None and len(kept.y):
                rows = kept.extended(X, labels, params)
            else:
                rows = LabeledRows.of(X, labels, params)
            return self._train(rows, X_unlabeled)

    def _train(self, rows, X_unlabeled=None):
        """Keep the labelled rows, then train on them.

        Other threads that train or read wait, for torch has one generator for all.
        """
        seed = self._seed("train")
        with seeded(seed):
            return self._train_seeded(rows, X_unlabeled, seed)

    def _train_seeded(self, rows, X_unlabeled, seed):
        if not len(rows.y):
            raise ValueError(
                "There are no labelled rows to train on: `forget` left none. Add some "
                "with `partial_fit(X, y)`."
            )
        start = perf_counter()
        self._say(f"training on {len(rows.y):,} rows")
        estimator = self._estimator()
        check_feature_layer(estimator, self.feature_layer)
        if X_unlabeled is not None:
            check_takes_unlabeled(estimator, rows)
            X_unlabeled = self._check_unlabeled(X_unlabeled)
        lent = rows.lent()
        fit_params = self._routed(estimator, lent.params)
        classes = self._known_classes()
        codec = make_codec(estimator, rows, classes, seed=seed, fit_params=fit_params)
        goes_on = self.warm_start and hasattr(self, "estimator_")
        if goes_on and self._codec.is_coded:
            codec = self._codec.kept_for(codec)
        elif goes_on and codec.classes is not None:
            check_no_new_labels(self.estimator_, rows.y)
        self._labeled = rows
        if codec.classes is not None:
            self._warn_of_labels(rows)
        if codec.is_coded:
            check_two_classes(codec.classes)
        try:
            fitted, codec = train(
                fit_further if goes_on else fit_clone,
                self.estimator_ if goes_on else estimator,
                lent,
                codec,
                seed=seed,
                fit_params=fit_params,
                X_unlabeled=X_unlabeled,
            )
        except Exception as error:
            if codec.classes is not None:
                explain_one_class(error, rows.y)
            raise
        self._labeled = rows.trained()
        self.estimator_, self._codec, self._temperature = fitted, codec, None
        self._is_pretrained = is_pretrained(estimator)
        if codec.classes is not None:
            self.classes_ = codec.classes
        self._use_strategy(estimator)
        self._n_rounds += self._was_asked
        self._was_asked = False
        self._say(f"trained on {len(rows.y):,} rows in {perf_counter() - start:.2f} s")
        return self

    def _check_unlabeled(self, X):
        # The last round of a loop has an empty pool.
        if not np.isscalar(X) and n_rows(X) == 0:
            return None
        return self._check_X(X, reset=False, name="X_unlabeled")
