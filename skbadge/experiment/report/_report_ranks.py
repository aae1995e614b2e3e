"""The part of a report on strategies over several settings: ranks and regrets."""

from skbadge import inspection
from skbadge.inspection._frame import SETTING


def write_ranks(report, frame, metric, prefix):
    """Write mean ranks, where there are several data sets, and regrets."""
    if frame["strategy"].nunique() < 2:
        return
    if frame["dataset"].nunique() > 1:
        _write_mean_ranks(report, frame, metric, prefix)
    if len(frame.drop_duplicates(SETTING)) > 1:
        _write_regret(report, frame, metric, prefix)


def _write_mean_ranks(report, frame, metric, prefix):
    report.heading("Mean ranks over data sets")
    ranks = report.attempt(lambda: inspection.mean_ranks(frame, metric=metric))
    if ranks is None:
        return
    report.text(
        "Ranks by the area under the curve, 1 for the best, averaged within each data "
        f"set first, of which {len(ranks.ranks)} have all strategies. That no strategy "
        f"differs has p = {ranks.p_value:.2g} by Friedman's test. Mean ranks that are "
        f"less than {ranks.critical_difference:.2f} apart, Nemenyi's critical "
        f"difference at {ranks.alpha}, may differ by chance."
    )
    report.table(ranks.table, f"{prefix}_ranks")
    report.picture(
        lambda: inspection.MeanRanksDisplay(ranks).plot(),
        f"{prefix}_ranks",
        f"Mean ranks by {metric}",
    )
    for group in ranks.groups:
        report.text(f"Not told apart: {', '.join(group)}.")
    report.file(ranks.pairs, f"{prefix}_rank_pairs", "Tests of all pairs:")
    report.file(ranks.by_setting, f"{prefix}_ranks_by_setting", "By setting:")
    report.skipped(ranks, f"{prefix}_ranks")


def _write_regret(report, frame, metric, prefix):
    report.heading("Regret over settings")
    # Splits are drawn the same each time, so that a report is.
    regret = report.attempt(
        lambda: inspection.regret(frame, metric=metric, random_state=0)
    )
    if regret is None:
        return
    report.text(
        "What is lost by always taking one strategy: the mean score of the best "
        "strategy of a setting minus its own, over settings. The best is in part the "
        "luckiest, so that this is too large; columns named cross choose it by other "
        "repeats than those that measure it, and are too small where strategies are "
        "close."
    )
    report.table(regret.table, f"{prefix}_regret")
    report.file(regret.by_setting, f"{prefix}_regret_by_setting", "By setting:")
    report.skipped(regret, f"{prefix}_regret")
