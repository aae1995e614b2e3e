"""Rows of greatest norm."""

from skbadge.samplers._base import Sampler
from skbadge.samplers._selection import Selection
from skbadge.utils._ranking import top_rows


class MaxDiag(Sampler):
    r"""Rows of greatest norm: those of greatest variance, each seen by itself.

    The diagonal :math:`k(x, x)` of the kernel is the variance of the prediction at
    :math:`x` if the embedding is that of a posterior; its greatest entries are then
    the batch that BALD would select (Holzmüller et al. [1]_), with all
    the copies of the first pick in it. Rows of equal norm come in random order.

    ``labeled`` is ignored: condition the embedding instead.

    Notes
    -----
    The values of the selection are the squared norms.

    References
    ----------
    .. [1] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> from skbadge.embeddings import DenseEmbedding
    >>> from skbadge.samplers import MaxDiag
    >>> MaxDiag().sample(DenseEmbedding([[1.0], [-3.0], [2.0]]), 2)
    array([1, 2])
    """

    def _run(self, embedding, n, labeled, feasible, rng):
        norms_sq = embedding.norms_sq()
        rows = top_rows(
            norms_sq, n, rng, open_rows=feasible.open(), dtype=embedding.dtype
        )
        return Selection(rows, norms_sq[rows], "squared norm")
