"""TypiClust: the most typical rows of clusters with fewest labels."""

import tracemalloc
from itertools import islice

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier
from skbadge.exceptions import QueryWarning
from skbadge.outputs import Labeled, Outputs
from skbadge.pools import from_arrays
from skbadge.querier import _chunk_reading
from skbadge.samplers import Feasible
from skbadge.strategies import TypiClust, _typiclust
from skbadge.strategies._typiclust import typical_rows
from skbadge.utils._clustering import sq_dists_to
from skbadge.utils._ties import Ties

RNG = np.random.RandomState(0)
CENTERS = 30 * RNG.normal(size=(8, 4))


def blobs(sizes, seed=0):
    """Rows around the first centres, and which."""
    owners = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.RandomState(seed)
    return CENTERS[owners] + rng.normal(size=(len(owners), 4)), owners


def labeled_at(*owners):
    if not owners:
        return None
    rows = CENTERS[list(owners)] + RNG.normal(size=(len(owners), 4))
    return Labeled(Outputs(features=rows), np.arange(len(owners)))


def brute_typicality(rows, n_neighbors=20):
    dists = np.sqrt(((rows[:, None] - rows) ** 2).sum(axis=2))
    nearest = np.sort(dists, axis=1)[:, 1 : min(n_neighbors, len(rows) // 2) + 1]
    return 1 / (nearest.mean(axis=1) + 1e-5)


@pytest.mark.parametrize(
    ("kind", "shift"),
    [(np.float32, 0), (np.float32, 1e4), (np.float64, 1e6), (sparse.csr_matrix, 0)],
)
@pytest.mark.parametrize("n_neighbors", [2, 20])
def test_the_rows_of_given_clusters_are_those_of_brute_force(kind, shift, n_neighbors):
    rng = np.random.RandomState(0)
    features = kind(rng.normal(size=(300, 5)) + shift)
    plain = np.asarray(
        features.toarray() if sparse.issparse(features) else features, np.float64
    )
    feasible = Feasible(300, rng.random_sample(300) < 0.8, rng.randint(90, size=300))
    owners = rng.randint(6, size=300)
    queue = [np.flatnonzero(owners == j) for j in range(6)]
    picks = list(
        typical_rows(features, [queue], feasible.open(), n_neighbors, Ties(rng))
    )
    assert len(picks) == feasible.n_left

    expected, open_rows, left = [], feasible.open(), [set(rows) for rows in queue]
    while len(expected) < len(picks):
        for members in left:
            rows = np.array(sorted(members), dtype=int)
            if not open_rows.mask[rows].any():
                continue
            typicality = np.full(1, 1e5)
            if len(rows) > 1:
                typicality = brute_typicality(plain[rows], n_neighbors)
            best = np.where(open_rows.mask[rows], typicality, -np.inf).argmax()
            expected.append((rows[best], typicality[best]))
            open_rows.close(rows[best])
            members.remove(rows[best])
    assert [row for row, _ in picks] == [row for row, _ in expected]
    np.testing.assert_allclose(
        [value for _, value in picks], [value for _, value in expected], rtol=1e-7
    )


@pytest.mark.parametrize("kind", [np.array, sparse.csr_matrix])
def test_equal_rows_are_equally_typical_far_from_the_origin(kind):
    rng = np.random.RandomState(0)
    rows = rng.normal(size=(400, 30)) + 1e5
    rows[[7, 80, 200, 399]] = rows[7]
    rows[[8, 9]] = rows[8]
    picked = [
        next(
            typical_rows(
                kind(rows),
                [[np.arange(400)]],
                Feasible(400).open(),
                3,
                Ties(np.random.RandomState(i)),
            )
        )
        for i in range(40)
    ]
    assert {row for row, _ in picked} == {7, 80, 200, 399}
    assert {value for _, value in picked} == {1 / 1e-5}


def test_later_turns_of_a_cluster_measure_few_rows(monkeypatch):
    rng = np.random.RandomState(0)
    features, calls = rng.normal(size=(2000, 20)), []

    def counting(*args):
        calls.append(1)
        return sq_dists_to(*args)

    monkeypatch.setattr(_typiclust, "sq_dists_to", counting)
    picks = typical_rows(
        features, [[np.arange(2000)]], Feasible(2000).open(), 20, Ties(rng)
    )
    rows = [row for row, _ in islice(picks, 50)]
    assert len(calls) < 1000
    left = np.setdiff1d(np.arange(2000), rows[:-1])
    assert rows[-1] == left[brute_typicality(features[left]).argmax()]


def owners_of(selection, owners):
    return owners[selection.rows].tolist()


def test_clusters_without_labels_come_first_and_of_these_the_largest():
    features, owners = blobs([40, 30, 20, 10])
    labeled = labeled_at(0, 2, 2)
    # As many clusters as there are blobs.
    selection = TypiClust(max_clusters=4).run(
        Outputs(features=features), 8, labeled=labeled, random_state=0
    )
    assert owners_of(selection, owners) == [1, 3, 0, 2] * 2
    assert selection.value_name == "typicality"
    typicality = brute_typicality(features[owners == 1])
    assert selection.values[0] == pytest.approx(typicality.max())
    assert selection.rows[0] == np.flatnonzero(owners == 1)[typicality.argmax()]


def test_there_are_as_many_clusters_as_labelled_and_selected_rows():
    features, owners = blobs([40, 30, 20, 10])
    selection = TypiClust().run(
        Outputs(features=features), 3, labeled=labeled_at(1), random_state=0
    )
    assert owners_of(selection, owners) == [0, 2, 3]
    selection = TypiClust().run(Outputs(features=features), 4, random_state=0)
    assert owners_of(selection, owners) == [0, 1, 2, 3]


def test_pending_rows_count_as_labelled_and_no_longer_as_neighbours():
    features, owners = blobs([40, 30, 20, 10])
    pending = np.flatnonzero(owners == 0)[:1]
    feasible = Feasible(100, pending=pending)
    selection = TypiClust().run(
        Outputs(features=features), 3, feasible=feasible, random_state=0
    )
    assert owners_of(selection, owners) == [1, 2, 3]
    pending = np.concatenate([np.flatnonzero(owners == j)[:2] for j in range(4)])
    selection = TypiClust(max_clusters=4).run(
        Outputs(features=features),
        1,
        feasible=Feasible(100, pending=pending),
        random_state=0,
    )
    rows = np.setdiff1d(np.flatnonzero(owners == 0), pending)
    assert selection.rows[0] == rows[brute_typicality(features[rows]).argmax()]


def test_rows_that_may_not_be_picked_are_neighbours_all_the_same():
    features, _ = blobs([60])
    typicality = brute_typicality(features)
    mask = np.ones(60, dtype=bool)
    mask[np.argsort(-typicality)[:3]] = False
    selection = TypiClust().run(
        Outputs(features=features), 1, feasible=mask, random_state=0
    )
    assert selection.rows[0] == np.argsort(-typicality)[3]


def test_small_clusters_come_last_unless_all_are():
    features, owners = blobs([5, 6, 30, 5])
    selection = TypiClust(max_clusters=4).run(
        Outputs(features=features), 40, random_state=0
    )
    picked = owners_of(selection, owners)
    assert picked[:4] == [2, 1, 2, 1]
    assert set(picked[:36]) == {1, 2}
    assert sorted(picked[36:38]) == [0, 3]
    features, owners = blobs([5, 3])
    selection = TypiClust(max_clusters=2).run(
        Outputs(features=features), 3, random_state=0
    )
    assert owners_of(selection, owners) == [0, 1, 0]


def test_rows_that_equal_labelled_ones_count_once_and_come_last():
    features, _ = blobs([40, 30, 20, 10])
    known = np.array([0, 1, 45])
    labeled = Labeled(Outputs(features=features[known]), np.arange(3))
    repeats = np.isin(np.arange(100), known)
    whole = TypiClust().run(
        Outputs(features=features),
        20,
        labeled=labeled,
        feasible=Feasible(100, ~repeats, repeats=repeats),
        random_state=0,
    )
    apart = TypiClust().run(
        Outputs(features=features[~repeats]), 20, labeled=labeled, random_state=0
    )
    # The same but for the rows' own random numbers, which no ties ask for.
    np.testing.assert_array_equal(whole.rows, np.flatnonzero(~repeats)[apart.rows])
    with pytest.warns(QueryWarning, match="97 of 99 rows equal no labelled one"):
        selection = TypiClust().run(
            Outputs(features=features),
            99,
            labeled=labeled,
            feasible=Feasible(100, repeats=repeats),
            random_state=0,
        )
    assert set(selection.rows[97:]) < set(known)


@pytest.mark.parametrize("labeled", [None, labeled_at(1)])
def test_sparse_features_give_the_rows_of_dense_ones(labeled):
    features, _ = blobs([40, 30, 20, 10])
    features[np.abs(features) < 1] = 0
    dense = TypiClust().select(
        Outputs(features=features), 3, labeled=labeled, random_state=0
    )
    if labeled is not None:
        labeled = Labeled(
            Outputs(features=sparse.csr_matrix(labeled.outputs.features)), labeled.y
        )
    rows = TypiClust().select(
        Outputs(features=sparse.csr_matrix(features)),
        3,
        labeled=labeled,
        random_state=0,
    )
    np.testing.assert_array_equal(rows, dense)


def test_memory_is_not_the_square_of_a_cluster():
    features = np.random.RandomState(0).normal(size=(6000, 20)).astype(np.float32)
    pool = Outputs(features=features)
    tracemalloc.start()
    TypiClust().select(pool, 1, random_state=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # All distances would be 288 MB.
    assert peak < 2**24


def test_of_chunks_that_are_not_kept_samples_are_clustered(monkeypatch):
    monkeypatch.setattr(_chunk_reading, "KEPT_NBYTES", 0)
    features, owners = blobs([400, 300, 200, 100])
    querier = BadgeQuerier(
        LogisticRegression(),
        strategy=TypiClust(max_clusters=4, n_candidates=100),
        random_state=0,
    )
    querier.fit(CENTERS[:2], [0, 1])
    chunks = from_arrays(np.array_split(features, 7), chunk_rows=60)
    rows, report = querier.query(chunks, 8, return_report=True)
    assert owners[rows].tolist() == [2, 3, 0, 1] * 2
    # Of 10,000 rows, and there are no more, and 100 candidates.
    assert report.notes == (
        "clustered 1000 of 1000 rows, and picked from 100, drawn uniformly",
    )
    mask = np.arange(1000) % 2 > 0
    rows = querier.query(chunks, 8, candidates=mask)
    assert mask[rows].all()
    querier.set_params(strategy__n_candidates=1000)
    rows, report = querier.query(chunks, 8, return_report=True)
    np.testing.assert_array_equal(rows, querier.query(features, 8))
    assert report.notes == ()


def test_ten_labels_of_digits_are_of_more_classes_than_random_ones():
    X, y = load_digits(return_X_y=True)
    rng = np.random.RandomState(0)
    by_chance = [len(set(y[rng.choice(len(y), 10, False)])) for _ in range(50)]
    typical = [
        len(set(y[TypiClust().select(Outputs(features=X), 10, random_state=seed)]))
        for seed in range(5)
    ]
    assert np.mean(typical) > np.mean(by_chance) + 1.5
