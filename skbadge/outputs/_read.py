"""The face of this layer: what a fitted model says about rows."""

from dataclasses import replace
from math import prod
from numbers import Integral

from sklearn.base import is_classifier

from skbadge.outputs import _sklearn, _sklearn_gradients
from skbadge.outputs._outputs import Outputs
from skbadge.outputs._pipeline import is_skorch_net, unwrap
from skbadge.outputs._posterior_samples import read_posterior

NEEDS = ("proba", "features")
ALL_NEEDS = (*NEEDS, "posterior", "inputs", "gradients")


def model_outputs(
    estimator,
    X,
    *,
    needs: tuple[str, ...] = NEEDS,
    feature_layer: str = "auto",
    batch_size: int | str = "auto",
    n_posterior: int = 20,
    sketch_size: int | None = None,
    random_state=None,
) -> Outputs:
    """Read probabilities and penultimate features of a model in one forward pass.

    Posterior samples of the probabilities, if needed, take a pass for each, and
    gradients a backward pass.

    Nets are run in inference mode, batch by batch. Train modes, hooks, gradients and
    torch's global generators are left as they were found.

    Parameters
    ----------
    estimator : estimator object
        Fitted: a skorch net, a scikit-learn ``MLPClassifier`` or ``MLPRegressor``
        (features are the last hidden layer), or any other scikit-learn model (features
        are its input). Pipelines, searches, frozen estimators and transformed targets
        around it are opened. A regressor has features only.

    X : array-like of shape (n_rows, ...)
        Rows as ``estimator`` takes them: arrays, sparse matrices and DataFrames; for
        nets also tensors, torch datasets, dicts and lists of arrays. Nets get them in
        the dtype of their parameters, see `cast_input`.

    needs : tuple of str, default=("proba", "features")
        What to read, of "proba", "features", "posterior", "inputs" and "gradients".
        Nothing else is computed or held.

        "posterior" are probabilities by samples of the model's posterior. For nets,
        these are random dropout masks [1]_: only the modules ``Dropout``,
        ``Dropout1d`` to ``Dropout3d``, ``AlphaDropout`` and ``FeatureAlphaDropout``
        act as in training, and each sample's masks are shared by all rows. For
        ensembles that predict the mean of their members, such as
        ``BaggingClassifier``, ``VotingClassifier(voting="soft")``,
        ``RandomForestClassifier`` and ``ExtraTreesClassifier``, they are the members'
        probabilities; members may be nets.

        "inputs" are what the first linear or convolution layer of a net is given,
        flattened; for other models, their input.

        "gradients" are those with respect to the weights and biases of all linear
        layers and convolutions of a net, of a multi-layer perceptron or of a linear
        model: the blocks of the layers side by side, as `GradientBuffer` holds them.
        For a regressor it is the output that is differentiated (of a linear model, the
        linear predictor), and each of several outputs has blocks of its own; for a
        classifier the cross-entropy at the predicted label, as in BADGE. Parameters
        that are not trained (``requires_grad=False``) do not count, nor do
        normalisation layers; other trained parameters, such as those of embeddings and
        recurrent layers, do not either, with a `QueryWarning` that names them. For
        bagging and voting, the gradients of the members side by side.

    feature_layer : str, default="auto"
        For nets, the module whose input are the features, by its name in
        ``named_modules()``. ``"auto"`` is the last linear layer whose output is the
        net's output, as it is or after a softmax, log-softmax or sigmoid.

    batch_size : int or "auto", default="auto"
        Rows in one forward pass of a net or multi-layer perceptron. ``"auto"`` takes
        about 8 MiB of input, between the net's own batch size and 8192 rows. Nets with
        data loading of their own (a dataset class, a ``collate_fn``, an overridden
        ``get_iterator``) keep their own batches.

    n_posterior : int, default=20
        Dropout masks to sample, for nets. An ensemble has as many posterior samples as
        members.

    sketch_size : int or None, default=None
        Columns to sketch gradients to while they are read, so that the gradients
        themselves are never held, see `skbadge.embeddings.sketch`. Gradients
        of fewer columns are kept as they are. None holds the factors of all layers.

    random_state : None, int or RandomState, default=None
        Draws the dropout masks and the sketch. The same int gives the same ones: pool
        and labelled rows are to be sketched alike.

    Returns
    -------
    outputs : Outputs
        Floating arrays with as many rows as ``X``, float32 for nets of half precision.
        An entry that is not in ``needs`` is None. The features of a model without
        hidden layers may share memory with ``X``.

    Raises
    ------
    NotFittedError
        If ``estimator`` is not fitted.
    TypeError
        If probabilities are needed and the model has none, or posterior samples are
        and it is neither a net nor an ensemble, or gradients are and it is no net,
        multi-layer perceptron, linear model or ensemble of them.
    ValueError
        If a parameter or layer name is not valid, the model's values are NaN or
        infinite, its probabilities do not sum to 1, or posterior samples are needed
        and a net has no dropout or an ensemble's members do not count equally, or
        gradients are needed and a net's layers are not given the rows along their first
        dimension.

    Notes
    -----
    Besides the result, memory holds the activations of one batch. Time is that of one
    forward pass over the rows; with features, ``feature_layer="auto"`` runs a few rows
    (one batch, with data loading of the net's own) a second time. Posterior samples
    add a forward pass each, or one of each member, and are held in float32. Gradients
    add a backward pass, one for each output of a regressor, in batches of an eighth of
    the usual size, and hold ``n_rows * sketch_size`` numbers. Exactly, they hold the
    sum of the layers' widths for each row, but a number for each weight of a layer that
    is applied at several positions, as convolutions are.

    Layers are watched by hooks: a subclass of ``torch.nn.Linear`` that scales its
    weights or its bias says so in ``weight_factor`` and ``bias_factor``.

    References
    ----------
    .. [1] Y. Gal, Z. Ghahramani. "Dropout as a Bayesian approximation: representing
       model uncertainty in deep learning". ICML 2016.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skbadge.outputs import model_outputs
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier(8, max_iter=2000, random_state=0).fit(X, y)
    >>> outputs = model_outputs(mlp, X)
    >>> outputs.proba.shape, outputs.features.shape
    ((150, 3), (150, 8))
    """
    needs = _check_needs(needs)
    _check_batch_size(batch_size)
    predictor, X = unwrap(estimator, X)
    if sketch_size is not None:
        _check_positive_int(sketch_size, "sketch_size")
    apart = ["posterior"] if is_skorch_net(predictor) else ["posterior", "gradients"]
    together = tuple(name for name in needs if name not in apart)
    found = {}
    options = {"sketch_size": sketch_size, "seed": random_state}
    outputs = None
    if together:
        outputs = _read(predictor, X, together, feature_layer, batch_size, options)
    if "gradients" in needs and "gradients" in apart:
        proba = None if outputs is None else outputs.proba
        found["gradients"] = _gradients(predictor, X, proba, batch_size, options)
    if "posterior" in needs:
        _check_positive_int(n_posterior, "n_posterior")
        found["posterior"] = read_posterior(
            predictor,
            X,
            lambda member, rows: (
                model_outputs(
                    member, rows, needs=("proba",), batch_size=batch_size
                ).proba
            ),
            n_posterior=n_posterior,
            batch_size=batch_size,
            random_state=random_state,
        )
    return Outputs(**found) if outputs is None else replace(outputs, **found)


def _read(predictor, X, needs, feature_layer, batch_size, options):
    if is_skorch_net(predictor):
        from skbadge.outputs import _skorch

        return _skorch.read_net(
            predictor, X, needs, feature_layer, batch_size, **options
        )
    if feature_layer != "auto":
        raise ValueError(
            "`feature_layer` must be 'auto' unless the model is a skorch net. Got "
            f"{feature_layer!r} for a {type(predictor).__name__}."
        )
    return _sklearn.read_sklearn(predictor, X, needs, batch_size)


def _gradients(predictor, X, proba, batch_size, options):
    """Gradients of a model that is no net."""
    if isinstance(predictor, _sklearn_gradients.ENSEMBLES):

        def read(member, rows, seed):
            return model_outputs(
                member,
                rows,
                needs=("gradients",),
                batch_size=batch_size,
                sketch_size=options["sketch_size"],
                random_state=seed,
            ).gradients

        return _sklearn_gradients.ensemble_gradients(predictor, X, read, **options)
    if proba is None and is_classifier(predictor):
        proba = _sklearn.read_sklearn(predictor, X, ("proba",), batch_size).proba
    return _sklearn_gradients.read_gradients(
        predictor, X, proba, batch_size=batch_size, **options
    )


def n_outputs(estimator, X) -> int:
    """Count the output units of a fitted net, by running a few rows.

    Parameters
    ----------
    estimator : estimator object
        Fitted or initialized skorch net, or a wrapper around one.

    X : array-like of shape (n_rows, ...)
        Rows as ``estimator`` takes them; a few are enough.

    Returns
    -------
    n_outputs : int
        1 for a net with a single logit.

    Raises
    ------
    NotFittedError
        If the net is not initialized.
    TypeError
        If the model is not a skorch net.
    """
    return prod(output_shape(estimator, X))


def output_shape(estimator, X) -> tuple[int, ...]:
    """Shape of what a fitted net returns for one row, by running a few rows.

    Parameters, and what is raised, are those of `n_outputs`.

    Returns
    -------
    shape : tuple of int
        ``(n_outputs,)``, or ``()`` for a net that returns one number for each row
        without an axis of its own.
    """
    predictor, X = unwrap(estimator, X)
    if not is_skorch_net(predictor):
        raise TypeError(
            f"`estimator` must be a skorch net. Got {type(predictor).__name__} instead."
        )
    from skbadge.outputs import _skorch

    return _skorch.net_output_shape(predictor, X)


def cast_input(module, X):
    """Convert rows to what a torch module takes.

    Parameters
    ----------
    module : torch.nn.Module
        Its first floating parameter or buffer gives the dtype.

    X : ndarray, tensor, sparse matrix, DataFrame, or dict or list of those
        Anything else is returned as it is.

    Returns
    -------
    X : ndarray, tensor, sparse matrix, or dict or list of those
        Floating values in the module's dtype (a tensor if numpy lacks it). Integers
        and booleans too, unless the module has an ``Embedding`` or there are several
        inputs, where they may be codes or masks. A numeric DataFrame becomes one
        array, or a dict of columns if the module's ``forward`` takes several inputs.
        Not copied where nothing changes, unless torch could not share its memory, as
        with read-only arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> cast_input(nn.Linear(2, 3), np.array([[1, 2]]))
    array([[1., 2.]], dtype=float32)
    """
    from skbadge.outputs import _skorch

    return _skorch.cast_input(module, X)


def _check_needs(needs):
    needs = (needs,) if isinstance(needs, str) else tuple(needs)
    if not needs or not set(needs) <= set(ALL_NEEDS):
        raise ValueError(f"`needs` must be one or more of {ALL_NEEDS}. Got {needs!r}.")
    return needs


def _check_batch_size(batch_size):
    if batch_size != "auto" and not _is_positive_int(batch_size):
        raise ValueError(
            f"`batch_size` must be 'auto' or an int >= 1. Got {batch_size!r} instead."
        )


def _check_positive_int(value, name):
    if not _is_positive_int(value):
        raise ValueError(f"`{name}` must be an int >= 1. Got {value!r} instead.")


def _is_positive_int(value):
    is_int = isinstance(value, Integral) and not isinstance(value, bool)
    return is_int and value >= 1
