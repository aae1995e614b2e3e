"""Rows that a `Monitor` keeps: its reference, and its audit."""

from collections.abc import Iterator

import numpy as np
from sklearn.utils import check_random_state

from skbadge.pools import (
    ChunkedPool,
    array_of,
    as_pool,
    check_masked_parts,
    copy_rows,
    is_dataset,
    is_tensor,
    n_rows,
    read_inputs,
    take_rows,
)
from skbadge.utils._shown import shown
from skbadge.utils._validation import check_masked


def sampled(X_pool, n, random_state):
    """Copies of at most ``n`` rows, drawn uniformly, in the order of the pool."""
    if isinstance(X_pool, Iterator):
        raise TypeError(
            f"`X_pool` must hold rows. Got {shown(X_pool)} instead. Of chunks, make a "
            "pool: `skbadge.pools.from_chunks`."
        )
    X = as_pool(X_pool)
    if isinstance(X, ChunkedPool):
        return X.take(_drawn(len(X), n, random_state))
    check_masked_parts(X, "X_pool")
    several = read_inputs(X)
    # A net's few inputs of many rows, rather than many rows that are matrices.
    X = several if n_rows(several) > n_rows(X) else X
    return copy_rows(take_rows(X, _drawn(n_rows(X), n, random_state)))


def _drawn(size, n, random_state):
    generator = check_random_state(random_state)
    return np.sort(generator.choice(size, min(n, size), replace=False))


def labeled_copy(X, y):
    """Copies of rows and of their labels, of which some may be None."""
    check_masked_parts(X, "X")
    check_masked(y, "y")
    labels = np.array(array_of(y) if is_tensor(y) else y, dtype=object)
    if labels.ndim and n_rows(X) != len(labels):
        # A list of arrays may be several inputs of a net.
        X = read_inputs(X)
    if labels.ndim == 0 or n_rows(X) != len(labels):
        raise ValueError(
            f"An audit must have a label, or None, for each of its {n_rows(X)} rows. "
            f"Got {shown(y)}."
        )
    return copy_rows(X), labels


def lent(X):
    """Rows for a model, which may write on what it gets."""
    return X if is_dataset(X) else copy_rows(X)
