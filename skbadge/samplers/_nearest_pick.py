"""Bounds on the distance of each row to the nearest pick."""

import numpy as np


class NearestPick:
    """What k-means++ seeding and farthest-first traversal keep while under way.

    Invariant: ``bound[x]`` is at least the squared distance of row ``x`` to the nearest
    pick, exactly that for the picks up to ``rows[:settled]``, and 0 for a pick. Rows
    picked since then are outstanding.

    A subclass has `embedding`, `rows`, `bound`, `settled` and `n_distances`, and picks
    a row by `_pick`.
    """

    # Dtype of the bulk products, None for the embedding's own.
    product_dtype = None

    def start(self, row):
        """Pick the first row, and measure all others from it."""
        self._pick(row, self.embedding.norms_sq()[row])
        self.refresh()

    def lower(self, centers):
        """Lower the bounds to the squared distances to some centres."""
        sq_dists = self.embedding.min_sq_dists(centers, dtype=self.product_dtype)
        np.minimum(self.bound, sq_dists, out=self.bound)
        self.n_distances += len(self.embedding) * len(centers)

    def refresh(self):
        """Make the bounds exact again."""
        outstanding = self.rows[self.settled :]
        if outstanding:
            self.lower(self.embedding.take(np.array(outstanding)))
            self.bound[outstanding] = 0.0
        self.settled = len(self.rows)
