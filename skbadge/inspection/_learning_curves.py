"""Mean scores by number of labels."""

from numbers import Integral, Real
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import stats

from skbadge._compat import Interval, Options, validate_params
from skbadge.inspection._frame import SETTING, Results, read_results, select_metric

if TYPE_CHECKING:
    import pandas as pd


@validate_params(
    {
        "metric": [str, None],
        "ddof": [Options(Integral, {0, 1})],
        "confidence": [Interval(Real, 0, 1, closed="neither"), None],
    },
)
def learning_curves(
    frame: Results,
    *,
    metric: str | None = None,
    ddof: Literal[0, 1] = 1,
    confidence: float | None = None,
) -> "pd.DataFrame":
    """Mean score by number of labels, with its standard error over repeats.

    Parameters
    ----------
    frame : DataFrame, path to a CSV file, or object with ``to_frame()``
        Results, one row per evaluation and metric, with columns `dataset`, `model`,
        `strategy`, `n_query`, `repeat`, `n_labeled`, `metric` and `score`.

    metric : str or None, default=None
        Which metric; None where there is only one.

    ddof : {0, 1}, default=1
        The standard deviation behind `sem` divides by ``n_repeats - ddof``.

    confidence : float or None, default=None
        Level of Student's interval from `low` to `high`, between 0 and 1. None makes
        them one standard error below and above the mean.

    Returns
    -------
    curves : DataFrame
        One row per setting, strategy and number of labels: `dataset`, `model`,
        `n_query`, `metric`, `strategy`, `n_labeled`, `mean`, `sem` (standard error of
        the mean), `low`, `high`, `n_repeats` (finite scores, of which the former are
        computed) and `n_missing` (runs of that strategy that have none here: they
        stopped, or the score is not finite). With one repeat, `sem`, `low` and `high`
        are NaN unless ``ddof=0``.

    Raises
    ------
    ValueError
        If the frame or a parameter is not as described.

    Notes
    -----
    The scripts of Ash et al. [1]_ use ``ddof=0``, and smooth the curves of small
    batches by a moving average; here curves are not smoothed. An interval for the mean
    needs the unbiased variance, and has it whatever ``ddof``.

    References
    ----------
    .. [1] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbadge.inspection import learning_curves
    >>> frame = pd.DataFrame({
    ...     "strategy": "badge", "n_query": 10, "repeat": [0, 1, 0, 1],
    ...     "n_labeled": [20, 20, 30, 30], "score": [0.5, 0.7, 0.8, 0.9],
    ... })
    >>> curves = learning_curves(frame)
    >>> curves[["n_labeled", "mean", "sem", "n_repeats"]].round(3)
       n_labeled  mean   sem  n_repeats
    0         20  0.60  0.10          2
    1         30  0.85  0.05          2
    """
    results, _ = select_metric(read_results(frame), metric)
    finite = np.isfinite(results["score"])
    results = results.assign(score=results["score"].where(finite))
    strategy = [*SETTING, "metric", "strategy"]
    scores = results.groupby([*strategy, "n_labeled"], sort=True)["score"]
    curves = scores.agg(["mean", "count"]).reset_index()
    n = curves.pop("count")
    curves["sem"] = width = scores.sem(ddof=ddof).to_numpy()
    if confidence is not None:
        quantile = stats.t.ppf((1 + confidence) / 2, (n - 1).where(n > 1))
        width = scores.sem().to_numpy() * quantile
    curves["low"] = curves["mean"] - width
    curves["high"] = curves["mean"] + width
    curves["n_repeats"] = n
    runs = results.groupby(strategy)["repeat"].nunique().rename("n_runs")
    n_runs = curves.join(runs, on=strategy)["n_runs"]
    curves["n_missing"] = n_runs - n
    return curves
