"""Whether errors with heavy tails tell how much a strategy gains."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from skbadge._compat import validate_params
from skbadge.inspection._frame import (
    SETTING,
    Results,
    check_strategy,
    import_pandas,
    read_results,
)
from skbadge.inspection._mean_log_errors import (
    TINY,
    error_metrics,
    mean_log_errors,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class ErrorTails:
    """Tails of errors at the start, and gains, see `error_tails`.

    Attributes
    ----------
    baseline : str
        The strategy that gains refer to.

    points : DataFrame
        One row per data set, model, n_query and strategy: `tail`, ln(RMSE) - ln(MAE)
        of the baseline at the start, mean over repeats; `gain`, mean log RMSE of the
        baseline minus the strategy's, above 0 is better; `gain_sem`, its standard
        error over repeats.

    fits : DataFrame
        One row per model, n_query and strategy: `slope`, `intercept`, `r_squared` of
        the least-squares line of gains over tails, and `n_datasets`. NaN for fewer than
        three data sets, or tails that are all the same.
    """

    baseline: str
    points: "pd.DataFrame"
    fits: "pd.DataFrame"


@validate_params({"baseline": [str], "rmse": [str], "mae": [str]})
def error_tails(
    frame: Results,
    *,
    baseline: str = "random",
    rmse: str = "neg_root_mean_squared_error",
    mae: str = "neg_mean_absolute_error",
) -> ErrorTails:
    """Relate the gain of strategies to how heavy the tails of the first errors are.

    The ratio of root mean squared to mean absolute error is 1 if all errors are of the
    same size, 1.25 if they are normal, and larger the more a few rows are responsible
    for most of the squared error. Where they are, choosing rows pays: over the 15 data
    sets of the benchmark [1]_, the log of the ratio after the first labels explains the
    gain of LCMD over random rows in log RMSE with an R² of 0.76.

    Parameters
    ----------
    frame : DataFrame, path to a CSV file, or object with ``to_frame()``
        Results, as for `mean_log_errors`, with both metrics.

    baseline : str, default="random"
        The strategy that gains refer to, and whose start is looked at.

    rmse, mae : str
        Names of the metrics: minus the root mean squared and mean absolute error.

    Returns
    -------
    tails : ErrorTails
        Points and fits. A setting without a complete run of the baseline has no point,
        nor has a strategy without a repeat to be paired with it.

    Raises
    ------
    ValueError
        If the frame or a parameter is not as described, or an RMSE is smaller than the
        MAE of the same evaluation.

    References
    ----------
    .. [1] Holzmüller, Zaverkin, Kästner, Steinwart. "A framework and benchmark for
       deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbadge.inspection import error_tails
    >>> start = {"light": (1.25, 1.0), "middle": (2.0, 1.0), "heavy": (4.0, 1.0)}
    >>> final = {"light": 0.9, "middle": 0.7, "heavy": 0.5}
    >>> frame = pd.DataFrame([
    ...     {"dataset": data, "strategy": strategy, "n_query": 10, "repeat": 0,
    ...      "n_labeled": n_labeled, "metric": metric, "score": -error}
    ...     for data, (rmse, mae) in start.items()
    ...     for strategy in ("lcmd", "random")
    ...     for n_labeled, metric, error in (
    ...         (10, "neg_root_mean_squared_error", rmse),
    ...         (10, "neg_mean_absolute_error", mae),
    ...         (20, "neg_root_mean_squared_error",
    ...          final[data] if strategy == "lcmd" else 1.0),
    ...     )
    ... ])
    >>> tails = error_tails(frame)
    >>> tails.points[["dataset", "tail", "gain"]].round(2)
      dataset  tail  gain
    0   heavy  1.39  0.69
    1   light  0.22  0.11
    2  middle  0.69  0.36
    >>> tails.fits[["strategy", "slope", "r_squared", "n_datasets"]].round(2)
      strategy  slope  r_squared  n_datasets
    0     lcmd    0.5        1.0           3
    """
    pd = import_pandas()
    results = read_results(frame)
    check_strategy("baseline", baseline, results)
    error_metrics(results, [rmse, mae])
    tails = _tails(results, baseline, rmse, mae)
    gains = mean_log_errors(results, metric=rmse, baseline=baseline).by_dataset
    rows = [
        {name: row[name] for name in [*SETTING, "strategy"]}
        | {"tail": tails[key], "gain": -row["difference"]}
        | {"gain_sem": row["difference_sem"]}
        for row in gains.to_dict("records")
        if (key := tuple(row[name] for name in SETTING)) in tails
        and row["strategy"] != baseline
        and np.isfinite(row["difference"])
    ]
    columns = [*SETTING, "strategy", "tail", "gain", "gain_sem"]
    points = pd.DataFrame(rows, columns=columns)
    names = ["model", "n_query", "strategy"]
    fits = [
        dict(zip(names, key, strict=True)) | _line(group)
        for key, group in points.groupby(names, sort=True)
    ]
    columns = [*names, "slope", "intercept", "r_squared", "n_datasets"]
    return ErrorTails(baseline, points, pd.DataFrame(fits, columns=columns))


def _tails(results, baseline, rmse, mae):
    """Mean over repeats of ln(RMSE) - ln(MAE) at the start, by setting."""
    errors = results[results["metric"].isin([rmse, mae])]
    start = errors.groupby([*SETTING, "metric"])["n_labeled"].transform("min")
    is_there = np.isfinite(errors["score"]) & (errors["strategy"] == baseline)
    errors = errors[is_there & (errors["n_labeled"] == start)]
    logs = errors.assign(log=np.log(np.maximum(-errors["score"], TINY))).pivot(
        index=[*SETTING, "repeat"], columns="metric", values="log"
    )
    logs = logs.reindex(columns=[rmse, mae])
    differences = (logs[rmse] - logs[mae]).dropna()
    if (differences < -1e-6).any():
        raise ValueError(
            "`rmse` must be at least `mae`, as the root mean squared error of rows is. "
            f"Got a ratio of {np.exp(differences.min()):.3g} in "
            f"{', '.join(map(str, differences.idxmin()[:3]))}."
        )
    return differences.groupby(SETTING).mean().to_dict()


def _line(points):
    fit = dict.fromkeys(("slope", "intercept", "r_squared"), np.nan)
    x, y = points["tail"].to_numpy(), points["gain"].to_numpy()
    if len(x) >= 3 and np.ptp(x) > 0:
        line = stats.linregress(x, y)
        r_squared = line.rvalue**2
        fit = {"slope": line.slope, "intercept": line.intercept, "r_squared": r_squared}
    return fit | {"n_datasets": len(x)}
