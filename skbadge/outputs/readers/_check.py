"""Checks of what a model returned, each one pass over the arrays."""

from dataclasses import replace

from skbadge.utils._row_errors import row_error
from skbadge.utils._row_sums import proper_rows
from skbadge.utils._validation import not_finite_rows

# For each field: how an error about values that are not finite begins, and its hint.
SUBJECTS = {
    "proba": (
        "The model predicts",
        "Either X has such values there, or the training diverged: lower the learning "
        "rate or standardise X.",
    ),
    "prediction": (
        "The model predicts",
        "The training may have diverged: lower the learning rate or standardise X.",
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


def check_outputs(outputs, hint, finite=(), are_proper=False):
    """Raise unless everything is finite and the probabilities are probabilities.

    Those that are off by rounding are divided by their sum. The hint says what makes
    this kind of model return something else.

    Parameters
    ----------
    outputs : Outputs
        What the model returned.

    hint : str
        The end of an error about probabilities.

    finite : collection of str, default=()
        Fields that are known to be finite.

    are_proper : bool, default=False
        Whether probabilities are known to be some, if they are finite.
    """
    for name in SUBJECTS:
        if name in finite:
            continue
        array = getattr(outputs, name)
        bad = None if array is None else not_finite_rows(array)
        if bad is not None:
            raise not_finite_error(name, bad)
    if outputs.proba is None or are_proper:
        return outputs
    return replace(outputs, proba=_checked(outputs.proba, hint))


def not_finite_error(name, bad, which="rows"):
    """Make the error for rows of a field that hold values that are not finite."""
    subject, hint = SUBJECTS[name]
    return row_error(
        f"{subject} NaN or infinite values for {bad.sum()} of {len(bad)} {which}, the "
        f"first is row {{row}}. {hint}",
        bad.argmax(),
    )


def _checked(proba, hint):
    """Probabilities that sum to 1, unless a row is no distribution."""
    return proper_rows(
        proba,
        lambda rows, shown, total: (
            "Probabilities must be >= 0 and sum to 1 in each row, but for rounding to "
            f"three decimals. Got {rows} where they do not, the first is row {{row}}: "
            f"{shown}, of sum {total:.6g}. {hint}"
        ),
    )
