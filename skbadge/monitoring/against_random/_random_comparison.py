"""The result of `compare_with_random`."""

from dataclasses import dataclass
from html import escape
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from skbadge.monitoring.estimates._shown_numbers import rounded
from skbadge.utils._html_tables import facts_table

Verdict = Literal["better", "worse", "no difference that matters", "cannot tell yet"]

# Probability with which the rows that are asked for settle the question.
_POWER = 0.8


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class RandomComparison:
    """A strategy's model beside one that learned from random rows.

    Attributes
    ----------
    verdict : {"better", "worse", "no difference that matters", "cannot tell yet"}
        "no difference that matters" if all of the interval lies within ``margin`` of
        0, however small a p-value; "better" and "worse", of the strategy, by the test.

    metric : {"accuracy", "mean absolute error"}
        What is compared.

    strategy_score, random_score : float
        That of both models on the judging rows.

    difference : float
        By how much the strategy's model is better: of accuracies the difference, of
        errors the difference as a share of the random model's.

    low, high : float
        Interval for it.

    p_value : float
        Of the test that both models are equally good.

    alpha : float
        What the p-value was compared with, and the probability with which the interval
        may miss.

    margin : float
        Differences up to it do not matter.

    judges : ndarray of shape (n_judges,)
        Positions in ``X_random`` of the rows that judged.

    n_won, n_lost : int
        Of these, rows on which the strategy's model is right and the other wrong, or
        else nearer to the number; and the other way round.

    n_trained : int
        Labels that each model learned from.

    n_initial : int
        How many of these were the same for both.

    n_more : int
        Further judging rows that would settle the question with a probability of 0.8,
        if the difference seen is the true one, at the next look if there are several;
        0 if it is settled.

    n_more_labels : int
        Further random labels that it takes to have them, with those that train.

    notes : tuple of str
        What else is worth knowing.
    """

    verdict: Verdict
    metric: str
    strategy_score: float
    random_score: float
    difference: float
    low: float
    high: float
    p_value: float
    alpha: float
    margin: float
    judges: NDArray
    n_won: int
    n_lost: int
    n_trained: int
    n_initial: int
    n_more: int
    n_more_labels: int
    notes: tuple[str, ...] = ()

    def __repr__(self):
        return f"<{type(self).__name__}: {self.verdict}, {self._range()}>"

    def __str__(self):
        lines = [f"{name}: {value}" for name, value in self._lines()]
        return "\n".join([self._title(), *(f"  {line}" for line in lines)])

    def _repr_html_(self):
        return f"<p><b>{escape(self._title())}</b></p>{facts_table(self._lines())}"

    def _title(self):
        return {
            "better": "better than random rows",
            "worse": "worse than random rows",
            "no difference that matters": (
                "no difference that matters: random rows would do as well"
            ),
            "cannot tell yet": "cannot tell yet whether it is better than random rows",
        }[self.verdict]

    def _range(self):
        low, high = (100 * end for end in (self.low, self.high))
        return f"{100 * self.difference:+.1f} {self._unit} ({low:+.1f} to {high:+.1f})"

    @property
    def _unit(self):
        return "points" if self.metric == "accuracy" else "% of the error"

    def _lines(self):
        chosen = self.n_trained - self.n_initial
        nearer = "alone right" if self.metric == "accuracy" else "nearer"
        yield (
            self.metric,
            f"{self.strategy_score:.3g} with {chosen} rows of the strategy, "
            f"{self.random_score:.3g} with {chosen} random ones, besides "
            f"{self.n_initial} first rows for both",
        )
        yield "difference", f"{self._range()} with confidence {1 - self.alpha:.3g}"
        yield (
            "judged by",
            f"{len(self.judges)} random rows that neither learned from: the strategy's "
            f"model is {nearer} on {self.n_won}, the random one on {self.n_lost}, "
            f"p = {self.p_value:.2g}",
        )
        if self.n_more:
            yield (
                "to settle it",
                f"about {rounded(self.n_more, 2)} more rows that judge, "
                f"{rounded(self.n_more_labels, 2)} more random labels in all, if the "
                "difference is the one seen so far "
                f"(with probability {_POWER}); a difference of less than "
                f"{self._margin()} does not matter",
            )
        for note in self.notes:
            yield "note", note

    def _margin(self):
        said = f"{100 * self.margin:g} {self._unit}"
        return "1 point" if said == "1 points" else said


def verdict_of(difference, interval, p_value, alpha, margin) -> Verdict:
    """What to say of a difference."""
    low, high = interval
    if -margin <= low and high <= margin:
        return "no difference that matters"
    if p_value > alpha:
        return "cannot tell yet"
    return "better" if difference > 0 else "worse"


def rows_to_settle(difference, variance, alpha, margin):
    """How many judging rows it takes to tell models apart, or that they are alike.

    Parameters
    ----------
    difference : float
        The true one, if it is the one seen so far.

    variance : float
        Of the differences of single rows.
    """
    size, doubt = abs(difference), stats.norm.ppf(1 - alpha / 2)
    # The interval must end before 0 on one side, or before the margin on both.
    least = (doubt + stats.norm.ppf(_POWER)) / size if size else np.inf
    if size < margin:
        on_both = doubt + stats.norm.ppf((1 + _POWER) / 2)
        least = min(least, on_both / (margin - size))
    needed = least**2 * variance
    # One row does not say how much rows vary: a second one is the least that does.
    return int(np.ceil(needed)) if np.isfinite(needed) else 2
