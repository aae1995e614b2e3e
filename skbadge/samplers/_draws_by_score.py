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

# Shares of the weight of all rows below which a rest is rounding.
ROUNDING = 1e-13


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
    log_total, sketches = pool.reduce(part, _both)
    is_uniform = np.zeros(n, dtype=int)
    is_uniform[uniform_turns(n, share, rng)] = 1
    picks = _in_turns([sketch.rows.tolist() for sketch in sketches], is_uniform)
    known = {
        row: score
        for sketch in sketches
        for row, score in zip(sketch.rows.tolist(), sketch.values, strict=True)
    }
    numbers = np.array(picks, dtype=np.int64)
    scores = np.array([known[row] for row in picks])
    logs = order.log_weights(scores, numbers)
    n_left = inner.n_left - np.arange(n)
    probabilities = None
    # Infinite weights have no shares.
    if log_total < np.inf:
        by_weight = _conditional(logs, log_total, n_left)
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
    """The sum of the weights of a chunk's open rows, and its first rows by orders."""

    orders: Any = ()

    def __call__(self, chunk, first):
        scores, start, opened, _ = self.opened(chunk, first)
        logs = self.order.log_weights(scores, start + opened)
        log_total = logsumexp(logs) if len(logs) else -np.inf
        return log_total, [
            order.sketch(self.size, scores, start, opened) for order in self.orders
        ]


def _both(first, second):
    log_total = np.logaddexp(first[0], second[0])
    return log_total, list(map(merged, first[1], second[1]))


def _in_turns(orders, chosen):
    """At each turn the first row that is left of the order chosen for it."""
    picks, at = {}, [0] * len(orders)
    for which in chosen:
        order = orders[which]
        while order[at[which]] in picks:
            at[which] += 1
        picks[order[at[which]]] = None
    return list(picks)


def _conditional(logs, log_total, n_left):
    """Probability of each draw by weight, given those before it.

    Rows of weight 0 are drawn when there are no others, uniformly.
    """
    if np.isneginf(log_total):
        return 1 / n_left
    weights = np.exp(logs - log_total)
    rest = 1 - weights.sum()
    rest = rest if rest > ROUNDING and n_left[-1] > 1 else 0.0
    # The weight of the rows left, this one and later picks among them.
    left = rest + np.cumsum(weights[::-1])[::-1]
    return np.where(left > 0, weights / np.where(left > 0, left, 1.0), 1 / n_left)
