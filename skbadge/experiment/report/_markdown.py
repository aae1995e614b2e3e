"""Tables in Markdown."""

from numbers import Integral, Real


def markdown_table(frame):
    r"""A data frame as a Markdown table, without its index.

    Parameters
    ----------
    frame : DataFrame
        Numbers are shown with four significant digits, missing values as a dash.

    Returns
    -------
    text : str
        Lines without a line break at the end.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbadge.experiment.report._markdown import markdown_table
    >>> print(markdown_table(pd.DataFrame({"name": ["a|b"], "score": [0.12345]})))
    | name | score |
    |---|---:|
    | a\|b | 0.1235 |
    """
    numeric = [_is_numeric(frame[name]) for name in frame.columns]
    lines = [
        [str(name) for name in frame.columns],
        ["---:" if each else "---" for each in numeric],
        *(
            [_cell(value) for value in row]
            for row in frame.itertuples(index=False, name=None)
        ),
    ]
    head, rule, *rows = lines
    return "\n".join([_line(head), f"|{'|'.join(rule)}|", *map(_line, rows)])


def _line(cells):
    return f"| {' | '.join(cells)} |"


def _is_numeric(column):
    return column.dtype.kind in "iuf"


def _cell(value):
    if value is None or value != value:
        return "-"
    if isinstance(value, Real) and not isinstance(value, Integral | bool):
        return f"{value:.4g}"
    # A line break or a pipe would end the row or the cell.
    return " ".join(str(value).split()).replace("|", "\\|")
