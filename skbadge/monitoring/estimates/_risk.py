"""Risk of a model from rows that it chose itself, with known probabilities."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skbadge._compat import Interval, StrOptions, validate_params
from skbadge.monitoring.estimates._draws import Draws
from skbadge.monitoring.estimates._intervals import standard_error
from skbadge.monitoring.estimates._shown_numbers import brief


@dataclass(frozen=True, eq=False)
class RiskEstimate:
    """Mean loss of rows of which some were drawn, or a metric, with an interval.

    Attributes
    ----------
    estimate : float
        The estimate; of a mean loss, unbiased.

    low, high : float
        Interval that holds what is estimated with probability ``confidence``.

    confidence : float
        That probability.

    n : int
        Rows that the estimate is made of.

    n_pool : int or None
        Rows that it is about; None if there is no end of them.

    weights : ndarray of shape (n,)
        What each loss is multiplied by; the mean loss is the mean of the products.

    standard_error : float
        Standard deviation of the estimate, as the normal interval has it, whichever
        interval is shown; NaN of a single row drawn.
    """

    estimate: float
    low: float
    high: float
    confidence: float
    n: int
    n_pool: int | None
    weights: NDArray
    standard_error: float

    def __str__(self):
        of = "" if self.n_pool is None else f" of {self.n_pool}"
        how = f" with confidence {self.confidence:g}"
        return f"{brief(self, more=how)}, from {self.n}{of} rows"


@validate_params(
    {
        "n_pool": [Interval(Integral, 1, None, closed="left")],
        "uniform_share": [Interval(Real, 0, 1, closed="both")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "interval": [StrOptions({"bernstein", "normal"})],
        "max_loss": [Interval(Real, 0, None, closed="neither")],
    },
)
def risk_estimate(
    losses: ArrayLike,
    probabilities: ArrayLike,
    n_pool: int,
    *,
    uniform_share: float = 0.0,
    confidence: float = 0.95,
    interval: Literal["bernstein", "normal"] = "bernstein",
    max_loss: float = 1.0,
) -> RiskEstimate:
    r"""Mean loss of a pool, from the losses of rows drawn with known probabilities.

    Rows that a model chooses are harder for it than others, so that its mean loss on
    them says little. If each row was drawn with a known probability, weights undo
    that: the levelled unbiased risk estimator (LURE).

    Parameters
    ----------
    losses : array-like of shape (n,)
        Loss of each row drawn, in the order of the draws, between 0 and ``max_loss``.
        For the error rate, whether the model's prediction was wrong. The model must be
        the one that chose the rows, not one trained on them.

    probabilities : array-like of shape (n,)
        Probability with which each row was drawn at its turn, given those drawn before;
        above 0 for all rows that were left.

    n_pool : int
        Number of rows that the first one was drawn from.

    uniform_share : float, default=0.0
        At each draw, every row that was left had at least this share of the uniform
        probability. 1 for rows drawn uniformly. The interval depends on it: rows that
        could hardly be drawn may hide any risk, so that with 0 the default one is all
        of 0 to ``max_loss``.

    confidence : float, default=0.95
        Probability with which the interval holds the mean loss of the pool.

    interval : {"bernstein", "normal"}, default="bernstein"
        Empirical Bernstein holds for any number of rows. The normal one is much
        narrower, and holds for many rows of no rare and large weights. Of losses that
        are all alike it says nothing.

    max_loss : float, default=1.0
        Greatest loss that a row can have.

    Returns
    -------
    risk : RiskEstimate
        With ``estimate``, ``low`` and ``high``.

    Raises
    ------
    ValueError
        If an argument is not as described, or a probability is below what
        ``uniform_share`` promises.

    Notes
    -----
    With N rows to draw from, n drawn, the m-th of loss :math:`\ell_m` with probability
    :math:`q_m`, the estimate is :math:`\frac{1}{n} \sum_m v_m \ell_m`,

    .. math:: v_m = 1 + \frac{N - n}{N - m} \left( \frac{1}{(N - m + 1) q_m} - 1 \right)

    (Farquhar et al. 2021). Rows drawn uniformly have :math:`v_m = 1`. The interval is
    that of the terms :math:`a_m = (\ell_m / q_m + \sum_{t < m} \ell_t) / N`, each of
    which has the pool's mean loss as its mean, given the draws before; those of the
    estimate do not.

    It is the mean loss of the rows that were left for the query, without those labelled
    before. Active learning takes hard rows out of a pool: of rows like the pool as it
    was at first, the mean loss is larger.

    References
    ----------
    Farquhar, Gal, Rainforth: "On statistical bias in active learning: how and when to
    fix it" (ICLR 2021); Kossen et al.: "Active testing" (ICML 2021); Waudby-Smith,
    Ramdas: "Estimating means of bounded random variables by betting" (JRSS B 2024).

    Examples
    --------
    >>> from skbadge.monitoring import risk_estimate
    >>> losses = [1, 0, 0, 1, 0, 0, 0, 0]
    >>> probabilities = [0.02, 0.01, 0.01, 0.02, 0.01, 0.01, 0.02, 0.01]
    >>> risk = risk_estimate(losses, probabilities, n_pool=100, uniform_share=0.5)
    >>> round(risk.estimate, 3)
    0.134
    """
    drawn, chances = _check(losses, probabilities, n_pool, uniform_share, max_loss)
    n = len(drawn)
    draws = Draws(chances, int(n_pool), uniform_share, np.ones(n, dtype=bool))
    estimate = float(draws.weights @ drawn / n)
    low, high, deviation = estimate, estimate, 0.0
    if not draws.takes_all:
        low, high = draws.ends(drawn, 1 - confidence, interval, max_loss)
        deviation = standard_error(draws.terms(drawn))
    low, high = np.clip([min(low, estimate), max(high, estimate)], 0.0, max_loss)
    return RiskEstimate(
        estimate,
        float(low),
        float(high),
        confidence,
        n,
        int(n_pool),
        draws.weights,
        deviation,
    )


def _check(losses, probabilities, n_pool, uniform_share, max_loss):
    """Both arrays in float64, if they are as described."""
    losses = np.asarray(losses, dtype=np.float64)
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if losses.ndim != 1 or losses.shape != probabilities.shape or len(losses) == 0:
        raise ValueError(
            "`losses` and `probabilities` must have one value for each row drawn, and "
            f"at least one. Got shapes {losses.shape} and {probabilities.shape}."
        )
    if len(losses) > n_pool:
        raise ValueError(
            f"`n_pool` must be at least the number of rows drawn, {len(losses)}. Got "
            f"{n_pool}: it counts the rows before the first draw."
        )
    if not np.all((losses >= 0) & (losses <= max_loss)):
        raise ValueError(
            f"`losses` must lie between 0 and `max_loss`={max_loss:g}. Got "
            f"{losses.min():g} to {losses.max():g}. Cut them, or give the greatest "
            "loss that a row can have."
        )
    least = uniform_share / (n_pool - np.arange(len(losses)))
    # Up to rounding; NaN is refused as well.
    wrong = ~(
        (probabilities > 0)
        & (probabilities >= least * (1 - 1e-9))
        & (probabilities <= 1 + 1e-9)
    )
    if wrong.any():
        first = int(wrong.argmax())
        raise ValueError(
            f"`probabilities` must lie between `uniform_share`={uniform_share:g} over "
            f"the number of rows left, {least[first]:.3g} at draw {first}, and 1. Got "
            f"{probabilities[first]:g} there."
        )
    return losses, probabilities
