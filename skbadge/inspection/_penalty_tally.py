"""Who beats whom in one setting, and by how much of it; for many labellings at once."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np

from skbadge._compat import Interval, StrOptions
from skbadge.inspection._budgets import (
    DEFINITIONS,
    ErrorRule,
    candidate_budgets,
    error_rule,
    used_budgets,
)
from skbadge.inspection._frame import (
    ScoreTable,
    check_strategy,
    read_results,
    score_tables,
    select_metric,
)
from skbadge.inspection._t_tests import one_sample_t, paired_differences, welch_t

# The script compares the first five runs, whatever there are.
_SCRIPT_REPEATS = 5


# What whoever counts penalties accepts, as scikit-learn writes constraints.
RULES = {
    "definition": [StrOptions(set(DEFINITIONS))],
    "metric": [str, None],
    "alpha": [Interval(Real, 0, 1, closed="neither")],
    "baseline": [str],
    "paired": ["boolean"],
    "diagonal_in_mean": ["boolean", None],
    "n_initial": [Interval(Integral, 1, None, closed="left"), None],
    "error": [StrOptions({"auto", "one_minus", "negated"}), callable],
}


@dataclass(frozen=True)
class Rules:
    """Checked parameters of a penalty matrix, see `penalty_matrix`."""

    definition: str
    metric: str
    baseline: str
    paired: bool
    diagonal_in_mean: bool
    error: ErrorRule


@dataclass(frozen=True, eq=False)
class Setting:
    """One setting that has runs of the baseline.

    Attributes
    ----------
    table : ScoreTable
        Its scores.

    errors : ndarray of shape (n_strategies, n_repeats, n_labeled)
        What they come to.

    budgets : ndarray of shape (n_budgets,)
        Where a comparison may take place.

    evaluated : ndarray of shape (n_budgets,)
        bool; where there is any evaluation.
    """

    table: ScoreTable
    errors: np.ndarray
    budgets: np.ndarray
    evaluated: np.ndarray

    @property
    def evaluated_budgets(self):
        """Budgets at which there is any evaluation."""
        return self.budgets[self.evaluated]


class Tally(NamedTuple):
    """Comparisons in one setting; the leading dimensions are those of the errors.

    `used` (..., n_budgets) and `end` (...) are those of `used_budgets`. `mean`,
    `statistic`, `p_value` and `n_repeats` (..., n_evaluated, n_strategies,
    n_strategies) are of the difference of errors, row minus column, at the budgets that
    were evaluated, and `weight` (..., n_evaluated) is what a win there adds.
    """

    used: np.ndarray
    end: np.ndarray
    weight: np.ndarray
    mean: np.ndarray
    statistic: np.ndarray
    p_value: np.ndarray
    n_repeats: np.ndarray


def check_rules(
    frame, definition, metric, baseline, error, paired=True, diagonal_in_mean=None
):
    """Results of the metric, and the checked parameters as `Rules`."""
    results, metric = select_metric(read_results(frame), metric)
    check_strategy("baseline", baseline, results)
    if diagonal_in_mean is None:
        diagonal_in_mean = definition == "script"
    rule = error_rule(error, results["score"].to_numpy())
    return results, Rules(definition, metric, baseline, paired, diagonal_in_mean, rule)


def settings_of(results, rules, n_initial):
    """Settings of the results with the baseline, and `ScoreTable`s of those without."""
    settings, others = [], []
    for table in score_tables(results):
        if rules.baseline not in table.strategies:
            others.append(table)
            continue
        budgets = candidate_budgets(table, rules.definition, n_initial)
        any_score = np.isfinite(table.scores).any(axis=(0, 1))
        evaluated = np.isin(budgets, table.n_labeled[any_score])
        errors = rules.error.errors(table.scores)
        settings.append(Setting(table, errors, budgets, evaluated))
    return settings, others


def tally(setting, errors, rules):
    """Compare all pairs of strategies at all budgets of a setting, as a `Tally`.

    The errors, of shape (..., n_strategies, n_repeats, n_labeled), are those of the
    setting, or those with the strategies' names exchanged.
    """
    table = setting.table
    baseline = table.strategies.index(rules.baseline)
    used, end = used_budgets(
        errors[..., baseline, :, :],
        table.n_labeled,
        setting.budgets,
        rules.definition,
        rules.error,
    )
    counted = (used & setting.evaluated)[..., setting.evaluated]
    weight = counted / np.maximum(counted.sum(axis=-1, keepdims=True), 1)
    columns = np.searchsorted(table.n_labeled, setting.evaluated_budgets)
    at_budgets = np.moveaxis(errors[..., columns], -1, -3)
    limit = _SCRIPT_REPEATS if rules.definition == "script" else None
    if rules.paired:
        differences = paired_differences(at_budgets, unit=rules.error.unit)
        comparison = one_sample_t(_first(differences, limit))
    else:
        comparison = welch_t(_first(at_budgets, limit), unit=rules.error.unit)
    return Tally(used, end, weight, *comparison)


def penalties(comparison, alpha):
    """What the wins of a setting add to the matrix, and what they could.

    Two arrays of shape (..., n_strategies, n_strategies): weights of the budgets at
    which the row beats the column, and of those at which they could be compared.
    """
    wins = (comparison.p_value < alpha) & (comparison.mean < 0)
    return tuple(
        np.einsum("...k,...kij->...ij", comparison.weight, which)
        for which in (wins, comparison.n_repeats >= 2)
    )


def column_averages(matrix, compared, diagonal_in_mean):
    """Mean of each column, over the strategies that were compared with its own.

    ``matrix`` and ``compared`` are sums over settings of what `penalties` returns, of
    shape (..., n_strategies, n_strategies), and ``diagonal_in_mean`` says whether the
    zero on the diagonal counts. NaN where a strategy was compared with no other.
    """
    others = (compared > 0) & ~np.eye(compared.shape[-1], dtype=bool)
    n = others.sum(axis=-2)
    total = np.where(others, matrix, 0.0).sum(axis=-2)
    return np.where(n > 0, total / np.maximum(n + diagonal_in_mean, 1), np.nan)


def _first(values, limit):
    if limit is None:
        return values
    finite = np.isfinite(values)
    return np.where(np.cumsum(finite, axis=-1) <= limit, values, np.nan)
