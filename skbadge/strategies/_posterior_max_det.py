"""Rows of greatest posterior variance, taken jointly."""

from skbadge.samplers import MaxDet
from skbadge.strategies._posterior_strategy import PosteriorStrategy


class PosteriorMaxDet(PosteriorStrategy):
    """Rows whose outputs are jointly least certain given the labelled rows.

    Each pick is the row of greatest variance given the labelled rows and the picks
    before it. It makes the determinant of the batch's covariance grow most, which for a
    Gaussian likelihood is BatchBALD's mutual information [1]_. It is what "batch_bald"
    means for a regressor: ``MaxDet-P ll train`` of Holzmüller et al. [2]_.

    Parameters
    ----------
    sigma : float, default=1e-3
        Standard deviation of the noise, above 0, for scaled rows; the same in
        conditioning and in the selection.

    kernel : {"last_layer", "features", "gradients", "linear", "nngp", "ntk", \
            "laplace"}, default="last_layer"
        The base kernel, see `EmbeddingStrategy`.

    n_columns : int or None, default=512
        For "gradients", the columns that they are sketched to while they are read; None
        for exact ones.

    References
    ----------
    .. [1] A. Kirsch, J. van Amersfoort, Y. Gal. "BatchBALD: efficient and diverse batch
       acquisition for deep Bayesian active learning". NeurIPS 2019.
    .. [2] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.strategies import PosteriorMaxDet
    >>> X, y = load_diabetes(return_X_y=True)
    >>> querier = BadgeQuerier(
    ...     Ridge(), strategy=PosteriorMaxDet(sigma=0.1), random_state=0
    ... )
    >>> querier.fit(X[:20], y[:20]).query(X[20:], n=3).shape
    (3,)
    """

    def make_sampler(self) -> MaxDet:
        """Greedy maximisation of the determinant."""
        return MaxDet(sigma=self.sigma)
