"""Tables in Markdown, and names that mean nothing to it."""

import re
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
        [plain(name) for name in frame.columns],
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
    return plain(value)


def plain(text):
    r"""Text on one line that Markdown shows as it is.

    Examples
    --------
    >>> from skbadge.experiment.report._markdown import plain
    >>> print(plain("<b>a_b</b> [1](x)"), plain("_a_ $x$ `y`"), plain("http://x"))
    \<b\>a_b\</b\> \[1\](x) \_a\_ \$x\$ \`y\` http\://x
    """
    line = " ".join(str(text).split())
    # An underscore within a word is one. Addresses would become links by themselves.
    marks = r"[\\`*\[\]<>|$~&#@]|(?<!\w)_|_(?!\w)|:(?=//)|(?<=www)\."
    return re.sub(marks, r"\\\g<0>", line)
