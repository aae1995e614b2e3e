"""Nearest rows among many others, looking at a block of these at a time."""

import numpy as np


def least_in_blocks(least_of, other, width):
    """Where something is least among the rows of an embedding, for each of some rows.

    Parameters
    ----------
    least_of : callable
        For an embedding of a few rows, the position of the least, of equal ones the
        first, and its value, as from `least`.

    other : Embedding
        The rows to look at, at least one.

    width : int
        How many of them to look at in one go.

    Returns
    -------
    position : ndarray of shape (n_rows,)
        intp positions in ``other``, of equal ones the first.

    values : ndarray of shape (n_rows,)
        float64.
    """
    position, values = least_of(other.take(slice(width)))
    for start in range(width, len(other), width):
        in_block, found = least_of(other.take(slice(start, start + width)))
        is_less = found < values
        position[is_less] = start + in_block[is_less]
        values[is_less] = found[is_less]
    return position, values


def least(block):
    """Where each line of a matrix is least, of equal entries the first, and the value.

    Parameters
    ----------
    block : ndarray of shape (n_rows, n_columns)
        At least one column.

    Returns
    -------
    position, values : ndarray of shape (n_rows,)
        intp columns, and the entries there.
    """
    if block.shape[1] == 1:
        # For which argmin is slow.
        return np.zeros(len(block), dtype=np.intp), block[:, 0]
    position = block.argmin(axis=1)
    return position, block[np.arange(len(block)), position]


def nearest_by_distances(embedding, other, width):
    """Nearest rows of another embedding, by distances and not by products.

    Parameters
    ----------
    embedding, other : Embedding
        Of the same kind.

    width : int
        How many rows of ``other`` to look at in one go.

    Returns
    -------
    nearest, sq_dists : ndarray of shape (n_rows,)
        See `Embedding.nearest`.
    """
    return least_in_blocks(
        lambda columns: least(embedding.sq_dists(columns)), other, width
    )
