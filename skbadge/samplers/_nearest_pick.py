"""Bounds on the distance of each row to the nearest pick."""

import numpy as np

from skbadge.samplers._base import first_row
from skbadge.utils._chunks import row_chunks


class NearestPick:
    """What k-means++ seeding and farthest-first traversal keep while under way.

    Invariant: ``bound[x]`` is at least the squared distance of row ``x`` to the nearest
    centre (a pick, a labelled or a pending row), exactly that for the picks up to
    ``rows[:settled]``, and 0 for a row that may not be picked. Rows picked since then
    are outstanding.

    A subclass has `embedding`, `open_rows`, `rows`, `bound`, `settled` and
    `n_distances`, and picks a row by `_pick`, which closes it and lowers the bounds of
    the rows that close to 0.
    """

    # Dtype of the bulk products, None for the embedding's own.
    product_dtype: type | None = None

    def begin(self, labeled, feasible, rule, ties, rng):
        """Measure all rows from what counts as picked, or else from a first pick."""
        pending = feasible.pending
        if labeled is None and not len(pending):
            row = first_row(self.embedding, rule, self.open_rows, ties, rng)
            self.start(row)
            return
        if labeled is not None:
            self.lower(labeled)
        if len(pending):
            self.lower(self.embedding.take(pending))
        self.bound[~self.open_rows.mask] = 0.0

    def start(self, row):
        """Pick the first row, and measure all others from it."""
        self.bound[~self.open_rows.mask] = 0.0
        self._pick(row, self.embedding.norms_sq()[row])
        self.refresh()

    def lower(self, centers):
        """Lower the bounds to the squared distances to some centres."""
        # In blocks, so that no array over all rows is made for each pass.
        for rows in row_chunks(len(self.embedding), 1):
            part, bound = self.embedding.take(rows), self.bound[rows]
            sq_dists = part.min_sq_dists(centers, dtype=self.product_dtype)
            np.minimum(bound, sq_dists, out=bound)
        self.n_distances += len(self.embedding) * len(centers)

    def refresh(self):
        """Make the bounds exact again."""
        outstanding = self.rows[self.settled :]
        if outstanding:
            self.lower(self.embedding.take(np.array(outstanding)))
        self.settled = len(self.rows)
