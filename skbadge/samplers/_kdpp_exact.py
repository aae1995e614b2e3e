"""Exact sampling from a k-DPP through the smaller of its two kernels."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from skbadge.embeddings._conditioned import conditioned_on
from skbadge.samplers._base import negligible_mass
from skbadge.samplers._pivoted_cholesky import pivoted_cholesky
from skbadge.samplers._symmetric_polynomials import draw_by_product
from skbadge.utils._chunks import row_chunks
from skbadge.utils._ranking import draw_weighted
from skbadge.utils._threads import small_products

MAX_KERNEL_BYTES = 2**31


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The positive eigenvalues of a kernel, and its eigenvectors.

    Parameters
    ----------
    values : ndarray of shape (rank,)
        Eigenvalues that rounding cannot account for, ascending, float64.

    vectors : ndarray of shape (min(n_rows, n_columns), rank)
        Orthonormal eigenvectors, in columns.

    is_dual : bool
        Whether they belong to the columns' inner products rather than the rows'.
    """

    values: np.ndarray
    vectors: np.ndarray
    is_dual: bool

    @property
    def rank(self):
        """Numerical rank of the kernel."""
        return len(self.values)

    def basis(self, embedding, positions):
        """Orthonormal eigenvectors of the rows' kernel.

        Parameters
        ----------
        embedding : Embedding of shape (n_rows, n_columns)
            What the spectrum is of.

        positions : ndarray of shape (n,)
            Which of the eigenvectors.

        Returns
        -------
        basis : ndarray of shape (n_rows, n)
            float64. From the dual kernel, an orthonormal basis of their span.
        """
        vectors = self.vectors[:, positions]
        if not self.is_dual:
            return vectors
        # The projections are orthogonal, of squared lengths `values`, but where values
        # are small rounding has undone that; the span is all that matters.
        return np.linalg.qr(embedding.project(vectors))[0]


def kernel_spectrum(embedding, given=None):
    r"""Eigendecomposition of an embedding's kernel, in float64.

    Parameters
    ----------
    embedding : Embedding of shape (n_rows, n_columns)
        The rows.

    given : Embedding of shape (n_given, n_columns) or None, default=None
        Linearly independent rows that batches are to contain, see `conditioned`.

    Returns
    -------
    spectrum : Spectrum
        Through the inner products of rows or of columns, whichever are fewer. The
        non-zero eigenvalues are the same.

    Notes
    -----
    With ``m = min(n_rows, n_columns)``, time is ``O(n_rows * n_columns * m + m**3)``;
    about three float64 arrays of shape (m, m) and blocks of bounded size are held.
    """
    n_rows, n_columns = embedding.shape
    is_dual = n_columns < n_rows
    if is_dual:
        kernel = embedding.column_gram()
        if given is not None:
            kernel = _complement(kernel, given)
    else:
        rows = embedding if given is None else conditioned(embedding, given)
        kernel = _row_kernel(rows)
    with small_products(kernel.size):
        values, vectors = eigh(
            kernel, overwrite_a=True, check_finite=False, driver="evd"
        )
    greatest = values.max(initial=0.0)
    if given is not None:
        # What was subtracted leaves rounding of the size of the whole.
        greatest = embedding.norms_sq().sum()
    # Sums over the rows round off like a random walk. What coarser entries hold of
    # columns that should cancel, as those of a gradient embedding do, is no rank.
    rounding = (len(values) + np.sqrt(n_rows)) * np.finfo(np.float64).eps * greatest
    kept = values > max(rounding, negligible_mass(embedding))
    return Spectrum(values[kept], vectors[:, kept], is_dual)


def kernel_bytes(embedding):
    """Bytes of the smaller of the two kernels of an embedding."""
    return 8 * min(embedding.shape) ** 2


def _row_kernel(embedding):
    n_rows, _ = embedding.shape
    kernel = np.empty((n_rows, n_rows))
    embedding = embedding.astype(np.float64)
    for rows in row_chunks(n_rows, n_rows, minimum=256):
        kernel[rows] = embedding.take(rows).cross(embedding)
    return kernel


def conditioned(embedding, given):
    r"""Rows with the kernel of the k-DPP of batches that contain some given rows.

    With :math:`A` the given rows, the kernel is
    :math:`L - L_{\cdot A} L_{AA}^{-1} L_{A \cdot}`: the rows are projected on the
    complement of what :math:`A` spans.

    Parameters
    ----------
    embedding : Embedding of shape (n_rows, n_columns)
        The other rows.

    given : Embedding of shape (n_given, n_columns)
        The given rows, linearly independent.

    Returns
    -------
    conditioned : ConditionedEmbedding of shape (n_rows, inf)
        In float64.
    """
    embedding, given = embedding.astype(np.float64), given.astype(np.float64)
    # With L_AA = G G^T, the coordinates G^-1 L_A. have the products L_.A L_AA^-1 L_A. .
    return conditioned_on(embedding, given, np.linalg.cholesky(given.cross(given)))


def _complement(gram, given):
    """Inner products of columns, the rows projected on the complement of a span."""
    # (I - Q Q^T) C (I - Q Q^T), with the span's orthonormal basis in the columns of Q.
    basis = np.linalg.qr(given.to_dense().astype(np.float64).T)[0]
    gram -= basis @ (basis.T @ gram)
    gram -= (gram @ basis) @ basis.T
    return (gram + gram.T) / 2


def draw_exactly(embedding, spectrum, n, rng):
    """Draw a batch from the k-DPP of an embedding's kernel.

    A k-DPP is a mixture of projection DPPs: a subset of eigenvectors is drawn with
    probability proportional to the product of their values, and rows are then drawn
    one by one, each with probability proportional to what the projection on these
    eigenvectors leaves of it beyond the rows before (Kulesza and Taskar, ICML 2011).

    Parameters
    ----------
    embedding : Embedding of shape (n_rows, n_columns)
        The rows.

    spectrum : Spectrum
        What `kernel_spectrum` says of it.

    n : int
        Size of the batch, at most the rank.

    rng : RandomState
        Source of randomness.

    Returns
    -------
    rows : ndarray of shape (n,)
        int64, distinct, in the order of their being drawn, which is exchangeable.
    """
    if n == 0:
        return np.empty(0, dtype=np.int64)
    positions = draw_by_product(np.log(spectrum.values), n, rng)
    # With the basis V in columns, row x is drawn by |V_x|^2 less what rows before took.
    basis = spectrum.basis(embedding, positions)
    return pivoted_cholesky(
        np.einsum("ij,ij->i", basis, basis),
        lambda row: basis @ basis[row],
        n,
        lambda weights: draw_weighted(np.cumsum(weights), 1, rng)[0],
    )
