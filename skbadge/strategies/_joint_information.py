"""Entropies of posterior samples: of one row's label, and of several rows' labels."""

from dataclasses import dataclass

import numpy as np
from scipy.special import kl_div, logsumexp

from skbadge.utils._chunks import row_chunks
from skbadge.utils._ranking import draw_weighted

TINY = np.finfo(np.float64).tiny

# Numbers in a block of rows: 2 MiB, to stay in cache.
BLOCK = 2**18


def mutual_information(posterior):
    """Information that each row's label gives on which posterior sample is right.

    Computed as the mean divergence of the samples from their mean, a sum of terms none
    of which is negative, and not as a difference of entropies.

    Parameters
    ----------
    posterior : ndarray of shape (n_samples, n_rows, n_classes)
        Floating, rows sum to 1.

    Returns
    -------
    information : ndarray of shape (n_rows,)
        float64, in nats, between 0 and ``min(log(n_samples), log(n_classes))``.
    """
    n_samples, n_rows, n_classes = posterior.shape
    information = np.empty(n_rows)
    for rows in row_chunks(n_rows, 4 * n_samples * n_classes, BLOCK, minimum=1):
        proba = _normalized(posterior[:, rows])
        divergence = kl_div(proba, proba.mean(axis=0))
        information[rows] = divergence.sum(axis=2).mean(axis=0)
    return np.maximum(information, 0, out=information)


def _normalized(proba):
    # The rounding of single precision would show in the bounds.
    proba = proba.astype(np.float64)
    proba /= proba.sum(axis=-1, keepdims=True)
    return proba


def _log(proba):
    with np.errstate(divide="ignore"):
        return np.log(proba)


@dataclass(frozen=True, eq=False)
class Configurations:
    """Joint labels that several rows may have, and how probable each is.

    They are either all that are possible, or drawn from their distribution: then equal
    numbers of them by each posterior sample, one sample after another.

    Parameters
    ----------
    log_joint : ndarray of shape (n_configurations, n_samples)
        Log-probability of each by each posterior sample, float64. In logarithms, as
        the product of many probabilities underflows.

    is_drawn : bool
        Whether they were drawn.
    """

    log_joint: np.ndarray
    is_drawn: bool

    @classmethod
    def of_no_rows(cls, n_samples):
        """The one configuration there is of no rows."""
        return cls(np.zeros((1, n_samples)), is_drawn=False)

    def __len__(self):
        return len(self.log_joint)

    @property
    def n_samples(self):
        """Number of posterior samples."""
        return self.log_joint.shape[1]

    def log_proba(self):
        """Log-probability of each, an ndarray of shape (n_configurations,)."""
        return logsumexp(self.log_joint, axis=1) - np.log(self.n_samples)

    def weights(self):
        """What each counts in a mean, an ndarray of shape (n_configurations,)."""
        if self.is_drawn:
            return np.full(len(self), 1 / len(self))
        return np.exp(self.log_proba())

    def members(self):
        """Probability of each posterior sample, given a configuration.

        Returns
        -------
        members : ndarray of shape (n_configurations, n_samples)
            Rows sum to 1.
        """
        greatest = self.log_joint.max(axis=1, keepdims=True)
        members = np.exp(self.log_joint - greatest)
        members /= members.sum(axis=1, keepdims=True)
        return members

    def entropy(self):
        """Entropy of the joint labels in nats; an estimate, if they are drawn."""
        return float(-self.weights() @ self.log_proba())

    def extended(self, proba):
        """All configurations of one row more; impossible ones are left out.

        Parameters
        ----------
        proba : ndarray of shape (n_samples, n_classes)
            The row's class probabilities.
        """
        joint = self.log_joint[:, None, :] + _log(_normalized(proba)).T
        joint = joint.reshape(-1, self.n_samples)
        return Configurations(joint[np.isfinite(joint).any(axis=1)], is_drawn=False)

    def drawn_further(self, proba, rng):
        """Drawn configurations, with a label drawn for one row more.

        Parameters
        ----------
        proba : ndarray of shape (n_samples, n_classes)
            The row's class probabilities.

        rng : RandomState
            Source of randomness.
        """
        proba = _normalized(proba)
        size = len(self) // self.n_samples
        labels = [draw_weighted(row, size, rng) for row in proba.cumsum(axis=1)]
        log_label = _log(proba)[:, np.concatenate(labels)].T
        return Configurations(self.log_joint + log_label, is_drawn=True)

    def with_row(self, posterior, rows, limit, rng):
        """Configurations of the last of some rows too: all, or drawn if too many.

        Parameters
        ----------
        posterior : ndarray of shape (n_samples, n_rows, n_classes)
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
        size = self.n_samples * -(-limit // self.n_samples)
        drawn = Configurations(np.zeros((size, self.n_samples)), is_drawn=True)
        for row in rows:
            drawn = drawn.drawn_further(posterior[:, row], rng)
        return drawn


def conditional_information(configurations, posterior, rows):
    r"""Information of one row's label on the posterior, given the labels of others.

    With weights :math:`w_c` of the configurations and :math:`\pi_{cs}` of the posterior
    samples given one, it is

    .. math:: \sum_c w_c \Big[ H\Big(\sum_s \pi_{cs} p_{sx}\Big)
              - \sum_s \pi_{cs} H(p_{sx}) \Big],

    what the row adds to the joint mutual information. The entropy of a row given the
    sample has the configurations' own weights of the samples, which are 1 / n_samples
    if all configurations are there: so an estimate from drawn ones is never negative,
    exact where nothing is left to learn, and of less variance.

    Parameters
    ----------
    configurations : Configurations
        Labels of the other rows.

    posterior : ndarray of shape (n_samples, n_rows, n_classes)
        Class probabilities of all rows.

    rows : ndarray of shape (n_candidates,)
        The rows to evaluate.

    Returns
    -------
    information : ndarray of shape (n_candidates,)
        float64, in nats, at least 0.
    """
    n_samples, _, n_classes = posterior.shape
    members, weights = configurations.members(), configurations.weights()
    shares = weights @ members
    information = np.empty(len(rows))
    cost = (2 * len(members) + 3 * n_samples) * n_classes
    for block in row_chunks(len(rows), cost, BLOCK, minimum=1):
        proba = _normalized(posterior[:, rows[block]]).reshape(n_samples, -1)
        terms = weights @ _entropy_terms(members @ proba)
        terms -= shares @ _entropy_terms(proba)
        information[block] = terms.reshape(-1, n_classes).sum(axis=1)
    return np.maximum(information, 0, out=information)


def _entropy_terms(proba):
    # Clipped in the logarithm alone: 0 log 0 is 0. NumPy's is faster than scipy's entr.
    logs = np.maximum(proba, TINY)
    np.log(logs, out=logs)
    logs *= proba
    return np.negative(logs, out=logs)
