"""Rows drawn with known probabilities: what each weighs, and intervals for means."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skbadge.monitoring.estimates._intervals import (
    bernstein_interval,
    exact_interval,
    normal_interval,
    sums_before,
)


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

        If some have no answer, the others have their weight as well: the mean is a
        ratio.
        """
        return np.where(self.answered, self._of_all * self._per_answered, 0.0)

    @property
    def _per_answered(self):
        """Weight of all rows over that of those with an answer."""
        return self._of_all.sum() / self._of_all[self.answered].sum()

    @property
    def _of_all(self):
        """The weight v_m of each draw."""
        n, n_pool = len(self), self.n_pool
        if self.probabilities is None or n == n_pool:
            return np.ones(n)
        n_left = n_pool - np.arange(n)  # N - m + 1
        # (N - n) / (N - m), times 1 / ((N - m + 1) q_m) - 1
        excess = 1 / (n_left * self.probabilities) - 1
        return 1 + (n_pool - n) / (n_left - 1) * excess

    def varying_as_ratio(self, losses, ratio):
        """Losses such that the ratio varies as their mean does, about the same value.

        With A the mean of weighted losses, B that of the weights of the answered rows
        and C that of all weights, the ratio is A C / B; to first order it varies as
        (A - ratio B) C / B + ratio C.
        """
        excess = np.where(self.answered, losses - ratio, 0.0)
        return excess * self._per_answered + ratio

    def terms(self, losses):
        """The terms a_m, whose mean is the pool's mean loss, given the draws before."""
        if self.probabilities is None:
            return losses
        return (losses / self.probabilities + sums_before(losses)) / self.n_pool

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
