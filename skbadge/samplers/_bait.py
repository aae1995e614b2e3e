"""BAIT for regression: the batch that leaves the least posterior variance."""

from dataclasses import replace
from numbers import Real

import numpy as np

from skbadge._compat import Interval
from skbadge.embeddings import DenseEmbedding, FisherEmbedding
from skbadge.embeddings._scaled import scaled
from skbadge.samplers._bait_greedy import initial_state, search
from skbadge.samplers._bait_state import SingularPrecisionError
from skbadge.samplers._base import Sampler
from skbadge.samplers._moderation import moderating_factor

# With as little noise as in the benchmark, each of the first picks lowers the variance
# at its place by six digits, and what it is worth by twelve. To make everything afresh
# each time would take most of the time, and five digits do for a greedy search.
GREATEST_CHANGE = 1e12
LEAST_GAIN = 1e-11

# With more noise, rows have no part in each other's gains that float64 could hold.
GREATEST_NOISE = 1e60


class Bait(Sampler):
    r"""The batch whose observation leaves the least variance in the mean over rows.

    The Fisher information of a linear model with Gaussian noise is
    :math:`\phi(x) \phi(x)^\top / \sigma^2`, and BAIT's objective [1]_ comes down to

    .. math::

        \mathrm{tr}(M_S^{-1} C) \propto \sum_x k_S(x, x), \qquad
        M_S = \sigma^2 I + \sum_{y \in S} \phi(y) \phi(y)^\top,

    with :math:`C` the sum of :math:`\phi(x) \phi(x)^\top` over pool and labelled rows,
    and :math:`k_S` the posterior kernel given observations at :math:`S` with noise
    :math:`\sigma` (Holzmüller et al. [2]_). Each pick maximises
    :math:`\phi^\top C \phi / (k_S(x, x) + \sigma^2)` in posterior features. Then as
    many rows are removed as there are too many, each the one that is missed least.

    All rows of the pool are in :math:`C`, whether they may be picked or not. Pending
    rows are in :math:`S` from the start, and so are ``labeled`` rows, unless the
    embedding is ``conditioned`` on them.

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

    conditioned : bool, default=False
        Whether the embedding is conditioned on the ``labeled`` rows already, as by
        `skbadge.embeddings.Posterior`: then they are not observed again. The benchmark
        works so.

    count_labeled : bool, default=True
        Whether ``labeled`` rows are in :math:`C`, as in the benchmark. A row that
        stands both in the pool and among them counts once.

    See Also
    --------
    bait_greedy : The same search for classification, on roots of any rank.

    Notes
    -----
    The values of the selection say by how much each row lowered the mean variance of
    the rows in :math:`C` when it was added. Of equal rows a random one is picked, else
    nothing depends on chance. Rows that are 0 are drawn uniformly after all others,
    with a `QueryWarning`. If all rows that may be picked are asked for, they come in
    the order of what each alone would do.

    Takes the columns of the embedding: an embedding that has inner products only is
    refused. With ``N`` rows and ``D`` columns, ``O(N * D**2)`` operations to begin with
    and every 64 rows added, and ``O(N * D)`` for each. Beyond the embedding, about five
    arrays of ``N`` and nine of ``D * D`` numbers are held, and blocks of fixed size;
    all is float64. If there is a mask, the rows that may be picked are copied, and
    ``N`` is their number but for one pass over all rows.

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

    reads_population = True
    _parameter_constraints: dict = {
        "sigma": [Interval(Real, 0, None, closed="neither")],
        "oversampling": [Interval(Real, 1, None, closed="left")],
        "conditioned": ["boolean"],
        "count_labeled": ["boolean"],
    }

    def __init__(
        self,
        *,
        sigma: float = 1e-3,
        oversampling: float = 2.0,
        conditioned: bool = False,
        count_labeled: bool = True,
    ):
        self.sigma = sigma
        self.oversampling = oversampling
        self.conditioned = conditioned
        self.count_labeled = count_labeled

    def _run(self, embedding, n, labeled, feasible, rng):
        if embedding._require_columns() == 0:
            # All rows are 0, as they are with a column of zeros.
            embedding, labeled = DenseEmbedding(np.zeros((len(embedding), 1))), None
        known = () if labeled is None else (labeled,)
        factor = moderating_factor(embedding, *known)
        if factor != 1:
            # Rows and noise in other units.
            embedding = scaled(embedding, factor)
            labeled = None if labeled is None else scaled(labeled, factor)
        sigma = float(self.sigma)
        exact_noise = factor * sigma * factor * sigma
        noise = min(exact_noise, GREATEST_NOISE)
        try:
            state = initial_state(
                VectorFisher(embedding),
                None if labeled is None else VectorFisher(labeled),
                n,
                feasible=feasible,
                regularization=noise,
                labeled_weighting=None if self.conditioned else "counts",
                count_labeled=self.count_labeled,
                greatest_change=GREATEST_CHANGE,
                least_gain=LEAST_GAIN,
            )
            found = "have embeddings other than 0"
            selection = search(state, n, feasible, self.oversampling, found, rng)
        except SingularPrecisionError as error:
            greatest = np.sqrt(embedding.norms_sq().max()) / factor
            raise ValueError(
                f"`sigma`={self.sigma} is too small beside the rows, with norms up to "
                f"{greatest:.3g}: their posterior variances are lost to rounding in "
                "float64. Raise it, or scale the embedding."
            ) from error
        return replace(
            selection,
            # tr(M^-1 C) / N times the noise is the mean of the posterior variances.
            # Under great noise it is proportional to the inverse of that.
            values=noise * selection.values * (noise / exact_noise) / factor / factor,
            value_name="fall of the mean variance",
        )


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
        self.dtype = embedding.dtype

    def __len__(self):
        return len(self.embedding)

    @property
    def device(self):
        """Device of torch's that holds the rows; None is main memory."""
        return self.embedding.device

    @property
    def n_parameters(self):
        """Number of columns."""
        return self.embedding.shape[1]

    @property
    def _arrays(self):
        return self.embedding._arrays

    def _row_cost(self, n_columns):
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
