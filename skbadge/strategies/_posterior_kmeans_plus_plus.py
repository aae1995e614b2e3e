"""k-means++ seeding on the posterior given the labelled rows."""

from skbadge.samplers import KMeansPlusPlus
from skbadge.samplers._kmeans_plus_plus import DRAWS, FirstDraw
from skbadge.strategies._kernels import KernelName
from skbadge.strategies._posterior_strategy import PosteriorStrategy


class PosteriorKMeansPlusPlus(PosteriorStrategy):
    """k-means++ seeding on what the labelled rows leave uncertain.

    BADGE [2]_ itself does not apply to regression: the loss has no gradient at the
    model's own prediction. Holzmüller et al. [1]_ take the posterior given the labelled
    rows in its place: rows are long where they are uncertain, as BADGE's gradients are.
    It is what "badge" means for a regressor: ``KMeansPP-P ll train``.

    Parameters
    ----------
    sigma : float, default=1e-3
        Standard deviation of the noise, above 0, for scaled rows.

    first_center : {"uniform", "auto", "max_norm", "norm_weighted"}, default="uniform"
        How the first row is picked, see `skbadge.samplers.KMeansPlusPlus`; uniform in
        the benchmark.

    uniform_share : float, default=0.0
        Share of the rows that are drawn uniformly, see `Badge`.

    kernel : {"last_layer", "features", "gradients", "linear", "nngp", "ntk", \
            "laplace"}, default="last_layer"
        The base kernel, see `EmbeddingStrategy`.

    n_columns : int or None, default=512
        For "gradients", the columns that they are sketched to while they are read; None
        for exact ones.

    References
    ----------
    .. [1] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.
    .. [2] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.strategies import PosteriorKMeansPlusPlus
    >>> X, y = load_diabetes(return_X_y=True)
    >>> querier = BadgeQuerier(
    ...     Ridge(), strategy=PosteriorKMeansPlusPlus(sigma=0.1), random_state=0
    ... )
    >>> querier.fit(X[:20], y[:20]).query(X[20:], n=3).shape
    (3,)
    """

    _parameter_constraints: dict = {
        **PosteriorStrategy._parameter_constraints,
        **DRAWS,
    }

    def __init__(
        self,
        *,
        sigma: float = 1e-3,
        first_center: FirstDraw = "uniform",
        uniform_share: float = 0.0,
        kernel: KernelName = "last_layer",
        n_columns: int | None = 512,
    ):
        super().__init__(sigma=sigma, kernel=kernel, n_columns=n_columns)
        self.first_center = first_center
        self.uniform_share = uniform_share

    def make_sampler(self) -> KMeansPlusPlus:
        """k-means++ seeding."""
        return KMeansPlusPlus(
            first_center=self.first_center, uniform_share=self.uniform_share
        )
