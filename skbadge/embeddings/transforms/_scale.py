"""Division by the labelled rows' typical length."""

import numpy as np

from skbadge.embeddings._scaled import scaled
from skbadge.embeddings.transforms._base import EmbeddingTransformer


class Scale(EmbeddingTransformer):
    r"""Divide rows so that the mean squared norm of the labelled ones is 1.

    :math:`\phi \mapsto \phi / \sqrt{\operatorname{mean}_{x \in L} k(x, x)}`, the
    transformation ``scale`` of Holzmüller et al. [1]_. Noise variances, such as that of
    `Posterior`, mean the same for all kernels after it. Where nothing is labelled yet,
    the mean is that of the pool's rows. If they are all zero, rows stay as they are.

    Attributes
    ----------
    factor_ : float
        What rows are multiplied by.

    Raises
    ------
    ValueError
        By `fit`, if all labelled rows are zero.

    Notes
    -----
    A dense embedding is copied in its dtype. Other kinds copy their smaller factor or
    nothing.

    References
    ----------
    .. [1] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> from skbadge.embeddings import DenseEmbedding, Scale
    >>> scale = Scale().fit(DenseEmbedding([[3.0, 4.0], [0.0, 5.0]]))
    >>> scale.transform(DenseEmbedding([[5.0, 10.0]])).to_dense()
    array([[1., 2.]])
    """

    def _fit(self, labeled, pool):
        if labeled is None:
            norms_sq = pool.norms_sq()
            mean = norms_sq.mean() if norms_sq.any() else 1.0
        else:
            mean = labeled.norms_sq().mean()
        if not mean > 0:
            raise ValueError(
                f"`labeled` must have a row that is not zero. All {len(labeled)} are: "
                "there is no scale to divide by."
            )
        self.factor_ = float(1 / np.sqrt(mean))

    def _transform(self, embedding):
        return scaled(embedding, self.factor_)
