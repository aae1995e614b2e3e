"""Checks of what a model returned, each one pass over the arrays."""

from dataclasses import replace

import numpy as np
from scipy import sparse

from skbadge.utils._row_sums import improper_rows, renormalized, row_sums

# What may hold values that are not finite: what it is called, and what to do.
SUBJECTS = {
    "proba": (
        "The model predicts",
        "Either X has such values there, or the training diverged: lower the learning "
        "rate or standardise X.",
    ),
    "features": (
        "The features, the input of the model's last layer, hold",
        "For a model without layers they are X itself: impute X, or choose a strategy "
        "that needs probabilities only.",
    ),
    "inputs": (
        "The inputs of the model's first layer hold",
        "Impute X, or choose a strategy that needs probabilities only.",
    ),
}


def check_outputs(outputs, hint, all_finite=False):
    """Raise unless everything is finite and the probabilities are probabilities.

    Those that are off by rounding are divided by their sum. The hint says what makes
    this kind of model return something else.
    """
    for name in SUBJECTS:
        array = getattr(outputs, name)
        if not (all_finite or array is None or _all_finite(array)):
            raise not_finite_error(name, _not_finite_rows(array))
    if outputs.proba is None:
        return outputs
    return replace(outputs, proba=_checked(outputs.proba, hint))


def _all_finite(array):
    """Whether all values of an array are finite."""
    # A sum of squares is many times faster than `isfinite`, and not finite if any term
    # is. It may overflow, hence the exact check when it looks bad.
    values = array.data if sparse.issparse(array) else array
    flat = values.ravel(order="K")
    with np.errstate(over="ignore", invalid="ignore"):
        total = flat @ flat
    return np.isfinite(total) or np.isfinite(values).all()


def _not_finite_rows(array):
    """Which rows hold a value that is not finite."""
    if not sparse.issparse(array):
        return ~np.isfinite(array).all(axis=1)
    entries = array.tocoo()
    bad = np.zeros(array.shape[0], dtype=bool)
    bad[entries.row[~np.isfinite(entries.data)]] = True
    return bad


def not_finite_error(name, bad, which="rows"):
    """Make the error for rows of a field that hold values that are not finite."""
    subject, hint = SUBJECTS[name]
    return ValueError(
        f"{subject} NaN or infinite values for {bad.sum()} of {len(bad)} {which}, the "
        f"first is row {bad.argmax()}. {hint}"
    )


def _checked(proba, hint):
    """Probabilities that sum to 1, unless a row is no distribution."""
    sums = row_sums(proba)
    bad = improper_rows(proba, sums)
    if not bad.any():
        return renormalized(proba, sums)
    row = bad.argmax()
    shown = np.array2string(proba[row], precision=4, threshold=10)
    raise ValueError(
        "Probabilities must be >= 0 and sum to 1 in each row, but for rounding to "
        f"three decimals. Got {bad.sum()} of {len(bad)} rows where they do not, the "
        f"first is row {row}: {shown}, of sum {sums[row]:.6g}. {hint}"
    )
