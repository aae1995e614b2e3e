"""Checks of what a model returned, each one pass over the arrays."""

import numpy as np

ROW_SUM_TOLERANCE = 1e-3


def check_outputs(outputs, hint):
    """Raise unless everything is finite and the probabilities are probabilities.

    Parameters
    ----------
    outputs : Outputs
        What was read.

    hint : str
        What makes this kind of model return something else than probabilities.

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
    parts = [part for part in (outputs.proba, outputs.features) if part is not None]
    if not all(map(_all_finite, parts)):
        _raise_not_finite(parts)
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


def _raise_not_finite(parts):
    bad = np.zeros(len(parts[0]), dtype=bool)
    for part in parts:
        bad |= ~np.isfinite(part).all(axis=1)
    raise ValueError(
        f"The model predicts NaN or infinite values for {bad.sum()} of {len(bad)} "
        f"rows, the first is row {bad.argmax()}. Either X has such values there, or "
        "the training diverged: lower the learning rate or standardise X."
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
