"""The part of a report on metrics that are negated errors."""

from skbadge import inspection
from skbadge.experiment.report._report_page import slug

RMSE, MAE = "neg_root_mean_squared_error", "neg_mean_absolute_error"


def write_errors(report, frame, baseline):
    """Write means of log errors, ratios to a baseline's, and tails.

    The page stays as it is if no metric is a negated error: named "neg_..." and never
    above 0.
    """
    best = frame.groupby("metric")["score"].max()
    metrics = [name for name in best.index[best <= 0] if name.startswith("neg_")]
    if not metrics:
        return
    report.heading("Errors by their logarithms", 2)
    if baseline not in set(frame["strategy"]):
        report.text(f"Left out, for want of a strategy {baseline!r}.")
        return
    report.text(
        "Means of ln(error) over the rounds after the start, over repeats, and over "
        "data sets: less is better."
    )
    errors = inspection.mean_log_errors(frame, metric=metrics, baseline=baseline)
    rows = ["model", "n_query", "strategy"]
    shown = errors.table.pivot(index=rows, columns="metric", values="mean_log")
    report.table(errors.table, "mean_log_errors", shown=shown.reset_index())
    report.file(errors.by_dataset, "mean_log_errors_by_dataset", "By data set:")
    for metric in metrics:
        _write_ratios(report, errors, metric)
    report.skipped(errors, "mean_log_errors")
    if {RMSE, MAE} <= set(metrics):
        _write_tails(report, frame, baseline)


def _write_ratios(report, errors, metric):
    report.heading(f"{metric} divided by that of {errors.baseline}")
    report.text(
        "Geometric means, below 1 is better; standard errors are of the log of the "
        "ratio: with these data sets given, and as if they were a sample."
    )
    table, by_dataset = (
        each[each["metric"] == metric] for each in (errors.table, errors.by_dataset)
    )
    rows = ["model", "n_query", "strategy"]
    ratios = by_dataset.pivot(index=rows, columns="dataset", values="ratio")
    ratios = ratios.add_prefix("on ")
    table = table[[*rows, "ratio", "difference_sem_fixed", "difference_sem"]]
    table = table.merge(ratios.reset_index(), on=rows)
    table = table.sort_values(["model", "n_query", "ratio"])
    prefix = f"{slug(metric)}_ratios"
    report.table(table, prefix)
    report.picture(
        lambda: inspection.ErrorRatioDisplay(errors, metric=metric).plot(),
        prefix,
        f"{metric} divided by that of {errors.baseline}",
    )


def _write_tails(report, frame, baseline):
    report.heading("Tails of the first errors")
    tails = report.attempt(lambda: inspection.error_tails(frame, baseline=baseline))
    if tails is None:
        return
    report.text(
        f"The tail is ln(RMSE / MAE) of {baseline} at the start, the gain its mean "
        "ln(RMSE) minus the strategy's: above 0 is better. Heavy tails should go with "
        "large gains."
    )
    report.table(tails.points, "error_tails")
    report.table(tails.fits, "error_tails_fits")
    report.picture(
        lambda: inspection.ErrorTailsDisplay(tails).plot(),
        "error_tails",
        "Gains against the tails of the first errors",
    )
