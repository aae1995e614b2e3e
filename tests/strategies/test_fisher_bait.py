"""BAIT is the greedy search on Fisher embeddings."""

import re
import tracemalloc

import numpy as np
import pytest

from skbadge import samplers
from skbadge.embeddings import DenseEmbedding, FisherSketch, fisher_embedding
from skbadge.outputs import Labeled, Outputs
from skbadge.samplers import Feasible, bait_greedy
from skbadge.strategies import Bait
from tests.samplers._bait_oracle import (
    Oracle,
    binary_information,
    full_information,
    outputs,
    stack,
    top_k_information,
)


def pool(n_rows=60, n_classes=4, seed=0, **fields):
    return Outputs(*outputs(n_rows, n_classes, seed=seed), **fields)


def labeled(n_rows=8, n_classes=4, **fields):
    return Labeled(pool(n_rows, n_classes, seed=1, **fields), np.zeros(n_rows))


@pytest.mark.parametrize(
    "embedding",
    [
        {},
        {"include_bias": True},
        {"fisher": "top_k"},
        {"fisher": "top_k", "n_top_classes": 3},
        {"fisher": "binary"},
    ],
)
@pytest.mark.parametrize(
    "search",
    [
        {},
        {"regularization": 0.01, "oversampling": 3.0},
        {"labeled_weighting": "counts"},
        {"labeled_weighting": "mean", "oversampling": 1},
    ],
)
@pytest.mark.parametrize("one_logit", [False, True])
def test_rows_are_those_of_the_search_on_the_embedding(embedding, search, one_logit):
    n_classes = 2 if one_logit else 4
    rows = pool(n_classes=n_classes, one_logit=one_logit)
    known = labeled(n_classes=n_classes, one_logit=one_logit)
    fishers = [
        fisher_embedding(part.proba, part.features, one_logit=one_logit, **embedding)
        for part in (rows, known.outputs)
    ]
    expected = bait_greedy(fishers[0], 7, labeled=fishers[1], **search)
    strategy = Bait(**embedding, **search)
    selection = strategy.run(rows, 7, labeled=known, random_state=0)
    np.testing.assert_array_equal(selection.rows, expected.rows)
    np.testing.assert_allclose(selection.values, expected.values)
    np.testing.assert_allclose(selection.norms, expected.norms)
    # The features are those of the outputs.
    assert selection.nbytes == expected.nbytes - rows.features.nbytes


@pytest.mark.parametrize(
    ("fisher", "information"),
    [
        ("full", (full_information,)),
        ("top_k", (top_k_information, 2)),
        ("binary", (binary_information,)),
    ],
)
def test_rows_are_those_of_brute_force(fisher, information):
    function, *args = information
    rows, known = pool(10), labeled(5)
    oracle = Oracle(
        stack(function, rows.proba, rows.features, *args),
        stack(function, known.outputs.proba, known.outputs.features, *args),
        4,
        1.0,
        "repo",
    )
    selected = Bait(fisher=fisher).select(rows, 4, labeled=known)
    assert selected.tolist() == oracle.search()[1]


def test_top_k_of_all_classes_selects_as_the_whole():
    expected = Bait().select(pool(), 9, labeled=labeled())
    for n_top in (4, 7):
        rows = Bait(fisher="top_k", n_top_classes=n_top).select(
            pool(), 9, labeled=labeled()
        )
        np.testing.assert_array_equal(rows, expected)
    rows = Bait(fisher="top_k", n_top_classes=1).select(pool(), 9, labeled=labeled())
    assert (rows != expected).any()


def test_two_columns_select_as_one_logit_with_half_the_regularisation():
    np.testing.assert_array_equal(
        Bait(regularization=2.0).select(pool(n_classes=2), 9),
        Bait(regularization=1.0).select(pool(n_classes=2, one_logit=True), 9),
    )


def test_float32_selects_as_float64():
    rows = pool()
    single = Outputs(rows.proba.astype(np.float32), rows.features.astype(np.float32))
    np.testing.assert_array_equal(Bait().select(rows, 9), Bait().select(single, 9))


def test_a_sketch_is_drawn_from_the_random_state_once_for_all_rows():
    rows, known = pool(), labeled()
    sketch = FisherSketch(3, 3, 6, random_state=7)
    fishers = [
        fisher_embedding(part.proba, part.features, sketch=sketch)
        for part in (rows, known.outputs)
    ]
    expected = bait_greedy(fishers[0], 5, labeled=fishers[1]).rows
    strategy = Bait(n_columns=6)
    selected = strategy.select(rows, 5, labeled=known, random_state=7)
    np.testing.assert_array_equal(selected, expected)
    others = [
        strategy.select(rows, 5, labeled=known, random_state=seed) for seed in range(5)
    ]
    assert any((other != expected).any() for other in others)


def test_a_sketch_with_many_columns_serves_as_well_as_none():
    rows = pool(200, 5)
    information = stack(full_information, rows.proba, rows.features)
    oracle = Oracle(information, None, 10, 0.1, "repo")
    best = oracle.objective(Bait(regularization=0.1).select(rows, 10))
    rng = np.random.RandomState(0)
    chance = np.mean([oracle.objective(rng.permutation(200)[:10]) for _ in range(20)])

    def left(q):
        strategy = Bait(regularization=0.1, n_columns=q)
        picks = [strategy.select(rows, 10, random_state=seed) for seed in range(4)]
        return np.mean([oracle.objective(pick) for pick in picks])

    assert left(300) < best + 0.05 * (chance - best)
    assert left(300) < left(4) < chance


def test_it_weighs_the_labelled_rows():
    # The labelled rows know the first direction, so that the second is asked for.
    features = np.array([[3.0, 0.0], [0.0, 2.9], [2.9, 0.1]])
    rows = Outputs(np.full((3, 2), 0.5), features)
    outputs_of_labeled = Outputs(np.full((9, 2), 0.5), np.tile([5.0, 0], (9, 1)))
    known = Labeled(outputs_of_labeled, np.zeros(9))
    assert Bait().select(rows, 1)[0] != 1
    assert Bait().select(rows, 1, labeled=known)[0] == 1


def needed(strategy, rows, known):
    with pytest.raises(ValueError, match="BAIT would hold") as caught:
        strategy.set_params(max_bytes=0).select(rows, 2, labeled=known)
    return int(re.search(r"hold (\d+) bytes", str(caught.value)).group(1))


@pytest.mark.parametrize(
    ("shape", "parameters"),
    [
        ((30_000, 10, 4), {}),
        ((30_000, 10, 4), {"include_bias": True}),
        ((30_000, 20, 4), {"fisher": "top_k", "n_top_classes": 3}),
        ((400, 2, 1200), {}),
        ((400, 1000, 1200), {"fisher": "binary"}),
        ((1000, 60, 300), {"n_columns": 40}),
    ],
)
def test_memory_is_computed_ahead_and_refused(shape, parameters):
    rows = Outputs(*(part.astype(np.float32) for part in outputs(*shape)))
    known = Labeled(Outputs(rows.proba[:20], rows.features[:20]), np.zeros(20))
    strategy = Bait(**parameters)
    stated = needed(strategy, rows, known)
    strategy.set_params(max_bytes=stated)
    tracemalloc.start()
    strategy.select(rows, 2, labeled=known, random_state=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.3 * stated < peak <= stated
    strategy.set_params(max_bytes=stated - 1)
    with pytest.raises(ValueError, match=f"above `max_bytes`={stated - 1}"):
        strategy.select(rows, 2, labeled=known)


def test_memory_counts_the_roots_of_labelled_rows():
    with_labeled, without = (needed(Bait(), pool(), part) for part in (labeled(), None))
    assert with_labeled - without == 8 * 8 * 3 * 3


def test_a_refusal_names_the_ways_out():
    proba = np.full((50, 1000), 1e-3, dtype=np.float32)
    rows = Outputs(proba, np.ones((50, 512), dtype=np.float32))
    with pytest.raises(ValueError, match="BAIT would hold") as caught:
        Bait().select(rows, 2)
    message = str(caught.value)
    for part in ("bytes", "GiB", f"`max_bytes`={2**32}", "50 rows", "511488 param"):
        assert part in message
    for way in ("'binary'", "'top_k'", "`n_columns`", "a random part of the pool"):
        assert way in message
    assert len(Bait(fisher="binary").select(rows, 2)) == 2
    top = Bait(fisher="top_k", n_columns=20)
    assert len(top.select(rows, 2, random_state=0)) == 2


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"regularization": 0}, "'regularization' parameter of Bait"),
        ({"regularization": -1.0}, "'regularization' parameter of Bait"),
        ({"oversampling": 0.9}, "'oversampling' parameter of Bait"),
        ({"n_top_classes": 0}, "'n_top_classes' parameter of Bait"),
        ({"n_columns": 0}, "'n_columns' parameter of Bait"),
    ],
)
def test_parameters_out_of_range_are_refused(change, match):
    with pytest.raises(ValueError, match=match):
        Bait(**change).select(pool(), 2)


@pytest.mark.parametrize("name", ["proba", "features"])
def test_labelled_rows_of_another_width_are_refused(name):
    rows, known = pool(), labeled()
    fields = {"proba": known.outputs.proba, "features": known.outputs.features}
    fields[name] = fields[name][:, :2]
    if name == "proba":
        fields[name] = fields[name] / fields[name].sum(axis=1, keepdims=True)
    with pytest.raises(
        ValueError, match=rf"`labeled.outputs.{name}` must have as many"
    ):
        Bait().select(rows, 2, labeled=Labeled(Outputs(**fields), known.y))


def test_bad_outputs_of_the_model_are_refused():
    rows = pool()
    proba, features = rows.proba.copy(), rows.features.copy()
    proba[3], features[5] = np.nan, np.inf
    with pytest.raises(ValueError, match=r"`pool.proba` must hold.*row 3"):
        Bait().select(Outputs(proba, rows.features), 3)
    with pytest.raises(ValueError, match=r"`pool.features` must be finite.*is row 5"):
        Bait().select(Outputs(rows.proba, features), 3)


def test_feasible_rows_are_those_of_the_search():
    rows, known = pool(12), labeled(5)
    repeats = np.arange(12) < 2
    feasible = Feasible(
        12,
        mask=np.arange(12) != 6,
        groups=np.arange(12) % 6,
        pending=[9, 4],
        repeats=repeats,
    )
    oracle = Oracle(
        stack(full_information, rows.proba, rows.features),
        stack(full_information, known.outputs.proba, known.outputs.features),
        2,
        0.1,
        "repo",
        feasible=feasible,
    )
    strategy = Bait(regularization=0.1)
    selected = strategy.select(rows, 2, labeled=known, feasible=feasible)
    assert selected.tolist() == oracle.search()[1]


def test_memory_counts_the_copies_of_the_rows_that_may_be_selected():
    rows = Outputs(*(part.astype(np.float32) for part in outputs(30_000, 10, 4)))
    mask = np.arange(30_000) % 3 > 0
    strategy = Bait()
    with pytest.raises(ValueError, match="BAIT would hold") as caught:
        strategy.set_params(max_bytes=0).select(rows, 2, feasible=mask)
    stated = int(re.search(r"hold (\d+) bytes", str(caught.value)).group(1))
    strategy.set_params(max_bytes=stated)
    tracemalloc.start()
    strategy.select(rows, 2, feasible=mask, random_state=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.3 * stated < peak <= stated


def test_binary_information_is_the_regression_form_on_scaled_features():
    rows, known = pool(80, 5), labeled(9, 5)

    def scaled(part):
        # v = sqrt(p (1 - p)) z of the greatest probability p.
        p = part.proba.max(axis=1, keepdims=True)
        return DenseEmbedding(np.sqrt(p * (1 - p)) * part.features)

    strategy = Bait(fisher="binary", labeled_weighting="counts", regularization=0.25)
    selection = strategy.run(rows, 12, labeled=known)
    expected = samplers.Bait(sigma=0.5).run(
        scaled(rows), 12, labeled=scaled(known.outputs)
    )
    np.testing.assert_array_equal(selection.rows, expected.rows)
    # Variances are those of the trace times that of the noise.
    np.testing.assert_allclose(0.25 * selection.values, expected.values)
