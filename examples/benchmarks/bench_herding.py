"""What herding costs beside the loop that keeps the kernel matrix, in one run.

The loop forms the kernel of all candidates and evaluation rows once, in float32, and
updates all gains after each pick. A loop that does so in blocks that stay in cache
(``--block 16``) takes half to a quarter of its time. Every figure is a ratio of two
times, or of two counts, taken in this one run. Run it on a quiet machine; the whole
takes a minute and 5 GB of memory. The loop is timed for ten picks::

    python examples/benchmarks/bench_herding.py                  # everything
    python examples/benchmarks/bench_herding.py first            # some of it, by name
    python examples/benchmarks/bench_herding.py --candidates 5000 --evaluation 2000
"""

import argparse
from time import perf_counter

import numpy as np
from measuring import report, synthetic_outputs, timed

from skbadge.embeddings import GaussianEmbedding
from skbadge.samplers import Herding

# Picks of the loop that are timed.
N_TIMED = 10


def plain_loop(rows, weights, candidates, evaluation, n, sigma, block):
    """Kernel herding as a plain loop on the whole kernel matrix, in float32."""
    norms_sq = np.einsum("ij,ij->i", rows, rows)
    kernel = rows[evaluation] @ rows[candidates].T
    for part in np.array_split(kernel, max(1, len(kernel) // 100)):
        part *= 2
        part -= norms_sq[candidates]
        part -= 1
        part /= sigma**2
        np.exp(part, out=part)
    nearest = np.zeros((len(evaluation), 1), dtype=np.float32)
    start, picks = perf_counter(), []
    for _ in range(n):
        gains = np.zeros(len(candidates))
        for first in range(0, len(kernel), block):
            part = slice(first, first + block)
            gains += weights[part] @ np.maximum(kernel[part] - nearest[part], 0)
        gains[picks] = -1
        picks.append(int(gains.argmax()))
        np.maximum(nearest, kernel[:, picks[-1:]], out=nearest)
    return candidates[picks], perf_counter() - start


def compare(n_candidates, n_evaluation, block, *, sigma, is_weighted=False, n=100):
    """Print one comparison."""
    proba, features = synthetic_outputs(n_candidates, 10, 64)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    weights = np.ones(n_candidates, dtype=np.float32)
    if is_weighted:
        top = np.sort(proba, axis=1)
        weights = 1 - (top[:, -1] - top[:, -2])
    evaluation = np.arange(0, n_candidates, n_candidates // n_evaluation)[:n_evaluation]
    # The sampler evaluates on the rows of positive weight.
    some = np.zeros(n_candidates)
    some[evaluation] = weights[evaluation]
    sampler = Herding(
        weights=some, n_evaluation_rows=n_candidates, n_candidates=n_candidates
    )
    embedding = GaussianEmbedding(features, sigma=sigma)
    lazy_time, lazy = timed(lambda: sampler.run(embedding, n, random_state=0), 1)
    candidates = np.arange(n_candidates)
    loop_time, (rows, picks_time) = timed(
        lambda: plain_loop(
            features, weights[evaluation], candidates, evaluation, N_TIMED, sigma, block
        ),
        1,
    )
    # What is left of the loop is more of the same.
    loop_time += picks_time * (n / N_TIMED - 1)
    n_products = n_candidates * n_evaluation
    print(
        f"\n{n_candidates} candidates, {n_evaluation} evaluation rows, 64 columns, "
        f"n = {n}, sigma = {sigma}{', weighted' * is_weighted}"
    )
    print(f"  Herding {lazy_time:.2f} s, plain loop {loop_time:.2f} s")
    report("times faster", loop_time / lazy_time, "", ">=10")
    print(f"  passes over candidates x evaluation  {lazy.n_distances / n_products:.2f}")
    same = (lazy.rows[:N_TIMED] == rows).mean()
    print(f"  first picks that are the same        {same:.0%}")


BENCHMARKS = {
    # The default of max_herding.
    "first": {"sigma": 1.0},
    # As uncertainty herding with some dozens of labels.
    "later": {"sigma": 0.5, "is_weighted": True},
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(BENCHMARKS), metavar="NAME")
    parser.add_argument("--candidates", type=int, default=35_000)
    parser.add_argument("--evaluation", type=int, default=10_000)
    parser.add_argument("--block", type=int, default=10**9, help="rows of the loop")
    options = parser.parse_args()
    for name in options.names:
        compare(
            options.candidates, options.evaluation, options.block, **BENCHMARKS[name]
        )
