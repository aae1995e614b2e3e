"""Greedy k-DPP mode on gradient embeddings."""

from numbers import Real

from skbadge._compat import Interval
from skbadge.samplers import MaxDet
from skbadge.strategies._embedding_strategy import EmbeddingStrategy, Recipe


class BadgeMaxDet(EmbeddingStrategy):
    """Rows whose loss gradients span the greatest volume, picked greedily.

    BADGE's gradient embeddings [1]_ with the greedy mode of the k-DPP [2]_ in place of
    k-means++ seeding: each pick is the row whose gradient has the greatest part
    outside the span of those before it. Deterministic, but for rows left when the rank
    is exhausted.

    The rank is at most ``(n_classes - 1) * n_features`` (and ``n_classes - 1`` more
    with the bias). If the model has few features a batch may well exceed it; a
    ``sigma`` above 0 goes on picking beyond.

    Parameters
    ----------
    include_bias : bool, default=False
        Take the gradient with respect to the last layer's bias as well.

    sigma : float, default=0.0
        Standard deviation of noise, in units of the gradients' norms, see
        `skbadge.samplers.MaxDet`.

    References
    ----------
    .. [1] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020.
    .. [2] L. Chen, G. Zhang, H. Zhou. "Fast greedy MAP inference for determinantal
       point process to improve recommendation diversity". NeurIPS 2018.

    Examples
    --------
    >>> from skbadge.outputs import Outputs
    >>> from skbadge.strategies import BadgeMaxDet
    >>> pool = Outputs(
    ...     proba=[[0.5, 0.5], [0.4, 0.6], [0.1, 0.9]],
    ...     features=[[2.0, 0.0], [2.0, 0.1], [0.0, 2.0]],
    ... )
    >>> BadgeMaxDet().select(pool, 2)
    array([0, 2])
    """

    _parameter_constraints: dict = {
        "include_bias": ["boolean"],
        "sigma": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, *, include_bias: bool = False, sigma: float = 0.0):
        self.include_bias = include_bias
        self.sigma = sigma

    def recipe(self) -> Recipe:
        """Greedy maximisation of the determinant of gradient embeddings."""
        kernel = "badge_bias" if self.include_bias else "badge"
        return Recipe(kernel=kernel, sampler=MaxDet(sigma=self.sigma))
