"""What scores by posterior samples share."""

from numbers import Integral

from skbadge._compat import Interval
from skbadge.outputs import Needs
from skbadge.samplers._score_noise import NoiseKind
from skbadge.strategies._score_strategy import ScoreStrategy


class PosteriorScore(ScoreStrategy):
    """A score that reads class probabilities by samples of the model's posterior.

    Parameters
    ----------
    n_posterior : int, default=20
        Samples to ask for, at least 2.

    noise, beta, distinct, uniform_share
        As for `ScoreStrategy`.
    """

    _parameter_constraints: dict = {
        **ScoreStrategy._parameter_constraints,
        "n_posterior": [Interval(Integral, 2, None, closed="left")],
    }

    def __init__(
        self,
        n_posterior: int = 20,
        *,
        noise: NoiseKind | None = None,
        beta: float = 1.0,
        distinct: bool = True,
        uniform_share: float = 0.0,
    ):
        super().__init__(
            noise=noise, beta=beta, distinct=distinct, uniform_share=uniform_share
        )
        self.n_posterior = n_posterior

    @property
    def needs(self) -> Needs:
        """Posterior samples."""
        return Needs(n_posterior=self.n_posterior)
