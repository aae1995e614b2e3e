"""Chains on batches: their steps as they are, against the k-DPP by enumeration."""

from itertools import product

import numpy as np
import pytest

from skbadge.embeddings import DenseEmbedding, LaplaceEmbedding
from skbadge.exceptions import QueryWarning
from skbadge.samplers import KDPP
from skbadge.samplers._kdpp_mcmc import (
    HeatBathChain,
    UniformSwapChain,
    independent_rows,
    n_heat_bath_steps,
    n_swap_steps,
)
from tests.samplers._determinants import (
    draw_batches,
    gradients,
    kdpp_law,
    kernel_of,
    small,
)
from tests.samplers._laws import REJECTED, THRESHOLD, law_pvalue

CHAINS = [HeatBathChain, UniformSwapChain]
RELATIVE = 1e-12


def greedy_start(embedding, n):
    return independent_rows(embedding, n, "greedy", RELATIVE, np.random.RandomState(0))


class Script:
    """A source of randomness that does as it is told, and says what it was asked."""

    def __init__(self, ints, coin):
        self.ints = list(ints)
        self.coin = coin
        self.ranges = []

    def randint(self, n):
        self.ranges.append(n)
        return self.ints.pop(0) if self.ints else 0

    def random_sample(self, size=None):
        return self.coin if size is None else np.full(size, self.coin)


def after_one_step(cls, embedding, batch, ints, coin):
    chain = cls(embedding, np.array(batch), RELATIVE)
    script = Script(ints, coin)
    chain.step(script)
    return tuple(sorted(chain.rows.tolist())), script.ranges


def transitions(cls, embedding, batch):
    """Law of the next batch, from the step itself.

    What a step does for a coin in [0, 1) is constant on intervals. Their ends are found
    by bisection; that no outcome comes back after another is what a threshold and an
    inverse distribution function have in common.
    """
    _, ranges = after_one_step(cls, embedding, batch, [], 0.5)
    law = {}
    for ints in product(*map(range, ranges)):

        def outcome(coin, ints=ints):
            return after_one_step(cls, embedding, batch, ints, coin)[0]

        stack = [(0.0, 1.0, outcome(0.0), outcome(1.0 - 1e-16))]
        while stack:
            low, high, first, last = stack.pop()
            if first == last or high - low < 1e-11:
                law[first] = law.get(first, 0) + (high - low) / np.prod(ranges)
                continue
            middle = (low + high) / 2
            between = outcome(middle)
            stack += [(low, middle, first, between), (middle, high, between, last)]
    return law


def transition_matrix(cls, embedding, law):
    position = {batch: i for i, batch in enumerate(law)}
    matrix = np.zeros((len(law), len(law)))
    for batch, i in position.items():
        for other, probability in transitions(cls, embedding, batch).items():
            # A KeyError here is a step to a batch of determinant 0.
            matrix[i, position[other]] += probability
    return matrix


@pytest.fixture(scope="module")
def matrix_of():
    """Transition matrices, computed once."""
    known = {}

    def compute(cls, name, n):
        if (cls, name, n) not in known:
            embedding = small(name).take(np.arange(6))
            law = kdpp_law(kernel_of(embedding), n)
            matrix = transition_matrix(cls, embedding, law)
            known[cls, name, n] = matrix, law, embedding
        return known[cls, name, n]

    return compute


CASES = [("tall", 1), ("tall", 3), ("wide", 2), ("copies", 2), ("copies", 4)]


@pytest.mark.slow
@pytest.mark.parametrize("cls", CHAINS)
@pytest.mark.parametrize(("name", "n"), CASES)
def test_a_step_leaves_the_kdpp_invariant(matrix_of, cls, name, n):
    matrix, law, _ = matrix_of(cls, name, n)
    stationary = np.array(list(law.values()))
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-9)
    np.testing.assert_allclose(stationary @ matrix, stationary, atol=1e-8)
    flow = stationary[:, None] * matrix
    np.testing.assert_allclose(flow, flow.T, atol=1e-8)
    # Nowhere else: in the end every start leads there.
    np.testing.assert_allclose(
        np.linalg.matrix_power(matrix, 4000), np.tile(stationary, (len(law), 1)),
        atol=1e-6,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("name", "n"), [("tall", 1), ("tall", 3), ("wide", 2)])
def test_automatic_steps_bring_the_walk_near_the_kdpp(matrix_of, name, n):
    matrix, law, embedding = matrix_of(HeatBathChain, name, n)
    stationary = np.array(list(law.values()))
    start = greedy_start(embedding, n)
    here = np.zeros(len(law))
    here[list(law).index(tuple(sorted(start.tolist())))] = 1
    steps = n_heat_bath_steps(6, n)
    there = here @ np.linalg.matrix_power(matrix, steps)
    assert np.abs(there - stationary).sum() / 2 <= 0.01
    # The entropy falls by the factor of the bound in each step.
    entropy = -np.log(stationary[here == 1])[0]
    for step in range(1, 8):
        there = here @ np.linalg.matrix_power(matrix, step)
        kept = there > 0
        now = there[kept] @ np.log(there[kept] / stationary[kept])
        assert now <= entropy * (1 - 1 / n) ** step + 1e-8


@pytest.mark.slow
@pytest.mark.parametrize(("proposal", "between"), [("heat_bath", 15), ("uniform", 40)])
def test_a_long_chain_visits_batches_by_their_determinants(proposal, between):
    embedding = small("wide")
    law = kdpp_law(kernel_of(embedding), 3)
    cls = HeatBathChain if proposal == "heat_bath" else UniformSwapChain
    chain = cls(embedding, np.array([0, 1, 2]), RELATIVE)
    rng = np.random.RandomState(0)
    draws = [tuple(sorted(chain.run(between, rng).tolist())) for _ in range(1500)]
    assert law_pvalue(law, draws) > THRESHOLD
    assert law_pvalue({rows: 1 / len(law) for rows in law}, draws) < REJECTED


def test_the_sampler_with_automatic_steps_follows_the_determinants():
    embedding = small("tall")
    law = kdpp_law(kernel_of(embedding), 2)
    draws = draw_batches(KDPP("mcmc"), embedding, 2, 1000)
    assert law_pvalue(law, draws) > THRESHOLD


def assert_up_to_date(chain, kernel):
    rows = chain.rows
    inverse = np.linalg.inv(kernel[np.ix_(rows, rows)])
    np.testing.assert_allclose(
        chain.inverse, inverse, rtol=1e-6, atol=1e-8 * np.abs(inverse).max()
    )
    if isinstance(chain, HeatBathChain):
        residuals = np.diagonal(kernel) - np.einsum(
            "ij,ij->i", kernel[:, rows] @ inverse, kernel[:, rows]
        )
        np.testing.assert_allclose(chain.products, kernel[:, rows])
        np.testing.assert_allclose(chain.residuals, residuals, atol=1e-8)


@pytest.mark.parametrize("cls", CHAINS)
def test_what_is_brought_up_to_date_equals_what_is_computed_directly(cls):
    embedding = gradients(60, 4, 8)
    kernel = kernel_of(embedding)
    chain = cls(embedding, np.arange(12), RELATIVE)
    rng = np.random.RandomState(0)
    swaps, refreshes = 0, 0
    for _ in range(150):
        before, counted = chain.rows.copy(), chain.swaps
        chain.step(rng)
        swaps += (before != chain.rows).any()
        refreshes += chain.swaps < counted
        assert (before != chain.rows).sum() <= 1
        assert len(set(chain.rows.tolist())) == 12
        assert_up_to_date(chain, kernel)
    assert swaps > 40
    assert refreshes >= 2
    if cls is UniformSwapChain:
        outside = np.setdiff1d(np.arange(60), chain.rows)
        np.testing.assert_array_equal(np.sort(chain.outside), outside)


@pytest.mark.parametrize("cls", CHAINS)
def test_errors_do_not_outlive_the_refresh(cls):
    embedding = gradients(60, 4, 8)
    chain = cls(embedding, np.arange(12), RELATIVE)
    chain.inverse *= 1.01
    chain.run(150, np.random.RandomState(0))
    assert_up_to_date(chain, kernel_of(embedding))


@pytest.mark.parametrize("cls", CHAINS)
def test_norms_of_different_magnitude_do_no_harm(cls):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(40, 10)) * 10.0 ** rng.randint(-5, 3, size=(40, 1))
    chain = cls(DenseEmbedding(X), np.arange(6), RELATIVE)
    rows = chain.run(400, rng)
    norms = np.sqrt((X**2).sum(axis=1))
    # Six rows of norm near 100 are next to certain.
    assert (norms[rows] > norms.max() / 100).all()
    direct = np.linalg.inv((X @ X.T)[np.ix_(rows, rows)])
    scale = np.outer(norms[rows], norms[rows])
    np.testing.assert_allclose(chain.inverse * scale, direct * scale, rtol=1e-6)


def test_the_start_is_uniform_or_greedy():
    embedding = small("wide")
    kernel = kernel_of(embedding)
    rng = np.random.RandomState(0)
    starts = [
        tuple(sorted(independent_rows(embedding, 2, "random", RELATIVE, rng).tolist()))
        for _ in range(2000)
    ]
    law = {rows: 1 / 21 for rows in kdpp_law(kernel, 2)}
    assert len(law) == 21
    assert law_pvalue(law, starts) > THRESHOLD
    greedy = greedy_start(embedding, 3).tolist()
    assert greedy[0] == np.diagonal(kernel).argmax()


def test_a_singular_start_makes_way_for_the_greedy_one():
    X = np.repeat(np.eye(3), [1, 1, 40], axis=0) * [[3.0, 2.0, 1.0]]
    embedding = DenseEmbedding(X)
    for seed in range(20):
        rng = np.random.RandomState(seed)
        rows = independent_rows(embedding, 3, "random", RELATIVE, rng)
        assert np.linalg.det(X[rows] @ X[rows].T) > 0
    assert len(independent_rows(embedding, 5, "random", RELATIVE, rng)) == 3


def test_numbers_of_steps():
    assert [n_swap_steps(n) for n in (1, 2, 10, 100)] == [0, 6, 115, 2302]
    assert n_heat_bath_steps(1000, 1) == 1
    n = 100
    log_binomial = sum(np.log((20_000 - i) / (i + 1)) for i in range(n))
    entropy = log_binomial + 2 * np.log(np.arange(1, n + 1)).sum()
    steps = n_heat_bath_steps(20_000, n)
    assert entropy * (1 - 1 / n) ** steps <= 2 * 0.01**2
    assert entropy * (1 - 1 / n) ** (steps - 1) > 2 * 0.01**2


@pytest.mark.parametrize(
    ("proposal", "steps", "number"),
    [
        ("heat_bath", "auto", n_heat_bath_steps(50, 8)),
        ("heat_bath", "badge", 83),
        ("uniform", "auto", 83),
        ("uniform", "badge", 83),
    ],
)
@pytest.mark.parametrize("init", ["greedy", "random"])
def test_steps_by_name_are_those_of_their_number(proposal, steps, number, init):
    embedding = gradients(50, 4, 8)
    sampler = KDPP("mcmc", proposal=proposal, init=init)
    for seed in range(5):
        picks = [
            sampler.set_params(steps=s).sample(embedding, 8, random_state=seed)
            for s in (steps, number, number + 25)
        ]
        np.testing.assert_array_equal(picks[0], picks[1])
        assert (picks[0] != picks[2]).any()


def test_no_steps_return_the_start():
    embedding = gradients(50, 4, 8)
    greedy = KDPP("mcmc", steps=0).sample(embedding, 5)
    expected = greedy_start(embedding, 5)
    np.testing.assert_array_equal(greedy, expected)
    # The paper's code makes no step for one row: it is uniform.
    sampler = KDPP("mcmc", proposal="uniform", steps="badge", init="random")
    first = sampler.sample(embedding, 1, random_state=3)
    assert first == np.random.RandomState(3).permutation(50)[0]


def test_a_chain_counts_its_inner_products():
    embedding = gradients(50, 4, 8)
    uniform = KDPP("mcmc", proposal="uniform", steps=30).run(embedding, 8)
    assert uniform.n_distances >= 30 * 8
    heat_bath = KDPP("mcmc", steps=0).run(embedding, 8)
    assert heat_bath.n_distances == 50 * 8 + 8 * 8


def kernel_and_root(X):
    """A kernel without columns, and columns with the same kernel."""
    embedding = LaplaceEmbedding(X)
    return embedding, DenseEmbedding(np.linalg.cholesky(embedding.cross(embedding)))


@pytest.mark.parametrize("proposal", ["heat_bath", "uniform"])
@pytest.mark.parametrize("init", ["greedy", "random"])
def test_kernels_without_columns_are_walked_like_their_roots(proposal, init):
    kernel, root = kernel_and_root(np.random.RandomState(0).normal(size=(30, 3)))
    # All rows have norm 1 but for rounding: with which to begin greedily is a tie.
    sampler = KDPP("mcmc", proposal=proposal, steps=200, init=init)
    for seed in range(5):
        np.testing.assert_array_equal(
            sampler.sample(kernel, 6, random_state=seed),
            sampler.sample(root, 6, random_state=seed),
        )


def test_copies_in_a_kernel_without_columns_are_filled_up():
    X = np.random.RandomState(0).normal(size=(5, 3))
    kernel = LaplaceEmbedding(np.vstack([X, X, X]))
    with pytest.warns(QueryWarning, match="Only 5 of 7"):
        rows = KDPP("mcmc").sample(kernel, 7, random_state=0)
    assert len(set(rows[:5] % 5)) == 5
    assert len(set(rows)) == 7
