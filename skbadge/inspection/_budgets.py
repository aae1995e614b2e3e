"""At which numbers of labels strategies are compared, and on which errors."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from skbadge.inspection._frame import mean_curve

DEFINITIONS = ("paper", "script")
# What counts as the end of the baseline's curve.
_SHARE = 0.99
_ROUNDING = 1e-12


@dataclass(frozen=True)
class ErrorRule:
    """Errors from scores, and when an error is as good as final.

    Attributes
    ----------
    kind : str
        "one_minus", "negated" or "callable".

    function : callable
        Errors of an array of scores.
    """

    kind: str
    function: object

    @property
    def unit(self):
        """Least magnitude of the numbers the errors are computed from."""
        return 1.0 if self.kind == "one_minus" else 0.0

    def errors(self, scores):
        """Errors of shape of the scores, NaN where those are."""
        finite = np.isfinite(scores)
        errors = np.full(scores.shape, np.nan)
        if not finite.any():
            return errors
        errors[finite] = self.function(scores[finite])
        if not (errors[finite] >= -_ROUNDING * self.unit).all():
            worst = scores[finite][np.argmin(errors[finite])]
            raise ValueError(
                "`error` must turn scores into errors >= 0. "
                f"{self.kind!r} makes {np.nanmin(errors)} of the score {worst}."
            )
        # A score of 1 may be off by rounding.
        return np.maximum(errors, 0.0)

    def near(self, final):
        """Greatest error at which a curve has come to 99 % of where it ends.

        A score ``s >= 0`` has reached 99 % of its final value, the rule of the paper.
        A score that is a negated error has no such share: there, the error is within
        1/0.99 of its final value, which is the same rule read from the other side.
        """
        if self.kind == "one_minus":
            return np.where(final <= 1, 1 - _SHARE * (1 - final), np.nan)
        return final / _SHARE


def error_rule(error, scores):
    """The `ErrorRule` of the parameter ``error``, for all scores of a metric."""
    if callable(error):
        return ErrorRule("callable", error)
    scores = scores[np.isfinite(scores)]
    if error == "auto" and len(scores):
        low, high = scores.min(), scores.max()
        if low >= 0 and high <= 1:
            error = "one_minus"
        elif high <= 0:
            error = "negated"
        else:
            raise ValueError(
                f"The scores range from {low} to {high}, so that `error`='auto' cannot "
                "tell what the error is. Give 'one_minus', 'negated' or a function."
            )
    if error == "negated":
        return ErrorRule("negated", np.negative)
    return ErrorRule("one_minus", partial(np.subtract, 1))


def candidate_budgets(table, definition, n_initial):
    """Budgets at which a definition may compare, all the way to the last evaluation.

    They are ``n_initial + 2**(k - 1) * n_query`` for ``k = 1, 2, ...``, and before them
    ``n_initial`` itself in the definition of the script. None is the table's least.
    """
    evaluated = table.n_labeled[np.isfinite(table.scores).any(axis=(0, 1))]
    if len(evaluated) == 0:
        return np.empty(0, dtype=np.int64)
    start = int(evaluated[0] if n_initial is None else n_initial)
    step = table.setting["n_query"]
    budgets = [start] if definition == "script" else []
    while step > 0 and start + step <= evaluated[-1]:
        budgets.append(start + step)
        step *= 2
    return np.array(budgets, dtype=np.int64)


def used_budgets(errors, n_labeled, budgets, definition, rule):
    """Which budgets lie before the end of the baseline's curve.

    Parameters
    ----------
    errors : ndarray of shape (..., n_repeats, n_labeled)
        Of the baseline; NaN where there is none.

    n_labeled : ndarray of shape (n_labeled,)
        Where it was evaluated.

    budgets : ndarray of shape (n_budgets,)
        From `candidate_budgets`.

    definition : {"paper", "script"}
        "paper": those up to the first evaluation at which the baseline is near its
        final score. "script": those before the first budget at which it has passed
        that score; its start is always among them.

    rule : ErrorRule
        What near means.

    Returns
    -------
    used : ndarray of shape (..., n_budgets)
        bool; none if the baseline has no complete run, or its final score is negative
        and has no share to reach.

    end : ndarray of shape (...)
        Labels at the first evaluation at which the baseline is near its final score;
        NaN where there is none.
    """
    curve, _ = mean_curve(errors)
    defined = np.isfinite(curve)
    last = curve.shape[-1] - 1 - np.argmax(defined[..., ::-1], axis=-1)
    final = np.take_along_axis(curve, last[..., None], axis=-1)
    near = rule.near(final)
    slack = _ROUNDING * np.maximum(np.abs(near), rule.unit)
    reached = curve <= near + slack
    ends = reached.any(axis=-1)
    end = np.where(ends, n_labeled[np.argmax(reached, axis=-1)], np.nan)
    if definition == "paper":
        return budgets <= end[..., None], end
    # A budget at which the baseline was not evaluated is no reason to stop.
    passed = np.zeros([*end.shape, len(budgets)], dtype=bool)
    evaluated = np.isin(budgets, n_labeled)
    at = curve[..., np.searchsorted(n_labeled, budgets[evaluated])]
    passed[..., evaluated] = at < near - slack
    passed[..., :1] = False
    passed |= budgets > n_labeled[last][..., None]
    return ~np.logical_or.accumulate(passed, axis=-1) & ends[..., None], end
