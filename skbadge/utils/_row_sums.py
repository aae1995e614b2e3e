"""Rows that should be probabilities, and sum to 1 but for rounding."""

import numpy as np

from skbadge.utils._row_errors import row_error

# Probabilities may be rounded to three decimals, each off by half of the last one. The
# tolerance of a sum grows with the number of classes, between these limits.
LEAST_TOLERANCE, GREATEST_TOLERANCE = 1e-3, 5e-2
HALF_DECIMAL = 5e-4

# Sums that are off by no more, as in float32, are left as they are.
ROUNDING = 1e-5


def row_sums(proba):
    """Sums of the rows, in float64."""
    # A product with ones is many times faster than a sum along the short axis.
    sums = proba @ np.ones(proba.shape[1], dtype=proba.dtype)
    return sums.astype(np.float64, copy=False)


def row_sums_but(proba, column):
    """Probabilities of all classes but one of each row, free of cancellation."""
    others = proba.copy()
    others[np.arange(len(proba)), column] = 0
    return others.sum(axis=1)


def tolerance(n_classes):
    """How far from 1 a sum of so many probabilities may be."""
    rounded = np.clip(HALF_DECIMAL * n_classes, LEAST_TOLERANCE, GREATEST_TOLERANCE)
    return float(rounded) + ROUNDING


def improper_rows(proba, sums):
    """Which rows are no probabilities: negative, NaN, or of another sum than 1."""
    # Written so that NaN fails as well.
    improper = ~(np.abs(sums - 1) <= tolerance(proba.shape[1]))
    if not proba.min(initial=0.0) >= 0:
        improper |= ~(proba >= 0).all(axis=1)
    return improper


def proper_rows(proba, refusal):
    """Probabilities, each row divided by its sum if any of them needs it.

    Raises if rows are none: ``refusal`` makes the message, which calls the first of
    them ``{row}``, of how many there are, of its entries and of their sum.
    """
    sums = row_sums(proba)
    bad = improper_rows(proba, sums)
    if not bad.any():
        return renormalized(proba, sums)
    row = bad.argmax()
    shown = np.array2string(proba[row], precision=4, threshold=10)
    raise row_error(refusal(f"{bad.sum()} of {len(bad)} rows", shown, sums[row]), row)


def renormalized(proba, sums):
    """Each row divided by its sum, if any of them needs it; else as given."""
    if np.all(np.abs(sums - 1) <= ROUNDING):
        return proba
    return proba / sums[:, None].astype(proba.dtype)
