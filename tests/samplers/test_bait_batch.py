"""What rows of a batch are worth to it, by exact arithmetic."""

from fractions import Fraction

import numpy as np
import pytest

from skbadge.embeddings import DenseEmbedding, fisher_embedding
from skbadge.samplers import Bait, bait_greedy
from skbadge.samplers._bait import VectorFisher
from skbadge.samplers._bait_batch import BatchState
from skbadge.samplers._bait_greedy import initial_state


def exact_traces(roots, known, target, regularization):
    """The objective without each row, and with all, in fractions.

    The roots of a row are an array of shape (rank, n_parameters), known ones are
    already weighted.
    """

    def trace(blocks):
        M = np.diag([Fraction(regularization)] * len(target)).astype(object)
        M[M == 0] = Fraction(0)
        for block in [*blocks, known]:
            rational = np.vectorize(Fraction, otypes=[object])(block)
            M = M + rational.T @ rational
        right = np.vectorize(Fraction, otypes=[object])(target)
        n = len(M)
        # Gauss and Jordan: M X = F-bar, of which the trace.
        for i in range(n):
            pivot = M[i, i]
            M[i], right[i] = M[i] / pivot, right[i] / pivot
            for j in range(n):
                if j != i:
                    factor = M[j, i]
                    M[j], right[j] = M[j] - factor * M[i], right[j] - factor * right[i]
        return sum(right.diagonal())

    whole = trace(roots)
    rest = [[*roots[:i], *roots[i + 1 :]] for i in range(len(roots))]
    return np.array([float(trace(blocks) - whole) for blocks in rest])


def pool(kind, rng):
    X = np.round(30 * rng.normal(size=(20, 6)), 3)
    if kind == "copies":
        X[1:3] = X[0]
    if kind == "low rank":
        X = np.round(rng.normal(size=(20, 2)), 1) @ np.round(rng.normal(size=(2, 6)), 1)
    if kind == "near copies":
        X[1] = X[0] * (1 + 1e-9)
    return X


@pytest.mark.parametrize("n_labeled", [0, 2, 9])
@pytest.mark.parametrize("kind", ["plain", "copies", "low rank", "near copies"])
def test_losses_are_those_of_exact_arithmetic(kind, n_labeled):
    rng = np.random.RandomState(0)
    X, labeled = pool(kind, rng), pool("plain", rng)[:n_labeled]
    state = initial_state(
        VectorFisher(DenseEmbedding(X)),
        VectorFisher(DenseEmbedding(labeled)) if n_labeled else None,
        2,
        regularization=1e-6,
        labeled_weighting="counts",
    )
    batch = BatchState(state, np.arange(4))
    # With all, and when it was brought up to date.
    for rows in ([0, 1, 2, 3], [0, 1, 3], [0, 3]):
        if len(rows) < 4:
            batch.remove(2 if len(rows) == 3 else 1)
        blocks = [X[[row]] for row in rows]
        expected = exact_traces(blocks, labeled, state.target, 1e-6)
        losses = batch.losses()
        assert np.isinf(np.delete(losses, rows)).all()
        assert batch.rounding < 1e-11 * expected.max()
        np.testing.assert_allclose(
            losses[rows], expected, rtol=1e-9, atol=batch.rounding
        )


def test_losses_of_rows_of_many_roots():
    rng = np.random.RandomState(0)
    fisher = fisher_embedding(rng.dirichlet(np.ones(3), 9), rng.normal(size=(9, 4)))
    labeled = fisher.take(slice(2))
    state = initial_state(
        fisher, labeled, 3, regularization=1e-4, labeled_weighting="repo"
    )
    batch = BatchState(state, np.array([4, 6, 7, 8]))
    share = np.sqrt(state.weight)
    known = fisher.dense()[:2].reshape(-1, fisher.n_parameters) / np.sqrt(5)
    batch.remove(1)
    blocks = [share * fisher.dense()[row] for row in (4, 7, 8)]
    losses = exact_traces(blocks, known, state.target, 1e-4)
    np.testing.assert_allclose(batch.losses()[[0, 2, 3]], losses, rtol=1e-9)


@pytest.mark.parametrize("shape", [(40, 30), (40, 50), (200, 8), (200, 60)])
@pytest.mark.parametrize("n_labeled", [0, 10])
@pytest.mark.parametrize("n", [5, 12])
def test_rounding_of_the_rows_changes_no_pick(shape, n_labeled, n):
    for seed in range(3):
        rng = np.random.RandomState(seed)
        X = rng.normal(size=shape)
        labeled = None
        if n_labeled:
            labeled = DenseEmbedding(rng.normal(size=(n_labeled, shape[1])))
        rounded = X * (1 + 1e-15 * rng.normal(size=shape))
        picks = [
            Bait().sample(DenseEmbedding(rows), n, labeled=labeled, random_state=0)
            for rows in (X, rounded)
        ]
        np.testing.assert_array_equal(*picks)


def test_rounding_of_rows_of_low_rank_changes_no_pick():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(300, 6)) @ rng.normal(size=(6, 40))
    for n in (4, 15, 30):
        picks = [
            Bait().sample(DenseEmbedding(rows), n, random_state=0)
            for rows in (X, X * (1 + 1e-15 * rng.normal(size=X.shape)))
        ]
        np.testing.assert_array_equal(*picks)


def test_more_roots_than_are_held_are_removed_by_the_columns_first(monkeypatch):
    rng = np.random.RandomState(0)
    embedding = DenseEmbedding(rng.normal(size=(100, 10)))
    picks = Bait(sigma=0.1).sample(embedding, 6, random_state=0)
    many = Bait(sigma=0.1, oversampling=5.0)
    expected = many.sample(embedding, 6, random_state=0)
    monkeypatch.setattr("skbadge.samplers._bait_greedy.FEW_ROOTS", 0)
    assert Bait(sigma=0.1).sample(embedding, 6, random_state=0).tolist() == list(picks)
    assert many.sample(embedding, 6, random_state=0).tolist() == expected.tolist()


# Scale


@pytest.mark.parametrize("power", [-498, -300, -120, 120, 300, 506])
@pytest.mark.parametrize("n_labeled", [0, 5])
def test_rows_and_noise_in_other_units_are_the_same(power, n_labeled):
    rng = np.random.RandomState(0)
    X, L = rng.normal(size=(40, 8)), rng.normal(size=(n_labeled, 8))
    selections = []
    for factor in (1.0, 2.0**power):
        labeled = DenseEmbedding(factor * L) if n_labeled else None
        sampler = Bait(sigma=factor * 1e-2)
        rows = DenseEmbedding(factor * X)
        selections.append(sampler.run(rows, 6, labeled=labeled, random_state=0))
    np.testing.assert_array_equal(selections[0].rows, selections[1].rows)
    values = np.ldexp(selections[1].values, -2 * power)
    np.testing.assert_allclose(values, selections[0].values, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e20, 1e80, 1e150])
def test_noise_far_below_the_rows_is_refused(scale):
    rows = DenseEmbedding(scale * np.random.RandomState(0).normal(size=(40, 8)))
    match = r"`sigma`=0.001 is too small beside the rows, with norms up to \d.*e\+"
    with pytest.raises(ValueError, match=match):
        Bait().sample(rows, 4)


def test_noise_far_below_the_labelled_rows_is_refused():
    rows = np.random.RandomState(0).normal(size=(40, 8))
    with pytest.raises(ValueError, match=r"`sigma`=0.001 is too small beside the rows"):
        Bait().sample(DenseEmbedding(rows), 4, labeled=DenseEmbedding(1e80 * rows))


def test_noise_far_above_the_rows_leaves_what_each_alone_would_do():
    X = np.random.RandomState(0).normal(size=(40, 8))
    target = X.T @ X / 40
    gains = np.einsum("ij,ij->i", X @ target, X)
    for sigma, scale in [(1e20, 1.0), (1e70, 1.0), (1e-3, 1e-90), (1.0, 1e-60)]:
        rows = DenseEmbedding(scale * X)
        selection = Bait(sigma=sigma, oversampling=1.0).run(rows, 5)
        np.testing.assert_array_equal(selection.rows, np.argsort(-gains)[:5])
        # Below 1e-308, there is no such number.
        if scale**4 > 0 and scale**4 / sigma**2 > 1e-300:
            expected = np.sort(gains)[:-6:-1] * scale**4 / sigma**2
            np.testing.assert_allclose(selection.values, expected)


def test_information_out_of_range_is_refused():
    rng = np.random.RandomState(0)
    proba, features = rng.dirichlet(np.ones(3), 20), 1e20 * rng.normal(size=(20, 4))
    with pytest.raises(ValueError, match=r"which goes up to .*e\+4"):
        bait_greedy(fisher_embedding(proba, features), 3, regularization=1e-30)
