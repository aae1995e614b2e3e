"""The labelled rows, their labels as the model sees them, and training on them."""

from dataclasses import dataclass, field

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skbadge._labels import is_pretrained
from skbadge.outputs import innermost, is_skorch_net, n_outputs
from skbadge.utils._random import torch_seeded
from skbadge.utils._rows import concatenate_rows, first_rows, n_rows


@dataclass(frozen=True, eq=False)
class LabeledRows:
    """The labelled rows with the fit parameters that belong to them.

    Parameters
    ----------
    X : array-like, sparse matrix, data frame, tensor, dict or Dataset
        The rows.

    y : ndarray of shape (n_rows,)
        Their labels.

    params : dict
        Parameters of the estimator's ``fit``.
    """

    X: object
    y: np.ndarray
    params: dict = field(default_factory=dict)

    def extended(self, X, y, params):
        """These rows and more, with parameters of one entry a row put together.

        Raises
        ------
        ValueError
            If a parameter with one entry a row is given for some rows only.
        """
        merged = {**self.params, **params}
        for name in merged:
            mine, theirs = self.params.get(name), params.get(name)
            aligned = _is_aligned(mine, self.y), _is_aligned(theirs, y)
            if all(aligned):
                merged[name] = concatenate_rows(mine, theirs, name)
            elif any(aligned):
                given = "the earlier" if aligned[0] else "the new"
                raise ValueError(
                    f"`{name}` has one entry for each row, so it must be given for all "
                    f"rows or for none. It was given for {given} rows only."
                )
        X_all = concatenate_rows(self.X, X)
        return LabeledRows(X_all, np.concatenate([self.y, y]), merged)


def _is_aligned(value, y):
    if value is None or isinstance(value, str) or not hasattr(value, "__len__"):
        return False
    return n_rows(value) == len(y)


def is_frozen(estimator):
    """Whether an estimator is already trained and to be left so."""
    return isinstance(estimator, FrozenEstimator)


def fit_clone(estimator, rows, codec, *, seed, fit_params):
    """Train a clone of an estimator from scratch.

    Parameters
    ----------
    estimator : estimator object
        Stays as it is.

    rows : LabeledRows
        What to train on.

    codec : LabelCodec
        The labels' coding.

    seed : int or None
        Makes training reproducible, torch included. None leaves all to the estimator.

    fit_params : dict
        Parameters of the estimator's ``fit``, routed.

    Returns
    -------
    estimator : estimator object
        Fitted. A frozen estimator is returned as it is.
    """
    if is_frozen(estimator):
        return estimator
    estimator = clone(estimator)
    if seed is not None:
        _set_random_states(estimator, seed)
    return _fit(estimator, rows, codec, seed=seed, fit_params=fit_params)


def fit_further(estimator, rows, codec, *, seed, fit_params):
    """Go on training a fitted estimator, from the weights it has.

    Parameters and return value are those of `fit_clone`.

    Raises
    ------
    ValueError
        If the estimator cannot go on.
    """
    if is_frozen(estimator):
        return estimator
    names = [
        name
        for name in estimator.get_params()
        if name == "warm_start" or name.endswith("__warm_start")
    ]
    if not names:
        raise ValueError(
            "`warm_start=True` needs an estimator with a parameter `warm_start`. "
            f"Got {estimator!r} instead."
        )
    estimator.set_params(**dict.fromkeys(names, True))
    return _fit(estimator, rows, codec, seed=seed, fit_params=fit_params)


def _fit(estimator, rows, codec, *, seed, fit_params):
    y = rows.y
    predictor = innermost(estimator)
    trains_net = is_skorch_net(predictor) and not is_pretrained(estimator)
    if trains_net:
        from skbadge.nn._adapt import adapt_net, check_weights, encoded_target

        y = encoded_target(predictor, codec.encode(y))
        adapt_net(predictor, len(codec.classes))
    with torch_seeded(seed):
        try:
            estimator.fit(rows.X, y, **fit_params)
        except Exception as error:
            if trains_net:
                _explain(error, codec.classes)
            raise
    if trains_net:
        check_weights(innermost(estimator))
        width = n_outputs(estimator, first_rows(rows.X, 2))
        # A single logit tells two classes apart.
        codec.check_width(max(width, 2))
    return estimator


def _explain(error, classes):
    """Say what a net's failure in training most likely means."""
    if "out of bounds" in str(error):
        raise ValueError(
            f"The net has fewer outputs than the {len(classes)} classes {classes}. "
            "Give its last layer an output for each class."
        ) from error
    if "shapes cannot be multiplied" in str(error):
        raise ValueError(
            "A layer of the net is not as wide as its input. The rows of `X` must "
            f"have as many columns as the first layer has inputs: {error}."
        ) from error
    if "n_splits" in str(error):
        error.add_note(
            "The net holds out part of the labelled rows for validation, as skorch "
            "does by default. With few labels, turn that off: train_split=None."
        )


def _set_random_states(estimator, seed):
    """Seed what is left unseeded, in an order that does not depend on the session."""
    rng = np.random.RandomState(seed)
    params = estimator.get_params()
    for name in sorted(params):
        is_state = name == "random_state" or name.endswith("__random_state")
        if is_state and params[name] is None:
            estimator.set_params(**{name: int(rng.randint(2**31 - 1))})
