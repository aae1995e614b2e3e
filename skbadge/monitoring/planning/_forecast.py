"""How many labels it takes to reach an error, from a power law through the rounds."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skbadge._compat import Interval, validate_params
from skbadge.monitoring.estimates._shown_numbers import percent, rounded
from skbadge.monitoring.planning._power_law import LearningCurve, reached
from skbadge.utils._streams import stream_seed

LEAST_ROUNDS = 4


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Forecast:
    """Labels that it takes to reach an error, with an interval.

    The law is ``floor + scale * n ** -exponent``.

    Attributes
    ----------
    target : float
        The error to be reached.

    n_labels : float
        Labels in all, from the first on, at which the law reaches it, rounded up; inf
        if its floor is not below it.

    low, high : float
        Interval for it; ``high`` is inf if the target may never be reached, and ``low``
        if it is almost sure that it never is.

    confidence : float
        Probability with which the interval is meant to hold it, if the errors follow
        such a law.

    share_reached : float
        Share of the resamples in which the target is ever reached.

    n_labeled : int
        Labels in the last round so far.

    n_rounds : int
        Rounds that the law was fitted to.

    floor, scale, exponent : float
        The law, none of them negative. The error never gets below ``floor``.

    notes : tuple of str
        What else is worth knowing.
    """

    target: float
    n_labels: float
    low: float
    high: float
    confidence: float
    share_reached: float
    n_labeled: int
    n_rounds: int
    floor: float
    scale: float
    exponent: float
    notes: tuple[str, ...] = ()

    @property
    def is_reached(self) -> bool:
        """Whether the law has reached the target by the last round."""
        return self.n_labels <= self.n_labeled

    def error_at(self, n_labels: ArrayLike) -> NDArray:
        """What the law says of the error at other numbers of labels.

        Parameters
        ----------
        n_labels : array-like of shape (n,)
            Numbers of labels, above 0.

        Returns
        -------
        errors : ndarray of shape (n,)
            In the units of the metric.
        """
        n_labels = np.asarray(n_labels, dtype=np.float64)
        return self.floor + self.scale * n_labels**-self.exponent

    def __repr__(self):
        return f"<{type(self).__name__}: {_count(self.n_labels)} ({self._interval()})>"

    def __str__(self):
        goal, now = f"an error of {self.target:.3g}", _count(self.n_labeled)
        interval = f"({self._interval()}, with confidence {self.confidence:g})"
        if self.is_reached:
            where = f"about {_count(self.n_labels)} of {now} labels"
            said = f"{goal} is reached already, at {where} {interval}"
        elif np.isinf(self.n_labels):
            said = (
                f"{goal} is never reached by the law fitted to {self.n_rounds} rounds, "
                f"which ends at {self.floor:.3g} {interval}"
            )
        else:
            more = _count(self.n_labels - self.n_labeled)
            said = (
                f"about {_count(self.n_labels)} labels in all for {goal} {interval}, "
                f"{more} more than now"
            )
        if self.share_reached < 1:
            share = 1 - self.share_reached
            never = "less than 1 %" if share < 0.01 else percent(share, 0)
            said += f"; in {never} of the resamples it is never reached"
        return "\n".join([said, *(f"  note: {note}" for note in self.notes)])

    def _interval(self):
        if np.isinf(self.low):
            return "never"
        if np.isinf(self.high):
            return f"from {_count(self.low)} to never"
        return f"from {_count(self.low)} to {_count(self.high)}"


@validate_params(
    {
        "target": [Interval(Real, 0, None, closed="left")],
        "same_rows": ["boolean"],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "n_bootstrap": [Interval(Integral, 100, None, closed="left")],
        "random_state": ["random_state"],
    }
)
def forecast_labels(
    n_labeled: ArrayLike,
    errors: ArrayLike,
    target: float,
    *,
    standard_errors: ArrayLike | None = None,
    same_rows: bool = False,
    confidence: float = 0.9,
    n_bootstrap: int = 1000,
    random_state: int | np.random.RandomState | None = None,
) -> Forecast:
    r"""How many labels it takes to reach an error, from those of the rounds so far.

    A power law is fitted to them and drawn out. Resamples of the rounds say how far it
    may be off.

    Parameters
    ----------
    n_labeled : array-like of int of shape (n_rounds,)
        Rows that the model of each round had learned from; at least four different
        numbers.

    errors : array-like of float of shape (n_rounds,)
        Its error, at least 0 and in any unit: an error rate, or such as a RMSE.

    target : float
        The error to be reached, in the same unit.

    standard_errors : array-like of float of shape (n_rounds,) or None, default=None
        How exact each error is known, as `RiskEstimate.standard_error`: the standard
        deviation of an estimate, which is the half width of a normal interval of
        confidence 0.68. Exact errors count more; none counts as more exact than half of
        the median. Without them, all count the same, and
        how much they vary is read off the distances from the law.

    same_rows : bool, default=False
        Whether the errors are those of the same rows each time, such as an audit's. If
        these rows are easy ones, all errors are too low together, which no distance
        from the law shows. Needs ``standard_errors``.

    confidence : float, default=0.9
        Probability of the interval.

    n_bootstrap : int, default=1000
        Number of resamples.

    random_state : int, RandomState instance or None, default=None
        For the same resamples each time.

    Returns
    -------
    forecast : Forecast
        With ``n_labels``, ``low``, ``high`` and ``share_reached``.

    Raises
    ------
    ValueError
        If there are fewer than four rounds, or an argument is not as described.

    Notes
    -----
    The law is :math:`a + b m^{-c}` of m labels, with a, b, c of at least 0: for each of
    120 exponents from 0.05 to 5, a and b by weighted least squares, the best of which
    is refined. Errors that do not fall give b = 0 and the target is never reached.

    Resamples are errors drawn around the law, to which it is fitted again. Their
    standard deviation is the standard error of the round, enlarged if the errors lie
    farther from the law than that explains; without standard errors the distances
    themselves, which few rounds tell roughly (draws of Student's t).

    Few rounds cannot tell whether there is a floor a, and curves of real models bend.
    The upper end lets there be a floor. The lower end is the lesser of that of these
    resamples and that of others, of the law with a = 0 through the later half of the
    rounds.

    The interval holds for such laws, and for others the less the farther the target is.
    It takes O(n_bootstrap * n_rounds) operations for each
    exponent.

    Examples
    --------
    >>> from skbadge.monitoring import forecast_labels
    >>> n_labeled = [100, 200, 300, 400, 500, 600]
    >>> errors = [0.301, 0.207, 0.175, 0.151, 0.131, 0.122]
    >>> print(forecast_labels(n_labeled, errors, 0.1, random_state=0))
    about ... labels in all for an error of 0.1 (... to ... with confidence 0.9), ...
    """
    labeled, seen, given = _check(n_labeled, errors, standard_errors, same_rows)
    unit, center = float(seen.max()) or 1.0, float(np.exp(np.log(labeled).mean()))
    deviations = np.ones(len(seen)) if given is None else given / unit
    is_known = given is not None
    curve = LearningCurve(
        labeled / center, seen / unit, deviations, is_known, same_rows and is_known
    )
    floor, scale, exponent = curve.best()
    goal = target / unit
    rng = np.random.default_rng(stream_seed(random_state, "forecast"))
    laws, floorless = curve.resampled(goal, n_bootstrap, rng)
    tail = (1 - confidence) / 2
    # Without interpolation, as some are infinite.
    ends = [
        np.quantile(drawn, share, method="inverted_cdf")
        for drawn, share in ((laws, tail), (floorless, tail), (laws, 1 - tail))
    ]
    middle = reached(floor, scale, exponent, goal)
    n_labels, low, high = (
        # Nothing is known of fewer labels than those of the first round.
        float(np.ceil(max(labeled.min(), center * each) * (1 - 1e-9)))
        for each in (middle, min(middle, *ends), max(middle, *ends))
    )
    last = int(labeled.max())
    notes = []
    if last * 10 < n_labels < np.inf:
        notes.append(
            "that is more than ten times the labels so far: no law holds that far"
        )
    if scale == 0:
        notes.append(
            "the errors do not fall with the labels. (Of accuracies, hand in 1 - "
            "accuracy.)"
        )
    return Forecast(
        target=float(target),
        n_labels=n_labels,
        low=low,
        high=high,
        confidence=float(confidence),
        share_reached=float(np.isfinite(laws).mean()),
        n_labeled=last,
        n_rounds=len(seen),
        floor=floor * unit,
        scale=scale * unit * center**exponent,
        exponent=exponent,
        notes=tuple(notes),
    )


def _count(number):
    """A number of labels as text, in three digits."""
    if np.isinf(number):
        return "never"
    if number >= 1e9:
        return f"{number:.0e}"
    return rounded(number, 3)


def _check(n_labeled, errors, standard_errors, same_rows):
    """Arrays in float64, if they are as described."""
    given = [n_labeled, errors]
    if standard_errors is not None:
        given.append(standard_errors)
    arrays = [np.asarray(each, dtype=np.float64) for each in given]
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1 or arrays[0].ndim != 1:
        raise ValueError(
            "`n_labeled`, `errors` and `standard_errors` must have one number for each "
            f"round. Got shapes {[array.shape for array in arrays]}."
        )
    for name, array in zip(
        ("n_labeled", "errors", "standard_errors"), arrays, strict=False
    ):
        least = 1 if name == "n_labeled" else 0
        if not np.all((array >= least) & (array < np.inf)):
            raise ValueError(
                f"`{name}` must be numbers of at least {least}. Got {array.tolist()}. "
                "Leave out rounds without an estimate."
            )
    n_rounds = len(np.unique(arrays[0]))
    if n_rounds < LEAST_ROUNDS:
        raise ValueError(
            f"A forecast needs at least {LEAST_ROUNDS} rounds of different "
            f"`n_labeled`, as the law has three parameters. Got {n_rounds}. Label "
            "another batch first."
        )
    if standard_errors is None:
        if same_rows:
            raise ValueError(
                "`same_rows=True` needs `standard_errors`: how far off errors of the "
                "same rows are, together, cannot be read off the errors."
            )
        return (*arrays, None)
    # An error of 0 that was seen has a standard error of 0, and is not known exactly.
    least = np.median(arrays[2]) / 2
    return (*arrays[:2], np.maximum(arrays[2], least) if least else None)
