"""ACS-FW: a batch whose expected log-likelihoods stand for those of the pool."""

from dataclasses import replace
from numbers import Integral, Real

from skbadge._compat import Interval, StrOptions
from skbadge.embeddings import AcsRandomFeatures, Scale
from skbadge.outputs import Needs
from skbadge.samplers import FrankWolfe
from skbadge.strategies._embedding_strategy import EmbeddingStrategy, Recipe
from skbadge.strategies._kernels import KernelName
from skbadge.strategies._posterior_strategy import MODEL_KERNELS


class AcsFW(EmbeddingStrategy):
    """Rows whose weighted expected log-likelihoods come near to those of all rows.

    Active learning as sparse subset approximation, Pinsler et al. [1]_: Frank-Wolfe
    selection on random features of the expected log-likelihood given the labelled rows.
    It is ``FrankWolfe-P ll acs-rf(512)`` of Holzmüller et al. [2]_; their literature
    table has the variant with a prior on the noise, ``acs-rf-hyper``, which is left out
    here.

    Parameters
    ----------
    n_random_features : int, default=512
        Random features, see `skbadge.embeddings.AcsRandomFeatures`.

    sigma : float, default=1e-3
        Standard deviation of the noise, above 0, for rows scaled so that the labelled
        ones have a mean squared norm of 1.

    kernel : {"last_layer", "features", "gradients", "linear"}, default="last_layer"
        The base kernel, see `EmbeddingStrategy`. Kernels without columns have no
        features.

    n_columns : int or None, default=512
        For "gradients", the columns that they are sketched to while they are read; None
        for exact ones.

    Notes
    -----
    Holds ``n_rows * n_random_features`` float64 numbers.

    References
    ----------
    .. [1] R. Pinsler, J. Gordon, E. Nalisnick, J. M. Hernández-Lobato. "Bayesian batch
       active learning as sparse subset approximation". NeurIPS 2019.
    .. [2] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.strategies import AcsFW
    >>> X, y = load_diabetes(return_X_y=True)
    >>> querier = BadgeQuerier(Ridge(), strategy=AcsFW(), random_state=0)
    >>> querier.fit(X[:20], y[:20]).query(X[20:], n=3).shape
    (3,)
    """

    _parameter_constraints: dict = {
        "kernel": [StrOptions(MODEL_KERNELS)],
        "n_random_features": [Interval(Integral, 1, None, closed="left")],
        "sigma": [Interval(Real, 0, None, closed="neither")],
        "n_columns": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        *,
        n_random_features: int = 512,
        sigma: float = 1e-3,
        kernel: KernelName = "last_layer",
        n_columns: int | None = 512,
    ):
        self.n_random_features = n_random_features
        self.sigma = sigma
        self.kernel = kernel
        self.n_columns = n_columns

    @property
    def needs(self) -> Needs:
        """Dense rows: it needs products of all columns."""
        return replace(super().needs, sparse=False)

    def recipe(self) -> Recipe:
        """Frank-Wolfe on random features of the expected log-likelihood."""
        acs = AcsRandomFeatures(self.n_random_features, sigma=self.sigma)
        transforms = (Scale(), acs)
        return Recipe(
            kernel=self.kernel,
            sampler=FrankWolfe(),
            transforms=transforms,
            n_columns=self.n_columns,
        )
