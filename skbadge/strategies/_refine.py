"""REFINE: many strategies narrow the pool down, and herding selects from the rest."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from numbers import Integral, Real
from operator import or_

import numpy as np
from sklearn.base import clone

from skbadge._compat import Interval
from skbadge.outputs import Needs
from skbadge.strategies._base import Strategy
from skbadge.strategies._composite import CompositeStrategy, with_parts
from skbadge.strategies._registry import get_strategy
from skbadge.utils._row_errors import rows_among


class Refine(CompositeStrategy):
    """REFINE: what many strategies find in random parts of the pool, then herding.

    No strategy is best for all models and budgets. Huseljic et al. [1]_ have several of
    them narrow the pool down together, in rounds: each selects a batch from each of its
    random subsets of the rows that are left, and the union of all batches is what is
    left for the next round. From the rows left at the end, a last strategy selects the
    batch. Its result is near that of the best of them, without knowing which that is.

    Parameters
    ----------
    strategies : sequence of str, Strategy or callable, default=("random", "margin", \
            "badge", "typiclust", "max_herding")
        Those that narrow the pool down, at least one. The authors have "drop_query" as
        well, for models with a last linear layer.

    last : str, Strategy or callable, default="uncertainty_herding"
        Selects the batch from what is left.

    n_rounds : int, default=5
        How often the pool is narrowed down, at least 1.

    n_subsets : int, default=100
        Random subsets in each round, at least 1, dealt out to the strategies in turn.

    subset_size : int, default=5000
        Rows of a subset at most, at least 1, unless more are asked for.

    subset_share : float, default=0.4
        Rows of a subset at most as a share of the rows that are left, above 0.

    n_candidates : int, default=10_000
        Rows left at the end at most, of which a uniform sample is taken otherwise;
        at least 1, unless more are asked for.

    Notes
    -----
    The model is read once. Selecting takes ``n_rounds * n_subsets`` selections from
    ``subset_size`` rows at most, whatever the size of the pool: some hundred times
    the time of one selection by a single strategy from so many rows.

    The authors take subsets of 5,000 rows in the first round and of
    ``max(n, 0.4 * n_left)`` in the next. Here both limits hold in all rounds, so that
    subsets differ in small pools as well.

    With strategies that need no model, and such a ``last`` one, it can be the start
    before the first label: ``Refine(["random", "typiclust"], last="max_herding")``.

    Rows of the pool that may not be selected have no part in it. Each subset is a pool
    of its own for the strategies: sums over the pool run over the subset.

    References
    ----------
    .. [1] D. Huseljic, M. Herde, L. Rauch, P. Hahn, B. Sick. "Cleaning the pool:
       progressive filtering of unlabeled pools in deep active learning". CVPR 2026,
       arXiv:2511.22344.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.strategies import Refine
    >>> X, y = load_iris(return_X_y=True)
    >>> strategy = Refine(["random", "margin", "max_herding"], n_subsets=10)
    >>> querier = BadgeQuerier(LogisticRegression(), strategy=strategy, random_state=0)
    >>> querier.fit(X[::10], y[::10]).query(X[1::2], n=5).shape
    (5,)
    """

    parts = ("strategies", "last")
    _parameter_constraints: dict = {
        "strategies": [list, tuple],
        "last": [str, Strategy, callable],
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
        "n_subsets": [Interval(Integral, 1, None, closed="left")],
        "subset_size": [Interval(Integral, 1, None, closed="left")],
        "subset_share": [Interval(Real, 0, 1, closed="right")],
        "n_candidates": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        strategies: Sequence[str | Strategy | Callable] = (
            "random",
            "margin",
            "badge",
            "typiclust",
            "max_herding",
        ),
        *,
        last: str | Strategy | Callable = "uncertainty_herding",
        n_rounds: int = 5,
        n_subsets: int = 100,
        subset_size: int = 5000,
        subset_share: float = 0.4,
        n_candidates: int = 10_000,
    ):
        self.strategies = strategies
        self.last = last
        self.n_rounds = n_rounds
        self.n_subsets = n_subsets
        self.subset_size = subset_size
        self.subset_share = subset_share
        self.n_candidates = n_candidates

    @property
    def needs(self) -> Needs:
        """What all of the strategies need."""
        strategies = [*self._make_strategies(), get_strategy(self.last)]
        return reduce(or_, (each.all_needs for each in strategies))

    def _validate_params(self):
        """Also refuse an empty list of strategies."""
        super()._validate_params()
        if not len(self.strategies):
            raise ValueError("`strategies` must hold at least one strategy. Got none.")

    def _make_strategies(self):
        return [get_strategy(each) for each in self.strategies]

    def _run(self, pool, n, labeled, feasible, rng):
        left = np.flatnonzero(feasible.open().mask)
        ask = _Asking(pool, n, labeled, feasible, rng)
        if n:
            for _ in range(self.n_rounds):
                left = self._narrowed(left, ask)
        selection = ask.selection(get_strategy(self.last), left)
        return with_parts(selection, ask.parts[:-1])

    def _narrowed(self, left, ask):
        """The union of what the strategies select from random subsets of these rows."""
        strategies = self._make_strategies()
        size = min(self.subset_size, int(np.ceil(self.subset_share * len(left))))
        batches = []
        for i in range(self.n_subsets):
            subset = ask.draw(left, size)
            batches.append(ask.selection(strategies[i % len(strategies)], subset).rows)
        union = np.unique(np.concatenate(batches))
        if len(union) <= self.n_candidates:
            return union
        return ask.draw(union, self.n_candidates)


class _Asking:
    """Asks strategies for ``n`` of some rows of a pool."""

    def __init__(self, pool, n, labeled, feasible, rng):
        self.pool = pool
        self.n = n
        self.labeled = labeled
        self.feasible = feasible
        self.rng = rng
        # What each strategy has selected so far.
        self.parts = []

    def draw(self, left, size):
        """So many of these rows or all, and among them ``n`` that may be selected."""
        return self.feasible.only(left).sample(size, self.n, self.rng)

    def selection(self, strategy, left):
        """What a strategy selects from these rows alone, in positions of the pool."""
        rows, feasible = self.feasible.only(left).restricted()
        with rows_among(rows):
            selection = clone(strategy).run(
                self.pool.take(rows),
                self.n,
                labeled=self.labeled,
                feasible=feasible,
                random_state=self.rng,
            )
        self.parts.append((str(strategy), replace(selection, embedding=None)))
        return replace(selection, rows=rows[selection.rows])
