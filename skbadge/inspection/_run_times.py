"""How long a round takes, by setting and strategy."""

from typing import TYPE_CHECKING

from skbadge.inspection._frame import SETTING, TIMES, Results, read_results

if TYPE_CHECKING:
    import pandas as pd


def run_times(frame: Results) -> "pd.DataFrame":
    """Median seconds of a round, by setting and strategy.

    Parameters
    ----------
    frame : DataFrame, path to a CSV file, or object with ``to_frame()``
        Results, one row per evaluation and metric, with columns `dataset`, `model`,
        `strategy`, `n_query`, `repeat`, `n_labeled`, and the seconds `fit_time`,
        `query_time` and, if there is one, `score_time`.

    Returns
    -------
    times : DataFrame
        One row per setting and strategy: `dataset`, `model`, `n_query`, `strategy`, and
        the medians, over rounds and repeats, of the times there are; NaN where they are
        unknown. The first round of a run has no query, and does not count for
        `query_time`.

    Raises
    ------
    ValueError
        If the frame is not as described.

    See Also
    --------
    RunTimesDisplay : Draws them.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbadge.inspection import run_times
    >>> frame = pd.DataFrame({
    ...     "strategy": "badge", "n_query": 10, "repeat": 0, "n_labeled": [20, 30, 40],
    ...     "score": [0.5, 0.7, 0.8], "fit_time": [1.0, 2.0, 3.0],
    ...     "query_time": [0.0, 0.5, 0.7],
    ... })
    >>> run_times(frame)[["strategy", "fit_time", "query_time"]]
      strategy  fit_time  query_time
    0    badge       2.0         0.6
    """
    results = read_results(frame)
    setting = [*SETTING, "strategy"]
    rounds = results.drop_duplicates([*setting, "repeat", "n_labeled"])
    first = rounds.groupby([*setting, "repeat"])["n_labeled"].transform("min")
    query_time = rounds["query_time"].where(rounds["n_labeled"] > first)
    names = [name for name in TIMES if name in rounds]
    groups = rounds.assign(query_time=query_time).groupby(setting)
    return groups[names].median().reset_index()
