"""Farthest-first traversal of gradient embeddings."""

from skbadge.samplers import KCenter
from skbadge.samplers._base import FIRST_CENTER, FirstCenter
from skbadge.strategies._embedding_strategy import EmbeddingStrategy, Recipe


class BadgeKCenter(EmbeddingStrategy):
    """Rows whose loss gradients are farthest from each other.

    BADGE's gradient embeddings with farthest-first traversal in place of k-means++
    seeding: FF-k-center, the third sampler that Ash et al. [1]_ compare in Figure 2.
    It seeks out outliers, where k-means++ draws them with no more than their weight.
    By default it starts, as BADGE does, from the longest gradient.

    Parameters
    ----------
    include_bias : bool, default=False
        Take the gradient with respect to the last layer's bias as well.

    first_center : {"max_norm", "uniform", "norm_weighted"}, default="max_norm"
        How the first row is picked, see `skbadge.samplers.KCenter`.

    References
    ----------
    .. [1] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020.

    Examples
    --------
    >>> from skbadge.outputs import Outputs
    >>> from skbadge.strategies import BadgeKCenter
    >>> pool = Outputs(
    ...     proba=[[0.5, 0.5], [0.4, 0.6], [0.1, 0.9]],
    ...     features=[[2.0, 0.0], [2.0, 0.1], [0.0, 2.0]],
    ... )
    >>> BadgeKCenter().select(pool, 2)
    array([0, 1])
    """

    _parameter_constraints: dict = {
        "include_bias": ["boolean"],
        **FIRST_CENTER,
    }

    def __init__(
        self, *, include_bias: bool = False, first_center: FirstCenter = "max_norm"
    ):
        self.include_bias = include_bias
        self.first_center = first_center

    def recipe(self) -> Recipe:
        """Farthest-first traversal of gradient embeddings."""
        kernel = "badge_bias" if self.include_bias else "badge"
        return Recipe(kernel=kernel, sampler=KCenter(first_center=self.first_center))
