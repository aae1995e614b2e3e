"""Uncertainty sampling: least confidence, margin and entropy."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from skbadge.outputs import Outputs
from skbadge.strategies._score_strategy import ScoreStrategy
from skbadge.utils._calibration import tempered
from skbadge.utils._chunks import row_chunks
from skbadge.utils._row_sums import row_sums_but


def margin_score(proba, temperature=1):
    """Minus the difference of the two greatest probabilities, at a temperature."""
    return _rowwise(_minus_margin, proba, temperature)


def entropy(proba, temperature=1):
    """Entropy of each row's probabilities at a temperature, in nats."""
    return _rowwise(_entropy, proba, temperature)


def _rowwise(function, proba, temperature):
    """Apply a function to float64 blocks of rows, so that no full copy is held.

    Probabilities of single precision, or with a few decimals, do not quite sum to 1:
    each row is divided by its sum.
    """
    scores = np.empty(len(proba))
    for rows in row_chunks(len(proba), proba.shape[1]):
        if temperature == 1:
            block = proba[rows].astype(np.float64)
            block /= block.sum(axis=1, keepdims=True)
        else:
            block = tempered(proba[rows], temperature)
        scores[rows] = function(block)
    return scores


def _others(proba):
    """Probability that the predicted class is wrong, to full relative precision."""
    return row_sums_but(proba, proba.argmax(axis=1))


def two_greatest(proba):
    """Greatest and second greatest of each row; the second of a single class is 0."""
    if proba.shape[1] == 1:
        return proba[:, 0], np.zeros(len(proba))
    greatest = np.partition(proba, -2, axis=1)
    return greatest[:, -1], greatest[:, -2]


def _minus_margin(proba):
    """Second greatest minus greatest, exactly 0 where the two are equal."""
    first, second = two_greatest(proba)
    return second - first


def _entropy(proba):
    """Sum of -p log p; for the predicted class from the others, which keep digits."""
    rows, predicted = np.arange(len(proba)), proba.argmax(axis=1)
    others = _others(proba)
    terms = entr(proba)
    terms[rows, predicted] = (others - 1) * np.log1p(-others)
    return terms.sum(axis=1)


class LeastConfidence(ScoreStrategy):
    """Rows whose most probable class is least probable.

    The score is one minus the greatest probability, between 0 and 1 - 1 / n_classes
    (Lewis and Gale [1]_; CONF in the BADGE paper).

    Parameters
    ----------
    noise, beta, distinct, uniform_share
        As for `ScoreStrategy`.

    References
    ----------
    .. [1] D. D. Lewis, W. A. Gale. "A sequential algorithm for training text
       classifiers". SIGIR 1994.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.outputs import Outputs
    >>> from skbadge.strategies import LeastConfidence
    >>> proba = np.array([[0.5, 0.5], [0.9, 0.1], [0.6, 0.4]])
    >>> LeastConfidence().score(Outputs(proba=proba)).round(2)
    array([0.5, 0.1, 0.4])
    """

    def score(self, pool: Outputs) -> NDArray[np.float64]:
        """One minus the greatest probability of each row."""
        return _rowwise(_others, pool.proba, 1)


class Margin(ScoreStrategy):
    """Rows whose two most probable classes are closest in probability.

    The score is minus the difference of the two, between -1 and 0 (Roth and Small
    [1]_; MARG in the BADGE paper). With ``noise="power"``, the weight is one minus the
    difference.

    Parameters
    ----------
    noise, beta, distinct, uniform_share
        As for `ScoreStrategy`.

    References
    ----------
    .. [1] D. Roth, K. Small. "Margin-based active learning for structured output
       spaces". ECML 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.outputs import Outputs
    >>> from skbadge.strategies import Margin
    >>> proba = np.array([[0.5, 0.5], [0.9, 0.1], [0.6, 0.4]])
    >>> Margin().score(Outputs(proba=proba)).round(2)
    array([ 0. , -0.8, -0.2])
    """

    lower_bound = -1.0

    def score(self, pool: Outputs) -> NDArray[np.float64]:
        """Minus the margin of each row."""
        return margin_score(pool.proba)


class Entropy(ScoreStrategy):
    """Rows whose class probabilities have the greatest entropy.

    In nats, between 0 and log(n_classes) (Wang and Shang [1]_; ENTROPY in the BADGE
    paper).

    Parameters
    ----------
    noise, beta, distinct, uniform_share
        As for `ScoreStrategy`.

    References
    ----------
    .. [1] D. Wang, Y. Shang. "A new active labeling method for deep learning".
       IJCNN 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.outputs import Outputs
    >>> from skbadge.strategies import Entropy
    >>> proba = np.array([[0.5, 0.5], [0.9, 0.1], [0.6, 0.4]])
    >>> Entropy().score(Outputs(proba=proba)).round(2)
    array([0.69, 0.33, 0.67])
    """

    def score(self, pool: Outputs) -> NDArray[np.float64]:
        """Entropy of each row's probabilities, in nats."""
        return entropy(pool.proba)
