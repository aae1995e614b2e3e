"""How often each strategy beats each other: the penalty matrix."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np

from skbadge._compat import validate_params
from skbadge.inspection._frame import (
    SETTING,
    Results,
    import_pandas,
    mean_curve,
    non_finite_rows,
    skipped_frame,
)
from skbadge.inspection._penalty_tally import (
    RULES,
    check_rules,
    column_averages,
    penalties,
    settings_of,
    tally,
)
from skbadge.inspection._printed import Printed, left_out

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class PenaltyMatrix(Printed):
    """How often each strategy beats each other, see `penalty_matrix`.

    Attributes
    ----------
    definition : str
        "paper" or "script".

    metric : str
        What the strategies were compared by.

    matrix : DataFrame of shape (n_strategies, n_strategies)
        How often the row beats the column, in settings: between 0 and `n_settings`. NaN
        for two strategies that were never compared, 0 on the diagonal.

    column_average : Series of shape (n_strategies,)
        How often a strategy is beaten by another, on average; lower is better.

    n_settings : int
        Settings that have a budget to compare at.

    compared : DataFrame of shape (n_strategies, n_strategies)
        What an entry of the matrix would be, had the row always beaten the column:
        `n_settings` unless something was skipped.

    contributions : DataFrame
        One row per setting, budget and pair of strategies: `dataset`, `model`,
        `n_query`, `n_labeled`, `strategy`, `other`, `mean_difference` (of errors,
        `strategy` minus `other`), `statistic`, `p_value`, `n_repeats`, `weight` (what a
        win adds to the matrix) and `winner` (None if the difference is not
        significant).

    budgets : DataFrame
        One row per setting and budget: `dataset`, `model`, `n_query`, `n_labeled`,
        `weight`.

    skipped : DataFrame
        What was left out: `dataset`, `model`, `n_query`, `n_labeled`, `strategy`,
        `other` and the `reason`. What a row does not name holds for the whole setting.
    """

    definition: str
    metric: str
    matrix: "pd.DataFrame"
    column_average: "pd.Series"
    n_settings: int
    compared: "pd.DataFrame"
    contributions: "pd.DataFrame"
    budgets: "pd.DataFrame"
    skipped: "pd.DataFrame"

    _format = MappingProxyType({"float_format": "{:.3g}".format, "na_rep": "-"})

    def __repr__(self):
        n = len(self.matrix)
        return (
            f"<{type(self).__name__} of {self.metric}: {n} strategies, "
            f"{self.n_settings} settings>"
        )

    def _table(self):
        table = self.matrix.copy()
        table.loc["column average"] = self.column_average
        return table

    def _title(self):
        settings = (
            "1 setting" if self.n_settings == 1 else f"{self.n_settings} settings"
        )
        return (
            f"How often the row beats the column in {settings}, by "
            f"{self.metric} (definition of the {self.definition})"
        )

    def _notes(self):
        return left_out(self.skipped)


@validate_params(RULES)
def penalty_matrix(
    frame: Results,
    definition: Literal["paper", "script"] = "paper",
    *,
    metric: str | None = None,
    alpha: float = 0.05,
    baseline: str = "random",
    paired: bool = True,
    diagonal_in_mean: bool | None = None,
    n_initial: int | None = None,
    error: Literal["auto", "one_minus", "negated"] | Callable = "auto",
) -> PenaltyMatrix:
    """Count how often each strategy beats each other, over settings and budgets.

    A setting is a data set, a model and a number of rows asked for per round. In each,
    strategies are compared at budgets that double, up to where a baseline has all but
    reached its final score; a strategy beats another at a budget if its error is lower
    by a t-test over repeats, and earns one over the number of budgets [1]_.

    Parameters
    ----------
    frame : DataFrame, path to a CSV file, or object with ``to_frame()``
        Results, one row per evaluation and metric, with columns `dataset`, `model`,
        `strategy`, `n_query`, `repeat`, `n_labeled`, `metric` and `score` (greater is
        better). Runs of one `repeat` share their split and start.

    definition : {"paper", "script"}, default="paper"
        "paper": the budgets are ``n_initial + 2**(k - 1) * n_query`` for ``k = 1, 2,
        ...`` up to the first evaluation at which the baseline's mean score is at 99 %
        of its final value. "script", after the code that made the paper's figures:
        ``n_initial`` itself, when nothing has been asked for yet, is the first budget;
        the others follow until the baseline's score at one of them exceeds 99 %; and
        at most five repeats are compared.

    metric : str or None, default=None
        Which metric; None where there is only one.

    alpha : float, default=0.05
        Two-sided level of the t-test. With five repeats, 0.05 asks for ``|t| > 2.776``.

    baseline : str, default="random"
        The strategy whose curve says when to stop.

    paired : bool, default=True
        Whether to test the differences of runs of the same repeat; else, Welch's test
        of two groups.

    diagonal_in_mean : bool or None, default=None
        Whether the zero of a strategy against itself counts in its column's average.
        None: only in the definition of the script.

    n_initial : int or None, default=None
        Labels at the start; None for the least number in a setting.

    error : {"auto", "one_minus", "negated"} or callable, default="auto"
        Errors of scores: ``1 - score``, ``-score``, or a function of an array that
        returns errors >= 0. "auto" takes the first if all scores lie in [0, 1], the
        second if all are negative or 0. For the second and a function, the baseline is
        near its end when its error is within 1/0.99 of its final error.

    Returns
    -------
    penalties : PenaltyMatrix
        The matrix, and what it was made of.

    Raises
    ------
    ValueError
        If the frame or a parameter is not as described.

    See Also
    --------
    penalty_null : What the column averages would be, did the strategies not differ.

    Notes
    -----
    - A win is a lower error, whatever the sign of the statistic in a print of the
      paper. Runs that differ by the same amount in each repeat are a win (the
      statistic is infinite), identical ones are not.
    - Pairs are made by `repeat`, of the repeats that both strategies have, and at least
      two; the script pairs the runs by the order of its files.
    - The baseline's curve is the mean over its complete runs, those that reach
      everything any of them reaches.
    - A budget at which nothing was evaluated is left out and does not count in the
      weights. A pair that could not be compared at a budget earns nothing there, and
      the weights stay. Both are listed in `skipped`.
    - Neither definition corrects for the number of tests: with ``alpha=0.05``, equal
      strategies beat each other in 2.5 % of comparisons. Nor do two numbers compare
      between definitions, or between averages with and without the diagonal.

    References
    ----------
    .. [1] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020,
       section 4.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbadge.inspection import penalty_matrix
    >>> scores = {"badge": [0.5, 0.80, 0.90], "random": [0.5, 0.70, 0.90]}
    >>> frame = pd.DataFrame([
    ...     {"strategy": name, "n_query": 100, "repeat": repeat,
    ...      "n_labeled": 100 * (i + 1), "score": score + 0.001 * repeat}
    ...     for name, curve in scores.items()
    ...     for i, score in enumerate(curve)
    ...     for repeat in range(5)
    ... ])
    >>> penalties = penalty_matrix(frame)
    >>> penalties.matrix
            badge  random
    badge     0.0     0.5
    random    0.0     0.0
    >>> penalties.budgets["n_labeled"].tolist()
    [200, 300]
    """
    pd = import_pandas()
    results, rules = check_rules(
        frame, definition, metric, baseline, error, paired, diagonal_in_mean
    )
    settings, others = settings_of(results, rules, n_initial)
    names = sorted(results["strategy"].unique())
    matrix, compared = np.zeros((2, len(names), len(names)))
    n_settings, contributions, budgets = 0, [], []
    skipped = non_finite_rows(results)
    skipped += no_baseline(others, baseline)
    for setting in settings:
        comparison = tally(setting, setting.errors, rules)
        earned, possible = penalties(comparison, alpha)
        places = np.ix_(*2 * [np.searchsorted(names, setting.table.strategies)])
        matrix[places] += earned
        compared[places] += possible
        n_settings += bool(comparison.weight.any())
        contributions += _contributions(setting, comparison, alpha)
        budgets += _budgets(setting, comparison)
        skipped += skipped_budgets(setting, comparison.used, comparison.end, rules)
        skipped += _skipped_pairs(setting, comparison, names)
    average = column_averages(matrix, compared, rules.diagonal_in_mean)
    matrix[(compared == 0) & ~np.eye(len(names), dtype=bool)] = np.nan
    comparison = ["mean_difference", "statistic", "p_value", "n_repeats", "weight"]
    columns = [*SETTING, "n_labeled", "strategy", "other", *comparison, "winner"]
    return PenaltyMatrix(
        definition=definition,
        metric=rules.metric,
        matrix=pd.DataFrame(matrix, names, names),
        column_average=pd.Series(average, names, name="column average"),
        n_settings=n_settings,
        compared=pd.DataFrame(compared, names, names),
        contributions=pd.DataFrame(contributions, columns=columns),
        budgets=pd.DataFrame(budgets, columns=[*SETTING, "n_labeled", "weight"]),
        skipped=skipped_frame(skipped),
    )


def no_baseline(tables, baseline):
    """Settings without a baseline, as rows for `skipped_frame`."""
    return [table.setting | {"reason": f"no run of {baseline!r}"} for table in tables]


def skipped_budgets(setting, used, end, rules):
    """Why a setting has no budget or lacks some, as rows for `skipped_frame`.

    ``used`` and ``end`` are those of `used_budgets`.
    """
    table = setting.table
    rows = [
        table.setting
        | {"n_labeled": n_labeled, "reason": "no evaluation with so many labels"}
        for n_labeled in setting.budgets[used & ~setting.evaluated]
    ]
    if used.any():
        return rows
    _, n_complete = mean_curve(table.of(rules.baseline))
    if n_complete == 0:
        reason = f"no complete run of {rules.baseline!r}"
    elif np.isnan(end):
        reason = f"the final score of {rules.baseline!r} is negative: it has no 99 %"
    else:
        reason = (
            f"{rules.baseline!r} is near its final score with {int(end)} labels, "
            "before the first budget"
        )
    return [table.setting | {"reason": reason}]


def _contributions(setting, comparison, alpha):
    names = setting.table.strategies
    rows = []
    for k, i, j in np.argwhere(comparison.n_repeats >= 2):
        if i >= j or not comparison.weight[k]:
            continue
        mean, p_value = comparison.mean[k, i, j], comparison.p_value[k, i, j]
        winner = names[i] if mean < 0 else names[j]
        rows.append(
            setting.table.setting
            | {
                "n_labeled": setting.evaluated_budgets[k],
                "strategy": names[i],
                "other": names[j],
                "mean_difference": mean,
                "statistic": comparison.statistic[k, i, j],
                "p_value": p_value,
                "n_repeats": comparison.n_repeats[k, i, j],
                "weight": comparison.weight[k],
                "winner": winner if p_value < alpha else None,
            }
        )
    return rows


def _budgets(setting, comparison):
    pairs = zip(setting.evaluated_budgets, comparison.weight, strict=True)
    return [
        setting.table.setting | {"n_labeled": n_labeled, "weight": weight}
        for n_labeled, weight in pairs
        if weight
    ]


def _skipped_pairs(setting, comparison, names):
    if not comparison.weight.any():
        return []
    table = setting.table
    rows = [
        table.setting | {"strategy": name, "reason": "no run in this setting"}
        for name in names
        if name not in table.strategies
    ]
    for k, i, j in np.argwhere(comparison.n_repeats < 2):
        if i < j and comparison.weight[k]:
            n = comparison.n_repeats[k, i, j]
            rows.append(
                table.setting
                | {
                    "n_labeled": setting.evaluated_budgets[k],
                    "strategy": table.strategies[i],
                    "other": table.strategies[j],
                    "reason": f"{n} repeats to compare, at least 2 needed",
                }
            )
    return rows
