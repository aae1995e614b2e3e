"""BADGE: k-means++ seeding on gradient embeddings."""

from skbadge.samplers import KMeansPlusPlus
from skbadge.samplers._kmeans_plus_plus import DRAWS, FirstDraw
from skbadge.strategies._embedding_strategy import EmbeddingStrategy, Recipe


class Badge(EmbeddingStrategy):
    """BADGE: rows whose loss gradients are large and unlike each other.

    Each row is embedded as the gradient of the loss at the label the model predicts,
    with respect to the last layer's weights; rows are then drawn by k-means++ seeding
    (Ash et al. [1]_, Algorithm 1). Large gradients stand for uncertainty, distance
    between them for diversity; there is nothing to tune.

    Parameters
    ----------
    include_bias : bool, default=False
        Take the gradient with respect to the last layer's bias as well. The paper's
        code does not.

    first_center : {"auto", "max_norm", "uniform", "norm_weighted"}, default="auto"
        How the first row is picked, see `skbadge.samplers.KMeansPlusPlus`.

    uniform_share : float, default=0.0
        Share of the rows that are drawn uniformly, from 0 to 1. Above 0, the report
        says with what probability each row was drawn, for
        `skbadge.monitoring.risk_estimate`.

    Notes
    -----
    The last layer's input are the penultimate features of a net or a multi-layer
    perceptron. Of a linear model it is the model's own input, as it is. Of forests and
    gradient boosting it is the leaf of each tree that a row ends up in: the model is
    linear in them. Nearest neighbours, naive Bayes, kernel machines and all others have
    no such layer: in its place stands their input, each column with mean 0 and variance
    1 over the pool, so that picks do not depend on the columns' units. (A column that
    is zero in at least half of the rows is divided by its greatest absolute value.)
    What BADGE picks by is then no gradient, but the model's uncertainty times where a
    row lies. Missing values, if the model takes them, count as the mean.

    Sparse rows of models without hidden layers, and leaves, stay sparse: memory is that
    of their entries.

    References
    ----------
    .. [1] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.strategies import Badge
    >>> X, y = load_iris(return_X_y=True)
    >>> querier = BadgeQuerier(
    ...     LogisticRegression(), strategy=Badge(uniform_share=0.1), random_state=0
    ... )
    >>> querier.fit(X[::10], y[::10]).query(X[1::10], n=3).shape
    (3,)
    """

    _parameter_constraints: dict = {
        "include_bias": ["boolean"],
        **DRAWS,
    }

    def __init__(
        self,
        *,
        include_bias: bool = False,
        first_center: FirstDraw = "auto",
        uniform_share: float = 0.0,
    ):
        self.include_bias = include_bias
        self.first_center = first_center
        self.uniform_share = uniform_share

    def recipe(self) -> Recipe:
        """k-means++ seeding on gradient embeddings."""
        kernel = "badge_bias" if self.include_bias else "badge"
        sampler = KMeansPlusPlus(
            first_center=self.first_center, uniform_share=self.uniform_share
        )
        return Recipe(kernel=kernel, sampler=sampler)
