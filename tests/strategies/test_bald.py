"""BALD: mutual information of single labels and the posterior samples."""

import numpy as np
import pytest
from scipy.special import entr
from scipy.stats import kstest

from skbadge.outputs import Outputs
from skbadge.strategies import Bald

LOG2, LOG3 = np.log(2), np.log(3)


def score(posterior):
    return Bald().score(Outputs(posterior=np.asarray(posterior)))


def dirichlet(n_posterior, n_rows, n_classes, seed=0, alpha=1.0):
    rng = np.random.RandomState(seed)
    return rng.dirichlet(np.full(n_classes, alpha), size=(n_posterior, n_rows))


def test_closed_forms():
    rows = [
        # Two samples that contradict each other.
        ([1, 0, 0], [0, 1, 0], LOG2),
        # Two in the same doubt.
        ([0.5, 0.5, 0], [0.5, 0.5, 0], 0),
        # Two that agree and are certain.
        ([0, 0, 1], [0, 0, 1], 0),
        # One certain, one in doubt: H(3/4, 1/4) - log(2) / 2.
        ([1, 0, 0], [0.5, 0.5, 0], entr([0.75, 0.25]).sum() - LOG2 / 2),
        ([0.8, 0.2, 0], [0.2, 0.8, 0], LOG2 - entr([0.8, 0.2]).sum()),
    ]
    first, second, expected = zip(*rows, strict=True)
    np.testing.assert_allclose(score([first, second]), expected, atol=1e-15)


@pytest.mark.parametrize(("n_posterior", "n_classes"), [(3, 5), (5, 3), (4, 4)])
def test_bounds_are_reached_by_certain_posterior_that_disagree(n_posterior, n_classes):
    proba = np.eye(n_classes)[np.arange(n_posterior) % n_classes]
    counts = np.bincount(np.arange(n_posterior) % n_classes) / n_posterior
    expected = entr(counts).sum()
    np.testing.assert_allclose(score(proba[:, None]), expected, rtol=1e-14)
    if n_posterior <= n_classes:
        np.testing.assert_allclose(expected, np.log(n_posterior), rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("alpha", [0.02, 1.0, 1e4])
def test_scores_are_within_their_bounds(alpha, dtype):
    for n_posterior, n_classes in [(2, 6), (7, 3), (20, 2)]:
        posterior = dirichlet(n_posterior, 500, n_classes, alpha=alpha).astype(dtype)
        scores = score(posterior)
        assert scores.dtype == np.float64
        assert scores.min() >= 0
        assert scores.max() <= np.log(min(n_posterior, n_classes)) + 1e-14


def test_scores_are_the_difference_of_entropies():
    posterior = dirichlet(6, 200, 4)
    expected = entr(posterior.mean(axis=0)).sum(axis=1)
    expected -= entr(posterior).sum(axis=2).mean(axis=0)
    np.testing.assert_allclose(score(posterior), expected, atol=1e-14)


def test_one_sample_has_nothing_to_disagree_with():
    np.testing.assert_array_equal(score(dirichlet(1, 50, 4)), 0)


def test_exact_zeros_give_no_nan():
    posterior = np.eye(4, dtype=np.float32)[np.array([[0, 1, 2], [0, 2, 2]])]
    np.testing.assert_allclose(score(posterior), [0, LOG2, 0], atol=1e-15)


def test_small_disagreements_keep_their_digits():
    # A difference of entropies would be rounded to a few digits, or below zero.
    shift = np.array([1e-6, 2e-6, 3e-6])
    first = np.stack([0.5 + shift, 0.5 - shift], axis=1)
    scores = score([first, first[:, ::-1]])
    np.testing.assert_allclose(scores, 2 * shift**2, rtol=1e-4)


def test_scores_do_not_depend_on_the_blocks_they_are_taken_in():
    # About a hundred rows are a block here.
    posterior = dirichlet(20, 500, 60, alpha=0.3)
    scores = score(posterior)
    for row in (0, 107, 110, 499):
        np.testing.assert_allclose(
            score(posterior[:, [row]]), scores[[row]], rtol=1e-13
        )


def test_rows_of_greatest_score_come_first():
    posterior = dirichlet(6, 3000, 4)
    scores = score(posterior)
    selection = Bald().run(Outputs(posterior=posterior), 100, random_state=0)
    np.testing.assert_array_equal(selection.rows, np.argsort(-scores)[:100])
    np.testing.assert_array_equal(selection.values, scores[selection.rows])


def test_order_of_samples_and_classes_does_not_matter():
    posterior = dirichlet(6, 50, 4)
    rng = np.random.RandomState(0)
    other = posterior[rng.permutation(6)][:, :, rng.permutation(4)]
    np.testing.assert_allclose(score(other), score(posterior), atol=1e-14)


def test_samples_of_one_parameter_are_not_enough():
    with pytest.raises(ValueError, match="'n_posterior' parameter of Bald"):
        Bald(n_posterior=1).select(Outputs(posterior=dirichlet(2, 4, 3)), 1)


@pytest.mark.parametrize("shape", [(4, 3), (0, 4, 3)])
def test_a_posterior_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match="`posterior` must have shape"):
        Outputs(posterior=np.zeros(shape))


def test_the_posterior_must_be_of_the_same_rows():
    with pytest.raises(
        ValueError, match=r"agree on the number of rows.*'posterior': 4"
    ):
        Outputs(proba=np.full((5, 3), 1 / 3), posterior=dirichlet(2, 4, 3))
    assert len(Outputs(posterior=dirichlet(2, 4, 3))) == 4
    assert Outputs(posterior=dirichlet(2, 4, 3)).nbytes == 2 * 4 * 3 * 8


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rows_on_which_all_samples_agree_tie_at_zero(dtype):
    """The mean of equal numbers is off by rounding, which must order no rows."""
    posterior = np.repeat(dirichlet(1, 3000, 3), 7, axis=0).astype(dtype)
    np.testing.assert_array_equal(score(posterior), 0)
    pool = Outputs(posterior=posterior)
    picks = Bald().select(pool, 500, random_state=0)
    assert kstest(picks / 3000, "uniform").pvalue > 1e-3
