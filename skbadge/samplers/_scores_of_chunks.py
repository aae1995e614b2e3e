"""Rows picked by scores that are found chunk by chunk, in one pass."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skbadge.samplers._base import fill_uniformly
from skbadge.samplers._feasible import Feasible
from skbadge.samplers._row_sketch import Drawn, Greatest, merged, new_seed
from skbadge.samplers._selection import Selection
from skbadge.samplers._taken import Taken
from skbadge.utils._ties import Ties


def top_of_chunks(
    pool: Any,
    score: Callable[[Any], NDArray[np.float64]],
    n: int,
    feasible: Feasible,
    rng: RandomState,
) -> Selection:
    """The rows of greatest score, best first.

    Picks are those that `skbadge.utils._ranking.top_rows` makes of the scores of all
    rows, given the same ``rng``: scores that agree in 12 digits tie, and come in random
    order.

    Parameters
    ----------
    pool : object
        Has a method `reduce` as embeddings have it. Its chunks have a length.

    score : callable
        Takes a chunk and returns a float64 score for each row. Picklable.

    n : int
        Number of rows to pick, no more than ``feasible.n_left``.

    feasible : Feasible
        The rows that may be picked.

    rng : RandomState
        Source of randomness.

    Returns
    -------
    selection : Selection
        The rows and their scores.
    """
    rows, inner = _numbered(feasible)
    order = Greatest(Ties(rng))
    sketch = _sketch_of(pool, score, n, order, rows, Taken(inner))
    return _known_as(rows, Selection(sketch.rows, sketch.values))


def draw_of_chunks(
    pool: Any,
    log_weight: Callable[[Any], NDArray[np.float64]],
    n: int,
    feasible: Feasible,
    rng: RandomState,
) -> Selection:
    r"""Rows drawn one after another without replacement, by weight.

    With scores :math:`s \ge 0`, the logarithms :math:`\beta \ln s` and :math:`\beta s`
    give the laws :math:`s^\beta` and :math:`e^{\beta s}` of stochastic acquisition.
    They are never exponentiated.

    Parameters
    ----------
    pool : object
        As for `top_of_chunks`.

    log_weight : callable
        Takes a chunk and returns the logarithm of the weight of each row, float64;
        ``-inf`` for weight 0. Picklable.

    n, feasible, rng
        As for `top_of_chunks`.

    Returns
    -------
    selection : Selection
        The rows and the logarithms of their weights. If fewer than ``n`` rows have a
        weight above 0, the others are drawn uniformly, with a `QueryWarning`.
    """
    rows, inner = _numbered(feasible)
    order, taken = Drawn(new_seed(rng), "weighted", are_logs=True), Taken(inner)
    sketch = _sketch_of(pool, log_weight, n, order, rows, taken)
    taken.add(sketch.rows)
    selection = fill_uniformly(
        sketch.rows,
        sketch.values,
        n,
        taken,
        rng,
        value_name="log weight",
        found="have a weight above 0",
    )
    values = selection.values
    values[len(sketch) :] = -np.inf
    return _known_as(rows, replace(selection, values=values))


def _numbered(feasible):
    """The rows that have a number, None for all, and what may be picked of them."""
    if feasible.mask is None:
        return None, feasible
    return feasible.restricted()


def _known_as(rows, selection):
    """A selection of rows by their positions in the pool."""
    return selection if rows is None else replace(selection, rows=rows[selection.rows])


def _sketch_of(pool, score, n, order, rows, taken):
    return pool.reduce(_Scored(score, n, order, rows, taken), merged)


@dataclass
class _Scored:
    """The first of the open rows of a chunk in an order of their scores."""

    score: Callable
    size: int
    order: Greatest | Drawn
    rows: NDArray[np.int64] | None
    taken: Taken

    def __call__(self, chunk, first):
        scores = np.asarray(self.score(chunk), dtype=np.float64)
        wrong = np.flatnonzero(np.isnan(scores))
        if len(wrong):
            raise ValueError(
                f"Scores must not be NaN. {len(wrong)} of the {len(chunk)} rows from "
                f"row {first} on have such, the first is row {first + wrong[0]}."
            )
        if self.rows is not None:
            start, stop = np.searchsorted(self.rows, [first, first + len(chunk)])
            scores, first = scores[self.rows[start:stop] - first], int(start)
        opened = self.taken.opened(first, len(scores))
        quotas = self.taken.quotas(first + opened)
        return self.order.sketch(
            self.size, scores[opened], first, opened, quotas=quotas
        )
