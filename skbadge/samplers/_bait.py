"""BAIT for regression: the batch that leaves the least posterior variance."""

from numbers import Real

import numpy as np

from skbadge._compat import Interval
from skbadge.embeddings import FisherEmbedding
from skbadge.samplers._bait_greedy import backward, forward, initial_state
from skbadge.samplers._bait_state import SingularPrecisionError
from skbadge.samplers._base import Sampler, fill_uniformly, left_open

# With as little noise as in the benchmark, each of the first picks lowers the variance
# at its place by six digits, and what it is worth by twelve. To make everything afresh
# each time would take most of the time, and five digits do for a greedy search.
GREATEST_CHANGE = 1e12
LEAST_GAIN = 1e-11


class Bait(Sampler):
    r"""The batch whose observation leaves the least variance in the mean over rows.

    The Fisher information of a linear model with Gaussian noise is
    :math:`\phi(x) \phi(x)^\top / \sigma^2`, and BAIT's objective [1]_ comes down to

    .. math::

        \mathrm{tr}(M_S^{-1} C) \propto \sum_x k_S(x, x), \qquad
        M_S = \sigma^2 I + \sum_{y \in S} \phi(y) \phi(y)^\top,

    with :math:`C` the sum of :math:`\phi(x) \phi(x)^\top` and :math:`k_S` the posterior
    kernel given observations at :math:`S` with noise :math:`\sigma` (Holzmüller et al.
    [2]_). Each pick maximises
    :math:`\phi^\top C \phi / (k_S(x, x) + \sigma^2)` in posterior features; then as
    many rows are removed as there are too many, each the one that is missed least.
    ``labeled`` rows, if given, are in :math:`S` from the start and are in :math:`C`
    as well.

    Parameters
    ----------
    sigma : float, default=1e-3
        Standard deviation of the noise, above 0. The default is the benchmark's [2]_,
        for an embedding scaled to squared norms of 1 in the mean over labelled rows.
        Below about 1e-7 of the greatest norms, nothing could be told in float64.

    oversampling : float, default=2.0
        Rows added greedily, as a multiple of the rows asked for, before as many are
        removed greedily as there are too many; at least 1, which removes none ("F" in
        the benchmark, 2 is "FB").

    Notes
    -----
    The values of the selection say by how much each row lowered the mean variance of
    all rows, labelled ones included, when it was added. Of equal rows a random one is
    picked, else nothing depends on chance. Rows that are 0 are drawn uniformly after
    all others, with a `QueryWarning`. If all rows are asked for, they come in the order
    of what each alone would do.

    Takes the columns of the embedding: an embedding that has inner products only is
    refused. With ``N`` rows and ``D`` columns, ``O(N * D**2)`` operations to begin with
    and every 64 rows added, and ``O(N * D)`` for each. Beyond the embedding, about five
    arrays of ``N`` and six of ``D * D`` numbers are held, and blocks of fixed size; all
    is float64.

    With ``labeled=None``, :math:`C` is that of the candidates alone. The benchmark adds
    the rows that the embedding was conditioned on, whose posterior variance is at most
    :math:`\sigma^2`.

    See Also
    --------
    bait_greedy : The same search for classification, on roots of any rank.

    References
    ----------
    .. [1] J. T. Ash, S. Goel, A. Krishnamurthy, S. Kakade. "Gone fishing: neural
       active learning with Fisher embeddings". NeurIPS 2021.
    .. [2] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    The two rows that span the plane, not the longest two:

    >>> from skbadge.embeddings import DenseEmbedding
    >>> from skbadge.samplers import Bait
    >>> embedding = DenseEmbedding([[4.0, 0.0], [3.9, 0.0], [0.0, 3.0]])
    >>> Bait().sample(embedding, 2)
    array([0, 2])
    """

    _parameter_constraints: dict = {
        "sigma": [Interval(Real, 0, None, closed="neither")],
        "oversampling": [Interval(Real, 1, None, closed="left")],
    }

    def __init__(self, *, sigma=1e-3, oversampling=2.0):
        self.sigma = sigma
        self.oversampling = oversampling

    def _run(self, embedding, n, labeled, feasible, rng):
        embedding._require_columns()
        noise = float(self.sigma) ** 2
        try:
            rows, gains = self._search(embedding, n, labeled, noise, rng)
        except SingularPrecisionError as error:
            greatest = np.sqrt(embedding.norms_sq().max())
            raise ValueError(
                f"`sigma`={self.sigma} is too small beside the rows, with norms up to "
                f"{greatest:.3g}: their posterior variances are lost to rounding in "
                "float64. Raise it, or scale the embedding."
            ) from error
        return fill_uniformly(
            rows,
            noise * gains,
            n,
            left_open(feasible, rows),
            rng,
            value_name="fall of the mean variance",
            n_distances=0,
            found="have embeddings other than 0",
        )

    def _search(self, embedding, n, labeled, noise, rng):
        """Rows in the order in which they were added, and their gains."""
        state = initial_state(
            VectorFisher(embedding),
            None if labeled is None else VectorFisher(labeled),
            n,
            regularization=noise,
            labeled_weighting="counts",
            greatest_change=GREATEST_CHANGE,
            least_gain=LEAST_GAIN,
        )
        rank = rng.permutation(len(embedding))
        if n == len(embedding):
            gains = state.gains()
            rows = np.lexsort((rank, -gains))
            return rows, gains[rows]
        size = min(max(int(self.oversampling * n), n), len(embedding))
        rows, gains = forward(state, size, rank)
        kept = backward(state, rows, n)
        return rows[kept], gains[kept]


class VectorFisher(FisherEmbedding):
    """The rows of an embedding as roots of Fisher information, of one line each.

    Parameters
    ----------
    embedding : Embedding of shape (n_rows, n_columns)
        Of any dtype; cast to float64 a block of rows at a time.
    """

    rank = 1

    def __init__(self, embedding):
        self.embedding = embedding

    def __len__(self):
        return len(self.embedding)

    @property
    def n_parameters(self):
        """Number of columns."""
        return self.embedding.shape[1]

    @property
    def nbytes(self):
        """Bytes held by the embedding."""
        return self.embedding.nbytes

    @property
    def _row_cost(self):
        return 2 * sum(self.embedding._pair_cost())

    def take(self, rows):
        """The embedding of some rows, given as a slice or as positions."""
        return VectorFisher(self.embedding.take(rows))

    def dense(self):
        """The rows themselves, float64 of shape (n_rows, 1, n_columns)."""
        return self.embedding.astype(np.float64).to_dense()[:, None, :]

    def norms_sq(self):
        """Squared norms of the rows, float64 of shape (n_rows,)."""
        return self.embedding.norms_sq()

    def products(self, matrix):
        """Each row times a matrix, see `FisherEmbedding.products`."""
        return self.embedding.project(matrix)[:, None, :]

    def grams(self, matrix):
        """Each row times a symmetric matrix times the row."""
        return self.embedding.quadratic_forms(matrix)[:, None, None]

    def total_information(self):
        """Sum of the outer products of the rows with themselves."""
        return self.embedding.column_gram()

    def _add_information(self, total):
        total += self.embedding.column_gram()
