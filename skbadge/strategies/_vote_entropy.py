"""Vote entropy: rows on whose labels a committee is divided."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from skbadge.outputs import Outputs
from skbadge.strategies._posterior_score import PosteriorScore
from skbadge.utils._chunks import row_chunks


class VoteEntropy(PosteriorScore):
    r"""Rows on whose labels the posterior samples are divided when each has one vote.

    Query by committee (Dagan and Engelson [1]_): each posterior sample votes for its
    most probable class, and the score is the entropy of the shares :math:`v_k` of the
    votes,

    .. math:: - \sum_k v_k \log v_k,

    in nats, between 0 and ``min(log(n_posterior), log(n_classes))``. It is 0 where all
    vote alike. `Bald` also sees how sure the samples are of their votes. Of classes
    that are equally probable the first has the vote.

    Parameters
    ----------
    n_posterior : int, default=20
        Dropout masks to sample, for a net; at least 2. An ensemble has as many samples
        as members, whatever is asked for here.

    noise, beta, distinct, uniform_share
        As for `ScoreStrategy`.

    Notes
    -----
    Takes ``O(n_posterior * n_rows * n_classes)`` time. A few members leave few
    different scores, so that many rows tie; the order of equal ones is random.

    References
    ----------
    .. [1] I. Dagan, S. P. Engelson. "Committee-based sampling for training
       probabilistic classifiers". ICML 1995.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.outputs import Outputs
    >>> from skbadge.strategies import VoteEntropy
    >>> agreed, divided = [[0.6, 0.4], [0.9, 0.1]], [[0.6, 0.4], [0.1, 0.9]]
    >>> posterior = np.stack([agreed, divided], axis=1)
    >>> VoteEntropy().score(Outputs(posterior=posterior)).round(4)
    array([0.    , 0.6931])
    """

    def score(self, pool: Outputs) -> NDArray[np.float64]:
        """Entropy of the votes for each row's label, in nats."""
        return vote_entropy(pool.posterior)


def vote_entropy(posterior):
    """Entropy of the shares of the samples' most probable classes, float64.

    ``posterior`` has shape (n_posterior, n_rows, n_classes).
    """
    n_posterior, n_rows, n_classes = posterior.shape
    scores = np.empty(n_rows)
    for rows in row_chunks(n_rows, n_posterior * n_classes):
        votes = posterior[:, rows].argmax(axis=2)
        # A number for each row and class.
        votes += n_classes * np.arange(votes.shape[1])
        counts = np.bincount(votes.ravel(), minlength=n_classes * votes.shape[1])
        shares = counts.reshape(-1, n_classes) / n_posterior
        scores[rows] = entr(shares).sum(axis=1)
    return scores
