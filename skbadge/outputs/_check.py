"""Checks of what a model returned, each one pass over the arrays."""

import numpy as np

ROW_SUM_TOLERANCE = 1e-3


def check_outputs(outputs, hint, all_finite=False):
    """Raise unless everything is finite and the probabilities are probabilities.

    Parameters
    ----------
    outputs : Outputs
        What was read.

    hint : str
        What makes this kind of model return something else than probabilities.

    all_finite : bool, default=False
        Whether all values are known to be finite.

    Returns
    -------
    outputs : Outputs
        As given.

    Raises
    ------
    ValueError
        If values are NaN or infinite, or rows of ``proba`` have negative entries or
        do not sum to 1 within 1e-3.
    """
    if not (all_finite or outputs.proba is None or _all_finite(outputs.proba)):
        _raise_not_finite(
            outputs.proba,
            "The model predicts",
            "Either X has such values there, or the training diverged: lower the "
            "learning rate or standardise X.",
        )
    if not (all_finite or outputs.features is None or _all_finite(outputs.features)):
        _raise_not_finite(
            outputs.features,
            "The features, the input of the model's last layer, hold",
            "For a model without layers they are X itself: impute X, or choose a "
            "strategy that needs probabilities only.",
        )
    if not (all_finite or outputs.inputs is None or _all_finite(outputs.inputs)):
        _raise_not_finite(
            outputs.inputs,
            "The inputs of the model's first layer hold",
            "Impute X, or choose a strategy that needs probabilities only.",
        )
    if outputs.proba is not None:
        _check_probabilities(outputs.proba, hint)
    return outputs


def _all_finite(array):
    # A sum of squares is many times faster than `isfinite`, and not finite if any term
    # is. It may overflow, hence the exact check when it looks bad.
    flat = array.ravel(order="K")
    with np.errstate(over="ignore", invalid="ignore"):
        total = flat @ flat
    return np.isfinite(total) or np.isfinite(array).all()


def _raise_not_finite(array, subject, hint):
    bad = ~np.isfinite(array).all(axis=1)
    raise ValueError(
        f"{subject} NaN or infinite values for {bad.sum()} of {len(bad)} rows, the "
        f"first is row {bad.argmax()}. {hint}"
    )


def _check_probabilities(proba, hint):
    if proba.min() >= 0 and np.all(np.abs(_row_sums(proba) - 1) <= ROW_SUM_TOLERANCE):
        return
    bad = (proba < 0).any(axis=1) | (np.abs(_row_sums(proba) - 1) > ROW_SUM_TOLERANCE)
    row = bad.argmax()
    shown = np.array2string(proba[row], precision=4, threshold=10)
    raise ValueError(
        "Probabilities must be >= 0 and sum to 1 in each row. Got "
        f"{bad.sum()} of {len(bad)} rows where they do not, the first is row {row}: "
        f"{shown}. {hint}"
    )


def _row_sums(proba):
    # For few columns a product is much faster than a sum along the short axis.
    return proba @ np.ones(proba.shape[1], dtype=proba.dtype)
