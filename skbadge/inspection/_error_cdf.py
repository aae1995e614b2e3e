"""How the errors of strategies compare with a baseline's, as a distribution."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from skbadge._compat import validate_params
from skbadge.inspection._budgets import used_budgets
from skbadge.inspection._frame import (
    SETTING,
    Results,
    check_choice,
    import_pandas,
    non_finite_rows,
    skipped_frame,
)
from skbadge.inspection._penalty import no_baseline, skipped_budgets
from skbadge.inspection._penalty_tally import RULES, check_rules, settings_of
from skbadge.inspection._printed import Printed, left_out

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class NormalizedErrorCDF(Printed):
    """Distribution of errors divided by a baseline's, see `normalized_error_cdf`.

    Attributes
    ----------
    definition : str
        "paper" or "script".

    metric : str
        What the errors are of.

    baseline : str
        Whose errors divide.

    errors : DataFrame
        One row per setting, budget and strategy: `dataset`, `model`, `n_query`,
        `n_labeled`, `strategy`, `error`, `baseline_error` (means over the `n_repeats`
        that both have), `normalized_error` and `weight`. The weights of a strategy sum
        to 1.

    skipped : DataFrame
        What was left out: `dataset`, `model`, `n_query`, `n_labeled`, `strategy`,
        `other` and the `reason`.
    """

    definition: str
    metric: str
    baseline: str
    errors: "pd.DataFrame"
    skipped: "pd.DataFrame"

    @property
    def strategies(self) -> list[str]:
        """Names of the strategies that have an error, sorted."""
        return sorted(self.errors["strategy"].unique())

    def cdf(self, strategy: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weighted empirical distribution of one strategy's normalised errors.

        Parameters
        ----------
        strategy : str
            One of `strategies`.

        Returns
        -------
        x : ndarray of shape (n_steps,)
            Distinct normalised errors, ascending.

        p : ndarray of shape (n_steps,)
            Weight of the errors up to and including each, the last 1: a step function
            that is continuous from the right (``ax.step(x, p, where="post")``).
        """
        check_choice("strategy", strategy, self.strategies)
        rows = self.errors[self.errors["strategy"] == strategy]
        x, places = np.unique(rows["normalized_error"], return_inverse=True)
        p = np.cumsum(np.bincount(places, weights=rows["weight"]))
        return x, p / p[-1]

    _format = MappingProxyType({"float_format": "{:.3g}".format})

    def __repr__(self):
        n = len(self.strategies)
        return f"<{type(self).__name__} of {self.metric}: {n} strategies>"

    def _title(self):
        return (
            f"Errors ({self.metric}) divided by those of {self.baseline!r}, mean over "
            f"the budgets of the {self.definition}'s definition"
        )

    def _table(self):
        means = self.errors["normalized_error"] * self.errors["weight"]
        return means.groupby(self.errors["strategy"]).sum().to_frame("mean")

    def _notes(self):
        return left_out(self.skipped)


@validate_params(RULES)
def normalized_error_cdf(
    frame: Results,
    definition: Literal["paper", "script"] = "paper",
    *,
    metric: str | None = None,
    baseline: str = "random",
    n_initial: int | None = None,
    error: Literal["auto", "one_minus", "negated"] | Callable = "auto",
) -> NormalizedErrorCDF:
    """Distribution of errors divided by a baseline's, over settings and budgets.

    At each budget of `penalty_matrix`, the mean error of a strategy is divided by that
    of the baseline; each setting has the same weight, shared by its budgets [1]_.

    Parameters
    ----------
    frame : DataFrame, path to a CSV file, or object with ``to_frame()``
        As for `penalty_matrix`.

    definition : {"paper", "script"}, default="paper"
        Which budgets, as for `penalty_matrix`.

    metric : str or None, default=None
        Which metric; None where there is only one.

    baseline : str, default="random"
        The strategy whose errors divide, and whose curve says when to stop.

    n_initial : int or None, default=None
        Labels at the start; None for the least number in a setting.

    error : {"auto", "one_minus", "negated"} or callable, default="auto"
        Errors of scores, as for `penalty_matrix`.

    Returns
    -------
    distribution : NormalizedErrorCDF
        Normalised errors with their weights, and their distribution by strategy.

    Raises
    ------
    ValueError
        If the frame or a parameter is not as described.

    Notes
    -----
    - Both means are over the repeats that the strategy and the baseline have in common
      at that budget, which share their split and start.
    - A budget at which the baseline makes no error has no ratio: it is left out, and
      so is one that a strategy lacks. The other weights of the strategy are scaled to
      sum to 1, and `skipped` lists what is missing.
    - The definition of the script differs in its budgets only. The script itself takes
      the accuracy of the first run for the mean, and lets errors and weights go out of
      step where a strategy lacks a budget; neither is followed.

    References
    ----------
    .. [1] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020,
       section 4.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbadge.inspection import normalized_error_cdf
    >>> scores = {"badge": [0.5, 0.8, 0.9], "random": [0.5, 0.6, 0.9]}
    >>> frame = pd.DataFrame([
    ...     {"strategy": name, "n_query": 100, "repeat": 0,
    ...      "n_labeled": 100 * (i + 1), "score": score}
    ...     for name, curve in scores.items()
    ...     for i, score in enumerate(curve)
    ... ])
    >>> x, p = normalized_error_cdf(frame).cdf("badge")
    >>> print(x.round(3), p)
    [0.5 1. ] [0.5 1. ]
    """
    results, rules = check_rules(frame, definition, metric, baseline, error)
    settings, others = settings_of(results, rules, n_initial)
    rows = []
    skipped = non_finite_rows(results)
    skipped += no_baseline(others, baseline)
    for setting in settings:
        table = setting.table
        used, end = used_budgets(
            setting.errors[table.strategies.index(baseline)],
            table.n_labeled,
            setting.budgets,
            definition,
            rules.error,
        )
        skipped += skipped_budgets(setting, used, end, rules)
        counted = setting.budgets[used & setting.evaluated]
        for n_labeled in counted:
            found, missing = _at_budget(setting, n_labeled, 1 / len(counted), baseline)
            rows += found
            skipped += missing
    return NormalizedErrorCDF(
        definition, rules.metric, baseline, _errors_frame(rows), skipped_frame(skipped)
    )


def _at_budget(setting, n_labeled, weight, baseline):
    table = setting.table
    at = setting.errors[:, :, np.searchsorted(table.n_labeled, n_labeled)]
    theirs = at[table.strategies.index(baseline)]
    rows, skipped = [], []
    for strategy, mine in zip(table.strategies, at, strict=True):
        where = table.setting | {"n_labeled": n_labeled, "strategy": strategy}
        common = np.isfinite(mine) & np.isfinite(theirs)
        if not common.any():
            reason = f"no repeat in common with {baseline!r}"
        elif theirs[common].max() == 0:
            reason = f"{baseline!r} makes no error"
        else:
            error, divisor = mine[common].mean(), theirs[common].mean()
            rows.append(
                where
                | {
                    "error": error,
                    "baseline_error": divisor,
                    "normalized_error": error / divisor,
                    "n_repeats": common.sum(),
                    "weight": weight,
                }
            )
            continue
        skipped.append(where | {"reason": reason})
    return rows, skipped


def _errors_frame(rows):
    pd = import_pandas()
    columns = ["error", "baseline_error", "normalized_error", "n_repeats", "weight"]
    errors = pd.DataFrame(
        rows, columns=[*SETTING, "n_labeled", "strategy", *columns]
    ).astype({"weight": np.float64})
    total = errors.groupby("strategy")["weight"].transform("sum")
    return errors.assign(weight=errors["weight"] / total)
