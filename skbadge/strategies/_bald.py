"""BALD: rows on whose labels the samples of the model's posterior disagree."""

import numpy as np
from numpy.typing import NDArray

from skbadge.outputs import Outputs
from skbadge.strategies._joint_information import mutual_information
from skbadge.strategies._posterior_score import PosteriorScore


class Bald(PosteriorScore):
    r"""Rows whose labels say most about the model's parameters, each by itself.

    The score is the mutual information of a row's label and the model's parameters,
    Bayesian active learning by disagreement (Houlsby et al. [1]_; with dropout for
    nets, Gal et al. [2]_): for class probabilities :math:`p_s` by posterior samples
    :math:`s`

    .. math:: H\left(\frac1S \sum_s p_s\right) - \frac1S \sum_s H(p_s),

    in nats, between 0 and ``min(log(n_posterior), log(n_classes))``. It is 0 where all
    samples say the same, be it that they are all in doubt.

    Parameters
    ----------
    n_posterior : int, default=20
        Dropout masks to sample, for a net; at least 2. An ensemble has as many samples
        as members, whatever is asked for here; boosting at most as many as half of its
        stages.

    noise, beta, distinct, uniform_share
        As for `ScoreStrategy`. "power_bald" of the literature is ``noise="power"``.

    Notes
    -----
    Takes ``O(n_posterior * n_rows * n_classes)`` time, and 4 bytes of memory for each
    of these numbers, which are read before. Rows with high scores tend to be alike:
    `BatchBald` takes them jointly, and noise spreads them.

    References
    ----------
    .. [1] N. Houlsby, F. Huszár, Z. Ghahramani, M. Lengyel. "Bayesian active learning
       for classification and preference learning". arXiv:1112.5745, 2011.
    .. [2] Y. Gal, R. Islam, Z. Ghahramani. "Deep Bayesian active learning with image
       data". ICML 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.outputs import Outputs
    >>> from skbadge.strategies import Bald
    >>> doubt, disagreement = [[0.5, 0.5], [0.5, 0.5]], [[1.0, 0.0], [0.0, 1.0]]
    >>> posterior = np.stack([doubt, disagreement], axis=1)
    >>> Bald().score(Outputs(posterior=posterior)).round(4)
    array([0.    , 0.6931])
    """

    def score(self, pool: Outputs) -> NDArray[np.float64]:
        """Mutual information of each row's label and the parameters, in nats."""
        return mutual_information(pool.posterior)
