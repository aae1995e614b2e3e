"""How many labels each strategy saves against a baseline, with intervals."""

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from operator import itemgetter
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import stats
from sklearn.utils import check_random_state

from skbadge._compat import Interval, validate_params
from skbadge.inspection._frame import (
    SETTING,
    Results,
    check_choice,
    check_strategy,
    import_pandas,
    read_results,
    score_tables,
    select_metric,
)
from skbadge.inspection._saving import FINAL, setting_savings
from skbadge.utils._typing import RandomState

if TYPE_CHECKING:
    import pandas as pd

_BOUNDS = ("saving", "at_least", "at_most", "low", "high")
_COUNTS = ("n_settings", "n_datasets", "n_never", "n_at_start", "n_left_out")
_MEASURES = (*_BOUNDS, *_COUNTS, "n_repeats")


@validate_params(
    {
        "baseline": [str],
        "metric": [str, None],
        "targets": ["array-like"],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "n_bootstrap": [Interval(Integral, 100, None, closed="left")],
        "random_state": ["random_state"],
        "by": [str, "array-like", Mapping, None],
    },
)
def labels_saved(
    frame: Results,
    *,
    baseline: str = "random",
    metric: str | None = None,
    targets: Sequence[float | Literal["final"]] = (0.5, 0.8),
    confidence: float = 0.95,
    n_bootstrap: int = 1000,
    random_state: RandomState = None,
    by: str | Sequence[str] | Mapping[str, str] | None = None,
) -> "pd.DataFrame":
    """Share of the labels that each strategy saves against a baseline at equal score.

    With a given number of labels the baseline has a mean score. A strategy that comes
    to the same score with 300 labels where the baseline takes 400 saves 0.25. Both
    numbers are read off the isotonic regressions of mean curves, and count the first
    labels.

    Parameters
    ----------
    frame : DataFrame, path to a CSV file, or object with ``to_frame()``
        Results, one row per evaluation and metric, with columns `dataset`, `model`,
        `strategy`, `n_query`, `repeat`, `n_labeled`, `metric` and `score` (greater is
        better). Runs of one `repeat` share their split and start.

    baseline : str, default="random"
        The strategy that others are compared with.

    metric : str or None, default=None
        Which metric; None where there is only one.

    targets : sequence, default=(0.5, 0.8)
        Labels of the baseline whose score is to be reached: a number of labels (int), a
        share of its last number of labels (float between 0 and 1), or "final", the end
        of its curve. Of strategies as good as the baseline, half never reach its final
        score, and isotonic regression is too high at the end of a noisy curve, so that
        savings at "final" are too small: take a target before the end if you can.

    confidence : float, default=0.95
        Level of the intervals, between 0 and 1.

    n_bootstrap : int, default=1000
        Resamples, at least 100.

    random_state : int, RandomState or None, default=None
        Draws the resamples.

    by : str, sequence of str, mapping or None, default=None
        What the rows of the result are. None: each setting, that is `dataset`, `model`
        and `n_query`. The name of a column or several, such as ``"n_query"``, each
        group of settings with the same values; an empty list puts all settings into
        one group. A mapping from each data set to a name: each group of data sets, in a
        column `group`.

    Returns
    -------
    saved : DataFrame
        One row per setting or group, strategy and target: the columns of ``by``,
        `metric`, `strategy`, `target`,

        - `saving`: ``1 - labels / labels of the baseline``, above 0 is better; of a
          group, the median over its settings. NaN if it is only known to lie between
        - `at_least` and `at_most`: what the mean curves say. They equal `saving` if
          it is known; `at_least` is minus infinity where a strategy may need any number
          of labels;
        - `low`, `high`: confidence interval, which includes what is unknown. NaN where
          nothing can be resampled: one data set with a single repeat;
        - `n_settings`, `n_datasets`: what was compared;
        - `n_never`: settings among them in which the curve ends below the target: the
          saving is below a number;
        - `n_at_start`: those in which it starts at or above it: the saving is above a
          number;
        - `n_left_out`: settings of the group that could not be compared: they lack the
          strategy or the baseline, or a repeat in which both runs are complete; or
          the target lies outside of the baseline's range, or is reached at its start;
        - `n_repeats`: the least number of repeats of a setting compared.

    Raises
    ------
    ValueError
        If the frame or a parameter is not as described.

    See Also
    --------
    label_efficiency : Labels to fractions of the baseline's final score, as numbers.

    Notes
    -----
    Savings in bounds have a median in bounds: the medians of the lower and of the upper
    ends. No setting is dropped for being censored, and none needs a number that nobody
    has observed.

    *Intervals of a setting* come from a bootstrap of its repeats, the same for both
    strategies, with all curves and targets computed anew. They cover the chance of
    split, start and training on this data set, and say nothing of another. With n
    repeats, percentiles are those of Student's distribution, widened by
    ``sqrt(n / (n - 1))`` (Hesterberg [1]_); with fewer than five they are the extremes
    of the resamples, and still too narrow.

    *Intervals of groups* come from a bootstrap of data sets, and of the repeats within
    each, the same for all settings of a data set, widened by the number of data sets.
    They cover the choice of data sets as if these had been drawn at random from
    those you care for. With fewer than about eight they are close to the range over
    data sets. With a single data set only its repeats are resampled.

    Intervals hold for each row alone; they are not corrected for the number of rows.

    It takes O(n_bootstrap * n_labeled**2) operations for each setting and strategy.

    References
    ----------
    .. [1] T. C. Hesterberg. "What teachers should know about the bootstrap". The
       American Statistician 69(4), 2015, section 3.2.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbadge.inspection import labels_saved
    >>> scores = {"badge": [0.5, 0.8, 0.9, 0.9], "random": [0.5, 0.7, 0.8, 0.9]}
    >>> frame = pd.DataFrame([
    ...     {"strategy": name, "n_query": 100, "repeat": repeat,
    ...      "n_labeled": 100 * (i + 1), "score": score + 0.01 * repeat}
    ...     for name, curve in scores.items()
    ...     for i, score in enumerate(curve)
    ...     for repeat in range(5)
    ... ])
    >>> saved = labels_saved(frame, targets=[300, "final"], random_state=0)
    >>> saved[["strategy", "target", "saving", "low", "high"]].round(2)
      strategy target  saving   low  high
    0    badge    300    0.33  0.33  0.33
    1    badge  final    0.25  0.25  0.25
    """
    pd = import_pandas()
    targets = [_checked_target(target) for target in targets]
    results, metric = select_metric(read_results(frame), metric)
    check_strategy("baseline", baseline, results)
    columns, group_of = _groups(results, by)
    rng = check_random_state(random_state)
    n_repeats = results.groupby("dataset")["repeat"].nunique()
    repeats_drawn = {
        name: rng.uniform(size=(n_bootstrap, n)) for name, n in n_repeats.items()
    }
    groups: dict[tuple, list] = {}
    for table in score_tables(results):
        dataset = table.setting["dataset"]
        savings = setting_savings(table, baseline, targets, repeats_drawn[dataset])
        group = group_of[tuple(table.setting.values())]
        groups.setdefault(group, []).append((dataset, savings))
    datasets_drawn = rng.uniform(size=(2, n_bootstrap, len(n_repeats)))
    rows = [
        dict(zip(columns, group, strict=True))
        | {"metric": metric, "strategy": strategy, "target": target}
        | _summary(settings, (strategy, target), datasets_drawn, confidence)
        for group, settings in sorted(groups.items(), key=itemgetter(0))
        for strategy in sorted(results["strategy"].unique())
        if strategy != baseline
        for target in targets
    ]
    names = [*columns, "metric", "strategy", "target", *_MEASURES]
    return pd.DataFrame(rows, columns=list(dict.fromkeys(names)))


def _checked_target(target):
    # No whole number lies between 0 and 1.
    if isinstance(target, Real) and 0 < target < 1:
        return float(target)
    if (isinstance(target, Integral) and target > 0) or target == FINAL:
        return target
    raise ValueError(
        "`targets` must be numbers of labels (int), shares of the last number of "
        f"labels (float between 0 and 1) or 'final'. Got {target!r} instead."
    )


def _groups(results, by):
    """Names of the columns of groups, and the group of each setting, in order."""
    if isinstance(by, Mapping):
        missing = sorted(set(results["dataset"]) - set(by))
        if missing:
            raise ValueError(
                "`by` must name the group of each data set. Missing: "
                f"{', '.join(missing)}."
            )
        results = results.assign(group=results["dataset"].map(dict(by)))
        by = "group"
    columns = SETTING if by is None else [by] if isinstance(by, str) else list(by)
    for name in columns:
        check_choice("by", name, sorted(results.columns))
        if name in ("target", *_MEASURES):
            raise ValueError(f"`by` must not be {name!r}, a column of the result.")
    settings = results[list(dict.fromkeys([*SETTING, *columns]))].drop_duplicates()
    several, empty = settings.duplicated(SETTING).any(), settings.isna().any(axis=None)
    if several or empty:
        raise ValueError(
            f"The columns of `by`, {', '.join(columns)}, must have one value in each "
            f"setting ({', '.join(SETTING)}). Got {'several' if several else 'none'}."
        )
    for name in columns:
        try:
            sorted(settings[name].unique())
        except TypeError as error:
            raise ValueError(
                f"The groups of `by`, {name!r}, have no order: {error}. Let all "
                "of them be of one type, such as str."
            ) from error
    keys, values = (
        settings[names].itertuples(index=False, name=None)
        for names in (SETTING, columns)
    )
    return columns, dict(zip(keys, values, strict=True))


def _summary(settings, key, drawn, confidence):
    """The row of a group of settings, pairs of a data set and its savings by key."""
    found = [(dataset, of[key]) for dataset, of in settings if key in of]
    row = dict.fromkeys(_BOUNDS, np.nan)
    datasets, owners = np.unique([name for name, _ in found], return_inverse=True)
    n_repeats = min((saving.n_repeats for _, saving in found), default=0)
    if found:
        bounds = np.stack([saving.bounds for _, saving in found])
        row["at_least"], row["at_most"] = ends = np.median(bounds[..., 0], axis=0)
        if ends[0] == ends[1]:
            row["saving"] = ends[0]
        n = len(datasets) if len(datasets) > 1 else n_repeats
        if n > 1:
            medians = _resampled_medians(bounds, owners, drawn)
            row["low"], row["high"] = _interval(medians, n, confidence)
    return row | {
        "n_settings": len(found),
        "n_datasets": len(datasets),
        "n_never": sum(saving.never for _, saving in found),
        "n_at_start": sum(saving.at_start for _, saving in found),
        "n_left_out": len(settings) - len(found),
        "n_repeats": n_repeats,
    }


def _resampled_medians(bounds, owners, drawn):
    """Medians over settings, with data sets and repeats resampled: (2, n_bootstrap).

    ``bounds``, of shape (n_settings, 2, n_bootstrap + 1), has the observed ones first;
    ``owners`` says whose data set each setting is; ``drawn``, of shape (2, n_bootstrap,
    at least n_datasets), is uniform.
    """
    n, n_bootstrap = owners.max() + 1, drawn.shape[1]
    which, resample = (
        (drawn[i, :, :n] * size).astype(np.int64)
        for i, size in enumerate((n, n_bootstrap))
    )
    if n == 1:
        resample = np.arange(n_bootstrap)[:, None]
    members = [np.flatnonzero(owners == i) for i in range(n)]
    # A data set with fewer settings than others is filled up with one that is NaN.
    bounds = np.concatenate([bounds, np.full((1, *bounds.shape[1:]), np.nan)])
    width = max(len(one) for one in members)
    members = [
        np.pad(one, (0, width - len(one)), constant_values=-1) for one in members
    ]
    settings = np.stack(members)[which]  # (n_bootstrap, n_datasets, width)
    values = bounds[settings, :, resample[:, :, None] + 1]
    values = np.sort(values.reshape(n_bootstrap, -1, 2), axis=1)  # NaN come last
    n_values = np.isfinite(values[..., 1]).sum(axis=1)
    middle = np.stack([(n_values - 1) // 2, n_values // 2], axis=1)
    return np.take_along_axis(values, middle[..., None], axis=1).mean(axis=1).T


def _interval(medians, n, confidence):
    """Percentiles of lower and of upper ends, where n things were resampled.

    Those of a normal distribution are too narrow for few: a bootstrap's variance lacks
    ``n / (n - 1)``, and the right quantile is Student's.
    """
    quantile = stats.t.ppf((1 + confidence) / 2, n - 1) * np.sqrt(n / (n - 1))
    tail = stats.norm.sf(quantile)
    at_least, at_most = np.sort(medians, axis=1)
    # Elements of the samples: between two that are infinite there is no mean.
    k = int(tail * (len(at_least) - 1))
    return at_least[k], at_most[-1 - k]
