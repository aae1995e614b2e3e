"""Metrics of a pool, from rows drawn with known probabilities, with intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skbadge.monitoring.estimates._draws import Draws
from skbadge.monitoring.estimates._intervals import standard_error
from skbadge.monitoring.estimates._metrics import Metric
from skbadge.monitoring.estimates._risk import RiskEstimate


@dataclass(frozen=True, eq=False)
class ErrorEnds:
    """Ends of the interval for an error, at any confidence.

    Parameters
    ----------
    estimate : float
        The error.

    draws : Draws
        The rows drawn.

    interval : {"exact", "bernstein", "normal"}
        Which interval.

    bound : float or None
        Greatest loss.

    losses : ndarray of shape (n,)
        Of the rows drawn; for the normal interval, such that the error varies as their
        mean does.

    share, offset, power : float
        The error is (share × mean loss of the rows drawn from + offset) to this power.
    """

    estimate: float
    draws: Draws
    interval: str
    bound: float | None
    losses: NDArray
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

    def upper(self, alpha):
        """The upper end alone, which the error is above with probability alpha."""
        # Each end of a two-sided interval has half of its doubt.
        return self.at(2 * alpha)[1]

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

    def n_of_audit(self, target, alpha):
        """The same, were they rows of an audit; there must be a bound."""
        return float(np.log(1 / alpha) * self.bound / target ** (1 / self.power))


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
        metric, draws, weights = self.metric, self.draws, self.draws.weights
        known = np.empty((0, self.moments.shape[1])) if known is None else known
        n_all = n_left + len(known)
        share = n_left / n_all
        rest = weights @ self.moments / len(draws)
        offset = known.sum(axis=0) / n_all
        means = share * rest + offset
        value = float(metric.value(means))
        error = 1 - value if metric.is_score else value
        slope = metric.slope(means) * (-1 if metric.is_score else 1)
        losses = self.moments @ slope
        # Where a ratio is 1, counts and hits cancel out, but for rounding.
        losses[np.abs(losses) < 1e-12 * (self.moments @ np.abs(slope))] = 0.0
        ratio = weights @ losses / len(draws)
        # The error varies as the mean of these does, to first order.
        varying = draws.varying_as_ratio(losses, ratio)
        law = self.moments[:, 0], share, float(offset[0]), metric.power
        if self.interval == "normal":
            law = varying, share, error - share * ratio, 1.0
        ends = ErrorEnds(error, draws, self.interval, metric.max_moment, *law)
        low, high = ends.at(self.alpha)
        if metric.is_score:
            low, high = min(value, 1 - high), max(value, 1 - low)
        n = int(draws.answered.sum()) + len(known)
        per_row = np.concatenate([n_left * weights / len(draws), np.ones(len(known))])
        estimate = RiskEstimate(
            value,
            max(low, 0.0),
            min(high, 1.0) if metric.is_score else high,
            1 - self.alpha,
            n,
            n_pool,
            per_row[np.r_[draws.answered, np.ones(len(known), bool)]] * n / n_all,
            0.0 if draws.takes_all else share * standard_error(draws.terms(varying)),
        )
        return estimate, ends
