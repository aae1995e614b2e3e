"""Rows picked by scores that are found chunk by chunk, copies of a row last."""

import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import blake2b
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skbadge.exceptions import QueryWarning
from skbadge.samplers._feasible import Feasible
from skbadge.samplers._row_sketch import Greatest, RowSketch, merged
from skbadge.samplers._score_noise import NoisyOrder
from skbadge.samplers._selection import Selection
from skbadge.samplers._taken import Taken
from skbadge.utils._chunks import rows_of_chunk
from skbadge.utils._row_errors import row_error, rows_among


def picks_by_score(
    pool: Any,
    score: Callable[[Any], NDArray[np.float64]],
    n: int,
    feasible: Feasible,
    order: Greatest | NoisyOrder,
    *,
    distinct: bool = False,
) -> Selection:
    """The first rows in an order of their scores.

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

    order : Greatest or NoisyOrder
        Which rows come first. It is the same for any chunks.

    distinct : bool, default=False
        Whether a row of the same content as one that is picked or pending waits until
        no other row may be picked. Then pool and chunks have an attribute ``identify``,
        from positions to identities, or None: there is nothing to tell copies by.

    Returns
    -------
    selection : Selection
        The rows and their scores. Rows of weight 0 in a noisy order are picked with a
        `QueryWarning`.

    Notes
    -----
    One pass over the pool. With ``distinct``, about ``n`` rows of each chunk are
    identified, more as far as there are copies among them; with groups as well, further
    passes may follow.
    """
    if n == 0:
        return Selection(np.empty(0, dtype=np.int64), np.empty(0))
    rows, inner = numbered(feasible)
    taken = Taken(inner)
    part = Scored(score, n, order, rows, taken)
    if distinct and pool.identify is not None:
        held = Counter(
            _contents(pool.identify, feasible.pending, feasible.pending).tolist()
        )
        sketch, picks = _with_copies_last(pool, part, n, held)
    else:
        sketch = pool.reduce(part, merged)
        picks = np.arange(n)
    numbers, fallbacks = sketch.rows[picks], ()
    if isinstance(order, NoisyOrder):
        fallbacks = of_weight_zero(sketch.keys[picks])
    numbers = numbers if rows is None else rows[numbers]
    return Selection(numbers, sketch.values[picks], fallbacks=fallbacks)


def numbered(feasible):
    """The rows that have a number, None for all, and what may be picked of them."""
    if feasible.mask is None:
        return None, feasible
    return feasible.restricted()


def of_weight_zero(keys):
    """The fallbacks where rows were picked that had nothing to be picked for."""
    n_zero = int(np.isposinf(keys).sum())
    if not n_zero:
        return ()
    message = (
        f"only {len(keys) - n_zero} of {len(keys)} rows have a weight above 0; "
        f"the other {n_zero} were drawn uniformly from the rest"
    )
    warnings.warn(message[0].upper() + message[1:] + ".", QueryWarning, stacklevel=2)
    return (message,)


@dataclass
class Scored:
    """The first of the open rows of a chunk in an order of their scores."""

    score: Callable
    size: int
    order: Greatest | NoisyOrder
    rows: NDArray[np.int64] | None
    taken: Taken
    # Further rows of a group to keep, for there may be copies among them; None where
    # copies are like other rows.
    spare: int | None = None

    def opened(self, chunk, first):
        """Scores of a chunk's open rows, where they are, and the first one's number.

        Positions are those in the chunk of the rows that have a number.
        """
        with rows_among(first):
            scores = np.asarray(self.score(chunk), dtype=np.float64)
        wrong = np.flatnonzero(np.isnan(scores))
        if len(wrong):
            raise row_error(
                f"Scores must not be NaN. {len(wrong)} of the {len(chunk)} rows from "
                f"row {first} on have such, the first is row {{row}}.",
                first + wrong[0],
            )
        start, positions = first, None
        if self.rows is not None:
            positions, start = rows_of_chunk(self.rows, first, len(chunk))
            scores = scores[positions]
        opened = self.taken.opened(start, len(scores))
        return scores[opened], start, opened, positions

    def __call__(self, chunk, first):
        scores, start, opened, positions = self.opened(chunk, first)
        if self.spare is not None:
            return self._copies_last(chunk, scores, start, opened, positions)
        quotas = self.taken.quotas(start + opened)
        if quotas is None:
            return self._first(self.size, scores, start, opened)
        return self.order.sketch(self.size, scores, start, opened, quotas=quotas)

    def _first(self, size, scores, start, opened):
        """The first rows in order, whatever is in them."""
        # One more, which the sketch remembers as the first that is left out.
        near = self.order.near(size + 1, scores)
        return self.order.sketch(size, scores[near], start, opened[near])

    def _copies_last(self, chunk, scores, start, opened, positions):
        """The sketch with copies last, for which no more rows than needed are read."""
        size, contents = self.size, np.empty(0, dtype=np.uint64)
        while True:
            found = self._first(size, scores, start, opened)
            rows = found.rows[len(contents) :]
            local = rows - start if positions is None else positions[rows - start]
            contents = np.r_[contents, _contents(chunk.identify, local, rows)]
            quotas = self.taken.quotas(found.rows)
            if quotas is not None:
                quotas = quotas[0], quotas[1] + self.spare
            sketch = RowSketch.of(
                self.size,
                found.rows,
                found.keys,
                found.ties,
                found.values,
                quotas=quotas,
                contents=contents,
            )
            # None of the rows behind comes before a row of which it is no copy.
            is_full = len(sketch) == self.size and not sketch.copy_numbers()[-1]
            if is_full or len(found) == len(scores):
                return sketch
            size *= 8


def _contents(identify, positions, numbers):
    """Words that are equal, but for hash collisions, if identities of rows are.

    Those of rows that have no identity are made of their numbers.
    """
    names = ()
    if len(positions):
        try:
            names = identify(positions)
        except Exception:
            # Rows may be anything. Those that cannot be read by themselves, or not be
            # written down, are no copies of each other.
            names = [f"row {number}" for number in numbers]
    return np.fromiter(map(_word, names), dtype=np.uint64, count=len(positions))


def _word(name):
    try:
        # As `skbadge.pools.row_ids` has them.
        if len(name) == 16:
            return int(name, 16)
    except ValueError:
        pass
    return int.from_bytes(blake2b(str(name).encode(), digest_size=8).digest(), "big")


def _with_copies_last(pool, part, n, held):
    """The sketch of a pool, and which of its rows are picked, in this order.

    ``held`` counts the rows of each content that count as picked.

    Within a group, a row comes no sooner than as many turns as there are copies before
    it. So a sketch of rows by turn, then by key, holds the ``n`` first ones, and those
    that pending rows send back; only groups that are used up may call for more. Of one
    group no more rows are passed over than twice as many as are taken: a content that
    was taken ``k`` times holds back ``k + 1`` of them at most.
    """
    n_taken = n + sum(held.values())
    has_groups = part.taken.groups is not None
    size = 4 * n_taken + 512 if has_groups else n_taken
    while True:
        part = replace(part, size=size, spare=2 * n_taken)
        sketch = pool.reduce(part, merged)
        if not (has_groups or held):
            return sketch, np.arange(n)
        picks = _in_turns(sketch, n, part.taken.open_rows(sketch.rows), held)
        if len(picks) == n:
            return sketch, picks
        size *= 8


def _in_turns(sketch, n, open_rows, held):
    """Picks where a content has its next turn once all others have had theirs.

    As many of them as are certain, whatever rows the sketch leaves out.
    """
    by_key = np.lexsort((sketch.rows, sketch.ties, sketch.keys))
    waiting = {}
    # Of each content the last row first, to be taken from the end.
    contents = sketch.contents[by_key].tolist()
    for place in range(len(by_key) - 1, -1, -1):
        waiting.setdefault(contents[place], []).append(place)
    n_turns = np.inf
    if len(sketch) == sketch.size:
        # Rows left out may have a part in the turn of the last row that is kept.
        n_turns = max(int(sketch.copy_numbers()[-1]), 1)
    queue = [(held[name], places.pop()) for name, places in waiting.items()]
    heapify(queue)
    picks = []
    while queue and len(picks) < n:
        turn, place = heappop(queue)
        if turn >= n_turns:
            break
        row = by_key[place]
        if open_rows.mask[row]:
            open_rows.close(row)
            picks.append(row)
            turn += 1
        places = waiting[contents[place]]
        if places:
            heappush(queue, (turn, places.pop()))
    return np.array(picks, dtype=np.int64)
