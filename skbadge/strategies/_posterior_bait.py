"""BAIT for a Gaussian likelihood: the batch that leaves the least variance."""

from dataclasses import replace
from numbers import Real

from skbadge._compat import Interval, StrOptions
from skbadge.outputs import Needs
from skbadge.samplers import Bait
from skbadge.strategies._kernels import KernelName
from skbadge.strategies._posterior_strategy import MODEL_KERNELS, PosteriorStrategy


class PosteriorBait(PosteriorStrategy):
    """The batch that leaves the least posterior variance over all rows.

    BAIT [1]_ for a Gaussian likelihood, forward-backward: twice as many rows are added
    greedily as asked for, and half are removed again. It is what "bait" means for a
    regressor: ``Bait-FB-P ll train`` of Holzmüller et al. [2]_.

    Parameters
    ----------
    sigma : float, default=1e-3
        Standard deviation of the noise, above 0, for scaled rows; the same in
        conditioning and in the selection.

    oversampling : float, default=2.0
        Rows added greedily, as a multiple of the rows asked for; 1 removes none
        (``Bait-F``).

    count_labeled : bool, default=True
        Whether the variance that is brought down is summed over the labelled rows as
        well as the pool, as in the benchmark.

    kernel : {"last_layer", "features", "gradients", "linear"}, default="last_layer"
        The base kernel, see `EmbeddingStrategy`. It needs one with columns.

    n_columns : int or None, default=512
        For "gradients", the columns that they are sketched to while they are read; None
        for exact ones.

    References
    ----------
    .. [1] J. T. Ash, S. Goel, A. Krishnamurthy, S. Kakade. "Gone fishing: neural
       active learning with Fisher embeddings". NeurIPS 2021.
    .. [2] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.strategies import PosteriorBait
    >>> X, y = load_diabetes(return_X_y=True)
    >>> querier = BadgeQuerier(
    ...     Ridge(), strategy=PosteriorBait(sigma=0.1), random_state=0
    ... )
    >>> querier.fit(X[:20], y[:20]).query(X[20:], n=3).shape
    (3,)
    """

    # The labelled rows are part of the objective; nothing is conditioned on them again.
    mode = "TP"
    _parameter_constraints: dict = {
        **PosteriorStrategy._parameter_constraints,
        "kernel": [StrOptions(MODEL_KERNELS)],
        "oversampling": [Interval(Real, 1, None, closed="left")],
        "count_labeled": ["boolean"],
    }

    def __init__(
        self,
        *,
        sigma: float = 1e-3,
        oversampling: float = 2.0,
        count_labeled: bool = True,
        kernel: KernelName = "last_layer",
        n_columns: int | None = 512,
    ):
        super().__init__(sigma=sigma, kernel=kernel, n_columns=n_columns)
        self.oversampling = oversampling
        self.count_labeled = count_labeled

    @property
    def needs(self) -> Needs:
        """Dense rows: it needs products of all columns."""
        return replace(super().needs, sparse=False)

    def make_sampler(self) -> Bait:
        """Forward-backward search."""
        return Bait(
            sigma=self.sigma,
            oversampling=self.oversampling,
            conditioned=True,
            count_labeled=self.count_labeled,
        )
