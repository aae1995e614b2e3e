"""Metrics of a pool, from rows drawn with known probabilities, with intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skbadge.monitoring._intervals import bernstein_interval, normal_interval
from skbadge.monitoring._metrics import Metric
from skbadge.monitoring._risk import RiskEstimate, lure_weights, martingale_terms


@dataclass(frozen=True, eq=False)
class Draws:
    """Rows drawn, some of which may have no answer.

    Parameters
    ----------
    probabilities : ndarray of shape (n,) or None
        Of each draw, given those before it; None of rows drawn from a source without
        end, each like all others.

    n_pool : int or None
        Rows before the first draw; None as well then.

    uniform_share : float
        At each draw, every row had at least this share of the uniform probability.

    answered : ndarray of bool of shape (n,)
        Which of the rows have a label.
    """

    probabilities: NDArray | None
    n_pool: int | None
    uniform_share: float
    answered: NDArray

    def __len__(self):
        return len(self.answered)

    @property
    def takes_all(self):
        """Whether no row is unknown."""
        return len(self) == self.n_pool and bool(self.answered.all())

    @property
    def weights(self):
        """What each row weighs; the mean of the weights is about 1.

        If some have no answer, the others weigh more: the mean is a ratio.
        """
        weights = self._of_answered
        return weights if self.answered.all() else weights / weights.mean()

    @property
    def _of_answered(self):
        """The weights v of the estimator, 0 of rows without an answer."""
        if self.probabilities is None:
            return self.answered.astype(np.float64)
        weights = lure_weights(self.probabilities, self.n_pool)
        return np.where(self.answered, weights, 0.0)

    def less_their_ratio(self, losses, ratio):
        """Losses such that the ratio varies as their mean does."""
        if self.answered.all():
            return losses, ratio
        excess = np.where(self.answered, losses - ratio, 0.0)
        return excess / self._of_answered.mean(), 0.0

    def terms(self, losses):
        """Terms of which each has the pool's mean, given the draws before."""
        if self.probabilities is None:
            return losses
        return martingale_terms(losses, self.probabilities, self.n_pool)

    def bernstein(self, losses, alpha, bound):
        """An interval for a mean loss between 0 and ``bound``.

        Rows without an answer may have had any loss.
        """
        if bound is None or not self.uniform_share:
            return 0.0, np.inf if bound is None else bound
        # No probability is below share / (rows left): no term is above 1 / share.
        scale = bound / self.uniform_share
        least = self.terms(np.where(self.answered, losses, 0.0)) / scale
        most = self.terms(np.where(self.answered, losses, bound)) / scale
        low, high = bernstein_interval(least, alpha)[0], bernstein_interval(most, alpha)
        return scale * low, scale * high[1]


@dataclass(frozen=True, eq=False)
class Weighing:
    """What a metric is on a pool of which some rows are drawn and others known.

    Parameters
    ----------
    metric : Metric
        The metric.

    draws : Draws
        The rows drawn.

    moments : ndarray of shape (n, n_moments)
        Of these rows; those of rows without an answer are 0.

    alpha : float
        Probability with which an interval may miss.

    interval : {"bernstein", "normal"}
        Bernstein is for metrics of one moment. Otherwise the normal one, by the delta
        method: that of the mean of the moments times the metric's slope.
    """

    metric: Metric
    draws: Draws
    moments: NDArray
    alpha: float
    interval: str

    def estimate(self, n_left=1, known=None, n_pool=None):
        """The metric on the rows drawn from and known ones together.

        Parameters
        ----------
        n_left : int
            For how many rows the draws stand.

        known : ndarray of shape (n_known, n_moments) or None
            Moments of the other rows.

        n_pool : int or None
            What to say of the number of all rows.
        """
        draws, weights = self.draws, self.draws.weights
        known = np.empty((0, self.moments.shape[1])) if known is None else known
        n_all = n_left + len(known)
        share = n_left / n_all
        rest = weights @ self.moments / len(draws)
        offset = known.sum(axis=0) / n_all
        means = share * rest + offset
        value = float(self.metric.value(means))
        low, high = value, value
        if not draws.takes_all:
            ends = self._ends(rest, share, offset, means, value)
            low, high = min(value, *ends), max(value, *ends)
        n = int(draws.answered.sum()) + len(known)
        per_row = np.concatenate([n_left * weights / len(draws), np.ones(len(known))])
        return RiskEstimate(
            value,
            max(float(low), 0.0),
            min(float(high), 1.0) if self.metric.is_score else float(high),
            1 - self.alpha,
            n,
            n_pool,
            per_row[np.r_[draws.answered, np.ones(len(known), bool)]] * n / n_all,
        )

    def _ends(self, rest, share, offset, means, value):
        """Both ends of the interval, in any order."""
        draws = self.draws
        if self.interval == "bernstein":
            bound = self.metric.max_moment
            ends = draws.bernstein(self.moments[:, 0], self.alpha, bound)
            top = np.inf if bound is None else bound
            ends = share * np.clip(ends, 0, top) + offset
            return [float(self.metric.value(np.array([end]))) for end in ends]
        slope = self.metric.slope(means)
        losses, center = draws.less_their_ratio(self.moments @ slope, rest @ slope)
        ends = np.array(normal_interval(draws.terms(losses), self.alpha))
        return value + share * (ends - center)
