"""Core-Set: farthest-first traversal, from the labelled rows on."""

from numbers import Integral

from skbadge._compat import Interval, StrOptions
from skbadge.samplers import KCenter
from skbadge.samplers._base import FIRST_CENTER, FirstCenter
from skbadge.strategies._embedding_strategy import EmbeddingStrategy, Recipe
from skbadge.strategies._kernels import KernelName
from skbadge.strategies._posterior_strategy import ALL_KERNELS


class CoreSet(EmbeddingStrategy):
    """Core-Set: rows that are farthest from all labelled rows.

    The greedy k-center algorithm of Sener and Savarese [1]_, by default on the current
    model's penultimate features. It starts from the labelled rows. It is about
    diversity only: the model's uncertainty plays no part. Holzmüller et al. [2]_ call
    it ``MaxDist-TP ll``. Their kernel "last_layer" gives the picks of "features", since
    a factor and a constant column do not change which row is farthest.

    Parameters
    ----------
    kernel : {"features", "cosine", "last_layer", "gradients", "linear", "nngp", \
            "ntk", "laplace"}, default="features"
        What to measure distances in, see `EmbeddingStrategy`. "cosine" are the features
        at length 1, which orders rows by their angles.

    first_center : {"max_norm", "uniform", "norm_weighted"}, default="max_norm"
        How the first row is picked where no row is labelled yet.

    n_columns : int or None, default=512
        For "gradients", the columns that they are sketched to while they are read; None
        for exact ones.

    References
    ----------
    .. [1] O. Sener, S. Savarese. "Active learning for convolutional neural networks: a
       core-set approach". ICLR 2018.
    .. [2] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.strategies import CoreSet
    >>> X, y = load_iris(return_X_y=True)
    >>> querier = BadgeQuerier(LogisticRegression(), strategy=CoreSet(), random_state=0)
    >>> querier.fit(X[::10], y[::10]).query(X[1::10], n=3).shape
    (3,)
    """

    _parameter_constraints: dict = {
        "kernel": [StrOptions({"cosine"} | ALL_KERNELS)],
        **FIRST_CENTER,
        "n_columns": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        *,
        kernel: KernelName = "features",
        first_center: FirstCenter = "max_norm",
        n_columns: int | None = 512,
    ):
        self.kernel = kernel
        self.first_center = first_center
        self.n_columns = n_columns

    def recipe(self) -> Recipe:
        """Farthest-first traversal."""
        sampler = KCenter(first_center=self.first_center)
        return Recipe(
            kernel=self.kernel, sampler=sampler, mode="TP", n_columns=self.n_columns
        )
