"""EPIG: mutual information of a row's label with those of targets."""

import tracemalloc

import numpy as np
import pytest
from scipy.special import rel_entr

from skbadge.outputs import Outputs
from skbadge.samplers import Feasible
from skbadge.strategies import EPIG, Bald
from skbadge.strategies._epig import predictive_information


def dirichlet(n_posterior, n_rows, n_classes, seed=0, alpha=0.5):
    rng = np.random.RandomState(seed)
    return rng.dirichlet(np.full(n_classes, alpha), size=(n_posterior, n_rows))


def by_definition(posterior, targets, weights):
    """Kullback-Leibler divergence of the joint from the product, pair by pair."""
    scores = np.zeros(posterior.shape[1])
    for i in range(posterior.shape[1]):
        for t, weight in enumerate(weights):
            p, q = posterior[:, i], targets[:, t]
            joint = np.mean(
                [np.outer(*pair) for pair in zip(p, q, strict=True)], axis=0
            )
            apart = np.outer(p.mean(axis=0), q.mean(axis=0))
            scores[i] += weight * rel_entr(joint, apart).sum()
    return scores


def equal(n):
    return np.full(n, 1 / n)


@pytest.mark.parametrize("n_classes", [2, 3, 7])
@pytest.mark.parametrize("alpha", [0.05, 1.0, 20.0])
def test_it_is_the_divergence_of_the_joint_from_the_product(n_classes, alpha):
    posterior = dirichlet(5, 11, n_classes, 0, alpha)
    targets = dirichlet(5, 6, n_classes, 1, alpha)
    weights = np.random.RandomState(2).dirichlet(np.ones(6))
    found = predictive_information(posterior, targets, weights)
    expected = by_definition(posterior, targets, weights)
    np.testing.assert_allclose(found, expected, atol=2e-12)
    assert (found >= 0).all()
    assert (found <= np.log(n_classes)).all()


def test_blocks_of_rows_and_of_targets_make_no_difference():
    # More than one block of each.
    posterior, targets = dirichlet(3, 40, 40, 0), dirichlet(3, 25, 40, 1)
    found = predictive_information(posterior, targets, equal(25))
    np.testing.assert_allclose(
        found, by_definition(posterior, targets, equal(25)), atol=2e-12
    )
    half = predictive_information(posterior[:, 7:9], targets, equal(25))
    np.testing.assert_array_equal(half, found[7:9])


def test_it_is_symmetric():
    first, second = dirichlet(6, 5, 3, 0), dirichlet(6, 4, 3, 1)
    forth = [predictive_information(first, second[:, [t]], equal(1)) for t in range(4)]
    back = [predictive_information(second, first[:, [i]], equal(1)) for i in range(5)]
    np.testing.assert_allclose(np.array(forth).T, back, atol=2e-12)


def test_where_there_is_nothing_to_learn_it_is_zero():
    one = dirichlet(1, 8, 3)
    assert not predictive_information(one, dirichlet(1, 5, 3, 1), equal(5)).any()
    # Targets that are certain, and ones that all samples see alike.
    posterior = dirichlet(6, 8, 3)
    certain = np.eye(3)[None, [0, 2, 1]].repeat(6, axis=0)
    alike = dirichlet(1, 4, 3).repeat(6, axis=0)
    for targets in (certain, alike):
        weights = equal(targets.shape[1])
        assert not predictive_information(posterior, targets, weights).any()
        assert not predictive_information(targets, posterior, equal(8)).any()


def test_a_label_that_tells_the_samples_apart_tells_the_target():
    # Two samples that contradict each other, of the row and of the target.
    apart = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    found = predictive_information(apart, apart, equal(1))
    np.testing.assert_allclose(found, np.log(2), rtol=1e-12)


def test_single_precision_is_as_good_as_its_digits():
    posterior, targets = dirichlet(5, 30, 4, 0), dirichlet(5, 9, 4, 1)
    exact = predictive_information(posterior, targets, equal(9))
    single = predictive_information(
        posterior.astype("f4"), targets.astype("f4"), equal(9)
    )
    np.testing.assert_allclose(single, exact, atol=1e-6)


def test_equal_rows_have_equal_scores_wherever_they_stand():
    posterior = dirichlet(5, 7, 10, 0, 20.0)
    copies = np.tile(posterior, (1, 60, 1)).astype("f4")
    found = predictive_information(copies, dirichlet(5, 100, 10, 1, 20.0), equal(100))
    np.testing.assert_array_equal(found.reshape(60, 7), found[:7][None].repeat(60, 0))


def test_memory_is_bounded():
    posterior = dirichlet(4, 400, 30).astype("f4")
    targets = dirichlet(4, 300, 30, 1).astype("f4")
    tracemalloc.start()
    predictive_information(posterior, targets, equal(300))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # All joint probabilities would take 864 MB.
    assert peak < 2**23 + 2 * 8 * targets.size


# The strategy


def pool(n_rows=60, **fields):
    return Outputs(posterior=dirichlet(5, n_rows, 3), **fields)


def test_targets_come_with_the_outputs():
    targets = Outputs(posterior=dirichlet(5, 8, 3, 1))
    rows = EPIG(np.zeros((8, 2))).select(pool(targets=targets), 6, random_state=0)
    scores = by_definition(pool().posterior, targets.posterior, equal(8))
    np.testing.assert_array_equal(rows, np.argsort(-scores)[:6])
    found = EPIG(np.zeros((8, 2))).score(pool(targets=targets))
    np.testing.assert_allclose(found, scores, atol=2e-12)


def test_weights_count_targets():
    targets = Outputs(posterior=dirichlet(5, 4, 3, 1))
    given = {"targets": np.zeros((4, 2)), "target_weights": [0, 0, 3, 1]}
    found = EPIG(**given).score(pool(targets=targets))
    parts = [
        predictive_information(pool().posterior, targets.posterior[:, [t]], equal(1))
        for t in (2, 3)
    ]
    np.testing.assert_allclose(found, 0.75 * parts[0] + 0.25 * parts[1], atol=2e-12)


def test_targets_are_drawn_from_all_of_the_pool_by_chance():
    scores = predictive_information(pool().posterior, pool().posterior, equal(60))
    np.testing.assert_array_equal(EPIG().score(pool()), scores)
    rows = EPIG().select(pool(), 6, random_state=0)
    np.testing.assert_array_equal(rows, np.argsort(-scores)[:6])
    # Rows that may not be selected are among them.
    mask = np.arange(60) % 2 == 0
    rows = EPIG().select(pool(), 6, feasible=mask, random_state=0)
    np.testing.assert_array_equal(rows, np.argsort(-np.where(mask, scores, 0))[:6])
    few = [EPIG(n_targets=3).select(pool(), 6, random_state=i) for i in range(9)]
    assert len({tuple(rows) for rows in few}) > 1


def test_given_targets_leave_rows_out_that_may_not_be_selected():
    assert EPIG().reads_population
    assert not EPIG(np.zeros((8, 2))).reads_population
    targets = Outputs(posterior=dirichlet(5, 8, 3, 1))
    feasible = Feasible(60, np.arange(60) < 30, pending=[3])
    epig = EPIG(np.zeros((8, 2)))
    rows = epig.select(pool(targets=targets), 29, feasible=feasible)
    assert set(rows) == set(range(30)) - {3}


def test_targets_that_were_not_read_are_an_error():
    with pytest.raises(ValueError, match="`targets` must be read with the pool"):
        EPIG(np.zeros((8, 2))).select(pool(), 3)


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        ([1, 2], r"one number for each of the 3 targets. Got an array of shape \(2,\)"),
        ([0, 0, 0], "not all of them 0"),
        ([1, -1, 3], "a least one of -1"),
        ([1, np.nan, 3], "a sum of nan"),
    ],
)
def test_wrong_weights_are_refused(weights, match):
    targets = Outputs(posterior=dirichlet(5, 3, 3, 1))
    with pytest.raises(ValueError, match=f"`target_weights` must be .*{match}"):
        EPIG(np.zeros((3, 2)), target_weights=weights).score(pool(targets=targets))


def test_weights_of_targets_that_are_not_given_are_refused():
    with pytest.raises(ValueError, match="must be None if `targets` is None"):
        EPIG(target_weights=[1.0]).select(pool(), 3)


def test_it_counts_what_shows_in_the_targets_where_bald_counts_all():
    # Samples differ in two rows; the targets go with the second.
    row = np.array([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    other = np.array([[0.2, 0.8], [0.8, 0.2], [0.2, 0.8], [0.8, 0.2]])
    outputs = Outputs(
        posterior=np.stack([row, other], axis=1),
        targets=Outputs(posterior=other[:, None]),
    )
    assert Bald().select(outputs, 1).tolist() == [0]
    assert EPIG(np.zeros((1, 2))).select(outputs, 1).tolist() == [1]


def test_it_shows_itself_in_one_line():
    assert repr(EPIG()) == "EPIG()"
    epig = EPIG(np.zeros((800, 90)), target_weights=np.ones(800), n_posterior=30)
    assert repr(epig) == (
        "EPIG(n_posterior=30, target_weights=ndarray of shape (800,), "
        "targets=ndarray of shape (800, 90))"
    )
