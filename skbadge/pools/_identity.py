"""Identities of rows that do not depend on where in a pool they stand."""

from hashlib import blake2b

import numpy as np
from scipy import sparse

from skbadge.pools._rows import is_dataset, is_dict, is_frame, is_tensor


def row_ids(X, rows=None):
    """Identities of rows, equal if and (but for hash collisions) only if rows are.

    Parameters
    ----------
    X : array-like, sparse matrix, data frame, tensor, dict of these, or Dataset
        The rows.

    rows : ndarray of int or None, default=None
        Which of them; None for all.

    Returns
    -------
    ids : list of str
        Sixteen hexadecimal digits each. Numbers count by value, not by dtype.
    """
    return [blake2b(row, digest_size=8).hexdigest() for row in _row_bytes(X, rows)]


def _row_bytes(X, rows):
    if is_dict(X):
        parts = [_row_bytes(X[key], rows) for key in sorted(X)]
        return [b"|".join(row) for row in zip(*parts, strict=True)]
    if is_dataset(X):
        rows = range(len(X)) if rows is None else rows
        items = (X[int(row)] for row in rows)
        entries = (
            item[0] if isinstance(item, tuple | list) else item for item in items
        )
        return [_row_bytes([np.asarray(entry)], None)[0] for entry in entries]
    if is_frame(X):
        frame = X if rows is None else X.iloc[rows]
        columns = [_row_bytes(frame[name].to_numpy(), None) for name in frame.columns]
        return [b"|".join(row) for row in zip(*columns, strict=True)]
    if sparse.issparse(X):
        matrix = X.tocsr()
        matrix = (matrix if rows is None else matrix[rows]).toarray()
        return _row_bytes(matrix, None)
    array = X.detach().cpu().float().numpy() if is_tensor(X) else np.asarray(X)
    array = array if rows is None else array[rows]
    if array.dtype.kind in "biuf":
        # Adding 0 makes -0.0 and 0.0 one value.
        array = array.astype(np.float64) + 0.0
        return [row.tobytes() for row in array]
    return [
        repr(row.tolist() if hasattr(row, "tolist") else row).encode() for row in array
    ]


def row_codes(X):
    """Numbers of rows, equal if and only if the rows are."""
    return np.unique(row_ids(X), return_inverse=True)[1]
