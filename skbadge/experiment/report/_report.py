"""write_report: tables and pictures of one or several experiments."""

from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

from skbadge import inspection
from skbadge.experiment.report._report_errors import write_errors
from skbadge.experiment.report._report_metric import write_metric
from skbadge.experiment.report._report_page import Page
from skbadge.experiment.report._sources import paths_of, read_sources
from skbadge.inspection._frame import SETTING, check_strategy


def write_report(
    sources: Any,
    out: str | PathLike,
    *,
    baseline: str | None = None,
    hashes: Iterable[str] | None = None,
) -> Path:
    """Write tables and pictures of one or several experiments.

    ``report.md`` says what was run and what failed, and for each metric shows the
    learning curves, the scores at the end, the labels that each strategy needs and
    saves, the penalty matrix (by batch size and by model too, where there are several
    with two settings or more), the distribution of normalised errors, and paired tests;
    over several settings, mean ranks and regrets; then, for negated errors such as
    ``neg_mean_absolute_error``, the means of their logarithms, and how gains relate to
    the tails of the first errors; then the times. Each table lies beside it as a CSV
    file, each picture as PNG. ``report.html`` is the same report in one file, which
    holds them all, and whose tables are sorted by a click. What cannot be said, for
    want of a baseline, of repeats or of budgets, is left out, and the report says why.

    Parameters
    ----------
    sources : path-like, DataFrame, object with ``to_frame()``, or list of these
        Paths of result stores and of CSV files with the columns of
        `ResultStore.to_frame`. All are put together.

    out : path-like
        Folder for the files, made if there is none. Files of an earlier report are
        replaced, and no others.

    baseline : str or None, default=None
        Strategy that the others are compared with. None is "random", if it is there.

    hashes : iterable of str or None, default=None
        Which runs of stores, and of files of `run_benchmark`; None for all.

    Returns
    -------
    path : Path
        Of ``report.md``.

    Raises
    ------
    FileNotFoundError
        If a source does not exist.
    FileExistsError
        If a file would be replaced that is of no earlier report.
    ValueError
        If a source is neither store nor table, sources have results of the same run,
        none has any of the ``hashes``, or there is no such baseline.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> from skbadge.experiment import write_report
    >>> frame = pd.DataFrame({
    ...     "strategy": ["badge"] * 4 + ["random"] * 4, "n_query": 10,
    ...     "repeat": [0, 0, 1, 1] * 2, "n_labeled": [10, 20] * 4,
    ...     "score": [0.5, 0.8, 0.6, 0.9, 0.5, 0.7, 0.6, 0.7],
    ... })
    >>> with TemporaryDirectory() as folder:
    ...     path = write_report(frame, folder)
    ...     print(path.read_text().splitlines()[0])
    # Active learning benchmark
    """
    results = read_sources(sources, hashes)
    if baseline is None:
        baseline = "random"
    elif results.frame is not None:
        check_strategy("baseline", baseline, results.frame)
    report = Page(out, paths_of(sources))
    try:
        _write(report, results, baseline)
        return report.save()
    finally:
        report.close()


def _write(report, results, baseline):
    _write_runs(report, results)
    if results.frame is None:
        return
    for metric in sorted(results.frame["metric"].unique()):
        rows = results.frame[results.frame["metric"] == metric]
        write_metric(report, rows.reset_index(drop=True), metric, baseline)
    write_errors(report, results.frame, baseline)
    _write_times(report, results.frame)


def _write_runs(report, results):
    report.heading("Runs", 2)
    report.table(results.sources, "sources")
    if results.frame is None:
        report.text("No evaluations yet.")
    else:
        report.text("Evaluations by setting and strategy:")
        groups = results.frame.groupby([*SETTING, "strategy"])
        counts = groups.agg(
            repeats=("repeat", "nunique"),
            first=("n_labeled", "min"),
            last=("n_labeled", "max"),
        )
        report.table(counts.reset_index(), "runs")
    report.heading("Failures", 2)
    unknown = results.sources["failed"].isna()
    if len(results.failures):
        report.table(results.failures, "failures")
    elif not unknown.all():
        report.text("None.")
    if unknown.any():
        report.text("Sources that are no store do not say which runs have failed.")
    if len(results.versions):
        report.heading("Versions", 2)
        report.table(results.versions, "versions")


def _write_times(report, frame):
    report.heading("Times", 2)
    report.text(
        "Median seconds per round: training, query and scoring. Round 0 has no query "
        "and does not count for it."
    )
    report.table(inspection.run_times(frame), "times")
    report.picture(
        lambda: inspection.RunTimesDisplay.from_frame(frame),
        "times",
        "Median seconds of a query and of a training, on log axes",
    )
