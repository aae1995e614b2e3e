"""The part of a report on penalty matrices, of all settings and of groups of them."""

from skbadge import inspection
from skbadge.experiment.report._report_page import slug
from skbadge.inspection._frame import import_pandas

# A matrix of a single setting says little, and a single matrix is the overall one.
_MIN_SETTINGS = 2
_GROUPS = {"n_query": "batch size", "model": "model"}


def write_penalties(report, frame, metric, prefix, baseline):
    """Write who beats whom: in all settings, by batch size, and by model."""
    report.heading("Penalty matrix")
    options = {"metric": metric, "baseline": baseline}
    overall = report.attempt(lambda: inspection.penalty_matrix(frame, **options))
    if overall is None:
        return
    report.text(
        "How often the row is significantly better than the column, in units of "
        f"settings, of which there are {overall.n_settings} to compare in. The last "
        "row is the average of each column: how often a strategy is beaten, the less "
        "the better."
    )
    matrix = overall.matrix
    average = overall.column_average.to_frame(_free("column average", matrix.index)).T
    table = import_pandas().concat([matrix, average])
    table = table.rename_axis(_free("strategy", matrix.columns)).reset_index()
    report.table(table, f"{prefix}_penalties", n_foot=1)
    _draw(report, overall, f"{prefix}_penalties", "Penalty matrix")
    report.skipped(overall, f"{prefix}_penalties")
    for column in _GROUPS:
        _write_groups(report, frame, overall, options, column, prefix)


def _free(label, strategies):
    """A label that is not the name of a strategy too."""
    while label in strategies:
        label = f"({label})"
    return label


def _draw(report, penalty, name, caption):
    # Else there is nothing to draw but empty cells.
    if penalty.column_average.notna().any():
        report.picture(
            lambda: inspection.PenaltyMatrixDisplay.from_matrix(penalty), name, caption
        )


def _write_groups(report, frame, overall, options, column, prefix):
    """As in Figures 13 and 14 of Ash et al., where there are groups to speak of."""
    found = {
        value: inspection.penalty_matrix(rows, **options)
        for value, rows in frame.groupby(column)
        if options["baseline"] in set(rows["strategy"])
    }
    groups = {
        value: penalty
        for value, penalty in found.items()
        if penalty.n_settings >= _MIN_SETTINGS
    }
    if len(groups) < 2:
        return
    report.heading(f"Penalty matrices by {_GROUPS[column]}")
    report.text(
        "How often a strategy is beaten, as in the last row of a matrix, in units of "
        f"the settings of each group. Groups of less than {_MIN_SETTINGS} settings to "
        "compare in are left out."
    )
    prefix = f"{prefix}_penalties_{column}"
    names = {f"{column} {value}": penalty for value, penalty in groups.items()}
    report.table(_averages(names | {"all": overall}), prefix)
    for value, penalty in groups.items():
        caption = f"Penalty matrix, {column} {value}"
        _draw(report, penalty, f"{prefix}_{slug(str(value))}", caption)


def _averages(penalties):
    """Column averages, one column for each matrix."""
    columns = {
        f"{name} (of {penalty.n_settings})": penalty.column_average
        for name, penalty in penalties.items()
    }
    averages = import_pandas().DataFrame(columns).sort_index()
    return averages.rename_axis("strategy").reset_index()
