"""Every sampler ends, whatever the scale of the rows and however many are asked for.

A clock that ticks at each use of an embedding, and not the time, tells a loop that does
not end.
"""

import numpy as np
import pytest

from skbadge import samplers
from skbadge.embeddings import DenseEmbedding
from skbadge.samplers import Feasible

N = 24

NAMES = [
    "Bait",
    "FrankWolfe",
    "KCenter",
    "KDPP",
    "KMeansPlusPlus",
    "LCMD",
    "MaxDet",
    "MaxDiag",
    "Random",
]


class Watched(DenseEmbedding):
    """Counts its uses, with those of what is made of it."""

    limit = 5000

    def __init__(self, matrix, clock):
        super().__init__(matrix)
        self.clock = clock

    def _tick(self):
        self.clock[0] += 1
        assert self.clock[0] < self.limit, "this does not end"

    def cross(self, other):
        self._tick()
        return super().cross(other)

    def _take(self, rows):
        self._tick()
        return Watched(self.matrix[rows], self.clock)

    def _cast(self, dtype):
        return Watched(self.matrix.astype(dtype), self.clock)


rng = np.random.RandomState(0)
ROWS = {
    "distinct": rng.normal(size=(N, 4)),
    "copies": np.repeat(rng.normal(size=(N // 3, 4)), 3, axis=0),
    "equal": np.ones((N, 4)),
    "zero but one": np.eye(N, 4) * (np.arange(N) == 5)[:, None],
    "line": np.outer(np.arange(N), np.ones(4)),
    "all scales": 10.0 ** np.linspace(-30, 0, N)[:, None] * rng.normal(size=(N, 4)),
    "outlier": np.r_[1e8 * np.ones((1, 4)), 1e-8 * rng.normal(size=(N - 1, 4))],
    "near copies": 1 + 1e-7 * rng.normal(size=(N, 1)) * np.ones(4),
    "offset": 1e6 + rng.normal(size=(N, 4)),
}
SCALES = {
    "float32": [1e-45, 1e-38, 1e-30, 1e-21, 1.0, 1e9],
    "float64": [5e-324, 1e-310, 1e-170, 1e-160, 1e-100, 1.0, 1e100, 1e140],
}


@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("dtype", SCALES)
def test_any_number_of_rows_of_any_scale(name, kind, dtype):
    for scale in SCALES[dtype]:
        X = (ROWS[kind] * scale).astype(dtype)
        sampler = getattr(samplers, name)()
        if name == "Bait":
            # With less noise its variances would be lost to rounding, and it says so.
            sampler.set_params(sigma=max(1e-3, 1e-3 * np.abs(X).max()))
        for n in (1, 3, 9, N - 1, N):
            embedding = Watched(X, [0])
            rows = sampler.sample(embedding, n, random_state=n)
            assert len(set(rows.tolist())) == len(rows) == n
        feasible = Feasible(N, np.arange(N) != 2, None, 1, np.array([0, 7]))
        labeled = Watched(X[:2], [0])
        rows = sampler.sample(
            Watched(X, [0]), 15, labeled=labeled, feasible=feasible, random_state=0
        )
        assert len(set(rows.tolist()) - {0, 2, 7}) == 15


@pytest.mark.parametrize("n", [1, 5, 60])
@pytest.mark.parametrize("scale", [2.0**505, 2.0**506])
def test_sums_of_rows_at_the_end_of_the_range(scale, n):
    X = np.random.RandomState(0).normal(size=(60, 3))
    sampler = samplers.FrankWolfe()
    with np.errstate(over="raise", invalid="raise"):
        selection = sampler.run(DenseEmbedding(X * scale), n, random_state=0)
    expected = sampler.run(DenseEmbedding(X), n, random_state=0)
    np.testing.assert_array_equal(selection.rows, expected.rows)
    values = selection.values / scale
    np.testing.assert_allclose(values, expected.values, rtol=1e-6, atol=1e-9)


@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
def test_variances_that_are_lost_to_rounding_end_in_picks_or_a_refusal():
    n_refused = 0
    for seed in range(40):
        rng = np.random.RandomState(seed)
        X = (1e6 + rng.normal(size=(21, 4))) * 10.0 ** rng.randint(9, 17)
        known = DenseEmbedding(X[:3])
        for n in (1, 5, 20):
            rows, refusal = range(n), ""
            try:
                rows = samplers.Bait().sample(DenseEmbedding(X), n, labeled=known)
            except ValueError as error:
                refusal = str(error)
            assert len(set(rows)) == n
            assert not refusal or "is too small beside the rows" in refusal
            n_refused += bool(refusal)
    assert n_refused
