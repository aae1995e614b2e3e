"""Temperatures: how much surer a classifier is than it is right."""

import numpy as np

from skbadge.utils._chunks import row_chunks

# Those that are tried, as in uncertainty herding (Bae et al., ICLR 2025).
TEMPERATURES = np.arange(10, 200) / 10
N_BINS = 15


def tempered(proba, temperature):
    """Probabilities whose logarithms are divided by a temperature, in float64."""
    with np.errstate(divide="ignore", over="ignore"):
        logs = np.log(proba.astype(np.float64))
        logs -= logs.max(axis=1, keepdims=True)
        logs /= temperature
    np.exp(logs, out=logs)
    logs /= logs.sum(axis=1, keepdims=True)
    return logs


def calibration_error(confidence, is_right):
    """The expected calibration error: of bins of equal width, by their shares.

    Parameters
    ----------
    confidence : ndarray of shape (n_rows,)
        Probability of the predicted class.

    is_right : ndarray of bool of shape (n_rows,)
        Whether it was the right one.

    Returns
    -------
    error : float
        Between 0 and 1.
    """
    bins = np.minimum((confidence * N_BINS).astype(np.int64), N_BINS - 1)
    # The share of a bin times the difference of its means.
    excess = np.bincount(bins, confidence - is_right, minlength=N_BINS)
    return float(np.abs(excess).sum() / len(confidence))


def best_temperature(proba, codes):
    """The temperature of least calibration error on held-out rows, the least of them.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        What was predicted for them.

    codes : ndarray of int of shape (n_rows,)
        The columns of the right classes.

    Returns
    -------
    temperature : float
        One of 1.0, 1.1, ..., 19.9.
    """
    is_right = proba.argmax(axis=1) == codes
    confidence = np.empty((len(TEMPERATURES), len(proba)))
    for rows in row_chunks(len(proba), proba.shape[1]):
        for i, temperature in enumerate(TEMPERATURES):
            confidence[i, rows] = tempered(proba[rows], temperature).max(axis=1)
    errors = [calibration_error(part, is_right) for part in confidence]
    return float(TEMPERATURES[np.argmin(errors)])
