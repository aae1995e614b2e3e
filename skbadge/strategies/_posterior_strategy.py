"""What the strategies on a posterior given the labelled rows share."""

from abc import abstractmethod
from numbers import Integral, Real
from typing import Literal

from skbadge._compat import Interval, StrOptions
from skbadge.embeddings import Posterior, Scale
from skbadge.samplers import Sampler
from skbadge.strategies._embedding_strategy import EmbeddingStrategy, Recipe
from skbadge.strategies._kernels import KernelName

MODEL_KERNELS = {"features", "gradients", "last_layer", "linear"}
ALL_KERNELS = MODEL_KERNELS | {"nngp", "ntk", "laplace"}


class PosteriorStrategy(EmbeddingStrategy):
    """A strategy on the posterior of a Gaussian process given the labelled rows.

    A subclass implements `make_sampler`, and may have more parameters than these. The
    transformations are ``train`` of Holzmüller et al.: rows are scaled so that the
    labelled ones have a mean squared norm of 1, and conditioned on these, in float64.
    """

    mode: Literal["P", "TP"] = "P"
    _parameter_constraints: dict = {
        "sigma": [Interval(Real, 0, None, closed="neither")],
        "kernel": [StrOptions(ALL_KERNELS)],
        "n_columns": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        *,
        sigma: float = 1e-3,
        kernel: KernelName = "last_layer",
        n_columns: int | None = 512,
    ):
        self.sigma = sigma
        self.kernel = kernel
        self.n_columns = n_columns

    @abstractmethod
    def make_sampler(self) -> Sampler:
        """The sampler that picks by what the posterior leaves."""

    def recipe(self) -> Recipe:
        """What the strategy is made of."""
        transforms = (Scale(), Posterior(self.sigma))
        return Recipe(
            kernel=self.kernel,
            sampler=self.make_sampler(),
            transforms=transforms,
            mode=self.mode,
            n_columns=self.n_columns,
        )
