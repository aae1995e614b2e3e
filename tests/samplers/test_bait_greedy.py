"""BAIT's greedy search against brute force, and in the extremes."""

import tracemalloc

import numpy as np
import pytest

from skbadge.embeddings import FisherSketch, fisher_embedding
from skbadge.exceptions import QueryWarning
from skbadge.samplers import bait_greedy
from skbadge.samplers._bait_greedy import bait_nbytes
from tests.samplers._bait_oracle import (
    Oracle,
    binary_information,
    full_information,
    outputs,
    stack,
    top_k_information,
)

WEIGHTINGS = ["repo", "counts", "mean"]
INFORMATION = {
    "full": (full_information,),
    "top_k": (top_k_information, 2),
    "binary": (binary_information,),
}


def assert_same_as(oracle, selection, oversampling=2.0, rtol=1e-7):
    _, kept, values = oracle.search(oversampling)
    assert selection.rows.tolist() == kept
    expected = [values[row] for row in kept]
    np.testing.assert_allclose(selection.values, expected, rtol=rtol)
    assert selection.fallbacks == ()


@pytest.mark.parametrize("fisher", INFORMATION)
@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("regularization", [1e-3, 1.0, 30.0])
def test_picks_are_those_of_brute_force(fisher, weighting, regularization):
    function, *args = INFORMATION[fisher]
    n_pruned = 0
    for seed in range(6):
        (p, z), (pl, zl) = outputs(10, seed=seed), outputs(6, seed=100 + seed)
        oracle = Oracle(
            stack(function, p, z, *args),
            stack(function, pl, zl, *args),
            3,
            regularization,
            weighting,
        )
        selection = bait_greedy(
            fisher_embedding(p, z, fisher=fisher),
            3,
            labeled=fisher_embedding(pl, zl, fisher=fisher),
            regularization=regularization,
            labeled_weighting=weighting,
            random_state=seed,
        )
        rows, kept, _ = oracle.search()
        n_pruned += rows[:3] != kept
        assert_same_as(oracle, selection)
    # Pruning would not be tested if it always undid the last additions.
    assert n_pruned or regularization > 1e-3 or fisher == "binary"


@pytest.mark.parametrize("n", [1, 2, 4, 5, 7, 8])
@pytest.mark.parametrize("oversampling", [1.0, 1.5, 2.0, 4.0])
def test_any_number_of_rows_is_found_as_by_brute_force(n, oversampling):
    for seed in range(3):
        proba, features = outputs(9, 3, seed=seed)
        oracle = Oracle(stack(full_information, proba, features), None, n, 0.1, "repo")
        selection = bait_greedy(
            fisher_embedding(proba, features),
            n,
            regularization=0.1,
            oversampling=oversampling,
        )
        assert_same_as(oracle, selection, oversampling)


@pytest.mark.parametrize("include_bias", [False, True])
def test_one_logit_is_found_as_by_brute_force(include_bias):
    for seed in range(4):
        proba, features = outputs(10, 2, seed=seed)
        full = np.hstack([features, np.ones((10, int(include_bias)))])
        information = stack(binary_information, proba, full)
        oracle = Oracle(information, None, 3, 1.0, "repo")
        embedding = fisher_embedding(
            proba, features, one_logit=True, include_bias=include_bias
        )
        assert_same_as(oracle, bait_greedy(embedding, 3))


@pytest.mark.parametrize("n_classes", [2, 4])
def test_sketched_roots_are_searched_as_they_are(n_classes):
    proba, features = outputs(10, n_classes)
    sketch = FisherSketch(n_classes - 1, 3, 5, random_state=0)
    embedding = fisher_embedding(proba, features, sketch=sketch)
    roots = embedding.dense()
    oracle = Oracle(roots.transpose(0, 2, 1) @ roots, None, 3, 0.2, "repo")
    assert_same_as(oracle, bait_greedy(embedding, 3, regularization=0.2))


def test_a_long_search_is_that_of_brute_force():
    # Long enough for refreshes, with information far beyond the regularisation.
    proba, features = outputs(90, 3, 2)
    pool = stack(full_information, proba, 30 * features)
    oracle = Oracle(pool, None, 42, 1e-3, "repo")
    embedding = fisher_embedding(proba, 30 * features)
    selection = bait_greedy(embedding, 42, regularization=1e-3)
    # Differences of objectives, which start at a million, lose digits in the oracle.
    assert_same_as(oracle, selection, rtol=1e-5)


def test_gains_keep_their_digits_when_much_is_known():
    # A first row of an axis is worth 300,000 times a second, below what an update is
    # refused for: the gains that are left would be those of rounding.
    proba, features = outputs(40, 3, 2)
    embedding = fisher_embedding(proba, features)
    roots = embedding.dense()
    information = roots.transpose(0, 2, 1) @ roots
    regularization = embedding.norms_sq().max() / 3e5
    oracle = Oracle(information, None, 12, regularization, "repo")
    selection = bait_greedy(
        embedding, 12, regularization=regularization, oversampling=1
    )
    assert_same_as(oracle, selection, oversampling=1, rtol=1e-6)


def test_the_batch_is_near_the_best_there_is():
    from itertools import combinations

    for seed in range(5):
        proba, features = outputs(10, 3, seed=seed)
        oracle = Oracle(stack(full_information, proba, features), None, 3, 0.1, "repo")
        rows = bait_greedy(
            fisher_embedding(proba, features), 3, regularization=0.1
        ).rows
        values = sorted(oracle.objective(s) for s in combinations(range(10), 3))
        assert oracle.objective(rows) <= values[5]


def test_values_are_what_each_row_brought_and_norms_those_of_the_roots():
    proba, features = outputs(50)
    embedding = fisher_embedding(proba, features)
    selection = bait_greedy(embedding, 6, oversampling=1)
    oracle = Oracle(stack(full_information, proba, features), None, 6, 1.0, "repo")
    rows = selection.rows.tolist()
    fell = [
        oracle.objective(rows[:i]) - oracle.objective(rows[: i + 1]) for i in range(6)
    ]
    assert selection.value_name == "gain"
    np.testing.assert_allclose(selection.values, fell, rtol=1e-9)
    roots = embedding.dense()[rows]
    np.testing.assert_allclose(
        selection.norms, np.linalg.norm(roots, axis=(1, 2)), rtol=1e-12
    )
    assert selection.nbytes >= embedding.nbytes


def test_all_rows_come_in_the_order_of_what_each_alone_would_do():
    proba, features = outputs(12)
    oracle = Oracle(stack(full_information, proba, features), None, 12, 1.0, "repo")
    selection = bait_greedy(fisher_embedding(proba, features), 12)
    gains = [oracle.objective([]) - oracle.objective([row]) for row in range(12)]
    np.testing.assert_array_equal(selection.rows, np.argsort(gains)[::-1])
    np.testing.assert_allclose(selection.values, np.sort(gains)[::-1], rtol=1e-10)


def test_chance_plays_no_part_but_between_equal_rows():
    proba, features = outputs(60)
    embedding = fisher_embedding(proba, features)
    expected = bait_greedy(embedding, 8, random_state=0).rows
    for seed in range(1, 6):
        rows = bait_greedy(embedding, 8, random_state=seed).rows
        np.testing.assert_array_equal(rows, expected)


def test_of_copies_each_is_as_likely():
    proba, features = outputs(4)
    rows = np.repeat(np.arange(4), 5)
    # Equal but for rounding, as the outputs of a net for equal inputs are.
    rounding = 1 + 1e-15 * np.random.RandomState(0).normal(size=(20, 1))
    embedding = fisher_embedding(proba[rows], features[rows] * rounding)
    draws = [bait_greedy(embedding, 1, random_state=s).rows[0] for s in range(200)]
    original = {row // 5 for row in draws}
    assert len(original) == 1
    counts = np.bincount(np.array(draws) % 5, minlength=5)
    # 200 draws of 5: mean 40, standard deviation 5.7.
    assert counts.min() > 12
    assert counts.max() < 68


def test_of_copies_that_are_not_all_kept_the_first_added_is():
    embedding = fisher_embedding([0.5, 0.5, 0.5], [[3.0, 0], [3.0, 0], [0, 0.01]])
    greatest = bait_greedy(embedding, 2).values.max()
    for seed in range(5):
        selection = bait_greedy(embedding, 1, random_state=seed)
        np.testing.assert_allclose(selection.values, [greatest])


def test_copies_are_taken_where_a_copy_teaches_most():
    # One row says much and the other next to nothing, so that the former counts twice.
    embedding = fisher_embedding([0.5, 0.5, 0.5], [[3.0, 0], [3.0, 0], [0, 0.01]])
    rows = bait_greedy(embedding, 2).rows
    assert sorted(rows) == [0, 1]


@pytest.mark.parametrize("n", [1, 3, 4, 5, 9])
def test_rows_without_information_come_last_and_uniformly(n):
    proba, features = outputs(10)
    features[[1, 4, 7]] = 0
    proba[[2, 5, 8]] = [0, 1, 0, 0]
    embedding = fisher_embedding(proba, features)
    informative = [0, 3, 6, 9]
    if n <= 4:
        rows = bait_greedy(embedding, n, random_state=0).rows
        assert set(rows) <= set(informative)
        return
    seen = set()
    for seed in range(40):
        with pytest.warns(QueryWarning, match=f"Only 4 of {n} rows carry Fisher"):
            selection = bait_greedy(embedding, n, random_state=seed)
        assert len(selection.fallbacks) == 1
        assert sorted(selection.rows[:4]) == informative
        assert len(set(selection.rows.tolist())) == n
        assert not selection.values[4:].any()
        assert not selection.norms[4:].any()
        seen |= set(selection.rows[4:].tolist())
    assert seen == {1, 2, 4, 5, 7, 8}


def test_a_pool_without_information():
    embedding = fisher_embedding(np.eye(3)[[0, 1, 2, 0]], np.ones((4, 2)))
    with pytest.warns(QueryWarning, match="Only 0 of 3"):
        rows = bait_greedy(embedding, 3, random_state=0).rows
    assert len(set(rows.tolist())) == 3
    assert rows.dtype == np.int64


def test_information_far_below_the_regularisation_is_ranked_all_the_same():
    proba, features = outputs(10)
    picks = [
        bait_greedy(fisher_embedding(proba, scale * features), 3, regularization=r)
        for scale, r in ((1.0, 1e8), (1e-60, 1e-112), (1e-10, 1e-12))
    ]
    for selection in picks:
        assert selection.fallbacks == ()
        np.testing.assert_array_equal(selection.rows, picks[0].rows)


def test_nothing_and_too_much_asked_for():
    embedding = fisher_embedding(*outputs(5))
    rows = bait_greedy(embedding, 0).rows
    assert (rows.shape, rows.dtype) == ((0,), np.int64)
    with pytest.warns(QueryWarning, match="`n`=6 is above the 5 rows"):
        rows = bait_greedy(embedding, 6).rows
    assert sorted(rows) == [0, 1, 2, 3, 4]
    assert bait_greedy(embedding.take(slice(1)), 1).rows.tolist() == [0]


def test_no_labelled_rows_are_like_none():
    embedding = fisher_embedding(*outputs(20))
    np.testing.assert_array_equal(
        bait_greedy(embedding, 5, labeled=embedding.take(slice(0))).rows,
        bait_greedy(embedding, 5).rows,
    )


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"regularization": 0}, "'regularization' parameter of bait_greedy.*Got 0"),
        ({"regularization": -1.0}, "'regularization' parameter.*Got -1.0"),
        ({"regularization": np.nan}, "'regularization' parameter.*Got nan"),
        ({"regularization": np.inf}, "'regularization' parameter.*Got inf"),
        ({"oversampling": 0.5}, "'oversampling' parameter.*Got 0.5"),
        ({"labeled_weighting": "sum"}, "'labeled_weighting' parameter.*Got 'sum'"),
        ({"n": -1}, "`n` must be >= 0. Got -1"),
        ({"labeled": fisher_embedding(*outputs(3, 5))}, "Got 12 and 9"),
        ({"regularization": 1e-300}, "`regularization` is too small"),
    ],
)
def test_bad_input_is_refused(parameters, match):
    embedding = fisher_embedding(*outputs(20))
    if parameters.get("regularization") == 1e-300:
        # Two rows, three features: what they leave open has no inverse.
        labeled = fisher_embedding(*outputs(1))
        parameters = {**parameters, "labeled": labeled}
    with pytest.raises(ValueError, match=match):
        bait_greedy(embedding, **{"n": 2, **parameters})


@pytest.mark.parametrize(
    ("n_rows", "n_classes", "n_features", "n", "n_labeled"),
    # Many rows, many parameters, and as many roots in the batch as parameters.
    [(40_000, 10, 4, 2, 30), (60, 2, 1500, 2, 30), (50, 50, 20, 10, 0)],
)
def test_memory_is_within_the_stated_bound(n_rows, n_classes, n_features, n, n_labeled):
    embedding = fisher_embedding(*outputs(n_rows, n_classes, n_features))
    stated = bait_nbytes(n_rows, embedding.rank, embedding.n_parameters)
    labeled = embedding.take(slice(n_labeled))
    tracemalloc.start()
    bait_greedy(embedding, n, labeled=labeled)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.5 * stated < peak < stated
