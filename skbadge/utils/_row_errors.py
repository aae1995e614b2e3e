"""Errors that name a row, by its place among the rows that the user has."""

from contextlib import contextmanager

import numpy as np


def row_error(message, row):
    """Make a ValueError about a row, which the message calls ``{row}``."""
    error = ValueError(message.replace("{row}", str(row)))
    # Also after a journey between processes.
    error.told = message, int(row)
    return error


@contextmanager
def rows_among(rows=None, of=None):
    """Let errors of the block name a row by its place among others.

    Parameters
    ----------
    rows : ndarray of int, int or None, default=None
        The places of the rows that the block knows, or that of the first of them where
        they follow each other; None if they are all there are.

    of : str or None, default=None
        What the others are called. A row that is one of these has its final name.
    """
    try:
        yield
    except ValueError as error:
        message, row = getattr(error, "told", (None, None))
        if message is not None:
            if rows is not None:
                row = row + rows if np.ndim(rows) == 0 else int(rows[row])
            name = str(row) if of is None else f"{row} of `{of}`"
            error.args = (message.replace("{row}", name),)
            error.told = (message, row) if of is None else (None, None)
        raise
