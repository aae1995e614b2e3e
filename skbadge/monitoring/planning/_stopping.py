"""Whether to stop labelling: an upper bound of the error, and two rules of thumb."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import inf, isfinite
from numbers import Integral, Real

import numpy as np

from skbadge._compat import Interval, validate_params
from skbadge.monitoring.estimates._intervals import alpha_of_look
from skbadge.monitoring.planning._next_step import next_step
from skbadge.monitoring.planning._target import check_not_a_score
from skbadge.monitoring.rounds._monitored_round import MonitoredRound, check_rounds
from skbadge.utils._html_tables import table

# So many values are printed of those that a criterion has seen.
_N_PRINTED = 6


@dataclass(frozen=True, kw_only=True)
class StoppingCriterion:
    """One view on whether to stop.

    Attributes
    ----------
    name : str
        What it looks at.

    met : bool
        Whether it says to stop.

    seen : dict of int to float
        What it has seen, by the number of the round.

    value : float or None
        What is compared, made of the values seen; None if these are too few.

    needed : str
        What it is compared with.

    reading : str
        How to read it.
    """

    name: str
    met: bool
    seen: dict[int, float]
    value: float | None
    needed: str
    reading: str

    def __str__(self):
        return f"{self._found()}, needed {self.needed}"

    def _found(self):
        value = "not known" if self.value is None else f"{self.value:.3g}"
        return f"{self.name}: {value}"

    def _cells(self):
        """What a table says of it."""
        met = "yes" if self.met else "no"
        return met, self._found(), self.needed, self.by_round, self.reading

    @property
    def by_round(self) -> str:
        """The last of the values seen, in words."""
        if not self.seen:
            return "nothing seen yet"
        last = list(self.seen.items())[-_N_PRINTED:]
        said = ", ".join(f"{value:.3g} (round {number})" for number, value in last)
        return said if len(last) == len(self.seen) else f"..., {said}"


@dataclass(frozen=True, kw_only=True, repr=False)
class StoppingAdvice:
    """Whether to stop labelling, and why. It is true if so.

    Attributes
    ----------
    stop : bool
        Whether the error is at most the target, for sure with this confidence.

    bound : float
        Upper bound of the error of the last round's model; infinite if there is none.

    target : float
        Error that is good enough.

    confidence : float
        Probability with which no round's error is above its bound.

    criteria : list of StoppingCriterion
        The bound, which alone decides, and the two rules of thumb.

    advice : str
        What to do.
    """

    stop: bool
    bound: float
    target: float
    confidence: float
    criteria: list[StoppingCriterion]
    advice: str

    def __bool__(self):
        return self.stop

    def __repr__(self):
        return f"<{type(self).__name__}: {self._title()}>"

    def __str__(self):
        lines = [self._title()]
        for one in self.criteria:
            lines += [
                f"  [{'x' if one.met else ' '}] {one}",
                f"      seen: {one.by_round}",
                f"      {one.reading}",
            ]
        return "\n".join([*lines, self.advice])

    def _repr_html_(self):
        head = ("", "criterion", "needed", "seen", "how to read it")
        rows = table(head, (one._cells() for one in self.criteria))
        title, advice = escape(self._title()), escape(self.advice)
        return f"<p><b>{title}</b></p>{rows}<p>{advice}</p>"

    def _title(self):
        if self.stop:
            return (
                f"Stop: the error is at most {self.bound:.3g}, and {self.target:g} is "
                f"good enough (confidence {self.confidence:g})"
            )
        return f"Go on: it is not sure that the error is at most {self.target:g}"


@validate_params(
    {
        "rounds": ["array-like"],
        "target": [Interval(Real, 0, None, closed="neither")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "least_agreement": [Interval(Real, -1, 1, closed="both")],
        "window": [Interval(Integral, 2, None, closed="left")],
        "tolerance": [Interval(Real, 0, None, closed="left")],
    }
)
def stopping_advice(
    rounds: Sequence[MonitoredRound],
    target: float,
    *,
    confidence: float = 0.95,
    least_agreement: float = 0.99,
    window: int = 3,
    tolerance: float = 0.01,
) -> StoppingAdvice:
    r"""Whether to stop labelling, from what the rounds have shown.

    It says to stop when an upper bound of the error is at most the target. Each round
    judges another model, so that the doubt is spent over the rounds: with a confidence
    of 0.95, at most one labelling in twenty ever stops too early, of however many
    rounds it is.

    Parameters
    ----------
    rounds : sequence of MonitoredRound
        All rounds so far, as in ``Monitor.rounds``.

    target : float
        Error that is good enough, in the units of the metric: 0.05 for an accuracy, or
        another score, of 0.95; the greatest root mean squared error.

    confidence : float, default=0.95
        Probability with which no round's error is above its bound.

    least_agreement : float, default=0.99
        The agreement of successive models is high if its mean is above this.

    window : int, default=3
        Number of rounds that the agreement and the stability are about.

    tolerance : float, default=0.01
        The error is stable if its estimates differ by at most this, in the units of the
        metric.

    Returns
    -------
    advice : StoppingAdvice
        True if to stop. Print it to read why.

    Notes
    -----
    **The bound** of round t is `Assessment.error_bound` with confidence :math:`1 -
    \alpha_t`, where :math:`\alpha_t = 6 \alpha / (\pi^2 t^2)`. These add up to
    :math:`\alpha`, one minus the confidence. From an audit of the accuracy it is exact.
    From a batch it rests on what `assess` rests on, and needs about :math:`\log(1 /
    \alpha_t) / (\epsilon \tau)` rows without any loss in one batch for a target
    :math:`\tau` and a uniform share :math:`\epsilon`. An audit does with
    :math:`\log(1 / \alpha_t) / \tau`, for all rounds together. It should not be made
    larger because of what it has shown: that is a look which the doubt is not spent on.

    **The two others do not decide**, as neither of them knows the target.

    * Agreement: the mean of Cohen's kappa between successive models, on the same rows
      without labels, is above 0.99 in three rounds (Bloodgood and Vijay-Shanker 2009).
      It says that the model hardly changes any more.
    * Stability of the error: the estimates of the last rounds differ by little. The
      criterion of this name of Ishibashi and Hino (2021) bounds by how much another
      label can change the expected error of a Bayesian model. This is not theirs: it
      is the range of the estimates, and needs no posterior. It holds by chance where
      estimates are rough.

    References
    ----------
    Bloodgood, Vijay-Shanker: "A method for stopping active learning based on
    stabilizing predictions and the need for user-adjustable stopping" (CoNLL 2009);
    Ishibashi, Hino: "Stopping criterion for active learning based on error stability"
    (2021, arXiv:2104.01836).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.monitoring import Monitor, stopping_advice
    >>> X, y = load_iris(return_X_y=True)
    >>> kept, start, pool = slice(0, None, 3), slice(1, None, 9), slice(2, None, 3)
    >>> querier = BadgeQuerier(LogisticRegression(max_iter=500), strategy="margin")
    >>> querier = querier.fit(X[start], y[start])
    >>> monitor = Monitor(audit=(X[kept], y[kept]))
    >>> rows, report = querier.query(X[pool], n=5, return_report=True)
    >>> one = monitor.add(querier, report, X[pool][rows], y[pool][rows])
    >>> stopping_advice(monitor.rounds, 0.01).stop
    False
    """
    rounds = check_rounds(rounds)
    found = {one.number: one.assessment for one in rounds if one.assessment is not None}
    check_not_a_score(rounds, target)
    alpha = 1 - confidence
    bounds = {
        number: one.error_bound(1 - alpha_of_look(alpha, number))
        for number, one in found.items()
    }
    last = rounds[-1] if rounds else None
    bound = inf if last is None else bounds.get(last.number, inf)
    stop = bool(bound <= target)
    return StoppingAdvice(
        stop=stop,
        bound=bound,
        target=target,
        confidence=confidence,
        criteria=[
            StoppingCriterion(
                name="upper bound of the error",
                met=stop,
                seen=bounds,
                value=bound if isfinite(bound) else None,
                needed=f"at most {target:g}",
                reading=_reading(found.values(), confidence),
            ),
            _agreement(rounds, window, least_agreement),
            _stability(rounds, window, tolerance),
        ],
        advice=next_step(last, stop, target, alpha),
    )


def _reading(assessments, confidence):
    """How far the bounds can be trusted."""
    said = f"With confidence {confidence:g} no round's error is above its bound"
    if any(one.interval == "normal" for one in assessments):
        said += ", if the rows are so many that the normal interval holds"
    return f"{said}. This decides."


def _agreement(rounds, window, least):
    seen = {one.number: one.agreement for one in rounds if one.agreement is not None}
    last = _last_of(rounds, seen, window)
    mean = None if last is None else float(np.mean(last))
    return StoppingCriterion(
        name=f"agreement of successive models, mean of {window} rounds",
        met=mean is not None and mean > least,
        seen=seen,
        value=mean,
        needed=f"above {least:g}",
        reading=(
            "A rule of thumb: the model hardly changes any more. It may be a bad one."
        ),
    )


def _stability(rounds, window, tolerance):
    seen = {
        one.number: one.error.estimate for one in rounds if one.assessment is not None
    }
    last = _last_of(rounds, seen, window)
    spread = None if last is None else float(np.ptp(last))
    return StoppingCriterion(
        name=f"range of the estimated error in {window} rounds",
        # Up to rounding: 0.31 and 0.3 differ by 0.01.
        met=spread is not None and spread <= tolerance + 1e-12,
        seen=seen,
        value=spread,
        needed=f"at most {tolerance:g}",
        reading=(
            "A rule of thumb: the error hardly changes any more. It may be a large "
            "one, and rough estimates can be alike by chance."
        ),
    )


def _last_of(rounds, seen, window):
    """Values of the last rounds, None if some of them have none."""
    last = [seen.get(one.number) for one in rounds[-window:]]
    return None if len(last) < window or None in last else last
