"""Embeddings in chunks, that know nothing but how to be reduced."""

import pickle

import numpy as np

from skbadge.embeddings import DenseEmbedding


class Chunks:
    """Embeddings one below the other, read as a pool of any size is.

    Results are merged in a random tree, the earlier rows first, and all that is handed
    in and out is pickled as for other processes.

    Parameters
    ----------
    parts : list of Embedding
        The chunks.

    seed : int or None, default=0
        Of the tree; None for one chunk after another, without pickling.

    Attributes
    ----------
    n_passes : int
        How often all rows were read.
    """

    def __init__(self, parts, seed=0):
        self.parts = parts
        self.seed = seed
        self.n_passes = 0
        self.dtype = parts[0].dtype
        self.shape = (sum(map(len, parts)), parts[0].shape[1])
        self.starts = np.cumsum([0, *map(len, parts)]).tolist()

    def __len__(self):
        return self.shape[0]

    def reduce(self, part, merge):
        self.n_passes += 1
        if self.seed is not None:
            part, merge = pickle.loads(pickle.dumps((part, merge)))
        results = [
            part(chunk, start)
            for chunk, start in zip(self.parts, self.starts, strict=False)
        ]
        rng = np.random.RandomState(self.seed)
        while len(results) > 1:
            i = 0 if self.seed is None else rng.randint(len(results) - 1)
            results[i : i + 2] = [merge(results[i], results[i + 1])]
        return (
            results[0] if self.seed is None else pickle.loads(pickle.dumps(results[0]))
        )


def in_chunks(embedding, n_rows, seed=0):
    """An embedding in chunks of a number of rows."""
    return Chunks(
        [
            embedding.take(slice(start, start + n_rows))
            for start in range(0, len(embedding), n_rows)
        ],
        seed,
    )


def dense_chunks(X, n_rows, seed=0):
    """A matrix in chunks."""
    return in_chunks(DenseEmbedding(X), n_rows, seed)
