"""Metrics of a pool, from rows drawn with known probabilities, with intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skbadge.monitoring._intervals import (
    bernstein_interval,
    exact_interval,
    normal_interval,
    standard_error,
)
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

    def ends(self, losses, alpha, interval, bound):
        """Both ends of an interval for the mean loss.

        Rows without an answer may have had any loss between 0 and ``bound``; not so for
        the normal interval.
        """
        if interval == "normal":
            return normal_interval(self.terms(losses), alpha)
        least = np.where(self.answered, losses, 0.0)
        if interval == "exact":
            n_wrong, n_open = int(least.sum()), int((~self.answered).sum())
            rows = (len(self), self.n_pool, alpha)
            low, _ = exact_interval(n_wrong, *rows)
            return low, exact_interval(n_wrong + n_open, *rows)[1]
        if bound is None or not self.uniform_share:
            return 0.0, np.inf if bound is None else bound
        # No probability is below share / (rows left): no term is above 1 / share.
        scale = bound / self.uniform_share
        most = self.terms(np.where(self.answered, losses, bound)) / scale
        low, _ = bernstein_interval(self.terms(least) / scale, alpha)
        high = bernstein_interval(most, alpha)[1]
        return max(scale * low, 0.0), min(scale * high, bound)


@dataclass(frozen=True, eq=False)
class ErrorEnds:
    """Ends of the interval for an error, at any confidence.

    Parameters
    ----------
    estimate : float
        The error.

    draws : Draws
        The rows drawn.

    losses : ndarray of shape (n,)
        Of these rows; for the normal interval, such that the error varies as their
        mean does.

    interval : {"exact", "bernstein", "normal"}
        Which interval.

    bound : float or None
        Greatest loss.

    share, offset, power : float
        The error is (share × mean loss of the rows drawn from + offset) to this power.
    """

    estimate: float
    draws: Draws
    losses: NDArray
    interval: str
    bound: float | None
    share: float
    offset: float
    power: float

    def at(self, alpha):
        """Both ends, each of which is beyond the error with probability alpha / 2."""
        if self.draws.takes_all:
            return self.estimate, self.estimate
        ends = self.draws.ends(self.losses, alpha, self.interval, self.bound)
        low, high = (self.share * np.array(ends) + self.offset) ** self.power
        return min(self.estimate, float(low)), max(self.estimate, float(high))

    def n_without_loss(self, target, alpha):
        """About how many rows without any loss put the upper end at a target.

        None for the normal interval and where there is no bound; infinite if the rows
        that are known are too bad for it.
        """
        if (
            self.interval == "normal"
            or self.bound is None
            or not self.draws.uniform_share
        ):
            return None
        # Mean loss of the rows drawn from with which the error is the target.
        mean = (target ** (1 / self.power) - self.offset) / self.share
        if mean <= 0:
            return np.inf
        # log(1 / alpha) / (uniform share × mean), in units of the greatest loss
        return float(np.log(1 / alpha) * self.bound / (self.draws.uniform_share * mean))


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

    interval : {"exact", "bernstein", "normal"}
        The exact one is for errors of rows drawn uniformly, without others that are
        known, Bernstein's for metrics of one moment. Otherwise the normal one, by the
        delta method: that of the mean of the moments times the metric's slope.
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

        Returns
        -------
        estimate : RiskEstimate

        ends : ErrorEnds
            What an interval of another confidence is computed from.
        """
        draws, weights = self.draws, self.draws.weights
        known = np.empty((0, self.moments.shape[1])) if known is None else known
        n_all = n_left + len(known)
        share = n_left / n_all
        rest = weights @ self.moments / len(draws)
        offset = known.sum(axis=0) / n_all
        means = share * rest + offset
        value = float(self.metric.value(means))
        ends = self._ends(rest, share, offset, means, value)
        low, high = ends.at(self.alpha)
        if self.metric.is_score:
            low, high = min(value, 1 - high), max(value, 1 - low)
        n = int(draws.answered.sum()) + len(known)
        per_row = np.concatenate([n_left * weights / len(draws), np.ones(len(known))])
        estimate = RiskEstimate(
            value,
            max(low, 0.0),
            min(high, 1.0) if self.metric.is_score else high,
            1 - self.alpha,
            n,
            n_pool,
            per_row[np.r_[draws.answered, np.ones(len(known), bool)]] * n / n_all,
            share * self._deviation(rest, means),
        )
        return estimate, ends

    def _deviation(self, rest, means):
        """The standard error of the metric, were it of the rows drawn from only."""
        if self.draws.takes_all:
            return 0.0
        slope = self.metric.slope(means)
        losses, _ = self.draws.less_their_ratio(self.moments @ slope, rest @ slope)
        return standard_error(self.draws.terms(losses))

    def _ends(self, rest, share, offset, means, value):
        """Both ends of the interval for the error."""
        metric, draws = self.metric, self.draws
        error = 1 - value if metric.is_score else value
        losses, at_zero, power = self.moments[:, 0], float(offset[0]), metric.power
        if self.interval == "normal":
            slope = metric.slope(means) * (-1 if metric.is_score else 1)
            losses, center = draws.less_their_ratio(self.moments @ slope, rest @ slope)
            at_zero, power = error - share * center, 1.0
        return ErrorEnds(
            error,
            draws,
            losses,
            self.interval,
            metric.max_moment,
            share,
            at_zero,
            power,
        )
