"""Vote entropy: the shares of the posterior samples' most probable classes."""

from collections import Counter

import numpy as np
import pytest

from skbadge.outputs import Outputs
from skbadge.strategies import VoteEntropy


def score(posterior):
    return VoteEntropy().score(Outputs(posterior=np.asarray(posterior)))


@pytest.mark.parametrize("n_classes", [2, 3, 12])
def test_it_is_the_entropy_of_a_count(n_classes):
    rng = np.random.RandomState(0)
    posterior = rng.dirichlet(np.full(n_classes, 0.5), size=(7, 5000))
    expected = []
    for row in range(5000):
        counts = Counter(int(np.argmax(sample[row])) for sample in posterior)
        shares = np.array(list(counts.values())) / 7
        expected.append(-(shares * np.log(shares)).sum())
    found = score(posterior.astype("f4"))
    np.testing.assert_allclose(found, expected, atol=1e-14)
    assert found.min() >= 0
    assert found.max() <= min(np.log(7), np.log(n_classes)) + 1e-12


def test_how_sure_a_vote_is_does_not_count():
    sure, unsure = [[1.0, 0.0], [0.0, 1.0]], [[0.51, 0.49], [0.49, 0.51]]
    same = [[0.9, 0.1], [0.51, 0.49]]
    posterior = np.stack([sure, unsure, same], axis=1)
    np.testing.assert_allclose(score(posterior), [np.log(2), np.log(2), 0])


def test_the_first_of_equal_classes_has_the_vote():
    assert score([[[0.5, 0.5]], [[0.9, 0.1]]]) == 0
