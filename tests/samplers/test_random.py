"""Uniform draws without replacement."""

from itertools import permutations

import numpy as np
from scipy.stats import chisquare

from skbadge.embeddings import DenseEmbedding
from skbadge.samplers import Random
from tests.samplers._laws import THRESHOLD


def test_ordered_pairs_are_equally_likely_whatever_the_embedding():
    embedding = DenseEmbedding([[0.0], [1.0], [1.0], [1e6]])
    rng = np.random.RandomState(0)
    counts = dict.fromkeys(permutations(range(4), 2), 0)
    for _ in range(3000):
        counts[tuple(Random().sample(embedding, 2, random_state=rng).tolist())] += 1
    assert chisquare(list(counts.values())).pvalue > THRESHOLD


def test_labelled_rows_change_nothing():
    embedding = DenseEmbedding(np.eye(6))
    rows = Random().sample(embedding, 4, random_state=3)
    again = Random().sample(
        embedding, 4, labeled=embedding.take(slice(2)), random_state=3
    )
    np.testing.assert_array_equal(rows, again)
