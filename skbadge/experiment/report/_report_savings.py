"""The part of a report on the labels that strategies save."""

from skbadge import inspection
from skbadge.inspection._frame import SETTING

_SAVING = ["strategy", "target", "saving", "at_least", "at_most", "low", "high"]
_COUNTS = ["n_settings", "n_datasets", "n_never", "n_at_start", "n_left_out"]


def write_savings(report, frame, metric, prefix, baseline):
    """Write savings of labels: over all settings, groups of them, and in each."""
    if frame["strategy"].nunique() < 2:
        return
    report.heading(f"Labels saved against {baseline}")
    report.text(
        f"The share of its labels that a strategy saves where it is as good as "
        f"{baseline} is with half of the labels (target 0.5), and with 80 % of them "
        "(0.8): above 0 is better. Where curves end too early or start too late for a "
        "number, the saving lies from at_least to at_most. From low to high are "
        "intervals of 95 %. Over several settings, savings are medians."
    )
    varying = [name for name in SETTING if frame[name].nunique() > 1]
    # What comes before the table, the settings put together, and part of its name.
    groups = [("Over all settings:", [], [])] if varying else []
    for name in ("n_query", "model"):
        if name in varying:
            groups.append((f"By {name}:", [name], [name]))
    for text, by, ending in [*groups, ("In each setting:", SETTING, ["each"])]:
        # Resamples are drawn the same each time, so that a report is.
        table = report.attempt(
            lambda by=by: inspection.labels_saved(
                frame, metric=metric, baseline=baseline, by=by, random_state=0
            )
        )
        if table is None:
            return
        report.text(text)
        counts = [] if by is SETTING else _COUNTS
        name = "_".join([prefix, "labels_saved", *ending])
        report.table(table, name, shown=table[[*by, *_SAVING, *counts]])
