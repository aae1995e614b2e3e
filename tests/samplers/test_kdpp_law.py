"""Exact k-DPP sampling against enumeration, and the polynomials it rests on."""

from itertools import combinations
from math import log

import numpy as np
import pytest
from scipy.stats import binomtest

from skbadge.embeddings import DenseEmbedding
from skbadge.samplers import KDPP
from skbadge.samplers._kdpp_exact import kernel_spectrum
from skbadge.samplers._pivoted_cholesky import conditional_variances, pivoted_cholesky
from skbadge.samplers._symmetric_polynomials import (
    draw_by_product,
    log_symmetric_polynomials,
)
from tests.samplers._determinants import (
    draw_batches,
    gradients,
    kdpp_law,
    kernel_of,
    small,
)
from tests.samplers._laws import REJECTED, THRESHOLD, law_pvalue


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "n"),
    [
        ("tall", 1),
        ("tall", 2),
        ("tall", 4),
        ("wide", 3),
        ("wide", 6),
        ("gradient", 3),
        ("copies", 4),
    ],
)
def test_batches_follow_their_determinants(name, n):
    embedding = small(name)
    law = kdpp_law(kernel_of(embedding), n)
    draws = draw_batches(KDPP(), embedding, n, 2000)
    assert law_pvalue(law, draws) > THRESHOLD


def test_the_test_above_rejects_laws_that_are_near():
    embedding = small("tall")
    kernel = kernel_of(embedding)
    draws = draw_batches(KDPP(), embedding, 2, 2000)
    batches = kdpp_law(kernel, 2)
    near = {
        "uniform": dict.fromkeys(batches, 1.0),
        "volume, not its square": {s: p**0.5 for s, p in batches.items()},
        "lengths only": {s: kernel[s[0], s[0]] * kernel[s[1], s[1]] for s in batches},
    }
    for law in near.values():
        total = sum(law.values())
        law = {rows: weight / total for rows, weight in law.items()}
        assert law_pvalue(law, draws) < REJECTED


def test_the_order_of_the_rows_is_exchangeable():
    embedding = small("wide")
    law = {
        order: probability / 2
        for rows, probability in kdpp_law(kernel_of(embedding), 2).items()
        for order in (rows, rows[::-1])
    }
    rng = np.random.RandomState(0)
    draws = [
        tuple(KDPP().sample(embedding, 2, random_state=rng).tolist())
        for _ in range(2000)
    ]
    assert law_pvalue(law, draws) > THRESHOLD


@pytest.mark.parametrize("n_rows", [9, 40])
def test_the_basis_is_orthonormal_where_eigenvalues_differ_by_magnitudes(n_rows):
    # Fewer rows than columns, and more.
    rng = np.random.RandomState(0)
    rotation = np.linalg.qr(rng.normal(size=(12, 12)))[0]
    X = rng.normal(size=(n_rows, 12)) * np.geomspace(1, 1e-6, 12) @ rotation
    embedding = DenseEmbedding(X)
    spectrum = kernel_spectrum(embedding)
    assert spectrum.rank >= 9
    assert spectrum.values.max() / spectrum.values.min() > 1e8
    basis = spectrum.basis(embedding, np.arange(spectrum.rank))
    np.testing.assert_allclose(basis.T @ basis, np.eye(spectrum.rank), atol=1e-12)
    # And spans what the eigenvectors span.
    exact = np.linalg.svd(X, full_matrices=False)[0][:, : spectrum.rank]
    np.testing.assert_allclose(exact @ (exact.T @ basis), basis, atol=1e-3)


def inclusion(kernel, n):
    """Probability of each row, from the eigendecomposition."""
    values, vectors = np.linalg.eigh(kernel)
    values = np.maximum(values, 0)

    def polynomial(numbers, degree):
        # The coefficients of prod (x + number).
        return np.poly(-numbers)[degree]

    weights = [
        value * polynomial(np.delete(values, j), n - 1)
        for j, value in enumerate(values)
    ]
    return vectors**2 @ weights / polynomial(values, n)


def test_the_formula_of_inclusion_is_that_of_enumeration():
    kernel = kernel_of(small("wide"))
    by_hand = np.zeros(7)
    for rows, probability in kdpp_law(kernel, 3).items():
        by_hand[list(rows)] += probability
    np.testing.assert_allclose(inclusion(kernel, 3), by_hand)


@pytest.mark.slow
@pytest.mark.parametrize(("n_rows", "n_features"), [(40, 4), (16, 6)])
def test_rows_are_included_as_often_as_they_should(n_rows, n_features):
    # The dual kernel is the smaller one in the first case, the primal in the second.
    embedding = gradients(n_rows, 4, n_features)
    n, n_draws = 7, 2000
    expected = inclusion(kernel_of(embedding), n)
    draws = np.concatenate(draw_batches(KDPP(), embedding, n, n_draws))
    counts = np.bincount(draws, minlength=n_rows)
    assert np.isclose(expected.sum(), n)
    assert expected.max() / expected.min() > 5
    for count, probability in zip(counts, expected, strict=True):
        pvalue = binomtest(int(count), n_draws, min(probability, 1.0)).pvalue
        assert pvalue > THRESHOLD / n_rows


@pytest.mark.parametrize("n", [1, 2, 4, 6])
def test_polynomials_are_sums_over_subsets(n):
    values = np.random.RandomState(0).lognormal(sigma=2, size=6)
    table = log_symmetric_polynomials(np.log(values), n)
    assert table.shape == (7, n + 1)
    for j in range(7):
        for size in range(n + 1):
            direct = sum(np.prod(part) for part in combinations(values[:j], size))
            np.testing.assert_allclose(np.exp(table[j, size]), direct, rtol=1e-12)


def test_the_polynomial_is_the_sum_of_all_determinants():
    kernel = kernel_of(small("wide"))
    log_values = np.log(np.linalg.eigvalsh(kernel))
    for n in range(1, 8):
        dets = [np.linalg.det(kernel[np.ix_(s, s)]) for s in combinations(range(7), n)]
        table = log_symmetric_polynomials(log_values, n)
        np.testing.assert_allclose(np.exp(table[-1, -1]), sum(dets), rtol=1e-9)


def test_log_space_is_finite_and_right_where_floats_overflow():
    values = [int(v) for v in np.random.RandomState(0).randint(10, 10**6, size=300)]
    exact, direct = [1] + [0] * 100, np.r_[1.0, np.zeros(100)]
    with np.errstate(over="ignore"):
        for value in values:
            # Python's integers have no end.
            exact = [1] + [
                exact[size] + value * exact[size - 1] for size in range(1, 101)
            ]
            direct[1:] = direct[1:] + value * direct[:-1]
    assert np.isinf(direct[-1])
    table = log_symmetric_polynomials(np.log(values), 100)
    np.testing.assert_allclose(table[-1], [log(e) for e in exact], rtol=1e-12)


def test_eigenvectors_are_drawn_by_the_product_of_their_values():
    values = np.array([0.1, 3.0, 0.7, 1.0, 5.0])
    rng = np.random.RandomState(0)
    for n in (1, 3):
        law = {s: values[list(s)].prod() for s in combinations(range(5), n)}
        total = sum(law.values())
        law = {rows: weight / total for rows, weight in law.items()}
        draws = [
            tuple(draw_by_product(np.log(values), n, rng).tolist()) for _ in range(2000)
        ]
        assert law_pvalue(law, draws) > THRESHOLD
    assert draw_by_product(np.log(values), 5, rng).tolist() == [0, 1, 2, 3, 4]
    assert draw_by_product(np.log(values), 0, rng).tolist() == []


def test_a_batch_as_large_as_the_rank_takes_all_eigenvectors():
    log_values = np.log(np.geomspace(1e-14, 1e14, 40))
    for seed in range(50):
        positions = draw_by_product(log_values, 40, np.random.RandomState(seed))
        np.testing.assert_array_equal(positions, np.arange(40))


@pytest.mark.parametrize("name", ["tall", "wide", "copies"])
def test_farthest_first_pivots_are_those_of_brute_force(name):
    kernel = kernel_of(small(name))
    rank = np.linalg.matrix_rank(kernel)
    rows = pivoted_cholesky(
        np.diagonal(kernel), lambda row: kernel[row], 7, np.argmax, 1e-12
    )
    assert len(rows) == rank
    picked = []
    for row in rows.tolist():
        dets = [
            -np.inf
            if r in picked
            else np.linalg.det(kernel[np.ix_([*picked, r], [*picked, r])])
            for r in range(7)
        ]
        assert row == np.argmax(dets)
        picked.append(row)


def test_conditional_variances_multiply_to_the_determinant():
    kernel = kernel_of(small("wide"))
    variances = conditional_variances(kernel)
    for n in range(1, 8):
        det = np.linalg.det(kernel[:n, :n])
        np.testing.assert_allclose(variances[:n].prod(), det)
    assert conditional_variances(np.ones((2, 2))).tolist() == [1, 0]
    assert conditional_variances(np.zeros((2, 2))).tolist() == [0, 0]
    assert conditional_variances(np.zeros((0, 0))).shape == (0,)
    smallest = np.array([[1.0, 4.0], [4.0, 20.0]]) * 2.0**-1070
    assert conditional_variances(smallest).tolist() == [2.0**-1070, 2.0**-1068]
