"""Rows of greatest posterior variance, each by itself."""

from skbadge.samplers import MaxDiag
from skbadge.strategies._posterior_strategy import PosteriorStrategy


class PosteriorVariance(PosteriorStrategy):
    """Rows whose outputs are least certain given the labelled rows, each by itself.

    The posterior variance of a Bayesian linear model on the last layer's gradients. For
    a Gaussian likelihood it gives the order of BALD's mutual information [1]_, and it
    is what "bald" means for a regressor: ``MaxDiag ll train`` of Holzmüller et al.
    [2]_. There it does worse than random rows, because its picks are alike.
    `PosteriorMaxDet` takes them jointly.

    Parameters
    ----------
    sigma : float, default=1e-3
        Standard deviation of the noise, above 0, for scaled rows.

    kernel : {"last_layer", "features", "gradients", "linear", "nngp", "ntk", \
            "laplace"}, default="last_layer"
        The base kernel, see `EmbeddingStrategy`.

    n_columns : int or None, default=512
        For "gradients", the columns that they are sketched to while they are read; None
        for exact ones.

    References
    ----------
    .. [1] N. Houlsby, F. Huszár, Z. Ghahramani, M. Lengyel. "Bayesian active learning
       for classification and preference learning". arXiv:1112.5745, 2011.
    .. [2] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.strategies import PosteriorVariance
    >>> X, y = load_diabetes(return_X_y=True)
    >>> querier = BadgeQuerier(
    ...     Ridge(), strategy=PosteriorVariance(sigma=0.1), random_state=0
    ... )
    >>> querier.fit(X[:20], y[:20]).query(X[20:], n=3).shape
    (3,)
    """

    def make_sampler(self) -> MaxDiag:
        """Greatest variances."""
        return MaxDiag()
