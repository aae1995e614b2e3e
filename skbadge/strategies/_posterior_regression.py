"""Strategies on the posterior given the labelled rows: a Bayesian linear model."""

from numbers import Real

from skbadge._compat import Interval, StrOptions
from skbadge.embeddings import Posterior, Scale
from skbadge.samplers import Bait, KMeansPlusPlus, MaxDet, MaxDiag
from skbadge.strategies._kernel_strategy import KernelStrategy


class PosteriorStrategy(KernelStrategy):
    """A strategy on the posterior of a Gaussian process given the labelled rows.

    A subclass has the parameter ``sigma`` and implements `make_sampler`. Its
    transformations are ``train`` of Holzmüller et al.: rows are scaled so that the
    labelled ones have a mean squared norm of 1, and conditioned on these, in float64.
    """

    _parameter_constraints: dict = {
        **KernelStrategy._parameter_constraints,
        "sigma": [Interval(Real, 0, None, closed="neither")],
    }

    def make_transforms(self):
        """Scaling and conditioning by the labelled rows."""
        return [Scale(), Posterior(self.sigma)]


class BaldRegression(PosteriorStrategy):
    """Rows whose outputs are least certain given the labelled rows, each by itself.

    The posterior variance of a Bayesian linear model on the last layer's gradients: for
    a Gaussian likelihood, the order of BALD's mutual information [1]_. It is
    ``MaxDiag ll train`` of Holzmüller et al. [2]_, where it comes out worse than random
    rows: picks are alike. `BatchBaldRegression` takes them jointly.

    Parameters
    ----------
    sigma : float, default=1e-3
        Standard deviation of the noise, above 0, for scaled rows.

    kernel : {"grad", "ll", "linear", "nngp", "ntk", "laplace"}, default="ll"
        The base kernel, see `BMDAL`.

    sketch_size : int or None, default=512
        For "grad", the columns that gradients are sketched to while they are read; None
        for exact ones.

    References
    ----------
    .. [1] N. Houlsby, F. Huszár, Z. Ghahramani, M. Lengyel. "Bayesian active learning
       for classification and preference learning". arXiv:1112.5745, 2011.
    .. [2] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.
    """

    def __init__(self, *, sigma=1e-3, kernel="ll", sketch_size=512):
        self.sigma = sigma
        self.kernel = kernel
        self.sketch_size = sketch_size

    def make_sampler(self):
        """Greatest variances."""
        return MaxDiag()


class BatchBaldRegression(PosteriorStrategy):
    """Rows whose outputs are jointly least certain given the labelled rows.

    Each pick is the row of greatest variance given the labelled rows and the picks
    before it, which makes the determinant of the batch's covariance grow most: for a
    Gaussian likelihood, BatchBALD's mutual information [1]_. It is
    ``MaxDet-P ll train`` of Holzmüller et al. [2]_.

    Parameters
    ----------
    sigma : float, default=1e-3
        Standard deviation of the noise, above 0, for scaled rows; the same in
        conditioning and in the selection.

    kernel : {"grad", "ll", "linear", "nngp", "ntk", "laplace"}, default="ll"
        The base kernel, see `BMDAL`.

    sketch_size : int or None, default=512
        For "grad", the columns that gradients are sketched to while they are read; None
        for exact ones.

    References
    ----------
    .. [1] A. Kirsch, J. van Amersfoort, Y. Gal. "BatchBALD: efficient and diverse batch
       acquisition for deep Bayesian active learning". NeurIPS 2019.
    .. [2] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.
    """

    def __init__(self, *, sigma=1e-3, kernel="ll", sketch_size=512):
        self.sigma = sigma
        self.kernel = kernel
        self.sketch_size = sketch_size

    def make_sampler(self):
        """Greedy maximisation of the determinant."""
        return MaxDet(sigma=self.sigma)


class BaitRegression(PosteriorStrategy):
    """The batch that leaves the least posterior variance over the pool.

    BAIT [1]_ for a Gaussian likelihood, forward-backward: twice as many rows are added
    greedily as asked for, and half removed again. It is ``Bait-FB-P ll train`` of
    Holzmüller et al. [2]_.

    Parameters
    ----------
    sigma : float, default=1e-3
        Standard deviation of the noise, above 0, for scaled rows; the same in
        conditioning and in the selection.

    oversampling : float, default=2.0
        Rows added greedily, as a multiple of the rows asked for; 1 removes none
        (``Bait-F``).

    kernel : {"grad", "ll", "linear"}, default="ll"
        The base kernel, see `BMDAL`; kernels without columns will not do.

    sketch_size : int or None, default=512
        For "grad", the columns that gradients are sketched to while they are read; None
        for exact ones.

    Notes
    -----
    The variance that is brought down is that of the pool's rows. The benchmark counts
    the labelled rows as well, with variances of at most ``sigma**2``.

    References
    ----------
    .. [1] J. T. Ash, S. Goel, A. Krishnamurthy, S. Kakade. "Gone fishing: neural
       active learning with Fisher embeddings". NeurIPS 2021.
    .. [2] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.
    """

    _parameter_constraints: dict = {
        **PosteriorStrategy._parameter_constraints,
        "kernel": [StrOptions({"grad", "ll", "linear"})],
        "oversampling": [Interval(Real, 1, None, closed="left")],
    }

    def __init__(self, *, sigma=1e-3, oversampling=2.0, kernel="ll", sketch_size=512):
        self.sigma = sigma
        self.oversampling = oversampling
        self.kernel = kernel
        self.sketch_size = sketch_size

    def make_sampler(self):
        """Forward-backward search."""
        return Bait(sigma=self.sigma, oversampling=self.oversampling)


class BadgeRegression(PosteriorStrategy):
    """k-means++ seeding on what the labelled rows leave uncertain.

    BADGE itself does not apply to regression: the loss has no gradient at the model's
    own prediction. `Holzmüller et al.` [1]_ take the posterior given the labelled rows
    in its place: rows are long where they are uncertain, as BADGE's gradients are. It
    is ``KMeansPP-P ll train``, what their literature table calls BADGE [2]_.

    Parameters
    ----------
    sigma : float, default=1e-3
        Standard deviation of the noise, above 0, for scaled rows.

    first_center : {"uniform", "max_norm", "norm_weighted"}, default="uniform"
        How the first row is picked; uniform in the benchmark.

    kernel : {"grad", "ll", "linear", "nngp", "ntk", "laplace"}, default="ll"
        The base kernel, see `BMDAL`.

    sketch_size : int or None, default=512
        For "grad", the columns that gradients are sketched to while they are read; None
        for exact ones.

    References
    ----------
    .. [1] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.
    .. [2] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020.
    """

    _parameter_constraints: dict = {
        **PosteriorStrategy._parameter_constraints,
        "first_center": [StrOptions({"max_norm", "uniform", "norm_weighted"})],
    }

    def __init__(
        self, *, sigma=1e-3, first_center="uniform", kernel="ll", sketch_size=512
    ):
        self.sigma = sigma
        self.first_center = first_center
        self.kernel = kernel
        self.sketch_size = sketch_size

    def make_sampler(self):
        """k-means++ seeding."""
        return KMeansPlusPlus(first_center=self.first_center)
