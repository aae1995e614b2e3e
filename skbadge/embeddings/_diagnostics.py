"""How diverse and how uncertain a batch is, from the embeddings of its rows."""

from dataclasses import dataclass
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike

from skbadge.embeddings._base import Embedding


@dataclass(frozen=True)
class BatchDiagnostics:
    """Diversity and uncertainty of a batch, see `batch_diagnostics`.

    Attributes
    ----------
    n : int
        Rows in the batch.

    log_det : float
        Log-determinant of the batch's Gram matrix, natural logarithm; ``-inf`` if the
        rows are linearly dependent, 0 for no rows.

    rank : int
        Number of eigenvalues of the Gram matrix above `threshold`.

    threshold : float
        What an eigenvalue must exceed to be told from rounding, in units of squared
        norms.

    log_det_above : float
        Sum of the logarithms of the `rank` eigenvalues above `threshold`.

    mean_norm : float
        Mean norm of the embeddings; NaN for no rows.

    min_distance : float
        Least distance between two of the embeddings; infinite for fewer than two.
    """

    n: int
    log_det: float
    rank: int
    threshold: float
    log_det_above: float
    mean_norm: float
    min_distance: float

    def __str__(self) -> str:
        return (
            f"log-determinant {self.log_det:.4g}, rank {self.rank} of {self.n} "
            f"(eigenvalues above {self.threshold:.3g}: {self.log_det_above:.4g}), "
            f"mean norm {self.mean_norm:.3g}, least distance {self.min_distance:.3g}"
        )


def batch_diagnostics(
    embedding: Embedding,
    rows: ArrayLike | None = None,
    *,
    threshold: float | None = None,
) -> BatchDiagnostics:
    """Measure how diverse and how uncertain a batch is.

    The quantities of Figure 2 of Ash et al. [1]_: on gradient embeddings, the mean
    norm stands for the uncertainty of a batch, and the log-determinant of its Gram
    matrix for uncertainty and diversity in one.

    Parameters
    ----------
    embedding : Embedding of shape (n_rows, n_columns)
        Of the pool, or of the batch alone.

    rows : array-like of shape (n,) or None, default=None
        Distinct int positions of the batch in ``embedding``. None takes all rows.

    threshold : float or None, default=None
        Eigenvalues of the Gram matrix above it count towards the rank. None sets it to
        what rounding may leave in place of zero:
        ``max(n * eps, (32 * eps_e)**2)`` of the greatest eigenvalue, with ``eps`` the
        precision of float64 and ``eps_e`` that of the embedding.

    Returns
    -------
    diagnostics : BatchDiagnostics
        The measures.

    Raises
    ------
    ValueError
        If ``rows`` are not distinct positions, or their embeddings are not finite.

    Notes
    -----
    Takes ``O(n**3)`` time and a few arrays of ``n * n`` float64 numbers. All products
    are formed in float64.

    The log-determinant is that of the rows scaled to unit norm, plus the logarithms of
    their squared norms. It is finite for linearly independent rows, even if their norms
    differ by many orders of magnitude. The threshold belongs to the unscaled matrix:
    there, rows so short count as none, and `rank` is below ``n``.

    The code of the paper's first release sums logarithms of the eigenvalues above
    0.01, which is ``log_det_above`` with ``threshold=0.01``. The sum has fewer terms
    if the rank is lower, and so it compares batches of equal rank only.

    References
    ----------
    .. [1] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020.

    Examples
    --------
    >>> from skbadge.embeddings import DenseEmbedding
    >>> from skbadge.inspection import batch_diagnostics
    >>> embedding = DenseEmbedding([[1.0, 0.0], [0.0, 2.0], [0.0, 4.0]])
    >>> batch_diagnostics(embedding, [0, 1]).log_det  # log(1 * 4)
    1.386...
    >>> print(batch_diagnostics(embedding))
    log-determinant -inf, rank 2 of 3 (eigenvalues above ...: 2.996), mean norm 2.33,
    least distance 2
    """
    batch = embedding if rows is None else embedding.take(_check(rows, len(embedding)))
    if threshold is not None and not (
        isinstance(threshold, Real) and 0 <= threshold < np.inf
    ):
        raise ValueError(
            f"`threshold` must be a number >= 0, or None. Got {threshold!r} instead."
        )
    n = len(batch)
    if n == 0:
        return BatchDiagnostics(0, 0.0, 0, threshold or 0.0, 0.0, np.nan, np.inf)
    last_digits = 32 * float(np.finfo(batch.dtype).eps)
    rounding = max(n * float(np.finfo(np.float64).eps), last_digits**2)
    batch = batch.astype(np.float64)
    norms = np.sqrt(batch.norms_sq())
    if not np.isfinite(norms).all():
        raise ValueError(
            "The embeddings of a batch must be finite. "
            f"{np.count_nonzero(~np.isfinite(norms))} of {n} rows hold NaN or infinity."
        )
    gram = batch.cross(batch)
    eigenvalues = np.linalg.eigvalsh(gram)
    if threshold is None:
        threshold = rounding * eigenvalues[-1]
    above = eigenvalues[eigenvalues > threshold]
    return BatchDiagnostics(
        n=n,
        log_det=_log_det(gram, norms, rounding),
        rank=len(above),
        threshold=float(threshold),
        log_det_above=float(np.log(above).sum()),
        mean_norm=float(norms.mean()),
        min_distance=_min_distance(batch),
    )


def _check(rows, n_rows):
    """Positions as an array; raises unless they are distinct and in range."""
    rows = np.asarray(rows)
    if rows.size == 0:
        return np.empty(0, dtype=np.int64)
    if rows.ndim != 1 or not np.issubdtype(rows.dtype, np.integer):
        raise ValueError(
            "`rows` must be a 1-D array of int positions. "
            f"Got dtype {rows.dtype} and shape {rows.shape} instead."
        )
    if rows.min() < 0 or rows.max() >= n_rows or len(np.unique(rows)) < len(rows):
        raise ValueError(
            f"`rows` must be distinct positions between 0 and {n_rows - 1}. Got {rows}."
        )
    return rows


def _log_det(gram, norms, rounding):
    """Log-determinant of a Gram matrix; ``-inf`` if it is singular, but for rounding.

    The matrix is overwritten. ``rounding`` is the share of the greatest eigenvalue that
    rounding may leave in place of zero.
    """
    if not norms.all():
        return -np.inf
    # log det G = log det (G scaled to unit norms) + 2 sum log |x|
    gram /= norms[:, None]
    gram /= norms
    eigenvalues = np.linalg.eigvalsh(gram)
    if eigenvalues[0] <= rounding * eigenvalues[-1]:
        return -np.inf
    return float(np.log(eigenvalues).sum() + 2 * np.log(norms).sum())


def _min_distance(batch):
    """Least distance between two rows; infinite for fewer than two."""
    if len(batch) < 2:
        return np.inf
    sq_dists = batch.sq_dists(batch)
    np.fill_diagonal(sq_dists, np.inf)
    return float(np.sqrt(sq_dists.min()))
