"""write_report: tables and pictures of one or several experiments."""

from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

from skbadge import inspection
from skbadge.experiment.report._markdown import plain
from skbadge.experiment.report._report_errors import write_errors
from skbadge.experiment.report._report_page import Page, slug
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
    learning curves, the scores at the end, the labels that each strategy needs, the
    penalty matrix, the distribution of normalised errors, and paired tests; then, for
    negated errors such as ``neg_mean_absolute_error``, the means of their logarithms,
    and how gains relate to the tails of the first errors; then the times. Each table
    lies beside it as a CSV file, each picture as PNG. What cannot be said, for want of
    a baseline, of repeats or of budgets, is left out, and the report says why.

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
        or there is no such baseline.

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
        _write_metric(report, rows.reset_index(drop=True), metric, baseline)
    write_errors(report, results.frame, baseline)
    _write_times(report, results.frame)


def _write_runs(report, results):
    report.line("## Runs")
    report.table(results.sources, "sources")
    if results.frame is None:
        report.line("No evaluations yet.")
    else:
        report.line("Evaluations by setting and strategy:")
        groups = results.frame.groupby([*SETTING, "strategy"])
        counts = groups.agg(
            repeats=("repeat", "nunique"),
            first=("n_labeled", "min"),
            last=("n_labeled", "max"),
        )
        report.table(counts.reset_index(), "runs")
    report.line("## Failures")
    if len(results.failures):
        report.table(results.failures, "failures")
    else:
        report.line("None.")
    if len(results.versions):
        report.line("## Versions")
        report.table(results.versions, "versions")


def _write_metric(report, frame, metric, baseline):
    report.line(f"## {plain(metric)}")
    prefix = slug(metric)
    if frame["repeat"].nunique() == 1:
        report.line(
            "There is a single repeat: differences may be chance, and there are no "
            "standard errors and no tests."
        )
    report.line(
        "Curves are means over repeats, bands one standard error. Greater is better."
    )
    for dataset in sorted(frame["dataset"].unique()):
        report.picture(
            lambda dataset=dataset: inspection.ActiveLearningCurveDisplay.from_frame(
                frame, metric=metric, dataset=dataset
            ),
            f"{prefix}_curves_{slug(dataset)}",
            f"Learning curves of {metric} on {dataset}",
        )
    _write_final(report, frame, metric, prefix)
    if baseline not in set(frame["strategy"]):
        report.line(
            f"There is no strategy {plain(repr(baseline))} to compare with: label "
            "efficiency, penalty matrix and normalised errors are left out."
        )
    else:
        _write_efficiency(report, frame, metric, prefix, baseline)
        _write_penalties(report, frame, metric, prefix, baseline)
    _write_tests(report, frame, metric, prefix, baseline)


def _write_final(report, frame, metric, prefix):
    report.line("### Scores at the end")
    curves = inspection.learning_curves(frame, metric=metric)
    file = report.file(curves, f"{prefix}_curves")
    last = curves.groupby([*SETTING, "strategy"])["n_labeled"].transform("max")
    columns = [*SETTING, "strategy", "n_labeled", "mean", "sem", "n_repeats"]
    final = curves.loc[curves["n_labeled"] == last, columns]
    report.table(final, f"{prefix}_final")
    report.line(f"All points of the curves: [{file}]({file})")


def _write_efficiency(report, frame, metric, prefix, baseline):
    report.line(f"### Label efficiency, relative to {plain(baseline)}")
    table = report.attempt(
        lambda: inspection.label_efficiency(frame, metric=metric, baseline=baseline)
    )
    if table is None:
        return
    name = plain(baseline)
    report.line(
        f"Labels needed to reach 90 % and more of the final score of {name}, "
        "divided by those that it needs itself: below 1 is better, and a dash means "
        "never, or unknown. The area under the curve is a mean score. The deficiency "
        "compares the shortfalls from that final score: below 1 is better."
    )
    rows = [*SETTING, "strategy"]
    shown = table.pivot(index=rows, columns="target", values="ratio")
    shown.columns = [f"ratio at {100 * target:.4g} %" for target in shown.columns]
    others = table.groupby(rows)[["area", "deficiency"]].first()
    shown = shown.join(others).reset_index()
    report.table(table, f"{prefix}_label_efficiency", shown=shown)


def _write_penalties(report, frame, metric, prefix, baseline):
    report.line("### Penalty matrix")
    options = {"metric": metric, "baseline": baseline}
    penalty = report.attempt(lambda: inspection.penalty_matrix(frame, **options))
    if penalty is not None:
        _write_penalty(report, penalty, prefix)
    report.line(f"### Errors divided by those of {plain(baseline)}")
    report.picture(
        lambda: inspection.ErrorCDFDisplay.from_frame(frame, **options),
        f"{prefix}_error_cdf",
        f"Distribution of normalised errors of {metric}",
    )


def _write_penalty(report, penalty, prefix):
    report.line(
        "How often the row is significantly better than the column, in units of "
        f"settings, of which there are {penalty.n_settings} to compare in. The last "
        "row is the average of each column: how often a strategy is beaten, the less "
        "the better."
    )
    table = penalty.matrix.copy()
    table.loc["column average"] = penalty.column_average
    report.table(table.rename_axis("strategy").reset_index(), f"{prefix}_penalties")
    if penalty.column_average.notna().any():
        report.picture(
            lambda: inspection.PenaltyMatrixDisplay.from_matrix(penalty),
            f"{prefix}_penalties",
            "Penalty matrix",
        )
    report.skipped(penalty, f"{prefix}_penalties")


def _write_tests(report, frame, metric, prefix, baseline):
    report.line("### Paired tests of the area under the curve")
    if frame["strategy"].nunique() < 2:
        report.line("There is a single strategy.")
        return
    known = baseline if baseline in set(frame["strategy"]) else None
    table = report.attempt(
        lambda: inspection.paired_tests(frame, metric=metric, baseline=known)
    )
    if table is not None:
        report.table(table, f"{prefix}_tests")


def _write_times(report, frame):
    report.line("## Times")
    report.line(
        "Median seconds per round: training, query and scoring. Round 0 has no query "
        "and does not count for it."
    )
    names = [name for name in ("fit_time", "query_time", "score_time") if name in frame]
    rounds = frame.drop_duplicates([*SETTING, "strategy", "repeat", "n_labeled"])
    setting = [*SETTING, "strategy"]
    first = rounds.groupby([*setting, "repeat"])["n_labeled"].transform("min")
    query_time = rounds["query_time"].where(rounds["n_labeled"] > first)
    rounds = rounds.assign(query_time=query_time)
    report.table(rounds.groupby(setting)[names].median().reset_index(), "times")
