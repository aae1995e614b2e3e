"""Embedding strategies: each against its definition on dense matrices."""

from functools import partial
from typing import get_args

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skbadge.embeddings import (
    AcsRandomFeatures,
    DenseEmbedding,
    LaplaceEmbedding,
    NNGPEmbedding,
    NTKEmbedding,
    OuterProductEmbedding,
    Posterior,
    Scale,
    Sketch,
    gradient_embedding,
    sketch,
)
from skbadge.exceptions import QueryWarning
from skbadge.outputs import Labeled, Needs, Outputs
from skbadge.outputs._chunked_outputs import ChunkedOutputs
from skbadge.pools import from_arrays
from skbadge.pools._engines import open_engine
from skbadge.samplers import KCenter, KMeansPlusPlus, MaxDet, Random
from skbadge.strategies import CoreSet, EmbeddingStrategy, get_strategy
from skbadge.strategies._kernels import KERNELS, KernelName

FACTORS = (0.5, 0.3)
NAMES = [
    "acs_fw",
    "posterior_kmeans_plus_plus",
    "posterior_bait",
    "posterior_variance",
    "posterior_max_det",
    "core_set",
    "lcmd",
]


def outputs(n, seed=0, **fields):
    rng = np.random.RandomState(seed)
    # A few directions carry most of the variance, as in the embeddings of nets.
    features = rng.normal(size=(n, 6)) * [5, 3, 1, 1, 0.3, 0.1] + 1
    return Outputs(
        features=features,
        inputs=rng.normal(size=(n, 3)),
        gradients=OuterProductEmbedding(
            rng.normal(size=(n, 4)), rng.normal(size=(n, 5))
        ),
        feature_factors=FACTORS,
        **fields,
    )


def labeled(n=8, seed=1):
    return Labeled(outputs(n, seed), np.zeros(n))


def rows_of(strategy, n=7, pool=None, **kwargs):
    pool = outputs(60) if pool is None else pool
    kwargs = {"labeled": labeled(), "random_state": 0, **kwargs}
    return strategy.select(pool, n, **kwargs)


# The same, written out


def last_layer(part):
    column = np.full((len(part), 1), FACTORS[1])
    return np.hstack([FACTORS[0] * part.features, column])


def train(pool, known, sigma=1e-3):
    """Posterior features: any root of the inverse will do, here a symmetric one."""
    scale = np.sqrt((known**2).sum(axis=1).mean())
    pool, known = pool / scale, known / scale
    values, vectors = np.linalg.eigh(known.T @ known + sigma**2 * np.eye(pool.shape[1]))
    return sigma * pool @ (vectors / np.sqrt(values)) @ vectors.T


def posterior_variances(pool, known, sigma=1e-3):
    return (train(pool, known, sigma) ** 2).sum(axis=1)


def nearest(pool, centers):
    sq_dists = ((pool[:, None] - centers) ** 2).sum(axis=2)
    return sq_dists.min(axis=1), sq_dists.argmin(axis=1)


def lcmd(pool, known, n):
    picks = []
    for _ in range(n):
        centers = np.vstack([known, pool[picks]])
        sq_dists, owner = nearest(pool, centers)
        sizes = np.bincount(owner, weights=sq_dists, minlength=len(centers))
        in_largest = owner == sizes.argmax()
        picks.append(int(np.where(in_largest, sq_dists, -1).argmax()))
    return picks


def max_dist(pool, known, n):
    picks = []
    for _ in range(n):
        picks.append(int(nearest(pool, np.vstack([known, pool[picks]]))[0].argmax()))
    return picks


def max_det(pool, n, sigma=1e-3):
    picks = []
    for _ in range(n):
        volumes = [
            -np.inf if row in picks else _log_det(pool[[*picks, row]], sigma)
            for row in range(len(pool))
        ]
        picks.append(int(np.argmax(volumes)))
    return picks


def _log_det(batch, sigma):
    return np.linalg.slogdet(batch @ batch.T + sigma**2 * np.eye(len(batch)))[1]


def remaining_variance(pool, batch, sigma=1e-3):
    precision = batch.T @ batch + sigma**2 * np.eye(pool.shape[1])
    return np.trace(np.linalg.solve(precision, pool.T @ pool))


def bait(pool, n):
    picks = []
    for _ in range(2 * n):
        left = [
            np.inf if row in picks else remaining_variance(pool, pool[[*picks, row]])
            for row in range(len(pool))
        ]
        picks.append(int(np.argmin(left)))
    while len(picks) > n:
        left = [
            remaining_variance(pool, pool[picks[:i] + picks[i + 1 :]])
            for i in range(len(picks))
        ]
        del picks[int(np.argmin(left))]
    return picks


def frank_wolfe(pool, n):
    norms = np.linalg.norm(pool, axis=1)
    target, approximation, picks = pool.sum(axis=0), 0 * pool[0], []
    for _ in range(n):
        scores = (pool / norms[:, None]) @ (target - approximation)
        scores[picks] = -np.inf
        picks.append(int(scores.argmax()))
        vertex = norms.sum() * pool[picks[-1]] / norms[picks[-1]]
        along = vertex - approximation
        step = along @ (target - approximation) / (along @ along)
        approximation = approximation + step * along
    return picks


# Named strategies


def test_lcmd_takes_the_gradients_of_all_layers():
    pool, known = outputs(60), labeled()
    dense = [part.gradients.to_dense() for part in (pool, known.outputs)]
    assert_array_equal(rows_of(get_strategy("lcmd")), lcmd(*dense, 7))


def test_lcmd_sketches_gradients_that_were_not_sketched_before():
    pool, known = outputs(60), labeled()
    strategy = get_strategy("lcmd").set_params(n_columns=10)
    seed = np.random.RandomState(0).randint(2**31 - 1)
    dense = [
        sketch(part.gradients, 10, random_state=seed).to_dense()
        for part in (pool, known.outputs)
    ]
    assert_array_equal(rows_of(strategy), lcmd(*dense, 7))
    exact = rows_of(strategy.set_params(n_columns=None))
    assert_array_equal(exact, rows_of(get_strategy("lcmd")))


def test_bald_takes_the_greatest_posterior_variances():
    pool, known = (last_layer(part) for part in (outputs(60), labeled().outputs))
    variances = posterior_variances(pool, known)
    rows = rows_of(get_strategy("posterior_variance"))
    assert_array_equal(rows, np.argsort(-variances)[:7])
    # The kernel's formula, for the features' one.
    scale = np.sqrt((known**2).sum(axis=1).mean())
    kernel = known @ known.T / scale**2 + 1e-6 * np.eye(8)
    across = pool @ known.T / scale**2
    explained = np.einsum("ij,ji->i", across, np.linalg.solve(kernel, across.T))
    expected = (pool**2).sum(axis=1) / scale**2 - explained
    assert_allclose(variances, expected, rtol=1e-3, atol=1e-9)


def test_batch_bald_takes_the_greatest_determinant():
    pool, known = (last_layer(part) for part in (outputs(60), labeled().outputs))
    rows = rows_of(get_strategy("posterior_max_det"))
    assert_array_equal(rows, max_det(train(pool, known), 7))
    assert set(rows) != set(rows_of(get_strategy("posterior_variance")))


def test_bait_brings_the_posterior_variance_down():
    pool, known = (last_layer(part) for part in (outputs(60), labeled().outputs))
    rows = rows_of(get_strategy("posterior_bait"), 4)
    assert_array_equal(rows, bait(train(pool, known), 4))


def test_core_set_is_the_farthest_first_traversal():
    pool, known = (last_layer(part) for part in (outputs(60), labeled().outputs))
    rows = rows_of(get_strategy("core_set"))
    assert_array_equal(rows, max_dist(pool, known, 7))
    assert_array_equal(rows, rows_of(CoreSet()))


def test_badge_draws_by_posterior_distances():
    pool, known = (last_layer(part) for part in (outputs(60), labeled().outputs))
    strategy = get_strategy("posterior_kmeans_plus_plus")
    features = DenseEmbedding(train(pool, known))
    sampler = KMeansPlusPlus(first_center="uniform")
    for seed in range(5):
        expected = sampler.sample(features, 7, random_state=seed)
        assert_array_equal(rows_of(strategy, random_state=seed), expected)


def test_acs_fw_approaches_the_sum_of_expected_log_likelihoods():
    pool, known = (last_layer(part) for part in (outputs(60), labeled().outputs))
    strategy = get_strategy("acs_fw").set_params(n_random_features=200, sigma=0.1)
    # The weights' covariance and the features, from the noise that was drawn.
    seed = np.random.RandomState(0).randint(2**31 - 1)
    noise = np.random.RandomState(seed).standard_normal((7, 200))
    scale = np.sqrt((known**2).sum(axis=1).mean())
    pool, known = pool / scale, known / scale
    precision = known.T @ known + 0.1**2 * np.eye(7)
    covariance = 0.1**2 * np.linalg.inv(precision)
    weights = 0.1 * np.linalg.inv(np.linalg.cholesky(precision)).T @ noise
    ratio = np.einsum("ij,jk,ik->i", pool, covariance, pool)[:, None] / 0.1**2
    deviations = (pool @ weights / 0.1) ** 2
    features = (np.log1p(ratio) - ratio - deviations) / 2 / np.sqrt(200)
    assert_array_equal(rows_of(strategy), frank_wolfe(features, 7))


@pytest.mark.parametrize("name", ["lcmd", "core_set"])
def test_without_labelled_rows_the_first_pick_is_the_longest(name):
    strategy = get_strategy(name).set_params(kernel="last_layer")
    rows = rows_of(strategy, labeled=None)
    assert rows[0] == (last_layer(outputs(60)) ** 2).sum(axis=1).argmax()


@pytest.mark.parametrize(
    "name", ["posterior_variance", "posterior_max_det", "posterior_kmeans_plus_plus"]
)
def test_without_labelled_rows_the_posterior_is_the_prior(name):
    # Rows without norm say nothing about the others.
    pool = last_layer(outputs(60))
    scaled = pool / np.sqrt((pool**2).sum(axis=1).mean())
    strategy = get_strategy(name)
    rows = rows_of(strategy, 4, labeled=None)
    sampler = strategy.recipe().sampler
    if name == "posterior_max_det":
        assert_array_equal(rows, max_det(scaled, 4))
    else:
        expected = sampler.sample(DenseEmbedding(scaled), 4, random_state=0)
        assert_array_equal(rows, expected)


def test_without_labelled_rows_weights_are_drawn_from_the_prior():
    pool = DenseEmbedding(last_layer(outputs(60)))
    strategy = get_strategy("acs_fw").set_params(n_random_features=50, sigma=0.1)
    seed = np.random.RandomState(0).randint(2**31 - 1)
    pool = Scale().fit(pool).transform(pool)
    zeros = DenseEmbedding(np.zeros((3, 7)))
    acs = AcsRandomFeatures(50, sigma=0.1, random_state=seed).fit(zeros)
    features = acs.transform(pool).to_dense()
    assert_array_equal(rows_of(strategy, labeled=None), frank_wolfe(features, 7))


@pytest.mark.parametrize("name", ["lcmd", "posterior_variance", "posterior_max_det"])
def test_the_report_holds_the_transformed_rows(name):
    strategy = get_strategy(name).set_params(kernel="last_layer")
    selection = strategy.run(outputs(60), 5, labeled=labeled(), random_state=0)
    pool, known = (last_layer(part) for part in (outputs(60), labeled().outputs))
    dense = pool if name == "lcmd" else train(pool, known)
    expected = (dense[selection.rows] ** 2).sum(axis=1)
    assert_allclose(selection.norms**2, expected, rtol=1e-5, atol=1e-12)
    assert selection.embedding.shape == (5, 7)


def test_equal_rows_have_equal_chances_with_noise():
    pool = Outputs(features=np.ones((12, 2)))
    strategy = get_strategy("posterior_max_det")
    with np.errstate(all="raise"):
        found = {tuple(strategy.select(pool, 2, random_state=s)) for s in range(40)}
    assert len({row for pair in found for row in pair}) == 12


# The framework


@pytest.mark.parametrize(
    ("kernel", "embed", "needs"),
    [
        ("last_layer", lambda part: DenseEmbedding(last_layer(part)), "features"),
        ("gradients", lambda part: part.gradients, "gradients"),
        ("linear", lambda part: DenseEmbedding(part.inputs), "inputs"),
        ("nngp", lambda part: NNGPEmbedding(part.inputs), "inputs"),
        ("ntk", lambda part: NTKEmbedding(part.inputs), "inputs"),
        ("laplace", lambda part: LaplaceEmbedding(part.inputs), "inputs"),
    ],
)
def test_each_kernel_by_its_name(kernel, embed, needs):
    strategy = EmbeddingStrategy(kernel=kernel, sampler=KCenter())
    assert strategy.needs.fields == (needs,)
    assert strategy.needs.labeled
    pool, known = (embed(part) for part in (outputs(60), labeled().outputs))
    got = strategy.embed(outputs(60))
    assert type(got) is type(pool)
    assert_allclose(got.cross(known), pool.cross(known))
    assert_array_equal(rows_of(strategy), KCenter().sample(pool, 7, labeled=known))


def test_the_default_is_lcmd():
    assert_array_equal(rows_of(EmbeddingStrategy()), rows_of(get_strategy("lcmd")))


def test_a_function_as_a_kernel():
    def laplace(outputs):
        return LaplaceEmbedding(outputs.inputs, gamma=0.1)

    strategy = EmbeddingStrategy(kernel=laplace)
    assert strategy.needs == Needs(features=True, labeled=True)
    laplace.needs = "inputs"
    assert strategy.needs == Needs(inputs=True, labeled=True)
    expected = laplace(outputs(5)).norms_sq()
    assert_array_equal(strategy.embed(outputs(5)).norms_sq(), expected)
    assert rows_of(strategy).shape == (7,)


def test_transformations_follow_one_another():
    sigma = 0.1
    strategy = EmbeddingStrategy(
        kernel="last_layer",
        transforms=[Scale(), Posterior(sigma)],
        sampler=MaxDet(sigma=sigma),
        mode="P",
    )
    pool, known = (last_layer(part) for part in (outputs(60), labeled().outputs))
    assert_array_equal(rows_of(strategy), max_det(train(pool, known, sigma), 7, sigma))
    # Conditioning before the selection, or in it, is the same.
    in_selection = clone(strategy).set_params(transforms=[Scale()], mode="TP")
    assert_array_equal(rows_of(in_selection), rows_of(strategy))
    assert set(rows_of(clone(in_selection).set_params(mode="P"))) != set(
        rows_of(strategy)
    )


def test_a_sketch_among_the_transformations():
    sketching = Sketch(12, random_state=4)
    strategy = EmbeddingStrategy(transforms=[sketching], n_columns=None)
    dense = [
        sketch(part.gradients, 12, random_state=4).to_dense()
        for part in (outputs(60), labeled().outputs)
    ]
    assert_array_equal(rows_of(strategy), lcmd(*dense, 7))
    assert not hasattr(sketching, "seed_")


def test_kernels_without_columns_can_be_conditioned():
    strategy = EmbeddingStrategy(
        kernel="ntk", transforms=[Scale(), Posterior(0.1)], sampler=MaxDet(sigma=0.1)
    )
    rows = rows_of(strategy.set_params(mode="P"))
    pool, known = (NTKEmbedding(p.inputs) for p in (outputs(60), labeled().outputs))
    scale = known.norms_sq().mean()
    K, C = known.cross(known) / scale, pool.cross(known) / scale
    kernel = pool.cross(pool) / scale
    kernel -= C @ np.linalg.solve(K + 0.01 * np.eye(8), C.T)
    values, vectors = np.linalg.eigh(kernel)
    root = vectors * np.sqrt(np.maximum(values, 0))
    assert_array_equal(rows, max_det(root, 7, 0.1))


def test_any_sampler_will_do():
    rows = rows_of(EmbeddingStrategy(kernel="linear", sampler=Random()))
    expected = Random().sample(DenseEmbedding(np.zeros((60, 1))), 7, random_state=0)
    assert_array_equal(rows, expected)


def test_other_things_than_transformations_are_refused():
    with pytest.raises(TypeError, match="`transforms` must hold transformations of"):
        rows_of(EmbeddingStrategy(transforms=["train"]))


def test_labelled_rows_without_norm_are_refused():
    known = Labeled(Outputs(features=np.zeros((2, 6)), feature_factors=(1.0, 0.0)), [0])
    with pytest.raises(ValueError, match="must have a row that is not zero"):
        rows_of(get_strategy("posterior_variance"), labeled=known)


def test_kernels_without_columns_are_refused_where_columns_are_needed():
    for name in ("acs_fw", "posterior_bait"):
        strategy = get_strategy(name).set_params(kernel="ntk")
        with pytest.raises(ValueError, match="The 'kernel' parameter of"):
            rows_of(strategy)


def test_a_missing_scale_is_no_harm_without_labelled_rows():
    pool = Outputs(features=np.zeros((9, 2)), feature_factors=(1.0, 0.0))
    with pytest.warns(QueryWarning, match="drawn uniformly"):
        rows = get_strategy("posterior_bait").select(pool, 3, random_state=0)
    assert len(set(rows)) == 3


@pytest.mark.parametrize("known", [None, labeled()], ids=["alone", "labeled"])
@pytest.mark.parametrize("name", [*NAMES, "scaled"])
def test_on_a_device_the_same_rows_are_picked(name, known, monkeypatch):
    strategy = EmbeddingStrategy(kernel="last_layer", transforms=[Scale()])
    if name != "scaled":
        strategy = get_strategy(name)
    if name == "acs_fw":
        strategy.set_params(n_random_features=32)
    expected = strategy.run(outputs(60), 5, labeled=known, random_state=0)
    kinds = []
    sampler = type(strategy.recipe().sampler)
    run = sampler.run

    def watched(self, embedding, n, *, labeled, **options):
        kinds.extend(type(part).__name__ for part in (embedding, labeled))
        return run(self, embedding, n, labeled=labeled, **options)

    monkeypatch.setattr(sampler, "run", watched)
    # The device is the CPU here; the way through the code is that of a GPU.
    there = outputs(60, device="cpu")
    found = strategy.run(there, 5, labeled=known, random_state=0)
    kept = "TensorOuterProduct" if name == "lcmd" else "TensorEmbedding"
    is_seen = known is not None and strategy.recipe().mode == "TP"
    assert kinds == [kept, kept if is_seen else "NoneType"]
    assert_array_equal(found.rows, expected.rows)
    assert_allclose(found.norms, expected.norms, rtol=1e-6)
    assert type(found.embedding) is type(expected.embedding)


@pytest.mark.parametrize("sampler", [MaxDet(), KMeansPlusPlus(), KCenter()], ids=repr)
@pytest.mark.parametrize("mode", ["P", "TP"])
@pytest.mark.parametrize("space", ["kernel", "features"])
def test_on_a_device_the_same_rows_of_chunks_are_picked(space, mode, sampler):
    strategy = EmbeddingStrategy(
        kernel="last_layer", transforms=[Posterior(space=space)], sampler=sampler
    ).set_params(mode=mode)
    part, known = outputs(60), labeled(2)
    pool = from_arrays(part.features, chunk_rows=25)
    picked = []
    for device in (None, "cpu"):
        read = partial(_features_on, device)
        with open_engine(pool, "serial") as engine:
            chunks = ChunkedOutputs(pool, read, engine)
            picked.append(strategy.select(chunks, 5, labeled=known, random_state=0))
    assert_array_equal(*picked)


def _features_on(device, X):
    return Outputs(features=X, feature_factors=FACTORS, device=device)


def test_sketched_gradients_go_to_the_device():
    strategy = EmbeddingStrategy(kernel="gradients", n_columns=8)
    expected = strategy.run(outputs(60), 5, labeled=labeled(), random_state=0)
    there = outputs(60, device="cpu")
    found = strategy.run(there, 5, labeled=labeled(), random_state=0)
    assert_array_equal(found.rows, expected.rows)
    assert type(found.embedding) is DenseEmbedding


# BADGE among them


def classified(n, seed=0, **fields):
    rng = np.random.RandomState(seed)
    proba = rng.dirichlet(np.ones(4), size=n)
    return Outputs(proba=proba, features=rng.normal(size=(n, 6)), **fields)


def gradients(part, bias=False):
    return gradient_embedding(part.proba, part.features, include_bias=bias)


@pytest.mark.parametrize("device", [None, "cpu"])
@pytest.mark.parametrize("kernel", ["badge", "badge_bias"])
def test_badge_on_what_the_labelled_rows_leave_uncertain(kernel, device):
    pool, known = classified(60), classified(8, seed=1)
    strategy = EmbeddingStrategy(
        kernel,
        transforms=[Scale(), Posterior(0.1)],
        sampler=KMeansPlusPlus(),
        mode="P",
    )
    expected = Needs(proba=True, features=True, sparse=True, labeled=True)
    assert strategy.needs == expected
    dense = [
        gradients(part, kernel == "badge_bias").to_dense() for part in (pool, known)
    ]
    features = DenseEmbedding(train(*dense, sigma=0.1))
    for seed in range(5):
        rows = strategy.select(
            classified(60, device=device),
            7,
            labeled=Labeled(known, np.zeros(8)),
            random_state=seed,
        )
        expected = KMeansPlusPlus().sample(features, 7, random_state=seed)
        assert_array_equal(rows, expected)


@pytest.mark.parametrize("device", [None, "cpu"])
def test_badge_on_sketched_gradients(device):
    strategy = EmbeddingStrategy(
        "badge",
        transforms=[Sketch(16, random_state=3)],
        sampler=KCenter(),
        mode="P",
    )
    # A sketch asks nothing of the labelled rows.
    assert strategy.needs == Needs(proba=True, features=True, sparse=True)
    rows = strategy.select(classified(60, device=device), 7, random_state=0)
    sketched = sketch(gradients(classified(60)), 16, random_state=3)
    assert_array_equal(rows, KCenter().sample(sketched, 7, random_state=0))


def test_names_of_kernels_are_those_of_the_table():
    assert sorted(get_args(KernelName)) == sorted(KERNELS)
