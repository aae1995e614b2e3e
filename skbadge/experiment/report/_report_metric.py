"""The part of a report on one metric."""

from skbadge import inspection
from skbadge.experiment.report._report_page import slug
from skbadge.experiment.report._report_penalties import write_penalties
from skbadge.experiment.report._report_ranks import write_ranks
from skbadge.experiment.report._report_savings import write_savings
from skbadge.inspection._frame import SETTING


def write_metric(report, frame, metric, baseline):
    """Write curves, final scores, and comparisons of strategies by one metric."""
    report.heading(metric, 2)
    prefix = slug(metric)
    if frame["repeat"].nunique() == 1:
        report.text(
            "There is a single repeat: differences may be chance, and there are no "
            "standard errors and no tests."
        )
    report.text(
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
        report.text(
            f"There is no strategy {baseline!r} to compare with: label efficiency, "
            "labels saved, penalty matrix and normalised errors are left out."
        )
    else:
        _write_efficiency(report, frame, metric, prefix, baseline)
        write_savings(report, frame, metric, prefix, baseline)
        write_penalties(report, frame, metric, prefix, baseline)
        _write_error_cdf(report, frame, metric, prefix, baseline)
    _write_tests(report, frame, metric, prefix, baseline)
    write_ranks(report, frame, metric, prefix)


def _write_final(report, frame, metric, prefix):
    report.heading("Scores at the end")
    curves = inspection.learning_curves(frame, metric=metric)
    last = curves.groupby([*SETTING, "strategy"])["n_labeled"].transform("max")
    columns = [*SETTING, "strategy", "n_labeled", "mean", "sem", "n_repeats"]
    final = curves.loc[curves["n_labeled"] == last, columns]
    report.table(final, f"{prefix}_final")
    report.file(curves, f"{prefix}_curves", "All points of the curves:")


def _write_efficiency(report, frame, metric, prefix, baseline):
    report.heading(f"Label efficiency, relative to {baseline}")
    table = report.attempt(
        lambda: inspection.label_efficiency(frame, metric=metric, baseline=baseline)
    )
    if table is None:
        return
    report.text(
        f"Labels needed to reach 90 % and more of the final score of {baseline}, "
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


def _write_error_cdf(report, frame, metric, prefix, baseline):
    report.heading(f"Errors divided by those of {baseline}")
    report.picture(
        lambda: inspection.ErrorCDFDisplay.from_frame(
            frame, metric=metric, baseline=baseline
        ),
        f"{prefix}_error_cdf",
        f"Distribution of normalised errors of {metric}",
    )


def _write_tests(report, frame, metric, prefix, baseline):
    report.heading("Paired tests of the area under the curve")
    if frame["strategy"].nunique() < 2:
        report.text("There is a single strategy.")
        return
    known = baseline if baseline in set(frame["strategy"]) else None
    table = report.attempt(
        lambda: inspection.paired_tests(frame, metric=metric, baseline=known)
    )
    if table is not None:
        report.table(table, f"{prefix}_tests")
