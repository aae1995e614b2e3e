"""Rows drawn by noisy scores, a share of them uniformly, with their probabilities."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp

from skbadge.samplers._known_draws import check_no_quota, mixed, uniform_turns
from skbadge.samplers._picks_by_score import Scored, numbered, of_weight_zero
from skbadge.samplers._row_sketch import merged, new_seed
from skbadge.samplers._score_noise import NoisyOrder
from skbadge.samplers._selection import Selection
from skbadge.samplers._taken import Taken


def draws_by_score(pool, score, n, feasible, order, share, rng):
    """Rows in a noisy order of their scores, a share of them in a uniform one.

    Parameters
    ----------
    pool, score, n, feasible
        As for `picks_by_score`. There must be no groups.

    order : NoisyOrder
        "power" or "softmax", whose weights are those of single rows.

    share : float
        Of the draws that are uniform.

    rng : RandomState
        Source of randomness.

    Returns
    -------
    selection : Selection
        With probabilities.

    Notes
    -----
    One pass over the pool. What is left of an order of draws, when rows are taken out
    for reasons that do not depend on it, is an order of draws from the others. So the
    next row is the first one left of one order or the other.
    """
    check_no_quota(share, feasible)
    if n == 0:
        return Selection(np.empty(0, dtype=np.int64), np.empty(0))
    rows, inner = numbered(feasible)
    orders = [order]
    if share:
        orders.append(_Uniform("softmax", 1.0, 0.0, order.ties, new_seed(rng)))
    part = _Weighed(score, n, order, rows, Taken(inner), orders=orders)
    log_others, sketches = pool.reduce(part, _Both(order))
    is_uniform = np.zeros(n, dtype=int)
    is_uniform[uniform_turns(n, share, rng)] = 1
    picks = _in_turns([sketch.rows.tolist() for sketch in sketches], is_uniform)
    numbers, (kept, values) = np.array(picks, dtype=np.int64), _kept(sketches)
    scores = values[np.searchsorted(kept, numbers)]
    logs = order.log_weights(scores, numbers)
    n_left = inner.n_left - np.arange(n)
    log_others = np.logaddexp(log_others, _log_rest(order, kept, values, numbers))
    probabilities = None
    # Infinite weights have no shares.
    if max(log_others, logs.max()) < np.inf:
        by_weight = _conditional(logs, log_others, n_left)
        probabilities = mixed(by_weight, n_left, share)
    return Selection(
        numbers if rows is None else rows[numbers],
        scores,
        fallbacks=() if share else of_weight_zero(-logs),
        probabilities=probabilities,
        uniform_share=share,
    )


class _Uniform(NoisyOrder):
    """A uniform order, whose sketches hold the scores."""

    def _logs(self, values, rows):
        return np.zeros(len(values))


@dataclass
class _Weighed(Scored):
    """A chunk's first rows by orders, and the logarithm of what all others weigh.

    Rows of little weight would be lost in the difference of two sums.
    """

    orders: Any = ()

    def __call__(self, chunk, first):
        scores, start, opened, _ = self.opened(chunk, first)
        sketches = [
            order.sketch(self.size, scores, start, opened) for order in self.orders
        ]
        kept, _ = _kept(sketches)
        return _log_rest(self.order, start + opened, scores, kept), sketches


@dataclass
class _Both:
    """The same of two chunks."""

    order: NoisyOrder

    def __call__(self, first, second):
        sketches = list(map(merged, first[1], second[1]))
        kept, _ = _kept(sketches)
        log_rest = _log_rest(self.order, *_kept(first[1] + second[1]), kept)
        return np.logaddexp(np.logaddexp(first[0], second[0]), log_rest), sketches


def _kept(sketches):
    """The rows of some sketches, ascending, and their scores."""
    rows = np.concatenate([sketch.rows for sketch in sketches])
    rows, at = np.unique(rows, return_index=True)
    return rows, np.concatenate([sketch.values for sketch in sketches])[at]


def _log_rest(order, rows, scores, without):
    """The logarithm of what rows weigh together, without some of them."""
    rest = ~np.isin(rows, without)
    if not rest.any():
        return -np.inf
    return logsumexp(order.log_weights(scores[rest], rows[rest]))


def _in_turns(orders, chosen):
    """At each turn the first row that is left of the order chosen for it."""
    picks, at = {}, [0] * len(orders)
    for which in chosen:
        order = orders[which]
        while order[at[which]] in picks:
            at[which] += 1
        picks[order[at[which]]] = None
    return list(picks)


def _conditional(logs, log_others, n_left):
    """Probability of each draw by weight, given those before it.

    ``log_others`` is of the weight of the rows that are not drawn. Rows of weight 0 are
    drawn when there are no others, uniformly.
    """
    # The weight of the rows left, this one and later ones among them.
    left = np.logaddexp.accumulate([log_others, *logs[::-1]])[:0:-1]
    has_weight = left > -np.inf
    shares = np.exp(logs - np.where(has_weight, left, 0.0))
    return np.where(has_weight, shares, 1 / n_left)
