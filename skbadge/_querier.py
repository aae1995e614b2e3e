"""BadgeQuerier: the scikit-learn face of the library."""

from numbers import Integral
from time import perf_counter

import numpy as np
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
    clone,
    is_classifier,
    is_regressor,
)
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)

from skbadge._checks import check_labels, check_X, resolve_classes
from skbadge._compat import (
    HasMethods,
    Interval,
    StrOptions,
    fit_context,
    routing_enabled,
)
from skbadge._delegation import PredictsLikeEstimator
from skbadge._labels import LabelCodec, is_pretrained, speaks_codes
from skbadge._learner import LabeledRows, fit_clone, fit_further
from skbadge._report import QueryReport
from skbadge.outputs import (
    Labeled,
    Outputs,
    innermost,
    is_skorch_net,
    model_outputs,
    n_outputs,
)
from skbadge.strategies import Strategy, get_strategy
from skbadge.utils._random import stream_seed, torch_seeded
from skbadge.utils._rows import first_rows, n_rows
from skbadge.utils._validation import check_n, check_rows


class BadgeQuerier(PredictsLikeEstimator, MetaEstimatorMixin, BaseEstimator):
    """Ask a model which rows of an unlabelled pool to label next.

    Wraps a classifier, trains it on the labelled rows, and answers `query` with the
    positions of the pool's rows whose labels the strategy expects to teach it most.
    Predicts like the classifier it wraps.

    Parameters
    ----------
    estimator : estimator object or None, default=None
        A skorch ``NeuralNetClassifier`` or ``NeuralNetBinaryClassifier``, unmodified; a
        scikit-learn classifier with ``predict_proba``; or a
        `~sklearn.pipeline.Pipeline` or a search around one. An already trained one
        goes into a `~sklearn.frozen.FrozenEstimator`. None stands for
        `skbadge.nn.TabularNetClassifier`.

    strategy : str, Strategy or callable, default="badge"
        A name from `skbadge.strategies.get_strategy_names`, a strategy object, or a
        function ``(pool, n, *, labeled, random_state) -> rows``, see
        `skbadge.strategies.CallableStrategy`.

    classes : array-like of shape (n_classes,) or None, default=None
        All labels that may ever occur, for early labelled sets miss some. The net
        keeps an output unit for each. None takes them from the labels. For a frozen
        net, the labels of its output units, in their order.

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
        The class labels.

    strategy_ : Strategy
        The strategy in use.

    X_labeled_ : same kind as ``X``, of shape (n_labeled, n_features)
        All labelled rows so far.

    y_labeled_ : ndarray of shape (n_labeled,)
        Their labels.

    n_features_in_ : int
        Number of features, if ``X`` is a table.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if ``X`` has any that are strings.

    See Also
    --------
    skbadge.query : Query a querier inside a Pipeline or a search.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> X, y = load_iris(return_X_y=True)
    >>> querier = BadgeQuerier(LogisticRegression(), random_state=0)
    >>> querier = querier.fit(X[::10], y[::10])
    >>> rows = querier.query(X, n=5)
    >>> querier = querier.partial_fit(X[rows], y[rows])
    >>> len(querier.y_labeled_)
    20
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"]), None],
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
        estimator=None,
        *,
        strategy="badge",
        classes=None,
        feature_layer="auto",
        warm_start=False,
        inference_batch_size="auto",
        random_state=None,
        verbose=0,
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
    def fit(self, X, y, **params):
        """Start over: train on these labelled rows.

        Parameters
        ----------
        X : array-like of shape (n_labeled, n_features), or what the estimator takes
            The labelled rows.

        y : array-like of shape (n_labeled,)
            Their labels: strings, ints, or any that scikit-learn takes.

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
        y = check_labels(self, y, X)
        for name in ("estimator_", "_first_classes"):
            self.__dict__.pop(name, None)
        return self._train(LabeledRows(X, y, params))

    @fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X=None, y=None, classes=None, **params):
        """Add labelled rows, and train on all there are.

        The rows are kept first: if training fails, they are in `X_labeled_` and
        `y_labeled_` all the same, and ``partial_fit()`` without arguments trains again.

        Parameters
        ----------
        X : same kind as in `fit`, of shape (n_new, n_features), or None
            The rows to add; None adds none.

        y : array-like of shape (n_new,) or None
            Their labels.

        classes : array-like of shape (n_classes,) or None
            All labels that may ever occur, if this is the first call and the parameter
            ``classes`` is None.

        **params : dict
            As in `fit`. Those given there with one entry a row must be given here.

        Returns
        -------
        self : BadgeQuerier
            Fitted.
        """
        self._check_parts()
        is_first = not hasattr(self, "_labeled")
        if X is None and y is None and not is_first:
            return self._train(self._labeled)
        X = self._check_X(X, reset=is_first)
        y = check_labels(self, y, X)
        if classes is not None:
            self._keep_classes(classes, is_first)
        if not is_first:
            return self._train(self._labeled.extended(X, y, params))
        return self._train(LabeledRows(X, y, params))

    def _train(self, rows):
        """Keep the labelled rows, then train on them."""
        start = perf_counter()
        estimator = self._estimator()
        codec = self._make_codec(estimator, rows)
        goes_on = self.warm_start and hasattr(self, "estimator_")
        if goes_on and codec.is_coded:
            _check_same_classes(self._codec.classes, codec.classes)
        self._labeled = rows
        train = fit_further if goes_on else fit_clone
        fitted = train(
            self.estimator_ if goes_on else estimator,
            rows,
            codec,
            seed=self._seed("train"),
            fit_params=self._routed(estimator, rows.params),
        )
        self.estimator_, self._codec = fitted, codec
        self.classes_ = codec.classes
        self.strategy_ = clone(get_strategy(self.strategy))
        self._say(f"trained on {len(rows.y)} rows in {perf_counter() - start:.2f} s")
        return self

    def _check_parts(self):
        """Refuse what cannot work before it has cost a training."""
        get_strategy(self.strategy)._validate_params()
        estimator = self._estimator()
        model = innermost(estimator)
        if is_regressor(estimator) or (
            is_skorch_net(model) and not is_classifier(model)
        ):
            raise ValueError(
                "`estimator` must be a classifier, such as skorch's "
                f"NeuralNetClassifier. Got {type(model).__name__}, which is none."
            )

    def _keep_classes(self, classes, is_first):
        """Keep the classes of the first call; later ones may repeat them."""
        known = self.classes
        if known is None and is_first:
            self._first_classes = np.asarray(classes)
            return
        if known is None:
            known = getattr(self, "_first_classes", self.classes_)
        if set(np.asarray(classes).tolist()) != set(np.asarray(known).tolist()):
            raise ValueError(
                "`classes` must be the labels named before, "
                f"{np.asarray(known).tolist()}. Got {np.asarray(classes).tolist()}. "
                "Name all labels that may ever occur in the parameter `classes`."
            )

    def _make_codec(self, estimator, rows):
        classes = self.classes
        if classes is None:
            classes = getattr(self, "_first_classes", None)
        is_coded, pretrained = speaks_codes(estimator), is_pretrained(estimator)
        if classes is None and pretrained:
            if is_coded:
                width = n_outputs(estimator, first_rows(rows.X, 2))
                classes = np.arange(max(width, 2))
            else:
                classes = estimator.classes_
        resolved = resolve_classes(classes, rows.y, keep_order=pretrained)
        if is_coded and len(resolved) < 2:
            raise ValueError(
                f"`y` holds one class only, {resolved.tolist()}, but a net needs at "
                "least two. Label rows of another class, or name all labels ahead with "
                "`classes`."
            )
        return LabelCodec(resolved, is_coded)

    def query(self, X_pool, n=1, *, return_report=False):
        """Select the rows of a pool to label next.

        Parameters
        ----------
        X_pool : array-like of shape (n_pool, n_features), or what the estimator takes
            The unlabelled rows.

        n : int, default=1
            Number of rows to select. If there are fewer, all are returned, with a
            `skbadge.exceptions.QueryWarning`.

        return_report : bool, default=False
            Whether to return a `QueryReport` as well.

        Returns
        -------
        rows : ndarray of shape (n,)
            int64 positions in ``X_pool``, distinct, in order of selection.

        report : QueryReport
            Only if ``return_report`` is True.

        Raises
        ------
        NotFittedError
            If there is no trained model yet.
        ValueError
            If ``n`` is negative, ``X_pool`` is not what the model was trained on, or
            the model predicts NaN.
        """
        self._validate_params()
        estimator = self._trained_estimator("query")
        strategy = self._current_strategy()
        start = perf_counter()
        X_pool = self._check_X(X_pool, reset=False, name="X_pool")
        n = check_n(n, n_rows(X_pool))
        with torch_seeded(self._seed("inference")):
            pool = self._outputs(estimator, X_pool, strategy.needs)
            labeled = self._labeled_outputs(estimator, strategy.needs)
        read = perf_counter()
        rng = self.random_state if self.random_state is None else self._seed("query")
        selection = strategy.run(pool, n, labeled=labeled, random_state=rng)
        done = perf_counter()
        rows = check_rows(selection.rows, n, len(pool), str(strategy))
        report = QueryReport(
            strategy=str(strategy),
            n_pool=len(pool),
            rows=rows,
            values=selection.values,
            value_name=selection.value_name,
            norms=selection.norms,
            fallbacks=selection.fallbacks,
            seconds={"outputs": read - start, "select": done - read},
            nbytes=pool.nbytes + selection.nbytes,
            n_distances=selection.n_distances,
        )
        self._say(str(report))
        return (rows, report) if return_report else rows

    def _outputs(self, estimator, X, needs):
        fields = tuple(name for name in needs if name != "labeled")
        if not fields:
            return Outputs(n_rows=n_rows(X))
        outputs = model_outputs(
            estimator,
            X,
            needs=fields,
            feature_layer=self.feature_layer,
            batch_size=self.inference_batch_size,
        )
        if outputs.proba is not None and hasattr(self, "_codec"):
            self._codec.check_width(outputs.proba.shape[1])
        return outputs

    def _labeled_outputs(self, estimator, needs):
        if "labeled" not in needs or not hasattr(self, "_labeled"):
            return None
        outputs = self._outputs(estimator, self._labeled.X, needs)
        return Labeled(outputs, self._labeled.y)

    @property
    def X_labeled_(self):
        """All labelled rows so far, of the kind that `fit` was given."""
        return self._kept("X")

    @property
    def y_labeled_(self):
        """Their labels, an ndarray of shape (n_labeled,)."""
        return self._kept("y")

    def _kept(self, name):
        if not hasattr(self, "_labeled"):
            raise AttributeError(
                f"No rows are labelled yet. Call `fit` for `{name}_labeled_`."
            )
        return getattr(self._labeled, name)

    def _estimator(self):
        """The estimator to train, by default the library's net."""
        if self.estimator is None:
            from skbadge.nn import TabularNetClassifier

            return TabularNetClassifier()
        return self.estimator

    def _any_estimator(self):
        return getattr(self, "estimator_", None) or self._estimator()

    def _trained_estimator(self, method):
        if hasattr(self, "estimator_"):
            return self.estimator_
        if isinstance(self.estimator, FrozenEstimator):
            return self.estimator
        raise NotFittedError(
            f"This {type(self).__name__} is not fitted yet. Call 'fit' with the "
            f"labelled rows before using '{method}'."
        )

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_") or isinstance(
            self.estimator, FrozenEstimator
        )

    def _check_X(self, X, *, reset, name="X"):
        return check_X(self, X, self._any_estimator(), name=name, reset=reset)

    def _current_strategy(self):
        """The fitted strategy, unless the parameters were changed since."""
        wanted = get_strategy(self.strategy)
        fitted = getattr(self, "strategy_", None)
        if type(fitted) is type(wanted) and str(fitted) == str(wanted):
            return fitted
        return clone(wanted)

    def _seed(self, stream):
        if self.random_state is None:
            return None
        return stream_seed(self.random_state, stream)

    def _say(self, message):
        if self.verbose:
            print(f"[{type(self).__name__}] {message}")

    def set_params(self, **params):
        """Set parameters, those of the estimator and the strategy included.

        A name in place of a strategy, and None in place of the estimator, make way for
        the objects they stand for where a parameter of these is set:
        ``set_params(strategy__include_bias=True)``.

        Returns
        -------
        self : BadgeQuerier
            Itself.
        """
        for owner, resolve in (
            ("strategy", lambda: get_strategy(self.strategy)),
            ("estimator", self._estimator),
        ):
            if owner in params:
                super().set_params(**{owner: params.pop(owner)})
            if any(name.startswith(f"{owner}__") for name in params):
                setattr(self, owner, resolve())
        return super().set_params(**params)

    def get_metadata_routing(self):
        """Metadata that `fit` and `partial_fit` pass on to the estimator's ``fit``.

        Returns
        -------
        routing : MetadataRouter
            The routing.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        mapping.add(caller="partial_fit", callee="fit")
        router = MetadataRouter(owner=type(self).__name__)
        return router.add(estimator=self._estimator(), method_mapping=mapping)

    def _routed(self, estimator, params):
        if not routing_enabled():
            return params
        return process_routing(self, "fit", **params).estimator.fit

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self._estimator())
        tags.input_tags = inner.input_tags
        tags.non_deterministic = inner.non_deterministic
        if inner.classifier_tags is not None:
            tags.classifier_tags.multi_class = inner.classifier_tags.multi_class
        return tags


def _check_same_classes(known, classes):
    if not np.array_equal(known, classes):
        new = np.setdiff1d(classes, known).tolist()
        raise ValueError(
            f"`y` holds labels that did not occur before: {new}. With "
            "`warm_start=True` the net's outputs cannot change their meaning; name all "
            "labels ahead with `classes`."
        )
