"""A selection from chunks under way: what is picked, and what counts as picked."""

from dataclasses import dataclass, replace

import numpy as np

from skbadge.embeddings import to_device
from skbadge.embeddings._joined import joined
from skbadge.samplers._base import fill_uniformly
from skbadge.samplers._row_sketch import (
    NOTHING,
    Drawn,
    Greatest,
    merged,
    new_seed,
    sketch_size,
)
from skbadge.samplers._taken import Taken

# Rows to keep for each pick of a greedy rule, so that few passes do.
CONTENDERS_PER_PICK = 16


class ChunkPicks:
    """Rows picked from a view so far, with their values and their embeddings.

    Parameters
    ----------
    view : ChunkView
        Where they are picked from.

    n : int
        Number of rows to pick.

    labeled : Embedding or None
        Rows that count as picked.

    feasible : Feasible
        Which rows may be picked. Its pending rows are read.
    """

    def __init__(self, view, n, labeled, feasible):
        self.view = view
        self.n = n
        self.taken = Taken(feasible)
        self.pending = None
        if len(feasible.pending):
            self.pending = view.gather(feasible.pending)
        self.labeled = None if labeled is None else to_device(labeled, None)
        self.rows = []
        self.values = []
        self.n_distances = 0
        self._parts = []

    def __len__(self):
        return len(self.rows)

    @property
    def n_left(self):
        """Number of rows that are still to be picked."""
        return self.n - len(self)

    @property
    def centers(self):
        """All that counts as picked, one embedding; None for nothing."""
        parts = [self.labeled, self.pending, *self._parts]
        parts = [part for part in parts if part is not None]
        return joined(parts) if parts else None

    def add(self, rows, values, embedding):
        """Pick rows."""
        self.taken.add(rows)
        self.rows += rows.tolist()
        self.values += list(values)
        if len(rows):
            self._parts.append(embedding)

    def add_from(self, sketch, selection):
        """Pick the rows of a sketch that a selection among them has picked."""
        chosen = np.array(selection.rows, dtype=np.int64)
        self.add(sketch.rows[chosen], selection.values, sketch.embedding.take(chosen))
        self.n_distances += selection.n_distances

    def pick_first(self, rule, ties, rng):
        """Pick the first row where nothing counts as picked, see `first_row`."""
        sketch = None
        if rule != "uniform":
            is_drawn = rule == "norm_weighted"
            order = (
                Drawn(new_seed(rng), "first")
                if is_drawn
                else Greatest(ties, self.view.dtype)
            )
            sketch = self.view.reduce(_FirstByNorm(order), merged)
        if sketch is not None and sketch.values.any():
            self.add(sketch.rows, sketch.values, sketch.embedding)
        else:
            rows = np.array([rng.randint(len(self.view))])
            embedding = self.view.gather(rows)
            self.add(rows, embedding.norms_sq(), embedding)

    def contest(self, part_of, begin):
        """Pick the row of greatest value again and again, where values only fall.

        A pass keeps the rows of greatest value. The greatest of these is the greatest
        of all as long as it is beyond those that were left out, which can only have
        fallen since.

        Parameters
        ----------
        part_of : callable
            Takes a number of rows and returns the part that keeps as many of a chunk,
            by what is picked so far.

        begin : callable
            Takes a sketch and returns the `LazyGreedy` that picks among its rows.
        """
        while self.n_left:
            size = sketch_size(self.n_left, CONTENDERS_PER_PICK)
            sketch = self.view.reduce(part_of(size), merged)
            selection = begin(sketch)
            selection.outside = sketch.outside
            selection.lazy()
            if not selection.rows:
                # By the values of the pass, the first row of the sketch is the first of
                # all. Formed in another block they may differ in the last digit.
                selection.outside, selection.n = NOTHING, 1
                selection.lazy()
            self.add_from(sketch, selection)
            if sketch.is_complete or not selection.rows:
                return

    def finish(self, values, rng, **what):
        """The selection of ``n`` rows, filled up uniformly if there are fewer."""
        selection = fill_uniformly(
            self.rows,
            values,
            self.n,
            self.taken,
            rng,
            n_distances=self.n_distances,
            **what,
        )
        filled = selection.rows[len(self) :]
        if len(filled):
            self._parts.append(self.view.gather(filled))
        embedding = joined(self._parts)
        return replace(
            selection, embedding=embedding, norms=np.sqrt(embedding.norms_sq())
        )


@dataclass
class _FirstByNorm:
    """The first row of a chunk in some order of squared norms."""

    order: Greatest | Drawn

    def __call__(self, chunk, first, sieves):
        everyone = np.arange(len(chunk))
        return self.order.sketch(
            1, chunk.norms_sq(), first, everyone, embedding=chunk, sieves=sieves
        )
