"""Which results to draw, and what is computed run by run before means are taken."""

import numpy as np

from skbadge.inspection._frame import SETTING
from skbadge.inspection._plot._style import chosen


def choose(results, column, wanted, name=None):
    """Rows with one of some values in a column; all rows if none is named.

    A value that does not occur is an error, which calls the values by ``name``.
    """
    if wanted is None:
        return results
    known = sorted(results[column].unique().tolist())
    return results[results[column].isin(chosen(name or column, wanted, known))]


def relative_scores(results, baseline):
    """Scores of one metric minus those of another strategy in the same run.

    Returns the rows whose setting, repeat and number of labels the baseline has as
    well, its own among them, and the settings and strategies of which no row is left.
    """
    key = [*SETTING, "repeat", "n_labeled"]
    finite = results[np.isfinite(results["score"])]
    reference = finite[finite["strategy"] == baseline]
    reference = reference[[*key, "score"]].rename(columns={"score": "_baseline"})
    paired = finite.merge(reference, on=key, how="inner", validate="many_to_one")
    paired = paired.assign(score=paired["score"] - paired["_baseline"])
    groups = [*SETTING, "strategy"]
    before, after = (
        set(map(tuple, part[groups].to_numpy(dtype=object)))
        for part in (results, paired)
    )
    return paired.drop(columns="_baseline"), sorted(before - after)


def mean_seconds(results):
    """Time of training and queries up to each number of labels, a mean over repeats.

    By setting, strategy and number of labels: the mean, over the runs with a finite
    score there, of the time each has taken in all until then.
    """
    seconds = results["fit_time"] + results["query_time"]
    run = [*SETTING, "strategy", "repeat"]
    results = results.assign(seconds=seconds).sort_values("n_labeled")
    results["seconds"] = results.groupby(run)["seconds"].cumsum(skipna=False)
    # What a failed run owes has no times, and needs none without a score.
    finite = results[np.isfinite(results["score"])]
    missing = finite["seconds"].isna()
    if missing.any():
        raise ValueError(
            "`x`='seconds' needs `fit_time` and `query_time` of each evaluation with a "
            f"score, and of those before it. Missing for {missing.sum()} of "
            f"{len(finite)} rows: leave these out."
        )
    return finite.groupby([*SETTING, "strategy", "n_labeled"])["seconds"].mean()
