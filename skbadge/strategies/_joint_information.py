"""Entropies of posterior samples: of one row's label, and of several rows' labels."""

from dataclasses import dataclass

import numpy as np
from scipy.special import kl_div, logsumexp

from skbadge.utils._chunks import row_chunks
from skbadge.utils._ranking import draw_weighted

# Differences in nats below which rounding alone tells rows apart.
QUANTUM = 1e-12

TINY = np.finfo(np.float64).tiny

# Numbers in a block of rows: 2 MiB, to stay in cache.
BLOCK = 2**18


def mutual_information(posterior):
    r"""Information that each row's label gives on which posterior sample is right.

    With class probabilities :math:`p_s` by posterior samples and their mean
    :math:`\bar p`, it is :math:`\frac1S \sum_s \mathrm{KL}(p_s \| \bar p)`: a sum of
    terms none of which is negative, and not a difference of entropies.

    Parameters
    ----------
    posterior : ndarray of shape (n_posterior, n_rows, n_classes)
        Floating, rows sum to 1.

    Returns
    -------
    information : ndarray of shape (n_rows,)
        float64, in nats, between 0 and ``min(log(n_posterior), log(n_classes))``.
        Exactly 0 where no more than rounding tells the samples apart.
    """
    n_posterior, n_rows, n_classes = posterior.shape
    information = np.empty(n_rows)
    cost = 4 * n_posterior * n_classes
    for block in row_chunks(n_rows, cost, BLOCK, minimum=1):
        proba = normalized(posterior[:, block])
        # Terms p ln(p / q) - p + q, whose last two sum to 0 over the classes.
        divergence = kl_div(proba, proba.mean(axis=0))
        information[block] = divergence.sum(axis=2).mean(axis=0)
    information[information <= QUANTUM] = 0
    return information


def normalized(proba):
    """Probabilities in float64 that sum to 1."""
    # The rounding of single precision would show in the bounds.
    proba = proba.astype(np.float64)
    proba /= proba.sum(axis=-1, keepdims=True)
    return proba


def _log(proba):
    """Logarithms, minus infinity of 0."""
    with np.errstate(divide="ignore"):
        return np.log(proba)


@dataclass(frozen=True, eq=False)
class Configurations:
    """Joint labels that several rows may have, and how probable each is.

    They are either all that are possible, or drawn from their distribution: then each
    posterior sample draws as many of them as the others, one sample after another.

    Parameters
    ----------
    log_joint : ndarray of shape (n_configurations, n_posterior)
        Log-probability of each by each posterior sample, float64. In logarithms, as
        the product of many probabilities underflows.

    is_drawn : bool
        Whether they were drawn.
    """

    log_joint: np.ndarray
    is_drawn: bool

    @classmethod
    def of_no_rows(cls, n_posterior):
        """The one configuration there is of no rows."""
        return cls(np.zeros((1, n_posterior)), is_drawn=False)

    def __len__(self):
        return len(self.log_joint)

    @property
    def n_posterior(self):
        """Number of posterior samples."""
        return self.log_joint.shape[1]

    def log_proba(self):
        """Log-probability of each, an ndarray of shape (n_configurations,)."""
        # P(y) = sum_s P_s(y) / S
        return logsumexp(self.log_joint, axis=1) - np.log(self.n_posterior)

    def weights(self):
        """What each counts in a mean, an ndarray of shape (n_configurations,)."""
        if self.is_drawn:
            # Drawn from P itself, so that each counts the same.
            return np.full(len(self), 1 / len(self))
        return np.exp(self.log_proba())

    def members(self):
        """Probability of each posterior sample, given a configuration.

        Returns
        -------
        members : ndarray of shape (n_configurations, n_posterior)
            Rows sum to 1.
        """
        # P_s(y) / sum_s P_s(y), scaled first so that the greatest is 1.
        greatest = self.log_joint.max(axis=1, keepdims=True)
        members = np.exp(self.log_joint - greatest)
        members /= members.sum(axis=1, keepdims=True)
        return members

    def extended(self, proba):
        """All configurations of one row more; impossible ones are left out.

        Parameters
        ----------
        proba : ndarray of shape (n_posterior, n_classes)
            The row's class probabilities.
        """
        # ln P_s(y, k) = ln P_s(y) + ln p_s(k) for each configuration y and class k.
        joint = self.log_joint[:, None, :] + _log(normalized(proba)).T
        joint = joint.reshape(-1, self.n_posterior)
        return Configurations(joint[np.isfinite(joint).any(axis=1)], is_drawn=False)

    def drawn_further(self, proba, rng):
        """Drawn configurations, with a label drawn for one row more.

        Parameters
        ----------
        proba : ndarray of shape (n_posterior, n_classes)
            The row's class probabilities.

        rng : RandomState
            Source of randomness.
        """
        proba = normalized(proba)
        # The first `size` configurations are drawn by the first sample, and so on.
        size = len(self) // self.n_posterior
        labels = [draw_weighted(row, size, rng) for row in proba.cumsum(axis=1)]
        # All samples say how probable a label is, whichever of them drew it.
        log_label = _log(proba)[:, np.concatenate(labels)].T
        return Configurations(self.log_joint + log_label, is_drawn=True)

    def with_row(self, posterior, rows, limit, rng):
        """Configurations of the last of some rows too: all, or drawn if too many.

        Parameters
        ----------
        posterior : ndarray of shape (n_posterior, n_rows, n_classes)
            Class probabilities of all rows.

        rows : list of int
            The rows these are configurations of, and one more.

        limit : int
            Number of configurations above which as many are drawn, rounded up to a
            multiple of the number of posterior samples.

        rng : RandomState
            Source of randomness.
        """
        if self.is_drawn:
            return self.drawn_further(posterior[:, rows[-1]], rng)
        if len(self) * posterior.shape[2] <= limit:
            return self.extended(posterior[:, rows[-1]])
        # No longer all: draw a label for each of the rows, from the first on.
        size = self.n_posterior * -(-limit // self.n_posterior)
        drawn = Configurations(np.zeros((size, self.n_posterior)), is_drawn=True)
        for row in rows:
            drawn = drawn.drawn_further(posterior[:, row], rng)
        return drawn


def conditional_information(configurations, posterior, rows):
    r"""Information of one row's label on the posterior, given the labels of others.

    With weights :math:`w_c` of the configurations and :math:`\pi_{cs}` of the posterior
    samples given one, it is

    .. math:: \sum_c w_c \left[ H\left(\sum_s \pi_{cs} p_{sx}\right)
              - \sum_s \pi_{cs} H(p_{sx}) \right],

    what the row adds to the joint mutual information. The second entropies are weighted
    by :math:`\sum_c w_c \pi_{cs}`, which is :math:`1 / S` if all configurations are
    there. So an estimate from drawn ones is never negative, is exact where nothing is
    left to learn, and varies less.

    Parameters
    ----------
    configurations : Configurations
        Labels of the other rows.

    posterior : ndarray of shape (n_posterior, n_rows, n_classes)
        Class probabilities of all rows.

    rows : ndarray of shape (n_candidates,)
        The rows to evaluate.

    Returns
    -------
    information : ndarray of shape (n_candidates,)
        float64, in nats, at least 0.
    """
    n_posterior, _, n_classes = posterior.shape
    # pi_cs, w_c and sum_c w_c pi_cs
    members, weights = configurations.members(), configurations.weights()
    shares = weights @ members
    information = np.empty(len(rows))
    cost = (2 * len(members) + 3 * n_posterior) * n_classes
    for block in row_chunks(len(rows), cost, BLOCK, minimum=1):
        proba = normalized(posterior[:, rows[block]]).reshape(n_posterior, -1)
        # One column for each row and class: the entropies' terms, summed at the end.
        terms = weights @ _entropy_terms(members @ proba)
        terms -= shares @ _entropy_terms(proba)
        information[block] = terms.reshape(-1, n_classes).sum(axis=1)
    return np.maximum(information, 0, out=information)


def _entropy_terms(proba):
    """The terms ``-p ln p`` of an entropy."""
    # Clipped in the logarithm alone: 0 log 0 is 0. NumPy's is faster than scipy's entr.
    logs = np.maximum(proba, TINY)
    np.log(logs, out=logs)
    logs *= proba
    return np.negative(logs, out=logs)
