"""k-means clusters of rows, and rows in place of their centres."""

import warnings

import numpy as np
from scipy import sparse
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.extmath import row_norms

from skbadge.utils._chunks import row_chunks
from skbadge.utils._threads import small_products, threads_limited

# Above that many clusters k-means learns from mini-batches, where one does not hold
# all rows: of few rows, they put several centres on the same row.
MOST_EXACT = 50
# Rows of a mini-batch for each cluster, and of the sample in which it starts; and the
# number of clusters that the sizes of both are those of at least.
BATCH_ROWS, START_ROWS, FEW = 2, 3, 512

# Below that many products of numbers for a mini-batch, one thread takes it.
MANY_TERMS_OF_A_BATCH = 2**24

# Weight, of the greatest, of rows that have none but are needed for enough clusters.
LEAST_WEIGHT = 1e-6

# Products in float64 are this exact, in relation to the squared norms; and distances
# that differ by less, in relation to themselves, may tie.
PRECISION, TIE = 1e-12, 2e-11


def cluster(matrix, n_clusters, rng, *, weights=None):
    """Cluster rows by scikit-learn's k-means.

    By mini-batches where there are more than 50 clusters, and more rows than a
    mini-batch has: 2 for each cluster, and 1,024 at least.

    Parameters
    ----------
    matrix : ndarray or CSR matrix of shape (n_rows, n_columns)
        Floating and finite.

    n_clusters : int
        Number of clusters, at least 1 and at most ``n_rows``. Of fewer distinct rows,
        some clusters have equal centres.

    rng : RandomState
        Advanced by one draw.

    weights : ndarray of shape (n_rows,) or None, default=None
        At least 0; None, and all of them 0, for equal ones. Where fewer rows than
        clusters have a weight, the others have a very small one.

    Returns
    -------
    labels : ndarray of shape (n_rows,)
        int64, the cluster of each row, those of weight 0 included.

    centers : ndarray of shape (n_clusters, n_columns)
        The weighted means.
    """
    matrix = _with_short_indices(matrix)
    # scikit-learn takes weights to the rows' dtype, where the least may be none.
    weights = _scaled(weights, n_clusters, matrix.dtype)
    has_weight = slice(None) if weights is None else weights > 0
    n_rows = matrix.shape[0] if weights is None else np.count_nonzero(has_weight)
    kind, options, n_many = KMeans, {}, max(n_clusters, FEW)
    if n_clusters > MOST_EXACT and n_rows > BATCH_ROWS * n_many:
        kind = MiniBatchKMeans
        # Larger samples to start in take most of the time, and gain little.
        options = {"batch_size": BATCH_ROWS * n_many, "init_size": START_ROWS * n_many}
    means = kind(n_clusters, n_init=1, random_state=rng.randint(2**31 - 1), **options)
    # Its threads are OpenMP's, and not worth waking for each of many small batches.
    n_terms = options.get("batch_size", np.inf) * n_clusters * matrix.shape[1]
    n_threads = 1 if n_terms < MANY_TERMS_OF_A_BATCH else None
    with threads_limited(n_threads), small_products(), warnings.catch_warnings():
        # Where fewer rows than clusters are distinct.
        warnings.simplefilter("ignore", ConvergenceWarning)
        if weights is None or has_weight.all():
            means.fit(matrix, sample_weight=weights)
            labels = means.labels_
        else:
            means.fit(matrix[has_weight], sample_weight=weights[has_weight])
            labels = means.predict(matrix)
    return labels.astype(np.int64, copy=False), means.cluster_centers_


def _with_short_indices(matrix):
    """The matrix with indices of 32 bits, the only ones that k-means takes."""
    if not sparse.issparse(matrix) or matrix.indices.dtype == np.int32:
        return matrix
    if max(matrix.nnz, *matrix.shape) > np.iinfo(np.int32).max:
        # scikit-learn says so.
        return matrix
    indices, starts = (
        part.astype(np.int32) for part in (matrix.indices, matrix.indptr)
    )
    return type(matrix)((matrix.data, indices, starts), shape=matrix.shape)


def _scaled(weights, n_clusters, dtype):
    """Weights of 1 at most, positive for enough rows; None for equal ones."""
    if weights is None or not weights.any():
        return None
    weights = (weights / weights.max()).astype(dtype)
    if np.count_nonzero(weights) < n_clusters:
        weights = np.maximum(weights, LEAST_WEIGHT)
    return weights


def nearest_distinct(matrix, centers, open_rows, ties):
    """For each centre in turn the nearest row that is open, which then closes.

    Distances are those of `sq_dists_to`. A first pass over blocks of rows bounds the
    least distance in each; per centre blocks are looked at from the least bound on,
    until no other can hold the nearest row. That is one product with the centres, and
    mostly one block for each centre.

    Parameters
    ----------
    matrix : ndarray or CSR matrix of shape (n_rows, n_columns)
        Floating and finite.

    centers : ndarray of shape (n_centers, n_columns)
        No more than rows can be picked.

    open_rows : OpenRows
        The rows that may be picked. Those picked close.

    ties : Ties
        Orders rows at equal distance.

    Returns
    -------
    rows : ndarray of shape (n_centers,)
        int64, distinct.
    """
    centers = np.asarray(centers, dtype=np.float64)
    # Small ones, for each centre reads at least one.
    blocks = list(row_chunks(matrix.shape[0], max(centers.shape), budget=2**17))
    bounds = np.array([_bounds(matrix[block], centers) for block in blocks])
    rows = np.empty(len(centers), dtype=np.int64)
    for i, center in enumerate(centers):
        near, sq_dists = [], []
        least = np.inf
        for k in np.argsort(bounds[:, i]):
            if bounds[k, i] > least * (1 + TIE):
                break
            block = blocks[k]
            inside = block.start + np.flatnonzero(open_rows.mask[block])
            if len(inside):
                near.append(inside)
                sq_dists.append(sq_dists_to(matrix[inside], center))
                least = min(least, sq_dists[-1].min())
        near, sq_dists = np.concatenate(near), np.concatenate(sq_dists)
        rows[i] = near[ties.greatest(-sq_dists, near)]
        open_rows.close(rows[i])
    return rows


def _bounds(block, centers):
    """For each centre a lower bound of the squared distances to the rows of a block."""
    block = block.astype(np.float64)
    of_rows, of_centers = (row_norms(part, squared=True) for part in (block, centers))
    sq_dists = of_rows[:, None] - 2 * (block @ centers.T)
    slack = PRECISION * (of_rows.max() + of_centers)
    return sq_dists.min(axis=0) + of_centers - slack


def sq_dists_to(rows, center):
    """Squared distances to a centre, in float64: equal rows are at equal distances.

    They are formed from differences, and those to sparse rows from products, which
    are exact to within their norms' rounding: below it they are 0.
    """
    if not sparse.issparse(rows):
        return row_norms(np.subtract(rows, center, dtype=np.float64), squared=True)
    rows = rows.astype(np.float64)
    center = center.toarray() if sparse.issparse(center) else center
    sizes = row_norms(rows, squared=True) + float(np.sum(center**2))
    sq_dists = sizes - 2 * (rows @ center.ravel())
    return np.where(sq_dists > PRECISION * sizes, sq_dists, 0.0)
