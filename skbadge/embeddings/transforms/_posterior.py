"""Gaussian process posterior given the labelled rows."""

from math import isinf
from numbers import Real
from typing import Literal

import numpy as np
from scipy import linalg

from skbadge._compat import Interval, StrOptions
from skbadge.embeddings._conditioned import conditioned_on
from skbadge.embeddings._dense import projected
from skbadge.embeddings.transforms._base import EmbeddingTransformer
from skbadge.embeddings.transforms._cholesky import jittered_cholesky
from skbadge.utils._triangular import solve_lower

# Noise below so many times the rounding of squared norms is lost in it.
_LOST = 1000


class Posterior(EmbeddingTransformer):
    r"""Condition a Gaussian process on the labelled rows.

    With noise of variance :math:`\sigma^2`, the kernel becomes the posterior covariance

    .. math::

        k(x, x') - k(x, L) \bigl(k(L, L) + \sigma^2 I\bigr)^{-1} k(L, x'),

    whose diagonal is the posterior variance: rows that the labelled ones predict well
    become short. The targets do not enter. With :math:`D` columns :math:`\Phi` it is
    the kernel of the features
    :math:`\sigma\, C^{-1} \phi(x)`, with :math:`C C^\top = \Phi_L^\top \Phi_L +
    \sigma^2 I` (Holzmüller et al. [1]_). Both are exact, and the same. Where nothing is
    labelled yet, the posterior is the prior: rows stay as they are.

    Their transformation ``train`` is ``[Scale(), Posterior(sigma)]``. Scaling is not
    part of this class.

    Parameters
    ----------
    sigma : float, default=1e-3
        Standard deviation of the noise, above 0.

    space : {"auto", "features", "kernel"}, default="auto"
        Where to do it. "auto" takes the kernel if there are infinitely many columns, or
        more than 1024 and more than three times as many as labelled rows.

    max_bytes : int, default=2**32
        Size above which to refuse to hold an array.

    Attributes
    ----------
    space_ : {"features", "kernel"}
        Where it is done.

    jitter_ : float
        What had to be added to the diagonal for rounding, usually 0.

    directions_ : ndarray of shape (n_columns, n_columns)
        In feature space, :math:`\sigma C^{-\top}`. This and the next two are not there
        where nothing was labelled.

    factor_ : ndarray of shape (n_labeled, n_labeled)
        In kernel space, the lower Cholesky factor of :math:`k(L, L) + \sigma^2 I`.

    labeled_ : Embedding
        In kernel space, the labelled rows, in float64.

    Raises
    ------
    ValueError
        If an array would take more than ``max_bytes``, or columns are asked for where
        there are none.

    Notes
    -----
    All is in float64, whatever the dtype that comes in. With ``m`` labelled rows and
    ``N`` others, feature space takes ``O(m D**2 + D**3 + N D**2)`` time and holds a
    matrix of ``N * D`` numbers, where the rows are. Kernel space takes
    ``O(m**3 + N m**2)`` time and holds ``N * m`` numbers beside the rows.

    References
    ----------
    .. [1] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> from skbadge.embeddings import DenseEmbedding, Posterior
    >>> labeled = DenseEmbedding([[1.0, 0.0]])
    >>> posterior = Posterior(sigma=1.0).fit(labeled)
    >>> posterior.transform(DenseEmbedding([[1.0, 0.0], [0.0, 1.0]])).norms_sq()
    array([0.5, 1. ])
    """

    _parameter_constraints: dict = {
        "sigma": [Interval(Real, 0, None, closed="neither")],
        "space": [StrOptions({"auto", "features", "kernel"})],
        "max_bytes": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        sigma: float = 1e-3,
        *,
        space: Literal["auto", "features", "kernel"] = "auto",
        max_bytes: float = 2**32,
    ):
        self.sigma = sigma
        self.space = space
        self.max_bytes = max_bytes

    def _fit(self, labeled, pool):
        rows = pool if labeled is None else labeled
        n_labeled = 0 if labeled is None else len(labeled)
        self.space_ = self.space
        if self.space == "auto":
            many = rows.shape[1] > max(1024, 3 * n_labeled)
            self.space_ = "kernel" if many else "features"
        if self.space_ == "features":
            rows._require_columns()
        self.jitter_ = 0.0
        for name in ("directions_", "factor_", "labeled_"):
            vars(self).pop(name, None)
        if not n_labeled:
            return
        if self.space_ == "features":
            self._fit_features(labeled)
        else:
            self._fit_kernel(labeled)

    def _fit_features(self, labeled):
        n_columns = labeled.shape[1]
        self._check_bytes(n_columns, n_columns, "columns by columns")
        gram = labeled.column_gram()
        eps = np.finfo(np.float64).eps
        if self.sigma**2 < _LOST * eps * np.trace(gram):
            # The noise is lost in rounding, and with it what a Cholesky factor says of
            # directions that no labelled row has: those have an eigenvalue of 0.
            values, vectors = linalg.eigh(gram)
            values[values <= n_columns * eps * values[-1]] = 0
            self.directions_ = vectors * (self.sigma / np.sqrt(values + self.sigma**2))
            return
        # C C^T = Phi_L^T Phi_L + sigma^2 I
        gram[np.diag_indices_from(gram)] += self.sigma**2
        factor, self.jitter_ = jittered_cholesky(gram)
        # sigma C^-T: a row phi(x)^T times it is (sigma C^-1 phi(x))^T.
        scale = self.sigma * np.eye(n_columns)
        self.directions_ = solve_lower(factor, scale).T

    def _fit_kernel(self, labeled):
        n_labeled = len(labeled)
        self._check_bytes(n_labeled, n_labeled, "labelled by labelled rows")
        # C C^T = k(L, L) + sigma^2 I
        self.labeled_ = labeled.astype(np.float64)
        kernel = self.labeled_.cross(self.labeled_)
        kernel[np.diag_indices_from(kernel)] += self.sigma**2
        self.factor_, self.jitter_ = jittered_cholesky(kernel)

    def _transform(self, embedding):
        if hasattr(self, "directions_"):
            self._check_bytes(*embedding.shape, "rows by columns")
            return projected(embedding, self.directions_)
        if not hasattr(self, "labeled_"):
            return embedding
        n_rows, n_labeled = len(embedding), len(self.labeled_)
        self._check_bytes(n_rows, n_labeled, "rows by labelled rows")
        return conditioned_on(embedding, self.labeled_, self.factor_)

    def _check_bytes(self, n_rows, n_columns, what):
        """Refuse a matrix that is too large."""
        n_bytes = 0 if isinf(n_columns) else 8 * n_rows * n_columns
        if n_bytes > self.max_bytes:
            raise ValueError(
                f"A matrix of {what}, {n_rows} by {n_columns}, takes "
                f"{n_bytes / 1e9:.3g} GB, above `max_bytes`={self.max_bytes / 1e9:.3g} "
                "GB. Put a Sketch before this, or TruncatedSVD in a Pipeline before "
                "the model, or raise `max_bytes`."
            )
