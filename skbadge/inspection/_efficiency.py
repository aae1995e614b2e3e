"""How many labels a strategy needs, relative to a baseline."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.integrate import trapezoid

from skbadge._compat import validate_params
from skbadge.inspection._crossings import isotonic, labels_at_score
from skbadge.inspection._frame import (
    SETTING,
    Results,
    check_strategy,
    import_pandas,
    mean_curve,
    read_results,
    score_tables,
    select_metric,
)

if TYPE_CHECKING:
    import pandas as pd


@validate_params(
    {
        "metric": [str, None],
        "baseline": [str],
        "targets": ["array-like"],
        "monotone": ["boolean"],
    },
)
def label_efficiency(
    frame: Results,
    *,
    metric: str | None = None,
    baseline: str = "random",
    targets: Sequence[float] = (0.9, 0.95, 0.99, 1.0),
    monotone: bool = False,
) -> "pd.DataFrame":
    """Labels to reach a baseline's scores, area under the curve and deficiency.

    Parameters
    ----------
    frame : DataFrame, path to a CSV file, or object with ``to_frame()``
        Results, one row per evaluation and metric, with columns `dataset`, `model`,
        `strategy`, `n_query`, `repeat`, `n_labeled`, `metric` and `score` (greater is
        better).

    metric : str or None, default=None
        Which metric; None where there is only one.

    baseline : str, default="random"
        The strategy that others are relative to.

    targets : sequence of float, default=(0.9, 0.95, 0.99, 1.0)
        Fractions of the baseline's final score, above 0. Where that score is negative,
        as of a negated error, it is divided by the fraction. At 1.0 the `ratio` is the
        data utilisation rate [1]_.

    monotone : bool, default=False
        Whether to read the labels to a target off the isotonic regression of a curve
        and not the curve itself, whose noise crosses a target early. Both are means
        over complete runs.

    Returns
    -------
    efficiency : DataFrame
        One row per setting, strategy and target: `dataset`, `model`, `n_query`,
        `metric`, `strategy`,

        - `target`, `target_score`: the fraction, and the score it comes to;
        - `labels_to_target`: least number of labels, by linear interpolation, at which
          the mean score is at the target; NaN if it never is;
        - `ratio`: that number over the baseline's, below 1 is better; NaN if either is;
        - `censored`: "no"; "right" if the curve ends below the target; or "left" if it
          starts at or above it, so that the true number is at most that given;
        - `area`: area under the curve over labels, by the trapezoidal rule, divided by
          its range: a mean score. NaN for a single point;
        - `deficiency`: the curve's sum of shortfalls from the baseline's final score,
          over that of the baseline [2]_, at the numbers of labels that both were
          evaluated at; below 1 is better. NaN if the baseline has no shortfall;
        - `first`, `last`: ends of the curve, in labels. Areas compare over the same
          range only;
        - `n_repeats`, `n_incomplete`: runs the curve is the mean of, and runs left out
          as they stop short of others or hold a score that is not finite.

        A setting without a complete run of the baseline has NaN for all that refers
        to it, and "unknown" for `censored`.

    Raises
    ------
    ValueError
        If the frame or a parameter is not as described.

    References
    ----------
    .. [1] M. Culver, D. Kun, S. Scott. "Active learning to maximize area under the ROC
       curve". ICDM 2006.
    .. [2] Y. Baram, R. El-Yaniv, K. Luz. "Online choice of active learning algorithms".
       JMLR 5, 2004.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbadge.inspection import label_efficiency
    >>> scores = {"badge": [0.5, 0.8, 0.9], "random": [0.5, 0.6, 0.8]}
    >>> frame = pd.DataFrame([
    ...     {"strategy": name, "n_query": 100, "repeat": 0,
    ...      "n_labeled": 100 * (i + 1), "score": score}
    ...     for name, curve in scores.items()
    ...     for i, score in enumerate(curve)
    ... ])
    >>> efficiency = label_efficiency(frame, targets=[1.0])
    >>> columns = ["strategy", "labels_to_target", "ratio", "area", "deficiency"]
    >>> efficiency[columns].round(3)
      strategy  labels_to_target  ratio   area  deficiency
    0    badge             200.0  0.667  0.750         0.4
    1   random             300.0  1.000  0.625         1.0
    """
    pd = import_pandas()
    targets = _check_targets(targets)
    results, metric = select_metric(read_results(frame), metric)
    check_strategy("baseline", baseline, results)
    runs = results.groupby([*SETTING, "strategy"])["repeat"]
    n_runs, rows = runs.nunique().to_dict(), []
    for table in score_tables(results):
        curves, n_repeats = mean_curve(table.scores)
        reference = np.full(len(table.n_labeled), np.nan)
        if baseline in table.strategies:
            reference = curves[table.strategies.index(baseline)]
        for strategy, curve, n in zip(table.strategies, curves, n_repeats, strict=True):
            key = (*table.setting.values(), strategy)
            summary = _summary(table.n_labeled, curve, reference) | {
                "n_repeats": n,
                "n_incomplete": n_runs[key] - n,
            }
            rows += [
                table.setting
                | {"metric": metric, "strategy": strategy}
                | _labels(table.n_labeled, curve, reference, target, monotone)
                | summary
                for target in targets
            ]
    return pd.DataFrame(rows).astype({"first": "Int64", "last": "Int64"})


def area_under_curve(n_labeled, curve):
    """Area by the trapezoidal rule, divided by the range of labels, which ascend.

    Of curves of shape (..., n_points). NaN for fewer than two points.
    """
    if len(n_labeled) < 2:
        return np.full(curve.shape[:-1], np.nan)
    return trapezoid(curve, n_labeled) / np.ptp(n_labeled)


def _check_targets(targets):
    values = np.atleast_1d(np.asarray(targets, dtype=np.float64))
    are_fractions = (np.isfinite(values) & (values > 0)).all()
    if values.ndim != 1 or not values.size or not are_fractions:
        raise ValueError(
            f"`targets` must be fractions above 0, one at least. Got {targets!r}."
        )
    return values.tolist()


def _labels(n_labeled, curve, reference, target, monotone):
    mine, theirs = np.isfinite(curve), np.isfinite(reference)
    row = {"target": target, "target_score": np.nan, "labels_to_target": np.nan}
    row |= {"ratio": np.nan, "censored": "unknown"}
    if not theirs.any():
        return row
    final = reference[theirs][-1]
    row["target_score"] = score = final * target if final >= 0 else final / target
    if not mine.any():
        return row
    labels, row["censored"] = _labels_to_target(
        n_labeled[mine], curve[mine], score, monotone
    )
    divisor, _ = _labels_to_target(
        n_labeled[theirs], reference[theirs], score, monotone
    )
    row["labels_to_target"] = labels
    row["ratio"] = labels / divisor if divisor else np.nan
    return row


def _labels_to_target(n_labeled, curve, score, monotone):
    low, high = labels_at_score(
        n_labeled, isotonic(curve) if monotone else curve, score
    )
    if np.isinf(high):
        return np.nan, "right"
    return float(high), "left" if np.isinf(low) else "no"


def _summary(n_labeled, curve, reference):
    mine = np.isfinite(curve)
    both = mine & np.isfinite(reference)
    deficiency = np.nan
    if both.any():
        final = reference[np.isfinite(reference)][-1]
        shortfall = (final - reference[both]).sum()
        if shortfall > 0:
            deficiency = (final - curve[both]).sum() / shortfall
    ends = n_labeled[mine][[0, -1]] if mine.any() else (None, None)
    return {
        "area": float(area_under_curve(n_labeled[mine], curve[mine])),
        "deficiency": deficiency,
        "first": ends[0],
        "last": ends[1],
    }
