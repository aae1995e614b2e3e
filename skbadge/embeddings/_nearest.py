"""Nearest rows among many others, looking at a block of these at a time."""

import numpy as np


def least_in_blocks(least_of, other, width):
    """Where something is least among the rows of an embedding, for each of some rows.

    ``least_of`` takes ``width`` of the rows and returns what `least` does. Among equal
    values the first one wins.
    """
    position, values = least_of(other.take(slice(width)))
    for start in range(width, len(other), width):
        in_block, found = least_of(other.take(slice(start, start + width)))
        np.copyto(position, in_block + start, where=found < values)
        np.minimum(values, found, out=values)
    return position, values


def least(block):
    """Column and value of the least entry of each line. The first of equals wins."""
    if block.shape[1] == 1:
        # argmin is slow here.
        return np.zeros(len(block), dtype=np.intp), block[:, 0]
    position = block.argmin(axis=1)
    return position, block[np.arange(len(block)), position]


def nearest_by_distances(embedding, other, width):
    """`Embedding._nearest` by distances and not by products."""
    return least_in_blocks(
        lambda columns: least(embedding.sq_dists(columns)), other, width
    )
