"""DropQuery: held to loops over given masks, and its law of dropping out."""

from functools import partial

import numpy as np
import pytest
from scipy import sparse
from scipy.stats import chisquare
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from skbadge import BadgeQuerier
from skbadge.exceptions import QueryWarning
from skbadge.outputs import Head, Outputs, model_outputs
from skbadge.outputs._chunked_outputs import ChunkedOutputs
from skbadge.pools import from_arrays
from skbadge.pools._engines import open_engine
from skbadge.samplers import Feasible
from skbadge.strategies import DropQuery, _drop_query
from skbadge.strategies._drop_query import RandomMasks, prediction_changes
from skbadge.utils._clustering import cluster

N_ROWS, N_FEATURES, N_CLASSES = 90, 12, 4


def make_pool(n_rows=N_ROWS, dtype=np.float64, seed=0):
    rng = np.random.RandomState(seed)
    features = rng.normal(size=(n_rows, N_FEATURES)) * (rng.rand(n_rows, 1) > 0.1)
    weight = rng.normal(size=(N_CLASSES, N_FEATURES))
    head = Head(weight.astype(dtype), rng.normal(size=N_CLASSES).astype(dtype))
    proba = np.full((n_rows, N_CLASSES), 1 / N_CLASSES)
    return Outputs(proba, features.astype(dtype), head=head)


class GivenMasks:
    """Masks that a test has chosen."""

    def __init__(self, kept, rate):
        self.kept_ = kept
        self.n_masks = len(kept)
        self.rate = rate

    def kept(self, mask, rows, columns):
        return self.kept_[mask][rows, columns]


def changes_by_loop(pool, kept, rate):
    """Row by row, mask by mask, without a product of matrices."""
    weight, bias = pool.head
    changes = []
    for i, row in enumerate(pool.features):
        whole = [float(row @ w + b) for w, b in zip(weight, bias, strict=True)]
        count = 0
        for mask in kept:
            left = np.array(
                [x / (1 - rate) if k else 0.0 for x, k in zip(row, mask[i])]
            )
            logits = [float(left @ w + b) for w, b in zip(weight, bias, strict=True)]
            count += np.argmax(logits) != np.argmax(whole)
        changes.append(count)
    return np.array(changes)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, sparse.csr_array])
@pytest.mark.parametrize("block", [1, 2**15])
def test_changes_are_those_of_a_loop_over_given_masks(form, dtype, block, monkeypatch):
    monkeypatch.setattr(_drop_query, "MASKED_ENTRIES", block)
    pool = make_pool(dtype=dtype)
    kept = np.random.RandomState(1).rand(5, N_ROWS, N_FEATURES) > 0.6
    expected = changes_by_loop(pool, kept, 0.6)
    assert set(expected) == set(range(6))
    before = form(pool.features)
    features = form(pool.features)
    changes = prediction_changes(features, pool.head, GivenMasks(kept, 0.6))
    np.testing.assert_array_equal(changes, expected)
    assert abs(features - before).max() == 0


def test_masks_drop_each_feature_of_each_row_by_itself():
    masks = RandomMasks(7, 3, 0.75)
    rows, columns = np.arange(4000)[:, None], np.arange(8)
    kept = np.stack([masks.kept(mask, rows, columns) for mask in range(3)])
    # Of three masks, eight neighbours in a row or in a column: all patterns of 0 and 1.
    for bits in (kept.reshape(-1, 8), kept.swapaxes(1, 2).reshape(-1, 8)):
        counts = np.bincount(bits @ (1 << np.arange(8)), minlength=256)
        ones = np.array([bin(pattern).count("1") for pattern in range(256)])
        law = 0.25**ones * 0.75 ** (8 - ones)
        few = law * len(bits) < 5
        counts = np.append(counts[~few], counts[few].sum())
        expected = np.append(law[~few], law[few].sum()) * len(bits)
        assert chisquare(counts, expected).pvalue > 1e-3
    agree = (kept[0] == kept[1]).mean()
    assert abs(agree - (0.75**2 + 0.25**2)) < 0.01


def test_masks_are_the_rows_own():
    masks = RandomMasks(7, 2, 0.5)
    whole = masks.kept(1, np.arange(100)[:, None], np.arange(6))
    part = masks.kept(1, np.arange(40, 60)[:, None], np.arange(6))
    np.testing.assert_array_equal(part, whole[40:60])
    rows, columns = np.nonzero(np.ones((100, 6)))
    np.testing.assert_array_equal(masks.kept(1, rows, columns), whole.ravel())
    other = RandomMasks(8, 2, 0.5).kept(1, np.arange(100)[:, None], np.arange(6))
    assert (other != whole).any()


def masks_of(strategy, seed):
    seed = int(np.random.RandomState(seed).randint(2**31 - 1))
    return RandomMasks(seed, strategy.n_masks, strategy.rate)


@pytest.mark.parametrize(("enough", "least"), [(0, 2), (25, 1)])
def test_rows_are_those_nearest_to_centres_of_the_candidates(
    enough, least, monkeypatch
):
    monkeypatch.setattr(_drop_query, "ENOUGH", enough)
    pool, strategy = make_pool(), DropQuery()
    changes = prediction_changes(pool.features, pool.head, masks_of(strategy, 3))
    candidates = np.flatnonzero(changes >= least)
    assert 8 < len(candidates) < N_ROWS
    selection = strategy.run(pool, 8, random_state=3)
    assert set(selection.rows) <= set(candidates)
    assert selection.value_name == "changes"
    np.testing.assert_array_equal(selection.values, changes[selection.rows])
    norms = np.linalg.norm(pool.features[candidates], axis=1, keepdims=True)
    z = pool.features[candidates] / np.where(norms == 0, 1, norms)
    rng = np.random.RandomState(3)
    rng.randint(2**31 - 1)
    rng.randint(2**31 - 1)  # Of ties.
    _, centers = cluster(z, 8, rng)
    left, expected = list(range(len(z))), []
    for center in centers:
        expected.append(min(left, key=lambda i: np.linalg.norm(z[i] - center)))
        left.remove(expected[-1])
    np.testing.assert_array_equal(selection.rows, candidates[expected])


@pytest.mark.parametrize("n_masks", [1, 2, 3, 4])
def test_more_than_half_of_the_trials_count(n_masks, monkeypatch):
    monkeypatch.setattr(_drop_query, "ENOUGH", 0)
    pool, strategy = make_pool(), DropQuery(n_masks=n_masks)
    changes = prediction_changes(pool.features, pool.head, masks_of(strategy, 0))
    n = np.count_nonzero(changes > n_masks / 2)
    rows = strategy.select(pool, n, random_state=0)
    assert set(rows) == set(np.flatnonzero(changes > n_masks / 2))


def test_a_rate_of_0_leaves_no_candidate():
    counts = np.zeros(20)
    for seed in range(300):
        with pytest.warns(QueryWarning, match="Only 0 of 4 rows changed their predic"):
            selection = DropQuery(rate=0).run(make_pool(20), 4, random_state=seed)
        np.testing.assert_array_equal(selection.values, 0)
        assert len(selection.fallbacks) == 1
        counts[selection.rows] += 1
    assert chisquare(counts).pvalue > 1e-3


def test_all_candidates_are_selected_before_any_other_row():
    pool = make_pool()
    # No feature: nothing to lose.
    pool.features[10:] = 0
    with pytest.warns(QueryWarning, match=r"Only \d of 15 rows changed"):
        selection = DropQuery().run(pool, 15, random_state=0)
    n = np.count_nonzero(selection.values)
    assert 0 < n < 10
    assert set(selection.rows[:n]) < set(range(10))
    assert (selection.values[n:] == 0).all()
    assert len(set(selection.rows)) == 15


def test_candidates_may_be_few_because_of_their_groups():
    pool = make_pool()
    groups = np.arange(N_ROWS) % 3
    feasible = Feasible(N_ROWS, None, groups, 2, pending=[0, 4])
    rows = DropQuery().select(pool, 4, feasible=feasible, random_state=0)
    assert sorted(groups[rows]) == [0, 1, 2, 2]


def test_rows_all_wanted_are_no_fallback():
    selection = DropQuery().run(make_pool(12), 12, random_state=0)
    assert selection.fallbacks == ()
    n = np.count_nonzero(selection.values)
    assert (selection.values[:n] > 0).all()


def test_a_pending_row_takes_a_centre():
    # Two kinds of rows, by angle: where one waits, the other is picked.
    rng = np.random.RandomState(0)
    kinds = np.arange(40) % 2
    features = np.eye(2)[kinds] + 0.01 * rng.rand(40, 2)
    head = Head(np.array([[1.0, 1.0], [0.0, 0.0]]), np.array([-0.5, 0.0]))
    pool = Outputs(np.full((40, 2), 0.5), features, head=head)
    for seed in range(10):
        feasible = Feasible(40, pending=[seed])
        row = DropQuery().select(pool, 1, feasible=feasible, random_state=seed)
        assert kinds[row] != kinds[seed]


def test_regressors_and_models_without_a_last_layer_are_refused():
    X, y = np.random.RandomState(0).normal(size=(30, 3)), np.arange(30) % 2
    with pytest.raises(ValueError, match=r"DropQuery\(\) needs class probabilities"):
        BadgeQuerier(Ridge(), strategy="drop_query").fit(X, y.astype(float)).query(X)
    with pytest.raises(TypeError, match="LinearSVC has no `predict_proba`"):
        BadgeQuerier(LinearSVC(), strategy="drop_query").fit(X, y).query(X)
    querier = BadgeQuerier(KNeighborsClassifier(), strategy="drop_query").fit(X, y)
    with pytest.raises(TypeError, match="KNeighborsClassifier has no last linear lay"):
        querier.query(X)


def test_of_too_many_candidates_of_a_stream_a_sample_is_clustered(monkeypatch):
    monkeypatch.setattr(_drop_query, "MOST_CLUSTERED", 15)
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(400, 6)), rng.randint(3, size=400)
    model, strategy = LogisticRegression().fit(X[:30], y[:30]), DropQuery()
    read = partial(model_outputs, model, needs=strategy.needs)
    outputs = read(X)
    pool = from_arrays(X, chunk_rows=70)
    seen = set()
    with open_engine(pool) as engine:
        stream = ChunkedOutputs(pool, read, engine)
        for seed in range(12):
            selection = strategy.run(stream, 10, random_state=seed)
            masks = masks_of(strategy, seed)
            changes = prediction_changes(outputs.features, outputs.head, masks)
            np.testing.assert_array_equal(selection.values, changes[selection.rows])
            n_candidates = np.count_nonzero(changes > 1)
            if n_candidates < 250:
                n_candidates = np.count_nonzero(changes)
                assert (selection.values > 0).all()
            (note,) = selection.notes
            assert note.startswith(f"15 of {n_candidates} candidates, drawn uniformly")
            seen |= set(selection.rows)
    assert len(seen) > 60


def test_sparse_rows_stay_sparse_and_select_the_same():
    rng = np.random.RandomState(0)
    X = rng.rand(120, 30) * (rng.rand(120, 30) > 0.8)
    y = np.arange(120) % 3
    model = LogisticRegression(C=100.0)
    querier = BadgeQuerier(model, strategy="drop_query", random_state=0)
    expected = querier.fit(X[:40], y[:40]).query(X[40:], 6)
    rows = sparse.csr_matrix(X)
    querier.fit(rows[:40], y[:40])
    np.testing.assert_array_equal(querier.query(rows[40:], 6), expected)
    assert sparse.issparse(querier.outputs(rows).features)
