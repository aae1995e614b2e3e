"""Frank-Wolfe: a batch whose weighted sum stands for the sum of all rows."""

from dataclasses import replace

import numpy as np

from skbadge.embeddings._scaled import scaled
from skbadge.samplers._base import Sampler, fill_uniformly
from skbadge.utils._ties import Ties


class FrankWolfe(Sampler):
    r"""Rows of which a weighted sum comes near to the sum of all rows.

    Bayesian batch active learning as sparse subset approximation (Pinsler et al. [1]_,
    Algorithm 1): with :math:`\phi(x)` the rows, :math:`c(x)` their norms and
    :math:`R = \sum_x c(x)`, the sum :math:`t = \sum_x \phi(x)` is approached from
    :math:`w = 0`. Each pick maximises :math:`\langle t - w, \phi(x) / c(x) \rangle`
    among the rows not picked yet, and :math:`w` moves along the line to
    :math:`v = R \phi(x) / c(x)` to where that is nearest to :math:`t`,

    .. math::

        w \leftarrow w + \gamma (v - w), \qquad
        \gamma = \frac{\langle v - w, t - w \rangle}{\|v - w\|^2}.

    The paper lets a row be picked again, and returns fewer rows then. Here, as in
    Holzmüller et al. [2]_, all picks are distinct. So :math:`\gamma` may be negative,
    where the best of the rows left points away from what is missing.

    All rows are in :math:`t` and :math:`R`, whether they may be picked or not. Pending
    rows count as the first picks: :math:`w` moves along them first, in their order.
    ``labeled`` is ignored: what is known already is a matter of the embedding, such as
    that of `skbadge.embeddings.AcsRandomFeatures`.

    Notes
    -----
    The values of the selection are the inner products that the picks maximised. The
    picks do not depend on the scale of the embedding. Of equal rows a random one is
    picked. Rows of norm 0 have no direction: where no others are left, and where
    nothing but rounding is missing of the sum, as soon happens with few columns, the
    rest is drawn uniformly, with a `QueryWarning`.

    Takes the columns of the embedding: an embedding that has inner products only is
    refused. Three passes over the embedding and one product with a row for each pick
    and each pending row; beyond the embedding, about five float64 arrays of ``n_rows``
    and two of ``n_columns`` are held. If there is a mask, the rows that may be picked
    are copied.

    References
    ----------
    .. [1] R. Pinsler, J. Gordon, E. Nalisnick, J. M. Hernández-Lobato. "Bayesian batch
       active learning as sparse subset approximation". NeurIPS 2019.
    .. [2] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    The row in the direction of the sum, (4, 3), comes first, however short it is:

    >>> from skbadge.embeddings import DenseEmbedding
    >>> from skbadge.samplers import FrankWolfe
    >>> embedding = DenseEmbedding([[3.2, 0.0], [0.0, 2.4], [0.8, 0.6]])
    >>> FrankWolfe().sample(embedding, 1)
    array([2])
    """

    reads_population = True

    def _run(self, embedding, n, labeled, feasible, rng):
        # The sum of all rows times one of them would overflow.
        greatest = np.sqrt(embedding.norms_sq().max())
        limit = np.sqrt(np.finfo(embedding.dtype).max) / (16 * len(embedding))
        # By a power of two, so that no digit changes.
        factor = 1.0 if greatest <= limit else 2.0 ** -np.ceil(np.log2(greatest))
        if factor != 1:
            embedding = scaled(embedding, factor)
        approach = _Approach(embedding, feasible)
        rows, values = approach.pick(n, Ties(rng))
        values = np.array(values) / factor
        selection = fill_uniformly(
            rows,
            values,
            n,
            approach.open_rows,
            rng,
            value_name="alignment",
            n_distances=approach.n_distances,
            found="bring a weighted sum nearer to the sum of all",
        )
        return replace(selection, rows=approach.candidates[selection.rows])


class _Approach:
    """A weighted sum of rows that approaches the sum of all rows, see `FrankWolfe`.

    Parameters
    ----------
    embedding : Embedding of shape (n_rows, n_columns)
        All rows. With finitely many columns.

    feasible : Feasible
        Which of them may be picked.

    Attributes
    ----------
    candidates : ndarray of int64
        The rows that may be picked and the pending ones. All else is of these alone.

    open_rows : OpenRows
        Which of the candidates may be picked next.
    """

    def __init__(self, embedding, feasible):
        embedding._require_columns()
        # R and t, over all rows.
        self.total = np.sqrt(embedding.norms_sq()).sum()
        self.target = np.zeros(embedding.shape[1])
        for _, block in embedding._dense_blocks():
            self.target += block.sum(axis=0)
        self.candidates, restricted = feasible.restricted()
        if len(self.candidates) < len(embedding):
            embedding = embedding.take(self.candidates)
        self.embedding = embedding
        self.open_rows = restricted.open()
        self.eps = float(np.finfo(embedding.dtype).eps)
        norms = np.sqrt(embedding.norms_sq())
        # 1 / c(x), or 0 of a row without a direction.
        self.scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
        # <t, phi(x)> and <w, phi(x)> of each row, with w = 0.
        self.along_target = embedding.project(self.target[:, None])[:, 0]
        self.along, self.sum = np.zeros_like(norms), np.zeros_like(self.target)
        self.rounding = 0.0
        self.n_distances = 0
        for row in restricted.pending:
            if norms[row] > 0:
                self._move(row)

    def pick(self, n, ties):
        """Pick up to ``n`` rows, fewer if all others are 0 or nothing is missing.

        Returns
        -------
        rows : list of int
            Distinct positions among the candidates.

        values : list of float
            Their inner products, scaled to norm 1, with what was missing of the sum.
        """
        rows, values = [], []
        negligible = 32 * self.eps * self.total
        while len(rows) < n:
            is_left = self.open_rows.mask & (self.scale > 0)
            missing = np.linalg.norm(self.target - self.sum)
            if missing <= negligible or not is_left.any():
                break
            # <t - w, phi(x) / c(x)>
            scores = self.scale * (self.along_target - self.along)
            scores[~is_left] = -np.inf
            dtype = self.embedding.dtype
            row = ties.greatest(scores, dtype=dtype, quantum=self.rounding)
            rows.append(row)
            values.append(float(scores[row]))
            self.open_rows.close(row)
            self._move(row)
        return rows, values

    def _move(self, row):
        """Move the sum along the line to a row, until it is nearest to the target."""
        picked = self.embedding.take(np.array([row]))
        length = self.total * self.scale[row]
        # v - w with v = R phi(x) / c(x).
        direction = length * picked.to_dense()[0].astype(np.float64) - self.sum
        length_sq = direction @ direction
        if length_sq == 0:
            return
        # gamma = <v - w, t - w> / |v - w|^2
        step = direction @ (self.target - self.sum) / length_sq
        # w + gamma (v - w), and its products with all rows.
        self.sum += step * direction
        products = self.embedding.cross(picked)[:, 0]
        self.along += step * (length * products - self.along)
        # <v, phi(x) / c(x)> is at most R, and wrong in its last digits.
        self.rounding += self.eps * abs(step) * self.total
        self.n_distances += len(products)
