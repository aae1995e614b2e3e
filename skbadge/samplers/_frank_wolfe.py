"""Frank-Wolfe: a batch whose weighted sum stands for the sum of all rows."""

import numpy as np

from skbadge.samplers._base import Sampler, fill_uniformly, left_open


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

    The paper lets a row be picked again, and returns fewer rows then; here, as in
    Holzmüller et al. [2]_, all picks are distinct. :math:`\gamma` may then be negative,
    where the best of the rows left points away from what is missing.

    ``labeled`` is ignored: what is known already is a matter of the embedding, such as
    that of `skbadge.embeddings.AcsRandomFeatures`.

    Notes
    -----
    The values of the selection are the inner products that the picks maximised. The
    picks do not depend on the scale of the embedding. Rows of norm 0 have no direction:
    where no others are left, and where nothing but rounding is missing of the sum, as
    soon happens with few columns, the rest is drawn uniformly, with a `QueryWarning`.

    Takes the columns of the embedding: an embedding that has inner products only is
    refused. Three passes over the embedding and one product with a row for each pick;
    beyond the embedding, about five float64 arrays of ``n_rows`` and two of
    ``n_columns`` are held.

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

    def _run(self, embedding, n, labeled, feasible, rng):
        rows, values = approach_sum(embedding, n)
        return fill_uniformly(
            rows,
            values,
            n,
            left_open(feasible, rows),
            rng,
            value_name="alignment",
            n_distances=len(embedding) * len(rows),
            found="bring a weighted sum nearer to the sum of all",
        )


def approach_sum(embedding, n):
    """Pick rows whose weighted sum approaches that of all rows, see `FrankWolfe`.

    Parameters
    ----------
    embedding : Embedding of shape (n_rows, n_columns)
        With finitely many columns.

    n : int
        Number of rows to pick.

    Returns
    -------
    rows : list of int
        Distinct; fewer than ``n`` if all others are 0, or nothing is missing.

    values : list of float
        Their inner products, scaled to norm 1, with what was missing of the sum.

    Raises
    ------
    ValueError
        If the embedding has inner products only.
    """
    embedding._require_columns()
    norms = np.sqrt(embedding.norms_sq())
    total = norms.sum()
    target = np.zeros(embedding.shape[1])
    for _, block in embedding._dense_blocks():
        target += block.sum(axis=0)
    # Inner products of each row with the target, and with the approximation.
    along_target = embedding.project(target[:, None])[:, 0]
    approximation, along = np.zeros_like(target), np.zeros_like(norms)
    scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    is_left = norms > 0
    negligible = 32 * float(np.finfo(embedding.dtype).eps) * total
    rows, values = [], []
    while len(rows) < n and is_left.any():
        if np.linalg.norm(target - approximation) <= negligible:
            break
        scores = np.where(is_left, scale * (along_target - along), -np.inf)
        row = int(scores.argmax())
        rows.append(row)
        values.append(float(scores[row]))
        is_left[row] = False
        picked = embedding.take(np.array([row]))
        length = total * scale[row]
        direction = length * picked.to_dense()[0].astype(np.float64) - approximation
        step = _line_minimum(direction, target - approximation)
        approximation += step * direction
        along += step * (length * embedding.cross(picked)[:, 0] - along)
    return rows, values


def _line_minimum(direction, rest):
    """How far to go along a direction to come nearest to the end of ``rest``."""
    length_sq = direction @ direction
    return direction @ rest / length_sq if length_sq > 0 else 0.0
