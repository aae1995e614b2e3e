"""Uncertainty sampling: least confidence, margin and entropy."""

import numpy as np
from scipy.special import entr

from skbadge.strategies._base import ScoreStrategy
from skbadge.utils._chunks import row_chunks


def _rowwise(function, proba):
    """Apply a function to float64 blocks of rows, so that no full copy is held."""
    scores = np.empty(len(proba))
    for rows in row_chunks(len(proba), proba.shape[1]):
        scores[rows] = function(proba[rows].astype(np.float64))
    return scores


def _others(proba):
    """Probability that the predicted class is wrong, to full relative precision."""
    proba[np.arange(len(proba)), proba.argmax(axis=1)] = 0
    return proba.sum(axis=1)


class LeastConfidence(ScoreStrategy):
    """Rows whose most probable class is least probable.

    The score is one minus the greatest probability, between 0 and 1 - 1 / n_classes
    (Lewis and Gale [1]_; CONF in the BADGE paper).

    References
    ----------
    .. [1] D. D. Lewis, W. A. Gale. "A sequential algorithm for training text
       classifiers". SIGIR 1994.
    """

    def score(self, pool):
        """One minus the greatest probability of each row."""
        return _rowwise(_others, pool.proba)


class Margin(ScoreStrategy):
    """Rows whose two most probable classes are closest in probability.

    The score is minus the difference of the two, between -1 and 0 (Roth and Small
    [1]_; MARG in the BADGE paper).

    References
    ----------
    .. [1] D. Roth, K. Small. "Margin-based active learning for structured output
       spaces". ECML 2006.
    """

    def score(self, pool):
        """Minus the margin of each row."""

        def minus_margin(proba):
            second = np.partition(proba, -2, axis=1)[:, -2]
            return _others(proba) + second - 1.0

        return _rowwise(minus_margin, pool.proba)


class Entropy(ScoreStrategy):
    """Rows whose class probabilities have the greatest entropy.

    In nats, between 0 and log(n_classes) (Wang and Shang [1]_; ENTROPY in the BADGE
    paper).

    References
    ----------
    .. [1] D. Wang, Y. Shang. "A new active labeling method for deep learning".
       IJCNN 2014.
    """

    def score(self, pool):
        """Entropy of each row's probabilities, in nats."""
        return _rowwise(lambda proba: entr(proba).sum(axis=1), pool.proba)
