"""Fisher embeddings against the definition, autograd, and in the extremes."""

import numpy as np
import pytest
import torch

from skbadge.embeddings import FisherSketch, fisher_embedding
from tests.samplers._bait_oracle import (
    binary_information,
    full_information,
    outputs,
    stack,
    top_k_information,
)


def basis(n_classes, n_features):
    """The coordinates of the embedding as columns in those of the definition.

    The reflection that takes the vector of ones to the last axis, less that axis.
    """
    ones = np.full(n_classes, 1 / np.sqrt(n_classes))
    normal = ones - np.eye(n_classes)[-1]
    reflection = np.eye(n_classes) - 2 * np.outer(normal, normal) / (normal @ normal)
    return np.kron(reflection[:, :-1], np.eye(n_features))


def information(embedding):
    roots = embedding.dense()
    return roots.transpose(0, 2, 1) @ roots


def expanded(embedding, n_classes, n_features):
    Q = basis(n_classes, n_features)
    return Q @ information(embedding) @ Q.T


@pytest.mark.parametrize("n_classes", [2, 3, 7])
@pytest.mark.parametrize("include_bias", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_information_is_that_of_the_softmax(n_classes, include_bias, dtype):
    proba, features = (part.astype(dtype) for part in outputs(20, n_classes))
    embedding = fisher_embedding(proba, features, include_bias=include_bias)
    exact = features.astype(np.float64)
    if include_bias:
        exact = np.hstack([exact, np.ones((20, 1))])
    width = exact.shape[1]
    assert (embedding.rank, embedding.n_parameters) == (
        n_classes - 1,
        (n_classes - 1) * width,
    )
    expected = stack(full_information, proba.astype(np.float64), exact)
    np.testing.assert_allclose(
        expanded(embedding, n_classes, width),
        expected,
        atol=1e-6 if dtype == np.float32 else 1e-13,
    )


def test_information_is_the_expected_square_of_torchs_gradients():
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 4, dtype=torch.float64)
    features = torch.randn(6, 3, dtype=torch.float64)
    proba = layer(features).softmax(dim=1).detach()
    expected = np.zeros((6, 16, 16))
    for row in range(6):
        for y in range(4):
            loss = torch.nn.functional.cross_entropy(
                layer(features[[row]]), torch.tensor([y])
            )
            weight, bias = torch.autograd.grad(loss, [layer.weight, layer.bias])
            gradient = torch.hstack([weight, bias[:, None]]).ravel().numpy()
            expected[row] += proba[row, y].item() * np.outer(gradient, gradient)
    embedding = fisher_embedding(proba.numpy(), features.numpy(), include_bias=True)
    np.testing.assert_allclose(expanded(embedding, 4, 4), expected, atol=1e-13)


@pytest.mark.parametrize("n_top", [1, 2, 4, 5])
def test_top_k_is_the_expectation_over_the_most_probable_classes(n_top):
    proba, features = outputs(20, 6)
    embedding = fisher_embedding(proba, features, fisher="top_k", n_top_classes=n_top)
    assert embedding.rank == n_top
    expected = stack(top_k_information, proba, features, n_top)
    np.testing.assert_allclose(expanded(embedding, 6, 3), expected, atol=1e-13)


@pytest.mark.parametrize("n_top", [6, 9])
def test_top_k_of_all_classes_is_the_whole(n_top):
    proba, features = outputs(20, 6)
    top = fisher_embedding(proba, features, fisher="top_k", n_top_classes=n_top)
    full = fisher_embedding(proba, features)
    np.testing.assert_array_equal(top.dense(), full.dense())


def test_binary_is_a_bernoulli_variable():
    proba, features = outputs(20, 6)
    embedding = fisher_embedding(proba, features, fisher="binary")
    assert (embedding.rank, embedding.n_parameters) == (1, 3)
    expected = stack(binary_information, proba, features)
    np.testing.assert_allclose(information(embedding), expected, atol=1e-14)


def test_one_logit_has_the_information_of_its_logit():
    proba, features = outputs(20, 2)
    expected = stack(binary_information, proba, features)
    forms = [
        fisher_embedding(proba, features, one_logit=True),
        fisher_embedding(proba[:, 1], features),
        fisher_embedding(proba[:, 1:], features),
        fisher_embedding(proba, features, fisher="binary", one_logit=True),
        fisher_embedding(proba, features, fisher="top_k", one_logit=True),
    ]
    for embedding in forms:
        np.testing.assert_allclose(information(embedding), expected, atol=1e-14)
    two = fisher_embedding(proba, features)
    np.testing.assert_allclose(information(two), 2 * expected, atol=1e-14)


@pytest.mark.parametrize("fisher", ["full", "top_k", "binary"])
def test_certain_predictions_keep_their_digits(fisher):
    features = np.ones((1, 1))
    for tiny in (1e-10, 1e-30, 1e-200):
        for order in ([0, 1, 2], [1, 2, 0], [2, 0, 1]):
            proba = np.array([[1.0, tiny, 2 * tiny]])[:, order]
            embedding = fisher_embedding(proba, features, fisher=fisher)
            # To first order in the small ones: the trace of diag(p) - p p^T, twice
            # the probability of the second class, and that of all but the first.
            expected = {"full": 6 * tiny, "top_k": 4 * tiny, "binary": 3 * tiny}
            np.testing.assert_allclose(
                embedding.norms_sq(), expected[fisher], rtol=1e-9
            )


def test_one_class_keeps_the_digits_of_its_gradient():
    for tiny in (1e-10, 1e-30):
        proba = np.array([[tiny, 1.0, 2 * tiny]])
        embedding = fisher_embedding(proba, [[1.0]], fisher="top_k", n_top_classes=1)
        # |p - e|^2 for the predicted class: 1, 3 and 2 times the small probability.
        np.testing.assert_allclose(embedding.norms_sq(), 14 * tiny**2, rtol=1e-9)


def test_classes_without_probability():
    proba, features = outputs(20, 5)
    proba[:, [0, 4]] = 0
    proba[7] = [0, 0, 1, 0, 0]
    proba /= proba.sum(axis=1, keepdims=True)
    embedding = fisher_embedding(proba, features)
    expected = stack(full_information, proba, features)
    np.testing.assert_allclose(expanded(embedding, 5, 3), expected, atol=1e-14)
    assert not embedding.dense()[7].any()


def kinds():
    proba, features = outputs(30, 5)
    sketch = FisherSketch(4, 4, 7, random_state=0)
    return {
        "factored": fisher_embedding(proba, features),
        "bias": fisher_embedding(proba, features, include_bias=True),
        "top_k": fisher_embedding(proba, features, fisher="top_k", n_top_classes=2),
        "binary": fisher_embedding(proba, features, fisher="binary"),
        "sketched": fisher_embedding(proba, features, include_bias=True, sketch=sketch),
    }


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("budget", [None, 1])
def test_products_are_those_of_the_dense_roots(kind, budget, monkeypatch):
    if budget:
        monkeypatch.setattr(
            "skbadge.embeddings._fisher_base.row_chunks",
            lambda n, *_, **__: (slice(i, i + 1) for i in range(n)),
        )
    embedding = kinds()[kind]
    rng = np.random.RandomState(1)
    V, D = embedding.dense(), embedding.n_parameters
    assert V.shape == (len(embedding), embedding.rank, D) == (30, embedding.rank, D)
    U, X = rng.normal(size=(D, 3)), rng.normal(size=(D, D))
    X = X + X.T
    close = {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(embedding.products(U), V @ U, **close)
    grams = V @ X @ V.transpose(0, 2, 1)
    np.testing.assert_allclose(embedding.grams(X), grams, **close)
    total = np.einsum("nij,nik->jk", V, V)
    np.testing.assert_allclose(embedding.total_information(), total, **close)
    norms_sq = (V**2).sum(axis=(1, 2))
    np.testing.assert_allclose(embedding.norms_sq(), norms_sq, **close)
    for rows in (slice(4, 9), np.array([8, 1, 1])):
        np.testing.assert_array_equal(embedding.take(rows).dense(), V[rows])


def test_roots_do_not_depend_on_the_chunks(monkeypatch):
    whole = {name: embedding.dense() for name, embedding in kinds().items()}
    monkeypatch.setattr(
        "skbadge.embeddings._fisher.row_chunks",
        lambda n, *_, **__: (slice(i, min(i + 7, n)) for i in range(0, n, 7)),
    )
    for name, embedding in kinds().items():
        np.testing.assert_allclose(embedding.dense(), whole[name], atol=1e-14)


@pytest.mark.parametrize("fisher", ["full", "binary"])
def test_sketched_products_are_unbiased_and_close_for_many_columns(fisher):
    proba, features = outputs(2, 4)
    exact = fisher_embedding(proba, features, fisher=fisher)
    lines = exact.dense().reshape(-1, exact.n_parameters)
    gram = lines @ lines.T
    scale = np.sqrt(np.outer(gram.diagonal(), gram.diagonal()))
    n_outputs = 1 if fisher == "binary" else 3

    def sketched_gram(q, seed):
        sketch = FisherSketch(n_outputs, 3, q, random_state=seed)
        sketched = fisher_embedding(proba, features, fisher=fisher, sketch=sketch)
        assert sketched.n_parameters == q
        lines = sketched.dense().reshape(-1, q)
        return lines @ lines.T

    draws = np.array([sketched_gram(8, seed) for seed in range(4000)])
    error = draws.std(axis=0) / np.sqrt(len(draws))
    # 5 standard errors: a chance of 1e-6 for each of at most 36 products.
    assert (np.abs(draws.mean(axis=0) - gram) < 5 * error).all()
    # The variance is at most 8 times the squared norms, over the columns.
    assert (np.abs(sketched_gram(400_000, 0) - gram) < 0.025 * scale).all()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"proba": [[0.5, 0.6]]}, "must hold class probabilities"),
        ({"proba": [[np.nan, 0.5]]}, "must hold class probabilities"),
        ({"features": [[np.nan]]}, r"`features` must be finite.*is row 0"),
        ({"features": [[1e40]]}, "`features` must be finite"),
        ({"features": [[1.0], [2.0]]}, "same number of rows. Got 1 and 2"),
        ({"fisher": "block"}, "'full', 'top_k' or 'binary'. Got 'block'"),
        ({"n_top_classes": 0}, "`n_top_classes` must be >= 1. Got 0"),
    ],
)
def test_bad_input_is_refused(change, match):
    good = {"proba": [[0.5, 0.5]], "features": [[1.0]]}
    with pytest.raises(ValueError, match=match):
        fisher_embedding(**{**good, **change})


def test_one_logit_has_two_columns():
    with pytest.raises(ValueError, match=r"two columns of a binary model.* Got 3"):
        fisher_embedding(np.full((4, 3), 1 / 3), np.ones((4, 2)), one_logit=True)
