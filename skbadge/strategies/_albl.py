"""ALBL: active learning by learning which strategy to follow."""

from collections.abc import Callable, Sequence
from itertools import compress
from numbers import Real
from typing import Literal

import numpy as np
from sklearn.base import clone

from skbadge._compat import Interval, StrOptions
from skbadge.outputs import Needs
from skbadge.samplers import Selection
from skbadge.strategies._base import Strategy
from skbadge.strategies._composite import CompositeStrategy, with_parts
from skbadge.strategies._exp4p import (
    exp4p_exponents,
    expert_probabilities,
    importance_weighted_accuracy,
)
from skbadge.strategies._registry import get_strategy
from skbadge.strategies._uniform import Random


class ALBL(CompositeStrategy):
    r"""ALBL: a bandit that learns which of several strategies to follow.

    Active learning by learning, Hsu and Lin [1]_: strategies are the experts of the
    bandit EXP4.P, and the reward is the importance-weighted accuracy of the model on
    the rows drawn so far, an unbiased estimate of its accuracy on the pool.

    The bandit learns in `select`: once the rows of the last selection have their
    labels, their reward is what the model that was trained on them gets right. Rows
    that were selected but never labelled are forgotten. Rows are known again by their
    contents, as their positions change when a pool shrinks.

    Parameters
    ----------
    experts : sequence, default=("least_confidence", "core_set")
        At least two names, strategies or callables. The default is the BADGE paper's
        [2]_.

    mode : {"exp4p", "badge_repo"}, default="exp4p"
        "exp4p" draws each row of a selection from the mixture of the experts' advice,
        weighs it by one over its probability, and rewards all experts that had wanted
        it. For all weights to be finite a uniform expert is added, unless "random" is
        among the experts; what it draws from the rows labelled before teaches the
        bandit and costs no label. "badge_repo" is the simplification in the code of
        the BADGE paper: one expert selects all rows, and only its own weight is
        updated, by a factor that is never below 1.

    horizon : int or None, default=None
        Number of draws that the bandit is tuned for. None takes those so far, which
        keeps the reward an unbiased estimate of the accuracy at all times.

    delta : float, default=0.1
        Probability with which the bandit's regret bound may fail.

    p_min : float or None, default=None
        Least probability of following an expert, at most one over their number. None
        stands for ``sqrt(log(m) / (m * horizon))`` if there is a horizon, and for
        ``1 / (10 * m)`` otherwise and in mode "badge_repo", with ``m`` experts.

    Attributes
    ----------
    log_weights_ : ndarray of shape (n_experts,)
        Logarithms of the experts' weights, once rows were selected.

    probabilities_ : ndarray of shape (n_experts,)
        Probability of following each expert in the last selection.

    expert_names_ : list of str
        The experts, in this order.

    experts_ : list of Strategy
        The experts themselves, with what they have learned.

    rewards_ : list of float
        The reward of each selection whose labels came.

    Notes
    -----
    The paper draws one row at a time and retrains after each. Here the rows of one
    selection are drawn one after another from the experts' rankings, and the bandit is
    updated once, with the averages over the draws. The bandit's arms are the experts;
    with rows as its arms, the confidence term of a uniform expert would outweigh all.

    References
    ----------
    .. [1] W.-N. Hsu, H.-T. Lin. "Active learning by learning". AAAI 2015.
    .. [2] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.strategies import ALBL
    >>> X, y = load_iris(return_X_y=True)
    >>> querier = BadgeQuerier(
    ...     LogisticRegression(),
    ...     strategy=ALBL(experts=["margin", "core_set"]),
    ...     random_state=0,
    ... )
    >>> querier.fit(X[::10], y[::10]).query(X[1::10], n=3).shape
    (3,)
    """

    parts = ("experts",)
    learns = True
    _parameter_constraints: dict = {
        "experts": [list, tuple],
        "mode": [StrOptions({"exp4p", "badge_repo"})],
        "horizon": [Interval(Real, 1, None, closed="left"), None],
        "delta": [Interval(Real, 0, 1, closed="neither")],
        "p_min": [Interval(Real, 0, 1, closed="neither"), None],
    }

    def __init__(
        self,
        experts: Sequence[str | Strategy | Callable] = ("least_confidence", "core_set"),
        *,
        mode: Literal["exp4p", "badge_repo"] = "exp4p",
        horizon: float | None = None,
        delta: float = 0.1,
        p_min: float | None = None,
    ):
        self.experts = experts
        self.mode = mode
        self.horizon = horizon
        self.delta = delta
        self.p_min = p_min

    @property
    def needs(self) -> Needs:
        """What the experts need, and the labelled rows with their identities."""
        needs = Needs(proba=True, labeled=True, ids=True)
        for expert in self._make_experts():
            needs |= expert.all_needs
        return needs

    @property
    def reads_population(self) -> bool:
        """Whether an expert does."""
        return any(expert.reads_population for expert in self._make_experts())

    def _validate_params(self):
        """Also refuse fewer than two experts, and a `p_min` that is too great."""
        super()._validate_params()
        if len(self.experts) < 2:
            raise ValueError(f"`experts` must be at least two. Got {self.experts}.")
        n_experts = len(self._make_experts())
        if self.p_min is not None and self.p_min > 1 / n_experts:
            raise ValueError(
                f"`p_min` must be at most 1 / {n_experts}, one over the number of "
                f"experts. Got {self.p_min} instead."
            )

    def _make_experts(self):
        experts = [get_strategy(expert) for expert in self.experts]
        has_uniform = any(isinstance(expert, Random) for expert in experts)
        if self.mode == "exp4p" and not has_uniform:
            experts.append(Random())
        return experts

    def _floor(self, n_experts):
        if self.p_min is not None:
            return self.p_min
        if self.horizon is None or self.mode == "badge_repo":
            return 1 / (10 * n_experts)
        return min(
            np.sqrt(np.log(n_experts) / (n_experts * self.horizon)), 1 / n_experts
        )

    def _run(self, pool, n, labeled, feasible, rng):
        if not hasattr(self, "log_weights_"):
            # They are kept: some learn from one selection to the next.
            self.experts_ = experts = [clone(each) for each in self._make_experts()]
            self.log_weights_ = np.zeros(len(experts))
            self.expert_names_ = [str(expert) for expert in experts]
            self.rewards_ = []
            self._drawn = {"ids": [], "weights": []}
            self._pending = None
        experts = self.experts_
        self._learn(labeled, np.count_nonzero(feasible.open().mask))
        p_min = self._floor(len(experts))
        self.probabilities_ = expert_probabilities(self.log_weights_, p_min)
        if n == 0:
            return Selection(np.empty(0, dtype=np.int64), np.empty(0))
        if self.mode == "badge_repo":
            return self._follow_one(experts, pool, n, labeled, feasible, rng)
        return self._follow_mixture(experts, pool, n, labeled, feasible, rng)

    def _follow_one(self, experts, pool, n, labeled, feasible, rng):
        """Let one expert select all rows."""
        chosen = int(rng.choice(len(experts), p=self.probabilities_))
        selection = experts[chosen].run(
            pool, n, labeled=labeled, feasible=feasible, random_state=rng
        )
        probability = self.probabilities_[chosen]
        if pool.identify is not None:
            self._pending = {
                "ids": pool.identify(selection.rows),
                "weights": [1 / probability] * n,
                "expert": chosen,
                "probability": probability,
            }
        return selection

    def _follow_mixture(self, experts, pool, n, labeled, feasible, rng):
        """Draw rows one by one from the mixture of what the experts want next."""
        uniform = next(i for i, e in enumerate(experts) if isinstance(e, Random))
        wanted = {
            index: expert.run(
                pool, n, labeled=labeled, feasible=feasible, random_state=rng
            )
            for index, expert in enumerate(experts)
            if index != uniform
        }
        rankings = {index: selection.rows for index, selection in wanted.items()}
        # Behind the pool stand the rows drawn from it before: the pool they all came
        # from is what the accuracy is estimated for.
        earlier = sorted(set(self._drawn["ids"]))
        draw = _MixtureDraw(
            self.probabilities_, rankings, uniform, feasible, len(earlier)
        )
        items, weights, ratios = [], [], []
        rows, values = [], []
        while len(rows) < n:
            item, probability, advice = draw.next(rng)
            items.append(item)
            weights.append(1 / probability)
            ratios.append(advice / probability)
            if item < len(pool) and item not in draw.taken:
                draw.take(item)
                rows.append(item)
                values.append(probability)
        if pool.identify is not None:
            in_pool = np.array(items) < len(pool)
            named = iter(pool.identify(np.array(items)[in_pool]))
            self._pending = {
                "ids": [
                    next(named) if inside else earlier[item - len(pool)]
                    for item, inside in zip(items, in_pool, strict=True)
                ],
                "weights": weights,
                "ratios": np.array(ratios),
                "probabilities": self.probabilities_,
            }
        selection = Selection(np.array(rows, np.int64), np.array(values), "probability")
        said = [(self.expert_names_[index], part) for index, part in wanted.items()]
        return with_parts(selection, said)

    def _learn(self, labeled, n_open):
        """Reward the last selection, if its labels have come.

        ``n_open`` rows may be drawn now.
        """
        pending, self._pending = self._pending, None
        known = _correctness(labeled)
        if pending is None or known is None:
            return
        arrived = np.array([identity in known for identity in pending["ids"]])
        if not arrived.any():
            return
        for name in ("ids", "weights"):
            self._drawn[name] += compress(pending[name], arrived)
        if self.mode == "badge_repo":
            self._reward_one(pending, known)
        else:
            self._reward_all(pending, arrived, known, n_open)

    def _reward_all(self, pending, arrived, known, n_open):
        drawn = self._drawn
        horizon = self.horizon or len(drawn["ids"])
        is_correct = [known.get(identity, False) for identity in drawn["ids"]]
        n_items = n_open + len(set(drawn["ids"]))
        reward = importance_weighted_accuracy(
            drawn["weights"], is_correct, n_items, horizon
        )
        self.rewards_.append(reward)
        self.log_weights_ = self.log_weights_ + exp4p_exponents(
            reward,
            pending["ratios"][arrived],
            pending["probabilities"],
            p_min=self._floor(len(self.log_weights_)),
            delta=self.delta,
            horizon=horizon,
        )

    def _reward_one(self, pending, known):
        weights = dict(zip(self._drawn["ids"], self._drawn["weights"], strict=True))
        reward = np.mean(
            [weights.get(key, 1.0) * right for key, right in known.items()]
        )
        self.rewards_.append(float(reward))
        n_experts = len(self.log_weights_)
        confidence = np.sqrt(np.log(n_experts / self.delta) / n_experts)
        bonus = confidence / pending["probability"]
        self.log_weights_ = self.log_weights_.copy()
        self.log_weights_[pending["expert"]] += (
            self._floor(n_experts) / 2 * (reward + bonus)
        )


def _correctness(labeled):
    """Whether the model is right about each labelled row, by identity."""
    if labeled is None or labeled.ids is None or labeled.codes is None:
        return None
    predicted = labeled.outputs.proba.argmax(axis=1)
    return dict(zip(labeled.ids, (predicted == labeled.codes).tolist(), strict=True))


class _MixtureDraw:
    """Draws from the mixture of point masses, one an expert, and a uniform expert.

    The point mass of an expert is the first row of its ranking that may still be
    picked. The uniform expert draws among the rows that may, those taken, and as many
    earlier rows as there are, which are numbered after the pool.
    """

    def __init__(self, probabilities, rankings, uniform, feasible, n_earlier):
        self.probabilities = probabilities
        self.rankings = rankings
        self.uniform = uniform
        self.taken = set()
        self._open = feasible.open()
        self._earlier = feasible.n_rows + np.arange(n_earlier)
        self._positions = dict.fromkeys(rankings, 0)
        self._has_groups = feasible.groups is not None
        self._list_items()

    def _list_items(self):
        drawable = self._open.mask.copy()
        drawable[sorted(self.taken)] = True
        self._items = np.concatenate([np.flatnonzero(drawable), self._earlier])

    def take(self, row):
        """Pick a row."""
        self.taken.add(row)
        self._open.close(row)
        if self._has_groups:
            self._list_items()

    def _favourite(self, expert):
        ranking = self.rankings[expert]
        while not self._open.mask[ranking[self._positions[expert]]]:
            self._positions[expert] += 1
        return int(ranking[self._positions[expert]])

    def next(self, rng):
        """Draw an item; return it, its probability, and the one each expert gave it."""
        favourites = {expert: self._favourite(expert) for expert in self.rankings}
        floor = self.probabilities[self.uniform] / len(self._items)
        mass = dict.fromkeys(favourites.values(), floor)
        for expert, item in favourites.items():
            mass[item] += self.probabilities[expert]
        chosen = int(rng.choice(len(self.probabilities), p=self.probabilities))
        uniform_item = int(self._items[rng.randint(len(self._items))])
        item = favourites.get(chosen, uniform_item)
        advice = np.full(len(self.probabilities), 1 / len(self._items))
        for expert, favourite in favourites.items():
            advice[expert] = favourite == item
        return item, mass.get(item, floor), advice
