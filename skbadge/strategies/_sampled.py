"""Strategies that work on uniform samples of a pool, in memory or in chunks."""

from typing import NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skbadge.outputs import Outputs
from skbadge.outputs._chunked_outputs import ChunkedOutputs
from skbadge.samplers import Feasible
from skbadge.samplers._samples import Samples


class Sampled(NamedTuple):
    """What a model says about the rows of samples, and which rows these are.

    Parameters
    ----------
    rows : ndarray of shape (n_rows,)
        Their positions in the pool, int64, ascending: those of both samples and the
        pending ones.

    outputs : Outputs
        Theirs, in memory.

    feasible : Feasible
        Which of them may be picked, with positions among them: the candidates.

    samples : Samples
        With positions among them.
    """

    rows: NDArray[np.int64]
    outputs: Outputs
    feasible: Feasible
    samples: Samples


def sampled(
    pool: Outputs | ChunkedOutputs,
    n: int,
    feasible: Feasible,
    rng: RandomState,
    *,
    n_evaluation_rows: int = 10_000,
    n_candidates: int = 35_000,
) -> Sampled:
    """Draw uniform samples of a pool; of one in chunks they alone are read.

    Parameters
    ----------
    pool : Outputs or ChunkedOutputs
        Of all rows.

    n, feasible, rng, n_evaluation_rows, n_candidates
        As for `Samples.draw`.
    """
    samples = Samples.draw(
        feasible,
        n,
        rng,
        n_evaluation_rows=n_evaluation_rows,
        n_candidates=n_candidates,
    )
    drawn = np.concatenate([samples.evaluation, samples.candidates, feasible.pending])
    rows = np.unique(drawn)
    if isinstance(pool, ChunkedOutputs):
        outputs = pool.gathered(rows)
    else:
        outputs = pool if len(rows) == len(pool) else pool.take(rows)
    samples = samples.among(rows)
    mask = np.zeros(len(rows), dtype=bool)
    mask[samples.candidates] = True
    return Sampled(rows, outputs, feasible.among(rows, mask), samples)
