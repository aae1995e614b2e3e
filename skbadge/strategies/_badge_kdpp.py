"""k-DPP sampling on gradient embeddings."""

from typing import Literal

from skbadge.samplers import KDPP
from skbadge.strategies._embedding_strategy import EmbeddingStrategy, Recipe


class BadgeKDPP(EmbeddingStrategy):
    """A k-DPP on gradient embeddings, the baseline that BADGE approximates.

    Batches are drawn with probability proportional to the determinant of their
    gradients' inner products (Ash et al. [1]_, section 3 and Figure 2). BADGE itself
    replaces this by k-means++ seeding, which selects batches of the same quality in a
    fraction of the time.

    A k-DPP draws no more rows at a time than the rank of the embedding. That is at most
    ``(n_classes - 1) * (n_features + include_bias)``, and less where the model is
    certain. If more are asked for, the rest is drawn uniformly, with a `QueryWarning`.

    Parameters
    ----------
    include_bias : bool, default=False
        Take the gradient with respect to the last layer's bias as well. The paper's
        code does not.

    method : {"exact", "mcmc"}, default="exact"
        Draw from the k-DPP itself, or run a Markov chain, see `skbadge.samplers.KDPP`.

    n_columns : int or None, default=None
        Columns to project the embedding to first, an approximation that spares the
        ``O((n_classes * n_features)**3)`` of "exact".

    proposal : {"heat_bath", "uniform"}, default="heat_bath"
        What a step of the chain does.

    steps : int, "auto" or "badge", default="auto"
        Length of the chain. The paper's code runs ``method="mcmc"`` with
        ``proposal="uniform"``, ``steps="badge"`` and ``init="random"``.

    init : {"greedy", "random"}, default="greedy"
        Where the chain starts.

    References
    ----------
    .. [1] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.strategies import BadgeKDPP
    >>> X, y = load_iris(return_X_y=True)
    >>> querier = BadgeQuerier(
    ...     LogisticRegression(), strategy=BadgeKDPP(include_bias=True), random_state=0
    ... )
    >>> querier.fit(X[::10], y[::10]).query(X[1::10], n=3).shape
    (3,)
    """

    _parameter_constraints: dict = {
        "include_bias": ["boolean"],
        **KDPP._parameter_constraints,
    }

    def __init__(
        self,
        *,
        include_bias: bool = False,
        method: Literal["exact", "mcmc"] = "exact",
        n_columns: int | None = None,
        steps: int | Literal["auto", "badge"] = "auto",
        proposal: Literal["heat_bath", "uniform"] = "heat_bath",
        init: Literal["greedy", "random"] = "greedy",
    ):
        self.include_bias = include_bias
        self.method = method
        self.n_columns = n_columns
        self.steps = steps
        self.proposal = proposal
        self.init = init

    def recipe(self) -> Recipe:
        """A k-DPP on gradient embeddings."""
        sampler = KDPP(
            self.method,
            n_columns=self.n_columns,
            steps=self.steps,
            proposal=self.proposal,
            init=self.init,
        )
        kernel = "badge_bias" if self.include_bias else "badge"
        return Recipe(kernel=kernel, sampler=sampler)
