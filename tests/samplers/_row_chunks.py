"""Scores and contents of rows, in memory and in chunks."""

from functools import partial

import numpy as np

from skbadge.outputs import Outputs
from tests.samplers._chunked import Chunks


def names_of(contents, positions):
    return [f"content {content}" for content in contents[positions]]


def scored_rows(scores, contents=None):
    """Rows that hold their scores, and say what is in them."""
    identify = None if contents is None else partial(names_of, np.asarray(contents))
    return Outputs(inputs=np.asarray(scores)[:, None], identify=identify)


class RowChunks(Chunks):
    """The same in chunks, merged in a random tree as `Chunks` are."""

    def __init__(self, rows, n_rows, seed=0):
        starts = range(0, len(rows), n_rows)
        self.parts = [rows.take(slice(start, start + n_rows)) for start in starts]
        self.seed, self.n_passes, self.identify = seed, 0, rows.identify
        self.starts = list(starts)
        self.shape = (len(rows), 1)


def score_of(chunk):
    return chunk.inputs[:, 0]
