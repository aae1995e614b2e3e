"""Rows held out for a model to stop its training by, given to it as it takes them."""

from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array

from skbadge.experiment.simulation._wrapped import estimator_of
from skbadge.outputs._pipeline import innermost, is_skorch_net
from skbadge.pools import is_table
from skbadge.querier import BadgeQuerier


class HeldOutPipeline(Pipeline):
    """Pipeline that hands rows held out, transformed, to the model at its end.

    A model that chooses its epoch by rows held out must see them as it sees the rows
    it is trained on. So the steps before it are fitted first, to the training rows
    alone, and then transform both.

    Parameters
    ----------
    steps : list of (str, estimator object)
        As of a Pipeline; the last one has a parameter ``validation_data``, which is
        replaced in `fit`.

    validation_data : tuple (X, y) or None, default=None
        Rows as the first step takes them, and their targets.

    memory, verbose : object
        As of a Pipeline.
    """

    def __init__(self, steps, *, validation_data=None, memory=None, verbose=False):
        super().__init__(steps, memory=memory, verbose=verbose)
        self.validation_data = validation_data

    def fit(self, X, y=None):
        """Fit the steps, and the model with the rows held out.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), or what the first step takes
            The rows.

        y : array-like of shape (n_rows,)
            Their targets.

        Returns
        -------
        self : HeldOutPipeline
            Fitted.
        """
        *steps, (name, model) = self.steps
        X_held_out, y_held_out = self.validation_data
        if steps:
            before = Pipeline(steps, memory=self.memory, verbose=self.verbose)
            X = before.fit_transform(X, y)
            X_held_out = before.transform(X_held_out)
            # With a memory, the fitted steps are others than those given.
            steps = before.steps
        model.set_params(validation_data=(X_held_out, y_held_out)).fit(X, y)
        self.steps = [*steps, (name, model)]
        return self


def check_takes_held_out(model):
    """Raise if a model has no use for rows held out, or they cannot get to it.

    The model is a `BadgeQuerier`, something around one, or an estimator for one.
    """
    estimator = model
    if isinstance(model, BadgeQuerier):
        estimator = estimator_of(model)
    elif isinstance(innermost(model), BadgeQuerier):
        raise ValueError(
            "With `n_validation`, nothing may be around the BadgeQuerier, for it gets "
            "the rows held out as they are: put the steps of a Pipeline inside it. "
            f"Got {type(model).__name__} around it."
        )
    if is_classifier(estimator):
        raise ValueError(
            "`n_validation` is for regressors: classifiers see labels as codes, which "
            f"rows held out have none of. Got {type(innermost(estimator)).__name__}."
        )
    while type(estimator) is Pipeline:
        estimator = estimator.steps[-1][1]
    params = estimator.get_params() if hasattr(estimator, "get_params") else {}
    if "validation_data" not in params:
        raise ValueError(
            "`n_validation` needs a model with a parameter `validation_data`, such as "
            "skbadge.nn.TabularNetRegressor, itself or at the end of a Pipeline. Got "
            f"{type(estimator).__name__} instead."
        )
    for name in ("validation_data", "validation_fraction"):
        if params.get(name) is not None:
            raise ValueError(
                f"With `n_validation`, the model's own `{name}` must be None: only one "
                "of them can choose the epoch."
            )


def with_held_out(querier, X, y):
    """A querier whose model is given these rows each time it is trained.

    It is changed in place, and not yet fitted.
    """
    check_takes_held_out(querier)
    estimator = estimator_of(querier)
    if is_skorch_net(estimator) and is_table(X):
        # That is what the querier makes of data frames for a net without steps before.
        X = check_array(X, accept_sparse="csr")
    return querier.set_params(estimator=_given(estimator, (X, y)))


def _given(estimator, data):
    if type(estimator) is not Pipeline:
        return estimator.set_params(validation_data=data)
    *steps, (name, model) = estimator.steps
    if type(model) is Pipeline:
        model = _given(model, None)
    return HeldOutPipeline(
        [*steps, (name, model)],
        validation_data=data,
        memory=estimator.memory,
        verbose=estimator.verbose,
    )
