"""Reports in Markdown, and names that mean nothing to it."""

import re

from skbadge.experiment.report._blocks import (
    TITLE,
    File,
    Heading,
    Picture,
    Table,
    Text,
    is_numeric,
    shown,
)

# What a report begins with, and nothing else.
MARKDOWN_START = f"# {TITLE}\n"


def markdown_page(blocks):
    """Blocks as a page, whose files lie beside it."""
    link = "The same on one page: [report.html](report.html)"
    return "\n\n".join([f"{MARKDOWN_START}\n{link}", *map(_markdown, blocks)]) + "\n"


def _markdown(block):
    match block:
        case Heading(text, level):
            return f"{'#' * level} {plain(text)}"
        case Text(text):
            return plain(text)
        case Table(frame):
            return markdown_table(frame)
        case File(name, text):
            return f"{plain(text)} [{name}]({name})".lstrip()
        case Picture(name, caption):
            return f"![{plain(caption)}]({name})"


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
    rule = ["---:" if is_numeric(frame[name]) else "---" for name in frame.columns]
    head, *rows = (
        f"| {' | '.join(plain(shown(value)) for value in line)} |"
        for line in [frame.columns, *frame.itertuples(index=False, name=None)]
    )
    return "\n".join([head, f"|{'|'.join(rule)}|", *rows])


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
