"""Rows of greatest norm."""

from dataclasses import dataclass

import numpy as np

from skbadge.samplers._base import Sampler
from skbadge.samplers._row_sketch import Greatest, merged
from skbadge.samplers._selection import Selection
from skbadge.samplers._taken import Taken
from skbadge.utils._ranking import top_rows
from skbadge.utils._ties import Ties


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

    streams = True

    def _run(self, embedding, n, labeled, feasible, rng):
        norms_sq = embedding.norms_sq()
        rows = top_rows(
            norms_sq, n, rng, open_rows=feasible.open(), dtype=embedding.dtype
        )
        return Selection(rows, norms_sq[rows], "squared norm")

    def _run_on_chunks(self, view, n, labeled, feasible, rng):
        taken, order = Taken(feasible), Greatest(Ties(rng), view.dtype)
        sketch = view.reduce(_Norms(n, order, taken), merged)
        norms = np.sqrt(sketch.values)
        return Selection(
            sketch.rows,
            sketch.values,
            "squared norm",
            norms=norms,
            embedding=sketch.embedding,
        )


@dataclass
class _Norms:
    """The open rows of a chunk in the order of their norms, within their quotas."""

    size: int
    order: Greatest
    taken: Taken

    def __call__(self, chunk, first, sieves):
        opened, rows = self.taken.open_part(chunk, first)
        return self.order.sketch(
            self.size,
            rows.norms_sq(),
            first,
            opened,
            embedding=rows,
            quotas=self.taken.quotas(first + opened),
            sieves=sieves,
        )
