"""The rules of the lazy samplers as plain loops over all rows, to compare with.

They consume randomness as the samplers do: the same seed means the same picks, but for
k-means++, of which only the law is the same.
"""

import numpy as np

from skbadge.samplers import LCMD, Herding, KCenter, KMeansPlusPlus, MaxDet
from skbadge.samplers._base import fill_uniformly, first_row, negligible_mass
from skbadge.samplers._lcmd import first_copies
from skbadge.samplers._max_det import _rounding
from skbadge.utils._ranking import draw_weighted
from skbadge.utils._ties import Ties, rounded


def start_rows(embedding, labeled, feasible):
    """What counts as picked from the start, as a list of embeddings."""
    parts = (labeled, embedding.take(feasible.pending))
    return [part for part in parts if part is not None and len(part)]


class _PlainNearest:
    """Keeps the exact distances of all rows to the nearest pick."""

    dtype = None

    def _run(self, embedding, n, labeled, feasible, rng):
        ties, open_rows, rows, values = Ties(rng), feasible.open(), [], []
        nearest = np.full(len(embedding), np.inf)
        for part in start_rows(embedding, labeled, feasible):
            nearest = np.minimum(nearest, embedding.min_sq_dists(part, self.dtype))
        value = embedding.norms_sq()
        row = None
        if np.isinf(nearest[0]):
            row = first_row(embedding, self.first_center, open_rows, ties, rng)
        while len(rows) < n:
            if row is None:
                value = np.where(open_rows.mask, nearest, 0.0)
                row = self.choose(embedding, value, ties, rng)
                if row is None:
                    break
            rows.append(row)
            values.append(value[row])
            open_rows.close(row)
            center = embedding.take(np.array([row]))
            nearest = np.minimum(nearest, embedding.min_sq_dists(center, self.dtype))
            row = None
        return fill_uniformly(
            rows, values, n, open_rows, rng, value_name="", n_distances=0
        )


class PlainKMeansPlusPlus(_PlainNearest, KMeansPlusPlus):
    """Draws from exact distances."""

    def choose(self, embedding, value, ties, rng):
        if value.sum() <= negligible_mass(embedding):
            return None
        return int(draw_weighted(np.cumsum(value), 1, rng)[0])


class PlainKCenter(_PlainNearest, KCenter):
    """Takes the farthest of all rows."""

    dtype = np.float64

    def choose(self, embedding, value, ties, rng):
        row = ties.greatest(value)
        is_far = value[row] > negligible_mass(embedding) / len(embedding)
        return row if is_far else None


class PlainLCMD(LCMD):
    """Measures all rows from each pick, and forms all clusters anew."""

    def _run(self, embedding, n, labeled, feasible, rng):
        ties, open_rows = Ties(rng), feasible.open()
        negligible = negligible_mass(embedding) / len(embedding)
        sq_dists = np.empty((len(embedding), 0))
        for part in start_rows(embedding, labeled, feasible):
            part = part.take(first_copies(part, negligible))
            sq_dists = np.hstack([sq_dists, embedding.sq_dists(part)])
        rows, values = [], []
        while len(rows) < n:
            if sq_dists.shape[1]:
                row, value = self.farthest(sq_dists, open_rows.mask, ties, embedding)
                if value <= negligible:
                    break
            else:
                row = first_row(embedding, self.first_center, open_rows, ties, rng)
                value = embedding.norms_sq()[row]
            rows.append(row)
            values.append(value)
            open_rows.close(row)
            center = embedding.take(np.array([row]))
            sq_dists = np.hstack([sq_dists, embedding.sq_dists(center)])
            # A pick's own cluster is its own, whatever its distance from itself.
            sq_dists[row, :-1], sq_dists[row, -1] = np.inf, 0.0
        return fill_uniformly(
            rows, np.sqrt(values), n, open_rows, rng, value_name="", n_distances=0
        )

    def farthest(self, sq_dists, is_open, ties, embedding):
        dtype = embedding.dtype
        negligible = negligible_mass(embedding) / len(embedding)
        nearest, own = sq_dists.argmin(axis=1), sq_dists.min(axis=1)
        weight = {"sq_dist": own, "dist": np.sqrt(own), "none": np.ones_like(own)}
        sizes = np.bincount(nearest, weight[self.weights], sq_dists.shape[1])
        may_split = np.bincount(
            nearest[is_open & (own > negligible)], minlength=len(sizes)
        )
        if not may_split.any():
            return None, 0.0
        sizes = sizes if self.weights == "none" else rounded(sizes, dtype)
        largest = np.where(may_split, sizes, -np.inf).argmax()
        members = np.flatnonzero((nearest == largest) & is_open)
        row = members[ties.greatest(own[members], members, dtype)]
        return int(row), own[row]


class PlainMaxDet(MaxDet):
    """Updates the variances of all rows after each pick, from the Gram matrix."""

    def _run(self, embedding, n, labeled, feasible, rng):
        ties, open_rows, noise = Ties(rng), feasible.open(), self.sigma**2
        parts = [embedding] if labeled is None else [embedding, labeled]
        parts = [part.astype(np.float64) for part in parts]
        gram = np.block([[one.cross(other) for other in parts] for one in parts])
        variances = gram.diagonal().copy()
        columns = np.empty((0, len(gram)))

        def condition_on(row):
            nonlocal columns
            pivot = np.sqrt(variances[row] + noise)
            column = (gram[row] - columns[:, row] @ columns) / pivot
            columns = np.vstack([columns, column])
            variances[:] -= column**2

        start = [*feasible.pending, *range(len(embedding), len(gram))]
        scale = max(variances[start], default=0.0)
        while start:
            row = max(start, key=lambda row: variances[row])
            if variances[row] + noise <= _rounding(embedding) * scale:
                break
            start.remove(row)
            condition_on(row)
        negligible = _rounding(embedding) * embedding.norms_sq().max()
        rows, values = [], []
        while len(rows) < n:
            own = np.where(open_rows.mask, variances[: len(embedding)], -np.inf)
            row = ties.greatest(own, quantum=negligible)
            if own[row] <= negligible:
                break
            rows.append(row)
            values.append(own[row] + noise)
            open_rows.close(row)
            condition_on(row)
        return fill_uniformly(
            rows, values, n, open_rows, rng, value_name="", n_distances=0
        )


class PlainHerding(Herding):
    """Forms the whole kernel matrix, and all gains after each pick."""

    def _run(self, embedding, n, labeled, feasible, rng):
        embedding = embedding.astype(np.float64)
        ties, open_rows, rows, values = Ties(rng), feasible.open(), [], []
        kernel = embedding.cross(embedding)
        weights = np.ones(len(kernel)) if self.weights is None else self.weights
        nearest = np.zeros(len(kernel))
        for part in start_rows(embedding, labeled, feasible):
            cross = embedding.cross(part.astype(np.float64))
            nearest = np.maximum(nearest, cross.max(axis=1))
        greatest = np.sqrt(embedding.norms_sq().max())
        scale = np.mean(weights * np.sqrt(embedding.norms_sq())) * greatest
        rounding = 64 * np.finfo(np.float64).eps * scale
        while len(rows) < n:
            gains = weights @ np.maximum(kernel - nearest[:, None], 0) / len(kernel)
            gains[~open_rows.mask] = -np.inf
            row = ties.greatest(gains, quantum=rounding)
            if gains[row] <= rounding:
                break
            rows.append(row)
            values.append(gains[row])
            open_rows.close(row)
            nearest = np.maximum(nearest, kernel[:, row])
        return fill_uniformly(rows, values, n, open_rows, rng, value_name="gain")
