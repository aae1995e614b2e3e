"""LCMD-TP on sketched gradients: the proposal of the paper behind BMDAL."""

from numbers import Integral

from skbadge._compat import Interval, StrOptions
from skbadge.samplers import LCMD as LCMDSampler
from skbadge.strategies._embedding_strategy import EmbeddingStrategy, Recipe
from skbadge.strategies._kernels import KernelName
from skbadge.strategies._posterior_strategy import ALL_KERNELS


class LCMD(EmbeddingStrategy):
    """Rows that split the largest clusters of the gradients of all layers.

    The labelled rows, and then each pick, are the centres of clusters; the next pick is
    the farthest row of the cluster with the greatest sum of squared distances. It is
    ``LCMD-TP grad rp(512)``, the proposal of Holzmüller et al. [1]_ and the best of
    their benchmark for regression by root mean squared error.

    Parameters
    ----------
    kernel : {"gradients", "features", "last_layer", "linear", "nngp", "ntk", \
            "laplace"}, default="gradients"
        What to measure distances in, see `EmbeddingStrategy`. Of forests and boosting
        there are no gradients: with "features" clusters are those of their leaves.

    n_columns : int or None, default=512
        For "gradients", the columns that they are sketched to while they are read. None
        holds the factors of all layers, and measures exact distances.

    Notes
    -----
    For classifiers it takes the gradients of the loss at the predicted label, which are
    short where the model is certain: then a full-net BADGE with other picks.

    Holds ``n_rows * n_columns`` float32 numbers, and never the gradients.

    References
    ----------
    .. [1] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.nn import TabularNetRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> net = TabularNetRegressor(max_epochs=10)
    >>> querier = BadgeQuerier(net, strategy="lcmd", random_state=0)
    >>> querier.fit(X[:40], y[:40]).query(X[40:], n=5).shape
    (5,)
    """

    _parameter_constraints: dict = {
        "kernel": [StrOptions(ALL_KERNELS)],
        "n_columns": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self, *, kernel: KernelName = "gradients", n_columns: int | None = 512
    ):
        self.kernel = kernel
        self.n_columns = n_columns

    def recipe(self) -> Recipe:
        """Largest cluster maximum distance, from the labelled rows on."""
        sampler = LCMDSampler()
        return Recipe(
            kernel=self.kernel, sampler=sampler, mode="TP", n_columns=self.n_columns
        )
